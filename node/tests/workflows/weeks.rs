//! Weeks that pass: what a schedule does by itself, while nodes come and go.

use meed_audit::time::Timestamp;
use meed_node::api::documents::{CloseRequest, OpenRequest};
use meed_node::service::Wanted;
use meed_storage::RunState;

use super::support::*;

/// A number that follows from the one before, and looks like chance.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

/// What the rule says of an event, told again: the week of its time, or, where that was closed already when the node
/// saw it, the next one. Epoch `n` closes a day after its week.
fn epoch_of(event_time: Timestamp, seen_at: Timestamp) -> (usize, bool) {
    let week_ms = day(7).as_ms() - day(0).as_ms();
    let own = (event_time.as_ms() - day(0).as_ms()) / week_ms;
    let mut epoch = own;
    while seen_at >= day(7 * (epoch + 1) + 1) {
        epoch += 1;
    }
    (usize::try_from(epoch + 1).expect("a number"), epoch != own)
}

/// Two weeks and three days, hour by hour. Nodes stop between and within steps; a source is away for two days; events
/// come late, within the grace and after it. Whatever happens, each event is in the epoch that the rule names, once.
#[test]
fn two_weeks_with_restarts_lose_nothing_and_count_nothing_twice() {
    let mut node = Node::new();
    let mut seed = 7;
    let mut expected: Vec<Vec<String>> = vec![Vec::new(); 4];
    let mut restarts = 0;
    for now_hour in 0..17 * 24 {
        let now = hour(now_hour);
        let is_away = (3 * 24..5 * 24).contains(&now_hour);
        // A collection at three reads what was written until then.
        let collected_at =
            hour(if now_hour % 24 <= 3 { now_hour / 24 * 24 + 3 } else { (now_hour / 24 + 1) * 24 + 3 });
        if now_hour % 6 == 5 && now_hour < 16 * 24 {
            let late_hours = match next(&mut seed) % 4 {
                0 => 24 * i64::try_from(next(&mut seed) % 9).expect("a number"),
                _ => 1,
            };
            let name = format!("e{now_hour}");
            let event_time = hour((now_hour - late_hours).max(0));
            let (file, seen_at) = match next(&mut seed) % 2 {
                0 => ("code.ndjson", collected_at),
                _ if is_away => ("chat-away.ndjson", hour(5 * 24 + 3)),
                _ => ("chat/talk.ndjson", collected_at),
            };
            node.line(file, &name, event_time);
            // Closing passes over the sources first, so that it sees what is there by then.
            let closes_first = [day(8), day(15)].into_iter().find(|close| now <= *close && *close <= seen_at);
            let seen_at = closes_first.map_or(seen_at, |close| close.plus_ms(-1).expect("time"));
            let (epoch, is_late) = epoch_of(event_time, seen_at);
            expected[epoch].push(format!("{name}{}", if is_late { "!" } else { "" }));
        }
        if now_hour == 3 * 24 {
            std::fs::rename(node.path("chat"), node.path("chat-gone")).expect("away");
        }
        if now_hour == 5 * 24 {
            std::fs::rename(node.path("chat-gone"), node.path("chat")).expect("back");
            let away = std::fs::read_to_string(node.path("chat-away.ndjson")).unwrap_or_default();
            let path = node.path("chat/talk.ndjson");
            let before = std::fs::read_to_string(&path).unwrap_or_default();
            std::fs::write(path, before + &away).expect("written");
        }
        node.clock.set(now);
        // Before the hour's work is done the node dies, some number of times, at some point.
        for _ in 0..next(&mut seed) % 3 {
            node.clock.answers(Some(u32::try_from(next(&mut seed) % 8).expect("a number")));
            while node
                .engine()
                .step()
                .is_ok_and(|done| matches!(done, meed_node::workflow::Progress::Worked(_)))
            {}
            node.restart();
            restarts += 1;
        }
        node.work();
    }
    assert!(restarts > 200, "{restarts}");
    check_two_weeks(&node, &expected);
}

