//! Weighing a batch against a view of the ledger, before the writer decides about it.
//!
//! What a view knows of an id stays true, since nothing of an event ever changes or goes: so a caller's own thread can
//! look up the ids, and make the leaves and records of the events that are new, and the writer only looks at what came
//! after that view. A batch of nothing but duplicates needs no writer at all.

use std::sync::{Arc, OnceLock};

use meed_audit::event::NewEvent;
use meed_audit::hash::{Hash, leaf_hash};
use meed_audit::ids::{EventId, ScopeId};
use meed_audit::time::Timestamp;

use crate::batch::{AppendOutcome, AppendReport, EventBatch, OfferedEvent, OnConflict};
use crate::codec;
use crate::collect_cursor::CursorUpdate;
use crate::error::{LedgerError, StorageError};
use crate::event_ids::find_ids;
use crate::event_record::{EntryRecord, PrivateRecord, ROUTES};
use crate::event_rows::{EVENT_ENTRIES, EVENT_PRIVATE};
use crate::events::EventReader;
use crate::id_filter::hash_of;
use crate::snapshot::Snapshot;
use crate::table::Reader;
use crate::tail::IdEntry;

/// A batch with what one view of the ledger knows of its ids.
#[derive(Clone, Debug)]
pub(crate) struct WeighedBatch {
    pub(crate) events: Vec<WeighedEvent>,
    pub(crate) scopes: Arc<[ScopeId]>,
    pub(crate) at: Timestamp,
    pub(crate) on_conflict: OnConflict,
    pub(crate) cursor: Option<CursorUpdate>,
    /// Whether an id stands in it twice.
    pub(crate) repeats: bool,
    /// Size of the events log in that view.
    pub(crate) seen: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct WeighedEvent {
    pub(crate) id: EventId,
    pub(crate) event_time: Timestamp,
    pub(crate) content_hash: Hash,
    pub(crate) standing: Standing,
}

/// What the view knows of an id.
#[derive(Clone, Debug)]
pub(crate) enum Standing {
    /// An event of this id is stored; where its content is another, the leaf of what came is kept for the record.
    Known(IdEntry, Option<Vec<u8>>),
    /// Nothing, and what to write.
    New(NewRecords),
}

/// The bytes that a new event writes.
#[derive(Clone, Debug)]
pub(crate) struct NewRecords {
    pub(crate) leaf_hash: Hash,
    pub(crate) entry: Vec<u8>,
    pub(crate) private: Vec<u8>,
}

impl WeighedBatch {
    /// Looks up the ids, and makes the records of what is new.
    pub(crate) fn new(batch: EventBatch, view: &impl EventReader) -> Result<Self, LedgerError> {
        Self::weigh(batch, view, |events, scopes| weigh_part(events, scopes, view))
    }

    /// The same on as many threads as the machine has and the events are worth.
    pub(crate) fn in_parallel(batch: EventBatch, view: &Snapshot) -> Result<Self, LedgerError> {
        Self::weigh(batch, view, |events, scopes| weigh_in_parallel(events, scopes, view))
    }

    fn weigh(
        batch: EventBatch,
        view: &impl EventReader,
        weigh: impl FnOnce(Vec<OfferedEvent>, &[ScopeId]) -> Result<Vec<WeighedEvent>, LedgerError>,
    ) -> Result<Self, LedgerError> {
        let seen = view.event_view()?.size;
        let mut hashes: Vec<u64> = batch.events.iter().map(|offered| hash_of(offered.event.id())).collect();
        hashes.sort_unstable();
        // Two ids of one hash are taken for a repetition, which only costs a closer look.
        let repeats = hashes.windows(2).any(|pair| pair.first() == pair.last());
        Ok(Self {
            events: weigh(batch.events, &batch.scopes)?,
            scopes: batch.scopes,
            at: batch.at,
            on_conflict: batch.on_conflict,
            cursor: batch.cursor,
            repeats,
            seen,
        })
    }

