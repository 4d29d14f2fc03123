//! A whole tree built at once, tile by tile: for trees that do not grow, such as an epoch's allocations.

use std::collections::BTreeMap;

use thiserror::Error;

use super::source::{self, PathError, TileSource};
use super::tile::Tile;
use super::{TILE_LEVELS, TILE_WIDTH};
use crate::hash::{EMPTY_ROOT, Hash, node_hash};

/// The root of a tree with these leaf hashes; [`EMPTY_ROOT`] for none. It keeps one hash for each tile of leaves.
pub fn root(leaf_hashes: &[Hash]) -> Hash {
    let mut roots: Vec<Hash> = tile_roots(leaf_hashes);
    while roots.len() > 1 {
        roots = tile_roots(&roots);
    }
    roots.first().copied().unwrap_or(EMPTY_ROOT)
}

/// The roots of the subtrees over each 256 hashes, of the last one over those that there are.
fn tile_roots(hashes: &[Hash]) -> Vec<Hash> {
    hashes.chunks(usize::from(TILE_WIDTH)).filter_map(tile_root).collect()
}

fn tile_root(hashes: &[Hash]) -> Option<Hash> {
    let mut nodes = [EMPTY_ROOT; TILE_WIDTH as usize];
    nodes.get_mut(..hashes.len())?.copy_from_slice(hashes);
    let mut width = hashes.len();
    while width > 1 {
        for place in 0..width.div_ceil(2) {
            let left = *nodes.get(2 * place)?;
            // A lone last node moves up unchanged.
            let right = nodes.get(2 * place + 1).filter(|_| 2 * place + 1 < width);
            let parent = right.map_or(left, |right| node_hash(&left, right));
            *nodes.get_mut(place)? = parent;
        }
        width = width.div_ceil(2);
    }
    nodes.first().copied()
}

/// Builds a tree from leaf hashes that come one after the other, and hands each tile out when it is done.
///
/// Tiles come as `(level, index, tile)`, full ones while leaves arrive, those of the right edge (with their
/// tails) at the end. Memory is one tile a level.
#[derive(Debug, Clone, Default)]
pub struct TreeBuilder {
    size: u64,
    /// For each level the hashes of its unfinished tile, fewer than 256.
    pending: Vec<Vec<Hash>>,
}

impl TreeBuilder {
    /// A builder without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Leaves so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds one leaf hash.
    pub fn push(&mut self, leaf_hash: Hash, sink: &mut impl FnMut(u8, u64, Tile)) {
        self.size += 1;
        let mut carried = leaf_hash;
        for level in 0..TILE_LEVELS {
            let place = usize::from(level);
            if self.pending.len() <= place {
                self.pending.push(Vec::with_capacity(usize::from(TILE_WIDTH)));
            }
            let Some(pending) = self.pending.get_mut(place) else { return };
            pending.push(carried);
            if pending.len() < usize::from(TILE_WIDTH) {
                return;
            }
            let Ok(tile) = Tile::build(pending) else { return };
            pending.clear();
            carried = tile.root();
            let index = super::shape::edge_index(self.size, level).saturating_sub(1);
            sink(level, index, tile);
        }
    }

    /// Hands out the tiles of the right edge and gives the root.
    pub fn finish(self, sink: &mut impl FnMut(u8, u64, Tile)) -> Hash {
        let mut tail: Option<Hash> = None;
        for (level, pending) in (0..TILE_LEVELS).zip(&self.pending) {
            let tile = match tail {
                Some(tail) => Tile::build_with_tail(pending, tail, self.size),
                None => Tile::build(pending),
            };
            // No pending hash at this level: what is below stands alone and moves up unchanged.
            let Ok(tile) = tile else { continue };
            tail = Some(tile.root());
            sink(level, super::shape::edge_index(self.size, level), tile);
        }
        tail.unwrap_or(EMPTY_ROOT)
    }
}

/// A whole tree in memory, with all its nodes.
#[derive(Debug, Clone)]
pub struct Tree {
    size: u64,
    root: Hash,
    tiles: BTreeMap<(u8, u64), Tile>,
}

/// The tree has no tile that wide at that place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("this tree has no tile {level}/{index}")]
pub struct MissingTile {
    /// Level of the tile asked for.
    pub level: u8,
    /// Index of the tile in its level.
    pub index: u64,
}

impl Tree {
    /// Builds the tree of these leaf hashes.
    pub fn build(leaf_hashes: impl IntoIterator<Item = Hash>) -> Self {
        let mut tiles = BTreeMap::new();
        let mut keep = |level, index, tile| {
            tiles.insert((level, index), tile);
        };
        let mut builder = TreeBuilder::new();
        for leaf_hash in leaf_hashes {
            builder.push(leaf_hash, &mut keep);
        }
        let size = builder.size();
        let root = builder.finish(&mut keep);
        Self { size, root, tiles }
    }

    /// Leaves of the tree.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root; [`EMPTY_ROOT`] without leaves.
    pub fn root(&self) -> Hash {
        self.root
    }

    /// The inclusion path of leaf `index`, from its sibling up.
    ///
    /// # Errors
    /// [`PathError::IndexOutOfRange`].
    pub fn inclusion_path(&self, index: u64) -> Result<Vec<Hash>, PathError<MissingTile>> {
        source::inclusion_path(self, index, self.size)
    }

    /// The consistency path between two sizes of this tree.
    ///
    /// # Errors
    /// [`PathError::SizesOutOfOrder`], or [`PathError::Source`] where `new_size` is above this tree's.
    pub fn consistency_path(
        &self,
        old_size: u64,
        new_size: u64,
    ) -> Result<Vec<Hash>, PathError<MissingTile>> {
        source::consistency_path(self, old_size, new_size)
    }

    /// All tiles with their `(level, index)`, ascending.
    pub fn tiles(&self) -> impl Iterator<Item = ((u8, u64), &Tile)> {
        self.tiles.iter().map(|(place, tile)| (*place, tile))
    }
}

impl TileSource for Tree {
    type Error = MissingTile;
    type Bytes<'source> = &'source [u8];

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Tile<&[u8]>, MissingTile> {
        let tile = self.tiles.get(&(level, index)).filter(|tile| tile.width() >= width);
        tile.map(Tile::borrowed).ok_or(MissingTile { level, index })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_alone_is_the_root_of_the_whole_tree() {
        let hashes: Vec<Hash> = (0..66_000_u32).map(|number| Hash::of(&number.to_be_bytes())).collect();
        for size in (0..600).chain([1_023, 1_024, 1_025, 65_535, 65_536, 65_537, 65_793, 66_000]) {
            assert_eq!(root(&hashes[..size]), Tree::build(hashes[..size].iter().copied()).root(), "{size}");
        }
    }
}
