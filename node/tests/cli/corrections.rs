//! Correcting what was decided: units that have to be stated again, and amendments.

use crate::support::World;

/// Two accounts are one person's, for whom final units are set; then one of them is taken away.
#[test]
fn units_for_a_person_whose_accounts_have_changed_are_stated_again() {
    let world = World::with_events();
    let user = world.run(&["user", "add"]).ok();
    let user = user.trim();
    for account in ["1", "2"] {
        let bind = ["bind", "--provider", "github", "--external-id", account, "--user", user];
        world.run(&[&bind[..], &["--evidence", r#"{"seen":"by me"}"#]].concat()).ok();
    }
    let claimant = format!("user:{user}");
    let allocate = ["allocate", "--scope", "default", "--epoch", "1", "--claimant", &claimant];
    let allocate = || world.run(&[&allocate[..], &["--units", "4000", "--reason", "both accounts"]].concat());
    allocate().ok();
    allocate().refused(1, "nothing_to_change");
    assert!(!world.epoch(&["show"]).ok().contains("restate"));
    let revoke = ["revoke", "--provider", "github", "--external-id", "2"];
    world.run(&[&revoke[..], &["--evidence", r#"{"said":"not theirs"}"#]].concat()).ok();
    world.epoch(&["close"]).ok();
    let refused = world.epoch(&["freeze"]);
    refused.refused(1, "override_claimant_moved");
    let changed = "identity:github:2 was revoked from it by decision";
    assert!(refused.err.contains(&claimant) && refused.err.contains(changed), "{}", refused.err);
    let shown = world.epoch(&["show"]).ok();
    assert!(shown.contains(&format!("restate  the final units of {claimant}, since {changed}")), "{shown}");
    assert!(
        shown.contains(&format!("meed allocate --scope default --epoch 1 --claimant {claimant}")),
        "{shown}"
    );
    // The same again is a decision on the person as they are now.
    allocate().ok();
    allocate().refused(1, "nothing_to_change");
    assert!(!world.epoch(&["show"]).ok().contains("restate"));
    world.epoch(&["freeze"]).ok();
}

/// An amendment that nobody wants any more leaves what is final as it was, and makes room for others.
#[test]
fn an_amendment_is_given_up() {
    let world = World::finalized();
    let decide = |event: &str| {
        let curate = ["curate", "--scope", "default", "--epoch", "1", "--event", event, "--exclude"];
        world.run(&[&curate[..], &["--reason", "it was a bot"]].concat()).ok()
    };
    world.epoch(&["amend", "--give-up", "--reason", "none is open"]).refused(1, "nothing_to_change");
    world.epoch(&["amend", "--reason", "a bot was paid"]).ok();
    decide("github:pr:7:e1");
    world.epoch(&["freeze"]).ok();
    let after = world.epoch(&["amend", "--give-up", "--reason", "it was a person after all"]).ok();
    assert!(after.contains("finalized\n") && !after.contains("draft"), "{after}");
    let shown = world.epoch(&["show"]).ok();
    assert!(shown.contains("no longer offered, and never final"), "{shown}");
    assert!(
        world
            .run(&["decisions", "--scope", "default"])
            .ok()
            .contains("the amendment of the epoch was given up")
    );
    // The next one begins without what was decided in it, and takes the next revision.
    world.epoch(&["amend", "--reason", "another bot was paid"]).ok();
    let activity = world.json(&["activity", "--scope", "default", "--epoch", "1"]);
    assert!(activity.as_array().expect("array").iter().all(|item| item["included"] == true));
    decide("github:pr:7:e2");
    world.freeze("two.dossier");
    let seen = world.sign("two.dossier", "alice");
    assert!(seen.err.contains("given up") && seen.err.contains("superseded by later ones"), "{}", seen.err);
    assert!(!seen.err.contains("exclude github:pr:7:e1"), "{}", seen.err);
    let shown = world.epoch(&["show"]).ok();
    assert!(shown.contains("draft    revision 2"), "{shown}");
    assert!(world.run(&["fsck"]).ok().starts_with("sound: "));
}

/// What nobody could sign yet is refused at once, and not by the approvers.
#[test]
fn an_epoch_that_has_not_begun_is_not_closed() {
    let world = World::open();
    world.epoch(&["close"]).ok();
    let at = crate::support::now().plus_ms(14 * meed_audit::time::MS_PER_DAY).expect("time").to_string();
    let open = ["epoch", "open", "--scope", "default", "--at", &at, "--skip", "2", "--ahead"];
    world.run(&open).ok();
    let close = ["epoch", "close", "--scope", "default", "--epoch", "2", "--early", "--reason", "by mistake"];
    let refused = world.run(&close);
    refused.refused(1, "window_ahead");
    assert!(refused.err.contains("wait until it has begun"), "{}", refused.err);
}
