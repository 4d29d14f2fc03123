//! A bell: wakes a thread that sleeps until something is due.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Remembers that it rang until somebody has waited for it.
#[derive(Debug, Default)]
pub(super) struct Wake {
    rang: Mutex<bool>,
    bell: Condvar,
}

impl Wake {
    /// Rings.
    pub(super) fn wake(&self) {
        *self.rang.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.bell.notify_all();
    }

    /// Waits until it rings, at most so long.
    pub(super) fn wait(&self, at_most: Duration) {
        let rang = self.rang.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.bell.wait_timeout_while(rang, at_most, |rang| !*rang);
        *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
    }
}
