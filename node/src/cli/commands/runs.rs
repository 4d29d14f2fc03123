//! `meed run`, `meed schedule`; and waiting for runs of a node that serves.

use std::fmt::Write as _;
use std::time::Duration;

use meed_audit::RejectionCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::documents::{Page, RunView, ScheduleView};
use crate::cli::args::{RunCommand, ScheduleCommand, ScopeArg};
use crate::cli::session::{Session, scope_path};
use crate::client::{Client, segment};
use crate::failure::Failure;
use crate::words::{describe_first_window, fit, notices, table};

/// How often a run of a node is looked at by whoever waits for it.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Sends a request that is a run. Without a node the answer is what came of it; a node answers with the run, which is
/// followed to its end.
///
/// # Errors
/// What the request or the run is refused with.
pub fn run_to_end<T: DeserializeOwned>(
    client: &Client,
    path: &str,
    request: &impl Serialize,
) -> Result<T, Failure> {
    let answer: Value = client.post(path, request)?;
    let is_run = ["id", "attempt", "sequence", "steps"].iter().all(|field| answer.get(field).is_some());
    if !is_run {
        return read(answer);
    }
    let run = follow(client, read(answer)?)?;
    match run.problem {
        Some(problem) => Err((*problem).into()),
        None => read(run.output.ok_or_else(|| unreported(&run.id))?),
    }
}

/// A run that did what was asked for, and whose report had no room.
fn unreported(id: &str) -> Failure {
    let what = format!("run {id} is done, and its report had no room in its record");
    Failure::refused("no_report", what, format!("see with `meed run show {id}` what its steps say"))
}

fn follow(client: &Client, mut run: RunView) -> Result<RunView, Failure> {
    while !run.has_ended() {
        std::thread::sleep(LOOK_EVERY);
        run = client.get(&run_path(&run.id, Some(run.attempt)))?;
    }
    Ok(run)
}

fn run_path(id: &str, attempt: Option<u32>) -> String {
    let attempt = attempt.map(|attempt| format!("?attempt={attempt}")).unwrap_or_default();
    format!("/runs/{}{attempt}", segment(id))
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_json::from_value(value).map_err(|error| Failure::internal(format!("the answer of a run: {error}")))
}

/// Runs `meed run …`.
///
/// # Errors
/// What the ledger refuses.
pub fn run(command: &RunCommand, session: &Session) -> Result<(), Failure> {
    match command {
        RunCommand::List(args) => {
            let scope =
                args.scope.as_deref().map(|scope| format!("&scope={}", segment(scope))).unwrap_or_default();
            let page: Page<RunView> = session.client.get(&format!("/runs?limit={}{scope}", args.limit))?;
            session.console.answer(&page.items, || list(&page.items))
        }
        RunCommand::Show(args) => {
            let run: RunView = session.client.get(&run_path(&args.id, args.attempt))?;
            session.console.answer(&run, || describe(&run))
        }
    }
}

/// Runs `meed schedule …`.
///
/// # Errors
/// What the ledger or the settings refuse.
pub fn schedule(command: &ScheduleCommand, session: &Session) -> Result<(), Failure> {
    match command {
        ScheduleCommand::List => {
            let schedules: Vec<ScheduleView> = session.client.get("/schedules")?;
            session.console.answer(&schedules, || match schedules.as_slice() {
                [] => "none".to_owned(),
                some => some.iter().map(describe_schedule).collect(),
            })
        }
        ScheduleCommand::Run(scope) => {
            let path = scope_path(&scope.scope, "/schedule/run");
            let nothing = serde_json::json!({});
            let run: RunView = session.waiting("working", |client| client.post(&path, &nothing))?;
            session.console.answer(&run, || describe(&run))?;
            run.problem.map_or(Ok(()), |problem| Err((*problem).into()))
        }
        ScheduleCommand::Pause(scope) => change(scope, "pause", session),
        ScheduleCommand::Resume(scope) => change(scope, "resume", session),
    }
}

fn change(scope: &ScopeArg, what: &str, session: &Session) -> Result<(), Failure> {
    let path = scope_path(&scope.scope, &format!("/schedule/{what}"));
    let schedule: ScheduleView = session.client.post(&path, &serde_json::json!({}))?;
    session.console.answer(&schedule, || describe_schedule(&schedule))
}

fn list(runs: &[RunView]) -> String {
    let rows = runs.iter().map(|run| {
        vec![run.id.clone(), run.attempt.to_string(), run.state.clone(), run.started_at.to_string()]
    });
    table(&["run", "attempt", "state", "started"], 4, rows)
}

fn describe(run: &RunView) -> String {
    let mut text = format!("run      {}\nattempt  {}\nstate    {}\n", run.id, run.attempt, run.state);
    let ended = run.ended_at.map(|at| format!(" to {at}")).unwrap_or_default();
    let _ = writeln!(text, "time     {}{ended}, by {}", run.started_at, run.by);
    if let Some(at) = run.retry_at {
        let _ = writeln!(text, "goes on  {at}");
    }
    for step in &run.steps {
        let tries = if step.tries > 1 { format!(", try {}", step.tries) } else { String::new() };
        let _ = writeln!(text, "step     {}: {}{tries}\n         {}", step.name, step.state, step.result);
        for notice in step.events.iter().flat_map(|events| notices(events, &run.scope)) {
            text.push_str(&fit(&format!("         {notice}")));
        }
    }
    for source in &run.sources {
        let missing = source.missing.as_deref().map(|why| format!(" ({why})")).unwrap_or_default();
        let _ = writeln!(
            text,
            "source   {}: {} of {} events stored{missing}",
            source.source, source.stored, source.found
        );
    }
    if let Some(problem) = &run.problem {
        let _ = writeln!(text, "problem  {}\nremedy   {}", problem.detail, problem.remedy);
    }
    text
}

fn describe_schedule(schedule: &ScheduleView) -> String {
    let yes = |flag: bool| if flag { "yes" } else { "no" };
    let mut text = format!("{}: {}\n", schedule.scope, schedule.state);
    if let (Some(by), Some(at)) = (&schedule.paused_by, schedule.paused_at) {
        let _ = writeln!(text, "  since     {at}, by {by}");
    }
    let sources =
        if schedule.sources.is_empty() { "nothing".to_owned() } else { schedule.sources.join(", ") };
    let _ = writeln!(text, "  collects  {} (UTC) from {sources}", schedule.collect);
    let (hours, close) = (schedule.grace_hours, yes(schedule.close));
    let _ = writeln!(text, "  closes    {close}, {hours} hours after the window's end");
    let _ = writeln!(text, "  opens     {}", yes(schedule.open_next));
    if let Some(first) = &schedule.first_window {
        text.push_str(&fit(&format!("  first     {}", describe_first_window(first))));
    }
    if let Some(at) = schedule.next_due {
        let _ = writeln!(text, "  next      {at}");
    }
    for gap in &schedule.gaps {
        let _ = writeln!(text, "  gap       {gap}");
    }
    if let (None, false) = (&schedule.problem, schedule.gaps.is_empty()) {
        let _ = writeln!(text, "  remedy    {}", RejectionCode::CollectionGap.remedy());
    }
    if let Some(problem) = &schedule.problem {
        let _ = writeln!(
            text,
            "  cannot    {} (try {}, again on {}): {}\n  remedy    {}",
            problem.action, problem.tries, problem.retry_at, problem.detail, problem.remedy
        );
    }
    text
}
