//! Forged paths, each test named by the defect, and why `rs_merkle` builds here and never checks.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

mod merkle_support;

use meed_audit::hash::{EMPTY_ROOT, Hash, leaf_hash, node_hash};
use meed_audit::merkle::{
    MAX_TREE_SIZE, MerkleError, Tree, inclusion_path_hashes, root, verify_consistency, verify_inclusion,
};
use merkle_support::{leaves, naive_inclusion};
use proptest::prelude::*;

fn tree(size: usize) -> Tree {
    Tree::build(leaves(size))
}

#[test]
fn out_of_range_index_is_refused() {
    for size in 1..=20 {
        let (tree, hashes) = (tree(size), leaves(size));
        let size = size as u64;
        for index in 0..size {
            let path = tree.inclusion_path(index).unwrap();
            let leaf = hashes[usize::try_from(index).unwrap()];
            // Each of these agrees with the true index in its low bits, or is the next one.
            for forged in [size, size + index, index + 32, index + 64, index | 1 << 62, u64::MAX] {
                let refused = Err(MerkleError::IndexOutOfRange { index: forged, size });
                assert_eq!(verify_inclusion(&leaf, forged, size, &path, &tree.root()), refused);
            }
        }
    }
}

#[test]
fn another_index_is_refused() {
    let (tree, hashes) = (tree(21), leaves(21));
    for index in 0..21_u64 {
        let path = tree.inclusion_path(index).unwrap();
        let leaf = hashes[usize::try_from(index).unwrap()];
        for forged in (0..21).filter(|forged| *forged != index) {
            assert!(verify_inclusion(&leaf, forged, 21, &path, &tree.root()).is_err(), "{index} as {forged}");
        }
    }
}

#[test]
fn duplicated_last_leaf_is_refused() {
    let three = leaves(3);
    let root_of_three = root(&three);
    // Where a lone last leaf is hashed with itself, these four leaves have the root of the three.
    let last = three[2];
    let doubled = node_hash(&node_hash(&three[0], &three[1]), &node_hash(&last, &last));
    assert_ne!(root_of_three, doubled);
    let path = [last, node_hash(&three[0], &three[1])];
    assert!(verify_inclusion(&last, 3, 3, &path, &root_of_three).is_err());
    assert!(verify_inclusion(&last, 2, 3, &path, &root_of_three).is_err());
    assert!(verify_inclusion(&last, 3, 4, &path, &root_of_three).is_err());
    assert!(verify_consistency(3, &root_of_three, 4, &root_of_three, &path).is_err());
}

#[test]
fn trailing_hash_is_refused() {
    for size in 1..=40 {
        let (tree, hashes) = (tree(size), leaves(size));
        for (index, leaf) in hashes.iter().enumerate() {
            let mut path = tree.inclusion_path(index as u64).unwrap();
            let expected = path.len();
            path.push(EMPTY_ROOT);
            let refused = Err(MerkleError::PathLength { expected, got: expected + 1 });
            assert_eq!(verify_inclusion(leaf, index as u64, size as u64, &path, &tree.root()), refused);
            // And where the last hash makes the path lead to a root that the forger names.
            path[expected] = *leaf;
            let forged = node_hash(leaf, &tree.root());
            assert_eq!(verify_inclusion(leaf, index as u64, size as u64, &path, &forged), refused);
        }
    }
}

#[test]
fn missing_hash_is_refused() {
    for size in 2..=40 {
        let (tree, hashes) = (tree(size), leaves(size));
        for (index, leaf) in hashes.iter().enumerate() {
            let path = tree.inclusion_path(index as u64).unwrap();
            for missing in 0..path.len() {
                let mut short = path.clone();
                short.remove(missing);
                let refused = Err(MerkleError::PathLength { expected: path.len(), got: short.len() });
                assert_eq!(verify_inclusion(leaf, index as u64, size as u64, &short, &tree.root()), refused);
            }
        }
    }
}

