//! Where reading goes on: what a cursor of the ledger holds for a stream.

use meed_audit::time::{Period, Timestamp};
use serde::{Deserialize, Serialize};

use crate::sources::source::ReadUntil;

/// How much older than a window the place is from which it is read, beyond one window's length, in milliseconds: GitHub
/// may show late what happened before.
const OVERLAP_MS: i64 = 3_600_000;

/// A place in a list that is ordered by when its subjects changed last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mark {
    /// What the API needs to go on from there.
    pub(super) after: String,
    /// When the last subject before it had changed.
    pub(super) at: Timestamp,
}

/// How far a stream was read, and with what in mind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Position {
    /// From when on events were taken.
    from: Timestamp,
    /// The window for which it was read.
    window: (Timestamp, Timestamp),
    /// The end of the last page that was stored.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    last: Option<Mark>,
    /// The end of a page that is older than anything that the next windows can need.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    anchor: Option<Mark>,
    /// Whether the end of the list was reached.
    ended: bool,
}

/// From where a list is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// The place; the beginning where there is none.
    pub(super) mark: Option<Mark>,
    /// Whether it lies within what is asked for, because reading was interrupted there.
    pub(super) resumed: bool,
    /// The state to go on with.
    pub(super) position: Position,
}

impl Position {
    /// From where a window is read: where it was interrupted; else from what is safely older than the window; else from
    /// the beginning. `taken` is the time of which events are handed on: the window, and what came late before it.
    pub(super) fn start(known: Option<&ReadUntil>, taken: Period, window: Period) -> Start {
        let known: Option<Self> = known.and_then(|cursor| serde_json::from_str(&cursor.token).ok());
        let span = (window.start, window.end);
        let fresh = Self { from: taken.start, window: span, last: None, anchor: None, ended: false };
        let Some(known) = known.filter(|known| known.from <= taken.start) else {
            return Start { mark: None, resumed: false, position: fresh };
        };
        if !known.ended && known.window == span && known.from == taken.start {
            return Start { mark: known.last.clone(), resumed: known.last.is_some(), position: known };
        }
        let latest = anchor_limit(window);
        let anchor = known.anchor.filter(|mark| latest.is_some_and(|latest| mark.at < latest));
        let from = if anchor.is_some() { known.from } else { taken.start };
        Start { mark: anchor.clone(), resumed: false, position: Self { from, anchor, ..fresh } }
    }

    /// As it is after a page: `end` is the end of the page, where it had one.
    pub(super) fn pass(&mut self, end: Option<Mark>, window: Period, ended: bool) {
        if let (Some(mark), Some(latest)) = (&end, anchor_limit(window))
            && mark.at < latest
        {
            self.anchor.clone_from(&end);
        }
        if end.is_some() {
            self.last = end;
        }
        self.ended = ended;
    }

    /// Whether reading from here gives the whole window.
    pub(super) fn has_anchor(&self) -> bool {
        self.anchor.is_some()
    }

    /// The cursor; `before` is the order of the stored one, below which none can be saved.
    pub(super) fn cursor(&self, stream: &str, source_ref: &str, before: u64) -> ReadUntil {
        let order = self.last.as_ref().map_or(before, |mark| mark.at.as_ms().unsigned_abs());
        ReadUntil {
            source: "github".to_owned(),
            stream: stream.to_owned(),
            source_ref: source_ref.to_owned(),
            order,
            // A position holds nothing that serialising could refuse.
            token: serde_json::to_string(self).unwrap_or_default(),
        }
    }
}

/// Before which a place must lie to be the start of this window and of the one before it.
fn anchor_limit(window: Period) -> Option<Timestamp> {
    let length_ms = window.end.as_ms().saturating_sub(window.start.as_ms());
    let limit_ms = window.start.as_ms().saturating_sub(length_ms).saturating_sub(OVERLAP_MS);
    Timestamp::from_ms(limit_ms).ok()
}

#[cfg(test)]
mod tests {
    use meed_audit::time::MS_PER_DAY;

    use super::*;

    fn day(days: i64) -> Timestamp {
        Timestamp::from_ms(days * MS_PER_DAY).expect("time")
    }

    fn week(number: i64) -> Period {
        Period { start: day(number * 7), end: day(number * 7 + 7) }
    }

    fn mark(days: i64) -> Mark {
        Mark { after: format!("c{days}"), at: day(days) }
    }

    fn taken(from: i64, window: Period) -> Period {
        Period { start: day(from), end: window.end }
    }

    /// A list read to its end for a window, with a page a day.
    fn read(from: i64, window: Period, until: i64) -> ReadUntil {
        let mut position = Position::start(None, taken(from, window), window).position;
        (1..=until).for_each(|days| position.pass(Some(mark(days)), window, days == until));
        position.cursor("pulls", "github:repo:7", 0)
    }

    #[test]
    fn the_next_window_is_read_from_what_is_older_than_two() {
        let known = read(7, week(3), 27);
        assert_eq!(known.order, day(27).as_ms().unsigned_abs());
        for window in [week(3), week(4), week(5)] {
            let start = Position::start(Some(&known), taken(7, window), window);
            assert_eq!((start.mark, start.resumed), (Some(mark(13)), false), "{window:?}");
        }
        // The week before is read again from the same place, which is an hour and a week older than it is not.
        let start = Position::start(Some(&known), taken(7, week(2)), week(2));
        assert_eq!(start.mark, None, "day 13 is not older than day 7");
    }

    #[test]
    fn what_was_never_taken_is_read_from_the_beginning() {
        let known = read(14, week(3), 27);
        let start = Position::start(Some(&known), taken(7, week(3)), week(3));
        assert_eq!(start.mark, None, "days 7 to 14 were passed over");
        let later = Position::start(Some(&known), taken(20, week(3)), week(3));
        assert_eq!(later.mark, Some(mark(13)));
        assert_eq!(later.position.from, day(14), "what was taken stays taken");
    }

    #[test]
    fn an_interrupted_reading_goes_on_where_it_stopped_for_the_same_window_alone() {
        let window = week(3);
        let mut position = Position::start(None, taken(7, window), window).position;
        (1..=22).for_each(|days| position.pass(Some(mark(days)), window, false));
        let known = position.cursor("pulls", "github:repo:7", 0);
        let start = Position::start(Some(&known), taken(7, window), window);
        assert_eq!((start.mark, start.resumed), (Some(mark(22)), true));
        let start = Position::start(Some(&known), taken(7, week(4)), week(4));
        assert_eq!((start.mark, start.resumed), (Some(mark(13)), false));
        let broken = ReadUntil { token: "nonsense".to_owned(), ..known };
        assert_eq!(Position::start(Some(&broken), taken(7, window), window).mark, None);
    }

    #[test]
    fn a_window_without_bounds_has_no_anchor_and_an_empty_list_ends_where_it_was() {
        let all = Period { start: Timestamp::FIRST, end: Timestamp::LAST };
        let mut position = Position::start(None, all, all).position;
        position.pass(Some(mark(3)), all, false);
        assert!(!position.has_anchor());
        position.pass(None, all, true);
        let known = position.cursor("pulls", "github:repo:7", 0);
        assert_eq!(known.order, day(3).as_ms().unsigned_abs());
        let nothing = Position::start(None, all, all).position;
        assert_eq!(nothing.cursor("pulls", "github:repo:7", 5).order, 5);
    }
}
