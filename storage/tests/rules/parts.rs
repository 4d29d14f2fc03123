//! Lists by parts: whatever the size of a part, the parts are the list.

use std::fmt::Debug;

use meed_audit::activity::Earnings;
use meed_audit::decision::Change;
use meed_audit::ids::{EpochNumber, ScopeId};
use meed_storage::{EventReader, KeyText, LogKind, Part, Snapshot, Which};

use crate::support::world::*;

/// Reads a list in parts of every size, and compares.
fn check_parts<T: PartialEq + Debug, K>(all: &[T], read: impl Fn(Option<K>, usize) -> Part<T, K>) {
    assert!(all.len() > 2, "a list of several parts: {all:?}");
    for limit in 1..=all.len() + 1 {
        let (mut found, mut from, mut parts) = (Vec::new(), None, 0);
        loop {
            let part = read(from, limit);
            assert!(part.items.len() <= limit);
            found.extend(part.items);
            parts += 1;
            match part.next {
                Some(next) => from = Some(next),
                None => break,
            }
        }
        assert_eq!(found, all, "by {limit}");
        assert_eq!(parts, all.len().div_ceil(limit), "no empty part, by {limit}");
    }
}

/// A scope with two final epochs and one that is open, many claimants, and people.
fn world() -> (World, ScopeId) {
    let world = World::new();
    let scope = world.scope("default");
    for (week, at) in [WEEK_1, WEEK_2, WEEK_3].into_iter().enumerate() {
        let epoch = world.open(scope, at);
        for author in 1..=70_u32 {
            world.commit(scope, &format!("{week}-{author}"), &author.to_string(), at);
        }
        if at == WEEK_2 {
            world.bind("7", 1);
            world.bind("70", 2);
            world.bind("9", 3);
            world.ledger.revoke(github("9"), evidence("left"), by(WEEK_1)).unwrap();
        }
        if at != WEEK_3 {
            world.complete(scope, epoch);
        }
    }
    (world, scope)
}

#[test]
fn the_parts_of_a_list_are_the_list() {
    let (world, scope) = world();
    let snapshot = world.snapshot();
    let first = EpochNumber::FIRST;
    check_parts(&snapshot.epochs(scope).unwrap(), |from, limit| {
        snapshot.epochs_from(scope, from.unwrap_or(first), limit).unwrap()
    });
    check_parts(&snapshot.users().unwrap(), |from, limit| snapshot.users_from(from, limit).unwrap());
    check_parts(&snapshot.bindings().unwrap(), |from, limit| snapshot.bindings_from(from, limit).unwrap());
    let all = snapshot.allocations(scope, first, Which::Final, None, usize::MAX).unwrap();
    assert_eq!(all.len(), 70);
    check_parts(&all, |from: Option<meed_audit::ids::Claimant>, limit| {
        let from: KeyText =
            from.map_or_else(KeyText::default, |claimant| claimant.to_string().parse().unwrap());
        snapshot.allocations_from(scope, first, Which::Final, &from, limit).unwrap()
    });
    for claimant in all.iter().map(|allocation| &allocation.claimant) {
        let after = snapshot.allocations(scope, first, Which::Final, Some(claimant), 1).unwrap();
        let next = all.iter().find(|allocation| allocation.claimant > *claimant);
        assert_eq!(after.first(), next, "after {claimant}");
    }
    assert_eq!(snapshot.newest_epoch(scope).unwrap(), Some(EpochNumber::new(3).unwrap()));
}

#[test]
fn allocations_begin_where_a_text_would_stand() {
    let (world, scope) = world();
    let snapshot = world.snapshot();
    let all = snapshot.allocations(scope, EpochNumber::FIRST, Which::Final, None, usize::MAX).unwrap();
    for from in [
        "",
        "a",
        "identity:github:",
        "identity:github:3",
        "identity:github:35",
        "identity:github:6a",
        "u",
        "z",
    ] {
        let part = snapshot
            .allocations_from(scope, EpochNumber::FIRST, Which::Final, &from.parse().unwrap(), usize::MAX)
            .unwrap();
        let expected: Vec<_> =
            all.iter().filter(|row| row.claimant.to_string().as_str() >= from).cloned().collect();
        assert_eq!(part.items, expected, "from {from:?}");
    }
}

#[test]
fn conflicts_and_payouts_come_in_parts_too() {
    let (world, scope) = world();
    let other = r#"[{"provider":"github","id":"5"}]"#;
    let names = ["0-1", "0-2", "1-3"];
    world.append(&[scope], names.map(|name| event_with(name, other, WEEK_1, "edited")).into());
    let snapshot = world.snapshot();
    check_parts(&snapshot.conflicts().unwrap(), |from, limit| snapshot.conflicts_from(from, limit).unwrap());
    // Of three epochs two are final, and a part looks at as many as it may hold.
    let of_one = |from, limit| snapshot.payouts_from(&unbound("1"), from, limit).unwrap();
    let (first, rest) = (of_one(None, 1), of_one(None, 2));
    assert_eq!((first.items.len(), rest.items.len()), (1, 2));
    let last = of_one(rest.next, 1);
    assert_eq!((last.items, last.next), (Vec::new(), None), "the open one pays nothing yet");
    assert_eq!(snapshot.payouts_of(&unbound("1")).unwrap(), rest.items);
}

