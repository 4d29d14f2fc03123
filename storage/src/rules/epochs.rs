//! Epochs as they stand: windows that open, close into review, and become final. How they open and close is beside this.

use meed_audit::ids::{EpochNumber, Revision, ScopeId, SetVersion};
use meed_audit::policy::Policy;
use meed_audit::statement::TreeHead;
use meed_audit::text::FreeText;
use meed_audit::time::{Period, Timestamp};
use meed_audit::window::EpochWindow;
use meed_audit::{Rejection, RejectionCode};

use crate::error::StorageError;
use crate::rules::record::{LedgerResult, refuse, sound};
use crate::rules::scopes::{is_amending, scope_record};
use crate::rules::tables::{ClosedRecord, EPOCHS, EpochRecord, ScopeRecord};
use crate::snapshot::Snapshot;
use crate::table::{RawReader, Reader};

/// Where an epoch stands (rule `EPOCH_THREE_PHASE`); it only goes forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Takes events, curation, overrides and pool components.
    Open,
    /// No new events; pool and policy pinned; curation and overrides, drafts, signatures.
    Review,
    /// Immutable, but for an amendment.
    Finalized,
}

impl Phase {
    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Review => "review",
            Self::Finalized => "finalized",
        }
    }
}

/// What closing pinned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochClose {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: FreeText,
    /// Why it was closed before its window had ended, where it was.
    pub early: Option<FreeText>,
    /// The origin line of the events log.
    pub events_log: String,
    /// That log's size and root.
    pub events: TreeHead,
    /// The version of the approver set in force then.
    pub approvers: SetVersion,
}

/// An epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// The scope.
    pub scope: ScopeId,
    /// Its number, from 1.
    pub number: EpochNumber,
    /// Its window.
    pub period: Period,
    /// Where it stands.
    pub phase: Phase,
    /// The policy that was pinned when it opened.
    pub policy: Policy,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Who opened it.
    pub opened_by: FreeText,
    /// What closing pinned.
    pub closed: Option<EpochClose>,
    /// The draft that is offered for approval.
    pub current_draft: Option<Revision>,
    /// The revision in force.
    pub final_revision: Option<Revision>,
    /// Whether an amendment is under way.
    pub amending: bool,
}

impl Snapshot {
    /// The epochs of a scope, ascending.
    ///
    /// # Errors
    /// `scope_not_found`.
    pub fn epochs(&self, scope: ScopeId) -> LedgerResult<Vec<Epoch>> {
        let owner = scope_record(self, scope)?;
        let records = self.with_prefix(EPOCHS, &scope)?;
        records.into_iter().map(|((_, number), record)| Ok(view(scope, &owner, number, record)?)).collect()
    }

    /// One epoch.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`.
    pub fn epoch(&self, scope: ScopeId, epoch: EpochNumber) -> LedgerResult<Epoch> {
        let owner = scope_record(self, scope)?;
        Ok(view(scope, &owner, epoch, epoch_record(self, scope, epoch)?)?)
    }
}

/// The record of an epoch, or `epoch_not_found`.
pub(crate) fn epoch_record(
    reader: &impl RawReader,
    scope: ScopeId,
    epoch: EpochNumber,
) -> LedgerResult<EpochRecord> {
    reader.get(EPOCHS, &(scope, epoch))?.ok_or_else(|| {
        let expected = "an epoch of this scope";
        Rejection::new(RejectionCode::EpochNotFound, "epoch", expected, epoch).into()
    })
}

/// The newest epoch of a scope.
pub(crate) fn last_epoch(
    reader: &impl RawReader,
    scope: ScopeId,
) -> Result<Option<(EpochNumber, EpochRecord)>, StorageError> {
    Ok(reader.last_with_prefix(EPOCHS, &scope)?.map(|((_, number), record)| (number, record)))
}

