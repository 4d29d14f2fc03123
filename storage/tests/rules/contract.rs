//! The contract: every public method of the rules with the refusals that it documents and no other test shows, in the
//! order of precedence; and that a refused command leaves nothing behind.

use meed_audit::RejectionCode as Code;
use meed_audit::decision::Change;
use meed_audit::ids::{EpochNumber, ScopeId};
use meed_storage::{Added, LedgerError, Options, ScopeChange, StorageError, Which};

use crate::support::world::*;
use crate::support::{genesis, scratch, signing as options};

const NOWHERE: ScopeId = ScopeId::from_bytes([0; 16]);

fn epoch(number: u64) -> EpochNumber {
    EpochNumber::new(number).unwrap()
}

#[test]
fn commands_on_a_scope_that_is_not_there_say_so() {
    let world = World::new();
    let ledger = &world.ledger;
    let one = epoch(1);
    let set = || set_of(1, &world.approvers[..1]);
    let why = || text("why");
    let override_of = || Change::Override(unbound(ALICE), units(1));
    let line = world.approvers[0].cosign(&meed_keys::NoteText::new("x\n".to_owned()).unwrap(), 1).unwrap();
    let codes = [
        code(ledger.configure_scope(NOWHERE, ScopeChange::default())),
        code(ledger.end_scope(NOWHERE, why(), by(LATER))),
        code(ledger.set_approvers(NOWHERE, set(), by(LATER))),
        code(ledger.add_approver_signatures(NOWHERE, vec![], time(LATER))),
        code(ledger.withdraw_approvers(NOWHERE)),
        code(ledger.open_epoch(NOWHERE, time(WEEK_1), by(WEEK_1))),
        code(ledger.close_epoch(NOWHERE, one, None, by(LATER))),
        code(ledger.add_pool_component(NOWHERE, one, component("base_issuance", 1), why(), by(LATER))),
        code(ledger.decide(NOWHERE, one, override_of(), why(), by(LATER))),
        code(ledger.amend(NOWHERE, one, why(), by(LATER))),
        code(ledger.abandon_amendment(NOWHERE, one, why(), by(LATER))),
        code(ledger.freeze(NOWHERE, one, 14, by(LATER))),
        code(ledger.add_signature(NOWHERE, one, line, time(LATER))),
        code(ledger.finalize(NOWHERE, one, by(LATER))),
    ];
    assert_eq!(codes, [Code::ScopeNotFound; 14]);
}

#[test]
fn commands_on_an_epoch_that_is_not_there_say_so() {
    let world = World::new();
    let scope = world.scope("default");
    world.open(scope, WEEK_1);
    let ledger = &world.ledger;
    let two = epoch(2);
    let why = || text("why");
    let line = world.approvers[0].cosign(&meed_keys::NoteText::new("x\n".to_owned()).unwrap(), 1).unwrap();
    let codes = [
        code(ledger.close_epoch(scope, two, None, by(LATER))),
        code(ledger.add_pool_component(scope, two, component("bonus", 1), why(), by(LATER))),
        code(ledger.decide(scope, two, Change::Override(unbound(ALICE), units(1)), why(), by(LATER))),
        code(ledger.amend(scope, two, why(), by(LATER))),
        code(ledger.abandon_amendment(scope, two, why(), by(LATER))),
        code(ledger.freeze(scope, two, 14, by(LATER))),
        code(ledger.add_signature(scope, two, line, time(LATER))),
        code(ledger.finalize(scope, two, by(LATER))),
    ];
    assert_eq!(codes, [Code::EpochNotFound; 8]);
}

