//! Which week of a history has most to show.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;

use meed_audit::event::NewEvent;
use meed_audit::ids::NodeId;
use meed_audit::time::{Period, Timestamp};
use meed_audit::window::WindowDays;

use super::{BotList, GitRequest, collect};
use crate::sources::{CollectError, SourceError};

/// The week that has most events of those that have ended by `now`, and how many; the later one of equals. Weeks are
/// the windows of [`WindowDays::WEEK`]. None where no finished week has an event.
///
/// # Errors
/// When the repository cannot be read.
pub fn busiest_finished_week(
    path: &Path,
    reference: &str,
    now: Timestamp,
) -> Result<Option<(Period, u64)>, SourceError> {
    let request = GitRequest {
        path: path.to_owned(),
        reference: reference.to_owned(),
        since: None,
        until: None,
        // Counting needs no identities that anybody keeps.
        node_id: NodeId::from_bytes([0; 16]),
        bots: BotList::default(),
        now,
    };
    let mut weeks: BTreeMap<Timestamp, (Period, u64)> = BTreeMap::new();
    let mut tally = |events: Vec<NewEvent>| -> Result<(), Infallible> {
        for event in events {
            // A week that begins before 1970 is none.
            let Ok(week) = WindowDays::WEEK.window_at(event.event_time()) else { continue };
            if week.end <= now {
                let (_, count) = weeks.entry(week.start).or_insert((week, 0));
                *count = count.saturating_add(1);
            }
        }
        Ok(())
    };
    match collect(&request, &mut tally) {
        Ok(_) => Ok(weeks.into_values().max_by_key(|(_, count)| *count)),
        Err(CollectError::Source(error)) => Err(error),
        Err(CollectError::Sink(never)) => match never {},
    }
}
