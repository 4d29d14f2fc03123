//! Runs, and what sources said: one at work for each id, attempts, steps, and gaps that keep an epoch open.

use crate::support::world::*;
use meed_audit::RejectionCode as Code;
use meed_audit::decision::Action;
use meed_audit::ids::ScopeId;
use meed_storage::{
    Added, CloseTerms, NewRun, RUN_ATTEMPTS_MAX, RUN_BYTES_MAX, RUN_SHORT_STEP_BYTES, RUN_TEXT_BYTES_MAX,
    Run, RunEnd, RunId, RunState, RunStep, SourceReport, StepState,
};

const ID: &str = "finalize-default-1";

fn new_run(scope: ScopeId, id: &str, request: &str) -> NewRun {
    NewRun { id: id.parse().unwrap(), scope, request: request.to_owned() }
}

fn step(name: &str, result: &str) -> RunStep {
    RunStep {
        name: name.to_owned(),
        state: StepState::Done,
        tries: 1,
        at: time(WEEK_1),
        result: result.to_owned(),
        output: String::new(),
    }
}

fn done() -> RunEnd {
    RunEnd { failure: None, output: "{}".to_owned() }
}

fn ids(runs: &[Run]) -> Vec<(String, u32)> {
    runs.iter().map(|run| (run.id.to_string(), run.attempt)).collect()
}

#[test]
fn of_one_id_one_run_is_at_work_and_a_later_one_is_another_attempt() {
    let world = World::new();
    let scope = world.scope("default");
    let start = |id: &str, request: &str| world.ledger.start_run(new_run(scope, id, request), by(WEEK_1));
    let (first, added) = start(ID, "a").unwrap();
    assert_eq!((added, first.attempt, &first.state), (Added::New, 1, &RunState::Running));
    assert_eq!(start(ID, "a").unwrap(), (first.clone(), Added::Same));
    assert_eq!(code(start(ID, "b")), Code::RunActive);
    let (other, _) = start("finalize-default-2", "b").unwrap();
    assert_eq!(ids(&world.snapshot().runs_at_work().unwrap()).len(), 2);

    world.ledger.record_step(first.sequence, step("fetch", "half"), Some(time(WEEK_2)), None).unwrap();
    assert_eq!(start(ID, "a").unwrap().0.state, RunState::Waiting(time(WEEK_2)));
    world.ledger.record_step(first.sequence, step("fetch", "all"), None, None).unwrap();
    let end = RunEnd { failure: Some("no network".to_owned()), output: String::new() };
    let ended = world.ledger.finish_run(first.sequence, end, time(WEEK_2)).unwrap();
    assert_eq!(
        (&ended.state, &ended.steps),
        (&RunState::Failed("no network".to_owned()), &vec![step("fetch", "all")])
    );
    assert_eq!(ended.ended_at, Some(time(WEEK_2)));
    let again = world.ledger.finish_run(first.sequence, done(), time(WEEK_2));
    assert_eq!(code(again), Code::NothingToChange);
    let late = world.ledger.record_step(first.sequence, step("late", ""), None, None);
    assert_eq!(code(late), Code::NothingToChange);

    // It has ended, so that another request is no conflict any more.
    let (second, added) = start(ID, "b").unwrap();
    assert_eq!((added, second.attempt, second.steps.len()), (Added::New, 2, 0));
    let snapshot = world.snapshot();
    assert_eq!(ids(&snapshot.run_attempts(&second.id).unwrap()), [(ID.to_owned(), 2), (ID.to_owned(), 1)]);
    assert_eq!(snapshot.run(&second.id).unwrap(), second);
    assert_eq!(ids(&snapshot.runs_at_work().unwrap()), ids(&[other, second]));
    assert_eq!(code(world.ledger.finish_run(99, done(), time(WEEK_2))), Code::RecordNotFound);
    let unknown: RunId = "close-default-7".parse().unwrap();
    assert_eq!(code(snapshot.run(&unknown)), Code::RecordNotFound);
    assert_eq!(code(snapshot.run_attempts(&unknown)), Code::RecordNotFound);
    let long = "x".repeat(RUN_TEXT_BYTES_MAX + 1);
    assert_eq!(code(start("close-default-7", &long)), Code::TextLength);
}

/// The texts of a run together have a limit, which says so; and however full it is, a run can be ended.
#[test]
fn a_full_record_takes_no_more_steps_and_still_an_end() {
    let world = World::new();
    let scope = world.scope("default");
    let (run, _) = world.ledger.start_run(new_run(scope, ID, "asked"), by(WEEK_1)).unwrap();
    let long = || "x".repeat(RUN_TEXT_BYTES_MAX);
    let full = |name: &str| RunStep { output: long(), ..step(name, "") };
    let record = |step| world.ledger.record_step(run.sequence, step, None, None);
    let fitting = RUN_BYTES_MAX / RUN_TEXT_BYTES_MAX - 1;
    for number in 0..fitting {
        record(full(&format!("step {number}"))).unwrap();
    }
    let before = world.snapshot().run(&run.id).unwrap();
    let refused = refusal(record(full("one more")));
    assert_eq!(refused.code, Code::TextLength, "its name and the request are beyond the limit");
    assert!(refused.expected.contains(&RUN_BYTES_MAX.to_string()), "{refused}");
    assert_eq!(world.snapshot().run(&run.id).unwrap(), before);
    // The same step again takes the place of the one before, and what fits is recorded.
    record(full("step 0")).unwrap();
    let used: usize =
        "asked".len() + (0..fitting).map(|number| format!("step {number}").len()).sum::<usize>();
    let rest = RUN_BYTES_MAX - used - fitting * RUN_TEXT_BYTES_MAX - "last".len();
    let last = |length| RunStep { output: "y".repeat(length), ..step("last", "") };
    assert_eq!(code(record(last(rest + 1))), Code::TextLength);
    record(last(rest)).unwrap();
    // Full to the last byte: what fits into a sentence is taken, and nothing longer.
    let sentence =
        |length: usize| RunStep { output: "z".repeat(length - "in short".len()), ..step("in short", "") };
    assert_eq!(code(record(sentence(RUN_SHORT_STEP_BYTES + 1))), Code::TextLength);
    record(sentence(RUN_SHORT_STEP_BYTES)).unwrap();
    assert_eq!(code(record(RunStep { name: long() + "x", ..step("", "") })), Code::TextLength);
    let end = RunEnd { failure: Some(long()), output: long() };
    let ended = world.ledger.finish_run(run.sequence, end, time(WEEK_2)).unwrap();
    assert_eq!((ended.steps.len(), ended.output.len()), (fitting + 2, RUN_TEXT_BYTES_MAX));
}

