//! `rs_merkle` as the builder of one tile's nodes, with the hashing of RFC 6962.

use rs_merkle::{Hasher, PartialTree};

use crate::hash::{HASH_BYTES, Hash, leaf_hash, node_hash};

/// RFC 6962 hashing for `rs_merkle`: prefixed nodes, and a lone left child moves up unchanged.
#[derive(Clone)]
pub(super) struct Rfc6962;

impl Hasher for Rfc6962 {
    type Hash = [u8; HASH_BYTES];

    fn hash(data: &[u8]) -> Self::Hash {
        leaf_hash(data).to_bytes()
    }

    // The default would hash the two children without a prefix and, through `hash`, as a leaf.
    fn concat_and_hash(left: &Self::Hash, right: Option<&Self::Hash>) -> Self::Hash {
        right.map_or(*left, |right| node_hash(&Hash::from_bytes(*left), &Hash::from_bytes(*right)).to_bytes())
    }
}

/// All nodes over the entries as bytes, layer after layer, from the entries themselves to the single root.
///
/// A lone last node is in each layer up to where it meets a left neighbour. Of no entries there is no node.
pub(super) fn build_nodes(entries: &[Hash]) -> Vec<u8> {
    let leaves: Vec<[u8; HASH_BYTES]> = entries.iter().map(|entry| entry.to_bytes()).collect();
    // Building fails only where helper nodes are missing, and a tree from its own leaves needs none.
    let Ok(built) = PartialTree::<Rfc6962>::from_leaves(&leaves) else { return Vec::new() };
    // Twice the entries, a lone node in each of at most eight layers, and room for a trailer.
    let mut nodes = Vec::with_capacity(entries.len().saturating_mul(2).saturating_add(9) * HASH_BYTES);
    for layer in built.layers() {
        layer.iter().for_each(|(_, node)| nodes.extend_from_slice(node));
        // `rs_merkle` repeats the root above itself where the count is a power of two.
        if layer.len() <= 1 {
            break;
        }
    }
    nodes
}
