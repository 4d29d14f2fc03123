//! The rules of activity: which epoch and scope an event belongs to, and what stays out.

use std::collections::BTreeMap;

use crate::support::world::*;
use meed_audit::RejectionCode as Code;
use meed_audit::event::{NewEvent, metadata_hash};
use meed_audit::hash::Hash;
use meed_audit::ids::EpochNumber;
use meed_audit::leaf::Leaf;
use meed_audit::window::{EpochWindow, assign};
use meed_storage::{EventBatch, EventReader, LogKind, PrivateData, Which};

#[test]
fn activity_idempotent() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    let events = || vec![event("a1", ALICE, WEEK_1), event("a2", BOB, WEEK_1)];
    assert_eq!(world.append(&[scope], events()).stored(), 2);
    let again = world.append(&[scope], events());
    assert_eq!((again.stored(), again.duplicates(), again.conflicts()), (0, 2, 0));
    let authors = format!(r#"[{{"provider":"github","id":"{ALICE}"}}]"#);
    let other = world.append(&[scope], vec![event_with("a1", &authors, WEEK_1, "another content")]);
    assert_eq!((other.stored(), other.conflicts()), (0, 1));
    assert_eq!(world.snapshot().conflicts_of(&event_id("a1")).unwrap().len(), 1);
    let last = world.complete(scope, first);
    assert_eq!(last.statement.activity.size, 2);
}

