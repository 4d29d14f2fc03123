//! Taking events in: rules `ACTIVITY_APPEND_ONLY`, `ACTIVITY_IDEMPOTENT`, `PROVENANCE_REQUIRED`.
//!
//! A batch is prepared in the caller's thread (hashes, leaves, record bytes) and decided and written by the writer. That
//! every event has its provenance is the type's doing: a [`NewEvent`] cannot be made without it.

use std::collections::HashMap;
use std::sync::Arc;

use meed_audit::event::{Event, NewEvent, Route, RouteV1, SCOPES_MAX};
use meed_audit::hash::{Hash, leaf_hash};
use meed_audit::ids::{EventId, ScopeId};
use meed_audit::leaf::Leaf;
use meed_audit::time::Timestamp;
use meed_audit::{Checked, Rejection, RejectionCode};

use crate::codec;
use crate::collect_cursor::CursorUpdate;
use crate::error::{LedgerError, StorageError};
use crate::event_record::{
    CONFLICTS, ConflictRecord, EVENT_ENTRIES, EVENT_IDS, EVENT_PRIVATE, EntryRecord, PrivateRecord, ROUTES,
    RouteIndex, RouteRecord,
};
use crate::key::Key;
use crate::ledger::Ledger;
use crate::log::LogKind;
use crate::table::Reader;
use crate::tail::{IdEntry, Segment, TimeEntry};
use crate::transaction::Transaction;

/// What to do with a batch that holds another content for a stored id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnConflict {
    /// Keep the conflicting event out and record it; store the others.
    #[default]
    KeepOut,
    /// Refuse the whole batch.
    Refuse,
}

/// Events that are ready to enter, all for the same scopes.
#[derive(Clone, Debug)]
pub struct EventBatch {
    events: Vec<PreparedEvent>,
    scopes: Arc<[ScopeId]>,
    at: Timestamp,
    on_conflict: OnConflict,
    cursor: Option<CursorUpdate>,
}

#[derive(Clone, Debug)]
struct PreparedEvent {
    id: EventId,
    event_time: Timestamp,
    content_hash: Hash,
    leaf_hash: Hash,
    entry: Vec<u8>,
    private: Vec<u8>,
}

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendOutcome {
    /// It entered the log.
    Stored {
        /// Its index there.
        index: u64,
    },
    /// It is stored already.
    Duplicate {
        /// The index of the one that stays.
        index: u64,
        /// The indexes of the routes that were added, for scopes to which the event is new.
        routes: Vec<u64>,
    },
    /// Another content is stored under its id; it was kept out and recorded.
    Conflict {
        /// The index of the one that stays.
        index: u64,
    },
}

/// What became of a batch, event by event in the batch's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppendReport {
    /// One outcome an event.
    pub outcomes: Vec<AppendOutcome>,
    /// Whether the cursor moved; none where the batch had none.
    pub cursor_moved: Option<bool>,
}

impl AppendReport {
    /// Events that entered the log.
    pub fn stored(&self) -> usize {
        self.count(|outcome| matches!(outcome, AppendOutcome::Stored { .. }))
    }

    /// Events that were there already.
    pub fn duplicates(&self) -> usize {
        self.count(|outcome| matches!(outcome, AppendOutcome::Duplicate { .. }))
    }

    /// Duplicates that are new to at least one of the scopes.
    pub fn routed(&self) -> usize {
        self.count(|outcome| matches!(outcome, AppendOutcome::Duplicate { routes, .. } if !routes.is_empty()))
    }

    /// Events that were kept out.
    pub fn conflicts(&self) -> usize {
        self.count(|outcome| matches!(outcome, AppendOutcome::Conflict { .. }))
    }

    fn count(&self, is: impl Fn(&AppendOutcome) -> bool) -> usize {
        self.outcomes.iter().filter(|outcome| is(outcome)).count()
    }
}

