//! Runs: what a workflow has done so far, so that it can be looked at, and taken up again after a crash.
//!
//! A run has an id that says what is done, and attempts: a run that has ended can be asked for again. Of one id at most
//! one attempt is at work at a time. What was asked for, the reasons of failures and the results are documents of the
//! workflows, kept here as texts.

use std::collections::BTreeSet;

use meed_audit::ids::ScopeId;
use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use meed_audit::{Checked, Rejection, RejectionCode};
use serde::{Deserialize, Serialize};

use crate::codec::{RECORD_BYTES_MAX, Record};
use crate::key::All;
use crate::ledger::Ledger;
use crate::rules::pool::Added;
use crate::rules::record::{By, LedgerResult, demand, refuse};
use crate::rules::reports::{self, SourceReport};
use crate::rules::run::{NewRun, Run, RunEnd, RunState, RunStep};
use crate::rules::run_id::RunId;
use crate::snapshot::Snapshot;
use crate::table::{RawReader, Reader, Table};
use crate::transaction::Transaction;

/// All attempts of all runs, in the order in which they started.
const RUNS: Table<u64, RunRecord> = Table::new("run_attempts");
/// Which attempts a run has.
const ATTEMPTS: Table<(RunId, u32), Place> = Table::new("run_ids");
/// The attempts that have not ended.
const AT_WORK: Table<u64, Place> = Table::new("runs_at_work");
/// Most steps of one run.
pub const RUN_STEPS_MAX: usize = 1_000;
/// Most attempts of one run that are kept; the oldest ones make room.
pub const RUN_ATTEMPTS_MAX: u32 = 50;
/// Longest text of a run: what was asked for, a result, a reason; in bytes.
pub const RUN_TEXT_BYTES_MAX: usize = 262_144;
/// Most bytes of all texts of a run together before it ends: what was asked for, and its steps.
pub const RUN_BYTES_MAX: usize = 3 << 20;
/// Most bytes of the texts of a step that is recorded however full the record is: its name and a short sentence, so that
/// what was done can always be said.
pub const RUN_SHORT_STEP_BYTES: usize = 384;
/// More than what stands around the texts of a step takes.
const STEP_BYTES: usize = 64;
/// More than what stands around the texts of a run takes, its id and who asked for it.
const FIXED_BYTES: usize = 4_096;

// However full its record is, each step can be told in short, and a run can end, with a reason and a result.
const _: () = assert!(
    RUN_BYTES_MAX
        + 2 * RUN_TEXT_BYTES_MAX
        + RUN_STEPS_MAX * (STEP_BYTES + RUN_SHORT_STEP_BYTES)
        + FIXED_BYTES
        <= RECORD_BYTES_MAX
);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RunRecord {
    id: String,
    attempt: u32,
    scope: ScopeId,
    by: FreeText,
    request: String,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
    state: RunState,
    steps: Vec<RunStep>,
    output: String,
}

impl Record for RunRecord {}

/// Where an attempt stands among all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place(u64);

impl Record for Place {}

impl Ledger {
    /// Records that a run has started. One that is at work already, with the same request, is given back as it is.
    ///
    /// # Errors
    /// `run_active` where it is at work with another request; `text_length` of a request.
    pub fn start_run(&self, run: NewRun, by: By) -> LedgerResult<(Run, Added)> {
        self.run(move |tx| start(tx, run, by))
    }

    /// Records a step of a run that is at work, in place of what was recorded of it before, with how the run goes on:
    /// now, or at a time. What a source reported is stored with it.
    ///
    /// # Errors
    /// `record_not_found`, `nothing_to_change` for a run that has ended, `too_many` steps, `text_length` of one text or of
    /// all of the run together ([`RUN_BYTES_MAX`]): a short step ([`RUN_SHORT_STEP_BYTES`]) is taken all the same, and it
    /// can still be ended.
    pub fn record_step(
        &self,
        sequence: u64,
        step: RunStep,
        wait_until: Option<Timestamp>,
        report: Option<SourceReport>,
    ) -> LedgerResult<Run> {
        self.run(move |tx| {
            let mut record = at_work(tx, sequence)?;
            put_step(&mut record, step)?;
            let missing = report.as_ref().and_then(|report| report.missing.as_deref());
            check_text("missing", missing.unwrap_or_default())?;
            record.state = wait_until.map_or(RunState::Running, RunState::Waiting);
            let scope = record.scope;
            tx.insert(RUNS, &sequence, &record)?;
            if let Some(report) = report {
                reports::store(tx, scope, &report)?;
            }
            view(sequence, record)
        })
    }

