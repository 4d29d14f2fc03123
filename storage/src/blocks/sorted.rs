//! Sorted pairs of a key and a number in one value: the pages of an index.
//!
//! Each key says how many bytes it shares with the one before it, so that neighbours cost a few bytes each. A block is
//! read from its beginning; it is small enough for that to cost less than finding its page.

use std::cmp::Ordering;

use super::varint;

/// Longest body of a block, in bytes: with its key it fills a page of 4 KiB.
pub(crate) const BLOCK_BYTES_MAX: usize = 3_960;

/// A key and its number, in the order of both.
pub(crate) type Pair = (Vec<u8>, u64);

/// Appends a pair that follows the key `last`.
fn push_pair(out: &mut Vec<u8>, last: &[u8], key: &[u8], number: u64) {
    let shared = common_prefix(last, key);
    let suffix = key.get(shared..).unwrap_or(&[]);
    varint::write_len(shared, out);
    varint::write_len(suffix.len(), out);
    out.extend_from_slice(suffix);
    varint::write(number, out);
}

fn common_prefix(left: &[u8], right: &[u8]) -> usize {
    left.iter().zip(right).take_while(|(a, b)| a == b).count()
}

/// Reads a block from its beginning.
#[derive(Debug)]
pub(crate) struct BlockReader<'a> {
    rest: &'a [u8],
    /// The last key that was taken.
    key: Vec<u8>,
}

/// Takes a pair off the front: what it shares, the rest of its key, its number.
fn step<'a>(rest: &mut &'a [u8]) -> Option<(usize, &'a [u8], u64)> {
    let shared = varint::read_len(rest)?;
    let (suffix, after) = {
        let length = varint::read_len(rest)?;
        rest.split_at_checked(length)?
    };
    *rest = after;
    Some((shared, suffix, varint::read(rest)?))
}

impl<'a> BlockReader<'a> {
    /// Reads `block`.
    pub(crate) fn new(block: &'a [u8]) -> Self {
        Self { rest: block, key: Vec::with_capacity(64) }
    }

    /// The next pair; `Ok(None)` at the end.
    ///
    /// # Errors
    /// [`BrokenBlock`] where the bytes are no pair.
    pub(crate) fn next(&mut self) -> Result<Option<(&[u8], u64)>, BrokenBlock> {
        let Some(step) = self.peek()? else { return Ok(None) };
        Ok(Some(self.take(&step)))
    }

    /// The next pair as it stands, without taking it.
    fn peek(&self) -> Result<Option<Step<'a>>, BrokenBlock> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let mut rest = self.rest;
        let (shared, suffix, number) = step(&mut rest).ok_or(BrokenBlock)?;
        if shared > self.key.len() {
            return Err(BrokenBlock);
        }
        Ok(Some(Step { shared, suffix, number, rest }))
    }

    fn take(&mut self, step: &Step<'a>) -> (&[u8], u64) {
        self.key.truncate(step.shared);
        self.key.extend_from_slice(step.suffix);
        self.rest = step.rest;
        (&self.key, step.number)
    }
}

/// A pair as it stands: what it shares with the key before it, the rest of its key, its number, and what follows.
struct Step<'a> {
    shared: usize,
    suffix: &'a [u8],
    number: u64,
    rest: &'a [u8],
}

impl Step<'_> {
    /// Whether a pair comes before this one, which follows the key `last`.
    fn is_after(&self, last: &[u8], (key, number): &Pair) -> bool {
        let (beginning, end) = key.split_at(self.shared.min(key.len()));
        let order = last.get(..self.shared).unwrap_or(last).cmp(beginning).then_with(|| self.suffix.cmp(end));
        order.then_with(|| self.number.cmp(number)) == Ordering::Greater
    }
}

/// Bytes that are no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BrokenBlock;

