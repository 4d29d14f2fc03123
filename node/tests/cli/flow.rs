//! From `init` to `verify`, and what verifying refuses.

use meed_audit::time::MS_PER_DAY;
use serde_json::Value;

use crate::support::World;

#[test]
fn a_whole_epoch_ends_in_a_verified_payout() {
    let world = World::finalized();
    let verified = world.run(&["verify", "one.payout.json", "--trust", "trust.toml"]);
    assert_eq!(verified.err, "", "an offline check has nothing to say beside its answer");
    let out = verified.ok();
    assert!(out.ends_with("verified\n"), "{out}");
    for line in ["superseded: unknown", "whether the money was sent", "demands no witnesses", "trust file  "]
    {
        assert!(out.contains(line), "{line}: {out}");
    }
    let report = world.json(&["verify", "one.payout.json", "--trust", "trust.toml"]);
    assert_eq!(report["verified"], true);
    assert_eq!(report["payout"]["claimant"], "identity:github:1");
    assert!(report["links"].as_array().expect("links").iter().all(|link| link["ok"] == true));
    assert_eq!(report["statement"]["approved_by"], serde_json::json!(["alice", "bob"]));
}

#[test]
fn the_payouts_sum_to_the_pool_in_every_form() {
    let world = World::finalized();
    let epoch = ["--scope", "default", "--epoch", "1"];
    let json: Value =
        serde_json::from_str(&world.run(&[&["export"], &epoch[..], &["--format", "json"]].concat()).ok())
            .expect("JSON");
    let leaves = json.as_array().expect("an array of leaves");
    let credits = |leaf: &Value| leaf["credits"].as_str().expect("text").parse::<u128>().expect("number");
    assert_eq!(leaves.iter().map(credits).sum::<u128>(), 10_000);
    assert!(leaves.iter().all(|leaf| leaf["v"] == "meed/allocation/v1"));
    let csv = world.run(&[&["export"], &epoch[..], &["--format", "csv"]].concat()).ok();
    let rows: Vec<&str> = csv.lines().skip(1).collect();
    assert_eq!(rows.len(), leaves.len());
    for (row, leaf) in rows.iter().zip(leaves) {
        assert!(row.starts_with(&format!("{},{},", leaf["claimant"].as_str().expect("text"), credits(leaf))));
    }
}

#[test]
fn the_statement_is_the_exact_note_that_the_log_holds() {
    let world = World::finalized();
    let note = world.run(&["statement", "--scope", "default", "--epoch", "1"]).ok();
    assert!(note.starts_with("ledger.example.org/default/epoch/1/0\n4\n"), "{note}");
    assert_eq!(note, world.run(&["log", "entry", "statements", "1"]).ok());
    assert_eq!(note.lines().filter(|line| line.starts_with("— ")).count(), 3, "node and two approvers");
    let view = world.json(&["statement", "--scope", "default", "--epoch", "1"]);
    assert_eq!(view["note"], note.as_str());
    assert_eq!(view["is_final"], true);
    let policy = world.run(&["statement", "--scope", "default", "--epoch", "1", "--policy"]).ok();
    assert!(policy.starts_with("log ledger.example.org/default/epoch/1/0+"), "{policy}");
    assert!(
        policy.ends_with("group approvers 2 approver-1 approver-2 approver-3\nquorum approvers\n"),
        "{policy}"
    );
}

#[test]
fn absence_is_proven_and_never_called_a_payout() {
    let world = World::finalized();
    let made = world.proof("user:00000000-0000-4000-8000-000000000001", "absent.json");
    assert!(made.err.contains("not in this epoch"), "{}", made.err);
    made.ok();
    let ran = world.run(&["verify", "absent.json", "--trust", "trust.toml"]);
    assert_eq!(ran.err, "", "a user is who earns");
    let out = ran.ok();
    assert!(
        out.ends_with(
            "claimant        user:00000000-0000-4000-8000-000000000001\nverified: not in this epoch (epoch 1, \
             revision 0)\n"
        ),
        "{out}"
    );
    assert!(out.lines().all(|line| line != "verified"), "the last line of a payout: {out}");
    assert!(out.contains("that the leaves ascend"), "{out}");
    world.proof("identity:github:77", "account.json").ok();
    let ran = world.run(&["verify", "account.json", "--trust", "trust.toml"]);
    assert!(ran.err.contains("identity:github:77 is an account"), "{}", ran.err);
    assert!(ran.err.contains("earns under that user's key"), "{}", ran.err);
    assert!(ran.ok().ends_with("verified: not in this epoch (epoch 1, revision 0)\n"));
}

