//! Checking the engine's part of a ledger: every record, both logs from their entries up, and every index, complete and
//! exact. What the records of epochs mean is checked by the rules.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use meed_audit::event::metadata_hash;
use meed_audit::hash::{Hash, leaf_hash};
use meed_audit::ids::{EventId, ScopeId};
use meed_audit::merkle::{Frontier, TILE_WIDTH, Tile};
use meed_audit::time::Timestamp;
use meed_keys::{KeyName, Note, PublicKey, VerifierKey};
use redb::TableHandle;

use crate::codec::check_seal;
use crate::collect_cursor::CURSORS;
use crate::error::StorageError;
use crate::event_record::{
    CONFLICTS, EVENT_ENTRIES, EVENT_IDS, EVENT_PRIVATE, EntryHead, IdRecord, LogEntry, PrivateRecord, ROUTES,
    RouteIndex, SCOPE_TIMES,
};
use crate::events::{EventReader, for_each_raw_head};
use crate::key::{All, Key};
use crate::log::{CHECKPOINTS, LOG_TILES, LOGS, LogKind, LogRecord};
use crate::meta::NodeRecord;
use crate::snapshot::Snapshot;
use crate::statements::STATEMENT_ENTRIES;
use crate::table::{RawReader, Reader, guard, scan_from};

/// Most problems that a report keeps; the others are counted.
const PROBLEMS_MAX: usize = 1_000;

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The table, or the part of the file.
    pub table: String,
    /// The key in hex, or empty where no single record is meant.
    pub key: String,
    /// What was expected and what came.
    pub detail: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "table {}, key {}: {}", self.table, self.key, self.detail)
    }
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FsckReport {
    /// Records whose checksum was checked.
    pub records: u64,
    /// Entries of the events log that were hashed again.
    pub events: u64,
    /// Entries of the statements log that were hashed again.
    pub statements: u64,
    /// What is wrong, at most the first 1,000.
    pub problems: Vec<Problem>,
    /// Problems in all.
    pub problem_count: u64,
}

impl FsckReport {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.problem_count == 0
    }

    /// Notes a problem.
    pub fn note(&mut self, table: &str, key: &[u8], detail: impl Into<String>) {
        self.note_error(StorageError::corrupt(table, key, detail));
    }

    /// Notes a failure of reading as a problem.
    pub fn note_error(&mut self, error: StorageError) {
        self.problem_count += 1;
        if self.problems.len() >= PROBLEMS_MAX {
            return;
        }
        self.problems.push(match error {
            StorageError::Corrupt { table, key, detail } => Problem { table, key, detail },
            other => Problem { table: "file".to_owned(), key: String::new(), detail: other.to_string() },
        });
    }

    fn take<T>(&mut self, result: Result<T, StorageError>) -> Option<T> {
        result.map_err(|error| self.note_error(error)).ok()
    }
}

impl Snapshot {
    /// Checks the engine's part of the ledger as this view has it. Nothing is changed, and reading goes on after each
    /// problem as far as it can.
    pub fn fsck_engine(&self) -> FsckReport {
        let mut report = FsckReport::default();
        check_seals(self, &mut report);
        let node = report.take(NodeRecord::read(self));
        let events = check_events(self, node.as_ref(), &mut report);
        let statements = check_statements(self, &mut report);
        if let Some(node) = &node {
            for (log, grown) in [(LogKind::Events, events), (LogKind::Statements, statements)] {
                check_checkpoint(self, node, log, &grown, &mut report);
            }
        }
        check_tile_count(self, &mut report);
        check_conflicts(self, &mut report);
        if let Err(error) = self.with_prefix(CURSORS, &All) {
            report.note_error(error);
        }
        report
    }
}

/// Checks every record of every table against its checksum, whatever its type.
fn check_seals(snapshot: &Snapshot, report: &mut FsckReport) {
    let listed = guard("file", || {
        let tables =
            snapshot.inner().list_tables().map_err(|error| StorageError::of_redb("list tables", error))?;
        Ok(tables.map(|table| table.name().to_owned()).collect::<Vec<_>>())
    });
    for name in report.take(listed).unwrap_or_default() {
        let scanned = guard(&name, || {
            snapshot
                .inner()
                .open_table(redb::TableDefinition::<&[u8], &[u8]>::new(&name))
                .map_err(|error| StorageError::of_redb(&format!("open table {name}"), error))
        })
        .and_then(|table| {
            scan_from(
                &name,
                &table,
                (std::ops::Bound::Unbounded, std::ops::Bound::Unbounded),
                false,
                &mut |key, sealed| {
                    report.records += 1;
                    if let Err(error) = check_seal(&name, key, sealed) {
                        report.note_error(error);
                    }
                    Ok(ControlFlow::Continue(()))
                },
            )
        });
        report.take(scanned);
    }
}

