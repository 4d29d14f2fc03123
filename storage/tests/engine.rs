//! The engine's contract: creating, opening, commands in groups, snapshots, and each error they can give.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::sync::mpsc;

use meed_audit::{Rejection, RejectionCode};
use meed_storage::{
    All, Key, Ledger, LedgerError, LogKind, Options, Reader, Record, StorageError, Table, Transaction,
};
use serde::{Deserialize, Serialize};
use support::{genesis, new_ledger, scratch, signing};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Note {
    text: String,
}

impl Record for Note {}

const NOTES: Table<(u32, u64), Note> = Table::new("test_notes");

fn note(text: &str) -> Note {
    Note { text: text.to_owned() }
}

fn refuse() -> LedgerError {
    Rejection::new(RejectionCode::NothingToChange, "note", "a change", "none").into()
}

fn put(ledger: &Ledger, group: u32, number: u64, text: &str) {
    let record = note(text);
    ledger.run(move |tx| Ok(tx.insert(NOTES, &(group, number), &record)?)).unwrap();
}

#[test]
fn create_and_open_keep_what_was_committed() {
    let (_folder, path, ledger) = new_ledger();
    put(&ledger, 1, 1, "a");
    drop(ledger);
    let ledger = Ledger::open(&path, signing()).unwrap();
    let snapshot = ledger.snapshot().unwrap();
    assert_eq!(snapshot.get(NOTES, &(1, 1)).unwrap(), Some(note("a")));
    assert_eq!(snapshot.node_id().unwrap(), genesis().node_id);
    assert_eq!(snapshot.origin().unwrap(), genesis().origin);
    assert_eq!(snapshot.created_at().unwrap(), genesis().created_at);
    assert_eq!(&snapshot.log_key().unwrap(), genesis().log_key.as_bytes());
    assert!(!snapshot.is_restored().unwrap());
    assert_eq!(snapshot.log_size(LogKind::Events).unwrap(), 0);
    assert_eq!(snapshot.log_origin(LogKind::Statements).unwrap(), "ledger.example.org/statements/1");
}

#[test]
fn readers_share_a_view_until_the_next_commit() {
    let (_folder, _path, ledger) = new_ledger();
    put(&ledger, 1, 1, "a");
    let first = ledger.view().unwrap();
    assert!(std::sync::Arc::ptr_eq(&first, &ledger.view().unwrap()));
    put(&ledger, 1, 2, "b");
    let second = ledger.view().unwrap();
    assert!(!std::sync::Arc::ptr_eq(&first, &second));
    assert_eq!(second.get(NOTES, &(1, 2)).unwrap(), Some(note("b")), "whoever was told of a commit sees it");
    assert_eq!(first.get(NOTES, &(1, 2)).unwrap(), None, "a view never changes");
    // Nobody but a reader holds a view, so that the file can be compacted and checked between reads.
    drop((first, second));
    ledger.compact().unwrap();
    assert!(ledger.check_pages().unwrap());
    assert_eq!(ledger.view().unwrap().get(NOTES, &(1, 2)).unwrap(), Some(note("b")));
}

