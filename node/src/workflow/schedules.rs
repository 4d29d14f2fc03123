//! Schedules at work: reconciled with the settings, and turned into runs when something is due.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use meed_audit::ids::{EpochNumber, ScopeId, ScopeKey};
use meed_audit::text::FreeText;
use meed_audit::time::{Period, Timestamp};
use meed_storage::{
    Added, By, Phase, Reconciled, Run, RunId, Schedule, ScheduleProblem, ScheduleTerms, Scope, Snapshot,
};

use super::engine::{Engine, Progress};
use crate::api::problems::Problem;
use crate::config::{ScopeSettings, Settings};
use crate::failure::Failure;
use crate::schedule::{Action, Cron, EpochSketch, FirstWindow, Situation};

/// Who decides where a schedule does.
const ACTOR: &str = "schedule";
/// What a schedule could not do that opens an epoch.
const OPENING: &str = "open the next window";
/// How long until what a schedule could not do is tried again, in milliseconds; each later try takes twice as long.
const RETRY_FIRST_MS: i64 = 15 * 60_000;
/// The longest time between two tries, in milliseconds.
const RETRY_LIMIT_MS: i64 = 6 * 3_600_000;

/// What the settings changed, by the keys of scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reload {
    /// Scopes whose schedule is new.
    pub added: Vec<ScopeKey>,
    /// Scopes whose schedule changed.
    pub changed: Vec<ScopeKey>,
    /// Scopes whose schedule is paused, because the settings do not name them any more.
    pub paused: Vec<ScopeKey>,
    /// Scopes that the settings name again.
    pub resumed: Vec<ScopeKey>,
    /// Scopes of the settings that the ledger does not have, or that have ended: nothing is done for them.
    pub unknown: Vec<ScopeKey>,
}

impl Engine {
    /// Makes the schedules what the settings say: at the start, and whenever the settings were read again. Runs that are
    /// at work go on with what they began with.
    ///
    /// # Errors
    /// A failure of the ledger.
    pub fn reload(&self, settings: &Settings) -> Result<Reload, Failure> {
        let mut terms: BTreeMap<ScopeId, ScheduleTerms> = BTreeMap::new();
        let mut unknown = Vec::new();
        let scopes = self.service.snapshot()?.scopes()?;
        for (key, scope_settings) in &settings.scopes {
            match scopes.iter().find(|scope| scope.terms.key == *key && !scope.ended) {
                Some(scope) => drop(terms.insert(scope.id, scope_settings.terms())),
                None => unknown.push(key.clone()),
            }
        }
        let reconciled = self.service.ledger().reconcile_schedules(terms, by_schedule(self)?)?;
        self.try_first_windows_again(settings, &scopes)?;
        *self.scopes.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings.scopes.clone());
        self.wake.wake();
        Ok(with_keys(reconciled, unknown, &scopes))
    }

    /// What could not be opened because nobody had said which window is the first is tried at once where it is said now.
    fn try_first_windows_again(&self, settings: &Settings, scopes: &[Scope]) -> Result<(), Failure> {
        let snapshot = self.service.snapshot()?;
        for schedule in snapshot.schedules()? {
            let scope = scopes.iter().find(|scope| scope.id == schedule.scope);
            let said = scope.and_then(|scope| settings.scopes.get(&scope.terms.key));
            let is_said = said.is_some_and(|said| !said.first_window.is_unsaid());
            let could_not = schedule.problem.is_some_and(|problem| problem.action == OPENING);
            if is_said && could_not && snapshot.newest_epoch(schedule.scope)?.is_none() {
                self.service.ledger().note_schedule_problem(schedule.scope, None)?;
            }
        }
        Ok(())
    }

    /// Does what a schedule has to do now, without waiting for its time: what failed is tried again, and events are
    /// collected.
    ///
    /// # Errors
    /// `scope_not_found`; `record_not_found` where the settings have no such scope.
    pub fn run_schedule(&self, key: &str, actor: &FreeText) -> Result<(Run, Added), Failure> {
        let (_, scope) = crate::service::Service::scope_id(&self.service.snapshot()?, key)?;
        self.service.ledger().note_schedule_problem(scope, None)?;
        self.submit_collect(key, None, actor)
    }
}

