//! How independent halves of a computation are done. This room starts no threads: whoever may do so says how, and what
//! comes out does not depend on it.

use crate::hash::{Hash, node_hash};
use crate::leaf::Leaf;
use crate::merkle::root;

/// Does two independent things.
pub trait Both: Sync {
    /// Does both and gives both results; `items` says how much work it is, an item being a hash or two.
    fn both<A: Send, B>(
        &self,
        items: usize,
        first: impl FnOnce() -> A + Send,
        second: impl FnOnce() -> B,
    ) -> (A, B);
}

/// One after the other.
#[derive(Clone, Copy, Debug)]
pub struct InTurn;

impl Both for InTurn {
    fn both<A: Send, B>(
        &self,
        _: usize,
        first: impl FnOnce() -> A + Send,
        second: impl FnOnce() -> B,
    ) -> (A, B) {
        (first(), second())
    }
}

/// The leaf hashes of all leaves, in their order.
pub(crate) fn leaf_hashes(leaves: &[impl Leaf + Sync], how: &impl Both) -> Vec<Hash> {
    let (left, right) = leaves.split_at(leaves.len() / 2);
    let hash_all = |leaves: &[_]| -> Vec<Hash> {
        let mut room = Vec::new();
        leaves.iter().map(|leaf| Leaf::leaf_hash_in(leaf, &mut room)).collect()
    };
    let (right, mut left) = how.both(leaves.len(), || hash_all(right), || hash_all(left));
    left.extend(right);
    left
}

/// The root of the tree with these leaf hashes: its two halves are trees of their own (RFC 6962 section 2.1).
pub(crate) fn root_with(leaf_hashes: &[Hash], how: &impl Both) -> Hash {
    let half = leaf_hashes.len().div_ceil(2).next_power_of_two();
    let (left, right) = leaf_hashes.split_at(half.min(leaf_hashes.len()));
    if right.is_empty() {
        return root(left);
    }
    let (right, left) = how.both(leaf_hashes.len(), || root(right), || root(left));
    node_hash(&left, &right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_make_the_root_of_the_whole() {
        let hashes: Vec<Hash> = (0..300_u16).map(|number| Hash::of(&number.to_be_bytes())).collect();
        for size in 0..=hashes.len() {
            assert_eq!(root_with(&hashes[..size], &InTurn), root(&hashes[..size]), "{size}");
        }
    }
}
