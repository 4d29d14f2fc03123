//! Folding the tail into the trees of ids and times, and reading it again when a ledger is opened.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

use meed_audit::ids::{EventId, ScopeId};
use meed_audit::time::Timestamp;

use crate::codec;
use crate::error::StorageError;
use crate::event_record::{EVENT_ENTRIES, EVENT_IDS, EntryHead, IdRecord, Present, SCOPE_TIMES};
use crate::events::for_each_raw_head;
use crate::id_filter::{IdFilter, hash_of};
use crate::key::Key;
use crate::table::RawReader;
use crate::tail::{IdEntry, Segment, TimeEntry, WriterTail};
use crate::transaction::Transaction;

impl Transaction {
    /// Writes the whole tail into the trees of ids and times, each in the order of its keys.
    pub(crate) fn fold(&mut self) -> Result<(), StorageError> {
        let whole = self.tail.tail.whole();
        let ids = whole.sorted_ids().into_iter().map(|(id, entry)| {
            let key = id.to_bytes();
            let sealed = codec::seal(EVENT_IDS.name(), &key, &entry.to_record())?;
            Ok((key, sealed))
        });
        // Ids are scattered over their whole tree, so that searching each place costs less than a cursor would.
        self.raw_insert_all(EVENT_IDS.name(), ids)?;
        let times = whole.times.iter().map(|time| {
            let key = time.to_bytes();
            let sealed = codec::seal(SCOPE_TIMES.name(), &key, &Present)?;
            Ok((key, sealed))
        });
        self.insert_sorted(SCOPE_TIMES.name(), times)?;
        self.node.folded_index = self.edges.events.size();
        self.write_node()
    }
}

/// Reads all ids of their tree into a filter.
pub(crate) fn read_filter(reader: &impl RawReader) -> Result<IdFilter, StorageError> {
    let mut filter = IdFilter::default();
    reader.raw_scan(EVENT_IDS.name(), (Bound::Unbounded, Bound::Unbounded), false, &mut |key, _| {
        let id = EventId::from_bytes(key).ok_or_else(|| {
            StorageError::corrupt(EVENT_IDS.name(), key, "expected an event id, got another key")
        })?;
        filter.add(hash_of(&id));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(filter)
}

/// Reads the entries that are not folded yet.
pub(crate) fn load_tail(reader: &impl RawReader, folded: u64, size: u64) -> Result<WriterTail, StorageError> {
    let mut tail = WriterTail::default();
    if folded > size {
        let detail = format!("expected at most {size} folded events, got {folded}");
        return Err(StorageError::corrupt(EVENT_ENTRIES.name(), &[], detail));
    }
    let (mut ids, mut times) = (Vec::new(), Vec::new());
    let mut shared_scopes: BTreeMap<Vec<[u8; 16]>, std::sync::Arc<[ScopeId]>> = BTreeMap::new();
    for_each_raw_head(reader, folded..size, &mut |index, head| {
        add_head(&mut ids, &mut times, &mut shared_scopes, index, head).ok_or_else(|| {
            StorageError::corrupt(
                EVENT_ENTRIES.name(),
                &index.to_bytes(),
                "expected the fields of an event, got others",
            )
        })?;
        Ok(ControlFlow::Continue(()))
    })?;
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
                    let record =
                        IdRecord { index, content_hash: head.content_hash, scopes: head.scopes.clone() };
                    let scopes = IdEntry::of_record(&record).scopes;
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
