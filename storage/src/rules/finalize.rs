//! Finalizing: the recomputed statement, its allocations with their tree, and the entry of the statements log, in one
//! transaction.

use std::sync::Arc;

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
use crate::rules::approvers::set_text;
use crate::rules::compute::close_from_log;
use crate::rules::drafts::{no_draft, stored_statement};
use crate::rules::epochs::epoch_record;
use crate::rules::input::{Which, chain_end};
use crate::rules::later::{after_draft, came_since};
use crate::rules::notes::{stored_note, whole_note};
use crate::rules::record::{By, LedgerResult, demand, refuse};
use crate::rules::scopes::{is_amending, living_scope, scope_record};
use crate::rules::signatures::lines_of;
use crate::rules::tables::{CHAIN, ChainRecord, DRAFTS, DraftRecord, EPOCHS, FINALS, FinalRecord, SCOPES};
use crate::snapshot::Snapshot;
use crate::statements::STATEMENT_ENTRIES;
use crate::table::{RawReader, Reader};
use crate::transaction::Transaction;

/// How often finalizing looks again where decisions come in while it is at it.
const FINALIZE_ATTEMPTS_MAX: usize = 8;

type Place = (ScopeId, EpochNumber, Revision);

/// What is unusual about finalizing, and meant to be so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FinalizeTerms {
    /// Whether the draft becomes final although decisions that can touch its epoch came after it.
    pub leave_out_later: bool,
}

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
    /// Everything that a draft is computed from is pinned, so that this is done from a snapshot, beside the writer. What
    /// may change until the transaction is asked again in it: the approvals, whose turn it is, and what was decided since.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `scope_ended`, `draft_not_found`, `quorum_missing`,
    /// `recomputation_differs`, `draft_not_current` where another statement was finalized since the freeze,
    /// `decisions_after_draft`; [`StorageError::Busy`] where decisions keep coming in.
    pub fn finalize(&self, scope: ScopeId, epoch: EpochNumber, by: By) -> LedgerResult<FinalStatement> {
        self.finalize_on(scope, epoch, FinalizeTerms::default(), by)
    }

    /// As [`Ledger::finalize`], where decisions that came after the draft may be left out.
    ///
    /// # Errors
    /// As there.
    pub fn finalize_on(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        terms: FinalizeTerms,
        by: By,
    ) -> LedgerResult<FinalStatement> {
        let snapshot = self.snapshot()?;
        let record = epoch_record_of(&snapshot, scope, epoch)?;
        let Some(revision) = record else { return snapshot.final_statement(scope, epoch, Which::Final) };
        let place = (scope, epoch, revision);
        let approved = approved_draft(&snapshot, place)?;
        look_at_later(&snapshot, place, terms)?;
        let rows = Arc::new(recompute(&snapshot, scope, epoch, revision, approved.statement())?);
        drop(snapshot);
        for _ in 0..FINALIZE_ATTEMPTS_MAX {
            let looked_at = look_at_later(&self.snapshot()?, place, terms)?;
            let (rows, by) = (Arc::clone(&rows), by.clone());
            if self.run(move |tx| write_final(tx, place, &rows, looked_at, &by))? {
                return self.snapshot()?.final_statement(scope, epoch, Which::Revision(revision));
            }
        }
        Err(StorageError::Busy { action: "finalize while decisions come in" }.into())
    }
}

/// How many decisions the scope had when none was found that the draft does not hold; none where such decisions are
/// left out.
fn look_at_later(snapshot: &Snapshot, place: Place, terms: FinalizeTerms) -> LedgerResult<Option<u64>> {
    if terms.leave_out_later {
        return Ok(None);
    }
    let later = after_draft(snapshot, place)?;
    later.check(place)?;
    Ok(Some(later.size))
}

impl Snapshot {
    /// The draft that finalizing would make final, with the approvals that count; none where the epoch is final already
    /// and nothing is offered.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `scope_ended`, `draft_not_found`, `quorum_missing`.
    pub fn approved(&self, scope: ScopeId, epoch: EpochNumber) -> LedgerResult<Option<Approved>> {
        let revision = epoch_record_of(self, scope, epoch)?;
        revision.map(|revision| approved_draft(self, (scope, epoch, revision))).transpose()
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
fn approved_draft(reader: &impl RawReader, place: Place) -> LedgerResult<Approved> {
    let (scope, epoch, revision) = place;
    let draft = demand(reader, DRAFTS, &place)?;
    let set = set_text(reader, scope, draft.approvers)?;
    let lines = lines_of(reader, scope, epoch, revision)?;
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

/// Writes what was recomputed, unless decisions came that have to be looked at first: then nothing is written.
fn write_final(
    tx: &mut Transaction,
    place: Place,
    rows: &AllocationRows,
    looked_at: Option<u64>,
    by: &By,
) -> LedgerResult<bool> {
    let (scope, epoch, revision) = place;
    let mut owner = living_scope(tx, scope)?;
    let mut record = epoch_record(tx, scope, epoch)?;
    if record.final_revision == Some(revision) {
        return Ok(true);
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
    if let Some(size) = looked_at
        && came_since(tx, scope, epoch, size)?
    {
        return Ok(false);
    }
    let approved = approved_draft(tx, place)?;
    let note = signed_note(&draft, &approved)?;
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
    Ok(true)
}

/// The entry of the statements log: text, the node's line, the approvers' lines by key name.
fn signed_note(draft: &DraftRecord, approved: &Approved) -> LedgerResult<String> {
    let (text, mut lines) = stored_note(DRAFTS.name(), &draft.note)?.into_parts();
    lines.extend_from_slice(approved.signatures());
    Ok(whole_note(text, lines)?.to_string())
}
