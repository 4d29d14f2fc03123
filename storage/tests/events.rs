//! Taking events in and reading them: the rules of activity, both logs, cursors, and each refusal.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use meed_audit::RejectionCode;
use meed_audit::event::Event;
use meed_audit::hash::{Hash, leaf_hash};
use meed_audit::json::Value;
use meed_audit::leaf::Leaf;
use meed_audit::merkle::{root, verify_consistency, verify_inclusion};
use meed_audit::time::Period;
use meed_keys::{Note, VerifierKey};
use meed_storage::{
    AppendOutcome, Cursor, CursorKey, CursorUpdate, EventBatch, EventReader, Ledger, LedgerError, LogEntry,
    LogKind, OnConflict, Options, PrivateData, Snapshot, StorageError, cursor, cursors_of,
};
use support::{
    append, at, batch, batch_for, checked, event, fields, log_key, new_ledger_with, scope, signing,
};

fn leaves(snapshot: &Snapshot, log: LogKind) -> Vec<Vec<u8>> {
    (0..snapshot.log_size(log).unwrap()).map(|index| snapshot.log_entry(log, index).unwrap()).collect()
}

fn check_log(snapshot: &Snapshot, log: LogKind) {
    let hashes: Vec<Hash> = leaves(snapshot, log).iter().map(|leaf| leaf_hash(leaf)).collect();
    let size = u64::try_from(hashes.len()).unwrap();
    let state = snapshot.log_state(log).unwrap();
    assert_eq!((state.size, state.root), (size, root(&hashes)));
    for (index, hash) in (0..).zip(&hashes) {
        let path = snapshot.inclusion_path(log, index, size).unwrap();
        verify_inclusion(hash, index, size, &path, &state.root).unwrap();
    }
    for old in 0..=size {
        let old_root = snapshot.log_root(log, old).unwrap();
        assert_eq!(old_root, root(&hashes[..usize::try_from(old).unwrap()]));
        let path = snapshot.consistency_path(log, old, size).unwrap();
        verify_consistency(old, &old_root, size, &state.root, &path).unwrap();
    }
}

fn check_checkpoint(snapshot: &Snapshot, log: LogKind) {
    let note = Note::parse(snapshot.checkpoint(log).unwrap()).unwrap();
    let state = snapshot.log_state(log).unwrap();
    let origin = format!("ledger.example.org/{}/1", log.name());
    assert_eq!(note.text().as_str(), format!("{origin}\n{}\n{}\n", state.size, state.root.to_base64()));
    let key = log_key().renamed(origin.parse().unwrap());
    let verifier: VerifierKey = key.verifier_key().clone();
    note.verify_all(&[verifier]).unwrap();
}

#[test]
fn events_and_their_log_grow_together() {
    let (_folder, path, ledger) = new_ledger_with(signing());
    for numbers in [0..1, 1..4, 4..4, 4..300] {
        append(&ledger, numbers);
        let snapshot = ledger.snapshot().unwrap();
        check_checkpoint(&snapshot, LogKind::Events);
    }
    let snapshot = ledger.snapshot().unwrap();
    check_log(&snapshot, LogKind::Events);
    let (index, stored) = snapshot.event_by_id(event(17).id()).unwrap().unwrap();
    assert_eq!(index, 17);
    assert_eq!(
        stored,
        event(17)
            .into_event([16; 32], vec![scope("default")])
            .map(|made| Event { metadata_hash: stored.metadata_hash, ..made })
            .unwrap()
    );
    assert_eq!(snapshot.log_entry(LogKind::Events, 17).unwrap(), stored.encode());
    drop((snapshot, ledger));
    let ledger = Ledger::open(&path, signing()).unwrap();
    check_log(&ledger.snapshot().unwrap(), LogKind::Events);
    check_checkpoint(&ledger.snapshot().unwrap(), LogKind::Statements);
}

