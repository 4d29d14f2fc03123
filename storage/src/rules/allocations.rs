//! Allocations of final statements: rows in the order of their leaves, and the tiles of their tree.

use std::ops::{Bound, ControlFlow};

use meed_audit::allocation::{Allocation, AllocationV1};
use meed_audit::close::ClosedEpoch;
use meed_audit::ids::{Claimant, EpochNumber, Revision, ScopeId};
use meed_audit::merkle::TreeBuilder;

use crate::codec;
use crate::error::StorageError;
use crate::key::{All, Key as _};
use crate::rules::epochs::epoch_record;
use crate::rules::input::{Which, stored_revision};
use crate::rules::record::LedgerResult;
use crate::rules::scopes::scope_record;
use crate::rules::tables::{ALLOCATION_TILES, ALLOCATIONS, AllocationRecord, EPOCHS, SCOPES};
use crate::snapshot::Snapshot;
use crate::table::{RawReader, Reader};
use crate::tiles::TileRecord;
use crate::transaction::Transaction;

/// A payout of a claimant, in one epoch's statement in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimantPayout {
    /// The scope.
    pub scope: ScopeId,
    /// The allocation, which names epoch and revision.
    pub allocation: Allocation,
}

/// The rows and tiles of an allocation tree, ready to be written.
pub(crate) struct AllocationRows {
    rows: Vec<(Claimant, AllocationRecord)>,
    tiles: Vec<((u8, u64), TileRecord)>,
}

impl AllocationRows {
    /// Builds the tree of a closed epoch.
    pub(crate) fn build(closed: ClosedEpoch) -> Self {
        let mut tiles = Vec::new();
        let mut keep = |level, index, tile| tiles.push(((level, index), TileRecord(tile)));
        let mut builder = TreeBuilder::new();
        for hash in &closed.allocation_hashes {
            builder.push(*hash, &mut keep);
        }
        builder.finish(&mut keep);
        tiles.sort_unstable_by_key(|(place, _)| *place);
        let rows = (1..).zip(closed.allocations).map(|(index, allocation)| row(index, allocation)).collect();
        Self { rows, tiles }
    }

    /// The rows, by claimant.
    pub(crate) fn rows(&self) -> &[(Claimant, AllocationRecord)] {
        &self.rows
    }

    /// The tiles, by level and index.
    pub(crate) fn tiles(&self) -> &[((u8, u64), TileRecord)] {
        &self.tiles
    }

    /// Writes both, in the order of their keys.
    pub(crate) fn write(
        &self,
        tx: &mut Transaction,
        scope: ScopeId,
        epoch: EpochNumber,
        revision: Revision,
    ) -> Result<(), StorageError> {
        let rows = self.rows.iter();
        let sealed = rows.map(|(claimant, row)| {
            let key = (scope, epoch, revision, claimant.clone()).to_bytes();
            codec::seal(ALLOCATIONS.name(), &key, row).map(|sealed| (key, sealed))
        });
        tx.insert_sorted(ALLOCATIONS.name(), sealed)?;
        let tiles = self.tiles.iter();
        tx.insert_all(
            ALLOCATION_TILES,
            tiles.map(|((level, index), tile)| ((scope, epoch, revision, *level, *index), tile)),
        )
    }
}

fn row(index: u64, allocation: Allocation) -> (Claimant, AllocationRecord) {
    let record = AllocationRecord {
        index,
        credits: allocation.credits,
        events: allocation.events,
        final_units: allocation.final_units,
        proposed_units: allocation.proposed_units,
        override_reason: allocation.override_reason,
    };
    (allocation.claimant, record)
}

/// The leaf of a row.
pub(crate) fn allocation_of(
    (scope, epoch, revision, claimant): (ScopeId, EpochNumber, Revision, Claimant),
    record: AllocationRecord,
) -> Allocation {
    Allocation {
        claimant,
        credits: record.credits,
        epoch,
        events: record.events,
        final_units: record.final_units,
        override_reason: record.override_reason,
        proposed_units: record.proposed_units,
        revision,
        scope,
        v: AllocationV1,
    }
}

/// All allocations of a final statement, in the order of their leaves.
pub(crate) fn all_allocations(
    reader: &impl RawReader,
    scope: ScopeId,
    epoch: EpochNumber,
    revision: Revision,
) -> Result<Vec<Allocation>, StorageError> {
    let records = reader.with_prefix(ALLOCATIONS, &(scope, epoch, revision))?;
    Ok(records.into_iter().map(|(key, record)| allocation_of(key, record)).collect())
}

impl Snapshot {
    /// At most `limit` allocations of a final statement, by claimant, after the claimant `after`.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `statement_not_found`.
    pub fn allocations(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        which: Which,
        after: Option<&Claimant>,
        limit: usize,
    ) -> LedgerResult<Vec<Allocation>> {
        let revision = self.final_revision(scope, epoch, which)?;
        let mut found = Vec::new();
        if limit == 0 {
            return Ok(found);
        }
        let prefix = (scope, epoch, revision);
        let mut visit = |key, record| {
            found.push(allocation_of(key, record));
            Ok(if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        };
        match after {
            None => self.for_each_with_prefix(ALLOCATIONS, &prefix, &mut visit)?,
            Some(after) => {
                let start = Bound::Excluded((scope, epoch, revision, after.clone()));
                let end = Bound::Excluded((scope, epoch, revision.next(), first_claimant()?));
                self.for_each(ALLOCATIONS, (start, end), &mut visit)?;
            }
        }
        Ok(found)
    }

    /// What a claimant gets by a final statement; none where the claimant is not in it.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `statement_not_found`.
    pub fn allocation(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        which: Which,
        claimant: &Claimant,
    ) -> LedgerResult<Option<Allocation>> {
        let key = (scope, epoch, self.final_revision(scope, epoch, which)?, claimant.clone());
        Ok(self.get(ALLOCATIONS, &key)?.map(|record| allocation_of(key, record)))
    }

    /// What a claimant gets by the statements in force, by scope and epoch.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn payouts_of(&self, claimant: &Claimant) -> LedgerResult<Vec<ClaimantPayout>> {
        let mut payouts = Vec::new();
        for (scope, _) in self.with_prefix(SCOPES, &All)? {
            for ((_, epoch), record) in self.with_prefix(EPOCHS, &scope)? {
                let Some(revision) = record.final_revision else { continue };
                let key = (scope, epoch, revision, claimant.clone());
                if let Some(row) = self.get(ALLOCATIONS, &key)? {
                    payouts.push(ClaimantPayout { scope, allocation: allocation_of(key, row) });
                }
            }
        }
        Ok(payouts)
    }

    /// The revision of a final statement.
    pub(crate) fn final_revision(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        which: Which,
    ) -> LedgerResult<Revision> {
        scope_record(self, scope)?;
        let record = epoch_record(self, scope, epoch)?;
        let revision = stored_revision(epoch, &record, which)?;
        match self.contains(crate::rules::tables::FINALS, &(scope, epoch, revision))? {
            true => Ok(revision),
            false => super::record::refuse(meed_audit::Rejection::new(
                meed_audit::RejectionCode::StatementNotFound,
                format!("epoch {epoch}"),
                "a final statement",
                format!("revision {revision}, which is not final"),
            )),
        }
    }
}

/// No claimant's key sorts before it.
fn first_claimant() -> Result<Claimant, StorageError> {
    super::record::sound("claimant", "identity:discord:1".parse())
}
