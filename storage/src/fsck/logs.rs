//! Checking both logs from their entries up: tiles, sizes, roots and signed checkpoints.

use std::collections::BTreeMap;

use meed_audit::hash::{Hash, leaf_hash};
use meed_audit::merkle::{Frontier, TILE_WIDTH, Tile};
use meed_keys::{KeyName, Note, PublicKey, VerifierKey};

use super::{FsckReport, check_count};
use crate::key::Key;
use crate::log::{CHECKPOINTS, LOG_TILES, LOGS, LogKind, LogRecord};
use crate::meta::NodeRecord;
use crate::snapshot::Snapshot;
use crate::statements::STATEMENT_ENTRIES;
use crate::table::Reader;

/// Grows a log again from its entries and compares each tile that is done with the stored one.
pub(super) struct Regrown<'a> {
    snapshot: &'a Snapshot,
    log: LogKind,
    frontier: Frontier,
    pending: Vec<Hash>,
    /// Tiles at the edge, which are compared at the end.
    partial: BTreeMap<(u8, u64), Tile>,
}

impl<'a> Regrown<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, log: LogKind) -> Self {
        Self { snapshot, log, frontier: Frontier::new(), pending: Vec::new(), partial: BTreeMap::new() }
    }

    pub(super) fn push(&mut self, leaf: Hash, report: &mut FsckReport) {
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
    pub(super) fn finish(mut self, report: &mut FsckReport) -> (u64, Hash) {
        self.settle(report);
        for (place, tile) in std::mem::take(&mut self.partial) {
            self.compare(place, &tile, report);
        }
        (self.frontier.size(), self.frontier.root())
    }
}

pub(super) fn log_record(snapshot: &Snapshot, log: LogKind, report: &mut FsckReport) -> Option<LogRecord> {
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

pub(super) fn check_statements(snapshot: &Snapshot, report: &mut FsckReport) -> (u64, Hash) {
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
pub(super) fn check_checkpoint(
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
pub(super) fn check_tile_count(snapshot: &Snapshot, report: &mut FsckReport) {
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
