//! Proof files and trust files, out of one view: a few reads, never a rebuild.

use std::ops::{Bound, ControlFlow};

use meed_audit::allocation::Allocation;
use meed_audit::approve::node_verifier;
use meed_audit::hash::Hash;
use meed_audit::ids::{Claimant, EpochNumber, Revision, ScopeId, SetVersion};
use meed_audit::leaf::Leaf;
use meed_audit::proof::{AbsenceProof, AbsenceProofV1, PayoutFrame, PayoutProof, PayoutProofV1, Proof};
use meed_audit::tlog_proof::{TlogProof, TlogProofError};
use meed_audit::trust::{LogKey, Trust};

use crate::error::StorageError;
use crate::key::KeyText;
use crate::log::{CHECKPOINTS, CheckpointRecord, LogKind, inclusion_path};
use crate::meta::NodeRecord;
use crate::rules::allocation_blocks::{Block, BlockRow};
use crate::rules::allocations::{TreePlace, allocation_of, with_block};
use crate::rules::approvers::set_text;
use crate::rules::drafts::stored_statement;
use crate::rules::input::Which;
use crate::rules::notes::node_key;
use crate::rules::record::LedgerResult;
use crate::rules::scopes::scope_record;
use crate::rules::tables::{ALLOCATIONS, APPROVER_SETS};
use crate::snapshot::Snapshot;
use crate::table::Reader;

/// A leaf of an allocation tree with what shows that it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllocationLeaf {
    /// Its index in the tree; leaf 0 is no allocation.
    pub index: u64,
    /// The allocation.
    pub allocation: Allocation,
    /// The inclusion path, from the leaf's sibling up.
    pub path: Vec<Hash>,
}

/// What all proofs of one final statement have in common, out of one view: the statement's note, where it stands in the
/// log, and the approver sets. It holds until the statements log grows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofFrame {
    place: TreePlace,
    note: String,
    log: String,
    approver_sets: Vec<String>,
    payouts: PayoutFrame,
}

impl ProofFrame {
    /// What is different for every other frame.
    pub fn digest(&self) -> Hash {
        self.payouts.digest()
    }
}

impl Snapshot {
    /// The proof file of a claimant in a final statement: of the payout, or of absence where the claimant is not in it.
    /// It holds the approver sets after version `since`, the one that the reader's trust file pins.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `statement_not_found`; [`StorageError::Unsigned`] without a signed
    /// checkpoint of the statements log.
    pub fn proof(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        which: Which,
        claimant: &Claimant,
        since: SetVersion,
    ) -> LedgerResult<Proof> {
        self.proof_within(&self.proof_frame(scope, epoch, which, since)?, claimant)
    }

    /// What all proofs of a final statement have in common.
    ///
    /// # Errors
    /// As [`Snapshot::proof`].
    pub fn proof_frame(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        which: Which,
        since: SetVersion,
    ) -> LedgerResult<ProofFrame> {
        let (revision, stored) = self.final_record(scope, epoch, which)?;
        let note = self.statement_entry(stored.log_index)?;
        let log = self.log_proof(None, stored.log_index)?;
        let approver_sets = self.approver_set_proofs(scope, since, stored.approvers)?;
        let payouts = PayoutFrame::new(&approver_sets, &log, &note).map_err(|error| unmade(&error))?;
        Ok(ProofFrame { place: (scope, epoch, revision), note, log, approver_sets, payouts })
    }

    fn proof_within(&self, frame: &ProofFrame, claimant: &Claimant) -> LedgerResult<Proof> {
        let ProofFrame { place, note, log, approver_sets, .. } = frame.clone();
        if let Some(leaf) = self.allocation_leaf(place, claimant)? {
            let payout = write_proof(Some(leaf.allocation.encode()), leaf.index, leaf.path, note)?;
            return Ok(Proof::Payout(PayoutProof { approver_sets, format: PayoutProofV1, log, payout }));
        }
        let claimant = claimant.clone();
        let (left, right) = self.neighbour_proofs(place, &claimant, &note)?;
        Ok(Proof::Absence(AbsenceProof { approver_sets, claimant, format: AbsenceProofV1, left, log, right }))
    }

