//! Checking the engine's part of a ledger: every record, both logs from their entries up, and every index, complete and
//! exact. What the records of epochs mean is checked by the rules.

mod conflicts;
mod event_places;
mod events;
mod logs;

use std::ops::ControlFlow;

use redb::TableHandle;

use crate::codec::check_seal;
use crate::collect_cursor::CURSORS;
use crate::error::StorageError;
use crate::key::All;
use crate::log::LogKind;
use crate::meta::NodeRecord;
use crate::snapshot::Snapshot;
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
        let events = events::check_events(self, node.as_ref(), &mut report);
        let statements = logs::check_statements(self, &mut report);
        if let Some(node) = &node {
            for (log, grown) in [(LogKind::Events, events), (LogKind::Statements, statements)] {
                logs::check_checkpoint(self, node, log, &grown, &mut report);
            }
        }
        logs::check_tile_count(self, &mut report);
        conflicts::check_conflicts(self, &mut report);
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

fn check_count(snapshot: &Snapshot, table: &'static str, expected: u64, report: &mut FsckReport) {
    if let Some(got) = report.take(snapshot.raw_len(table))
        && got != expected
    {
        report.note(table, &[], format!("expected {expected} records, got {got}"));
    }
}