impl EventBatch {
    /// Prepares events that all belong to `scopes` (1 to 16, any order); `salts` hides their metadata, 32 random bytes
    /// an event, and `at` is now.
    ///
    /// # Errors
    /// `too_many` scopes or none, `input_incomplete` where salts are missing, `input_too_large` leaves.
    pub fn prepare(
        events: Vec<NewEvent>,
        mut scopes: Vec<ScopeId>,
        salts: impl IntoIterator<Item = [u8; 32]>,
        at: Timestamp,
    ) -> Checked<Self> {
        scopes.sort_unstable();
        scopes.dedup();
        if !(1..=SCOPES_MAX).contains(&scopes.len()) {
            let expected = format!("1 to {SCOPES_MAX} scopes");
            return Err(Rejection::new(RejectionCode::TooMany, "scopes", expected, scopes.len()));
        }
        let mut salts = salts.into_iter();
        let mut prepared = Vec::with_capacity(events.len());
        for (place, event) in events.into_iter().enumerate() {
            let salt = salts.next().ok_or_else(|| {
                Rejection::new(
                    RejectionCode::InputIncomplete,
                    "salts",
                    "one salt an event",
                    format!("{place}"),
                )
            })?;
            let event = PreparedEvent::new(event, &scopes, salt)
                .map_err(|rejection| rejection.within(format!("event {place}")))?;
            prepared.push(event);
        }
        Ok(Self {
            events: prepared,
            scopes: scopes.into(),
            at,
            on_conflict: OnConflict::KeepOut,
            cursor: None,
        })
    }

    /// The batch with this treatment of conflicts.
    #[must_use]
    pub fn on_conflict(mut self, on_conflict: OnConflict) -> Self {
        self.on_conflict = on_conflict;
        self
    }

    /// The batch with a cursor that is saved in its transaction.
    #[must_use]
    pub fn with_cursor(mut self, cursor: CursorUpdate) -> Self {
        self.cursor = Some(cursor);
        self
    }

    /// The scopes, sorted.
    pub fn scopes(&self) -> &[ScopeId] {
        &self.scopes
    }

    /// Events of the batch.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether the batch has no event.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

impl PreparedEvent {
    fn new(event: NewEvent, scopes: &[ScopeId], salt: [u8; 32]) -> Checked<Self> {
        let content_hash = event.content_hash();
        let metadata = event.metadata().to_owned();
        let event = event.into_event(salt, scopes.to_vec())?;
        let encoded = |result: Result<Vec<u8>, StorageError>| {
            result.map_err(|error| {
                Rejection::new(RejectionCode::InputTooLarge, "event", "a record that can be stored", error)
            })
        };
        let entry = EntryRecord::of_event(&event, content_hash);
        Ok(Self {
            content_hash,
            leaf_hash: event.leaf_hash(),
            entry: encoded(codec::encode(EVENT_ENTRIES.name(), &entry))?,
            private: encoded(codec::encode(EVENT_PRIVATE.name(), &PrivateRecord::Kept { salt, metadata }))?,
            event_time: event.event_time,
            id: event.id,
        })
    }

    /// The leaf that would have entered, for the record of a conflict.
    fn leaf(&self) -> Result<Vec<u8>, StorageError> {
        let record: EntryRecord<'_> = codec::decode(EVENT_ENTRIES.name(), &[], &self.entry)?;
        Ok(record.into_entry(0)?.leaf())
    }
}

/// What was decided about an event, before anything is written.
enum Decision {
    Store,
    /// Stored already; the scopes are those that claim it now.
    Duplicate {
        index: u64,
        claims: Vec<ScopeId>,
    },
    Conflict {
        index: u64,
    },
}

impl Ledger {
    /// Stores a batch of events in one transaction with their log entries, their routes and their cursor, and replies
    /// when that is durable.
    ///
    /// # Errors
    /// `event_conflict` where the batch refuses conflicts; what the rules of the scopes refuse; a failure of the store.
    pub fn append(&self, batch: EventBatch) -> Result<AppendReport, LedgerError> {
        self.run(move |transaction| transaction.append(&batch))
    }
}

impl Transaction {
    /// Stores a batch of events: see [`Ledger::append`].
    ///
    /// # Errors
    /// As [`Ledger::append`].
    pub fn append(&mut self, batch: &EventBatch) -> Result<AppendReport, LedgerError> {
        crate::rules::check_append(self, batch.scopes())?;
        let decisions = self.decide(batch)?;
        if batch.on_conflict == OnConflict::Refuse {
            refuse_conflicts(batch, &decisions)?;
        }
        Ok(self.write_batch(batch, decisions)?)
    }

