//! `init`, settings, keys, scopes, and how errors look.

use std::fs;
use std::process::Command;

use crate::support::World;

const NODE: &str = "4ff8eac1-4eba-4ed0-931b-b1fe4f64713d";

#[test]
fn init_honours_node_id_and_refuses_a_folder_that_holds_a_ledger() {
    let world = World::empty();
    let made = world.run_with(&["init", "--json"], &[("NODE_ID", NODE)], "").ok();
    let made: serde_json::Value = serde_json::from_str(&made).expect("JSON");
    assert_eq!(made["node_id"], NODE);
    assert_eq!(made["origin"], "localhost/4ff8eac1");
    let ledger = fs::read(world.path("ledger/ledger.redb")).expect("ledger");
    world.run(&["init"]).refused(1, "expected no ledger");
    assert_eq!(fs::read(world.path("ledger/ledger.redb")).expect("ledger"), ledger, "it is untouched");
    let scope = world.json(&["scope", "add", "default"]);
    assert_eq!(scope["id"], "a28a8b1e-1f9d-5cd5-9329-569e4819feda", "the scope id of that node");
    let other = "00000000-0000-4000-8000-000000000001";
    world.run_with(&["scope", "list"], &[("NODE_ID", other)], "").refused(1, "expected the ledger of node");
}

#[test]
fn init_leaves_nothing_half_made_behind() {
    let world = World::empty();
    world.run_with(&["init"], &[("NODE_ID", "nonsense")], "").refused(2, "node_id");
    world.run(&["init", "--node-id", "NOT-A-UUID"]).refused(2, "node_id");
    world.run(&["init", "--origin", "https://example.org"]).refused(2, "origin");
    world.write("file", "in the way");
    world.run(&["init", "--data", "file/below"]).refused(1, "cannot write");
    world.run(&["init", "--data", "file"]).refused(1, "expected no file");
    let names: Vec<String> = fs::read_dir(world.path(""))
        .expect("list")
        .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names, ["file"]);
}

#[test]
fn init_fills_an_existing_folder_and_never_replaces_what_is_in_it() {
    let world = World::empty();
    fs::create_dir(world.path("ledger")).expect("folder");
    world.write("ledger/notes.txt", "mine");
    world.run(&["init"]).ok();
    assert_eq!(world.read("ledger/notes.txt"), "mine");
    fs::remove_file(world.path("ledger/ledger.redb")).expect("removed");
    world.run(&["init"]).refused(1, "log.key");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode =
            |name: &str| fs::metadata(world.path(name)).expect("metadata").permissions().mode() & 0o777;
        assert_eq!(mode("ledger/log.key"), 0o600);
    }
}

#[test]
fn unknown_settings_are_wrong_usage_with_their_line() {
    let world = World::empty();
    world.run(&["init"]).ok();
    let text = world.read("ledger/meed.toml");
    world.write("ledger/meed.toml", &format!("{text}sing_by_days = 3\n"));
    let line = text.lines().count() + 1;
    world.run(&["scope", "list"]).refused(2, &format!("line {line}"));
    world.write("ledger/meed.toml", &text);
    world.run_with(&["scope", "list"], &[("MEED_SING_BY_DAYS", "3")], "").refused(2, "MEED_SING_BY_DAYS");
    world.run_with(&["scope", "add", "a"], &[("MEED_ACTOR", "erin")], "").ok();
    assert_eq!(world.json(&["scope", "show", "a"])["created_by"], "erin");
}

#[test]
fn a_new_key_prints_its_public_key_and_nothing_else() {
    let world = World::empty();
    let ran = world.run(&["key", "new", "alice", "--out", "alice.key", "--no-passphrase"]);
    assert!(ran.err.contains("not sealed"), "{}", ran.err);
    let vkey = ran.ok();
    assert_eq!(vkey.lines().count(), 1);
    assert!(vkey.starts_with("alice+"), "{vkey}");
    assert_eq!(world.run(&["key", "show", "alice.key"]).ok(), vkey);
    let again = world.run(&["key", "new", "alice", "--out", "alice.key", "--no-passphrase"]);
    again.refused(1, "expected no file at alice.key");
    assert_eq!(world.run(&["key", "show", "alice.key"]).ok(), vkey, "the file is untouched");
    world.run(&["key", "new", "two words", "--out", "x.key", "--no-passphrase"]).refused(2, "name");
    world.run(&["key", "new", "eve", "--out", "eve.key"]).refused(1, "expected a passphrase from a terminal");
    assert!(!world.path("eve.key").exists());
}

#[test]
fn sealed_keys_open_with_their_passphrase_only() {
    let world = World::empty();
    world.write("right", "correct horse battery staple\n");
    world.write("wrong", "incorrect horse\n");
    world.write("empty", "\n");
    world
        .run(&["key", "new", "alice", "--out", "alice.key", "--passphrase-file", "empty"])
        .refused(2, "first line");
    world.run(&["key", "new", "alice", "--out", "alice.key", "--passphrase-file", "right"]).ok();
    assert!(!world.read("alice.key").contains("plain:"));
    assert_eq!(world.json(&["key", "show", "alice.key"])["sealed"], true);
    let both = ["key", "new", "bob", "--out", "b.key", "--passphrase-file", "right", "--no-passphrase"];
    world.run(&both).refused(2, "cannot be used with");
}