#[test]
fn wrong_size_with_another_shape_is_refused() {
    // A size of the same shape (leaf 0 of 3 and of 4) leads to the same sums: that is why the size always
    // comes from a signed checkpoint, beside the root, and never from the proof.
    let shapes: Vec<Vec<usize>> = (0..=80)
        .map(|size| (0..size).map(|index| naive_inclusion(index, &leaves(size)).len()).collect())
        .collect();
    for size in 1..=40_usize {
        let (tree, hashes) = (tree(size), leaves(size));
        for (index, leaf) in hashes.iter().enumerate() {
            let index = index as u64;
            let path = tree.inclusion_path(index).unwrap();
            for claimed in (0..=80).filter(|claimed| *claimed != size as u64) {
                let accepted = verify_inclusion(leaf, index, claimed, &path, &tree.root()).is_ok();
                let same_length = shapes[usize::try_from(claimed).unwrap()]
                    .get(usize::try_from(index).unwrap())
                    .is_some_and(|hashes| *hashes == path.len());
                assert!(!accepted || same_length, "leaf {index} of {size} as of {claimed}");
            }
        }
    }
    let seven = tree(7);
    let path = seven.inclusion_path(6).unwrap();
    for claimed in [0, 1, 6, 8, 9, 14, 1 << 40] {
        assert!(
            verify_inclusion(&leaves(7)[6], 6, claimed, &path, &seven.root()).is_err(),
            "as of {claimed}"
        );
    }
}

#[test]
fn inner_node_offered_as_a_leaf_is_refused() {
    let (tree, hashes) = (tree(8), leaves(8));
    let inner = node_hash(&hashes[0], &hashes[1]);
    let path = tree.inclusion_path(0).unwrap();
    let refused = Err(MerkleError::PathLength { expected: 3, got: 2 });
    assert_eq!(verify_inclusion(&inner, 0, 8, &path[1..], &tree.root()), refused);
    // A leaf is hashed from its bytes, with a prefix of its own: no bytes make it that inner node.
    let data = [hashes[0].to_bytes(), hashes[1].to_bytes()].concat();
    let prefixed = [&[0x01][..], &data].concat();
    for forged in [leaf_hash(&data), leaf_hash(&prefixed)] {
        assert_ne!(forged, inner);
        assert!(verify_inclusion(&forged, 0, 4, &path[1..], &tree.root()).is_err());
    }
}

#[test]
fn index_equal_to_size_is_refused() {
    for size in [1, 2, 3, 8, 256, MAX_TREE_SIZE] {
        let refused = Err(MerkleError::IndexOutOfRange { index: size, size });
        assert_eq!(verify_inclusion(&EMPTY_ROOT, size, size, &[], &EMPTY_ROOT), refused);
    }
}

#[test]
fn size_0_holds_no_leaf() {
    let refused = Err(MerkleError::IndexOutOfRange { index: 0, size: 0 });
    assert_eq!(verify_inclusion(&EMPTY_ROOT, 0, 0, &[], &EMPTY_ROOT), refused);
}

#[test]
fn size_0_has_one_root_only() {
    let (one, two) = (root(&leaves(1)), root(&leaves(2)));
    assert_eq!(verify_consistency(0, &EMPTY_ROOT, 2, &two, &[]), Ok(()));
    assert_eq!(verify_consistency(0, &EMPTY_ROOT, 0, &EMPTY_ROOT, &[]), Ok(()));
    assert!(verify_consistency(0, &one, 2, &two, &[]).is_err());
    assert!(verify_consistency(0, &EMPTY_ROOT, 0, &one, &[]).is_err());
    assert!(verify_consistency(0, &EMPTY_ROOT, 2, &two, &[one]).is_err());
}

#[test]
fn equal_sizes_need_equal_roots_and_no_path() {
    let (one, two) = (root(&leaves(1)), root(&leaves(2)));
    assert_eq!(verify_consistency(2, &two, 2, &two, &[]), Ok(()));
    assert!(verify_consistency(2, &one, 2, &two, &[]).is_err());
    assert!(verify_consistency(2, &two, 2, &two, &[one]).is_err());
}

#[test]
fn size_2_to_the_63_is_refused() {
    for size in [1 << 63, u64::MAX] {
        let refused = Err(MerkleError::SizeTooLarge { size });
        assert_eq!(verify_inclusion(&EMPTY_ROOT, 0, size, &[EMPTY_ROOT; 63], &EMPTY_ROOT), refused);
        assert_eq!(verify_consistency(1, &EMPTY_ROOT, size, &EMPTY_ROOT, &[EMPTY_ROOT; 63]), refused);
        assert_eq!(verify_consistency(size, &EMPTY_ROOT, size, &EMPTY_ROOT, &[]), refused);
    }
}

