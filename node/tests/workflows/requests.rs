//! Runs that people ask for: the same twice is one run, passing failures are tried again, permanent ones are not.

use meed_audit::time::Period;
use meed_node::api::documents::{CollectRequest, CurationRequest, FinalizeRequest, FreezeRequest};
use meed_node::api::problems::Problem;
use meed_node::workflow::Progress;
use meed_storage::{Added, RUN_BYTES_MAX, RUN_TEXT_BYTES_MAX, RunState, RunStep, StepState};

use super::support::*;

fn problem(state: &RunState) -> Problem {
    match state {
        RunState::Failed(text) => serde_json::from_str(text).expect("a problem document"),
        other => panic!("it should have failed: {other:?}"),
    }
}

fn week_1() -> Period {
    Period { start: day(0), end: day(7) }
}

#[test]
fn a_second_request_while_one_runs_is_the_same_run() {
    let node = Node::new();
    node.at(hour(1));
    let ask = || node.engine().submit_collect(KEY, None, &actor()).expect("asked for");
    let (first, added) = ask();
    assert_eq!((first.id.to_string().as_str(), added), ("collect-default-2026-01-05-2026-01-12", Added::New));
    node.engine().step().expect("a step");
    let (second, added) = ask();
    assert_eq!((second.sequence, second.steps.len(), added), (first.sequence, 1, Added::Same));
    node.work();
    let (third, added) = ask();
    assert_eq!((third.attempt, added), (first.attempt + 1, Added::New));
    node.work();
    let attempts = node.snapshot().run_attempts(&first.id).expect("attempts");
    assert!(attempts.iter().all(|run| run.state == RunState::Done));
    assert_eq!(attempts[0].attempt, third.attempt, "the newest first");
}

#[test]
fn another_request_under_the_same_id_is_refused_and_not_dropped() {
    let node = Node::new();
    let git = |path: &str| CollectRequest { git: Some(path.to_owned()), ..CollectRequest::default() };
    node.engine().submit_once(KEY, &git("/one"), &actor()).expect("asked for");
    let refusal = node.engine().submit_once(KEY, &git("/two"), &actor()).expect_err("another");
    assert_eq!(refusal.problem.code, "run_active");
    let (same, added) = node.engine().submit_once(KEY, &git("/one"), &actor()).expect("the same");
    assert_eq!(added, Added::Same);
    let ended = node.engine().finish(same).expect("ended");
    assert_eq!(problem(&ended.state).status, 400, "no such folder is wrong usage");
    assert!(node.engine().submit_once("other", &git("/one"), &actor()).is_err());
}

/// What a run's record has no room for is said there in short, and what its sources said is kept all the same.
#[test]
fn a_run_whose_record_is_full_says_what_it_did_all_the_same() {
    let mut node = Node::new();
    node.at(hour(1));
    node.code("plain", hour(2));
    for kind in ["pr_admired", "pr_thought_about", "pr_recommended", "pr_almost_opened"] {
        let line = event_line(kind, hour(2)).replace("pr_merged", kind);
        let path = node.path("code.ndjson");
        let before = std::fs::read_to_string(&path).expect("the file");
        std::fs::write(path, before + &line + "\n").expect("written");
    }
    node.clock.set(hour(3));
    let (run, _) = node.engine().submit_collect(KEY, None, &actor()).expect("asked for");
    let mut left = RUN_BYTES_MAX - run.request.len();
    node.between(|ledger| {
        for number in 0..=RUN_BYTES_MAX / RUN_TEXT_BYTES_MAX {
            let name = format!("{number:02}");
            let output = "x".repeat(RUN_TEXT_BYTES_MAX.min(left - name.len()));
            left -= name.len() + output.len();
            let (at, result) = (hour(1), String::new());
            let step = RunStep { name, state: StepState::Done, tries: 1, at, result, output };
            ledger.record_step(run.sequence, step, None, None).expect("recorded");
            if left == 0 {
                break;
            }
        }
    });
    assert_eq!(left, 0, "full to the last byte");
    let (scope, window) = (run.scope, node.snapshot().epochs(run.scope).expect("epochs")[0].period);
    let ended = node.engine().finish(run).expect("ended");
    assert_eq!(ended.state, RunState::Done, "what it was asked for is done");
    let code = ended.step("collect code").expect("it is in the record");
    assert!(code.result.starts_with("5 of 5 events in the ledger: 5 stored"), "{}", code.result);
    assert!(code.result.ends_with("has no room in the run's record)") && code.output.is_empty(), "{code:?}");
    assert!(ended.step("propose").is_some_and(|step| step.state == StepState::Done));
    let reports = node.snapshot().source_reports(scope, window.start).expect("reports");
    let said = reports.iter().find(|report| report.source.as_str() == "code").expect("what the source said");
    assert_eq!((said.found, said.stored), (5, 5));
}

