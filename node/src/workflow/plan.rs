//! What a run consists of, decided from what was asked for and what was done so far alone.
//!
//! A step belongs to a stage; the steps of a stage do not need each other, those of the next stage need them all. A step
//! that fails for good ends the run, unless it is a source: then the others go on, and the run fails at its end.

use meed_audit::time::{Period, Timestamp};
use meed_storage::{Run, RunId, RunStep, StepState};
use serde::{Deserialize, Serialize};

use crate::api::documents::{CollectRequest, FinalizeRequest};
use crate::api::problems::Problem;
use crate::config::SourceSettings;
use crate::failure::Failure;
use crate::schedule::FirstWindow;

/// What was asked for; a run keeps it, so that it goes on with the same after a restart.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Request {
    /// Collect from the sources of the settings.
    Collect {
        /// Whether the window is opened where it follows the last one.
        open: bool,
        /// Which one is opened where the scope has no epoch yet.
        #[serde(skip_serializing_if = "FirstWindow::is_unsaid", default)]
        first_window: FirstWindow,
        /// The sources.
        sources: Vec<SourceSettings>,
    },
    /// Collect from one place, as a person asked. (`git` in the record: it was the only kind.)
    #[serde(rename = "git")]
    Once {
        /// From where.
        request: CollectRequest,
    },
    /// Collect the last of an epoch's window, and close the epoch.
    Close {
        /// The sources.
        sources: Vec<SourceSettings>,
    },
    /// Make the current draft final.
    Finalize {
        /// How.
        request: FinalizeRequest,
    },
}

impl Request {
    pub(crate) fn to_text(&self) -> Result<String, Failure> {
        serde_json::to_string(self).map_err(|error| Failure::internal(error.to_string()))
    }

    pub(crate) fn of(run: &Run) -> Result<Self, Failure> {
        serde_json::from_str(&run.request)
            .map_err(|error| Failure::internal(format!("what run {} is to do: {error}", run.id)))
    }
}

/// A window, as documents have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Window {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

impl From<Period> for Window {
    fn from(Period { start, end }: Period) -> Self {
        Self { start, end }
    }
}

impl From<Window> for Period {
    fn from(Window { start, end }: Window) -> Self {
        Self { start, end }
    }
}

/// What the first step found, which the later ones go by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Found {
    /// The window that is collected.
    pub(crate) window: Window,
    /// Where the scope's first window begins: what happened before is nobody's.
    pub(crate) begin: Timestamp,
    /// The window before, where its epoch is open still.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) before: Option<Window>,
    /// Whether there is nothing left to collect: the epoch was closed already.
    #[serde(skip_serializing_if = "is_false", default)]
    pub(crate) closed: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// One source, read for one window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pass {
    pub(crate) source: SourceSettings,
    pub(crate) window: Period,
    /// From when on what happened before the window is read as well, since it may have come late.
    pub(crate) late_from: Option<Timestamp>,
}

/// What a step does.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    /// Finds the window and the epochs; opens the window's epoch where that is its turn, and meant, or the first one.
    Look { open: Option<FirstWindow> },
    /// Reads a source.
    Pass(Pass),
    /// Reads one place, as a person asked.
    Once(Box<CollectRequest>),
    /// Computes what the epoch would give by now.
    Propose,
    /// Closes the epoch.
    Close,
    /// Checks that enough approvers have signed the draft.
    CheckQuorum,
    /// Computes the draft again, compares, and writes it as final.
    Finalize(FinalizeRequest),
}

/// A step of a run.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) stage: u8,
    pub(crate) work: Work,
}

impl Step {
    fn new(name: impl Into<String>, stage: u8, work: Work) -> Self {
        Self { name: name.into(), stage, work }
    }

    /// Whether later steps go by what this one found.
    pub(crate) fn is_asked_by_others(&self) -> bool {
        matches!(self.work, Work::Look { .. })
    }

    /// Whether the other steps go on where this one fails for good.
    pub(crate) fn may_fail(&self) -> bool {
        matches!(self.work, Work::Pass(_))
    }
}

/// The name of the first step.
const LOOK: &str = "look";

/// The steps of a run, as far as they can be known.
pub(crate) fn steps(run: &Run, request: Request) -> Result<Vec<Step>, Failure> {
    Ok(match request {
        Request::Once { request } => vec![Step::new("collect", 0, Work::Once(Box::new(request)))],
        Request::Finalize { request } => vec![
            Step::new("verify quorum", 0, Work::CheckQuorum),
            Step::new("recompute and write", 1, Work::Finalize(request)),
        ],
        Request::Collect { open, first_window, sources } => {
            let open = open.then_some(first_window);
            let mut steps = vec![Step::new(LOOK, 0, Work::Look { open })];
            if let Some(found) = found(run)? {
                steps.extend(collecting(&found, sources));
                steps.push(Step::new("propose", 2, Work::Propose));
            }
            steps
        }
        Request::Close { sources } => {
            let mut steps = vec![Step::new(LOOK, 0, Work::Look { open: None })];
            if let Some(found) = found(run)? {
                let sources = if found.closed { Vec::new() } else { sources };
                steps.extend(sources.into_iter().map(|source| final_pass(source, &found, found.window)));
                steps.push(Step::new("close", 2, Work::Close));
            }
            steps
        }
    })
}

