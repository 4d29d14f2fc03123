//! Epoch windows, and which epoch an event belongs to.

use crate::ids::EpochNumber;
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::time::{MS_PER_DAY, Period, Timestamp};

/// Monday 2026-01-05T00:00:00Z, from which windows are counted, in ms since 1970.
const ANCHOR_MS: i64 = 1_767_571_200_000;
/// Longest window, in days.
pub const WINDOW_DAYS_MAX: u32 = 364;

/// Length of a window, in days: a multiple of 7, at most 364.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowDays(u32);

impl WindowDays {
    /// One week.
    pub const WEEK: Self = Self(7);

    /// Checks the number of days.
    ///
    /// # Errors
    /// `invalid_window_days` unless it is 7, 14, … 364.
    pub fn new(days: u32) -> Checked<Self> {
        if days != 0 && days.is_multiple_of(7) && days <= WINDOW_DAYS_MAX {
            return Ok(Self(days));
        }
        let expected = format!("a multiple of 7 from 7 to {WINDOW_DAYS_MAX}");
        Err(Rejection::new(RejectionCode::InvalidWindowDays, "window_days", expected, days))
    }

    /// The number of days.
    pub fn get(self) -> u32 {
        self.0
    }

    /// When the first window begins that lies within the times there are, from 1970 on. What happened before it can
    /// belong to no epoch.
    pub fn first_start(self) -> Timestamp {
        let length_ms = i64::from(self.0) * MS_PER_DAY;
        Timestamp::from_ms(ANCHOR_MS.rem_euclid(length_ms)).unwrap_or(Timestamp::FIRST)
    }

    /// The window that holds `at`: windows are laid end to end from the anchor, in both directions.
    ///
    /// # Errors
    /// `invalid_time` when the window would leave 1970 to 9999.
    pub fn window_at(self, at: Timestamp) -> Checked<Period> {
        let length_ms = i64::from(self.0) * MS_PER_DAY;
        let index = (at.as_ms() - ANCHOR_MS).div_euclid(length_ms);
        let start_ms = ANCHOR_MS + index * length_ms;
        let bounds = (Timestamp::from_ms(start_ms), Timestamp::from_ms(start_ms + length_ms));
        let (Ok(start), Ok(end)) = bounds else {
            let expected = format!(
                "a time whose window of {} days lies within {} and {}",
                self.0,
                Timestamp::FIRST,
                Timestamp::LAST
            );
            return Err(Rejection::new(RejectionCode::InvalidTime, "time", expected, at));
        };
        Ok(Period { start, end })
    }
}

/// One epoch's window and, once it is closed, the size of the events log that closing pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochWindow {
    /// The epoch.
    pub number: EpochNumber,
    /// Its window.
    pub period: Period,
    /// The size of the events log at close; none while the epoch is open.
    pub log_size: Option<u64>,
}

/// The epoch that an event belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The epoch.
    pub epoch: EpochNumber,
    /// Whether the event happened before that epoch's window.
    pub late: bool,
}

