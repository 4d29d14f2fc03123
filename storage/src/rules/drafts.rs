//! Drafts: a frozen statement that is offered for approval (rules `DRAFT_PINNED`, `STATEMENTS_IN_ORDER`).

use meed_audit::ids::{EpochNumber, Revision, ScopeId, SetVersion};
use meed_audit::statement::Statement;
use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use meed_audit::{Rejection, RejectionCode};

use crate::error::StorageError;
use crate::ledger::Ledger;
use crate::rules::compute::close_from_log;
use crate::rules::epochs::{check_begun, check_not_final, closed, epoch_record};
use crate::rules::input::{FreezeTerms, Which, freeze_terms, input_without_events, sign_by, stored_revision};
use crate::rules::notes::{stored_note, whole_note};
use crate::rules::record::{By, LedgerResult, demand, refuse, sound};
use crate::rules::scopes::{living_scope, scope_record};
use crate::rules::tables::{DRAFTS, DraftRecord, EPOCHS, EpochRecord, ScopeRecord};
use crate::snapshot::Snapshot;
use crate::table::{RawReader, Reader};
use crate::transaction::Transaction;

/// How often a freeze begins anew when decisions come in while it computes.
const FREEZE_ATTEMPTS_MAX: usize = 8;

/// A frozen draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The statement.
    pub statement: Statement,
    /// The signed note: the statement and the node's line, which never counts as an approval.
    pub note: String,
    /// How many of the scope's decisions it takes in.
    pub decisions_size: u64,
    /// The approver set that must approve it.
    pub approvers: SetVersion,
    /// Whether it is the one that is offered for approval.
    pub is_current: bool,
    /// When it was frozen.
    pub at: Timestamp,
    /// Who froze it.
    pub by: FreeText,
}

impl Ledger {
    /// Freezes a draft of an epoch in review, or of one that is being amended: bindings, curation, overrides and
    /// decisions up to now, under the next revision. Approvers have `sign_by_days` days to sign. Where nothing has changed
    /// since the draft that is offered, and it can still be approved, that draft stays and its signatures go on counting.
    ///
    /// The amounts are computed from a snapshot, beside the writer; the transaction checks that nothing of what they
    /// rest on has changed since.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `scope_ended`, `epoch_not_in_review`, `epoch_finalized`,
    /// `earlier_epoch_unfinished`, `amendment_open`, `override_claimant_moved`, `window_ahead`, `number_too_large`;
    /// [`StorageError::Busy`] where decisions keep coming in.
    pub fn freeze(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        sign_by_days: u32,
        by: By,
    ) -> LedgerResult<Draft> {
        let until = sign_by(by.at, sign_by_days)?;
        let snapshot = self.snapshot()?;
        let terms = check_freeze(&snapshot, scope, epoch, until, by.at)?;
        match unchanged(&snapshot, scope, epoch, &terms, by.at)? {
            Some(draft) => Ok(view(draft, true)?),
            None => self.freeze_again(scope, epoch, sign_by_days, by),
        }
    }

    /// As [`Ledger::freeze`], always with a new revision: signatures of the draft before count no more.
    ///
    /// # Errors
    /// As there.
    pub fn freeze_again(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        sign_by_days: u32,
        by: By,
    ) -> LedgerResult<Draft> {
        let until = sign_by(by.at, sign_by_days)?;
        for _ in 0..FREEZE_ATTEMPTS_MAX {
            let snapshot = self.snapshot()?;
            let terms = check_freeze(&snapshot, scope, epoch, until, by.at)?;
            let input = input_without_events(&snapshot, scope, epoch, &terms)?;
            let statement = close_from_log(&snapshot, &input)?.statement;
            drop(snapshot);
            let by = by.clone();
            let frozen = self.run(move |tx| write_draft(tx, scope, epoch, &terms, &statement, &by))?;
            if let Some(draft) = frozen {
                return Ok(draft);
            }
        }
        Err(StorageError::Busy { action: "freeze a draft while decisions come in" }.into())
    }
}

impl Snapshot {
    /// Every draft of an epoch, by revision.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`.
    pub fn drafts(&self, scope: ScopeId, epoch: EpochNumber) -> LedgerResult<Vec<Draft>> {
        scope_record(self, scope)?;
        let current = epoch_record(self, scope, epoch)?.current_draft;
        let records = self.with_prefix(DRAFTS, &(scope, epoch))?;
        let view = |((_, _, revision), record)| Ok(view(record, current == Some(revision))?);
        records.into_iter().map(view).collect()
    }

    /// One draft.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `draft_not_found`, `statement_not_found`.
    pub fn draft(&self, scope: ScopeId, epoch: EpochNumber, which: Which) -> LedgerResult<Draft> {
        scope_record(self, scope)?;
        let record = epoch_record(self, scope, epoch)?;
        let revision = stored_revision(epoch, &record, which)?;
        let Some(draft) = self.get(DRAFTS, &(scope, epoch, revision))? else {
            return refuse(no_draft(epoch, Some(revision)));
        };
        Ok(view(draft, record.current_draft == Some(revision))?)
    }
}

pub(crate) fn no_draft(epoch: EpochNumber, revision: Option<Revision>) -> Rejection {
    let got = revision.map_or_else(|| "none".to_owned(), |revision| format!("revision {revision}"));
    Rejection::new(RejectionCode::DraftNotFound, format!("epoch {epoch}"), "a frozen draft", got)
}

/// The statement of a stored draft.
pub(crate) fn stored_statement(note: &str) -> Result<Statement, StorageError> {
    let note = stored_note(DRAFTS.name(), note)?;
    sound(DRAFTS.name(), note.text().as_str().parse())
}

