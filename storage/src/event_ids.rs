//! Finding events by their ids: in the tail, by a hint, or in the index of ids.

use meed_audit::ids::EventId;

use crate::error::StorageError;
use crate::event_index::{self, EVENT_IDS};
use crate::event_record::EntryHead;
use crate::event_rows::{RowCursor, RowKind};
use crate::events::{EventReader, EventView, not_an_event};
use crate::id_filter::hash_of;
use crate::key::Key;
use crate::tail::IdEntry;

/// Finds an id in the tail or in the index of ids.
pub(crate) fn find_id(
    reader: &(impl EventReader + ?Sized),
    id: &EventId,
) -> Result<Option<IdEntry>, StorageError> {
    Ok(find_ids(reader, &[id])?.pop().flatten())
}

/// Finds many ids.
pub(crate) fn find_ids(
    reader: &(impl EventReader + ?Sized),
    ids: &[&EventId],
) -> Result<Vec<Option<IdEntry>>, StorageError> {
    let view = reader.event_view()?;
    let mut found = Vec::with_capacity(ids.len());
    let (mut hinted, mut unknown) = (Vec::new(), Vec::new());
    for (place, id) in ids.iter().enumerate() {
        let hash = hash_of(id);
        let in_tail = view.tail.id(hash, id).filter(|entry| (view.folded..view.size).contains(&entry.index));
        if in_tail.is_none() && view.tail.index_may_hold(hash) {
            match view.tail.hint(hash) {
                Some(index) if index < view.folded => hinted.push((index, place)),
                _ => unknown.push((*id, place)),
            }
        }
        found.push(in_tail.cloned());
    }
    read_found(reader, &view, hinted, &mut |index, place, head| match (head, ids.get(place)) {
        (EntryHead::Event(head), Some(id)) if head.id == id.as_str() => {
            set(&mut found, place, IdEntry::of_head(index, &head))
        }
        (_, Some(id)) => unknown.push((*id, place)),
        (_, None) => {}
    })?;
    // Neighbours share pages.
    unknown.sort_unstable();
    let mut searched = Vec::with_capacity(unknown.len());
    for (id, place) in unknown {
        if let Some(index) = event_index::find(reader, EVENT_IDS, &id.to_bytes())? {
            searched.push((index, place));
        }
    }
    let mut broken = None;
    read_found(reader, &view, searched, &mut |index, place, head| match head {
        EntryHead::Event(head) => set(&mut found, place, IdEntry::of_head(index, &head)),
        EntryHead::Route(_) => broken = Some(index),
    })?;
    broken.map_or(Ok(found), |index| Err(not_an_event(index)))
}

/// Reads the heads of entries, each with its place, in the order of the log.
fn read_found(
    reader: &(impl EventReader + ?Sized),
    view: &EventView<'_>,
    mut entries: Vec<(u64, usize)>,
    visit: &mut dyn FnMut(u64, usize, EntryHead<'_>),
) -> Result<(), StorageError> {
    entries.sort_unstable();
    let mut rows = RowCursor::new(RowKind::Entry, view.folded);
    for (index, place) in entries {
        visit(index, place, rows.head(reader, index)?);
    }
    Ok(())
}

fn set(found: &mut [Option<IdEntry>], place: usize, entry: IdEntry) {
    if let Some(found) = found.get_mut(place) {
        *found = Some(entry);
    }
}
