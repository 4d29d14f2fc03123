//! Records that hold a leaf's canonical bytes, and what the other records of the rules share.

use meed_audit::leaf::Leaf;
use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use meed_audit::{Checked, Rejection};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::codec::{Record, read_bytes};
use crate::error::{LedgerError, StorageError};
use crate::key::Key;
use crate::table::{RawReader, Reader, Table};

/// What a question or a command gives: an answer, a refusal, or a failure of the store.
pub type LedgerResult<T> = Result<T, LedgerError>;

/// Who acts, and when: both stand in every decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// The name of a token or key.
    pub actor: FreeText,
    /// The moment, from the caller's clock.
    pub at: Timestamp,
}

impl By {
    /// Who, and when.
    pub fn new(actor: FreeText, at: Timestamp) -> Self {
        Self { actor, at }
    }
}

/// The canonical bytes of a leaf, or other bytes that must stay as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BytesRecord(pub Vec<u8>);

impl Record for BytesRecord {}

impl BytesRecord {
    /// The bytes of a leaf.
    pub(crate) fn of_leaf(leaf: &impl Leaf) -> Self {
        Self(leaf.encode())
    }

    /// The leaf that the bytes are.
    pub(crate) fn leaf<L: Leaf>(&self, table: &str) -> Result<L, StorageError> {
        sound(table, L::decode(&self.0))
    }
}

impl Serialize for BytesRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for BytesRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_bytes(deserializer).map(Self)
    }
}

/// What was checked before it was stored must still pass; where it does not, the ledger is corrupt.
pub(crate) fn sound<T>(table: &str, checked: Checked<T>) -> Result<T, StorageError> {
    checked.map_err(|rejection| StorageError::corrupt(table, &[], rejection.to_string()))
}

/// The record that another one says is there.
pub(crate) fn demand<K: Key, V: Record>(
    reader: &(impl RawReader + ?Sized),
    table: Table<K, V>,
    key: &K,
) -> Result<V, StorageError> {
    reader
        .get(table, key)?
        .ok_or_else(|| StorageError::corrupt(table.name(), &key.to_bytes(), "expected a record, got none"))
}

/// A refusal, where any answer is due.
pub(crate) fn refuse<T>(rejection: Rejection) -> LedgerResult<T> {
    Err(rejection.into())
}
