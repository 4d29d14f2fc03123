//! Folding the tail into packed blocks and the indexes of ids and times, and reading it again when a ledger is opened.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

use meed_audit::ids::{EventId, ScopeId};
use meed_audit::time::Timestamp;

use crate::error::StorageError;
use crate::event_index::{self, EVENT_IDS, SCOPE_TIMES};
use crate::event_record::EntryHead;
use crate::event_rows::{EVENT_ENTRIES, RowCursor, RowKind};
use crate::id_filter::{IdFilter, hash_of};
use crate::key::Key;
use crate::table::RawReader;
use crate::tail::{IdEntry, Segment, TimeEntry, WriterTail};
use crate::transaction::Transaction;

impl Transaction {
    /// Packs the rows of the whole tail, and merges its ids and times into their indexes.
    pub(crate) fn fold(&mut self) -> Result<(), StorageError> {
        let whole = self.tail.tail.whole();
        self.fold_rows()?;
        self.merge_index(EVENT_IDS, &whole.id_pairs())?;
        self.merge_index(SCOPE_TIMES, &whole.time_pairs())?;
        self.node.folded_index = self.edges.events.size();
        self.write_node()
    }
}

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
