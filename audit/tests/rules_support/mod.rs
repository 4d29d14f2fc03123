//! One small scope that the rule tests and the examples of `SPEC.md` share.
#![allow(dead_code, reason = "each test program uses its own part of the fixture")]
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

use meed_audit::activity::EpochEvent;
use meed_audit::amount::{Credits, Units};
use meed_audit::approvers::{ApproverSetText, ScopeName};
use meed_audit::close::{DraftTerms, EpochInput};
use meed_audit::decision::{Change, Decision, DecisionContext, State};
use meed_audit::event::{EventFields, NewEvent};
use meed_audit::hash::Hash;
use meed_audit::ids::{Claimant, EpochNumber, Identity, Provider, Revision, UserId};
use meed_audit::json::Value;
use meed_audit::leaf::Leaf;
use meed_audit::merkle;
use meed_audit::policy::{Policy, Unit, Unlinked, Weights};
use meed_audit::pool::{Pool, PoolComponent};
use meed_audit::text::FreeText;
use meed_audit::time::{Period, Timestamp};
use meed_audit::window::{EpochWindow, WindowDays};
use meed_keys::{ApproverSet, KeyUse, SigningKey, VerifierKey};

pub(crate) const NODE: &str = "4ff8eac1-4eba-4ed0-931b-b1fe4f64713d";
pub(crate) const USER: &str = "0b7e7a6c-2d0c-4d5e-9a39-3a8c1f1f5a10";

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse_edge("at", text).expect(text)
}

pub(crate) fn free(text: &str) -> FreeText {
    FreeText::parse("text", text).expect(text)
}

pub(crate) fn github(id: &str) -> Identity {
    Identity::new(Provider::Github, id).expect(id)
}

pub(crate) fn claimant(key: &str) -> Claimant {
    key.parse().expect(key)
}

pub(crate) fn units(value: u128) -> Units {
    Units::single(value).expect("units")
}

pub(crate) fn epoch(number: u64) -> EpochNumber {
    EpochNumber::new(number).expect("epoch")
}

pub(crate) fn scope_name() -> ScopeName {
    ScopeName {
        origin: "ledger.example.org".parse().expect("origin"),
        node: NODE.parse().expect("node"),
        key: "default".parse().expect("key"),
    }
}

/// The signing key whose seed is 32 times `seed`.
pub(crate) fn key(name: &str, key_use: KeyUse, seed: u8) -> SigningKey {
    SigningKey::from_seed(name.parse().expect(name), key_use, [seed; 32])
}

pub(crate) fn approver(name: &str, seed: u8) -> SigningKey {
    key(name, KeyUse::Approver, seed)
}

pub(crate) fn verifier(name: &str, seed: u8) -> VerifierKey {
    approver(name, seed).verifier_key().clone()
}

pub(crate) fn log_key() -> SigningKey {
    key("log", KeyUse::Log, 9)
}

pub(crate) fn approver_set() -> ApproverSet {
    let keys = vec![verifier("alice", 1), verifier("bob", 2), verifier("carol", 3)];
    ApproverSet::new(2, keys).expect("set")
}

pub(crate) fn approvers() -> ApproverSetText {
    ApproverSetText::next(&scope_name(), &[], approver_set()).expect("version 1")
}

