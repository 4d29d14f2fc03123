//! What is said of events that came in, in the terminal and on the pages: how many, and what of them is not as whoever
//! brought them may think.

use std::fmt::Write as _;

use super::numbers::counted;
use crate::api::documents::{ImportView, LateView, StoredView, UnweightedView};
use crate::api::problems::LineProblem;

/// How many events are new, and how many were there.
pub(crate) fn describe_stored(events: &StoredView) -> String {
    let mut text = format!("{} stored, {} there already", events.stored, events.duplicates);
    if events.routed > 0 {
        let _ = write!(text, " ({} of them new to this scope)", events.routed);
    }
    if events.conflicts > 0 {
        let _ = write!(text, ", {} in conflict and kept out", events.conflicts);
    }
    text
}

/// How many events of an import are new, how many were there, and how many lines were left out.
pub(crate) fn describe_import(import: &ImportView) -> String {
    let mut text = describe_stored(&import.events);
    let bad_count = LineProblem::lines_count(&import.bad_lines, import.bad_lines_more);
    if bad_count > 0 {
        let _ = write!(text, ", {} left out", counted(bad_count, "bad line"));
    }
    text
}

/// What of the events is not as whoever brought them may think: earning nothing, counted later, or kept out.
pub(crate) fn notices(events: &StoredView, scope: &str) -> Vec<String> {
    let mut all: Vec<String> = weightless(events, scope).into_iter().collect();
    all.extend(events.late.iter().map(too_late));
    if events.before_first > 0 {
        all.push(format!(
            "warning: {} happened before the scope's first epoch: no epoch takes what is older than that",
            counted(events.before_first, "new event")
        ));
    }
    if events.conflicts > 0 {
        all.push(format!(
            "warning: {} came with another content than the one stored under the same id, and was kept out; \
             `meed conflicts --scope {scope}` shows both",
            counted(events.conflicts, "event")
        ));
    }
    if let Some(why) = &events.not_looked_at {
        all.push(format!(
            "warning: the new events are stored, but whether they weigh anything or came late could not be looked up: {why}"
        ));
    }
    all
}

fn weightless(events: &StoredView, scope: &str) -> Option<String> {
    let count: u64 = events.unweighted.iter().map(|unweighted| unweighted.events).sum();
    let kinds = events.unweighted.iter().map(|UnweightedView { kind, events }| format!("{kind} ({events})"));
    let kinds = kinds.collect::<Vec<_>>().join(", ");
    let earns = if count == 1 { "weighs nothing, and so earns" } else { "weigh nothing, and so earn" };
    (count > 0).then(|| {
        format!(
            "warning: {} {earns} nothing, since the scope gives no weight to {kinds}: `meed curate --weight` weighs \
             one event, `meed scope configure {scope} --weights FILE` all of later epochs",
            counted(count, "new event")
        )
    })
}

fn too_late(late: &LateView) -> String {
    let missed = match late.missed {
        Some(epoch) => format!("epoch {epoch}, which takes no more"),
        None => "a window that has no epoch".to_owned(),
    };
    let taken_by = match late.taken_by {
        Some(epoch) => format!("epoch {epoch} takes"),
        None => "the next epoch that is opened takes".to_owned(),
    };
    let (count, them) = (counted(late.events, "new event"), if late.events == 1 { "it" } else { "them" });
    format!("notice: {count} came too late for {missed}: {taken_by} {them}")
}

/// Said of units that were set for somebody whom the epoch's events give nothing, as where a claimant is mistyped.
pub(crate) fn without_activity(epoch: u64, claimant: &str) -> String {
    format!("no event of epoch {epoch} gives anything to {claimant}; the units are set all the same")
}
