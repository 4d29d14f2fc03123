//! What was decided after a draft is left out of what becomes final only by who says so, and the transaction that writes
//! it asks (rule `DRAFT_PINNED`).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::world::*;
use meed_audit::RejectionCode as Code;
use meed_audit::decision::Change;
use meed_audit::ids::{Claimant, EpochNumber, ScopeId};
use meed_storage::{Draft, FinalizeTerms};

/// An epoch with events of Alice and Bob, frozen and signed by two; users 1 and 2.
fn signed() -> (World, ScopeId, EpochNumber, Draft) {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.commit(scope, "a1", ALICE, WEEK_1);
    world.commit(scope, "b1", BOB, WEEK_1);
    for number in [1, 2] {
        world.ledger.add_user(user(number), None, by(WEEK_1)).unwrap();
    }
    let stranger = Change::Override(unbound("7"), units(5));
    world.ledger.decide(scope, first, stranger, text("was on call"), by(LATER)).unwrap();
    let shares = [(Claimant::User(user(1)), 400_000), (unbound("8"), 600_000)];
    let shares = Change::Shares(event_id("b1"), BTreeMap::from(shares));
    world.ledger.decide(scope, first, shares, text("as they say"), by(LATER)).unwrap();
    world.close(scope, first);
    let draft = world.freeze(scope, first);
    world.approve(scope, first, &draft, &[0, 1]);
    (world, scope, first, draft)
}

#[test]
fn decisions_after_a_draft_are_left_out_only_by_who_says_so() {
    let (world, scope, first, draft) = signed();
    let weight = Change::Weight(event_id("a1"), units(7));
    world.ledger.decide(scope, first, weight, text("small"), by(LATER)).unwrap();
    let facts = world.facts();
    let refused = refusal(world.ledger.finalize(scope, first, by(LATER)));
    assert_eq!((refused.code, refused.subject.as_str()), (Code::DecisionsAfterDraft, "epoch 1"));
    assert!(refused.got.contains("revision 0, that does not hold 1 decision made after it"), "{refused}");
    assert_eq!(world.facts(), facts, "nothing was written");
    let terms = FinalizeTerms { leave_out_later: true };
    let last = world.ledger.finalize_on(scope, first, terms, by(LATER)).unwrap();
    assert_eq!(last.statement, draft.statement);
    // What is final already is given, whatever was decided since.
    assert_eq!(world.ledger.finalize(scope, first, by(LATER)).unwrap(), last);
}

/// Only what can touch the epoch counts: its own decisions, and those on accounts that it names.
#[test]
fn decisions_that_cannot_touch_the_epoch_do_not_count() {
    let (world, scope, first, _) = signed();
    let count = || world.snapshot().decisions_after_draft(scope, first).unwrap();
    let second = world.open(scope, WEEK_2);
    world.commit(scope, "c2", CAROL, WEEK_2);
    world.ledger.decide(scope, second, Change::Exclude(event_id("c2")), text("spam"), by(LATER)).unwrap();
    world.bind(CAROL, 2);
    world.ledger.revoke(github(CAROL), evidence("left"), by(LATER)).unwrap();
    world.ledger.erase_metadata(event_id("a1"), text("asked"), by(LATER)).unwrap();
    assert_eq!(count(), 0, "another epoch's, and an account without activity");
    // Authors of its events, and accounts and people that its overrides and shares name.
    for (number, account, owner) in [(1, ALICE, 2), (2, "7", 2), (3, "8", 2), (4, "9", 1)] {
        world.bind(account, owner);
        assert_eq!(count(), number, "account {account} of user {owner}");
    }
    world.ledger.rebind(github(CAROL), user(2), user(1), evidence("sold"), by(LATER)).unwrap();
    assert_eq!(count(), 5, "user 1 has a share");
    assert_eq!(code(world.ledger.finalize(scope, first, by(LATER))), Code::DecisionsAfterDraft);
}

#[test]
fn an_account_without_activity_does_not_hold_a_draft_up() {
    let (world, scope, first, draft) = signed();
    world.bind(CAROL, 2);
    assert_eq!(world.finalize(scope, first).statement, draft.statement);
}

/// The transaction asks again: whatever is decided while an epoch is made final is in it, or the draft is refused, or it
/// came after what is final.
#[test]
fn no_decision_slips_in_while_an_epoch_becomes_final() {
    for _ in 0..8 {
        let (world, scope, first, draft) = signed();
        let stop = AtomicBool::new(false);
        let finalized = std::thread::scope(|threads| {
            let decide = || {
                let mut weight = 1;
                while !stop.load(Ordering::SeqCst) {
                    let change = Change::Weight(event_id("a1"), units(weight));
                    if world.ledger.decide(scope, first, change, text("again"), by(LATER)).is_err() {
                        return;
                    }
                    weight += 1;
                }
            };
            let decider = threads.spawn(decide);
            let finalized = world.ledger.finalize(scope, first, by(LATER));
            stop.store(true, Ordering::SeqCst);
            decider.join().unwrap();
            finalized
        });
        let size = world.snapshot().decisions_size(scope).unwrap();
        match finalized {
            Ok(last) => {
                assert_eq!(
                    size, draft.decisions_size,
                    "nothing was decided before, and nothing can be after"
                );
                assert_eq!(last.statement, draft.statement);
            }
            refused => {
                assert_eq!(code(refused), Code::DecisionsAfterDraft);
                assert!(size > draft.decisions_size);
            }
        }
    }
}