/// Grows a log again from its entries and compares each tile that is done with the stored one.
struct Regrown<'a> {
    snapshot: &'a Snapshot,
    log: LogKind,
    frontier: Frontier,
    pending: Vec<Hash>,
    /// Tiles at the edge, which are compared at the end.
    partial: BTreeMap<(u8, u64), Tile>,
}

impl<'a> Regrown<'a> {
    fn new(snapshot: &'a Snapshot, log: LogKind) -> Self {
        Self { snapshot, log, frontier: Frontier::new(), pending: Vec::new(), partial: BTreeMap::new() }
    }

    fn push(&mut self, leaf: Hash, report: &mut FsckReport) {
        self.pending.push(leaf);
        if self.pending.len() == usize::from(TILE_WIDTH) {
            self.settle(report);
        }
    }

    fn settle(&mut self, report: &mut FsckReport) {
        let Ok(changed) = self.frontier.append(&std::mem::take(&mut self.pending)) else { return };
        for (place, tile) in changed {
            if tile.width() == TILE_WIDTH {
                self.partial.remove(&place);
                self.compare(place, &tile, report);
            } else {
                self.partial.insert(place, tile);
            }
        }
    }

    fn compare(&self, (level, index): (u8, u64), expected: &Tile, report: &mut FsckReport) {
        let key = (self.log.number(), level, index);
        match self.snapshot.get(LOG_TILES, &key) {
            Ok(Some(stored)) if stored.0 == *expected => {}
            Ok(Some(_)) => report.note(
                LOG_TILES.name(),
                &key.to_bytes(),
                "expected the hashes of the log's entries, got others",
            ),
            Ok(None) => report.note(LOG_TILES.name(), &key.to_bytes(), "expected a tile, got none"),
            Err(error) => report.note_error(error),
        }
    }

    /// Compares the edge, and gives what the log's record should be.
    fn finish(mut self, report: &mut FsckReport) -> (u64, Hash) {
        self.settle(report);
        for (place, tile) in std::mem::take(&mut self.partial) {
            self.compare(place, &tile, report);
        }
        (self.frontier.size(), self.frontier.root())
    }
}

fn log_record(snapshot: &Snapshot, log: LogKind, report: &mut FsckReport) -> Option<LogRecord> {
    match snapshot.get(LOGS, &log.number()) {
        Ok(Some(record)) => Some(record),
        Ok(None) => {
            report.note(LOGS.name(), &[log.number()], "expected the log's record, got none");
            None
        }
        Err(error) => {
            report.note_error(error);
            None
        }
    }
}

fn check_count(snapshot: &Snapshot, table: &'static str, expected: u64, report: &mut FsckReport) {
    if let Some(got) = report.take(snapshot.raw_len(table))
        && got != expected
    {
        report.note(table, &[], format!("expected {expected} records, got {got}"));
    }
}

/// What the entries of the events log say the indexes must hold.
#[derive(Default)]
struct Expected {
    folded_ids: u64,
    folded_times: u64,
    routes: u64,
    events: u64,
    tail_ids: BTreeSet<EventId>,
}

fn check_events(snapshot: &Snapshot, node: Option<&NodeRecord>, report: &mut FsckReport) -> (u64, Hash) {
    let mut regrown = Regrown::new(snapshot, LogKind::Events);
    let size = log_record(snapshot, LogKind::Events, report).map_or(0, |record| record.size);
    let folded = node.map_or(0, |node| node.folded_index);
    if folded > size {
        report.note("node", &[], format!("expected at most {size} folded entries, got {folded}"));
    }
    let mut expected = Expected::default();
    for index in 0..size {
        let entry = snapshot.event_entry(index).and_then(|entry| {
            entry.ok_or_else(|| {
                StorageError::corrupt(EVENT_ENTRIES.name(), &index.to_bytes(), "expected an entry, got none")
            })
        });
        let Some(entry) = report.take(entry) else {
            // Later hashes would only repeat what is known: the log cannot be grown over a hole.
            continue;
        };
        report.events += 1;
        regrown.push(leaf_hash(&entry.leaf()), report);
        check_entry(snapshot, index, &entry, index < folded, &mut expected, report);
    }
    check_count(snapshot, EVENT_ENTRIES.name(), size, report);
    check_count(snapshot, EVENT_PRIVATE.name(), expected.events, report);
    check_count(snapshot, EVENT_IDS.name(), expected.folded_ids, report);
    check_count(snapshot, SCOPE_TIMES.name(), expected.folded_times, report);
    check_count(snapshot, ROUTES.name(), expected.routes, report);
    regrown.finish(report)
}

