//! What the steps of a run do. Each can be done again without harm: what it did already it finds done.

use std::collections::BTreeMap;

use meed_audit::RejectionCode as Code;
use meed_audit::ids::ScopeId;
use meed_audit::time::{Period, Timestamp};
use meed_storage::{By, CloseTerms, Epoch, Phase, Run, RunId, SourceReport};
use serde::{Deserialize, Serialize};

use super::plan::{Found, Pass, Window, Work, place_of};
use crate::api::documents::{CollectRequest, StoredView};
use crate::config::Reader;
use crate::failure::Failure;
use crate::schedule::FirstWindow;
use crate::service::Service;
use crate::sources::github::GithubPlace;
use crate::sources::source::{Asked, SourcePass};
use crate::words::{counted, describe_stored};

/// What came of a step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// One line for people.
    pub(crate) result: String,
    /// A document for the steps after it, or for whoever asked.
    pub(crate) output: String,
    /// What a source said.
    pub(crate) report: Option<SourceReport>,
}

impl Outcome {
    fn new(result: impl Into<String>, output: &impl Serialize) -> Result<Self, Failure> {
        let output = serde_json::to_string(output).map_err(|error| Failure::internal(error.to_string()))?;
        Ok(Self { result: result.into(), output, report: None })
    }

    fn said(result: impl Into<String>) -> Self {
        Self { result: result.into(), ..Self::default() }
    }
}

/// What a pass over a source gave, as a run's document has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PassOutput {
    /// The source's name.
    pub(crate) source: String,
    /// The window that was read.
    pub(crate) window: Window,
    /// How many events of the window the source has.
    pub(crate) found: u64,
    /// How many of them are in the ledger.
    pub(crate) stored: u64,
    /// Why some are missing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) missing: Option<String>,
    /// Events that were new.
    pub(crate) new: u64,
    /// Events from before the window that were new.
    pub(crate) late: u64,
    /// What of the window earns nothing by rule.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub(crate) left_out: BTreeMap<String, u64>,
    /// What became of all events; runs of earlier builds do not say.
    #[serde(default)]
    pub(crate) events: StoredView,
}

/// Does a step of a run.
pub(crate) fn perform(service: &Service, run: &Run, work: &Work) -> Result<Outcome, Failure> {
    let by = service.by(&run.by)?;
    match work {
        Work::Look { open } => match &run.id {
            RunId::Collect { window, .. } => look_at_window(service, run.scope, *window, *open, &by),
            RunId::Close { epoch, .. } | RunId::Finalize { epoch, .. } => {
                look_at_epoch(service, run.scope, &service.snapshot()?.epoch(run.scope, *epoch)?)
            }
        },
        Work::Pass(pass) => collect_pass(service, run.scope, pass, by.at),
        Work::Once(request) => collect_once(service, run, request),
        Work::Propose => propose(service, run),
        Work::Close => close(service, run, by),
        Work::CheckQuorum => check_quorum(service, run),
        Work::Finalize(request) => {
            let (key, epoch) = place_of(&run.id);
            let last = service.finalize(key, epoch, *request, &run.by)?;
            Outcome::new(format!("{} is entry {} of the statements log", last.origin, last.log_index), &last)
        }
    }
}

/// What a source is missing that could not be read at all.
pub(crate) fn unread(pass: &Pass, failure: &Failure, at: Timestamp) -> Result<SourceReport, Failure> {
    let missing = Some(format!("it could not be read: {}", failure.problem.detail));
    Ok(SourceReport {
        source: pass.source.name.parse()?,
        window: pass.window,
        at,
        found: 0,
        stored: 0,
        missing,
    })
}

fn look_at_window(
    service: &Service,
    scope: ScopeId,
    window: Period,
    open: Option<FirstWindow>,
    by: &By,
) -> Result<Outcome, Failure> {
    let mut epochs = service.snapshot()?.epochs(scope)?;
    let holds = |epoch: &Epoch| epoch.period.contains(window.start);
    let mut result = None;
    if let Some(first) = open.filter(|_| !epochs.iter().any(holds)) {
        match service.open_for_schedule((scope, window.start), first, by.clone()) {
            Ok(epoch) => {
                result = Some(format!("opened epoch {}", epoch.number));
                epochs.push(epoch);
            }
            // It is not this window's turn: events wait in the log until it is.
            Err(not_yet) if is_not_yet(&not_yet) => {
                result = Some(no_epoch_yet(&epochs, &not_yet));
            }
            Err(failure) => return Err(failure),
        }
    }
    let result = match (result, epochs.iter().find(|epoch| holds(epoch))) {
        (Some(result), _) => result,
        (None, Some(epoch)) if epoch.phase == Phase::Open => format!("epoch {} is open", epoch.number),
        (None, Some(epoch)) => {
            format!("epoch {} is {}: what comes now is a later epoch's", epoch.number, state_of(epoch.phase))
        }
        (None, None) => "no epoch yet".to_owned(),
    };
    let before = epochs.iter().find(|epoch| epoch.phase == Phase::Open && epoch.period.end <= window.start);
    let found = Found {
        window: window.into(),
        begin: epochs.first().map_or(window.start, |first| first.period.start),
        before: before.map(|epoch| epoch.period.into()),
        closed: false,
    };
    Outcome::new(result, &found)
}

