//! The engine: takes requests, and does the next step of whatever is at work or due.
//!
//! It keeps nothing in memory but the settings: what is to be done stands in the ledger, so that another engine on the
//! same ledger goes on where this one was stopped, in whatever way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use meed_audit::ids::{EpochNumber, ScopeId, ScopeKey};
use meed_audit::text::FreeText;
use meed_audit::time::{Period, Timestamp};
use meed_audit::{Rejection, RejectionCode};
use meed_storage::{
    Added, LedgerError, NewRun, RUN_SHORT_STEP_BYTES, Run, RunEnd, RunId, RunState, RunStep, SourceReport,
    StepState,
};

use super::plan::{self, Next, Request, Step, Work};
use super::schedules;
use super::wake::Wake;
use super::work::{self, Outcome};
use crate::api::documents::{CollectRequest, FinalizeRequest};
use crate::config::{ScopeSettings, SourceSettings};
use crate::failure::{Failure, reject};
use crate::service::Service;

/// Said of a step whose report does not fit into its run's record.
const NO_ROOM: &str = " (the rest of its report has no room in the run's record)";
/// Longest part of what a source is missing that is kept where the whole has no room, in bytes.
const MISSING_BYTES_MAX: usize = 1_000;

/// How often, and after how long, something is tried again that failed for a passing reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often it is tried at most.
    pub tries_max: u32,
    /// How long until the second try, in milliseconds; each later one takes twice as long.
    pub first_ms: i64,
    /// The longest time between two tries, in milliseconds.
    pub limit_ms: i64,
}

impl RetryPolicy {
    /// Of a node that serves: about two minutes in all.
    pub const SERVING: Self = Self { tries_max: 6, first_ms: 4_000, limit_ms: 60_000 };
    /// Of a command that somebody waits for: not at all.
    pub const ONCE: Self = Self { tries_max: 1, first_ms: 0, limit_ms: 0 };

    /// Whether anything is tried a second time.
    fn waits(&self) -> bool {
        self.tries_max > 1
    }

    /// How long to wait after so many tries; none where it is not tried again.
    pub fn delay_ms(&self, tries: u32) -> Option<i64> {
        if tries >= self.tries_max {
            return None;
        }
        let doubled = (0..tries.saturating_sub(1)).fold(self.first_ms, |ms, _| ms.saturating_mul(2));
        Some(doubled.min(self.limit_ms))
    }
}

/// What one step of the engine did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Something, in one line for the node's log; there may be more to do.
    Worked(String),
    /// Nothing is to be done before this time; none where nothing will be by itself.
    Idle(Option<Timestamp>),
}

/// Does what workflows and schedules demand, a step at a time.
pub struct Engine {
    pub(super) service: Service,
    pub(super) scopes: Mutex<Arc<BTreeMap<ScopeKey, ScopeSettings>>>,
    pub(super) wake: Wake,
    retry: RetryPolicy,
}

impl Engine {
    /// An engine of this service, with the settings of its scopes. Nothing is done before [`Engine::step`] is called.
    pub fn new(service: Service, retry: RetryPolicy) -> Self {
        let scopes = Mutex::new(Arc::new(service.settings().scopes.clone()));
        Self { service, scopes, wake: Wake::default(), retry }
    }

    /// The service that it works on.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// Asks for the collection of a window from the sources of the settings; of the window of now, where none is given.
    /// Where the same is at work already, that run.
    ///
    /// # Errors
    /// `scope_not_found`; `record_not_found` where the settings have no such scope.
    pub fn submit_collect(
        &self,
        key: &str,
        window: Option<Period>,
        actor: &FreeText,
    ) -> Result<(Run, Added), Failure> {
        let scope_key: ScopeKey = key.parse()?;
        let settings = self.settings_of(&scope_key)?;
        let (_, scope) = Service::scope_id(&self.service.snapshot()?, key)?;
        let window = match window {
            Some(window) => window,
            None => schedules::window_of_now(self, scope)?,
        };
        let (open, first_window) = (settings.open_next, settings.first_window);
        let request = Request::Collect { open, first_window, sources: settings.sources.clone() };
        self.submit(RunId::Collect { scope: scope_key, window }, scope, &request, actor)
    }

    /// Asks for a collection from one place, as `meed collect` does.
    ///
    /// # Errors
    /// `scope_not_found`; `invalid_time`; `run_active` where another collection of the same period is at work.
    pub fn submit_once(
        &self,
        key: &str,
        request: &CollectRequest,
        actor: &FreeText,
    ) -> Result<(Run, Added), Failure> {
        let (scope_key, scope) = Service::scope_id(&self.service.snapshot()?, key)?;
        let time = |name: &str, text: &Option<String>, unbounded: Timestamp| {
            text.as_deref().map_or(Ok(unbounded), |text| Timestamp::parse_edge(name, text))
        };
        let window = Period {
            start: time("since", &request.since, Timestamp::FIRST)?,
            end: time("until", &request.until, Timestamp::LAST)?,
        };
        let request = Request::Once { request: request.clone() };
        self.submit(RunId::Collect { scope: scope_key, window }, scope, &request, actor)
    }

