//! Approver sets and signatures as the ledger takes them.

use crate::support::World;

#[test]
fn closing_and_finalizing_refuse_with_the_remedy_until_all_is_there() {
    let world = World::empty();
    world.run(&["init"]).ok();
    world.run(&["scope", "add", "default"]).ok();
    world.run(&["epoch", "open", "--scope", "default", "--at", &world.at.to_string()]).ok();
    world.epoch(&["close"]).refused(1, "approvers_missing");
    world.set_approvers(&["alice", "bob", "carol"], 2).ok();
    let ran = world.epoch(&["close"]);
    ran.refused(1, "base_issuance_missing");
    assert!(ran.err.contains("meed pool add"), "{}", ran.err);
    let pool = ["pool", "add", "--scope", "default", "--epoch", "1", "--component", "base_issuance"];
    world
        .run(&[&pool[..], &["--amount", "0", "--evidence", "vote"]].concat())
        .refused(2, "pool_not_positive");
    let negative = world.run(&[&pool[..], &["--amount", "-5", "--evidence", "vote"]].concat());
    negative.refused(2, "expected a number without sign, got -5");
    world.run(&[&pool[..], &["--amount", "700", "--evidence", "vote"]].concat()).ok();
    world.run(&[&pool[..], &["--amount", "701", "--evidence", "vote"]].concat()).refused(1, "pool_conflict");
    world.epoch(&["freeze"]).refused(1, "epoch_not_in_review");
    world.epoch(&["close"]).ok();
    world.epoch(&["finalize"]).refused(1, "draft_not_found");
    world.freeze("one.dossier");
    world.epoch(&["finalize"]).refused(1, "quorum_missing");
    world.sign_and_finalize("one.dossier");
    let last = world.json(&["epoch", "finalize", "--scope", "default", "--epoch", "1"]);
    assert_eq!(last["undistributed"], "700", "nobody did anything, so nobody is paid");
}

#[test]
fn a_window_that_has_not_ended_closes_early_only_with_a_reason() {
    let world = World::empty();
    world.run(&["init"]).ok();
    world.run(&["scope", "add", "default", "--base-issuance", "5"]).ok();
    world.set_approvers(&["alice"], 1).ok();
    let at = crate::support::now().to_string();
    world.run(&["epoch", "open", "--scope", "default", "--at", &at]).ok();
    world.epoch(&["close"]).refused(1, "window_not_ended");
    world.epoch(&["close", "--early"]).refused(2, "--reason");
    world.epoch(&["close", "--early", "--reason", "the project ends"]).ok();
    let early = world.decisions().pop().expect("a decision");
    assert_eq!(
        (early["action"].as_str(), early["reason"].as_str()),
        (Some("early_close"), Some("the project ends"))
    );
    world.epoch(&["freeze"]).ok();
    world.run(&["dossier", "--scope", "default", "--epoch", "1", "--out", "d"]).ok();
    world.sign("d", "alice").ok();
}

#[test]
fn signatures_come_as_lines_or_as_a_note_and_older_ones_are_evidence() {
    let world = World::frozen("zero.dossier");
    let old = world.sign("zero.dossier", "alice").ok();
    let kept = world.epoch(&["freeze"]);
    assert!(kept.out.contains("revision 0") && kept.err.contains("nothing has changed"), "{kept:?}");
    world.freeze_again("one.dossier");
    let (alice, bob) = (world.sign("one.dossier", "alice").ok(), world.sign("one.dossier", "bob").ok());
    let add = ["signature", "add", "--scope", "default", "--epoch", "1", "-"];
    world.run_with(&add, &[], &old).refused(1, "draft_not_current");
    let note = world.run(&["statement", "--scope", "default", "--epoch", "1"]).ok();
    let signed = format!("{note}{alice}{bob}");
    assert!(world.run_with(&add, &[], &signed).ok().contains("2 of 2"));
    assert!(world.run_with(&add, &[], &format!("{alice}\n{bob}")).ok().contains("2 of 2"), "the same again");
    for text in ["", "\n", "nonsense\n", "— alice AAAA\n"] {
        world.run_with(&add, &[], text).refused(1, "signature_invalid");
    }
    // What is too long is refused whole, not cut off and then taken for what is left of it.
    let long = format!("{alice}{}", "\n".repeat(1 << 20));
    world.run_with(&add, &[], &long).refused(2, "at most 1048576 bytes in standard input");
    let list = world.json(&["signature", "list", "--scope", "default", "--epoch", "1"]);
    let counted: Vec<_> = list["signatures"]
        .as_array()
        .expect("list")
        .iter()
        .map(|s| (s["revision"].as_u64(), s["counts"].as_bool()))
        .collect();
    assert_eq!(counted, [(Some(0), Some(false)), (Some(1), Some(true)), (Some(1), Some(true))]);
    let shown = world.run(&["statement", "--scope", "default", "--epoch", "1"]).ok();
    assert_eq!(shown.lines().filter(|line| line.starts_with("— ")).count(), 3);
}