#[test]
fn questions_about_what_is_not_there_say_so() {
    let world = World::new();
    let scope = world.scope("default");
    let snapshot = world.snapshot();
    let (one, last) = (epoch(1), Which::Final);
    let claimant = unbound(ALICE);
    let first = meed_audit::ids::SetVersion::FIRST;
    for (place, expected) in [(NOWHERE, Code::ScopeNotFound), (scope, Code::EpochNotFound)] {
        let codes = [
            code(snapshot.epoch(place, one)),
            code(snapshot.epoch_input(place, one, last)),
            code(snapshot.epoch_events_count(place, one)),
            code(snapshot.proposal(place, one)),
            code(snapshot.epoch_entries(place, one)),
            code(snapshot.preview_terms(place, one, time(LATER))),
            code(snapshot.allocations_from(place, one, last, &"a".parse().unwrap(), 1)),
            code(snapshot.pool(place, one)),
            code(snapshot.drafts(place, one)),
            code(snapshot.draft(place, one, Which::Draft)),
            code(snapshot.signatures(place, one)),
            code(snapshot.statement_note(place, one, last)),
            code(snapshot.final_statement(place, one, last)),
            code(snapshot.allocations(place, one, last, None, 1)),
            code(snapshot.allocation(place, one, last, &claimant)),
            code(snapshot.proof(place, one, last, &claimant, first)),
            code(snapshot.dossier(place, one, last)),
            code(snapshot.verification(place, one, last)),
            code(snapshot.decisions_after_draft(place, one)),
            code(snapshot.check_draft_holds_all(place, one)),
        ];
        assert_eq!(codes, [expected; 20]);
    }
    let codes = [
        code(snapshot.scope(NOWHERE)),
        code(snapshot.epochs(NOWHERE)),
        code(snapshot.epochs_from(NOWHERE, one, 1)),
        code(snapshot.newest_epoch(NOWHERE)),
        code(snapshot.state_at(NOWHERE, 0)),
        code(snapshot.approver_sets(NOWHERE)),
        code(snapshot.approvers(NOWHERE)),
        code(snapshot.pending_approvers(NOWHERE)),
        code(snapshot.decisions(NOWHERE, 0, 1)),
        code(snapshot.decisions_size(NOWHERE)),
        code(snapshot.epoch_decisions(NOWHERE, one)),
        code(snapshot.stale_overrides(NOWHERE, one)),
        code(snapshot.final_statements(NOWHERE)),
        code(snapshot.trust(NOWHERE, None)),
    ];
    assert_eq!(codes, [Code::ScopeNotFound; 14]);
    world.open(scope, WEEK_1);
    let snapshot = world.snapshot();
    assert_eq!(code(snapshot.draft(scope, one, Which::Draft)), Code::DraftNotFound);
    assert_eq!(code(snapshot.statement_note(scope, one, Which::Final)), Code::StatementNotFound);
    let third = Which::Revision(meed_audit::ids::Revision::new(3).unwrap());
    assert_eq!(code(snapshot.verification(scope, one, third)), Code::DraftNotFound);
    assert_eq!(code(snapshot.user(user(1))), Code::UserNotFound);
    assert_eq!(snapshot.users().unwrap().len() + snapshot.bindings().unwrap().len(), 0);
    assert_eq!(snapshot.payouts_of(&claimant).unwrap(), []);
}

/// What is broken first decides: what is not there, before idempotence, before conflicts, before states.
#[test]
fn refusals_have_an_order_of_precedence() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.commit(scope, "a1", ALICE, WEEK_1);
    let bonus = component("bonus", 5);
    world.ledger.add_pool_component(scope, first, bonus, text("why"), by(WEEK_1)).unwrap();
    world.complete(scope, first);
    let decide = |change| code(world.ledger.decide(scope, first, change, text("why"), by(LATER)));
    assert_eq!(decide(Change::Exclude(event_id("nothing"))), Code::EventNotFound);
    assert_eq!(decide(Change::Exclude(event_id("a1"))), Code::EpochFinalized);
    let add = |id: &str, amount| {
        world.ledger.add_pool_component(scope, first, component(id, amount), text("why"), by(LATER))
    };
    assert_eq!(add("bonus", 5).unwrap(), Added::Same);
    assert_eq!(code(add("bonus", 6)), Code::PoolConflict);
    assert_eq!(code(add("more", 1)), Code::EpochNotOpen);
    world.ledger.end_scope(scope, text("why"), by(LATER)).unwrap();
    assert_eq!(decide(Change::Exclude(event_id("a1"))), Code::EpochFinalized);
    assert_eq!(code(world.ledger.freeze(scope, first, 14, by(LATER))), Code::ScopeEnded);
    assert_eq!(world.finalize(scope, first).statement.epoch, first, "what is final is given");
}

