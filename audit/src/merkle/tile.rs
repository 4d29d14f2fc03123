//! One tile with its inner nodes: what storage keeps as a row, so that no path needs a rehash.
//!
//! # Bytes
//!
//! `to_bytes` is layer after layer of 32-byte hashes, from the tile's own hashes to their single root, and
//! a trailer of ten bytes: the width as `u16` and the tail size as `u64`, both big-endian. Layer 0 is the
//! `width` hashes of the C2SP tile (so the first `32 * w` bytes are the C2SP tile of width `w`) and, where
//! the tail size is not 0, one more hash: the *tail*. Each further layer has half as many hashes, rounded
//! up; a lone last hash moves up unchanged.
//!
//! # The tail
//!
//! A C2SP tile of level 1 and above holds complete subtrees only, so the right edge of a tree is missing
//! from it. A tree that will not grow (allocations, activity) adds the root of what follows its last
//! complete subtree, and the tree size at which that root was true; then its paths need one row a level and
//! no hashing at all. A growing log leaves the tail away, so that its bytes follow from its size alone.

use thiserror::Error;

use super::hasher::build_nodes;
use super::{TILE_HEIGHT, TILE_WIDTH};
use crate::hash::{HASH_BYTES, Hash, node_hash};

/// Bytes after the hashes: width and tail size.
const TRAILER_BYTES: usize = 2 + 8;

/// Up to 256 hashes of one level of tiles and all nodes above them inside the tile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Hashes of complete subtrees, 1 to 256.
    width: u16,
    /// The tree size at which the tail is true, or 0 without a tail.
    tail_size: u64,
    /// Layer after layer, from the entries (hashes and tail) to their root.
    nodes: Vec<Hash>,
}

/// Why hashes or bytes are not a tile.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TileError {
    /// A tile has 1 to 256 hashes, or 1 to 255 and a tail.
    #[error("a tile has 1 to {max} hashes here, got {got}")]
    Width {
        /// The most there may be.
        max: u16,
        /// How many there are.
        got: usize,
    },
    /// A tail without the tree size at which it is true.
    #[error("a tile's tail needs a tree size above 0")]
    TailSize,
    /// The bytes are not as many as the width in their trailer demands.
    #[error("a tile of width {width} is {expected} bytes, got {got}")]
    ByteLength {
        /// The width that the trailer names, or 0 where there is no whole trailer.
        width: u16,
        /// Bytes of such a tile.
        expected: usize,
        /// Bytes that came.
        got: usize,
    },
}

impl Tile {
    /// Builds the tile of 1 to 256 hashes, without a tail.
    ///
    /// # Errors
    /// [`TileError::Width`].
    pub fn build(hashes: &[Hash]) -> Result<Self, TileError> {
        let width = checked_width(hashes.len(), TILE_WIDTH)?;
        Ok(Self { width, tail_size: 0, nodes: build_nodes(hashes) })
    }

    /// Builds the tile of 1 to 255 hashes and the tail after them, true at `size` leaves.
    ///
    /// # Errors
    /// [`TileError::Width`] or [`TileError::TailSize`].
    pub fn build_with_tail(hashes: &[Hash], tail: Hash, size: u64) -> Result<Self, TileError> {
        let width = checked_width(hashes.len(), TILE_WIDTH - 1)?;
        if size == 0 {
            return Err(TileError::TailSize);
        }
        let entries = [hashes, &[tail]].concat();
        Ok(Self { width, tail_size: size, nodes: build_nodes(&entries) })
    }

    /// Hashes of complete subtrees, 1 to 256; the tail is not counted.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// The hashes of complete subtrees, as C2SP tlog-tiles has them.
    pub fn hashes(&self) -> &[Hash] {
        self.nodes.get(..usize::from(self.width)).unwrap_or(&[])
    }

    /// The C2SP tile of width `width`: that many hashes as bytes, or none where the tile is narrower.
    pub fn c2sp_bytes(&self, width: u16) -> Option<Vec<u8>> {
        let hashes = self.hashes().get(..usize::from(width))?;
        Some(hashes.iter().flat_map(|hash| hash.to_bytes()).collect())
    }

    /// The root over all entries, tail included.
    pub fn root(&self) -> Hash {
        self.nodes.last().copied().unwrap_or(crate::hash::EMPTY_ROOT)
    }

    /// The node `height` levels above the entries at `position`, or none where the tile has no such node.
    ///
    /// A node whose `2^height` entries are not all there is the root of those that are.
    pub fn node(&self, height: u8, position: u64) -> Option<Hash> {
        let position = usize::try_from(position).ok()?;
        let (start, length) = self.layer(height);
        if position >= length {
            return None;
        }
        self.nodes.get(start.checked_add(position)?).copied()
    }

