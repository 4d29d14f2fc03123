//! What a scope's decisions add up to, as tables keep it: read as far as a change concerns it, written as far as it
//! differs.

use std::collections::{BTreeMap, BTreeSet};

use meed_audit::decision::{Amendment, Change, Curation, EpochDecisions, Override, State, StateParts};
use meed_audit::ids::{Claimant, EpochNumber, EventId, Identity, ScopeId, UserId};

use crate::error::StorageError;
use crate::key::Key;
use crate::rules::decisions::decisions_size;
use crate::rules::record::LedgerResult;
use crate::rules::scopes::scope_record;
use crate::rules::tables::{
    AMENDED_CURATIONS, AMENDED_OVERRIDES, AMENDMENTS, AmendmentRecord, CLAIMANT_CHANGES, CURATIONS,
    ClaimantChangeRecord, CurationRecord, OVERRIDES, OverrideRecord, SCOPE_BINDINGS, ScopeBindingRecord,
};
use crate::table::{RawReader, Reader, Table};
use crate::transaction::Transaction;

/// The whole state of a scope.
pub(crate) fn stored_state(reader: &impl RawReader, scope: ScopeId) -> LedgerResult<State> {
    let ended = scope_record(reader, scope)?.ended;
    let decisions_size = decisions_size(reader, scope)?;
    let mut parts = StateParts { ended, decisions_size, ..StateParts::default() };
    for ((_, identity), record) in reader.with_prefix(SCOPE_BINDINGS, &scope)? {
        add_binding(identity, &record, &mut parts);
    }
    for ((_, claimant), record) in reader.with_prefix(CLAIMANT_CHANGES, &scope)? {
        parts.claimant_changes.insert(claimant, record.sequence);
    }
    for ((_, epoch, event), record) in reader.with_prefix(CURATIONS, &scope)? {
        parts.epochs.entry(epoch).or_default().curation.insert(event, curation_of(record));
    }
    for ((_, epoch, claimant), record) in reader.with_prefix(OVERRIDES, &scope)? {
        parts.epochs.entry(epoch).or_default().overrides.insert(claimant, override_of(record));
    }
    for ((_, epoch), _) in reader.with_prefix(AMENDMENTS, &scope)? {
        read_amendment(reader, scope, epoch, &mut parts)?;
    }
    Ok(parts.into())
}

/// What was decided of one epoch.
pub(super) fn epoch_decisions(
    reader: &impl RawReader,
    scope: ScopeId,
    epoch: EpochNumber,
) -> Result<EpochDecisions, StorageError> {
    decisions_of(reader, (CURATIONS, OVERRIDES), scope, epoch)
}

/// Where what was decided of an epoch stands: as it is, or as it was before an amendment.
type DecidedTables = (
    Table<(ScopeId, EpochNumber, EventId), CurationRecord>,
    Table<(ScopeId, EpochNumber, Claimant), OverrideRecord>,
);

const BEFORE_AMENDMENT: DecidedTables = (AMENDED_CURATIONS, AMENDED_OVERRIDES);

fn decisions_of(
    reader: &impl RawReader,
    (curations, overrides): DecidedTables,
    scope: ScopeId,
    epoch: EpochNumber,
) -> Result<EpochDecisions, StorageError> {
    let curation = reader.with_prefix(curations, &(scope, epoch))?;
    let curation = curation.into_iter().map(|((_, _, event), record)| (event, curation_of(record))).collect();
    let overrides = reader.with_prefix(overrides, &(scope, epoch))?;
    let overrides =
        overrides.into_iter().map(|((_, _, claimant), record)| (claimant, override_of(record))).collect();
    Ok(EpochDecisions { curation, overrides })
}

/// What was decided of an epoch's claimants and of who they are: enough to tell which overrides have to be stated again.
pub(super) fn overrides_state(
    reader: &impl RawReader,
    scope: ScopeId,
    epoch: EpochNumber,
) -> Result<State, StorageError> {
    let mut parts = StateParts::default();
    read_overrides(reader, scope, epoch, &mut parts)?;
    let overrides = parts.epochs.get(&epoch).into_iter().flat_map(|decided| decided.overrides.keys());
    for claimant in overrides.cloned().collect::<Vec<_>>() {
        if let Some(record) = reader.get(CLAIMANT_CHANGES, &(scope, claimant.clone()))? {
            parts.claimant_changes.insert(claimant, record.sequence);
        }
    }
    Ok(parts.into())
}

/// Adds the part of the state that a change concerns.
pub(super) fn read_concerned(
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
            read_overrides(reader, scope, epoch, parts)
        }
        // All that was decided of the epoch is kept, or becomes again what was kept.
        (Change::Amend | Change::Abandon, Some(epoch)) => {
            let decided = epoch_decisions(reader, scope, epoch)?;
            if decided != EpochDecisions::default() {
                parts.epochs.insert(epoch, decided);
            }
            read_amendment(reader, scope, epoch, parts)
        }
        _ => Ok(()),
    }
}

