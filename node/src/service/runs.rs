//! Runs and schedules: reading them, and pausing.

use meed_audit::ids::{ScopeId, ScopeKey};
use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use meed_storage::{
    PauseCause, Run, RunId, RunState, RunStep, Schedule, ScheduleTerms, Snapshot, SourceReport, StepState,
};

use super::Service;
use crate::api::documents::{
    CollectView, Page, RunStepView, RunView, ScheduleProblemView, ScheduleView, SourceView, StoredView,
};
use crate::failure::Failure;
use crate::workflow::{PassOutput, next_due, windows_not_closed};

impl Service {
    /// At most `limit` attempts of runs, the newest first, of those before the sequence `before`.
    ///
    /// # Errors
    /// `scope_not_found` where one is named.
    pub fn runs(
        &self,
        scope: Option<&str>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Page<RunView>, Failure> {
        let snapshot = self.snapshot()?;
        let scope = scope.map(|key| Self::scope_id(&snapshot, key)).transpose()?.map(|(_, id)| id);
        let runs = snapshot.runs(scope, before, limit)?;
        let last = runs.last().filter(|run| runs.len() == limit && run.sequence > 0);
        let next = last.map(|run| run.sequence.to_string());
        let items = runs.iter().map(run_view).collect::<Result<Vec<_>, _>>()?;
        Ok(Page { items, next })
    }

    /// The newest attempt of a run, or one that is named.
    ///
    /// # Errors
    /// `invalid_identifier`, `record_not_found`.
    pub fn run(&self, id: &str, attempt: Option<u32>) -> Result<RunView, Failure> {
        let id: RunId = id.parse()?;
        let snapshot = self.snapshot()?;
        let Some(attempt) = attempt else { return run_view(&snapshot.run(&id)?) };
        let attempts = snapshot.run_attempts(&id)?;
        match attempts.iter().find(|run| run.attempt == attempt) {
            Some(run) => run_view(run),
            None => {
                let expected = "an attempt of this run that is kept";
                let code = meed_audit::RejectionCode::RecordNotFound;
                Err(crate::failure::reject(code, "attempt", expected, attempt))
            }
        }
    }

    /// The schedules of all scopes, by the keys of the scopes.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn schedules(&self) -> Result<Vec<ScheduleView>, Failure> {
        let snapshot = self.snapshot()?;
        let stored = snapshot.schedules()?;
        let mut views = Vec::new();
        for scope in snapshot.scopes()? {
            let key = &scope.terms.key;
            match stored.iter().find(|schedule| schedule.scope == scope.id) {
                Some(schedule) => views.push(self.schedule_view(&snapshot, key, schedule)?),
                None => {
                    let Some(settings) = self.settings.scopes.get(key) else { continue };
                    let first_window = self.first_window_view(&snapshot, (key, scope.id))?;
                    views.push(ScheduleView { first_window, ..terms_view(key, "new", &settings.terms()) });
                }
            }
        }
        Ok(views)
    }

    /// The schedule of a scope.
    ///
    /// # Errors
    /// `scope_not_found`; `record_not_found` where it has none.
    pub fn schedule(&self, key: &str) -> Result<ScheduleView, Failure> {
        let snapshot = self.snapshot()?;
        let (key, scope) = Self::scope_id(&snapshot, key)?;
        self.schedule_view(&snapshot, &key, &snapshot.schedule(scope)?)
    }

    /// Pauses the schedule of a scope.
    ///
    /// # Errors
    /// `scope_not_found`; `record_not_found` where it has none.
    pub fn pause_schedule(&self, key: &str, actor: &FreeText) -> Result<ScheduleView, Failure> {
        let (_, scope) = Self::scope_id(&self.snapshot()?, key)?;
        self.ledger.pause_schedule(scope, self.by(actor)?)?;
        self.schedule(key)
    }

    /// Lets the schedule of a scope go on.
    ///
    /// # Errors
    /// `scope_not_found`; `record_not_found` where it has none, or the settings do not name it any more.
    pub fn resume_schedule(&self, key: &str) -> Result<ScheduleView, Failure> {
        let (_, scope) = Self::scope_id(&self.snapshot()?, key)?;
        self.ledger.resume_schedule(scope)?;
        self.schedule(key)
    }

