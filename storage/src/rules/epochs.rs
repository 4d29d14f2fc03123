//! Epochs: windows that open, close into review, and become final.

use meed_audit::decision::Change;
use meed_audit::ids::{EpochNumber, Revision, ScopeId, SetVersion};
use meed_audit::policy::Policy;
use meed_audit::statement::TreeHead;
use meed_audit::text::FreeText;
use meed_audit::time::{MS_PER_DAY, Period, Timestamp};
use meed_audit::window::{EpochWindow, WindowDays};
use meed_audit::{Rejection, RejectionCode};

use crate::error::StorageError;
use crate::ledger::Ledger;
use crate::log::LogKind;
use crate::rules::approvers::approvers_missing;
use crate::rules::decisions::{self, Intent};
use crate::rules::pool;
use crate::rules::record::{By, LedgerResult, refuse, sound};
use crate::rules::reports::{self, ACCEPTED_GAPS, AcceptedRecord};
use crate::rules::scopes::{base_component, current_policy, is_amending, living_scope, scope_record};
use crate::rules::tables::{APPROVER_SETS, ClosedRecord, EPOCHS, EpochRecord, ScopeRecord};
use crate::snapshot::Snapshot;
use crate::table::{RawReader, Reader};
use crate::transaction::Transaction;

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

/// What is unusual about a window that is opened, and meant to be so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenTerms {
    /// How many windows are left out between the last epoch's and this one. What happened in them joins this epoch,
    /// late (rule `EPOCH_BY_EVENT_TIME`), and they can never be opened afterwards.
    pub skipped: u64,
    /// Whether the window may begin after now.
    pub ahead: bool,
}

/// What is unusual about a close, and meant to be so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloseTerms {
    /// Why the epoch is closed before its window has ended.
    pub early: Option<FreeText>,
    /// Why it is closed although its sources have more than was collected.
    pub accept_gap: Option<FreeText>,
}

impl Ledger {
    /// Opens the epoch whose window holds `at`: the window that follows the last one, and has begun. The window that is open already changes nothing. Where the scope has a base issuance, the component
    /// is added in the same transaction.
    ///
    /// # Errors
    /// `scope_not_found`, `scope_ended`, `epoch_already_open`, `window_overlaps`, `windows_skipped`, `window_ahead`,
    /// `invalid_time`.
    pub fn open_epoch(&self, scope: ScopeId, at: Timestamp, by: By) -> LedgerResult<Epoch> {
        self.open_epoch_on(scope, at, OpenTerms::default(), by)
    }

    /// As [`Ledger::open_epoch`], of a window that does not follow the last one, or has not begun.
    ///
    /// # Errors
    /// As there.
    pub fn open_epoch_on(
        &self,
        scope: ScopeId,
        at: Timestamp,
        terms: OpenTerms,
        by: By,
    ) -> LedgerResult<Epoch> {
        self.run(move |tx| open_epoch(tx, scope, at, terms, &by))
    }

    /// Closes an epoch: pins the events log and the approver set. Before the window has ended it takes a reason, and so
    /// it does where its sources have more than was collected: each becomes a decision. Closing a closed epoch changes
    /// nothing.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `scope_ended`, `window_not_ended`, `approvers_missing`,
    /// `collection_gap`, `base_issuance_missing`.
    pub fn close_epoch_on(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        terms: CloseTerms,
        by: By,
    ) -> LedgerResult<Epoch> {
        self.run(move |tx| close_epoch(tx, scope, epoch, terms, &by))
    }

