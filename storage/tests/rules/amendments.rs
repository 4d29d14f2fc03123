//! Amendments: a final epoch is corrected by a new revision, and both stay (rule `CURATION_FREEZE_ON_FINALIZE`).

use crate::support::world::*;
use meed_audit::RejectionCode as Code;
use meed_audit::decision::{Action, Change};
use meed_audit::ids::{Claimant, Revision, SetVersion};
use meed_audit::proof::Proof;
use meed_audit::verify::verify;
use meed_storage::{Phase, Which};

#[test]
fn curation_freeze_on_finalize() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.commit(scope, "a1", ALICE, WEEK_1);
    world.commit(scope, "b1", BOB, WEEK_1);
    let amend = |epoch| world.ledger.amend(scope, epoch, text("b1 was spam"), by(LATER));
    assert_eq!(code(amend(first)), Code::StatementNotFound);
    let zero = world.complete(scope, first);
    let second = world.open(scope, WEEK_2);
    let two = world.complete(scope, second);
    amend(first).unwrap();
    let size = world.snapshot().decisions_size(scope).unwrap();
    amend(first).unwrap();
    assert_eq!(world.snapshot().decisions_size(scope).unwrap(), size, "once is enough");
    assert_eq!(world.snapshot().decision(scope, size - 1).unwrap().action, Action::Amend);
    assert_eq!(code(amend(second)), Code::AmendmentOpen);
    // Now the overlay may change curation, and bindings apply; events, pool and policy do not change.
    world.ledger.decide(scope, first, Change::Exclude(event_id("b1")), text("spam"), by(LATER)).unwrap();
    world.bind(ALICE, 1);
    let epoch = world.snapshot().epoch(scope, first).unwrap();
    assert_eq!(
        (epoch.phase, epoch.amending, epoch.final_revision),
        (Phase::Finalized, true, Some(Revision::FIRST))
    );
    let one = world.finish(scope, first);
    assert_eq!(one.statement.revision.get(), 1);
    assert_eq!(one.statement.supersedes, Some(zero.text_hash));
    assert_eq!(one.statement.previous, Some(two.text_hash));
    assert_eq!(one.statement.events, zero.statement.events);
    assert_eq!(world.verified(scope, first, &Claimant::User(user(1))).allocation().credits, credits(10_000));
    // The old revision stays readable and provable, and says so.
    let old = world.snapshot().final_statement(scope, first, Which::Revision(Revision::FIRST)).unwrap();
    assert_eq!((old.statement, old.in_force), (zero.statement, false));
    let proof = world
        .snapshot()
        .proof(scope, first, Which::Revision(Revision::FIRST), &unbound(BOB), SetVersion::FIRST)
        .unwrap();
    let Proof::Payout(proof) = proof else { panic!("a payout") };
    assert_eq!(verify(&proof, &world.trust(scope)).unwrap().allocation().credits, credits(5_000));
    let snapshot = world.snapshot();
    assert_eq!(snapshot.scope(scope).unwrap().amending, None);
    for which in [Which::Final, Which::Revision(Revision::FIRST)] {
        snapshot.verification(scope, first, which).unwrap();
        snapshot.dossier(scope, first, which).unwrap().recompute().unwrap();
    }
    assert_eq!(snapshot.payouts_of(&unbound(BOB)).unwrap(), []);
    assert_eq!(snapshot.payouts_of(&Claimant::User(user(1))).unwrap().len(), 1);
    // The next epoch's statement comes after the amendment.
    let third = world.open(scope, WEEK_3);
    assert_eq!(world.complete(scope, third).statement.previous, Some(one.text_hash));
}

#[test]
fn drafts_take_turns_with_an_amendment() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.commit(scope, "a1", ALICE, WEEK_1);
    world.complete(scope, first);
    let second = world.open(scope, WEEK_2);
    world.close(scope, second);
    world.ledger.amend(scope, first, text("why"), by(LATER)).unwrap();
    let amendment = world.ledger.freeze(scope, first, 1, by(LATER)).unwrap();
    assert_eq!(code(world.ledger.freeze(scope, second, 14, by(LATER))), Code::AmendmentOpen);
    // After its Sign By it blocks nobody, and what was frozen before another statement became final is not final.
    let after = "2026-03-03T00:00:00Z";
    let draft = world.ledger.freeze(scope, second, 14, by(after)).unwrap();
    world.approve(scope, first, &amendment, &[0, 1]);
    assert_eq!(code(world.ledger.freeze(scope, first, 14, by(after))), Code::EarlierEpochUnfinished);
    world.approve(scope, second, &draft, &[0, 1]);
    world.finalize(scope, second);
    assert_eq!(code(world.ledger.finalize(scope, first, by(after))), Code::DraftNotCurrent);
    let again = world.ledger.freeze(scope, first, 14, by(after)).unwrap();
    assert_eq!(again.statement.revision.get(), 2);
    world.approve(scope, first, &again, &[1, 2]);
    world.finalize(scope, first);
}

