//! What is to be said of events beyond that they were stored: that they weigh nothing, or came when the epoch of their
//! time took none any more. Nobody would look for what is not paid.

use std::collections::BTreeMap;

use meed_audit::event::NewEvent;
use meed_audit::ids::ScopeId;
use meed_audit::policy::Weights;
use meed_audit::time::Timestamp;
use meed_audit::window::{EpochWindow, assign};
use meed_storage::{AppendOutcome, AppendReport, Epoch};

use super::Service;
use crate::api::documents::{LateView, StoredView, UnweightedView};
use crate::failure::Failure;

/// What is looked at of an event that came in.
pub(super) struct Came {
    at: Timestamp,
    /// `<source>:<event_type>`.
    kind: String,
}

impl Came {
    pub(super) fn of(event: &NewEvent) -> Self {
        Self { at: event.event_time(), kind: event.weight_key() }
    }
}

impl Service {
    /// What became of a batch, whose events came in this order. They are stored: that more cannot be said of them is no
    /// failure of taking them in, and whoever sent them must not be told that it was.
    pub(super) fn stored_view(&self, scope: ScopeId, came: &[Came], report: &AppendReport) -> StoredView {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let counts = StoredView {
            stored: count(report.stored()),
            duplicates: count(report.duplicates()),
            routed: count(report.routed()),
            conflicts: count(report.conflicts()),
            ..StoredView::default()
        };
        if counts.stored == 0 && counts.routed == 0 {
            return counts;
        }
        with_tally(counts, self.tally(scope, came, report))
    }

    /// What is to be said of the events that are new to a scope.
    fn tally(&self, scope: ScopeId, came: &[Came], report: &AppendReport) -> Result<Tally, Failure> {
        let snapshot = self.snapshot()?;
        let (epochs, weights) = (snapshot.epochs(scope)?, snapshot.scope(scope)?.terms.weights);
        let intake = Intake::of(&epochs, &weights);
        let mut tally = Tally::default();
        for (came, outcome) in came.iter().zip(&report.outcomes) {
            if let Some(index) = new_index(outcome) {
                intake.count(came, index, &mut tally);
            }
        }
        Ok(tally)
    }
}

/// The counts with what else is to be said, where that could be found out.
fn with_tally(counts: StoredView, tally: Result<Tally, Failure>) -> StoredView {
    let Tally { unweighted, late, before_first } = match tally {
        Ok(tally) => tally,
        Err(failure) => {
            return StoredView { not_looked_at: Some(failure.problem.detail), ..counts };
        }
    };
    let unweighted = unweighted.into_iter().map(|(kind, events)| UnweightedView { kind, events });
    let late = late.into_iter().map(|((missed, taken_by), events)| LateView { missed, taken_by, events });
    StoredView { unweighted: unweighted.collect(), late: late.collect(), before_first, ..counts }
}

/// The index in the log by which the scope has an event that is new to it.
fn new_index(outcome: &AppendOutcome) -> Option<u64> {
    match outcome {
        AppendOutcome::Stored { index } => Some(*index),
        AppendOutcome::Duplicate { routes, .. } => routes.first().copied(),
        AppendOutcome::Conflict { .. } => None,
    }
}

/// What events of a scope are counted by.
#[derive(Default)]
struct Tally {
    unweighted: BTreeMap<String, u64>,
    /// By the epoch whose window holds their time, and the one that takes them.
    late: BTreeMap<(Option<u64>, Option<u64>), u64>,
    before_first: u64,
}

/// How a scope takes events, as it stands.
struct Intake<'a> {
    epochs: &'a [Epoch],
    windows: Vec<EpochWindow>,
    /// Of epochs that are opened from now on.
    weights: &'a Weights,
}

impl<'a> Intake<'a> {
    fn of(epochs: &'a [Epoch], weights: &'a Weights) -> Self {
        let window = |epoch: &Epoch| EpochWindow {
            number: epoch.number,
            period: epoch.period,
            log_size: epoch.closed.as_ref().map(|closed| closed.events.size),
        };
        Self { epochs, windows: epochs.iter().map(window).collect(), weights }
    }

    fn count(&self, came: &Came, index: u64, tally: &mut Tally) {
        let add = |count: &mut u64| *count = count.saturating_add(1);
        let Some(first) = self.epochs.first() else { return count_weight(came, self.weights, tally) };
        if came.at < first.period.start {
            // It is paid by no epoch, whatever it weighs.
            return add(&mut tally.before_first);
        }
        let taken = assign(&self.windows, came.at, index);
        let is_over = self.epochs.last().is_some_and(|last| came.at < last.period.end);
        if taken.map_or(is_over, |taken| taken.late) {
            let missed = self.epochs.iter().find(|epoch| epoch.period.contains(came.at));
            let place = (missed.map(|epoch| epoch.number.get()), taken.map(|taken| taken.epoch.get()));
            add(tally.late.entry(place).or_default());
        }
        let epoch = taken.and_then(|taken| self.epochs.iter().find(|epoch| epoch.number == taken.epoch));
        count_weight(came, epoch.map_or(self.weights, |epoch| &epoch.policy.weights), tally);
    }
}

fn count_weight(came: &Came, weights: &Weights, tally: &mut Tally) {
    let (source, event_type) = came.kind.split_once(':').unwrap_or_default();
    if weights.units_of(source, event_type).value() == 0 {
        let count = tally.unweighted.entry(came.kind.clone()).or_default();
        *count = count.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_told_as_stored_also_where_nothing_more_can_be_said_of_it() {
        let counts = StoredView { stored: 3, duplicates: 1, ..StoredView::default() };
        let tally = Tally { before_first: 2, ..Tally::default() };
        let told = with_tally(counts.clone(), Ok(tally));
        assert_eq!((told.stored, told.before_first, told.not_looked_at), (3, 2, None));
        let told = with_tally(counts, Err(Failure::internal("a page is damaged")));
        assert_eq!((told.stored, told.duplicates), (3, 1));
        let said = crate::words::notices(&told, "default");
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains("are stored") && said[0].contains("a page is damaged"), "{said:?}");
    }
}