    /// The tile's row: see the module's page for the bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.nodes.len() * HASH_BYTES + TRAILER_BYTES);
        for node in &self.nodes {
            bytes.extend_from_slice(node.as_bytes());
        }
        bytes.extend_from_slice(&self.width.to_be_bytes());
        bytes.extend_from_slice(&self.tail_size.to_be_bytes());
        bytes
    }

    /// Reads a row. Lengths are checked; that each node is the hash of its children is not: a row's
    /// checksum answers for that, and every path is checked against a signed root.
    ///
    /// # Errors
    /// [`TileError::Width`] or [`TileError::ByteLength`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TileError> {
        let short =
            TileError::ByteLength { width: 0, expected: HASH_BYTES + TRAILER_BYTES, got: bytes.len() };
        let (rest, tail_size) = bytes.split_last_chunk::<8>().ok_or_else(|| short.clone())?;
        let (rest, width) = rest.split_last_chunk::<2>().ok_or(short)?;
        let (width, tail_size) = (u16::from_be_bytes(*width), u64::from_be_bytes(*tail_size));
        let has_tail = tail_size != 0;
        checked_width(usize::from(width), if has_tail { TILE_WIDTH - 1 } else { TILE_WIDTH })?;
        let expected = node_count(usize::from(width) + usize::from(has_tail)) * HASH_BYTES;
        if rest.len() != expected {
            return Err(TileError::ByteLength {
                width,
                expected: expected + TRAILER_BYTES,
                got: bytes.len(),
            });
        }
        let (hashes, _) = rest.as_chunks::<HASH_BYTES>();
        Ok(Self { width, tail_size, nodes: hashes.iter().copied().map(Hash::from_bytes).collect() })
    }

    /// The tree size at which the nodes over incomplete places are true, for a tile at `(level, index)`.
    pub(super) fn edge_size(&self, level: u8, index: u64) -> Option<u64> {
        if self.tail_size != 0 {
            return Some(self.tail_size);
        }
        let subtrees = index.checked_mul(u64::from(TILE_WIDTH))?.checked_add(u64::from(self.width))?;
        subtrees.checked_mul(1_u64.checked_shl(u32::from(level) * u32::from(TILE_HEIGHT))?)
    }

    /// The tile with more hashes after its own, at most up to the full width; a tail is dropped.
    ///
    /// Nodes over complete places are kept: a single hash costs at most eight node hashes.
    pub(super) fn extended(&self, more: &[Hash]) -> Self {
        let room = usize::from(TILE_WIDTH - self.width);
        let more = more.get(..room).unwrap_or(more);
        let mut kept = usize::from(self.width);
        let mut layer: Vec<Hash> = self.hashes().iter().chain(more).copied().collect();
        let width = u16::try_from(layer.len()).unwrap_or(TILE_WIDTH);
        let mut nodes = Vec::with_capacity(node_count(layer.len()));
        let mut height = 0;
        while layer.len() > 1 {
            height += 1;
            kept /= 2;
            let (start, _) = self.layer(height);
            let old = self.nodes.get(start..start + kept).unwrap_or(&[]);
            let changed = layer.chunks(2).skip(old.len()).map(parent);
            let above = old.iter().copied().chain(changed).collect();
            nodes.append(&mut layer);
            layer = above;
        }
        nodes.append(&mut layer);
        Self { width, tail_size: 0, nodes }
    }

    /// The root over the complete hashes and, where there is one, `tail` after them.
    pub(super) fn folded(&self, tail: Option<Hash>) -> Option<Hash> {
        let mut folded = tail;
        for height in 0..=TILE_HEIGHT {
            let complete = self.width >> height;
            if complete & 1 == 1 {
                let left = self.node(height, u64::from(complete) - 1)?;
                folded = Some(folded.map_or(left, |right| node_hash(&left, &right)));
            }
        }
        folded
    }

    /// Where layer `height` starts, and its length; above the root it is the root's own layer.
    fn layer(&self, height: u8) -> (usize, usize) {
        let (mut start, mut length) = (0, usize::from(self.width) + usize::from(self.tail_size != 0));
        for _ in 0..height {
            if length <= 1 {
                break;
            }
            start += length;
            length = length.div_ceil(2);
        }
        (start, length)
    }
}

/// Nodes of a tile with so many entries: all layers down to the one of a single hash.
fn node_count(entries: usize) -> usize {
    let (mut count, mut length) = (entries, entries);
    while length > 1 {
        length = length.div_ceil(2);
        count += length;
    }
    count
}

fn checked_width(got: usize, max: u16) -> Result<u16, TileError> {
    let width = u16::try_from(got).ok().filter(|width| (1..=max).contains(width));
    width.ok_or(TileError::Width { max, got })
}

fn parent(children: &[Hash]) -> Hash {
    match children {
        [left, right] => node_hash(left, right),
        [lone] => *lone,
        // `chunks(2)` yields one or two children.
        _ => crate::hash::EMPTY_ROOT,
    }
}
