//! The first window of a scope: no earlier one can be opened after it, so that events which wait in the log from before it
//! would be paid by no epoch, ever.

use meed_audit::ids::ScopeId;
use meed_audit::time::{MS_PER_DAY, Period, Timestamp};
use meed_audit::window::WindowDays;
use meed_audit::{Rejection, RejectionCode};

use crate::error::StorageError;
use crate::events::EventReader;
use crate::rules::epochs::last_epoch;
use crate::rules::record::{LedgerResult, refuse};
use crate::rules::scopes::{current_policy, scope_record};
use crate::snapshot::Snapshot;

/// What the first epoch of a scope would leave behind for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftBehind {
    /// How many events wait from before its window.
    pub events_count: usize,
    /// When the earliest of them happened.
    pub earliest: Timestamp,
    /// When the window begins that holds the earliest.
    pub first_start: Timestamp,
    /// How many windows lie between, that one among them.
    pub windows_count: u64,
}

impl Snapshot {
    /// What would be left behind if a scope's first epoch were the one whose window holds `at`; none where nothing
    /// waits, and where the scope has an epoch already. What happened before the first whole window of 1970 can be in no
    /// epoch and does not count.
    ///
    /// # Errors
    /// `scope_not_found`, `invalid_time`; a failure of reading.
    pub fn left_behind(&self, scope: ScopeId, at: Timestamp) -> LedgerResult<Option<LeftBehind>> {
        let days = current_policy(&scope_record(self, scope)?)?.window_days;
        let wanted = days.window_at(at)?;
        if last_epoch(self, scope)?.is_some() {
            return Ok(None);
        }
        Ok(left_behind(self, scope, days, wanted.start)?)
    }
}

fn left_behind(
    reader: &impl EventReader,
    scope: ScopeId,
    days: WindowDays,
    wanted_start: Timestamp,
) -> Result<Option<LeftBehind>, StorageError> {
    let before = Period { start: days.first_start(), end: wanted_start };
    let Some(earliest) = reader.earliest_event_time(scope, before)? else { return Ok(None) };
    // The earliest lies behind the first whole window's start, so that its own begins there or later.
    let first_start = days.window_at(earliest).map_or(before.start, |window| window.start);
    let length_ms = i64::from(days.get()) * MS_PER_DAY;
    let windows_count = (wanted_start.as_ms() - first_start.as_ms()) / length_ms;
    Ok(Some(LeftBehind {
        events_count: reader.window_indexes(scope, before, u64::MAX)?.len(),
        earliest,
        first_start,
        windows_count: windows_count.unsigned_abs(),
    }))
}

/// The first epoch of a scope leaves out only as many windows with earlier events as somebody said.
///
/// # Errors
/// `windows_skipped`, which names how many events wait, and the earliest.
pub(super) fn check_first_window(
    reader: &impl EventReader,
    scope: ScopeId,
    days: WindowDays,
    (wanted, skipped): (Period, u64),
) -> LedgerResult<()> {
    let left = left_behind(reader, scope, days, wanted.start)?;
    let (expected, got) = match left {
        None if skipped == 0 => return Ok(()),
        Some(left) if left.windows_count == skipped => return Ok(()),
        None => ("no windows to leave out: no event waits".to_owned(), skipped.to_string()),
        Some(left) => (
            format!("the window of the earliest event that waits, from {}", left.first_start),
            format!(
                "one from {}, which leaves out {} and pays nobody for {} from {} on",
                wanted.start,
                left.windows_count,
                if left.events_count == 1 {
                    "1 event".to_owned()
                } else {
                    format!("{} events", left.events_count)
                },
                left.earliest
            ),
        ),
    };
    refuse(Rejection::new(RejectionCode::WindowsSkipped, "window", expected, got))
}
