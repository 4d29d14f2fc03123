//! Overrides are for a claimant as it is: one that is older than the last change of the claimant's accounts has to be
//! stated again before anything is frozen (rule `DRAFT_PINNED`).

use crate::support::world::*;
use meed_audit::RejectionCode as Code;
use meed_audit::decision::Change;
use meed_audit::ids::{Claimant, EpochNumber, ScopeId};
use meed_storage::Which;

fn set(world: &World, scope: ScopeId, epoch: EpochNumber, claimant: Claimant, value: u128) {
    let change = Change::Override(claimant, units(value));
    world.ledger.decide(scope, epoch, change, text("bonus"), by(LATER)).unwrap();
}

/// Users 1 and 2; Alice's and Bob's accounts are the first one's, and all three have an event in the first week.
fn two_accounts() -> (World, ScopeId, EpochNumber) {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    for (name, author) in [("a1", ALICE), ("b1", BOB), ("c1", CAROL)] {
        world.commit(scope, name, author, WEEK_1);
    }
    world.bind(ALICE, 1);
    world.bind(BOB, 1);
    world.ledger.add_user(user(2), None, by(WEEK_1)).unwrap();
    (world, scope, first)
}

fn one() -> Claimant {
    Claimant::User(user(1))
}

/// The refusal of a freeze, whose words these are among.
fn refused(world: &World, scope: ScopeId, epoch: EpochNumber, words: &[&str]) {
    let facts = world.facts();
    let refusal = refusal(world.ledger.freeze(scope, epoch, 14, by(LATER)));
    assert_eq!(refusal.code, Code::OverrideClaimantMoved);
    for word in words {
        assert!(refusal.to_string().contains(word), "{word} in {refusal}");
    }
    assert_eq!(world.facts(), facts, "nothing was frozen");
}

fn paid(world: &World, scope: ScopeId, epoch: EpochNumber) -> Vec<(String, u128)> {
    let rows = world.snapshot().allocations(scope, epoch, Which::Final, None, usize::MAX).unwrap();
    rows.into_iter().map(|row| (row.claimant.to_string(), row.final_units.value())).collect()
}

#[test]
fn an_override_of_a_claimant_that_has_moved_must_be_restated() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.commit(scope, "a1", ALICE, WEEK_1);
    set(&world, scope, first, unbound(ALICE), 5);
    world.bind(ALICE, 1);
    world.close(scope, first);
    refused(&world, scope, first, &[&format!("one of {}, since it was bound to", one())]);
    set(&world, scope, first, one(), 5);
    let decided = world.snapshot().epoch_decisions(scope, first).unwrap();
    assert_eq!(decided.overrides.len(), 1, "the identity's is withdrawn");
    world.finish(scope, first);
    let payout = world.verified(scope, first, &one());
    assert_eq!(
        (payout.allocation().final_units, payout.allocation().proposed_units),
        (units(5), units(1_000))
    );
    assert_eq!(payout.allocation().override_reason, Some(text("bonus")));
}

/// Otherwise what an account earned that is no longer the user's would be paid beside the units that count it.
#[test]
fn an_override_from_before_an_account_was_revoked_must_be_restated() {
    let (world, scope, first) = two_accounts();
    set(&world, scope, first, one(), 2_000);
    world.ledger.revoke(github(BOB), evidence("left"), by(LATER)).unwrap();
    let place = world.snapshot().decisions_size(scope).unwrap() - 1;
    world.close(scope, first);
    let changed = format!("identity:github:{BOB} was revoked from it by decision {place}");
    refused(&world, scope, first, &[&format!("override of {}", one()), &changed]);
    let stale = world.snapshot().stale_overrides(scope, first).unwrap();
    assert_eq!(
        stale.iter().map(|(stale, why)| (&stale.claimant, why)).collect::<Vec<_>>(),
        [(&one(), &changed)]
    );
    // The same units and reason again are a decision on the claimant as it is now.
    set(&world, scope, first, one(), 2_000);
    assert_eq!(world.snapshot().stale_overrides(scope, first).unwrap(), []);
    world.finish(scope, first);
    let expected = [(unbound(BOB), 1_000), (unbound(CAROL), 1_000), (one(), 2_000)];
    assert_eq!(paid(&world, scope, first), expected.map(|(claimant, units)| (claimant.to_string(), units)));
    world.snapshot().dossier(scope, first, Which::Final).unwrap().recompute().unwrap();
}

