//! Backups, restores, resuming, compaction: what they keep, what they refuse.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod support;

use meed_audit::RejectionCode;
use meed_storage::{EventReader, Ledger, LedgerError, LogKind, Options, StorageError};
use support::{append, event, log_key, new_ledger_with, signing};

fn options() -> Options {
    Options { fold_events: 20, ..signing() }
}

#[test]
fn a_backup_of_a_busy_ledger_is_one_moment_of_it() {
    let (folder, _path, ledger) = new_ledger_with(options());
    append(&ledger, 0..50);
    let backup = folder.path().join("backup.redb");
    let mut seen = Vec::new();
    let report = std::thread::scope(|threads| {
        let busy = threads.spawn(|| (50..80).for_each(|number| drop(append(&ledger, number..number + 1))));
        let report = ledger.backup(&backup, &mut |progress| seen.push(progress)).unwrap();
        busy.join().unwrap();
        report
    });
    assert!(report.events >= 50);
    assert_eq!(seen.first().unwrap().done, 0);
    assert_eq!(seen.last().unwrap().done, seen.last().unwrap().total);
    assert_eq!(seen.last().unwrap().done, report.records);
    let copy = Ledger::open(&backup, options()).unwrap();
    let (copy, original) = (copy.snapshot().unwrap(), ledger.snapshot().unwrap());
    assert_eq!(copy.log_size(LogKind::Events).unwrap(), report.events);
    assert_eq!(
        copy.log_state(LogKind::Events).unwrap().root,
        original.log_root(LogKind::Events, report.events).unwrap()
    );
    assert!(copy.fsck_engine().is_sound(), "{:?}", copy.fsck_engine().problems);
    assert_eq!(copy.event_by_id(event(7).id()).unwrap(), original.event_by_id(event(7).id()).unwrap());
}

#[test]
fn a_backup_holds_no_secret_key() {
    let (folder, path, ledger) = new_ledger_with(options());
    append(&ledger, 0..5);
    let backup = folder.path().join("backup.redb");
    ledger.backup(&backup, &mut |_| {}).unwrap();
    drop(ledger);
    let seed = log_key().seed();
    for file in [path, backup] {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(seed.len()).any(|window| window == seed.as_slice()), "{}", file.display());
    }
}

#[test]
fn a_restored_ledger_reads_but_changes_nothing_until_it_is_resumed() {
    let (folder, _path, ledger) = new_ledger_with(options());
    append(&ledger, 0..30);
    let (backup, restored) = (folder.path().join("backup.redb"), folder.path().join("restored.redb"));
    ledger.backup(&backup, &mut |_| {}).unwrap();
    let published = ledger.snapshot().unwrap().checkpoint(LogKind::Events).unwrap();
    let report = Ledger::restore(&backup, &restored, &mut |_| {}).unwrap();
    assert_eq!((report.events, report.statements), (30, 0));
    for place in [&backup, &restored] {
        let ledger = Ledger::open(place, options()).unwrap();
        assert!(ledger.snapshot().unwrap().is_restored().unwrap());
        assert_eq!(ledger.snapshot().unwrap().checkpoint(LogKind::Events).unwrap(), published);
        let refused = ledger.append(support::batch(vec![event(30)])).unwrap_err();
        assert_eq!(refused.rejection().unwrap().code, RejectionCode::LedgerRestored);
    }
    let ledger = Ledger::open(&restored, options()).unwrap();
    for (events, statements) in [(31, 0), (30, 1)] {
        let behind = ledger.resume(events, statements).unwrap_err();
        assert_eq!(behind.rejection().unwrap().code, RejectionCode::LedgerBehind);
    }
    ledger.resume(30, 0).unwrap();
    assert_eq!(ledger.resume(30, 0).unwrap_err().rejection().unwrap().code, RejectionCode::NothingToChange);
    append(&ledger, 30..31);
    drop(ledger);
    let ledger = Ledger::open(&restored, options()).unwrap();
    let snapshot = ledger.snapshot().unwrap();
    assert!(!snapshot.is_restored().unwrap() && snapshot.fsck_engine().is_sound());
    assert_eq!(snapshot.log_size(LogKind::Events).unwrap(), 31);
    assert!(snapshot.checkpoint(LogKind::Events).unwrap().contains("\n31\n"));
}

#[test]
fn copies_never_overwrite_and_need_a_ledger() {
    let (folder, path, ledger) = new_ledger_with(options());
    let exists = ledger.backup(&path, &mut |_| {}).unwrap_err();
    assert!(matches!(exists, StorageError::AlreadyExists { .. }), "{exists}");
    let nowhere = folder.path().join("no").join("such").join("folder.redb");
    let missing = ledger.backup(&nowhere, &mut |_| {}).unwrap_err();
    assert!(matches!(missing, StorageError::Io { .. }), "{missing}");
    let target = folder.path().join("target.redb");
    let absent = Ledger::restore(folder.path().join("absent.redb"), &target, &mut |_| {}).unwrap_err();
    assert!(matches!(absent, StorageError::NotFound { .. }), "{absent}");
    let foreign = folder.path().join("foreign.redb");
    std::fs::write(&foreign, b"something else").unwrap();
    let error = Ledger::restore(&foreign, &target, &mut |_| {}).unwrap_err();
    assert!(matches!(error, StorageError::NotALedger { .. }), "{error}");
    assert!(!target.exists() && !folder.path().join("target.redb.unfinished").exists());
}

#[test]
fn compacting_gives_pages_back_and_keeps_everything() {
    let (_folder, path, ledger) = new_ledger_with(options());
    for start in 0..20 {
        append(&ledger, start * 20..start * 20 + 20);
    }
    let before = ledger.snapshot().unwrap();
    let state = before.log_state(LogKind::Events).unwrap();
    let busy = ledger.compact().unwrap_err();
    assert!(matches!(busy, LedgerError::Storage(StorageError::Busy { .. })), "{busy}");
    drop(before);
    let length = std::fs::metadata(&path).unwrap().len();
    assert!(ledger.compact().unwrap());
    assert!(std::fs::metadata(&path).unwrap().len() < length);
    append(&ledger, 400..401);
    let snapshot = ledger.snapshot().unwrap();
    assert_eq!(snapshot.log_root(LogKind::Events, 400).unwrap(), state.root);
    assert!(snapshot.fsck_engine().is_sound());
    drop(snapshot);
    assert!(ledger.check_pages().unwrap());
}
