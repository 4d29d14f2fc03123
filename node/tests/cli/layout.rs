//! What people see fits a terminal of 100 columns, and says everything in words.

use crate::support::World;

const EPOCH: [&str; 4] = ["--scope", "default", "--epoch", "1"];

/// Notices are sentences, which a terminal breaks itself.
#[track_caller]
fn fits(text: &str) {
    for line in text.lines().filter(|line| !line.starts_with("notice: ")) {
        assert!(line.chars().count() <= 100, "{} columns: {line}", line.chars().count());
    }
}

/// The text without its layout, to find what goes on in a second line.
fn joined(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn long_names_reasons_and_amounts_fit() {
    let world = World::with_events();
    let event = format!("git:commit:{}", "0123456789abcdef".repeat(12));
    let account = "fedcba9876543210".repeat(4);
    let line = world
        .event_line("e7", 1)
        .replace("github:pr:7:e7", &event)
        .replace("\"source\":\"github\"", "\"source\":\"git\"")
        .replace("\"platform_user_id\":\"1\"", &format!("\"platform_user_id\":\"{account}\""));
    world.write("one.ndjson", &line);
    world.run(&["import", "--scope", "default", "one.ndjson"]).ok();
    let other = line.replace(&"aa".repeat(32), &"bb".repeat(32));
    world.run_with(&["import", "--scope", "default", "-"], &[], &other).ok();
    let conflicts = world.run(&["conflicts", "--scope", "default"]).ok();
    fits(&conflicts);
    for shown in [&event, &"aa".repeat(32), &"bb".repeat(32)] {
        assert!(joined(&conflicts).contains(shown.as_str()) || conflicts.contains("aaaa"), "{conflicts}");
    }
    assert!(conflicts.contains("payload_hash") && !conflicts.contains("metadata_hash"), "{conflicts}");

    let reason = "a reason of quite a few words ".repeat(12);
    let decide = |words: &[&str]| {
        let ran = world.run(&[words, &["--reason", reason.trim()], &EPOCH[..]].concat()).ok();
        fits(&ran);
        assert!(joined(&ran).contains(&joined(&reason)), "{ran}");
        ran
    };
    assert!(
        joined(&decide(&["curate", "--event", &event, "--weight", "79228162514264337593543950335"]))
            .contains(&event)
    );
    decide(&["allocate", "--claimant", &format!("identity:git:{account}"), "--units", "123456789"]);
    let bonus = ["pool", "add", "--component", "bonus", "--amount", "79228162514264337593543940000"];
    fits(&world.run(&[&bonus[..], &["--evidence", reason.trim()], &EPOCH[..]].concat()).ok());
    let decisions = world.run(&["decisions", "--scope", "default"]).ok();
    fits(&decisions);
    assert!(
        decisions.contains("   1  weigh otherwise\n") || decisions.contains("weigh otherwise git:commit:"),
        "{decisions}"
    );
    assert!(decisions.contains(", epoch 1: a reason"), "{decisions}");
    assert_eq!(world.run(&["decisions", "--scope", "default", "--json"]).ok().lines().count(), 1);

    world.epoch(&["close"]).ok();
    world.freeze("one.dossier");
    let shown = world.sign("one.dossier", "alice");
    fits(&shown.err);
    assert!(joined(&shown.err).contains(&joined(&reason)), "{}", shown.err);
    assert!(shown.err.contains("79228162514264337593543950000"), "amounts are whole: {}", shown.err);
    assert!(shown.err.contains("identity:git:fedcba"), "{}", shown.err);
    shown.ok();
}

#[test]
fn an_early_close_is_told_in_words() {
    let world = World::empty();
    world.run(&["init", "--origin", "ledger.example.org"]).ok();
    world.run(&["scope", "add", "default", "--base-issuance", "10000"]).ok();
    world.set_approvers(&["alice"], 1).ok();
    let now = crate::support::now().to_string();
    world.run(&["epoch", "open", "--scope", "default", "--at", &now]).ok();
    world.epoch(&["close", "--early", "--reason", "the next one begins"]).ok();
    world.freeze("one.dossier");
    let shown = world.sign("one.dossier", "alice");
    let told = "closed before its window ended\n      by operator on ";
    assert!(shown.err.contains(told), "{}", shown.err);
    assert!(world.run(&["decisions", "--scope", "default"]).ok().contains(told));
}

#[test]
fn collecting_tells_in_words_what_was_left_out() {
    let world = World::open();
    let repository = world.path("repository");
    meed_node::sources::sample::generate(&repository, crate::support::now()).expect("sample");
    let path = repository.to_str().expect("path");
    let ran = world.run(&["collect", "--scope", "default", "--git", path, "--bot", "name:*"]);
    fits(&ran.err);
    assert!(ran.err.contains("left out ") && ran.err.contains(": all authors are bots"), "{}", ran.err);
    assert!(!ran.err.contains("bot_event"), "{}", ran.err);
    let ran = world.run(&["collect", "--scope", "default", "--git", path, "--bot", "name:*", "--json"]);
    assert!(ran.ok().contains("\"reason\":\"bot_event\""), "programs find the name");
}