#[test]
fn scopes_print_their_weights_and_the_same_again_changes_nothing() {
    let world = World::empty();
    world.run(&["init"]).ok();
    let text = world.run(&["scope", "add", "default"]).ok();
    assert!(text.contains("git:commit") && text.contains("1.000"), "{text}");
    assert_eq!(world.run(&["scope", "add", "default"]).ok(), text);
    world.run(&["scope", "add", "default", "--base-issuance", "1"]).refused(1, "scope_exists");
    world.write("weights.json", r#"{"git:commit": 8000, "git:review": "2000"}"#);
    let scope =
        world.json(&["scope", "add", "b", "--weights", "weights.json", "--unit", "USDC", "--decimals", "6"]);
    assert_eq!(scope["weights"], serde_json::json!({"git:commit": "8000", "git:review": "2000"}));
    for (weights, code) in [
        (r#"{"git:commit": 1.5}"#, "number_loses_precision"),
        (r#"{"git:commit": 9007199254740993}"#, "number_loses_precision"),
        (r#"{"git:commit": -1}"#, "invalid_number"),
        (r#"{"git:commit": 1, "git:commit": 2}"#, "duplicate_field"),
        (r#"{"git:commit": null}"#, "null_not_allowed"),
    ] {
        world.write("weights.json", weights);
        let ran = world.run(&["scope", "add", "c", "--weights", "weights.json", "--json"]);
        assert_eq!(ran.problem(1)["code"], code, "{weights}");
    }
    for key in ["Default", "1a", "", "a_b", "../x", "a?b"] {
        world.run(&["scope", "add", key]).refused(2, "invalid_identifier");
    }
    world.run(&["scope", "show", "a/b?c"]).refused(2, "invalid_identifier");
}

#[test]
fn errors_are_two_lines_or_a_problem_document() {
    let world = World::empty();
    world.run(&["scope", "list"]).refused(1, "expected a ledger at ledger/ledger.redb, got no file");
    world.run(&["init"]).ok();
    world.run(&["epoch", "list", "--scope", "none"]).refused(1, "scope_not_found");
    let problem = world.run(&["epoch", "list", "--scope", "none", "--json"]).problem(1);
    assert_eq!(problem["code"], "scope_not_found");
    assert_eq!(problem["number"], 40);
    assert_eq!(problem["status"], 404);
    assert_eq!(problem["type"], "/problems/scope_not_found");
    assert_eq!(problem["title"], "scope not found");
    assert!(problem["remedy"].as_str().is_some_and(|remedy| remedy.contains("meed scope")));
    let usage = world.run(&["epoch", "show", "--scope", "none", "--json"]).problem(2);
    assert_eq!(usage["code"], "usage");
    world.run(&["no-such-command"]).refused(2, "unrecognized subcommand");
    world.run(&["epoch", "show", "--scope", "a", "--epoch", "0"]).refused(2, "--epoch");
    assert_eq!(world.run(&[]).code, 2);
    assert!(world.run(&["--help"]).ok().contains("Exit codes"));
    assert!(world.run(&["--version"]).ok().starts_with("meed "));
}

#[test]
fn a_ledger_of_another_kind_is_refused_with_the_remedy() {
    let world = World::empty();
    world.run(&["init"]).ok();
    world.write("ledger/ledger.redb", "something else entirely");
    world.run(&["scope", "list"]).refused(1, "expected a meed ledger");
}

#[test]
fn the_verifier_for_browsers_is_written_without_a_ledger() {
    let world = World::empty();
    world.run(&["verifier", "--out", "verifier.html"]).ok();
    let file = world.read("verifier.html");
    assert!(file.starts_with("<!DOCTYPE html>") && file.ends_with("</html>\n"));
    assert_eq!(world.run(&["verifier"]).ok(), file);
    world.run(&["verifier", "--out", "verifier.html"]).refused(1, "verifier.html");
}

/// What is asked of the script in the file, which itself begins when it finds a page.
const ASK: &str = r"
import { webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
const primitives = await modules['./primitives.mjs'].openPrimitives(webcrypto.subtle);
const trust = await modules['./trust.mjs'].parseTrust(primitives, readFileSync('trust.toml', 'utf8'));
const bytes = new Uint8Array(readFileSync('one.payout.json'));
for (const file of [bytes, bytes.subarray(1)]) {
    const { verified, links } = await modules['./verify.mjs'].verifyProof(primitives, file, trust);
    console.log(verified, links.length, links.at(-1).link);
}
";

#[test]
fn the_script_in_the_verifiers_file_is_whole() {
    let world = World::finalized();
    let html = world.run(&["verifier"]).ok();
    let (_, rest) = html.split_once("<script type=\"module\">").expect("a script");
    let (script, _) = rest.split_once("</script>").expect("its end");
    world.write("verifier.mjs", &format!("{script}{ASK}"));
    match Command::new("node").arg("verifier.mjs").current_dir(world.path("")).output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(said, "true 10 log_inclusion\nfalse 1 format\n", "{output:?}");
        }
        Err(error) if std::env::var_os("MEED_CI").is_none() => {
            println!("SKIPPED: node cannot be run: {error}")
        }
        Err(error) => panic!("expected node, got {error}"),
    }
}
