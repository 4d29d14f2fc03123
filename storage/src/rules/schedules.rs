//! Schedules: what the settings say is to be done for a scope by itself, and how far that has come.
//!
//! Settings are reconciled: a changed schedule changes, that of a scope which the settings do not name any more is
//! paused, and nothing is deleted.

use std::collections::BTreeMap;

use meed_audit::ids::ScopeId;
use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use meed_audit::{Rejection, RejectionCode};
use serde::{Deserialize, Serialize};

use crate::codec::Record;
use crate::key::All;
use crate::ledger::Ledger;
use crate::rules::record::{By, LedgerResult, refuse};
use crate::rules::scopes::scope_record;
use crate::snapshot::Snapshot;
use crate::table::{RawReader, Reader, Table};
use crate::transaction::Transaction;

/// The schedules.
const SCHEDULES: Table<ScopeId, ScheduleRecord> = Table::new("schedules");

/// What the settings say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleTerms {
    /// When events are collected, as a cron expression in UTC; never where there is none.
    pub collect: Option<String>,
    /// How long after its window's end an epoch is closed, in hours.
    pub grace_hours: u32,
    /// Whether epochs are closed.
    pub close: bool,
    /// Whether the next window is opened.
    pub open_next: bool,
    /// The names of the sources.
    pub sources: Vec<String>,
}

/// Why a schedule does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PauseCause {
    /// Somebody paused it.
    Operator,
    /// The settings do not name the scope any more.
    Removed,
}

/// A pause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Why.
    pub cause: PauseCause,
    /// Who.
    pub by: FreeText,
    /// Since when.
    pub at: Timestamp,
}

/// Why a schedule could not do what was due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleProblem {
    /// What was due.
    pub action: String,
    /// What happened.
    pub detail: String,
    /// What to do about it.
    pub remedy: String,
    /// When it happened last.
    pub at: Timestamp,
    /// How often in a row.
    pub tries: u32,
    /// When it is tried again.
    pub retry_at: Timestamp,
}

/// A schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The scope.
    pub scope: ScopeId,
    /// What the settings say.
    pub terms: ScheduleTerms,
    /// Why it does nothing, where it does not.
    pub paused: Option<Pause>,
    /// The last time at which events were due to be collected and that was served, or when the schedule began.
    pub collected_until: Timestamp,
    /// Why what is due is not done, where it is not.
    pub problem: Option<ScheduleProblem>,
}

/// What reconciling changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Scopes whose schedule is new.
    pub added: Vec<ScopeId>,
    /// Scopes whose schedule changed.
    pub changed: Vec<ScopeId>,
    /// Scopes whose schedule is paused, because the settings do not name them any more.
    pub paused: Vec<ScopeId>,
    /// Scopes that the settings name again.
    pub resumed: Vec<ScopeId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ScheduleRecord {
    terms: ScheduleTerms,
    paused: Option<Pause>,
    collected_until: Timestamp,
    problem: Option<ScheduleProblem>,
}

impl Record for ScheduleRecord {}

impl Ledger {
    /// Makes the schedules what the settings say: changed ones change, and those of scopes that are missing pause. A
    /// pause by a person stays.
    ///
    /// # Errors
    /// `scope_not_found`.
    pub fn reconcile_schedules(
        &self,
        terms: BTreeMap<ScopeId, ScheduleTerms>,
        by: By,
    ) -> LedgerResult<Reconciled> {
        self.run(move |tx| reconcile(tx, terms, &by))
    }

    /// Pauses a schedule. One that is paused by a person stays as it is.
    ///
    /// # Errors
    /// `record_not_found` where the scope has no schedule.
    pub fn pause_schedule(&self, scope: ScopeId, by: By) -> LedgerResult<Schedule> {
        self.run(move |tx| {
            let mut record = schedule(tx, scope)?;
            if record.paused.as_ref().is_none_or(|pause| pause.cause != PauseCause::Operator) {
                record.paused = Some(Pause { cause: PauseCause::Operator, by: by.actor, at: by.at });
                tx.insert(SCHEDULES, &scope, &record)?;
            }
            Ok(view(scope, record))
        })
    }

    /// Lets a schedule go on, which is paused by a person. What fell due in between is made up for.
    ///
    /// # Errors
    /// `record_not_found` where the scope has no schedule, or the settings do not name it any more.
    pub fn resume_schedule(&self, scope: ScopeId) -> LedgerResult<Schedule> {
        self.run(move |tx| {
            let mut record = schedule(tx, scope)?;
            if record.paused.as_ref().is_some_and(|pause| pause.cause == PauseCause::Removed) {
                let expected = "a scope that meed.toml names";
                return refuse(Rejection::new(
                    RejectionCode::RecordNotFound,
                    "schedule",
                    expected,
                    "one that it does not name any more",
                ));
            }
            if record.paused.take().is_some() || record.problem.take().is_some() {
                record.problem = None;
                tx.insert(SCHEDULES, &scope, &record)?;
            }
            Ok(view(scope, record))
        })
    }

