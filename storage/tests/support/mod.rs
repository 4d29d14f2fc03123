//! What the tests of this room share: a node, keys, and ledgers in scratch folders.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test fails by panicking")]

pub mod life;
pub mod world;

use std::path::PathBuf;

use meed_audit::event::{EventFields, NewEvent};
use meed_audit::hash::Hash;
use meed_audit::ids::{Identity, Provider, ScopeId};
use meed_audit::json::Value;
use meed_audit::policy::{Unit, Unlinked, Weights};
use meed_audit::time::Timestamp;
use meed_audit::window::WindowDays;
use meed_keys::{KeyUse, SigningKey};
use meed_storage::{AppendReport, By, EventBatch, Genesis, Ledger, Options, ScopeTerms};
use tempfile::TempDir;

/// The log key of every test node.
pub(crate) fn log_key() -> SigningKey {
    SigningKey::from_seed("ledger.example.org".parse().unwrap(), KeyUse::Log, [7; 32])
}

/// What test nodes are made with.
pub(crate) fn genesis() -> Genesis {
    Genesis {
        node_id: "4ff8eac1-4eba-4ed0-931b-b1fe4f64713d".parse().unwrap(),
        origin: "ledger.example.org".parse().unwrap(),
        log_key: *log_key().public_key(),
        created_at: at(0),
    }
}

/// A moment, in seconds after the start of 2026.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_ms(1_767_225_600_000 + seconds * 1_000).unwrap()
}

/// A scope of the test node.
pub(crate) fn scope(key: &str) -> ScopeId {
    ScopeId::derive(&genesis().node_id, &key.parse().unwrap())
}

/// Options with the log key.
pub(crate) fn signing() -> Options {
    Options { log_key: Some(log_key()), cache_bytes: 8 << 20, ..Options::default() }
}

/// A scratch folder and the path of a ledger in it.
pub(crate) fn scratch() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger.redb");
    (folder, path)
}

/// A new ledger in a scratch folder.
pub(crate) fn new_ledger() -> (TempDir, PathBuf, Ledger) {
    let (folder, path) = scratch();
    let ledger = Ledger::create(&path, &genesis(), signing()).unwrap();
    (folder, path, ledger)
}

/// The terms of a plain scope.
pub(crate) fn terms(key: &str) -> ScopeTerms {
    ScopeTerms {
        key: key.parse().unwrap(),
        unit: Unit::default(),
        unlinked: Unlinked::Claim,
        weights: Weights::defaults().unwrap(),
        window_days: WindowDays::new(7).unwrap(),
        base_issuance: None,
    }
}

/// A new ledger that has the scopes `default` and `other`.
pub(crate) fn new_ledger_with(options: Options) -> (TempDir, PathBuf, Ledger) {
    let (folder, path) = scratch();
    let ledger = Ledger::create(&path, &genesis(), options).unwrap();
    for key in ["default", "other"] {
        ledger.add_scope(terms(key), By::new("operator".parse().unwrap(), at(0))).unwrap();
    }
    (folder, path, ledger)
}

/// The fields of event `number`: one author, a second apart from its neighbours, and metadata.
pub(crate) fn fields(number: u64) -> EventFields {
    let seconds = i64::try_from(number).unwrap();
    EventFields {
        id: format!("github:pr:7:{number}").parse().unwrap(),
        source: "github".parse().unwrap(),
        source_ref: "7".to_owned(),
        event_type: "pr_merged".parse().unwrap(),
        authors: vec![(Identity::new(Provider::Github, &(1 + number % 5).to_string()).unwrap(), None)],
        event_time: at(seconds),
        payload_hash: Hash::of(&number.to_be_bytes()),
        producer: "test".to_owned(),
        producer_version: "1".to_owned(),
        retrieved_at: at(seconds),
        metadata: Value::Object(vec![("title".to_owned(), Value::String(format!("Change {number}")))]),
    }
}

/// Event `number`.
pub(crate) fn event(number: u64) -> NewEvent {
    checked(fields(number))
}

/// An event of these fields.
pub(crate) fn checked(fields: EventFields) -> NewEvent {
    let now = fields.retrieved_at;
    NewEvent::new(fields, now).unwrap()
}

/// A batch for the scope `default`, each salt made of its place.
pub(crate) fn batch(events: Vec<NewEvent>) -> EventBatch {
    batch_for(events, vec![scope("default")])
}

/// A batch for some scopes.
pub(crate) fn batch_for(events: Vec<NewEvent>, scopes: Vec<ScopeId>) -> EventBatch {
    let salts = (0..=u8::MAX).cycle().map(|byte| [byte; 32]);
    EventBatch::prepare(events, scopes, salts, at(1_000_000)).unwrap()
}

/// Stores the events of these numbers in one batch.
pub(crate) fn append(ledger: &Ledger, numbers: std::ops::Range<u64>) -> AppendReport {
    ledger.append(batch(numbers.map(event).collect())).unwrap()
}
