//! Every small tree against two foreign implementations, `ct-merkle` and Cloudflare's `tlog_tiles`.
//!
//! Roots and paths have to be equal byte for byte, and each side's checker has to accept the other's paths.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

mod merkle_support;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof};
use meed_audit::hash::Hash;
use meed_audit::merkle::{
    Tree, consistency_path, inclusion_path, root, root_from_tiles, verify_consistency, verify_inclusion,
};
use merkle_support::{Rows, leaf_text, leaves};
use sha2::Sha256;
use tlog_tiles::tlog;

const LARGEST: usize = 300;
const LARGEST_PAIR: usize = 130;

/// `tlog_tiles` reads the hashes of its own layout back from a vector.
struct StoredHashes(Vec<tlog::Hash>);

impl tlog::HashReader for StoredHashes {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
        Ok(indexes.iter().map(|index| self.0[usize::try_from(*index).unwrap()]).collect())
    }
}

impl StoredHashes {
    fn of(size: usize) -> Self {
        let mut stored = Self(Vec::new());
        for index in 0..size {
            let data = leaf_text(index);
            let more = tlog::stored_hashes(index as u64, data.as_bytes(), &stored).unwrap();
            stored.0.extend(more);
        }
        stored
    }
}

fn concatenated(path: &[Hash]) -> Vec<u8> {
    path.iter().flat_map(|hash| hash.to_bytes()).collect()
}

fn ours(path: &[tlog::Hash]) -> Vec<Hash> {
    path.iter().map(|hash| Hash::from_bytes(hash.0)).collect()
}

fn theirs(path: &[Hash]) -> Vec<tlog::Hash> {
    path.iter().map(|hash| tlog::Hash(hash.to_bytes())).collect()
}

#[test]
fn every_root_to_300_is_equal_to_both() {
    let hashes = leaves(LARGEST);
    let stored = StoredHashes::of(LARGEST);
    let (rows, _) = Rows::of_log(&hashes, 1);
    let mut ct = MemoryBackedTree::<Sha256, String>::new();
    for size in 0..=LARGEST {
        let built = Tree::build(hashes[..size].iter().copied());
        let expected = tlog::tree_hash(size as u64, &stored).unwrap();
        assert_eq!(built.root().to_bytes(), expected.0, "size {size}, tlog_tiles");
        assert_eq!(root(&hashes[..size]), built.root(), "size {size}, without keeping tiles");
        assert_eq!(root_from_tiles(&rows, size as u64), Ok(built.root()), "size {size}, from a log's rows");
        if size > 0 {
            ct.push(leaf_text(size - 1));
        }
        assert_eq!(built.root().as_bytes()[..], ct.root().as_bytes()[..], "size {size}, ct-merkle");
    }
}

#[test]
fn every_inclusion_path_to_300_is_equal_to_both_and_accepted_by_all() {
    let hashes = leaves(LARGEST);
    let stored = StoredHashes::of(LARGEST);
    let (rows, _) = Rows::of_log(&hashes, 7);
    let mut ct = MemoryBackedTree::<Sha256, String>::new();
    for size in 1..=LARGEST {
        ct.push(leaf_text(size - 1));
        let tree = Tree::build(hashes[..size].iter().copied());
        let (size_u64, foreign_root) = (size as u64, tlog::Hash(tree.root().to_bytes()));
        for (index, leaf) in hashes[..size].iter().enumerate() {
            let at = format!("leaf {index} of {size}");
            let index_u64 = index as u64;
            let path = tree.inclusion_path(index_u64).unwrap();
            assert_eq!(inclusion_path(&rows, index_u64, size_u64).unwrap(), path, "{at}, from a log's rows");
            let foreign = tlog::prove_record(size_u64, index_u64, &stored).unwrap();
            assert_eq!(path, ours(&foreign), "{at}, tlog_tiles");
            let foreign = ct.prove_inclusion(index);
            assert_eq!(concatenated(&path), foreign.as_bytes(), "{at}, ct-merkle");

            assert_eq!(verify_inclusion(leaf, index_u64, size_u64, &path, &tree.root()), Ok(()), "{at}");
            let leaf = tlog::Hash(leaf.to_bytes());
            assert!(
                tlog::check_record(&theirs(&path), size_u64, foreign_root, index_u64, leaf).is_ok(),
                "{at}"
            );
            let proof = InclusionProof::try_from_bytes(concatenated(&path)).unwrap();
            assert!(ct.root().verify_inclusion(&leaf_text(index), index_u64, &proof).is_ok(), "{at}");
        }
    }
}

