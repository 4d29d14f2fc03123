//! Two halves of pure work at once, where there is enough of it. What comes out does not depend on it.

use std::panic::resume_unwind;
use std::thread;

use crate::hash::Hash;
use crate::leaf::Leaf;

/// Fewer items than this are one thread's work.
pub(crate) const WORTH_ITEMS: usize = 8_192;

/// Does both, the first one in a thread of its own where that is worth it.
pub(crate) fn both<A: Send, B>(
    is_worth_it: bool,
    first: impl FnOnce() -> A + Send,
    second: impl FnOnce() -> B,
) -> (A, B) {
    if !is_worth_it {
        return (first(), second());
    }
    thread::scope(|scope| {
        let other = scope.spawn(first);
        let own = second();
        (other.join().unwrap_or_else(|panic| resume_unwind(panic)), own)
    })
}

/// The leaf hashes of all leaves, in their order, behind those of `hashes`.
pub(crate) fn extend_with_leaf_hashes(hashes: &mut Vec<Hash>, leaves: &[impl Leaf + Sync]) {
    let (left, right) = leaves.split_at(leaves.len() / 2);
    let hash_all = |leaves: &[_]| -> Vec<Hash> { leaves.iter().map(Leaf::leaf_hash).collect() };
    let (right, left) = both(leaves.len() >= WORTH_ITEMS, || hash_all(right), || hash_all(left));
    hashes.extend(left.into_iter().chain(right));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_are_done_in_either_way() {
        for is_worth_it in [false, true] {
            assert_eq!(both(is_worth_it, || 1, || 2), (1, 2));
        }
    }

    #[test]
    #[should_panic(expected = "in the other thread")]
    fn a_panic_goes_on() {
        both(true, || panic!("in the other thread"), || ());
    }
}
