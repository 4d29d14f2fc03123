//! Golden vectors made with Go's `sumdb/tlog`: roots, a served tile tree of 300 leaves.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

mod merkle_support;

use meed_audit::checkpoint::Checkpoint;
use meed_audit::hash::{Hash, leaf_hash};
use meed_audit::merkle::{Tree, root, root_from_tiles};
use merkle_support::{Rows, leaves};

#[test]
fn roots_are_those_of_the_vectors() {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("vectors/tlog/rfc6962_roots.json")).unwrap();
    let cases = file["roots"].as_array().unwrap();
    assert_eq!(cases.len(), 312);
    let hashes = leaves(70_000);
    for case in cases {
        let size = usize::try_from(case["size"].as_u64().unwrap()).unwrap();
        let expected = Hash::from_hex(case["root_hex"].as_str().unwrap()).unwrap();
        assert_eq!(root(&hashes[..size]), expected, "size {size}");
    }
}

#[test]
fn tiles_of_300_leaves_are_those_of_the_vectors() {
    let (rows, _) = Rows::of_log(&leaves(300), 1);
    let tree = Tree::build(leaves(300));
    let served: [(u8, u64, u16, &[u8]); 3] = [
        (0, 0, 256, include_bytes!("vectors/tlog/tiles-300/tile/0/000")),
        (0, 1, 44, include_bytes!("vectors/tlog/tiles-300/tile/0/001.p/44")),
        (1, 0, 1, include_bytes!("vectors/tlog/tiles-300/tile/1/000.p/1")),
    ];
    assert_eq!(rows.bytes.len(), served.len());
    for (level, index, width, expected) in served {
        let row = &rows.bytes[&(level, index)];
        assert_eq!(&row[..expected.len()], expected, "a row begins with the C2SP tile {level}/{index}");
        let (_, tile) = tree.tiles().find(|(place, _)| *place == (level, index)).unwrap();
        assert_eq!(tile.width(), width);
        assert_eq!(tile.c2sp_bytes(width).unwrap(), expected);
        assert_eq!(tile.c2sp_bytes(width + 1), None);
    }
    let note = include_str!("vectors/tlog/tiles-300/checkpoint");
    let (text, _) = note.split_once("\n\n").unwrap();
    let checkpoint = Checkpoint::parse(&format!("{text}\n")).unwrap();
    assert_eq!((checkpoint.size(), *checkpoint.root()), (300, tree.root()));
    assert_eq!(root_from_tiles(&rows, 300).unwrap(), tree.root());
}

#[test]
fn entries_of_the_300_leaves_hash_to_the_first_tiles() {
    let bundles: [&[u8]; 2] = [
        include_bytes!("vectors/tlog/tiles-300/tile/entries/000"),
        include_bytes!("vectors/tlog/tiles-300/tile/entries/001.p/44"),
    ];
    let mut hashes = Vec::new();
    for mut bundle in bundles {
        while let Some((length, rest)) = bundle.split_first_chunk::<2>() {
            let (entry, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)));
            hashes.push(leaf_hash(entry));
            bundle = rest;
        }
    }
    assert_eq!(hashes, leaves(300));
}
