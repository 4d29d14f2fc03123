//! Which window a schedule opens first. What happened before it is paid by no epoch, ever, and every window after it is an
//! epoch with a pool of its own: so that neither is decided by chance, it can be said.

use std::fmt;
use std::str::FromStr;

use meed_audit::time::Timestamp;
use meed_audit::{Checked, Rejection, RejectionCode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The first window of a scope that has no epoch yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FirstWindow {
    /// That of now, unless events wait from before it: then none before somebody says which.
    #[default]
    Unsaid,
    /// That of now; what happened before it is no epoch's.
    Now,
    /// That of the earliest event, and then one window after the other up to now.
    EarliestEvent,
    /// That which holds this time.
    At(Timestamp),
}

impl FirstWindow {
    /// Whether nothing is said.
    pub fn is_unsaid(&self) -> bool {
        *self == Self::Unsaid
    }
}

impl fmt::Display for FirstWindow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsaid => formatter.write_str("unsaid"),
            Self::Now => formatter.write_str("now"),
            Self::EarliestEvent => formatter.write_str("earliest-event"),
            Self::At(at) => at.fmt(formatter),
        }
    }
}

impl FromStr for FirstWindow {
    type Err = Rejection;

    /// A date is the beginning of its day in UTC.
    fn from_str(text: &str) -> Checked<Self> {
        let time = |text: &str| Timestamp::parse_edge("first_window", text).map(Self::At);
        match text {
            "now" => Ok(Self::Now),
            "earliest-event" => Ok(Self::EarliestEvent),
            date if date.len() == "2026-01-05".len() => time(&format!("{date}T00:00:00Z")),
            other => time(other),
        }
        .map_err(|_: Rejection| {
            let expected = "\"now\", \"earliest-event\", or a date such as \"2026-01-05\"";
            Rejection::new(RejectionCode::InvalidTime, "first_window", expected, text)
        })
    }
}

impl Serialize for FirstWindow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FirstWindow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == Self::Unsaid.to_string() {
            Ok(Self::Unsaid)
        } else {
            text.parse().map_err(serde::de::Error::custom)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written_and_nothing_else_is() {
        for (text, written) in [
            ("now", "now"),
            ("earliest-event", "earliest-event"),
            ("2026-01-05", "2026-01-05T00:00:00.000Z"),
            ("2026-01-05T12:00:00Z", "2026-01-05T12:00:00.000Z"),
        ] {
            let read: FirstWindow = text.parse().expect(text);
            assert_eq!(read.to_string(), written);
            let json = serde_json::to_string(&read).expect("JSON");
            assert_eq!(serde_json::from_str::<FirstWindow>(&json).expect("read"), read);
        }
        assert_eq!(serde_json::from_str::<FirstWindow>("\"unsaid\"").expect("read"), FirstWindow::Unsaid);
        for text in ["", "unsaid", "earliest", "yesterday", "2026-02-30", "2026-1-05"] {
            let refusal = text.parse::<FirstWindow>().expect_err(text);
            assert!(refusal.to_string().contains("\"earliest-event\""), "{refusal}");
        }
    }
}