#[test]
fn what_a_rule_refuses_fails_at_once_with_its_reason() {
    let node = Node::new();
    node.at(hour(1));
    node.at(day(8));
    let close = || node.engine().submit_close(KEY, epoch(2), &actor()).expect("asked for").0;
    let ended = node.engine().finish(close()).expect("ended");
    assert_eq!(problem(&ended.state).code, "window_not_ended");
    assert_eq!(ended.steps.last().map(|step| (step.name.as_str(), step.tries)), Some(("close", 1)));
    assert_eq!(
        node.engine().finish(close()).expect("ended").attempt,
        2,
        "asked for again, it is tried again"
    );
    node.sign(1);
    let finalize = || {
        node.engine()
            .submit_finalize(KEY, epoch(1), FinalizeRequest::default(), &actor())
            .expect("asked for")
            .0
    };
    let ended = node.engine().finish(finalize()).expect("ended");
    assert_eq!((ended.attempt, ended.state), (1, RunState::Done));
    assert_eq!(ended.steps[0].result, "revision 0 is approved by alice, bob (2 needed)");
    let again = node.engine().finish(finalize()).expect("ended");
    assert_eq!((again.state, again.output), (RunState::Done, ended.output), "final already");
    let unknown = node
        .engine()
        .submit_finalize(KEY, epoch(9), FinalizeRequest::default(), &actor())
        .expect_err("unknown");
    assert_eq!(unknown.problem.code, "epoch_not_found");
    let unnamed = node.engine().submit_collect("other", None, &actor()).expect_err("no section");
    assert_eq!(unnamed.problem.code, "record_not_found");
}

#[test]
fn finalizing_without_its_quorum_is_refused_before_there_is_a_run() {
    let node = Node::new();
    node.at(hour(1));
    node.at(day(8));
    let refused = || {
        node.engine()
            .submit_finalize(KEY, epoch(1), FinalizeRequest::default(), &actor())
            .expect_err("too early")
            .problem
    };
    assert_eq!(refused().code, "draft_not_found");
    let draft = node.service().freeze(KEY, 1, &FreezeRequest::default(), &actor()).expect("draft");
    let nobody = refused();
    assert_eq!(nobody.code, "quorum_missing");
    assert!(
        nobody.detail.ends_with("the approval of 2 of 2, got nobody's; not signed by alice, bob"),
        "{nobody:?}"
    );
    let [alice, bob] = Node::keys();
    node.sign_as(&alice, 1, &draft);
    let one = refused();
    assert!(one.detail.ends_with("got that of alice; not signed by bob"), "{one:?}");
    assert!(!node.ends().contains_key("finalize-default-1"), "no run, and so none that failed");
    node.sign_as(&bob, 1, &draft);
    let (run, _) = node
        .engine()
        .submit_finalize(KEY, epoch(1), FinalizeRequest::default(), &actor())
        .expect("asked for");
    assert_eq!(node.engine().finish(run).expect("ended").state, RunState::Done);
    assert_eq!(node.service().counts().expect("counts").runs_failed, 0);
}

