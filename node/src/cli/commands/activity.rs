//! `meed collect`, `activity`, `conflicts`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use meed_audit::text::is_deceptive;

use super::all_if_allowed;
use crate::api::documents::{
    ActivityItem, CollectRequest, CollectView, ConflictView, SkippedView, StoredView, UserView,
};
use crate::cli::args::{ActivityArgs, CollectArgs, ConflictsArgs};
use crate::cli::commands::runs::run_to_end;
use crate::cli::session::{Session, epoch_path, scope_path};
use crate::clock;
use crate::failure::Failure;
use crate::words::{Names, counted, describe_stored, fit, notices, table, units};

/// Fields of an event's leaf that may differ without a conflict: the salted hash of the metadata differs always.
const BESIDE_THE_CONTENT: [&str; 5] =
    ["metadata_hash", "producer", "producer_version", "retrieved_at", "scopes"];

/// Says what of the events is not as whoever brought them may think.
pub(super) fn tell_of(events: &StoredView, scope: &str, session: &Session) {
    notices(events, scope).into_iter().for_each(|notice| session.console.notice(notice));
}

/// Runs `meed collect`.
///
/// # Errors
/// What the repository or the ledger refuses.
pub fn collect(args: &CollectArgs, session: &Session) -> Result<(), Failure> {
    let request = request_of(args)?;
    let path = scope_path(&args.scope.scope, "/collect");
    let view: CollectView = loop {
        match session.waiting("collecting", |client| run_to_end(client, &path, &request)) {
            Err(failure) => wait_for_turn(failure, session)?,
            view => break view?,
        }
    };
    for skipped in &view.skipped {
        session.console.notice(fit(&describe_skipped(skipped)));
    }
    if view.missing > 0 {
        let events = counted(view.missing, "event");
        session
            .console
            .notice(format!("warning: {events} of this time are at the source and not in the ledger"));
    }
    tell_of(&view.events, &args.scope.scope, session);
    session.console.answer(&view, || {
        let found: Vec<String> = view.found.iter().map(|(kind, count)| counted(count, kind)).collect();
        let found = if found.is_empty() { "no events".to_owned() } else { found.join(", ") };
        let place = match (view.commits_in_period, view.commits_seen) {
            (Some(period), Some(seen)) => format!("{period} of {}", counted(seen, "commit")),
            _ => view.source_ref.clone(),
        };
        format!("{found} in {place}: {}", describe_stored(&view.events))
    })
}

fn request_of(args: &CollectArgs) -> Result<CollectRequest, Failure> {
    let request = CollectRequest {
        reference: args.reference.clone(),
        since: args.since.clone(),
        until: args.until.clone(),
        bots: args.bots.clone(),
        ..CollectRequest::default()
    };
    let Some(repository) = &args.github else {
        let path = std::path::absolute(&args.git).map_err(|error| Failure::unreadable(&args.git, &error))?;
        let Some(git) = path.to_str() else {
            return Err(Failure::usage("expected a path in UTF-8", "rename the folder, or use a link to it"));
        };
        return Ok(CollectRequest { git: Some(git.to_owned()), ..request });
    };
    let mut place = args.api.place(repository.clone())?;
    if !args.take.is_empty() {
        place.rules.take = args.take.iter().copied().collect();
    }
    place.rules.coauthors = !args.no_coauthors;
    place.rules.issue_credit = args.issue_credit.unwrap_or_default();
    Ok(CollectRequest { github: Some(Box::new(place)), ..request })
}

/// Waits until a source takes requests again, and says so; any other failure stays one. What was read is kept, so that
/// asking for the same goes on there.
fn wait_for_turn(failure: Failure, session: &Session) -> Result<(), Failure> {
    let Some(until) = failure.problem.retry_at else { return Err(failure) };
    session.console.notice(format!("notice: {}; going on then", failure.problem.detail));
    let wait_ms = until.as_ms().saturating_sub(clock::now()?.as_ms());
    std::thread::sleep(Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0)));
    Ok(())
}

