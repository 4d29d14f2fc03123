//! Tiles of Merkle trees as records, for the logs and for the trees of epochs.

use meed_audit::hash::{HASH_BYTES, Hash, node_hash};
use meed_audit::merkle::{TILE_WIDTH, Tile, TileSource};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::codec::{Record, read_bytes};
use crate::error::StorageError;
use crate::key::Key;
use crate::table::{RawReader, Reader, Table};

/// A tile of a Merkle tree as a record.
///
/// The bytes are the tile's row, where a full row leaves out its last node (the hash of the two before it) and a row
/// without a tail leaves out the tail's size: so a full row stands with its key in one block of 16 KiB. The length
/// modulo 32 tells whether there is a tail, the width whether the root was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TileRecord(pub Tile);

impl Record for TileRecord {}

const TAIL_BYTES: usize = 8;
const WIDTH_BYTES: usize = 2;

impl TileRecord {
    fn pack(&self) -> Option<Vec<u8>> {
        let (rest, tail_size) = self.0.as_bytes().split_last_chunk::<TAIL_BYTES>()?;
        let (nodes, width) = rest.split_last_chunk::<WIDTH_BYTES>()?;
        let has_tail = *tail_size != [0; TAIL_BYTES];
        let kept = nodes.len() - if is_full(*width, has_tail) { HASH_BYTES } else { 0 };
        let mut packed = nodes.get(..kept)?.to_vec();
        packed.extend_from_slice(width);
        packed.extend_from_slice(if has_tail { tail_size } else { &[] });
        Some(packed)
    }

    fn unpack(mut row: Vec<u8>) -> Option<Tile> {
        let has_tail = row.len() % HASH_BYTES == WIDTH_BYTES + TAIL_BYTES;
        if !has_tail {
            row.extend_from_slice(&[0; TAIL_BYTES]);
        }
        let trailer = row.split_off(row.len().checked_sub(WIDTH_BYTES + TAIL_BYTES)?);
        if is_full(*trailer.first_chunk()?, has_tail) {
            let (left, right) = row.last_chunk::<{ 2 * HASH_BYTES }>()?.split_first_chunk::<HASH_BYTES>()?;
            let root = node_hash(&Hash::from_bytes(*left), &Hash::from_bytes(*right.first_chunk()?));
            row.extend_from_slice(root.as_bytes());
        }
        row.extend_from_slice(&trailer);
        Tile::parse(row).ok()
    }
}

/// Whether all 256 places are taken, the tail counted.
fn is_full(width: [u8; WIDTH_BYTES], has_tail: bool) -> bool {
    u16::from_be_bytes(width).saturating_add(u16::from(has_tail)) == TILE_WIDTH
}

impl Serialize for TileRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let packed = self.pack().ok_or_else(|| serde::ser::Error::custom("the tile has no row"))?;
        serializer.serialize_bytes(&packed)
    }
}

impl<'de> Deserialize<'de> for TileRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let packed = read_bytes(deserializer)?;
        Self::unpack(packed).map(Self).ok_or_else(|| D::Error::custom("the bytes are no tile"))
    }
}

/// The tiles of one tree in a table, as the rulebook reads them to make paths and roots.
#[derive(Debug)]
pub struct TableTiles<'a, R: ?Sized, K, F> {
    reader: &'a R,
    table: Table<K, TileRecord>,
    key: F,
}

impl<'a, R: RawReader + ?Sized, K: Key, F: Fn(u8, u64) -> K> TableTiles<'a, R, K, F> {
    /// The tree whose tile `(level, index)` has the key `key(level, index)`.
    pub fn new(reader: &'a R, table: Table<K, TileRecord>, key: F) -> Self {
        Self { reader, table, key }
    }
}

impl<R: RawReader + ?Sized, K: Key, F: Fn(u8, u64) -> K> TileSource for TableTiles<'_, R, K, F> {
    type Error = StorageError;
    type Bytes<'source>
        = Vec<u8>
    where
        Self: 'source;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Tile, StorageError> {
        let key = (self.key)(level, index);
        let record = self.reader.get(self.table, &key)?;
        let tile = record.map(|record| record.0).filter(|tile| tile.width() >= width);
        tile.ok_or_else(|| {
            let detail =
                format!("expected tile {level}/{index} with {width} hashes, got none or a narrower one");
            StorageError::corrupt(self.table.name(), &key.to_bytes(), detail)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{seal, unseal};

    /// What redb adds to a single entry of a page: page header, end of key, end of value.
    const PAGE_BYTES: usize = 4 + 4 + 4;

    #[test]
    fn every_width_with_and_without_a_tail_round_trips() {
        let hashes: Vec<Hash> = (0..256_u16).map(|number| Hash::of(&number.to_be_bytes())).collect();
        for width in 1..=256 {
            let mut tiles = vec![Tile::build(&hashes[..width]).unwrap()];
            if width < 256 {
                tiles.push(Tile::build_with_tail(&hashes[..width], Hash::of(b"tail"), 70_000).unwrap());
            }
            for tile in tiles {
                let sealed = seal("tiles", b"key", &TileRecord(tile.clone())).unwrap();
                assert_eq!(unseal::<TileRecord>("tiles", b"key", &sealed).unwrap().0, tile);
                assert!(TileRecord::unpack(vec![0; sealed.len()]).is_none());
            }
        }
    }

    #[test]
    fn a_full_row_fits_into_sixteen_kibibytes_with_a_key_of_42_bytes() {
        let hashes = vec![Hash::of(b"x"); 256];
        let full = seal("tiles", b"", &TileRecord(Tile::build(&hashes).unwrap())).unwrap();
        assert!(full.len() + 42 + PAGE_BYTES <= 16_384, "got {}", full.len());
        let tailed = Tile::build_with_tail(&hashes[1..], Hash::of(b"tail"), 70_000).unwrap();
        let tailed = seal("tiles", b"", &TileRecord(tailed)).unwrap();
        assert!(tailed.len() + 34 + PAGE_BYTES <= 16_384, "got {}", tailed.len());
    }
}
