//! Where the records of entries stand: the newest as their commands wrote them, the others in packed blocks.

use std::ops::{Bound, ControlFlow};

use crate::blocks::rows::Rows;
use crate::codec;
use crate::error::StorageError;
use crate::event_record::EntryHead;
use crate::key::Key;
use crate::table::RawReader;
use crate::transaction::Transaction;
use crate::write::{PutBlock, Row};

/// The entries that are not folded yet, by the index of the first of each row: an entry and what is private to it, in
/// turns.
pub(crate) const EVENT_TAIL: &str = "event_tail";
/// The folded entries of the events log, by the index of the first of each block.
pub(crate) const EVENT_ENTRIES: &str = "event_entries";
/// Salt and metadata of each folded entry, which are erasable, by the index of the first of each block; an empty row
/// where the entry is a route.
pub(crate) const EVENT_PRIVATE: &str = "event_private";

/// Layout version of the values of these tables.
const VERSION: u8 = 1;
/// From how many bytes on a command's entries go on in another row of the tail: with its key it stands in 16 KiB.
const TAIL_ROW_BYTES: usize = 15_000;

/// Which of an entry's two records is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowKind {
    /// The fields of its leaf.
    Entry,
    /// Salt and metadata.
    Private,
}

impl RowKind {
    /// The table of its blocks.
    pub(crate) fn table(self) -> &'static str {
        match self {
            Self::Entry => EVENT_ENTRIES,
            Self::Private => EVENT_PRIVATE,
        }
    }
}

/// Reads records by their index and keeps the block that it read last, so that neighbours cost one search.
#[derive(Debug)]
pub(crate) struct RowCursor {
    kind: RowKind,
    folded: u64,
    held: Option<Held>,
}

/// A block, or a row of the tail.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) table: &'static str,
    pub(crate) first: u64,
    pub(crate) rows: Rows,
}

impl RowCursor {
    /// A cursor over the records of a view in which the entries below `folded` stand in blocks.
    pub(crate) fn new(kind: RowKind, folded: u64) -> Self {
        Self { kind, folded, held: None }
    }

    /// The record of entry `index`; none where there is none.
    pub(crate) fn row(
        &mut self,
        reader: &(impl RawReader + ?Sized),
        index: u64,
    ) -> Result<Option<&[u8]>, StorageError> {
        let table = if index < self.folded { self.kind.table() } else { EVENT_TAIL };
        let place = |held: &Held| held.place(self.kind, index).filter(|place| *place < held.rows.len());
        let held_place = self.held.as_ref().filter(|held| held.table == table).and_then(place);
        if held_place.is_none() {
            self.held = read_block(reader, table, index)?;
        }
        let Some(held) = &self.held else { return Ok(None) };
        Ok(held_place.or_else(|| place(held)).and_then(|place| held.rows.get(place)))
    }

    /// The head of entry `index`.
    pub(crate) fn head(
        &mut self,
        reader: &(impl RawReader + ?Sized),
        index: u64,
    ) -> Result<EntryHead<'_>, StorageError> {
        let row = self.row(reader, index)?.ok_or_else(|| missing_entry(index))?;
        codec::decode_beginning(EVENT_ENTRIES, &index.to_bytes(), row)
    }
}

impl Held {
    /// The place of a record among the rows.
    pub(crate) fn place(&self, kind: RowKind, index: u64) -> Option<usize> {
        let distance = usize::try_from(index.checked_sub(self.first)?).ok()?;
        if self.table != EVENT_TAIL {
            return Some(distance);
        }
        distance.checked_mul(2)?.checked_add(usize::from(kind == RowKind::Private))
    }

    /// How many entries it has.
    pub(crate) fn entries(&self) -> u64 {
        let rows = u64::try_from(self.rows.len()).unwrap_or(u64::MAX);
        if self.table == EVENT_TAIL { rows / 2 } else { rows }
    }
}

/// The last block that begins at or before `index`.
pub(crate) fn read_block(
    reader: &(impl RawReader + ?Sized),
    table: &'static str,
    index: u64,
) -> Result<Option<Held>, StorageError> {
    let mut found = None;
    reader.raw_last_to(table, &index.to_bytes(), &mut |key, sealed| {
        found = Some(open_block(table, key, sealed)?);
        Ok(())
    })?;
    Ok(found)
}