fn is_not_yet(failure: &Failure) -> bool {
    let codes = [
        Code::EpochAlreadyOpen,
        Code::WindowOverlaps,
        Code::WindowsSkipped,
        Code::WindowAhead,
        Code::ScopeEnded,
    ];
    codes.iter().any(|code| failure.problem.code == code.name())
}

/// Why a window has no epoch yet, in words.
fn no_epoch_yet(epochs: &[Epoch], not_yet: &Failure) -> String {
    let (code, detail) = (not_yet.problem.code.as_str(), not_yet.problem.detail.as_str());
    let open = epochs.iter().find(|epoch| epoch.phase == Phase::Open);
    match open.filter(|_| code == Code::EpochAlreadyOpen.name()) {
        Some(open) => format!(
            "this window has no epoch yet: epoch {} is still open, and is closed before the next one opens",
            open.number
        ),
        None => format!(
            "this window has no epoch yet: {}",
            detail.trim_start_matches(code).trim_start_matches(": ")
        ),
    }
}

fn look_at_epoch(service: &Service, scope: ScopeId, epoch: &Epoch) -> Result<Outcome, Failure> {
    let first = service.snapshot()?.epochs(scope)?.into_iter().next();
    let closed = epoch.phase != Phase::Open;
    let found = Found {
        window: epoch.period.into(),
        begin: first.map_or(epoch.period.start, |first| first.period.start),
        before: None,
        closed,
    };
    Outcome::new(format!("epoch {} is {}", epoch.number, state_of(epoch.phase)), &found)
}

/// The state of an epoch in a sentence.
fn state_of(phase: Phase) -> &'static str {
    match phase {
        Phase::Open => "open",
        Phase::Review => "in review",
        Phase::Finalized => "finalized",
    }
}

fn collect_pass(service: &Service, scope: ScopeId, pass: &Pass, now: Timestamp) -> Result<Outcome, Failure> {
    let source = match pass.source.place.reader() {
        Reader::Windows(source) => source,
        Reader::Pages(place) => return follow(service, scope, pass, &place),
    };
    let asked = |window: Period| -> Result<Asked, Failure> {
        let node_id = service.snapshot()?.node_id()?;
        Ok(Asked { window, node_id, bots: service.settings().bots.clone(), now })
    };
    let mut all = StoredView::default();
    if let Some(start) = pass.late_from {
        let asked = asked(Period { start, end: pass.window.start })?;
        (_, all) = service.store_from(scope, now, |sink| source.read(&asked, sink), |_| None)?;
    }
    let asked = asked(pass.window)?;
    let (read, stored) = service.store_from(
        scope,
        now,
        |sink| source.read(&asked, sink),
        |read: &SourcePass| read.until.clone(),
    )?;
    all.add(&stored);
    passed(pass, read, (&stored, all), now)
}

/// Reads a source that goes on where it stopped, with what came late.
fn follow(service: &Service, scope: ScopeId, pass: &Pass, place: &GithubPlace) -> Result<Outcome, Failure> {
    let bots = &service.settings().bots;
    let followed = service.follow(scope, place, pass.window, pass.late_from, bots)?;
    passed(pass, followed.pass, (&followed.window, followed.all), service.clock().now()?)
}

/// What a pass gave: `stored` of its window, and `all` with what came from before it.
fn passed(
    pass: &Pass,
    read: SourcePass,
    (stored, all): (&StoredView, StoredView),
    now: Timestamp,
) -> Result<Outcome, Failure> {
    let report = weigh(pass, &read, stored, now)?;
    let output = PassOutput {
        source: pass.source.name.clone(),
        window: pass.window.into(),
        found: report.found,
        stored: report.stored,
        missing: report.missing.clone(),
        new: stored.stored,
        late: all.stored.saturating_sub(stored.stored),
        left_out: read.left_out,
        events: all,
    };
    Ok(Outcome { report: Some(report), ..Outcome::new(describe(&output), &output)? })
}

