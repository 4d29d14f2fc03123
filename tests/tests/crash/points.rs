//! Every change that a life makes to its disk fails once, or is the last before the power goes. What was acknowledged
//! is there then, what was not is wholly there or wholly absent, and the life goes on to the same end.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::sync::Mutex;

use meed_audit::hash::Hash;
use meed_storage::testing::{Fault, FaultyDisk, Loss, When};
use meed_storage::{Ledger, LedgerError, StorageError};

use crate::life::{STEPS, options};
use crate::reading::{Depth, first_difference, read};
use crate::support::genesis;

/// One image in so many is checked by all rules, and its end is read with all proofs.
const PROOFS_EVERY: u64 = 16;

/// The undisturbed life: how many changes it makes, and all that can be read after each number of steps.
struct Undisturbed {
    changes: u64,
    states: Vec<String>,
    end_with_proofs: String,
}

/// What an image was found to hold: nothing that opens, or this many steps.
type Found = Option<usize>;

fn undisturbed() -> Undisturbed {
    let disk = FaultyDisk::new();
    let ledger = Ledger::create_with_backend(disk.clone(), &genesis(), options()).unwrap();
    let now = || read(&ledger.snapshot().unwrap(), Depth::Records).unwrap();
    let mut states = vec![now()];
    for (name, step) in STEPS {
        step(&ledger).unwrap_or_else(|error| panic!("{name}: {error}"));
        states.push(now());
        let [.., before, after] = states.as_slice() else { panic!("two states") };
        assert_ne!(before, after, "{name} changes nothing that can be read");
    }
    let end_with_proofs = read(&ledger.snapshot().unwrap(), Depth::Proofs).unwrap();
    drop(ledger);
    Undisturbed { changes: disk.changes(), states, end_with_proofs }
}

/// Lives on from a step until the end or the first failure, and says how many steps were acknowledged.
fn live(ledger: &Ledger, from: usize) -> (usize, Option<StorageError>) {
    for (number, (name, step)) in STEPS.iter().enumerate().skip(from) {
        match step(ledger) {
            Ok(()) => {}
            Err(LedgerError::Storage(error)) => return (number, Some(error)),
            Err(LedgerError::Rejected(refusal)) => panic!("{name}: {refusal}"),
        }
    }
    (STEPS.len(), None)
}

/// A life on a disk that fails; none where not even the ledger could be made.
fn disturbed(disk: &FaultyDisk, context: &str) -> Option<usize> {
    let ledger = Ledger::create_with_backend(disk.clone(), &genesis(), options()).ok()?;
    let (acknowledged, failure) = live(&ledger, 0);
    let Some(failure) = failure else { return Some(acknowledged) };
    assert!(!failure.remedy().is_empty());
    // What is on the disk is unknown now: nothing more may be acknowledged.
    let (more, failure) = live(&ledger, acknowledged);
    assert_eq!(more, acknowledged, "{context}: a command after the failure was acknowledged");
    assert!(matches!(failure, Some(StorageError::WriterStopped { .. })), "{context}: {failure:?}");
    Some(acknowledged)
}

/// Opens an image, finds how far its life is, and lives on to the end.
fn examine(image: Vec<u8>, undisturbed: &Undisturbed, depth: Depth, context: &str) -> Found {
    let ledger = match Ledger::open_with_backend(FaultyDisk::with_bytes(image), options()) {
        Ok(ledger) => ledger,
        Err(StorageError::NotALedger { .. } | StorageError::Corrupt { .. }) => return None,
        Err(error) => panic!("{context}: {error}"),
    };
    let snapshot = ledger.snapshot().unwrap();
    let report = match depth {
        Depth::Records => snapshot.fsck_engine(),
        Depth::Proofs => snapshot.fsck(&mut drop),
    };
    assert_eq!(report.problems, [], "{context}");
    let text = read(&snapshot, Depth::Records).unwrap_or_else(|error| panic!("{context}: {error}"));
    drop(snapshot);
    let Some(there) = undisturbed.states.iter().position(|state| *state == text) else {
        let difference = |state: &String| first_difference(state, &text);
        let differences: Vec<_> = undisturbed.states.iter().map(difference).collect();
        panic!(
            "{context}: expected a whole number of steps, got something else:\n{}",
            differences.join("\n")
        );
    };
    let (lived, failure) = live(&ledger, there);
    assert_eq!((lived, failure.map(|error| error.to_string())), (STEPS.len(), None), "{context}");
    let end = read(&ledger.snapshot().unwrap(), depth).unwrap();
    let expected = match depth {
        Depth::Records => undisturbed.states.last().unwrap(),
        Depth::Proofs => &undisturbed.end_with_proofs,
    };
    assert!(end == *expected, "{context}: another end:\n{}", first_difference(expected, &end));
    Some(there)
}