/// The windows of a scope's epochs, ascending, up to `last` where one is named.
pub(crate) fn windows(
    reader: &impl RawReader,
    scope: ScopeId,
    last: Option<EpochNumber>,
) -> Result<Vec<EpochWindow>, StorageError> {
    let records = reader.with_prefix(EPOCHS, &scope)?;
    let records = records.into_iter().filter(|((_, number), _)| last.is_none_or(|last| *number <= last));
    Ok(records.map(|((_, number), record)| window(number, &record)).collect())
}

/// The window of an epoch, with the log size that closing pinned.
pub(crate) fn window(number: EpochNumber, record: &EpochRecord) -> EpochWindow {
    EpochWindow {
        number,
        period: period(record),
        log_size: record.closed.as_ref().map(|closed| closed.log_size),
    }
}

pub(crate) fn period(record: &EpochRecord) -> Period {
    Period { start: record.start, end: record.end }
}

pub(crate) fn phase(record: &EpochRecord) -> Phase {
    match (&record.closed, record.final_revision) {
        (_, Some(_)) => Phase::Finalized,
        (Some(_), None) => Phase::Review,
        (None, None) => Phase::Open,
    }
}

pub(crate) fn view(
    scope: ScopeId,
    owner: &ScopeRecord,
    number: EpochNumber,
    record: EpochRecord,
) -> Result<Epoch, StorageError> {
    Ok(Epoch {
        scope,
        number,
        period: period(&record),
        phase: phase(&record),
        policy: sound(EPOCHS.name(), Policy::decode(&record.policy.0))?,
        opened_at: record.opened_at,
        opened_by: record.opened_by,
        closed: record.closed.map(|closed| EpochClose {
            at: closed.at,
            by: closed.by,
            early: closed.early,
            events_log: closed.log_origin,
            events: TreeHead { size: closed.log_size, root: closed.log_root },
            approvers: closed.approvers,
        }),
        current_draft: record.current_draft,
        final_revision: record.final_revision,
        amending: is_amending(owner, number),
    })
}

/// Whether curation, shares and overrides of an epoch may still change: while it is open or in review, and while it is
/// being amended (rule `CURATION_FREEZE_ON_FINALIZE`).
pub(crate) fn check_mutable(
    owner: &ScopeRecord,
    epoch: EpochNumber,
    record: &EpochRecord,
) -> LedgerResult<()> {
    check_not_final(owner, epoch, record, "an epoch that is open, in review or being amended")
}

/// A final epoch does not change unless it is being amended; `expected` says what it should be.
pub(crate) fn check_not_final(
    owner: &ScopeRecord,
    epoch: EpochNumber,
    record: &EpochRecord,
    expected: &str,
) -> LedgerResult<()> {
    if record.final_revision.is_none() || is_amending(owner, epoch) {
        return Ok(());
    }
    refuse(Rejection::new(RejectionCode::EpochFinalized, format!("epoch {epoch}"), expected, "a final one"))
}

/// Nothing can be approved before its period begins (SPEC 15.1), so that an epoch whose window has not begun is neither
/// closed, frozen nor amended: its approvers would learn of it only when they sign.
pub(crate) fn check_begun(epoch: EpochNumber, record: &EpochRecord, now: Timestamp) -> LedgerResult<()> {
    if record.start <= now {
        return Ok(());
    }
    let expected = format!("a window that has begun at {now}");
    let (subject, got) = (format!("epoch {epoch}"), format!("one from {}", record.start));
    refuse(Rejection::new(RejectionCode::WindowAhead, subject, expected, got))
}

/// What closing pinned, or `epoch_not_in_review`.
pub(crate) fn closed(epoch: EpochNumber, record: &EpochRecord) -> LedgerResult<&ClosedRecord> {
    record.closed.as_ref().ok_or_else(|| {
        let subject = format!("epoch {epoch}");
        Rejection::new(RejectionCode::EpochNotInReview, subject, "a closed epoch", "an open one").into()
    })
}
