//! Runs for whoever asks: where a node serves its engine does them, and the answer is the run; where none does they are
//! done at once, and the answer is what came of them.

use meed_audit::RejectionCode;
use meed_audit::ids::EpochNumber;
use meed_audit::text::FreeText;
use meed_audit::time::{Period, Timestamp};
use meed_storage::{Added, Run, RunState};
use serde_json::Value;

use super::engine::{Engine, Progress, RetryPolicy};
use crate::api::documents::{CollectRequest, FinalizeRequest, RunView, ScheduleView};
use crate::api::problems::Problem;
use crate::failure::{Failure, reject};
use crate::service::Service;
use crate::service::runs::run_view;

/// How a request for a run is answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The run is at work: this is how it stands, and asking for it later says how it goes on.
    Begun(Box<RunView>),
    /// It was done: this is what came of it.
    Ended(Value),
}

/// Where runs are done.
#[derive(Clone, Copy)]
pub struct Runner<'a> {
    service: &'a Service,
    engine: Option<&'a Engine>,
}

impl<'a> Runner<'a> {
    /// By the engine, where a node serves; else at once.
    pub fn new(service: &'a Service, engine: Option<&'a Engine>) -> Self {
        Self { service, engine }
    }

    /// Collects from one place; where none is named, from the sources of the settings.
    ///
    /// # Errors
    /// What submitting or, where it is done at once, the run refuses.
    pub fn collect(self, key: &str, request: &CollectRequest, actor: &FreeText) -> Result<Answer, Failure> {
        self.answer(key, |engine| match request.names_a_place() {
            true => engine.submit_once(key, request, actor),
            false => engine.submit_collect(key, window_of(request)?, actor),
        })
    }

    /// Makes the current draft of an epoch final.
    ///
    /// # Errors
    /// As [`Runner::collect`].
    pub fn finalize(
        self,
        key: &str,
        epoch: u64,
        request: FinalizeRequest,
        actor: &FreeText,
    ) -> Result<Answer, Failure> {
        let epoch = EpochNumber::new(epoch)?;
        self.answer(key, |engine| engine.submit_finalize(key, epoch, request, actor))
    }

    /// Does now what is due for a scope, and collects; without a node, all of it before it answers.
    ///
    /// # Errors
    /// As [`Runner::collect`]; `record_not_found` where the settings have no such scope.
    pub fn run_schedule(self, key: &str, actor: &FreeText) -> Result<RunView, Failure> {
        if let Some(engine) = self.engine {
            return run_view(&engine.run_schedule(key, actor)?.0);
        }
        let engine = self.reconciled()?;
        let (run, _) = engine.run_schedule(key, actor)?;
        let run = engine.finish(run)?;
        while let Progress::Worked(_) = engine.step()? {}
        run_view(&run)
    }

    /// Pauses the schedule of a scope.
    ///
    /// # Errors
    /// `scope_not_found`; `record_not_found` where it has none.
    pub fn pause_schedule(self, key: &str, actor: &FreeText) -> Result<ScheduleView, Failure> {
        if self.engine.is_none() {
            self.reconciled()?;
        }
        self.service.pause_schedule(key, actor)
    }

    /// Lets the schedule of a scope go on.
    ///
    /// # Errors
    /// As [`Runner::pause_schedule`].
    pub fn resume_schedule(self, key: &str) -> Result<ScheduleView, Failure> {
        let Some(engine) = self.engine else {
            self.reconciled()?;
            return self.service.resume_schedule(key);
        };
        let view = self.service.resume_schedule(key);
        engine.wake.wake();
        view
    }

    /// An engine for one command, on schedules that are what the settings say.
    fn reconciled(self) -> Result<Engine, Failure> {
        let engine = Engine::new(self.service.clone(), RetryPolicy::ONCE);
        engine.reload(self.service.settings())?;
        Ok(engine)
    }

    fn answer(
        self,
        key: &str,
        submit: impl Fn(&Engine) -> Result<(Run, Added), Failure>,
    ) -> Result<Answer, Failure> {
        if let Some(engine) = self.engine {
            return Ok(Answer::Begun(Box::new(run_view(&submit(engine)?.0)?)));
        }
        let engine = Engine::new(self.service.clone(), RetryPolicy::ONCE);
        let run = match submit(&engine) {
            Err(failure) if failure.problem.code == RejectionCode::RunActive.name() => {
                // No node is at work on it: whoever asked for it was interrupted.
                finish_interrupted(&engine, key)?;
                submit(&engine)?.0
            }
            submitted => submitted?.0,
        };
        let run = engine.finish(run)?;
        let internal = |error: serde_json::Error| Failure::internal(format!("run {}: {error}", run.id));
        match &run.state {
            RunState::Failed(problem) => {
                Err(serde_json::from_str::<Problem>(problem).map_err(internal)?.into())
            }
            _ => Ok(Answer::Ended(serde_json::from_str(&run.output).map_err(internal)?)),
        }
    }
}

impl std::fmt::Debug for Runner<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Runner").field("engine", &self.engine).finish_non_exhaustive()
    }
}

/// Ends what is left of a scope's collections. What they fail with is recorded with them.
fn finish_interrupted(engine: &Engine, key: &str) -> Result<(), Failure> {
    for run in engine.service().snapshot()?.runs_at_work()? {
        if run.id.kind() == "collect" && run.id.scope().as_str() == key {
            engine.finish(run)?;
        }
    }
    Ok(())
}

/// The window that a request names, where it does.
fn window_of(request: &CollectRequest) -> Result<Option<Period>, Failure> {
    match (&request.since, &request.until) {
        (None, None) => Ok(None),
        (Some(since), Some(until)) => {
            let start = Timestamp::parse_edge("since", since)?;
            let end = Timestamp::parse_edge("until", until)?;
            if start < end {
                return Ok(Some(Period { start, end }));
            }
            let expected = format!("a time after {start}");
            Err(reject(RejectionCode::InvalidTime, "until", expected, end))
        }
        _ => {
            let expected = "both since and until, or neither: the window of now";
            Err(reject(RejectionCode::MissingField, "window", expected, "one of them"))
        }
    }
}