#[test]
fn paths_of_the_largest_tree_are_counted_and_climbed() {
    let size = MAX_TREE_SIZE;
    for index in [0, 1, size / 2, size - 2, size - 1] {
        let hashes = inclusion_path_hashes(index, size).unwrap();
        let path = vec![EMPTY_ROOT; hashes];
        let refused = verify_inclusion(&EMPTY_ROOT, index, size, &path, &EMPTY_ROOT);
        assert!(matches!(refused, Err(MerkleError::RootMismatch { .. })), "{index}: {refused:?}");
        let refused = verify_inclusion(&EMPTY_ROOT, index, size, &path[1..], &EMPTY_ROOT);
        assert_eq!(refused, Err(MerkleError::PathLength { expected: hashes, got: hashes - 1 }));
    }
    let refused = verify_consistency(size - 1, &EMPTY_ROOT, size, &EMPTY_ROOT, &[EMPTY_ROOT; 200]);
    assert!(matches!(refused, Err(MerkleError::PathLength { .. })), "{refused:?}");
}

#[test]
fn forked_history_is_refused() {
    let mut forked = leaves(13);
    let honest = Tree::build(forked.iter().copied());
    forked[4] = leaf_hash(b"rewritten");
    let rewritten = Tree::build(forked.iter().copied());
    let old_root = root(&leaves(7));
    let path = rewritten.consistency_path(7, 13).unwrap();
    let refused = verify_consistency(7, &old_root, 13, &rewritten.root(), &path);
    assert!(matches!(refused, Err(MerkleError::OldRootMismatch { .. })), "{refused:?}");
    let refused =
        verify_consistency(7, &old_root, 13, &rewritten.root(), &honest.consistency_path(7, 13).unwrap());
    assert!(matches!(refused, Err(MerkleError::RootMismatch { .. })), "{refused:?}");
}

#[test]
fn consistency_path_of_another_new_size_is_refused() {
    // Both sums come out right: only the length tells that this is the path to 4 leaves, not to 8.
    let (hashes, four) = (leaves(8), tree(4));
    for old in [1_u64, 2, 3] {
        let old_root = root(&hashes[..usize::try_from(old).unwrap()]);
        let path = four.consistency_path(old, 4).unwrap();
        assert_eq!(verify_consistency(old, &old_root, 4, &four.root(), &path), Ok(()));
        let refused = Err(MerkleError::PathLength { expected: path.len() + 1, got: path.len() });
        assert_eq!(verify_consistency(old, &old_root, 8, &four.root(), &path), refused);
    }
}

/// RFC 6962 hashing for `rs_merkle`, written again so that this test stands alone.
#[derive(Clone)]
struct Rfc6962;

impl rs_merkle::Hasher for Rfc6962 {
    type Hash = [u8; 32];

    fn hash(data: &[u8]) -> [u8; 32] {
        leaf_hash(data).to_bytes()
    }

    fn concat_and_hash(left: &[u8; 32], right: Option<&[u8; 32]>) -> [u8; 32] {
        right.map_or(*left, |right| node_hash(&(*left).into(), &(*right).into()).to_bytes())
    }
}

#[test]
fn rs_merkle_accepts_a_forged_leaf_under_a_duplicate_index_and_ours_refuses_it() {
    let genuine: Vec<[u8; 32]> = leaves(2).into_iter().map(Hash::to_bytes).collect();
    let built = rs_merkle::MerkleTree::<Rfc6962>::from_leaves(&genuine);
    let root = built.root().unwrap();
    let forged = leaf_hash(b"a payout nobody approved");
    let proof = built.proof(&[0, 1]);
    // It sorts the claims by index and takes the first two: the third is "verified" without being looked at.
    let claims = [genuine[0], genuine[1], forged.to_bytes()];
    assert!(proof.verify(root, &[0, 1, 1], &claims, 2), "upstream was fixed: this reason is gone");

    for index in 0..3 {
        for path in [&[][..], &[genuine[0].into()], &[genuine[1].into()]] {
            assert!(verify_inclusion(&forged, index, 2, path, &root.into()).is_err());
        }
    }
}