fn check_entry(
    snapshot: &Snapshot,
    index: u64,
    entry: &LogEntry,
    folded: bool,
    expected: &mut Expected,
    report: &mut FsckReport,
) {
    match entry {
        LogEntry::Event(event) => {
            expected.events += 1;
            let record = IdRecord {
                index,
                content_hash: event.content_hash(),
                scopes: event.scopes.iter().map(|scope| *scope.as_bytes()).collect(),
            };
            check_content_hash(snapshot, index, &record.content_hash, report);
            check_id(snapshot, &event.id, &record, folded, expected, report);
            for scope in &event.scopes {
                check_time(snapshot, (*scope, event.event_time, index), folded, expected, report);
            }
            check_private(snapshot, index, &event.metadata_hash, report);
        }
        LogEntry::Route { event_index, route } => {
            expected.routes += 1;
            let key = (*event_index, route.scope);
            check_equal(
                snapshot.get(ROUTES, &key),
                &RouteIndex { index },
                ROUTES.name(),
                &key.to_bytes(),
                report,
            );
            match snapshot.event_entry(*event_index) {
                Ok(Some(LogEntry::Event(event))) if event.id == route.event && *event_index < index => {
                    check_time(snapshot, (route.scope, event.event_time, index), folded, expected, report);
                }
                Ok(_) => report.note(
                    EVENT_ENTRIES.name(),
                    &index.to_bytes(),
                    "expected a route to an earlier event, got another",
                ),
                Err(error) => report.note_error(error),
            }
        }
    }
}

fn check_content_hash(snapshot: &Snapshot, index: u64, expected: &Hash, report: &mut FsckReport) {
    let mut stored = None;
    let read = for_each_raw_head(snapshot, index..index.saturating_add(1), &mut |_, head| {
        if let EntryHead::Event(head) = head {
            stored = Some(head.content_hash);
        }
        Ok(ControlFlow::Continue(()))
    });
    if report.take(read).is_some() && stored != Some(*expected) {
        report.note(EVENT_ENTRIES.name(), &index.to_bytes(), "expected the content's hash, got another");
    }
}

fn check_id(
    snapshot: &Snapshot,
    id: &EventId,
    record: &IdRecord,
    folded: bool,
    expected: &mut Expected,
    report: &mut FsckReport,
) {
    if folded {
        expected.folded_ids += 1;
        check_equal(snapshot.get(EVENT_IDS, id), record, EVENT_IDS.name(), &id.to_bytes(), report);
        return;
    }
    let in_tree = report.take(snapshot.contains(EVENT_IDS, id)).unwrap_or(false);
    if in_tree || !expected.tail_ids.insert(id.clone()) {
        report.note(EVENT_IDS.name(), &id.to_bytes(), "expected one event of this id, got two");
    }
}

fn check_time(
    snapshot: &Snapshot,
    key: (ScopeId, Timestamp, u64),
    folded: bool,
    expected: &mut Expected,
    report: &mut FsckReport,
) {
    if !folded {
        return;
    }
    expected.folded_times += 1;
    if report.take(snapshot.contains(SCOPE_TIMES, &key)) == Some(false) {
        report.note(SCOPE_TIMES.name(), &key.to_bytes(), "expected a key, got none");
    }
}

fn check_private(snapshot: &Snapshot, index: u64, expected: &Hash, report: &mut FsckReport) {
    match snapshot.get(EVENT_PRIVATE, &index) {
        Ok(Some(PrivateRecord::Kept { salt, metadata })) if metadata_hash(&salt, &metadata) == *expected => {}
        Ok(Some(PrivateRecord::Erased)) => {}
        Ok(Some(PrivateRecord::Kept { .. })) => {
            report.note(
                EVENT_PRIVATE.name(),
                &index.to_bytes(),
                "expected the metadata of the leaf's hash, got other",
            );
        }
        Ok(None) => report.note(EVENT_PRIVATE.name(), &index.to_bytes(), "expected a record, got none"),
        Err(error) => report.note_error(error),
    }
}

