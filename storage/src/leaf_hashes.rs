//! The leaf hashes of entries, as the tiles of the events log hold them.

use meed_audit::event::Event;
use meed_audit::hash::{Hash, leaf_hash};
use meed_audit::leaf::Leaf;
use meed_audit::merkle::{TILE_WIDTH, Tile};

use crate::error::StorageError;
use crate::log::{LOG_TILES, LogKind};
use crate::table::{RawReader, Reader};

/// Leaf hashes out of the log's tiles, the last tile kept.
#[derive(Default)]
pub(crate) struct LeafHashes {
    tile: Option<(u64, Tile)>,
}

impl LeafHashes {
    /// The hash of an event's leaf.
    pub(crate) fn of(
        &mut self,
        reader: &(impl RawReader + ?Sized),
        index: u64,
        event: &Event,
    ) -> Result<Hash, StorageError> {
        // Inside a transaction the newest leaves have no tile yet.
        Ok(self.stored(reader, index)?.unwrap_or_else(|| leaf_hash(&event.encode())))
    }

    /// The hash of an entry's leaf, where a tile holds it.
    pub(crate) fn stored(
        &mut self,
        reader: &(impl RawReader + ?Sized),
        index: u64,
    ) -> Result<Option<Hash>, StorageError> {
        let width = u64::from(TILE_WIDTH);
        let (number, place) = (index / width, index % width);
        if self.tile.as_ref().is_none_or(|(kept, _)| *kept != number) {
            let tile = reader.get(LOG_TILES, &(LogKind::Events.number(), 0, number))?;
            self.tile = tile.map(|record| (number, record.0));
        }
        let tile = self.tile.as_ref().filter(|(_, tile)| place < u64::from(tile.width()));
        Ok(tile.and_then(|(_, tile)| tile.node(0, place)))
    }
}
