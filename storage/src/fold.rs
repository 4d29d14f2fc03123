//! Folding the tail into packed blocks and the indexes of ids and times, and reading it again when a ledger is opened.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};
use std::sync::mpsc::sync_channel;

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
use crate::transaction::{PutBlock, Transaction};

/// How many finished blocks wait for the writer, of each table.
const WAITING_BLOCKS: usize = 64;

impl Transaction {
    /// Packs the rows of the whole tail, and merges its ids and times into their indexes.
    ///
    /// A thread makes the blocks out of `before`, which is what is durable, while this one puts them into their tables.
    pub(crate) fn fold(&mut self, before: &Snapshot) -> Result<(), StorageError> {
        let (first, end) = (self.node.folded_index, self.edges.events.size());
        let tail = self.tail.tail.clone();
        let (entries, private) = read_tail_rows(before, first, end)?;
        let makers: [(&'static str, Box<MakeBlocks<'_>>); 4] = [
            (EVENT_ENTRIES, Box::new(move |put| pack_rows(EVENT_ENTRIES, first, &entries, put))),
            (EVENT_PRIVATE, Box::new(move |put| pack_rows(EVENT_PRIVATE, first, &private, put))),
            (EVENT_IDS, Box::new(|put| event_index::merge_pairs(before, EVENT_IDS, &tail.id_pairs(), put))),
            (
                SCOPE_TIMES,
                Box::new(|put| event_index::merge_pairs(before, SCOPE_TIMES, &tail.time_pairs(), put)),
            ),
        ];
        self.insert_made(makers)?;
        self.delete_table(EVENT_TAIL)?;
        self.node.folded_index = end;
        self.write_node()
    }

    /// Puts blocks into their tables as they are made, one table after the other.
    fn insert_made<const TABLES: usize>(
        &mut self,
        makers: [(&'static str, Box<MakeBlocks<'_>>); TABLES],
    ) -> Result<(), StorageError> {
        let (mut makings, mut taken) = (Vec::new(), Vec::new());
        for (table, make) in makers {
            let (sender, blocks) = sync_channel(WAITING_BLOCKS);
            makings.push((make, sender));
            taken.push((table, blocks));
        }
        std::thread::scope(|scope| {
            let made = scope.spawn(move || {
                // Each maker goes with what it needed before the next one begins.
                makings.into_iter().try_for_each(|(make, sender)| {
                    let given_up = |_| StorageError::internal("a fold was given up");
                    make(&mut |block| sender.send(block).map_err(given_up))
                })
            });
            // Where a table fails, nobody takes blocks any more, and the thread ends with that.
            let inserted = taken
                .into_iter()
                .try_for_each(|(table, blocks)| self.raw_insert_all(table, blocks.into_iter().map(Ok)));
            let panicked = |_| Err(StorageError::internal("a folding thread panicked"));
            inserted.and(made.join().unwrap_or_else(panicked))
        })
    }
}

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