/// Otherwise what an account earned would be swallowed by units that do not count it.
#[test]
fn an_override_from_before_another_account_was_bound_must_be_restated() {
    let (world, scope, first) = two_accounts();
    set(&world, scope, first, one(), 2_000);
    world.bind(CAROL, 1);
    world.close(scope, first);
    refused(&world, scope, first, &[&format!("identity:github:{CAROL} was bound to it by decision")]);
    set(&world, scope, first, one(), 3_000);
    world.finish(scope, first);
    assert_eq!(paid(&world, scope, first), [(one().to_string(), 3_000)]);
}

/// A rebind changes both people; all overrides that have to be restated are named at once.
#[test]
fn overrides_of_both_people_of_a_rebind_must_be_restated() {
    let (world, scope, first) = two_accounts();
    let other = Claimant::User(user(2));
    set(&world, scope, first, one(), 2_000);
    set(&world, scope, first, other.clone(), 7);
    set(&world, scope, first, unbound(CAROL), 9);
    world.ledger.rebind(github(BOB), user(1), user(2), evidence("sold"), by(LATER)).unwrap();
    world.close(scope, first);
    let away =
        format!("for {} one made after identity:github:{BOB} was rebound from it to {other} by", one());
    let got = format!("for {other} one made after identity:github:{BOB} was bound to it by");
    refused(&world, scope, first, &["overrides of epoch 1", &away, &got, "got 2 older ones"]);
    set(&world, scope, first, one(), 1_000);
    refused(&world, scope, first, &[&format!("override of {other}")]);
    set(&world, scope, first, other, 1_000);
    world.finish(scope, first);
}

/// Who was bound and is nobody's again stands for the same account, and yet somebody decided in between whose it is.
#[test]
fn an_override_of_an_account_that_was_somebodys_since_must_be_restated() {
    let (world, scope, first) = two_accounts();
    set(&world, scope, first, unbound(CAROL), 9);
    world.bind(CAROL, 2);
    world.ledger.revoke(github(CAROL), evidence("a mistake"), by(LATER)).unwrap();
    world.close(scope, first);
    refused(&world, scope, first, &["its binding was revoked by decision"]);
    let change = Change::Withdraw(unbound(CAROL));
    world.ledger.decide(scope, first, change, text("as it was"), by(LATER)).unwrap();
    world.finish(scope, first);
    assert_eq!(paid(&world, scope, first)[0], (unbound(CAROL).to_string(), 1_000));
}

/// What is final stays as it was signed; an amendment is of the claimants of now.
#[test]
fn an_amendment_restates_overrides_whose_claimants_have_changed() {
    let (world, scope, first) = two_accounts();
    set(&world, scope, first, one(), 2_000);
    let zero = world.complete(scope, first);
    world.ledger.revoke(github(BOB), evidence("left"), by(LATER)).unwrap();
    assert_eq!(world.snapshot().verification(scope, first, Which::Final).unwrap().statement, zero.statement);
    world.ledger.amend(scope, first, text("the account was not theirs"), by(LATER)).unwrap();
    refused(&world, scope, first, &[&format!("identity:github:{BOB} was revoked from it")]);
    set(&world, scope, first, one(), 1_000);
    world.finish(scope, first);
    assert_eq!(paid(&world, scope, first)[0], (unbound(BOB).to_string(), 1_000));
    assert_eq!(world.snapshot().fsck(&mut |_| {}).problems, []);
}

/// A scope that is made later begins with the bindings of the node, at places of its own.
#[test]
fn a_later_scope_knows_when_its_claimants_changed() {
    let (world, _, _) = two_accounts();
    world.bind(CAROL, 2);
    world.ledger.revoke(github(CAROL), evidence("left"), by(WEEK_1)).unwrap();
    let scope = world.scope("later");
    let first = world.open(scope, WEEK_1);
    set(&world, scope, first, one(), 5);
    set(&world, scope, first, unbound(CAROL), 6);
    world.close(scope, first);
    world.freeze(scope, first);
    world.ledger.revoke(github(ALICE), evidence("left"), by(LATER)).unwrap();
    refused(&world, scope, first, &[&format!("override of {}", one())]);
    set(&world, scope, first, one(), 5);
    world.finish(scope, first);
    assert_eq!(world.snapshot().fsck(&mut |_| {}).problems, []);
}

/// Of very many the refusal names the first ones and counts the others.
#[test]
fn a_refusal_of_many_overrides_is_bounded() {
    let (world, scope, first) = two_accounts();
    for number in 10..25_u8 {
        world.bind(&format!("5{number}"), number);
        set(&world, scope, first, Claimant::User(user(number)), 3);
        world.bind(&format!("6{number}"), number);
    }
    world.close(scope, first);
    refused(&world, scope, first, &["and for 5 more", "got 15 older ones"]);
    assert_eq!(world.snapshot().stale_overrides(scope, first).unwrap().len(), 15);
}