fn with_keys(reconciled: Reconciled, unknown: Vec<ScopeKey>, scopes: &[Scope]) -> Reload {
    let keys = |ids: Vec<ScopeId>| {
        let key =
            |id: &ScopeId| scopes.iter().find(|scope| scope.id == *id).map(|scope| scope.terms.key.clone());
        ids.iter().filter_map(key).collect()
    };
    let Reconciled { added, changed, paused, resumed } = reconciled;
    Reload {
        added: keys(added),
        changed: keys(changed),
        paused: keys(paused),
        resumed: keys(resumed),
        unknown,
    }
}

fn by_schedule(engine: &Engine) -> Result<By, Failure> {
    engine.service.by(&FreeText::parse("actor", ACTOR)?)
}

/// The window that holds now in a scope.
pub(super) fn window_of_now(engine: &Engine, scope: ScopeId) -> Result<Period, Failure> {
    let now = engine.service.clock().now()?;
    let snapshot = engine.service.snapshot()?;
    Ok(Facts::read(&snapshot, &snapshot.scope(scope)?)?.bare(now).window_of_now()?)
}

/// Does the first thing that is due of any scope of which no run is at work.
pub(super) fn step(engine: &Engine, now: Timestamp) -> Result<Progress, Failure> {
    let snapshot = engine.service.snapshot()?;
    let busy: Vec<ScopeId> = snapshot.runs_at_work()?.into_iter().map(|run| run.scope).collect();
    let settings = engine.scopes();
    let mut earliest: Option<Timestamp> = None;
    for schedule in snapshot.schedules()? {
        let scope = snapshot.scope(schedule.scope)?;
        let Some(scope_settings) = settings.get(&scope.terms.key) else { continue };
        if schedule.paused.is_some() || scope.ended || busy.contains(&scope.id) {
            continue;
        }
        let facts = Facts::read(&snapshot, &scope)?;
        let first = first_of(scope_settings);
        let situation = facts.situation(now, &schedule, scope_settings.collect.as_ref(), first);
        match situation.due()?.first() {
            Some(action) => {
                let first = scope_settings.first_window;
                return act(engine, (&scope, first), &schedule, *action, now);
            }
            None => earliest = earliest.into_iter().chain(situation.next_due()?).min(),
        }
    }
    Ok(Progress::Idle(earliest))
}

/// The time that the settings say of the first window.
fn first_of(settings: &ScopeSettings) -> Option<Timestamp> {
    match settings.first_window {
        FirstWindow::At(at) => Some(at),
        FirstWindow::Unsaid | FirstWindow::Now | FirstWindow::EarliestEvent => None,
    }
}

/// The facts of a scope that a plan needs.
struct Facts {
    last: Option<EpochSketch>,
    window_days: meed_audit::window::WindowDays,
}

impl Facts {
    fn read(snapshot: &Snapshot, scope: &Scope) -> Result<Self, Failure> {
        let last = snapshot.epochs(scope.id)?.into_iter().last().map(|epoch| EpochSketch {
            number: epoch.number,
            period: epoch.period,
            open: epoch.phase == Phase::Open,
        });
        Ok(Self { last, window_days: scope.terms.window_days })
    }

    /// A situation in which nothing is due by itself.
    fn bare(&self, now: Timestamp) -> Situation<'static> {
        Situation {
            now,
            collect: None,
            collected_until: now,
            grace_hours: 0,
            close: false,
            open_next: false,
            window_days: self.window_days,
            last: self.last,
            first: None,
            blocked_until: None,
        }
    }

    /// The situation by the terms that the schedule keeps, which are those of the settings.
    fn situation<'a>(
        &self,
        now: Timestamp,
        schedule: &Schedule,
        collect: Option<&'a Cron>,
        first: Option<Timestamp>,
    ) -> Situation<'a> {
        Situation {
            collect,
            first,
            collected_until: schedule.collected_until,
            grace_hours: schedule.terms.grace_hours,
            close: schedule.terms.close,
            open_next: schedule.terms.open_next,
            blocked_until: schedule.problem.as_ref().map(|problem| problem.retry_at),
            ..self.bare(now)
        }
    }
}

