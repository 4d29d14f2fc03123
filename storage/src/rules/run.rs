//! What a run is: its state, its steps, what was asked for and what came of it.

use meed_audit::ids::ScopeId;
use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::rules::run_id::RunId;

/// How a run stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunState {
    /// It is at work, or was when the node stopped.
    Running,
    /// It tries again what failed for a passing reason, at this time.
    Waiting(Timestamp),
    /// It reached its end.
    Done,
    /// It failed, and why: a problem document.
    Failed(String),
}

impl RunState {
    /// Whether nothing more will be done.
    pub fn has_ended(&self) -> bool {
        matches!(self, Self::Done | Self::Failed(_))
    }
}

/// How a step of a run stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepState {
    /// It was done.
    Done,
    /// It failed for good.
    Failed,
    /// It failed for a passing reason, and is tried again at this time.
    Waiting(Timestamp),
}

/// One step of a run that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStep {
    /// Which step.
    pub name: String,
    /// How it stands.
    pub state: StepState,
    /// How often it was tried.
    pub tries: u32,
    /// When it was tried last.
    pub at: Timestamp,
    /// What came of it, or why it failed: one line for people.
    pub result: String,
    /// What later steps need of it: a document of the workflow, or an empty text.
    pub output: String,
}

/// What a run is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRun {
    /// Its id.
    pub id: RunId,
    /// The scope that the id names.
    pub scope: ScopeId,
    /// What was asked for: a document of the workflow.
    pub request: String,
}

/// How a run ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunEnd {
    /// Why it failed, where it did: a problem document.
    pub failure: Option<String>,
    /// What came of it: a document of the workflow, or an empty text.
    pub output: String,
}

/// An attempt of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// Which attempt it is, from 1.
    pub attempt: u32,
    /// Its place among all attempts of all runs.
    pub sequence: u64,
    /// The scope that the id names.
    pub scope: ScopeId,
    /// Who asked for it.
    pub by: FreeText,
    /// What was asked for: a document of the workflow.
    pub request: String,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it stands.
    pub state: RunState,
    /// The steps that were tried so far.
    pub steps: Vec<RunStep>,
    /// What came of it, once it has ended: a document of the workflow, or an empty text.
    pub output: String,
}

impl Run {
    /// The step of this name, where it was tried.
    pub fn step(&self, name: &str) -> Option<&RunStep> {
        self.steps.iter().find(|step| step.name == name)
    }
}
