//! Files and folders that a ledger cannot work with: the error says what and what to do, and the file is as it was.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use meed_storage::{Ledger, LedgerError, StorageError};

use crate::child::{Running, command, orders, say};
use crate::life::{STEPS, options};
use crate::reading::{Depth, read};
use crate::support::{append, event, genesis, new_ledger_with, scratch};

/// A child's test.
const CHILD: &str = "files::another_process_opens_the_file";
/// The user `nobody` of every Debian.
const NOBODY: &str = "65534";

fn told(error: &LedgerError) -> String {
    let source = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
    format!("error {error}{source} ({})", error.remedy())
}

/// Opens, or makes, the ledger and appends until told to stop; says what came of it.
fn work(verb: &str, path: &Path, batches: u64) -> String {
    let opened = match verb {
        "create" => Ledger::create(path, &genesis(), options()),
        _ => Ledger::open(path, options()),
    };
    let ledger = match opened {
        Ok(ledger) => ledger,
        Err(error) => return told(&error.into()),
    };
    for number in 0..batches {
        let events = (0..50).map(|place| event(1_000 + number * 50 + place)).collect();
        if let Err(error) = ledger.append(crate::support::batch(events)) {
            say(&format!("stored {number}"));
            return told(&error);
        }
    }
    "done".to_owned()
}

/// The child: as orders a verb, how many batches, and a path. Without orders it appends to a ledger of its own.
#[test]
fn another_process_opens_the_file() {
    let Some(orders) = orders() else {
        let (_folder, path, ledger) = new_ledger_with(options());
        drop(ledger);
        assert_eq!(work("open", &path, 2), "done");
        assert!(work("create", &path, 0).starts_with("error expected no file"));
        return;
    };
    let words: Vec<&str> = orders.splitn(3, ' ').collect();
    let [verb, batches, path] = words.as_slice() else { panic!("three orders, got {words:?}") };
    say(&work(verb, Path::new(path), batches.parse().unwrap()));
}

/// What the child says, its last line last.
fn said_by(command: Command) -> Vec<String> {
    let mut running = Running::start(command);
    let mut lines = Vec::new();
    while let Some(line) = running.line() {
        lines.push(line);
    }
    let status = running.process.wait().unwrap();
    assert!(status.success(), "{status}: {lines:?}");
    lines
}

/// The same as a user who may not do everything.
fn said_by_nobody(folder: &Path, orders: &str) -> String {
    let plain = fs::metadata(folder).unwrap().uid() != 0;
    let command = if plain {
        command(None, CHILD, orders)
    } else {
        // Root may write everywhere: the child runs as nobody, from a copy of this program that nobody may run.
        let program = folder.join("child");
        if !program.exists() {
            fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
            fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        }
        let inner = command(Some(&program), CHILD, orders);
        let mut outer = Command::new("setpriv");
        outer.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--"]);
        outer.arg(inner.get_program()).args(inner.get_args()).current_dir("/");
        outer.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        outer
    };
    said_by(command).pop().unwrap()
}

/// A closed ledger in a folder that everybody may enter.
fn closed_ledger() -> (tempfile::TempDir, PathBuf) {
    let (folder, path, ledger) = new_ledger_with(options());
    append(&ledger, 0..20);
    drop(ledger);
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    (folder, path)
}

#[test]
fn a_second_process_is_told_that_the_first_has_it() {
    let (_folder, path) = closed_ledger();
    let ledger = Ledger::open(&path, options()).unwrap();
    let said = said_by(command(None, CHILD, &format!("open 1 {}", path.display()))).pop().unwrap();
    assert!(said.contains("got one that is open already"), "{said}");
    assert!(said.contains("stop the other process"), "{said}");
    append(&ledger, 20..30);
    drop(ledger);
    let said = said_by(command(None, CHILD, &format!("open 1 {}", path.display()))).pop().unwrap();
    assert_eq!(said, "done", "now it is free");
}

#[test]
fn a_file_that_may_not_be_written_is_told_and_left_alone() {
    let (folder, path) = closed_ledger();
    let before = fs::read(&path).unwrap();
    for mode in [0o444, 0o400, 0o000] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let said = said_by_nobody(folder.path(), &format!("open 1 {}", path.display()));
        assert!(
            said.starts_with("error could not ") && said.contains("ermission denied"),
            "{mode:o}: {said}"
        );
        assert!(said.contains("its permissions"), "{mode:o}: {said}");
    }
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(work("open", &path, 1), "done");
}

#[test]
fn a_folder_that_may_not_be_written_is_told() {
    let (folder, path) = closed_ledger();
    let new = folder.path().join("new.redb");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o555)).unwrap();
    let said = said_by_nobody(folder.path(), &format!("create 0 {}", new.display()));
    assert!(said.starts_with("error could not create") && said.contains("ermission denied"), "{said}");
    assert!(said.contains("its permissions"), "{said}");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    assert!(!new.exists() && path.exists());
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("unfinished")), "{left:?}");
}

#[test]
fn a_file_that_may_not_grow_loses_nothing() {
    let (_folder, path) = closed_ledger();
    let blocks = fs::metadata(&path).unwrap().len() / 512 + 40;
    let inner = command(None, CHILD, &format!("open 200 {}", path.display()));
    // The system's own limit on the size of files stands for a disk that is full.
    let mut outer = Command::new("bash");
    outer.args(["-c", &format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", blocks / 2)]);
    outer.arg(inner.get_program()).args(inner.get_args());
    outer.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let lines = said_by(outer);
    let [stored, error] = lines.as_slice() else { panic!("two lines, got {lines:?}") };
    assert!(
        error.starts_with("error could not ") || error.starts_with("error the writer has stopped"),
        "{error}"
    );
    let batches: u64 = stored.strip_prefix("stored ").unwrap().parse().unwrap();
    let ledger = Ledger::open(&path, options()).unwrap();
    let snapshot = ledger.snapshot().unwrap();
    assert_eq!(snapshot.fsck(&mut drop).problems, []);
    for number in (0..20).chain(1_000..1_000 + batches * 50) {
        let found = meed_storage::EventReader::event_index(&snapshot, event(number).id()).unwrap();
        assert!(found.is_some(), "event {number} is lost; {batches} batches were acknowledged");
    }
}

#[test]
fn what_cannot_be_opened_leaves_the_original_as_it_was() {
    let (folder, path) = scratch();
    let ledger = Ledger::create(&path, &genesis(), options()).unwrap();
    STEPS.iter().for_each(|(_, step)| step(&ledger).unwrap());
    let text = read(&ledger.snapshot().unwrap(), Depth::Proofs).unwrap();
    drop(ledger);
    let whole = fs::read(&path).unwrap();
    let cut = folder.path().join("cut.redb");
    for length in [0, 8, 9, 320, 4_096, whole.len() / 2, whole.len() - 1] {
        fs::write(&cut, &whole[..length]).unwrap();
        let error = Ledger::open(&cut, options()).unwrap_err();
        let named = matches!(error, StorageError::NotALedger { .. } | StorageError::Corrupt { .. });
        assert!(named && error.remedy().contains("meed restore"), "{length}: {error}");
        let error = Ledger::create(&cut, &genesis(), options()).unwrap_err();
        assert!(matches!(error, StorageError::AlreadyExists { .. }), "{length}: {error}");
    }
    assert_eq!(fs::read(&path).unwrap(), whole);
    let ledger = Ledger::open(&path, options()).unwrap();
    assert_eq!(read(&ledger.snapshot().unwrap(), Depth::Proofs).unwrap(), text);
}