    /// Asks for the closing of an epoch after a last pass over its sources.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`.
    pub fn submit_close(
        &self,
        key: &str,
        epoch: EpochNumber,
        actor: &FreeText,
    ) -> Result<(Run, Added), Failure> {
        let snapshot = self.service.snapshot()?;
        let (scope_key, scope) = Service::scope_id(&snapshot, key)?;
        snapshot.epoch(scope, epoch)?;
        let settings = self.scopes().get(&scope_key).cloned();
        let sources: Vec<SourceSettings> = settings.map(|settings| settings.sources).unwrap_or_default();
        self.submit(RunId::Close { scope: scope_key, epoch }, scope, &Request::Close { sources }, actor)
    }

    /// Asks for the current draft of an epoch to become final. Where too few approvers have signed it no run is made,
    /// since that run could only fail; nor where decisions were made after it and the request does not leave them out,
    /// since it cannot be undone.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `draft_not_found`, `quorum_missing`, `decisions_after_draft`.
    pub fn submit_finalize(
        &self,
        key: &str,
        epoch: EpochNumber,
        asked: FinalizeRequest,
        actor: &FreeText,
    ) -> Result<(Run, Added), Failure> {
        let snapshot = self.service.snapshot()?;
        let (scope_key, scope) = Service::scope_id(&snapshot, key)?;
        snapshot.epoch(scope, epoch)?;
        drop(snapshot);
        self.service.check_approvals(key, epoch.get())?;
        if !asked.leave_out_later {
            self.service.check_draft_holds_all(key, epoch.get())?;
        }
        let request = Request::Finalize { request: asked };
        self.submit(RunId::Finalize { scope: scope_key, epoch }, scope, &request, actor)
    }

    fn submit(
        &self,
        id: RunId,
        scope: ScopeId,
        request: &Request,
        actor: &FreeText,
    ) -> Result<(Run, Added), Failure> {
        let run = NewRun { id, scope, request: request.to_text()? };
        let started = self.service.ledger().start_run(run, self.service.by(actor)?)?;
        self.wake.wake();
        Ok(started)
    }

    /// Does one step: of a run that is at work, else of a schedule. A run that was at work when a node stopped is at
    /// work still.
    ///
    /// # Errors
    /// A failure of the ledger or the clock, after which the same can be tried again. What a step fails with is
    /// recorded with its run and is no error here.
    pub fn step(&self) -> Result<Progress, Failure> {
        let now = self.service.clock().now()?;
        let mut runs = self.service.snapshot()?.runs_at_work()?;
        // People wait for a final statement; sources can take long.
        runs.sort_by_key(|run| !matches!(run.id, RunId::Finalize { .. }));
        let mut earliest = None;
        for run in runs {
            match self.step_run(&run, now)? {
                Progress::Idle(until) => earliest = earlier(earliest, until),
                worked => return Ok(worked),
            }
        }
        match schedules::step(self, now)? {
            Progress::Idle(until) => Ok(Progress::Idle(earlier(earliest, until))),
            worked => Ok(worked),
        }
    }

    /// Does everything that is left of a run, and gives it as it ended.
    ///
    /// # Errors
    /// As [`Engine::step`].
    pub fn finish(&self, mut run: Run) -> Result<Run, Failure> {
        while !run.state.has_ended() {
            // What waits for a better time was left by a node that stopped, and is tried now.
            let now = match run.state {
                RunState::Waiting(until) => self.service.clock().now()?.max(until),
                _ => self.service.clock().now()?,
            };
            self.step_run(&run, now)?;
            run = self.service.snapshot()?.run(&run.id)?;
        }
        Ok(run)
    }

    fn step_run(&self, run: &Run, now: Timestamp) -> Result<Progress, Failure> {
        let planned = Request::of(run).and_then(|request| plan::steps(run, request));
        let steps = match planned {
            Ok(steps) => steps,
            Err(failure) => return self.end(run, Some(failure.problem)),
        };
        match plan::next(run, &steps, now) {
            Next::Wait(until) => Ok(Progress::Idle(Some(until))),
            Next::End(problem) => self.end(run, problem),
            Next::Do(step, tries) => self.do_step(run, &steps, &step, tries),
        }
    }