/// Which epoch of a scope takes an event (rule `EPOCH_BY_EVENT_TIME`): the first one, in order, that ends after the
/// event and had not pinned the log yet when the event entered it at `index`. `windows` are the scope's, ascending.
///
/// None when no epoch takes it yet, and for an event from before the scope's first window: history from before a
/// scope began is kept as a fact but is never paid by accident.
pub fn assign(windows: &[EpochWindow], event_time: Timestamp, index: u64) -> Option<Assignment> {
    if event_time < windows.first()?.period.start {
        return None;
    }
    windows
        .iter()
        .find(|window| event_time < window.period.end && window.log_size.is_none_or(|size| index < size))
        .map(|window| Assignment { epoch: window.number, late: event_time < window.period.start })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_edge("at", text).expect(text)
    }

    #[test]
    fn windows_are_the_earlier_systems() {
        let cases = [
            ("2026-02-18T12:00:00Z", 7, "2026-02-16T00:00:00.000Z", "2026-02-23T00:00:00.000Z"),
            ("2026-02-22T23:59:59Z", 7, "2026-02-16T00:00:00.000Z", "2026-02-23T00:00:00.000Z"),
            ("2026-02-23T00:00:00Z", 7, "2026-02-23T00:00:00.000Z", "2026-03-02T00:00:00.000Z"),
            ("2026-01-04T23:59:59Z", 7, "2025-12-29T00:00:00.000Z", "2026-01-05T00:00:00.000Z"),
            ("2026-01-05T00:00:00Z", 28, "2026-01-05T00:00:00.000Z", "2026-02-02T00:00:00.000Z"),
        ];
        for (time, days, start, end) in cases {
            let window = WindowDays::new(days).expect("days").window_at(at(time)).expect("window");
            assert_eq!((window.start.to_string().as_str(), window.end.to_string().as_str()), (start, end));
        }
    }

    #[test]
    fn a_window_that_leaves_the_calendar_is_refused_by_the_time_that_was_given() {
        for time in ["1970-01-04T23:59:59.999Z", "9999-12-31T00:00:00.000Z"] {
            let refusal = WindowDays::WEEK.window_at(at(time)).expect_err(time);
            assert_eq!((refusal.code, refusal.got.as_str()), (RejectionCode::InvalidTime, time));
            let bounds = "within 1970-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z";
            assert!(refusal.expected.contains(bounds), "{refusal}");
        }
        WindowDays::WEEK.window_at(at("1970-01-05T00:00:00Z")).expect("the first whole week");
        for days in (7..=364).step_by(7) {
            let length = WindowDays::new(days).expect("days");
            let first = length.first_start();
            assert_eq!(length.window_at(first).expect("whole").start, first);
            length
                .window_at(Timestamp::from_ms(first.as_ms() - 1).expect("time"))
                .expect_err("begins before 1970");
        }
    }

    #[test]
    fn lengths_that_are_not_weeks_are_refused() {
        for days in (0..=400).filter(|days| *days == 0 || days % 7 != 0 || *days > 364) {
            assert_eq!(WindowDays::new(days).expect_err("refused").code, RejectionCode::InvalidWindowDays);
        }
    }

    #[test]
    fn every_window_holds_its_time_and_touches_the_next() {
        for days in [7, 14, 21, 364] {
            let length = WindowDays::new(days).expect("days");
            for step in 0..2_000 {
                let time = at("2019-12-31T23:59:59.999Z").plus_ms(step * 123_456_789).expect("time");
                let window = length.window_at(time).expect("window");
                assert!(window.contains(time));
                assert_eq!(length.window_at(window.end).expect("next").start, window.end);
            }
        }
    }

    #[test]
    fn epoch_by_event_time() {
        let week = |number: u64, start: &str, log_size| EpochWindow {
            number: EpochNumber::new(number).expect("number"),
            period: WindowDays::WEEK.window_at(at(start)).expect("window"),
            log_size,
        };
        // A week without an epoch lies between the second and the third.
        let windows = [
            week(1, "2026-01-05T00:00:00Z", Some(10)),
            week(2, "2026-01-12T00:00:00Z", Some(20)),
            week(3, "2026-01-26T00:00:00Z", None),
        ];
        let epoch = |time: &str, index| assign(&windows, at(time), index).map(|a| (a.epoch.get(), a.late));
        assert_eq!(epoch("2026-01-04T23:59:59.999Z", 0), None, "before the scope began");
        assert_eq!(epoch("2026-01-05T00:00:00Z", 9), Some((1, false)));
        assert_eq!(epoch("2026-01-05T00:00:00Z", 10), Some((2, true)), "entered after the first close");
        assert_eq!(epoch("2026-01-11T23:59:59.999Z", 20), Some((3, true)), "after both closes");
        assert_eq!(epoch("2026-01-12T00:00:00Z", 0), Some((2, false)), "early arrival counts by its time");
        assert_eq!(epoch("2026-01-20T00:00:00Z", 0), Some((3, true)), "a gap goes to the next epoch");
        assert_eq!(epoch("2026-01-26T00:00:00Z", 500), Some((3, false)));
        assert_eq!(epoch("2026-02-02T00:00:00Z", 500), None, "no window yet");
    }
}
