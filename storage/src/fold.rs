//! Folding the tail into packed blocks and the indexes of ids and times, and reading it again when a ledger is opened.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};
use std::sync::mpsc::{SyncSender, sync_channel};

use meed_audit::ids::{EventId, ScopeId};
use meed_audit::time::Timestamp;

use crate::error::StorageError;
use crate::event_index::{self, EVENT_IDS, SCOPE_TIMES};
use crate::event_record::EntryHead;
use crate::event_rows::{
    EVENT_ENTRIES, EVENT_PRIVATE, EVENT_TAIL, RowCursor, RowKind, pack_rows, read_tail_rows,
};
use crate::id_filter::{IdFilter, hash_of};
use crate::key::Key;
use crate::snapshot::Snapshot;
use crate::table::RawReader;
use crate::tail::{IdEntry, Segment, TimeEntry, WriterTail};
use crate::transaction::Transaction;
use crate::write::{PutBlock, Row};

/// How many finished blocks wait for the writer, of each table: some megabytes of them.
const WAITING_BLOCKS: usize = 256;

impl Transaction {
    /// Packs the rows of the whole tail, and merges its ids and times into their indexes.
    ///
    /// Two threads make the blocks out of `before`, which is what is durable, while this one puts them into their tables.
    pub(crate) fn fold(&mut self, before: &Snapshot) -> Result<(), StorageError> {
        let (first, end) = (self.node.folded_index, self.edges.events.size());
        let tail = self.tail.tail.clone();
        let (entries, private) = read_tail_rows(before, first, end)?;
        let ids = tail.clone();
        let makers: [[Maker<'_>; 2]; 2] = [
            [
                (EVENT_ENTRIES, Box::new(move |put| pack_rows(EVENT_ENTRIES, first, &entries, put))),
                (
                    EVENT_IDS,
                    Box::new(move |put| event_index::merge_pairs(before, EVENT_IDS, &ids.id_pairs(), put)),
                ),
            ],
            [
                (EVENT_PRIVATE, Box::new(move |put| pack_rows(EVENT_PRIVATE, first, &private, put))),
                (
                    SCOPE_TIMES,
                    Box::new(move |put| {
                        event_index::merge_pairs(before, SCOPE_TIMES, &tail.time_pairs(), put)
                    }),
                ),
            ],
        ];
        self.insert_made(makers)?;
        self.delete_table(EVENT_TAIL)?;
        self.node.folded_index = end;
        self.write_node()
    }

    /// Puts blocks into their tables as they are made, one table after the other: each row of `makers` has a thread.
    fn insert_made<const TABLES: usize, const THREADS: usize>(
        &mut self,
        makers: [[Maker<'_>; TABLES]; THREADS],
    ) -> Result<(), StorageError> {
        let (mut makings, mut taken) = (Vec::new(), Vec::new());
        for row in makers {
            let mut own = Vec::new();
            for (turn, (table, make)) in row.into_iter().enumerate() {
                let (sender, blocks) = sync_channel(WAITING_BLOCKS);
                own.push((make, sender));
                taken.push((turn, table, blocks));
            }
            makings.push(own);
        }
        // The first table of each thread, then the second of each: no thread waits for one that waits for it.
        taken.sort_by_key(|(turn, ..)| *turn);
        std::thread::scope(|scope| {
            let threads: Vec<_> = makings.into_iter().map(|own| scope.spawn(move || make_all(own))).collect();
            // Where a table fails, nobody takes blocks any more, and the threads end with that.
            let inserted = taken
                .into_iter()
                .try_for_each(|(_, table, blocks)| self.raw_insert_all(table, blocks.into_iter().map(Ok)));
            let panicked = |_| Err(StorageError::internal("a folding thread panicked"));
            let made = threads.into_iter().map(|thread| thread.join().unwrap_or_else(panicked));
            made.fold(inserted, Result::and)
        })
    }
}

/// Makes one table's blocks after the other's: each maker goes with what it needed before the next one begins.
fn make_all(makings: Vec<(Box<MakeBlocks<'_>>, SyncSender<Row>)>) -> Result<(), StorageError> {
    makings.into_iter().try_for_each(|(make, sender)| {
        let given_up = |_| StorageError::internal("a fold was given up");
        make(&mut |block| sender.send(block).map_err(given_up))
    })
}

/// A table, and what makes its blocks.
type Maker<'a> = (&'static str, Box<MakeBlocks<'a>>);

/// Makes the blocks of one table, and gives each away.
type MakeBlocks<'a> = dyn FnOnce(&mut PutBlock<'_>) -> Result<(), StorageError> + Send + 'a;

/// Reads all ids of their index into a filter.
pub(crate) fn read_filter(reader: &impl RawReader) -> Result<IdFilter, StorageError> {
    let mut filter = IdFilter::default();
    reader.raw_scan(EVENT_IDS, (Bound::Unbounded, Bound::Unbounded), false, &mut |key, sealed| {
        event_index::for_each_pair(EVENT_IDS, key, sealed, &mut |id, index| {
            let id = EventId::from_bytes(id)
                .ok_or_else(|| StorageError::corrupt(EVENT_IDS, key, "expected event ids, got other keys"))?;
            filter.add(hash_of(&id), index);
            Ok(ControlFlow::Continue(()))
        })
    })?;
    Ok(filter)
}

/// Reads the entries that are not folded yet.
pub(crate) fn load_tail(reader: &impl RawReader, folded: u64, size: u64) -> Result<WriterTail, StorageError> {
    let mut tail = WriterTail::default();
    if folded > size {
        let detail = format!("expected at most {size} folded events, got {folded}");
        return Err(StorageError::corrupt(EVENT_ENTRIES, &[], detail));
    }
    let (mut ids, mut times) = (Vec::new(), Vec::new());
    let mut shared_scopes: BTreeMap<Vec<[u8; 16]>, std::sync::Arc<[ScopeId]>> = BTreeMap::new();
    let mut rows = RowCursor::new(RowKind::Entry, folded);
    for index in folded..size {
        let head = rows.head(reader, index)?;
        add_head(&mut ids, &mut times, &mut shared_scopes, index, head).ok_or_else(|| {
            StorageError::corrupt(
                EVENT_ENTRIES,
                &index.to_bytes(),
                "expected the fields of an event, got others",
            )
        })?;
    }
    let entries = usize::try_from(size - folded).unwrap_or(usize::MAX);
    if entries > 0 {
        tail.stage(Segment::new(ids, times), entries);
        tail.keep();
    }
    Ok(tail)
}

fn add_head(
    ids: &mut Vec<(EventId, IdEntry)>,
    times: &mut Vec<TimeEntry>,
    shared_scopes: &mut BTreeMap<Vec<[u8; 16]>, std::sync::Arc<[ScopeId]>>,
    index: u64,
    head: EntryHead,
) -> Option<()> {
    match head {
        EntryHead::Event(head) => {
            let time = Timestamp::from_ms(head.event_time_ms).ok()?;
            let id: EventId = head.id.parse().ok()?;
            let scopes = match shared_scopes.get(&head.scopes) {
                Some(scopes) => std::sync::Arc::clone(scopes),
                None => {
                    let scopes = IdEntry::of_head(index, &head).scopes;
                    shared_scopes.insert(head.scopes, std::sync::Arc::clone(&scopes));
                    scopes
                }
            };
            times.extend(scopes.iter().map(|scope| (*scope, time, index)));
            ids.push((id, IdEntry { index, content_hash: head.content_hash, scopes }));
        }
        EntryHead::Route(route) => {
            let time = Timestamp::from_ms(route.event_time_ms).ok()?;
            times.push((ScopeId::from_bytes(route.scope), time, index));
        }
    }
    Some(())
}
