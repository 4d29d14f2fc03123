//! Random lives of the events log against a plain model in memory: batches with duplicates, conflicts and routes,
//! erasures, folds, and reopenings, with views that are kept over all of them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use meed_audit::event::NewEvent;
use meed_audit::hash::Hash;
use meed_audit::ids::ScopeId;
use meed_audit::json::Value;
use meed_audit::time::Period;
use meed_storage::{
    AppendOutcome, By, Erased, EventReader, Ledger, LogEntry, LogKind, OnConflict, Options, PrivateData,
    Snapshot,
};
use proptest::prelude::*;
use support::{at, batch_for, checked, fields, new_ledger_with, scope, signing};

/// How many ids there are, of all kinds.
const IDS: u64 = 600;
/// Events of one batch that take the way of large batches are more than 64.
const BATCH_MAX: u64 = 150;

#[derive(Clone, Debug)]
enum Action {
    /// Numbers from a start on by a step, how many of them, which scopes, and of how many one is changed.
    Append {
        start: u64,
        step: u64,
        count: u64,
        scopes: u8,
        edited: u64,
        refuse: bool,
    },
    Erase(u64),
    /// The ledger is opened again, and folds once so many entries wait.
    Reopen(usize),
    /// A view is kept until the ledger is opened again.
    Keep,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let append = (0..IDS, 1..7_u64, 1..BATCH_MAX, 1..8_u8, 0..12_u64, any::<bool>()).prop_map(
        |(start, step, count, scopes, edited, refuse)| Action::Append {
            start,
            step,
            count,
            scopes,
            edited,
            refuse,
        },
    );
    let reopen = prop_oneof![Just(1), Just(40), Just(300), Just(usize::MAX)].prop_map(Action::Reopen);
    let action =
        prop_oneof![8 => append, 4 => (0..IDS).prop_map(Action::Erase), 2 => reopen, 1 => Just(Action::Keep)];
    prop::collection::vec(action, 1..24)
}

/// Ids that begin alike, ids that begin other ids, short ones, and ones of the greatest length.
fn id(number: u64) -> String {
    match number % 4 {
        0 => format!("git:commit:{number}"),
        1 => "p:".chars().chain(std::iter::repeat_n('~', usize::try_from(number / 4).unwrap())).collect(),
        2 => format!("{}{number:03}", "l".repeat(509)),
        _ => format!("{:03}!{}", number * 7_919 % 1_000, "r".repeat(usize::try_from(number % 300).unwrap())),
    }
}

/// The event of a number; an edited one has another content under the same id.
fn event(number: u64, edited: bool) -> NewEvent {
    let mut fields = fields(number);
    fields.id = id(number).parse().unwrap();
    // Some events share a time, and others are far from their neighbours in the log.
    fields.event_time = at(i64::try_from(number * 37 % 100).unwrap());
    fields.retrieved_at = at(1_000);
    let text = Hash::of(&number.to_be_bytes()).to_hex().repeat(usize::try_from(number % 40).unwrap());
    fields.metadata = Value::Object(vec![("title".to_owned(), Value::String(text))]);
    if edited {
        fields.payload_hash = Hash::of(format!("edited {number}").as_bytes());
    }
    checked(fields)
}

fn all_scopes() -> [ScopeId; 3] {
    ["default", "other", "third"].map(scope)
}

fn scopes_of_mask(mask: u8) -> Vec<ScopeId> {
    all_scopes()
        .into_iter()
        .zip(0..)
        .filter(|(_, bit)| mask >> bit & 1 == 1)
        .map(|(scope, _)| scope)
        .collect()
}

/// An entry as the model has it.
#[derive(Clone, Debug, PartialEq)]
enum Entry {
    Event { number: u64, edited: bool, scopes: BTreeSet<ScopeId>, erased: bool },
    Route { event: u64, scope: ScopeId },
}

#[derive(Clone, Default)]
struct Model {
    entries: Vec<Entry>,
    /// The index of each number's event.
    ids: BTreeMap<u64, u64>,
    conflicts: BTreeSet<(u64, bool)>,
}

impl Model {
    fn append(&mut self, offered: &[(u64, bool)], scopes: &[ScopeId]) -> Vec<AppendOutcome> {
        offered.iter().map(|(number, edited)| self.offer(*number, *edited, scopes)).collect()
    }

