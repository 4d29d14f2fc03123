//! How independent halves of a computation are done. This room starts no threads: whoever may do so says how, and what
//! comes out does not depend on it.

use crate::hash::Hash;
use crate::leaf::Leaf;

/// Does two independent things.
pub trait Both {
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

/// Appends the leaf hashes of all leaves, in their order.
pub(crate) fn extend_with_leaf_hashes(hashes: &mut Vec<Hash>, leaves: &[impl Leaf + Sync], how: &impl Both) {
    let (left, right) = leaves.split_at(leaves.len() / 2);
    let hash_all = |leaves: &[_]| -> Vec<Hash> { leaves.iter().map(Leaf::leaf_hash).collect() };
    let (right, left) = how.both(leaves.len(), || hash_all(right), || hash_all(left));
    hashes.extend(left.into_iter().chain(right));
}
