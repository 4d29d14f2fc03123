//! Approvals of drafts. A signature proves itself: who brings it does not matter.

use meed_audit::approve::check_signature;
use meed_audit::ids::{EpochNumber, Revision, ScopeId};
use meed_audit::time::Timestamp;
use meed_audit::{Rejection, RejectionCode};
use meed_keys::{SignatureLine, SigningWindow};

use crate::error::StorageError;
use crate::key::KeyText;
use crate::ledger::Ledger;
use crate::rules::approvers::set_text;
use crate::rules::drafts::{no_draft, stored_statement};
use crate::rules::epochs::epoch_record;
use crate::rules::pool::Added;
use crate::rules::record::{LedgerResult, demand, refuse};
use crate::rules::scopes::scope_record;
use crate::rules::tables::{DRAFTS, DraftRecord, SIGNATURES, SignatureRecord};
use crate::snapshot::Snapshot;
use crate::table::{RawReader, Reader};
use crate::transaction::Transaction;

/// A signature of a draft, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftSignature {
    /// The draft that it signs.
    pub revision: Revision,
    /// The line.
    pub line: SignatureLine,
    /// When it came.
    pub received_at: Timestamp,
    /// Whether it counts: those of other drafts than the current or final one are evidence only.
    pub counts: bool,
}

/// What became of a signature.
enum Outcome {
    Added,
    Same,
    /// It is of an older draft, and kept as evidence.
    Outdated(Revision),
}

impl Ledger {
    /// Adds an approver's signature of the current draft. The same key again changes nothing.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `draft_not_found`; `draft_not_current` for a signature of an older draft,
    /// which is kept as evidence; `signature_invalid`, `signer_unknown`, `signature_out_of_time`, `sign_by_passed`.
    pub fn add_signature(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        line: SignatureLine,
        now: Timestamp,
    ) -> LedgerResult<Added> {
        let outcome = self.run(move |tx| add_signature(tx, scope, epoch, &line, now))?;
        match outcome {
            Outcome::Added => Ok(Added::New),
            Outcome::Same => Ok(Added::Same),
            Outcome::Outdated(revision) => {
                let got = format!("one of revision {revision}, kept as evidence");
                let expected = "a signature of the current draft";
                refuse(Rejection::new(RejectionCode::DraftNotCurrent, "signature", expected, got))
            }
        }
    }
}

impl Snapshot {
    /// All signatures of an epoch's drafts, by revision and key name.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`.
    pub fn signatures(&self, scope: ScopeId, epoch: EpochNumber) -> LedgerResult<Vec<DraftSignature>> {
        scope_record(self, scope)?;
        let record = epoch_record(self, scope, epoch)?;
        let mut signatures = Vec::new();
        for ((_, _, revision, _), signature) in self.with_prefix(SIGNATURES, &(scope, epoch))? {
            let counts = record.current_draft == Some(revision)
                || (record.current_draft.is_none() && record.final_revision == Some(revision));
            let line = parse(&signature.line)?;
            signatures.push(DraftSignature { revision, line, received_at: signature.received_at, counts });
        }
        Ok(signatures)
    }
}

fn parse(line: &str) -> Result<SignatureLine, StorageError> {
    line.parse().map_err(|error| {
        StorageError::corrupt(SIGNATURES.name(), &[], format!("expected a signature line, got {error}"))
    })
}

/// The stored signature lines of a draft, by key name.
pub(crate) fn lines_of(
    reader: &impl RawReader,
    scope: ScopeId,
    epoch: EpochNumber,
    revision: Revision,
) -> Result<Vec<SignatureLine>, StorageError> {
    let records = reader.with_prefix(SIGNATURES, &(scope, epoch, revision))?;
    records.iter().map(|(_, record)| parse(&record.line)).collect()
}

fn add_signature(
    tx: &mut Transaction,
    scope: ScopeId,
    epoch: EpochNumber,
    line: &SignatureLine,
    now: Timestamp,
) -> LedgerResult<Outcome> {
    scope_record(tx, scope)?;
    let record = epoch_record(tx, scope, epoch)?;
    let Some(revision) = record.current_draft else {
        let refusal = no_draft(epoch, None);
        return keep_evidence(tx, scope, epoch, line, now, refusal);
    };
    let draft = demand(tx, DRAFTS, &(scope, epoch, revision))?;
    let key = (scope, epoch, revision, line.name().as_str().parse::<KeyText>()?);
    let set = set_text(tx, scope, draft.approvers)?;
    match check_signature(&stored_statement(&draft.note)?, &set, line) {
        Ok(()) if tx.contains(SIGNATURES, &key)? => Ok(Outcome::Same),
        Ok(()) if now > draft.sign_by => {
            let expected = format!("a time up to {}", draft.sign_by);
            refuse(Rejection::new(RejectionCode::SignByPassed, "signature", expected, now))
        }
        Ok(()) => {
            tx.insert(SIGNATURES, &key, &SignatureRecord { line: line.to_string(), received_at: now })?;
            Ok(Outcome::Added)
        }
        Err(refusal) => keep_evidence(tx, scope, epoch, line, now, refusal),
    }
}

/// Keeps a valid signature of another draft of the epoch, which never counts; else gives the refusal.
fn keep_evidence(
    tx: &mut Transaction,
    scope: ScopeId,
    epoch: EpochNumber,
    line: &SignatureLine,
    now: Timestamp,
    refusal: Rejection,
) -> LedgerResult<Outcome> {
    let current = epoch_record(tx, scope, epoch)?.current_draft;
    for ((_, _, revision), draft) in tx.with_prefix(DRAFTS, &(scope, epoch))? {
        if current == Some(revision) || !signs(tx, scope, &draft, line)? {
            continue;
        }
        let key = (scope, epoch, revision, line.name().as_str().parse::<KeyText>()?);
        if !tx.contains(SIGNATURES, &key)? {
            tx.insert(SIGNATURES, &key, &SignatureRecord { line: line.to_string(), received_at: now })?;
        }
        return Ok(Outcome::Outdated(revision));
    }
    refuse(refusal)
}

fn signs(
    reader: &impl RawReader,
    scope: ScopeId,
    draft: &DraftRecord,
    line: &SignatureLine,
) -> LedgerResult<bool> {
    let statement = stored_statement(&draft.note)?;
    let set = set_text(reader, scope, draft.approvers)?;
    Ok(set.set.check_approval(&statement.note_text()?, line, SigningWindow::ANY_TIME).is_ok())
}
