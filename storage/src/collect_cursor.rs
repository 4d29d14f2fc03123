//! How far each source has been collected: rule `CURSOR_STATE_PERSISTED`.

use meed_audit::ids::{ScopeId, Source};
use serde::{Deserialize, Serialize};

use crate::codec::Record;
use crate::error::StorageError;
use crate::key::KeyText;
use crate::table::{Reader, Table};
use crate::transaction::Transaction;

/// The cursors, by scope, source, stream and source_ref.
pub(crate) const CURSORS: Table<(ScopeId, Source, KeyText, KeyText), Cursor> = Table::new("cursors");

/// What a cursor belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorKey {
    /// The scope.
    pub scope: ScopeId,
    /// The kind of place.
    pub source: Source,
    /// Which of its streams: `commits`, `pull_requests`.
    pub stream: KeyText,
    /// Which place.
    pub source_ref: KeyText,
}

impl CursorKey {
    fn parts(&self) -> (ScopeId, Source, KeyText, KeyText) {
        (self.scope, self.source.clone(), self.stream.clone(), self.source_ref.clone())
    }
}

/// A place in a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Orders the places of a stream: milliseconds, a snowflake, a sequence number.
    pub order: u64,
    /// What the source needs to go on from there.
    pub token: String,
}

impl Record for Cursor {}

/// A cursor to save.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorUpdate {
    /// What it belongs to.
    pub key: CursorKey,
    /// The place that everything before is stored of.
    pub cursor: Cursor,
}

impl Transaction {
    /// Saves a cursor unless the stored one is further on already, and says whether it did.
    ///
    /// # Errors
    /// A failure of the store.
    pub fn save_cursor(&mut self, update: &CursorUpdate) -> Result<bool, StorageError> {
        let key = update.key.parts();
        match self.get(CURSORS, &key)? {
            Some(stored) if stored.order > update.cursor.order || stored == update.cursor => Ok(false),
            _ => self.insert(CURSORS, &key, &update.cursor).map(|()| true),
        }
    }
}

/// The cursor of a stream, in any view of the ledger.
///
/// # Errors
/// A failure of reading.
pub fn cursor(reader: &impl Reader, key: &CursorKey) -> Result<Option<Cursor>, StorageError> {
    reader.get(CURSORS, &key.parts())
}

/// All cursors of a scope.
///
/// # Errors
/// A failure of reading.
pub fn cursors_of(reader: &impl Reader, scope: ScopeId) -> Result<Vec<CursorUpdate>, StorageError> {
    let stored = reader.with_prefix(CURSORS, &scope)?;
    let typed = stored.into_iter().map(|((scope, source, stream, source_ref), cursor)| CursorUpdate {
        key: CursorKey { scope, source, stream, source_ref },
        cursor,
    });
    Ok(typed.collect())
}
