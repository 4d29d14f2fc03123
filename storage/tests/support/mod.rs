//! What the tests of this room share: a node, keys, and ledgers in scratch folders.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test fails by panicking")]

pub mod world;

use std::path::PathBuf;

use meed_audit::ids::ScopeId;
use meed_audit::time::Timestamp;
use meed_keys::{KeyUse, SigningKey};
use meed_storage::{Genesis, Ledger, Options};
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
        log_key: log_key().public_key().clone(),
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
