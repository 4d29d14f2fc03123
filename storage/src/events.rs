//! Reading events, the same way in snapshots and in transactions.

use std::ops::{ControlFlow, Range};

use meed_audit::activity::{EpochEntry, EpochEvent};
use meed_audit::event::Event;
use meed_audit::ids::{EventId, ScopeId};
use meed_audit::time::{Period, Timestamp};

use crate::codec;
use crate::conflicts::{self, Conflict};
use crate::error::StorageError;
use crate::event_ids::find_id;
use crate::event_index::{self, SCOPE_TIMES};
use crate::event_record::{EntryHead, EntryRecord, LogEntry, PrivateRecord, ROUTES};
use crate::event_rows::{EVENT_ENTRIES, EVENT_PRIVATE, RowCursor, RowKind, missing_entry};
use crate::event_terms::{EventTerms, LastScopes, Terms};
use crate::key::Key;
use crate::leaf_hashes::LeafHashes;
use crate::sorted_indexes::sorted_indexes;
use crate::table::{RawReader, Reader, Visit};
use crate::tail::Tail;

/// What of the log the indexes cover, and where the rest is.
#[derive(Clone, Copy, Debug)]
pub struct EventView<'a> {
    /// Entries of the log in this view.
    pub(crate) size: u64,
    /// Entries below stand in blocks and in the indexes of ids and times.
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
        let view = self.event_view()?;
        if index >= view.size {
            return Ok(None);
        }
        read_entry(self, &mut RowCursor::new(RowKind::Entry, view.folded), index).map(Some)
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
        let (start, end) = ((scope, period.start).to_bytes(), (scope, period.end).to_bytes());
        event_index::scan(self, SCOPE_TIMES, (&start, &end), &mut |_, index| {
            if index < below {
                indexes.push(index);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let tail = view.tail.times(scope, period.start, period.end);
        indexes.extend(tail.map(|(_, _, index)| index).filter(|index| (view.folded..below).contains(index)));
        Ok(sorted_indexes(indexes, below))
    }

    /// When the earliest event of a scope within a period happened.
    ///
    /// # Errors
    /// A failure of reading.
    fn earliest_event_time(&self, scope: ScopeId, period: Period) -> Result<Option<Timestamp>, StorageError> {
        let (start, end) = ((scope, period.start).to_bytes(), (scope, period.end).to_bytes());
        let mut folded = None;
        event_index::scan(self, SCOPE_TIMES, (&start, &end), &mut |key, _| {
            let entry = <(ScopeId, Timestamp)>::from_bytes(key);
            let (_, time) = entry.ok_or_else(|| event_index::broken(SCOPE_TIMES, key))?;
            folded = Some(time);
            Ok(ControlFlow::Break(()))
        })?;
        let view = self.event_view()?;
        let tail = view.tail.times(scope, period.start, period.end).map(|(_, time, _)| time).min();
        Ok(folded.into_iter().chain(tail).min())
    }

    /// Reads the events behind entries, in the order of the indexes; fastest where they ascend.
    ///
    /// # Errors
    /// A failure of reading, and what the visitor fails with.
    fn for_each_event(
        &self,
        indexes: &[u64],
        visit: &mut dyn FnMut(EpochEvent) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        let mut hashes = LeafHashes::default();
        let mut rows = RowCursor::new(RowKind::Entry, self.event_view()?.folded);
        for &index in indexes {
            let (event_index, event) = match read_entry(self, &mut rows, index)? {
                LogEntry::Event(event) => (index, event),
                LogEntry::Route { event_index, .. } => (event_index, read_event(self, event_index)?),
            };
            let event_hash = hashes.of(self, event_index, &event)?;
            visit(EpochEvent { event, event_hash, index, routed: index != event_index })?;
        }
        Ok(())
    }

    /// As [`EventReader::for_each_event`], and reads no more of the events than an epoch takes.
    ///
    /// # Errors
    /// As [`EventReader::for_each_event`].
    fn for_each_entry(
        &self,
        indexes: &[u64],
        visit: &mut dyn FnMut(&EpochEntry<'_>) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        let (mut hashes, mut scopes) = (LeafHashes::default(), LastScopes::default());
        let mut rows = RowCursor::new(RowKind::Entry, self.event_view()?.folded);
        for &index in indexes {
            let row = rows.row(self, index)?.ok_or_else(|| missing_entry(index))?;
            let terms = EventTerms::read(row).ok_or_else(|| not_fields(index))?;
            match (terms, hashes.stored(self, index)?) {
                (Terms::Event(terms), Some(event_hash)) => {
                    visit(&terms.entry(event_hash, index, &mut scopes))?;
                }
                _ => self.for_each_event(&[index], &mut |event| visit(&event.entry()))?,
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

    /// Hands the indexed facts of the entries in a range to `visit`, ascending.
    ///
    /// # Errors
    /// A failure of reading, and what the visitor fails with.
    fn for_each_head(
        &self,
        range: Range<u64>,
        visit: &mut dyn FnMut(EventHeadInfo) -> Visit,
    ) -> Result<(), StorageError> {
        let view = self.event_view()?;
        let mut rows = RowCursor::new(RowKind::Entry, view.folded);
        for index in range.start..range.end.min(view.size) {
            if visit(head_info(index, rows.head(self, index)?)?)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Salt and metadata of the event at `index`; none where there is no event.
    ///
    /// # Errors
    /// A failure of reading.
    fn event_private(&self, index: u64) -> Result<Option<PrivateData>, StorageError> {
        let view = self.event_view()?;
        if index >= view.size {
            return Ok(None);
        }
        let record = read_private(self, &mut RowCursor::new(RowKind::Private, view.folded), index)?;
        Ok(record.map(|record| match record {
            PrivateRecord::Kept { salt, metadata } => PrivateData::Kept { salt, metadata },
            PrivateRecord::Erased => PrivateData::Erased,
        }))
    }

    /// The contents that came under the ids of other events, by id.
    ///
    /// # Errors
    /// A failure of reading.
    fn conflicts(&self) -> Result<Vec<Conflict>, StorageError> {
        conflicts::all_conflicts(self)
    }

    /// The contents that came under the id of this event.
    ///
    /// # Errors
    /// A failure of reading.
    fn conflicts_of(&self, id: &EventId) -> Result<Vec<Conflict>, StorageError> {
        conflicts::conflicts_of(self, id)
    }
}

fn read_event(reader: &(impl EventReader + ?Sized), index: u64) -> Result<Event, StorageError> {
    match reader.event_entry(index)? {
        Some(LogEntry::Event(event)) => Ok(event),
        Some(LogEntry::Route { .. }) => Err(not_an_event(index)),
        None => Err(missing_entry(index)),
    }
}

/// Reads an entry by a cursor over entries.
pub(crate) fn read_entry(
    reader: &(impl RawReader + ?Sized),
    rows: &mut RowCursor,
    index: u64,
) -> Result<LogEntry, StorageError> {
    let row = rows.row(reader, index)?.ok_or_else(|| missing_entry(index))?;
    let record: EntryRecord<'_> = codec::decode(EVENT_ENTRIES, &index.to_bytes(), row)?;
    record.into_entry(index)
}

/// Reads what is private to an entry by a cursor over that; none where the entry is a route.
pub(crate) fn read_private(
    reader: &(impl RawReader + ?Sized),
    rows: &mut RowCursor,
    index: u64,
) -> Result<Option<PrivateRecord>, StorageError> {
    let key = index.to_bytes();
    match rows.row(reader, index)? {
        None => Err(StorageError::corrupt(EVENT_PRIVATE, &key, "expected a record, got none")),
        Some([]) => Ok(None),
        Some(row) => codec::decode(EVENT_PRIVATE, &key, row).map(Some),
    }
}

fn head_info(index: u64, head: EntryHead) -> Result<EventHeadInfo, StorageError> {
    let corrupt = || not_fields(index);
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

fn not_fields(index: u64) -> StorageError {
    StorageError::corrupt(EVENT_ENTRIES, &index.to_bytes(), "expected the fields of an event, got others")
}

pub(crate) fn not_an_event(index: u64) -> StorageError {
    StorageError::corrupt(EVENT_ENTRIES, &index.to_bytes(), "expected an event, got a route")
}