    /// Decides every event from the id index alone, in the order of ids, so that neighbours share pages.
    fn decide(&self, batch: &EventBatch) -> Result<Vec<Decision>, StorageError> {
        let mut order: Vec<usize> = (0..batch.events.len()).collect();
        order.sort_by(|a, b| {
            batch.events.get(*a).map(|event| &event.id).cmp(&batch.events.get(*b).map(|event| &event.id))
        });
        let unknown = order
            .iter()
            .filter_map(|place| batch.events.get(*place))
            .filter(|event| self.tail.id(&event.id).is_none());
        let stored = self.stored_ids(unknown.map(|event| &event.id))?;
        let mut first_in_batch: HashMap<&EventId, Hash> = HashMap::new();
        let mut decisions = Vec::with_capacity(batch.events.len());
        for event in &batch.events {
            let known = self.tail.id(&event.id).or_else(|| stored.get(&event.id));
            decisions.push(match known {
                Some(known) => self.compare(batch, event, known)?,
                None => match first_in_batch.get(&event.id) {
                    None => {
                        first_in_batch.insert(&event.id, event.content_hash);
                        Decision::Store
                    }
                    // The index is that of the first one, which is filled in when it is known.
                    Some(first) if *first == event.content_hash => {
                        Decision::Duplicate { index: u64::MAX, claims: Vec::new() }
                    }
                    Some(_) => Decision::Conflict { index: u64::MAX },
                },
            });
        }
        Ok(decisions)
    }

    fn stored_ids<'b>(
        &self,
        ids: impl Iterator<Item = &'b EventId>,
    ) -> Result<HashMap<EventId, IdEntry>, StorageError> {
        let mut stored = HashMap::new();
        self.get_all(EVENT_IDS, ids, &mut |id: &EventId, record| {
            stored.insert(id.clone(), IdEntry::of_record(&record));
        })?;
        Ok(stored)
    }

    fn compare(
        &self,
        batch: &EventBatch,
        event: &PreparedEvent,
        known: &IdEntry,
    ) -> Result<Decision, StorageError> {
        if known.content_hash != event.content_hash {
            return Ok(Decision::Conflict { index: known.index });
        }
        let mut claims = Vec::new();
        for scope in batch.scopes.iter().filter(|scope| !known.scopes.contains(scope)) {
            if !self.contains(ROUTES, &(known.index, *scope))? {
                claims.push(*scope);
            }
        }
        Ok(Decision::Duplicate { index: known.index, claims })
    }

    fn write_batch(
        &mut self,
        batch: &EventBatch,
        decisions: Vec<Decision>,
    ) -> Result<AppendReport, StorageError> {
        let mut writing = BatchWriting::default();
        let mut outcomes = Vec::with_capacity(decisions.len());
        for (event, decision) in batch.events.iter().zip(decisions) {
            outcomes.push(match decision {
                Decision::Store => {
                    let index = self.push_leaf(LogKind::Events, event.leaf_hash);
                    writing.store(batch, event, index);
                    AppendOutcome::Stored { index }
                }
                Decision::Duplicate { index, claims } => {
                    let index = writing.first_index(index, &event.id);
                    let routes = self.write_routes(event, index, &claims, &mut writing)?;
                    AppendOutcome::Duplicate { index, routes }
                }
                Decision::Conflict { index } => {
                    let index = writing.first_index(index, &event.id);
                    self.record_conflict(batch, event, index)?;
                    AppendOutcome::Conflict { index }
                }
            });
        }
        if writing.entries > 0 {
            self.insert_sorted(EVENT_ENTRIES.name(), writing.entry_rows.into_iter().map(Ok))?;
            self.insert_sorted(EVENT_PRIVATE.name(), writing.private_rows.into_iter().map(Ok))?;
            self.tail.stage(writing.segment, writing.entries);
        }
        let cursor_moved = match &batch.cursor {
            Some(cursor) => Some(self.save_cursor(cursor)?),
            None => None,
        };
        Ok(AppendReport { outcomes, cursor_moved })
    }

