//! Parts of a payout proof put in each other's place.

use meed_audit::RejectionCode;
use meed_audit::allocation::Allocation;
use meed_audit::amount::Credits;
use meed_audit::hash::Hash;
use meed_audit::ids::{Revision, ScopeId, SetVersion};
use meed_audit::leaf::Leaf;
use meed_audit::merkle::{MAX_TREE_SIZE, Tree};
use meed_audit::proof::PayoutProof;
use meed_audit::statement::Statement;
use meed_audit::trust::Trust;
use meed_audit::verify::Link;
use meed_tests::facts::{epoch_number, scope_name};
use meed_tests::log::tlog_proof;
use meed_tests::world::{World, sign_statement};

use crate::support::{Parts, altered, altered_leaf, refused, verify};

struct Case {
    world: World,
    trust: Trust,
}

impl Case {
    fn new() -> Self {
        let world = World::new();
        let trust = world.trust();
        Self { world, trust }
    }

    /// Asserts where the proof of leaf 3 is refused after its tlog-proof of the payout was altered.
    #[track_caller]
    fn payout(&self, link: Link, code: RejectionCode, alter: impl FnOnce(&mut Parts)) {
        let mut proof = self.world.payout_proof(3);
        proof.payout = altered(&proof.payout, alter);
        refused(&proof, &self.trust, link, code);
    }

    /// The same for its tlog-proof of the log entry.
    #[track_caller]
    fn log(&self, link: Link, code: RejectionCode, alter: impl FnOnce(&mut Parts)) {
        let mut proof = self.world.payout_proof(3);
        proof.log = altered(&proof.log, alter);
        refused(&proof, &self.trust, link, code);
    }

    /// The same for the fields of its leaf.
    #[track_caller]
    fn leaf(&self, link: Link, code: RejectionCode, alter: impl FnOnce(&mut Allocation)) {
        self.payout(link, code, |parts| {
            let leaf = parts.extra.take().expect("a leaf");
            parts.extra = Some(altered_leaf(&leaf, alter));
        });
    }
}

fn other_scope() -> ScopeId {
    ScopeId::derive(&scope_name().node, &"other".parse().expect("a key"))
}

#[test]
fn a_leaf_of_another_claimant_or_amount_is_refused() {
    let case = Case::new();
    let allocations = &case.world.full.closed.allocations;
    for (index, other) in (1..).zip(allocations).filter(|(index, _)| *index != 3) {
        case.payout(Link::Inclusion, RejectionCode::InclusionInvalid, |parts| {
            parts.extra = case.world.leaf_proof(&case.world.full, index).extra().map(<[u8]>::to_vec);
        });
        case.leaf(Link::Inclusion, RejectionCode::InclusionInvalid, |leaf| {
            leaf.claimant = other.claimant.clone()
        });
    }
    case.leaf(Link::Inclusion, RejectionCode::InclusionInvalid, |leaf| {
        leaf.credits = Credits::single(leaf.credits.value() + 1).expect("an amount");
    });
    case.leaf(Link::Inclusion, RejectionCode::InclusionInvalid, |leaf| leaf.events += 1);
    case.leaf(Link::Inclusion, RejectionCode::InclusionInvalid, |leaf| {
        leaf.final_units = allocations[0].final_units
    });
}

#[test]
fn a_leaf_of_another_epoch_revision_or_scope_is_refused() {
    let case = Case::new();
    let (first, later) = (epoch_number(1), Revision::FIRST.next());
    case.leaf(Link::Leaf, RejectionCode::Mismatch, |leaf| leaf.epoch = first);
    case.leaf(Link::Leaf, RejectionCode::Mismatch, |leaf| leaf.revision = later);
    case.leaf(Link::Leaf, RejectionCode::Mismatch, |leaf| leaf.scope = other_scope());
    // Even approvers who sign a tree with such a leaf cannot make it a payout of this epoch.
    let alter: [fn(&mut Allocation); 3] = [
        |leaf| leaf.epoch = epoch_number(1),
        |leaf| leaf.revision = Revision::FIRST.next(),
        |leaf| leaf.scope = other_scope(),
    ];
    for alter in alter {
        let world = World::new().resigned(|_, allocations| alter(&mut allocations[2]));
        refused(&world.payout_proof(3), &case.trust, Link::Leaf, RejectionCode::Mismatch);
        verify(&world.payout_proof(2), &case.trust).expect("the other leaves are as they were");
    }
}

