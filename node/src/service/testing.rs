//! A service over a ledger in a scratch folder, for the tests of this room.

use std::sync::{Arc, Mutex, PoisonError};

use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use meed_keys::{KeyUse, SigningKey};
use tempfile::TempDir;

use super::Service;
use crate::api::documents::{ApproversRequest, CloseRequest, OpenRequest, ScopeRequest};
use crate::cli::commands::init;
use crate::clock::Clock;
use crate::config::{DataFolder, Settings};
use crate::failure::Failure;

/// A clock that stands where a test sets it.
#[derive(Debug)]
pub(super) struct SetClock(Mutex<Timestamp>);

impl SetClock {
    pub(super) fn set(&self, text: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = time(text);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Result<Timestamp, Failure> {
        Ok(*self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(super) fn time(text: &str) -> Timestamp {
    Timestamp::parse_edge("time", text).expect("a time")
}

pub(super) fn actor() -> FreeText {
    FreeText::parse("actor", "operator").expect("an actor")
}

/// A new ledger, its service, and the clock by which that goes.
pub(super) fn service() -> (TempDir, Service, Arc<SetClock>) {
    let folder = tempfile::tempdir().expect("a folder");
    let data = DataFolder::at(folder.path().join("ledger"));
    init::create(&data, None, Some("ledger.example.org".parse().expect("an origin"))).expect("a ledger");
    let settings = Settings::parse("", &data.settings(), std::iter::empty()).expect("settings");
    let clock = Arc::new(SetClock(Mutex::new(time("2026-01-06T00:00:00Z"))));
    let service = Service::open(&data, settings).expect("opened").0.with_clock(clock.clone());
    (folder, service, clock)
}

/// As [`service`], with a scope whose first epoch has two events, of GitHub accounts 1 and 2, and is closed.
pub(super) fn in_review() -> (TempDir, Service, Arc<SetClock>) {
    let (folder, service, clock) = service();
    let scope = ScopeRequest {
        key: "default".to_owned(),
        unit: None,
        decimals: 0,
        unlinked: Default::default(),
        window_days: 7,
        base_issuance: Some("1000".to_owned()),
        weights: None,
    };
    service.add_scope(&scope, &actor()).expect("a scope");
    let key = |seed: u8| {
        let name = format!("approver-{seed}").parse().expect("a name");
        SigningKey::from_seed(name, KeyUse::Approver, [seed; 32]).verifier_key().to_string()
    };
    let approvers = ApproversRequest { threshold: 1, keys: vec![key(1)] };
    service.set_approvers("default", &approvers, &actor()).expect("approvers");
    let open = OpenRequest { at: "2026-01-06T00:00:00Z".to_owned(), skip: 0, ahead: false };
    service.open_epoch("default", &open, &actor()).expect("an epoch");
    let lines: String = (1..=2).map(|account| event_line(account) + "\n").collect();
    let stored =
        service.import("default", lines.as_bytes(), 1, (false, false), &Default::default()).expect("stored");
    assert_eq!(stored.events.stored, 2);
    clock.set("2026-01-13T00:00:00Z");
    service.close_epoch("default", 1, &CloseRequest::default(), &actor()).expect("closed");
    (folder, service, clock)
}

fn event_line(account: u32) -> String {
    let payload_hash = "aa".repeat(32);
    format!(
        r#"{{"id":"github:pr:7:{account}","source":"github","source_ref":"github:repo:7","event_type":"pr_merged","platform_user_id":"{account}","payload_hash":"{payload_hash}","producer":"test","producer_version":"1","event_time":"2026-01-05T12:00:00Z","retrieved_at":"2026-01-05T12:00:00Z"}}"#
    )
}
