//! Reading events, the same way in snapshots and in transactions.

use std::ops::{ControlFlow, Range};

use meed_audit::activity::EpochEvent;
use meed_audit::event::Event;
use meed_audit::hash::{Hash, leaf_hash};
use meed_audit::ids::{EventId, ScopeId};
use meed_audit::leaf::Leaf;
use meed_audit::merkle::{TILE_WIDTH, Tile};
use meed_audit::time::{Period, Timestamp};

use crate::append::{Conflict, read_conflict};
use crate::codec;
use crate::error::StorageError;
use crate::event_record::{
    CONFLICTS, EVENT_ENTRIES, EVENT_IDS, EVENT_PRIVATE, EntryHead, LogEntry, PrivateRecord, ROUTES,
    SCOPE_TIMES,
};
use crate::key::{All, Key};
use crate::log::{LOG_TILES, LogKind};
use crate::table::{RawReader, Reader, Visit};
use crate::tail::{IdEntry, Tail};

/// Longest gap between two wanted indexes that is read over rather than jumped.
const GAP_MAX: u64 = 16;

/// What of the log the indexes cover, and where the rest is.
#[derive(Clone, Copy, Debug)]
pub struct EventView<'a> {
    /// Entries of the log in this view.
    pub(crate) size: u64,
    /// Entries below stand in the trees of ids and times.
    pub(crate) folded: u64,
    pub(crate) tail: &'a Tail,
}

/// The indexed facts of an entry of the events log, cheaper to read than the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventHeadInfo {
    /// Its index.
    pub index: u64,
    /// The event's index: another one where the entry is a route.
    pub event_index: u64,
    /// When the event happened.
    pub event_time: Timestamp,
    /// The scopes that have the event by this entry.
    pub scopes: Vec<ScopeId>,
    /// The event's id.
    pub id: EventId,
}

/// What a leaf binds only by its salted hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrivateData {
    /// Salt and canonical metadata.
    Kept {
        /// 32 random bytes.
        salt: [u8; 32],
        /// The metadata, canonical JSON.
        metadata: String,
    },
    /// Erased by a recorded decision.
    Erased,
}

/// Reads events; [`Snapshot`](crate::Snapshot) and [`Transaction`](crate::Transaction) are the two views.
pub trait EventReader: RawReader {
    #[doc(hidden)]
    fn event_view(&self) -> Result<EventView<'_>, StorageError>;

    /// Entry `index` of the events log; none beyond its size.
    ///
    /// # Errors
    /// A failure of reading.
    fn event_entry(&self, index: u64) -> Result<Option<LogEntry>, StorageError> {
        if index >= self.event_view()?.size {
            return Ok(None);
        }
        match self.get(EVENT_ENTRIES, &index)? {
            Some(record) => record.into_entry(index).map(Some),
            None => Err(missing_entry(index)),
        }
    }

    /// The index of the event with this id.
    ///
    /// # Errors
    /// A failure of reading.
    fn event_index(&self, id: &EventId) -> Result<Option<u64>, StorageError> {
        Ok(find_id(self, id)?.map(|entry| entry.index))
    }

    /// The event with this id, and its index.
    ///
    /// # Errors
    /// A failure of reading.
    fn event_by_id(&self, id: &EventId) -> Result<Option<(u64, Event)>, StorageError> {
        let Some(entry) = find_id(self, id)? else { return Ok(None) };
        Ok(Some((entry.index, read_event(self, entry.index)?)))
    }

    /// The scopes that have the event at `index`, each with the index of the entry by which it has it, sorted by scope;
    /// nothing where there is no event.
    ///
    /// # Errors
    /// A failure of reading.
    fn scopes_of(&self, index: u64) -> Result<Vec<(ScopeId, u64)>, StorageError> {
        let Some(LogEntry::Event(event)) = self.event_entry(index)? else { return Ok(Vec::new()) };
        let mut scopes: Vec<_> = event.scopes.iter().map(|scope| (*scope, index)).collect();
        let routes = self.with_prefix(ROUTES, &index)?;
        scopes.extend(routes.into_iter().map(|((_, scope), route)| (scope, route.index)));
        scopes.sort_unstable();
        Ok(scopes)
    }

    /// The event with this id as a scope has it; none where the scope does not (rule `SCOPE_GATED_QUERIES`).
    ///
    /// # Errors
    /// A failure of reading.
    fn event_in_scope(&self, scope: ScopeId, id: &EventId) -> Result<Option<EpochEvent>, StorageError> {
        let Some(entry) = find_id(self, id)? else { return Ok(None) };
        let index = if entry.scopes.contains(&scope) {
            entry.index
        } else {
            match self.get(ROUTES, &(entry.index, scope))? {
                Some(route) => route.index,
                None => return Ok(None),
            }
        };
        let event = read_event(self, entry.index)?;
        let event_hash = LeafHashes::default().of(self, entry.index, &event)?;
        Ok(Some(EpochEvent { event, event_hash, index, routed: index != entry.index }))
    }

