//! What `meed sign` refuses: everything that would make a signature mean less than it says.

use std::fs;

use crate::support::World;

/// Copies the ledger, so that the node can tell two stories.
fn fork(world: &World, name: &str) {
    fs::create_dir(world.path(name)).expect("folder");
    for file in ["ledger.redb", "log.key", "meed.toml"] {
        fs::copy(world.path("ledger").join(file), world.path(name).join(file)).expect("copied");
    }
}

fn in_fork(world: &World, fork: &str, arguments: &[&str]) -> String {
    world.run(&[arguments, &["--data", fork]].concat()).ok()
}

#[test]
fn only_the_signature_line_goes_to_standard_output() {
    let world = World::frozen("one.dossier");
    let ran = world.sign("one.dossier", "alice");
    for shown in [
        "10000 of 10000 credits",
        "first statement of its scope",
        "compare what follows the last + with",
        "`meed activity --scope default --epoch 1`",
    ] {
        assert!(ran.err.contains(shown), "{shown}: {}", ran.err);
    }
    let line = ran.ok();
    assert_eq!(line.lines().count(), 1);
    assert!(line.starts_with("— alice "), "{line}");
    let memory = world.read("alice.key.signed.json");
    assert!(memory.contains("ledger.example.org/default/epoch/1/0"), "{memory}");
    let again = world.sign("one.dossier", "alice");
    assert!(!again.err.contains("compare what follows"), "seen before: {}", again.err);
    assert!(again.ok().starts_with("— alice "), "the same text may be signed again");
}

#[test]
fn nobody_at_a_terminal_means_no_signature() {
    let world = World::frozen("one.dossier");
    let ran = world.run(&["sign", "one.dossier", "--key", "alice.key"]);
    ran.refused(1, "expected somebody at a terminal");
    assert_eq!(ran.out, "");
    assert!(!world.path("alice.key.signed.json").exists(), "nothing was signed, so nothing is remembered");
}

#[test]
fn one_text_per_origin() {
    let world = World::with_events();
    world.epoch(&["close"]).ok();
    fork(&world, "fork");
    world.freeze("one.dossier");
    let epoch = ["--scope", "default", "--epoch", "1"];
    let decide =
        ["allocate", "--claimant", "identity:github:1", "--units", "9999999", "--reason", "a friend"];
    in_fork(&world, "fork", &[&decide[..], &epoch[..]].concat());
    in_fork(&world, "fork", &[&["epoch", "freeze"], &epoch[..]].concat());
    in_fork(&world, "fork", &[&["dossier", "--out", "other.dossier"], &epoch[..]].concat());
    world.sign("one.dossier", "alice").ok();
    let ran = world.sign("other.dossier", "alice");
    ran.refused(1, "signed_other");
    assert_eq!(ran.out, "");
    world.sign("other.dossier", "bob").ok();
    world.sign("one.dossier", "bob").refused(1, "signed_other");
    world.sign("one.dossier", "alice").ok();
}

#[test]
fn a_lower_revision_is_never_signed() {
    let world = World::frozen("zero.dossier");
    world.freeze_again("one.dossier");
    world.sign("one.dossier", "alice").ok();
    let refused = world.sign("zero.dossier", "alice");
    refused.refused(1, "signed_other");
    assert!(refused.err.contains("this key has signed revision 1 already"), "{}", refused.err);
    assert!(!refused.err.contains("a new draft with a new revision"), "{}", refused.err);
    world.sign("zero.dossier", "bob").ok();
    world.sign("one.dossier", "bob").ok();
}

#[test]
fn a_rewritten_log_or_decision_is_noticed_by_whoever_signed_before() {
    let world = World::open();
    fork(&world, "fork");
    for (data, event, text) in [("ledger", "a", "one.dossier"), ("fork", "b", "other.dossier")] {
        let line = world.event_line(event, 1);
        let import = ["import", "--scope", "default", "-", "--data", data];
        world.run_with(&import, &[], &line).ok();
        let epoch = ["--scope", "default", "--epoch", "1"];
        in_fork(&world, data, &[&["epoch", "close"], &epoch[..]].concat());
        in_fork(&world, data, &[&["epoch", "freeze"], &epoch[..]].concat());
        if data == "fork" {
            // Revision 1, so that the place is another one.
            in_fork(&world, data, &[&["epoch", "freeze", "--again"], &epoch[..]].concat());
        }
        in_fork(&world, data, &[&["dossier", "--out", text], &epoch[..]].concat());
    }
    world.sign("one.dossier", "alice").ok();
    world.sign("other.dossier", "alice").refused(1, "consistency_invalid");
    world.sign("other.dossier", "bob").ok();
}