    fn offer(&mut self, number: u64, edited: bool, scopes: &[ScopeId]) -> AppendOutcome {
        let next = u64::try_from(self.entries.len()).unwrap();
        let Some(&index) = self.ids.get(&number) else {
            self.ids.insert(number, next);
            let scopes = scopes.iter().copied().collect();
            self.entries.push(Entry::Event { number, edited, scopes, erased: false });
            return AppendOutcome::Stored { index: next };
        };
        if !self.is_same(index, edited) {
            self.conflicts.insert((number, edited));
            return AppendOutcome::Conflict { index };
        }
        let known: BTreeSet<ScopeId> = self.scopes_of(index).into_iter().map(|(scope, _)| scope).collect();
        let mut routes = Vec::new();
        for scope in scopes.iter().collect::<BTreeSet<_>>().into_iter().filter(|scope| !known.contains(scope))
        {
            routes.push(u64::try_from(self.entries.len()).unwrap());
            self.entries.push(Entry::Route { event: index, scope: *scope });
        }
        AppendOutcome::Duplicate { index, routes }
    }

    fn entry(&self, index: u64) -> &Entry {
        &self.entries[usize::try_from(index).unwrap()]
    }

    fn is_same(&self, index: u64, offered: bool) -> bool {
        matches!(self.entry(index), Entry::Event { edited, .. } if *edited == offered)
    }

    /// What an entry gives to scopes: the event's number, and the scopes.
    fn claims(&self, entry: &Entry) -> (u64, Vec<ScopeId>) {
        match entry {
            Entry::Event { number, scopes, .. } => (*number, scopes.iter().copied().collect()),
            Entry::Route { event, scope } => (self.claims(self.entry(*event)).0, vec![*scope]),
        }
    }

    fn scopes_of(&self, index: u64) -> Vec<(ScopeId, u64)> {
        let mut found = Vec::new();
        for (entry, place) in self.entries.iter().zip(0..) {
            match entry {
                Entry::Event { scopes, .. } if place == index => {
                    found.extend(scopes.iter().map(|scope| (*scope, place)));
                }
                Entry::Route { event, scope } if *event == index => found.push((*scope, place)),
                _ => {}
            }
        }
        found.sort_unstable();
        found
    }

    fn window(&self, scope: ScopeId, seconds: (i64, i64), below: u64) -> Vec<u64> {
        let holds = |entry: &Entry| {
            let (number, scopes) = self.claims(entry);
            let second = i64::try_from(number * 37 % 100).unwrap();
            scopes.contains(&scope) && (seconds.0..seconds.1).contains(&second)
        };
        (0..below).zip(&self.entries).filter(|(_, entry)| holds(entry)).map(|(index, _)| index).collect()
    }
}

/// Compares every answer of a view with the model's.
fn compare(snapshot: &Snapshot, model: &Model) {
    let size = u64::try_from(model.entries.len()).unwrap();
    assert_eq!(snapshot.log_size(LogKind::Events).unwrap(), size);
    for number in 0..IDS {
        let found = snapshot.event_by_id(&id(number).parse().unwrap()).unwrap();
        assert_eq!(found.as_ref().map(|(index, _)| index), model.ids.get(&number), "{}", id(number));
        if let Some((index, stored)) = found {
            assert!(model.is_same(index, stored.content_hash() == event(number, true).content_hash()));
        }
    }
    for (entry, index) in model.entries.iter().zip(0..) {
        compare_entry(snapshot, model, entry, index);
    }
    assert_eq!(snapshot.event_entry(size).unwrap(), None);
    assert_eq!(snapshot.event_private(size).unwrap(), None);
    for (scope, seconds) in all_scopes().into_iter().zip([(0, 100), (13, 57), (99, 100)]) {
        for seconds in [seconds, (40, 41), (50, 50), (60, 20)] {
            let period = Period { start: at(seconds.0), end: at(seconds.1) };
            for below in [0, size / 2, size, u64::MAX] {
                let expected = model.window(scope, seconds, below);
                assert_eq!(snapshot.window_indexes(scope, period, below).unwrap(), expected, "{seconds:?}");
            }
        }
    }
    let conflicts: BTreeSet<_> = snapshot
        .conflicts()
        .unwrap()
        .into_iter()
        .map(|conflict| (conflict.id.to_string(), conflict.content_hash))
        .collect();
    let expected: BTreeSet<_> = model
        .conflicts
        .iter()
        .map(|(number, edited)| (id(*number), event(*number, *edited).content_hash()))
        .collect();
    assert_eq!(conflicts, expected);
    let report = snapshot.fsck(&mut |_| {});
    assert!(report.is_sound(), "{:?}", report.problems);
}