/// What the first step found, once it is done.
fn found(run: &Run) -> Result<Option<Found>, Failure> {
    let done = run.step(LOOK).filter(|step| step.state == StepState::Done);
    let read = |step: &RunStep| serde_json::from_str(&step.output);
    done.map(read)
        .transpose()
        .map_err(|error| Failure::internal(format!("the first step of run {}: {error}", run.id)))
}

/// While the epoch before is open, it gets what came late; else this window's pass reads that.
fn collecting(found: &Found, sources: Vec<SourceSettings>) -> Vec<Step> {
    let mut steps = Vec::new();
    let window = Period::from(found.window);
    for source in sources {
        let mut late_from = late_from(found.begin, window);
        if let Some(before) = found.before {
            steps.push(final_pass(source.clone(), found, before));
            late_from = None;
        }
        let name = format!("collect {}", source.name);
        steps.push(Step::new(name, 1, Work::Pass(Pass { source, window, late_from })));
    }
    steps
}

fn final_pass(source: SourceSettings, found: &Found, window: Window) -> Step {
    let window = Period::from(window);
    let name = format!("final pass {}", source.name);
    Step::new(name, 1, Work::Pass(Pass { source, window, late_from: late_from(found.begin, window) }))
}

fn late_from(begin: Timestamp, window: Period) -> Option<Timestamp> {
    (begin < window.start).then_some(begin)
}

/// How a run goes on.
#[derive(Clone, Debug)]
pub(crate) enum Next {
    /// With this step, which was tried so often.
    Do(Step, u32),
    /// With nothing before this time.
    Wait(Timestamp),
    /// Not at all: it ends, and where steps failed for good, with the failure that they add up to.
    End(Option<Box<Problem>>),
}

/// How a run goes on at this time.
pub(crate) fn next(run: &Run, steps: &[Step], now: Timestamp) -> Next {
    let mut failed: Vec<(&Step, &RunStep)> = Vec::new();
    let mut open: Vec<(&Step, Option<&RunStep>)> = Vec::new();
    for step in steps {
        match run.step(&step.name) {
            Some(tried) if tried.state == StepState::Done => {}
            Some(tried) if tried.state == StepState::Failed => failed.push((step, tried)),
            tried => open.push((step, tried)),
        }
    }
    if let Some((_, tried)) = failed.iter().find(|(step, _)| !step.may_fail()) {
        return Next::End(Some(Box::new(problem_of(tried))));
    }
    let Some(stage) = open.iter().map(|(step, _)| step.stage).min() else {
        return Next::End(sum_up(&failed, steps));
    };
    let mut earliest = None;
    for (step, tried) in open.into_iter().filter(|(step, _)| step.stage == stage) {
        match tried.map(|tried| (&tried.state, tried.tries)) {
            Some((StepState::Waiting(until), _)) if *until > now => {
                earliest = Some(earliest.map_or(*until, |earliest: Timestamp| earliest.min(*until)));
            }
            tried => return Next::Do(step.clone(), tried.map_or(0, |(_, tries)| tries)),
        }
    }
    earliest.map_or(Next::End(None), Next::Wait)
}

/// The problem that a step failed with.
fn problem_of(tried: &RunStep) -> Problem {
    serde_json::from_str(&tried.output).unwrap_or_else(|_| {
        Problem::local("internal", format!("{}: {}", tried.name, tried.result), "report this with the run")
    })
}

/// The failure of sources whose run went on without them.
fn sum_up(failed: &[(&Step, &RunStep)], steps: &[Step]) -> Option<Box<Problem>> {
    let (_, first) = failed.first()?;
    let passes = steps.iter().filter(|step| step.may_fail()).count();
    let each: Vec<String> =
        failed.iter().map(|(step, tried)| format!("{}: {}", step.name, tried.result)).collect();
    let mut problem = problem_of(first);
    problem.detail = format!("{} of {passes} passes failed: {}", failed.len(), each.join("; "));
    Some(Box::new(problem))
}

/// The scope's key in a run's id, and the epoch's number where it has one.
pub(crate) fn place_of(id: &RunId) -> (&str, u64) {
    match id {
        RunId::Collect { scope, .. } => (scope.as_str(), 0),
        RunId::Close { scope, epoch } | RunId::Finalize { scope, epoch } => (scope.as_str(), epoch.get()),
    }
}