    /// Records that a run has ended.
    ///
    /// # Errors
    /// `record_not_found`, `nothing_to_change` for a run that has ended, `text_length`.
    pub fn finish_run(&self, sequence: u64, end: RunEnd, now: Timestamp) -> LedgerResult<Run> {
        self.run(move |tx| {
            let mut record = at_work(tx, sequence)?;
            check_text("output", &end.output)?;
            check_text("failure", end.failure.as_deref().unwrap_or_default())?;
            record.state = end.failure.map_or(RunState::Done, RunState::Failed);
            record.output = end.output;
            record.ended_at = Some(now);
            tx.insert(RUNS, &sequence, &record)?;
            tx.remove(AT_WORK, &sequence)?;
            view(sequence, record)
        })
    }
}

impl Snapshot {
    /// At most `limit` attempts of runs, the newest first, of those before `before` and, where one is named, of one
    /// scope.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn runs(&self, scope: Option<ScopeId>, before: Option<u64>, limit: usize) -> LedgerResult<Vec<Run>> {
        let mut runs = Vec::new();
        let mut end = before.unwrap_or(u64::MAX);
        // A part at a time, so that a long history is not read whole for the newest few.
        while runs.len() < limit && end > 0 {
            let start = end.min(next_sequence(self)?).saturating_sub(RUNS_READ_AT_ONCE);
            let mut records = self.range(RUNS, start..end)?;
            records.retain(|(_, record)| scope.is_none_or(|scope| record.scope == scope));
            for (sequence, record) in records.into_iter().rev().take(limit - runs.len()) {
                runs.push(view(sequence, record)?);
            }
            end = start;
        }
        Ok(runs)
    }

    /// The newest attempt of a run.
    ///
    /// # Errors
    /// `record_not_found`.
    pub fn run(&self, id: &RunId) -> LedgerResult<Run> {
        match self.last_with_prefix(ATTEMPTS, id)? {
            Some((_, Place(sequence))) => view(sequence, demand(self, RUNS, &sequence)?),
            None => refuse(not_found(id)),
        }
    }

    /// The attempts of a run that are kept, the newest first.
    ///
    /// # Errors
    /// `record_not_found`.
    pub fn run_attempts(&self, id: &RunId) -> LedgerResult<Vec<Run>> {
        let places = self.with_prefix(ATTEMPTS, id)?;
        if places.is_empty() {
            return refuse(not_found(id));
        }
        let read = |(_, Place(sequence)): (_, Place)| view(sequence, demand(self, RUNS, &sequence)?);
        places.into_iter().rev().map(read).collect()
    }

    /// The runs that have not ended, the oldest first.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn runs_at_work(&self) -> LedgerResult<Vec<Run>> {
        let places = self.with_prefix(AT_WORK, &All)?;
        places.into_iter().map(|(sequence, _)| view(sequence, demand(self, RUNS, &sequence)?)).collect()
    }
}

/// How many attempts are read at once for a list.
const RUNS_READ_AT_ONCE: u64 = 256;

fn start(tx: &mut Transaction, run: NewRun, by: By) -> LedgerResult<(Run, Added)> {
    check_text("request", &run.request)?;
    let last = tx.last_with_prefix(ATTEMPTS, &run.id)?;
    if let Some((_, Place(sequence))) = last {
        let record = demand(tx, RUNS, &sequence)?;
        if !record.state.has_ended() {
            if record.request == run.request {
                return Ok((view(sequence, record)?, Added::Same));
            }
            let expected = "no run at work, or one with the same request";
            let subject = format!("run {}", run.id);
            return refuse(Rejection::new(RejectionCode::RunActive, subject, expected, "another request"));
        }
    }
    let attempt = last.map_or(0, |((_, attempt), _)| attempt).saturating_add(1);
    let sequence = next_sequence(tx)?;
    let record = RunRecord {
        id: run.id.to_stored(),
        attempt,
        scope: run.scope,
        by: by.actor,
        request: run.request,
        started_at: by.at,
        ended_at: None,
        state: RunState::Running,
        steps: Vec::new(),
        output: String::new(),
    };
    forget_old(tx, &run.id, attempt)?;
    tx.insert(RUNS, &sequence, &record)?;
    tx.insert(ATTEMPTS, &(run.id, attempt), &Place(sequence))?;
    tx.insert(AT_WORK, &sequence, &Place(sequence))?;
    Ok((view(sequence, record)?, Added::New))
}

