//! What the writer has done since the ledger was opened, for whoever watches over it. Nothing depends on it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counts that the writer and its callers keep.
#[derive(Debug)]
pub(crate) struct Counters {
    stopwatch: fn() -> Duration,
    submitted: AtomicU64,
    taken: AtomicU64,
    commits: AtomicU64,
    commit_microseconds: AtomicU64,
}

impl Counters {
    pub(crate) fn new(stopwatch: fn() -> Duration) -> Self {
        let zero = AtomicU64::default;
        Self { stopwatch, submitted: zero(), taken: zero(), commits: zero(), commit_microseconds: zero() }
    }

    /// What the stopwatch shows.
    pub(crate) fn watch(&self) -> Duration {
        (self.stopwatch)()
    }

    pub(crate) fn submit(&self) {
        self.submitted.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn take(&self) {
        self.taken.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a commit that began when the stopwatch showed `began`.
    pub(crate) fn commit(&self, began: Duration) {
        let took = self.watch().saturating_sub(began);
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.commit_microseconds.fetch_add(microseconds, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> WriterCounts {
        let taken = self.taken.load(Ordering::Relaxed);
        WriterCounts {
            // Read after `taken`, so that the difference is never negative by more than a race.
            waiting_count: self.submitted.load(Ordering::Relaxed).saturating_sub(taken),
            taken_count: taken,
            commits_count: self.commits.load(Ordering::Relaxed),
            commit_microseconds: self.commit_microseconds.load(Ordering::Relaxed),
        }
    }
}

/// What the writer has done since the ledger was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriterCounts {
    /// Commands that wait for the writer.
    pub waiting_count: u64,
    /// Commands that the writer has taken.
    pub taken_count: u64,
    /// Durable commits.
    pub commits_count: u64,
    /// The time that they took in all.
    pub commit_microseconds: u64,
}
