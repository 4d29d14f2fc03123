//! People and their own accounts: nothing merges by itself, and nobody reaches another's.

use crate::support::world::*;
use meed_audit::RejectionCode as Code;
use meed_audit::decision::Action;
use meed_storage::Bound;

/// Makes user `number` of an account.
fn found(
    world: &World,
    account: &str,
    number: u8,
) -> meed_storage::LedgerResult<(meed_storage::User, Bound)> {
    world.ledger.found_user(github(account), user(number), Some(text("Ana")), evidence("signed"), by(WEEK_1))
}

fn bind_own(world: &World, holder: &str, account: &str, number: u8) -> meed_storage::LedgerResult<Bound> {
    world.ledger.bind_own(github(holder), github(account), user(number), evidence("signed"), by(WEEK_1))
}

fn revoke_own(
    world: &World,
    holder: &str,
    account: &str,
) -> meed_storage::LedgerResult<meed_audit::ids::UserId> {
    world.ledger.revoke_own(github(holder), github(account), evidence("mine"), by(WEEK_2))
}

#[test]
fn an_account_becomes_a_person_once_with_evidence_and_a_decision() {
    let world = World::new();
    let scope = world.scope("default");
    let (made, bound) = found(&world, ALICE, 1).unwrap();
    assert_eq!((made.id, made.name.clone(), bound), (user(1), Some(text("Ana")), Bound::New));
    assert_eq!(made.created_by, by(WEEK_1).actor);
    // Asked again, with whatever id: the same person.
    assert_eq!(found(&world, ALICE, 2).unwrap(), (made, Bound::Already));
    let snapshot = world.snapshot();
    assert_eq!(snapshot.users().unwrap().len(), 1);
    let events = snapshot.identity_events(&github(ALICE)).unwrap();
    assert_eq!((events.len(), events[0].evidence.as_str()), (1, r#"{"word":"signed"}"#));
    let decisions = snapshot.decisions(scope, 0, 10).unwrap();
    assert_eq!(decisions.len(), 1);
    assert_eq!((decisions[0].1.action, &decisions[0].1.actor), (Action::Bind, &by(WEEK_1).actor));
    let (owner, accounts) = snapshot.owner_of(&github(ALICE)).unwrap().unwrap();
    assert_eq!((owner.id, accounts.len()), (user(1), 1));
    assert_eq!(snapshot.owner_of(&github(BOB)).unwrap(), None);
}

#[test]
fn a_second_account_is_bound_from_the_first_and_never_taken_from_another() {
    let world = World::new();
    found(&world, ALICE, 1).unwrap();
    assert_eq!(code(bind_own(&world, BOB, CAROL, 1)), Code::IdentityNotBound, "the holder is nobody's");
    assert_eq!(bind_own(&world, ALICE, BOB, 1).unwrap(), Bound::New);
    assert_eq!(bind_own(&world, ALICE, BOB, 1).unwrap(), Bound::Already);
    found(&world, CAROL, 2).unwrap();
    assert_eq!(code(bind_own(&world, ALICE, CAROL, 1)), Code::IdentityBoundToOther);
    assert_eq!(code(bind_own(&world, ALICE, "77", 2)), Code::IdentityNotBound, "not in another's name");
    let (_, accounts) = world.snapshot().owner_of(&github(BOB)).unwrap().unwrap();
    assert_eq!(accounts.len(), 2);
}

#[test]
fn only_own_accounts_are_revoked_and_a_revoked_one_returns_by_another_of_its_user() {
    let world = World::new();
    found(&world, ALICE, 1).unwrap();
    bind_own(&world, ALICE, BOB, 1).unwrap();
    found(&world, CAROL, 2).unwrap();
    let (others, nobodys) = (revoke_own(&world, ALICE, CAROL), revoke_own(&world, ALICE, "77"));
    assert_eq!((code(others), code(nobodys)), (Code::IdentityNotBound, Code::IdentityNotBound));
    assert_eq!(revoke_own(&world, ALICE, BOB).unwrap(), user(1));
    assert_eq!(
        code(revoke_own(&world, BOB, ALICE)),
        Code::IdentityNotBound,
        "a revoked account decides nothing"
    );
    assert_eq!(code(found(&world, BOB, 3)), Code::IdentityBoundToOther, "nor does it become somebody else");
    assert_eq!(code(bind_own(&world, BOB, BOB, 1)), Code::IdentityNotBound, "nor return by itself");
    assert_eq!(code(bind_own(&world, CAROL, BOB, 2)), Code::IdentityBoundToOther);
    assert_eq!(bind_own(&world, ALICE, BOB, 1).unwrap(), Bound::New);
    let actions: Vec<_> =
        world.snapshot().identity_events(&github(BOB)).unwrap().iter().map(|event| event.action).collect();
    assert_eq!(actions, [Action::Bind, Action::Revoke, Action::Bind]);
    // The last account may go as well.
    revoke_own(&world, BOB, ALICE).unwrap();
    revoke_own(&world, BOB, BOB).unwrap();
    assert_eq!(world.snapshot().users().unwrap().len(), 2);
}