    /// The bytes of a claimant's proof file, within the frame that this view gave, or an earlier one of as long a
    /// statements log: allocations of a final statement never change.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn proof_file(&self, frame: &ProofFrame, claimant: &Claimant) -> LedgerResult<Vec<u8>> {
        match self.allocation_leaf(frame.place, claimant)? {
            Some(AllocationLeaf { index, allocation, path }) => {
                let file = frame.payouts.file(&allocation.encode(), index, &path);
                Ok(file.map_err(|error| unmade(&error))?)
            }
            None => Ok(self.proof_within(frame, claimant)?.to_file()),
        }
    }

    /// What a claimant gets by the final statement of `place`, with what shows it; none where the claimant is not in
    /// it. It is one read.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn allocation_leaf(
        &self,
        place: (ScopeId, EpochNumber, Revision),
        claimant: &Claimant,
    ) -> LedgerResult<Option<AllocationLeaf>> {
        let leaf = with_block(self, place, claimant, |block| {
            block.find(claimant)?.map(|row| leaf_of(place, block, &row)).transpose()
        })?;
        Ok(leaf.flatten())
    }

    /// The trust file that a verifier of a scope starts from: version 1 of the approver set, the log key, and `policy`,
    /// the tlog-policy of witnesses; where there is none, no witness is asked for.
    ///
    /// # Errors
    /// `scope_not_found`, `approvers_missing`, and those of [`Trust::new`].
    pub fn trust(&self, scope: ScopeId, policy: Option<&str>) -> LedgerResult<Trust> {
        let owner = scope_record(self, scope)?;
        if !self.contains(APPROVER_SETS, &(scope, SetVersion::FIRST))? {
            return super::record::refuse(super::approvers::approvers_missing(owner.key.as_str()));
        }
        let set = set_text(self, scope, SetVersion::FIRST)?;
        let origin = self.log_origin(LogKind::Statements)?;
        let key = node_verifier(&origin, &node_key(&NodeRecord::read(self)?)?)?;
        let default = format!("log {key}\nquorum none\n");
        let policy = policy.unwrap_or(&default);
        Ok(Trust::new(&set, &[], &[LogKey { key, until_size: None }], policy)?)
    }

    /// The tlog-proof of an entry of the statements log under its signed checkpoint.
    fn log_proof(&self, extra: Option<Vec<u8>>, index: u64) -> LedgerResult<String> {
        let log = LogKind::Statements;
        let signed = self.get(CHECKPOINTS, &log.number())?;
        let CheckpointRecord { size, note } = signed.ok_or(StorageError::Unsigned { log: log.name() })?;
        write_proof(extra, index, inclusion_path(self, log, index, size)?, note)
    }

    /// The approver sets after version `since` up to `last`, each with its signed note.
    fn approver_set_proofs(
        &self,
        scope: ScopeId,
        since: SetVersion,
        last: SetVersion,
    ) -> LedgerResult<Vec<String>> {
        if since >= last {
            return Ok(Vec::new());
        }
        let range = (Bound::Excluded((scope, since)), Bound::Included((scope, last)));
        let records = self.range(APPROVER_SETS, range)?;
        let prove = |record: &super::tables::ApproverSetRecord| {
            self.log_proof(Some(record.note.clone().into_bytes()), record.log_index)
        };
        records.iter().map(|(_, record)| prove(record)).collect()
    }

    /// Proofs of the claimants between whom `claimant` would stand; of leaf 0 where there are none at all.
    fn neighbour_proofs(
        &self,
        place: TreePlace,
        claimant: &Claimant,
        note: &str,
    ) -> LedgerResult<(Option<String>, Option<String>)> {
        let found = with_block(self, place, claimant, |block| neighbours_in(block, place, claimant))?;
        let [left, mut right] = found.ok_or_else(|| {
            StorageError::corrupt(ALLOCATIONS.name(), &[], "expected the statement's first block, got none")
        })?;
        if right.is_none() {
            right = self.first_leaf_after(place, claimant)?;
        }
        if left.is_none() && right.is_none() {
            let path = with_block(self, place, claimant, |block| block.path(0))?.unwrap_or_default();
            let leaf = stored_statement(note)?.leaf_zero();
            return Ok((Some(write_proof(Some(leaf), 0, path, note.to_owned())?), None));
        }
        let prove = |leaf: AllocationLeaf| {
            write_proof(Some(leaf.allocation.encode()), leaf.index, leaf.path, note.to_owned())
        };
        Ok((left.map(prove).transpose()?, right.map(prove).transpose()?))
    }

    /// The first row of the first block after `claimant`.
    fn first_leaf_after(
        &self,
        place: TreePlace,
        claimant: &Claimant,
    ) -> Result<Option<AllocationLeaf>, StorageError> {
        let (scope, epoch, revision) = place;
        let start = (scope, epoch, revision, KeyText::of_claimant(claimant));
        let end = (scope, epoch, revision.next(), KeyText::default());
        let mut found = None;
        self.for_each(ALLOCATIONS, (Bound::Excluded(start), Bound::Excluded(end)), &mut |_, block| {
            let block = Block::parse(&block.0)?;
            let first = block.rows().next().transpose()?;
            found = first.map(|row| leaf_of(place, &block, &row)).transpose()?;
            Ok(ControlFlow::Break(()))
        })?;
        Ok(found)
    }
}

fn leaf_of(place: TreePlace, block: &Block<'_>, row: &BlockRow<'_>) -> Result<AllocationLeaf, StorageError> {
    let allocation = allocation_of(place, row)?;
    Ok(AllocationLeaf { index: row.index, allocation, path: block.path(row.index)? })
}

/// The rows of a block before and after the place where a claimant would stand.
fn neighbours_in(
    block: &Block<'_>,
    place: TreePlace,
    claimant: &Claimant,
) -> Result<[Option<AllocationLeaf>; 2], StorageError> {
    let (mut left, mut right) = (None, None);
    for row in block.rows() {
        let row = row?;
        if row.claimant()? > *claimant {
            right = Some(row);
            break;
        }
        left = Some(row);
    }
    let leaf = |row: Option<BlockRow<'_>>| row.map(|row| leaf_of(place, block, &row)).transpose();
    Ok([leaf(left)?, leaf(right)?])
}

fn write_proof(extra: Option<Vec<u8>>, index: u64, path: Vec<Hash>, note: String) -> LedgerResult<String> {
    Ok(TlogProof::new(extra, index, path, note).map_err(|error| unmade(&error))?.to_text())
}

fn unmade(error: &TlogProofError) -> StorageError {
    StorageError::internal(format!("a tlog-proof could not be made: {error}"))
}