    /// The indexes, below `below`, of the entries by which a scope has events of a period: sorted, so that
    /// [`EventReader::for_each_event`] reads the log in order.
    ///
    /// # Errors
    /// A failure of reading.
    fn window_indexes(&self, scope: ScopeId, period: Period, below: u64) -> Result<Vec<u64>, StorageError> {
        let view = self.event_view()?;
        let below = below.min(view.size);
        let mut indexes = Vec::new();
        let (start, end) = ((scope, period.start, 0), (scope, period.end, 0));
        self.for_each(SCOPE_TIMES, start..end, &mut |(_, _, index), _| {
            if index < below {
                indexes.push(index);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let tail = view.tail.times(scope, period.start, period.end);
        indexes.extend(tail.map(|(_, _, index)| index).filter(|index| (view.folded..below).contains(index)));
        indexes.sort_unstable();
        Ok(indexes)
    }

    /// Reads the events behind entries, in the order of the (ascending) indexes. Within a write transaction the visitor
    /// must not touch the tables of events.
    ///
    /// # Errors
    /// A failure of reading, and what the visitor fails with.
    fn for_each_event(
        &self,
        indexes: &[u64],
        visit: &mut dyn FnMut(EpochEvent) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        let mut hashes = LeafHashes::default();
        for run in indexes.chunk_by(|a, b| b.saturating_sub(*a) <= GAP_MAX) {
            for chunk in run.chunks(usize::from(TILE_WIDTH)) {
                for (index, entry) in read_entries(self, chunk)? {
                    let (event_index, event) = match entry {
                        LogEntry::Event(event) => (index, event),
                        LogEntry::Route { event_index, .. } => (event_index, read_event(self, event_index)?),
                    };
                    let event_hash = hashes.of(self, event_index, &event)?;
                    visit(EpochEvent { event, event_hash, index, routed: index != event_index })?;
                }
            }
        }
        Ok(())
    }

    /// The events of a scope in a period whose entries stand below `below`, in the order of their entries.
    ///
    /// # Errors
    /// A failure of reading.
    fn events_of_window(
        &self,
        scope: ScopeId,
        period: Period,
        below: u64,
    ) -> Result<Vec<EpochEvent>, StorageError> {
        let indexes = self.window_indexes(scope, period, below)?;
        let mut events = Vec::with_capacity(indexes.len());
        self.for_each_event(&indexes, &mut |event| {
            events.push(event);
            Ok(())
        })?;
        Ok(events)
    }

    /// Hands the indexed facts of the entries in a range to `visit`, ascending. Within a write transaction the visitor
    /// must not touch the tables of events.
    ///
    /// # Errors
    /// A failure of reading, and what the visitor fails with.
    fn for_each_head(
        &self,
        range: Range<u64>,
        visit: &mut dyn FnMut(EventHeadInfo) -> Visit,
    ) -> Result<(), StorageError> {
        let end = range.end.min(self.event_view()?.size);
        for_each_raw_head(self, range.start..end, &mut |index, head| visit(head_info(index, head)?))
    }

    /// Salt and metadata of the event at `index`; none where there is no event.
    ///
    /// # Errors
    /// A failure of reading.
    fn event_private(&self, index: u64) -> Result<Option<PrivateData>, StorageError> {
        Ok(self.get(EVENT_PRIVATE, &index)?.map(|record| match record {
            PrivateRecord::Kept { salt, metadata } => PrivateData::Kept { salt, metadata },
            PrivateRecord::Erased => PrivateData::Erased,
        }))
    }

    /// The contents that came under the ids of other events, by id.
    ///
    /// # Errors
    /// A failure of reading.
    fn conflicts(&self) -> Result<Vec<Conflict>, StorageError> {
        self.with_prefix(CONFLICTS, &All)?
            .into_iter()
            .map(|(key, record)| read_conflict(key, record))
            .collect()
    }

    /// The contents that came under the id of this event.
    ///
    /// # Errors
    /// A failure of reading.
    fn conflicts_of(&self, id: &EventId) -> Result<Vec<Conflict>, StorageError> {
        self.with_prefix(CONFLICTS, id)?.into_iter().map(|(key, record)| read_conflict(key, record)).collect()
    }
}

/// Finds an id in the tail or in the tree of ids.
pub(crate) fn find_id(
    reader: &(impl EventReader + ?Sized),
    id: &EventId,
) -> Result<Option<IdEntry>, StorageError> {
    let view = reader.event_view()?;
    if let Some(entry) = view.tail.id(id).filter(|entry| (view.folded..view.size).contains(&entry.index)) {
        return Ok(Some(entry.clone()));
    }
    if !view.tail.tree_may_hold(id) {
        return Ok(None);
    }
    Ok(reader.get(EVENT_IDS, id)?.map(|record| IdEntry::of_record(&record)))
}

fn read_event(reader: &(impl EventReader + ?Sized), index: u64) -> Result<Event, StorageError> {
    match reader.event_entry(index)? {
        Some(LogEntry::Event(event)) => Ok(event),
        Some(LogEntry::Route { .. }) => Err(StorageError::corrupt(
            EVENT_ENTRIES.name(),
            &index.to_bytes(),
            "expected an event, got a route",
        )),
        None => Err(missing_entry(index)),
    }
}

/// Reads entries at ascending indexes that stand close together.
fn read_entries(
    reader: &(impl EventReader + ?Sized),
    indexes: &[u64],
) -> Result<Vec<(u64, LogEntry)>, StorageError> {
    let (Some(first), Some(last)) = (indexes.first(), indexes.last()) else { return Ok(Vec::new()) };
    let mut entries = Vec::with_capacity(indexes.len());
    let mut wanted = indexes.iter().copied().peekable();
    for_each_sealed(reader, *first..last.saturating_add(1), &mut |index, key, sealed| {
        if wanted.next_if_eq(&index).is_some() {
            let record: crate::event_record::EntryRecord<'_> =
                codec::unseal(EVENT_ENTRIES.name(), key, sealed)?;
            entries.push((index, record.into_entry(index)?));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    match wanted.peek() {
        Some(missing) => Err(missing_entry(*missing)),
        None => Ok(entries),
    }
}

/// Hands the heads of the entries in a range to `visit`; an entry that is missing is an error.
pub(crate) fn for_each_raw_head(
    reader: &(impl RawReader + ?Sized),
    range: Range<u64>,
    visit: &mut dyn FnMut(u64, EntryHead) -> Visit,
) -> Result<(), StorageError> {
    let mut expected = range.start;
    let mut stopped = false;
    for_each_sealed(reader, range.clone(), &mut |index, key, sealed| {
        if index != expected {
            return Err(missing_entry(expected));
        }
        expected += 1;
        let body = codec::unseal_body(EVENT_ENTRIES.name(), key, 1, sealed)?;
        let next = visit(index, codec::decode_beginning(EVENT_ENTRIES.name(), key, body)?)?;
        stopped = next.is_break();
        Ok(next)
    })?;
    if stopped || expected >= range.end { Ok(()) } else { Err(missing_entry(expected)) }
}

/// Takes an index, its key and its sealed record.
type VisitSealed<'a> = dyn FnMut(u64, &[u8], &[u8]) -> Visit + 'a;

fn for_each_sealed(
    reader: &(impl RawReader + ?Sized),
    range: Range<u64>,
    visit: &mut VisitSealed<'_>,
) -> Result<(), StorageError> {
    use std::ops::Bound;
    let (start, end) = (range.start.to_bytes(), range.end.to_bytes());
    let bounds = (Bound::Included(start.as_slice()), Bound::Excluded(end.as_slice()));
    reader.raw_scan(EVENT_ENTRIES.name(), bounds, false, &mut |key, sealed| {
        let index = u64::from_bytes(key).ok_or_else(|| {
            StorageError::corrupt(EVENT_ENTRIES.name(), key, "expected a key of 8 bytes, got another")
        })?;
        visit(index, key, sealed)
    })
}

fn head_info(index: u64, head: EntryHead) -> Result<EventHeadInfo, StorageError> {
    let corrupt = || {
        StorageError::corrupt(
            EVENT_ENTRIES.name(),
            &index.to_bytes(),
            "expected the fields of an event, got others",
        )
    };
    let (event_index, time, scopes, id) = match head {
        EntryHead::Event(head) => (index, head.event_time_ms, head.scopes, head.id.parse().ok()),
        EntryHead::Route(route) => {
            (route.event_index, route.event_time_ms, vec![route.scope], route.event.parse().ok())
        }
    };
    Ok(EventHeadInfo {
        index,
        event_index,
        event_time: Timestamp::from_ms(time).map_err(|_| corrupt())?,
        scopes: scopes.into_iter().map(ScopeId::from_bytes).collect(),
        id: id.ok_or_else(corrupt)?,
    })
}

fn missing_entry(index: u64) -> StorageError {
    StorageError::corrupt(EVENT_ENTRIES.name(), &index.to_bytes(), "expected an entry, got none")
}

/// Leaf hashes out of the log's tiles, the last tile kept.
#[derive(Default)]
struct LeafHashes {
    tile: Option<(u64, Tile)>,
}

impl LeafHashes {
    fn of(
        &mut self,
        reader: &(impl RawReader + ?Sized),
        index: u64,
        event: &Event,
    ) -> Result<Hash, StorageError> {
        let width = u64::from(TILE_WIDTH);
        let (number, place) = (index / width, index % width);
        if self.tile.as_ref().is_none_or(|(kept, _)| *kept != number) {
            let tile = reader.get(LOG_TILES, &(LogKind::Events.number(), 0, number))?;
            self.tile = tile.map(|record| (number, record.0));
        }
        let hash = self
            .tile
            .as_ref()
            .filter(|(_, tile)| place < u64::from(tile.width()))
            .and_then(|(_, tile)| tile.node(0, place));
        // Inside a transaction the newest leaves have no tile yet.
        Ok(hash.unwrap_or_else(|| leaf_hash(&event.encode())))
    }
}
