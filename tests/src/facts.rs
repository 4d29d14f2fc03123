//! The facts of the world: two epochs of one scope, the first without activity, and what people decided.

use meed_audit::activity::EpochEvent;
use meed_audit::amount::{Credits, Units};
use meed_audit::approvers::ScopeName;
use meed_audit::decision::{Change, Decision, DecisionContext, State};
use meed_audit::event::{EventFields, NewEvent};
use meed_audit::hash::Hash;
use meed_audit::ids::{Claimant, EpochNumber, Identity, Provider, UserId};
use meed_audit::json::Value;
use meed_audit::leaf::Leaf;
use meed_audit::policy::{Policy, Unit, Unlinked, Weights};
use meed_audit::pool::{Pool, PoolComponent};
use meed_audit::text::FreeText;
use meed_audit::time::{MS_PER_DAY, Period, Timestamp};
use meed_audit::window::{EpochWindow, WindowDays};

/// The node's origin.
pub const ORIGIN: &str = "ledger.example.org";
/// A person with a GitHub account.
pub const ANNA: &str = "0b7e7a6c-2d0c-4d5e-9a39-3a8c1f1f5a10";
/// A person with a Discord account.
pub const BEN: &str = "c3a1f6de-5f52-4a7b-8f8e-7d1f0f2f9b11";
/// When the events were collected.
const RETRIEVED_AT: &str = "2026-11-16T06:00:00Z";

/// A moment from its RFC 3339 text.
pub fn at(text: &str) -> Timestamp {
    Timestamp::parse_edge("at", text).expect("a time")
}

/// The world's scope.
pub fn scope_name() -> ScopeName {
    ScopeName {
        origin: ORIGIN.parse().expect("an origin"),
        node: "4ff8eac1-4eba-4ed0-931b-b1fe4f64713d".parse().expect("a node id"),
        key: "default".parse().expect("a scope key"),
    }
}

/// A claimant from its key.
pub fn claimant(key: &str) -> Claimant {
    key.parse().expect("a claimant")
}

/// An account elsewhere.
pub fn identity(provider: Provider, external_id: &str) -> Identity {
    Identity::new(provider, external_id).expect("an identity")
}

/// The number of an epoch.
pub fn epoch_number(number: u64) -> EpochNumber {
    EpochNumber::new(number).expect("an epoch number")
}

fn units(value: u128) -> Units {
    Units::single(value).expect("units")
}

fn user(id: &str) -> UserId {
    id.parse().expect("a user id")
}

fn free(text: &str) -> FreeText {
    FreeText::parse("text", text).expect("free text")
}

/// A git author: the hash of an e-mail address.
fn git_author() -> Identity {
    identity(Provider::Git, &Hash::of(b"someone@example.org").to_hex())
}

fn wallet() -> Identity {
    identity(Provider::Wallet, "0x00000000219ab540356cbb839cbb05303d7705fa")
}

/// What the scope pays, and for what.
pub fn policy() -> Policy {
    let weights = br#"{"discord:message_sent":50,"git:commit":1000,"github:pr_merged":1000,"github:review_submitted":"500"}"#;
    Policy {
        scope: scope_name().id(),
        unit: Unit::default(),
        unlinked: Unlinked::Claim,
        window_days: WindowDays::WEEK,
        weights: Weights::parse(weights).expect("weights"),
    }
}

/// The pool of an epoch: `base_issuance` of 10,000, and a bonus of 7 where asked for.
pub fn pool(has_bonus: bool) -> Pool {
    let component = |id: &str, amount: u128, evidence: Option<FreeText>| {
        let amount = Credits::single(amount).expect("an amount");
        PoolComponent::new(id.parse().expect("an id"), amount, "fixed-v1", Hash::of(b"{}"), evidence)
            .expect("a component")
    };
    let base = component("base_issuance", 10_000, None);
    let bonus = component("bonus", 7, Some(free("a vote of 2026-11-03")));
    Pool::from_components([base].into_iter().chain(has_bonus.then_some(bonus))).expect("a pool")
}

