//! `meed collect`, `activity`, `conflicts`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use meed_audit::text::is_deceptive;

use super::all_if_allowed;
use crate::api::documents::{
    ActivityItem, CollectRequest, CollectView, ConflictView, SkippedView, StoredView, UserView,
};
use crate::cli::args::{ActivityArgs, CollectArgs, ConflictsArgs};
use crate::cli::commands::runs::run_to_end;
use crate::cli::console::{counted, units};
use crate::cli::intake_text::{describe_stored, notices};
use crate::cli::layout::{fit, table};
use crate::cli::names::Names;
use crate::cli::session::{Session, epoch_path, scope_path};
use crate::failure::Failure;

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
    let path = std::path::absolute(&args.git).map_err(|error| Failure::unreadable(&args.git, &error))?;
    let Some(git) = path.to_str() else {
        return Err(Failure::usage("expected a path in UTF-8", "rename the folder, or use a link to it"));
    };
    let request = CollectRequest {
        git: Some(git.to_owned()),
        reference: args.reference.clone(),
        since: args.since.clone(),
        until: args.until.clone(),
        bots: args.bots.clone(),
    };
    let path = scope_path(&args.scope.scope, "/collect");
    let view: CollectView = session.waiting("collecting", |client| run_to_end(client, &path, &request))?;
    for skipped in &view.skipped {
        session.console.notice(fit(&describe_skipped(skipped)));
    }
    tell_of(&view.events, &args.scope.scope, session);
    session.console.answer(&view, || {
        let found: Vec<String> = view.found.iter().map(|(kind, count)| counted(count, kind)).collect();
        let found = if found.is_empty() { "no events".to_owned() } else { found.join(", ") };
        format!(
            "{found} in {} of {}: {}",
            view.commits_in_period,
            counted(view.commits_seen, "commit"),
            describe_stored(&view.events)
        )
    })
}

/// What a collection left out for one reason, in words; programs find the reason's name in the answer.
fn describe_skipped(skipped: &SkippedView) -> String {
    let examples = skipped.examples.iter().filter_map(|id| id.get(..12)).collect::<Vec<_>>().join(" ");
    format!("left out {}: {} ({examples})", counted(skipped.count, "time"), skipped.explanation)
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