#[test]
fn statements_are_kept_verbatim() {
    let (_folder, _path, ledger) = new_ledger_with(signing());
    let before = ledger.snapshot().unwrap().log_size(LogKind::Statements).unwrap();
    for number in 0..5_u8 {
        let index = ledger.run(move |tx| Ok(tx.append_statement_entry(&[b'n', number])?)).unwrap();
        assert_eq!(index, before + u64::from(number));
    }
    let snapshot = ledger.snapshot().unwrap();
    check_log(&snapshot, LogKind::Statements);
    check_checkpoint(&snapshot, LogKind::Statements);
    assert_eq!(snapshot.log_entry(LogKind::Statements, before + 3).unwrap(), [b'n', 3]);
    let too_long = ledger.run(|tx| Ok(tx.append_statement_entry(&[0; 65_536])?)).unwrap_err();
    assert!(too_long.to_string().contains("at most 65535 bytes, got 65536"), "{too_long}");
}

#[test]
fn questions_beyond_a_log_are_refused() {
    let (_folder, _path, ledger) = new_ledger_with(signing());
    append(&ledger, 0..10);
    let snapshot = ledger.snapshot().unwrap();
    let log = LogKind::Events;
    let refusals = [
        snapshot.log_entry(log, 10).unwrap_err(),
        snapshot.log_root(log, 11).unwrap_err(),
        snapshot.inclusion_path(log, 10, 10).unwrap_err(),
        snapshot.inclusion_path(log, 0, 11).unwrap_err(),
        snapshot.consistency_path(log, 5, 11).unwrap_err(),
        snapshot.consistency_path(log, 6, 5).unwrap_err(),
    ];
    for refusal in refusals {
        assert_eq!(refusal.rejection().unwrap().code, RejectionCode::BeyondLog, "{refusal}");
    }
    assert_eq!(snapshot.event_entry(10).unwrap(), None);
}

