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
/// As text `collect-<scope>-<start>-<end>`, `close-<scope>-<epoch>` or `finalize-<scope>-<epoch>`, with times such as
/// `20260105T000000Z` (and `20260105T000000.250Z` where there are milliseconds), so that it can stand in a URL.
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
                write!(formatter, "{}-{}", compact(window.start), compact(window.end))
            }
            Self::Close { epoch, .. } | Self::Finalize { epoch, .. } => write!(formatter, "{epoch}"),
        }
    }
}

impl FromStr for RunId {
    type Err = Rejection;

    fn from_str(text: &str) -> Checked<Self> {
        let refusal = || Rejection::new(RejectionCode::InvalidIdentifier, "run", EXPECTED, text);
        let id = read(text).ok_or_else(refusal)?;
        if id.to_string() == text { Ok(id) } else { Err(refusal()) }
    }
}

fn read(text: &str) -> Option<RunId> {
    let (kind, rest) = text.split_once('-')?;
    // A scope's key may hold hyphens itself; what follows it never does.
    let (rest, last) = rest.rsplit_once('-')?;
    if kind == "collect" {
        let (scope, start) = rest.rsplit_once('-')?;
        let window = Period { start: read_compact(start)?, end: read_compact(last)? };
        return Some(RunId::Collect { scope: scope.parse().ok()?, window });
    }
    let (scope, epoch) = (rest.parse().ok()?, EpochNumber::new(last.parse().ok()?).ok()?);
    match kind {
        "close" => Some(RunId::Close { scope, epoch }),
        "finalize" => Some(RunId::Finalize { scope, epoch }),
        _ => None,
    }
}

fn compact(time: Timestamp) -> String {
    time.to_string().replace(['-', ':'], "").replace(".000Z", "Z")
}

fn read_compact(text: &str) -> Option<Timestamp> {
    let (date, time) = text.split_at_checked(8)?;
    let (year, month, day) = (date.get(..4)?, date.get(4..6)?, date.get(6..)?);
    let (hour, minute, rest) = (time.get(1..3)?, time.get(3..5)?, time.get(5..)?);
    Timestamp::parse_edge("run", &format!("{year}-{month}-{day}T{hour}:{minute}:{rest}")).ok()
}

impl Key for RunId {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.to_string().as_bytes());
        out.push(0);
    }

    fn read(input: &mut &[u8]) -> Option<Self> {
        KeyText::read(input)?.as_str().parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::RunId;

    #[test]
    fn an_id_has_one_form() {
        for text in [
            "collect-default-20260105T000000Z-20260112T000000Z",
            "collect-a-b-20260105T000000.250Z-99991231T235959.999Z",
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
            "collect-default-20260105T000000.000Z-20260112T000000Z",
            "collect-default-20260105X000000Z-20260112T000000Z",
            "collect-default-20260230T000000Z-20260312T000000Z",
        ] {
            assert!(text.parse::<RunId>().is_err(), "{text}");
        }
    }
}
