//! The id of a run: a text that says what is done, so that the same thing asked for twice is one run.

use std::fmt;
use std::str::FromStr;

use meed_audit::ids::{EpochNumber, ScopeKey};
use meed_audit::time::{Period, Timestamp};
use meed_audit::{Checked, Rejection, RejectionCode};

use crate::key::{Key, KeyText};

const EXPECTED: &str = "collect-SCOPE-START-END, close-SCOPE-EPOCH or finalize-SCOPE-EPOCH";

/// What a run does, for which scope, and with what.
///
/// As text `collect-<scope>-<start>-<end>`, `close-<scope>-<epoch>` or `finalize-<scope>-<epoch>`, so that it can stand
/// in a URL. A time is a date such as `2026-01-05` where it is midnight, else one such as `2026-01-05T103000Z` (and
/// `2026-01-05T103000.250Z` where there are milliseconds); a window without a beginning begins at `begin`, one without
/// an end ends at `end`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunId {
    /// Collect from the scope's sources what happened in a window.
    Collect {
        /// The scope.
        scope: ScopeKey,
        /// The window.
        window: Period,
    },
    /// Collect the last of an epoch's window, and close the epoch.
    Close {
        /// The scope.
        scope: ScopeKey,
        /// The epoch.
        epoch: EpochNumber,
    },
    /// Make the current draft of an epoch final.
    Finalize {
        /// The scope.
        scope: ScopeKey,
        /// The epoch.
        epoch: EpochNumber,
    },
}

impl RunId {
    /// The stable name of what is done.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Collect { .. } => "collect",
            Self::Close { .. } => "close",
            Self::Finalize { .. } => "finalize",
        }
    }

    /// The scope for which it is done.
    pub fn scope(&self) -> &ScopeKey {
        match self {
            Self::Collect { scope, .. } | Self::Close { scope, .. } | Self::Finalize { scope, .. } => scope,
        }
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}-", self.kind(), self.scope())?;
        match self {
            Self::Collect { window, .. } => {
                write!(formatter, "{}-{}", readable(window.start, BEGIN), readable(window.end, END))
            }
            Self::Close { epoch, .. } | Self::Finalize { epoch, .. } => write!(formatter, "{epoch}"),
        }
    }
}

impl FromStr for RunId {
    type Err = Rejection;

    fn from_str(text: &str) -> Checked<Self> {
        let refusal = || Rejection::new(RejectionCode::InvalidIdentifier, "run", EXPECTED, text);
        let id = read(text, cut_readable).ok_or_else(refusal)?;
        if id.to_string() == text { Ok(id) } else { Err(refusal()) }
    }
}

/// Cuts the time off the end of a text; the word is what stands for a time that is none.
type CutTime = for<'a> fn(&'a str, (&str, Timestamp)) -> Option<(&'a str, Timestamp)>;

fn read(text: &str, cut: CutTime) -> Option<RunId> {
    let (kind, rest) = text.split_once('-')?;
    // A scope's key may hold hyphens itself, so that what follows it is read from the end.
    if kind == "collect" {
        let (rest, end) = cut(rest, END)?;
        let (scope, start) = cut(rest, BEGIN)?;
        return Some(RunId::Collect { scope: scope.parse().ok()?, window: Period { start, end } });
    }
    let (scope, epoch) = rest.rsplit_once('-')?;
    let (scope, epoch) = (scope.parse().ok()?, EpochNumber::new(epoch.parse().ok()?).ok()?);
    match kind {
        "close" => Some(RunId::Close { scope, epoch }),
        "finalize" => Some(RunId::Finalize { scope, epoch }),
        _ => None,
    }
}

/// Before the first time nothing happened, and after the last nothing does.
const BEGIN: (&str, Timestamp) = ("begin", Timestamp::FIRST);
const END: (&str, Timestamp) = ("end", Timestamp::LAST);

/// A time for people: a date at midnight, a word for one that bounds nothing.
fn readable(time: Timestamp, (word, unbounded): (&str, Timestamp)) -> String {
    if time == unbounded {
        return word.to_owned();
    }
    let text = time.to_string().replace(':', "").replace(".000Z", "Z");
    match text.strip_suffix("T000000Z") {
        Some(date) => date.to_owned(),
        None => text,
    }
}

fn cut_readable<'a>(text: &'a str, (word, unbounded): (&str, Timestamp)) -> Option<(&'a str, Timestamp)> {
    if let Some(rest) = text.strip_suffix(word).and_then(|rest| rest.strip_suffix('-')) {
        return Some((rest, unbounded));
    }
    // A date has two hyphens of its own.
    let (place, _) = text.rmatch_indices('-').nth(2)?;
    let (rest, time) = text.split_at_checked(place)?;
    let (date, clock) = time.strip_prefix('-')?.split_at_checked(10)?;
    let clock = if clock.is_empty() { "T000000Z" } else { clock };
    Some((rest, read_compact(&format!("{}{clock}", date.replace('-', "")))?))
}

