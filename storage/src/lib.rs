//! The ledger: one redb file, one writer, and every rule that must hold in a transaction.
//!
//! [`Ledger`] is the handle. Reading goes through a [`Snapshot`]; writing through commands, closures over a
//! [`Transaction`] that one thread runs in groups, each group one durable commit, each reply after its commit. Both
//! views implement [`Reader`], so that a rule is written once and holds wherever it is asked.
//!
//! Architecture invariant: this crate never asks for the time or for randomness, and it never decides an amount.
//! `FORMAT.md` beside this file says what the bytes are and why a crash cannot tear them.

mod append;
mod backup;
mod batch;
mod blocks;
mod codec;
mod collect_cursor;
mod conflicts;
mod error;
mod event_ids;
mod event_index;
mod event_record;
mod event_rows;
mod event_terms;
mod events;
mod fold;
mod fsck;
mod id_filter;
mod id_hints;
mod key;
mod leaf_hashes;
mod ledger;
mod log;
mod log_edges;
mod meta;
mod open;
mod rules;
mod snapshot;
mod sorted_indexes;
mod statements;
mod table;
mod tail;
#[cfg(feature = "testing")]
pub mod testing;
mod tiles;
mod transaction;
mod weigh;
mod write;
mod writer;
mod writer_counts;

pub use backup::{CopyProgress, CopyReport};
pub use batch::{AppendOutcome, AppendReport, EventBatch, OnConflict};
pub use codec::{RECORD_BYTES_MAX, Record};
pub use collect_cursor::{Cursor, CursorKey, CursorUpdate, cursor, cursors_of};
pub use conflicts::{CONFLICTS_KEPT_MAX, Conflict};
pub use error::{LedgerError, StorageError};
pub use event_record::LogEntry;
pub use events::{EventHeadInfo, EventReader, PrivateData};
pub use fsck::{FsckReport, Problem};
pub use key::{All, Key, KeyText, PrefixOf};
pub use ledger::Ledger;
pub use log::{LogKind, LogState};
pub use meta::{FORMAT_VERSION, Genesis};
pub use open::Options;
pub use rules::*;
pub use snapshot::Snapshot;
pub use statements::STATEMENT_ENTRY_BYTES_MAX;
pub use table::{RawReader, Reader, Table, Visit, VisitEntry};
pub use tiles::{TableTiles, TileRecord};
pub use transaction::Transaction;
pub use writer_counts::WriterCounts;