#[test]
fn only_the_canonical_bytes_of_an_allocation_are_a_leaf() {
    let case = Case::new();
    case.payout(Link::Leaf, RejectionCode::MissingField, |parts| parts.extra = None);
    case.payout(Link::Leaf, RejectionCode::NotCanonical, |parts| {
        parts.extra.as_mut().expect("a leaf").push(b' ');
    });
    for text in ["{}", "null", "[]", "meed"] {
        case.payout(Link::Leaf, RejectionCode::Malformed, |parts| {
            parts.extra = Some(text.as_bytes().to_vec())
        });
    }
    // Leaf 0 is in the tree, and is no allocation.
    let mut proof = case.world.payout_proof(1);
    proof.payout = case.world.leaf_proof(&case.world.full, 0).to_string();
    refused(&proof, &case.trust, Link::Leaf, RejectionCode::Malformed);
    // An inner node's two children as a leaf, the attack that domain separation stands against.
    let hashes = &case.world.full.closed.allocation_hashes;
    let children = [hashes[2].as_bytes().as_slice(), hashes[3].as_bytes().as_slice()].concat();
    case.payout(Link::Leaf, RejectionCode::Malformed, |parts| parts.extra = Some(children));
}

/// Every path that is a little wrong.
fn wrong_paths(path: &[Hash]) -> Vec<Vec<Hash>> {
    assert!(path.len() > 1, "a path to alter");
    let mut wrong = vec![Vec::new()];
    for position in 0..path.len() {
        let mut changed = path.to_vec();
        changed[position] = Hash::of(b"another");
        let mut removed = path.to_vec();
        removed.remove(position);
        let mut doubled = path.to_vec();
        doubled.insert(position, path[position]);
        let mut swapped = path.to_vec();
        swapped.swap(position, (position + 1) % path.len());
        wrong.extend([changed, removed, doubled, swapped]);
    }
    wrong.push([path, &[Hash::of(b"more")]].concat());
    wrong
}

#[test]
fn a_path_with_any_hash_changed_left_out_doubled_or_swapped_is_refused() {
    let case = Case::new();
    let proof = case.world.payout_proof(3);
    for path in wrong_paths(&Parts::of(&proof.payout).path) {
        case.payout(Link::Inclusion, RejectionCode::InclusionInvalid, |parts| parts.path = path);
    }
    for path in wrong_paths(&Parts::of(&proof.log).path) {
        case.log(Link::LogInclusion, RejectionCode::InclusionInvalid, |parts| parts.path = path);
    }
}

#[test]
fn another_index_is_refused() {
    let case = Case::new();
    let size = case.world.full.closed.statement.tree_size();
    for index in [0, 1, 2, 4, size - 1, size, size + 1, MAX_TREE_SIZE - 1] {
        case.payout(Link::Inclusion, RejectionCode::InclusionInvalid, |parts| parts.index = index);
    }
    let (own, size) = (case.world.log.index_of(&case.world.full.note), case.world.log.tree().size());
    for index in [0, own - 1, own + 1, size, MAX_TREE_SIZE - 1] {
        case.log(Link::LogInclusion, RejectionCode::InclusionInvalid, |parts| parts.index = index);
    }
    for index in [MAX_TREE_SIZE, 1 << 63, u64::MAX] {
        case.payout(Link::Format, RejectionCode::Malformed, |parts| parts.index = index);
        case.log(Link::LogCheckpoint, RejectionCode::Malformed, |parts| parts.index = index);
    }
}

