//! Whole worlds: every proof that a ledger and the made-up worlds can give verifies in both implementations alike.

use meed_audit::decision::Change;
use meed_audit::ids::{Claimant, EpochNumber, SetVersion};
use meed_audit::proof::Proof;
use meed_keys::NoteText;
use meed_storage::Which;
use meed_tests::facts::claimant;
use meed_tests::world::World;

use crate::ledger::world::{
    self as ledger, ALICE, BOB, CAROL, LATER, WEEK_1, WEEK_2, by, event_id, set_of, text, time, unbound,
    units,
};
use crate::support::agreed;

/// Claimants that are not in the second epoch: before the first, between two, after the last.
fn strangers() -> [Claimant; 3] {
    ["identity:discord:1", "identity:github:1001", "user:ffffffff-ffff-4fff-8fff-ffffffffffff"].map(claimant)
}

#[test]
fn every_proof_of_the_made_up_worlds() {
    for world in [World::new(), World::with_changed_approvers(), World::with_twice_changed_approvers()] {
        for version in 1..=world.sets.len() {
            for policy in [world.bare_policy(), world.witness_policy()] {
                let trust = world.trust_from(version, &policy);
                let mut proofs: Vec<Proof> = (1..=world.full.closed.allocations.len())
                    .map(|index| Proof::Payout(world.payout_proof(index)))
                    .collect();
                proofs.extend(
                    strangers().iter().map(|who| Proof::Absence(world.absence_proof(&world.full, who))),
                );
                for mut proof in proofs {
                    let (Proof::Payout(meed_audit::proof::PayoutProof { approver_sets, .. })
                    | Proof::Absence(meed_audit::proof::AbsenceProof { approver_sets, .. })) = &mut proof;
                    approver_sets.drain(..version - 1);
                    let verdict = agreed(&proof.to_file(), &trust);
                    assert!(verdict.starts_with("verified "), "{verdict}");
                }
            }
        }
        for stranger in strangers() {
            let file = Proof::Absence(world.absence_proof(&world.empty, &stranger)).to_file();
            assert!(agreed(&file, &world.trust()).starts_with("verified absence "));
        }
    }
}

/// A ledger with two epochs, a change of approvers between them, an override, and a correction of the first epoch.
fn corrected() -> (ledger::World, meed_audit::ids::ScopeId) {
    let world = ledger::World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.bind(BOB, 2);
    for (name, author) in [("a1", ALICE), ("b1", BOB), ("c1", CAROL)] {
        world.commit(scope, name, author, WEEK_1);
    }
    world.complete(scope, first);
    let keys = [0, 1, 3].map(|place: usize| world.approvers[place].clone());
    world.ledger.set_approvers(scope, set_of(2, &keys), by(LATER)).expect("a pending set");
    let pending = world.snapshot().pending_approvers(scope).expect("a snapshot").expect("a pending set");
    let note = NoteText::new(pending.text.to_string()).expect("a note's text");
    let lines =
        keys.iter().map(|key| key.cosign(&note, time(LATER).as_seconds()).expect("an approver signs"));
    world.ledger.add_approver_signatures(scope, lines.collect(), time(LATER)).expect("a set in force");
    let second = world.open(scope, WEEK_2);
    world.commit(scope, "a2", ALICE, WEEK_2);
    let change = Change::Override(unbound(CAROL), units(2_500));
    world
        .ledger
        .decide(scope, second, change, text("als \u{e4}ltestes \"Mitglied\" \\ \u{1f600}"), by(LATER))
        .expect("a decision");
    world.complete(scope, second);
    world.ledger.amend(scope, first, text("an event was fake"), by(LATER)).expect("an amendment");
    world
        .ledger
        .decide(scope, first, Change::Exclude(event_id("a1")), text("fake"), by(LATER))
        .expect("a decision");
    world.finish(scope, first);
    (world, scope)
}

#[test]
fn every_proof_of_a_ledger_with_a_change_of_approvers_and_a_correction() {
    let (world, scope) = corrected();
    let trust = world.trust(scope);
    let snapshot = world.snapshot();
    let mut counts = (0, 0);
    for (epoch, revision) in [(1, 0), (1, 1), (2, 0)] {
        let epoch = EpochNumber::new(epoch).expect("an epoch");
        let which = Which::Revision(meed_audit::ids::Revision::new(revision).expect("a revision"));
        let people = [ALICE, BOB, CAROL, "1", "999"].map(unbound).into_iter();
        for who in people.chain([Claimant::User(ledger::user(2))]).chain(strangers()) {
            let proof = snapshot.proof(scope, epoch, which, &who, SetVersion::FIRST).expect("a proof");
            let verdict = agreed(&proof.to_file(), &trust);
            assert!(verdict.starts_with("verified "), "{verdict}");
            if matches!(proof, Proof::Payout(_)) { counts.0 += 1 } else { counts.1 += 1 }
        }
    }
    assert!(counts.0 > 6 && counts.1 > 12, "{counts:?}");
}