#[test]
fn a_refused_command_leaves_nothing() {
    let (world, scope, first, draft) = World::signed_once();
    let before = world.facts();
    let why = || text("why");
    let refused = [
        code(world.ledger.finalize(scope, first, by(LATER))),
        code(world.ledger.add_signature(scope, first, world.sign(&draft, 4), time(LATER))),
        code(world.ledger.decide(scope, first, Change::Include(event_id("a1")), why(), by(LATER))),
        code(world.ledger.bind(github(ALICE), user(1), evidence("x"), by(LATER))),
        code(world.ledger.open_epoch(scope, time(WEEK_1), by(WEEK_1))),
        code(world.ledger.amend(scope, first, why(), by(LATER))),
        code(world.ledger.erase_metadata(event_id("b"), why(), by(LATER))),
        code(world.ledger.revoke(github(ALICE), evidence("x"), by(LATER))),
    ];
    let expected = [
        Code::QuorumMissing,
        Code::SignerUnknown,
        Code::NothingToChange,
        Code::UserNotFound,
        Code::WindowOverlaps,
        Code::StatementNotFound,
        Code::EventNotFound,
        Code::IdentityNotBound,
    ];
    assert_eq!(refused, expected);
    assert_eq!(world.facts(), before);
}

#[test]
fn without_its_log_key_a_ledger_is_read_and_takes_no_change() {
    let (_folder, path) = scratch();
    let ledger = meed_storage::Ledger::create(&path, &genesis(), options()).unwrap();
    let scope = ledger.add_scope(terms("default"), by(WEEK_1)).unwrap().id;
    let restored = path.with_extension("backup");
    ledger.backup(&restored, &mut |_| {}).unwrap();
    drop(ledger);
    let ledger = meed_storage::Ledger::open(&path, Options::default()).unwrap();
    let keyless = |refused: Result<(), LedgerError>| {
        assert!(matches!(refused, Err(LedgerError::Storage(StorageError::NoLogKey))), "{refused:?}");
    };
    keyless(ledger.set_approvers(scope, set_of(1, &[approver(1)]), by(WEEK_1)).map(|_| ()));
    keyless(ledger.open_epoch(scope, time(WEEK_1), by(WEEK_1)).map(|_| ()));
    keyless(ledger.add_user(user(1), None, by(WEEK_1)).map(|_| ()));
    // Reading goes on, and with the key everything does.
    let snapshot = ledger.snapshot().unwrap();
    assert_eq!(snapshot.scopes().unwrap().len(), 1);
    assert_eq!(snapshot.fsck(&mut |_| {}).problems, []);
    drop((snapshot, ledger));
    let ledger = meed_storage::Ledger::open(&path, options()).unwrap();
    ledger.open_epoch(scope, time(WEEK_1), by(WEEK_1)).unwrap();
    // A restored ledger is not put into use without its key: nobody could say afterwards what was published.
    let ledger = meed_storage::Ledger::open(&restored, Options::default()).unwrap();
    keyless(ledger.resume(0, 0));
    drop(ledger);
    meed_storage::Ledger::open(&restored, options()).unwrap().resume(0, 0).unwrap();
}

#[test]
fn many_threads_ask_at_once_and_each_gets_its_answer() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    let answers: Vec<_> = std::thread::scope(|threads| {
        let ask = |number: u8| {
            let world = &world;
            threads.spawn(move || {
                world.ledger.add_user(user(number), None, by(WEEK_1)).unwrap();
                let bound = world.ledger.bind(github(ALICE), user(number), evidence("x"), by(WEEK_1)).is_ok();
                let id = format!("part_{}", number % 4);
                let added =
                    world.ledger.add_pool_component(scope, first, component(&id, 5), text("w"), by(WEEK_1));
                (bound, added.unwrap())
            })
        };
        let all: Vec<_> = (1..=16).map(ask).collect();
        all.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|(bound, _)| *bound).count(), 1, "an identity has one owner");
    assert_eq!(answers.iter().filter(|(_, added)| *added == Added::New).count(), 4);
    assert_eq!(world.snapshot().pool(scope, first).unwrap().total(), credits(10_020));
    assert_eq!(world.snapshot().fsck(&mut |_| {}).problems, []);
}