/// Reads the value of one of these tables.
pub(crate) fn open_block(table: &'static str, key: &[u8], sealed: &[u8]) -> Result<Held, StorageError> {
    let body = codec::unseal_body(table, key, VERSION, sealed)?;
    let rows = if table == EVENT_TAIL { Rows::decode(body.to_vec()) } else { Rows::unpack(body) };
    match (u64::from_bytes(key), rows) {
        (Some(first), Some(rows)) => Ok(Held { table, first, rows }),
        _ => Err(StorageError::corrupt(table, key, "expected an index and a block of rows, got others")),
    }
}

/// The error of an entry that is not there.
pub(crate) fn missing_entry(index: u64) -> StorageError {
    StorageError::corrupt(EVENT_ENTRIES, &index.to_bytes(), "expected an entry, got none")
}

fn sealed_row(table: &'static str, first: u64, body: &[u8]) -> Row {
    let key = first.to_bytes();
    let sealed = codec::seal_body(table, &key, VERSION, body);
    (key, sealed)
}

/// Entries of one command on their way into the tail, in the order of their indexes.
#[derive(Debug, Default)]
pub(crate) struct TailRows {
    done: Vec<Row>,
    first: u64,
    rows: Rows,
}

impl TailRows {
    /// Appends an entry, the next one after the last.
    pub(crate) fn push(&mut self, index: u64, entry: &[u8], private: &[u8]) {
        if self.rows.len() == 0 {
            self.first = index;
        }
        self.rows.push(entry);
        self.rows.push(private);
        if self.rows.bytes_len() >= TAIL_ROW_BYTES {
            self.finish_row();
        }
    }

    fn finish_row(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        if rows.len() > 0 {
            self.done.push(sealed_row(EVENT_TAIL, self.first, &rows.encode()));
        }
    }

    /// The rows of the table.
    pub(crate) fn into_rows(mut self) -> Vec<Row> {
        self.finish_row();
        self.done
    }
}

/// Packs rows, the first of which is that of entry `first`, into blocks of a table.
pub(crate) fn pack_rows(
    table: &'static str,
    first: u64,
    rows: &Rows,
    put: &mut PutBlock<'_>,
) -> Result<(), StorageError> {
    rows.pack_each(&mut |place, body| {
        let place = u64::try_from(place).unwrap_or(u64::MAX);
        put(sealed_row(table, first.saturating_add(place), body))
    })
}

/// Reads the whole tail, which holds the entries from `first` to before `end`: the entries, and what is private to them.
pub(crate) fn read_tail_rows(
    reader: &impl RawReader,
    first: u64,
    end: u64,
) -> Result<(Rows, Rows), StorageError> {
    let (mut entries, mut private, mut expected) = (Rows::default(), Rows::default(), first);
    reader.raw_scan(EVENT_TAIL, (Bound::Unbounded, Bound::Unbounded), false, &mut |key, sealed| {
        let held = open_block(EVENT_TAIL, key, sealed)?;
        if held.first != expected {
            return Err(missing_entry(expected));
        }
        for place in 0..held.rows.len() {
            let rows = if place % 2 == 0 { &mut entries } else { &mut private };
            rows.push(held.rows.get(place).unwrap_or(&[]));
        }
        expected = expected.saturating_add(held.entries());
        Ok(ControlFlow::Continue(()))
    })?;
    if expected != end {
        return Err(missing_entry(expected));
    }
    Ok((entries, private))
}

impl Transaction {
    /// Writes another private record in the place of the one of entry `index`.
    pub(crate) fn replace_private(&mut self, index: u64, record: &[u8]) -> Result<(), StorageError> {
        let table = if index < self.node.folded_index { EVENT_PRIVATE } else { EVENT_TAIL };
        let held = read_block(self, table, index)?;
        let place = held.as_ref().and_then(|held| held.place(RowKind::Private, index));
        match (held, place) {
            (Some(held), Some(place)) if place < held.rows.len() => {
                let changed = held.rows.with_row(place, record);
                let body = if table == EVENT_TAIL { changed.encode() } else { changed.pack_whole() };
                let (key, sealed) = sealed_row(table, held.first, &body);
                self.raw_insert(table, &key, &sealed)
            }
            _ => Err(missing_entry(index)),
        }
    }
}
