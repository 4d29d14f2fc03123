//! Settings that change while a node runs, and pauses.

use meed_audit::time::Timestamp;
use meed_node::api::documents::{OpenRequest, ScheduleView};

use super::support::*;

#[test]
fn changed_sections_change_removed_ones_pause_and_nothing_is_deleted() {
    let mut node = Node::new();
    node.at(hour(1));
    let scope = node.snapshot().scopes().expect("scopes")[0].id;
    let key = KEY.parse().expect("key");
    // A week passes while the section is gone.
    let gone = node.reload_with("");
    assert_eq!(gone.paused, [key]);
    assert_eq!(node.at(day(9)), Vec::<String>::new());
    assert_eq!(node.phases(), ["open 0"]);
    let back = node.reload_with(&node.sections("grace_hours = 72\n"));
    assert_eq!((back.resumed.len(), back.changed.len()), (1, 1));
    node.work();
    assert_eq!(node.phases(), ["open 0"], "the longer grace is not over");
    node.at(day(10));
    assert_eq!(node.phases(), ["review 0", "open 0"]);
    assert_eq!(node.snapshot().schedule(scope).expect("schedule").terms.grace_hours, 72);
    let unknown = node.reload_with("[scopes.nobody]\n");
    assert_eq!(unknown.unknown.len(), 1);
    assert_eq!(node.at(day(20)), Vec::<String>::new());
}

#[test]
fn a_pause_by_a_person_outlasts_restarts_and_what_was_due_is_made_up_for() {
    let mut node = Node::new();
    node.at(hour(1));
    node.service().pause_schedule(KEY, &actor()).expect("paused");
    node.restart();
    assert_eq!(node.at(day(9)), Vec::<String>::new());
    node.service().resume_schedule(KEY).expect("goes on");
    node.work();
    assert_eq!(node.phases(), ["review 0", "open 0"]);
    assert_eq!(
        node.service().pause_schedule("other", &actor()).expect_err("unknown").problem.code,
        "scope_not_found"
    );
}

#[test]
fn nothing_is_done_for_a_scope_without_a_section() {
    let mut node = Node::new();
    node.configure("");
    assert_eq!(node.at(day(30)), Vec::<String>::new());
    assert!(node.epochs().is_empty());
}

/// A scope into which two weeks were imported before it had an epoch; it is the third week.
fn with_history(more: &str) -> Node {
    let mut node = Node::new();
    node.configure(&node.sections(more));
    node.clock.set(day(16));
    let lines = [event_line("old", day(1)), event_line("less old", day(9)).replace("less old", "less-old")];
    let stored = node
        .service()
        .import(KEY, lines.join("\n").as_bytes(), 1, (false, false), &Default::default())
        .expect("stored");
    assert_eq!(stored.events.stored, 2);
    node
}

fn schedule(node: &Node) -> ScheduleView {
    node.service().schedule(KEY).expect("a schedule")
}

fn first_start(node: &Node) -> Timestamp {
    node.epochs().first().expect("an epoch").period_start
}

#[test]
fn what_becomes_of_an_imported_history_is_said_by_somebody() {
    let mut node = with_history("");
    let first = schedule(&node).first_window.expect("no epoch yet");
    assert_eq!((first.start, first.left_out), (None, 2));
    node.work();
    assert_eq!(node.phases(), Vec::<String>::new(), "nothing is opened that cannot be undone");
    let problem = schedule(&node).problem.expect("a problem");
    assert_eq!(problem.action, "open the next window");
    assert!(
        problem.detail.contains("windows_skipped")
            && problem.detail.contains("pays nobody for 2 events from 2026-01-06")
    );
    for said in ["first_window = \"earliest-event\" opens 3 windows", "[scopes.default]", "cannot be undone"]
    {
        assert!(problem.remedy.contains(said), "{said}: {}", problem.remedy);
    }
    // It goes on as soon as the settings say it, without waiting for the next try.
    node.reload_with(&node.sections("first_window = \"now\"\n"));
    node.work();
    assert_eq!((node.phases(), first_start(&node)), (vec!["open 0".to_owned()], day(14)));
    let after = schedule(&node);
    assert!(after.problem.is_none() && after.first_window.is_none(), "{after:?}");
}

#[test]
fn the_first_window_is_that_of_the_settings() {
    for (said, windows, phases) in [
        ("earliest-event", 3, ["review 1", "review 1", "open 0"].as_slice()),
        ("2026-01-13", 2, &["review 1", "open 0"]),
        ("now", 1, &["open 0"]),
    ] {
        let node = with_history(&format!("first_window = \"{said}\"\n"));
        let first = schedule(&node).first_window.expect("no epoch yet");
        assert_eq!((first.windows, first.left_out), (windows, 3 - windows), "{said}");
        node.work();
        assert_eq!(node.phases(), phases, "{said}");
        assert_eq!(schedule(&node).problem.map(|problem| problem.detail), None, "{said}");
    }
    // One that is to come is waited for, and nothing is wrong meanwhile.
    let node = with_history("first_window = \"2026-01-27\"\n");
    node.at(day(20));
    assert_eq!((node.phases(), schedule(&node).problem.is_none()), (vec![], true));
    node.at(day(21));
    assert_eq!((node.phases(), first_start(&node)), (vec!["open 0".to_owned()], day(21)));
}

#[test]
fn a_window_that_a_person_opens_ends_the_question() {
    let node = with_history("");
    node.work();
    assert!(schedule(&node).problem.is_some());
    let open = OpenRequest { at: day(8).to_string(), skip: 1, ahead: false };
    node.service().open_epoch(KEY, &open, &actor()).expect("opened");
    node.work();
    assert_eq!(node.phases(), ["review 1", "open 0"], "and the schedule goes on from there at once");
    assert!(schedule(&node).problem.is_none());
}
