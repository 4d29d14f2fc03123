//! Making and opening ledgers.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use meed_keys::SigningKey;
use redb::{Builder, Database};

use crate::error::StorageError;
use crate::fold::load_tail;
use crate::ledger::{Ledger, Shared};
use crate::log::{CHECKPOINTS, LOGS, LogKind};
use crate::log_edges::LogEdges;
use crate::meta::{FORMAT, FORMAT_VERSION, FormatRecord, Genesis, NodeRecord, Signer, format_key};
use crate::snapshot::Snapshot;
use crate::table::{RawReader, Reader, guard};
use crate::tail::WriterTail;
use crate::writer::Writer;

/// The first bytes of every redb file.
const REDB_MAGIC: [u8; 9] = [b'r', b'e', b'd', b'b', 0x1a, 0x0a, 0xa9, 0x0d, 0x0a];

/// How a ledger is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Memory for pages, in bytes.
    pub cache_bytes: usize,
    /// The key that signs checkpoints; without it the ledger works, and its logs' new checkpoints are missing.
    pub log_key: Option<SigningKey>,
    /// How many events wait in memory until they are folded: packed, and merged into the indexes.
    pub fold_events: usize,
    /// The time since some fixed moment, by which commits are timed for [`Ledger::writer_counts`]; nothing else asks
    /// it. Where it stands still, commits take no time.
    pub stopwatch: fn() -> Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache_bytes: 64 << 20, log_key: None, fold_events: 50_000, stopwatch: || Duration::ZERO }
    }
}

impl Ledger {
    /// Makes a new ledger at `path`, which must not exist. The file appears there whole or not at all.
    ///
    /// # Errors
    /// [`StorageError::AlreadyExists`], [`StorageError::Unfinished`], [`StorageError::WrongLogKey`], or a failure of
    /// writing.
    pub fn create(path: impl AsRef<Path>, genesis: &Genesis, options: Options) -> Result<Self, StorageError> {
        let path = path.as_ref();
        let unfinished = Unfinished::begin(path)?;
        let file = unfinished.file.try_clone().map_err(|error| StorageError::io("open", path, error))?;
        let ledger = guard("file", || {
            let database = builder(&options)
                .create_file(file)
                .map_err(|error| StorageError::of_redb(&format!("create {}", path.display()), error))?;
            initialise(database, genesis, options)
        })?;
        unfinished.complete()?;
        Ok(ledger)
    }

    /// Opens the ledger at `path`; never makes one.
    ///
    /// # Errors
    /// [`StorageError::NotFound`], [`StorageError::NotALedger`], [`StorageError::NewerFormat`],
    /// [`StorageError::OlderFormat`],
    /// [`StorageError::AlreadyOpen`], [`StorageError::WrongLogKey`], [`StorageError::Corrupt`], or a failure of reading.
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Self, StorageError> {
        let path = path.as_ref();
        check_magic(path)?;
        let database =
            guard("file", || builder(&options).open(path).map_err(|error| open_error(path, error)))?;
        start(database, options, path)
    }

    /// Makes a new ledger on a backend of a test's own.
    ///
    /// # Errors
    /// As [`Ledger::create`], where they do not concern a path.
    #[cfg(feature = "testing")]
    pub fn create_with_backend(
        backend: impl redb::StorageBackend,
        genesis: &Genesis,
        options: Options,
    ) -> Result<Self, StorageError> {
        guard("file", || {
            let database = builder(&options).create_with_backend(backend);
            let database = database.map_err(|error| open_error(Path::new("backend"), error))?;
            initialise(database, genesis, options)
        })
    }

    /// Opens the ledger on a backend of a test's own.
    ///
    /// # Errors
    /// As [`Ledger::open`], where they do not concern a path.
    #[cfg(feature = "testing")]
    pub fn open_with_backend(
        backend: impl redb::StorageBackend,
        options: Options,
    ) -> Result<Self, StorageError> {
        let path = Path::new("backend");
        let length = backend.len().map_err(|error| StorageError::io("measure", path, error))?;
        if length == 0 {
            return Err(StorageError::NotALedger { path: path.to_owned(), got: "an empty file".to_owned() });
        }
        let database = guard("file", || {
            builder(&options).create_with_backend(backend).map_err(|error| open_error(path, error))
        })?;
        start(database, options, path)
    }
}

fn builder(options: &Options) -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(options.cache_bytes);
    builder
}

/// Reads what the writer starts from, and starts it.
pub(crate) fn start(database: Database, options: Options, path: &Path) -> Result<Ledger, StorageError> {
    let shared = Arc::new(Shared::new(database, options.stopwatch));
    let snapshot = shared.snapshot()?;
    check_format(&snapshot, path)?;
    let node = NodeRecord::read(&snapshot)?;
    let signer = Signer::new(options.log_key, &node)?;
    let edges = LogEdges::load(&snapshot)?;
    let unsigned = unsigned_logs(&snapshot, &node, &signer)?;
    let tail = load_tail(&snapshot, node.folded_index, edges.events.size())?;
    drop(snapshot);
    let mut writer = Writer::new(shared, node, signer, edges, options.fold_events).with_tail(tail);
    if !unsigned.is_empty() {
        let mut transaction = writer.begin()?;
        for log in unsigned {
            transaction.sign_checkpoint(log)?;
        }
        writer.finish(transaction)?;
    }
    Ledger::start(writer)
}

