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
use crate::hash::{EMPTY_ROOT, HASH_BYTES, Hash, node_hash};

/// Bytes after the hashes: width and tail size.
const TRAILER_BYTES: usize = 2 + 8;

/// Up to 256 hashes of one level of tiles and all nodes above them inside the tile.
///
/// It lives in the bytes of its row, its own or borrowed ones (`Tile<&[u8]>`, or a database's page): reading
/// a few nodes of a stored row copies nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile<B = Vec<u8>> {
    /// Hashes of complete subtrees, 1 to 256.
    width: u16,
    /// The tree size at which the tail is true, or 0 without a tail.
    tail_size: u64,
    /// The whole row: layer after layer, from the entries (hashes and tail) to their root, and the trailer.
    bytes: B,
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
        Ok(Self::with_trailer(width, 0, build_nodes(hashes)))
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
        Ok(Self::with_trailer(width, size, build_nodes(&[hashes, &[tail]].concat())))
    }

    /// Reads a row into a tile of its own: see [`Tile::parse`], which copies nothing.
    ///
    /// # Errors
    /// [`TileError::Width`] or [`TileError::ByteLength`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TileError> {
        Tile::parse(bytes).map(|tile| tile.to_owned_tile())
    }

    /// The tile's row, without copying it.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The tile with more hashes after its own, at most up to the full width; a tail is dropped.
    ///
    /// Nodes over complete places are kept: a single hash costs at most eight node hashes.
    pub(super) fn extended(&self, more: &[Hash]) -> Self {
        let room = usize::from(TILE_WIDTH - self.width);
        let more = more.get(..room).unwrap_or(more);
        let mut layer: Vec<[u8; HASH_BYTES]> = self.layer_nodes(0, usize::from(self.width)).to_vec();
        layer.extend(more.iter().map(|hash| hash.to_bytes()));
        let width = u16::try_from(layer.len()).unwrap_or(TILE_WIDTH);
        let mut nodes = Vec::with_capacity(node_count(layer.len()) * HASH_BYTES + TRAILER_BYTES);
        for height in 1..=TILE_HEIGHT {
            if layer.len() == 1 {
                break;
            }
            let kept = self.layer_nodes(height, usize::from(self.width >> height));
            let mut above = Vec::with_capacity(layer.len().div_ceil(2));
            above.extend_from_slice(kept);
            above.extend(layer.chunks(2).skip(kept.len()).map(parent));
            nodes.extend_from_slice(layer.as_flattened());
            layer = above;
        }
        nodes.extend_from_slice(layer.as_flattened());
        Self::with_trailer(width, 0, nodes)
    }

    fn with_trailer(width: u16, tail_size: u64, mut bytes: Vec<u8>) -> Self {
        bytes.extend_from_slice(&width.to_be_bytes());
        bytes.extend_from_slice(&tail_size.to_be_bytes());
        Self { width, tail_size, bytes }
    }
}

impl<B: AsRef<[u8]>> Tile<B> {
    /// Reads a row where it is. Lengths are checked; that each node is the hash of its children is not: a
    /// row's checksum answers for that, and every path is checked against a signed root.
    ///
    /// # Errors
    /// [`TileError::Width`] or [`TileError::ByteLength`].
    pub fn parse(bytes: B) -> Result<Self, TileError> {
        let row = bytes.as_ref();
        let got = row.len();
        let short = TileError::ByteLength { width: 0, expected: HASH_BYTES + TRAILER_BYTES, got };
        let (rest, tail_size) = row.split_last_chunk::<8>().ok_or_else(|| short.clone())?;
        let (nodes, width) = rest.split_last_chunk::<2>().ok_or(short)?;
        let (width, tail_size) = (u16::from_be_bytes(*width), u64::from_be_bytes(*tail_size));
        let has_tail = tail_size != 0;
        checked_width(usize::from(width), if has_tail { TILE_WIDTH - 1 } else { TILE_WIDTH })?;
        let expected = node_count(usize::from(width) + usize::from(has_tail)) * HASH_BYTES;
        if nodes.len() != expected {
            return Err(TileError::ByteLength { width, expected: expected + TRAILER_BYTES, got });
        }
        Ok(Self { width, tail_size, bytes })
    }

    /// The tile's row: see the module's page for the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// A copy of the tile's row.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    /// The tile with bytes of its own.
    pub fn to_owned_tile(&self) -> Tile {
        Tile { width: self.width, tail_size: self.tail_size, bytes: self.to_bytes() }
    }

    /// The same tile, borrowed.
    pub fn borrowed(&self) -> Tile<&[u8]> {
        Tile { width: self.width, tail_size: self.tail_size, bytes: self.as_bytes() }
    }

    /// Hashes of complete subtrees, 1 to 256; the tail is not counted.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// The hashes of complete subtrees, as C2SP tlog-tiles has them.
    pub fn hashes(&self) -> impl ExactSizeIterator<Item = Hash> {
        self.layer_nodes(0, usize::from(self.width)).iter().copied().map(Hash::from_bytes)
    }

    /// The C2SP tile of width `width`: that many hashes as bytes, or none where the tile is narrower.
    pub fn c2sp_bytes(&self, width: u16) -> Option<&[u8]> {
        if width > self.width {
            return None;
        }
        self.as_bytes().get(..usize::from(width) * HASH_BYTES)
    }

    /// The root over all entries, tail included.
    pub fn root(&self) -> Hash {
        // Every tile has an entry, so above all layers there is a root.
        self.node(TILE_HEIGHT, 0).unwrap_or(EMPTY_ROOT)
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
        let bytes = self.as_bytes().get(start.checked_add(position)?.checked_mul(HASH_BYTES)?..)?;
        bytes.first_chunk().copied().map(Hash::from_bytes)
    }

    /// The tree size at which the nodes over incomplete places are true, for a tile at `(level, index)`.
    pub(super) fn edge_size(&self, level: u8, index: u64) -> Option<u64> {
        if self.tail_size != 0 {
            return Some(self.tail_size);
        }
        let subtrees = index.checked_mul(u64::from(TILE_WIDTH))?.checked_add(u64::from(self.width))?;
        subtrees.checked_mul(1_u64.checked_shl(u32::from(level) * u32::from(TILE_HEIGHT))?)
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

    /// The first `count` nodes of layer `height`, or none where it has fewer.
    fn layer_nodes(&self, height: u8, count: usize) -> &[[u8; HASH_BYTES]] {
        let (start, _) = self.layer(height);
        let (nodes, _) = self.as_bytes().as_chunks::<HASH_BYTES>();
        nodes.get(start..start.saturating_add(count)).unwrap_or(&[])
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

fn parent(children: &[[u8; HASH_BYTES]]) -> [u8; HASH_BYTES] {
    match children {
        [left, right] => node_hash(&Hash::from_bytes(*left), &Hash::from_bytes(*right)).to_bytes(),
        [lone] => *lone,
        // `chunks(2)` yields one or two children.
        _ => EMPTY_ROOT.to_bytes(),
    }
}
