//! A node that dies at any point of a run: the next one goes on, and the run completes once.

use meed_node::api::documents::FinalizeRequest;
use meed_node::service::Wanted;
use meed_node::workflow::Progress;
use meed_storage::{RunState, StepState};

use super::support::*;

/// Lets the node die after its clock was read `answers` times, and says whether it had finished before.
fn works_until(node: &mut Node, answers: u32) -> bool {
    node.clock.answers(Some(answers));
    loop {
        match node.engine().step() {
            Ok(Progress::Worked(_)) => {}
            Ok(Progress::Idle(_)) => return true,
            Err(failure) => {
                assert_eq!(failure.problem.code, "clock");
                return false;
            }
        }
    }
}

/// The clock is read before, within and after each step, so that dying at each of its readings is dying between any two
/// steps and within each, before and after it took effect.
fn at_every_point(prepare: impl Fn() -> Node, check: impl Fn(&Node, u32)) {
    for answers in 0.. {
        let mut node = prepare();
        let finished = works_until(&mut node, answers);
        node.restart();
        node.work();
        check(&node, answers);
        if finished {
            assert!(answers > 8, "{answers}");
            return;
        }
    }
}

#[test]
fn a_close_completes_once_wherever_the_node_died() {
    let prepare = || {
        let node = Node::new();
        node.at(hour(1));
        node.code("a", day(2));
        node.line("chat/talk.ndjson", "b", day(3));
        node.clock.set(day(8));
        node
    };
    at_every_point(prepare, |node, answers| {
        assert_eq!(node.phases(), ["review 2", "open 0"], "{answers}");
        let ends = node.ends();
        assert_eq!(ends["close-default-1"], (1, 0), "{answers}");
        let run = node.runs().into_iter().find(|run| run.id.to_string() == "close-default-1").expect("run");
        let steps: Vec<_> =
            run.steps.iter().map(|step| (step.name.as_str(), step.state == StepState::Done)).collect();
        let names = ["look", "final pass code", "final pass chat", "close"];
        assert_eq!(steps, names.map(|name| (name, true)), "{answers}");
        let decisions =
            node.service().decisions(KEY, None, &Wanted::first(100)).expect("decisions").items.len();
        assert_eq!(decisions, 2, "{answers}: the base issuance of two epochs, each once");
        assert!(ends.values().all(|ends| ends.1 == 0), "{answers}: {ends:?}");
    });
}

#[test]
fn a_finalization_completes_once_wherever_the_node_died() {
    let prepare = || {
        let node = Node::new();
        node.at(hour(1));
        node.code("a", day(2));
        node.at(day(8));
        node.sign(1);
        node.engine()
            .submit_finalize(KEY, epoch(1), FinalizeRequest::default(), &actor())
            .expect("asked for");
        node
    };
    for answers in 0..12 {
        let mut node = prepare();
        works_until(&mut node, answers);
        node.restart();
        node.work();
        assert_eq!(node.phases(), ["finalized 1", "open 0"], "{answers}");
        assert_eq!(node.ends()["finalize-default-1"], (1, 0), "{answers}");
        let scope = node.snapshot().scopes().expect("scopes")[0].id;
        let finals = node.snapshot().final_statements(scope).expect("statements");
        assert_eq!(finals.len(), 1, "{answers}");
        assert_eq!(
            finals[0].log_index,
            node.snapshot().log_size(meed_storage::LogKind::Statements).expect("size") - 1
        );
        let run =
            node.runs().into_iter().find(|run| run.id.to_string() == "finalize-default-1").expect("run");
        assert_eq!((&run.state, run.steps.len()), (&RunState::Done, 2), "{answers}");
        assert!(run.output.contains("\"log_index\""), "{}", run.output);
    }
}

#[test]
fn a_ledger_is_sound_wherever_the_node_died() {
    let mut node = Node::new();
    node.clock.set(hour(1));
    for answers in 1..40 {
        node.code(&format!("e{answers}"), hour(1));
        works_until(&mut node, answers % 9);
        if answers % 13 == 0 {
            node.clock.set(hour(i64::from(answers) * 30));
        }
        node.restart();
    }
    node.work();
    let (_folder, ledger) = node.stopped();
    assert_eq!(ledger.snapshot().expect("snapshot").fsck(&mut |_| ()).problems, []);
    assert!(ledger.snapshot().expect("snapshot").runs_at_work().expect("runs").is_empty());
}