/// The number of a key that stands in a block once at most.
///
/// A key that shares more with its predecessor than the wanted one does is still too small, one that shares less is
/// beyond it already; only where both are equal do bytes need to be compared.
pub(crate) fn find(block: &[u8], wanted: &[u8]) -> Result<Option<u64>, BrokenBlock> {
    let (mut rest, mut matched) = (block, 0);
    while !rest.is_empty() {
        let (shared, suffix, number) = step(&mut rest).ok_or(BrokenBlock)?;
        match shared.cmp(&matched) {
            Ordering::Greater => continue,
            Ordering::Less => return Ok(None),
            Ordering::Equal => {}
        }
        let remaining = wanted.get(matched..).unwrap_or(&[]);
        let same = common_prefix(suffix, remaining);
        match (suffix.get(same), remaining.get(same)) {
            (None, None) => return Ok(Some(number)),
            (Some(here), Some(there)) if here > there => return Ok(None),
            (Some(_), None) => return Ok(None),
            _ => matched += same,
        }
    }
    Ok(None)
}

/// A block that came of merging, with its first pair; none for the block that keeps its place.
pub(crate) type MergedBlock = (Option<Pair>, Vec<u8>);

/// Merges new pairs, ascending and none of them there yet, into a block, and gives the blocks that follow from it: one,
/// or several of about the same size.
///
/// What stands between two new pairs is copied as it is: only the pair behind a new one shares other bytes now.
pub(crate) fn merge(block: &[u8], new: &[Pair]) -> Result<Vec<MergedBlock>, BrokenBlock> {
    let room = new.iter().map(|(key, _)| key.len() + 16).sum::<usize>();
    let mut merged = Vec::with_capacity(block.len() + room);
    let mut new = new.iter().peekable();
    let mut old = BlockReader::new(block);
    // What was read of the old block and is still to be copied begins here.
    let mut uncopied = block;
    while let Some(step) = old.peek()? {
        if new.peek().is_none_or(|pair| !step.is_after(&old.key, pair)) {
            old.take(&step);
            continue;
        }
        let read = uncopied.len() - old.rest.len();
        merged.extend_from_slice(uncopied.get(..read).unwrap_or(&[]));
        let mut last = old.key.clone();
        while let Some((key, number)) = new.next_if(|pair| step.is_after(&old.key, pair)) {
            push_pair(&mut merged, &last, key, *number);
            last.clone_from(key);
        }
        let (key, number) = old.take(&step);
        push_pair(&mut merged, &last, key, number);
        uncopied = old.rest;
    }
    merged.extend_from_slice(uncopied);
    let mut last = old.key;
    for (key, number) in new {
        push_pair(&mut merged, &last, key, *number);
        last.clone_from(key);
    }
    split(merged)
}

