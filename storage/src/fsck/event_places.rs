//! Checking that blocks of rows and of indexes follow one another: no row is missing, twice, or out of its place.

use std::ops::{Bound, ControlFlow};

use super::FsckReport;
use crate::event_index::{EVENT_IDS, SCOPE_TIMES, block_key, for_each_pair};
use crate::event_rows::{EVENT_ENTRIES, EVENT_PRIVATE, EVENT_TAIL, open_block};
use crate::key::Key;
use crate::snapshot::Snapshot;
use crate::table::RawReader;

/// How many rows and pairs there must be.
pub(super) struct Places {
    /// Entries of the log.
    pub(super) size: u64,
    /// Entries in blocks; the others are in the tail.
    pub(super) folded: u64,
    /// Folded events.
    pub(super) ids: u64,
    /// Scopes of folded entries.
    pub(super) times: u64,
}

pub(super) fn check_places(snapshot: &Snapshot, expected: &Places, report: &mut FsckReport) {
    check_rows(snapshot, EVENT_ENTRIES, 0..expected.folded, report);
    check_rows(snapshot, EVENT_PRIVATE, 0..expected.folded, report);
    check_rows(snapshot, EVENT_TAIL, expected.folded..expected.size, report);
    check_pairs(snapshot, EVENT_IDS, expected.ids, report);
    check_pairs(snapshot, SCOPE_TIMES, expected.times, report);
}

fn check_rows(
    snapshot: &Snapshot,
    table: &'static str,
    expected: std::ops::Range<u64>,
    report: &mut FsckReport,
) {
    let mut next = expected.start;
    let scanned =
        snapshot.raw_scan(table, (Bound::Unbounded, Bound::Unbounded), false, &mut |key, sealed| {
            // A broken block is named once by its checksum or here, and the next one goes on where it says.
            match open_block(table, key, sealed) {
                Ok(held) => {
                    if held.first != next || held.entries() == 0 {
                        report.note(
                            table,
                            key,
                            format!("expected the rows from {next} on, got another block"),
                        );
                    }
                    next = held.first.saturating_add(held.entries());
                }
                Err(error) => report.note_error(error),
            }
            Ok(ControlFlow::Continue(()))
        });
    if report.take(scanned).is_some() && next != expected.end {
        report.note(table, &next.to_bytes(), format!("expected rows up to {}, got {next}", expected.end));
    }
}

/// Pairs ascend through all blocks, and each stands in the block that is searched for it.
fn check_pairs(snapshot: &Snapshot, table: &'static str, expected: u64, report: &mut FsckReport) {
    let (mut count, mut last) = (0_u64, None);
    let scanned =
        snapshot.raw_scan(table, (Bound::Unbounded, Bound::Unbounded), false, &mut |key, sealed| {
            let mut is_first = true;
            let read = for_each_pair(table, key, sealed, &mut |pair, number| {
                let this = Some((pair.to_vec(), number));
                // A pair before its block's key would be searched for in the block before.
                let in_place = !is_first || block_key(pair, number).as_slice() >= key;
                if last >= this || !in_place {
                    report.note(table, pair, "expected pairs that ascend, got others");
                }
                (last, is_first) = (this, false);
                count = count.saturating_add(1);
                Ok(ControlFlow::Continue(()))
            });
            report.take(read);
            Ok(ControlFlow::Continue(()))
        });
    if report.take(scanned).is_some() && count != expected {
        report.note(table, &[], format!("expected {expected} records, got {count}"));
    }
}
