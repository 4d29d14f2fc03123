//! Contents that came under the id of another event: kept out, recorded, and shown to every scope that they concern
//! (rule `ACTIVITY_IDEMPOTENT`).
//!
//! Whoever may offer events could offer any number of contents under one id. So a few of an id are kept whole, and what
//! comes beyond them is counted.

use std::collections::BTreeSet;
use std::ops::{Bound, ControlFlow};

use meed_audit::event::Event;
use meed_audit::hash::Hash;
use meed_audit::ids::{EventId, ScopeId};
use meed_audit::leaf::Leaf;
use meed_audit::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::codec::Record;
use crate::error::StorageError;
use crate::events::EventReader;
use crate::key::{All, Key};
use crate::table::{Reader, Table};
use crate::transaction::Transaction;
use crate::weigh::{WeighedBatch, WeighedEvent};

/// Most contents that are kept of those that came under the id of one event; what comes beyond them is counted.
pub const CONFLICTS_KEPT_MAX: usize = 16;

/// Contents that came under the id of another event, by id and content hash.
pub(crate) const CONFLICTS: Table<(EventId, Hash), ConflictRecord> = Table::new("event_conflicts");
/// The scopes for which another content came under an id.
pub(crate) const CONFLICT_SCOPES: Table<(EventId, ScopeId), ConflictScope> =
    Table::new("event_conflict_scopes");
/// How many contents came under an id beyond those that are kept.
pub(crate) const CONFLICTS_NOT_KEPT: Table<EventId, NotKept> = Table::new("event_conflicts_not_kept");

/// A content that was kept out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConflictRecord {
    at_ms: i64,
    stored_index: u64,
    leaf: Vec<u8>,
}

impl Record for ConflictRecord {}

/// When another content came first under an id for a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConflictScope {
    at_ms: i64,
}

impl Record for ConflictScope {}

/// What came under an id and was not kept, each time that it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NotKept {
    count: u64,
    last_at_ms: i64,
}

impl Record for NotKept {}

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
    /// The scopes that it concerns, sorted: those that have the event that stays, and those for which any other content
    /// came under its id.
    pub scopes: Vec<ScopeId>,
    /// How often yet other contents came under the id when [`CONFLICTS_KEPT_MAX`] were kept already.
    pub not_kept: u64,
}

impl Transaction {
    /// Records that another content came under the id of the event at `index`.
    pub(crate) fn record_conflict(
        &mut self,
        batch: &WeighedBatch,
        event: &WeighedEvent,
        index: u64,
    ) -> Result<(), StorageError> {
        let at_ms = batch.at.as_ms();
        let key = (event.id.clone(), event.content_hash);
        if !self.contains(CONFLICTS, &key)? {
            if kept_count(self, &event.id)? < CONFLICTS_KEPT_MAX {
                let record = ConflictRecord { at_ms, stored_index: index, leaf: event.leaf()? };
                self.insert(CONFLICTS, &key, &record)?;
            } else {
                let before = self.get(CONFLICTS_NOT_KEPT, &event.id)?.unwrap_or_default();
                let counted = NotKept { count: before.count.saturating_add(1), last_at_ms: at_ms };
                self.insert(CONFLICTS_NOT_KEPT, &event.id, &counted)?;
            }
        }
        for scope in batch.scopes.iter() {
            let place = (event.id.clone(), *scope);
            if !self.contains(CONFLICT_SCOPES, &place)? {
                self.insert(CONFLICT_SCOPES, &place, &ConflictScope { at_ms })?;
            }
        }
        Ok(())
    }
}

/// How many contents are kept of those that came under an id; it reads no more of them than may be kept.
pub(crate) fn kept_count(reader: &(impl EventReader + ?Sized), id: &EventId) -> Result<usize, StorageError> {
    let mut count = 0;
    let start = Bound::Included((id.clone(), Hash::from_bytes([0; 32])));
    reader.for_each(CONFLICTS, (start, Bound::Unbounded), &mut |(its, _), _| {
        if its != *id || count == CONFLICTS_KEPT_MAX {
            return Ok(ControlFlow::Break(()));
        }
        count += 1;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(count)
}

/// The contents that came under the ids of other events, by id.
pub(crate) fn all_conflicts(reader: &(impl EventReader + ?Sized)) -> Result<Vec<Conflict>, StorageError> {
    let records = reader.with_prefix(CONFLICTS, &All)?;
    records.into_iter().map(|(key, record)| read_conflict(reader, key, record)).collect()
}

/// The contents that came under one id.
pub(crate) fn conflicts_of(
    reader: &(impl EventReader + ?Sized),
    id: &EventId,
) -> Result<Vec<Conflict>, StorageError> {
    let records = reader.with_prefix(CONFLICTS, id)?;
    records.into_iter().map(|(key, record)| read_conflict(reader, key, record)).collect()
}

/// A record with the scopes that it concerns.
pub(crate) fn read_conflict(
    reader: &(impl EventReader + ?Sized),
    key: (EventId, Hash),
    record: ConflictRecord,
) -> Result<Conflict, StorageError> {
    let ConflictRecord { at_ms, stored_index, leaf } = record;
    let (Ok(at), Ok(came)) = (Timestamp::from_ms(at_ms), Event::decode(&leaf)) else {
        let detail = "expected a time and an event leaf, got others";
        return Err(StorageError::corrupt(CONFLICTS.name(), &key.to_bytes(), detail));
    };
    let (id, content_hash) = key;
    let having = reader.scopes_of(stored_index)?.into_iter().map(|(scope, _)| scope);
    let asking = reader.with_prefix(CONFLICT_SCOPES, &id)?.into_iter().map(|((_, scope), _)| scope);
    let scopes: BTreeSet<ScopeId> = having.chain(asking).chain(came.scopes.iter().copied()).collect();
    let not_kept = reader.get(CONFLICTS_NOT_KEPT, &id)?.map_or(0, |counted| counted.count);
    let scopes = scopes.into_iter().collect();
    Ok(Conflict { id, content_hash, at, stored_index, came, scopes, not_kept })
}
