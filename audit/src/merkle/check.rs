//! Checking paths: this project's own RFC 9162 code, which shares nothing with the code that builds.
//!
//! The size always comes from a signed checkpoint and the leaf hash is always rebuilt from the leaf's
//! fields; a prover chooses nothing but the path, and a path has exactly one length.

use thiserror::Error;

use super::MAX_TREE_SIZE;
use crate::hash::{EMPTY_ROOT, Hash, node_hash};

/// Why a path proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MerkleError {
    /// The leaf is not in a tree of this size; in a tree without leaves no index is.
    #[error("leaf index must be below the tree size {size}, got {index}")]
    IndexOutOfRange {
        /// The index claimed.
        index: u64,
        /// Leaves of the tree.
        size: u64,
    },
    /// The tree is larger than any may be.
    #[error("a tree has at most {MAX_TREE_SIZE} leaves, got {size}")]
    SizeTooLarge {
        /// The size claimed.
        size: u64,
    },
    /// The older tree is larger than the newer.
    #[error("the older tree size must be at most the newer size {new_size}, got {old_size}")]
    SizesOutOfOrder {
        /// Leaves of the older tree.
        old_size: u64,
        /// Leaves of the newer tree.
        new_size: u64,
    },
    /// The path is shorter or longer than index and sizes demand.
    #[error("the path must have {expected} hashes, got {got}")]
    PathLength {
        /// Hashes demanded.
        expected: usize,
        /// Hashes that came.
        got: usize,
    },
    /// Leaf and path lead to another root.
    #[error("the path must lead to root {expected}, got {got}")]
    RootMismatch {
        /// The root of the checkpoint.
        expected: Hash,
        /// The root computed.
        got: Hash,
    },
    /// The consistency path leads to another root of the older tree.
    #[error("the path must lead to the older root {expected}, got {got}")]
    OldRootMismatch {
        /// The root of the older checkpoint.
        expected: Hash,
        /// The root computed.
        got: Hash,
    },
}