/// Writes what a part of the state was and is no more.
pub(super) fn write_difference(
    tx: &mut Transaction,
    scope: ScopeId,
    before: &StateParts,
    after: &StateParts,
) -> Result<(), StorageError> {
    let key = |identity: &Identity| (scope, identity.clone());
    write_rows(tx, SCOPE_BINDINGS, &bindings_of(before), &bindings_of(after), key)?;
    let key = |claimant: &Claimant| (scope, claimant.clone());
    write_rows(tx, CLAIMANT_CHANGES, &changes_of(before), &changes_of(after), key)?;
    let key = |epoch: &EpochNumber| (scope, *epoch);
    write_rows(tx, AMENDMENTS, &amendments_of(before), &amendments_of(after), key)?;
    let nothing = EpochDecisions::default();
    let epochs: BTreeSet<EpochNumber> = [before, after]
        .into_iter()
        .flat_map(|parts| parts.epochs.keys().chain(parts.amendments.keys()))
        .copied()
        .collect();
    for epoch in epochs {
        let decided = |parts: &StateParts| parts.epochs.get(&epoch).unwrap_or(&nothing).clone();
        write_decided(tx, (CURATIONS, OVERRIDES), (scope, epoch), decided(before), decided(after))?;
        let kept = |parts: &StateParts| {
            parts.amendments.get(&epoch).map_or(&nothing, |amendment| &amendment.before).clone()
        };
        write_decided(tx, BEFORE_AMENDMENT, (scope, epoch), kept(before), kept(after))?;
    }
    Ok(())
}

fn write_decided(
    tx: &mut Transaction,
    (curations, overrides): DecidedTables,
    (scope, epoch): (ScopeId, EpochNumber),
    before: EpochDecisions,
    after: EpochDecisions,
) -> Result<(), StorageError> {
    let key = |event: &EventId| (scope, epoch, event.clone());
    write_rows(tx, curations, &curations_of(before.curation), &curations_of(after.curation), key)?;
    let key = |claimant: &Claimant| (scope, epoch, claimant.clone());
    write_rows(tx, overrides, &overrides_of(before.overrides), &overrides_of(after.overrides), key)
}

/// Makes the rows of a table from those before into those after.
fn write_rows<N: Ord, K: Key, V: crate::codec::Record + PartialEq>(
    tx: &mut Transaction,
    table: Table<K, V>,
    before: &BTreeMap<N, V>,
    after: &BTreeMap<N, V>,
    key: impl Fn(&N) -> K,
) -> Result<(), StorageError> {
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        tx.remove(table, &key(name))?;
    }
    for (name, record) in after.iter().filter(|(name, record)| before.get(*name) != Some(*record)) {
        tx.insert(table, &key(name), record)?;
    }
    Ok(())
}

fn read_overrides(
    reader: &impl RawReader,
    scope: ScopeId,
    epoch: EpochNumber,
    parts: &mut StateParts,
) -> Result<(), StorageError> {
    let overrides = reader.with_prefix(OVERRIDES, &(scope, epoch))?;
    for ((_, _, claimant), record) in overrides {
        if let Claimant::Identity(identity) = &claimant {
            read_binding(reader, scope, identity, parts)?;
        }
        parts.epochs.entry(epoch).or_default().overrides.insert(claimant, override_of(record));
    }
    Ok(())
}

fn read_amendment(
    reader: &impl RawReader,
    scope: ScopeId,
    epoch: EpochNumber,
    parts: &mut StateParts,
) -> Result<(), StorageError> {
    if let Some(AmendmentRecord { sequence }) = reader.get(AMENDMENTS, &(scope, epoch))? {
        let before = decisions_of(reader, BEFORE_AMENDMENT, scope, epoch)?;
        parts.amendments.insert(epoch, Amendment { begun_at: sequence, before });
    }
    Ok(())
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

fn bindings_of(parts: &StateParts) -> BTreeMap<Identity, ScopeBindingRecord> {
    let record = |(identity, last): (&Identity, &UserId)| {
        let user = parts.bindings.get(identity).copied();
        (identity.clone(), ScopeBindingRecord { user, last: *last })
    };
    parts.last_bindings.iter().map(record).collect()
}

fn changes_of(parts: &StateParts) -> BTreeMap<Claimant, ClaimantChangeRecord> {
    let changes = parts.claimant_changes.iter();
    changes.map(|(claimant, at)| (claimant.clone(), ClaimantChangeRecord { sequence: *at })).collect()
}

fn amendments_of(parts: &StateParts) -> BTreeMap<EpochNumber, AmendmentRecord> {
    let amendments = parts.amendments.iter();
    amendments.map(|(epoch, begun)| (*epoch, AmendmentRecord { sequence: begun.begun_at })).collect()
}

fn curations_of(curations: BTreeMap<EventId, Curation>) -> BTreeMap<EventId, CurationRecord> {
    curations.into_iter().map(|(event, curation)| (event, curation_record(curation))).collect()
}

fn overrides_of(overrides: BTreeMap<Claimant, Override>) -> BTreeMap<Claimant, OverrideRecord> {
    let record = |(claimant, Override { units, reason, set_at })| {
        (claimant, OverrideRecord { units, reason, sequence: set_at })
    };
    overrides.into_iter().map(record).collect()
}

fn override_of(record: OverrideRecord) -> Override {
    let OverrideRecord { units, reason, sequence } = record;
    Override { units, reason, set_at: sequence }
}

fn curation_record(curation: Curation) -> CurationRecord {
    let Curation { excluded, weight, shares, reason } = curation;
    CurationRecord { excluded, weight, shares: shares.map(|shares| shares.into_iter().collect()), reason }
}

fn curation_of(record: CurationRecord) -> Curation {
    let CurationRecord { excluded, weight, shares, reason } = record;
    Curation { excluded, weight, shares: shares.map(|shares| shares.into_iter().collect()), reason }
}