#[test]
fn a_dossier_that_does_not_give_the_statement_is_not_signed() {
    let world = World::frozen("one.dossier");
    let dossier = world.read("one.dossier");
    for (from, to) in [
        ("Distributed: 10000", "Distributed: 10001"),
        (r#"\"id\":\"1\""#, r#"\"id\":\"9\""#),
        ("base_issuance", "base_issuancf"),
    ] {
        assert!(dossier.contains(from), "{from}");
        world.write("forged.dossier", &dossier.replacen(from, to, 1));
        let ran = world.sign("forged.dossier", "alice");
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{from}: {ran:?}");
    }
    let cut: String = dossier.lines().take(3).map(|line| format!("{line}\n")).collect();
    world.write("cut.dossier", &cut);
    world.sign("cut.dossier", "alice").refused(1, "input_incomplete");
    assert!(!world.path("alice.key.signed.json").exists());
}

#[test]
fn strangers_and_keys_for_other_uses_do_not_sign() {
    let world = World::frozen("one.dossier");
    world.vkey("mallory");
    world.sign("one.dossier", "mallory").refused(1, "signer_unknown");
    world.run(&["key", "new", "w", "--for", "witness", "--out", "w.key", "--no-passphrase"]).ok();
    world.sign("one.dossier", "w").refused(1, "expected the key of an approver");
    world
        .run(&["sign", "one.dossier", "--key", "ledger/log.key", "--yes"])
        .refused(1, "expected the key of an approver");
    world.run(&["sign", "one.dossier", "--key", "none.key", "--yes"]).refused(2, "cannot read none.key");
    world.write("broken.key", "meed key v1\nnonsense\n");
    world.run(&["sign", "one.dossier", "--key", "broken.key", "--yes"]).refused(1, "broken.key");
}

#[test]
fn what_may_be_a_passphrase_is_never_repeated() {
    let world = World::frozen("one.dossier");
    world.write("passphrase.txt", "correct horse battery staple\n");
    let add = ["signature", "add", "--scope", "default"];
    for arguments in [
        &["sign", "one.dossier", "--key", "passphrase.txt"][..],
        &["key", "show", "passphrase.txt"],
        &["sign", "passphrase.txt", "--key", "alice.key"],
        &["sign", "alice.key", "--key", "alice.key"],
        &[&add[..], &["--epoch", "1", "passphrase.txt"]].concat(),
        &[&add[..], &["--epoch", "1", "alice.key"]].concat(),
        &["restore", "one.dossier", "--data", "restored", "--log-key", "passphrase.txt"],
    ] {
        let ran = world.run(arguments);
        ran.refused(1, "");
        assert!(!ran.err.contains("horse") && !ran.err.contains("secret: "), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn a_wrong_passphrase_signs_nothing() {
    let world = World::empty();
    world.run(&["init", "--origin", "ledger.example.org"]).ok();
    world.write("right", "correct horse battery staple\n");
    world.write("wrong", "incorrect horse\n");
    let new = ["key", "new", "alice", "--out", "alice.key", "--passphrase-file", "right"];
    let vkey = world.run(&new).ok();
    world.run(&["scope", "add", "default", "--base-issuance", "5"]).ok();
    world.run(&["scope", "approvers", "default", "--threshold", "1", "--key", vkey.trim()]).ok();
    world.run(&["epoch", "open", "--scope", "default", "--at", &world.at.to_string()]).ok();
    world.epoch(&["close"]).ok();
    world.freeze("one.dossier");
    let sign = ["sign", "one.dossier", "--key", "alice.key", "--yes"];
    let wrong = world.run(&[&sign[..], &["--passphrase-file", "wrong"]].concat());
    wrong.refused(1, "passphrase is wrong");
    assert_eq!(wrong.out, "");
    world.run(&sign).refused(1, "expected a passphrase from a terminal");
    assert!(!world.path("alice.key.signed.json").exists());
    world.run(&[&sign[..], &["--passphrase-file", "right"]].concat()).ok();
}

#[test]
fn a_bare_statement_takes_blind_and_is_remembered_too() {
    let world = World::frozen("one.dossier");
    let note = world.run(&["statement", "--scope", "default", "--epoch", "1"]).ok();
    world.write("bare.txt", &note);
    world.sign("bare.txt", "alice").refused(1, "expected a dossier, got a bare statement");
    let ran = world.run(&["sign", "bare.txt", "--key", "alice.key", "--yes", "--blind"]);
    assert!(ran.err.contains("WARNING") && ran.err.contains("Nothing of it was recomputed"), "{}", ran.err);
    let line = ran.ok();
    world.write("alice.sig", &line);
    world.run(&["signature", "add", "--scope", "default", "--epoch", "1", "alice.sig"]).ok();
    let other = note.replacen("Undistributed: 0", "Undistributed: 1", 1);
    world.write("other.txt", &other);
    world.run(&["sign", "other.txt", "--key", "alice.key", "--yes", "--blind"]).refused(1, "signed_other");
    world.write("letter.txt", "Dear Alice,\nplease sign\nthis\nletter\n");
    world
        .run(&["sign", "letter.txt", "--key", "alice.key", "--yes", "--blind"])
        .refused(1, "expected a dossier");
    world.run(&["sign", "one.dossier", "--key", "alice.key", "--yes", "--blind"]).refused(2, "got a dossier");
}

#[test]
fn a_damaged_memory_stops_the_key() {
    let world = World::frozen("one.dossier");
    world.write("alice.key.signed.json", "{}");
    world.sign("one.dossier", "alice").refused(1, "expected what alice+");
    world.sign("one.dossier", "bob").ok();
    let bobs = world.read("bob.key.signed.json");
    world.write("carol.key.signed.json", &bobs);
    world.sign("one.dossier", "carol").refused(1, "got that of bob+");
}