/// What the source says it has of the window, against what is in the ledger now.
fn weigh(
    pass: &Pass,
    read: &SourcePass,
    stored: &StoredView,
    at: Timestamp,
) -> Result<SourceReport, Failure> {
    let in_ledger = stored.stored.saturating_add(stored.duplicates);
    let unreadable: u64 = read.unreadable.values().sum();
    let handed_on = in_ledger.saturating_add(stored.conflicts).saturating_add(unreadable);
    let found = read.says.unwrap_or(0).max(handed_on);
    let mut reasons: Vec<String> = Vec::new();
    if stored.conflicts > 0 {
        reasons.push(format!("{} in conflict", stored.conflicts));
    }
    if found > handed_on {
        reasons.push(format!("{} not handed on", found.saturating_sub(handed_on)));
    }
    // The last, since it may name them one by one.
    reasons.extend(read.unreadable_text());
    let missing = (!reasons.is_empty()).then(|| reasons.join(", "));
    let source = pass.source.name.parse()?;
    Ok(SourceReport { source, window: pass.window, at, found, stored: in_ledger, missing })
}

fn describe(output: &PassOutput) -> String {
    let late = match output.late {
        0 => String::new(),
        some => format!("; {some} of the new ones from before the window"),
    };
    let missing = output.missing.as_deref().map(|why| format!("; missing: {why}")).unwrap_or_default();
    let left_out: Vec<String> =
        output.left_out.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    let left_out =
        if left_out.is_empty() { String::new() } else { format!("; left out: {}", left_out.join(", ")) };
    let (found, events) = (counted(output.found, "event"), describe_stored(&output.events));
    format!("{} of {found} in the ledger: {events}{late}{missing}{left_out}", output.stored)
}

fn collect_once(service: &Service, run: &Run, request: &CollectRequest) -> Result<Outcome, Failure> {
    let view = service.collect(run.id.scope().as_str(), request)?;
    let seen = match view.commits_in_period {
        Some(commits) => format!("{}: ", counted(commits, "commit")),
        None => String::new(),
    };
    Outcome::new(format!("{seen}{}", describe_stored(&view.events)), &view)
}

/// What an epoch would give by now.
#[derive(Debug, Serialize)]
struct Proposed {
    epoch: u64,
    events: usize,
    claimants: usize,
}

fn propose(service: &Service, run: &Run) -> Result<Outcome, Failure> {
    let RunId::Collect { window, .. } = &run.id else { return Ok(Outcome::said("nothing to propose")) };
    let snapshot = service.snapshot()?;
    let epochs = snapshot.epochs(run.scope)?;
    let open = epochs.iter().find(|epoch| epoch.period.contains(window.start) && epoch.phase == Phase::Open);
    let Some(epoch) = open else { return Ok(Outcome::said("no open epoch to propose for")) };
    drop(snapshot);
    let (events, claimants) = service.proposal_counts(run.id.scope().as_str(), epoch.number.get())?;
    let proposed = Proposed { epoch: epoch.number.get(), events, claimants };
    let (events, claimants) = (counted(proposed.events, "event"), counted(proposed.claimants, "claimant"));
    Outcome::new(format!("epoch {}: {events} of {claimants}", epoch.number), &proposed)
}

fn close(service: &Service, run: &Run, by: By) -> Result<Outcome, Failure> {
    let RunId::Close { epoch, .. } = &run.id else { return Ok(Outcome::said("nothing to close")) };
    service.ledger().close_epoch_on(run.scope, *epoch, CloseTerms::default(), by)?;
    let (key, epoch) = place_of(&run.id);
    let view = service.epoch(key, epoch)?;
    Outcome::new(format!("epoch {epoch} is in review"), &view)
}

fn check_quorum(service: &Service, run: &Run) -> Result<Outcome, Failure> {
    let RunId::Finalize { epoch, .. } = &run.id else { return Ok(Outcome::said("nothing to finalize")) };
    let snapshot = service.snapshot()?;
    let Some(approved) = snapshot.approved(run.scope, *epoch)? else {
        return Ok(Outcome::said("final already"));
    };
    let left_out = match snapshot.decisions_after_draft(run.scope, *epoch)? {
        0 => String::new(),
        later => format!("; left out: {} made after it", counted(later, "decision")),
    };
    let signers: Vec<String> = approved.signatures().iter().map(|line| line.name().to_string()).collect();
    let threshold = approved.statement().approvers.threshold;
    Ok(Outcome::said(format!(
        "revision {} is approved by {} ({threshold} needed){left_out}",
        approved.statement().revision,
        signers.join(", ")
    )))
}