fn check_equal<V: PartialEq>(
    stored: Result<Option<V>, StorageError>,
    expected: &V,
    table: &str,
    key: &[u8],
    report: &mut FsckReport,
) {
    match stored {
        Ok(Some(stored)) if stored == *expected => {}
        Ok(Some(_)) => report.note(table, key, "expected what the log's entry says, got another"),
        Ok(None) => report.note(table, key, "expected a record, got none"),
        Err(error) => report.note_error(error),
    }
}

fn check_statements(snapshot: &Snapshot, report: &mut FsckReport) -> (u64, Hash) {
    let mut regrown = Regrown::new(snapshot, LogKind::Statements);
    let size = log_record(snapshot, LogKind::Statements, report).map_or(0, |record| record.size);
    for index in 0..size {
        match snapshot.get(STATEMENT_ENTRIES, &index) {
            Ok(Some(entry)) => {
                report.statements += 1;
                regrown.push(leaf_hash(&entry.note), report);
            }
            Ok(None) => {
                report.note(STATEMENT_ENTRIES.name(), &index.to_bytes(), "expected an entry, got none")
            }
            Err(error) => report.note_error(error),
        }
    }
    check_count(snapshot, STATEMENT_ENTRIES.name(), size, report);
    regrown.finish(report)
}

/// The log's record must be what its entries give, and the signed checkpoint must say the same.
fn check_checkpoint(
    snapshot: &Snapshot,
    node: &NodeRecord,
    log: LogKind,
    grown: &(u64, Hash),
    report: &mut FsckReport,
) {
    let Some(record) = log_record(snapshot, log, report) else { return };
    if (record.size, record.root) != *grown {
        let detail = format!(
            "expected size {} and root {}, got {} and {}",
            grown.0, grown.1, record.size, record.root
        );
        report.note(LOGS.name(), &[log.number()], detail);
    }
    let Some(Some(checkpoint)) = report.take(snapshot.get(CHECKPOINTS, &log.number())) else { return };
    let origin = node.log_origin(log, record.generation);
    let text = format!("{origin}\n{}\n{}\n", record.size, record.root.to_base64());
    let verified = log_verifier(&node.log_key, &origin).and_then(|key| {
        let note = Note::parse(&checkpoint.note).ok()?;
        (note.text().as_str() == text && note.verify_all(&[key]).is_ok()).then_some(())
    });
    if verified.is_none() {
        report.note(
            CHECKPOINTS.name(),
            &[log.number()],
            "expected the signed size and root of the log, got another note",
        );
    }
}

fn log_verifier(public_key: &[u8; 32], origin: &str) -> Option<VerifierKey> {
    let name: KeyName = origin.parse().ok()?;
    let key = PublicKey::from_bytes(public_key).ok()?;
    Some(VerifierKey::new(name, meed_keys::Algorithm::Ed25519, key))
}

/// No tile stands beyond the logs.
fn check_tile_count(snapshot: &Snapshot, report: &mut FsckReport) {
    let mut expected = 0;
    for log in LogKind::ALL {
        let Ok(Some(record)) = snapshot.get(LOGS, &log.number()) else { return };
        let mut hashes = record.size;
        while hashes > 0 {
            expected += hashes.div_ceil(u64::from(TILE_WIDTH));
            hashes /= u64::from(TILE_WIDTH);
        }
    }
    check_count(snapshot, LOG_TILES.name(), expected, report);
}

fn check_conflicts(snapshot: &Snapshot, report: &mut FsckReport) {
    let Some(conflicts) = report.take(snapshot.conflicts()) else { return };
    for conflict in conflicts {
        let key = (conflict.id.clone(), conflict.content_hash).to_bytes();
        let stored = report.take(snapshot.event_entry(conflict.stored_index)).flatten();
        let stored_is_other = matches!(&stored, Some(LogEntry::Event(event))
            if event.id == conflict.id && event.content_hash() != conflict.content_hash);
        if !stored_is_other
            || conflict.came.id != conflict.id
            || conflict.came.content_hash() != conflict.content_hash
        {
            report.note(
                CONFLICTS.name(),
                &key,
                "expected another content of a stored event, got something else",
            );
        }
    }
}
