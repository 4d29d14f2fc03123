//! Cron expressions, in UTC.

use std::fmt;
use std::str::FromStr;

use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use meed_audit::time::Timestamp;

/// When something is done again and again: minute, hour, day, month, weekday, in UTC.
#[derive(Clone, Debug)]
pub struct Cron {
    text: String,
    pattern: croner::Cron,
}

impl Cron {
    /// The first time after `at`; none where there is none in the years that are looked at.
    pub fn next_after(&self, at: Timestamp) -> Option<Timestamp> {
        let next = self.pattern.find_next_occurrence(&civil(at)?, false).ok()?;
        let ms = next.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond();
        // The pattern has whole seconds, and so has what it is looked for from.
        Timestamp::from_ms(ms).ok().filter(|next| *next > at)
    }
}

/// The whole second that holds `at`, so that a time of the pattern is never between the two.
fn civil(at: Timestamp) -> Option<DateTime> {
    let second = jiff::Timestamp::from_second(i64::try_from(at.as_seconds()).ok()?).ok()?;
    Some(second.to_zoned(TimeZone::UTC).datetime())
}

impl FromStr for Cron {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let pattern = parser
            .parse(text)
            .map_err(|error| format!("expected a cron expression of five fields, got {text:?}: {error}"))?;
        Ok(Self { text: text.to_owned(), pattern })
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_edge("at", text).expect(text)
    }

    #[test]
    fn the_next_time_is_after_the_given_one() {
        for (cron, from, next) in [
            ("0 3 * * *", "2026-01-05T02:59:59.999Z", "2026-01-05T03:00:00Z"),
            ("0 3 * * *", "2026-01-05T03:00:00Z", "2026-01-06T03:00:00Z"),
            ("0 3 * * *", "2026-01-05T03:00:00.001Z", "2026-01-06T03:00:00Z"),
            ("*/15 * * * *", "2026-12-31T23:46:00Z", "2027-01-01T00:00:00Z"),
            ("30 6 * * 1", "2026-01-05T06:30:00Z", "2026-01-12T06:30:00Z"),
            ("0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"),
        ] {
            let cron: Cron = cron.parse().expect(cron);
            assert_eq!(cron.next_after(at(from)), Some(at(next)), "{cron} after {from}");
        }
    }

    #[test]
    fn what_is_no_expression_of_five_fields_is_refused() {
        for text in ["", "daily", "* * * *", "0 0 3 * * *", "60 * * * *", "* 24 * * *", "0 3 * * * 2027"] {
            let refusal = text.parse::<Cron>().expect_err(text);
            assert!(refusal.contains("cron"), "{refusal}");
        }
    }
}
