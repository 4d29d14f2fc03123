//! How long GitHub asks to be left alone: what the headers of an answer say of its primary and secondary limits.

use meed_audit::time::{MS_PER_SECOND, Timestamp};
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// How long to wait where a limit says nothing of it, in milliseconds: what GitHub asks for.
const UNSAID_MS: i64 = 60_000;
/// The longest wait, in milliseconds: limits are counted by the hour.
const LONGEST_MS: i64 = 2 * 3_600_000;

/// What an answer says of limits.
pub(super) struct Limits {
    /// Seconds that it asks to wait.
    retry_after_seconds: Option<i64>,
    /// Whether nothing is left until the limit is counted anew.
    spent: bool,
    /// When it is counted anew, in seconds since 1970.
    reset_seconds: Option<i64>,
}

impl Limits {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let number = |name: &str| -> Option<i64> {
            headers.get(name)?.to_str().ok()?.trim().parse().ok().filter(|number| *number >= 0)
        };
        Self {
            retry_after_seconds: number(RETRY_AFTER.as_str()),
            spent: number("x-ratelimit-remaining") == Some(0),
            reset_seconds: number("x-ratelimit-reset"),
        }
    }

    /// Whether the headers alone tell that a refusal is one for a while.
    pub(super) fn are_reached(&self) -> bool {
        self.spent || self.retry_after_seconds.is_some()
    }

    /// When to ask again, of an answer that came `now`: at least a second and at most two hours later.
    pub(super) fn until(&self, now: Timestamp) -> Timestamp {
        let from_now = |seconds: i64| now.as_ms().saturating_add(seconds.saturating_mul(MS_PER_SECOND));
        let until_ms = match (self.retry_after_seconds, self.reset_seconds) {
            (Some(seconds), _) => from_now(seconds),
            (None, Some(reset)) if self.spent => reset.saturating_mul(MS_PER_SECOND),
            _ => now.as_ms().saturating_add(UNSAID_MS),
        };
        let earliest = now.as_ms().saturating_add(MS_PER_SECOND);
        let latest = now.as_ms().saturating_add(LONGEST_MS);
        Timestamp::from_ms(until_ms.clamp(earliest, latest)).unwrap_or(Timestamp::LAST)
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;

    #[test]
    fn the_time_to_ask_again_is_what_the_headers_say_within_reason() {
        let now = Timestamp::from_ms(1_000_000_000_000).expect("time");
        for (headers, reached, seconds) in [
            (vec![], false, 60),
            (vec![("retry-after", "7")], true, 7),
            (vec![("retry-after", "0")], true, 1),
            (vec![("retry-after", "999999")], true, 7_200),
            (vec![("retry-after", "-5")], false, 60),
            (vec![("retry-after", "soon")], false, 60),
            (vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1000000120")], true, 120),
            (vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "5")], true, 1),
            (vec![("x-ratelimit-remaining", "0")], true, 60),
            (vec![("x-ratelimit-remaining", "9"), ("x-ratelimit-reset", "1000000120")], false, 60),
            (vec![("retry-after", "9"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "5")], true, 9),
        ] {
            let mut map = HeaderMap::new();
            for (name, value) in &headers {
                map.insert(*name, value.parse().expect("value"));
            }
            let limits = Limits::of(&map);
            assert_eq!(limits.are_reached(), reached, "{headers:?}");
            let waited_ms = limits.until(now).as_ms() - now.as_ms();
            assert_eq!(waited_ms, seconds * 1_000, "{headers:?}");
        }
    }
}
