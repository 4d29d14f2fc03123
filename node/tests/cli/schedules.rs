//! Runs and schedules on the command line, where no node serves: everything is done before the command ends.

use serde_json::Value;

use crate::support::World;

/// Adds a section for the scope, with a source that is a file.
fn with_section(world: &World, more: &str) {
    let settings = world.read("ledger/meed.toml");
    let section = "[scopes.default]\n".to_owned()
        + more
        + "[[scopes.default.sources]]\nkind = \"file\"\nname = \"code\"\npath = \"../events.ndjson\"\n";
    world.write("ledger/meed.toml", &(settings + &section));
}

#[test]
fn a_schedule_is_shown_run_paused_and_resumed() {
    let world = World::open();
    assert_eq!(world.run(&["schedule", "list"]).ok(), "none\n");
    world.run(&["schedule", "run", "--scope", "default"]).refused(1, "schedule");
    with_section(&world, "grace_hours = 0\n");
    let line = world.event_line("e1", 1) + "\n";
    world.write("events.ndjson", &line);
    let new = world.run(&["schedule", "list"]).ok();
    assert!(new.contains("default: new") && new.contains("0 3 * * * (UTC) from code"), "{new}");

    // The last week's epoch is open, and its grace is over: it is collected, closed, and this week's is opened.
    let ran = world.run(&["schedule", "run", "--scope", "default"]).ok();
    assert!(ran.contains("state    done"), "{ran}");
    let epochs = world.json(&["epoch", "list", "--scope", "default"]);
    let phases: Vec<_> =
        epochs.as_array().expect("epochs").iter().map(|epoch| (&epoch["phase"], &epoch["events"])).collect();
    assert_eq!(phases, [(&Value::from("review"), &Value::from(1)), (&Value::from("open"), &Value::from(0))]);
    let runs = world.json(&["run", "list"]);
    let ids: Vec<&str> = runs.as_array().expect("runs").iter().filter_map(|run| run["id"].as_str()).collect();
    assert!(ids[0] == "close-default-1" && ids[1].starts_with("collect-default-"), "{ids:?}");
    let close = world.run(&["run", "show", "close-default-1"]).ok();
    assert!(close.contains("step     final pass code: done"), "{close}");
    assert!(close.contains("source   code: 1 of 1 events stored"), "{close}");
    world.run(&["run", "show", "close-default-9"]).refused(1, "record_not_found");
    world.run(&["run", "show", "nonsense"]).refused(2, "collect-SCOPE-START-END");

    let paused = world.run(&["schedule", "pause", "--scope", "default", "--actor", "olivia"]).ok();
    assert!(paused.contains("default: paused") && paused.contains("by olivia"), "{paused}");
    let resumed = world.run(&["schedule", "resume", "--scope", "default"]).ok();
    assert!(resumed.contains("default: active") && resumed.contains("next "), "{resumed}");
}

#[test]
fn a_gap_is_closed_by_a_decision_with_a_reason() {
    let world = World::open();
    with_section(&world, "grace_hours = 0\n");
    let good = world.event_line("e1", 1);
    let bad = good.replace("\"event_type\":\"pr_merged\",", "");
    world.write("events.ndjson", &format!("{good}\n{}\n", bad.replace("e1", "e2")));
    world.run(&["schedule", "run", "--scope", "default"]).ok();
    let listed = world.run(&["schedule", "list"]).ok();
    assert!(
        listed.contains("cannot    close epoch 1") && listed.contains("1 of 2 events of code"),
        "{listed}"
    );
    world.epoch(&["close"]).refused(1, "1 of 2 events of code");
    world.epoch(&["close", "--accept-gap"]).refused(2, "--accept-gap");
    let closed = world.epoch(&["close", "--accept-gap", "that line is nobody's work"]).ok();
    assert!(closed.contains("gap      that line is nobody's work"), "{closed}");
    let last = world.decisions().pop().expect("a decision");
    assert_eq!(
        (last["action"].as_str(), last["reason"].as_str()),
        (Some("accept_gap"), Some("that line is nobody's work"))
    );
    // An approver sees it before signing.
    world.freeze("one.dossier");
    let shown = world.sign("one.dossier", "alice");
    assert!(
        shown.err.contains("more than was collected") && shown.err.contains("that line is nobody's work"),
        "{shown:?}"
    );
}

#[test]
fn what_was_asked_for_on_the_command_line_is_a_run_too() {
    let world = World::with_events();
    world.epoch(&["close"]).ok();
    let early = world.epoch(&["finalize"]);
    early.refused(1, "draft_not_found");
    world.freeze("one.dossier");
    world.sign_and_finalize("one.dossier");
    let run = world.json(&["run", "show", "finalize-default-1"]);
    assert_eq!((&run["state"], &run["attempt"]), (&Value::from("done"), &Value::from(2)));
    let first = world.json(&["run", "show", "finalize-default-1", "--attempt", "1"]);
    assert_eq!(first["problem"]["code"], "draft_not_found");
    world.run(&["collect", "--scope", "default", "--git", "nowhere"]).refused(2, "nowhere");
    let collect = world.json(&["run", "list", "--limit", "1"]);
    assert_eq!(collect[0]["id"], "collect-default-19700101T000000Z-99991231T235959.999Z");
    assert_eq!(collect[0]["state"], "failed");
}