/// What a collection left out for one reason, in words; programs find the reason's name in the answer.
fn describe_skipped(skipped: &SkippedView) -> String {
    let examples = skipped.examples.iter().filter_map(|id| id.get(..12)).collect::<Vec<_>>().join(" ");
    let examples = if examples.is_empty() { examples } else { format!(" ({examples})") };
    format!("left out {}: {}{examples}", counted(skipped.count, "time"), skipped.explanation)
}

/// Runs `meed activity`.
///
/// # Errors
/// What the ledger refuses.
pub fn activity(args: &ActivityArgs, session: &Session) -> Result<(), Failure> {
    let items: Vec<ActivityItem> = session.client.all(&epoch_path(&args.epoch, "/activity"))?;
    if session.console.is_json() {
        return session.console.answer(&items, String::new);
    }
    let users: Vec<UserView> = all_if_allowed("/users", session)?.unwrap_or_default();
    let names = Names::of(&items, &users);
    session.console.answer(&items, || match items.as_slice() {
        [] => "none".to_owned(),
        some => some.iter().map(|item| describe_event(item, &names)).collect(),
    })
}

/// An event in a few lines that fit a terminal, whatever its ids are: what it is, and what it gives to whom.
fn describe_event(item: &ActivityItem, names: &Names) -> String {
    let activity = &item.activity;
    let mut text = format!("{}\n  {}  {}", activity.event, item.event_time, item.kind);
    if let Some(title) = &item.title {
        let _ = write!(text, "  {}", printable(title));
    }
    text.push('\n');
    let late = if activity.late { ", late" } else { "" };
    let state = if activity.included { "counts" } else { "left out" };
    let _ = write!(text, "  {:>9} units, {state}{late}", units(activity.units.value()));
    if let Some(reason) = &activity.reason {
        let _ = write!(text, ": {}", printable(reason.as_str()));
    }
    text.push('\n');
    for claimant in &activity.claimants {
        let key = claimant.key.to_string();
        let name = names.of_claimant(&key).map(|name| format!("  {}", printable(name))).unwrap_or_default();
        let _ = writeln!(text, "  {:>9} {key}{name}", units(claimant.units.value()));
    }
    text
}

/// Free text is checked when it comes in; what is printed is looked at once more.
fn printable(text: &str) -> String {
    text.chars().filter(|&character| !character.is_control() && !is_deceptive(character)).collect()
}

/// Runs `meed conflicts`.
///
/// # Errors
/// What the ledger refuses.
pub fn conflicts(args: &ConflictsArgs, session: &Session) -> Result<(), Failure> {
    let conflicts: Vec<ConflictView> = session.client.all(&scope_path(&args.scope.scope, "/conflicts"))?;
    session.console.answer(&conflicts, || match conflicts.as_slice() {
        [] => "none".to_owned(),
        some => some.iter().map(describe_conflict).collect(),
    })
}

/// A conflict as a table of the fields whose values differ.
fn describe_conflict(conflict: &ConflictView) -> String {
    let ConflictView { event, at, stored_index, stored, came, not_kept } = conflict;
    let names =
        [stored, came].into_iter().filter_map(serde_json::Value::as_object).flat_map(|leaf| leaf.keys());
    let names: BTreeSet<&String> =
        names.filter(|name| !BESIDE_THE_CONTENT.contains(&name.as_str())).collect();
    let rows =
        names.into_iter().filter(|name| stored.get(name.as_str()) != came.get(name.as_str())).map(|name| {
            let of = |leaf: &serde_json::Value| match leaf.get(name.as_str()) {
                None => "none".to_owned(),
                Some(serde_json::Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            };
            vec![name.clone(), of(stored), of(came)]
        });
    let table = table(&["field", "stored, and stays", "came, and was kept out"], 3, rows);
    let more = match not_kept {
        0 => String::new(),
        more => format!("  yet other contents came {} and were counted, not kept\n", counted(*more, "time")),
    };
    fit(&format!("{event}\n  stored as entry {stored_index}; the other first came on {at}\n{more}{table}\n"))
}
