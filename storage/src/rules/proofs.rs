//! Proof files and trust files, out of one view: a few reads, never a rebuild.

use std::ops::{Bound, ControlFlow};

use meed_audit::allocation::Allocation;
use meed_audit::approve::node_verifier;
use meed_audit::hash::Hash;
use meed_audit::ids::{Claimant, EpochNumber, Revision, ScopeId, SetVersion};
use meed_audit::leaf::Leaf;
use meed_audit::merkle::{PathError, inclusion_path};
use meed_audit::proof::{AbsenceProof, AbsenceProofV1, PayoutProof, PayoutProofV1, Proof};
use meed_audit::tlog_proof::TlogProof;
use meed_audit::trust::{LogKey, Trust};

use crate::error::StorageError;
use crate::log::LogKind;
use crate::meta::NodeRecord;
use crate::rules::allocations::allocation_of;
use crate::rules::approvers::{node_key, set_text};
use crate::rules::finalize::FinalStatement;
use crate::rules::input::Which;
use crate::rules::record::LedgerResult;
use crate::rules::scopes::scope_record;
use crate::rules::tables::{ALLOCATION_TILES, ALLOCATIONS, APPROVER_SETS, AllocationRecord};
use crate::snapshot::Snapshot;
use crate::table::Reader;
use crate::tiles::TableTiles;

/// A row of an allocation tree, with its key.
type Row = ((ScopeId, EpochNumber, Revision, Claimant), AllocationRecord);

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
        let statement = self.final_statement(scope, epoch, which)?;
        let revision = statement.statement.revision;
        let log = self.log_proof(None, statement.log_index)?;
        let approver_sets = self.approver_set_proofs(scope, since, statement.statement.approvers.version)?;
        let place = (scope, epoch, revision);
        if let Some(leaf) = self.allocation_leaf(place, statement.statement.tree_size(), claimant)? {
            let payout = write_proof(Some(leaf.allocation.encode()), leaf.index, leaf.path, statement.note)?;
            return Ok(Proof::Payout(PayoutProof { approver_sets, format: PayoutProofV1, log, payout }));
        }
        let claimant = claimant.clone();
        let (left, right) = self.neighbour_proofs(&statement, &(scope, epoch, revision, claimant.clone()))?;
        Ok(Proof::Absence(AbsenceProof { approver_sets, claimant, format: AbsenceProofV1, left, log, right }))
    }

    /// What a claimant gets by the final statement of `place`, whose allocation tree has `size` leaves, with what shows
    /// it; none where the claimant is not in it. A few reads: the row, and a tile for each level of tiles.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn allocation_leaf(
        &self,
        place: (ScopeId, EpochNumber, Revision),
        size: u64,
        claimant: &Claimant,
    ) -> LedgerResult<Option<AllocationLeaf>> {
        let key = (place.0, place.1, place.2, claimant.clone());
        let Some(record) = self.get(ALLOCATIONS, &key)? else { return Ok(None) };
        let index = record.index;
        let path = self.allocation_path(place, index, size)?;
        Ok(Some(AllocationLeaf { index, allocation: allocation_of(key, record), path }))
    }

    /// The inclusion path of leaf `index` in the allocation tree of a final statement: a read a level of tiles.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn allocation_path(
        &self,
        (scope, epoch, revision): (ScopeId, EpochNumber, Revision),
        index: u64,
        size: u64,
    ) -> LedgerResult<Vec<Hash>> {
        let key = |level, tile| (scope, epoch, revision, level, tile);
        let tiles = TableTiles::new(self, ALLOCATION_TILES, key);
        inclusion_path(&tiles, index, size).map_err(|error| match error {
            PathError::Source(error) => error.into(),
            other => StorageError::corrupt(ALLOCATION_TILES.name(), &[], other.to_string()).into(),
        })
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
        let checkpoint = self.checkpoint(LogKind::Statements)?;
        let path = self.inclusion_path(LogKind::Statements, index, self.log_size(LogKind::Statements)?)?;
        write_proof(extra, index, path, checkpoint)
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

    /// The tlog-proof of an allocation under its signed statement.
    fn row_proof(&self, statement: &FinalStatement, (key, record): Row) -> LedgerResult<String> {
        let index = record.index;
        let place = (key.0, key.1, key.2);
        let leaf = allocation_of(key, record).encode();
        self.leaf_proof(statement, place, leaf, index)
    }

    fn leaf_proof(
        &self,
        statement: &FinalStatement,
        place: (ScopeId, EpochNumber, Revision),
        leaf: Vec<u8>,
        index: u64,
    ) -> LedgerResult<String> {
        let path = self.allocation_path(place, index, statement.statement.tree_size())?;
        write_proof(Some(leaf), index, path, statement.note.clone())
    }

    /// Proofs of the claimants between whom `key` would stand; of leaf 0 where there are none at all.
    fn neighbour_proofs(
        &self,
        statement: &FinalStatement,
        key: &(ScopeId, EpochNumber, Revision, Claimant),
    ) -> LedgerResult<(Option<String>, Option<String>)> {
        let place = (key.0, key.1, key.2);
        let left = self.last_at_or_before(ALLOCATIONS, &place, key)?;
        let right = self.row_after(key)?;
        if left.is_none() && right.is_none() {
            let leaf = statement.statement.leaf_zero();
            return Ok((Some(self.leaf_proof(statement, place, leaf, 0)?), None));
        }
        let left = left.map(|row| self.row_proof(statement, row)).transpose()?;
        let right = right.map(|row| self.row_proof(statement, row)).transpose()?;
        Ok((left, right))
    }

    fn row_after(
        &self,
        key: &(ScopeId, EpochNumber, Revision, Claimant),
    ) -> Result<Option<Row>, StorageError> {
        let mut found = None;
        self.for_each(ALLOCATIONS, (Bound::Excluded(key.clone()), Bound::Unbounded), &mut |next, record| {
            let is_same_tree = (next.0, next.1, next.2) == (key.0, key.1, key.2);
            found = is_same_tree.then_some((next, record));
            Ok(ControlFlow::Break(()))
        })?;
        Ok(found)
    }
}

fn write_proof(extra: Option<Vec<u8>>, index: u64, path: Vec<Hash>, note: String) -> LedgerResult<String> {
    let proof = TlogProof::new(extra, index, path, note)
        .map_err(|error| StorageError::internal(format!("a tlog-proof could not be made: {error}")))?;
    Ok(proof.to_string())
}
