//! Runs and schedules on the command line, where no node serves: everything is done before the command ends.

use std::io::{BufRead, BufReader};

use serde_json::Value;

use crate::support::{World, program};

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
fn a_bad_line_of_a_file_is_named_with_its_line_and_cause_wherever_the_gap_is_shown() {
    let world = World::open_now();
    with_section(&world, "");
    let good = world.event_line("e1", 1);
    let cut = &good[..good.len() / 2];
    world.write("events.ndjson", &format!("{good}\n{cut}\n"));
    // The doctor's lines are wrapped.
    let named = |text: &str| {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("1 malformed: events.ndjson, line 2: ") && text.contains("expected"), "{text}");
    };
    named(&world.run(&["schedule", "run", "--scope", "default"]).ok());
    let id = world.json(&["run", "list"])[0]["id"].as_str().expect("an id").to_owned();
    let shown = world.json(&["run", "show", &id]);
    named(shown["sources"][0]["missing"].as_str().expect("why"));
    named(shown["steps"][1]["result"].as_str().expect("a result"));
    // While the week runs, too.
    let listed = world.run(&["schedule", "list"]).ok();
    named(&listed);
    assert!(listed.contains("gap       epoch 1: 1 of 2 events of code"), "{listed}");
    assert!(listed.contains("collect again with `meed schedule run`"), "{listed}");
    named(world.json(&["schedule", "list"])[0]["gaps"][0].as_str().expect("a gap"));
    named(&world.run(&["doctor"]).out);
    let refused = world.epoch(&["close", "--early", "--reason", "a test"]);
    refused.refused(1, "1 of 2 events of code");
    named(&refused.err);
    // Of very many the first are named, and the others counted.
    world.write("events.ndjson", &format!("{good}\n{}", format!("{cut}\n").repeat(6)));
    let many = world.run(&["schedule", "run", "--scope", "default"]).ok();
    assert!(many.contains("6 malformed: ") && many.contains("line 4: "), "{many}");
    assert!(many.contains("; and 3 more") && !many.contains("line 5: "), "{many}");
    // Repaired, nothing is left of it.
    world.write("events.ndjson", &format!("{good}\n"));
    world.run(&["schedule", "run", "--scope", "default"]).ok();
    assert!(!world.run(&["schedule", "list"]).ok().contains("gap "));
}

#[test]
fn a_run_that_failed_fails_the_command() {
    let world = World::open_now();
    with_section(&world, "");
    let ran = world.run(&["schedule", "run", "--scope", "default"]);
    ran.refused(1, "events.ndjson");
    assert!(ran.out.contains("state    failed"), "{ran:?}");
}

#[test]
fn an_epoch_whose_window_has_ended_is_told_in_words() {
    let world = World::open();
    with_section(&world, "close = false\nopen_next = true\n");
    world.write("events.ndjson", "");
    let ran = world.run(&["schedule", "run", "--scope", "default"]).ok();
    assert!(ran.contains("epoch 1 is still open, and is closed before the next one opens"), "{ran}");
    assert!(!ran.contains("epoch_already_open"), "{ran}");
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
    assert_eq!((&run["state"], &run["attempt"]), (&Value::from("done"), &Value::from(1)));
    world.run(&["collect", "--scope", "default", "--git", "nowhere"]).refused(2, "nowhere");
    let nowhere = world.json(&["run", "list", "--limit", "1"])[0]["id"].as_str().expect("an id").to_owned();
    let first = world.json(&["run", "show", &nowhere, "--attempt", "1"]);
    assert_eq!(first["problem"]["code"], "source");
    let collect = world.json(&["run", "list", "--limit", "1"]);
    assert_eq!(collect[0]["id"], "collect-default-begin-end");
    assert_eq!(collect[0]["state"], "failed");
}

/// Serves until the first step of a run was recorded and told, and kills the node there; gives the line.
fn serve_for_one_step(world: &World) -> String {
    let mut command = program(&world.path(""));
    command.env("MEED_DATA", "ledger").args(["serve", "--listen", "127.0.0.1:0"]);
    let mut node = command.spawn().expect("meed runs");
    let mut lines = BufReader::new(node.stderr.take().expect("errors")).lines();
    let mut said = Vec::new();
    let told = lines.by_ref().map_while(Result::ok).inspect(|line| said.push(line.clone()));
    let told = told.into_iter().find(|line| line.contains(" run close-default-1: "));
    node.kill().expect("killed");
    node.wait().expect("ended");
    told.unwrap_or_else(|| panic!("no step of the run: {said:#?}"))
}

#[test]
fn a_node_that_is_killed_after_each_step_closes_its_epoch_once() {
    let world = World::open();
    with_section(&world, "collect = \"off\"\ngrace_hours = 0\n");
    world.write("events.ndjson", &(world.event_line("e1", 1) + "\n"));
    let mut steps = Vec::new();
    let run = std::iter::repeat_with(|| {
        steps.push(serve_for_one_step(&world));
        world.json(&["run", "show", "close-default-1"])
    });
    // Five steps at most; one that failed would be the last line that a node says.
    let run = run.take(6).find(|run| run["state"] == "done" || run["state"] == "failed").expect("an end");
    // A node that is fast does another step before the end reaches it, so that of some nothing is seen.
    let mut expected = ["begun", "look", "final pass code", "close: ", "done"].into_iter();
    let is_next = |line: &String| expected.any(|step| line.contains(step));
    assert!(steps.iter().all(is_next), "{steps:#?}");
    assert_eq!((&run["state"], &run["attempt"]), (&Value::from("done"), &Value::from(1)));
    let tries = run["steps"].as_array().expect("steps").iter().map(|step| step["tries"].as_u64());
    assert_eq!(tries.collect::<Vec<_>>(), [Some(1); 3]);
    assert_eq!(world.json(&["run", "list"]).as_array().expect("runs").len(), 1);
    let made = world.decisions();
    let pools = made.iter().filter(|made| made["action"] == "pool").count();
    assert_eq!(world.json(&["epoch", "list", "--scope", "default"]).as_array().expect("epochs").len(), pools);
    world.run(&["fsck"]).ok();
}

#[test]
fn a_command_follows_its_run_on_a_node_that_serves_and_says_the_same() {
    let world = World::frozen("one.dossier");
    for name in ["alice", "bob"] {
        let line = world.sign("one.dossier", name).ok();
        world.write("a.sig", &line);
        world.run(&["signature", "add", "--scope", "default", "--epoch", "1", "a.sig"]).ok();
    }
    let mut command = program(&world.path(""));
    command.env("MEED_DATA", "ledger").args(["serve", "--listen", "127.0.0.1:0"]);
    let mut node = command.spawn().expect("meed runs");
    let mut lines = BufReader::new(node.stderr.take().expect("errors")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("until interrupted")), "it serves");
    let finalized = world.epoch(&["finalize"]);
    let missing = world.run(&["collect", "--scope", "default", "--git", "nowhere"]);
    let runs = world.run(&["run", "list"]);
    node.kill().expect("killed");
    node.wait().expect("ended");
    missing.refused(2, "nowhere");
    assert!(runs.ok().contains("finalize-default-1"));
    // Without the node: final already, and told in the same words.
    assert_eq!(finalized.ok(), world.epoch(&["finalize"]).ok());
}
