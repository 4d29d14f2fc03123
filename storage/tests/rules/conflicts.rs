//! Contents that came under the id of another event: whom they concern, and how many are kept (rule
//! `ACTIVITY_IDEMPOTENT`).

use crate::support::world::*;
use meed_audit::event::NewEvent;
use meed_audit::ids::ScopeId;
use meed_storage::{AppendOutcome, CONFLICTS_KEPT_MAX, EventReader};

use super::life::{put, records};

fn content(name: &str, payload: &str) -> NewEvent {
    event_with(name, &format!(r#"[{{"provider":"github","id":"{ALICE}"}}]"#), WEEK_1, payload)
}

fn concerned(world: &World) -> Vec<ScopeId> {
    let conflicts = world.snapshot().conflicts_of(&event_id("a1")).unwrap();
    let first = conflicts[0].scopes.clone();
    assert!(
        conflicts.iter().all(|conflict| conflict.scopes == first),
        "an id's contents concern the same scopes"
    );
    first
}

fn sorted<const N: usize>(mut scopes: [ScopeId; N]) -> Vec<ScopeId> {
    scopes.sort_unstable();
    scopes.to_vec()
}

#[test]
fn a_conflict_concerns_every_scope_that_has_the_event_or_wanted_another() {
    let world = World::new();
    let [one, two, three, four, five] =
        ["one", "two", "three", "four", "five"].map(|key| world.bare_scope(key));
    world.append(&[one, two], vec![content("a1", "a")]);
    let offer =
        |scopes: &[ScopeId], payload: &str| world.append(scopes, vec![content("a1", payload)]).conflicts();
    // It came for the third alone, and the two that have the event see it as well.
    assert_eq!(offer(&[three], "b"), 1);
    assert_eq!(concerned(&world), sorted([one, two, three]));
    // The same content, for another scope: kept once, and seen there too.
    assert_eq!(offer(&[four], "b"), 1);
    assert_eq!(world.snapshot().conflicts().unwrap().len(), 1);
    assert_eq!(concerned(&world), sorted([one, two, three, four]));
    // A scope that claims the event later has the conflict with it.
    assert_eq!(offer(&[five], "a"), 0);
    assert_eq!(concerned(&world), sorted([one, two, three, four, five]));
    assert_eq!(
        world.snapshot().conflicts_from(None, 9).unwrap().items,
        world.snapshot().conflicts().unwrap()
    );
    assert_eq!(world.snapshot().fsck(&mut |_| {}).problems, []);
}

#[test]
fn of_one_id_so_many_contents_are_kept_and_the_others_counted() {
    let world = World::new();
    let (one, two) = (world.bare_scope("one"), world.bare_scope("two"));
    world.append(&[one], vec![content("a1", "a"), content("a2", "a")]);
    let more = 3;
    let contents =
        || (0..CONFLICTS_KEPT_MAX + more).map(|number| content("a1", &format!("other {number}"))).collect();
    for times in 1..=2_u64 {
        let report = world.append(&[one], contents());
        assert_eq!(report.outcomes, vec![AppendOutcome::Conflict { index: 0 }; CONFLICTS_KEPT_MAX + more]);
        let kept = world.snapshot().conflicts_of(&event_id("a1")).unwrap();
        assert_eq!(kept.len(), CONFLICTS_KEPT_MAX);
        let counted = times * u64::try_from(more).unwrap();
        assert!(kept.iter().all(|conflict| conflict.not_kept == counted), "{counted}");
    }
    // What is only counted concerns its scope as much, and another id has room of its own.
    world.append(&[two], vec![content("a1", "yet another"), content("a2", "b")]);
    assert_eq!(concerned(&world), sorted([one, two]));
    let other = world.snapshot().conflicts_of(&event_id("a2")).unwrap();
    assert_eq!((other.len(), other[0].not_kept), (1, 0));
    assert_eq!(world.snapshot().fsck(&mut |_| {}).problems, []);
    // A count without the contents that make it one is found.
    let (key, _) = records(&world.snapshot(), "event_conflicts").swap_remove(0);
    put(&world.ledger, "event_conflicts", &key, None);
    let found = world.snapshot().fsck(&mut |_| {}).problems;
    assert_eq!(
        found.iter().map(|problem| problem.table.as_str()).collect::<Vec<_>>(),
        ["event_conflicts_not_kept"]
    );
}
