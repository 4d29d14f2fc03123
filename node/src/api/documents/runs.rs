//! Runs and schedules.

use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::StoredView;
use crate::api::problems::Problem;

/// An attempt of a run.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RunView {
    /// Its id: `collect-<scope>-<start>-<end>` with times such as `2026-01-05`, `close-<scope>-<epoch>` or
    /// `finalize-<scope>-<epoch>`.
    pub id: String,
    /// Which attempt it is, from 1.
    pub attempt: u32,
    /// Its place among all attempts of all runs.
    pub sequence: u64,
    /// `collect`, `close` or `finalize`.
    pub kind: String,
    /// The scope's key.
    pub scope: String,
    /// `running`, `waiting`, `done` or `failed`.
    pub state: String,
    /// When it goes on, where it waits.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub retry_at: Option<Timestamp>,
    /// Who asked for it.
    #[schema(value_type = String)]
    pub by: FreeText,
    /// When it started.
    #[schema(value_type = String)]
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub ended_at: Option<Timestamp>,
    /// The steps that were tried so far.
    pub steps: Vec<RunStepView>,
    /// What its sources said exists, against what was stored.
    pub sources: Vec<SourceView>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<Box<Problem>>,
    /// What came of it: the document that the request would have been answered with at once.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub output: Option<serde_json::Value>,
}

impl RunView {
    /// Whether nothing more will be done.
    pub fn has_ended(&self) -> bool {
        self.ended_at.is_some()
    }
}

/// A step of a run.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RunStepView {
    /// Which step.
    pub name: String,
    /// `done`, `waiting` or `failed`.
    pub state: String,
    /// How often it was tried.
    pub tries: u32,
    /// When it was tried last.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// When it is tried again, where it waits.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub retry_at: Option<Timestamp>,
    /// What came of it.
    pub result: String,
    /// What became of the events that it took in, where it took in any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub events: Option<StoredView>,
}

/// What a source said of a window.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SourceView {
    /// Its name in the settings.
    pub source: String,
    /// The beginning of the window.
    #[schema(value_type = String)]
    pub window_start: Timestamp,
    /// Its end.
    #[schema(value_type = String)]
    pub window_end: Timestamp,
    /// How many events of the window it has.
    pub found: u64,
    /// How many of them are in the ledger.
    pub stored: u64,
    /// Why some are missing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub missing: Option<String>,
}

/// What a node does for a scope by itself.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ScheduleView {
    /// The scope's key.
    pub scope: String,
    /// `active`; `paused` by a person; `removed` from the settings; `new`: no node has run with it yet.
    pub state: String,
    /// When events are collected: a cron expression in UTC, or `off`.
    pub collect: String,
    /// How long after its window's end an epoch is closed, in hours.
    pub grace_hours: u32,
    /// Whether epochs are closed.
    pub close: bool,
    /// Whether the next window is opened.
    pub open_next: bool,
    /// The names of the sources.
    pub sources: Vec<String>,
    /// Who paused it, or under whose settings it was removed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub paused_by: Option<FreeText>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub paused_at: Option<Timestamp>,
    /// When something falls due next.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub next_due: Option<Timestamp>,
    /// What the sources said that they have of windows that are not closed yet, and the ledger has not: a sentence for
    /// each window and source.
    #[serde(default)]
    pub gaps: Vec<String>,
    /// Why something that is due is not done.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<ScheduleProblemView>,
    /// Which window it opens first, where the scope has no epoch yet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_window: Option<FirstWindowView>,
}

/// Which window a schedule opens first. What happened before it is no epoch's; each window after it is an epoch.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FirstWindowView {
    /// Where it begins; none where events are older than the window of now, and the settings (`first_window`) have to say
    /// first what becomes of them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub start: Option<Timestamp>,
    /// How many windows there are from that one to the one of now.
    pub windows: u64,
    /// How many events are older than that one; where none is said, than the window of now.
    pub left_out: u64,
}

/// Why something that is due is not done.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ScheduleProblemView {
    /// What is due.
    pub action: String,
    /// What happened.
    pub detail: String,
    /// What to do about it.
    pub remedy: String,
    /// When it happened last.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// How often in a row.
    pub tries: u32,
    /// When it is tried again.
    #[schema(value_type = String)]
    pub retry_at: Timestamp,
}