/// When something falls due next for a scope by the terms that its schedule keeps; none while it is paused.
pub(crate) fn next_due(
    snapshot: &Snapshot,
    schedule: &Schedule,
    settings: Option<&ScopeSettings>,
    now: Timestamp,
) -> Result<Option<Timestamp>, Failure> {
    if schedule.paused.is_some() {
        return Ok(None);
    }
    let facts = Facts::read(snapshot, &snapshot.scope(schedule.scope)?)?;
    let cron = schedule.terms.collect.as_deref().map(str::parse::<Cron>).transpose();
    let cron = cron.map_err(|error| Failure::internal(format!("a schedule's terms: {error}")))?;
    let situation = facts.situation(now, schedule, cron.as_ref(), settings.and_then(first_of));
    if !situation.due()?.is_empty() {
        return Ok(Some(now));
    }
    Ok(situation.next_due()?)
}

/// The windows of a scope that take events: those of open epochs by their numbers, and that of now.
pub(crate) fn windows_not_closed(
    snapshot: &Snapshot,
    scope: ScopeId,
    now: Timestamp,
) -> Result<Vec<(Option<EpochNumber>, Period)>, Failure> {
    let epochs = snapshot.epochs(scope)?;
    let open = epochs.iter().filter(|epoch| epoch.phase == Phase::Open);
    let mut windows: Vec<(Option<EpochNumber>, Period)> =
        open.map(|epoch| (Some(epoch.number), epoch.period)).collect();
    let current = Facts::read(snapshot, &snapshot.scope(scope)?)?.bare(now).window_of_now()?;
    if !epochs.iter().any(|epoch| epoch.period.start == current.start) {
        windows.push((None, current));
    }
    Ok(windows)
}

fn act(
    engine: &Engine,
    (scope, first): (&Scope, FirstWindow),
    schedule: &Schedule,
    action: Action,
    now: Timestamp,
) -> Result<Progress, Failure> {
    let (key, by) = (scope.terms.key.as_str(), by_schedule(engine)?);
    match action {
        Action::Open(at) => match engine.service.open_for_schedule((scope.id, at), first, by) {
            Ok(epoch) => Ok(Progress::Worked(format!("scope {key}: opened epoch {}", epoch.number))),
            Err(Failure { problem, .. }) => {
                note(engine, schedule, OPENING, &problem, now)?;
                Ok(Progress::Worked(format!("scope {key}: cannot open: {}", problem.detail)))
            }
        },
        Action::Close(epoch) => {
            let (run, _) = engine.submit_close(key, epoch, &by.actor)?;
            Ok(Progress::Worked(format!("run {}: begun, attempt {}", run.id, run.attempt)))
        }
        Action::Collect(window) => {
            let (run, _) = engine.submit_collect(key, Some(window), &by.actor)?;
            // Only now is it served: a crash in between collects once more, and never once less.
            engine.service.ledger().note_collected(scope.id, now)?;
            Ok(Progress::Worked(format!("run {}: begun, attempt {}", run.id, run.attempt)))
        }
    }
}

/// A close that failed is tried again later, and shown until then; one that succeeded ends that.
pub(super) fn note_end(
    engine: &Engine,
    run: &Run,
    problem: Option<&Problem>,
    now: Timestamp,
) -> Result<(), Failure> {
    let RunId::Close { epoch, .. } = &run.id else { return Ok(()) };
    let schedules = engine.service.snapshot()?.schedules()?;
    let Some(schedule) = schedules.iter().find(|schedule| schedule.scope == run.scope) else { return Ok(()) };
    match problem {
        Some(problem) => note(engine, schedule, &format!("close epoch {epoch}"), problem, now),
        None => {
            engine.service.ledger().note_schedule_problem(run.scope, None)?;
            Ok(())
        }
    }
}

fn note(
    engine: &Engine,
    schedule: &Schedule,
    action: &str,
    problem: &Problem,
    now: Timestamp,
) -> Result<(), Failure> {
    let before = schedule.problem.as_ref().filter(|before| before.action == action);
    let tries = before.map_or(0, |before| before.tries).saturating_add(1);
    let delay_ms = (1..tries).fold(RETRY_FIRST_MS, |ms, _| ms.saturating_mul(2)).min(RETRY_LIMIT_MS);
    let problem = ScheduleProblem {
        action: action.to_owned(),
        detail: problem.detail.clone(),
        remedy: problem.remedy.clone(),
        at: now,
        tries,
        retry_at: now.plus_ms(delay_ms)?,
    };
    engine.service.ledger().note_schedule_problem(schedule.scope, Some(problem))?;
    Ok(())
}