#[test]
fn a_path_to_another_root_is_told_with_both_roots() {
    let world = World::finalized();
    let proof = world.read("one.payout.json");
    let (log, payout) = proof.split_once("\"payout\":").expect("the payout's proof");
    let moved = payout.replacen("index 1\\n", "index 2\\n", 1);
    assert_ne!(moved, payout);
    world.write("moved.json", &format!("{log}\"payout\":{moved}"));
    let ran = world.run(&["verify", "moved.json", "--trust", "trust.toml"]);
    ran.refused(1, "allocation: expected a path to the statement's root ");
    let said = ran.err.lines().find(|line| line.starts_with("error: ")).expect("the refusal");
    assert!(said.contains(", got one to ") && !said.contains("must lead"), "{said}");
}

#[test]
fn a_lost_final_newline_is_named() {
    let world = World::finalized();
    world.write("cut.json", world.read("one.payout.json").trim_end());
    let ran = world.run(&["verify", "cut.json", "--trust", "trust.toml"]);
    ran.refused(1, "expected a newline at the end of the file, got none");
    assert!(ran.err.contains("remedy: fetch it again, or put the newline back"), "{}", ran.err);
    world.set_approvers(&["alice", "bob", "dave"], 2).ok();
    let set = world.run(&["scope", "approvers", "default", "--draft"]).ok();
    let statement = world.run(&["statement", "--scope", "default", "--epoch", "1"]).ok();
    for (name, note) in [("set.draft", set), ("bare.txt", statement)] {
        world.write(name, note.trim_end());
        let ran = world.sign(name, "alice");
        ran.refused(1, &format!("expected a newline at the end of {name}, got none"));
        assert!(ran.err.contains("put the newline back"), "{}", ran.err);
    }
}

#[test]
fn a_tampered_proof_is_refused_with_the_link_that_fails() {
    let world = World::finalized();
    let proof = world.read("one.payout.json");
    let sign_by = "Sign By: ";
    assert!(proof.contains(sign_by));
    for (from, to, link) in [
        ("epoch/1/0", "epoch/2/0", "scope"),
        ("Distributed: 10000", "Distributed: 20000", "node_signature"),
        ("default/epoch", "defaulu/epoch", "scope"),
    ] {
        world.write("forged.json", &proof.replacen(from, to, 1));
        let ran = world.run(&["verify", "forged.json", "--trust", "trust.toml"]);
        ran.refused(1, "not verified");
        assert!(ran.out.ends_with("not verified\n"), "{ran:?}");
        let ran = world.run(&["verify", "forged.json", "--trust", "trust.toml", "--json"]);
        let report: Value = serde_json::from_str(&ran.out).expect("a report");
        assert_eq!(report["verified"], false);
        let last = report["links"].as_array().and_then(|links| links.last()).expect("a link").clone();
        assert_eq!((last["link"].as_str(), last["ok"].as_bool()), (Some(link), Some(false)), "{report}");
        assert!(ran.problem(1)["number"].is_u64());
    }
}

#[test]
fn another_nodes_trust_file_verifies_nothing() {
    let (world, other) = (World::finalized(), World::finalized());
    world.write("other.toml", &other.read("trust.toml"));
    world.run(&["verify", "one.payout.json", "--trust", "other.toml"]).refused(1, "link scope fails");
}

#[test]
fn files_that_are_no_proof_are_refused_and_missing_ones_are_wrong_usage() {
    let world = World::finalized();
    for text in ["", "{}", "not json\n", "{\"format\":\"meed/payout-proof/v1\"}\n", "[1]\n"] {
        world.write("bad.json", text);
        let ran = world.run(&["verify", "bad.json", "--trust", "trust.toml"]);
        assert_eq!(ran.code, 1, "{text:?}: {ran:?}");
        ran.refused(1, "proof");
    }
    world.write("bad.toml", "format = 1");
    world.run(&["verify", "one.payout.json", "--trust", "bad.toml"]).refused(1, "trust file");
    world.run(&["verify", "none.json", "--trust", "trust.toml"]).refused(2, "cannot read none.json");
    world.run(&["verify", "one.payout.json"]).refused(2, "--trust");
}

