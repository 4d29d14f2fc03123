//! Damaged, foreign and newer files: each is named with its remedy, and nothing is ever answered wrongly.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod support;

use meed_audit::time::Period;
use meed_storage::testing::FaultyDisk;
use meed_storage::{
    BytesRecord, EventReader, KeyText, Ledger, LogKind, Options, Snapshot, StorageError, Table,
};
use support::{append, at, batch_for, event, new_ledger, new_ledger_with, scope, scratch, signing};

fn options() -> Options {
    Options { fold_events: 40, cache_bytes: 1 << 20, ..signing() }
}

const PAGE_BYTES: usize = 4_096;

/// The bytes of a small ledger that uses every table of the engine.
fn sample() -> Vec<u8> {
    let (_folder, path, ledger) = new_ledger_with(options());
    append(&ledger, 0..45);
    ledger.append(batch_for(vec![event(3), event(50)], vec![scope("other")])).unwrap();
    ledger.run(|tx| Ok(tx.append_statement_entry(b"a note\n")?)).unwrap();
    drop(ledger);
    std::fs::read(path).unwrap()
}

/// Everything that can be asked of the sample, as text.
fn answers(snapshot: &Snapshot) -> Result<String, String> {
    let mut text = String::new();
    let mut say = |answer: &dyn std::fmt::Debug| text.push_str(&format!("{answer:?}\n"));
    let told = |error: &dyn std::error::Error| error.to_string();
    for log in LogKind::ALL {
        say(&snapshot.checkpoint(log).map_err(|error| told(&error))?);
        for index in 0..snapshot.log_size(log).map_err(|error| told(&error))? {
            say(&snapshot.log_entry(log, index).map_err(|error| told(&error))?);
            let size = snapshot.log_size(log).map_err(|error| told(&error))?;
            say(&snapshot.inclusion_path(log, index, size).map_err(|error| told(&error))?);
        }
    }
    for number in 0..55 {
        say(&snapshot.event_by_id(event(number).id()).map_err(|error| told(&error))?);
        say(&snapshot.event_private(number).map_err(|error| told(&error))?);
        say(&snapshot.scopes_of(number).map_err(|error| told(&error))?);
    }
    for key in ["default", "other"] {
        let period = Period { start: at(0), end: at(100) };
        say(&snapshot.window_indexes(scope(key), period, u64::MAX).map_err(|error| told(&error))?);
    }
    say(&snapshot.scopes().map_err(|error| told(&error))?.iter().map(|scope| scope.id).collect::<Vec<_>>());
    Ok(text)
}

#[test]
fn one_flipped_byte_in_any_page_is_named_or_changes_no_answer() {
    let bytes = sample();
    let whole = Ledger::open_with_backend(FaultyDisk::with_bytes(bytes.clone()), options()).unwrap();
    let expected = answers(&whole.snapshot().unwrap()).unwrap();
    drop(whole);
    let (mut refused, mut named, mut free) = (0, 0, 0);
    for page in 0..bytes.len() / PAGE_BYTES {
        let Some(used) = bytes[page * PAGE_BYTES..][..PAGE_BYTES].iter().rposition(|byte| *byte != 0) else {
            continue;
        };
        for place in [0, page * 31 % (used + 1), used / 2, used] {
            let mut damaged = bytes.clone();
            damaged[page * PAGE_BYTES + place] ^= 0x5a;
            let ledger = match Ledger::open_with_backend(FaultyDisk::with_bytes(damaged), options()) {
                Ok(ledger) => ledger,
                Err(error) => {
                    assert!(!error.remedy().is_empty() && !error.to_string().is_empty());
                    refused += 1;
                    continue;
                }
            };
            let snapshot = ledger.snapshot().unwrap();
            let answered = answers(&snapshot);
            if snapshot.fsck_engine().is_sound() {
                assert_eq!(answered.as_ref(), Ok(&expected), "page {page} byte {place}");
                free += 1;
            } else {
                named += 1;
            }
        }
    }
    assert!(refused > 0 && named > 5 && free > 0, "refused {refused}, named {named}, free {free}");
}

#[test]
fn truncated_files_are_refused() {
    let bytes = sample();
    let (_folder, path) = scratch();
    for length in (0..bytes.len()).step_by(bytes.len() / 40 + 1) {
        std::fs::write(&path, &bytes[..length]).unwrap();
        match Ledger::open(&path, options()) {
            Ok(ledger) => {
                // The end of a file may be free pages; then nothing is missing.
                assert!(ledger.snapshot().unwrap().fsck_engine().is_sound(), "{length}");
            }
            Err(error) => {
                let named = matches!(error, StorageError::NotALedger { .. } | StorageError::Corrupt { .. });
                assert!(named, "{length}: {error}");
                assert!(error.remedy().contains("backup"), "{length}: {}", error.remedy());
            }
        }
    }
}

#[test]
fn foreign_files_are_refused_and_left_alone() {
    let (folder, path) = scratch();
    let database = folder.path().join("other.redb");
    let other = redb_file(&database);
    for (name, bytes, got) in [
        ("empty", Vec::new(), "an empty file"),
        ("text", b"SQLite format 3\0 and so on".to_vec(), "a file of another kind"),
        ("database", other, "a redb database of another program"),
    ] {
        std::fs::write(&path, &bytes).unwrap();
        let error = Ledger::open(&path, options()).unwrap_err();
        assert!(matches!(&error, StorageError::NotALedger { got: it, .. } if it == got), "{name}: {error}");
        assert_eq!(std::fs::read(&path).unwrap().len(), bytes.len(), "{name}");
    }
    let error = Ledger::open(folder.path(), options()).unwrap_err();
    assert!(matches!(&error, StorageError::NotALedger { got, .. } if got == "a folder"), "{error}");
}

