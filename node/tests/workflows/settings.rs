//! Settings that change while a node runs, and pauses.

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
