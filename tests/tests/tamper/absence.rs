//! Proofs that somebody is not in an epoch.

use meed_audit::RejectionCode;
use meed_audit::ids::Claimant;
use meed_audit::merkle::MAX_TREE_SIZE;
use meed_audit::proof::AbsenceProof;
use meed_audit::verify::Link;
use meed_tests::facts::claimant;
use meed_tests::world::World;

use crate::support::{absence_refused, altered, verify_absence};

/// A claimant before the first of the second epoch, and one after the last.
fn outsiders() -> (Claimant, Claimant) {
    (claimant("identity:discord:1"), claimant("user:ffffffff-ffff-4fff-8fff-ffffffffffff"))
}

/// The proof with the leaves of these indices of the second epoch as neighbours.
fn between(world: &World, claimant: &Claimant, left: Option<usize>, right: Option<usize>) -> AbsenceProof {
    let text = |index: usize| world.leaf_proof(&world.full, index).to_string();
    let proof = world.absence_proof(&world.full, &outsiders().0);
    AbsenceProof { claimant: claimant.clone(), left: left.map(text), right: right.map(text), ..proof }
}

#[test]
fn exactly_one_pair_of_neighbours_shows_an_absence() {
    let world = World::new();
    let trust = world.trust();
    let allocations = &world.full.closed.allocations;
    let count = allocations.len();
    let places: Vec<Option<usize>> = (0..=count).map(Some).chain([None]).collect();
    let (first, last) = outsiders();
    let middle = claimant("identity:github:1001");
    assert!(allocations[0].claimant < middle && middle < allocations[count - 1].claimant);
    for stranger in [first, middle, last] {
        let before = allocations.partition_point(|allocation| allocation.claimant < stranger);
        let right = (before < count).then_some(before + 1);
        let left = (before > 0).then_some(before);
        for a in &places {
            for b in &places {
                let proof = between(&world, &stranger, *a, *b);
                if (*a, *b) == (left, right) {
                    verify_absence(&proof, &trust).expect("the neighbours");
                } else if (*a, *b) == (None, None) {
                    absence_refused(&proof, &trust, Link::Format, RejectionCode::MissingField);
                } else {
                    let error = verify_absence(&proof, &trust).expect_err("no neighbours");
                    assert_eq!(error.link, Link::Leaf, "{a:?} {b:?}: {error}");
                    // Leaf 0 holds the statement's lines, which are no allocation.
                    let expected = [RejectionCode::Mismatch, RejectionCode::Malformed];
                    assert!(expected.contains(&error.rejection.code), "{a:?} {b:?}: {error}");
                }
            }
        }
    }
}

#[test]
fn who_is_in_the_epoch_is_never_absent() {
    let world = World::new();
    let trust = world.trust();
    let allocations = &world.full.closed.allocations;
    let places: Vec<Option<usize>> = (0..=allocations.len()).map(Some).chain([None]).collect();
    for allocation in allocations {
        for left in &places {
            for right in places.iter().filter(|right| left.is_some() || right.is_some()) {
                let proof = between(&world, &allocation.claimant, *left, *right);
                let error = verify_absence(&proof, &trust).expect_err("a claimant of the epoch");
                assert_eq!(error.link, Link::Leaf, "{left:?} {right:?}: {error}");
            }
        }
    }
}

#[test]
fn neighbours_stand_where_they_say() {
    let world = World::new();
    let trust = world.trust();
    let middle = claimant("identity:github:1001");
    let valid = world.absence_proof(&world.full, &middle);
    let (left, right) = (valid.left.clone().expect("a left"), valid.right.clone().expect("a right"));
    let at = |text: &str, index: u64| altered(text, |parts| parts.index = index);
    let with = |left: Option<String>, right: Option<String>| AbsenceProof { left, right, ..valid.clone() };
    let index = crate::support::Parts::of(&left).index;
    // Adjacent by their own word, but not at those places of the tree.
    for shift in [1, 2] {
        let proof = with(Some(at(&left, index + shift)), Some(at(&right, index + shift + 1)));
        absence_refused(&proof, &trust, Link::Inclusion, RejectionCode::InclusionInvalid);
    }
    // As the first, as the last, and beyond the end.
    let size = world.full.closed.statement.tree_size();
    let proof = with(None, Some(at(&right, 1)));
    absence_refused(&proof, &trust, Link::Inclusion, RejectionCode::InclusionInvalid);
    let proof = with(Some(at(&left, size - 1)), None);
    absence_refused(&proof, &trust, Link::Inclusion, RejectionCode::InclusionInvalid);
    let proof = with(Some(at(&left, size - 1)), Some(at(&right, size)));
    absence_refused(&proof, &trust, Link::Inclusion, RejectionCode::InclusionInvalid);
    let proof = with(Some(at(&left, MAX_TREE_SIZE - 1)), None);
    absence_refused(&proof, &trust, Link::Leaf, RejectionCode::Mismatch);
    let proof = with(Some(at(&left, 1 << 63)), Some(at(&right, 1)));
    absence_refused(&proof, &trust, Link::Format, RejectionCode::Malformed);
    // One path for both, and each other's.
    let path = crate::support::Parts::of(&left).path;
    let proof = with(Some(left.clone()), Some(altered(&right, |parts| parts.path = path)));
    absence_refused(&proof, &trust, Link::Inclusion, RejectionCode::InclusionInvalid);
    absence_refused(&with(Some(right), Some(left)), &trust, Link::Leaf, RejectionCode::Mismatch);
}