/// Writes the first records of a ledger, and starts its writer.
pub(crate) fn initialise(
    database: Database,
    genesis: &Genesis,
    options: Options,
) -> Result<Ledger, StorageError> {
    let node = NodeRecord::new(genesis);
    let signer = Signer::new(options.log_key, &node)?;
    let mut writer = Writer::new(
        Arc::new(Shared::new(database, options.stopwatch)),
        node,
        signer,
        LogEdges::first(),
        options.fold_events,
    )
    .with_tail(WriterTail::of_new_ledger());
    let mut transaction = writer.begin()?;
    transaction.insert(FORMAT, &format_key(), &FormatRecord { version: FORMAT_VERSION })?;
    transaction.write_node()?;
    for log in LogKind::ALL {
        let record = transaction.edges.of(log).record();
        transaction.insert(LOGS, &log.number(), &record)?;
        transaction.sign_checkpoint(log)?;
    }
    writer.finish(transaction)?;
    Ledger::start(writer)
}

/// The logs whose checkpoint is missing or older than the log, where this opening may sign.
fn unsigned_logs(
    reader: &impl RawReader,
    node: &NodeRecord,
    signer: &Signer,
) -> Result<Vec<LogKind>, StorageError> {
    if node.restored || !signer.can_sign() {
        return Ok(Vec::new());
    }
    let mut unsigned = Vec::new();
    for log in LogKind::ALL {
        let size = reader.get(LOGS, &log.number())?.map(|record| record.size);
        let signed = reader.get(CHECKPOINTS, &log.number())?.map(|record| record.size);
        if size != signed {
            unsigned.push(log);
        }
    }
    Ok(unsigned)
}

pub(crate) fn check_format(snapshot: &Snapshot, path: &Path) -> Result<(), StorageError> {
    let Some(format) = snapshot.get(FORMAT, &format_key())? else {
        let got = "a redb database of another program".to_owned();
        return Err(StorageError::NotALedger { path: path.to_owned(), got });
    };
    match format.version {
        FORMAT_VERSION => Ok(()),
        found if found > FORMAT_VERSION => {
            Err(StorageError::NewerFormat { found, supported: FORMAT_VERSION })
        }
        0 => Err(StorageError::corrupt(FORMAT.name(), &[], "expected a format from 1, got 0")),
        found => Err(StorageError::OlderFormat { found, supported: FORMAT_VERSION }),
    }
}

/// Tells a foreign file from a ledger before redb sees it.
pub(crate) fn check_magic(path: &Path) -> Result<(), StorageError> {
    let mut start = Vec::new();
    let opened = File::open(path).and_then(|file| file.take(16).read_to_end(&mut start));
    match opened {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(StorageError::NotFound { path: path.to_owned() });
        }
        Err(error) if error.kind() == ErrorKind::IsADirectory => {
            return Err(StorageError::NotALedger { path: path.to_owned(), got: "a folder".to_owned() });
        }
        Err(error) => return Err(StorageError::io("read", path, error)),
        Ok(_) => {}
    }
    if start.starts_with(&REDB_MAGIC) {
        return Ok(());
    }
    let got = if start.is_empty() { "an empty file" } else { "a file of another kind" };
    Err(StorageError::NotALedger { path: path.to_owned(), got: got.to_owned() })
}

pub(crate) fn open_error(path: &Path, error: redb::DatabaseError) -> StorageError {
    match error {
        redb::DatabaseError::DatabaseAlreadyOpen => StorageError::AlreadyOpen { path: path.to_owned() },
        redb::DatabaseError::UpgradeRequired(version) => StorageError::NotALedger {
            path: path.to_owned(),
            got: format!("a redb database of file format {version}"),
        },
        other => StorageError::of_redb(&format!("open {}", path.display()), other),
    }
}

/// A file that is being made beside its final place, and moved there when it is whole.
pub(crate) struct Unfinished {
    pub(crate) file: File,
    path: PathBuf,
    target: PathBuf,
    complete: bool,
}

impl Unfinished {
    pub(crate) fn begin(target: &Path) -> Result<Self, StorageError> {
        if fs::symlink_metadata(target).is_ok() {
            return Err(StorageError::AlreadyExists { path: target.to_owned() });
        }
        let mut name = target.as_os_str().to_owned();
        name.push(".unfinished");
        let path = PathBuf::from(name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => StorageError::Unfinished { path: path.clone() },
            _ => StorageError::io("create", &path, error),
        })?;
        Ok(Self { file, path, target: target.to_owned(), complete: false })
    }

    /// Moves the file to its place and makes the move durable.
    pub(crate) fn complete(mut self) -> Result<(), StorageError> {
        self.file.sync_all().map_err(|error| StorageError::io("sync", &self.path, error))?;
        if fs::symlink_metadata(&self.target).is_ok() {
            return Err(StorageError::AlreadyExists { path: self.target.clone() });
        }
        fs::rename(&self.path, &self.target)
            .map_err(|error| StorageError::io("rename", &self.path, error))?;
        self.complete = true;
        sync_folder(&self.target)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.complete {
            // What remains is named by the next attempt's error.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes the names in a file's folder durable.
fn sync_folder(path: &Path) -> Result<(), StorageError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    #[cfg(unix)]
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| StorageError::io("sync", folder, error))?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}
