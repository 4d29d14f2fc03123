//! Who is paid what by which statement, and who goes without: what contributors and operators ask the ledger.

use crate::support::world::*;
use meed_audit::decision::Change;
use meed_audit::ids::{Claimant, EpochNumber, Revision, ScopeId};
use meed_audit::policy::Unlinked;
use meed_storage::{ClaimantHistory, ScopeTerms, Which};

/// Two final epochs of two scopes; in the first one an amendment took Bob out and bound Alice's account to user 1.
fn amended() -> (World, ScopeId, ScopeId) {
    let world = World::new();
    let (scope, other) = (world.scope("default"), world.scope("other"));
    let first = world.open(scope, WEEK_1);
    world.commit(scope, "a1", ALICE, WEEK_1);
    world.commit(scope, "b1", BOB, WEEK_1);
    world.complete(scope, first);
    let second = world.open(scope, WEEK_2);
    world.commit(scope, "b2", BOB, WEEK_2);
    world.complete(scope, second);
    let elsewhere = world.open(other, WEEK_1);
    world.commit(other, "b3", BOB, WEEK_1);
    world.complete(other, elsewhere);
    world.ledger.amend(scope, first, text("b1 was spam"), by(LATER)).unwrap();
    world.ledger.decide(scope, first, Change::Exclude(event_id("b1")), text("spam"), by(LATER)).unwrap();
    world.bind(ALICE, 1);
    world.finish(scope, first);
    (world, scope, other)
}

#[test]
fn the_history_of_payouts_has_what_an_amendment_replaced() {
    let (world, scope, other) = amended();
    let snapshot = world.snapshot();
    let (first, second) = (EpochNumber::FIRST, EpochNumber::FIRST.next());
    let history = |claimant: &Claimant| {
        let part = snapshot.payout_history_from(claimant, None, usize::MAX).unwrap();
        assert_eq!(part.next, None);
        let paid = |history: ClaimantHistory| {
            let revision = |(revision, paid): (Revision, Option<meed_audit::allocation::Allocation>)| {
                (revision.get(), paid.map(|paid| paid.credits.value()))
            };
            let revisions: Vec<_> = history.revisions.into_iter().map(revision).collect();
            (history.scope, history.epoch, revisions)
        };
        let mut found: Vec<_> = part.items.into_iter().map(paid).collect();
        found.sort_by_key(|(of, epoch, _)| (*of != scope, *epoch));
        found
    };
    // Bob was in the first statement, and is not named by the one that replaced it.
    assert_eq!(
        history(&unbound(BOB)),
        [
            (scope, first, vec![(0, Some(5_000)), (1, None)]),
            (scope, second, vec![(0, Some(10_000))]),
            (other, first, vec![(0, Some(10_000))]),
        ]
    );
    assert_eq!(history(&unbound(ALICE)), [(scope, first, vec![(0, Some(5_000)), (1, None)])]);
    assert_eq!(history(&Claimant::User(user(1))), [(scope, first, vec![(0, None), (1, Some(10_000))])]);
    assert_eq!(history(&unbound(CAROL)), []);
    // In parts, each of which looks at so many epochs; one that is open is looked at, and says nothing.
    world.open(scope, WEEK_3);
    let snapshot = world.snapshot();
    let (mut from, mut found, mut parts) = (None, Vec::new(), 0);
    loop {
        let part = snapshot.payout_history_from(&unbound(BOB), from, 1).unwrap();
        assert!(part.items.len() <= 1);
        (found, parts) = ([found, part.items].concat(), parts + 1);
        let Some(next) = part.next else { break };
        from = Some(next);
    }
    let whole = snapshot.payout_history_from(&unbound(BOB), None, usize::MAX).unwrap().items;
    assert_eq!((found, parts), (whole, 4));
}

#[test]
fn the_final_statements_of_an_epoch_end_with_the_one_in_force() {
    let (world, scope, _) = amended();
    let snapshot = world.snapshot();
    let (first, second) = (EpochNumber::FIRST, EpochNumber::FIRST.next());
    let finals = snapshot.final_statements_of(scope, first).unwrap();
    let said: Vec<_> = finals.iter().map(|last| (last.statement.revision.get(), last.in_force)).collect();
    assert_eq!(said, [(0, false), (1, true)]);
    assert_eq!(finals[1].statement.supersedes, Some(finals[0].text_hash));
    let last = snapshot.final_statement(scope, first, Which::Final).unwrap();
    assert_eq!(finals[1].note, last.note);
    assert_eq!(snapshot.final_statements_of(scope, second).unwrap().len(), 1);
    let third = world.open(scope, WEEK_3);
    assert!(world.snapshot().final_statements_of(scope, third).unwrap().is_empty());
    let missing = snapshot.final_statements_of(scope, third.next());
    assert_eq!(code(missing.map(|finals| finals.len())), meed_audit::RejectionCode::EpochNotFound);
}

#[test]
fn accounts_that_go_without_because_they_are_nobodys_are_named() {
    let world = World::new();
    let users_only = ScopeTerms { unlinked: Unlinked::Exclude, ..terms("users-only") };
    let scope = world.ledger.add_scope(users_only, by(WEEK_1)).unwrap().id;
    let everybody = world.scope("everybody");
    let epochs = [world.open(scope, WEEK_1), world.open(everybody, WEEK_1)];
    world.bind(ALICE, 1);
    for (name, author) in
        [("a1", ALICE), ("b1", BOB), ("b2", BOB), ("c1", CAROL), ("d1", "104"), ("e1", "105")]
    {
        world.append(&[scope, everybody], vec![event(name, author, WEEK_1)]);
    }
    let decide = |change| world.ledger.decide(scope, epochs[0], change, text("why"), by(WEEK_1)).unwrap();
    // Work that counts for nothing leaves nobody without, and units that a person set are paid.
    decide(Change::Exclude(event_id("d1")));
    decide(Change::Override(unbound("105"), units(7)));
    decide(Change::Weight(event_id("b2"), units(500)));
    let unpaid = |scope, epoch| {
        let snapshot = world.snapshot();
        let entries = snapshot.epoch_entries(scope, epoch).unwrap();
        let state = snapshot.state_at(scope, snapshot.decisions_size(scope).unwrap()).unwrap();
        let found = snapshot.unbound_accounts(scope, epoch, &entries, &state).unwrap();
        let paid = snapshot.proposal_of(scope, epoch, &entries, &state).unwrap().allocations;
        assert!(
            found.iter().all(|one| {
                paid.iter().all(|row| row.claimant != Claimant::Identity(one.identity.clone()))
            })
        );
        let account =
            |one: &meed_storage::UnboundAccount| (one.identity.clone(), one.units.value(), one.events_count);
        found.iter().map(account).collect::<Vec<_>>()
    };
    assert_eq!(unpaid(scope, epochs[0]), [(github(BOB), 1_500, 2), (github(CAROL), 1_000, 1)]);
    assert_eq!(unpaid(everybody, epochs[1]), [], "there accounts are paid as they are");
    world.bind(BOB, 2);
    assert_eq!(unpaid(scope, epochs[0]), [(github(CAROL), 1_000, 1)]);
}
