//! Decisions: each human change is checked against what the earlier ones add up to, and becomes a leaf of the scope's
//! decision tree. The sum is kept in tables beside the decisions ([`decided`](super::decided)), so that one more does not
//! replay all; `fsck` does, and compares.

use meed_audit::decision::{
    Change, Decision, DecisionContext, EpochDecisions, StaleOverride, State, StateParts,
};
use meed_audit::ids::{EpochNumber, ScopeId};
use meed_audit::text::FreeText;

use crate::error::StorageError;
use crate::rules::decided::{epoch_decisions, overrides_state, read_concerned, write_difference};
use crate::rules::record::{By, BytesRecord, LedgerResult, demand};
use crate::rules::scopes::scope_record;
use crate::rules::tables::DECISIONS;
use crate::snapshot::Snapshot;
use crate::table::{RawReader, Reader};
use crate::transaction::Transaction;

/// Decisions of one scope that may be made together, not yet written.
#[derive(Debug)]
pub(crate) struct Prepared {
    scope: ScopeId,
    made: Vec<Decision>,
    /// The part of the state that the changes concern, before and after.
    before: StateParts,
    after: StateParts,
}

/// What is decided, where, by whom and why.
pub(crate) struct Intent<'a> {
    pub(crate) scope: ScopeId,
    pub(crate) epoch: Option<EpochNumber>,
    pub(crate) reason: &'a FreeText,
    pub(crate) by: &'a By,
}

/// Checks a change against the state of the scope and writes nothing.
pub(crate) fn prepare(
    reader: &impl RawReader,
    intent: &Intent<'_>,
    change: Change,
) -> LedgerResult<Prepared> {
    let ended = scope_record(reader, intent.scope)?.ended;
    prepare_in(reader, intent, ended, vec![change])
}

/// As [`prepare`], for several changes and where the caller knows whether the scope has ended.
pub(crate) fn prepare_in(
    reader: &impl RawReader,
    intent: &Intent<'_>,
    ended: bool,
    changes: Vec<Change>,
) -> LedgerResult<Prepared> {
    let Intent { scope, epoch, reason, by } = *intent;
    let changes = changes.into_iter().map(|change| (change, reason.clone(), by.clone()));
    prepare_each(reader, (scope, epoch), ended, changes.collect())
}

/// As [`prepare_in`], for changes that each have their own reason, person and time.
pub(crate) fn prepare_each(
    reader: &impl RawReader,
    (scope, epoch): (ScopeId, Option<EpochNumber>),
    ended: bool,
    changes: Vec<(Change, FreeText, By)>,
) -> LedgerResult<Prepared> {
    let decisions_size = decisions_size(reader, scope)?;
    let mut before = StateParts { ended, decisions_size, ..StateParts::default() };
    for (change, _, _) in &changes {
        read_concerned(reader, scope, epoch, change, &mut before)?;
    }
    let mut state = State::from(before.clone());
    let mut made = Vec::with_capacity(changes.len());
    for (change, reason, By { actor, at }) in changes {
        let decision = Decision::new(&state, &change, DecisionContext { scope, epoch, actor, at, reason })?;
        state.apply(&decision)?;
        made.push(decision);
    }
    Ok(Prepared { scope, made, before, after: state.into() })
}

impl Prepared {
    /// Appends the decisions, updates what decisions add up to, and gives them with their sequences.
    pub(crate) fn write(self, tx: &mut Transaction) -> Result<Vec<(u64, Decision)>, StorageError> {
        let Self { scope, made, before, after } = self;
        let first = decisions_size(tx, scope)?;
        if first != before.decisions_size {
            let detail = format!("decisions prepared after {}, written after {first}", before.decisions_size);
            return Err(StorageError::internal(detail));
        }
        for (sequence, decision) in (first..).zip(&made) {
            tx.insert(DECISIONS, &(scope, sequence), &BytesRecord::of_leaf(decision))?;
        }
        write_difference(tx, scope, &before, &after)?;
        Ok((first..).zip(made).collect())
    }
}

/// How many decisions the scope has.
pub(crate) fn decisions_size(reader: &impl RawReader, scope: ScopeId) -> Result<u64, StorageError> {
    Ok(reader.last_with_prefix(DECISIONS, &scope)?.map_or(0, |((_, sequence), _)| sequence + 1))
}

/// The first `size` decisions of a scope.
pub(crate) fn decisions_until(
    reader: &impl RawReader,
    scope: ScopeId,
    size: u64,
) -> Result<Vec<Decision>, StorageError> {
    let records = reader.range(DECISIONS, (scope, 0)..(scope, size))?;
    if u64::try_from(records.len()) != Ok(size) {
        let detail = format!("expected {size} decisions, got {}", records.len());
        return Err(StorageError::corrupt(DECISIONS.name(), scope.as_bytes(), detail));
    }
    records.iter().map(|(_, record)| record.leaf(DECISIONS.name())).collect()
}

impl Snapshot {
    /// How many decisions the scope has.
    ///
    /// # Errors
    /// `scope_not_found`.
    pub fn decisions_size(&self, scope: ScopeId) -> LedgerResult<u64> {
        scope_record(self, scope)?;
        Ok(decisions_size(self, scope)?)
    }

    /// At most `limit` decisions of the scope, from sequence `from` on.
    ///
    /// # Errors
    /// `scope_not_found`.
    pub fn decisions(&self, scope: ScopeId, from: u64, limit: u64) -> LedgerResult<Vec<(u64, Decision)>> {
        scope_record(self, scope)?;
        let records = self.range(DECISIONS, (scope, from)..(scope, from.saturating_add(limit)))?;
        let read = |((_, sequence), record): ((ScopeId, u64), BytesRecord)| {
            Ok((sequence, record.leaf(DECISIONS.name())?))
        };
        records.into_iter().map(read).collect()
    }

    /// One decision.
    ///
    /// # Errors
    /// A failure of reading, also where there is no such decision.
    pub fn decision(&self, scope: ScopeId, sequence: u64) -> LedgerResult<Decision> {
        Ok(demand(self, DECISIONS, &(scope, sequence))?.leaf(DECISIONS.name())?)
    }

    /// What was decided of an epoch so far: curation by event, and overrides by claimant.
    ///
    /// # Errors
    /// `scope_not_found`.
    pub fn epoch_decisions(&self, scope: ScopeId, epoch: EpochNumber) -> LedgerResult<EpochDecisions> {
        scope_record(self, scope)?;
        Ok(epoch_decisions(self, scope, epoch)?)
    }

    /// The overrides of an epoch that have to be stated again before it can be frozen, each with what changed.
    ///
    /// # Errors
    /// `scope_not_found`.
    pub fn stale_overrides(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
    ) -> LedgerResult<Vec<(StaleOverride, String)>> {
        scope_record(self, scope)?;
        let stale = overrides_state(self, scope, epoch)?.stale_overrides(epoch).into_iter();
        let describe = |stale: StaleOverride| {
            let changed = stale.what_changed(&self.decision(scope, stale.changed_at)?);
            Ok((stale, changed))
        };
        stale.map(describe).collect()
    }
}