#[test]
fn both_neighbours_are_of_one_statement() {
    let world = World::new();
    let trust = world.trust();
    let middle = claimant("identity:github:1001");
    let valid = world.absence_proof(&world.full, &middle);
    let other =
        valid.right.as_deref().map(|text| altered(text, |parts| parts.note.clone_from(&world.empty.note)));
    absence_refused(
        &AbsenceProof { right: other, ..valid.clone() },
        &trust,
        Link::Format,
        RejectionCode::Mismatch,
    );
    // Both of the other statement: its leaves are of another epoch.
    let moved = |text: &Option<String>| {
        text.as_deref().map(|text| altered(text, |parts| parts.note.clone_from(&world.empty.note)))
    };
    let (left, right) = (moved(&valid.left), moved(&valid.right));
    let proof = AbsenceProof { left, right, ..valid.clone() };
    absence_refused(&proof, &trust, Link::Leaf, RejectionCode::Mismatch);
    // And the log's part of the other epoch.
    let log = world.logged(&world.empty.note, false).to_string();
    absence_refused(
        &AbsenceProof { log, ..valid },
        &trust,
        Link::LogInclusion,
        RejectionCode::InclusionInvalid,
    );
}

#[test]
fn leaf_zero_shows_an_absence_only_where_it_is_alone() {
    let world = World::new();
    let trust = world.trust();
    let (first, last) = outsiders();
    for stranger in [&first, &last] {
        // In an epoch with allocations leaf 0 is nobody's neighbour.
        for (left, right) in [(Some(0), None), (Some(0), Some(1))] {
            let error = verify_absence(&between(&world, stranger, left, right), &trust).expect_err("leaf 0");
            assert_eq!(error.link, Link::Leaf, "{error}");
        }
    }
    // The empty epoch's leaf 0 under the other epoch's statement.
    let empty = world.absence_proof(&world.empty, &first);
    verify_absence(&empty, &trust).expect("nobody is in the empty epoch");
    let full = world.absence_proof(&world.full, &first);
    let left =
        empty.left.as_deref().map(|text| altered(text, |parts| parts.note.clone_from(&world.full.note)));
    let proof = AbsenceProof { left, right: None, log: full.log.clone(), ..empty.clone() };
    absence_refused(&proof, &trust, Link::Leaf, RejectionCode::Malformed);
    // In the empty epoch: other lines, no lines, another place, and an allocation of the other epoch.
    let zero = empty.left.clone().expect("leaf 0");
    for (alter, link, code) in [
        (0, Link::Leaf, RejectionCode::Mismatch),
        (1, Link::Leaf, RejectionCode::Mismatch),
        (2, Link::Leaf, RejectionCode::Mismatch),
        (3, Link::Inclusion, RejectionCode::InclusionInvalid),
    ] {
        let left = altered(&zero, |parts| match alter {
            0 => parts.extra = Some(world.full.closed.statement.leaf_zero()),
            1 => parts.extra = None,
            2 => parts.index = 1,
            _ => parts.path.push(meed_audit::hash::Hash::of(b"more")),
        });
        absence_refused(&AbsenceProof { left: Some(left), ..empty.clone() }, &trust, link, code);
    }
    let right =
        full.right.as_deref().map(|text| altered(text, |parts| parts.note.clone_from(&world.empty.note)));
    let proof = AbsenceProof { left: None, right, ..empty };
    absence_refused(&proof, &trust, Link::Leaf, RejectionCode::Mismatch);
}

#[test]
fn leaves_that_do_not_ascend_are_the_approvers_to_see() {
    // What an offline proof cannot show: two approvers who sign unsorted leaves can hide a claimant. `sign` and
    // `audit` recompute the order, and the link says that it rests on them.
    let world = World::new().resigned(|_, allocations| allocations.swap(2, 5));
    let hidden = world.full.closed.allocations[2].claimant.clone();
    let left = world.full.closed.allocations.iter().position(|allocation| allocation.claimant > hidden);
    assert!(left.is_some());
    let mut shown = Vec::new();
    for index in 1..world.full.closed.allocations.len() {
        let proof = between(&world, &hidden, Some(index), Some(index + 1));
        shown.extend(verify_absence(&proof, &world.trust()).ok());
    }
    for absence in &shown {
        let says = &absence
            .evidence()
            .links()
            .iter()
            .find(|checked| checked.link == Link::Leaf)
            .expect("a leaf")
            .says;
        assert!(says.contains("approvers' check"), "{says}");
    }
    assert!(!shown.is_empty(), "the limit that SPEC.md states");
}
