//! The two Merkle logs of a node: their rows, their right edges, and their checkpoints.
//!
//! A log grows in the transaction of what it records. Its tiles, its size and root, and its signed checkpoint are
//! written by the same commit, so that none of them can run ahead of what is durable.

use meed_audit::hash::Hash;
use meed_audit::merkle::{self, Frontier, PathError, Tile, TileSource};
use serde::{Deserialize, Serialize};

use crate::codec::Record;
use crate::error::StorageError;
use crate::table::{RawReader, Reader, Table};
use crate::tiles::{TableTiles, TileRecord};

/// Which log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogKind {
    /// Every raw event, and every later claim of a scope on one.
    Events,
    /// Every statement and approver set, as signed notes.
    Statements,
}

impl LogKind {
    /// Both logs.
    pub const ALL: [Self; 2] = [Self::Events, Self::Statements];

    /// The name in the log's origin.
    pub fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Statements => "statements",
        }
    }

    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Events => 0,
            Self::Statements => 1,
        }
    }
}

/// The size and root of a log at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogState {
    /// Entries.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Hash,
}

/// What is stored about a log besides its entries and tiles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogRecord {
    /// Counts the trees of this log from 1.
    pub(crate) generation: u32,
    pub(crate) size: u64,
    pub(crate) root: Hash,
}

impl Record for LogRecord {}

impl LogRecord {
    pub(crate) fn state(&self) -> LogState {
        LogState { size: self.size, root: self.root }
    }
}

/// A signed checkpoint as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CheckpointRecord {
    pub(crate) size: u64,
    pub(crate) note: String,
}

impl Record for CheckpointRecord {}

/// One record a log, by its number.
pub(crate) const LOGS: Table<u8, LogRecord> = Table::new("logs");
/// The newest signed checkpoint of each log, by the log's number.
pub(crate) const CHECKPOINTS: Table<u8, CheckpointRecord> = Table::new("log_checkpoints");
/// The tiles of both logs, by log number, level and index.
pub(crate) const LOG_TILES: Table<(u8, u8, u64), TileRecord> = Table::new("log_tiles");

fn tiles<R: RawReader + ?Sized>(reader: &R, log: LogKind) -> impl TileSource<Error = StorageError> {
    TableTiles::new(reader, LOG_TILES, move |level, index| (log.number(), level, index))
}

/// What a failure to make a path means.
pub(crate) fn path_error(log: LogKind, error: PathError<StorageError>) -> crate::LedgerError {
    use meed_audit::{Rejection, RejectionCode};
    let subject = format!("{} log", log.name());
    let beyond =
        |expected: String, got: u64| Rejection::new(RejectionCode::BeyondLog, subject, expected, got).into();
    match error {
        PathError::Source(error) => error.into(),
        PathError::IndexOutOfRange { index, size } => beyond(format!("an index below {size}"), index),
        PathError::SizesOutOfOrder { old_size, new_size } => {
            beyond(format!("an older size up to {new_size}"), old_size)
        }
        PathError::SizeTooLarge { size } => beyond("a smaller size".to_owned(), size),
        PathError::TileTooNarrow { .. } => {
            StorageError::corrupt(LOG_TILES.name(), &[], error.to_string()).into()
        }
    }
}

/// The growing end of a log inside a group of commands: what is on disk, and what the group adds.
#[derive(Clone, Debug)]
pub(crate) struct LogEdge {
    pub(crate) generation: u32,
    frontier: Frontier,
    /// Leaf hashes after the frontier, whose tiles are not written yet.
    pending: Vec<Hash>,
}

impl LogEdge {
    /// Reads the edge from the tiles and compares it with the stored size and root.
    pub(crate) fn load(reader: &impl RawReader, log: LogKind) -> Result<Self, StorageError> {
        let record = reader.get(LOGS, &log.number())?.ok_or_else(|| {
            StorageError::corrupt(LOGS.name(), &[log.number()], "expected the log's record, got none")
        })?;
        let frontier = Frontier::load(&tiles(reader, log), record.size).map_err(|error| {
            let detail =
                format!("expected the {} log's right edge at size {}: {error}", log.name(), record.size);
            StorageError::corrupt(LOG_TILES.name(), &[], detail)
        })?;
        if frontier.root() != record.root {
            let detail =
                format!("expected root {} at size {}, got {}", record.root, record.size, frontier.root());
            return Err(StorageError::corrupt(LOG_TILES.name(), &[], detail));
        }
        Ok(Self { generation: record.generation, frontier, pending: Vec::new() })
    }

    /// An edge without leaves.
    pub(crate) fn first() -> Self {
        Self { generation: 1, frontier: Frontier::new(), pending: Vec::new() }
    }

    /// Entries, those of the group included.
    pub(crate) fn size(&self) -> u64 {
        self.frontier.size().saturating_add(u64::try_from(self.pending.len()).unwrap_or(u64::MAX))
    }

    /// Adds a leaf and gives its index.
    pub(crate) fn push(&mut self, leaf_hash: Hash) -> u64 {
        let index = self.size();
        self.pending.push(leaf_hash);
        index
    }

    /// Size and root, those of the group included.
    pub(crate) fn state(&self) -> Result<LogState, StorageError> {
        let mut grown = self.frontier.clone();
        grown.append(&self.pending).map_err(|error| StorageError::internal(error.to_string()))?;
        Ok(LogState { size: grown.size(), root: grown.root() })
    }

    /// Takes the pending leaves into the edge and gives the tiles to write.
    pub(crate) fn settle(&mut self) -> Result<std::collections::BTreeMap<(u8, u64), Tile>, StorageError> {
        let pending = std::mem::take(&mut self.pending);
        self.frontier.append(&pending).map_err(|error| StorageError::internal(error.to_string()))
    }

    pub(crate) fn record(&self) -> LogRecord {
        LogRecord { generation: self.generation, size: self.frontier.size(), root: self.frontier.root() }
    }
}

/// The inclusion path of an entry at a size, from the leaf's sibling up.
pub(crate) fn inclusion_path(
    reader: &(impl RawReader + ?Sized),
    log: LogKind,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, crate::LedgerError> {
    merkle::inclusion_path(&tiles(reader, log), index, size).map_err(|error| path_error(log, error))
}

/// The consistency path between two sizes.
pub(crate) fn consistency_path(
    reader: &(impl RawReader + ?Sized),
    log: LogKind,
    old_size: u64,
    new_size: u64,
) -> Result<Vec<Hash>, crate::LedgerError> {
    merkle::consistency_path(&tiles(reader, log), old_size, new_size).map_err(|error| path_error(log, error))
}

/// The root at a size.
pub(crate) fn root_at(
    reader: &(impl RawReader + ?Sized),
    log: LogKind,
    size: u64,
) -> Result<Hash, crate::LedgerError> {
    merkle::root_from_tiles(&tiles(reader, log), size).map_err(|error| path_error(log, error))
}
