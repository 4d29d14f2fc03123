//! Taking events in: rules `ACTIVITY_APPEND_ONLY`, `ACTIVITY_IDEMPOTENT`, `PROVENANCE_REQUIRED`.
//!
//! A large batch is weighed in the caller's thread, and decided and written by the writer. That every event has its
//! provenance is the type's doing: a `NewEvent` cannot be made without it.

use std::collections::HashMap;
use std::sync::Arc;

use meed_audit::event::{Route, RouteV1};
use meed_audit::hash::{Hash, leaf_hash};
use meed_audit::ids::{EventId, ScopeId};
use meed_audit::leaf::Leaf;
use meed_audit::{Checked, Rejection, RejectionCode};

use crate::batch::{AppendOutcome, AppendReport, EventBatch, OnConflict};
use crate::codec;
use crate::error::{LedgerError, StorageError};
use crate::event_ids::find_id;
use crate::event_record::{EntryRecord, ROUTES, RouteIndex, RouteRecord};
use crate::event_rows::{EVENT_ENTRIES, EVENT_TAIL, TailRows};
use crate::id_filter::hash_of;
use crate::ledger::Ledger;
use crate::log::LogKind;
use crate::table::Reader;
use crate::tail::{IdEntry, Segment, TimeEntry};
use crate::transaction::{Transaction, check_not_restored};
use crate::weigh::{NewRecords, Standing, WeighedBatch, WeighedEvent, new_scopes};

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

/// From how many events on a batch is weighed in the caller's thread: for a few, a snapshot costs more than it saves.
const WEIGH_AHEAD_EVENTS: usize = 64;

impl Ledger {
    /// Stores a batch of events in one transaction with their log entries, their routes and their cursor, and replies
    /// when that is durable.
    ///
    /// # Errors
    /// `event_conflict` where the batch refuses conflicts; what the rules of the scopes refuse; a failure of the store.
    pub fn append(&self, batch: EventBatch) -> Result<AppendReport, LedgerError> {
        if batch.len() < WEIGH_AHEAD_EVENTS {
            return self.run(move |transaction| transaction.append(batch));
        }
        // The snapshot goes before the command is sent: one that lived across a commit would keep its pages from use.
        let weighed = {
            let snapshot = self.snapshot()?;
            check_not_restored(snapshot.is_restored()?)?;
            crate::rules::check_append(&snapshot, batch.scopes())?;
            let weighed = WeighedBatch::in_parallel(batch, &snapshot)?;
            if let Some(report) = weighed.settled(&snapshot)? {
                return Ok(report);
            }
            weighed
        };
        self.run(move |transaction| transaction.append_weighed(&weighed))
    }
}

impl Transaction {
    /// Stores a batch of events: see [`Ledger::append`].
    ///
    /// # Errors
    /// As [`Ledger::append`].
    pub fn append(&mut self, batch: EventBatch) -> Result<AppendReport, LedgerError> {
        let weighed = WeighedBatch::new(batch, self)?;
        self.append_weighed(&weighed)
    }

    fn append_weighed(&mut self, batch: &WeighedBatch) -> Result<AppendReport, LedgerError> {
        crate::rules::check_append(self, &batch.scopes)?;
        let decisions = self.decide(batch)?;
        if batch.on_conflict == OnConflict::Refuse {
            refuse_conflicts(batch, &decisions)?;
        }
        Ok(self.write_batch(batch, decisions)?)
    }

    /// Decides every event from the id index alone.
    fn decide(&self, batch: &WeighedBatch) -> Result<Vec<Decision>, StorageError> {
        let mut first_in_batch: HashMap<&EventId, Hash> = HashMap::new();
        let mut decisions = Vec::with_capacity(batch.events.len());
        for event in &batch.events {
            let newer;
            let known = match &event.standing {
                Standing::Known(known, _) => Some(known),
                Standing::New(_) => {
                    newer = self.stored_since(&event.id, batch.seen)?;
                    newer.as_ref()
                }
            };
            decisions.push(match known {
                Some(known) if known.content_hash != event.content_hash => {
                    Decision::Conflict { index: known.index }
                }
                Some(known) => {
                    let claims = new_scopes(self, &batch.scopes, known)?;
                    Decision::Duplicate { index: known.index, claims }
                }
                None if !batch.repeats => Decision::Store,
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

    /// The entry of an id that a view of `seen` entries did not have.
    fn stored_since(&self, id: &EventId, seen: u64) -> Result<Option<IdEntry>, StorageError> {
        if self.edges.events.size() == seen {
            return Ok(None);
        }
        if let Some(entry) = self.tail.tail.id(hash_of(id), id) {
            return Ok(Some(entry.clone()));
        }
        if self.node.folded_index <= seen {
            // Whatever came after that view is still in the tail.
            return Ok(None);
        }
        find_id(self, id)
    }

    fn write_batch(
        &mut self,
        batch: &WeighedBatch,
        decisions: Vec<Decision>,
    ) -> Result<AppendReport, StorageError> {
        let mut writing = BatchWriting::default();
        let mut outcomes = Vec::with_capacity(decisions.len());
        for (event, decision) in batch.events.iter().zip(decisions) {
            outcomes.push(match decision {
                Decision::Store => {
                    let Standing::New(records) = &event.standing else {
                        return Err(StorageError::internal("a known event was to be stored"));
                    };
                    let index = self.push_leaf(LogKind::Events, records.leaf_hash);
                    writing.store(batch, event, records, index);
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
            self.raw_insert_all(EVENT_TAIL, writing.rows.into_rows().into_iter().map(Ok))?;
            self.tail.stage(Segment::new(writing.ids, writing.times), writing.entries);
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
        event: &WeighedEvent,
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
            let body = codec::encode(EVENT_ENTRIES, &EntryRecord::Route(record))?;
            writing.entry(index, &body, &[]);
            writing.times.push((*scope, event.event_time, index));
            routes.push(index);
        }
        Ok(routes)
    }
}

/// The rows of one batch, in the order of their indexes.
#[derive(Default)]
struct BatchWriting {
    entries: usize,
    rows: TailRows,
    ids: Vec<(EventId, IdEntry)>,
    times: Vec<TimeEntry>,
    first: HashMap<EventId, u64>,
}

impl BatchWriting {
    fn entry(&mut self, index: u64, entry: &[u8], private: &[u8]) {
        self.rows.push(index, entry, private);
        self.entries += 1;
    }

    fn store(&mut self, batch: &WeighedBatch, event: &WeighedEvent, records: &NewRecords, index: u64) {
        self.entry(index, &records.entry, &records.private);
        let scopes = Arc::clone(&batch.scopes);
        let times = scopes.iter().map(|scope| -> TimeEntry { (*scope, event.event_time, index) });
        self.times.extend(times);
        let entry = IdEntry { index, content_hash: event.content_hash, scopes };
        self.ids.push((event.id.clone(), entry));
        if batch.repeats {
            self.first.insert(event.id.clone(), index);
        }
    }

    /// The index of the stored event, where it came earlier in this very batch.
    fn first_index(&self, index: u64, id: &EventId) -> u64 {
        if index == u64::MAX { self.first.get(id).copied().unwrap_or(index) } else { index }
    }
}

fn refuse_conflicts(batch: &WeighedBatch, decisions: &[Decision]) -> Checked<()> {
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
