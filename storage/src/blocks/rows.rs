//! Rows of consecutive numbers in one value: read by their place, and packed so that a page is full of them.
//!
//! A row of its own for each event would cost a search, a checksum and the tree's own bytes for each, and leave pages
//! half empty. Rows of neighbours are alike, so that LZ4 takes away most of what the hashes in them leave.

use std::ops::Range;

use super::varint;
use crate::codec::RECORD_BYTES_MAX;

// A length within a part is at most three bytes, so that every part but one of a single longer row can be read again.
const _: () = assert!(PART_BYTES_MAX < 1 << 21 && PART_BYTES_MAX + 3 * PART_ROWS_MAX + 8 < RECORD_BYTES_MAX);

/// Longest packed body that still stands in 16 KiB of redb's pages with its key, in bytes.
const PACKED_BYTES_MAX: usize = 16_320;
/// Most bytes of rows that are packed into one part, however well they pack: reading one row unpacks its whole part.
const PART_BYTES_MAX: usize = 1 << 20;
/// Most rows of one part: rows of no bytes have a length each.
const PART_ROWS_MAX: usize = 1 << 16;
/// What the first attempt packs, in bytes; the next ones take what the last one's ratio promises.
const FIRST_ROWS_BYTES: usize = PACKED_BYTES_MAX;

/// Takes packed parts: the place of the first row of each, and its bytes.
type PutPart<'a, E> = dyn FnMut(usize, &[u8]) -> Result<(), E> + 'a;

/// Some rows, one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    /// What stood before the rows where they were read, and the rows.
    bytes: Vec<u8>,
    /// Where the first row begins.
    first: usize,
    ends: Vec<usize>,
}

impl PartialEq for Rows {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && (0..self.len()).all(|place| self.get(place) == other.get(place))
    }
}

impl Eq for Rows {}

impl Rows {
    /// Appends a row.
    pub(crate) fn push(&mut self, row: &[u8]) {
        self.bytes.extend_from_slice(row);
        self.ends.push(self.bytes.len());
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of all rows.
    pub(crate) fn bytes_len(&self) -> usize {
        self.bytes.len() - self.first
    }

    /// The row at a place.
    pub(crate) fn get(&self, place: usize) -> Option<&[u8]> {
        let end = *self.ends.get(place)?;
        self.bytes.get(self.start(place)..end)
    }

    fn start(&self, place: usize) -> usize {
        place.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(self.first)
    }

    /// The rows as bytes: their count, their lengths, and they themselves.
    pub(crate) fn encode(&self) -> Vec<u8> {
        self.encode_part(0..self.len())
    }

    fn encode_part(&self, part: Range<usize>) -> Vec<u8> {
        let mut start = self.start(part.start);
        let ends = self.ends.get(part).unwrap_or(&[]);
        let end = ends.last().copied().unwrap_or(start);
        let bytes = self.bytes.get(start..end).unwrap_or(&[]);
        let mut out = Vec::with_capacity(bytes.len() + 2 * ends.len() + 8);
        varint::write_len(ends.len(), &mut out);
        for end in ends {
            varint::write_len(end - start, &mut out);
            start = *end;
        }
        out.extend_from_slice(bytes);
        out
    }

    /// Reads [`Rows::encode`]'s bytes, all of them.
    pub(crate) fn decode(bytes: Vec<u8>) -> Option<Self> {
        let mut input = bytes.as_slice();
        let count = varint::read_len(&mut input)?;
        let (mut ends, mut end) = (Vec::with_capacity(count.min(input.len())), 0_usize);
        for _ in 0..count {
            end = end.checked_add(varint::read_len(&mut input)?)?;
            ends.push(end);
        }
        if input.len() != end {
            return None;
        }
        let first = bytes.len() - end;
        ends.iter_mut().for_each(|end| *end += first);
        Some(Self { bytes, first, ends })
    }

    /// The rows in parts that fill a page each when they are packed: place of the first row, and the packed bytes.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn pack(&self) -> Vec<(usize, Vec<u8>)> {
        let mut parts = Vec::new();
        let packed = self.pack_each(&mut |first, packed| {
            parts.push((first, packed.to_vec()));
            Ok::<_, std::convert::Infallible>(())
        });
        packed.map_or_else(|never| match never {}, |()| parts)
    }

    /// Hands such parts to `put` as they are made.
    pub(crate) fn pack_each<E>(&self, put: &mut PutPart<'_, E>) -> Result<(), E> {
        let (mut start, mut wanted) = (0, FIRST_ROWS_BYTES);
        while start < self.len() {
            let (mut end, mut packed) = self.pack_part(start, wanted);
            while packed.len() > PACKED_BYTES_MAX && end > start + 1 {
                wanted = self.promised(start..end, packed.len()).min(wanted.saturating_sub(1));
                (end, packed) = self.pack_part(start, wanted);
            }
            wanted = self.promised(start..end, packed.len());
            put(start, &packed)?;
            start = end;
        }
        Ok(())
    }

    /// How many bytes of rows will fill a page if they pack as well as these did, with a little to spare.
    fn promised(&self, part: Range<usize>, packed_len: usize) -> usize {
        let bytes = self.start(part.end) - self.start(part.start);
        bytes.saturating_mul(PACKED_BYTES_MAX - PACKED_BYTES_MAX / 32) / packed_len.max(1)
    }

