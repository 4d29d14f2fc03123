//! What is due for a scope, in the order in which it is to be done.
//!
//! An epoch is closed when its own window's grace is over, and for no other reason: a run that is late, repeated or for
//! another window never closes it. A node that slept through windows makes up for them one at a time: it closes the
//! epoch that is open, opens the next window, closes that, until it stands in the window of now.

use meed_audit::Checked;
use meed_audit::ids::EpochNumber;
use meed_audit::time::{Period, Timestamp};
use meed_audit::window::WindowDays;

use super::Cron;

/// Milliseconds in an hour.
const MS_PER_HOUR: i64 = 3_600_000;
/// Most windows that one plan makes up for: about twenty years of weeks. The next plan goes on.
const WINDOWS_MAX: usize = 1_000;

/// An epoch, as far as a plan needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochSketch {
    /// Its number.
    pub number: EpochNumber,
    /// Its window.
    pub period: Period,
    /// Whether it takes events.
    pub open: bool,
}

/// Something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Open the window that begins then.
    Open(Timestamp),
    /// Collect the last of the epoch's window, and close it.
    Close(EpochNumber),
    /// Collect what happened in the window so far.
    Collect(Period),
}

/// All that decides what is due.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The time now.
    pub now: Timestamp,
    /// When events are collected.
    pub collect: Option<&'a Cron>,
    /// Until when events were collected that were due.
    pub collected_until: Timestamp,
    /// How long after its window's end an epoch is closed.
    pub grace_hours: u32,
    /// Whether epochs are closed.
    pub close: bool,
    /// Whether the next window is opened.
    pub open_next: bool,
    /// Length of the next window.
    pub window_days: WindowDays,
    /// The newest epoch of the scope.
    pub last: Option<EpochSketch>,
    /// A time in the window that is opened first, where the scope has no epoch and it is not that of now.
    pub first: Option<Timestamp>,
    /// Until when neither closing nor opening is tried again, after it failed.
    pub blocked_until: Option<Timestamp>,
}

impl Situation<'_> {
    /// What is due now, in order.
    ///
    /// # Errors
    /// `invalid_time` where a window would leave 1970 to 9999.
    pub fn due(&self) -> Checked<Vec<Action>> {
        let mut actions = self.due_epochs()?;
        let is_due = self.next_collection().is_some_and(|next| next <= self.now);
        if is_due {
            actions.push(Action::Collect(self.window_of_now()?));
        }
        Ok(actions)
    }

    /// When something falls due next, where nothing is due now; none where nothing ever does by itself.
    ///
    /// # Errors
    /// As [`Situation::due`].
    pub fn next_due(&self) -> Checked<Option<Timestamp>> {
        let epochs = match self.last {
            Some(open) if open.open => self.close.then(|| self.close_at(&open)).transpose()?,
            Some(closed) if self.open_next => Some(next_window(self.window_days, closed.period.end)?.start),
            Some(_) => None,
            None if self.open_next => Some(self.first_window()?.start.max(self.now)),
            None => None,
        };
        let epochs = epochs.map(|at| self.blocked_until.map_or(at, |until| at.max(until)));
        Ok(epochs.into_iter().chain(self.next_collection()).min())
    }

    /// The window that holds now: that of the epoch, where it has one, else the one that will.
    ///
    /// # Errors
    /// As [`Situation::due`].
    pub fn window_of_now(&self) -> Checked<Period> {
        let Some(last) = self.last else { return self.window_days.window_at(self.now) };
        if self.now < last.period.end {
            return Ok(last.period);
        }
        let next = next_window(self.window_days, last.period.end)?;
        if self.now < next.start {
            // Where the length has changed, days can lie between two windows.
            return Ok(Period { start: last.period.end, end: next.start });
        }
        self.window_days.window_at(self.now)
    }

    /// The window that is opened where there is none.
    fn first_window(&self) -> Checked<Period> {
        self.window_days.window_at(self.first.unwrap_or(self.now))
    }

    fn next_collection(&self) -> Option<Timestamp> {
        self.collect?.next_after(self.collected_until)
    }

    fn close_at(&self, epoch: &EpochSketch) -> Checked<Timestamp> {
        epoch.period.end.plus_ms(i64::from(self.grace_hours) * MS_PER_HOUR)
    }

    /// Closing and opening, as if each succeeded.
    fn due_epochs(&self) -> Checked<Vec<Action>> {
        let mut actions = Vec::new();
        if self.blocked_until.is_some_and(|until| self.now < until) {
            return Ok(actions);
        }
        let mut last = self.last;
        while actions.len() < WINDOWS_MAX {
            match last {
                Some(epoch) if epoch.open => {
                    if !self.close || self.now < self.close_at(&epoch)? {
                        break;
                    }
                    actions.push(Action::Close(epoch.number));
                    last = Some(EpochSketch { open: false, ..epoch });
                }
                closed => {
                    let period = match closed {
                        None => self.first_window()?,
                        Some(epoch) => next_window(self.window_days, epoch.period.end)?,
                    };
                    if !self.open_next || self.now < period.start {
                        break;
                    }
                    let number = closed.map_or(EpochNumber::FIRST, |epoch| epoch.number.next());
                    actions.push(Action::Open(period.start));
                    last = Some(EpochSketch { number, period, open: true });
                }
            }
        }
        Ok(actions)
    }
}

