//! Tiles as rows: growing logs, whole trees, what is read for a path, and rows that are not tiles.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

mod merkle_support;

use meed_audit::hash::{EMPTY_ROOT, Hash, leaf_hash};
use meed_audit::merkle::{
    Frontier, FrontierError, MAX_TREE_SIZE, MissingTile, PathError, Tile, TileError, TileSource, Tree,
    consistency_path, inclusion_path, root, root_from_tiles, tile_width, verify_consistency,
    verify_inclusion,
};
use merkle_support::{Rows, leaves, naive_consistency, naive_inclusion, naive_root};
use proptest::prelude::*;

/// The rows of a log that follow from its leaves alone.
fn expected_rows(leaves: &[Hash]) -> Rows {
    let mut rows = Rows::default();
    let (mut hashes, mut level) = (leaves.to_vec(), 0);
    while !hashes.is_empty() {
        for (index, tile) in hashes.chunks(256).enumerate() {
            rows.bytes.insert((level, index as u64), Tile::build(tile).unwrap().to_bytes());
        }
        hashes = hashes.chunks_exact(256).map(naive_root).collect();
        level += 1;
    }
    rows
}

fn hashes_of<B: AsRef<[u8]>>(tile: &Tile<B>) -> Vec<Hash> {
    tile.hashes().collect()
}

fn assert_same_rows(got: &Rows, expected: &Rows, at: &str) {
    assert!(got.bytes.keys().eq(expected.bytes.keys()), "{at}: other rows");
    assert!(got.bytes == expected.bytes, "{at}: other bytes");
}

#[test]
fn rows_of_a_log_do_not_depend_on_its_batches() {
    let hashes = leaves(1_100);
    let expected = expected_rows(&hashes);
    for batch in [1, 3, 44, 255, 256, 257, 1_000, 1_100] {
        let (rows, frontier) = Rows::of_log(&hashes, batch);
        assert_same_rows(&rows, &expected, &format!("batches of {batch}"));
        assert_eq!(frontier.root(), naive_root(&hashes));
        assert_eq!(Frontier::load(&rows, 1_100), Ok(frontier));
    }
}

#[test]
fn single_appends_keep_root_and_edge_at_every_size() {
    let hashes = leaves(1_030);
    let (mut rows, mut frontier) = (Rows::default(), Frontier::new());
    assert_eq!(frontier.root(), EMPTY_ROOT);
    for size in 1..=hashes.len() {
        let changed = frontier.append(&hashes[size - 1..size]).unwrap();
        assert_eq!(changed.len(), if size % 256 == 0 { 2 } else { 1 }, "tiles changed at size {size}");
        rows.write(changed.iter().map(|(place, tile)| (*place, tile)));
        assert_eq!(frontier.root(), naive_root(&hashes[..size]), "size {size}");
        assert_eq!(Frontier::load(&rows, size as u64).unwrap(), frontier, "size {size}");
    }
}

#[test]
fn appending_nothing_changes_nothing() {
    let mut frontier = Frontier::new();
    assert!(frontier.append(&[]).unwrap().is_empty());
    frontier.append(&leaves(3)).unwrap();
    assert!(frontier.append(&[]).unwrap().is_empty());
    assert_eq!((frontier.size(), frontier.root()), (3, naive_root(&leaves(3))));
}

#[test]
fn paths_around_tile_edges_equal_the_naive_tree() {
    let hashes = leaves(65_800);
    let (rows, _) = Rows::of_log(&hashes, 1_000);
    for size in [1, 2, 255, 256, 257, 511, 512, 513, 65_280, 65_535, 65_536, 65_537, 65_793] {
        let (at, leaves) = (size as u64, &hashes[..size]);
        let tree = Tree::build(leaves.iter().copied());
        let expected = naive_root(leaves);
        assert_eq!(tree.root(), expected, "size {size}");
        assert_eq!(root(leaves), expected, "size {size}");
        assert_eq!(root_from_tiles(&rows, at).unwrap(), expected, "size {size}");
        for index in [0, 255, 256, 32_768, 65_535, 65_536, size - 1] {
            if index >= size {
                continue;
            }
            let path = naive_inclusion(index, leaves);
            assert_eq!(tree.inclusion_path(index as u64).unwrap(), path, "leaf {index} of {size}");
            assert_eq!(inclusion_path(&rows, index as u64, at).unwrap(), path, "leaf {index} of {size}");
            assert_eq!(verify_inclusion(&leaves[index], index as u64, at, &path, &expected), Ok(()));
        }
        for old in [1, 255, 256, 300, 65_535, 65_536] {
            if old > size {
                continue;
            }
            let path = naive_consistency(old, leaves);
            assert_eq!(consistency_path(&rows, old as u64, at).unwrap(), path, "{old} to {size}");
            assert_eq!(tree.consistency_path(old as u64, at).unwrap(), path, "{old} to {size}");
            let old_root = root(&leaves[..old]);
            assert_eq!(verify_consistency(old as u64, &old_root, at, &expected, &path), Ok(()));
        }
    }
}