/// The scope's windows, with the sizes of the events log that closing pinned.
pub fn windows() -> Vec<EpochWindow> {
    let week = |number: u64, start: &str, log_size: u64| {
        let start = at(start);
        let end = start.plus_ms(7 * MS_PER_DAY).expect("an end");
        EpochWindow { number: epoch_number(number), period: Period { start, end }, log_size: Some(log_size) }
    };
    vec![week(1, "2026-11-02T00:00:00Z", 1), week(2, "2026-11-09T00:00:00Z", 14)]
}

/// One event of the scope's sources as a line that was imported.
pub fn event_line(id: &str, kind: &str, authors: &[(&Identity, Option<u32>)], time: &str) -> String {
    let author = |(identity, share): &(&Identity, Option<u32>)| {
        let (provider, id) = (identity.provider().as_str(), identity.external_id());
        let share = share.map(|share| format!(r#","share":{share}"#)).unwrap_or_default();
        format!(r#"{{"provider":"{provider}","id":"{id}"{share}}}"#)
    };
    let authors = authors.iter().map(author).collect::<Vec<_>>().join(",");
    let (source, event_type) = kind.split_once(':').expect("a source and a type");
    format!(
        r#"{{"id":"{id}","source":"{source}","source_ref":"1","event_type":"{event_type}","authors":[{authors}],"event_time":"{time}","payload_hash":"{}","producer":"meed-test","producer_version":"1","retrieved_at":"{RETRIEVED_AT}","metadata":{{"title":"Fix the door","labels":["a","ü"],"number":42}}}}"#,
        Hash::of(id.as_bytes()).to_hex()
    )
}

/// The imported lines of the second epoch, in the order of their indices from 1.
pub fn event_lines() -> Vec<String> {
    let (anna, bert) = (identity(Provider::Github, "1001"), identity(Provider::Github, "1003"));
    let (ben, carl) = (identity(Provider::Discord, "20001"), identity(Provider::Discord, "20002"));
    let (git, wallet) = (git_author(), wallet());
    let line = |id: &str, kind: &str, authors: &[&Identity], time: &str| {
        event_line(id, kind, &authors.iter().map(|author| (*author, None)).collect::<Vec<_>>(), time)
    };
    vec![
        line("github:pr:1:40", "github:pr_merged", &[&anna], "2026-11-09T08:00:00Z"),
        line("github:pr:1:41", "github:pr_merged", &[&bert, &anna], "2026-11-09T09:00:00Z"),
        line("github:review:1:41:1", "github:review_submitted", &[&bert], "2026-11-10T09:00:00Z"),
        line("discord:message:7:1", "discord:message_sent", &[&ben], "2026-11-10T10:00:00Z"),
        line("discord:message:7:2", "discord:message_sent", &[&carl], "2026-11-10T11:00:00Z"),
        line("discord:message:7:3", "discord:message_sent", &[&ben], "2026-11-10T12:00:00+01:00"),
        line("git:commit:1:aa", "git:commit", &[&git], "2026-11-11T12:00:00Z"),
        event_line(
            "git:commit:1:bb",
            "git:commit",
            &[(&git, Some(333_333)), (&anna, Some(666_667))],
            "2026-11-12T12:00:00Z",
        ),
        line("github:pr:1:42", "github:pr_merged", &[&carl], "2026-11-13T12:00:00Z"),
        line("github:issue:1:9", "github:issue_closed", &[&wallet], "2026-11-14T12:00:00Z"),
        line("github:review:1:39:1", "github:review_submitted", &[&bert], "2026-11-04T10:00:00Z"),
        line("git:commit:1:cc", "git:commit", &[&git, &bert, &ben], "2026-11-15T23:59:59.999Z"),
    ]
}

/// An event that was imported by its line, as it stands in the log at `index`; its salt is made of the index.
fn log_event(line: &str, index: u64) -> EpochEvent {
    let event = NewEvent::parse(line.as_bytes(), at(RETRIEVED_AT)).expect("an event");
    let salt = Hash::of(&index.to_be_bytes()).to_bytes();
    let event = event.into_event(salt, vec![scope_name().id()]).expect("an event");
    EpochEvent { event_hash: event.leaf_hash(), event, index, routed: false }
}

/// The events of the second epoch: twelve, at indices 1 to 12 of the events log, one of them late.
pub fn events() -> Vec<EpochEvent> {
    (1..).zip(event_lines()).map(|(index, line)| log_event(&line, index)).collect()
}

/// The leaf hashes of the whole events log: another scope's event, the scope's twelve, another scope's.
pub fn events_log() -> Vec<Hash> {
    let mut hashes = vec![other_scopes_event(0).leaf_hash()];
    hashes.extend(events().iter().map(|entry| entry.event_hash));
    hashes.push(other_scopes_event(13).leaf_hash());
    hashes
}

fn other_scopes_event(index: u64) -> meed_audit::event::Event {
    let fields = EventFields {
        id: format!("git:commit:2:{index}").parse().expect("an id"),
        source: "git".parse().expect("a source"),
        source_ref: "2".to_owned(),
        event_type: "commit".parse().expect("a type"),
        authors: vec![(git_author(), None)],
        event_time: at("2026-11-03T00:00:00Z"),
        payload_hash: Hash::of(b"other"),
        producer: "meed-test".to_owned(),
        producer_version: "1".to_owned(),
        retrieved_at: at("2026-11-03T00:00:00Z"),
        metadata: Value::Object(Vec::new()),
    };
    NewEvent::new(fields, at(RETRIEVED_AT)).expect("an event").into_event([7; 32], Vec::new()).expect("fits")
}

/// What people decided, in order, with the epoch that each change concerns.
pub fn changes() -> Vec<(Option<u64>, Change)> {
    let (anna, ben) = (identity(Provider::Github, "1001"), identity(Provider::Discord, "20001"));
    let event = |id: &str| id.parse().expect("an event id");
    let shares = [(Claimant::User(user(ANNA)), 250_000), (Claimant::Identity(wallet()), 750_000)];
    let ed25519 = identity(Provider::Ed25519, &Hash::of(b"an old key").to_hex());
    vec![
        (
            Some(1),
            Change::Pool("base_issuance".parse().expect("an id"), Credits::single(10_000).expect("fits")),
        ),
        (None, Change::Bind(anna, user(ANNA))),
        (None, Change::Bind(ben.clone(), user(ANNA))),
        (None, Change::Revoke(ben.clone())),
        (None, Change::Rebind(ben, user(BEN))),
        (
            Some(2),
            Change::Pool("base_issuance".parse().expect("an id"), Credits::single(10_000).expect("fits")),
        ),
        (Some(2), Change::Pool("bonus".parse().expect("an id"), Credits::single(7).expect("fits"))),
        (Some(2), Change::Exclude(event("discord:message:7:2"))),
        (Some(2), Change::Exclude(event("github:pr:1:42"))),
        (Some(2), Change::Include(event("github:pr:1:42"))),
        (Some(2), Change::Weight(event("github:issue:1:9"), units(300))),
        (Some(2), Change::Shares(event("github:pr:1:41"), shares.into_iter().collect())),
        (Some(2), Change::Override(Claimant::User(user(BEN)), units(1_234))),
        (Some(2), Change::Override(Claimant::Identity(ed25519), units(77))),
    ]
}

/// The decisions that make the first `count` of [`changes`], each from the state that those before have left.
pub fn decisions(count: usize) -> Vec<Decision> {
    let mut state = State::default();
    let mut decisions = Vec::new();
    for (number, change) in changes().into_iter().take(count) {
        let context = DecisionContext {
            scope: scope_name().id(),
            epoch: number.map(epoch_number),
            actor: free("olivia"),
            at: at("2026-11-16T09:00:00Z"),
            reason: free("agreed in the call of Monday, \"as is\""),
        };
        let decision = Decision::new(&state, &change, context).expect("a decision that may be made");
        state.apply(&decision).expect("applies");
        decisions.push(decision);
    }
    decisions
}