/// The first window that begins at or after the end of the last one.
fn next_window(days: WindowDays, last_end: Timestamp) -> Checked<Period> {
    let holding = days.window_at(last_end)?;
    if holding.start < last_end { days.window_at(holding.end) } else { Ok(holding) }
}

#[cfg(test)]
mod tests {
    use meed_audit::time::MS_PER_DAY;

    use super::*;

    /// Monday of the first week, and days after it.
    fn day(days: i64) -> Timestamp {
        Timestamp::parse_edge("at", "2026-01-05T00:00:00Z")
            .expect("time")
            .plus_ms(days * MS_PER_DAY)
            .expect("time")
    }

    fn epoch(number: u64, from: i64, until: i64, open: bool) -> EpochSketch {
        let number = EpochNumber::new(number).expect("number");
        EpochSketch { number, period: Period { start: day(from), end: day(until) }, open }
    }

    /// A weekly scope that does everything by itself, with a day of grace and without collecting.
    fn weekly(now: Timestamp, last: Option<EpochSketch>) -> Situation<'static> {
        Situation {
            now,
            collect: None,
            collected_until: day(0),
            grace_hours: 24,
            close: true,
            open_next: true,
            window_days: WindowDays::WEEK,
            last,
            first: None,
            blocked_until: None,
        }
    }

    fn words(actions: &[Action]) -> String {
        let days = |at: Timestamp| (at.as_ms() - day(0).as_ms()) / MS_PER_DAY;
        let word = |action: &Action| match action {
            Action::Open(at) => format!("open {}", days(*at)),
            Action::Close(number) => format!("close {number}"),
            Action::Collect(period) => format!("collect {} {}", days(period.start), days(period.end)),
        };
        actions.iter().map(word).collect::<Vec<_>>().join(", ")
    }

    fn due(situation: &Situation<'_>) -> String {
        words(&situation.due().expect("a plan"))
    }

    #[test]
    fn an_epoch_is_closed_when_its_grace_is_over_and_the_next_window_opened() {
        for (now, last, expected) in [
            (day(2), None, "open 0"),
            (day(2), Some(epoch(1, 0, 7, true)), ""),
            (day(7), Some(epoch(1, 0, 7, true)), ""),
            (day(8).plus_ms(-1).expect("time"), Some(epoch(1, 0, 7, true)), ""),
            (day(8), Some(epoch(1, 0, 7, true)), "close 1, open 7"),
            // Somebody closed it early, or by hand within the grace.
            (day(3), Some(epoch(1, 0, 7, false)), ""),
            (day(7), Some(epoch(1, 0, 7, false)), "open 7"),
            // The next one was opened by hand, ahead of its time.
            (day(3), Some(epoch(2, 7, 14, true)), ""),
        ] {
            assert_eq!(due(&weekly(now, last)), expected, "{now} {last:?}");
        }
    }

    #[test]
    fn windows_that_were_slept_through_are_made_up_for_in_order() {
        let slept = weekly(day(25), Some(epoch(1, 0, 7, true)));
        assert_eq!(due(&slept), "close 1, open 7, close 2, open 14, close 3, open 21");
        let closed = weekly(day(15), Some(epoch(4, 0, 7, false)));
        assert_eq!(due(&closed), "open 7, close 5, open 14");
        let ages = weekly(day(7 * 3_000), Some(epoch(1, 0, 7, true)));
        assert_eq!(ages.due().expect("a plan").len(), WINDOWS_MAX);
    }

    #[test]
    fn the_first_window_is_the_one_that_is_said_and_waits_for_its_time() {
        let first = |now, days| Situation { first: Some(day(days)), ..weekly(now, None) };
        assert_eq!(due(&first(day(16), 1)), "open 0, close 1, open 7, close 2, open 14");
        let later = first(day(3), 15);
        assert_eq!((due(&later), later.next_due().expect("time")), (String::new(), Some(day(14))));
        assert_eq!(due(&first(day(14), 15)), "open 14");
        // It is of no matter where there is an epoch.
        let last = Some(epoch(1, 0, 7, true));
        assert_eq!(due(&Situation { last, ..later }), "");
    }

    #[test]
    fn terms_that_are_off_leave_it_to_people() {
        let last = Some(epoch(1, 0, 7, true));
        let never_closes = Situation { close: false, ..weekly(day(30), last) };
        assert_eq!((due(&never_closes), never_closes.next_due().expect("time")), (String::new(), None));
        let never_opens = Situation { open_next: false, ..weekly(day(30), last) };
        assert_eq!(due(&never_opens), "close 1");
        let nothing_yet = Situation { open_next: false, ..weekly(day(30), None) };
        assert_eq!((due(&nothing_yet), nothing_yet.next_due().expect("time")), (String::new(), None));
    }

    #[test]
    fn after_a_failure_nothing_is_tried_before_its_time_and_collecting_goes_on() {
        let cron: Cron = "0 3 * * *".parse().expect("cron");
        let blocked = |until| Situation {
            blocked_until: Some(until),
            collect: Some(&cron),
            collected_until: day(9),
            ..weekly(day(10), Some(epoch(1, 0, 7, true)))
        };
        assert_eq!(due(&blocked(day(11))), "collect 7 14");
        assert_eq!(due(&blocked(day(10))), "close 1, open 7, collect 7 14");
        let idle = Situation { collected_until: day(10), ..blocked(day(11)) };
        let at_three = day(10).plus_ms(3 * MS_PER_HOUR).expect("time");
        assert_eq!(idle.next_due().expect("time"), Some(at_three));
        let without = Situation { collect: None, ..idle };
        assert_eq!(without.next_due().expect("time"), Some(day(11)));
    }

    #[test]
    fn collections_that_were_missed_are_one_collection() {
        let cron: Cron = "0 3 * * *".parse().expect("cron");
        let at = |now, until| Situation {
            collect: Some(&cron),
            collected_until: until,
            ..weekly(now, Some(epoch(1, 0, 7, true)))
        };
        let three = 3 * MS_PER_HOUR;
        assert_eq!(due(&at(day(2), day(1).plus_ms(three).expect("time"))), "");
        assert_eq!(
            due(&at(day(2).plus_ms(three).expect("time"), day(1).plus_ms(three).expect("time"))),
            "collect 0 7"
        );
        assert_eq!(due(&at(day(5), day(1))), "collect 0 7");
        // In the grace of one epoch the window of now is the next one's, though it is not open yet.
        assert_eq!(due(&at(day(7).plus_ms(three).expect("time"), day(7))), "collect 7 14");
        assert_eq!(due(&at(day(20), day(6))), "close 1, open 7, close 2, open 14, collect 14 21");
    }

    #[test]
    fn a_changed_length_takes_effect_at_its_first_boundary() {
        let longer = |now| Situation {
            window_days: WindowDays::new(14).expect("days"),
            ..weekly(now, Some(epoch(1, 0, 7, false)))
        };
        assert_eq!(due(&longer(day(8))), "");
        assert_eq!(longer(day(8)).next_due().expect("time"), Some(day(14)));
        assert_eq!(longer(day(8)).window_of_now().expect("window"), Period { start: day(7), end: day(14) });
        assert_eq!(due(&longer(day(14))), "open 14");
        assert_eq!(longer(day(15)).window_of_now().expect("window"), Period { start: day(14), end: day(28) });
    }

    /// Every small world: whatever stands and whenever it is asked, an epoch is closed only after its own grace, numbers
    /// and windows follow each other, and doing what is due leaves nothing due.
    #[test]
    fn in_every_small_world_nothing_is_closed_before_its_time() {
        let half_day = MS_PER_DAY / 2;
        let mut plans = 0;
        for now_half in 0..80 {
            let now = day(0).plus_ms(now_half * half_day).expect("time");
            for first in [
                None,
                Some((0, true)),
                Some((0, false)),
                Some((7, true)),
                Some((14, false)),
                Some((35, true)),
            ] {
                let last = first.map(|(from, open)| epoch(3, from, from + 7, open));
                for (grace_hours, close, open_next, days) in [
                    (0, true, true, 7),
                    (24, true, true, 7),
                    (24, true, true, 14),
                    (200, true, true, 7),
                    (24, false, true, 7),
                    (24, true, false, 7),
                ] {
                    let window_days = WindowDays::new(days).expect("days");
                    let situation =
                        Situation { grace_hours, close, open_next, window_days, ..weekly(now, last) };
                    let left = follow(&situation);
                    assert_eq!(due(&left), "", "{situation:?}");
                    let next = left.next_due().expect("time");
                    assert!(next.is_none_or(|next| next > now), "{situation:?}: due at {next:?}");
                    plans += 1;
                }
            }
        }
        assert_eq!(plans, 80 * 6 * 6);
    }

    /// The situation after doing what is due, with each action checked.
    fn follow<'a>(situation: &Situation<'a>) -> Situation<'a> {
        let mut last = situation.last;
        for action in situation.due().expect("a plan") {
            match action {
                Action::Open(start) => {
                    assert!(start <= situation.now && situation.open_next);
                    let period = situation.window_days.window_at(start).expect("window");
                    assert_eq!(period.start, start);
                    if let Some(before) = last {
                        assert!(!before.open && before.period.end <= start, "one open epoch, windows ascend");
                        let length = i64::from(situation.window_days.get()) * MS_PER_DAY;
                        assert!(start.as_ms() - before.period.end.as_ms() < length, "no window is left out");
                    }
                    let number = last.map_or(EpochNumber::FIRST, |before| before.number.next());
                    last = Some(EpochSketch { number, period, open: true });
                }
                Action::Close(number) => {
                    let open =
                        last.filter(|last| last.open && last.number == number).expect("the open epoch");
                    let grace_ms = i64::from(situation.grace_hours) * MS_PER_HOUR;
                    assert!(situation.close && open.period.end.as_ms() + grace_ms <= situation.now.as_ms());
                    last = Some(EpochSketch { open: false, ..open });
                }
                Action::Collect(_) => panic!("nothing collects"),
            }
        }
        Situation { last, ..*situation }
    }
}
