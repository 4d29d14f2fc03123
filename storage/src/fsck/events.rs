//! Checking the entries of the events log, and that the indexes say what they say, completely and exactly.

use std::collections::BTreeSet;

use meed_audit::event::{Event, metadata_hash};
use meed_audit::hash::{Hash, leaf_hash};
use meed_audit::ids::{EventId, ScopeId};
use meed_audit::time::Timestamp;

use super::event_places::{Places, check_places};
use super::logs::{Regrown, log_record};
use super::{FsckReport, check_count};
use crate::event_index::{self, EVENT_IDS, SCOPE_TIMES};
use crate::event_record::{EntryHead, LogEntry, PrivateRecord, ROUTES, RouteIndex};
use crate::event_rows::{EVENT_ENTRIES, EVENT_PRIVATE, RowCursor, RowKind};
use crate::events::{EventReader, read_entry, read_private};
use crate::key::Key;
use crate::log::LogKind;
use crate::meta::NodeRecord;
use crate::snapshot::Snapshot;
use crate::table::Reader;

/// The check of all entries, one after the other.
struct Check<'a> {
    snapshot: &'a Snapshot,
    folded: u64,
    entries: RowCursor,
    private: RowCursor,
    /// What the indexes must hold, and no more.
    expected: Places,
    routes: u64,
    tail_ids: BTreeSet<EventId>,
}

/// Gives the size and root of the log as its entries have them.
pub(super) fn check_events(
    snapshot: &Snapshot,
    node: Option<&NodeRecord>,
    report: &mut FsckReport,
) -> (u64, Hash) {
    let mut regrown = Regrown::new(snapshot, LogKind::Events);
    let size = log_record(snapshot, LogKind::Events, report).map_or(0, |record| record.size);
    let folded = node.map_or(0, |node| node.folded_index);
    if folded > size {
        report.note("node", &[], format!("expected at most {size} folded entries, got {folded}"));
    }
    let mut check = Check {
        snapshot,
        folded,
        entries: RowCursor::new(RowKind::Entry, folded),
        private: RowCursor::new(RowKind::Private, folded),
        expected: Places { size, folded, ids: 0, times: 0 },
        routes: 0,
        tail_ids: BTreeSet::new(),
    };
    for index in 0..size {
        let entry = read_entry(snapshot, &mut check.entries, index);
        // Later hashes would only repeat what is known: the log cannot be grown over a hole.
        let Some(entry) = report.take(entry) else { continue };
        report.events += 1;
        regrown.push(leaf_hash(&entry.leaf()), report);
        match &entry {
            LogEntry::Event(event) => check.event(index, event, report),
            LogEntry::Route { event_index, route } => {
                check.route(index, *event_index, (&route.event, route.scope), report);
            }
        }
    }
    check_places(snapshot, &check.expected, report);
    check_count(snapshot, ROUTES.name(), check.routes, report);
    regrown.finish(report)
}

impl Check<'_> {
    fn event(&mut self, index: u64, event: &Event, report: &mut FsckReport) {
        let head = self.entries.head(self.snapshot, index);
        match report.take(head) {
            Some(EntryHead::Event(head)) if head.content_hash != event.content_hash() => {
                report.note(EVENT_ENTRIES, &index.to_bytes(), "expected the content's hash, got another");
            }
            _ => {}
        }
        self.id(index, &event.id, report);
        for scope in &event.scopes {
            self.time(*scope, event.event_time, index, report);
        }
        self.private(index, Some(&event.metadata_hash), report);
    }

    fn route(&mut self, index: u64, event_index: u64, claim: (&EventId, ScopeId), report: &mut FsckReport) {
        self.routes += 1;
        let (id, scope) = claim;
        let key = (event_index, scope);
        match self.snapshot.get(ROUTES, &key) {
            Ok(Some(stored)) if stored == (RouteIndex { index }) => {}
            Ok(Some(_)) => {
                report.note(ROUTES.name(), &key.to_bytes(), "expected what the log's entry says, got another")
            }
            Ok(None) => report.note(ROUTES.name(), &key.to_bytes(), "expected a record, got none"),
            Err(error) => report.note_error(error),
        }
        match self.snapshot.event_entry(event_index) {
            Ok(Some(LogEntry::Event(event))) if event.id == *id && event_index < index => {
                self.route_time(index, event.event_time, report);
                self.time(scope, event.event_time, index, report);
            }
            Ok(_) => report.note(
                EVENT_ENTRIES,
                &index.to_bytes(),
                "expected a route to an earlier event, got another",
            ),
            Err(error) => report.note_error(error),
        }
        self.private(index, None, report);
    }

    /// A route's record repeats its event's time, which its leaf does not hold.
    fn route_time(&mut self, index: u64, expected: Timestamp, report: &mut FsckReport) {
        let head = self.entries.head(self.snapshot, index);
        if let Some(EntryHead::Route(record)) = report.take(head)
            && record.event_time_ms != expected.as_ms()
        {
            report.note(EVENT_ENTRIES, &index.to_bytes(), "expected the event's time, got another");
        }
    }

    fn id(&mut self, index: u64, id: &EventId, report: &mut FsckReport) {
        let key = id.to_bytes();
        let found = report.take(event_index::find(self.snapshot, EVENT_IDS, &key));
        let Some(found) = found else { return };
        if index >= self.folded {
            if found.is_some() || !self.tail_ids.insert(id.clone()) {
                report.note(EVENT_IDS, &key, "expected one event of this id, got two");
            }
            return;
        }
        self.expected.ids += 1;
        if found != Some(index) {
            let got = found.map_or_else(|| "none".to_owned(), |found| format!("index {found}"));
            report.note(EVENT_IDS, &key, format!("expected index {index}, got {got}"));
        }
    }

    fn time(&mut self, scope: ScopeId, time: Timestamp, index: u64, report: &mut FsckReport) {
        if index >= self.folded {
            return;
        }
        self.expected.times += 1;
        let key = (scope, time).to_bytes();
        let held = event_index::holds(self.snapshot, SCOPE_TIMES, &key, index);
        if report.take(held) == Some(false) {
            report.note(SCOPE_TIMES, &key, format!("expected index {index} at this time, got none"));
        }
    }

    /// Compares what is private with the hash in the leaf; a route has nothing.
    fn private(&mut self, index: u64, expected: Option<&Hash>, report: &mut FsckReport) {
        let key = index.to_bytes();
        match (read_private(self.snapshot, &mut self.private, index), expected) {
            (Ok(None), None) | (Ok(Some(PrivateRecord::Erased)), Some(_)) => {}
            (Ok(Some(PrivateRecord::Kept { salt, metadata })), Some(expected))
                if metadata_hash(&salt, &metadata) == *expected => {}
            (Ok(Some(_)), _) => {
                report.note(EVENT_PRIVATE, &key, "expected the metadata of the leaf's hash, got other");
            }
            (Ok(None), Some(_)) => report.note(EVENT_PRIVATE, &key, "expected a record, got none"),
            (Err(error), _) => report.note_error(error),
        }
    }
}
