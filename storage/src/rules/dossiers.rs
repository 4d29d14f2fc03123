//! Dossiers, and the node's own recomputation.

use meed_audit::approve::node_verifier;
use meed_audit::close::{ClosedEpoch, DraftTerms};
use meed_audit::dossier::{Dossier, LogGrowth, PreviousEpoch, compare_texts};
use meed_audit::hash::Hash;
use meed_audit::ids::{EpochNumber, ScopeId};
use meed_audit::statement::{Statement, TreeHead};

use crate::log::LogKind;
use crate::meta::NodeRecord;
use crate::rules::allocations::all_allocations;
use crate::rules::compute::close_from_log;
use crate::rules::input::{Which, epoch_events};
use crate::rules::notes::node_key;
use crate::rules::record::LedgerResult;
use crate::rules::tables::{APPROVER_SETS, CHAIN, ChainRecord, EPOCHS};
use crate::snapshot::Snapshot;
use crate::table::Reader;

impl Snapshot {
    /// All that recomputing a draft or a final statement needs, as an approver reads it offline.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `draft_not_found`, `statement_not_found`.
    pub fn dossier(&self, scope: ScopeId, epoch: EpochNumber, which: Which) -> LedgerResult<Dossier> {
        let mut dossier = self.dossier_outline(scope, epoch, which)?;
        dossier.input.events = epoch_events(self, scope, &dossier.input.windows)?;
        for given in [&mut dossier.previous, &mut dossier.superseded].into_iter().flatten() {
            given.allocations =
                all_allocations(self, (scope, given.statement.epoch, given.statement.revision))?;
        }
        Ok(dossier)
    }

    /// As [`Snapshot::dossier`], without what may be too much to be held: the events, and the allocations of earlier
    /// statements.
    ///
    /// # Errors
    /// As there.
    pub fn dossier_outline(&self, scope: ScopeId, epoch: EpochNumber, which: Which) -> LedgerResult<Dossier> {
        let draft = self.draft(scope, epoch, which)?;
        let input = self.epoch_terms(scope, epoch, Which::Revision(draft.statement.revision))?;
        let sets = self
            .range(APPROVER_SETS, (scope, meed_audit::ids::SetVersion::FIRST)..=(scope, draft.approvers))?;
        let log_key = node_verifier(&input.events_log, &node_key(&NodeRecord::read(self)?)?)?;
        let DraftTerms { previous, supersedes, .. } = input.draft;
        let superseded = supersedes.filter(|_| supersedes != previous);
        let chain = self.chain(scope)?;
        Ok(Dossier {
            note: draft.note,
            log_key,
            approver_notes: sets.into_iter().map(|(_, record)| record.note).collect(),
            growth: self.growth(scope, epoch)?,
            earlier: self.earlier(scope, &chain, previous)?,
            previous: self.final_epoch(scope, &chain, previous)?,
            superseded: self.final_epoch(scope, &chain, superseded)?,
            input,
        })
    }

    /// Computes a draft or final statement again and compares every byte.
    ///
    /// # Errors
    /// `recomputation_differs`; those of [`Snapshot::epoch_input`].
    pub fn verification(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        which: Which,
    ) -> LedgerResult<ClosedEpoch> {
        let draft = self.draft(scope, epoch, which)?;
        let input = self.epoch_terms(scope, epoch, Which::Revision(draft.statement.revision))?;
        let closed = close_from_log(self, &input)?;
        compare_texts(&draft.statement.to_string(), &closed.statement.to_string())?;
        Ok(closed)
    }

    /// The scope's final statements, in their order.
    fn chain(&self, scope: ScopeId) -> LedgerResult<Vec<ChainRecord>> {
        Ok(self.with_prefix(CHAIN, &scope)?.into_iter().map(|(_, link)| link).collect())
    }

    /// The statements of the chain before the one with this hash.
    fn earlier(
        &self,
        scope: ScopeId,
        chain: &[ChainRecord],
        previous: Option<Hash>,
    ) -> LedgerResult<Vec<Statement>> {
        let before = chain.iter().take_while(|link| Some(link.text_hash) != previous);
        let read = |link: &ChainRecord| {
            self.final_statement(scope, link.epoch, Which::Revision(link.revision)).map(|last| last.statement)
        };
        // The scope's first statement has none before it, whatever came later.
        before.filter(|_| previous.is_some()).map(read).collect()
    }

    /// The final statement with this hash, if one is named, without its allocations.
    fn final_epoch(
        &self,
        scope: ScopeId,
        chain: &[ChainRecord],
        hash: Option<Hash>,
    ) -> LedgerResult<Option<PreviousEpoch>> {
        let Some(link) = chain.iter().find(|link| Some(link.text_hash) == hash) else { return Ok(None) };
        let last = self.final_statement(scope, link.epoch, Which::Revision(link.revision))?;
        Ok(Some(PreviousEpoch { note: last.note, statement: last.statement, allocations: Vec::new() }))
    }

    /// How the events log grew from close to close, up to this epoch.
    fn growth(&self, scope: ScopeId, epoch: EpochNumber) -> LedgerResult<Vec<LogGrowth>> {
        let records = self.with_prefix(EPOCHS, &scope)?;
        let pinned = records.into_iter().take_while(|((_, number), _)| *number <= epoch);
        let heads: Vec<TreeHead> = pinned
            .filter_map(|(_, record)| record.closed)
            .map(|closed| TreeHead { size: closed.log_size, root: closed.log_root })
            .collect();
        let mut growth = Vec::new();
        for pair in heads.windows(2) {
            if let [from, to] = pair {
                growth.push(LogGrowth {
                    from_size: from.size,
                    from_root: from.root,
                    to_size: to.size,
                    to_root: to.root,
                    path: self.consistency_path(LogKind::Events, from.size, to.size)?,
                });
            }
        }
        Ok(growth)
    }
}
