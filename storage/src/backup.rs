//! Copies: an online backup, a restore, the confirmation after it, and compaction.
//!
//! A ledger file holds no secret key: neither the log key nor any approver's is ever stored in it, so that no backup
//! holds one. It does hold the salts and metadata of events, the hashes of tokens, and evidence of bindings: a backup is
//! as private as the ledger.

use std::path::Path;

use meed_audit::{Rejection, RejectionCode};
use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition, TableHandle};

use crate::codec::{check_seal, seal, unseal};
use crate::error::{LedgerError, StorageError};
use crate::key::Key;
use crate::ledger::Ledger;
use crate::log::LogKind;
use crate::meta::{NODE, NodeRecord, node_key};
use crate::open::{Unfinished, check_format, check_magic, open_error};
use crate::snapshot::Snapshot;
use crate::table::guard;
use crate::tail::Tail;

/// Bytes of records that one transaction of a copy writes.
const CHUNK_BYTES: usize = 16 << 20;

/// Memory for the pages of a copy, in bytes.
const COPY_CACHE_BYTES: usize = 32 << 20;

/// How far a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyProgress {
    /// Records copied.
    pub done: u64,
    /// Records in all.
    pub total: u64,
}

/// What a copy holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyReport {
    /// Records.
    pub records: u64,
    /// Entries of the events log.
    pub events: u64,
    /// Entries of the statements log.
    pub statements: u64,
}

impl Ledger {
    /// Copies the ledger as it is now to a new file, while it is in use; every record's checksum is checked on the way.
    /// The file appears whole or not at all. It is marked as restored: a ledger opened from it answers reads, and
    /// changes and signs nothing before [`Ledger::resume`].
    ///
    /// # Errors
    /// [`StorageError::AlreadyExists`], [`StorageError::Unfinished`], [`StorageError::Corrupt`], or a failure of reading
    /// or writing.
    pub fn backup(
        &self,
        path: impl AsRef<Path>,
        progress: &mut dyn FnMut(CopyProgress),
    ) -> Result<CopyReport, StorageError> {
        copy(&self.snapshot()?, path.as_ref(), progress)
    }

    /// Makes a ledger at `path` from a backup: see [`Ledger::backup`].
    ///
    /// # Errors
    /// As [`Ledger::backup`], and [`StorageError::NotFound`], [`StorageError::NotALedger`],
    /// [`StorageError::NewerFormat`] for the backup.
    pub fn restore(
        backup: impl AsRef<Path>,
        path: impl AsRef<Path>,
        progress: &mut dyn FnMut(CopyProgress),
    ) -> Result<CopyReport, StorageError> {
        let backup = backup.as_ref();
        check_magic(backup)?;
        let inner = guard("file", || {
            let database = Database::builder().set_cache_size(COPY_CACHE_BYTES).open_read_only(backup);
            let database = database.map_err(|error| open_error(backup, error))?;
            database.begin_read().map_err(|error| StorageError::of_redb("begin to read", error))
        })?;
        let snapshot = Snapshot::new(inner, Tail::default());
        check_format(&snapshot, backup)?;
        copy(&snapshot, path.as_ref(), progress)
    }

    /// Takes a restored ledger into use, when it has all that was published: the sizes of the last checkpoints of both
    /// logs that anybody may have seen. From here on it changes and signs again.
    ///
    /// # Errors
    /// `nothing_to_change` where the ledger is not restored; `ledger_behind` where one of its logs is smaller;
    /// [`StorageError::NoLogKey`]; a failure of the store.
    pub fn resume(&self, published_events: u64, published_statements: u64) -> Result<(), LedgerError> {
        self.run_always(move |transaction| {
            if !transaction.node.restored {
                let expected = "a restored ledger";
                return Err(
                    Rejection::new(RejectionCode::NothingToChange, "ledger", expected, "one in use").into()
                );
            }
            for (log, published) in
                [(LogKind::Events, published_events), (LogKind::Statements, published_statements)]
            {
                let size = transaction.edges.of(log).size();
                if size < published {
                    let subject = format!("{} log", log.name());
                    let expected = format!("at least {published} entries");
                    return Err(Rejection::new(RejectionCode::LedgerBehind, subject, expected, size).into());
                }
            }
            transaction.signer.check_can_sign()?;
            transaction.node.restored = false;
            transaction.write_node()?;
            Ok(LogKind::ALL.into_iter().try_for_each(|log| transaction.sign_checkpoint(log))?)
        })
    }