#[test]
fn activity_idempotent() {
    let (_folder, _path, ledger) = new_ledger_with(signing());
    assert_eq!(append(&ledger, 0..10).stored(), 10);
    let before = ledger.snapshot().unwrap().log_state(LogKind::Events).unwrap();
    let mut later = fields(3);
    later.retrieved_at = at(5_000);
    later.metadata = Value::Object(vec![("title".to_owned(), Value::String("Renamed".to_owned()))]);
    let report = ledger.append(batch(vec![event(0), checked(later), event(9)])).unwrap();
    assert_eq!((report.stored(), report.duplicates(), report.conflicts(), report.routed()), (0, 3, 0, 0));
    assert_eq!(report.outcomes[1], AppendOutcome::Duplicate { index: 3, routes: vec![] });
    let snapshot = ledger.snapshot().unwrap();
    assert_eq!(snapshot.log_state(LogKind::Events).unwrap(), before);
    let PrivateData::Kept { metadata, .. } = snapshot.event_private(3).unwrap().unwrap() else {
        panic!("kept")
    };
    assert_eq!(metadata, r#"{"title":"Change 3"}"#, "the first stays");
    assert_eq!(snapshot.conflicts().unwrap(), vec![]);
}

#[test]
fn another_content_under_an_id_is_kept_out_and_recorded() {
    let (_folder, _path, ledger) = new_ledger_with(signing());
    append(&ledger, 0..3);
    let mut other = fields(1);
    other.payload_hash = Hash::of(b"edited");
    let report = ledger.append(batch(vec![checked(other.clone()), event(3)])).unwrap();
    assert_eq!(
        report.outcomes,
        vec![AppendOutcome::Conflict { index: 1 }, AppendOutcome::Stored { index: 3 }]
    );
    let again = ledger.append(batch(vec![checked(other.clone())])).unwrap();
    assert_eq!(again.conflicts(), 1);
    let snapshot = ledger.snapshot().unwrap();
    let conflicts = snapshot.conflicts().unwrap();
    assert_eq!(conflicts.len(), 1, "recorded once");
    assert_eq!(conflicts[0].stored_index, 1);
    assert_eq!(conflicts[0].at, at(1_000_000));
    assert_eq!(conflicts[0].came.payload_hash, Hash::of(b"edited"));
    assert_eq!(snapshot.conflicts_of(&other.id).unwrap(), conflicts);
    assert_eq!(snapshot.conflicts_of(event(2).id()).unwrap(), vec![]);
    assert_eq!(snapshot.event_by_id(&other.id).unwrap().unwrap().1.payload_hash, fields(1).payload_hash);

    let refused =
        ledger.append(batch(vec![event(4), checked(other)]).on_conflict(OnConflict::Refuse)).unwrap_err();
    assert_eq!(refused.rejection().unwrap().code, RejectionCode::EventConflict);
    assert_eq!(ledger.snapshot().unwrap().event_index(event(4).id()).unwrap(), None);
}

#[test]
fn duplicates_and_conflicts_within_one_batch_are_seen() {
    let (_folder, _path, ledger) = new_ledger_with(signing());
    let mut other = fields(1);
    other.event_type = "issue_closed".parse().unwrap();
    let report = ledger.append(batch(vec![event(0), event(1), event(1), checked(other), event(0)])).unwrap();
    let expected = vec![
        AppendOutcome::Stored { index: 0 },
        AppendOutcome::Stored { index: 1 },
        AppendOutcome::Duplicate { index: 1, routes: vec![] },
        AppendOutcome::Conflict { index: 1 },
        AppendOutcome::Duplicate { index: 0, routes: vec![] },
    ];
    assert_eq!(report.outcomes, expected);
    assert_eq!(ledger.snapshot().unwrap().conflicts().unwrap()[0].stored_index, 1);
}

#[test]
fn an_event_that_is_new_to_a_scope_gets_a_route() {
    let (_folder, _path, ledger) = new_ledger_with(signing());
    append(&ledger, 0..4);
    let both = vec![scope("default"), scope("other")];
    let report = ledger.append(batch_for(vec![event(2), event(4), event(2)], both.clone())).unwrap();
    assert_eq!(report.outcomes[0], AppendOutcome::Duplicate { index: 2, routes: vec![4] });
    assert_eq!(report.outcomes[1], AppendOutcome::Stored { index: 5 });
    assert_eq!(report.outcomes[2], AppendOutcome::Duplicate { index: 2, routes: vec![] });
    assert_eq!(ledger.append(batch_for(vec![event(2), event(4)], both)).unwrap().routed(), 0);
    let snapshot = ledger.snapshot().unwrap();
    let mut expected = vec![(scope("default"), 2), (scope("other"), 4)];
    expected.sort_unstable();
    assert_eq!(snapshot.scopes_of(2).unwrap(), expected);
    let Some(LogEntry::Route { event_index, route }) = snapshot.event_entry(4).unwrap() else {
        panic!("a route")
    };
    assert_eq!((event_index, &route.event, route.scope), (2, event(2).id(), scope("other")));
    assert_eq!(snapshot.log_entry(LogKind::Events, 4).unwrap(), route.encode());
    let routed = snapshot.event_in_scope(scope("other"), event(2).id()).unwrap().unwrap();
    assert_eq!((routed.index, routed.routed), (4, true));
    assert_eq!(routed.event_hash, leaf_hash(&snapshot.log_entry(LogKind::Events, 2).unwrap()));
    assert_eq!(snapshot.event_in_scope(scope("other"), event(1).id()).unwrap(), None);
    check_log(&snapshot, LogKind::Events);
}

#[test]
fn windows_hold_the_events_of_their_scope_below_the_pin() {
    for fold_events in [1, 7, 1_000] {
        let (_folder, _path, ledger) = new_ledger_with(Options { fold_events, ..signing() });
        append(&ledger, 0..50);
        ledger.append(batch_for(vec![event(20), event(60)], vec![scope("other")])).unwrap();
        append(&ledger, 61..70);
        let snapshot = ledger.snapshot().unwrap();
        let period = Period { start: at(10), end: at(65) };
        let window = |scope, below| -> Vec<(u64, bool)> {
            let events = snapshot.events_of_window(scope, period, below).unwrap();
            for event in &events {
                assert!(period.contains(event.event.event_time));
                assert_eq!(event.event_hash, event.event.leaf_hash());
            }
            events.iter().map(|event| (event.index, event.routed)).collect()
        };
        let default = window(scope("default"), u64::MAX);
        assert_eq!(default, (10..50).chain(52..56).map(|index| (index, false)).collect::<Vec<_>>());
        assert_eq!(window(scope("default"), 45), (10..45).map(|index| (index, false)).collect::<Vec<_>>());
        assert_eq!(window(scope("other"), u64::MAX), vec![(50, true), (51, false)]);
        assert_eq!(window(scope("nobody"), u64::MAX), vec![]);
    }
}

#[test]
fn heads_are_read_in_order_and_within_the_log() {
    let (_folder, _path, ledger) = new_ledger_with(signing());
    append(&ledger, 0..10);
    ledger.append(batch_for(vec![event(3)], vec![scope("other")])).unwrap();
    let snapshot = ledger.snapshot().unwrap();
    let mut heads = Vec::new();
    snapshot
        .for_each_head(2..u64::MAX, &mut |head| {
            heads.push(head);
            Ok(std::ops::ControlFlow::Continue(()))
        })
        .unwrap();
    assert_eq!(heads.iter().map(|head| head.index).collect::<Vec<_>>(), (2..11).collect::<Vec<_>>());
    assert_eq!(
        (heads[8].event_index, heads[8].scopes.clone(), heads[8].event_time),
        (3, vec![scope("other")], at(3))
    );
    assert_eq!(&heads[8].id, event(3).id());
}

#[test]
fn metadata_is_bound_by_its_salted_hash() {
    let (_folder, _path, ledger) = new_ledger_with(signing());
    append(&ledger, 0..2);
    let snapshot = ledger.snapshot().unwrap();
    let (_, stored) = snapshot.event_by_id(event(1).id()).unwrap().unwrap();
    let PrivateData::Kept { salt, metadata } = snapshot.event_private(1).unwrap().unwrap() else {
        panic!("kept")
    };
    assert_eq!(salt, [1; 32]);
    assert_eq!(stored.metadata_hash, meed_audit::event::metadata_hash(&salt, &metadata));
    assert_eq!(snapshot.event_private(2).unwrap(), None);
}

#[test]
fn batches_need_scopes_and_salts() {
    let prepare = |scopes, salts: usize| {
        EventBatch::prepare(vec![event(0), event(1)], scopes, std::iter::repeat_n([0; 32], salts), at(0))
            .unwrap_err()
            .code
    };
    assert_eq!(prepare(vec![], 2), RejectionCode::TooMany);
    assert_eq!(
        prepare((0..17).map(|number| scope(&format!("s{number}"))).collect(), 2),
        RejectionCode::TooMany
    );
    assert_eq!(prepare(vec![scope("default")], 1), RejectionCode::InputIncomplete);
    let twice = vec![scope("default"), scope("default")];
    assert_eq!(EventBatch::prepare(vec![], twice, [], at(0)).unwrap().scopes(), [scope("default")]);
}

#[test]
fn events_enter_for_scopes_of_this_node_only() {
    let (_folder, _path, ledger) = new_ledger_with(signing());
    let refused =
        ledger.append(batch_for(vec![event(0)], vec![scope("default"), scope("nowhere")])).unwrap_err();
    assert_eq!(refused.rejection().unwrap().code, RejectionCode::ScopeNotFound);
    assert_eq!(ledger.snapshot().unwrap().log_size(LogKind::Events).unwrap(), 0);
}

fn update(order: u64, token: &str) -> CursorUpdate {
    let key = CursorKey {
        scope: scope("default"),
        source: "git".parse().unwrap(),
        stream: "commits".parse().unwrap(),
        source_ref: "4ff8eac1".parse().unwrap(),
    };
    CursorUpdate { key, cursor: Cursor { order, token: token.to_owned() } }
}

#[test]
fn cursor_state_persisted() {
    let (_folder, path, ledger) = new_ledger_with(signing());
    let save = |number: u64, update: CursorUpdate| {
        ledger.append(batch(vec![event(number)]).with_cursor(update)).unwrap().cursor_moved
    };
    assert_eq!(save(0, update(10, "a")), Some(true));
    assert_eq!(save(1, update(9, "back")), Some(false));
    assert_eq!(save(2, update(10, "a")), Some(false));
    assert_eq!(save(3, update(11, "b")), Some(true));
    // A batch that is refused moves no cursor.
    let refused = batch_for(vec![event(4)], vec![scope("nowhere")]).with_cursor(update(12, "c"));
    ledger.append(refused).unwrap_err();
    drop(ledger);
    let ledger = Ledger::open(&path, signing()).unwrap();
    let snapshot = ledger.snapshot().unwrap();
    assert_eq!(cursor(&snapshot, &update(0, "").key).unwrap(), Some(update(11, "b").cursor));
    assert_eq!(cursors_of(&snapshot, scope("default")).unwrap(), vec![update(11, "b")]);
    assert_eq!(cursors_of(&snapshot, scope("other")).unwrap(), vec![]);
}

#[test]
fn a_log_grows_only_with_the_key_that_signs_it() {
    let (_folder, path, ledger) = new_ledger_with(signing());
    append(&ledger, 0..3);
    drop(ledger);
    let ledger = Ledger::open(&path, Options::default()).unwrap();
    check_checkpoint(&ledger.snapshot().unwrap(), LogKind::Events);
    let error = ledger.append(batch((3..5).map(event).collect())).unwrap_err();
    let LedgerError::Storage(error) = error else { panic!("{error}") };
    assert!(matches!(error, StorageError::NoLogKey), "{error}");
    assert_eq!(error.remedy(), "put the node's log.key into the data folder, and open the ledger again");
    check_checkpoint(&ledger.snapshot().unwrap(), LogKind::Events);
    drop(ledger);
    let ledger = Ledger::open(&path, signing()).unwrap();
    append(&ledger, 3..5);
    check_checkpoint(&ledger.snapshot().unwrap(), LogKind::Events);
}

#[test]
fn folded_and_unfolded_ledgers_answer_alike() {
    let answers = |fold_events: usize, reopen: bool| {
        let options = Options { fold_events, ..signing() };
        let (_folder, path, mut ledger) = new_ledger_with(options.clone());
        let mut reports = Vec::new();
        for step in 0..12_u64 {
            let scopes =
                if step % 3 == 0 { vec![scope("default")] } else { vec![scope("other"), scope("default")] };
            let numbers = (step * 5)..(step * 5 + 9);
            let events = numbers.map(|number| event(number * 7919 % 101)).collect();
            reports.push(ledger.append(batch_for(events, scopes)).unwrap());
            if reopen {
                drop(ledger);
                ledger = Ledger::open(&path, options.clone()).unwrap();
            }
        }
        let snapshot = ledger.snapshot().unwrap();
        let found: Vec<_> =
            (0..101).map(|number| snapshot.event_by_id(event(number).id()).unwrap()).collect();
        let scopes: Vec<_> = (0..200).map(|index| snapshot.scopes_of(index).unwrap()).collect();
        let windows: Vec<_> = (0..100)
            .step_by(9)
            .map(|start| {
                let period = Period { start: at(start), end: at(start + 40) };
                snapshot.window_indexes(scope("other"), period, 90).unwrap()
            })
            .collect();
        (
            reports,
            found,
            scopes,
            windows,
            leaves(&snapshot, LogKind::Events),
            snapshot.log_state(LogKind::Events).unwrap(),
        )
    };
    let unfolded = answers(usize::MAX, false);
    for fold_events in [1, 7, 50] {
        for reopen in [false, true] {
            assert!(answers(fold_events, reopen) == unfolded, "fold at {fold_events}, reopened {reopen}");
        }
    }
    assert!(answers(usize::MAX, true) == unfolded);
}

#[test]
fn a_snapshot_taken_between_commits_and_folds_is_whole() {
    let (_folder, _path, ledger) = new_ledger_with(Options { fold_events: 3, ..signing() });
    std::thread::scope(|threads| {
        let writer = threads.spawn(|| (0..300).for_each(|number| drop(append(&ledger, number..number + 1))));
        while !writer.is_finished() {
            let snapshot = ledger.snapshot().unwrap();
            let size = snapshot.log_size(LogKind::Events).unwrap();
            let period = Period { start: at(0), end: at(1_000) };
            let indexes = snapshot.window_indexes(scope("default"), period, u64::MAX).unwrap();
            assert_eq!(indexes, (0..size).collect::<Vec<_>>());
            for number in 0..300 {
                let found = snapshot.event_index(event(number).id()).unwrap();
                assert_eq!(found, Some(number).filter(|number| *number < size));
            }
        }
    });
}

/// Two numbers whose ids look the same to the table of hints, which keeps the upper half of this hash.
fn numbers_of_one_hint() -> (u64, u64) {
    let hint = |number: u64| {
        let mut hasher = DefaultHasher::new();
        event(number).id().hash(&mut hasher);
        hasher.finish() >> 32
    };
    let mut seen = HashMap::new();
    (0..).find_map(|number| seen.insert(hint(number), number).map(|first| (first, number))).unwrap()
}

#[test]
fn a_hint_of_another_event_is_no_answer() {
    let (_folder, _path, ledger) = new_ledger_with(Options { fold_events: 1, ..signing() });
    let (first, second) = numbers_of_one_hint();
    for number in [first, second] {
        append(&ledger, number..number + 1);
    }
    append(&ledger, second + 1..second + 2);
    for (index, number) in [(0, first), (1, second)] {
        let again = append(&ledger, number..number + 1);
        assert_eq!(again.outcomes, [AppendOutcome::Duplicate { index, routes: vec![] }]);
        assert_eq!(ledger.snapshot().unwrap().event_index(event(number).id()).unwrap(), Some(index));
    }
    assert!(ledger.snapshot().unwrap().fsck_engine().is_sound());
}

#[test]
fn a_large_batch_keeps_its_order() {
    let (_folder, _path, ledger) = new_ledger_with(signing());
    append(&ledger, 0..3);
    let report = append(&ledger, 1..1_300);
    let expected: Vec<_> = (1..1_300)
        .map(|number| match number {
            1 | 2 => AppendOutcome::Duplicate { index: number, routes: vec![] },
            _ => AppendOutcome::Stored { index: number },
        })
        .collect();
    assert_eq!(report.outcomes, expected);
    let snapshot = ledger.snapshot().unwrap();
    for number in (0..1_300).step_by(97) {
        assert_eq!(snapshot.event_entry(number).unwrap().unwrap().leaf(), {
            let (_, event) = snapshot.event_by_id(event(number).id()).unwrap().unwrap();
            event.encode()
        });
    }
    assert!(snapshot.fsck_engine().is_sound());
}

#[test]
fn the_same_large_batches_at_once_are_stored_once() {
    for fold_events in [1, 150, 100_000] {
        let (_folder, _path, ledger) = new_ledger_with(Options { fold_events, ..signing() });
        let stored: usize = std::thread::scope(|threads| {
            let offer = |shift: u64| {
                let ledger = ledger.clone();
                move || -> usize {
                    (0..8_u64)
                        .map(|step| {
                            append(&ledger, (step + shift) % 8 * 100..(step + shift) % 8 * 100 + 100).stored()
                        })
                        .sum()
                }
            };
            let offers: Vec<_> = (0..4).map(|shift| threads.spawn(offer(shift))).collect();
            offers.into_iter().map(|offer| offer.join().unwrap()).sum()
        });
        assert_eq!(stored, 800, "fold at {fold_events}");
        let snapshot = ledger.snapshot().unwrap();
        assert_eq!(snapshot.log_size(LogKind::Events).unwrap(), 800);
        assert!(snapshot.fsck_engine().is_sound(), "{:?}", snapshot.fsck_engine().problems);
    }
}

#[test]
fn large_batches_are_refused_like_small_ones() {
    let (_folder, _path, ledger) = new_ledger_with(signing());
    let events = || (0..100).map(event).collect::<Vec<_>>();
    let refused = ledger.append(batch_for(events(), vec![scope("nowhere")])).unwrap_err();
    assert_eq!(refused.rejection().unwrap().code, RejectionCode::ScopeNotFound);
    ledger.append(batch(events())).unwrap();
    let routed = ledger.append(batch_for(events(), vec![scope("default"), scope("other")])).unwrap();
    assert_eq!((routed.duplicates(), routed.routed()), (100, 100));
    let mut changed = events();
    let mut other = fields(50);
    other.payload_hash = Hash::of(b"edited");
    changed[50] = checked(other);
    let refused = ledger.append(batch(changed.clone()).on_conflict(OnConflict::Refuse)).unwrap_err();
    assert_eq!(refused.rejection().unwrap().code, RejectionCode::EventConflict);
    assert_eq!(ledger.append(batch(changed)).unwrap().conflicts(), 1);
    assert_eq!(ledger.snapshot().unwrap().conflicts().unwrap()[0].came.payload_hash, Hash::of(b"edited"));
}