fn compare_entry(snapshot: &Snapshot, model: &Model, entry: &Entry, index: u64) {
    let stored = snapshot.event_entry(index).unwrap().unwrap();
    let private = snapshot.event_private(index).unwrap();
    match entry {
        Entry::Event { number, edited, erased, .. } => {
            let LogEntry::Event(found) = stored else { unreachable!("entry {index} is an event") };
            let offered = event(*number, *edited);
            assert_eq!((&found.id, found.content_hash()), (offered.id(), offered.content_hash()));
            assert_eq!(snapshot.scopes_of(index).unwrap(), model.scopes_of(index));
            match private.unwrap() {
                PrivateData::Erased => assert!(erased),
                PrivateData::Kept { salt, metadata } => {
                    assert!(!erased);
                    assert_eq!(metadata, offered.metadata());
                    assert_eq!(found.metadata_hash, meed_audit::event::metadata_hash(&salt, &metadata));
                }
            }
        }
        Entry::Route { event, scope } => {
            let LogEntry::Route { event_index, route } = stored else {
                unreachable!("entry {index} is a route")
            };
            assert_eq!((event_index, route.scope, private), (*event, *scope, None));
        }
    }
}

fn open(path: &Path, fold_events: usize) -> Ledger {
    Ledger::open(path, Options { fold_events, ..signing() }).unwrap()
}

/// Lives through the actions.
fn live(actions: Vec<Action>) {
    let (_folder, path, mut ledger) = new_ledger_with(Options { fold_events: 60, ..signing() });
    let by = || By::new("operator".parse().unwrap(), at(2_000));
    ledger.add_scope(support::terms("third"), by()).unwrap();
    let mut model = Model::default();
    let mut kept: Vec<(Snapshot, Model)> = Vec::new();
    for action in actions {
        match action {
            Action::Append { start, step, count, scopes, edited, refuse } => {
                let numbers = (0..count).map(|place| (start + place * step) % IDS);
                let offered: Vec<(u64, bool)> =
                    numbers.map(|number| (number, edited > 0 && number % (edited * 5) == 0)).collect();
                let scopes = scopes_of_mask(scopes);
                let events = offered.iter().map(|(number, edited)| event(*number, *edited)).collect();
                let mut after = model.clone();
                let expected = after.append(&offered, &scopes);
                let conflicts =
                    expected.iter().any(|outcome| matches!(outcome, AppendOutcome::Conflict { .. }));
                let batch = batch_for(events, scopes);
                if refuse && conflicts {
                    ledger.append(batch.on_conflict(OnConflict::Refuse)).unwrap_err();
                } else {
                    assert_eq!(ledger.append(batch).unwrap().outcomes, expected);
                    model = after;
                }
            }
            Action::Erase(number) => {
                let result =
                    ledger.erase_metadata(id(number).parse().unwrap(), "asked".parse().unwrap(), by());
                match model.ids.get(&number).map(|index| &mut model.entries[usize::try_from(*index).unwrap()])
                {
                    Some(Entry::Event { erased, .. }) => {
                        assert_eq!(result.unwrap() == Erased::Before, *erased);
                        *erased = true;
                    }
                    _ => drop(result.unwrap_err()),
                }
            }
            Action::Reopen(fold_events) => {
                compare(&ledger.snapshot().unwrap(), &model);
                kept.drain(..).for_each(|(snapshot, model)| compare(&snapshot, &model));
                drop(ledger);
                ledger = open(&path, fold_events);
            }
            Action::Keep => kept.push((ledger.snapshot().unwrap(), model.clone())),
        }
    }
    compare(&ledger.snapshot().unwrap(), &model);
    kept.into_iter().for_each(|(snapshot, model)| compare(&snapshot, &model));
    drop(ledger);
    compare(&open(&path, 1).snapshot().unwrap(), &model);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(12) })]
    #[test]
    fn every_answer_is_the_models_whatever_was_folded(actions in actions()) {
        live(actions);
    }
}
