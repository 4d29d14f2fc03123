//! Paths and roots from stored tiles.
//!
//! A path needs the tiles above its leaf, one a level. Where the tiles do not hold the right edge at the
//! size asked for (a growing log, or an older size), the edge's tiles are read too and folded: at most two
//! tiles a level and one node hash a level of the tree.

use std::collections::BTreeMap;

use thiserror::Error;

use super::shape::{shift_right, tile_width, tree_height};
use super::tile::Tile;
use super::{MAX_PATH_HASHES, MAX_TREE_SIZE, TILE_HEIGHT};
use crate::hash::{EMPTY_ROOT, Hash, node_hash};

/// Where tiles are read from.
pub trait TileSource {
    /// Why a tile could not be read.
    type Error;

    /// The bytes of a row as the source holds them: its own, borrowed ones, or a page of a database.
    type Bytes<'source>: AsRef<[u8]>
    where
        Self: 'source;

    /// Reads tile `(level, index)`, which has at least `width` hashes.
    ///
    /// # Errors
    /// The source's own, where there is no such tile or it cannot be read.
    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Tile<Self::Bytes<'_>>, Self::Error>;
}

/// Why no path or root could be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PathError<E> {
    /// The source failed.
    #[error("a tile could not be read")]
    Source(#[source] E),
    /// The leaf is not in the tree.
    #[error("leaf index must be below the tree size {size}, got {index}")]
    IndexOutOfRange {
        /// The index asked for.
        index: u64,
        /// Leaves of the tree.
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
    /// The tree is larger than any may be.
    #[error("a tree has at most {MAX_TREE_SIZE} leaves, got {size}")]
    SizeTooLarge {
        /// The size asked for.
        size: u64,
    },
    /// The source gave a tile with fewer hashes than the tree's size demands.
    #[error("tile {level}/{index} has at least {expected} hashes at this size, got {got}")]
    TileTooNarrow {
        /// Level of the tile.
        level: u8,
        /// Index of the tile in its level.
        index: u64,
        /// Hashes it has at this size.
        expected: u16,
        /// Hashes that came.
        got: u16,
    },
}

/// The inclusion path of leaf `index` in the tree of `size` leaves, from the leaf's sibling up
/// (RFC 9162 section 2.1.3.1).
///
/// # Errors
/// See [`PathError`].
pub fn inclusion_path<S: TileSource>(
    source: &S,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, PathError<S::Error>> {
    let mut reader = Reader::new(source, size)?;
    if index >= size {
        return Err(PathError::IndexOutOfRange { index, size });
    }
    let mut path = Vec::with_capacity(MAX_PATH_HASHES);
    reader.climb(0, index, &mut path)?;
    Ok(path)
}

/// The consistency path between the trees of `old_size` and `new_size` leaves (RFC 9162 section 2.1.4.1).
/// It is empty where the sizes are equal or the old tree has no leaves.
///
/// # Errors
/// See [`PathError`].
pub fn consistency_path<S: TileSource>(
    source: &S,
    old_size: u64,
    new_size: u64,
) -> Result<Vec<Hash>, PathError<S::Error>> {
    let mut reader = Reader::new(source, new_size)?;
    if old_size > new_size {
        return Err(PathError::SizesOutOfOrder { old_size, new_size });
    }
    if old_size == 0 || old_size == new_size {
        return Ok(Vec::new());
    }
    // The last complete subtree of the old tree is where both trees part. The checker knows it already
    // where it is the whole old tree.
    let height = old_size.trailing_zeros();
    let position = shift_right(old_size, height) - 1;
    let mut path = Vec::with_capacity(MAX_PATH_HASHES);
    if position != 0 {
        path.push(reader.complete(height, position)?);
    }
    reader.climb(height, position, &mut path)?;
    Ok(path)
}

/// The root of the tree of `size` leaves; [`EMPTY_ROOT`] for none.
///
/// # Errors
/// See [`PathError`].
pub fn root_from_tiles<S: TileSource>(source: &S, size: u64) -> Result<Hash, PathError<S::Error>> {
    let mut reader = Reader::new(source, size)?;
    if size == 0 {
        return Ok(EMPTY_ROOT);
    }
    reader.subtree(tree_height(size), 0)
}

/// Reads nodes of the tree of one size, each tile once.
struct Reader<'source, S: TileSource> {
    source: &'source S,
    size: u64,
    tiles: BTreeMap<(u8, u64), Tile<S::Bytes<'source>>>,
}

impl<'source, S: TileSource> Reader<'source, S> {
    fn new(source: &'source S, size: u64) -> Result<Self, PathError<S::Error>> {
        if size > MAX_TREE_SIZE {
            return Err(PathError::SizeTooLarge { size });
        }
        Ok(Self { source, size, tiles: BTreeMap::new() })
    }

    /// Adds each sibling on the way from node `(height, position)` to the root.
    fn climb(
        &mut self,
        mut height: u32,
        mut position: u64,
        path: &mut Vec<Hash>,
    ) -> Result<(), PathError<S::Error>> {
        let last = self.size.saturating_sub(1);
        while height < tree_height(self.size) {
            let sibling = position ^ 1;
            if sibling <= shift_right(last, height) {
                path.push(self.subtree(height, sibling)?);
            }
            height += 1;
            position >>= 1;
        }
        Ok(())
    }

    /// The root of those of the `2^height` leaves at `position` that are in the tree, which are some.
    fn subtree(&mut self, mut height: u32, mut position: u64) -> Result<Hash, PathError<S::Error>> {
        let mut lefts = Vec::new();
        let mut root = loop {
            if position < shift_right(self.size, height) {
                break self.complete(height, position)?;
            }
            if let Some(edge) = self.edge(height, position)? {
                break edge;
            }
            // Not complete, so above the leaves: the left child has leaves, the right one may have.
            height -= 1;
            position <<= 1;
            if position < shift_right(self.size.saturating_sub(1), height) {
                lefts.push(self.complete(height, position)?);
                position += 1;
            }
        };
        for left in lefts.iter().rev() {
            root = node_hash(left, &root);
        }
        Ok(root)
    }

    /// The node over `2^height` leaves that are all in the tree.
    fn complete(&mut self, height: u32, position: u64) -> Result<Hash, PathError<S::Error>> {
        let place = Place::of(height, position);
        let expected = tile_width(self.size, place.level, place.index);
        let tile = self.tile(&place, expected)?;
        let got = tile.width();
        let missing = PathError::TileTooNarrow { level: place.level, index: place.index, expected, got };
        tile.node(place.height, place.position).ok_or(missing)
    }

    /// The node over leaves that are not all in the tree, where a tile holds it for this very size.
    fn edge(&mut self, height: u32, position: u64) -> Result<Option<Hash>, PathError<S::Error>> {
        let place = Place::of(height, position);
        let expected = tile_width(self.size, place.level, place.index);
        if expected == 0 {
            return Ok(None);
        }
        let size = self.size;
        let tile = self.tile(&place, expected)?;
        if tile.edge_size(place.level, place.index) != Some(size) {
            return Ok(None);
        }
        Ok(tile.node(place.height, place.position))
    }

    fn tile(
        &mut self,
        place: &Place,
        expected: u16,
    ) -> Result<&Tile<S::Bytes<'source>>, PathError<S::Error>> {
        let (level, index) = (place.level, place.index);
        match self.tiles.entry((level, index)) {
            std::collections::btree_map::Entry::Occupied(kept) => Ok(kept.into_mut()),
            std::collections::btree_map::Entry::Vacant(free) => {
                let tile = self.source.tile(level, index, expected).map_err(PathError::Source)?;
                let got = tile.width();
                if got < expected {
                    return Err(PathError::TileTooNarrow { level, index, expected, got });
                }
                Ok(free.insert(tile))
            }
        }
    }
}

/// Where a node of the tree is: which tile, how high above its entries, and where in that layer.
struct Place {
    level: u8,
    index: u64,
    height: u8,
    position: u64,
}

impl Place {
    fn of(height: u32, position: u64) -> Self {
        let tile_height = u32::from(TILE_HEIGHT);
        let (level, above) = (height / tile_height, height % tile_height);
        let bits = tile_height - above;
        Self {
            level: u8::try_from(level).unwrap_or(u8::MAX),
            index: position >> bits,
            height: u8::try_from(above).unwrap_or(u8::MAX),
            position: position & ((1 << bits) - 1),
        }
    }
}
