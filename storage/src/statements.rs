//! The entries of the statements log: signed notes, verbatim.

use serde::{Deserialize, Serialize};

use crate::codec::{Record, read_bytes, write_bytes};
use crate::table::Table;

/// Largest entry of the statements log, in bytes (C2SP tlog-tiles entry bundles count in 16 bits).
pub const STATEMENT_ENTRY_BYTES_MAX: usize = 65_535;

/// A signed note of the statements log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StatementEntry {
    #[serde(serialize_with = "write_bytes", deserialize_with = "read_bytes")]
    pub(crate) note: Vec<u8>,
}

impl Record for StatementEntry {}

/// The entries by index.
pub(crate) const STATEMENT_ENTRIES: Table<u64, StatementEntry> = Table::new("statement_entries");
