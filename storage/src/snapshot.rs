//! Reading: one consistent view of the ledger, which later commits do not change.

use std::ops::Bound;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use meed_audit::hash::Hash;
use meed_audit::ids::{NodeId, Origin};
use meed_audit::time::Timestamp;
use meed_audit::{Rejection, RejectionCode};
use redb::ReadableTableMetadata;

use crate::error::{LedgerError, StorageError};
use crate::events::{EventReader, EventView};
use crate::log::{self, CHECKPOINTS, LOGS, LogKind, LogRecord, LogState};
use crate::meta::NodeRecord;
use crate::statements::STATEMENT_ENTRIES;
use crate::table::{
    BytesTable, RawReader, Reader, Visit, VisitEntry, get_from, guard, last_to_from, scan_from,
};
use crate::tail::Tail;

type OpenTable = Arc<redb::ReadOnlyTable<&'static [u8], &'static [u8]>>;

/// A view of the ledger at one moment. Proof, size and root that come out of one snapshot fit together.
///
/// Hold it shortly: while it lives, the pages it can see are not used again, and the file grows.
pub struct Snapshot {
    inner: redb::ReadTransaction,
    /// Tables that were opened already, by name; none where the file has no such table yet.
    open: Mutex<Vec<(&'static str, Option<OpenTable>)>>,
    tail: Tail,
    /// Size of the events log and how much of it is folded, once that was asked for.
    covered: OnceLock<(u64, u64)>,
    /// Sizes of the logs, once they were asked for.
    events_size: OnceLock<u64>,
    statements_size: OnceLock<u64>,
}

impl Snapshot {
    /// `tail` holds at least the entries that this view has and its trees lack.
    pub(crate) fn new(inner: redb::ReadTransaction, tail: Tail) -> Self {
        Self {
            inner,
            open: Mutex::new(Vec::new()),
            tail,
            covered: OnceLock::new(),
            events_size: OnceLock::new(),
            statements_size: OnceLock::new(),
        }
    }

    /// The view as redb has it.
    pub(crate) fn inner(&self) -> &redb::ReadTransaction {
        &self.inner
    }

    /// The node's id.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn node_id(&self) -> Result<NodeId, StorageError> {
        Ok(NodeRecord::read(self)?.node_id)
    }