#[test]
fn create_never_overwrites_and_open_never_creates() {
    let (_folder, path) = scratch();
    let missing = Ledger::open(&path, signing()).unwrap_err();
    assert!(matches!(missing, StorageError::NotFound { .. }), "{missing}");
    assert!(!path.exists());
    drop(Ledger::create(&path, &genesis(), signing()).unwrap());
    let before = std::fs::read(&path).unwrap();
    let exists = Ledger::create(&path, &genesis(), signing()).unwrap_err();
    assert!(matches!(exists, StorageError::AlreadyExists { .. }), "{exists}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn an_interrupted_creation_is_named() {
    let (folder, path) = scratch();
    std::fs::write(folder.path().join("ledger.redb.unfinished"), b"").unwrap();
    let error = Ledger::create(&path, &genesis(), signing()).unwrap_err();
    assert!(matches!(error, StorageError::Unfinished { .. }), "{error}");
    assert!(error.remedy().contains("delete this file"));
}

#[test]
fn a_second_opening_is_refused() {
    let (_folder, path, ledger) = new_ledger();
    let error = Ledger::open(&path, signing()).unwrap_err();
    assert!(matches!(error, StorageError::AlreadyOpen { .. }), "{error}");
    drop(ledger);
    Ledger::open(&path, signing()).unwrap();
}

#[test]
fn only_the_log_key_of_the_ledger_is_taken() {
    let (_folder, path, ledger) = new_ledger();
    drop(ledger);
    let name = "ledger.example.org".parse().unwrap();
    let other = meed_keys::SigningKey::from_seed(name, meed_keys::KeyUse::Log, [8; 32]);
    let error = Ledger::open(&path, Options { log_key: Some(other), ..Options::default() }).unwrap_err();
    assert!(matches!(error, StorageError::WrongLogKey { .. }), "{error}");
    let name = "ledger.example.org".parse().unwrap();
    let approver = meed_keys::SigningKey::from_seed(name, meed_keys::KeyUse::Approver, [7; 32]);
    let error = Ledger::open(&path, Options { log_key: Some(approver), ..Options::default() }).unwrap_err();
    assert!(matches!(error, StorageError::WrongLogKey { .. }), "{error}");
}

#[test]
fn a_refused_command_leaves_nothing_and_its_group_goes_on() {
    let (_folder, _path, ledger) = new_ledger();
    let refused = ledger.run(|_: &mut Transaction| -> Result<(), LedgerError> { Err(refuse()) }).unwrap_err();
    assert_eq!(refused.rejection().unwrap().code, RejectionCode::NothingToChange);
    put(&ledger, 1, 1, "kept");
    assert_eq!(ledger.snapshot().unwrap().with_prefix(NOTES, &All).unwrap().len(), 1);
}

#[test]
fn refusing_after_a_write_undoes_the_group() {
    let (_folder, _path, ledger) = new_ledger();
    let error = ledger
        .run(|tx| -> Result<(), LedgerError> {
            tx.insert(NOTES, &(1, 1), &note("lost"))?;
            Err(refuse())
        })
        .unwrap_err();
    assert!(matches!(error, LedgerError::Storage(StorageError::Internal { .. })), "{error}");
    assert_eq!(ledger.snapshot().unwrap().get(NOTES, &(1, 1)).unwrap(), None);
    put(&ledger, 1, 2, "kept");
    assert!(ledger.snapshot().unwrap().contains(NOTES, &(1, 2)).unwrap());
}

#[test]
fn a_panicking_command_undoes_its_group_only() {
    let (_folder, _path, ledger) = new_ledger();
    let error = ledger
        .run(|tx| -> Result<(), LedgerError> {
            tx.insert(NOTES, &(1, 1), &note("lost"))?;
            panic!("a defect in a rule");
        })
        .unwrap_err();
    assert!(error.to_string().contains("a defect in a rule"), "{error}");
    put(&ledger, 1, 2, "kept");
    assert_eq!(ledger.snapshot().unwrap().with_prefix(NOTES, &All).unwrap().len(), 1);
}

/// What a test asks the writer to do.
type Command = Box<dyn FnOnce(&mut Transaction) -> Result<(), LedgerError> + Send>;

/// Blocks the writer with a first command until the others wait, so that those form one group.
fn in_one_group(ledger: &Ledger, commands: Vec<Command>) -> Vec<Result<(), LedgerError>> {
    let (open, gate) = mpsc::channel::<()>();
    ledger.submit(
        move |_| {
            let _ = gate.recv();
            Ok(())
        },
        |_: Result<(), LedgerError>| {},
    );
    let answers: Vec<_> = commands
        .into_iter()
        .map(|command| {
            let (sender, answer) = mpsc::channel();
            ledger.submit(command, move |result| {
                let _ = sender.send(result);
            });
            answer
        })
        .collect();
    drop(open);
    answers.into_iter().map(|answer| answer.recv().unwrap()).collect()
}

#[test]
fn a_failing_command_undoes_those_before_it_in_its_group() {
    let (_folder, _path, ledger) = new_ledger();
    let answers = in_one_group(
        &ledger,
        vec![
            Box::new(|tx| Ok(tx.insert(NOTES, &(1, 1), &note("undone"))?)),
            Box::new(|_| Err(LedgerError::Storage(StorageError::Internal { detail: "made up".to_owned() }))),
            Box::new(|tx| Ok(tx.insert(NOTES, &(1, 3), &note("kept"))?)),
        ],
    );
    assert!(
        matches!(answers[0], Err(LedgerError::Storage(StorageError::GroupUndone { .. }))),
        "{:?}",
        answers[0]
    );
    assert!(matches!(answers[1], Err(LedgerError::Storage(StorageError::Internal { .. }))));
    assert!(answers[2].is_ok());
    let kept = ledger.snapshot().unwrap().with_prefix(NOTES, &All).unwrap();
    assert_eq!(kept, vec![((1, 3), note("kept"))]);
}

#[test]
fn commands_of_a_group_see_each_other() {
    let (_folder, _path, ledger) = new_ledger();
    let answers = in_one_group(
        &ledger,
        vec![
            Box::new(|tx| Ok(tx.insert(NOTES, &(1, 1), &note("first"))?)),
            Box::new(|tx| if tx.contains(NOTES, &(1, 1))? { Err(refuse()) } else { Ok(()) }),
        ],
    );
    assert!(answers[0].is_ok());
    assert!(matches!(&answers[1], Err(LedgerError::Rejected(_))));
}

#[test]
fn snapshots_do_not_change() {
    let (_folder, _path, ledger) = new_ledger();
    put(&ledger, 1, 1, "old");
    let snapshot = ledger.snapshot().unwrap();
    put(&ledger, 1, 1, "new");
    assert_eq!(snapshot.get(NOTES, &(1, 1)).unwrap(), Some(note("old")));
    assert_eq!(ledger.snapshot().unwrap().get(NOTES, &(1, 1)).unwrap(), Some(note("new")));
}

#[test]
fn prefixes_and_ranges_read_the_same_in_both_views() {
    let (_folder, _path, ledger) = new_ledger();
    for group in 0..4 {
        for number in 0..10 {
            put(&ledger, group, number, &format!("{group}/{number}"));
        }
    }
    fn check(reader: &impl Reader) {
        assert_eq!(reader.with_prefix(NOTES, &2_u32).unwrap().len(), 10);
        assert_eq!(reader.with_prefix(NOTES, &9_u32).unwrap(), vec![]);
        assert_eq!(reader.with_prefix(NOTES, &All).unwrap().len(), 40);
        assert_eq!(reader.range(NOTES, (1, 5)..(2, 5)).unwrap().len(), 10);
        assert_eq!(reader.range(NOTES, (2, 5)..(1, 5)).unwrap(), vec![]);
        assert_eq!(reader.last_with_prefix(NOTES, &2_u32).unwrap(), Some(((2, 9), note("2/9"))));
        assert_eq!(reader.last_with_prefix(NOTES, &7_u32).unwrap(), None);
        assert_eq!(reader.last_at_or_before(NOTES, &2_u32, &(2, 4)).unwrap(), Some(((2, 4), note("2/4"))));
    }
    check(&ledger.snapshot().unwrap());
    ledger
        .run(|tx| {
            check(tx);
            Ok(())
        })
        .unwrap();
    let removed_once =
        ledger.run(|tx| Ok(tx.remove(NOTES, &(2, 3))? && !tx.remove(NOTES, &(2, 3))?)).unwrap();
    assert!(removed_once);
    assert_eq!(
        ledger.snapshot().unwrap().last_at_or_before(NOTES, &2_u32, &(2, 3)).unwrap().unwrap().0,
        (2, 2)
    );
    assert_eq!((1_u32, 2_u64).to_bytes(), [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2]);
}

#[test]
fn dropping_the_last_handle_finishes_waiting_commands() {
    let (_folder, path, ledger) = new_ledger();
    for number in 0..50 {
        ledger.submit(
            move |tx| Ok(tx.insert(NOTES, &(1, number), &note("waiting"))?),
            |_: Result<(), LedgerError>| {},
        );
    }
    drop(ledger);
    let ledger = Ledger::open(&path, signing()).unwrap();
    assert_eq!(ledger.snapshot().unwrap().with_prefix(NOTES, &All).unwrap().len(), 50);
}