    /// Adds a route leaf for each scope that is new to a stored event.
    fn write_routes(
        &mut self,
        event: &PreparedEvent,
        event_index: u64,
        claims: &[ScopeId],
        writing: &mut BatchWriting,
    ) -> Result<Vec<u64>, StorageError> {
        let mut routes = Vec::with_capacity(claims.len());
        for scope in claims {
            // The same event may stand twice in the batch.
            if let Some(index) = self.get(ROUTES, &(event_index, *scope))? {
                let _: RouteIndex = index;
                continue;
            }
            let route = Route { event: event.id.clone(), scope: *scope, v: RouteV1 };
            let index = self.push_leaf(LogKind::Events, leaf_hash(&route.encode()));
            self.insert(ROUTES, &(event_index, *scope), &RouteIndex { index })?;
            let record = RouteRecord {
                event_index,
                event_time_ms: event.event_time.as_ms(),
                scope: *scope.as_bytes(),
                event: event.id.as_str().to_owned(),
            };
            let body = codec::encode(EVENT_ENTRIES.name(), &EntryRecord::Route(record))?;
            writing.entry(index, &body);
            writing.segment.times.push((*scope, event.event_time, index));
            routes.push(index);
        }
        Ok(routes)
    }

    fn record_conflict(
        &mut self,
        batch: &EventBatch,
        event: &PreparedEvent,
        index: u64,
    ) -> Result<(), StorageError> {
        let key = (event.id.clone(), event.content_hash);
        if self.contains(CONFLICTS, &key)? {
            return Ok(());
        }
        let record = ConflictRecord { at_ms: batch.at.as_ms(), stored_index: index, leaf: event.leaf()? };
        self.insert(CONFLICTS, &key, &record)
    }
}

/// The rows of one batch, in the order of their indexes.
#[derive(Default)]
struct BatchWriting {
    entries: usize,
    entry_rows: Vec<(Vec<u8>, Vec<u8>)>,
    private_rows: Vec<(Vec<u8>, Vec<u8>)>,
    segment: Segment,
    first: HashMap<EventId, u64>,
}

impl BatchWriting {
    fn entry(&mut self, index: u64, body: &[u8]) {
        let key = index.to_bytes();
        let sealed = codec::seal_body(EVENT_ENTRIES.name(), &key, 1, body);
        self.entry_rows.push((key, sealed));
        self.entries += 1;
    }

    fn store(&mut self, batch: &EventBatch, event: &PreparedEvent, index: u64) {
        self.entry(index, &event.entry);
        let key = index.to_bytes();
        let private = codec::seal_body(EVENT_PRIVATE.name(), &key, 1, &event.private);
        self.private_rows.push((key, private));
        let scopes = Arc::clone(&batch.scopes);
        let times = scopes.iter().map(|scope| -> TimeEntry { (*scope, event.event_time, index) });
        self.segment.times.extend(times);
        let entry = IdEntry { index, content_hash: event.content_hash, scopes };
        self.segment.ids.push((event.id.clone(), entry));
        self.first.insert(event.id.clone(), index);
    }

    /// The index of the stored event, where it came earlier in this very batch.
    fn first_index(&self, index: u64, id: &EventId) -> u64 {
        if index == u64::MAX { self.first.get(id).copied().unwrap_or(index) } else { index }
    }
}

fn refuse_conflicts(batch: &EventBatch, decisions: &[Decision]) -> Checked<()> {
    let conflicts = batch
        .events
        .iter()
        .zip(decisions)
        .filter(|(_, decision)| matches!(decision, Decision::Conflict { .. }));
    let ids: Vec<String> = conflicts.map(|(event, _)| event.id.to_string()).collect();
    match ids.first() {
        None => Ok(()),
        Some(first) => {
            let expected = "the content that is stored under each id";
            let got = format!("another under {} ids, first {first}", ids.len());
            Err(Rejection::new(RejectionCode::EventConflict, "events", expected, got))
        }
    }
}

/// An event that was kept out, because another content is stored under its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The id.
    pub id: EventId,
    /// The content hash of what came.
    pub content_hash: Hash,
    /// When it came first.
    pub at: Timestamp,
    /// The index of the event that stays.
    pub stored_index: u64,
    /// What came, as the leaf that it would have become.
    pub came: Event,
}

pub(crate) fn read_conflict(key: (EventId, Hash), record: ConflictRecord) -> Result<Conflict, StorageError> {
    let came = Event::decode(&record.leaf).ok();
    match (Timestamp::from_ms(record.at_ms).ok(), came) {
        (Some(at), Some(came)) => {
            Ok(Conflict { id: key.0, content_hash: key.1, at, stored_index: record.stored_index, came })
        }
        _ => Err(StorageError::corrupt(
            CONFLICTS.name(),
            &key.to_bytes(),
            "expected a time and an event leaf, got others",
        )),
    }
}
