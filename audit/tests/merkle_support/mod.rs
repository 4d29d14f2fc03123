//! What the Merkle tests share: leaves, a naive RFC 6962 tree to compare with, and rows in memory.
#![allow(dead_code, reason = "each test program uses its own part of this module")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

use std::cell::Cell;
use std::collections::BTreeMap;

use meed_audit::hash::{EMPTY_ROOT, Hash, leaf_hash, node_hash};
use meed_audit::merkle::{Frontier, Tile, TileSource};

/// Leaf `index` of the golden vectors.
pub(crate) fn leaf_text(index: usize) -> String {
    format!("leaf-{index}")
}

pub(crate) fn leaves(size: usize) -> Vec<Hash> {
    (0..size).map(|index| leaf_hash(leaf_text(index).as_bytes())).collect()
}

/// The split of RFC 6962: the largest power of two below `size`.
fn split(size: usize) -> usize {
    size.next_power_of_two() / 2
}

/// MTH of RFC 6962 section 2.1, word for word.
pub(crate) fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => EMPTY_ROOT,
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}

/// PATH of RFC 6962 section 2.1.1.
pub(crate) fn naive_inclusion(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut path, sibling) = if index < left.len() {
        (naive_inclusion(index, left), naive_root(right))
    } else {
        (naive_inclusion(index - left.len(), right), naive_root(left))
    };
    path.push(sibling);
    path
}

/// PROOF of RFC 6962 section 2.1.2.
pub(crate) fn naive_consistency(old_size: usize, leaves: &[Hash]) -> Vec<Hash> {
    if old_size == 0 { Vec::new() } else { subproof(old_size, leaves, true) }
}

fn subproof(old_size: usize, leaves: &[Hash], known: bool) -> Vec<Hash> {
    if old_size == leaves.len() {
        return if known { Vec::new() } else { vec![naive_root(leaves)] };
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut path, sibling) = if old_size <= left.len() {
        (subproof(old_size, left, known), naive_root(right))
    } else {
        (subproof(old_size - left.len(), right, false), naive_root(left))
    };
    path.push(sibling);
    path
}

/// Rows as storage keeps them: bytes by level and index, and a count of the rows read.
#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) bytes: BTreeMap<(u8, u64), Vec<u8>>,
    pub(crate) reads: Cell<usize>,
}

impl Rows {
    pub(crate) fn write<'tile>(&mut self, tiles: impl IntoIterator<Item = ((u8, u64), &'tile Tile)>) {
        for (place, tile) in tiles {
            self.bytes.insert(place, tile.to_bytes());
        }
    }

    /// A log that grew to these leaves in batches of `batch`.
    pub(crate) fn of_log(leaves: &[Hash], batch: usize) -> (Self, Frontier) {
        let (mut rows, mut frontier) = (Self::default(), Frontier::new());
        for new in leaves.chunks(batch) {
            let changed = frontier.append(new).unwrap();
            rows.write(changed.iter().map(|(place, tile)| (*place, tile)));
        }
        (rows, frontier)
    }
}

impl TileSource for Rows {
    type Error = String;
    type Bytes<'source> = &'source [u8];

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Tile<&[u8]>, String> {
        self.reads.set(self.reads.get() + 1);
        let row = self.bytes.get(&(level, index)).ok_or(format!("no row {level}/{index} of {width}"))?;
        Tile::parse(&row[..]).map_err(|error| error.to_string())
    }
}