#[test]
fn the_statement_of_another_epoch_node_or_scope_is_refused() {
    let case = Case::new();
    let other = case.world.empty.note.clone();
    case.payout(Link::Leaf, RejectionCode::Mismatch, |parts| parts.note = other);
    let scopes: [fn(&mut meed_audit::statement::Statement); 4] = [
        |statement| statement.node = "00000000-0000-4000-8000-000000000000".parse().expect("a node id"),
        |statement| statement.scope = other_scope(),
        |statement| statement.scope_key = "other".parse().expect("a key"),
        |statement| statement.origin = "ledger.example.net".parse().expect("an origin"),
    ];
    for alter in scopes {
        let world = World::new().resigned(|statement, _| alter(statement));
        refused(&world.payout_proof(3), &case.trust, Link::Scope, RejectionCode::Mismatch);
    }
}

#[test]
fn a_statement_that_is_signed_again_is_another_statement() {
    let case = Case::new();
    // The same draft at a later revision, with the leaves of the earlier one.
    let world = World::new().resigned(|statement, _| statement.revision = Revision::FIRST.next());
    refused(&world.payout_proof(3), &case.trust, Link::Leaf, RejectionCode::Mismatch);
    // The lines below the root are leaf 0: with the root of other lines nothing is under it.
    let world = World::new().resigned(|statement, _| {
        statement.undistributed = Credits::single(1).expect("an amount");
    });
    let proof = PayoutProof { payout: case.world.payout_proof(3).payout, ..world.payout_proof(3) };
    refused(&proof, &case.trust, Link::LogInclusion, RejectionCode::InclusionInvalid);
    let mut mixed = world.payout_proof(3);
    mixed.payout = altered(&mixed.payout, |parts| parts.path = Parts::of(&proof.payout).path);
    refused(&mixed, &case.trust, Link::Inclusion, RejectionCode::InclusionInvalid);
    // Another threshold or set than the one that the trust file leads to.
    let world = World::new().resigned(|statement, _| statement.approvers.threshold = 1);
    refused(&world.payout_proof(3), &case.trust, Link::Approvals, RejectionCode::Mismatch);
    let world = World::new().resigned(|statement, _| statement.approvers.members = 2);
    refused(&world.payout_proof(3), &case.trust, Link::Approvals, RejectionCode::Mismatch);
    let world = World::new().resigned(|statement, _| {
        statement.approvers.version = SetVersion::FIRST.next();
    });
    let mut proof = world.payout_proof(3);
    proof.approver_sets.clear();
    refused(&proof, &case.trust, Link::ApproverSets, RejectionCode::Mismatch);
}

#[test]
fn the_parts_of_two_proofs_do_not_make_a_third() {
    let case = Case::new();
    let (three, four) = (case.world.payout_proof(3), case.world.payout_proof(4));
    assert_ne!(three.payout, four.payout);
    // Both are of one statement, so that the log's part is the same; that of the other epoch is not.
    assert_eq!(three.log, four.log);
    let other = case.world.logged(&case.world.empty.note, false).to_string();
    refused(
        &PayoutProof { log: other, ..three.clone() },
        &case.trust,
        Link::LogInclusion,
        RejectionCode::InclusionInvalid,
    );
    let swapped = PayoutProof { log: three.payout.clone(), payout: three.log.clone(), ..three };
    refused(&swapped, &case.trust, Link::Scope, RejectionCode::Malformed);
}

#[test]
fn an_allocation_in_the_place_of_leaf_zero_is_no_payout() {
    let world = World::new();
    let closed = &world.full.closed;
    let first = &closed.allocations[0];
    let hashes = std::iter::once(first).chain(&closed.allocations).map(Leaf::leaf_hash);
    let tree = Tree::build(hashes);
    let statement = Statement { root: tree.root(), ..closed.statement.clone() };
    assert_eq!(tree.size(), statement.tree_size());
    let note = sign_statement(&statement, &world.node_key, &["alice", "carol"]);
    let world = world.with_note(note.clone());
    let path = tree.inclusion_path(0).expect("a leaf");
    let mut proof = world.payout_proof(1);
    proof.payout = tlog_proof(Some(world.full.closed.allocations[0].encode()), 0, path, &note).to_string();
    refused(&proof, &world.trust(), Link::Inclusion, RejectionCode::InclusionInvalid);
}