fn redb_file(path: &std::path::Path) -> Vec<u8> {
    let database = redb::Database::create(path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(redb::TableDefinition::<u64, u64>::new("numbers")).unwrap().insert(1, 2).unwrap();
    transaction.commit().unwrap();
    drop(database);
    std::fs::read(path).unwrap()
}

#[test]
fn another_format_is_refused_with_its_number() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Format {
        version: u32,
    }
    impl meed_storage::Record for Format {}
    const FORMAT: Table<KeyText, Format> = Table::new("meed_format");
    let refused = |version| {
        let (_folder, path, ledger) = new_ledger();
        ledger.run(move |tx| Ok(tx.insert(FORMAT, &"format".parse()?, &Format { version })?)).unwrap();
        drop(ledger);
        Ledger::open(&path, signing()).unwrap_err()
    };
    let newer = refused(9);
    assert!(matches!(newer, StorageError::NewerFormat { found: 9, supported: 3 }), "{newer}");
    assert_eq!(newer.to_string(), "expected ledger format 3, got 9");
    assert!(newer.remedy().contains("newer meed"));
    let older = refused(1);
    assert!(matches!(older, StorageError::OlderFormat { found: 1, supported: 3 }), "{older}");
    assert_eq!(older.to_string(), "expected ledger format 3, got 1, an earlier one");
    assert!(matches!(refused(0), StorageError::Corrupt { .. }));
}

/// Writes into the engine's own tables, as a defect or a meddling hand would.
const ENTRIES: Table<u64, BytesRecord> = Table::new("event_entries");
const PRIVATE: Table<u64, BytesRecord> = Table::new("event_private");
const TAIL: Table<u64, BytesRecord> = Table::new("event_tail");
const IDS: Table<KeyText, BytesRecord> = Table::new("event_ids");
const STATEMENTS: Table<u64, BytesRecord> = Table::new("statement_entries");
const TILES: Table<(u8, u8, u64), BytesRecord> = Table::new("log_tiles");

#[test]
fn fsck_names_what_a_meddling_hand_changed() {
    type Meddle = fn(&mut meed_storage::Transaction) -> Result<(), StorageError>;
    let cases: [(&str, &str, Meddle); 10] = [
        ("a block of entries is gone", "event_entries", |tx| tx.remove(ENTRIES, &0).map(drop)),
        ("the tail is gone", "event_tail", |tx| tx.remove(TAIL, &45).map(drop)),
        ("an entry of the tail too many", "event_tail", |tx| tx.insert(TAIL, &99, &BytesRecord(vec![1]))),
        ("an id too many", "event_ids", |tx| {
            tx.insert(IDS, &"zzz".parse().unwrap(), &BytesRecord(vec![1, 0, 0, 1]))
        }),
        ("an entry too many", "event_entries", |tx| tx.insert(ENTRIES, &99, &BytesRecord(vec![1]))),
        ("a block of private records is gone", "event_private", |tx| tx.remove(PRIVATE, &0).map(drop)),
        ("a private record too many", "event_private", |tx| tx.insert(PRIVATE, &99, &BytesRecord(vec![1]))),
        ("a statement is another", "logs", |tx| tx.insert(STATEMENTS, &0, &BytesRecord(b"a lie\n".to_vec()))),
        ("a tile is gone", "log_tiles", |tx| tx.remove(TILES, &(0, 0, 0)).map(drop)),
        ("a tile too many", "log_tiles", |tx| tx.insert(TILES, &(0, 3, 0), &BytesRecord(vec![1]))),
    ];
    for (name, table, meddle) in cases {
        let ledger = Ledger::open_with_backend(FaultyDisk::with_bytes(sample()), options()).unwrap();
        assert!(ledger.snapshot().unwrap().fsck_engine().is_sound());
        ledger.run(move |tx| Ok(meddle(tx)?)).unwrap();
        let report = ledger.snapshot().unwrap().fsck_engine();
        assert!(
            report.problems.iter().any(|problem| problem.table == table),
            "{name}: {:?}",
            report.problems
        );
    }
}

#[test]
fn a_log_that_shrank_or_changed_is_not_opened() {
    type Meddle = fn(&mut meed_storage::Transaction) -> Result<(), StorageError>;
    let cases: [(&str, Meddle); 2] = [
        ("the edge is gone", |tx| tx.remove(TILES, &(0, 0, 0)).map(drop)),
        ("an entry of the tail is gone", |tx| tx.remove(TAIL, &45).map(drop)),
    ];
    for (name, meddle) in cases {
        let disk = FaultyDisk::with_bytes(sample());
        let ledger = Ledger::open_with_backend(disk.clone(), options()).unwrap();
        ledger.run(move |tx| Ok(meddle(tx)?)).unwrap();
        drop(ledger);
        let error = Ledger::open_with_backend(FaultyDisk::with_bytes(disk.bytes()), options()).unwrap_err();
        assert!(matches!(error, StorageError::Corrupt { .. }), "{name}: {error}");
    }
}
