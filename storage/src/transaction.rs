//! What a command sees and changes: one write transaction, shared by the commands of a group.

use std::ops::Bound;

use meed_audit::hash::{Hash, leaf_hash};
use meed_audit::ids::{NodeId, Origin};
use meed_audit::{Rejection, RejectionCode};

use crate::codec::{self, Record};
use crate::error::{LedgerError, StorageError};
use crate::events::{EventReader, EventView};
use crate::key::Key;
use crate::log::{CHECKPOINTS, LOG_TILES, LOGS, LogKind, LogState};
use crate::log_edges::LogEdges;
use crate::meta::{NODE, NodeRecord, Signer, node_key};
use crate::statements::{STATEMENT_ENTRIES, StatementEntry};
use crate::table::{
    BytesTable, RawReader, Table, Visit, VisitEntry, get_from, guard, last_to_from, scan_from,
};
use crate::tail::WriterTail;
use crate::tiles::TileRecord;
use crate::write::{Row, fill_gap, open_for_writing, write_error};

/// A write transaction. Commands read, decide, and only then write: after its first write a command may fail, but no
/// longer refuse, and the whole group is undone where one refuses all the same.
pub struct Transaction {
    inner: redb::WriteTransaction,
    pub(crate) node: NodeRecord,
    pub(crate) signer: Signer,
    pub(crate) edges: LogEdges,
    pub(crate) tail: WriterTail,
    wrote: bool,
    command_wrote: bool,
}

impl Transaction {
    pub(crate) fn new(
        inner: redb::WriteTransaction,
        node: NodeRecord,
        signer: Signer,
        edges: LogEdges,
        tail: WriterTail,
    ) -> Self {
        Self { inner, node, signer, edges, tail, wrote: false, command_wrote: false }
    }

    /// The node's id.
    pub fn node_id(&self) -> NodeId {
        self.node.node_id
    }

    /// The node's origin.
    pub fn origin(&self) -> &Origin {
        &self.node.origin
    }

    /// Size and root of a log, with what this group has added.
    ///
    /// # Errors
    /// A failure of the store.
    pub fn log_state(&self, log: LogKind) -> Result<LogState, StorageError> {
        self.edges.of(log).state()
    }

    /// The origin line of a log: `<node origin>/events/1`.
    pub fn log_origin(&self, log: LogKind) -> String {
        self.node.log_origin(log, self.edges.of(log).generation)
    }

    /// Writes a record, in place of the one that the key had.
    ///
    /// # Errors
    /// [`StorageError::RecordTooLarge`], or a failure of writing.
    pub fn insert<K: Key, V: Record>(
        &mut self,
        table: Table<K, V>,
        key: &K,
        value: &V,
    ) -> Result<(), StorageError> {
        let key = key.to_bytes();
        let sealed = codec::seal(table.name(), &key, value)?;
        self.raw_insert(table.name(), &key, &sealed)
    }