/// Cuts a block that is too large into parts of about the same size.
fn split(merged: Vec<u8>) -> Result<Vec<MergedBlock>, BrokenBlock> {
    if merged.len() <= BLOCK_BYTES_MAX {
        return Ok(vec![(None, merged)]);
    }
    // A block's first key is written whole, for which this leaves room.
    let parts = merged.len().div_ceil(BLOCK_BYTES_MAX - BLOCK_BYTES_MAX / 16);
    let share = merged.len().div_ceil(parts);
    let mut blocks = Vec::with_capacity(parts);
    let (mut first, mut head, mut uncopied) = (None, Vec::new(), merged.as_slice());
    let mut pairs = BlockReader::new(&merged);
    while let Some(step) = pairs.peek()? {
        let read = uncopied.len() - pairs.rest.len();
        let is_full = head.len() + read >= share;
        if is_full {
            head.extend_from_slice(uncopied.get(..read).unwrap_or(&[]));
            blocks.push((first.take(), std::mem::take(&mut head)));
        }
        let (key, number) = pairs.take(&step);
        if is_full {
            push_pair(&mut head, &[], key, number);
            first = Some((key.to_vec(), number));
            uncopied = pairs.rest;
        }
    }
    head.extend_from_slice(uncopied);
    blocks.push((first, head));
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(numbers: impl IntoIterator<Item = u64>) -> Vec<Pair> {
        let mut pairs: Vec<Pair> = numbers
            .into_iter()
            .map(|n| (format!("github:pr:{}:{n}\0", n * 7 % 13).into_bytes(), n))
            .collect();
        pairs.sort();
        pairs
    }

    fn all(blocks: &[MergedBlock]) -> Vec<Pair> {
        let mut found = Vec::new();
        for (first, block) in blocks {
            let mut reader = BlockReader::new(block);
            let mut place = 0;
            while let Some((key, number)) = reader.next().unwrap() {
                if place == 0 {
                    assert!(first.as_ref().is_none_or(|(k, n)| (k.as_slice(), *n) == (key, number)));
                }
                found.push((key.to_vec(), number));
                place += 1;
            }
        }
        found
    }

    #[test]
    fn merged_blocks_hold_all_pairs_in_order_and_fit_their_pages() {
        for (old, new) in
            [(0..0, 0..1), (0..5, 5..9), (0..150, 150..151), (100..200, 0..100), (0..0, 0..9_000)]
        {
            let old_blocks = merge(&[], &pairs(old.clone())).unwrap();
            assert_eq!(old_blocks.len(), 1);
            let blocks = merge(&old_blocks[0].1, &pairs(new.clone())).unwrap();
            assert_eq!(all(&blocks), pairs(old.chain(new)));
            assert!(blocks.iter().all(|(_, block)| block.len() <= BLOCK_BYTES_MAX));
            assert!(blocks[0].0.is_none() && blocks[1..].iter().all(|(first, _)| first.is_some()));
        }
    }

    proptest! {
        #[test]
        fn merging_is_a_sorted_union(
            old in prop::collection::btree_set(("[a-c]{0,6}", 0..4_u64), 0..80),
            new in prop::collection::btree_set(("[a-c]{0,6}", 0..4_u64), 0..80),
        ) {
            let as_pairs = |set: Vec<&(String, u64)>| -> Vec<Pair> {
                set.into_iter().map(|(key, number)| (key.clone().into_bytes(), *number)).collect()
            };
            let block = merge(&[], &as_pairs(old.iter().collect())).unwrap().remove(0).1;
            let merged = merge(&block, &as_pairs(new.difference(&old).collect())).unwrap();
            prop_assert_eq!(all(&merged), as_pairs(old.union(&new).collect()));
        }
    }

    #[test]
    fn long_keys_fit_too() {
        let long = |n: u64| (format!("{n:05}{}\0", "x".repeat(500)).into_bytes(), n);
        let blocks = merge(&[], &(0..100).map(long).collect::<Vec<_>>()).unwrap();
        assert_eq!(all(&blocks).len(), 100);
    }

    #[test]
    fn one_key_may_have_many_numbers() {
        let same: Vec<Pair> = (0..2_000).map(|n| (b"the same".to_vec(), n)).collect();
        assert_eq!(all(&merge(&[], &same).unwrap()), same);
    }

    #[test]
    fn every_key_is_found_and_no_other() {
        let known = pairs((0..150).map(|n| n * 2));
        let block = merge(&[], &known).unwrap().remove(0).1;
        for (key, number) in &known {
            assert_eq!(find(&block, key), Ok(Some(*number)));
        }
        for (key, _) in pairs((0..150).map(|n| n * 2 + 1)) {
            assert_eq!(find(&block, &key), Ok(None));
        }
        for other in [&b""[..], b"\0", b"a\0", b"github:pr:1\0", b"z\0"] {
            assert_eq!(find(&block, other), Ok(None));
        }
    }

    #[test]
    fn broken_bytes_are_told() {
        let block = merge(&[], &pairs(0..3)).unwrap().remove(0).1;
        let mut broken = BlockReader::new(&block[..block.len() - 1]);
        assert!((0..3).any(|_| broken.next().is_err()));
        assert_eq!(BlockReader::new(&[9, 0, 0]).next(), Err(BrokenBlock), "shares what is not there");
        assert_eq!(merge(&[1, 1, b'a', 0], &[]), Err(BrokenBlock));
    }
}
