//! Runs: what a workflow has done so far, so that it can be looked at, and taken up again after a crash.

use std::fmt;
use std::str::FromStr;

use meed_audit::ids::ScopeId;
use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use meed_audit::{Checked, Rejection, RejectionCode};
use serde::{Deserialize, Serialize};

use crate::codec::Record;
use crate::key::{All, Key};
use crate::ledger::Ledger;
use crate::rules::record::{By, LedgerResult, refuse};
use crate::snapshot::Snapshot;
use crate::table::{Reader, Table};
use crate::transaction::Transaction;

/// Runs by id, which begins with their time.
const RUNS: Table<RunId, RunRecord> = Table::new("runs");
/// Most steps of one run.
pub const RUN_STEPS_MAX: usize = 1_000;

/// The id of a run: 6 bytes of milliseconds since 1970 and 10 random bytes, so that ids ascend with time. As text 32
/// lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId([u8; 16]);

impl RunId {
    /// The id of a run that starts now.
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        let mut bytes = [0; 16];
        let time = now.as_ms().to_be_bytes();
        let parts = time.iter().skip(2).chain(&random);
        bytes.iter_mut().zip(parts).for_each(|(byte, part)| *byte = *part);
        Self(bytes)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl FromStr for RunId {
    type Err = Rejection;

    fn from_str(text: &str) -> Checked<Self> {
        let expected = "32 lower-case hex digits";
        let refusal = || Rejection::new(RejectionCode::InvalidIdentifier, "run", expected, text);
        let number = u128::from_str_radix(text, 16).map_err(|_| refusal())?;
        let id = Self(number.to_be_bytes());
        if id.to_string() == text { Ok(id) } else { Err(refusal()) }
    }
}

impl Key for RunId {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }

    fn read(input: &mut &[u8]) -> Option<Self> {
        Key::read(input).map(Self)
    }
}

/// How a run stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunState {
    /// It is at work, or was when the node stopped.
    Running,
    /// It reached its end.
    Done,
    /// It failed, and why.
    Failed(String),
}

/// One step that a run has completed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStep {
    /// Which step.
    pub name: String,
    /// When it was done.
    pub at: Timestamp,
    /// What came of it.
    pub result: String,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// What it does: `collect`, `finalize`.
    pub kind: String,
    /// For which scope.
    pub scope: Option<ScopeId>,
    /// Who asked for it.
    pub by: FreeText,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it stands.
    pub state: RunState,
    /// The steps so far.
    pub steps: Vec<RunStep>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RunRecord {
    kind: String,
    scope: Option<ScopeId>,
    by: FreeText,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
    state: RunState,
    steps: Vec<RunStep>,
}

impl Record for RunRecord {}

impl Ledger {
    /// Records that a run has started.
    ///
    /// # Errors
    /// `record_exists` where the id is taken.
    pub fn start_run(&self, id: RunId, kind: String, scope: Option<ScopeId>, by: By) -> LedgerResult<Run> {
        self.run(move |tx| {
            if tx.contains(RUNS, &id)? {
                return refuse(Rejection::new(
                    RejectionCode::RecordExists,
                    "run",
                    "an id that is not taken",
                    id,
                ));
            }
            let record = RunRecord {
                kind,
                scope,
                by: by.actor,
                started_at: by.at,
                ended_at: None,
                state: RunState::Running,
                steps: Vec::new(),
            };
            tx.insert(RUNS, &id, &record)?;
            Ok(view(id, record))
        })
    }

    /// Records a step of a run. A step of the same name is replaced, as when a run is taken up again.
    ///
    /// # Errors
    /// `record_not_found`, `nothing_to_change` for a run that has ended, `too_many` steps.
    pub fn record_step(&self, id: RunId, step: RunStep) -> LedgerResult<Run> {
        self.run(move |tx| {
            let mut record = running(tx, id)?;
            record.steps.retain(|known| known.name != step.name);
            if record.steps.len() >= RUN_STEPS_MAX {
                let expected = format!("at most {RUN_STEPS_MAX} steps");
                return refuse(Rejection::new(RejectionCode::TooMany, "run", expected, "one more"));
            }
            record.steps.push(step);
            tx.insert(RUNS, &id, &record)?;
            Ok(view(id, record))
        })
    }

    /// Records that a run has ended: well, or with the failure that is given.
    ///
    /// # Errors
    /// `record_not_found`, `nothing_to_change` for a run that has ended.
    pub fn finish_run(&self, id: RunId, failure: Option<String>, now: Timestamp) -> LedgerResult<Run> {
        self.run(move |tx| {
            let mut record = running(tx, id)?;
            record.state = failure.map_or(RunState::Done, RunState::Failed);
            record.ended_at = Some(now);
            tx.insert(RUNS, &id, &record)?;
            Ok(view(id, record))
        })
    }
}

impl Snapshot {
    /// At most `limit` runs, the newest first, before the run `before`.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn runs(&self, before: Option<RunId>, limit: usize) -> LedgerResult<Vec<Run>> {
        let records = match before {
            None => self.with_prefix(RUNS, &All)?,
            Some(before) => self.range(RUNS, ..before)?,
        };
        Ok(records.into_iter().rev().take(limit).map(|(id, record)| view(id, record)).collect())
    }

    /// One run.
    ///
    /// # Errors
    /// `record_not_found`.
    pub fn run(&self, id: RunId) -> LedgerResult<Run> {
        match self.get(RUNS, &id)? {
            Some(record) => Ok(view(id, record)),
            None => refuse(not_found(id)),
        }
    }
}

fn not_found(id: RunId) -> Rejection {
    Rejection::new(RejectionCode::RecordNotFound, "run", "a run of this node", id)
}

fn running(tx: &Transaction, id: RunId) -> LedgerResult<RunRecord> {
    match tx.get(RUNS, &id)? {
        None => refuse(not_found(id)),
        Some(record) if record.state == RunState::Running => Ok(record),
        Some(_) => {
            let expected = "a run that is at work";
            refuse(Rejection::new(
                RejectionCode::NothingToChange,
                format!("run {id}"),
                expected,
                "one that has ended",
            ))
        }
    }
}

fn view(id: RunId, record: RunRecord) -> Run {
    let RunRecord { kind, scope, by, started_at, ended_at, state, steps } = record;
    Run { id, kind, scope, by, started_at, ended_at, state, steps }
}