/// What the two weeks must have left, with the events of each epoch.
fn check_two_weeks(node: &Node, expected: &[Vec<String>]) {
    assert_eq!(
        node.epochs().iter().map(|epoch| epoch.phase.as_str()).collect::<Vec<_>>(),
        ["review", "review", "open"]
    );
    for (number, wanted) in (1..).zip(&expected[1..]) {
        let (mut wanted, mut events) = (wanted.clone(), node.events(number));
        wanted.sort();
        events.sort();
        assert_eq!(events, wanted, "epoch {number}");
    }
    let late: usize = expected.iter().flatten().filter(|name| name.ends_with('!')).count();
    assert!(late > 2, "the story has late events: {late}");
    let closed: Vec<_> =
        node.epochs().iter().filter_map(|epoch| epoch.closed.as_ref().map(|closed| closed.at)).collect();
    assert_eq!(closed, [day(8), day(15)]);
    let conflicts = node.service().conflicts(KEY, &Wanted::first(1)).expect("conflicts");
    assert!(conflicts.items.is_empty());
    let ends = node.ends();
    assert_eq!((ends["close-default-1"], ends["close-default-2"]), ((1, 0), (1, 0)));
    // The source that was away failed its part and is named; the other one's work was kept.
    let failed: Vec<_> =
        node.runs().into_iter().filter(|run| matches!(run.state, RunState::Failed(_))).collect();
    assert_eq!(failed.len(), 2, "the collections of two days");
    for run in failed {
        let RunState::Failed(problem) = &run.state else { panic!("it failed") };
        assert!(problem.contains("collect chat") && problem.contains("1 of 2 passes failed"), "{problem}");
        let code = run.step("collect code").expect("tried");
        assert_eq!(code.state, meed_storage::StepState::Done);
        assert!(run.step("propose").is_some(), "the run went on to its end");
    }
    assert_eq!(node.snapshot().fsck(&mut |_| ()).problems, []);
}

#[test]
fn windows_that_were_slept_through_are_made_up_for_one_epoch_each() {
    let mut node = Node::new();
    node.at(hour(1));
    assert_eq!(node.phases(), ["open 0"]);
    for week in 0..4 {
        for number in 0..=week {
            node.code(&format!("w{week}n{number}"), day(7 * week + 2));
        }
    }
    // The node sleeps for four weeks and wakes up on a Tuesday noon.
    node.restart();
    let done = node.at(hour((4 * 7 + 1) * 24 + 12));
    assert_eq!(node.phases(), ["review 1", "review 2", "review 3", "review 4", "open 0"]);
    assert_eq!(node.events(2), ["w1n0", "w1n1"], "nobody is late");
    let closed: Vec<_> = node.epochs().iter().filter_map(|epoch| epoch.closed.clone()).collect();
    assert!(closed.windows(2).all(|pair| pair[0].events_size <= pair[1].events_size), "in order");
    let opened = done.iter().filter(|what| what.contains("opened epoch")).count();
    assert_eq!(opened, 4, "{done:#?}");
    assert!(node.ends().iter().all(|(id, ends)| ends.1 == 0 && (ends.0 == 1 || id.starts_with("collect"))));
    // The epoch that is current then is not closed because of old ones.
    assert_eq!(node.at(hour((4 * 7 + 1) * 24 + 13)), Vec::<String>::new());
}

/// A schedule does not choose whether old history is paid: each week would put the base issuance into a pool.
#[test]
fn a_first_window_that_leaves_events_behind_waits_for_an_operator() {
    let node = Node::new();
    let old = event_line("old", hour(-30 * 24));
    node.service().import(KEY, old.as_bytes(), 1, (false, false), &Default::default()).expect("imported");
    node.at(hour(4));
    assert!(node.epochs().is_empty());
    let scope = node.snapshot().scopes().expect("scopes")[0].id;
    let problem = node.snapshot().schedule(scope).expect("schedule").problem.expect("a problem");
    assert!(problem.detail.contains("windows_skipped"), "{problem:?}");
    assert!(problem.detail.contains("leaves out 5 and pays nobody for 1 event"), "{problem:?}");
    let open = OpenRequest { at: hour(4).to_string(), skip: 5, ahead: false };
    node.service().open_epoch(KEY, &open, &actor()).expect("opened");
    node.at(day(2));
    assert_eq!(node.phases(), ["open 0"]);
    assert_eq!(node.snapshot().schedule(scope).expect("schedule").problem, None);
}

