//! Finalizing: the recomputed statement, its allocations with their tree, and the entry of the statements log, in one
//! transaction.

use meed_audit::approve::{Approved, approve};
use meed_audit::dossier::compare_texts;
use meed_audit::hash::Hash;
use meed_audit::ids::{EpochNumber, Revision, ScopeId};
use meed_audit::statement::Statement;
use meed_audit::time::Timestamp;
use meed_audit::{Rejection, RejectionCode};

use crate::error::StorageError;
use crate::ledger::Ledger;
use crate::rules::allocations::AllocationRows;
use crate::rules::approvers::{set_text, stored_note, whole_note};
use crate::rules::compute::close_from_log;
use crate::rules::drafts::{no_draft, stored_statement};
use crate::rules::epochs::epoch_record;
use crate::rules::input::{Which, chain_end};
use crate::rules::record::{By, LedgerResult, demand, refuse};
use crate::rules::scopes::{is_amending, living_scope, scope_record};
use crate::rules::signatures::lines_of;
use crate::rules::tables::{CHAIN, ChainRecord, DRAFTS, DraftRecord, EPOCHS, FINALS, FinalRecord, SCOPES};
use crate::snapshot::Snapshot;
use crate::statements::STATEMENT_ENTRIES;
use crate::table::Reader;
use crate::transaction::Transaction;

/// A final statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalStatement {
    /// The statement.
    pub statement: Statement,
    /// SHA-256 of its text.
    pub text_hash: Hash,
    /// The signed note, as the statements log holds it.
    pub note: String,
    /// Where the log holds it.
    pub log_index: u64,
    /// When it was finalized.
    pub at: Timestamp,
    /// Whether it is the epoch's statement in force: the last one.
    pub in_force: bool,
}

impl Ledger {
    /// Finalizes the current draft of an epoch: it is approved by k of n, computed again from the ledger and compared
    /// byte for byte; then its allocations with their tree and its entry in the statements log are written in one
    /// transaction. Finalizing what is final already gives it (rule `EPOCH_FINALIZE_IDEMPOTENT`).
    ///
    /// Everything that a draft is computed from is pinned, so that this is done from a snapshot, beside the writer.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `scope_ended`, `draft_not_found`, `quorum_missing`,
    /// `recomputation_differs`, `draft_not_current` where another statement was finalized since the freeze.
    pub fn finalize(&self, scope: ScopeId, epoch: EpochNumber, by: By) -> LedgerResult<FinalStatement> {
        let snapshot = self.snapshot()?;
        let record = epoch_record_of(&snapshot, scope, epoch)?;
        let Some(revision) = record else { return snapshot.final_statement(scope, epoch, Which::Final) };
        let approved = approved_draft(&snapshot, scope, epoch, revision)?;
        let rows = recompute(&snapshot, scope, epoch, revision, approved.statement())?;
        drop(snapshot);
        self.run(move |tx| write_final(tx, (scope, epoch, revision), &approved, &rows, &by))?;
        self.snapshot()?.final_statement(scope, epoch, Which::Revision(revision))
    }
}

impl Snapshot {
    /// The draft that finalizing would make final, with the approvals that count; none where the epoch is final already
    /// and nothing is offered.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `scope_ended`, `draft_not_found`, `quorum_missing`.
    pub fn approved(&self, scope: ScopeId, epoch: EpochNumber) -> LedgerResult<Option<Approved>> {
        let revision = epoch_record_of(self, scope, epoch)?;
        revision.map(|revision| approved_draft(self, scope, epoch, revision)).transpose()
    }

    /// A final statement.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `statement_not_found`.
    pub fn final_statement(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        which: Which,
    ) -> LedgerResult<FinalStatement> {
        let (revision, record) = self.final_record(scope, epoch, which)?;
        let note = self.statement_entry(record.log_index)?;
        Ok(FinalStatement {
            statement: stored_statement(&note)?,
            text_hash: record.text_hash,
            note,
            log_index: record.log_index,
            at: record.at,
            in_force: epoch_record(self, scope, epoch)?.final_revision == Some(revision),
        })
    }

    /// Every final statement of a scope, in the order of the statements log.
    ///
    /// # Errors
    /// `scope_not_found`.
    pub fn final_statements(&self, scope: ScopeId) -> LedgerResult<Vec<FinalStatement>> {
        scope_record(self, scope)?;
        let chain = self.with_prefix(CHAIN, &scope)?;
        let read = |(_, link): ((ScopeId, u64), ChainRecord)| {
            self.final_statement(scope, link.epoch, Which::Revision(link.revision))
        };
        chain.into_iter().map(read).collect()
    }

    /// Every final statement of an epoch, by revision: the last one is in force, and each before it was replaced by the
    /// one after it.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`.
    pub fn final_statements_of(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
    ) -> LedgerResult<Vec<FinalStatement>> {
        scope_record(self, scope)?;
        epoch_record(self, scope, epoch)?;
        let finals = self.with_prefix(FINALS, &(scope, epoch))?;
        let read = |((_, _, revision), _)| self.final_statement(scope, epoch, Which::Revision(revision));
        finals.into_iter().map(read).collect()
    }