    /// Records that everything was collected that was due until `until`; an earlier time changes nothing.
    ///
    /// # Errors
    /// `record_not_found` where the scope has no schedule.
    pub fn note_collected(&self, scope: ScopeId, until: Timestamp) -> LedgerResult<Schedule> {
        self.run(move |tx| {
            let mut record = schedule(tx, scope)?;
            if until > record.collected_until {
                record.collected_until = until;
                tx.insert(SCHEDULES, &scope, &record)?;
            }
            Ok(view(scope, record))
        })
    }

    /// Records why what is due is not done; none where it is.
    ///
    /// # Errors
    /// `record_not_found` where the scope has no schedule.
    pub fn note_schedule_problem(
        &self,
        scope: ScopeId,
        problem: Option<ScheduleProblem>,
    ) -> LedgerResult<Schedule> {
        self.run(move |tx| {
            let mut record = schedule(tx, scope)?;
            if record.problem != problem {
                record.problem = problem;
                tx.insert(SCHEDULES, &scope, &record)?;
            }
            Ok(view(scope, record))
        })
    }
}

impl Snapshot {
    /// All schedules, by scope.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn schedules(&self) -> LedgerResult<Vec<Schedule>> {
        let records = self.with_prefix(SCHEDULES, &All)?;
        Ok(records.into_iter().map(|(scope, record)| view(scope, record)).collect())
    }

    /// The schedule of a scope.
    ///
    /// # Errors
    /// `record_not_found` where it has none.
    pub fn schedule(&self, scope: ScopeId) -> LedgerResult<Schedule> {
        Ok(view(scope, schedule(self, scope)?))
    }
}

fn schedule(reader: &impl RawReader, scope: ScopeId) -> LedgerResult<ScheduleRecord> {
    reader.get(SCHEDULES, &scope)?.ok_or_else(|| {
        let expected = "a scope with a schedule in meed.toml";
        Rejection::new(RejectionCode::RecordNotFound, "schedule", expected, "one without").into()
    })
}

fn reconcile(
    tx: &mut Transaction,
    terms: BTreeMap<ScopeId, ScheduleTerms>,
    by: &By,
) -> LedgerResult<Reconciled> {
    for scope in terms.keys() {
        scope_record(tx, *scope)?;
    }
    let mut reconciled = Reconciled::default();
    let stored = tx.with_prefix(SCHEDULES, &All)?;
    for (scope, record) in &stored {
        if !terms.contains_key(scope) && record.paused.is_none() {
            let pause = Pause { cause: PauseCause::Removed, by: by.actor.clone(), at: by.at };
            tx.insert(SCHEDULES, scope, &ScheduleRecord { paused: Some(pause), ..record.clone() })?;
            reconciled.paused.push(*scope);
        }
    }
    let stored: BTreeMap<ScopeId, ScheduleRecord> = stored.into_iter().collect();
    for (scope, terms) in terms {
        let Some(mut record) = stored.get(&scope).cloned() else {
            let record = ScheduleRecord { terms, paused: None, collected_until: by.at, problem: None };
            tx.insert(SCHEDULES, &scope, &record)?;
            reconciled.added.push(scope);
            continue;
        };
        let is_back = record.paused.as_ref().is_some_and(|pause| pause.cause == PauseCause::Removed);
        let is_changed = record.terms != terms;
        if is_back {
            record.paused = None;
            reconciled.resumed.push(scope);
        }
        if is_changed {
            record.terms = terms;
            // What could not be done under the old terms may be possible now.
            record.problem = None;
            reconciled.changed.push(scope);
        }
        if is_back || is_changed {
            tx.insert(SCHEDULES, &scope, &record)?;
        }
    }
    Ok(reconciled)
}

/// What stood in the way of a scope's schedule is past: somebody closed the epoch, or opened the next window.
pub(super) fn settle_problem(tx: &mut Transaction, scope: ScopeId) -> LedgerResult<()> {
    if let Some(mut record) = tx.get(SCHEDULES, &scope)?
        && record.problem.take().is_some()
    {
        tx.insert(SCHEDULES, &scope, &record)?;
    }
    Ok(())
}

fn view(scope: ScopeId, record: ScheduleRecord) -> Schedule {
    let ScheduleRecord { terms, paused, collected_until, problem } = record;
    Schedule { scope, terms, paused, collected_until, problem }
}
