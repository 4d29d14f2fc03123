//! The world that the other tests alter holds as it is: every proof verifies, and the dossier recomputes.

use meed_audit::dossier::Dossier;
use meed_audit::ids::Claimant;
use meed_audit::proof::Proof;
use meed_audit::verify::{Link, verify, verify_absence};
use meed_tests::facts::{ANNA, claimant};
use meed_tests::world::World;

/// Claimants that are not in the second epoch: before the first, between two, after the last.
fn strangers() -> Vec<Claimant> {
    ["identity:discord:1", "identity:github:1001", "user:ffffffff-ffff-4fff-8fff-ffffffffffff"]
        .map(claimant)
        .to_vec()
}

#[test]
fn every_payout_of_both_worlds_verifies() {
    for world in [World::new(), World::with_changed_approvers()] {
        let allocations = &world.full.closed.allocations;
        assert_eq!(allocations.len(), 7, "{allocations:#?}");
        for version in 1..=world.sets.len() {
            for policy in [world.bare_policy(), world.witness_policy()] {
                let trust = world.trust_from(version, &policy);
                for (index, allocation) in (1..).zip(allocations) {
                    let mut proof = world.payout_proof(index);
                    proof.approver_sets.drain(..(version - 1).min(proof.approver_sets.len()));
                    let verified = verify(&proof, &trust).expect("a valid proof");
                    assert_eq!(verified.allocation(), allocation);
                    let file = Proof::Payout(proof.clone()).to_file();
                    assert_eq!(Proof::parse(&file).expect("a proof file"), Proof::Payout(proof));
                }
            }
        }
    }
}

#[test]
fn the_world_has_what_tests_of_it_need() {
    let world = World::new();
    let closed = &world.full.closed;
    let find = |key: &str| {
        let wanted = claimant(key);
        closed.allocations.iter().find(|allocation| allocation.claimant == wanted).expect("a claimant")
    };
    assert!(
        closed
            .allocations
            .iter()
            .any(|allocation| allocation.override_reason.is_some() && allocation.events == 0)
    );
    assert!(find(&format!("user:{ANNA}")).events > 1);
    assert!(world.full.input.events.len() == 12 && closed.statement.activity.size == 12);
    assert!(world.empty.closed.allocations.is_empty());
    assert_eq!(closed.statement.previous, Some(world.empty.closed.statement.text_hash()));
    assert_eq!(World::with_changed_approvers().full.closed.statement.approvers.version.get(), 2);
}

#[test]
fn absence_is_shown_before_between_after_and_in_an_empty_epoch() {
    for world in [World::new(), World::with_changed_approvers()] {
        let trust = world.trust();
        for stranger in strangers() {
            let proof = world.absence_proof(&world.full, &stranger);
            let verified = verify_absence(&proof, &trust).expect("a valid proof");
            assert_eq!(*verified.claimant(), stranger);
            let proof = world.absence_proof(&world.empty, &stranger);
            let verified = verify_absence(&proof, &trust).expect("a valid proof");
            assert_eq!(
                verified.evidence().links().last().map(|checked| checked.link),
                Some(Link::LogInclusion)
            );
        }
    }
}

#[test]
fn the_dossier_is_read_as_it_was_written_and_recomputes() {
    for world in [World::new(), World::with_changed_approvers()] {
        let dossier = world.dossier();
        let mut bytes = Vec::new();
        dossier.write(&mut bytes).expect("writes");
        let read = Dossier::read(&mut bytes.as_slice()).expect("reads");
        let mut again = Vec::new();
        read.write(&mut again).expect("writes");
        assert_eq!(bytes, again);
        let closed = read.recompute().expect("recomputes");
        assert_eq!(closed.statement, world.full.closed.statement);
    }
}
