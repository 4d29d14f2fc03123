//! The rules of people, bindings and decisions, each by its name; and tokens and erasure.

use crate::support::world::*;
use meed_audit::RejectionCode as Code;
use meed_audit::decision::{Action, Change};
use meed_audit::hash::Hash;
use meed_audit::ids::Claimant;
use meed_storage::{Added, Bound, By, Erased, EventReader, Evidence, PrivateData, Role};

#[test]
fn no_auto_merge_and_bindings_are_evidenced() {
    let world = World::new();
    let (one, two) = (world.scope("one"), world.scope("two"));
    let bind = |account: &str, number: u8| {
        world.ledger.bind(github(account), user(number), evidence("gist"), by(WEEK_1))
    };
    assert_eq!(code(bind(ALICE, 1)), Code::UserNotFound);
    for number in [1, 2] {
        world.ledger.add_user(user(number), Some(text("somebody")), by(WEEK_1)).unwrap();
    }
    assert_eq!(bind(ALICE, 1).unwrap(), Bound::New);
    assert_eq!(bind(ALICE, 1).unwrap(), Bound::Already);
    assert_eq!(code(bind(ALICE, 2)), Code::IdentityBoundToOther);
    assert_eq!(bind(BOB, 1).unwrap(), Bound::New, "one user has many identities");
    let snapshot = world.snapshot();
    let events = snapshot.identity_events(&github(ALICE)).unwrap();
    assert_eq!((events.len(), events[0].evidence.as_str()), (1, r#"{"word":"gist"}"#));
    // In every scope a decision, whose reason binds the evidence by its salted hash.
    let hash = Hash::of(&[&[9_u8; 32][..], br#"{"word":"gist"}"#].concat());
    for scope in [one, two] {
        let decisions = snapshot.decisions(scope, 0, 10).unwrap();
        assert_eq!(decisions.len(), 2);
        assert_eq!(decisions[0].1.reason.as_str(), format!("evidence sha256:{hash}"));
        assert_eq!(decisions[0].1.subject, github(ALICE).to_string());
    }
    for bad in [&b"[]"[..], b"1", b"{", br#"{"a":1,"a":2}"#, br#"{"a":null}"#] {
        assert!(Evidence::parse(bad, [0; 32]).is_err());
    }
}

#[test]
fn identity_events_append_only() {
    let world = World::new();
    let scope = world.scope("default");
    world.bind(ALICE, 1);
    world.ledger.add_user(user(2), None, by(WEEK_1)).unwrap();
    let identity = || github(ALICE);
    let revoke = || world.ledger.revoke(identity(), evidence("gone"), by(WEEK_2));
    let rebind =
        |from, to| world.ledger.rebind(identity(), user(from), user(to), evidence("sold"), by(WEEK_2));
    revoke().unwrap();
    assert_eq!(code(revoke()), Code::IdentityNotBound);
    let bind = |number| world.ledger.bind(identity(), user(number), evidence("again"), by(WEEK_2));
    assert_eq!(code(bind(2)), Code::IdentityBoundToOther, "also when it is revoked");
    assert_eq!(bind(1).unwrap(), Bound::New, "to the same user again");
    assert_eq!(code(rebind(2, 1)), Code::Mismatch, "it names both");
    assert_eq!(code(rebind(1, 1)), Code::NothingToChange);
    assert_eq!(code(rebind(1, 3)), Code::UserNotFound);
    rebind(1, 2).unwrap();
    let unknown = world.ledger.rebind(github(BOB), user(1), user(2), evidence("x"), by(WEEK_2));
    assert_eq!(code(unknown), Code::IdentityNotBound);
    let snapshot = world.snapshot();
    let actions: Vec<_> = snapshot.identity_events(&identity()).unwrap().iter().map(|e| e.action).collect();
    let expected = [Action::Bind, Action::Revoke, Action::Bind, Action::Rebind];
    assert_eq!(actions, expected);
    let decided: Vec<_> = snapshot.decisions(scope, 0, 10).unwrap().iter().map(|(_, d)| d.action).collect();
    assert_eq!(decided, expected);
    assert_eq!(snapshot.binding(&identity()).unwrap().unwrap().user, Some(user(2)));
    // A scope that is made later begins with the bindings in force.
    let later = world.scope("later");
    let replayed = world.snapshot().decisions(later, 0, 10).unwrap();
    assert_eq!(replayed.len(), 1);
    assert_eq!(replayed[0].1.after, Some(format!("user:{}", user(2))));
}

/// A scope that is made later begins with what is known, in the names of those who decided it and not of who makes the
/// scope; and what was revoked before is known there too.
#[test]
fn a_later_scope_has_the_bindings_of_then_in_the_names_of_those_who_made_them() {
    let world = World::new();
    let of = |who: &str, at: &str| By::new(text(who), time(at));
    let signed = of("identity:github:101", WEEK_1);
    world.ledger.found_user(github(ALICE), user(1), None, evidence("signed"), signed).unwrap();
    world.ledger.add_user(user(2), None, by(WEEK_1)).unwrap();
    world.ledger.bind(github(BOB), user(2), evidence("gist"), of("olivia", WEEK_2)).unwrap();
    world.ledger.revoke(github(BOB), evidence("left"), of("peter", WEEK_3)).unwrap();
    let scope = world.scope("later");
    let snapshot = world.snapshot();
    assert_eq!(snapshot.scope(scope).unwrap().created_by, text("operator"));
    let decisions = snapshot.decisions(scope, 0, 9).unwrap();
    let made: Vec<_> =
        decisions.iter().map(|(_, made)| (made.action, made.actor.as_str(), made.at)).collect();
    let expected = [
        (Action::Bind, "identity:github:101", time(WEEK_1)),
        (Action::Bind, "olivia", time(WEEK_2)),
        (Action::Revoke, "peter", time(WEEK_3)),
    ];
    assert_eq!(made, expected);
    assert_eq!(snapshot.fsck(&mut |_| {}).problems, []);
    // So a rebind names both people in this scope as in the others.
    world.ledger.rebind(github(BOB), user(2), user(1), evidence("sold"), by(LATER)).unwrap();
    let rebound = world.snapshot().decision(scope, 3).unwrap();
    assert_eq!((rebound.action, rebound.before), (Action::Rebind, Some(format!("user:{}", user(2)))));
    assert_eq!(world.snapshot().fsck(&mut |_| {}).problems, []);
}

#[test]
fn identity_best_effort_and_canonical_is_user_id() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.commit(scope, "a1", ALICE, WEEK_1);
    world.commit(scope, "b1", BOB, WEEK_1);
    world.complete(scope, first);
    world.bind(ALICE, 1);
    world.bind(BOB, 1);
    let second = world.open(scope, WEEK_2);
    world.commit(scope, "a2", ALICE, WEEK_2);
    world.commit(scope, "b2", BOB, WEEK_2);
    let last = world.complete(scope, second);
    assert_eq!(last.statement.allocations_count, 1);
    assert_eq!(world.verified(scope, second, &Claimant::User(user(1))).allocation().events, 2);
    // What was final before the binding does not change by it.
    assert_eq!(world.verified(scope, first, &unbound(ALICE)).allocation().credits, credits(5_000));
    world.ledger.add_user(user(2), None, by(WEEK_2)).unwrap();
    world.ledger.rebind(github(ALICE), user(1), user(2), evidence("x"), by(LATER)).unwrap();
    assert_eq!(world.verified(scope, second, &Claimant::User(user(1))).allocation().events, 2);
    world.snapshot().verification(scope, second, meed_storage::Which::Final).unwrap();
}

/// The same person under another name is refused, and renamed only where that is asked for.
#[test]
fn a_person_is_not_renamed_by_being_added_again() {
    let world = World::new();
    let add = |name: Option<&str>| world.ledger.add_user(user(1), name.map(text), by(WEEK_1));
    add(Some("Alice")).unwrap();
    assert_eq!(add(None).unwrap().name, Some(text("Alice")));
    assert_eq!(add(Some("Alice")).unwrap().name, Some(text("Alice")));
    assert_eq!(code(add(Some("Bob"))), Code::RecordExists);
    assert_eq!(world.snapshot().users().unwrap()[0].name, Some(text("Alice")));
    assert_eq!(world.ledger.rename_user(user(1), text("Bob")).unwrap().name, Some(text("Bob")));
    assert_eq!(code(world.ledger.rename_user(user(2), text("Carol"))), Code::UserNotFound);
    assert_eq!(world.snapshot().users().unwrap()[0].name, Some(text("Bob")));
}

/// Who is named must be there, and what an override names must be what it will be at the freeze.
#[test]
fn decisions_name_people_of_the_node_as_they_are_now() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.commit(scope, "a1", ALICE, WEEK_1);
    let decide =
        |change| world.ledger.decide(scope, first, change, text("why"), by(WEEK_1)).map(|(_, made)| made);
    let someone = || Claimant::User(user(1));
    let shares = || Change::Shares(event_id("a1"), [(someone(), 1_000_000)].into_iter().collect());
    assert_eq!(code(decide(shares())), Code::UserNotFound);
    assert_eq!(code(decide(Change::Override(someone(), units(5)))), Code::UserNotFound);
    decide(Change::Override(unbound(BOB), units(5))).unwrap();
    world.bind(ALICE, 1);
    decide(shares()).unwrap();
    assert_eq!(code(decide(Change::Override(unbound(ALICE), units(5)))), Code::OverrideClaimantMoved);
    decide(Change::Override(someone(), units(5))).unwrap();
    // One whose claimant has moved since can be taken back.
    world.bind(BOB, 1);
    assert_eq!(decide(Change::Withdraw(unbound(BOB))).unwrap().before, Some("5".to_owned()));
    assert_eq!(code(decide(Change::Withdraw(unbound(BOB)))), Code::NothingToChange);
    decide(Change::Withdraw(someone())).unwrap();
    assert_eq!(decide(Change::Reset(event_id("a1"))).unwrap().before, Some("included".to_owned()));
    assert_eq!(code(decide(Change::Reset(event_id("a1")))), Code::NothingToChange);
    let decided = world.snapshot().epoch_decisions(scope, first).unwrap();
    assert_eq!((decided.curation.len(), decided.overrides.len()), (0, 0), "nothing is decided any more");
    assert_eq!(world.snapshot().fsck(&mut |_| {}).problems, []);
    world.complete(scope, first);
    assert_eq!(world.verified(scope, first, &someone()).allocation().final_units, units(1_000));
}

#[test]
fn decisions_recorded() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.commit(scope, "a1", ALICE, WEEK_1);
    let shares = [(unbound(ALICE), 400_000), (unbound(BOB), 600_000)].into_iter().collect();
    let changes = vec![
        Change::Weight(event_id("a1"), units(5)),
        Change::Weight(event_id("a1"), units(6)),
        Change::Exclude(event_id("a1")),
        Change::Include(event_id("a1")),
        Change::Shares(event_id("a1"), shares),
        Change::Override(unbound(CAROL), units(9)),
        Change::Override(unbound(CAROL), units(10)),
    ];
    let made = world.ledger.decide_all(scope, first, changes.clone(), text("why"), by(WEEK_1)).unwrap();
    let facts: Vec<_> = made.iter().map(|(_, d)| (d.before.clone(), d.after.clone())).collect();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(facts[0], (None, some("5")));
    assert_eq!(facts[1], (some("5"), some("6")));
    assert_eq!(facts[2], (some("included"), some("excluded")));
    assert_eq!(facts[3], (some("excluded"), some("included")));
    assert_eq!(facts[6], (some("9"), some("10")));
    assert_eq!(made[0].1.actor, text("operator"));
    let size = world.snapshot().decisions_size(scope).unwrap();
    // All or none, and a change that changes nothing is refused.
    let twice = vec![Change::Weight(event_id("a1"), units(7)), Change::Include(event_id("a1"))];
    let refused = world.ledger.decide_all(scope, first, twice, text("why"), by(WEEK_1));
    assert_eq!(code(refused), Code::NothingToChange);
    let foreign = world.ledger.decide(scope, first, Change::Amend, text("why"), by(WEEK_1));
    assert_eq!(code(foreign), Code::UnknownField);
    let missing = world.ledger.decide(scope, first, Change::Exclude(event_id("x")), text("why"), by(WEEK_1));
    assert_eq!(code(missing), Code::EventNotFound);
    assert_eq!(world.snapshot().decisions_size(scope).unwrap(), size);
    let last = world.complete(scope, first);
    assert_eq!(last.statement.decisions.size, size);
    let credits_of = |claimant| world.verified(scope, first, &claimant).allocation().final_units;
    assert_eq!(
        (credits_of(unbound(ALICE)), credits_of(unbound(BOB)), credits_of(unbound(CAROL))),
        (units(2), units(4), units(10))
    );
}

#[test]
fn metadata_is_erased_by_a_decision_and_no_proof_breaks() {
    let world = World::new();
    let (one, two) = (world.scope("one"), world.scope("two"));
    let first = world.open(one, WEEK_1);
    world.append(&[one, two], vec![event("a1", ALICE, WEEK_1)]);
    let erase = |name: &str| world.ledger.erase_metadata(event_id(name), text("the author asked"), by(LATER));
    assert_eq!(code(erase("x")), Code::EventNotFound);
    assert_eq!(erase("a1").unwrap(), Erased::Now);
    assert_eq!(erase("a1").unwrap(), Erased::Before);
    let snapshot = world.snapshot();
    assert_eq!(snapshot.event_private(0).unwrap(), Some(PrivateData::Erased));
    for scope in [one, two] {
        let decisions = snapshot.decisions(scope, 0, 9).unwrap();
        assert_eq!(decisions.iter().filter(|(_, d)| d.action == Action::Erase).count(), 1);
    }
    world.complete(one, first);
    world.verified(one, first, &unbound(ALICE));
}

/// What people may have forgotten does not depend on a scope that goes on; and no other decision follows its end.
#[test]
fn metadata_is_erased_also_after_the_end_of_its_scopes() {
    let world = World::new();
    let (one, two) = (world.scope("one"), world.scope("two"));
    let first = world.open(one, WEEK_1);
    world.append(&[one], vec![event("a1", ALICE, WEEK_1), event("b1", BOB, WEEK_1)]);
    world.append(&[one, two], vec![event("c1", CAROL, WEEK_1)]);
    let last = world.complete(one, first);
    world.ledger.end_scope(one, text("the keys are lost"), by(LATER)).unwrap();
    let erase = |name: &str| world.ledger.erase_metadata(event_id(name), text("the author asked"), by(LATER));
    assert_eq!(erase("a1").unwrap(), Erased::Now);
    assert_eq!(erase("a1").unwrap(), Erased::Before);
    // Where one of its scopes goes on, the decision stands in each.
    assert_eq!(erase("c1").unwrap(), Erased::Now);
    let snapshot = world.snapshot();
    let private = |index| snapshot.event_private(index).unwrap().unwrap();
    assert_eq!((private(0), private(2)), (PrivateData::Erased, PrivateData::Erased));
    assert!(matches!(private(1), PrivateData::Kept { .. }));
    let erased = |scope| {
        let decisions = snapshot.decisions(scope, 0, 99).unwrap().into_iter();
        decisions
            .filter(|(_, made)| made.action == Action::Erase)
            .map(|(_, made)| made.subject)
            .collect::<Vec<_>>()
    };
    assert_eq!(erased(one), [event_id("a1").to_string(), event_id("c1").to_string()]);
    assert_eq!(erased(two), [event_id("c1").to_string()]);
    assert!(snapshot.scope(one).unwrap().ended);
    assert_eq!(snapshot.fsck(&mut |_| {}).problems, []);
    world.verified(one, first, &unbound(ALICE));
    assert_eq!(
        snapshot.dossier(one, first, meed_storage::Which::Final).unwrap().recompute().unwrap().statement,
        last.statement
    );
}

#[test]
fn tokens_hold_until_they_expire_or_are_revoked() {
    let world = World::new();
    let hash = |word: &str| Hash::of(word.as_bytes());
    let add = |name: &str, word: &str, until: Option<&str>| {
        world.ledger.add_token(text(name), Role::Curator, hash(word), until.map(time), by(WEEK_1))
    };
    assert_eq!(add("ann", "secret", Some(WEEK_2)).unwrap(), Added::New);
    assert_eq!(add("ann", "secret", Some(WEEK_2)).unwrap(), Added::Same);
    assert_eq!(code(add("ann", "other", None)), Code::RecordExists);
    assert_eq!(code(add("bob", "secret", None)), Code::RecordExists);
    add("bob", "word", None).unwrap();
    let find = |word: &str, at: &str| world.snapshot().find_token(&hash(word), time(at));
    assert_eq!(find("secret", WEEK_1).unwrap().name, text("ann"));
    assert_eq!(code(find("secret", WEEK_2)), Code::TokenInvalid);
    assert_eq!(code(find("unknown", WEEK_1)), Code::TokenInvalid);
    assert_eq!(find("word", LATER).unwrap().role, Role::Curator);
    world.ledger.revoke_token(text("bob"), time(LATER)).unwrap();
    assert_eq!(code(find("word", WEEK_1)), Code::TokenInvalid);
    assert_eq!(code(world.ledger.revoke_token(text("carl"), time(LATER))), Code::RecordNotFound);
    assert_eq!(world.snapshot().tokens().unwrap().len(), 2);
}
