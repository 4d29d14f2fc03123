//! The first window of a scope, for people: the ledger refuses to leave waiting events behind, and here are the ways out;
//! and what the settings say of it, for schedules.

use meed_audit::RejectionCode;
use meed_audit::ids::{ScopeId, ScopeKey};
use meed_audit::time::{MS_PER_DAY, Timestamp};
use meed_audit::window::WindowDays;
use meed_storage::{By, Epoch, LedgerError, LeftBehind, OpenTerms, Snapshot};

use super::Service;
use crate::api::documents::FirstWindowView;
use crate::failure::Failure;
use crate::schedule::FirstWindow;

/// How many windows begin from one time on and before another; both begin a window.
fn windows_between(days: WindowDays, from: Timestamp, until: Timestamp) -> u64 {
    let length_ms = i64::from(days.get()) * MS_PER_DAY;
    u64::try_from((until.as_ms() - from.as_ms()) / length_ms).unwrap_or(0)
}

impl Service {
    /// The failure of opening an epoch, whose remedy names the commands where it is the first one's window that leaves
    /// events behind.
    pub(super) fn cannot_open(
        &self,
        (key, scope): (&str, ScopeId),
        at: Timestamp,
        error: LedgerError,
    ) -> Failure {
        let left = self.skipped_by((scope, at), &error);
        let failure = Failure::from(error);
        let Some(left) = left else { return failure };
        failure.with_remedy(format!(
            "open it with `meed epoch open --scope {key} --at {}`; or say with `--skip {}` that no epoch is to take these \
             events, which cannot be undone",
            left.first_start, left.windows_count
        ))
    }

    /// A time in the window that the next epoch of a scope is expected to have: where the newest one ends; of a first
    /// epoch, where the earliest event that waits happened, or now.
    ///
    /// # Errors
    /// `scope_not_found`.
    pub fn next_window(&self, key: &str) -> Result<Timestamp, Failure> {
        let (snapshot, now) = (self.snapshot()?, self.clock.now()?);
        let (_, scope) = Self::scope_id(&snapshot, key)?;
        Ok(match snapshot.newest_epoch(scope)? {
            Some(newest) => snapshot.epoch(scope, newest)?.period.end,
            None => snapshot.left_behind(scope, now)?.map_or(now, |left| left.first_start),
        })
    }

    /// Opens the window of `at` for a schedule; of a scope without epochs, the one that the settings say.
    ///
    /// # Errors
    /// Those of opening; `windows_skipped` where the settings say nothing, and events wait that no epoch would take.
    pub(crate) fn open_for_schedule(
        &self,
        (scope, at): (ScopeId, Timestamp),
        first: FirstWindow,
        by: By,
    ) -> Result<Epoch, Failure> {
        let snapshot = self.snapshot()?;
        let (at, skipped) = first_window(&snapshot, (scope, at), first)?;
        let key = snapshot.scope(scope)?.terms.key;
        drop(snapshot);
        let opened = self.ledger.open_epoch_on(scope, at, OpenTerms { skipped, ahead: false }, by);
        opened.map_err(|error| self.unsaid(&key, (scope, at), error))
    }

    /// The failure of a schedule that cannot open a first window because nobody has said which.
    fn unsaid(&self, key: &ScopeKey, (scope, at): (ScopeId, Timestamp), error: LedgerError) -> Failure {
        let left = self.skipped_by((scope, at), &error);
        let failure = Failure::from(error);
        let Some(left) = left else { return failure };
        failure.with_remedy(format!(
            "say in meed.toml, under [scopes.{key}], which window is the first, and let the node read it again: \
             first_window = \"earliest-event\" opens {} windows one after the other, an epoch each with its own pool; \
             \"now\" leaves these events to no epoch, which cannot be undone; a date opens its window. Or open one yourself \
             with `meed epoch open --scope {key} --at TIME`",
            left.windows_count.saturating_add(1)
        ))
    }

    /// What a window would leave behind that the ledger refuses to open for that reason.
    fn skipped_by(&self, (scope, at): (ScopeId, Timestamp), error: &LedgerError) -> Option<LeftBehind> {
        match error {
            LedgerError::Rejected(rejection) if rejection.code == RejectionCode::WindowsSkipped => {
                self.snapshot().ok()?.left_behind(scope, at).ok()?
            }
            _ => None,
        }
    }

    /// Which window a schedule will open first, of a scope that has no epoch yet.
    ///
    /// # Errors
    /// A failure of reading.
    pub(super) fn first_window_view(
        &self,
        snapshot: &Snapshot,
        (key, scope): (&ScopeKey, ScopeId),
    ) -> Result<Option<FirstWindowView>, Failure> {
        let scopes = self.scope_settings();
        let Some(settings) = scopes.get(key).filter(|settings| settings.open_next) else { return Ok(None) };
        let found = snapshot.scope(scope)?;
        if found.ended || snapshot.newest_epoch(scope)?.is_some() {
            return Ok(None);
        }
        let days = found.terms.window_days;
        let now = days.window_at(self.now()?)?;
        let (at, _) = first_window(snapshot, (scope, now.start), settings.first_window)?;
        let start = days.window_at(at)?.start;
        let left = snapshot.left_behind(scope, at)?;
        let left_out = left.map_or(0, |left| u64::try_from(left.events_count).unwrap_or(u64::MAX));
        if settings.first_window.is_unsaid() && left_out > 0 {
            return Ok(Some(FirstWindowView { start: None, windows: 0, left_out }));
        }
        let windows = windows_between(days, start, now.end).max(1);
        Ok(Some(FirstWindowView { start: Some(start), windows, left_out }))
    }
}

/// A time in the window that a schedule opens where it wants to open that of `at`, and how many windows with earlier
/// events are left out because somebody said so.
fn first_window(
    snapshot: &Snapshot,
    (scope, at): (ScopeId, Timestamp),
    first: FirstWindow,
) -> Result<(Timestamp, u64), Failure> {
    let wanted = match first {
        FirstWindow::At(said) if snapshot.newest_epoch(scope)?.is_none() => said,
        _ => at,
    };
    let left = snapshot.left_behind(scope, wanted)?;
    Ok(match (first, left) {
        (FirstWindow::EarliestEvent, Some(left)) => (left.earliest, 0),
        (FirstWindow::Now | FirstWindow::At(_), Some(left)) => (wanted, left.windows_count),
        _ => (wanted, 0),
    })
}