pub(crate) fn policy(unlinked: Unlinked) -> Policy {
    Policy {
        scope: scope_name().id(),
        unit: Unit::default(),
        unlinked,
        window_days: WindowDays::WEEK,
        weights: Weights::parse(br#"{"github:pr_merged":1000,"github:review_submitted":500}"#)
            .expect("weights"),
    }
}

pub(crate) fn component(id: &str, amount: u128) -> PoolComponent {
    PoolComponent::new(
        id.parse().expect(id),
        Credits::single(amount).expect("amount"),
        "v1",
        Hash::of(b"{}"),
        None,
    )
    .expect("component")
}

pub(crate) fn pool(amount: u128) -> Pool {
    Pool::from_components([component("base_issuance", amount)]).expect("pool")
}

/// A checked event of the scope's repository; authors are GitHub ids.
pub(crate) fn new_event(id: &str, event_type: &str, authors: &[(&str, Option<u32>)], time: &str) -> NewEvent {
    let fields = EventFields {
        id: id.parse().expect(id),
        source: "github".parse().expect("source"),
        source_ref: "1".to_owned(),
        event_type: event_type.parse().expect(event_type),
        authors: authors.iter().map(|(author, share)| (github(author), *share)).collect(),
        event_time: at(time),
        payload_hash: Hash::of(id.as_bytes()),
        producer: "meed-github".to_owned(),
        producer_version: "1".to_owned(),
        retrieved_at: at("2026-11-20T00:00:00Z"),
        metadata: Value::parse_edge(br#"{"title":"Fix the door","url":"https://example.org/42"}"#)
            .expect("metadata"),
    };
    NewEvent::new(fields, at("2026-11-20T00:00:00Z")).expect(id)
}

/// The event as it stands in the log at `index`, with a salt of zeros.
pub(crate) fn log_event(event: NewEvent, index: u64) -> EpochEvent {
    let event = event.into_event([0; 32], vec![scope_name().id()]).expect("event");
    EpochEvent { event_hash: event.leaf_hash(), event, index, routed: false }
}

pub(crate) fn week(number: u64, start: &str, log_size: u64) -> EpochWindow {
    let start = at(start);
    let end = start.plus_ms(7 * 86_400_000).expect("end");
    EpochWindow { number: epoch(number), period: Period { start, end }, log_size: Some(log_size) }
}

/// Makes decisions one after the other, each from the state that those before have left.
pub(crate) fn decide(changes: &[(Option<u64>, Change)]) -> Vec<Decision> {
    let mut state = State::default();
    let mut decisions = Vec::new();
    for (number, change) in changes {
        let context = DecisionContext {
            scope: scope_name().id(),
            epoch: number.map(epoch),
            actor: free("olivia"),
            at: at("2026-11-17T09:00:00Z"),
            reason: free("as agreed"),
        };
        let decision = Decision::new(&state, change, context).expect("a decision that may be made");
        state.apply(&decision).expect("applies");
        decisions.push(decision);
    }
    decisions
}

pub(crate) fn bind(id: &str) -> (Option<u64>, Change) {
    let user: UserId = USER.parse().expect("user");
    (None, Change::Bind(github(id), user))
}

/// The decision that adds a component to the pool of the example's epoch.
pub(crate) fn pooled(id: &str, amount: u128) -> (Option<u64>, Change) {
    let amount = Credits::single(amount).expect("amount");
    (Some(2), Change::Pool(id.parse().expect(id), amount))
}

/// The same for every component of a pool.
pub(crate) fn pool_decisions(pool: &Pool) -> Vec<Decision> {
    let changes: Vec<_> =
        pool.components().map(|part| pooled(part.component.as_str(), part.amount.value())).collect();
    decide(&changes)
}

pub(crate) fn draft(revision: u64) -> DraftTerms {
    DraftTerms {
        revision: Revision::new(revision).expect("revision"),
        sign_by: at("2026-12-01T09:00:00Z"),
        previous: Some(Hash::of(b"the statement of epoch 1")),
        supersedes: None,
    }
}

/// The example of `SPEC.md`: five events, one late, one excluded, one with two authors; one bound identity; one
/// override.
pub(crate) fn example_input() -> EpochInput {
    let events = example_events();
    let root = merkle::root(&events.iter().map(|entry| entry.event_hash).collect::<Vec<_>>());
    let decisions = decide(&[
        bind("1001"),
        (Some(2), Change::Exclude("github:pr:1:44".parse().expect("id"))),
        (Some(2), Change::Override(claimant("identity:github:1003"), units(250))),
        pooled("base_issuance", 10_000),
    ]);
    EpochInput {
        name: scope_name(),
        policy: policy(Unlinked::Claim),
        windows: vec![week(1, "2026-11-02T00:00:00Z", 0), week(2, "2026-11-09T00:00:00Z", 5)],
        events_log: "ledger.example.org/events/1".to_owned(),
        events_root: root,
        events,
        decisions,
        pool: pool(10_000),
        approvers: approvers(),
        draft: draft(0),
    }
}

/// A correction of the example's epoch, which another week is final after.
pub(crate) fn amended_input() -> EpochInput {
    let mut input = example_input();
    input.decisions = decide(&[bind("1001"), pooled("base_issuance", 10_000), (Some(2), Change::Amend)]);
    input.draft.revision = Revision::FIRST.next();
    input.draft.supersedes = Some(Hash::of(b"the statement that is corrected"));
    input
}

pub(crate) fn example_events() -> Vec<EpochEvent> {
    let events = [
        new_event("github:pr:1:42", "pr_merged", &[("1002", None), ("1001", None)], "2026-11-10T12:00:00Z"),
        new_event("github:pr:1:43", "pr_merged", &[("1003", None)], "2026-11-11T12:00:00Z"),
        new_event("github:review:1:43:7", "review_submitted", &[("1001", None)], "2026-11-11T10:00:00Z"),
        new_event("github:pr:1:44", "pr_merged", &[("1002", None)], "2026-11-12T12:00:00Z"),
        new_event("github:review:1:40:3", "review_submitted", &[("1002", None)], "2026-11-04T10:00:00Z"),
    ];
    (0..).zip(events).map(|(index, event)| log_event(event, index)).collect()
}

/// The node's log key under the name of an origin line.
pub(crate) fn log_key_as(origin_line: &str) -> SigningKey {
    log_key().renamed(origin_line.parse().expect("name"))
}