/// What lacks its provenance never becomes an event that a batch could hold; what has it keeps it, salt and all.
#[test]
fn provenance_required() {
    let world = World::new();
    let scope = world.scope("default");
    let before = world.facts();
    let payload_hash = format!("\"{}\"", Hash::of(b"payload"));
    let line = |left_out: &str, event_time: &str| {
        let event_time = format!("\"{event_time}\"");
        let fields = [
            ("id", r#""github:pr:1:p""#),
            ("source", r#""github""#),
            ("source_ref", r#""1""#),
            ("event_type", r#""pr_merged""#),
            ("platform_user_id", r#""101""#),
            ("metadata", r#"{"title":"p"}"#),
            ("payload_hash", &payload_hash),
            ("producer", r#""test""#),
            ("producer_version", r#""7""#),
            ("retrieved_at", r#""2026-01-06T00:00:00Z""#),
            ("event_time", &event_time),
        ];
        let fields = fields.iter().filter(|(name, _)| *name != left_out);
        let fields: Vec<_> = fields.map(|(name, value)| format!(r#""{name}":{value}"#)).collect();
        NewEvent::parse(format!("{{{}}}", fields.join(",")).as_bytes(), time(LATER))
    };
    for missing in ["producer", "producer_version", "payload_hash", "retrieved_at", "event_time"] {
        assert_eq!(line(missing, WEEK_1).unwrap_err().code, Code::MissingField, "{missing}");
    }
    assert_eq!(line("", "2026-01-06T00:10:00.001Z").unwrap_err().code, Code::TimeInFuture);
    // Nor is there a batch without a salt for each event's metadata.
    let whole = line("", "2026-01-06T00:10:00Z").unwrap();
    let unsalted = EventBatch::prepare(vec![whole.clone()], vec![scope], [], time(LATER));
    assert_eq!(unsalted.unwrap_err().code, Code::InputIncomplete);
    assert_eq!(world.facts(), before);
    world.append(&[scope], vec![whole]);
    let snapshot = world.snapshot();
    let (index, stored) = snapshot.event_by_id(&event_id("p")).unwrap().unwrap();
    assert_eq!((stored.producer.as_str(), stored.producer_version.as_str()), ("test", "7"));
    assert_eq!(
        (stored.payload_hash, stored.retrieved_at),
        (Hash::of(b"payload"), time("2026-01-06T00:00:00Z"))
    );
    let Some(PrivateData::Kept { salt, metadata }) = snapshot.event_private(index).unwrap() else {
        panic!("kept")
    };
    assert_eq!(
        (metadata.as_str(), stored.metadata_hash),
        (r#"{"title":"p"}"#, metadata_hash(&salt, &metadata))
    );
    // All of it is in the leaf, so that the log binds it.
    let log = snapshot.log_state(LogKind::Events).unwrap();
    assert_eq!((log.size, log.root), (1, stored.leaf_hash()));
}

#[test]
fn epoch_by_event_time_and_late_events() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.commit(scope, "history", ALICE, "2025-12-01T00:00:00Z");
    world.commit(scope, "early", ALICE, WEEK_2);
    world.commit(scope, "own", ALICE, WEEK_1);
    let one = world.complete(scope, first);
    assert_eq!(one.statement.activity.size, 1, "the week's own event only");
    let second = world.open(scope, WEEK_2);
    world.commit(scope, "late", BOB, "2026-01-11T23:59:59.999Z");
    let two = world.complete(scope, second);
    assert_eq!(two.statement.activity.size, 2, "its own, which came early, and the late one");
    let activity = world.activity(scope, second);
    let late: BTreeMap<_, _> = activity.iter().map(|leaf| (leaf.event.clone(), leaf.late)).collect();
    assert_eq!(late, BTreeMap::from([(event_id("early"), false), (event_id("late"), true)]));
    world.verified(scope, second, &unbound(BOB));
    world.verify_absent(scope, first, &unbound(BOB));
}

/// Every event is of the epoch that the rulebook's own function names, and of no other; in two scopes, one of which
/// claims the events of the other later, so that routes count too.
#[test]
fn activity_complete() {
    let world = World::new();
    let (one, two) = (world.scope("one"), world.scope("two"));
    let times = [
        "2025-12-30T00:00:00Z",
        WEEK_1,
        "2026-01-14T00:00:00Z",
        WEEK_3,
        "2026-01-22T00:00:00Z",
        WEEK_4,
        "2026-01-06T00:00:00Z",
    ];
    let mut names = Vec::new();
    let mut add = |step: usize| {
        for (place, at) in times.iter().enumerate() {
            let name = format!("{step}-{place}");
            world.append(&[one], vec![event(&name, ALICE, at)]);
            names.push((name, *at));
        }
        // The second scope claims every other event so far, most of them late.
        let claimed: Vec<_> = names.iter().step_by(2).map(|(name, at)| event(name, ALICE, at)).collect();
        world.append(&[two], claimed);
    };
    let steps =
        [(0, [(WEEK_1, 0), (WEEK_1, 0)]), (1, [(WEEK_3, 1), (WEEK_2, 0)]), (2, [(WEEK_4, 0), (WEEK_4, 1)])];
    for (step, [(first, skipped), (second, second_skipped)]) in steps {
        let epochs = [world.open_after(one, first, skipped), world.open_after(two, second, second_skipped)];
        add(step);
        world.complete(one, epochs[0]);
        add(step + 10);
        world.complete(two, epochs[1]);
    }
    let snapshot = world.snapshot();
    for scope in [one, two] {
        let mut windows: Vec<EpochWindow> = Vec::new();
        for epoch in snapshot.epochs(scope).unwrap() {
            let log_size = epoch.closed.map(|closed| closed.events.size);
            windows.push(EpochWindow { number: epoch.number, period: epoch.period, log_size });
        }
        let mut expected: BTreeMap<EpochNumber, Vec<String>> = BTreeMap::new();
        for (name, _) in &names {
            if let Some(event) = snapshot.event_in_scope(scope, &event_id(name)).unwrap()
                && let Some(taken) = assign(&windows, event.event.event_time, event.index)
            {
                expected.entry(taken.epoch).or_default().push(event_id(name).to_string());
            }
        }
        assert_eq!(expected.len(), 3, "every epoch has events");
        for (epoch, mut ids) in expected {
            ids.sort();
            let input = snapshot.epoch_input(scope, epoch, Which::Final).unwrap();
            let mut got: Vec<_> = input.events.iter().map(|event| event.event.id.to_string()).collect();
            got.sort();
            assert_eq!(got, ids, "{scope} {epoch}");
            let count = snapshot.epoch_events_count(scope, epoch).unwrap();
            assert_eq!(count, u64::try_from(ids.len()).unwrap());
        }
    }
}

#[test]
fn an_excluded_event_stays_in_the_activity_tree() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.commit(scope, "a1", ALICE, WEEK_1);
    let change = meed_audit::decision::Change::Exclude(event_id("a1"));
    world.ledger.decide(scope, first, change, text("spam"), by(WEEK_1)).unwrap();
    let last = world.complete(scope, first);
    assert_eq!(last.statement.activity.size, 1);
    world.verify_absent(scope, first, &unbound(ALICE));
}

#[test]
fn events_of_a_scope_that_is_not_there_or_has_ended_are_refused() {
    let world = World::new();
    let scope = world.scope("default");
    world.ledger.end_scope(scope, text("why"), by(LATER)).unwrap();
    for (scope, expected) in [
        (scope, meed_audit::RejectionCode::ScopeEnded),
        (meed_audit::ids::ScopeId::from_bytes([1; 16]), meed_audit::RejectionCode::ScopeNotFound),
    ] {
        let batch = meed_storage::EventBatch::prepare(
            vec![event("a", ALICE, WEEK_1)],
            vec![scope],
            [[0; 32]],
            time(LATER),
        );
        assert_eq!(code(world.ledger.append(batch.unwrap())), expected);
    }
}
