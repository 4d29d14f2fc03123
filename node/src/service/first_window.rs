//! The first window of a scope, for people: the ledger refuses to leave waiting events behind, and here are the ways out.

use meed_audit::RejectionCode;
use meed_audit::ids::ScopeId;
use meed_audit::time::Timestamp;
use meed_storage::LedgerError;

use super::Service;
use crate::failure::Failure;

impl Service {
    /// The failure of opening an epoch, whose remedy names the commands where it is the first one's window that leaves
    /// events behind.
    pub(super) fn cannot_open(
        &self,
        (key, scope): (&str, ScopeId),
        at: Timestamp,
        error: LedgerError,
    ) -> Failure {
        let skips = matches!(&error, LedgerError::Rejected(rejection) if rejection.code == RejectionCode::WindowsSkipped);
        let left = skips.then(|| self.snapshot().ok()?.left_behind(scope, at).ok()?).flatten();
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
}
