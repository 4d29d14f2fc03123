//! Batches of events: what is offered to the ledger, and what became of it.

use std::sync::Arc;

use meed_audit::event::{NewEvent, SCOPES_MAX};
use meed_audit::ids::ScopeId;
use meed_audit::time::Timestamp;
use meed_audit::{Checked, Rejection, RejectionCode};

use crate::collect_cursor::CursorUpdate;

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
    pub(crate) events: Vec<OfferedEvent>,
    pub(crate) scopes: Arc<[ScopeId]>,
    pub(crate) at: Timestamp,
    pub(crate) on_conflict: OnConflict,
    pub(crate) cursor: Option<CursorUpdate>,
}

/// An event with the salt that hides its metadata.
#[derive(Clone, Debug)]
pub(crate) struct OfferedEvent {
    pub(crate) event: NewEvent,
    pub(crate) salt: [u8; 32],
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
    /// Events that all belong to `scopes` (1 to 16, any order); `salts` hides their metadata, 32 random bytes an event,
    /// and `at` is now.
    ///
    /// # Errors
    /// `too_many` scopes or none, `input_incomplete` where salts are missing.
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
        let mut offered = Vec::with_capacity(events.len());
        for (place, event) in events.into_iter().enumerate() {
            let salt = salts.next().ok_or_else(|| {
                Rejection::new(
                    RejectionCode::InputIncomplete,
                    "salts",
                    "one salt an event",
                    format!("{place}"),
                )
            })?;
            offered.push(OfferedEvent { event, salt });
        }
        Ok(Self {
            events: offered,
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
