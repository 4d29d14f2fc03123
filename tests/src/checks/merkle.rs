//! Trees: only the true path verifies, and any row of bytes is a tile or is refused.

use meed_audit::hash::{Hash, leaf_hash};
use meed_audit::merkle::{Tile, Tree, inclusion_path_hashes, root, verify_consistency, verify_inclusion};

use super::Bytes;

/// Most leaves of a tree that is built, so that it has a second level of tiles.
const LEAVES_MAX: usize = 300;

/// Tiles of any bytes; paths of small trees, altered; and sizes of any number.
pub(super) fn merkle(data: &[u8]) {
    tile(data);
    let mut bytes = Bytes(data);
    paths(&mut bytes);
    let (index, size) = (bytes.number(), bytes.number());
    let some: Vec<Hash> = (0..bytes.below(70)).map(|number| Hash::of(&number.to_be_bytes())).collect();
    let _ = verify_consistency(index, &Hash::of(b"old"), size, &Hash::of(b"new"), &some);
    let verified = verify_inclusion(&Hash::of(b"leaf"), index, size, &some, &Hash::of(b"root"));
    assert!(verified.is_err(), "nothing hashes to a root that was made up");
    if let Ok(count) = inclusion_path_hashes(index, size) {
        assert!(index < size && count <= 63);
    }
}

fn tile(data: &[u8]) {
    let Ok(tile) = Tile::from_bytes(data) else { return };
    assert_eq!(tile.as_bytes(), data);
    assert_eq!(tile.hashes().len(), usize::from(tile.width()));
    for width in [0, 1, tile.width(), tile.width().saturating_add(1), 256] {
        assert_eq!(tile.c2sp_bytes(width).is_some(), width <= tile.width());
    }
    for height in [0, 1, 7, 8, 9, 255] {
        for position in [0, 1, 255, 256, u64::MAX] {
            let _ = tile.node(height, position);
        }
    }
    let _ = tile.root();
}

/// A path that was altered proves nothing, unless it is the true one after all.
fn paths(bytes: &mut Bytes<'_>) {
    let hashes: Vec<Hash> =
        (0..=bytes.below(LEAVES_MAX)).map(|number| leaf_hash(&number.to_be_bytes())).collect();
    let tree = Tree::build(hashes.iter().copied());
    let size = tree.size();
    assert_eq!(root(&hashes), tree.root());
    let index = bytes.below(hashes.len());
    let (mut leaf, number) = (hashes[index], u64::try_from(index).expect("fits"));
    let path = tree.inclusion_path(number).expect("a leaf of the tree");
    assert_eq!(inclusion_path_hashes(number, size), Ok(path.len()));
    verify_inclusion(&leaf, number, size, &path, &tree.root()).expect("the true path");
    let (mut other_path, mut other_index) = (path.clone(), number);
    alter(&mut other_path, bytes, &hashes);
    match bytes.byte() % 4 {
        0 => leaf = hashes[bytes.below(hashes.len())],
        1 => other_index = u64::try_from(bytes.below(LEAVES_MAX)).expect("fits"),
        2 => other_index = bytes.number(),
        _ => {}
    }
    let verified = verify_inclusion(&leaf, other_index, size, &other_path, &tree.root()).is_ok();
    let is_true = usize::try_from(other_index).is_ok_and(|index| hashes.get(index) == Some(&leaf))
        && tree.inclusion_path(other_index).is_ok_and(|path| path == other_path);
    assert_eq!(verified, is_true, "leaf {other_index} of {size}");
    consistency(bytes, &tree, &hashes);
}

fn consistency(bytes: &mut Bytes<'_>, tree: &Tree, hashes: &[Hash]) {
    let size = tree.size();
    let old = bytes.below(hashes.len() + 1);
    let old_size = u64::try_from(old).expect("fits");
    let old_root = root(&hashes[..old]);
    let path = tree.consistency_path(old_size, size).expect("sizes of the tree");
    verify_consistency(old_size, &old_root, size, &tree.root(), &path).expect("the true path");
    let mut other = path.clone();
    alter(&mut other, bytes, hashes);
    let verified = verify_consistency(old_size, &old_root, size, &tree.root(), &other).is_ok();
    assert_eq!(verified, other == path, "{old_size} to {size}");
}

fn alter(path: &mut Vec<Hash>, bytes: &mut Bytes<'_>, hashes: &[Hash]) {
    let place = bytes.below(path.len());
    match bytes.byte() % 6 {
        0 => path.push(hashes[bytes.below(hashes.len())]),
        1 if !path.is_empty() => drop(path.remove(place)),
        2 if !path.is_empty() => path[place] = hashes[bytes.below(hashes.len())],
        3 if !path.is_empty() => {
            let other = bytes.below(path.len());
            path.swap(place, other);
        }
        4 => path.insert(place, Hash::of(b"more")),
        _ => {}
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let leaves: Vec<Hash> = (0..300_u32).map(|number| leaf_hash(&number.to_be_bytes())).collect();
    let mut seeds = Vec::new();
    for count in [1, 2, 3, 7, 256] {
        seeds.push(Tile::build(&leaves[..count]).expect("a tile").to_bytes());
    }
    seeds.push(Tile::build_with_tail(&leaves[..5], Hash::of(b"tail"), 1_500).expect("a tile").to_bytes());
    for size in [1_u8, 2, 3, 5, 8, 13, 64, 200] {
        for step in 0..6 {
            seeds.push(vec![0, size, 0, size / 2, 0, 1, step, 0, 1, step, 0, size / 3, 0, 0, step]);
        }
    }
    seeds.push(vec![1; 64]);
    seeds
}
