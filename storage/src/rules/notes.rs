//! Signed notes as the ledger keeps them, and the node's own key under them.

use meed_keys::{Note, NoteText, PublicKey, SignatureLine};

use crate::error::StorageError;
use crate::meta::NodeRecord;
use crate::rules::record::LedgerResult;

/// A note that was checked before it was stored.
pub(crate) fn stored_note(table: &str, text: &str) -> Result<Note, StorageError> {
    Note::parse(text)
        .map_err(|error| StorageError::corrupt(table, &[], format!("expected a signed note, got {error}")))
}

/// A note of its parts.
pub(crate) fn whole_note(text: NoteText, lines: Vec<SignatureLine>) -> LedgerResult<Note> {
    Note::new(text, lines)
        .map_err(|error| StorageError::internal(format!("a note could not be made: {error}")).into())
}

/// The node's log key, checked.
pub(crate) fn node_key(node: &NodeRecord) -> Result<PublicKey, StorageError> {
    PublicKey::from_bytes(&node.log_key).map_err(|error| {
        StorageError::corrupt("node", &[], format!("expected the log's public key, got {error}"))
    })
}
