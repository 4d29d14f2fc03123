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
/// Bytes of the canonical form.
const TEXT_BYTES: usize = 24;
const EXPECTED: &str = "a time such as 2026-11-10T12:00:00.000Z, from 1970 to 9999";

/// A moment, in whole milliseconds since 1970-01-01T00:00:00Z, never negative, before the year 10000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The first moment of 1970.
    pub const FIRST: Self = Self(0);
    /// The last moment of the year 9999.
    pub const LAST: Self = Self(LAST_MS);

    /// From milliseconds since 1970.
    ///
    /// # Errors
    /// `invalid_time` outside 1970 to 9999.
    pub fn from_ms(ms: i64) -> Checked<Self> {
        if (0..=LAST_MS).contains(&ms) {
            return Ok(Self(ms));
        }
        let got =
            if ms < 0 { format!("one before {}", Self::FIRST) } else { format!("one after {}", Self::LAST) };
        Err(Rejection::new(RejectionCode::InvalidTime, "time", EXPECTED, got))
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
        read_rfc3339(text.as_bytes())
            .ok_or_else(refuse)
            .and_then(|ms| Self::from_ms(ms).map_err(|_| refuse()))
    }
}

/// Milliseconds since 1970 of a time in RFC 3339's form, with `T`, and `Z` or an offset. None for another form (ISO
/// 8601 has many), a date that the calendar does not have, a leap second, or more than milliseconds.
fn read_rfc3339(text: &[u8]) -> Option<i64> {
    let (moment, rest) = text.split_at_checked(19)?;
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if separators.iter().any(|(place, sign)| moment.get(*place) != Some(sign)) {
        return None;
    }
    let part = |from: usize, to: usize| read_digits(moment.get(from..to)?);
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
    if !(1..=days_in_month(year, month)).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (fraction_ms, offset) = read_fraction(rest)?;
    let minutes = hour * 60 + minute - read_offset(offset)?;
    Some(day_number(year, month, day) * MS_PER_DAY + minutes * 60_000 + second * MS_PER_SECOND + fraction_ms)
}

fn read_digits(digits: &[u8]) -> Option<i64> {
    let all_digits = digits.iter().all(u8::is_ascii_digit);
    all_digits.then(|| digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
}

/// The milliseconds of `.` and 1 to 9 digits, of which those after the third are zero; and what follows.
fn read_fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(rest) = text.strip_prefix(b".") else { return Some((0, text)) };
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = rest.split_at_checked(count)?;
    if !(1..=9).contains(&count) || digits.iter().skip(3).any(|digit| *digit != b'0') {
        return None;
    }
    let digit = |place: usize| digits.get(place).map_or(0, |digit| i64::from(digit - b'0'));
    Some((digit(0) * 100 + digit(1) * 10 + digit(2), rest))
}

/// How far a clock is ahead of UTC, in minutes: `Z`, `+HH:MM` or `-HH:MM`.
fn read_offset(text: &[u8]) -> Option<i64> {
    let (sign, text) = match text {
        b"Z" => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (&[h1, h2, b':', m1, m2], []) = text.split_first_chunk::<5>()? else { return None };
    let (hours, minutes) = (read_digits(&[h1, h2])?, read_digits(&[m1, m2])?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 0,
    }
}

/// Days since 1970-01-01: the other way of [`civil_date`].
fn day_number(year: i64, month: i64, day: i64) -> i64 {
    // Counted from March, so that the leap day is a year's last; from the year -400, so that nothing is negative.
    let years = year + 400 - i64::from(month <= 2);
    let months = (month + 9) % 12;
    let day_of_year = (153 * months + 2) / 5 + day - 1;
    years * 365 + years / 4 - years / 100 + years / 400 + day_of_year - 719_468 - 146_097
}

impl Timestamp {
    /// The one canonical form.
    pub(crate) fn text(self) -> [u8; TEXT_BYTES] {
        let (year, month, day) = civil_date(self.0 / MS_PER_DAY);
        let rest = self.0 % MS_PER_DAY;
        let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
        let (second, ms) = (rest / MS_PER_SECOND % 60, rest % MS_PER_SECOND);
        // Every leaf has such texts: byte by byte, without a loop over places.
        let ([y1, y2], [y3, y4]) = (two_digits(year / 100), two_digits(year % 100));
        let ([o1, o2], [d1, d2]) = (two_digits(month), two_digits(day));
        let ([h1, h2], [m1, m2], [s1, s2]) = (two_digits(hour), two_digits(minute), two_digits(second));
        let ([_, f1], [f2, f3]) = (two_digits(ms / 100), two_digits(ms % 100));
        [
            y1, y2, y3, y4, b'-', o1, o2, b'-', d1, d2, b'T', h1, h2, b':', m1, m2, b':', s1, s2, b'.', f1,
            f2, f3, b'Z',
        ]
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.text()).unwrap_or_default())
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

/// The digits of a number below 100.
fn two_digits(number: i64) -> [u8; 2] {
    let number = u8::try_from(number).unwrap_or(0);
    [b'0' + number / 10, b'0' + number % 10]
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
    fn every_third_day_is_read_as_it_is_written() {
        for day in (0..=LAST_MS / MS_PER_DAY).step_by(3) {
            let time = Timestamp(day * MS_PER_DAY + day % MS_PER_DAY);
            assert_eq!(time.to_string().parse(), Ok(time));
        }
        assert_eq!("9999-12-31T23:59:59.999Z".parse(), Ok(Timestamp(LAST_MS)));
    }

    #[test]
    fn times_are_read_as_a_calendar_library_reads_them() {
        for year in ["1970", "1999", "2000", "2026", "2028", "2100", "9999"] {
            for month in 0..=13 {
                for day in 0..=32 {
                    for offset in ["Z", "+14:00", "-23:59", "-00:00"] {
                        let text = format!("{year}-{month:02}-{day:02}T10:30:59.25{offset}");
                        let theirs = text.parse::<jiff::Timestamp>().ok().map(|time| time.as_millisecond());
                        let theirs = theirs.filter(|ms| *ms >= 0);
                        let ours = Timestamp::parse_edge("at", &text).ok().map(Timestamp::as_ms);
                        // The library ends a day before the year does.
                        assert!(ours == theirs || text.starts_with("9999-12-3"), "{text}");
                    }
                }
            }
        }
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
