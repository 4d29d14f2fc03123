//! Allocations of final statements, in the order of their leaves.

use std::ops::ControlFlow;

use meed_audit::allocation::{Allocation, AllocationV1};
use meed_audit::close::ClosedEpoch;
use meed_audit::ids::{Claimant, EpochNumber, Revision, ScopeId};
use meed_audit::{Rejection, RejectionCode};

use crate::codec::{self, Record as _};
use crate::error::StorageError;
use crate::key::{Key as _, KeyText};
use crate::rules::allocation_blocks::{Block, BlockRow, build_blocks};
use crate::rules::epochs::epoch_record;
use crate::rules::input::{Which, stored_revision};
use crate::rules::record::{BytesRecord, LedgerResult};
use crate::rules::scopes::scope_record;
use crate::rules::tables::{ALLOCATIONS, FINALS, FinalRecord};
use crate::snapshot::Snapshot;
use crate::table::{RawReader, Reader};
use crate::transaction::Transaction;

/// Which final statement's allocation tree.
pub(crate) type TreePlace = (ScopeId, EpochNumber, Revision);

/// A payout of a claimant, in one epoch's statement in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimantPayout {
    /// The scope.
    pub scope: ScopeId,
    /// The allocation, which names epoch and revision.
    pub allocation: Allocation,
}

/// What the final statements of one epoch say of a claimant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimantHistory {
    /// The scope.
    pub scope: ScopeId,
    /// The epoch.
    pub epoch: EpochNumber,
    /// Each final revision, ascending, with what it gives the claimant; none where it does not name them. The last one is
    /// in force.
    pub revisions: Vec<(Revision, Option<Allocation>)>,
}

/// The blocks of an allocation tree, ready to be written.
pub(crate) struct AllocationRows {
    blocks: Vec<(KeyText, BytesRecord)>,
}

impl AllocationRows {
    /// Builds the blocks of a closed epoch.
    pub(crate) fn build(closed: &ClosedEpoch) -> Result<Self, StorageError> {
        Ok(Self { blocks: build_blocks(&closed.allocation_hashes, &closed.allocations)? })
    }

    /// The blocks under their keys.
    pub(crate) fn blocks(&self) -> &[(KeyText, BytesRecord)] {
        &self.blocks
    }

    /// Writes the blocks in the order of their keys.
    pub(crate) fn write(
        &self,
        tx: &mut Transaction,
        (scope, epoch, revision): TreePlace,
    ) -> Result<(), StorageError> {
        let sealed = self.blocks.iter().map(|(start, block)| {
            let key = (scope, epoch, revision, start.clone()).to_bytes();
            codec::seal(ALLOCATIONS.name(), &key, block).map(|sealed| (key, sealed))
        });
        tx.insert_sorted(ALLOCATIONS.name(), sealed)
    }
}

/// The allocation of a row.
pub(crate) fn allocation_of(
    (scope, epoch, revision): TreePlace,
    row: &BlockRow<'_>,
) -> Result<Allocation, StorageError> {
    let record = row.record()?;
    Ok(Allocation {
        claimant: row.claimant()?,
        credits: record.credits,
        epoch,
        events: record.events,
        final_units: record.final_units,
        override_reason: record.override_reason,
        proposed_units: record.proposed_units,
        revision,
        scope,
        v: AllocationV1,
    })
}

/// Hands the block in which a claimant stands, or would stand, to `visit`: the last one not beyond it.
pub(crate) fn with_block<T>(
    reader: &(impl RawReader + ?Sized),
    place: TreePlace,
    claimant: &Claimant,
    visit: impl FnOnce(&Block<'_>) -> Result<T, StorageError>,
) -> Result<Option<T>, StorageError> {
    let wanted = (place.0, place.1, place.2, KeyText::of_claimant(claimant)).to_bytes();
    let prefix = place.to_bytes();
    let (mut visit, mut found) = (Some(visit), None);
    reader.raw_last_to(ALLOCATIONS.name(), &wanted, &mut |key, sealed| {
        if !key.starts_with(&prefix) {
            return Ok(());
        }
        let body = codec::unseal_body(ALLOCATIONS.name(), key, BytesRecord::VERSION, sealed)?;
        let block = Block::parse(codec::decode(ALLOCATIONS.name(), key, body)?)?;
        found = visit.take().map(|visit| visit(&block)).transpose()?;
        Ok(())
    })?;
    Ok(found)
}

/// What a claimant gets by a final statement.
pub(crate) fn find_allocation(
    reader: &(impl RawReader + ?Sized),
    place: TreePlace,
    claimant: &Claimant,
) -> Result<Option<Allocation>, StorageError> {
    let found = with_block(reader, place, claimant, |block| {
        block.find(claimant)?.map(|row| allocation_of(place, &row)).transpose()
    })?;
    Ok(found.flatten())
}

/// All allocations of a final statement, in the order of their leaves.
pub(crate) fn all_allocations(
    reader: &impl RawReader,
    place: TreePlace,
) -> Result<Vec<Allocation>, StorageError> {
    let mut found = Vec::new();
    reader.for_each_with_prefix(ALLOCATIONS, &place, &mut |_, block| {
        for row in Block::parse(&block.0)?.rows() {
            found.push(allocation_of(place, &row?)?);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
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
        let from = after.map_or_else(KeyText::default, KeyText::after_claimant);
        Ok(self.allocations_from(scope, epoch, which, &from, limit)?.items)
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
        let place = (scope, epoch, self.final_revision(scope, epoch, which)?);
        Ok(find_allocation(self, place, claimant)?)
    }

    /// What a claimant gets by the statements in force, by scope and epoch.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn payouts_of(&self, claimant: &Claimant) -> LedgerResult<Vec<ClaimantPayout>> {
        Ok(self.payouts_from(claimant, None, usize::MAX)?.items)
    }

    /// The revision of a final statement.
    pub(crate) fn final_revision(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        which: Which,
    ) -> LedgerResult<Revision> {
        Ok(self.final_record(scope, epoch, which)?.0)
    }

    /// A final statement's revision and what is stored about it.
    pub(crate) fn final_record(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        which: Which,
    ) -> LedgerResult<(Revision, FinalRecord)> {
        let owner = epoch_record(self, scope, epoch).or_else(|missing| {
            // Where there is an epoch there is its scope.
            scope_record(self, scope)?;
            Err(missing)
        })?;
        let revision = stored_revision(epoch, &owner, which)?;
        let record = self.get(FINALS, &(scope, epoch, revision))?.ok_or_else(|| {
            Rejection::new(
                RejectionCode::StatementNotFound,
                format!("epoch {epoch}"),
                "a final statement",
                format!("revision {revision}, which is not final"),
            )
        })?;
        Ok((revision, record))
    }
}
