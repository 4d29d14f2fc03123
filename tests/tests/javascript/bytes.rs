//! Bytes of proof files that are changed, left out, doubled or cut off: both implementations fail the same link.

use meed_audit::proof::Proof;
use meed_audit::trust::Trust;
use meed_tests::facts::claimant;
use meed_tests::world::World;

use crate::support::{agreed, mutations};

/// Of the ways in which a byte can be changed every sixth is taken, each time another one.
const STEP: usize = 6;

/// Asks about each byte of a file, changed in some ways, and gives the names of the links that failed.
fn links_that_fail(file: &[u8], trust: &Trust) -> std::collections::BTreeSet<String> {
    let name = |verdict: String| verdict.split(' ').next().unwrap_or_default().to_owned();
    let mut seen = std::collections::BTreeSet::new();
    for position in 0..file.len() {
        for mutant in mutations(file, position).iter().skip(position % STEP).step_by(STEP) {
            seen.insert(name(agreed(mutant, trust)));
        }
    }
    assert!(agreed(file, trust).starts_with("verified "));
    seen
}

#[test]
fn changed_bytes_of_a_payout_proof() {
    let world = World::new();
    let seen = links_that_fail(&Proof::Payout(world.payout_proof(3)).to_file(), &world.trust());
    // What is signed and what is hashed fails at its own link; times and counts of approvals are in what is signed.
    for link in [
        "format",
        "scope",
        "log_checkpoint",
        "node_signature",
        "approvals",
        "leaf",
        "inclusion",
        "log_inclusion",
    ] {
        assert!(seen.contains(link), "{link}: {seen:?}");
    }
}

#[test]
fn changed_bytes_of_a_payout_proof_with_approver_sets() {
    let world = World::with_changed_approvers();
    let seen = links_that_fail(&Proof::Payout(world.payout_proof(7)).to_file(), &world.trust());
    assert!(seen.contains("approver_sets"), "{seen:?}");
}

#[test]
fn changed_bytes_of_absence_proofs() {
    let world = World::new();
    for (epoch, stranger) in [(&world.full, "identity:github:1001"), (&world.empty, "identity:discord:1")] {
        let proof = world.absence_proof(epoch, &claimant(stranger));
        let seen = links_that_fail(&Proof::Absence(proof).to_file(), &world.trust());
        assert!(["format", "leaf", "log_checkpoint"].iter().all(|link| seen.contains(*link)), "{seen:?}");
        // Who is asked about is not signed by anyone: another claimant who is not there either is another answer.
        let proof = world.absence_proof(epoch, &claimant(stranger));
        let other = meed_audit::proof::AbsenceProof { claimant: claimant(&format!("{stranger}0")), ..proof };
        agreed(&Proof::Absence(other).to_file(), &world.trust());
    }
}

#[test]
fn files_that_are_no_proofs() {
    let trust = World::new().trust();
    let deep = "[".repeat(100_000);
    let large = " ".repeat(4_194_305);
    for file in [
        "",
        "\n",
        "{}\n",
        "null\n",
        "[]\n",
        "\"meed/payout-proof/v1\"\n",
        "{\"format\":1}\n",
        "{\"format\":\"meed/payout-proof/v1\"}\n",
        "{\"format\":\"meed/payout-proof/v2\"}\n",
        "{\"format\":\"meed/absence-proof/v1\",\"approver_sets\":{}}\n",
        "{\"__proto__\":\"x\",\"approver_sets\":[],\"format\":\"meed/payout-proof/v1\",\"log\":\"\",\"payout\":\"\"}\n",
        "{\"approver_sets\":[],\"format\":\"meed/payout-proof/v1\",\"log\":\"\",\"log\":\"\",\"payout\":\"\"}\n",
        "{\"approver_sets\":[],\"format\":\"meed/payout-proof/v1\",\"log\":\"\\ud800\",\"payout\":\"\"}\n",
        "{\"approver_sets\":[1],\"format\":\"meed/payout-proof/v1\",\"log\":\"\",\"payout\":\"\"}\n",
        "{\"approver_sets\":[],\"format\":\"meed/payout-proof/v1\",\"log\":\"\",\"payout\":\"\"}\n",
        "{\"approver_sets\":[],\"claimant\":\"user:x\",\"format\":\"meed/absence-proof/v1\",\"log\":\"\"}\n",
        "{\"approver_sets\":[],\"claimant\":\"identity:github:1\",\"format\":\"meed/absence-proof/v1\",\"log\":\"\"}\n",
        "\u{feff}{}\n",
        &deep,
        &large,
    ] {
        let verdict = agreed(file.as_bytes(), &trust);
        assert!(verdict.starts_with("format "), "{verdict}: {file:.100}");
    }
    agreed(b"{\"format\":\"\xff\"}\n", &trust);
}
