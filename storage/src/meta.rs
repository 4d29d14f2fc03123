//! What a ledger says about itself.

use std::sync::Arc;

use meed_audit::ids::{NodeId, Origin};
use meed_audit::time::Timestamp;
use meed_keys::{KeyName, KeyUse, Note, NoteText, PublicKey, SignatureLine, SigningKey};
use serde::{Deserialize, Serialize};

use crate::codec::Record;
use crate::error::{StorageError, hex};
use crate::key::KeyText;
use crate::log::{CheckpointRecord, LogKind, LogState};
use crate::table::{RawReader, Reader, Table};

/// The format that this program reads and writes. `FORMAT.md` says what it is.
pub const FORMAT_VERSION: u32 = 3;

/// What a new ledger is made with; none of it ever changes.
#[derive(Clone, Debug)]
pub struct Genesis {
    /// The node's id.
    pub node_id: NodeId,
    /// Under which address the node publishes its logs.
    pub origin: Origin,
    /// The public half of the key that signs both logs.
    pub log_key: PublicKey,
    /// When the ledger is made.
    pub created_at: Timestamp,
}

/// One row, `format`, whose form no later format may change: a record of version 1 with one number.
pub(crate) const FORMAT: Table<KeyText, FormatRecord> = Table::new("meed_format");
/// One row, `node`.
pub(crate) const NODE: Table<KeyText, NodeRecord> = Table::new("node");

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FormatRecord {
    pub(crate) version: u32,
}

impl Record for FormatRecord {}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeRecord {
    pub(crate) node_id: NodeId,
    pub(crate) origin: Origin,
    pub(crate) log_key: [u8; 32],
    pub(crate) created_at: Timestamp,
    /// Whether this file came out of a backup and nobody has confirmed yet what was published.
    pub(crate) restored: bool,
    /// Events below this index stand in packed blocks and in the indexes of ids and times; the later ones are in the tail.
    pub(crate) folded_index: u64,
}

impl Record for NodeRecord {}

pub(crate) fn format_key() -> KeyText {
    fixed_key("format")
}

pub(crate) fn node_key() -> KeyText {
    fixed_key("node")
}

fn fixed_key(name: &'static str) -> KeyText {
    KeyText::of_static(name)
}

impl NodeRecord {
    pub(crate) fn new(genesis: &Genesis) -> Self {
        Self {
            node_id: genesis.node_id,
            origin: genesis.origin.clone(),
            log_key: *genesis.log_key.as_bytes(),
            created_at: genesis.created_at,
            restored: false,
            folded_index: 0,
        }
    }

    pub(crate) fn read(reader: &(impl RawReader + ?Sized)) -> Result<Self, StorageError> {
        reader
            .get(NODE, &node_key())?
            .ok_or_else(|| StorageError::corrupt(NODE.name(), &[], "expected the node's record, got none"))
    }

    /// The origin line of a log: `<node origin>/events/1`.
    pub(crate) fn log_origin(&self, log: LogKind, generation: u32) -> String {
        format!("{}/{}/{generation}", self.origin, log.name())
    }
}

/// Signs checkpoints, where the ledger was opened with its log key.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    key: Option<Arc<SigningKey>>,
}

impl Signer {
    /// Takes the key, if it is the log key of this ledger.
    pub(crate) fn new(key: Option<SigningKey>, node: &NodeRecord) -> Result<Self, StorageError> {
        if let Some(key) = &key {
            let expected = hex(&node.log_key);
            if key.key_use() != KeyUse::Log {
                return Err(StorageError::WrongLogKey {
                    expected,
                    got: format!("a key for {:?}", key.key_use()),
                });
            }
            if key.public_key().as_bytes() != &node.log_key {
                return Err(StorageError::WrongLogKey { expected, got: hex(key.public_key().as_bytes()) });
            }
        }
        Ok(Self { key: key.map(Arc::new) })
    }

    /// Refuses where there is no key: what would be stored could not be signed.
    pub(crate) fn check_can_sign(&self) -> Result<(), StorageError> {
        if self.can_sign() { Ok(()) } else { Err(StorageError::NoLogKey) }
    }

    pub(crate) fn can_sign(&self) -> bool {
        self.key.is_some()
    }

    /// Signs a text as the log that `origin` names.
    pub(crate) fn sign(&self, origin: &str, text: &NoteText) -> Result<SignatureLine, StorageError> {
        let key = self.key.as_ref().ok_or(StorageError::Unsigned { log: LogKind::Statements.name() })?;
        let failed =
            |error: &dyn std::error::Error| StorageError::internal(format!("signature of {origin}: {error}"));
        let name: KeyName = origin.parse().map_err(|error| failed(&error))?;
        key.renamed(name).sign_note(text).map_err(|error| failed(&error))
    }

    /// The signed checkpoint of a log; nothing where there is no key.
    pub(crate) fn checkpoint(
        &self,
        origin: &str,
        state: LogState,
    ) -> Result<Option<CheckpointRecord>, StorageError> {
        if self.key.is_none() {
            return Ok(None);
        }
        let text = format!("{origin}\n{}\n{}\n", state.size, state.root.to_base64());
        let failed = |error: &dyn std::error::Error| {
            StorageError::internal(format!("checkpoint of {origin}: {error}"))
        };
        let text = NoteText::new(text).map_err(|error| failed(&error))?;
        let line = self.sign(origin, &text)?;
        let note = Note::new(text, vec![line]).map_err(|error| failed(&error))?;
        Ok(Some(CheckpointRecord { size: state.size, note: note.to_string() }))
    }
}