    /// Gives unused pages back to the file system, and says whether there were any. Readers and commands wait meanwhile.
    ///
    /// # Errors
    /// [`StorageError::Busy`] while a snapshot is in use, or a failure of reading or writing.
    pub fn compact(&self) -> Result<bool, LedgerError> {
        Ok(self.run_alone(|writer| {
            writer.check_running()?;
            let compacted = writer.shared.compact();
            if let Err(error) = &compacted {
                writer.note_failure(error);
            }
            compacted
        })?)
    }

    /// Checks every page of the file against redb's own checksums and the allocation of pages, and says whether all
    /// were sound; an unsound allocation is repaired. Readers and commands wait meanwhile.
    ///
    /// # Errors
    /// [`StorageError::Busy`] while a snapshot is in use; [`StorageError::Corrupt`]; a failure of reading or writing.
    pub fn check_pages(&self) -> Result<bool, LedgerError> {
        Ok(self.run_alone(|writer| {
            writer.check_running()?;
            let checked = writer.shared.check_pages();
            if let Err(error) = &checked {
                writer.note_failure(error);
            }
            checked
        })?)
    }
}

/// Copies all tables of a view into a new file.
fn copy(
    source: &Snapshot,
    path: &Path,
    progress: &mut dyn FnMut(CopyProgress),
) -> Result<CopyReport, StorageError> {
    let unfinished = Unfinished::begin(path)?;
    let file = unfinished.file.try_clone().map_err(|error| StorageError::io("open", path, error))?;
    let done = guard("file", || {
        let target = Database::builder().set_cache_size(COPY_CACHE_BYTES).create_file(file);
        let target =
            target.map_err(|error| StorageError::of_redb(&format!("create {}", path.display()), error))?;
        copy_tables(source, &target, progress)
    })?;
    unfinished.complete()?;
    let size = |log| source.log_size(log);
    Ok(CopyReport { records: done, events: size(LogKind::Events)?, statements: size(LogKind::Statements)? })
}

fn copy_tables(
    source: &Snapshot,
    target: &Database,
    progress: &mut dyn FnMut(CopyProgress),
) -> Result<u64, StorageError> {
    let mut tables = Vec::new();
    let mut total = 0_u64;
    let listed = source.inner().list_tables().map_err(|error| StorageError::of_redb("list tables", error))?;
    for handle in listed {
        let name = handle.name().to_owned();
        let table = source
            .inner()
            .open_table(TableDefinition::<&[u8], &[u8]>::new(&name))
            .map_err(|error| StorageError::of_redb(&format!("open table {name}"), error))?;
        total += table.len().map_err(|error| StorageError::of_redb(&format!("read table {name}"), error))?;
        tables.push((name, table));
    }
    let mut done = 0;
    progress(CopyProgress { done, total });
    for (name, table) in &tables {
        let mut entries =
            table.iter().map_err(|error| StorageError::of_redb(&format!("read table {name}"), error))?;
        loop {
            let copied = copy_chunk(name, &mut entries, target)?;
            if copied == 0 {
                break;
            }
            done += copied;
            progress(CopyProgress { done, total });
        }
    }
    Ok(done)
}

/// Copies the next records of a table in one transaction, and says how many.
fn copy_chunk(
    name: &str,
    entries: &mut redb::Range<'_, &'static [u8], &'static [u8]>,
    target: &Database,
) -> Result<u64, StorageError> {
    let failed = |error: redb::StorageError| StorageError::of_redb(&format!("copy table {name}"), error);
    let begun = target.begin_write();
    let transaction = begun.map_err(|error| StorageError::of_redb("begin a transaction", error))?;
    let (mut copied, mut bytes) = (0, 0);
    {
        let open = transaction.open_table(TableDefinition::<&[u8], &[u8]>::new(name));
        let mut open = open.map_err(|error| StorageError::of_redb(&format!("open table {name}"), error))?;
        while bytes < CHUNK_BYTES {
            let Some(entry) = entries.next() else { break };
            let (key, sealed) = entry.map_err(failed)?;
            let (key, sealed) = (key.value(), sealed.value());
            check_seal(name, key, sealed)?;
            let marked = if name == NODE.name() { Some(marked_as_restored(key, sealed)?) } else { None };
            open.insert(key, marked.as_deref().unwrap_or(sealed)).map_err(failed)?;
            copied += 1;
            bytes += key.len() + sealed.len();
        }
    }
    transaction.commit().map_err(|error| StorageError::of_redb("commit", error))?;
    Ok(copied)
}

/// The node's record of the copy.
fn marked_as_restored(key: &[u8], sealed: &[u8]) -> Result<Vec<u8>, StorageError> {
    if key != node_key().to_bytes() {
        return Ok(sealed.to_vec());
    }
    let node: NodeRecord = unseal(NODE.name(), key, sealed)?;
    seal(NODE.name(), key, &NodeRecord { restored: true, ..node })
}