    /// Packs rows from `start` on, `wanted` bytes of them but at least one row; gives where they end.
    fn pack_part(&self, start: usize, wanted: usize) -> (usize, Vec<u8>) {
        let limit = self.start(start).saturating_add(wanted.min(PART_BYTES_MAX));
        let last = self.len().min(start.saturating_add(PART_ROWS_MAX));
        let end = self.ends.partition_point(|end| *end <= limit).clamp(start + 1, last);
        (end, lz4_flex::block::compress_prepend_size(&self.encode_part(start..end)))
    }

    /// Reads a packed part.
    pub(crate) fn unpack(packed: &[u8]) -> Option<Self> {
        let (length, rest) = lz4_flex::block::uncompressed_size(packed).ok()?;
        if length > RECORD_BYTES_MAX {
            return None;
        }
        Self::decode(lz4_flex::block::decompress(rest, length).ok()?)
    }

    /// Packs all rows into one value, however long it becomes.
    pub(crate) fn pack_whole(&self) -> Vec<u8> {
        lz4_flex::block::compress_prepend_size(&self.encode())
    }

    /// The same rows with another one at a place.
    pub(crate) fn with_row(&self, place: usize, row: &[u8]) -> Self {
        let mut changed = Self::default();
        for at in 0..self.len() {
            changed.push(if at == place { row } else { self.get(at).unwrap_or(&[]) });
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(lengths: impl IntoIterator<Item = usize>) -> Rows {
        let mut rows = Rows::default();
        for (number, length) in lengths.into_iter().enumerate() {
            let hash = meed_audit::hash::Hash::of(&number.to_be_bytes());
            let row: Vec<u8> =
                hash.as_bytes().iter().copied().chain(*b"the same text").cycle().take(length).collect();
            rows.push(&row);
        }
        rows
    }

    #[test]
    fn rows_come_back_by_their_place() {
        for lengths in [vec![], vec![0], vec![3, 0, 200, 1], vec![70_000]] {
            let rows = rows(lengths.clone());
            assert_eq!(Rows::decode(rows.encode()), Some(rows.clone()));
            assert_eq!(Rows::unpack(&rows.pack_whole()), Some(rows.clone()));
            let found: Vec<_> = (0..rows.len()).map(|place| rows.get(place).unwrap().len()).collect();
            assert_eq!(found, lengths);
            assert_eq!(rows.get(rows.len()), None);
        }
    }

    #[test]
    fn packed_parts_hold_every_row_in_order() {
        let rows = rows((0..5_000).map(|number| if number % 701 == 0 { 30_000 } else { 100 + number % 150 }));
        let parts = rows.pack();
        let mut place = 0;
        for (first, packed) in &parts {
            assert_eq!(*first, place);
            let part = Rows::unpack(packed).unwrap();
            assert!(packed.len() <= PACKED_BYTES_MAX || part.len() == 1);
            for row in 0..part.len() {
                assert_eq!(part.get(row), rows.get(place));
                place += 1;
            }
        }
        assert_eq!(place, rows.len());
    }

    #[test]
    fn parts_can_be_read_again_however_well_they_pack() {
        let many = |row: &[u8], count: usize| {
            let mut rows = Rows::default();
            (0..count).for_each(|_| rows.push(row));
            rows
        };
        let mut mixed = many(&[], 100_000);
        mixed.push(&[7; 30_000]);
        for rows in [many(&[], 5_000_000), many(&[7], 5_000_000), many(&[7; 1_000], 5_000), mixed] {
            let read =
                rows.pack().iter().map(|(_, packed)| Rows::unpack(packed).unwrap().len()).sum::<usize>();
            assert_eq!(read, rows.len());
        }
    }

    #[test]
    fn rows_that_are_alike_fill_their_pages() {
        let parts = rows((0..5_000).map(|number| 100 + number % 150)).pack();
        let bytes: usize = parts.iter().map(|(_, packed)| packed.len()).sum();
        assert!(bytes * 10 > parts.len() * PACKED_BYTES_MAX * 8, "{bytes} bytes in {} pages", parts.len());
    }

    #[test]
    fn a_row_is_replaced_and_the_others_stay() {
        let rows = rows([10, 20, 30]);
        let changed = rows.with_row(1, b"short");
        assert_eq!(
            [changed.get(0), changed.get(1), changed.get(2)],
            [rows.get(0), Some(&b"short"[..]), rows.get(2)]
        );
        assert_eq!(changed.len(), 3);
    }

    #[test]
    fn broken_bytes_are_no_rows() {
        let rows = rows([3, 40, 0]);
        let (encoded, packed) = (rows.encode(), rows.pack_whole());
        for length in 0..encoded.len() {
            assert_eq!(Rows::decode(encoded[..length].to_vec()), None);
        }
        for length in 0..packed.len() {
            assert_eq!(Rows::unpack(&packed[..length]), None);
        }
        assert_eq!(Rows::decode([encoded, vec![0]].concat()), None);
        assert_eq!(Rows::unpack(&[0xff; 40]), None, "a length beyond every record");
    }
}