#[test]
fn accounts_are_found_with_their_people() {
    let (world, _) = world();
    let found = world.snapshot().identities_of(&[user(1), user(3), user(9)]).unwrap();
    let expected = [(user(1), vec![github("7")]), (user(3), Vec::new()), (user(9), Vec::new())];
    assert_eq!(found, expected.into());
}

#[test]
fn entries_that_are_known_are_not_looked_for_again() {
    let (world, scope) = world();
    let other = world.scope("other");
    world.append(&[other], vec![event("elsewhere", ALICE, WEEK_3), event("0-3", "3", WEEK_1)]);
    world.commit(scope, "late", BOB, WEEK_1);
    let snapshot = world.snapshot();
    for epoch in snapshot.epochs(scope).unwrap() {
        let all = snapshot.epoch_entries(scope, epoch.number).unwrap();
        let size =
            epoch.closed.map_or(snapshot.log_size(LogKind::Events).unwrap(), |closed| closed.events.size);
        for known_size in 0..=size {
            let known: Vec<u64> = all.iter().copied().filter(|index| *index < known_size).collect();
            let found = snapshot.epoch_entries_since(scope, epoch.number, &known, known_size).unwrap();
            assert_eq!(found, all, "from {known_size}");
        }
    }
}

/// What is read part by part adds up to what is computed at once, by the decisions of now and of then.
#[test]
fn events_that_are_read_in_parts_give_what_the_epoch_gives() {
    let (world, scope) = world();
    let third = EpochNumber::new(3).unwrap();
    let decide = |change| world.ledger.decide(scope, third, change, text("why"), by(WEEK_3)).unwrap();
    decide(Change::Exclude(event_id("2-4")));
    decide(Change::Weight(event_id("2-7"), units(5)));
    decide(Change::Override(unbound("8"), units(1)));
    let snapshot = world.snapshot();
    let state = snapshot.state_at(scope, snapshot.decisions_size(scope).unwrap()).unwrap();
    let proposal = snapshot.proposal(scope, third).unwrap();
    let mut earned = Earnings::default();
    for entries in snapshot.epoch_entries(scope, third).unwrap().chunks(9) {
        for curated in snapshot.curated(scope, third, entries, &state).unwrap() {
            earned.add(&curated.activity).unwrap();
        }
    }
    let by_parts = earned.into_sorted(std::iter::empty()).unwrap();
    let proposed: Vec<_> =
        proposal.allocations.iter().map(|row| (&row.claimant, row.proposed_units)).collect();
    assert_eq!(
        by_parts.iter().map(|(claimant, earned)| (claimant, earned.units)).collect::<Vec<_>>(),
        proposed
    );
    check_state_of_then(&snapshot, scope);
}

fn check_state_of_then(snapshot: &Snapshot, scope: ScopeId) {
    let draft = snapshot.draft(scope, EpochNumber::FIRST, Which::Final).unwrap();
    let then = snapshot.state_at(scope, draft.decisions_size).unwrap();
    let entries = snapshot.epoch_entries(scope, EpochNumber::FIRST).unwrap();
    let curated = snapshot.curated(scope, EpochNumber::FIRST, &entries, &then).unwrap();
    assert!(
        curated.iter().all(|one| one.activity.claimants[0].key != meed_audit::ids::Claimant::User(user(1)))
    );
    assert!(snapshot.event_by_id(&event_id("0-7")).unwrap().is_some());
}

#[test]
fn equal_terms_of_a_preview_give_the_text_of_a_freeze() {
    let (world, scope) = world();
    let third = EpochNumber::new(3).unwrap();
    world.close(scope, third);
    let snapshot = world.snapshot();
    let terms = snapshot.preview_terms(scope, third, time(LATER)).unwrap();
    assert_eq!(terms, snapshot.preview_terms(scope, third, time(LATER)).unwrap());
    let preview = snapshot.preview(scope, third, &terms).unwrap().statement;
    let change = Change::Exclude(event_id("2-4"));
    world.ledger.decide(scope, third, change, text("why"), by(LATER)).unwrap();
    assert_ne!(terms, world.snapshot().preview_terms(scope, third, time(LATER)).unwrap());
    world.ledger.decide(scope, third, Change::Include(event_id("2-4")), text("why"), by(LATER)).unwrap();
    let again = world.snapshot().preview_terms(scope, third, time(LATER)).unwrap();
    assert_ne!(terms, again, "the decisions are part of the statement");
    let frozen = world.freeze(scope, third).statement;
    assert_eq!(world.snapshot().preview(scope, third, &again).unwrap().statement, frozen);
    assert_ne!(preview, frozen);
}