#[test]
fn runs_are_listed_newest_first_and_old_attempts_make_room() {
    let world = World::new();
    let (one, two) = (world.scope("one"), world.scope("two"));
    let mut last = 0;
    for attempt in 1..=RUN_ATTEMPTS_MAX + 3 {
        let (run, _) = world.ledger.start_run(new_run(one, "close-one-1", ""), by(WEEK_1)).unwrap();
        assert_eq!(run.attempt, attempt);
        last = world.ledger.finish_run(run.sequence, done(), time(WEEK_2)).unwrap().sequence;
    }
    world.ledger.start_run(new_run(two, "close-two-1", ""), by(WEEK_1)).unwrap();
    let snapshot = world.snapshot();
    let kept = snapshot.run_attempts(&"close-one-1".parse().unwrap()).unwrap();
    let attempts: Vec<u32> = kept.iter().map(|run| run.attempt).collect();
    assert_eq!(attempts, (4..=RUN_ATTEMPTS_MAX + 3).rev().collect::<Vec<_>>());
    assert_eq!(snapshot.runs(None, None, 1_000).unwrap().len(), kept.len() + 1);
    let newest = snapshot.runs(None, None, 2).unwrap();
    assert_eq!(
        ids(&newest),
        [("close-two-1".to_owned(), 1), ("close-one-1".to_owned(), RUN_ATTEMPTS_MAX + 3)]
    );
    let older = snapshot.runs(Some(one), Some(last), 1).unwrap();
    assert_eq!(ids(&older), [("close-one-1".to_owned(), RUN_ATTEMPTS_MAX + 2)]);
    assert!(snapshot.runs(Some(two), Some(last), 9).unwrap().is_empty());
}

#[test]
fn a_gap_keeps_an_epoch_open_until_it_is_filled_or_accepted() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    let window = world.snapshot().epoch(scope, first).unwrap().period;
    let (run, _) = world.ledger.start_run(new_run(scope, "close-default-1", ""), by(WEEK_1)).unwrap();
    let report = |source: &str, stored: u64, missing: Option<&str>| {
        let report = SourceReport {
            source: source.parse().unwrap(),
            window,
            at: time(WEEK_2),
            found: 5,
            stored,
            missing: missing.map(str::to_owned),
        };
        world.ledger.record_step(run.sequence, step(source, ""), None, Some(report)).unwrap();
    };
    let close = |accept_gap: Option<&str>| {
        let terms = CloseTerms { early: None, accept_gap: accept_gap.map(text) };
        world.ledger.close_epoch_on(scope, first, terms, by(LATER))
    };
    report("code", 3, Some("2 in conflict"));
    report("chat", 5, None);
    let gap = refusal(close(None));
    assert_eq!(gap.code, Code::CollectionGap);
    assert!(gap.got.contains("3 of 5 events of code (2 in conflict)") && !gap.got.contains("chat"), "{gap}");
    assert!(gap.remedy().contains("--accept-gap"));
    report("code", 5, Some("could not be read"));
    assert_eq!(code(close(None)), Code::CollectionGap, "a source that could not be asked is a gap");
    // What is filled needs no decision.
    let before = world.snapshot().decisions_size(scope).unwrap();
    let closed = close(Some("two are somebody's secret")).unwrap();
    assert!(closed.closed.is_some());
    let decisions = world.snapshot().decisions(scope, before, 9).unwrap();
    let made: Vec<_> = decisions.iter().map(|(_, made)| (made.action, made.reason.as_str())).collect();
    assert_eq!(made, [(Action::AcceptGap, "two are somebody's secret")]);
    let accepted = world.snapshot().accepted_gap(scope, first).unwrap();
    assert_eq!(accepted, Some(text("two are somebody's secret")));
    world.finish(scope, first);
    assert_eq!(world.snapshot().fsck(&mut |_| ()).problems, []);

    let second = world.open(scope, WEEK_2);
    let terms = CloseTerms { early: None, accept_gap: Some(text("just so")) };
    world.ledger.close_epoch_on(scope, second, terms, by(LATER)).unwrap();
    assert_eq!(
        world.snapshot().decisions(scope, before, 9).unwrap().len(),
        2,
        "the base issuance of epoch 2"
    );
    assert_eq!(world.snapshot().accepted_gap(scope, second).unwrap(), None);
}