    /// As [`Ledger::close_epoch_on`], without accepting a gap.
    ///
    /// # Errors
    /// As there.
    pub fn close_epoch(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        early: Option<FreeText>,
        by: By,
    ) -> LedgerResult<Epoch> {
        self.close_epoch_on(scope, epoch, CloseTerms { early, accept_gap: None }, by)
    }
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

fn period(record: &EpochRecord) -> Period {
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

fn open_epoch(
    tx: &mut Transaction,
    scope: ScopeId,
    at: Timestamp,
    terms: OpenTerms,
    by: &By,
) -> LedgerResult<Epoch> {
    let owner = living_scope(tx, scope)?;
    let policy = current_policy(&owner)?;
    let period = policy.window_days.window_at(at)?;
    let last = last_epoch(tx, scope)?;
    let number = last.as_ref().map_or(EpochNumber::FIRST, |(number, _)| number.next());
    if let Some((number, record)) = last {
        if record.closed.is_none() {
            if window(number, &record).period == period {
                return Ok(view(scope, &owner, number, record)?);
            }
            let expected = format!("epoch {number} of {} to be closed first", owner.key);
            return refuse(Rejection::new(RejectionCode::EpochAlreadyOpen, "epoch", expected, "an open one"));
        }
        if period.start < record.end {
            let expected = format!("a window that begins at or after {}", record.end);
            return refuse(Rejection::new(RejectionCode::WindowOverlaps, "window", expected, period.start));
        }
        check_skipped(policy.window_days, record.end, period, terms.skipped)?;
    }
    if period.start > by.at && !terms.ahead {
        let expected = format!("a window that has begun at {}", by.at);
        let got = format!("one from {}", period.start);
        return refuse(Rejection::new(RejectionCode::WindowAhead, "window", expected, got));
    }
    let base = owner.base_issuance.map(base_component).transpose()?;
    let base = base.map(|component| pool::prepare_base(tx, scope, number, component, by)).transpose()?;
    let record = EpochRecord {
        start: period.start,
        end: period.end,
        policy: owner.policy.clone(),
        opened_at: by.at,
        opened_by: by.actor.clone(),
        closed: None,
        next_revision: Revision::FIRST,
        current_draft: None,
        final_revision: None,
    };
    tx.insert(EPOCHS, &(scope, number), &record)?;
    if let Some(addition) = base {
        addition.write(tx)?;
    }
    Ok(view(scope, &owner, number, record)?)
}

/// Windows between the last one and this one are left out only as many as somebody said: no later epoch can have them.
fn check_skipped(days: WindowDays, last_end: Timestamp, period: Period, skipped: u64) -> LedgerResult<()> {
    let holding = days.window_at(last_end)?;
    let next = if holding.start < last_end { days.window_at(holding.end)? } else { holding };
    let length_ms = i64::from(days.get()) * MS_PER_DAY;
    let left_out = (period.start.as_ms() - next.start.as_ms()) / length_ms;
    if u64::try_from(left_out) == Ok(skipped) {
        return Ok(());
    }
    let expected = match skipped {
        0 => format!("the window that follows, from {}", next.start),
        _ => format!("one that leaves out {skipped} after {last_end}"),
    };
    let got = format!("one from {}, which leaves out {left_out}", period.start);
    refuse(Rejection::new(RejectionCode::WindowsSkipped, "window", expected, got))
}

fn close_epoch(
    tx: &mut Transaction,
    scope: ScopeId,
    epoch: EpochNumber,
    CloseTerms { early, accept_gap }: CloseTerms,
    by: &By,
) -> LedgerResult<Epoch> {
    let owner = scope_record(tx, scope)?;
    let mut record = epoch_record(tx, scope, epoch)?;
    if record.closed.is_some() {
        return Ok(view(scope, &owner, epoch, record)?);
    }
    living_scope(tx, scope)?;
    let early = early.filter(|_| by.at < record.end);
    if by.at < record.end && early.is_none() {
        let expected = format!("a time from {} on, or a reason to close early", record.end);
        return refuse(Rejection::new(
            RejectionCode::WindowNotEnded,
            format!("epoch {epoch}"),
            expected,
            by.at,
        ));
    }
    let approvers = approvers_in_force(tx, scope, &owner)?;
    pool::pool(tx, scope, epoch)?.require_base()?;
    let accept_gap = reports::check_gap(tx, scope, epoch, period(&record), accept_gap)?;
    let mut made = Vec::new();
    for (change, reason) in [(Change::EarlyClose, &early), (Change::AcceptGap, &accept_gap)] {
        if let Some(reason) = reason {
            let intent = Intent { scope, epoch: Some(epoch), reason, by };
            made.push(decisions::prepare(tx, &intent, change)?);
        }
    }
    let log = tx.log_state(LogKind::Events)?;
    record.closed = Some(ClosedRecord {
        at: by.at,
        by: by.actor.clone(),
        early,
        log_origin: tx.log_origin(LogKind::Events),
        log_size: log.size,
        log_root: log.root,
        approvers,
    });
    tx.insert(EPOCHS, &(scope, epoch), &record)?;
    if let Some(reason) = accept_gap {
        tx.insert(ACCEPTED_GAPS, &(scope, epoch), &AcceptedRecord { reason })?;
    }
    for decision in made {
        decision.write(tx)?;
    }
    Ok(view(scope, &owner, epoch, record)?)
}

fn approvers_in_force(
    reader: &impl RawReader,
    scope: ScopeId,
    owner: &ScopeRecord,
) -> LedgerResult<SetVersion> {
    match reader.last_with_prefix(APPROVER_SETS, &scope)? {
        Some(((_, version), _)) => Ok(version),
        None => refuse(approvers_missing(owner.key.as_str())),
    }
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

/// What closing pinned, or `epoch_not_in_review`.
pub(crate) fn closed(epoch: EpochNumber, record: &EpochRecord) -> LedgerResult<&ClosedRecord> {
    record.closed.as_ref().ok_or_else(|| {
        let subject = format!("epoch {epoch}");
        Rejection::new(RejectionCode::EpochNotInReview, subject, "a closed epoch", "an open one").into()
    })
}