    /// The answer, where the view knows every event of the batch and nothing is to be written.
    pub(crate) fn settled(&self, view: &impl EventReader) -> Result<Option<AppendReport>, StorageError> {
        if self.cursor.is_some() {
            return Ok(None);
        }
        let mut outcomes = Vec::with_capacity(self.events.len());
        for event in &self.events {
            let Standing::Known(known, None) = &event.standing else { return Ok(None) };
            if !new_scopes(view, &self.scopes, known)?.is_empty() {
                return Ok(None);
            }
            outcomes.push(AppendOutcome::Duplicate { index: known.index, routes: Vec::new() });
        }
        Ok(Some(AppendReport { outcomes, cursor_moved: None }))
    }
}

/// Looks up the ids, and makes the records of what is new.
fn weigh_part(
    events: Vec<OfferedEvent>,
    scopes: &[ScopeId],
    view: &impl EventReader,
) -> Result<Vec<WeighedEvent>, LedgerError> {
    let ids: Vec<&EventId> = events.iter().map(|offered| offered.event.id()).collect();
    let known = find_ids(view, &ids)?;
    events.into_iter().zip(known).map(|(offered, known)| WeighedEvent::new(offered, known, scopes)).collect()
}

/// From how many events on another thread helps.
const HELP_EVENTS: usize = 256;

fn weigh_in_parallel(
    mut events: Vec<OfferedEvent>,
    scopes: &[ScopeId],
    view: &Snapshot,
) -> Result<Vec<WeighedEvent>, LedgerError> {
    let threads = (events.len() / HELP_EVENTS).clamp(1, processors());
    let share = events.len().div_ceil(threads);
    std::thread::scope(|scope| {
        let mut helpers = Vec::with_capacity(threads);
        while events.len() > share {
            let part = events.split_off(events.len() - share);
            helpers.push(scope.spawn(move || weigh_part(part, scopes, view)));
        }
        let mut weighed = weigh_part(events, scopes, view)?;
        for helper in helpers.into_iter().rev() {
            let part = helper.join().map_err(|_| StorageError::internal("a helper of a batch panicked"))?;
            weighed.append(&mut part?);
        }
        Ok(weighed)
    })
}

/// How many threads run at once here.
fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// The scopes of a batch that do not have a stored event yet.
pub(crate) fn new_scopes(
    reader: &impl Reader,
    scopes: &[ScopeId],
    known: &IdEntry,
) -> Result<Vec<ScopeId>, StorageError> {
    let mut new = Vec::new();
    for scope in scopes.iter().filter(|scope| !known.scopes.contains(scope)) {
        if !reader.contains(ROUTES, &(known.index, *scope))? {
            new.push(*scope);
        }
    }
    Ok(new)
}

impl WeighedEvent {
    fn new(offered: OfferedEvent, known: Option<IdEntry>, scopes: &[ScopeId]) -> Result<Self, LedgerError> {
        let OfferedEvent { event, salt } = offered;
        let content_hash = event.content_hash();
        let (id, event_time) = (event.id().clone(), event.event_time());
        let standing = match known {
            Some(known) if known.content_hash == content_hash => Standing::Known(known, None),
            Some(known) => {
                let (_, leaf) = event.into_event_and_leaf(salt, scopes.to_vec())?;
                Standing::Known(known, Some(leaf))
            }
            None => Standing::New(NewRecords::new(event, content_hash, scopes, salt)?),
        };
        Ok(Self { id, event_time, content_hash, standing })
    }

    /// The leaf that would have entered, for the record of a conflict.
    pub(crate) fn leaf(&self) -> Result<Vec<u8>, StorageError> {
        match &self.standing {
            Standing::Known(_, leaf) => Ok(leaf.clone().unwrap_or_default()),
            Standing::New(records) => {
                let record: EntryRecord<'_> = codec::decode(EVENT_ENTRIES, &[], &records.entry)?;
                Ok(record.into_entry(0)?.leaf())
            }
        }
    }
}

impl NewRecords {
    fn new(
        event: NewEvent,
        content_hash: Hash,
        scopes: &[ScopeId],
        salt: [u8; 32],
    ) -> Result<Self, LedgerError> {
        let metadata = event.metadata().to_owned();
        let (event, leaf) = event.into_event_and_leaf(salt, scopes.to_vec())?;
        let private = PrivateRecord::Kept { salt, metadata };
        Ok(Self {
            leaf_hash: leaf_hash(&leaf),
            entry: codec::encode(EVENT_ENTRIES, &EntryRecord::of_event(&event, content_hash))?,
            private: codec::encode(EVENT_PRIVATE, &private)?,
        })
    }
}
