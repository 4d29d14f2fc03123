//! The indexes of folded events, as blocks of sorted pairs: from an id to an index, and from a scope and a time to the
//! indexes of entries.
//!
//! A block stands under the first pair that it was made for, the first block of all under the empty key, so that every
//! pair has its block: the last one whose key is not beyond it.

use std::ops::{Bound, ControlFlow};

use crate::blocks::sorted::{self, BlockReader, Pair};
use crate::codec;
use crate::error::StorageError;
use crate::table::{RawReader, Visit};
use crate::write::PutBlock;

/// Which entry the event of an id is: the id's key, and the index.
pub(crate) const EVENT_IDS: &str = "event_ids";
/// Which entries a scope has at a time, its events, and its routes at their events' times: scope and time, and the
/// index.
pub(crate) const SCOPE_TIMES: &str = "scope_times";

/// Layout version of the values of these tables.
const VERSION: u8 = 1;

/// The bytes under which a block stands that begins with a pair.
pub(crate) fn block_key(key: &[u8], number: u64) -> Vec<u8> {
    [key, &number.to_be_bytes()].concat()
}

pub(crate) fn broken(table: &str, key: &[u8]) -> StorageError {
    StorageError::corrupt(table, key, "expected a block of sorted pairs, got other bytes")
}

/// The number of a key that stands in the index once at most.
pub(crate) fn find(
    reader: &(impl RawReader + ?Sized),
    table: &'static str,
    wanted: &[u8],
) -> Result<Option<u64>, StorageError> {
    let mut found = None;
    reader.raw_last_to(table, &block_key(wanted, u64::MAX), &mut |key, sealed| {
        let body = codec::unseal_body(table, key, VERSION, sealed)?;
        found = sorted::find(body, wanted).map_err(|_| broken(table, key))?;
        Ok(())
    })?;
    Ok(found)
}

/// Whether a pair stands in its block.
pub(crate) fn holds(
    reader: &(impl RawReader + ?Sized),
    table: &'static str,
    wanted: &[u8],
    number: u64,
) -> Result<bool, StorageError> {
    let mut found = false;
    reader.raw_last_to(table, &block_key(wanted, number), &mut |key, sealed| {
        for_each_pair(table, key, sealed, &mut |pair, its| {
            found |= pair == wanted && its == number;
            Ok(ControlFlow::Continue(()))
        })
        .map(|_| ())
    })?;
    Ok(found)
}

/// Hands all pairs with keys from `start` to before `end` to `visit`, ascending. Within a write transaction the visitor
/// must not touch the same table.
pub(crate) fn scan(
    reader: &(impl RawReader + ?Sized),
    table: &'static str,
    (start, end): (&[u8], &[u8]),
    visit: &mut dyn FnMut(&[u8], u64) -> Visit,
) -> Result<(), StorageError> {
    let mut first = Vec::new();
    reader.raw_last_to(table, &block_key(start, 0), &mut |key, _| {
        first = key.to_vec();
        Ok(())
    })?;
    let range = (Bound::Included(first.as_slice()), Bound::Excluded(end));
    reader.raw_scan(table, range, false, &mut |block_key, sealed| {
        for_each_pair(table, block_key, sealed, &mut |key, number| match key {
            key if key < start => Ok(ControlFlow::Continue(())),
            key if key >= end => Ok(ControlFlow::Break(())),
            key => visit(key, number),
        })
    })
}

/// Hands the pairs of a block to `visit`, ascending.
pub(crate) fn for_each_pair(
    table: &str,
    key: &[u8],
    sealed: &[u8],
    visit: &mut dyn FnMut(&[u8], u64) -> Visit,
) -> Visit {
    let body = codec::unseal_body(table, key, VERSION, sealed)?;
    let mut pairs = BlockReader::new(body);
    while let Some((pair_key, number)) = pairs.next().map_err(|_| broken(table, key))? {
        if visit(pair_key, number)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Merges pairs, ascending and none of them there yet, into the blocks of an index, and gives away those that change.
pub(crate) fn merge_pairs(
    reader: &impl RawReader,
    table: &'static str,
    pairs: &[Pair],
    put: &mut PutBlock<'_>,
) -> Result<(), StorageError> {
    let mut rest = pairs;
    while !rest.is_empty() {
        for place in places_of(table, reader, rest)? {
            let (own, others) = rest.split_at_checked(place.pairs_count).unwrap_or((rest, &[]));
            rest = others;
            if !own.is_empty() {
                put_blocks(table, &place, own, put)?;
            }
        }
    }
    Ok(())
}

/// A block, and how many of the next pairs belong into it.
struct BlockPlace {
    key: Vec<u8>,
    body: Vec<u8>,
    pairs_count: usize,
}

/// Most blocks that are held at once.
const PLACES_MAX: usize = 256;
/// After this many blocks without a new pair, searching the next one costs less than reading on.
const IDLE_BLOCKS_MAX: usize = 4;

/// The blocks that take the next pairs, from the first pair's on, as far as they stand close together.
fn places_of(
    table: &'static str,
    reader: &impl RawReader,
    pairs: &[Pair],
) -> Result<Vec<BlockPlace>, StorageError> {
    let mut first = pairs.first().map_or_else(Vec::new, |(key, number)| block_key(key, *number));
    let mut before = Vec::new();
    reader.raw_last_to(table, &first, &mut |key, _| {
        before = key.to_vec();
        Ok(())
    })?;
    first = before;
    let (mut places, mut taken, mut idle): (Vec<BlockPlace>, usize, usize) = (Vec::new(), 0, 0);
    let mut is_done = false;
    reader.raw_scan(table, (Bound::Included(&first), Bound::Unbounded), false, &mut |key, sealed| {
        if let Some(last) = places.last_mut() {
            let rest = pairs.get(taken..).unwrap_or(&[]);
            last.pairs_count = rest.iter().take_while(|pair| is_before(pair, key)).count();
            taken += last.pairs_count;
            idle = if last.pairs_count == 0 { idle + 1 } else { 0 };
            is_done = taken == pairs.len() || places.len() >= PLACES_MAX || idle > IDLE_BLOCKS_MAX;
            if is_done {
                return Ok(ControlFlow::Break(()));
            }
        }
        let body = codec::unseal_body(table, key, VERSION, sealed)?;
        places.push(BlockPlace { key: key.to_vec(), body: body.to_vec(), pairs_count: 0 });
        Ok(ControlFlow::Continue(()))
    })?;
    if is_done {
        return Ok(places);
    }
    // The last block takes all that is beyond it; the first one of all is made here.
    if places.is_empty() {
        places.push(BlockPlace { key: Vec::new(), body: Vec::new(), pairs_count: 0 });
    }
    if let Some(last) = places.last_mut() {
        last.pairs_count = pairs.len() - taken;
    }
    Ok(places)
}

/// Whether a pair stands before the block of this key.
fn is_before((key, number): &Pair, block: &[u8]) -> bool {
    let pair = key.iter().copied().chain(number.to_be_bytes());
    pair.lt(block.iter().copied())
}

fn put_blocks(
    table: &'static str,
    place: &BlockPlace,
    pairs: &[Pair],
    put: &mut PutBlock<'_>,
) -> Result<(), StorageError> {
    let merged = sorted::merge(&place.body, pairs).map_err(|_| broken(table, &place.key))?;
    for (first, body) in merged {
        let key = first.map_or_else(|| place.key.clone(), |(key, number)| block_key(&key, number));
        let sealed = codec::seal_body(table, &key, VERSION, &body);
        put((key, sealed))?;
    }
    Ok(())
}