#[test]
fn every_consistency_path_to_130_is_equal_to_both_and_accepted_by_all() {
    let hashes = leaves(LARGEST_PAIR);
    let stored = StoredHashes::of(LARGEST_PAIR);
    let (rows, _) = Rows::of_log(&hashes, 1);
    let roots: Vec<Hash> = (0..=LARGEST_PAIR).map(|size| root(&hashes[..size])).collect();
    let mut ct = MemoryBackedTree::<Sha256, String>::new();
    let mut ct_roots = vec![ct.root()];
    for new in 0..=LARGEST_PAIR {
        if new > 0 {
            ct.push(leaf_text(new - 1));
            ct_roots.push(ct.root());
        }
        let tree = Tree::build(hashes[..new].iter().copied());
        for old in 0..=new {
            let at = format!("{old} to {new}");
            let (old_u64, new_u64) = (old as u64, new as u64);
            let path = tree.consistency_path(old_u64, new_u64).unwrap();
            assert_eq!(consistency_path(&rows, old_u64, new_u64).unwrap(), path, "{at}, from a log's rows");
            let checked = verify_consistency(old_u64, &roots[old], new_u64, &roots[new], &path);
            assert_eq!(checked, Ok(()), "{at}");
            if old == 0 {
                assert!(path.is_empty(), "{at}");
                continue;
            }
            let foreign = tlog::prove_tree(new_u64, old_u64, &stored).unwrap();
            assert_eq!(path, ours(&foreign), "{at}, tlog_tiles");
            let (old_hash, new_hash) = (tlog::Hash(roots[old].to_bytes()), tlog::Hash(roots[new].to_bytes()));
            assert!(tlog::check_tree(&theirs(&path), new_u64, new_hash, old_u64, old_hash).is_ok(), "{at}");
            if old < new {
                let foreign = ct.prove_consistency(new - old);
                assert_eq!(concatenated(&path), foreign.as_bytes(), "{at}, ct-merkle");
                let proof = ConsistencyProof::try_from_bytes(concatenated(&path)).unwrap();
                assert!(ct_roots[new].verify_consistency(&ct_roots[old], &proof).is_ok(), "{at}");
            }
        }
    }
}

#[test]
fn no_other_path_length_or_order_of_sizes_is_accepted_to_130() {
    let hashes = leaves(LARGEST_PAIR);
    let roots: Vec<Hash> = (0..=LARGEST_PAIR).map(|size| root(&hashes[..size])).collect();
    let tree = Tree::build(hashes.iter().copied());
    for new in 1..=LARGEST_PAIR {
        for old in 0..=new {
            let (old_u64, new_u64) = (old as u64, new as u64);
            let mut path = tree.consistency_path(old_u64, new_u64).unwrap();
            let check = |path: &[Hash]| verify_consistency(old_u64, &roots[old], new_u64, &roots[new], path);
            if !path.is_empty() {
                assert!(check(&path[1..]).is_err() && check(&path[..path.len() - 1]).is_err(), "{old} {new}");
            }
            path.push(roots[new]);
            assert!(check(&path).is_err(), "{old} to {new}, a trailing hash");
            if old < new {
                assert!(verify_consistency(new_u64, &roots[new], old_u64, &roots[old], &[]).is_err());
            }
        }
    }
}
