//! Opening an epoch and closing it, each in one transaction with what it pins.

use meed_audit::decision::Change;
use meed_audit::ids::{EpochNumber, Revision, ScopeId, SetVersion};
use meed_audit::text::FreeText;
use meed_audit::time::{MS_PER_DAY, Period, Timestamp};
use meed_audit::window::WindowDays;
use meed_audit::{Rejection, RejectionCode};

use crate::ledger::Ledger;
use crate::log::LogKind;
use crate::rules::approvers::approvers_missing;
use crate::rules::decisions;
use crate::rules::epochs::{Epoch, check_begun, epoch_record, last_epoch, period, view, window};
use crate::rules::first_window::check_first_window;
use crate::rules::pool;
use crate::rules::record::{By, LedgerResult, refuse};
use crate::rules::reports::{self, ACCEPTED_GAPS, AcceptedRecord};
use crate::rules::schedules::settle_problem;
use crate::rules::scopes::{base_component, current_policy, living_scope, scope_record};
use crate::rules::tables::{APPROVER_SETS, ClosedRecord, EPOCHS, EpochRecord, ScopeRecord};
use crate::table::{RawReader, Reader};
use crate::transaction::Transaction;

/// What is unusual about a window that is opened, and meant to be so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenTerms {
    /// How many windows are left out between the last epoch's and this one. What happened in them joins this epoch,
    /// late (rule `EPOCH_BY_EVENT_TIME`), and they can never be opened afterwards. For a first epoch, the windows from
    /// that of the earliest event that waits: no epoch pays what happened in them.
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
    /// `scope_not_found`, `epoch_not_found`, `scope_ended`, `window_ahead`, `window_not_ended`, `approvers_missing`,
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
    } else {
        check_first_window(tx, scope, policy.window_days, (period, terms.skipped))?;
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
    settle_problem(tx, scope)?;
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
    check_begun(epoch, &record, by.at)?;
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
    let decided = [(Change::EarlyClose, &early), (Change::AcceptGap, &accept_gap)];
    let decided =
        decided.into_iter().filter_map(|(change, reason)| Some((change, reason.clone()?, by.clone())));
    let decided = decisions::prepare_each(tx, (scope, Some(epoch)), owner.ended, decided.collect())?;
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
    settle_problem(tx, scope)?;
    if let Some(reason) = accept_gap {
        tx.insert(ACCEPTED_GAPS, &(scope, epoch), &AcceptedRecord { reason })?;
    }
    decided.write(tx)?;
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