    /// The node's origin.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn origin(&self) -> Result<Origin, StorageError> {
        Ok(NodeRecord::read(self)?.origin)
    }

    /// The public key that signs both logs: 32 bytes.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn log_key(&self) -> Result<[u8; 32], StorageError> {
        Ok(NodeRecord::read(self)?.log_key)
    }

    /// When the ledger was made.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn created_at(&self) -> Result<Timestamp, StorageError> {
        Ok(NodeRecord::read(self)?.created_at)
    }

    /// Whether the ledger came out of a backup and waits for [`Ledger::resume`](crate::Ledger::resume).
    ///
    /// # Errors
    /// A failure of reading.
    pub fn is_restored(&self) -> Result<bool, StorageError> {
        Ok(NodeRecord::read(self)?.restored)
    }

    /// Size and root of a log.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn log_state(&self, log: LogKind) -> Result<LogState, StorageError> {
        Ok(self.log_record(log)?.state())
    }

    /// Entries of a log.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn log_size(&self, log: LogKind) -> Result<u64, StorageError> {
        let known = match log {
            LogKind::Events => &self.events_size,
            LogKind::Statements => &self.statements_size,
        };
        if let Some(size) = known.get() {
            return Ok(*size);
        }
        let size = self.log_record(log)?.size;
        Ok(*known.get_or_init(|| size))
    }

    /// The origin line of a log: `<node origin>/events/1`.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn log_origin(&self, log: LogKind) -> Result<String, StorageError> {
        Ok(NodeRecord::read(self)?.log_origin(log, self.log_record(log)?.generation))
    }

    /// The root that a log had at `size` entries.
    ///
    /// # Errors
    /// `beyond_log`, or a failure of reading.
    pub fn log_root(&self, log: LogKind, size: u64) -> Result<Hash, LedgerError> {
        self.check_size(log, size)?;
        log::root_at(self, log, size)
    }

    /// The signed checkpoint of a log's size in this snapshot, as the text of the note.
    ///
    /// # Errors
    /// [`StorageError::Unsigned`] where the ledger was opened without its key when it last grew, or a failure of
    /// reading.
    pub fn checkpoint(&self, log: LogKind) -> Result<String, StorageError> {
        let checkpoint = self.get(CHECKPOINTS, &log.number())?;
        checkpoint.map(|record| record.note).ok_or(StorageError::Unsigned { log: log.name() })
    }

    /// The inclusion path of entry `index` in the log at `size`, from the leaf's sibling up.
    ///
    /// # Errors
    /// `beyond_log`, or a failure of reading.
    pub fn inclusion_path(&self, log: LogKind, index: u64, size: u64) -> Result<Vec<Hash>, LedgerError> {
        self.check_size(log, size)?;
        log::inclusion_path(self, log, index, size)
    }

    /// The consistency path of a log between two sizes.
    ///
    /// # Errors
    /// `beyond_log`, or a failure of reading.
    pub fn consistency_path(&self, log: LogKind, old: u64, new: u64) -> Result<Vec<Hash>, LedgerError> {
        self.check_size(log, new)?;
        log::consistency_path(self, log, old, new)
    }

    /// The bytes of entry `index` of a log: an event's or route's leaf, or a signed note.
    ///
    /// # Errors
    /// `beyond_log`, or a failure of reading.
    pub fn log_entry(&self, log: LogKind, index: u64) -> Result<Vec<u8>, LedgerError> {
        let size = self.log_size(log)?;
        if index >= size {
            return Err(beyond(log, format!("an index below {size}"), index).into());
        }
        match log {
            LogKind::Events => {
                let missing = || {
                    StorageError::corrupt(
                        "event_entries",
                        &index.to_be_bytes(),
                        "expected an entry, got none",
                    )
                };
                Ok(self.event_entry(index)?.ok_or_else(missing)?.leaf())
            }
            LogKind::Statements => {
                let entry = self.get(STATEMENT_ENTRIES, &index)?;
                let missing = || {
                    let key = index.to_be_bytes();
                    StorageError::corrupt(STATEMENT_ENTRIES.name(), &key, "expected an entry, got none")
                };
                Ok(entry.ok_or_else(missing)?.note)
            }
        }
    }

    fn log_record(&self, log: LogKind) -> Result<LogRecord, StorageError> {
        let record = self.get(LOGS, &log.number())?;
        record.ok_or_else(|| {
            StorageError::corrupt(LOGS.name(), &[log.number()], "expected the log's record, got none")
        })
    }

    fn check_size(&self, log: LogKind, size: u64) -> Result<(), LedgerError> {
        match self.log_size(log)? {
            stored if size <= stored => Ok(()),
            stored => Err(beyond(log, format!("a size up to {stored}"), size).into()),
        }
    }

    fn table(&self, name: &'static str) -> Result<Option<OpenTable>, StorageError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, table)) = open.iter().find(|(known, _)| *known == name) {
            return Ok(table.clone());
        }
        let table = guard(name, || match self.inner.open_table(BytesTable::new(name)) {
            Ok(table) => Ok(Some(Arc::new(table))),
            Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(StorageError::of_redb(&format!("open table {name}"), error)),
        })?;
        open.push((name, table.clone()));
        Ok(table)
    }
}

fn beyond(log: LogKind, expected: String, got: u64) -> Rejection {
    Rejection::new(RejectionCode::BeyondLog, format!("{} log", log.name()), expected, got)
}

impl EventReader for Snapshot {
    fn event_view(&self) -> Result<EventView<'_>, StorageError> {
        let (size, folded) = match self.covered.get() {
            Some(covered) => *covered,
            None => {
                let covered = (self.log_size(LogKind::Events)?, NodeRecord::read(self)?.folded_index);
                *self.covered.get_or_init(|| covered)
            }
        };
        Ok(EventView { size, folded, tail: &self.tail })
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Snapshot").finish_non_exhaustive()
    }
}

impl RawReader for Snapshot {
    fn raw_get(
        &self,
        table: &'static str,
        key: &[u8],
        visit: &mut dyn FnMut(&[u8]) -> Result<(), StorageError>,
    ) -> Result<bool, StorageError> {
        match self.table(table)? {
            Some(open) => get_from(table, &*open, key, visit),
            None => Ok(false),
        }
    }

    fn raw_scan(
        &self,
        table: &'static str,
        range: (Bound<&[u8]>, Bound<&[u8]>),
        backwards: bool,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> Visit,
    ) -> Result<(), StorageError> {
        match self.table(table)? {
            Some(open) => scan_from(table, &*open, range, backwards, visit),
            None => Ok(()),
        }
    }

    fn raw_last_to(
        &self,
        table: &'static str,
        key: &[u8],
        visit: &mut VisitEntry<'_>,
    ) -> Result<(), StorageError> {
        match self.table(table)? {
            Some(open) => last_to_from(table, &*open, key, visit),
            None => Ok(()),
        }
    }

    fn raw_len(&self, table: &'static str) -> Result<u64, StorageError> {
        let Some(open) = self.table(table)? else { return Ok(0) };
        guard(table, || {
            open.len().map_err(|error| StorageError::of_redb(&format!("read table {table}"), error))
        })
    }
}