    fn do_step(&self, run: &Run, steps: &[Step], step: &Step, tries: u32) -> Result<Progress, Failure> {
        let done = work::perform(&self.service, run, &step.work);
        let now = self.service.clock().now()?;
        let tried = tries.saturating_add(1);
        let recorded = |state, tries, outcome: &Outcome| RunStep {
            name: step.name.clone(),
            state,
            tries,
            at: now,
            result: outcome.result.clone(),
            output: outcome.output.clone(),
        };
        let (record, report) = match done {
            Ok(outcome) => (recorded(StepState::Done, tried, &outcome), outcome.report),
            Err(failure) => {
                let (state, tries) = match (failure.problem.retry_at, self.retry.delay_ms(tried)) {
                    // It only waits for its turn, and was no try.
                    (Some(at), _) if self.retry.waits() => (StepState::Waiting(at.max(now)), tries),
                    (_, Some(delay_ms)) if failure.is_passing() => {
                        (StepState::Waiting(now.plus_ms(delay_ms)?), tried)
                    }
                    _ => (StepState::Failed, tried),
                };
                let report = self.unread(&step.work, &state, &failure, now)?;
                (recorded(state, tries, &failed(&failure)?), report)
            }
        };
        let keep = |record: RunStep, report| {
            let until = wait_until(run, steps, &record, now);
            self.service.ledger().record_step(run.sequence, record, until, report)
        };
        match keep(record.clone(), report.clone()) {
            Ok(_) => Ok(Progress::Worked(said(run, &record))),
            // What its record has no room for would be done again for ever: it is said that it was done, and what a source
            // reported is kept.
            Err(LedgerError::Rejected(refusal)) if is_too_much(&refusal) => {
                let (record, report) = in_short(record, report);
                keep(record.clone(), report)?;
                if !step.is_asked_by_others() {
                    return Ok(Progress::Worked(said(run, &record)));
                }
                let failure = Failure::from(refusal).within(format!("step {}", step.name));
                let failure = failure.with_remedy("ask for a shorter period, or with fewer sources at once");
                self.end(run, Some(failure.problem))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A source that could not be read is missing from its window.
    fn unread(
        &self,
        work: &Work,
        state: &StepState,
        failure: &Failure,
        now: Timestamp,
    ) -> Result<Option<SourceReport>, Failure> {
        match (work, state) {
            (Work::Pass(pass), StepState::Failed) => work::unread(pass, failure, now).map(Some),
            _ => Ok(None),
        }
    }

    fn end(
        &self,
        run: &Run,
        problem: Option<Box<crate::api::problems::Problem>>,
    ) -> Result<Progress, Failure> {
        let now = self.service.clock().now()?;
        let output = match &problem {
            // The last step has what was asked for.
            None => run.steps.last().map(|step| step.output.clone()).unwrap_or_default(),
            Some(_) => String::new(),
        };
        schedules::note_end(self, run, problem.as_deref(), now)?;
        let said = match &problem {
            None => format!("run {}: done", run.id),
            Some(problem) => format!("run {}: failed: {}", run.id, problem.detail),
        };
        let failure = problem.map(|problem| text_of(&problem)).transpose()?;
        self.service.ledger().finish_run(run.sequence, RunEnd { failure, output }, now)?;
        Ok(Progress::Worked(said))
    }

    /// The settings of all scopes, as they are now.
    pub(crate) fn scopes(&self) -> Arc<BTreeMap<ScopeKey, ScopeSettings>> {
        Arc::clone(&self.scopes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn settings_of(&self, key: &ScopeKey) -> Result<ScopeSettings, Failure> {
        self.scopes().get(key).cloned().ok_or_else(|| {
            let expected = format!("a section [scopes.{key}] in meed.toml");
            reject(RejectionCode::RecordNotFound, "schedule", expected, "none")
                .with_remedy("add the section with the scope's sources, and let the node read it again")
        })
    }
}

/// What a step did, for the node's log.
fn said(run: &Run, record: &RunStep) -> String {
    format!("run {}: {}: {}", run.id, record.name, record.result)
}

/// A step as a record takes it however full it is: what came of it as far as a short sentence has room for it, and that
/// its report is missing. What its source said is cut to some words too.
fn in_short(record: RunStep, report: Option<SourceReport>) -> (RunStep, Option<SourceReport>) {
    let room = RUN_SHORT_STEP_BYTES.saturating_sub(record.name.len()).saturating_sub(NO_ROOM.len());
    let result = format!("{}{NO_ROOM}", beginning(&record.result, room));
    let report = report.map(|report| SourceReport {
        missing: report.missing.map(|why| beginning(&why, MISSING_BYTES_MAX).to_owned()),
        ..report
    });
    (RunStep { result, output: String::new(), ..record }, report)
}

/// As many whole characters as fit into so many bytes.
fn beginning(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or_default()
}

/// Until when the run waits after this step was recorded, where all that is left waits.
fn wait_until(run: &Run, steps: &[Step], record: &RunStep, now: Timestamp) -> Option<Timestamp> {
    let mut after = run.clone();
    after.steps.retain(|known| known.name != record.name);
    after.steps.push(record.clone());
    match plan::next(&after, steps, now) {
        Next::Wait(until) => Some(until),
        Next::Do(..) | Next::End(_) => None,
    }
}

/// Whether a refusal says that a record has no room.
fn is_too_much(refusal: &Rejection) -> bool {
    matches!(refusal.code, RejectionCode::TextLength | RejectionCode::TooMany)
}

fn failed(failure: &Failure) -> Result<Outcome, Failure> {
    let result = failure.problem.detail.clone();
    Ok(Outcome { result, output: text_of(&failure.problem)?, report: None })
}

fn text_of(problem: &crate::api::problems::Problem) -> Result<String, Failure> {
    serde_json::to_string(problem).map_err(|error| Failure::internal(error.to_string()))
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Engine").field("retry", &self.retry).finish_non_exhaustive()
    }
}