#[test]
fn rs_merkle_accepts_a_trailing_hash_and_ours_refuses_it() {
    let hashes = leaves(5);
    let genuine: Vec<[u8; 32]> = hashes.iter().map(|hash| hash.to_bytes()).collect();
    let built = rs_merkle::MerkleTree::<Rfc6962>::from_leaves(&genuine);
    let root = built.root().unwrap();
    let mut path = built.proof(&[1]).proof_hashes().to_vec();
    path.push([0xaa; 32]);
    assert!(rs_merkle::MerkleProof::<Rfc6962>::new(path.clone()).verify(root, &[1], &genuine[1..2], 5));

    let path: Vec<Hash> = path.into_iter().map(Hash::from_bytes).collect();
    let refused = Err(MerkleError::PathLength { expected: 3, got: 4 });
    assert_eq!(verify_inclusion(&hashes[1], 1, 5, &path, &root.into()), refused);
    assert_eq!(verify_inclusion(&hashes[1], 1, 5, &path[..3], &root.into()), Ok(()));
}

fn flipped(hash: &Hash, bit: usize) -> Hash {
    let mut bytes = hash.to_bytes();
    bytes[bit / 8] ^= 1 << (bit % 8);
    Hash::from_bytes(bytes)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn one_flipped_bit_of_an_inclusion_proof_is_refused(
        size in 1_usize..700, pick in any::<prop::sample::Index>(), bit in 0_usize..256,
        place in any::<prop::sample::Index>(),
    ) {
        let (tree, hashes) = (tree(size), leaves(size));
        let index = pick.index(size);
        let (at, of) = (index as u64, size as u64);
        let (leaf, root) = (hashes[index], tree.root());
        let path = tree.inclusion_path(at).unwrap();
        prop_assert_eq!(verify_inclusion(&leaf, at, of, &path, &root), Ok(()));
        prop_assert!(verify_inclusion(&flipped(&leaf, bit), at, of, &path, &root).is_err());
        prop_assert!(verify_inclusion(&leaf, at, of, &path, &flipped(&root, bit)).is_err());
        if !path.is_empty() {
            let mut forged = path.clone();
            let place = place.index(path.len());
            forged[place] = flipped(&forged[place], bit);
            prop_assert!(verify_inclusion(&leaf, at, of, &forged, &root).is_err());
        }
    }

    #[test]
    fn one_flipped_bit_of_a_consistency_proof_is_refused(
        new in 1_usize..700, pick in any::<prop::sample::Index>(), bit in 0_usize..256,
        place in any::<prop::sample::Index>(),
    ) {
        let (tree, hashes) = (tree(new), leaves(new));
        let old = 1 + pick.index(new);
        let (before, after) = (old as u64, new as u64);
        let (old_root, new_root) = (root(&hashes[..old]), tree.root());
        let path = tree.consistency_path(before, after).unwrap();
        prop_assert_eq!(verify_consistency(before, &old_root, after, &new_root, &path), Ok(()));
        prop_assert!(verify_consistency(before, &flipped(&old_root, bit), after, &new_root, &path).is_err());
        prop_assert!(verify_consistency(before, &old_root, after, &flipped(&new_root, bit), &path).is_err());
        if !path.is_empty() {
            let mut forged = path.clone();
            let place = place.index(path.len());
            forged[place] = flipped(&forged[place], bit);
            prop_assert!(verify_consistency(before, &old_root, after, &new_root, &forged).is_err());
        }
    }

    #[test]
    fn arbitrary_paths_never_panic_and_never_pass(
        index in any::<u64>(), size in any::<u64>(), length in 0_usize..70, seed in any::<[u8; 32]>(),
    ) {
        let path: Vec<Hash> = (0..length).map(|n| node_hash(&seed.into(), &leaf_hash(&n.to_be_bytes()))).collect();
        let root = Hash::from_bytes(seed);
        prop_assert!(verify_inclusion(&leaf_hash(&seed), index, size, &path, &root).is_err());
        let other = leaf_hash(b"another root");
        prop_assert!(verify_consistency(index, &root, size, &other, &path).is_err());
    }
}
