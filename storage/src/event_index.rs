//! The indexes of folded events, as blocks of sorted pairs: from an id to an index, and from a scope and a time to the
//! indexes of entries.
//!
//! A block stands under the first pair that it was made for, the first block of all under the empty key, so that every
//! pair has its block: the last one whose key is not beyond it.

use std::ops::{Bound, ControlFlow};

use redb::ReadableTable as _;

use crate::blocks::sorted::{self, BlockReader, BrokenBlock, MergedBlock, Pair};
use crate::codec;
use crate::error::StorageError;
use crate::table::{RawReader, Visit, guard};
use crate::transaction::{OpenTable, Transaction, open_for_writing, write_error};

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

fn broken(table: &str, key: &[u8]) -> StorageError {
    StorageError::corrupt(table, key, "expected a block of sorted pairs, got other bytes")
}

/// The number of a key that stands in the index once at most.
pub(crate) fn find(
    reader: &(impl RawReader + ?Sized),
    table: &'static str,
    wanted: &[u8],
) -> Result<Option<u64>, StorageError> {
    let (mut found, end) = (None, block_key(wanted, u64::MAX));
    reader.raw_scan(table, (Bound::Unbounded, Bound::Included(&end)), true, &mut |key, sealed| {
        let body = codec::unseal_body(table, key, VERSION, sealed)?;
        found = sorted::find(body, wanted).map_err(|_| broken(table, key))?;
        Ok(ControlFlow::Break(()))
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
    let (mut found, end) = (false, block_key(wanted, number));
    reader.raw_scan(table, (Bound::Unbounded, Bound::Included(&end)), true, &mut |key, sealed| {
        for_each_pair(table, key, sealed, &mut |pair, its| {
            found |= pair == wanted && its == number;
            Ok(ControlFlow::Continue(()))
        })
        .map(|_| ControlFlow::Break(()))
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
    let beginning = block_key(start, 0);
    reader.raw_scan(table, (Bound::Unbounded, Bound::Included(&beginning)), true, &mut |key, _| {
        first = key.to_vec();
        Ok(ControlFlow::Break(()))
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

impl Transaction {
    /// Merges pairs, ascending and none of them there yet, into the blocks of an index.
    pub(crate) fn merge_index(&mut self, table: &'static str, pairs: &[Pair]) -> Result<(), StorageError> {
        self.mark_written();
        guard(table, || {
            let mut open = open_for_writing(self.inner(), table)?;
            let mut rest = pairs;
            while let Some((key, number)) = rest.first() {
                let (key, body, next) = block_of(table, &open, &block_key(key, *number))?;
                let count = match next {
                    Some(next) => rest.partition_point(|(key, number)| {
                        block_key(key, *number).as_slice() < next.as_slice()
                    }),
                    None => rest.len(),
                };
                let (own, others) = rest.split_at_checked(count.max(1)).unwrap_or((rest, &[]));
                write_blocks(table, &mut open, key, sorted::merge(&body, own))?;
                rest = others;
            }
            Ok(())
        })
    }
}

/// The block that takes a pair: its key, its body, and the key of the block after it.
type BlockPlace = (Vec<u8>, Vec<u8>, Option<Vec<u8>>);

fn block_of(table: &str, open: &OpenTable<'_>, pair: &[u8]) -> Result<BlockPlace, StorageError> {
    let failed = |error| write_error(table, error);
    let before = open.range::<&[u8]>(..=pair).map_err(failed)?.next_back().transpose().map_err(failed)?;
    let (key, body) = match before {
        Some((key, sealed)) => {
            let body = codec::unseal_body(table, key.value(), VERSION, sealed.value())?;
            (key.value().to_vec(), body.to_vec())
        }
        None => (Vec::new(), Vec::new()),
    };
    let after = (Bound::Excluded(key.as_slice()), Bound::Unbounded);
    let next = open.range::<&[u8]>(after).map_err(failed)?.next().transpose().map_err(failed)?;
    Ok((key, body, next.map(|(next, _)| next.value().to_vec())))
}

fn write_blocks(
    table: &str,
    open: &mut OpenTable<'_>,
    own_key: Vec<u8>,
    merged: Result<Vec<MergedBlock>, BrokenBlock>,
) -> Result<(), StorageError> {
    for (first, body) in merged.map_err(|_| broken(table, &own_key))? {
        let key = first.map_or_else(|| own_key.clone(), |(key, number)| block_key(&key, number));
        let sealed = codec::seal_body(table, &key, VERSION, &body);
        open.insert(key.as_slice(), sealed.as_slice()).map_err(|error| write_error(table, error))?;
    }
    Ok(())
}