#[test]
fn what_is_final_is_final_and_finalizing_again_answers_the_same() {
    let world = World::finalized();
    let first = world.json(&["epoch", "finalize", "--scope", "default", "--epoch", "1"]);
    assert_eq!(first, world.json(&["epoch", "finalize", "--scope", "default", "--epoch", "1"]));
    let curate = ["curate", "--scope", "default", "--epoch", "1", "--event", "github:pr:7:e1"];
    world.run(&[&curate[..], &["--exclude", "--reason", "late"]].concat()).refused(1, "epoch_finalized");
    world
        .run(&[
            "pool",
            "add",
            "--scope",
            "default",
            "--epoch",
            "1",
            "--component",
            "more",
            "--amount",
            "1",
            "--evidence",
            "x",
        ])
        .refused(1, "epoch_not_open");
}

#[test]
fn an_amendment_makes_a_second_revision_and_both_stay_provable() {
    let world = World::finalized();
    world.epoch(&["amend", "--reason", "one was counted twice"]).ok();
    let old = world.run(&["dossier", "--scope", "default", "--epoch", "1", "--out", "old.dossier"]);
    assert!(old.err.contains("the amendment has no draft yet"), "{old:?}");
    assert!(world.epoch(&["finalize"]).err.contains("the amendment has no draft yet"));
    let curate = ["curate", "--scope", "default", "--epoch", "1", "--event", "github:pr:7:e1"];
    world.run(&[&curate[..], &["--exclude", "--reason", "counted twice"]].concat()).ok();
    world.freeze("two.dossier");
    let shown = world.sign("two.dossier", "carol");
    assert!(
        shown.err.contains("that this one supersedes, ledger.example.org/default/epoch/1/0:"),
        "{}",
        shown.err
    );
    world.sign_and_finalize("two.dossier");
    let epoch = world.json(&["epoch", "show", "--scope", "default", "--epoch", "1"]);
    assert_eq!(epoch["final_revision"], 1);
    assert_eq!(epoch["finals"], serde_json::json!([0, 1]));
    let shown = world.epoch(&["show"]).ok();
    assert!(shown.contains("superseded by a later revision") && shown.contains("in force"), "{shown}");
    assert!(!shown.contains("does not count"), "what was final was approved: {shown}");
    let note = world.run(&["statement", "--scope", "default", "--epoch", "1"]).ok();
    assert!(!note.contains("Supersedes: none"), "{note}");
    for revision in ["0", "1"] {
        let file = format!("r{revision}.json");
        let proof = ["proof", "--scope", "default", "--epoch", "1", "--claimant", "identity:github:2"];
        world.run(&[&proof[..], &["--revision", revision, "--out", &file]].concat()).ok();
        let report = world.json(&["verify", &file, "--trust", "trust.toml"]);
        assert_eq!(report["payout"]["revision"], revision, "{report}");
    }
}

/// Freezes an epoch, has two sign it, and makes it final.
fn finish(world: &World, epoch: &str, dossier: &str, signers: [&str; 2]) {
    let place = ["--scope", "default", "--epoch", epoch];
    world.run(&[&["epoch", "freeze"], &place[..]].concat()).ok();
    world.run(&[&["dossier", "--out", dossier], &place[..]].concat()).ok();
    for name in signers {
        let line = world.sign(dossier, name).ok();
        world.run_with(&[&["signature", "add", "-"], &place[..]].concat(), &[], &line).ok();
    }
    world.run(&[&["epoch", "finalize"], &place[..]].concat()).ok();
}

