//! The first window of a scope: no earlier one can be opened after it, so that events which wait in the log from before it
//! would be paid by no epoch, ever.

use meed_audit::RejectionCode;
use meed_audit::ids::ScopeId;
use meed_audit::time::{MS_PER_DAY, Period, Timestamp};
use meed_storage::{EventReader, Snapshot};

use super::Service;
use crate::cli::console::counted;
use crate::failure::{Failure, reject};

/// Events from before a window that no epoch takes.
struct Waiting {
    count: usize,
    earliest: Timestamp,
}

fn waiting(snapshot: &Snapshot, scope: ScopeId, before: Timestamp) -> Result<Option<Waiting>, Failure> {
    if snapshot.newest_epoch(scope)?.is_some() {
        return Ok(None);
    }
    let period = Period { start: Timestamp::FIRST, end: before };
    let indexes = snapshot.window_indexes(scope, period, u64::MAX)?;
    let mut earliest = before;
    snapshot.for_each_entry(&indexes, &mut |entry| {
        earliest = earliest.min(entry.event_time);
        Ok(())
    })?;
    Ok((!indexes.is_empty()).then_some(Waiting { count: indexes.len(), earliest }))
}

impl Service {
    /// Whether the first epoch of a scope leaves out only as many windows with earlier events as somebody said. Later
    /// epochs are the ledger's own rule.
    ///
    /// # Errors
    /// `windows_skipped`, which names how many events wait, the earliest, and what opens its window.
    pub(super) fn check_first_window(
        snapshot: &Snapshot,
        (key, scope): (&str, ScopeId),
        at: Timestamp,
        skipped: u64,
    ) -> Result<(), Failure> {
        let days = snapshot.scope(scope)?.terms.window_days;
        let wanted = days.window_at(at)?;
        let Some(waiting) = waiting(snapshot, scope, wanted.start)? else { return Ok(()) };
        let first = days.window_at(waiting.earliest)?.start;
        let length_ms = i64::from(days.get()) * MS_PER_DAY;
        let left_out = (wanted.start.as_ms() - first.as_ms()) / length_ms;
        if u64::try_from(left_out) == Ok(skipped) {
            return Ok(());
        }
        let events = counted(waiting.count, "event");
        let expected = format!("the window of the earliest event that waits, from {first}");
        let got = format!(
            "one from {}, which leaves out {left_out} and pays nobody for {events} from {} on",
            wanted.start, waiting.earliest
        );
        let remedy = format!(
            "open it with `meed epoch open --scope {key} --at {first}`; or say with `--skip {left_out}` that no epoch is \
             to take these events, which cannot be undone"
        );
        Err(reject(RejectionCode::WindowsSkipped, "window", expected, got).with_remedy(remedy))
    }

    /// What a schedule opens where it wants to open the window of `at`: of a scope without epochs, that of its earliest
    /// event.
    ///
    /// # Errors
    /// A failure of reading.
    pub(crate) fn window_to_open(&self, scope: ScopeId, at: Timestamp) -> Result<Timestamp, Failure> {
        let snapshot = self.snapshot()?;
        let start = snapshot.scope(scope)?.terms.window_days.window_at(at)?.start;
        Ok(waiting(&snapshot, scope, start)?.map_or(at, |waiting| waiting.earliest))
    }
}
