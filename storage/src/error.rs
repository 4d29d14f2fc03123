//! What can go wrong: a refusal by a rule, or a failure of the store.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use meed_audit::Rejection;
use thiserror::Error;

/// Why a command or a question to the ledger was not answered.
#[derive(Clone, Debug, Error)]
pub enum LedgerError {
    /// A rule refuses it; nothing was changed.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl LedgerError {
    /// What to do about it, one sentence without a full stop.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Rejected(rejection) => rejection.remedy(),
            Self::Storage(error) => error.remedy(),
        }
    }

    /// The refusal, where it is one.
    pub fn rejection(&self) -> Option<&Rejection> {
        match self {
            Self::Rejected(rejection) => Some(rejection),
            Self::Storage(_) => None,
        }
    }
}

/// Why the store failed. It can be cloned, because one failure answers every command of a group.
#[derive(Clone, Debug, Error)]
pub enum StorageError {
    /// `create` found something at the path already.
    #[error("expected no file at {path}, got one")]
    AlreadyExists {
        /// Where.
        path: PathBuf,
    },
    /// `create` found the unfinished file of an earlier attempt.
    #[error("expected no unfinished ledger at {path}, got one")]
    Unfinished {
        /// Where.
        path: PathBuf,
    },
    /// `open` found nothing at the path.
    #[error("expected a ledger at {path}, got no file")]
    NotFound {
        /// Where.
        path: PathBuf,
    },
    /// Another process, or another handle in this one, has the ledger open.
    #[error("expected the ledger at {path} to be free, got one that is open already")]
    AlreadyOpen {
        /// Where.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("expected a meed ledger at {path}, got {got}")]
    NotALedger {
        /// Where.
        path: PathBuf,
        /// What stands there instead.
        got: String,
    },
    /// The ledger was written by a newer program.
    #[error("expected ledger format {supported}, got {found}")]
    NewerFormat {
        /// The format of the file.
        found: u32,
        /// The format that this program reads.
        supported: u32,
    },
    /// The ledger was written by an older program, before the first release.
    #[error("expected ledger format {supported}, got {found}, an earlier one")]
    OlderFormat {
        /// The format of the file.
        found: u32,
        /// The format that this program reads.
        supported: u32,
    },
    /// The signing key is not the ledger's log key.
    #[error("expected the log key {expected}, got {got}")]
    WrongLogKey {
        /// The public key that the ledger was made with, in hex.
        expected: String,
        /// The key offered, in hex, or its use.
        got: String,
    },
    /// A stored byte is not what was written.
    #[error("the ledger is damaged in {}: {detail}", place(table, key))]
    Corrupt {
        /// The table, or the part of the file.
        table: String,
        /// The key in hex, or empty where no single record is meant.
        key: String,
        /// What was expected and what came.
        detail: String,
    },
    /// Reading or writing the file failed.
    #[error("could not {action}")]
    Io {
        /// What was being done.
        action: String,
        /// The system's error.
        source: Arc<io::Error>,
    },
    /// The disk is full, or the file as large as this process may make it.
    #[error("could not {action}: the disk is full, or the limit on file sizes is reached")]
    DiskFull {
        /// What was being done.
        action: String,
    },
    /// An earlier failure ended the writer; the state on disk is read again at the next start.
    #[error("the writer has stopped: {reason}")]
    WriterStopped {
        /// The failure that ended it.
        reason: String,
    },
    /// Another command of the same group failed, and the group was undone as a whole.
    #[error("the group of this command was undone: {reason}")]
    GroupUndone {
        /// The failure of the other command.
        reason: String,
    },
    /// A record is larger than any may be.
    #[error("table {table}: a record has at most {limit} bytes, got {got}")]
    RecordTooLarge {
        /// The table.
        table: String,
        /// Largest size in bytes.
        limit: usize,
        /// Its size in bytes.
        got: usize,
    },
    /// A change was asked for, but the ledger was opened without its log key.
    #[error("expected the ledger's log key for a change, got none: without it the ledger can only be read")]
    NoLogKey,
    /// No checkpoint was signed yet, because the ledger was opened without its log key.
    #[error("expected a signed checkpoint of the {log} log, got none")]
    Unsigned {
        /// The log's name.
        log: &'static str,
    },
    /// Readers hold the ledger.
    #[error("could not {action}: expected no snapshot in use, got at least one")]
    Busy {
        /// What was being done.
        action: &'static str,
    },
    /// The program broke its own rule; the group was undone.
    #[error("internal error: {detail}")]
    Internal {
        /// What happened.
        detail: String,
    },
}

impl StorageError {
    /// What to do about it, one sentence without a full stop.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::AlreadyExists { .. } => "use the ledger that is there, or choose an empty folder",
            Self::Unfinished { .. } => {
                "an earlier attempt was interrupted: make sure that no other one runs, delete this file and try again"
            }
            Self::NotFound { .. } => "check the path, or make a ledger with `meed init`",
            Self::AlreadyOpen { .. } => "stop the other process, or use the node that runs on this folder",
            Self::NotALedger { .. } => "check the path, or restore a backup with `meed restore`",
            Self::OlderFormat { .. } => {
                "use the meed that wrote it, or make a new ledger and collect into it: this one does not read it"
            }
            Self::NewerFormat { .. } => "use a newer meed: this one would not understand what it reads",
            Self::WrongLogKey { .. } => "give the log key that this ledger was made with",
            Self::Corrupt { .. } => "stop the node, keep the file, and restore a backup with `meed restore`",
            Self::Io { .. } => {
                "check the disk, the folder's owner and its permissions, then start the node again"
            }
            Self::DiskFull { .. } => {
                "free space on the disk or raise the limit (`ulimit -f`), then start the node again: nothing acknowledged \
                 is lost"
            }
            Self::WriterStopped { .. } => {
                "repair the cause, then start the node again: nothing acknowledged is lost"
            }
            Self::GroupUndone { .. } => "send the command again",
            Self::RecordTooLarge { .. } | Self::Internal { .. } => {
                "report this with the command: limits at the edge should make it impossible"
            }
            Self::Unsigned { .. } => "open the ledger with its log key",
            Self::NoLogKey => "put the node's log.key into the data folder, and open the ledger again",
            Self::Busy { .. } => "try again when no long read or backup is running",
        }
    }

    /// Whether what is on disk is unknown after this error, so that no further write may follow.
    pub(crate) fn stops_the_writer(&self) -> bool {
        matches!(self, Self::Io { .. } | Self::DiskFull { .. } | Self::WriterStopped { .. })
    }

    pub(crate) fn corrupt(table: &str, key: &[u8], detail: impl Into<String>) -> Self {
        Self::Corrupt { table: table.to_owned(), key: hex(key), detail: detail.into() }
    }

    pub(crate) fn internal(detail: impl Into<String>) -> Self {
        Self::Internal { detail: detail.into() }
    }

    pub(crate) fn io(action: &str, path: &Path, error: io::Error) -> Self {
        Self::of_io(format!("{action} {}", path.display()), error)
    }

    fn of_io(action: String, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::DiskFull { action }
            }
            io::ErrorKind::UnexpectedEof => Self::Corrupt {
                table: "file".to_owned(),
                key: String::new(),
                detail: format!("could not {action}: expected more bytes, got the end of the file"),
            },
            io::ErrorKind::InvalidData => Self::Corrupt {
                table: "file".to_owned(),
                key: String::new(),
                detail: format!("could not {action}: {error}"),
            },
            _ => Self::Io { action, source: Arc::new(error) },
        }
    }

    /// What a failure inside redb means, `action` being what was tried (`read table x`).
    pub(crate) fn of_redb(action: &str, error: impl Into<redb::Error>) -> Self {
        match error.into() {
            redb::Error::Io(error) => Self::of_io(action.to_owned(), error),
            redb::Error::PreviousIo => {
                let source = io::Error::other("an earlier read or write of the file failed");
                Self::Io { action: action.to_owned(), source: Arc::new(source) }
            }
            other => Self::Corrupt {
                table: "file".to_owned(),
                key: String::new(),
                detail: format!("{action}: {other}"),
            },
        }
    }
}

/// Where a damage is: a record, or a whole table where no single record is meant.
fn place(table: &str, key: &str) -> String {
    let table = if table == "file" { "its file".to_owned() } else { format!("table {table}") };
    if key.is_empty() { table } else { format!("{table}, key {key}") }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
