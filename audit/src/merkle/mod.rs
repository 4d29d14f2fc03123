//! RFC 6962 Merkle trees: building them, keeping them as tiles, making paths, and checking paths.
//!
//! Building and checking share nothing but [`crate::hash`]. [`tile`], [`tree`] and [`frontier`] build, with
//! `rs_merkle` for the nodes of one tile; [`source`] makes paths from stored tiles; [`check`] is this
//! project's own RFC 9162 code and the only thing that ever decides whether a path is true.
//!
//! A tile is eight tree levels of 256 hashes, as in C2SP tlog-tiles: tile `(level, index)` holds the roots
//! of the complete subtrees of `256^level` leaves numbered `256 * index` and up, and the nodes between
//! them.

pub mod check;
pub mod frontier;
pub mod source;
pub mod tile;
pub mod tree;

mod hasher;
mod shape;

pub use check::{MerkleError, inclusion_path_hashes, verify_consistency, verify_inclusion};
pub use frontier::{Frontier, FrontierError, TreeFull};
pub use shape::tile_width;
pub use source::{PathError, TileSource, consistency_path, inclusion_path, root_from_tiles};
pub use tile::{Tile, TileError};
pub use tree::{MissingTile, Tree, TreeBuilder, root};

/// Hashes of a full tile.
pub const TILE_WIDTH: u16 = 256;

/// Tree levels that one level of tiles spans: `2^TILE_HEIGHT` is [`TILE_WIDTH`].
pub const TILE_HEIGHT: u8 = 8;

/// Levels of tiles that a tree of [`MAX_TREE_SIZE`] leaves has.
pub const TILE_LEVELS: u8 = 8;

/// The most leaves a tree may have: C2SP sizes fit a signed 64-bit integer.
pub const MAX_TREE_SIZE: u64 = (1 << 63) - 1;

/// The most hashes a path may have: the height of a tree of [`MAX_TREE_SIZE`] leaves.
pub const MAX_PATH_HASHES: usize = 63;

const _: () = assert!(1 << TILE_HEIGHT == TILE_WIDTH);
const _: () = assert!(TILE_HEIGHT as usize * TILE_LEVELS as usize > MAX_PATH_HASHES);
