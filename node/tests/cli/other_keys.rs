//! Under which other keys somebody's work was paid, and which revision a proof is of: what whoever asks for one is told.

use crate::support::World;

const ACCOUNT: [&str; 6] =
    ["--provider", "github", "--external-id", "1", "--evidence", r#"{"seen":"profile"}"#];

/// A person whose account github:1 becomes; gives their key.
fn bind(world: &World) -> String {
    let user = world.run(&["user", "add", "--name", "Ana"]).ok();
    world.run(&[&["bind", "--user", user.trim()][..], &ACCOUNT[..]].concat()).ok();
    format!("user:{}", user.trim())
}

#[test]
fn who_bound_an_account_later_is_told_what_it_was_paid_under_its_own_key() {
    let world = World::finalized();
    let user = bind(&world);
    let absent = world.proof(&user, "absent.json");
    let said = format!("identity:github:1 is or was an account of {user} and got ");
    assert!(absent.err.contains(&said), "{}", absent.err);
    assert!(absent.err.contains("ask for --claimant identity:github:1"), "{}", absent.err);
    // Also after it was revoked.
    world.run(&[&["revoke"][..], &ACCOUNT[..]].concat()).ok();
    let absent = world.proof(&user, "again.json");
    assert!(absent.err.contains(&said), "{}", absent.err);
}

#[test]
fn an_account_that_was_revoked_is_told_whose_it_was_by_the_statement() {
    let world = World::with_events();
    let user = bind(&world);
    world.epoch(&["close"]).ok();
    world.freeze("one.dossier");
    world.sign_and_finalize("one.dossier");
    world.run(&[&["revoke"][..], &ACCOUNT[..]].concat()).ok();
    let absent = world.proof("identity:github:1", "absent.json");
    let said =
        format!("by this statement identity:github:1 is an account of {user}, under whose key it earns");
    assert!(absent.err.contains(&said), "{}", absent.err);
    assert!(absent.err.contains(&format!("ask for --claimant {user}")), "{}", absent.err);
    // The binding of the statement holds, and not that of now.
    let other = world.run(&["user", "add"]).ok();
    let rebind = ["rebind", "--from", user.strip_prefix("user:").expect("an id"), "--user", other.trim()];
    world.run(&[&rebind[..], &ACCOUNT[..]].concat()).ok();
    let absent = world.proof("identity:github:1", "third.json");
    assert!(absent.err.contains(&said), "{}", absent.err);
    let later = format!("became an account of user:{} after this statement", other.trim());
    assert!(absent.err.contains(&later), "{}", absent.err);
    // Whom nothing concerns is told nothing.
    let stranger = world.proof("identity:github:99", "stranger.json");
    assert_eq!(stranger.err.lines().count(), 1, "{}", stranger.err);
}

#[test]
fn a_proof_of_a_superseded_revision_says_so() {
    let world = World::finalized();
    let proof = |revision: &[&str], file: &str| {
        let of = ["proof", "--scope", "default", "--epoch", "1", "--claimant", "identity:github:1"];
        world.run(&[&of[..], &["--out", file], revision].concat())
    };
    world.epoch(&["amend", "--reason", "a late event"]).ok();
    let meanwhile = proof(&[], "meanwhile.json");
    assert!(meanwhile.err.contains("revision 0 is in force until the amendment is final"), "{meanwhile:?}");
    let listed = world.run(&["epoch", "list", "--scope", "default"]).ok();
    assert!(listed.contains("1       amending "), "{listed}");
    world.freeze("two.dossier");
    // What made the first statement final counts for it still.
    let signatures = world.run(&["signature", "list", "--scope", "default", "--epoch", "1"]).ok();
    assert!(signatures.contains("revision 0 alice (counts for the statement in force)"), "{signatures}");
    world.sign_and_finalize("two.dossier");
    let old = proof(&["--revision", "0"], "old.json");
    assert!(old.err.contains("revision 0 was superseded: revision 1 is in force"), "{}", old.err);
    assert_eq!(proof(&["--revision", "1"], "new.json").err, "");
    let verified = world.run(&["verify", "old.json", "--trust", "trust.toml"]).ok();
    assert!(verified.contains("epoch           1, revision 0\n"), "{verified}");
    // A revision that never was final, of an epoch that is.
    let export = ["export", "--scope", "default", "--epoch", "1", "--format", "csv", "--revision", "7"];
    let refused = world.run(&export);
    refused.refused(1, "revision 7, which is not final");
    assert!(refused.err.contains("leave the revision out for the one in force, which is 1"), "{refused:?}");
    assert!(!refused.err.contains("finalize the epoch first"), "{refused:?}");
    proof(&["--revision", "7"], "none.json").refused(1, "revision 7, which is not final");
}