    /// The signed note of a statement: a draft with the approvals so far, or the final one.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `draft_not_found`, `statement_not_found`.
    pub fn statement_note(&self, scope: ScopeId, epoch: EpochNumber, which: Which) -> LedgerResult<String> {
        let draft = self.draft(scope, epoch, which)?;
        let revision = draft.statement.revision;
        if self.contains(FINALS, &(scope, epoch, revision))? {
            return Ok(self.final_statement(scope, epoch, Which::Revision(revision))?.note);
        }
        let (text, mut lines) = stored_note(DRAFTS.name(), &draft.note)?.into_parts();
        lines.extend(lines_of(self, scope, epoch, revision)?);
        Ok(whole_note(text, lines)?.to_string())
    }

    /// An entry of the statements log as text.
    pub(crate) fn statement_entry(&self, index: u64) -> LedgerResult<String> {
        let entry = demand(self, STATEMENT_ENTRIES, &index)?;
        String::from_utf8(entry.note).map_err(|error| {
            let key = index.to_be_bytes();
            StorageError::corrupt("statement_entries", &key, format!("expected UTF-8, got {error}")).into()
        })
    }
}

/// The revision to finalize; none where the epoch is final and nothing is offered.
fn epoch_record_of(
    snapshot: &Snapshot,
    scope: ScopeId,
    epoch: EpochNumber,
) -> LedgerResult<Option<Revision>> {
    scope_record(snapshot, scope)?;
    let record = epoch_record(snapshot, scope, epoch)?;
    match (record.current_draft, record.final_revision) {
        (Some(revision), _) => {
            living_scope(snapshot, scope)?;
            Ok(Some(revision))
        }
        (None, Some(_)) => Ok(None),
        (None, None) => refuse(no_draft(epoch, None)),
    }
}

/// The draft, if enough approvers have signed it in time.
fn approved_draft(
    snapshot: &Snapshot,
    scope: ScopeId,
    epoch: EpochNumber,
    revision: Revision,
) -> LedgerResult<Approved> {
    let draft = demand(snapshot, DRAFTS, &(scope, epoch, revision))?;
    let set = set_text(snapshot, scope, draft.approvers)?;
    let lines = lines_of(snapshot, scope, epoch, revision)?;
    Ok(approve(&stored_statement(&draft.note)?, &set, &lines)?)
}

/// Computes the draft again and compares every byte (rule `DRAFT_PINNED`).
fn recompute(
    snapshot: &Snapshot,
    scope: ScopeId,
    epoch: EpochNumber,
    revision: Revision,
    statement: &Statement,
) -> LedgerResult<AllocationRows> {
    let input = snapshot.epoch_terms(scope, epoch, Which::Revision(revision))?;
    let closed = close_from_log(snapshot, &input)?;
    compare_texts(&statement.to_string(), &closed.statement.to_string())?;
    Ok(AllocationRows::build(&closed)?)
}

fn write_final(
    tx: &mut Transaction,
    (scope, epoch, revision): (ScopeId, EpochNumber, Revision),
    approved: &Approved,
    rows: &AllocationRows,
    by: &By,
) -> LedgerResult<()> {
    let mut owner = living_scope(tx, scope)?;
    let mut record = epoch_record(tx, scope, epoch)?;
    if record.final_revision == Some(revision) {
        return Ok(());
    }
    let draft = demand(tx, DRAFTS, &(scope, epoch, revision))?;
    let (number, last) = chain_end(tx, scope)?;
    let is_next = record.current_draft == Some(revision) && draft.previous == last.map(|last| last.text_hash);
    if !is_next {
        let expected = "the current draft, after the scope's last final statement";
        let got = format!("revision {revision}, frozen before another one was finalized");
        return refuse(Rejection::new(
            RejectionCode::DraftNotCurrent,
            format!("epoch {epoch}"),
            expected,
            got,
        ));
    }
    let note = signed_note(&draft, approved)?;
    let text_hash = approved.statement().text_hash();
    rows.write(tx, (scope, epoch, revision))?;
    let log_index = tx.append_statement_entry(note.as_bytes())?;
    let stored = FinalRecord { log_index, approvers: draft.approvers, text_hash, at: by.at };
    tx.insert(FINALS, &(scope, epoch, revision), &stored)?;
    tx.insert(CHAIN, &(scope, number), &ChainRecord { epoch, revision, text_hash })?;
    record.final_revision = Some(revision);
    record.current_draft = None;
    tx.insert(EPOCHS, &(scope, epoch), &record)?;
    if is_amending(&owner, epoch) {
        owner.amending = None;
        tx.insert(SCOPES, &scope, &owner)?;
    }
    Ok(())
}

/// The entry of the statements log: text, the node's line, the approvers' lines by key name.
fn signed_note(draft: &DraftRecord, approved: &Approved) -> LedgerResult<String> {
    let (text, mut lines) = stored_note(DRAFTS.name(), &draft.note)?.into_parts();
    lines.extend_from_slice(approved.signatures());
    Ok(whole_note(text, lines)?.to_string())
}