/// A time as keys of the ledger have it, such as `20260105T000000Z`.
fn compact(time: Timestamp) -> String {
    time.to_string().replace(['-', ':'], "").replace(".000Z", "Z")
}

fn cut_compact<'a>(text: &'a str, _: (&str, Timestamp)) -> Option<(&'a str, Timestamp)> {
    let (rest, time) = text.rsplit_once('-')?;
    Some((rest, read_compact(time)?))
}

fn read_compact(text: &str) -> Option<Timestamp> {
    let (date, time) = text.split_at_checked(8)?;
    let (year, month, day) = (date.get(..4)?, date.get(4..6)?, date.get(6..)?);
    let (hour, minute, rest) = (time.get(1..3)?, time.get(3..5)?, time.get(5..)?);
    Timestamp::parse_edge("run", &format!("{year}-{month}-{day}T{hour}:{minute}:{rest}")).ok()
}

impl RunId {
    /// The id as the ledger has it, whose times have one form.
    pub(crate) fn to_stored(&self) -> String {
        match self {
            Self::Collect { scope, window } => {
                format!("collect-{scope}-{}-{}", compact(window.start), compact(window.end))
            }
            other => other.to_string(),
        }
    }

    /// Reads what [`RunId::to_stored`] wrote.
    pub(crate) fn from_stored(text: &str) -> Option<Self> {
        read(text, cut_compact)
    }
}

impl Key for RunId {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.to_stored().as_bytes());
        out.push(0);
    }

    fn read(input: &mut &[u8]) -> Option<Self> {
        Self::from_stored(KeyText::read(input)?.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, RunId};

    #[test]
    fn an_id_has_one_form() {
        for text in [
            "collect-default-2026-01-05-2026-01-12",
            "collect-a-b-2026-01-05T000000.250Z-end",
            "collect-a-begin-end",
            "collect-a-2026-01-05-begin-2026-01-05T103000Z",
            "close-a-1-12",
            "finalize-default-1",
        ] {
            let id: RunId = text.parse().expect(text);
            assert_eq!(id.to_string(), text);
        }
        for text in [
            "",
            "collect",
            "collect-default-1",
            "finalize-default-0",
            "finalize-default-01",
            "finalize-Default-1",
            "finalize--1",
            "open-default-1",
            "collect-default-20260105T000000Z-20260112T000000Z",
            "collect-default-2026-01-05T000000Z-2026-01-12",
            "collect-default-2026-01-05T103000.000Z-2026-01-12",
            "collect-default-2026-01-05X103000Z-2026-01-12",
            "collect-default-2026-0105-2026-01-12",
            "collect-default-2026-02-30-2026-03-12",
            "collect-default-1970-01-01-2026-01-12",
            "collect-default-end-begin",
            "collect-default-end",
            "collect-begin-end",
        ] {
            assert!(text.parse::<RunId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_key_has_times_of_one_form_without_words() {
        let id: RunId = "collect-a-b-begin-2026-01-12".parse().expect("an id");
        let mut key = Vec::new();
        id.write(&mut key);
        assert_eq!(key, b"collect-a-b-19700101T000000Z-20260112T000000Z\0");
        assert_eq!(RunId::read(&mut key.as_slice()), Some(id));
    }
}
