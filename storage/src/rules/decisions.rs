//! Decisions: each human change is checked against what the earlier ones add up to, and becomes a leaf of the scope's
//! decision tree. The sum is kept in tables beside the decisions, so that one more does not replay all; `fsck` does,
//! and compares.

use std::collections::BTreeMap;

use meed_audit::decision::{
    Change, Curation, Decision, DecisionContext, EpochDecisions, Override, State, StateParts,
};
use meed_audit::ids::{Claimant, EpochNumber, EventId, Identity, ScopeId};
use meed_audit::text::FreeText;

use crate::error::StorageError;
use crate::rules::record::{By, BytesRecord, LedgerResult, demand};
use crate::rules::scopes::scope_record;
use crate::rules::tables::{
    CURATIONS, CurationRecord, DECISIONS, OVERRIDES, OverrideRecord, SCOPE_BINDINGS, ScopeBindingRecord,
};
use crate::snapshot::Snapshot;
use crate::table::{RawReader, Reader};
use crate::transaction::Transaction;

/// Decisions of one scope that may be made together, not yet written.
#[derive(Debug)]
pub(crate) struct Prepared {
    scope: ScopeId,
    epoch: Option<EpochNumber>,
    made: Vec<(Decision, Change)>,
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
    let mut before = StateParts { ended, ..StateParts::default() };
    for (change, _, _) in &changes {
        read_concerned(reader, scope, epoch, change, &mut before)?;
    }
    let mut state = State::from(before.clone());
    let mut made = Vec::with_capacity(changes.len());
    for (change, reason, By { actor, at }) in changes {
        let decision = Decision::new(&state, &change, DecisionContext { scope, epoch, actor, at, reason })?;
        state.apply(&decision)?;
        made.push((decision, change));
    }
    Ok(Prepared { scope, epoch, made, before, after: state.into() })
}

impl Prepared {
    /// Appends the decisions, updates what decisions add up to, and gives them with their sequences.
    pub(crate) fn write(self, tx: &mut Transaction) -> Result<Vec<(u64, Decision)>, StorageError> {
        let first = decisions_size(tx, self.scope)?;
        for (sequence, (decision, change)) in (first..).zip(&self.made) {
            tx.insert(DECISIONS, &(self.scope, sequence), &BytesRecord::of_leaf(decision))?;
            self.write_state(tx, change)?;
        }
        self.write_overrides(tx)?;
        Ok((first..).zip(self.made.into_iter().map(|(decision, _)| decision)).collect())
    }

    fn write_state(&self, tx: &mut Transaction, change: &Change) -> Result<(), StorageError> {
        match change {
            Change::Bind(identity, _) | Change::Rebind(identity, _) | Change::Revoke(identity) => {
                let Some(last) = self.after.last_bindings.get(identity).copied() else { return Ok(()) };
                let record = ScopeBindingRecord { user: self.after.bindings.get(identity).copied(), last };
                tx.insert(SCOPE_BINDINGS, &(self.scope, identity.clone()), &record)
            }
            Change::Exclude(event)
            | Change::Include(event)
            | Change::Reset(event)
            | Change::Shares(event, _)
            | Change::Weight(event, _) => self.write_curation(tx, event),
            Change::Override(..)
            | Change::Withdraw(_)
            | Change::AcceptGap
            | Change::Amend
            | Change::EarlyClose
            | Change::EndScope
            | Change::Erase(_)
            | Change::Pool(..) => Ok(()),
        }
    }

    fn write_curation(&self, tx: &mut Transaction, event: &EventId) -> Result<(), StorageError> {
        let Some(epoch) = self.epoch else { return Ok(()) };
        let curation = self.after.epochs.get(&epoch).and_then(|decided| decided.curation.get(event));
        match curation {
            Some(curation) => {
                tx.insert(CURATIONS, &(self.scope, epoch, event.clone()), &curation_record(curation))
            }
            None => tx.remove(CURATIONS, &(self.scope, epoch, event.clone())).map(|_| ()),
        }
    }