#[test]
fn rows_of_70_000_leaves_equal_the_tree_in_memory() {
    let hashes = leaves(70_000);
    let tree = Tree::build(hashes.iter().copied());
    assert_eq!(tree.root(), naive_root(&hashes));
    let mut whole = Rows::default();
    whole.write(tree.tiles());
    let (log, frontier) = Rows::of_log(&hashes, 1_000);
    assert_eq!(frontier.root(), tree.root());
    assert!(whole.bytes.keys().eq(log.bytes.keys()), "the same tiles, with and without tails");
    for ((level, index), row) in &log.bytes {
        let width = tile_width(70_000, *level, *index);
        let (log, whole) = (Tile::from_bytes(row).unwrap(), whole.tile(*level, *index, width).unwrap());
        assert_eq!((log.width(), hashes_of(&log)), (width, hashes_of(&whole)), "tile {level}/{index}");
    }
    for index in (0..70_000).step_by(997).chain([69_888, 69_999]) {
        let path = tree.inclusion_path(index).unwrap();
        assert_eq!(inclusion_path(&whole, index, 70_000).unwrap(), path, "leaf {index}");
        assert_eq!(inclusion_path(&log, index, 70_000).unwrap(), path, "leaf {index}");
        let leaf = &hashes[usize::try_from(index).unwrap()];
        assert_eq!(verify_inclusion(leaf, index, 70_000, &path, &tree.root()), Ok(()), "leaf {index}");
    }
}

#[test]
fn a_path_of_a_whole_tree_reads_one_row_a_level() {
    for size in [1_u64, 200, 256, 300, 1_000, 65_536, 70_000] {
        let tree = Tree::build(leaves(usize::try_from(size).unwrap()));
        let mut rows = Rows::default();
        rows.write(tree.tiles());
        let levels = (0..8).filter(|level| tile_width(size, *level, 0) > 0).count();
        for index in (0..size).step_by(61).chain([size - 1]) {
            rows.reads.set(0);
            inclusion_path(&rows, index, size).unwrap();
            let reads = rows.reads.get();
            assert!(reads <= levels, "leaf {index} of {size}: {reads} rows of {levels} levels");
        }
    }
}

#[test]
fn a_path_of_a_log_reads_two_rows_a_level_at_most() {
    let (rows, _) = Rows::of_log(&leaves(70_000), 1_000);
    for size in [300, 66_000, 69_999, 70_000] {
        for index in [0, 255, size / 2, size - 1] {
            rows.reads.set(0);
            inclusion_path(&rows, index, size).unwrap();
            assert!(rows.reads.get() <= 6, "leaf {index} of {size}: {} rows", rows.reads.get());
        }
    }
}

#[test]
fn a_stale_tail_is_never_used() {
    // Tiles of a whole tree of 300, read at smaller sizes: their edges are true at 300 only.
    let hashes = leaves(600);
    let tree = Tree::build(hashes.iter().copied());
    for size in 1..600 {
        let expected = &hashes[..size];
        assert_eq!(root_from_tiles(&tree, size as u64).unwrap(), naive_root(expected), "size {size}");
        for index in [0, size / 3, size - 1] {
            let path = inclusion_path(&tree, index as u64, size as u64).unwrap();
            assert_eq!(path, naive_inclusion(index, expected), "leaf {index} of {size}");
        }
    }
}

#[test]
fn every_width_round_trips_as_bytes() {
    let hashes = leaves(256);
    let tail = leaf_hash(b"tail");
    for width in 1..=256 {
        let tile = Tile::build(&hashes[..width]).unwrap();
        assert_eq!(Tile::from_bytes(&tile.to_bytes()), Ok(tile.clone()), "width {width}");
        assert_eq!(tile.root(), naive_root(&hashes[..width]));
        if width < 256 {
            let with_tail = Tile::build_with_tail(&hashes[..width], tail, 7).unwrap();
            assert_eq!(Tile::from_bytes(&with_tail.to_bytes()), Ok(with_tail.clone()), "width {width}, tail");
            assert_eq!((with_tail.width(), hashes_of(&with_tail)), (tile.width(), hashes_of(&tile)));
            assert_eq!(with_tail.root(), naive_root(&[&hashes[..width], &[tail]].concat()));
        }
    }
    assert_eq!(Tile::build(&hashes).unwrap().to_bytes().len(), 511 * 32 + 10);
}