/// The images that were examined, by their hash: many faults leave the same.
#[derive(Default)]
struct Examined(Mutex<HashMap<Hash, Found>>);

impl Examined {
    fn examine(&self, image: Vec<u8>, life: &Undisturbed, depth: Depth, context: &str) -> Found {
        let hash = Hash::of(&image);
        let known = self.0.lock().unwrap().get(&hash).copied();
        known.unwrap_or_else(|| {
            let found = examine(image, life, depth, context);
            self.0.lock().unwrap().insert(hash, found);
            found
        })
    }
}

/// One change fails in each way; gives how many images were checked.
fn fail_at(at: u64, life: &Undisturbed, examined: &Examined) -> usize {
    let depth = if at.is_multiple_of(PROOFS_EVERY) { Depth::Proofs } else { Depth::Records };
    let mut checked = 0;
    for (when, once, losses) in [
        (When::Before, false, &[Loss::Nothing, Loss::Everything, Loss::Some(at), Loss::Some(!at)][..]),
        (When::Before, true, &[Loss::Nothing]),
        (When::After, true, &[Loss::Nothing, Loss::Everything]),
    ] {
        let context = format!("change {at} fails {when:?}, once: {once}");
        let disk = FaultyDisk::new();
        let fault = Fault { at, when, kind: ErrorKind::Other };
        if once {
            disk.fail_once(fault)
        } else {
            disk.fail(fault)
        }
        let acknowledged = disturbed(&disk, &context);
        for loss in losses {
            let context = format!("{context}, the crash loses {loss:?}, {acknowledged:?} acknowledged");
            let found = examined.examine(disk.after_crash(*loss), life, depth, &context);
            let whole = match (acknowledged, found) {
                (Some(acknowledged), Some(found)) => (acknowledged..=acknowledged + 1).contains(&found),
                (None, found) => found.is_none_or(|found| found == 0),
                (Some(_), None) => false,
            };
            assert!(whole, "{context}: found {found:?} steps");
            checked += 1;
        }
    }
    checked
}

#[test]
fn every_change_of_a_life_may_fail_or_be_the_last() {
    let life = undisturbed();
    assert!(life.changes > 500, "the life makes {} changes", life.changes);
    let examined = Examined::default();
    let checked: usize = std::thread::scope(|threads| {
        let halves = [0, 1].map(|half| {
            let (life, examined) = (&life, &examined);
            let changes = (0..life.changes).filter(move |at| at % 2 == half);
            threads.spawn(move || changes.map(|at| fail_at(at, life, examined)).sum::<usize>())
        });
        halves.into_iter().map(|half| half.join().unwrap()).sum()
    });
    let images = examined.0.lock().unwrap().len();
    println!(
        "{} changes of {} steps: {checked} crashes, {images} different images",
        life.changes,
        STEPS.len()
    );
}

#[test]
fn every_step_may_meet_a_full_disk() {
    let life = undisturbed();
    let mut full = 0;
    for blocks in 0..60 {
        let context = format!("room for {blocks} blocks");
        let disk = FaultyDisk::new();
        let ledger = Ledger::create_with_backend(disk.clone(), &genesis(), options()).unwrap();
        disk.leave_room(Some(blocks));
        let (acknowledged, failure) = live(&ledger, 0);
        drop(ledger);
        if let Some(failure) = failure {
            let told = matches!(failure, StorageError::DiskFull { .. })
                || matches!(&failure, StorageError::WriterStopped { reason } if reason.contains("the disk is full"));
            assert!(told, "{context}: {failure}");
            full += 1;
        }
        // Somebody made room.
        let found = examine(disk.bytes(), &life, Depth::Records, &context);
        let whole = found.is_some_and(|found| (acknowledged..=acknowledged + 1).contains(&found));
        assert!(whole, "{context}: {acknowledged} acknowledged, found {found:?}");
    }
    assert!(full > 10, "the disk was full {full} times");
}