#[test]
fn a_change_of_the_set_is_signed_by_the_old_set_and_by_who_joins() {
    let world = World::finalized();
    world.set_approvers(&["alice", "bob", "dave"], 2).ok();
    let draft = world.run(&["scope", "approvers", "default", "--draft"]).ok();
    assert!(draft.starts_with("ledger.example.org/default/approvers\n2\n"), "{draft}");
    world.write("set.draft", &draft);
    world.set_approvers(&["alice", "bob", "erin"], 2).refused(1, "approver_set_pending");
    world.vkey("mallory");
    world.sign("set.draft", "mallory").refused(1, "signer_unknown");
    let add = ["signature", "add", "--scope", "default", "--approvers", "-"];
    let proposed = world.run(&["scope", "approvers", "default"]).ok();
    let proposed = proposed.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(proposed.contains("each who joins with version 2: not signed by dave"), "{proposed}");
    let shown = world.sign("set.draft", "alice");
    assert!(shown.err.contains("new: dave+") && shown.err.contains("leaves: carol+"), "{}", shown.err);
    let old = |signed: &str, missing: &str| {
        format!("2 of the 3 of version 1, the set in force: signed by {signed}, not by {missing}")
    };
    let joins = "each who joins with version 2: not signed by dave";
    for (name, state, missing) in [
        ("dave", "proposed", old("nobody", "alice, bob, carol")),
        ("alice", "proposed", old("alice", "bob, carol")),
        ("bob", "in force", String::new()),
    ] {
        let line = world.sign("set.draft", name).ok();
        let answer = world.run_with(&add, &[], &line).ok();
        let said = answer.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(answer.starts_with(state) && said.contains(&missing), "{name}: {answer}");
        assert!(!said.contains(joins), "{name}: {answer}");
    }
    assert_eq!(world.json(&["scope", "approvers", "default"])["in_force"]["version"], 2);
    world.run(&["scope", "approvers", "default", "--draft"]).refused(1, "expected a proposed approver set");

    // The epoch before stays provable from the first set, and an amendment by the new set too.
    world.run(&["verify", "one.payout.json", "--trust", "trust.toml"]).ok();
    world.epoch(&["amend", "--reason", "to show the new set"]).ok();
    let decide = ["allocate", "--scope", "default", "--epoch", "1", "--claimant", "identity:github:1"];
    world.run(&[&decide[..], &["--units", "5000", "--reason", "more"]].concat()).ok();
    world.freeze("two.dossier");
    world.sign("two.dossier", "carol").refused(1, "signer_unknown");
    for name in ["bob", "dave"] {
        let line = world.sign("two.dossier", name).ok();
        world.run_with(&["signature", "add", "--scope", "default", "--epoch", "1", "-"], &[], &line).ok();
    }
    world.epoch(&["finalize"]).ok();
    world.proof("identity:github:1", "two.payout.json").ok();
    let report = world.json(&["verify", "two.payout.json", "--trust", "trust.toml"]);
    assert_eq!(report["statement"]["approved_by"], serde_json::json!(["bob", "dave"]));
}

#[test]
fn sets_that_break_a_rule_are_refused() {
    let world = World::empty();
    world.run(&["init"]).ok();
    world.run(&["scope", "add", "default"]).ok();
    world.set_approvers(&["alice"], 2).refused(2, "approver_set_invalid");
    world.set_approvers(&["alice", "alice"], 1).refused(2, "approver_set_invalid");
    let log_key = world.run(&["key", "show", "ledger/log.key"]).ok();
    let set = ["scope", "approvers", "default", "--threshold", "1", "--key"];
    world.run(&[&set[..], &[log_key.trim()]].concat()).refused(2, "approver_set_invalid");
    world.run(&[&set[..], &["nonsense"]].concat()).refused(2, "key_invalid");
    world.run(&["scope", "approvers", "default", "--threshold", "1"]).refused(2, "--key");
    let ran = world.set_approvers(&["alice", "bob"], 1);
    assert!(ran.err.contains("compare their line with what `meed key show` prints"), "{}", ran.err);
    assert!(ran.err.contains("warning: 1 of 2"), "{}", ran.err);
    ran.ok();
}

#[test]
fn decisions_after_the_draft_are_left_out_only_on_purpose() {
    let world = World::frozen("one.dossier");
    for name in ["alice", "bob"] {
        let line = world.sign("one.dossier", name).ok();
        world.run_with(&["signature", "add", "--scope", "default", "--epoch", "1", "-"], &[], &line).ok();
    }
    let curate = ["curate", "--scope", "default", "--epoch", "1", "--event", "github:pr:7:e1"];
    world.run(&[&curate[..], &["--exclude", "--reason", "counted twice"]].concat()).ok();
    let refused = world.epoch(&["finalize"]);
    refused.refused(1, "revision 0, that does not hold 1 decision made after it");
    for remedy in ["meed epoch freeze --scope default --epoch 1", "--leave-out-later"] {
        assert!(refused.err.contains(remedy), "{refused:?}");
    }
    let runs = world.json(&["run", "list"]);
    assert!(!runs.to_string().contains("finalize"), "no run is made of it: {runs}");
    let last = world.epoch(&["finalize", "--leave-out-later"]);
    assert!(last.err.contains("left out, as asked: 1 decision made after the draft"), "{last:?}");
    assert!(last.ok().contains("final        ledger.example.org/default/epoch/1/0"));
    let run = world.json(&["run", "show", "finalize-default-1"]);
    assert!(run["steps"].to_string().contains("left out: 1 decision made after it"), "{run}");
    assert_eq!(world.epoch(&["finalize"]).ok(), world.epoch(&["finalize"]).ok());
}

#[test]
fn an_amendment_keeps_the_reason_with_which_it_was_begun() {
    let world = World::finalized();
    world.epoch(&["amend", "--reason", "one was counted twice"]).ok();
    world.epoch(&["amend", "--reason", "one was counted twice"]).ok();
    let other = world.epoch(&["amend", "--reason", "another"]);
    other.refused(1, "nothing_to_change");
    assert!(other.err.contains("one was counted twice"), "{other:?}");
}