fn view(record: DraftRecord, is_current: bool) -> Result<Draft, StorageError> {
    Ok(Draft {
        statement: stored_statement(&record.note)?,
        note: record.note,
        decisions_size: record.decisions_size,
        approvers: record.approvers,
        is_current,
        at: record.at,
        by: record.by,
    })
}

/// Whether a draft of the epoch may be frozen now, and what it would fix.
fn check_freeze(
    reader: &impl RawReader,
    scope: ScopeId,
    epoch: EpochNumber,
    until: Timestamp,
    now: Timestamp,
) -> LedgerResult<FreezeTerms> {
    let owner = living_scope(reader, scope)?;
    let record = epoch_record(reader, scope, epoch)?;
    closed(epoch, &record)?;
    check_begun(epoch, &record, now)?;
    check_takes_drafts(&owner, epoch, &record)?;
    match record.final_revision {
        Some(_) => check_turn_of_amendment(reader, scope, now)?,
        None => check_turn(reader, scope, &owner, epoch, now)?,
    }
    freeze_terms(reader, scope, epoch, &record, until)
}

/// The draft that is offered, where it can still be approved and a freeze would fix the same as it does.
fn unchanged(
    reader: &impl RawReader,
    scope: ScopeId,
    epoch: EpochNumber,
    terms: &FreezeTerms,
    now: Timestamp,
) -> LedgerResult<Option<DraftRecord>> {
    let Some(revision) = epoch_record(reader, scope, epoch)?.current_draft else { return Ok(None) };
    let draft = demand(reader, DRAFTS, &(scope, epoch, revision))?;
    let fixed = (draft.decisions_size, draft.approvers, draft.previous, draft.supersedes);
    let same = fixed == (terms.decisions_size, terms.approvers, terms.draft.previous, terms.draft.supersedes);
    Ok((same && now <= draft.sign_by).then_some(draft))
}

/// A final epoch has no other draft unless it is being amended.
pub(crate) fn check_takes_drafts(
    owner: &ScopeRecord,
    epoch: EpochNumber,
    record: &EpochRecord,
) -> LedgerResult<()> {
    check_not_final(owner, epoch, record, "an epoch in review, or an amendment that was begun")
}

/// Drafts are frozen in the order of epochs, and not while an amendment's draft can still be approved.
fn check_turn(
    reader: &impl RawReader,
    scope: ScopeId,
    owner: &ScopeRecord,
    epoch: EpochNumber,
    now: Timestamp,
) -> LedgerResult<()> {
    if let Some(earlier) = epoch.get().checked_sub(1).and_then(|number| EpochNumber::new(number).ok())
        && demand(reader, EPOCHS, &(scope, earlier))?.final_revision.is_none()
    {
        let subject = format!("epoch {epoch}");
        let expected = format!("epoch {earlier} to be final");
        let code = RejectionCode::EarlierEpochUnfinished;
        return refuse(Rejection::new(code, subject, expected, "one that is not"));
    }
    if let Some(amended) = owner.amending {
        let record = demand(reader, EPOCHS, &(scope, amended))?;
        if is_under_way(reader, scope, amended, &record, now)? {
            let subject = format!("scope {}", owner.key);
            let expected = format!("the draft that amends epoch {amended} to be finalized first");
            return refuse(Rejection::new(RejectionCode::AmendmentOpen, subject, expected, "one under way"));
        }
    }
    Ok(())
}

/// An amendment waits while the draft of a later epoch can still be approved.
fn check_turn_of_amendment(reader: &impl RawReader, scope: ScopeId, now: Timestamp) -> LedgerResult<()> {
    for ((_, number), record) in reader.with_prefix(EPOCHS, &scope)? {
        if record.final_revision.is_none() && is_under_way(reader, scope, number, &record, now)? {
            let expected = format!("the draft of epoch {number} to be finalized first");
            let code = RejectionCode::EarlierEpochUnfinished;
            return refuse(Rejection::new(code, "amendment", expected, "one under way"));
        }
    }
    Ok(())
}

/// Whether the epoch has a draft that can still be approved.
fn is_under_way(
    reader: &impl RawReader,
    scope: ScopeId,
    epoch: EpochNumber,
    record: &EpochRecord,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let Some(revision) = record.current_draft else { return Ok(false) };
    Ok(demand(reader, DRAFTS, &(scope, epoch, revision))?.sign_by >= now)
}

/// Signs and keeps the draft, unless what it was computed from has changed: then nothing is written.
fn write_draft(
    tx: &mut Transaction,
    scope: ScopeId,
    epoch: EpochNumber,
    terms: &FreezeTerms,
    statement: &Statement,
    by: &By,
) -> LedgerResult<Option<Draft>> {
    let now = check_freeze(tx, scope, epoch, terms.draft.sign_by, by.at)?;
    if now != *terms {
        return Ok(None);
    }
    let text = statement.note_text()?;
    let line = tx.signer.sign(&statement.origin_line(), &text)?;
    let note = whole_note(text, vec![line])?.to_string();
    let mut record = epoch_record(tx, scope, epoch)?;
    let revision = terms.draft.revision;
    let draft = DraftRecord {
        note,
        decisions_size: terms.decisions_size,
        approvers: terms.approvers,
        sign_by: terms.draft.sign_by,
        previous: terms.draft.previous,
        supersedes: terms.draft.supersedes,
        at: by.at,
        by: by.actor.clone(),
    };
    record.current_draft = Some(revision);
    record.next_revision = revision.next();
    let frozen = view(draft.clone(), true)?;
    tx.insert(DRAFTS, &(scope, epoch, revision), &draft)?;
    tx.insert(EPOCHS, &(scope, epoch), &record)?;
    Ok(Some(frozen))
}
