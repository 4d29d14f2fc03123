//! Crashes at every change of a small life, through a disk that fails: what was acknowledged is there, the rest is
//! wholly there or wholly absent, and going on ends where an undisturbed life ends.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::io::ErrorKind;

use meed_audit::hash::Hash;
use meed_storage::testing::{Fault, FaultyDisk, Loss, When};
use meed_storage::{
    By, Cursor, CursorKey, CursorUpdate, EventReader, Ledger, LedgerError, LogKind, Options, Snapshot,
    StorageError, cursor,
};
use support::{at, batch, batch_for, checked, event, fields, genesis, scope, signing, terms};

fn options() -> Options {
    Options { fold_events: 7, cache_bytes: 1 << 20, ..signing() }
}

const STEPS: u64 = 7;
const BATCH: u64 = 3;

/// One command of the life; doing it again changes nothing.
fn step(ledger: &Ledger, number: u64) -> Result<(), LedgerError> {
    if number == 0 {
        return ledger.add_scope(terms("default"), By::new("operator".parse().unwrap(), at(0))).map(drop);
    }
    if number == 1 {
        return ledger.add_scope(terms("other"), By::new("operator".parse().unwrap(), at(0))).map(drop);
    }
    let start = (number - 2) * BATCH;
    let mut events: Vec<_> = (start..start + BATCH).map(event).collect();
    let mut scopes = vec![scope("default")];
    if number == 4 {
        // A conflict, and a route for an event that is stored already.
        let mut other = fields(1);
        other.payload_hash = Hash::of(b"edited");
        events.push(checked(other));
    }
    if number == 5 {
        events.push(event(0));
        scopes.push(scope("other"));
    }
    ledger.append(batch_for(events, scopes).with_cursor(update(number)))?;
    if number == 3 {
        ledger.run(|tx| {
            if tx.log_state(LogKind::Statements)?.size == 0 {
                tx.append_statement_entry(b"a note\n")?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn update(number: u64) -> CursorUpdate {
    let key = CursorKey {
        scope: scope("default"),
        source: "github".parse().unwrap(),
        stream: "pulls".parse().unwrap(),
        source_ref: "7".parse().unwrap(),
    };
    CursorUpdate { key, cursor: Cursor { order: number, token: number.to_string() } }
}

/// Lives until the end or the first failure, and says how many steps were acknowledged; none where not even the ledger
/// could be made.
fn live(disk: &FaultyDisk) -> (Option<u64>, Option<StorageError>) {
    let ledger = match Ledger::create_with_backend(disk.clone(), &genesis(), options()) {
        Ok(ledger) => ledger,
        Err(error) => return (None, Some(error)),
    };
    for number in 0..STEPS {
        match step(&ledger, number) {
            Ok(()) => {}
            Err(LedgerError::Storage(error)) => return (Some(number), Some(error)),
            Err(LedgerError::Rejected(rejection)) => panic!("step {number}: {rejection}"),
        }
    }
    (Some(STEPS), None)
}

/// How many steps of the life a ledger has, each checked to be there as a whole.
fn steps_there(snapshot: &Snapshot) -> u64 {
    let scopes = u64::try_from(snapshot.scopes().unwrap().len()).unwrap();
    let mut there = scopes;
    for number in 2..STEPS {
        let start = (number - 2) * BATCH;
        let found: Vec<bool> =
            (start..start + BATCH).map(|n| snapshot.event_index(event(n).id()).unwrap().is_some()).collect();
        assert!(found.iter().all(|is| *is == found[0]), "step {number} is there in part: {found:?}");
        if found[0] {
            assert_eq!(there, number, "step {number} is there before an earlier one");
            there = number + 1;
        }
    }
    let cursor = cursor(snapshot, &update(0).key).unwrap().map(|cursor| cursor.order);
    assert_eq!(cursor, (there > 2).then(|| there - 1), "the cursor moved with its batch");
    assert_eq!(snapshot.conflicts().unwrap().len(), usize::from(there > 4));
    let routes = snapshot
        .event_by_id(event(0).id())
        .unwrap()
        .map(|(index, _)| snapshot.scopes_of(index).unwrap().len());
    assert_eq!(
        routes,
        if there > 5 {
            Some(2)
        } else if there > 2 {
            Some(1)
        } else {
            None
        }
    );
    there
}

fn finished_root() -> Hash {
    let disk = FaultyDisk::new();
    assert_eq!(live(&disk).0, Some(STEPS));
    let ledger = Ledger::open_with_backend(disk, options()).unwrap();
    ledger.snapshot().unwrap().log_state(LogKind::Events).unwrap().root
}

#[test]
fn a_crash_at_every_change_loses_nothing_acknowledged() {
    let whole = FaultyDisk::new();
    assert_eq!(live(&whole).0, Some(STEPS));
    let changes = whole.changes();
    let root = finished_root();
    assert!(changes > 100, "the life has {changes} changes");
    for (at, when) in (0..changes).flat_map(|at| [(at, When::Before), (at, When::After)]) {
        let disk = FaultyDisk::new();
        disk.fail(Fault { at, when, kind: ErrorKind::Other });
        let (acknowledged, failure) = live(&disk);
        for loss in [Loss::Nothing, Loss::Everything, Loss::Some(at)] {
            check_after_crash(
                &disk,
                loss,
                acknowledged,
                root,
                &format!("change {at} {when:?} {loss:?} {failure:?}"),
            );
        }
    }
}

fn check_after_crash(disk: &FaultyDisk, loss: Loss, acknowledged: Option<u64>, root: Hash, context: &str) {
    let image = FaultyDisk::with_bytes(disk.after_crash(loss));
    let ledger = match (Ledger::open_with_backend(image, options()), acknowledged) {
        (Ok(ledger), _) => ledger,
        (Err(error), None) => {
            assert!(
                matches!(error, StorageError::NotALedger { .. } | StorageError::Corrupt { .. }),
                "{context}: {error}"
            );
            return;
        }
        (Err(error), Some(_)) => panic!("{context}: {error}"),
    };
    let snapshot = ledger.snapshot().unwrap();
    let report = snapshot.fsck_engine();
    assert!(report.is_sound(), "{context}: {:?}", report.problems);
    let there = steps_there(&snapshot);
    let acknowledged = acknowledged.unwrap_or(0);
    assert!(
        (acknowledged..=acknowledged + 1).contains(&there),
        "{context}: {there} of {acknowledged} acknowledged"
    );
    drop(snapshot);
    for number in 0..STEPS {
        step(&ledger, number).unwrap_or_else(|error| panic!("{context}: step {number} again: {error}"));
    }
    let snapshot = ledger.snapshot().unwrap();
    assert_eq!(snapshot.log_state(LogKind::Events).unwrap().root, root, "{context}");
    assert!(snapshot.checkpoint(LogKind::Events).is_ok() && snapshot.fsck_engine().is_sound(), "{context}");
}

#[test]
fn a_full_disk_stops_the_writer_and_loses_nothing() {
    let disk = FaultyDisk::new();
    let ledger = Ledger::create_with_backend(disk.clone(), &genesis(), options()).unwrap();
    (0..4).for_each(|number| step(&ledger, number).unwrap());
    disk.fail(Fault { at: disk.changes(), when: When::Before, kind: ErrorKind::StorageFull });
    let full = step(&ledger, 4).unwrap_err();
    assert!(matches!(full, LedgerError::Storage(StorageError::DiskFull { .. })), "{full}");
    assert!(full.remedy().contains("free space"), "{}", full.remedy());
    let stopped = step(&ledger, 5).unwrap_err();
    assert!(matches!(stopped, LedgerError::Storage(StorageError::WriterStopped { .. })), "{stopped}");
    assert!(stopped.to_string().contains("the disk is full"), "{stopped}");
    let refusals: Vec<_> = (0..3).map(|_| step(&ledger, 6).unwrap_err()).collect();
    assert!(
        refusals
            .iter()
            .all(|error| matches!(error, LedgerError::Storage(StorageError::WriterStopped { .. })))
    );
    drop(ledger);
    let ledger = Ledger::open_with_backend(FaultyDisk::with_bytes(disk.bytes()), options()).unwrap();
    let there = steps_there(&ledger.snapshot().unwrap());
    assert!((4..=5).contains(&there), "{there}");
    (4..STEPS).for_each(|number| step(&ledger, number).unwrap());
}

#[test]
fn readers_go_on_when_the_writer_has_stopped() {
    let disk = FaultyDisk::new();
    let ledger = Ledger::create_with_backend(disk.clone(), &genesis(), options()).unwrap();
    (0..4).for_each(|number| step(&ledger, number).unwrap());
    let before = ledger.snapshot().unwrap();
    disk.fail(Fault { at: disk.changes() + 3, when: When::After, kind: ErrorKind::Other });
    step(&ledger, 4).unwrap_err();
    assert_eq!(steps_there(&before), 4);
}

#[test]
fn thirty_two_writers_of_single_events_all_get_their_place() {
    let disk = FaultyDisk::new();
    let ledger = Ledger::create_with_backend(disk.clone(), &genesis(), options()).unwrap();
    step(&ledger, 0).unwrap();
    let before = disk.changes();
    std::thread::scope(|threads| {
        for thread in 0..32 {
            let ledger = ledger.clone();
            threads.spawn(move || {
                for number in 0..10 {
                    let report = ledger.append(batch(vec![event(thread * 10 + number)])).unwrap();
                    assert_eq!(report.stored(), 1);
                }
            });
        }
    });
    let snapshot = ledger.snapshot().unwrap();
    assert_eq!(snapshot.log_size(LogKind::Events).unwrap(), 320);
    let mut indexes: Vec<_> =
        (0..320).map(|n| snapshot.event_index(event(n).id()).unwrap().unwrap()).collect();
    indexes.sort_unstable();
    assert_eq!(indexes, (0..320).collect::<Vec<_>>());
    assert!(snapshot.fsck_engine().is_sound());
    let alone = disk.changes() - before;
    assert!(alone < 320 * 20, "grouped commits took {alone} changes of the disk");
}

#[test]
fn a_disk_that_fails_while_it_is_read_is_told() {
    let disk = FaultyDisk::new();
    assert_eq!(live(&disk).0, Some(STEPS));
    let bytes = disk.bytes();
    for length in [0, 1, 100, 4_096, 8_192, bytes.len() / 2, bytes.len() - 4_096] {
        let cut = FaultyDisk::with_bytes(bytes[..length].to_vec());
        let error = Ledger::open_with_backend(cut, options()).unwrap_err();
        let named = matches!(
            error,
            StorageError::NotALedger { .. } | StorageError::Corrupt { .. } | StorageError::Io { .. }
        );
        assert!(named, "{length}: {error}");
    }
}

#[test]
fn duplicates_alone_write_nothing() {
    let disk = FaultyDisk::new();
    let ledger = Ledger::create_with_backend(disk.clone(), &genesis(), options()).unwrap();
    step(&ledger, 0).unwrap();
    for count in [5, 200] {
        let events = || (0..count).map(event).collect::<Vec<_>>();
        ledger.append(batch(events())).unwrap();
        // A fold may follow the reply; an empty command waits until it is done.
        ledger.run(|_| Ok(())).unwrap();
        let before = disk.changes();
        assert_eq!(ledger.append(batch(events())).unwrap().stored(), 0);
        ledger.run(|_| Ok(())).unwrap();
        assert_eq!(disk.changes(), before, "{count} duplicates");
    }
}
