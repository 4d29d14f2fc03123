//! The rules of drafts, signatures and finalizing, each by its name.

use crate::support::world::*;
use meed_audit::RejectionCode as Code;
use meed_audit::approve::split_node_line;
use meed_audit::decision::Change;
use meed_audit::hash::Hash;
use meed_audit::ids::Claimant;
use meed_audit::proof::Proof;
use meed_keys::{Note, NoteText};
use meed_storage::{Added, Draft, LogKind, Which};

/// A freeze that would fix the same keeps the draft, so that signatures that were collected go on counting.
#[test]
fn a_freeze_without_a_change_keeps_the_draft() {
    let (world, scope, first, draft) = World::signed_once();
    assert_eq!(world.freeze(scope, first), draft);
    assert_eq!(world.snapshot().drafts(scope, first).unwrap().len(), 1);
    world.approve(scope, first, &draft, &[1]);
    let revision = |draft: &Draft| draft.statement.revision.get();
    let again = world.ledger.freeze_again(scope, first, 14, by(LATER)).unwrap();
    assert_eq!((revision(&again), world.freeze(scope, first)), (1, again));
    // A change takes the next revision, and so does a draft that nobody may approve any more.
    world
        .ledger
        .decide(scope, first, Change::Weight(event_id("a1"), units(5)), text("why"), by(LATER))
        .unwrap();
    let changed = world.freeze(scope, first);
    assert_eq!(revision(&changed), 2);
    let late = changed.statement.sign_by.plus_ms(1).unwrap().to_string();
    assert_eq!(revision(&world.ledger.freeze(scope, first, 14, by(&late)).unwrap()), 3);
}

#[test]
fn draft_pinned() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.commit(scope, "a1", ALICE, WEEK_1);
    world.commit(scope, "b1", BOB, WEEK_1);
    world.close(scope, first);
    let zero = world.freeze(scope, first);
    assert_eq!((zero.statement.revision.get(), zero.is_current), (0, true));
    // A decision and a binding after the freeze do not touch the draft; the next freeze takes both.
    world.ledger.decide(scope, first, Change::Exclude(event_id("b1")), text("spam"), by(LATER)).unwrap();
    world.bind(ALICE, 1);
    let snapshot = world.snapshot();
    assert_eq!(snapshot.verification(scope, first, Which::Draft).unwrap().statement, zero.statement);
    let one = world.freeze(scope, first);
    assert_eq!(one.statement.revision.get(), 1);
    assert_eq!(one.decisions_size, zero.decisions_size + 2);
    assert_ne!(one.statement.allocation_set_hash, zero.statement.allocation_set_hash);
    let drafts = world.snapshot().drafts(scope, first).unwrap();
    assert_eq!(drafts.iter().map(|draft| draft.is_current).collect::<Vec<_>>(), [false, true]);
    assert_eq!(drafts[0].statement, zero.statement, "the old one is kept");
    world.approve(scope, first, &one, &[0, 2]);
    let last = world.finalize(scope, first);
    assert_eq!(last.statement, one.statement);
    assert_eq!(world.verified(scope, first, &Claimant::User(user(1))).allocation().credits, credits(10_000));
}

#[test]
fn statements_in_order() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.close(scope, first);
    let second = world.open(scope, WEEK_2);
    world.close(scope, second);
    assert_eq!(code(world.ledger.freeze(scope, second, 14, by(LATER))), Code::EarlierEpochUnfinished);
    let one = world.finish(scope, first);
    let two = world.finish(scope, second);
    assert_eq!(one.statement.previous, None);
    assert_eq!(two.statement.previous, Some(one.text_hash));
    assert_eq!((one.log_index, two.log_index), (1, 2), "after the approver set");
    let chain = world.snapshot().final_statements(scope).unwrap();
    assert_eq!(
        chain.iter().map(|statement| statement.text_hash).collect::<Vec<_>>(),
        [one.text_hash, two.text_hash]
    );
}

#[test]
fn only_valid_timely_signatures_of_the_current_draft_count() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.close(scope, first);
    let zero = world.freeze(scope, first);
    let add = |line| world.ledger.add_signature(scope, first, line, time(LATER));
    let line = world.sign(&zero, 0);
    assert_eq!(add(line.clone()).unwrap(), Added::New);
    assert_eq!(add(line).unwrap(), Added::Same);
    // The same key at another time is the same approval.
    let draft_text = NoteText::new(zero.statement.to_string()).unwrap();
    let seconds = zero.at.as_seconds();
    assert_eq!(add(world.approvers[0].cosign(&draft_text, seconds + 60).unwrap()).unwrap(), Added::Same);
    assert_eq!(code(add(world.sign(&zero, 4))), Code::SignerUnknown);
    let other = NoteText::new("another text\n".to_owned()).unwrap();
    assert_eq!(code(add(world.approvers[1].cosign(&other, seconds).unwrap())), Code::SignatureInvalid);
    let until = zero.statement.sign_by.as_seconds();
    for at in [zero.statement.period.start.as_seconds(), until + 1] {
        assert_eq!(
            code(add(world.approvers[1].cosign(&draft_text, at).unwrap())),
            Code::SignatureOutOfTime,
            "{at}"
        );
    }
    let late = world.ledger.add_signature(
        scope,
        first,
        world.sign(&zero, 1),
        zero.statement.sign_by.plus_ms(1).unwrap(),
    );
    assert_eq!(code(late), Code::SignByPassed);
    assert_eq!(code(world.ledger.finalize(scope, first, by(LATER))), Code::QuorumMissing);
    // A new freeze: the old approval stays as evidence and does not count, and a late one of the old draft is kept too.
    let one = world.ledger.freeze_again(scope, first, 14, by(LATER)).unwrap();
    assert_eq!(code(add(world.sign(&zero, 1))), Code::DraftNotCurrent);
    world.approve(scope, first, &one, &[2]);
    assert_eq!(code(world.ledger.finalize(scope, first, by(LATER))), Code::QuorumMissing);
    let kept = world.snapshot().signatures(scope, first).unwrap();
    let kept: Vec<_> =
        kept.iter().map(|s| (s.revision.get(), s.line.name().as_str().to_owned(), s.counts)).collect();
    let expected = [(0, "approver-1", false), (0, "approver-2", false), (1, "approver-3", true)];
    assert_eq!(kept, expected.map(|(revision, name, counts)| (revision, name.to_owned(), counts)));
    world.approve(scope, first, &one, &[0]);
    assert_eq!(world.finalize(scope, first).statement.revision.get(), 1);
    // What comes after finalizing is no approval of what is final, whenever it says that it was signed.
    let too_late = until + 86_400;
    let text = NoteText::new(one.statement.to_string()).unwrap();
    assert_eq!(code(add(world.approvers[1].cosign(&text, too_late).unwrap())), Code::DraftNotCurrent);
    let counting: Vec<_> = world.snapshot().signatures(scope, first).unwrap();
    let counting: Vec<_> = counting.iter().filter(|s| s.counts).map(|s| s.line.name().as_str()).collect();
    assert_eq!(counting, ["approver-1", "approver-3"]);
}