/// A clone whose history cannot be read to its end, and the object that is missing.
fn broken_clone(node: &Node) -> (std::path::PathBuf, std::path::PathBuf, Vec<u8>) {
    let path = node.path("clone");
    let git = |arguments: &[&str]| {
        let output = std::process::Command::new("git")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_DATE", "2026-01-06T12:00:00Z")
            .env("GIT_COMMITTER_DATE", "2026-01-06T12:00:00Z")
            .args(["-c", "user.name=Anna", "-c", "user.email=anna@example.org", "-C"])
            .arg(&path)
            .args(arguments)
            .output()
            .expect("git runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
    };
    std::fs::create_dir(&path).expect("folder");
    git(&["init", "-q", "-b", "main"]);
    for message in ["one", "two", "three"] {
        git(&["commit", "-q", "--allow-empty", "-m", message]);
    }
    let second = git(&["rev-parse", "HEAD~1"]);
    let object = path.join(".git/objects").join(&second[..2]).join(&second[2..]);
    let bytes = std::fs::read(&object).expect("a loose object");
    std::fs::remove_file(&object).expect("removed");
    (path, object, bytes)
}

fn with_clone(node: &Node, path: &std::path::Path) -> String {
    let clone = format!(
        "[[scopes.default.sources]]\nkind = \"git\"\nname = \"clone\"\npath = \"{}\"\n",
        path.display()
    );
    node.sections("collect = \"off\"\nclose = false\n") + &clone
}

#[test]
fn what_may_pass_is_tried_again_with_growing_delays_while_the_others_go_on() {
    let mut node = Node::new();
    let (path, object, bytes) = broken_clone(&node);
    node.configure(&with_clone(&node, &path));
    node.at(day(3));
    node.code("a", day(2));
    let (run, _) = node.engine().submit_collect(KEY, Some(week_1()), &actor()).expect("asked for");
    node.work();
    let run_now = |node: &Node| node.snapshot().run(&run.id).expect("run");
    let waiting = run_now(&node);
    let until = waiting.step("collect clone").map(|step| step.state.clone());
    let first = day(3).plus_ms(1_000).expect("time");
    assert_eq!((waiting.state, until), (RunState::Waiting(first), Some(StepState::Waiting(first))));
    assert_eq!(node.phases(), ["open 1"], "the other source is stored meanwhile");
    assert!(waiting.steps.iter().all(|step| step.name != "propose"));
    assert_eq!(node.engine().step().expect("a step"), Progress::Idle(Some(first)));
    node.restart();
    node.at(first);
    let second = first.plus_ms(2_000).expect("time");
    assert_eq!(run_now(&node).state, RunState::Waiting(second), "twice as long");
    std::fs::write(&object, bytes).expect("back");
    node.at(second);
    let done = run_now(&node);
    assert_eq!((&done.state, done.step("collect clone").map(|step| step.tries)), (&RunState::Done, Some(3)));
    assert_eq!(node.phases(), ["open 4"]);
}

#[test]
fn what_does_not_pass_in_time_fails_its_part_and_moves_no_cursor() {
    let mut node = Node::new();
    let (path, object, bytes) = broken_clone(&node);
    node.configure(&with_clone(&node, &path));
    node.at(day(3));
    let scope = node.snapshot().scopes().expect("scopes")[0].id;
    let collect = |node: &Node| {
        let (run, _) = node.engine().submit_collect(KEY, Some(week_1()), &actor()).expect("asked for");
        for seconds in 0..20 {
            node.at(day(3).plus_ms(seconds * 1_000).expect("time"));
        }
        node.snapshot().run(&run.id).expect("run")
    };
    let failed = collect(&node);
    assert_eq!(
        failed.step("collect clone").map(|step| (step.tries, step.state.clone())),
        Some((3, StepState::Failed))
    );
    assert!(problem(&failed.state).detail.contains("collect clone: git"), "{failed:?}");
    let reports = node.snapshot().source_reports(scope, day(0)).expect("reports");
    let clone = reports.iter().find(|report| report.source.as_str() == "clone").expect("a report");
    assert!(clone.gap().is_some_and(|gap| gap.contains("could not be read")), "{clone:?}");
    assert!(meed_storage::cursors_of(&node.snapshot(), scope).expect("cursors").is_empty());
    std::fs::write(&object, bytes).expect("back");
    assert_eq!(collect(&node).state, RunState::Done);
    let cursors = meed_storage::cursors_of(&node.snapshot(), scope).expect("cursors");
    assert_eq!(cursors.len(), 1);
}

/// A decision that is made between asking for the end and its last step is not left out by nobody's wish.
#[test]
fn what_is_decided_while_a_run_waits_is_not_left_out() {
    let node = Node::new();
    node.code("a", hour(2));
    node.at(hour(1));
    node.at(day(8));
    node.sign(1);
    let ask = |leave_out_later| {
        node.engine().submit_finalize(KEY, epoch(1), FinalizeRequest { leave_out_later }, &actor())
    };
    let (run, _) = ask(false).expect("asked for");
    let exclude = CurationRequest {
        event: "github:pr:7:a".to_owned(),
        included: Some(false),
        weight: None,
        shares: None,
        reset: false,
        reason: "a test run".to_owned(),
    };
    node.service().curate(KEY, 1, &exclude, &actor()).expect("decided");
    let ended = node.engine().finish(run).expect("ended");
    let refused = problem(&ended.state);
    assert_eq!((refused.code.as_str(), refused.number), ("decisions_after_draft", Some(79)));
    assert!(refused.remedy.contains("--leave-out-later"), "{}", refused.remedy);
    assert_eq!(node.phases()[0], "review 1");
    assert_eq!(ask(false).expect_err("refused before there is a run").problem.code, "decisions_after_draft");
    let ended = node.engine().finish(ask(true).expect("asked for").0).expect("ended");
    assert_eq!(ended.state, RunState::Done);
    assert!(ended.steps[0].result.ends_with("left out: 1 decision made after it"), "{:?}", ended.steps[0]);
}
