//! The bytes of blocks, opened for tests that feed them what no ledger would write.

use crate::blocks::rows::Rows;
use crate::blocks::sorted::{BlockReader, Pair, find, merge};

/// The rows of a packed part; none where the bytes are none.
pub fn unpack_rows(packed: &[u8]) -> Option<Vec<Vec<u8>>> {
    Rows::unpack(packed).map(|rows| all(&rows))
}

/// The rows of bytes that are not packed; none where the bytes are none.
pub fn decode_rows(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    Rows::decode(bytes.to_vec()).map(|rows| all(&rows))
}

/// Rows as bytes that are not packed.
pub fn encode_rows(rows: &[Vec<u8>]) -> Vec<u8> {
    gather(rows).encode()
}

/// Rows in packed parts, in their order.
pub fn pack_rows(rows: &[Vec<u8>]) -> Vec<Vec<u8>> {
    gather(rows).pack().into_iter().map(|(_, packed)| packed).collect()
}

/// The pairs of a block of an index; none where the bytes are no block.
pub fn read_pairs(block: &[u8]) -> Option<Vec<Pair>> {
    let (mut reader, mut pairs) = (BlockReader::new(block), Vec::new());
    while let Some((key, number)) = reader.next().ok()? {
        pairs.push((key.to_vec(), number));
    }
    Some(pairs)
}

/// The number that a search in a block finds for a key; the outer one is none where the bytes are no block.
pub fn find_number(block: &[u8], key: &[u8]) -> Option<Option<u64>> {
    find(block, key).ok()
}

/// The blocks that follow from a block and new pairs, which ascend; none where the bytes are no block.
pub fn merge_pairs(block: &[u8], new: &[Pair]) -> Option<Vec<Vec<u8>>> {
    Some(merge(block, new).ok()?.into_iter().map(|(_, block)| block).collect())
}

fn all(rows: &Rows) -> Vec<Vec<u8>> {
    (0..rows.len()).filter_map(|place| rows.get(place)).map(<[u8]>::to_vec).collect()
}

fn gather(rows: &[Vec<u8>]) -> Rows {
    let mut gathered = Rows::default();
    rows.iter().for_each(|row| gathered.push(row));
    gathered
}
