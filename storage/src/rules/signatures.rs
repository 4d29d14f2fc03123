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
use crate::rules::input::Which;
use crate::rules::pool::Added;
use crate::rules::record::{LedgerResult, demand, refuse};
use crate::rules::scopes::scope_record;
use crate::rules::tables::{DRAFTS, DraftRecord, EpochRecord, SIGNATURES, SignatureRecord};
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
    /// Whether it counts for the draft that is offered, or, where none is, for the statement in force: those of other
    /// drafts, and those that came after finalizing, are evidence only.
    pub counts: bool,
}

/// Scope, epoch, revision and the name of the key.
type SignatureKey = (ScopeId, EpochNumber, Revision, KeyText);

/// What a signature is to an epoch.
enum Judged {
    /// It counts, and stands nowhere yet.
    New(SignatureKey),
    /// It stands there already.
    Same,
    /// It is of another draft than the current one, and evidence only.
    Outdated(SignatureKey),
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
        // Anybody may send lines: what a view refuses or has already does not come to the writer.
        if matches!(judge(&self.snapshot()?, scope, epoch, &line, now)?, Judged::Same) {
            return Ok(Added::Same);
        }
        match self.run(move |tx| add_signature(tx, scope, epoch, &line, now))? {
            Judged::New(_) => Ok(Added::New),
            Judged::Same => Ok(Added::Same),
            Judged::Outdated((_, _, revision, _)) => {
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
        let logged = match (record.current_draft, record.final_revision) {
            (None, Some(revision)) => {
                Some((revision, self.final_statement(scope, epoch, Which::Revision(revision))?.note))
            }
            _ => None,
        };
        let counts = |revision: Revision, line: &str| match &logged {
            // What came after finalizing is not in the note that the log holds.
            Some((last, note)) => *last == revision && note.lines().any(|logged| logged == line),
            None => record.current_draft == Some(revision),
        };
        let mut signatures = Vec::new();
        for ((_, _, revision, _), signature) in self.with_prefix(SIGNATURES, &(scope, epoch))? {
            let counts = counts(revision, signature.line.trim_end());
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
) -> LedgerResult<Judged> {
    let judged = judge(tx, scope, epoch, line, now)?;
    if let Judged::New(key) | Judged::Outdated(key) = &judged
        && !tx.contains(SIGNATURES, key)?
    {
        tx.insert(SIGNATURES, key, &SignatureRecord { line: line.to_string(), received_at: now })?;
    }
    Ok(judged)
}

fn judge(
    reader: &impl RawReader,
    scope: ScopeId,
    epoch: EpochNumber,
    line: &SignatureLine,
    now: Timestamp,
) -> LedgerResult<Judged> {
    scope_record(reader, scope)?;
    let record = epoch_record(reader, scope, epoch)?;
    let Some(revision) = record.current_draft else {
        return find_evidence(reader, scope, epoch, line, no_draft(epoch, None));
    };
    let draft = demand(reader, DRAFTS, &(scope, epoch, revision))?;
    let key = (scope, epoch, revision, line.name().as_str().parse::<KeyText>()?);
    let set = set_text(reader, scope, draft.approvers)?;
    match check_signature(&stored_statement(&draft.note)?, &set, line) {
        Ok(()) if reader.contains(SIGNATURES, &key)? => Ok(Judged::Same),
        Ok(()) if now > draft.sign_by => {
            let expected = format!("a time up to {}", draft.sign_by);
            refuse(Rejection::new(RejectionCode::SignByPassed, "signature", expected, now))
        }
        Ok(()) => Ok(Judged::New(key)),
        Err(refusal) => find_evidence(reader, scope, epoch, line, refusal),
    }
}

/// Whether it is a valid signature of another draft of the epoch, which never counts; else gives the refusal.
fn find_evidence(
    reader: &impl RawReader,
    scope: ScopeId,
    epoch: EpochNumber,
    line: &SignatureLine,
    refusal: Rejection,
) -> LedgerResult<Judged> {
    let EpochRecord { current_draft: current, final_revision, .. } = epoch_record(reader, scope, epoch)?;
    for ((_, _, revision), draft) in reader.with_prefix(DRAFTS, &(scope, epoch))? {
        if current != Some(revision) && signs(reader, scope, &draft, line)? {
            let name = line.name().as_str().parse::<KeyText>()?;
            let key = (scope, epoch, revision, name);
            // Whoever sends what made the epoch final asks for nothing that is not so already.
            if current.is_none() && final_revision == Some(revision) && reader.contains(SIGNATURES, &key)? {
                return Ok(Judged::Same);
            }
            return Ok(Judged::Outdated(key));
        }
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
