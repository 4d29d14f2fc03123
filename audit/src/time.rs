//! Times: milliseconds since 1970 in UTC, one text form, and periods. Nothing here reads a clock.

use std::fmt;
use std::str::FromStr;

use crate::rejection::{Checked, Rejection, RejectionCode};

/// Milliseconds in a second.
pub const MS_PER_SECOND: i64 = 1_000;
/// Milliseconds in a day.
pub const MS_PER_DAY: i64 = 86_400_000;
/// 9999-12-31T23:59:59.999Z.
const LAST_MS: i64 = 253_402_300_799_999;
const EXPECTED: &str = "a time such as 2026-11-10T12:00:00.000Z, from 1970 to 9999";

/// A moment, in whole milliseconds since 1970-01-01T00:00:00Z, never negative, before the year 10000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since 1970.
    ///
    /// # Errors
    /// `invalid_time` outside 1970 to 9999.
    pub fn from_ms(ms: i64) -> Checked<Self> {
        if (0..=LAST_MS).contains(&ms) {
            return Ok(Self(ms));
        }
        Err(Rejection::new(RejectionCode::InvalidTime, "time", EXPECTED, format!("{ms} ms")))
    }

    /// Milliseconds since 1970.
    pub fn as_ms(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down: the resolution of cosignatures.
    pub fn as_seconds(self) -> u64 {
        (self.0 / MS_PER_SECOND).unsigned_abs()
    }

    /// This moment and `ms` more.
    ///
    /// # Errors
    /// `invalid_time` when the sum leaves 1970 to 9999.
    pub fn plus_ms(self, ms: i64) -> Checked<Self> {
        Self::from_ms(self.0.saturating_add(ms))
    }

    /// Parses any RFC 3339 time with an offset and at most milliseconds, as sources and people write them.
    ///
    /// # Errors
    /// `invalid_time`, naming `field`.
    pub fn parse_edge(field: &str, text: &str) -> Checked<Self> {
        let refuse = || Rejection::new(RejectionCode::InvalidTime, field, EXPECTED, text);
        if !has_rfc3339_form(text.as_bytes()) {
            return Err(refuse());
        }
        // jiff would clamp a leap second to :59; a moment that did not happen then is refused instead.
        if text.get(17..19) == Some("60") {
            return Err(refuse());
        }
        let instant: jiff::Timestamp = text.parse().map_err(|_| refuse())?;
        if instant.subsec_nanosecond() % 1_000_000 != 0 {
            return Err(refuse());
        }
        Self::from_ms(instant.as_millisecond()).map_err(|_| refuse())
    }
}

/// Whether a text is digits and signs as RFC 3339 places them, with `T`, `Z` or an offset of hours and minutes, and a
/// fraction of 1 to 9 digits. jiff, which judges their values, takes ISO 8601's other forms too.
fn has_rfc3339_form(text: &[u8]) -> bool {
    let Some((moment, rest)) = text.split_at_checked(19) else { return false };
    let placed = moment.iter().zip(b"0000-00-00T00:00:00").all(|(byte, place)| match place {
        b'0' => byte.is_ascii_digit(),
        sign => byte == sign,
    });
    let rest = match rest.strip_prefix(b".") {
        None => rest,
        Some(fraction) => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=9).contains(&digits) {
                return false;
            }
            fraction.get(digits..).unwrap_or_default()
        }
    };
    placed && has_offset_form(rest)
}

fn has_offset_form(text: &[u8]) -> bool {
    match text {
        b"Z" => true,
        [b'+' | b'-', tens @ b'0'..=b'2', ones @ b'0'..=b'9', b':', b'0'..=b'5', b'0'..=b'9'] => {
            (*tens, *ones) < (b'2', b'4')
        }
        _ => false,
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_date(self.0 / MS_PER_DAY);
        let rest = self.0 % MS_PER_DAY;
        let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
        let (second, ms) = (rest / MS_PER_SECOND % 60, rest % MS_PER_SECOND);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
    }
}

impl FromStr for Timestamp {
    type Err = Rejection;

    /// Parses the one canonical form, `2026-11-10T12:00:00.000Z`.
    fn from_str(text: &str) -> Checked<Self> {
        let time = Self::parse_edge("time", text)?;
        if time.to_string() == text {
            return Ok(time);
        }
        Err(Rejection::new(RejectionCode::NotCanonical, "time", time.to_string(), text))
    }
}

/// Year, month and day of a day number since 1970-01-01 (the era arithmetic of Hinnant's `civil_from_days`,
/// here only for days from 1970 on, so that formatting needs no allocation).
fn civil_date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_shifted + 2) / 5 + 1;
    let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// A half-open span of time, `[start, end)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first moment that belongs to it.
    pub start: Timestamp,
    /// The first moment after it.
    pub end: Timestamp,
}

impl Period {
    /// Whether `time` belongs to the period.
    pub fn contains(&self, time: Timestamp) -> bool {
        self.start <= time && time < self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_is_the_same_as_a_calendar_library_prints() {
        let mut ms = 0_i64;
        while ms <= LAST_MS {
            let ours = Timestamp::from_ms(ms).expect("in range");
            let theirs = jiff::Timestamp::from_millisecond(ms).expect("in range");
            assert_eq!(ours.to_string(), format!("{theirs:.3}"));
            assert_eq!(ours.to_string().parse::<Timestamp>().expect("parses"), ours);
            ms += 86_399_999 * 37;
        }
        assert_eq!(Timestamp::from_ms(LAST_MS).expect("in range").to_string(), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn edge_times_are_normalised_or_refused() {
        let parsed = Timestamp::parse_edge("event_time", "2026-01-15T12:30:00+02:00").expect("offset");
        assert_eq!(parsed.to_string(), "2026-01-15T10:30:00.000Z");
        for text in [
            "",
            "2026",
            "2026-01-15",
            "2026-01-15 10:30:00Z",
            "2026-01-15T10:30:00",
            "2026-02-30T00:00:00Z",
            "2026-01-15T10:30:60Z",
            "2026-01-15T10:30:00.0001Z",
            "1969-12-31T23:59:59.999Z",
            "10000-01-01T00:00:00Z",
            "-000001-01-01T00:00:00Z",
            "2026-01-15T10:30:00Z[UTC]",
            "2026-01-15T10:30:00z",
            "2026-01-15t10:30:00Z",
            "2026-01-15T10:30:00+0200",
            "2026-01-15T10:30:00+02",
            "2026-01-15T10:30:00,5Z",
            "2026-01-15T10:30:00.Z",
            "2026-01-15T10:30:00.1230000000Z",
            "2026-01-15T10:30:00+02:00:30",
            "2026-01-15T10:30:00+24:00",
            "2026-01-15T10:30:00+02:60",
            "2026-01-15T103000.00Z",
            "2026-01-15T10:30+02:00",
            "2026-01-15T24:00:00Z",
            "２026-01-15T10:30:00Z",
        ] {
            let rejection = Timestamp::parse_edge("event_time", text).expect_err(text);
            assert_eq!(rejection.code, RejectionCode::InvalidTime);
        }
        assert_eq!(
            "2026-01-15T10:30:00Z".parse::<Timestamp>().expect_err("short form").code,
            RejectionCode::NotCanonical
        );
    }
}