#[test]
fn what_cannot_be_closed_is_shown_and_tried_again_but_never_spins() {
    let node = Node::without_approvers();
    node.at(hour(1));
    node.code("a", day(3));
    node.at(day(8));
    let scope = node.snapshot().scopes().expect("scopes")[0].id;
    let problem = node.snapshot().schedule(scope).expect("schedule").problem.expect("a problem");
    assert_eq!((problem.action.as_str(), problem.tries), ("close epoch 1", 1));
    assert!(
        problem.detail.contains("approvers_missing") && problem.remedy.contains("scope approvers"),
        "{problem:?}"
    );
    // A day of trying, looked at every ten minutes: 15 minutes later, 30, 60, … at most every 6 hours.
    for minutes in (0..24 * 60).step_by(10) {
        node.at(day(8).plus_ms(minutes * 60_000).expect("time"));
    }
    let tries = node.ends()["close-default-1"];
    assert_eq!(tries.0, 0);
    assert!((4..=8).contains(&tries.1), "{tries:?}");
    // Meanwhile it collects, also of the window that is not open yet.
    assert!(node.ends().keys().any(|id| id.starts_with("collect-default-2026-01-12-")));
    node.set_approvers();
    node.engine().run_schedule(KEY, &actor()).expect("asked for");
    node.work();
    assert_eq!(node.phases(), ["review 1", "open 0"]);
    assert_eq!(node.snapshot().schedule(scope).expect("schedule").problem, None);
}

#[test]
fn what_a_person_closed_stands_in_the_way_no_more() {
    let node = Node::without_approvers();
    node.at(hour(1));
    node.code("a", day(3));
    node.at(day(8));
    let scope = node.snapshot().scopes().expect("scopes")[0].id;
    assert!(node.snapshot().schedule(scope).expect("schedule").problem.is_some());
    node.set_approvers();
    node.service().close_epoch(KEY, 1, &CloseRequest::default(), &actor()).expect("closed");
    assert_eq!(node.snapshot().schedule(scope).expect("schedule").problem, None);
}

#[test]
fn a_gap_is_shown_and_holds_the_close_until_it_is_filled() {
    let node = Node::new();
    node.at(hour(1));
    node.code("a", day(3));
    let path = node.path("code.ndjson");
    let good = std::fs::read_to_string(&path).expect("read");
    let bad = format!("{{\"event_time\":\"{}\",\"id\":7}}\n", day(4));
    let elsewhen = format!("{{\"event_time\":\"{}\",\"id\":7}}\n", day(40));
    std::fs::write(&path, format!("{good}{bad}{elsewhen}")).expect("written");
    node.at(day(8));
    let scope = node.snapshot().scopes().expect("scopes")[0].id;
    let reports = node.snapshot().source_reports(scope, day(0)).expect("reports");
    let of: Vec<_> =
        reports.iter().map(|report| (report.source.as_str(), report.found, report.stored)).collect();
    assert_eq!(of, [("chat", 0, 0), ("code", 2, 1)]);
    let problem = node.snapshot().schedule(scope).expect("schedule").problem.expect("a problem");
    assert!(
        problem.detail.contains("collection_gap") && problem.detail.contains("1 of 2 events of code"),
        "{problem:?}"
    );
    assert!(problem.remedy.contains("--accept-gap"));
    std::fs::write(&path, good).expect("corrected");
    node.at(problem.retry_at);
    assert_eq!(node.phases(), ["review 1", "open 0"]);
    let made = node.service().decisions(KEY, None, &Wanted::first(100)).expect("decisions").items;
    assert!(made.iter().all(|made| made.decision.action != meed_audit::decision::Action::AcceptGap));
}

#[test]
fn a_source_that_fails_moves_no_cursor_and_a_closed_epoch_stays_closed() {
    let node = Node::new();
    node.at(hour(1));
    node.at(day(8));
    assert_eq!(node.phases(), ["review 0", "open 0"]);
    // Somebody asks for the old window again: nothing is opened or closed, and what came late is the next epoch's.
    node.code("late", day(2));
    let window = meed_audit::time::Period { start: day(0), end: day(7) };
    node.engine().submit_collect(KEY, Some(window), &actor()).expect("asked for");
    let done = node.work();
    assert!(done.iter().any(|what| what.contains("is in review")), "{done:?}");
    assert_eq!(node.phases(), ["review 0", "open 1"]);
    assert_eq!(node.events(2), ["late!"]);
}