#[test]
fn an_older_epoch_is_amended_by_somebody_who_signed_only_the_later_one() {
    let world = World::empty();
    world.run(&["init"]).ok();
    world.run(&["scope", "add", "default", "--base-issuance", "1000"]).ok();
    world.set_approvers(&["alice", "bob", "carol"], 2).ok();
    let earlier = world.at.plus_ms(-7 * MS_PER_DAY).expect("time").to_string();
    let import = ["import", "--scope", "default", "-"];
    for (epoch, at, event, signers) in
        [("1", earlier, "a", ["alice", "bob"]), ("2", world.at.to_string(), "b", ["bob", "carol"])]
    {
        world.run(&["epoch", "open", "--scope", "default", "--at", &at]).ok();
        let line = world
            .event_line(event, 1)
            .replace(&format!("\"event_time\":\"{}\"", world.at), &format!("\"event_time\":\"{at}\""));
        world.run_with(&import, &[], &line).ok();
        world.run(&["epoch", "close", "--scope", "default", "--epoch", epoch]).ok();
        finish(&world, epoch, &format!("{epoch}.dossier"), signers);
    }
    world.epoch(&["amend", "--reason", "somebody was forgotten"]).ok();
    let decide = ["allocate", "--scope", "default", "--epoch", "1", "--claimant", "identity:github:2"];
    world.run(&[&decide[..], &["--units", "1000", "--reason", "was there too"]].concat()).ok();
    finish(&world, "1", "again.dossier", ["carol", "alice"]);
    world.run(&["trust", "--scope", "default", "--out", "trust.toml"]).ok();
    world.proof("identity:github:2", "two.json").ok();
    let report = world.json(&["verify", "two.json", "--trust", "trust.toml"]);
    assert_eq!(
        (&report["payout"]["credits"], &report["payout"]["revision"]),
        (&"500".into(), &"1".into()),
        "{report}"
    );
    assert!(world.run(&["fsck"]).ok().starts_with("sound: "));
}

#[test]
fn a_decision_after_the_freeze_says_that_the_draft_lacks_it() {
    let world = World::frozen("one.dossier");
    let decide = ["allocate", "--scope", "default", "--epoch", "1", "--claimant", "identity:github:1"];
    let decided = world.run(&[&decide[..], &["--units", "9000", "--reason", "after the freeze"]].concat());
    assert!(
        decided.err.contains("revision 0") && decided.err.contains("1 decision made after it"),
        "{decided:?}"
    );
    decided.ok();
    assert!(world.epoch(&["show"]).ok().contains("does not hold 1 decision"));
    world.freeze("two.dossier");
    assert!(!world.epoch(&["show"]).ok().contains("does not hold"));
}

/// An override may name somebody without activity; it is also what a mistyped claimant looks like.
#[test]
fn units_for_a_claimant_without_activity_are_set_and_said_to_be_so() {
    let world = World::with_events();
    let decide = |claimant: &str, more: &[&str]| {
        let place = ["allocate", "--scope", "default", "--epoch", "1", "--claimant", claimant];
        world.run(&[&place[..], more, &["--reason", "was on call"]].concat())
    };
    let known = decide("identity:github:1", &["--units", "250"]);
    assert!(!known.err.contains("notice"), "{}", known.err);
    known.ok();
    let stranger = decide("identity:github:4040", &["--units", "250", "--json"]);
    let said = "no event of epoch 1 gives anything to identity:github:4040";
    assert!(stranger.err.contains(said) && stranger.err.contains("--withdraw"), "{}", stranger.err);
    let answer: serde_json::Value = serde_json::from_str(&stranger.ok()).expect("JSON");
    assert_eq!((&answer["without_activity"], &answer["after"]), (&true.into(), &"250".into()));
    let taken_back = decide("identity:github:4040", &["--withdraw"]);
    assert!(!taken_back.err.contains("notice"), "{}", taken_back.err);
    taken_back.ok();
}

