//! The one clock and the one source of randomness of the program.

use std::time::{SystemTime, UNIX_EPOCH};

use meed_audit::time::Timestamp;

use crate::failure::Failure;

/// Where the time comes from: the machine, or a test that lets weeks pass.
pub trait Clock: Send + Sync {
    /// The time now.
    ///
    /// # Errors
    /// When the clock stands before 1970 or after 9999.
    fn now(&self) -> Result<Timestamp, Failure>;
}

/// The clock of this machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Result<Timestamp, Failure> {
        now()
    }
}

/// The time of this machine, in UTC.
///
/// # Errors
/// When the machine's clock stands before 1970 or after 9999.
pub fn now() -> Result<Timestamp, Failure> {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    let ms = since_1970.ok().and_then(|duration| i64::try_from(duration.as_millis()).ok());
    let time = ms.and_then(|ms| Timestamp::from_ms(ms).ok());
    time.ok_or_else(|| {
        Failure::refused("clock", "expected a clock between 1970 and 9999", "set the clock of this machine")
    })
}

/// Fresh bytes from the operating system's random number generator.
///
/// # Errors
/// When the system has none.
pub fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => {
            let what = format!("the system gave no random bytes: {error}");
            Err(Failure::refused("randomness", what, "check the system's random number generator"))
        }
    }
}

/// The time since the program began to ask, by a clock that only goes forward: for measuring how long things take.
pub fn stopwatch() -> std::time::Duration {
    static BEGAN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    BEGAN.get_or_init(std::time::Instant::now).elapsed()
}