/// Giving an amendment up leaves what is final as it is, and nothing that was decided in it enters a later one.
#[test]
fn an_amendment_is_given_up() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.commit(scope, "a1", ALICE, WEEK_1);
    world.commit(scope, "b1", BOB, WEEK_1);
    let decide = |change| world.ledger.decide(scope, first, change, text("so"), by(LATER));
    decide(Change::Weight(event_id("a1"), units(500))).unwrap();
    decide(Change::Override(unbound(CAROL), units(7))).unwrap();
    let abandon = || world.ledger.abandon_amendment(scope, first, text("it was right"), by(LATER));
    assert_eq!(code(abandon()), Code::NothingToChange);
    let zero = world.complete(scope, first);
    let before = world.snapshot().epoch_decisions(scope, first).unwrap();
    assert_eq!(code(abandon()), Code::NothingToChange, "what is final is not taken back");
    world.ledger.amend(scope, first, text("b1 was spam"), by(LATER)).unwrap();
    decide(Change::Exclude(event_id("b1"))).unwrap();
    decide(Change::Reset(event_id("a1"))).unwrap();
    decide(Change::Withdraw(unbound(CAROL))).unwrap();
    decide(Change::Override(unbound(BOB), units(9))).unwrap();
    let one = world.freeze(scope, first);
    world.approve(scope, first, &one, &[0]);
    let second = world.open(scope, WEEK_2);
    world.close(scope, second);
    assert_eq!(code(world.ledger.freeze(scope, second, 14, by(LATER))), Code::AmendmentOpen);
    abandon().unwrap();
    let snapshot = world.snapshot();
    let size = snapshot.decisions_size(scope).unwrap();
    assert_eq!(snapshot.decision(scope, size - 1).unwrap().action, Action::Abandon);
    let epoch = snapshot.epoch(scope, first).unwrap();
    assert_eq!(
        (epoch.phase, epoch.amending, epoch.current_draft, epoch.final_revision),
        (Phase::Finalized, false, None, Some(Revision::FIRST))
    );
    assert_eq!(snapshot.epoch_decisions(scope, first).unwrap(), before);
    // What was offered stays readable with its signatures, and becomes final no more.
    let kept = Which::Revision(one.statement.revision);
    assert_eq!(snapshot.draft(scope, first, kept).unwrap().statement, one.statement);
    assert_eq!(snapshot.verification(scope, first, kept).unwrap().statement, one.statement);
    assert_eq!(snapshot.signatures(scope, first).unwrap().iter().filter(|kept| !kept.counts).count(), 1);
    let late = world.ledger.add_signature(scope, first, world.sign(&one, 1), time(LATER));
    assert_eq!(code(late), Code::DraftNotCurrent);
    assert_eq!(world.finalize(scope, first), zero);
    assert_eq!(code(decide(Change::Include(event_id("b1")))), Code::EpochFinalized);
    assert_eq!(code(abandon()), Code::NothingToChange);
    assert_eq!(snapshot.fsck(&mut |_| {}).problems, []);
    // It blocks nobody, and the next amendment begins with what is in force.
    assert_eq!(world.finish(scope, second).statement.previous, Some(zero.text_hash));
    world.ledger.amend(scope, first, text("really"), by(LATER)).unwrap();
    assert_eq!(world.snapshot().epoch_decisions(scope, first).unwrap(), before);
    decide(Change::Override(unbound(CAROL), units(8))).unwrap();
    let two = world.finish(scope, first);
    assert_eq!((two.statement.revision.get(), two.statement.supersedes), (2, Some(zero.text_hash)));
    assert_eq!(two.statement.activity, zero.statement.activity, "the curation of the first one alone");
    let snapshot = world.snapshot();
    for revision in [Revision::FIRST, two.statement.revision] {
        snapshot.dossier(scope, first, Which::Revision(revision)).unwrap().recompute().unwrap();
    }
    assert_eq!(code(abandon()), Code::NothingToChange);
    assert_eq!(snapshot.fsck(&mut |_| {}).problems, []);
}

/// Whose accounts have changed by then has to be restated when the epoch is amended again.
#[test]
fn what_an_abandoned_amendment_restated_is_stale_again() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.commit(scope, "a1", ALICE, WEEK_1);
    world.bind(ALICE, 1);
    world.bind(BOB, 1);
    let set = || {
        let change = Change::Override(Claimant::User(user(1)), units(5));
        world.ledger.decide(scope, first, change, text("so"), by(LATER)).unwrap();
    };
    set();
    world.complete(scope, first);
    world.ledger.revoke(github(BOB), evidence("left"), by(LATER)).unwrap();
    world.ledger.amend(scope, first, text("one"), by(LATER)).unwrap();
    set();
    world.freeze(scope, first);
    world.ledger.abandon_amendment(scope, first, text("no"), by(LATER)).unwrap();
    world.ledger.amend(scope, first, text("two"), by(LATER)).unwrap();
    assert_eq!(code(world.ledger.freeze(scope, first, 14, by(LATER))), Code::OverrideClaimantMoved);
    set();
    world.finish(scope, first);
}