#[test]
fn what_was_decided_is_taken_back() {
    let world = World::with_events();
    let epoch = ["--scope", "default", "--epoch", "1", "--reason", "a mistake"];
    let run = |words: &[&str]| world.run(&[words, &epoch[..]].concat());
    run(&["curate", "--event", "github:pr:7:e2", "--exclude"]).ok();
    run(&["allocate", "--claimant", "identity:github:5", "--units", "250"]).ok();
    run(&["allocate", "--claimant", "identity:github:5", "--units", "250"]).refused(1, "nothing_to_change");
    run(&["curate", "--event", "github:pr:7:e2", "--reset"]).ok();
    run(&["allocate", "--claimant", "identity:github:5", "--withdraw"]).ok();
    run(&["allocate", "--claimant", "identity:github:5", "--withdraw"]).refused(1, "nothing_to_change");
    run(&["curate", "--event", "github:pr:7:e3", "--reset"]).refused(1, "nothing_to_change");
    let actions: Vec<_> = world.decisions().iter().map(|decision| decision["action"].clone()).collect();
    assert_eq!(actions, ["pool", "exclude", "override", "reset", "withdraw"]);
    let activity = world.json(&["activity", "--scope", "default", "--epoch", "1"]);
    assert!(activity.as_array().expect("array").iter().all(|item| item["included"] == true));
    // Who is named must be there, and a reason must say something.
    let nobody = "user:3f0c1a52-7c3e-4c8e-9a67-0f6a6f4b2d11";
    run(&["allocate", "--claimant", nobody, "--units", "1"]).refused(1, "user_not_found");
    let share = format!("{nobody}=1000000");
    run(&["curate", "--event", "github:pr:7:e3", "--share", &share]).refused(1, "user_not_found");
    let blank = ["curate", "--scope", "default", "--epoch", "1", "--event", "github:pr:7:e3", "--exclude"];
    world.run(&[&blank[..], &["--reason", "   "]].concat()).refused(2, "invalid_text");
}

#[test]
fn a_day_alone_opens_the_window_that_holds_it() {
    let world = World::empty();
    world.run(&["init", "--origin", "ledger.example.org"]).ok();
    world.run(&["scope", "add", "default"]).ok();
    let (day, _) =
        world.at.to_string().split_once('T').map(|(day, rest)| (day.to_owned(), rest.len())).expect("a day");
    let opened = world.json(&["epoch", "open", "--scope", "default", "--at", &day]);
    let start = opened["period_start"].as_str().expect("a start");
    assert!(start <= day.as_str() && opened["period_end"].as_str() > Some(day.as_str()), "{opened}");
    world.run(&["epoch", "open", "--scope", "default", "--at", "2026-13-99"]).refused(2, "invalid_time");
}

#[test]
fn a_window_that_is_far_away_opens_only_where_it_is_meant() {
    let world = World::open();
    world.epoch(&["close"]).ok();
    let at = world.at.plus_ms(70 * MS_PER_DAY).expect("time").to_string();
    let open = ["epoch", "open", "--scope", "default", "--at", &at];
    world.run(&open).refused(1, "windows_skipped");
    world.run(&[&open[..], &["--skip", "9"]].concat()).refused(1, "window_ahead");
    assert_eq!(world.json(&["epoch", "list", "--scope", "default"]).as_array().expect("array").len(), 1);
    world.run(&[&open[..], &["--skip", "9", "--ahead"]].concat()).ok();
}

#[test]
fn a_decision_stands_with_who_before_after_and_why() {
    let world = World::with_events();
    let epoch = ["--scope", "default", "--epoch", "1", "--reason", "a month of work"];
    let curate = ["curate", "--event", "github:pr:7:e2", "--weight", "3000", "--actor", "dana"];
    world.run(&[&curate[..], &epoch[..]].concat()).ok();
    let share = ["curate", "--event", "github:pr:7:e3", "--share", "identity:github:1=600000"];
    world.run(&[&share[..], &["identity:github:9=400000"], &epoch[..]].concat()).ok();
    world
        .run(&[&["allocate", "--claimant", "identity:github:5", "--units", "250"], &epoch[..]].concat())
        .ok();
    let decisions = world.decisions();
    let [pool, weight, shares, set] = decisions.as_slice() else { panic!("{decisions:?}") };
    assert_eq!((pool["action"].as_str(), pool["subject"].as_str()), (Some("pool"), Some("base_issuance")));
    assert_eq!((weight["actor"].as_str(), weight["after"].as_str()), (Some("dana"), Some("3000")));
    assert_eq!(shares["after"], "identity:github:1=600000 identity:github:9=400000");
    assert_eq!((set["action"].as_str(), set["actor"].as_str()), (Some("override"), Some("operator")));
    let activity = world.json(&["activity", "--scope", "default", "--epoch", "1"]);
    let third = activity.as_array().expect("array").iter().find(|item| item["event"] == "github:pr:7:e3");
    assert_eq!(third.expect("event")["claimants"].as_array().expect("claimants").len(), 2);
}
