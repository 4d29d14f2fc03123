//! The right edge of a growing log: takes new leaf hashes and says which tiles change.

use std::collections::BTreeMap;

use thiserror::Error;

use super::shape::{edge_index, shift_right, tile_width};
use super::source::TileSource;
use super::tile::Tile;
use super::{MAX_TREE_SIZE, TILE_HEIGHT, TILE_LEVELS, TILE_WIDTH};
use crate::hash::{EMPTY_ROOT, Hash};

/// The unfinished tile of each level, which is all that appending and the root need.
///
/// Its tiles carry no tail, so the rows of a log follow from its leaves alone, however they were batched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// For each level its tile with fewer than 256 hashes; none where that has no hash yet.
    levels: Vec<Option<Tile>>,
}

/// Why the right edge could not be loaded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FrontierError<E> {
    /// The source failed.
    #[error("a tile of the right edge could not be read")]
    Source(#[source] E),
    /// A stored tile has another width than the log's size demands.
    #[error("tile {level}/{index} has {expected} hashes at size {size}, got {got}")]
    TileWidth {
        /// Level of the tile.
        level: u8,
        /// Index of the tile in its level.
        index: u64,
        /// Leaves of the log.
        size: u64,
        /// Hashes it has at this size.
        expected: u16,
        /// Hashes that came.
        got: u16,
    },
    /// The log is larger than any may be.
    #[error("a tree has at most {MAX_TREE_SIZE} leaves, got {size}")]
    SizeTooLarge {
        /// The size asked for.
        size: u64,
    },
}

/// The log would have more leaves than any may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a tree has at most {MAX_TREE_SIZE} leaves, got {size} and {more} more")]
pub struct TreeFull {
    /// Leaves there are.
    pub size: u64,
    /// Leaves to add.
    pub more: u64,
}

impl Frontier {
    /// The edge of a log without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the edge of a log of `size` leaves from its stored tiles: at most one a level.
    ///
    /// # Errors
    /// See [`FrontierError`].
    pub fn load<S: TileSource>(source: &S, size: u64) -> Result<Self, FrontierError<S::Error>> {
        if size > MAX_TREE_SIZE {
            return Err(FrontierError::SizeTooLarge { size });
        }
        let mut levels = Vec::new();
        for level in 0..TILE_LEVELS {
            if shift_right(size, u32::from(level) * u32::from(TILE_HEIGHT)) == 0 {
                break;
            }
            let index = edge_index(size, level);
            let expected = tile_width(size, level, index);
            if expected == 0 {
                levels.push(None);
                continue;
            }
            let tile = source.tile(level, index, expected).map_err(FrontierError::Source)?;
            let got = tile.width();
            if got != expected {
                return Err(FrontierError::TileWidth { level, index, size, expected, got });
            }
            levels.push(Some(tile.to_owned_tile()));
        }
        Ok(Self { size, levels })
    }

    /// Leaves of the log.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the log; [`EMPTY_ROOT`] without leaves. At most one node hash a level of the tree.
    pub fn root(&self) -> Hash {
        let mut root = None;
        for tile in self.levels.iter().flatten() {
            root = tile.folded(root);
        }
        root.unwrap_or(EMPTY_ROOT)
    }

    /// Appends leaf hashes and gives every tile that is new or changed, by `(level, index)`: what storage
    /// writes in the same transaction. Nothing changes on an error.
    ///
    /// # Errors
    /// [`TreeFull`].
    pub fn append(&mut self, leaf_hashes: &[Hash]) -> Result<BTreeMap<(u8, u64), Tile>, TreeFull> {
        let more = u64::try_from(leaf_hashes.len()).unwrap_or(u64::MAX);
        let grown = self.size.checked_add(more).filter(|grown| *grown <= MAX_TREE_SIZE);
        let grown = grown.ok_or(TreeFull { size: self.size, more })?;
        let mut changed = BTreeMap::new();
        let mut carried = leaf_hashes.to_vec();
        for level in 0..TILE_LEVELS {
            if carried.is_empty() {
                break;
            }
            carried = self.append_level(level, &carried, &mut changed);
        }
        self.size = grown;
        Ok(changed)
    }

    /// Appends hashes to one level and gives the roots of the tiles that became full.
    fn append_level(
        &mut self,
        level: u8,
        mut hashes: &[Hash],
        changed: &mut BTreeMap<(u8, u64), Tile>,
    ) -> Vec<Hash> {
        let place = usize::from(level);
        if self.levels.len() <= place {
            self.levels.resize(place + 1, None);
        }
        let mut index = edge_index(self.size, level);
        let mut full_roots = Vec::new();
        let mut partial = self.levels.get_mut(place).and_then(Option::take);
        while !hashes.is_empty() {
            let used = partial.as_ref().map_or(0, |tile| usize::from(tile.width()));
            let room = usize::from(TILE_WIDTH).saturating_sub(used).min(hashes.len());
            let (now, later) = hashes.split_at(room);
            hashes = later;
            let tile = match partial.take() {
                Some(tile) => tile.extended(now),
                // One to 256 hashes are always a tile.
                None => match Tile::build(now) {
                    Ok(tile) => tile,
                    Err(_) => break,
                },
            };
            if tile.width() == TILE_WIDTH {
                full_roots.push(tile.root());
                changed.insert((level, index), tile);
                index += 1;
            } else {
                changed.insert((level, index), tile.clone());
                partial = Some(tile);
            }
        }
        if let Some(kept) = self.levels.get_mut(place) {
            *kept = partial;
        }
        full_roots
    }
}