/// Makes room for attempt number `attempt`.
fn forget_old(tx: &mut Transaction, id: &RunId, attempt: u32) -> LedgerResult<()> {
    let kept: BTreeSet<u32> = (attempt.saturating_sub(RUN_ATTEMPTS_MAX - 1)..attempt).collect();
    for ((id, old), Place(sequence)) in tx.with_prefix(ATTEMPTS, id)? {
        if !kept.contains(&old) {
            tx.remove(RUNS, &sequence)?;
            tx.remove(ATTEMPTS, &(id, old))?;
        }
    }
    Ok(())
}

fn next_sequence(reader: &impl RawReader) -> LedgerResult<u64> {
    Ok(reader.last_with_prefix(RUNS, &All)?.map_or(0, |(sequence, _)| sequence + 1))
}

fn not_found(id: &RunId) -> Rejection {
    Rejection::new(RejectionCode::RecordNotFound, "run", "a run of this node", id)
}

fn at_work(tx: &Transaction, sequence: u64) -> LedgerResult<RunRecord> {
    match tx.get(RUNS, &sequence)? {
        None => refuse(Rejection::new(
            RejectionCode::RecordNotFound,
            "run",
            "an attempt of a run of this node",
            sequence,
        )),
        Some(record) if !record.state.has_ended() => Ok(record),
        Some(record) => refuse(Rejection::new(
            RejectionCode::NothingToChange,
            format!("run {}", record.id),
            "a run that is at work",
            "one that has ended",
        )),
    }
}

/// Puts a step in place of what was recorded of it, where the record has room for it.
fn put_step(record: &mut RunRecord, step: RunStep) -> Checked<()> {
    for (field, text) in [("step", &step.name), ("result", &step.result), ("output", &step.output)] {
        check_text(field, text)?;
    }
    let place = record.steps.iter().position(|known| known.name == step.name);
    if place.is_none() && record.steps.len() >= RUN_STEPS_MAX {
        let expected = format!("at most {RUN_STEPS_MAX} steps");
        return Err(Rejection::new(RejectionCode::TooMany, "run", expected, "one more"));
    }
    let others = record.steps.iter().filter(|known| known.name != step.name);
    let bytes: usize = others.chain([&step]).map(step_bytes).sum::<usize>() + record.request.len();
    if bytes > RUN_BYTES_MAX && step_bytes(&step) > RUN_SHORT_STEP_BYTES {
        let expected = format!("at most {RUN_BYTES_MAX} bytes in all its texts");
        return Err(Rejection::new(RejectionCode::TextLength, format!("run {}", record.id), expected, bytes));
    }
    match place.and_then(|place| record.steps.get_mut(place)) {
        Some(known) => *known = step,
        None => record.steps.push(step),
    }
    Ok(())
}

fn step_bytes(step: &RunStep) -> usize {
    step.name.len() + step.result.len() + step.output.len()
}

fn check_text(field: &str, text: &str) -> Checked<()> {
    if text.len() <= RUN_TEXT_BYTES_MAX {
        return Ok(());
    }
    let expected = format!("at most {RUN_TEXT_BYTES_MAX} bytes");
    Err(Rejection::new(RejectionCode::TextLength, field, expected, text.len()))
}

fn view(sequence: u64, record: RunRecord) -> LedgerResult<Run> {
    let RunRecord { id, attempt, scope, by, request, started_at, ended_at, state, steps, output, .. } =
        record;
    let read = RunId::from_stored(&id)
        .ok_or_else(|| Rejection::new(RejectionCode::InvalidIdentifier, "run", "the id of a run", &id));
    let id = crate::rules::record::sound(RUNS.name(), read)?;
    Ok(Run { id, attempt, sequence, scope, by, request, started_at, ended_at, state, steps, output })
}