/// Checks that `leaf_hash` is leaf `index` of the tree with `size` leaves and root `root`
/// (RFC 9162 section 2.1.3.2). The path goes from the leaf's sibling up.
///
/// # Errors
/// [`MerkleError::SizeTooLarge`], [`MerkleError::IndexOutOfRange`], [`MerkleError::PathLength`] or
/// [`MerkleError::RootMismatch`], looked for in this order.
pub fn verify_inclusion(
    leaf_hash: &Hash,
    index: u64,
    size: u64,
    path: &[Hash],
    root: &Hash,
) -> Result<(), MerkleError> {
    let expected = inclusion_path_hashes(index, size)?;
    check_length(expected, path.len())?;
    let mut node = index;
    let mut last = size.saturating_sub(1);
    let mut computed = *leaf_hash;
    for sibling in path {
        if node & 1 == 1 || node == last {
            computed = node_hash(sibling, &computed);
            // A node that is the last of its layer and lone moves up unchanged.
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            computed = node_hash(&computed, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if computed != *root {
        return Err(MerkleError::RootMismatch { expected: *root, got: computed });
    }
    Ok(())
}

/// How many hashes the inclusion path of leaf `index` in a tree of `size` leaves has.
///
/// Below the layer where the leaf's way joins the right edge there is one sibling a layer; above it only
/// where the way is a right child.
///
/// # Errors
/// [`MerkleError::SizeTooLarge`] or [`MerkleError::IndexOutOfRange`].
pub fn inclusion_path_hashes(index: u64, size: u64) -> Result<usize, MerkleError> {
    check_size(size)?;
    if index >= size {
        return Err(MerkleError::IndexOutOfRange { index, size });
    }
    Ok(count(parting_layer(index, size - 1), index))
}

/// Checks that the tree of `new_size` leaves with root `new_root` begins with the tree of `old_size` leaves
/// with root `old_root` (RFC 9162 section 2.1.4.2).
///
/// Equal sizes, and an old tree without leaves, have an empty path: then equal roots, or the empty root,
/// are all there is to check.
///
/// # Errors
/// [`MerkleError::SizeTooLarge`], [`MerkleError::SizesOutOfOrder`], [`MerkleError::PathLength`],
/// [`MerkleError::OldRootMismatch`] or [`MerkleError::RootMismatch`], looked for in this order.
pub fn verify_consistency(
    old_size: u64,
    old_root: &Hash,
    new_size: u64,
    new_root: &Hash,
    path: &[Hash],
) -> Result<(), MerkleError> {
    check_size(new_size)?;
    if old_size > new_size {
        return Err(MerkleError::SizesOutOfOrder { old_size, new_size });
    }
    if old_size == 0 || old_size == new_size {
        check_length(0, path.len())?;
        return check_without_path(old_size, old_root, new_size, new_root);
    }
    let (shared, rest) = shared_subtree(old_size, new_size, old_root, path)?;
    let shift = old_size.trailing_zeros();
    let (old, new) = walk(shared, (old_size - 1) >> shift, (new_size - 1) >> shift, rest);
    if old != *old_root {
        return Err(MerkleError::OldRootMismatch { expected: *old_root, got: old });
    }
    if new != *new_root {
        return Err(MerkleError::RootMismatch { expected: *new_root, got: new });
    }
    Ok(())
}

fn check_without_path(
    old_size: u64,
    old_root: &Hash,
    new_size: u64,
    new_root: &Hash,
) -> Result<(), MerkleError> {
    if old_size == 0 && *old_root != EMPTY_ROOT {
        return Err(MerkleError::OldRootMismatch { expected: *old_root, got: EMPTY_ROOT });
    }
    if old_size == new_size && old_root != new_root {
        return Err(MerkleError::RootMismatch { expected: *new_root, got: *old_root });
    }
    Ok(())
}

/// The last complete subtree of the old tree, which both walks start from, and the hashes after it. Where
/// it is the whole old tree the path leaves it away.
fn shared_subtree<'path>(
    old_size: u64,
    new_size: u64,
    old_root: &Hash,
    path: &'path [Hash],
) -> Result<(Hash, &'path [Hash]), MerkleError> {
    let shift = old_size.trailing_zeros();
    let (node, last) = ((old_size - 1) >> shift, (new_size - 1) >> shift);
    let siblings = count(parting_layer(node, last), node);
    if old_size.is_power_of_two() {
        check_length(siblings, path.len())?;
        return Ok((*old_root, path));
    }
    let length = MerkleError::PathLength { expected: siblings + 1, got: path.len() };
    match path.split_first() {
        Some((first, rest)) if rest.len() == siblings => Ok((*first, rest)),
        _ => Err(length),
    }
}

/// Both roots at once: siblings to the left are in both trees, those to the right in the new one only.
fn walk(shared: Hash, mut node: u64, mut last: u64, path: &[Hash]) -> (Hash, Hash) {
    let (mut old, mut new) = (shared, shared);
    for sibling in path {
        if node & 1 == 1 || node == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    (old, new)
}

fn check_size(size: u64) -> Result<(), MerkleError> {
    if size > MAX_TREE_SIZE { Err(MerkleError::SizeTooLarge { size }) } else { Ok(()) }
}

fn check_length(expected: usize, got: usize) -> Result<(), MerkleError> {
    if expected == got { Ok(()) } else { Err(MerkleError::PathLength { expected, got }) }
}

/// The layer in which the ways of two nodes of one layer to the root become one.
fn parting_layer(node: u64, last: u64) -> u32 {
    u64::BITS - (node ^ last).leading_zeros()
}

/// Siblings on the way from `node`: one in each of the first `layers`, then one for each right child.
fn count(layers: u32, node: u64) -> usize {
    let above = node.checked_shr(layers).unwrap_or(0).count_ones();
    usize::try_from(layers + above).unwrap_or(usize::MAX)
}
