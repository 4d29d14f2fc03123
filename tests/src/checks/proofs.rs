//! Proof files: whatever is in them, what they show is true.

use std::sync::LazyLock;

use meed_audit::approve::Approved;
use meed_audit::proof::Proof;
use meed_audit::trust::Trust;
use meed_audit::verify::{verify, verify_absence};

use crate::facts::claimant;
use crate::world::{Epoch, World};

/// A world with the trust files by which its proofs are judged.
pub(super) struct Judge {
    pub(super) world: World,
    trusts: Vec<Trust>,
}

/// Both worlds.
pub(super) static JUDGES: LazyLock<Vec<Judge>> = LazyLock::new(|| {
    [World::new(), World::with_changed_approvers()]
        .into_iter()
        .map(|world| {
            let mut trusts = vec![world.trust(), world.trust_from(1, &world.bare_policy())];
            trusts.extend(
                (2..=world.sets.len()).map(|version| world.trust_from(version, &world.witness_policy())),
            );
            Judge { world, trusts }
        })
        .collect()
});

impl Judge {
    /// Proofs of all kinds: every payout, and absences before, between, after and in the empty epoch.
    pub(super) fn proofs(&self) -> Vec<Proof> {
        let world = &self.world;
        let count = world.full.closed.allocations.len();
        let mut proofs: Vec<Proof> =
            (1..=count).map(|index| Proof::Payout(world.payout_proof(index))).collect();
        for stranger in strangers() {
            proofs.push(Proof::Absence(world.absence_proof(&world.full, &claimant(stranger))));
        }
        proofs.push(Proof::Absence(world.absence_proof(&world.empty, &claimant(strangers()[0]))));
        proofs
    }
}

/// The trust files of both worlds.
pub(super) fn trusts() -> Vec<&'static Trust> {
    JUDGES.iter().flat_map(|judge| &judge.trusts).collect()
}

/// Verifies a proof under a trust file: what it shows must be so.
pub(super) fn show(proof: &Proof, trust: &Trust) {
    match proof {
        Proof::Payout(proof) => {
            let Ok(verified) = verify(proof, trust) else { return };
            let allocations = &epoch_of(verified.evidence().approved()).closed.allocations;
            assert!(allocations.contains(verified.allocation()), "never paid: {:?}", verified.allocation());
        }
        Proof::Absence(proof) => {
            let Ok(verified) = verify_absence(proof, trust) else { return };
            let allocations = &epoch_of(verified.evidence().approved()).closed.allocations;
            let is_there = allocations.iter().any(|allocation| allocation.claimant == *verified.claimant());
            assert!(!is_there, "is in the epoch: {}", verified.claimant());
        }
    }
}

/// The epoch of an approved statement, which must be one of either world: the same keys sign in both.
fn epoch_of(approved: &Approved) -> &'static Epoch {
    let epochs = JUDGES.iter().flat_map(|judge| [&judge.world.full, &judge.world.empty]);
    let epoch = epochs.into_iter().find(|epoch| epoch.closed.statement == *approved.statement());
    epoch.expect("only the worlds' statements were approved")
}

/// Claimants that are in no epoch: before the first, between two, after the last.
pub(super) fn strangers() -> [&'static str; 3] {
    ["identity:discord:1", "identity:github:1001", "user:ffffffff-ffff-4fff-8fff-ffffffffffff"]
}

/// A proof file is written as it was read, and shows nothing that is not so.
pub(super) fn proof(data: &[u8]) {
    let Ok(proof) = Proof::parse(data) else { return };
    assert_eq!(proof.to_file(), data, "a proof file has one form");
    trusts().into_iter().for_each(|trust| show(&proof, trust));
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    JUDGES.iter().flat_map(|judge| judge.proofs()).map(|proof| proof.to_file()).collect()
}