    /// An override can withdraw others, those of identities that have become the claimant's.
    fn write_overrides(&self, tx: &mut Transaction) -> Result<(), StorageError> {
        let Some(epoch) = self.epoch else { return Ok(()) };
        let overrides =
            |parts: &StateParts| parts.epochs.get(&epoch).map(|decided| decided.overrides.clone());
        let (before, after) =
            (overrides(&self.before).unwrap_or_default(), overrides(&self.after).unwrap_or_default());
        for claimant in before.keys().filter(|claimant| !after.contains_key(*claimant)) {
            tx.remove(OVERRIDES, &(self.scope, epoch, claimant.clone()))?;
        }
        for (claimant, set) in after.iter().filter(|(claimant, set)| before.get(*claimant) != Some(*set)) {
            let record = OverrideRecord { units: set.units, reason: set.reason.clone() };
            tx.insert(OVERRIDES, &(self.scope, epoch, claimant.clone()), &record)?;
        }
        Ok(())
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

/// Adds the part of the state that a change concerns.
fn read_concerned(
    reader: &impl RawReader,
    scope: ScopeId,
    epoch: Option<EpochNumber>,
    change: &Change,
    parts: &mut StateParts,
) -> Result<(), StorageError> {
    match (change, epoch) {
        (Change::Bind(identity, _) | Change::Rebind(identity, _) | Change::Revoke(identity), _) => {
            read_binding(reader, scope, identity, parts)
        }
        (
            Change::Exclude(event)
            | Change::Include(event)
            | Change::Reset(event)
            | Change::Shares(event, _)
            | Change::Weight(event, _),
            Some(epoch),
        ) => {
            if let Some(record) = reader.get(CURATIONS, &(scope, epoch, event.clone()))? {
                let curation = &mut parts.epochs.entry(epoch).or_default().curation;
                curation.insert(event.clone(), curation_of(record));
            }
            Ok(())
        }
        (Change::Override(..) | Change::Withdraw(_), Some(epoch)) => {
            let overrides = read_overrides(reader, scope, epoch)?;
            for identity in overrides.keys().filter_map(identity_of) {
                read_binding(reader, scope, identity, parts)?;
            }
            parts.epochs.entry(epoch).or_default().overrides = overrides;
            Ok(())
        }
        _ => Ok(()),
    }
}

fn identity_of(claimant: &Claimant) -> Option<&Identity> {
    match claimant {
        Claimant::Identity(identity) => Some(identity),
        Claimant::User(_) => None,
    }
}

fn read_binding(
    reader: &impl RawReader,
    scope: ScopeId,
    identity: &Identity,
    parts: &mut StateParts,
) -> Result<(), StorageError> {
    if let Some(record) = reader.get(SCOPE_BINDINGS, &(scope, identity.clone()))? {
        add_binding(identity.clone(), &record, parts);
    }
    Ok(())
}

fn add_binding(identity: Identity, record: &ScopeBindingRecord, parts: &mut StateParts) {
    if let Some(user) = record.user {
        parts.bindings.insert(identity.clone(), user);
    }
    parts.last_bindings.insert(identity, record.last);
}

fn read_overrides(
    reader: &impl RawReader,
    scope: ScopeId,
    epoch: EpochNumber,
) -> Result<BTreeMap<Claimant, Override>, StorageError> {
    let records = reader.with_prefix(OVERRIDES, &(scope, epoch))?;
    Ok(records.into_iter().map(|((_, _, claimant), record)| (claimant, override_of(record))).collect())
}

fn override_of(record: OverrideRecord) -> Override {
    Override { units: record.units, reason: record.reason }
}

fn curation_record(curation: &Curation) -> CurationRecord {
    let Curation { excluded, weight, shares, reason } = curation.clone();
    CurationRecord { excluded, weight, shares: shares.map(|shares| shares.into_iter().collect()), reason }
}

fn curation_of(record: CurationRecord) -> Curation {
    let CurationRecord { excluded, weight, shares, reason } = record;
    Curation { excluded, weight, shares: shares.map(|shares| shares.into_iter().collect()), reason }
}

/// The whole state of a scope as the tables hold it.
pub(crate) fn stored_state(reader: &impl RawReader, scope: ScopeId) -> LedgerResult<State> {
    let ended = scope_record(reader, scope)?.ended;
    let mut parts = StateParts { ended, ..StateParts::default() };
    for ((_, identity), record) in reader.with_prefix(SCOPE_BINDINGS, &scope)? {
        add_binding(identity, &record, &mut parts);
    }
    for ((_, epoch, event), record) in reader.with_prefix(CURATIONS, &scope)? {
        parts.epochs.entry(epoch).or_default().curation.insert(event, curation_of(record));
    }
    for ((_, epoch, claimant), record) in reader.with_prefix(OVERRIDES, &scope)? {
        parts.epochs.entry(epoch).or_default().overrides.insert(claimant, override_of(record));
    }
    Ok(parts.into())
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
        let curation = self.with_prefix(CURATIONS, &(scope, epoch))?;
        let curation =
            curation.into_iter().map(|((_, _, event), record)| (event, curation_of(record))).collect();
        Ok(EpochDecisions { curation, overrides: read_overrides(self, scope, epoch)? })
    }
}