#[test]
fn rows_that_are_no_tiles_are_refused() {
    let row = Tile::build(&leaves(44)).unwrap().to_bytes();
    for cut in 0..row.len() {
        assert!(Tile::from_bytes(&row[..cut]).is_err(), "cut to {cut} bytes");
    }
    let longer = [&row[..], &[0]].concat();
    assert!(Tile::from_bytes(&longer).is_err());
    let width_at = row.len() - 10;
    for width in [0_u16, 43, 45, 257, u16::MAX] {
        let mut forged = row.clone();
        forged[width_at..width_at + 2].copy_from_slice(&width.to_be_bytes());
        assert!(Tile::from_bytes(&forged).is_err(), "width {width}");
    }
    let mut forged = row.clone();
    forged[width_at + 9] = 1;
    assert!(Tile::from_bytes(&forged).is_err(), "a tail size without a tail");
    assert_eq!(Tile::build(&[]), Err(TileError::Width { max: 256, got: 0 }));
    assert_eq!(Tile::build(&leaves(257)), Err(TileError::Width { max: 256, got: 257 }));
    assert_eq!(
        Tile::build_with_tail(&leaves(256), EMPTY_ROOT, 1),
        Err(TileError::Width { max: 255, got: 256 })
    );
    assert_eq!(Tile::build_with_tail(&leaves(2), EMPTY_ROOT, 0), Err(TileError::TailSize));
}

#[test]
fn nodes_outside_a_tile_are_none() {
    let tile = Tile::build(&leaves(5)).unwrap();
    assert_eq!(tile.node(0, 5), None);
    assert_eq!(tile.node(1, 3), None);
    assert_eq!(tile.node(3, 0), Some(tile.root()));
    assert_eq!(tile.node(8, 0), Some(tile.root()));
    assert_eq!(tile.node(255, 1), None);
    assert_eq!(tile.node(0, u64::MAX), None);
}

#[test]
fn what_a_source_lacks_is_an_error() {
    let tree = Tree::build(leaves(300));
    assert_eq!(tree.inclusion_path(300), Err(PathError::IndexOutOfRange { index: 300, size: 300 }));
    assert_eq!(tree.consistency_path(9, 8), Err(PathError::SizesOutOfOrder { old_size: 9, new_size: 8 }));
    let size = MAX_TREE_SIZE + 1;
    assert_eq!(inclusion_path(&tree, 0, size), Err(PathError::SizeTooLarge { size }));
    assert_eq!(root_from_tiles(&tree, 301), Err(PathError::Source(MissingTile { level: 0, index: 1 })));
    assert!(inclusion_path(&tree, 0, MAX_TREE_SIZE).is_err());
    assert!(consistency_path(&tree, 1, MAX_TREE_SIZE).is_err());

    let (mut rows, _) = Rows::of_log(&leaves(300), 300);
    let narrow = PathError::TileTooNarrow { level: 0, index: 1, expected: 45, got: 44 };
    assert_eq!(inclusion_path(&rows, 300, 301), Err(narrow));
    rows.bytes.remove(&(1, 0));
    assert!(matches!(inclusion_path(&rows, 299, 300), Err(PathError::Source(_))));
}

#[test]
fn an_edge_of_another_width_is_refused() {
    let (rows, _) = Rows::of_log(&leaves(300), 300);
    let expected = FrontierError::TileWidth { level: 0, index: 1, size: 299, expected: 43, got: 44 };
    assert_eq!(Frontier::load(&rows, 299), Err(expected));
    let expected = FrontierError::TileWidth { level: 0, index: 1, size: 301, expected: 45, got: 44 };
    assert_eq!(Frontier::load(&rows, 301), Err(expected));
    let size = MAX_TREE_SIZE + 1;
    assert_eq!(Frontier::load(&rows, size), Err(FrontierError::SizeTooLarge { size }));
    assert_eq!(Frontier::load(&rows, 0), Ok(Frontier::new()));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    #[test]
    fn any_batches_give_the_same_rows(batches in prop::collection::vec(0_usize..700, 1..8)) {
        let hashes = leaves(batches.iter().sum());
        let (mut rows, mut frontier, mut rest) = (Rows::default(), Frontier::new(), &hashes[..]);
        for batch in batches {
            let (now, later) = rest.split_at(batch);
            rest = later;
            // What is loaded from rows has to grow like what stayed in memory.
            frontier = Frontier::load(&rows, frontier.size()).unwrap();
            let changed = frontier.append(now).unwrap();
            rows.write(changed.iter().map(|(place, tile)| (*place, tile)));
        }
        prop_assert_eq!(frontier.root(), naive_root(&hashes));
        prop_assert!(rows.bytes == expected_rows(&hashes).bytes);
    }
}
