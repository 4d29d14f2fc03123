//! Refusals say what their user should really do, and end with the exit code that help documents.

use std::fs;

use crate::support::{Ran, World};

const EPOCH: [&str; 4] = ["--scope", "default", "--epoch", "1"];

fn remedied(ran: &Ran, code: i32, what: &str, remedy: &str) {
    ran.refused(code, what);
    let said = ran.err.lines().last().unwrap_or_default();
    assert!(said.contains(remedy), "{remedy}: {ran:?}");
}

#[test]
fn what_stands_on_the_command_line_is_wrong_usage() {
    let world = World::with_events();
    let with = |words: &[&str]| world.run(&[words, &EPOCH[..]].concat());
    with(&["curate", "--event", "a b", "--exclude", "--reason", "x"]).refused(2, "invalid_identifier");
    with(&["curate", "--event", "github:pr:7:e1", "--weight", "1.5", "--reason", "x"])
        .refused(2, "invalid_number");
    with(&["allocate", "--claimant", "bob", "--units", "5", "--reason", "x"]).refused(2, "invalid_claimant");
    world.run(&["epoch", "open", "--scope", "default", "--at", "yesterday"]).refused(2, "invalid_time");
    world.run(&["scope", "add", "Shop"]).refused(2, "invalid_identifier");
    world.run(&["restore", "none.redb", "--data", "new"]).refused(2, "none.redb");
    let problem = world.run(&["scope", "add", "Shop", "--json"]).problem(2);
    assert_eq!(problem["status"], 400);
    let problem = world.run(&["scope", "list", "--data", "none", "--json"]).problem(1);
    assert_eq!(problem["status"], 404);
    world.run(&["scope", "add", "shop", "--base-issuance", "0"]).refused(2, "pool_not_positive");
    let key = world.vkey("alice");
    let set = ["scope", "approvers", "default", "--threshold"];
    world.run(&[&set[..], &["1", "--key", "alice"]].concat()).refused(2, "key_invalid");
    world.run(&[&set[..], &["2", "--key", &key]].concat()).refused(2, "approver_set_invalid");
    world.run(&["collect", "--scope", "default", "--bot", "robot"]).refused(2, "name:<pattern>");
    // What a file holds is no wrong usage, and what stands beside the file is.
    world.write("weights.json", r#"{"git:commit":"1.5"}"#);
    let add = ["scope", "add", "shop", "--weights", "weights.json"];
    world.run(&add).refused(1, "invalid_number");
    for (argument, value) in [("--base-issuance", "1.5"), ("--decimals", "99"), ("--window-days", "8")] {
        world.write("weights.json", r#"{"git:commit":1000}"#);
        world.run(&[&add[..], &[argument, value]].concat()).refused(2, "expected");
    }
    world.write("weights.json", r#"{"git commit":1000}"#);
    world.run(&add).refused(1, "invalid_identifier");
    world.write("bad.ndjson", "{\"id\":1}\n");
    world.run(&["import", "--scope", "default", "bad.ndjson"]).refused(1, "refused");
}

#[test]
fn remedies_say_what_this_user_should_do() {
    let world = World::with_events();
    let with = |words: &[&str]| world.run(&[words, &EPOCH[..]].concat());
    let empty = with(&["curate", "--event", "github:pr:7:e1", "--exclude", "--reason", ""]);
    remedied(&empty, 2, "text_length", "may not be empty");
    let blank = with(&["curate", "--event", "github:pr:7:e1", "--exclude", "--reason", "   "]);
    remedied(&blank, 2, "invalid_text", "can be seen");
    let again = world.run(&["scope", "add", "default"]);
    remedied(&again, 1, "scope_exists", "meed scope configure default");
    let early = with(&["proof", "--claimant", "identity:github:1"]);
    remedied(&early, 1, "statement_not_found", "finalize the epoch first");
    let early = with(&["export", "--format", "csv"]);
    remedied(&early, 1, "statement_not_found", "finalize the epoch first");
    remedied(&world.run(&["backup", "ledger/log.key"]), 1, "expected no file", "choose another path");
    remedied(&world.run(&["backup", "none/copy.redb"]), 1, "could not create", "folder of the backup");
    world.write("letter.txt", "a letter");
    let restored = world.run(&["restore", "letter.txt", "--data", "new"]);
    remedied(&restored, 1, "expected a meed ledger", "meed backup");
    let line = world.sign_set();
    let signed = ["signature", "add", "--scope", "default", "--approvers", "-"];
    remedied(&world.run_with(&signed, &[], &line), 1, "draft_not_found", "meed scope approvers default");
}

#[test]
fn a_damaged_log_key_is_put_back_and_not_made_anew() {
    let world = World::open();
    let good = world.read("ledger/log.key");
    world.write("ledger/log.key", "garbage");
    let list = || world.run(&["scope", "list"]);
    remedied(&list(), 1, "log.key: this is no key file", "put back the copy of log.key");
    fs::remove_file(world.path("ledger/log.key")).expect("removed");
    world.write("passphrase", "correct horse");
    let sealed = ["key", "new", "ledger.example.org", "--for", "log", "--out", "ledger/log.key"];
    world.run(&[&sealed[..], &["--passphrase-file", "passphrase"]].concat()).ok();
    remedied(&list(), 1, "is sealed: expected a passphrase, got none", "put back the copy of log.key");
    world.write("ledger/log.key", &good);
    list().ok();
}

#[test]
fn a_signature_of_what_is_final_is_no_reason_to_fetch_a_dossier_again() {
    let world = World::finalized();
    let add = |name: &str| world.run(&["signature", "add", "--scope", "default", "--epoch", "1", name]);
    let again = add("alice.sig").ok();
    assert!(again.starts_with("revision 0: 2 of 2 needed approvals"), "{again}");
    world.write("carol.sig", &world.sign("one.dossier", "carol").ok());
    remedied(&add("carol.sig"), 1, "kept as evidence", "nothing is left to sign: the epoch is final");
    assert!(add("carol.sig").ok().contains("carol (evidence only)"), "the same again changes nothing");
}

#[test]
fn a_signature_of_another_text_for_a_final_epoch_asks_for_no_draft() {
    let world = World::finalized();
    let line = world.read("alice.sig");
    let (name, rest) = line.trim_end().rsplit_once(' ').expect("a line");
    // The same name and key id, and another signature.
    let changed: String = rest
        .chars()
        .rev()
        .enumerate()
        .map(|(place, one)| {
            if place == 12 && one != 'A' {
                'A'
            } else if place == 12 {
                'B'
            } else {
                one
            }
        })
        .collect();
    let changed: String = changed.chars().rev().collect();
    world.write("other.sig", &format!("{name} {changed}\n"));
    let refused = world.run(&["signature", "add", "--scope", "default", "--epoch", "1", "other.sig"]);
    remedied(&refused, 1, "draft_not_found", "nothing is left to sign: the epoch is final");
}

#[test]
fn another_evidence_of_a_component_is_told_as_that() {
    let world = World::open();
    let add = ["pool", "add", "--scope", "default", "--epoch", "1", "--component", "base_issuance"];
    let refused = world.run(&[&add[..], &["--amount", "10000", "--evidence", "vote 12"]].concat());
    refused.refused(1, "got evidence \"vote 12\"");
    assert!(
        refused.err.contains("the stored component, with ") && !refused.err.contains("amount 10000"),
        "{refused:?}"
    );
}

#[test]
fn what_is_done_already_is_not_asked_for_again() {
    let world = World::with_events();
    let account = ["--provider", "github", "--external-id", "1", "--evidence", r#"{"by":"vote"}"#];
    let revoked = world.run(&[&["revoke"][..], &account[..]].concat());
    remedied(&revoked, 1, "identity_not_bound", "nothing is left to do");
    let away = ["whoami", "--node", "http://127.0.0.1:1", "--git-email", "ana@example.org"];
    remedied(&world.run(&away), 1, "did not answer", "--trust");
}

#[test]
fn a_scope_whose_key_is_nearly_that_is_named() {
    let world = World::open();
    let near = world.run(&["activity", "--scope", "defualt", "--epoch", "1"]);
    remedied(&near, 1, "scope_not_found", "did you mean `default`? Else list the scopes");
    let far = world.run(&["activity", "--scope", "shop", "--epoch", "1"]);
    remedied(&far, 1, "scope_not_found", "remedy: list the scopes");
}

#[test]
fn rebinding_says_whose_the_account_is() {
    let world = World::with_events();
    let user = |name: &str| world.run(&["user", "add", "--name", name]).ok().trim().to_owned();
    let (ann, bea) = (user("Ann"), user("Bea"));
    let account = ["--provider", "github", "--external-id", "1", "--evidence", r#"{"by":"vote"}"#];
    let rebind = |from: &str, to: &str| {
        world.run(&[&["rebind", "--from", from, "--user", to][..], &account[..]].concat())
    };
    remedied(&rebind(&ann, &bea), 1, "identity_not_bound", "meed bind");
    world.run(&[&["bind", "--user", &ann][..], &account[..]].concat()).ok();
    remedied(&rebind(&bea, &ann), 1, "mismatch", "--from");
    remedied(&rebind(&ann, &ann), 1, "nothing_to_change", "nothing is left to do");
    let list = world.run(&["user", "list"]).ok();
    assert!(list.contains(&format!("{ann}  Ann\n  identity:github:1\n")), "{list}");
    let wrong = ["bind", "--user", &ann, "--provider", "git", "--external-id", "12", "--evidence", "{}"];
    remedied(&world.run(&wrong), 2, "invalid_claimant", "--external-id");
}

#[test]
fn counted_things_have_their_number() {
    let world = World::with_events();
    world.write("single.ndjson", &world.event_line("single", 9));
    world.run(&["import", "--scope", "default", "single.ndjson"]).ok();
    world.epoch(&["close"]).ok();
    world.freeze("one.dossier");
    let early = world.epoch(&["finalize"]);
    let nobodys = "expected the approval of 2 of 3, got nobody's; not signed by alice, bob, carol";
    remedied(&early, 1, nobodys, "more approvers");
    world.sign_and_finalize("one.dossier");
    world.run(&["trust", "--scope", "default", "--out", "trust.toml"]).ok();
    world.proof("identity:github:9", "nine.payout.json").ok();
    let verified = world.run(&["verify", "nine.payout.json", "--trust", "trust.toml"]).ok();
    assert!(verified.contains("from 1 event\n"), "{verified}");
    world.write("bad.ndjson", "{}\n");
    let import = ["import", "--scope", "default", "bad.ndjson"];
    world.run(&import).refused(1, "1 of 1 line is refused");
    world.write("bad.ndjson", &world.event_line("x", 1).replace("github:pr:7:x", ""));
    let empty = world.run(&import);
    assert!(empty.err.contains("got an empty text\n"), "{empty:?}");
}

#[test]
fn with_json_every_line_of_standard_error_is_json() {
    let world = World::finalized();
    fs::remove_file(world.path("ledger/log.key")).expect("removed");
    world.write("one.ndjson", &world.event_line("late", 1));
    let ran = world.run(&["import", "--scope", "default", "one.ndjson", "--json"]);
    let lines: Vec<serde_json::Value> =
        ran.err.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(lines[0]["notice"].as_str().is_some_and(|text| text.contains("can only be read")), "{lines:?}");
    assert_eq!(lines[1]["code"], "no_log_key");
}

#[test]
fn a_changed_proof_or_trust_file_is_fetched_again() {
    let world = World::finalized();
    let verify = ["verify", "one.payout.json", "--trust", "trust.toml"];
    let proof = world.read("one.payout.json");
    world.write("one.payout.json", &proof.replace("Distributed: 10000", "Distributed: 10001"));
    remedied(&world.run(&verify), 1, "not verified", "do not rely on the proof");
    world.write("one.payout.json", "{}");
    remedied(&world.run(&verify), 1, "", "fetch it again");
    world.write("one.payout.json", &proof);
    let trust = world.read("trust.toml");
    world.write("trust.toml", &trust.replacen("ledger.example.org", "other.example.org", 1));
    remedied(&world.run(&verify), 1, "", "fingerprint");
}

#[test]
fn every_answer_is_json_where_it_is_asked_for() {
    let world = World::finalized();
    let csv = world.json(&[&["export", "--format", "csv"][..], &EPOCH[..]].concat());
    assert!(csv["csv"].as_str().is_some_and(|text| text.starts_with("claimant,")), "{csv}");
    let scope = world.json(&["scope", "show", "default"]);
    let approvers = &scope["approvers"];
    let said = ["version", "threshold", "members"].map(|name| approvers[name].as_u64());
    assert_eq!(said, [Some(1), Some(2), Some(3)]);
}

#[test]
fn a_damaged_ledger_is_two_lines() {
    let world = World::with_events();
    let path = world.path("ledger/ledger.redb");
    let mut bytes = fs::read(&path).expect("ledger");
    let middle = bytes.len() / 8;
    for byte in bytes.iter_mut().skip(middle).step_by(7) {
        *byte ^= 0x5a;
    }
    fs::write(&path, bytes).expect("written");
    let ran = world.run(&["activity", "--scope", "default", "--epoch", "1"]);
    ran.refused(1, "");
    assert_eq!(ran.err.lines().count(), 2, "{}", ran.err);
}

#[test]
fn numbers_and_times_are_refused_in_words() {
    let world = World::with_events();
    world.run(&["epoch", "show", "--scope", "default", "--epoch", "0"]).refused(2, "a number from 1");
    for (time, got) in [
        ("1970-01-02T00:00:00Z", "got 1970-01-02T00:00:00.000Z"),
        ("9999-12-31T12:00:00Z", "got 9999-12-31T12:00:00.000Z"),
    ] {
        let ran = world.run(&["epoch", "open", "--scope", "default", "--at", time]);
        remedied(&ran, 2, got, "lies in these years as a whole");
        assert!(!ran.err.contains(" ms"), "{ran:?}");
    }
    world.epoch(&["close"]).ok();
    remedied(&world.epoch(&["freeze", "--sign-by-days", "0"]), 2, "number_too_small", "the lowest");
    remedied(&world.epoch(&["freeze", "--sign-by-days", "366"]), 2, "number_too_large", "within the limit");
}

#[test]
fn json_is_refused_in_our_words() {
    let world = World::open();
    let configure = |text: &str| {
        world.write("weights.json", text);
        world.run(&["scope", "configure", "default", "--weights", "weights.json"])
    };
    let fraction = configure(r#"{"git:commit":1.5}"#);
    remedied(&fraction, 1, "expected a whole number, written as an integer or a decimal string", "fractions");
    for (text, what) in [
        ("{\"git:commit\":x}", "expected JSON, got `x`, which cannot stand there, at column 15"),
        (
            "{\n\"git:commit\":1,\n}\n",
            "expected JSON, got `}`, which cannot stand there, in line 3 at column 1",
        ),
        ("{", "expected JSON, got a text that ends before the value does, at column 1"),
        ("", "expected JSON, got an empty text"),
    ] {
        configure(text).refused(2, what);
    }
    let lines = ["{\"id\":tru}", "{\"id\":-5}", "[", "{} x", "\"a\u{1}\""];
    let ran = world.run_with(&["import", "--scope", "default", "-"], &[], &lines.join("\n"));
    for said in [
        "line 1: malformed: text: expected one JSON value, got `}`, which cannot stand there, at column 10",
        "line 2: wrong_type: id: expected a string, got the number -5",
        "line 3: malformed: text: expected one JSON value, got a text that ends before the value does, at column 1",
        "line 4: malformed: text: expected one JSON value, got `x`, which cannot stand there, at column 4",
    ] {
        assert!(ran.err.lines().any(|line| line == said), "{said}: {}", ran.err);
    }
    ran.refused(1, "5 of 5 lines");
}

#[test]
fn an_option_is_named_that_holds_a_negative_number_and_none_that_is_not_near() {
    let world = World::with_events();
    let pool = ["pool", "add", "--component", "bonus", "--evidence", "e", "--amount", "-55"];
    let ran = world.run(&[&pool[..], &EPOCH[..]].concat());
    remedied(&ran, 2, "--amount: expected a number without sign, got -55", "usage: meed pool add");
    let account = ["--provider", "github", "--external-id", "1", "--reason", "sold"];
    let ran = world.run(&[&["revoke"][..], &account[..]].concat());
    remedied(&ran, 2, "unexpected argument '--reason'", "usage: meed revoke");
    assert!(!ran.err.contains("did you mean"), "{ran:?}");
    let past = ["token", "new", "ana", "--role", "curator", "--expires", "2020-01-01T00:00:00Z"];
    remedied(&world.run(&past), 2, "a time after now", "still to come");
}

#[test]
fn an_account_of_somebody_else_is_given_by_a_decision_that_names_both() {
    let world = World::with_events();
    let user = |name: &str| world.run(&["user", "add", "--name", name]).ok().trim().to_owned();
    let (ann, bea) = (user("Ann"), user("Bea"));
    let account = ["--provider", "github", "--external-id", "1", "--evidence", r#"{"by":"vote"}"#];
    let with = |words: &[&str]| world.run(&[words, &account[..]].concat());
    with(&["bind", "--user", &ann]).ok();
    let rebind = format!("meed rebind --provider github --external-id 1 --from USER --user {bea}");
    remedied(&with(&["bind", "--user", &bea]), 1, "identity_bound_to_other", &rebind);
    with(&["revoke"]).ok();
    remedied(&with(&["bind", "--user", &bea]), 1, "identity_bound_to_other", &rebind);
    remedied(&with(&["revoke"]), 1, "identity_not_bound", "meed rebind");
    with(&["rebind", "--from", &ann, "--user", &bea]).ok();
}

#[test]
fn whoever_signs_asks_for_a_damaged_dossier_again() {
    let world = World::frozen("one.dossier");
    let whole = world.read("one.dossier");
    let (without_end, _) = whole.trim_end().rsplit_once('\n').expect("lines");
    for damaged in [without_end.to_owned(), whole.replace("pr_merged", "pr_opened"), whole.replace(':', ";")]
    {
        world.write("one.dossier", &damaged);
        let ran = world.sign("one.dossier", "alice");
        remedied(&ran, 1, "", "ask the operator for the dossier again, and compare its hash (`sha256sum`)");
        assert!(!ran.err.contains("fsck"), "{ran:?}");
    }
}