#[test]
fn epoch_finalize_idempotent() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    assert_eq!(code(world.ledger.finalize(scope, first, by(LATER))), Code::DraftNotFound);
    let last = world.complete(scope, first);
    let size = world.snapshot().log_size(LogKind::Statements).unwrap();
    assert_eq!(world.finalize(scope, first), last);
    assert_eq!(world.snapshot().log_size(LogKind::Statements).unwrap(), size, "a text is logged once");
    assert!(last.in_force);
}

#[test]
fn the_log_holds_text_node_line_and_approvals_by_key_name() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.close(scope, first);
    let draft = world.freeze(scope, first);
    world.approve(scope, first, &draft, &[2, 0, 1]);
    let shown = world.snapshot().statement_note(scope, first, Which::Draft).unwrap();
    let last = world.finalize(scope, first);
    assert_eq!(last.note, shown);
    let entry = world.snapshot().log_entry(LogKind::Statements, last.log_index).unwrap();
    assert_eq!(entry, last.note.as_bytes());
    let note = Note::parse(&entry).unwrap();
    let names: Vec<_> = note.signatures().iter().map(|line| line.name().as_str()).collect();
    let origin = last.statement.origin_line();
    assert_eq!(names, [origin.as_str(), "approver-1", "approver-2", "approver-3"]);
    split_node_line(&note, &origin, crate::support::log_key().public_key()).unwrap();
    assert_eq!(Hash::of(note.text().as_bytes()), last.text_hash);
}

#[test]
fn a_proof_is_in_every_place_of_the_order() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    let events =
        (0..300).map(|number| event(&format!("e{number}"), &(1_000 + 2 * number).to_string(), WEEK_1));
    world.append(&[scope], events.collect());
    let last = world.complete(scope, first);
    assert_eq!(last.statement.allocations_count, 300);
    for number in 0..300 {
        let claimant = unbound(&(1_000 + 2 * number).to_string());
        assert_eq!(world.verified(scope, first, &claimant).allocation().claimant, claimant);
    }
    for number in ["999", "1001", "1299", "1599", "1", "9999"] {
        world.verify_absent(scope, first, &unbound(number));
    }
    let Proof::Payout(proof) = world.proof(scope, first, &unbound("1000")) else { panic!("a payout") };
    let forged = Proof::Payout(meed_audit::proof::PayoutProof {
        payout: proof.payout.replace("index 1\n", "index 2\n"),
        ..proof
    });
    let Proof::Payout(forged) = forged else { panic!("a payout") };
    assert!(meed_audit::verify::verify(&forged, &world.trust(scope)).is_err());
    let rows = world.snapshot().allocations(scope, first, Which::Final, None, usize::MAX).unwrap();
    let mut paged = Vec::new();
    loop {
        let after = paged.last().map(|row: &meed_audit::allocation::Allocation| row.claimant.clone());
        let page = world.snapshot().allocations(scope, first, Which::Final, after.as_ref(), 7).unwrap();
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, rows);
}

#[test]
fn frozen_terms_are_checked() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.close(scope, first);
    for (days, refusal) in [(0, Code::NumberTooSmall), (366, Code::NumberTooLarge)] {
        assert_eq!(code(world.ledger.freeze(scope, first, days, by(LATER))), refusal);
    }
    let draft = world.ledger.freeze(scope, first, 1, by(LATER)).unwrap();
    assert_eq!(draft.statement.sign_by.to_string(), "2026-03-02T12:00:00.000Z");
    assert_eq!(code(world.snapshot().draft(scope, first, Which::Final)), Code::StatementNotFound);
    assert_eq!(code(world.snapshot().final_statement(scope, first, Which::Draft)), Code::StatementNotFound);
    assert_eq!(
        code(world.snapshot().proof(
            scope,
            first,
            Which::Final,
            &unbound(ALICE),
            meed_audit::ids::SetVersion::FIRST
        )),
        Code::StatementNotFound
    );
}