    fn schedule_view(
        &self,
        snapshot: &Snapshot,
        key: &ScopeKey,
        schedule: &Schedule,
    ) -> Result<ScheduleView, Failure> {
        let state = match schedule.paused.as_ref().map(|pause| pause.cause) {
            None => "active",
            Some(PauseCause::Operator) => "paused",
            Some(PauseCause::Removed) => "removed",
        };
        let problem = schedule.problem.as_ref().map(|problem| ScheduleProblemView {
            action: problem.action.clone(),
            detail: problem.detail.clone(),
            remedy: problem.remedy.clone(),
            at: problem.at,
            tries: problem.tries,
            retry_at: problem.retry_at,
        });
        Ok(ScheduleView {
            paused_by: schedule.paused.as_ref().map(|pause| pause.by.clone()),
            paused_at: schedule.paused.as_ref().map(|pause| pause.at),
            next_due: next_due(snapshot, schedule, self.scope_settings().get(key), self.clock.now()?)?,
            first_window: self.first_window_view(snapshot, (key, schedule.scope))?,
            gaps: gaps_now(snapshot, schedule.scope, self.clock.now()?)?,
            problem,
            ..terms_view(key, state, &schedule.terms)
        })
    }
}

/// What is missing of the windows that are not closed yet, in words.
fn gaps_now(snapshot: &Snapshot, scope: ScopeId, now: Timestamp) -> Result<Vec<String>, Failure> {
    let mut gaps = Vec::new();
    for (epoch, window) in windows_not_closed(snapshot, scope, now)? {
        let window_name = match epoch {
            Some(number) => format!("epoch {number}"),
            None => format!("the window from {}", window.start),
        };
        let reports = snapshot.source_reports(scope, window.start)?;
        gaps.extend(reports.iter().filter_map(SourceReport::gap).map(|gap| format!("{window_name}: {gap}")));
    }
    Ok(gaps)
}

fn terms_view(key: &ScopeKey, state: &str, terms: &ScheduleTerms) -> ScheduleView {
    ScheduleView {
        scope: key.to_string(),
        state: state.to_owned(),
        collect: terms.collect.clone().unwrap_or_else(|| "off".to_owned()),
        grace_hours: terms.grace_hours,
        close: terms.close,
        open_next: terms.open_next,
        sources: terms.sources.clone(),
        paused_by: None,
        paused_at: None,
        next_due: None,
        gaps: Vec::new(),
        problem: None,
        first_window: None,
    }
}

/// A run as a document.
pub(crate) fn run_view(run: &Run) -> Result<RunView, Failure> {
    let (state, retry_at, problem) = match &run.state {
        RunState::Running => ("running", None, None),
        RunState::Waiting(until) => ("waiting", Some(*until), None),
        RunState::Done => ("done", None, None),
        RunState::Failed(problem) => ("failed", None, Some(read(problem)?)),
    };
    let output = if run.output.is_empty() { None } else { Some(read(&run.output)?) };
    Ok(RunView {
        id: run.id.to_string(),
        attempt: run.attempt,
        sequence: run.sequence,
        kind: run.id.kind().to_owned(),
        scope: run.id.scope().to_string(),
        state: state.to_owned(),
        retry_at,
        by: run.by.clone(),
        started_at: run.started_at,
        ended_at: run.ended_at,
        steps: run.steps.iter().map(step_view).collect(),
        sources: run.steps.iter().filter_map(source_view).collect(),
        problem,
        output,
    })
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| Failure::internal(format!("a run's document: {error}")))
}

fn step_view(step: &RunStep) -> RunStepView {
    let (state, retry_at) = match step.state {
        StepState::Done => ("done", None),
        StepState::Failed => ("failed", None),
        StepState::Waiting(until) => ("waiting", Some(until)),
    };
    RunStepView {
        name: step.name.clone(),
        state: state.to_owned(),
        tries: step.tries,
        at: step.at,
        retry_at,
        result: step.result.clone(),
        events: events_of(step),
    }
}

/// What became of the events of a pass over a source, or of a collection that a person asked for.
fn events_of(step: &RunStep) -> Option<StoredView> {
    if step.state != StepState::Done {
        return None;
    }
    let of_pass = serde_json::from_str(&step.output).map(|pass: PassOutput| pass.events);
    of_pass.or_else(|_| serde_json::from_str(&step.output).map(|view: CollectView| view.events)).ok()
}

/// What the source of a step said, where the step was a pass over one.
fn source_view(step: &RunStep) -> Option<SourceView> {
    let pass: PassOutput =
        serde_json::from_str(&step.output).ok().filter(|_| step.state == StepState::Done)?;
    Some(SourceView {
        source: pass.source,
        window_start: pass.window.start,
        window_end: pass.window.end,
        found: pass.found,
        stored: pass.stored,
        missing: pass.missing,
    })
}
