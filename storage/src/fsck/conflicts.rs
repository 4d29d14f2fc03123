//! Checking what is recorded of contents that came under the id of another event.

use super::FsckReport;
use crate::conflicts::{self, CONFLICT_SCOPES, CONFLICTS, CONFLICTS_KEPT_MAX, CONFLICTS_NOT_KEPT};
use crate::event_record::LogEntry;
use crate::events::EventReader;
use crate::key::{All, Key};
use crate::snapshot::Snapshot;
use crate::table::Reader;

pub(super) fn check_conflicts(snapshot: &Snapshot, report: &mut FsckReport) {
    let Some(conflicts) = report.take(snapshot.conflicts()) else { return };
    for conflict in conflicts {
        let key = (conflict.id.clone(), conflict.content_hash).to_bytes();
        let stored = report.take(snapshot.event_entry(conflict.stored_index)).flatten();
        let stored_is_other = matches!(&stored, Some(LogEntry::Event(event))
            if event.id == conflict.id && event.content_hash() != conflict.content_hash);
        if !stored_is_other
            || conflict.came.id != conflict.id
            || conflict.came.content_hash() != conflict.content_hash
        {
            report.note(
                CONFLICTS.name(),
                &key,
                "expected another content of a stored event, got something else",
            );
        }
    }
    check_conflict_places(snapshot, report);
}

/// A scope or a count stands only beside contents that are kept, and a count only where no more of them may be.
fn check_conflict_places(snapshot: &Snapshot, report: &mut FsckReport) {
    for (place, _) in report.take(snapshot.with_prefix(CONFLICT_SCOPES, &All)).unwrap_or_default() {
        if report.take(conflicts::kept_count(snapshot, &place.0)) == Some(0) {
            report.note(
                CONFLICT_SCOPES.name(),
                &place.to_bytes(),
                "expected a content that came under this id, got none",
            );
        }
    }
    for (id, _) in report.take(snapshot.with_prefix(CONFLICTS_NOT_KEPT, &All)).unwrap_or_default() {
        let kept = report.take(conflicts::kept_count(snapshot, &id));
        if kept.is_some_and(|kept| kept < CONFLICTS_KEPT_MAX) {
            let detail =
                format!("expected {CONFLICTS_KEPT_MAX} contents under this id beside the count, got fewer");
            report.note(CONFLICTS_NOT_KEPT.name(), &id.to_bytes(), detail);
        }
    }
}