    /// Writes many records with one opening of the table; fastest when the keys ascend.
    ///
    /// # Errors
    /// As [`Transaction::insert`].
    pub fn insert_all<'v, K: Key, V: Record + 'v>(
        &mut self,
        table: Table<K, V>,
        records: impl IntoIterator<Item = (K, &'v V)>,
    ) -> Result<(), StorageError> {
        let sealed = records.into_iter().map(|(key, value)| {
            let key = key.to_bytes();
            codec::seal(table.name(), &key, value).map(|sealed| (key, sealed))
        });
        self.raw_insert_all(table.name(), sealed)
    }

    /// Removes a record and says whether there was one.
    ///
    /// # Errors
    /// A failure of writing.
    pub fn remove<K: Key, V: Record>(&mut self, table: Table<K, V>, key: &K) -> Result<bool, StorageError> {
        self.mark_written();
        let name = table.name();
        guard(name, || {
            let mut open = open_for_writing(&self.inner, name)?;
            let removed = open.remove(key.to_bytes().as_slice()).map_err(|error| write_error(name, error))?;
            Ok(removed.is_some())
        })
    }

    /// Appends a signed note to the statements log and gives its index. The caller has checked that the text was not
    /// logged before.
    ///
    /// # Errors
    /// [`StorageError::RecordTooLarge`] beyond 65,535 bytes, or a failure of writing.
    pub fn append_statement_entry(&mut self, note: &[u8]) -> Result<u64, StorageError> {
        let limit = crate::statements::STATEMENT_ENTRY_BYTES_MAX;
        if note.len() > limit {
            let table = STATEMENT_ENTRIES.name().to_owned();
            return Err(StorageError::RecordTooLarge { table, limit, got: note.len() });
        }
        let index = self.push_leaf(LogKind::Statements, leaf_hash(note));
        self.insert(STATEMENT_ENTRIES, &index, &StatementEntry { note: note.to_vec() })?;
        Ok(index)
    }

    pub(crate) fn push_leaf(&mut self, log: LogKind, leaf: Hash) -> u64 {
        self.mark_written();
        self.edges.of_mut(log).push(leaf)
    }

    pub(crate) fn raw_insert(
        &mut self,
        name: &'static str,
        key: &[u8],
        sealed: &[u8],
    ) -> Result<(), StorageError> {
        self.mark_written();
        guard(name, || {
            let mut open = open_for_writing(&self.inner, name)?;
            open.insert(key, sealed).map(|_| ()).map_err(|error| write_error(name, error))
        })
    }

    /// Inserts many sealed values with one opening of the table.
    pub(crate) fn raw_insert_all(
        &mut self,
        name: &'static str,
        records: impl IntoIterator<Item = Result<Row, StorageError>>,
    ) -> Result<(), StorageError> {
        self.mark_written();
        guard(name, || {
            let mut open = open_for_writing(&self.inner, name)?;
            for record in records {
                let (key, sealed) = record?;
                open.insert(key.as_slice(), sealed.as_slice()).map_err(|error| write_error(name, error))?;
            }
            Ok(())
        })
    }

    /// Inserts sealed values whose keys ascend, and stand close together or after all others: neighbours that go into
    /// one gap are put there without a search each.
    pub(crate) fn insert_sorted(
        &mut self,
        name: &'static str,
        records: impl IntoIterator<Item = Result<Row, StorageError>>,
    ) -> Result<(), StorageError> {
        self.mark_written();
        guard(name, || {
            let mut open = open_for_writing(&self.inner, name)?;
            let mut records = records.into_iter();
            let mut next = records.next().transpose()?;
            while next.is_some() {
                next = fill_gap(name, &mut open, next, &mut records)?;
            }
            Ok(())
        })
    }

    /// Removes a table with all its rows; writing to it makes it anew.
    pub(crate) fn delete_table(&mut self, name: &'static str) -> Result<(), StorageError> {
        self.mark_written();
        guard(name, || {
            let deleted = self.inner.delete_table(BytesTable::new(name));
            deleted.map(|_| ()).map_err(|error| StorageError::of_redb(&format!("delete table {name}"), error))
        })
    }

    /// Begins a command: what it writes is counted from here.
    pub(crate) fn begin_command(&mut self) {
        self.command_wrote = false;
    }

    /// Whether the command that is running has written.
    pub(crate) fn command_wrote(&self) -> bool {
        self.command_wrote
    }

    /// Whether anything of the group was written.
    pub(crate) fn wrote(&self) -> bool {
        self.wrote
    }

    pub(crate) fn mark_written(&mut self) {
        self.wrote = true;
        self.command_wrote = true;
    }

    /// Refuses while the ledger is restored and unconfirmed.
    pub(crate) fn check_not_restored(&self) -> Result<(), LedgerError> {
        check_not_restored(self.node.restored)
    }

    pub(crate) fn write_node(&mut self) -> Result<(), StorageError> {
        let node = self.node.clone();
        self.insert(NODE, &node_key(), &node)
    }

    /// Writes what belongs to the logs: tiles, size and root, and the signed checkpoint.
    pub(crate) fn settle_logs(&mut self) -> Result<(), StorageError> {
        for log in LogKind::ALL {
            let tiles = self.edges.of_mut(log).settle()?;
            if tiles.is_empty() {
                continue;
            }
            let tiles: Vec<_> = tiles.into_iter().map(|(place, tile)| (place, TileRecord(tile))).collect();
            let keyed = tiles.iter().map(|((level, index), tile)| ((log.number(), *level, *index), tile));
            self.insert_all(LOG_TILES, keyed)?;
            let record = self.edges.of(log).record();
            self.insert(LOGS, &log.number(), &record)?;
            self.sign_checkpoint(log)?;
        }
        Ok(())
    }

    /// Signs the checkpoint of a settled log, or removes the one that has become too old where there is no key.
    pub(crate) fn sign_checkpoint(&mut self, log: LogKind) -> Result<(), StorageError> {
        let record = self.edges.of(log).record();
        let origin = self.node.log_origin(log, record.generation);
        match self.signer.checkpoint(&origin, record.state())? {
            Some(checkpoint) if !self.node.restored => self.insert(CHECKPOINTS, &log.number(), &checkpoint),
            _ => self.remove(CHECKPOINTS, &log.number()).map(|_| ()),
        }
    }

    /// Makes everything durable.
    pub(crate) fn commit(self) -> Result<(), StorageError> {
        let inner = self.inner;
        guard("file", move || inner.commit().map_err(|error| StorageError::of_redb("commit", error)))
    }

    /// Leaves everything as it was.
    pub(crate) fn abort(self) -> Result<(), StorageError> {
        let inner = self.inner;
        guard("file", move || {
            inner.abort().map_err(|error| StorageError::of_redb("undo a transaction", error))
        })
    }
}

/// Refuses where the ledger is restored and unconfirmed.
pub(crate) fn check_not_restored(restored: bool) -> Result<(), LedgerError> {
    if !restored {
        return Ok(());
    }
    let expected = "a ledger whose published sizes are confirmed";
    Err(Rejection::new(RejectionCode::LedgerRestored, "ledger", expected, "a restored one").into())
}

impl EventReader for Transaction {
    fn event_view(&self) -> Result<EventView<'_>, StorageError> {
        Ok(EventView {
            size: self.edges.events.size(),
            folded: self.node.folded_index,
            tail: &self.tail.tail,
        })
    }
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Transaction").field("wrote", &self.wrote).finish_non_exhaustive()
    }
}

impl RawReader for Transaction {
    fn raw_get(
        &self,
        table: &'static str,
        key: &[u8],
        visit: &mut dyn FnMut(&[u8]) -> Result<(), StorageError>,
    ) -> Result<bool, StorageError> {
        let open = guard(table, || open_for_writing(&self.inner, table))?;
        get_from(table, &open, key, visit)
    }

    fn raw_scan(
        &self,
        table: &'static str,
        range: (Bound<&[u8]>, Bound<&[u8]>),
        backwards: bool,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> Visit,
    ) -> Result<(), StorageError> {
        let open = guard(table, || open_for_writing(&self.inner, table))?;
        scan_from(table, &open, range, backwards, visit)
    }

    fn raw_last_to(
        &self,
        table: &'static str,
        key: &[u8],
        visit: &mut VisitEntry<'_>,
    ) -> Result<(), StorageError> {
        let open = guard(table, || open_for_writing(&self.inner, table))?;
        last_to_from(table, &open, key, visit)
    }

    fn raw_len(&self, table: &'static str) -> Result<u64, StorageError> {
        use redb::ReadableTableMetadata;
        let open = guard(table, || open_for_writing(&self.inner, table))?;
        guard(table, || open.len().map_err(|error| write_error(table, error)))
    }
}
