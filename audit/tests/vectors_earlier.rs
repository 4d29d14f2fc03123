//! The earlier system's golden vectors of pure functions (`vectors/earlier_system.json`): the same numbers where the
//! design is the same, and the documented difference where it is another on purpose.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

mod rules_support;

use std::collections::BTreeMap;

use meed_audit::RejectionCode;
use meed_audit::activity::{Earned, Earnings, curate};
use meed_audit::allocation::{Allocation, allocate, allocation_set_hash};
use meed_audit::amount::{Credits, Units};
use meed_audit::decision::State;
use meed_audit::hash::Hash;
use meed_audit::ids::{Claimant, EventId, NodeId, Revision, ScopeId, ScopeKey};
use meed_audit::policy::{Unlinked, Weights};
use meed_audit::window::WindowDays;
use rules_support::*;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    #[serde(rename = "about")]
    _about: String,
    payouts: Vec<PayoutCase>,
    statement_lines: Vec<PayoutCase>,
    allocation_set_hash: Vec<SetHashCase>,
    epoch_window: Vec<WindowCase>,
    event_id: Vec<EventIdCase>,
    scope_id: Vec<ScopeIdCase>,
    claimants: Vec<ClaimantCase>,
    proposed_allocations: Vec<ProposedCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PayoutCase {
    name: String,
    pool: Credits,
    units: Vec<(String, Units)>,
    credits: Vec<(String, Units, Credits)>,
    ours: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetHashCase {
    name: String,
    units: Vec<(String, Units)>,
    hash: Hash,
    ours: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WindowCase {
    name: String,
    at: String,
    days: u32,
    start: String,
    end: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventIdCase {
    parts: Vec<String>,
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopeIdCase {
    node: NodeId,
    key: ScopeKey,
    id: ScopeId,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimantCase {
    name: String,
    key: String,
    units: Units,
    final_units: Option<Units>,
    refused: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProposedCase {
    name: String,
    weights: BTreeMap<String, String>,
    events: Vec<ProposedEvent>,
    expected: Vec<(String, Units, u64)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProposedEvent {
    id: String,
    who: String,
    r#type: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("vectors/earlier_system.json")).expect("vectors")
}

/// The earlier system's ids are any text; here each becomes a user whose UUID has the same place in the order.
fn as_users<'a>(names: impl Iterator<Item = &'a String>) -> BTreeMap<String, Claimant> {
    let mut names: Vec<&String> = names.collect();
    names.sort();
    names.dedup();
    let user = |rank: usize| claimant(&format!("user:00000000-0000-4000-8000-{rank:012}"));
    names.into_iter().enumerate().map(|(rank, name)| (name.clone(), user(rank))).collect()
}

fn pay(pool: Credits, units: impl IntoIterator<Item = (Claimant, Units)>) -> Vec<Allocation> {
    let mut earned = BTreeMap::<Claimant, Earned>::new();
    for (claimant, units) in units {
        let sum = earned.entry(claimant).or_default();
        sum.units = sum.units.plus(units).expect("a sum");
    }
    let revision = Revision::FIRST;
    allocate(scope_name().id(), epoch(1), revision, pool, earned.into_iter().collect(), &BTreeMap::new())
        .expect("allocates")
}

fn rows(allocations: &[Allocation]) -> Vec<(Claimant, Units, Credits)> {
    allocations.iter().map(|a| (a.claimant.clone(), a.final_units, a.credits)).collect()
}

#[test]
fn payouts_are_the_earlier_systems() {
    let cases = vectors().payouts;
    assert_eq!(cases.len(), 13);
    for case in cases {
        let users = as_users(case.units.iter().map(|(name, _)| name));
        let ours = pay(case.pool, case.units.iter().map(|(name, units)| (users[name].clone(), *units)));
        let paid: u128 = ours.iter().map(|allocation| allocation.credits.value()).sum();
        if case.ours.is_some() {
            // It listed nobody; here a claimant stays listed, and the pool is undistributed.
            assert_eq!((case.credits.len(), ours.len()), (0, users.len()), "{}", case.name);
            assert_eq!(paid, 0, "{}", case.name);
            continue;
        }
        let expected: Vec<_> = case
            .credits
            .iter()
            .map(|(name, units, credits)| (users[name].clone(), *units, *credits))
            .collect();
        assert_eq!(rows(&ours), expected, "{}", case.name);
        assert_eq!(paid, case.pool.value(), "{}", case.name);
    }
}

#[test]
fn units_beyond_the_limit_are_sums_only() {
    let case = vectors().payouts.into_iter().find(|case| case.name == "gt_u128").expect("the case");
    for (_, units) in &case.units {
        let refused = Units::single(units.value()).expect_err("above 2^96 - 1");
        assert_eq!(refused.code, RejectionCode::NumberTooLarge, "nobody can enter it, only sums reach it");
    }
}

#[test]
fn statement_lines_are_the_earlier_systems() {
    let cases = vectors().statement_lines;
    assert_eq!(cases.len(), 2);
    for case in cases {
        let users =
            as_users(case.units.iter().map(|(name, _)| name).filter(|name| name.starts_with("user:")));
        let key = |name: &String| users.get(name).cloned().unwrap_or_else(|| claimant(name));
        let ours = pay(case.pool, case.units.iter().map(|(name, units)| (key(name), *units)));
        let expected: Vec<_> =
            case.credits.iter().map(|(name, units, credits)| (key(name), *units, *credits)).collect();
        assert_eq!(rows(&ours), expected, "{}", case.name);
    }
}

/// The hash's text as the earlier system made it, from the entries as they came.
fn set_text<'a>(entries: impl Iterator<Item = (&'a str, Units)>) -> String {
    entries.map(|(key, units)| format!("{key}:{units}")).collect::<Vec<_>>().join("\n")
}

#[test]
fn allocation_set_hashes_are_the_earlier_systems() {
    let cases = vectors().allocation_set_hash;
    assert_eq!(cases.len(), 4);
    for case in &cases {
        let text = set_text(case.units.iter().map(|(key, units)| (key.as_str(), *units)));
        assert_eq!(Hash::of(text.as_bytes()), case.hash, "{}", case.name);
        assert_eq!(case.ours.is_some(), !case.name.starts_with("alice"), "{}", case.name);
    }
    // The same text from real claimants: users by their bare id, identities by the whole key, sorted as text.
    let units = [("identity:github:7", 3), (USER_KEY, 2), ("identity:discord:5", 1)];
    let entries: Vec<(Claimant, Units)> =
        units.iter().map(|(key, value)| (claimant(key), rules_support::units(*value))).collect();
    let ours = allocation_set_hash(entries.iter().map(|(claimant, units)| (claimant, *units)));
    let text = format!("{USER}:2\nidentity:discord:5:1\nidentity:github:7:3");
    assert_eq!(ours, Hash::of(text.as_bytes()));
    let turned = allocation_set_hash(entries.iter().rev().map(|(claimant, units)| (claimant, *units)));
    assert_eq!(ours, turned, "the order of the entries means nothing");
    assert_eq!(allocation_set_hash([]), Hash::of(b""));
}

#[test]
fn no_claimant_can_forge_the_text_of_another_set() {
    for key in ["user:a:1\nb", "identity:github:7:1\nidentity:github:8", "identity:github:7\n"] {
        let refused = key.parse::<Claimant>().expect_err(key);
        assert_eq!(refused.code, RejectionCode::InvalidClaimant);
    }
}

const USER_KEY: &str = "user:0b7e7a6c-2d0c-4d5e-9a39-3a8c1f1f5a10";

#[test]
fn epoch_windows_are_the_earlier_systems() {
    let cases = vectors().epoch_window;
    assert_eq!(cases.len(), 7);
    for case in cases {
        let window = WindowDays::new(case.days).expect("days").window_at(at(&case.at)).expect("window");
        let ours = (window.start.to_string(), window.end.to_string());
        assert_eq!(ours, (case.start, case.end), "{}", case.name);
    }
}

#[test]
fn event_ids_are_the_earlier_systems() {
    let cases = vectors().event_id;
    assert_eq!(cases.len(), 4);
    for case in cases {
        let id: EventId = case.id.parse().expect("an event id");
        assert_eq!(id.as_str(), case.parts.join(":"));
    }
}

#[test]
fn scope_ids_are_the_earlier_systems() {
    let cases = vectors().scope_id;
    assert_eq!(cases.len(), 2);
    for case in cases {
        assert_eq!(ScopeId::derive(&case.node, &case.key), case.id);
    }
}

#[test]
fn claimants_are_the_earlier_systems() {
    let cases = vectors().claimants;
    assert_eq!(cases.len(), 3);
    for case in cases {
        let parsed = case.key.parse::<Claimant>();
        match (case.final_units, case.refused) {
            (Some(expected), None) => {
                let ours = pay(Credits::ZERO, [(parsed.expect("a claimant"), case.units)]);
                assert_eq!(ours[0].final_units, expected, "{}", case.name);
            }
            (None, Some(code)) => assert_eq!(parsed.expect_err(&case.name).code.name(), code),
            _ => panic!("{} expects units or a refusal", case.name),
        }
    }
}

#[test]
fn proposed_allocations_are_the_earlier_systems() {
    let cases = vectors().proposed_allocations;
    assert_eq!(cases.len(), 4);
    for case in cases {
        let mut policy = policy(Unlinked::Claim);
        policy.weights = Weights::parse(&serde_json::to_vec(&case.weights).expect("json")).expect("weights");
        let mut names: Vec<&String> = case.events.iter().map(|event| &event.who).collect();
        names.sort();
        let id_of = |name: &String| (1 + names.iter().position(|n| *n == name).expect("known")).to_string();
        let mut earned = Earnings::default();
        for event in &case.events {
            let (_, event_type) = event.r#type.split_once(':').expect("a type");
            let author = id_of(&event.who);
            let event = new_event(&event.id, event_type, &[(&author, None)], "2026-11-10T00:00:00Z");
            let entry = log_event(event, 0);
            let activity = curate(&entry.entry(), false, &policy, None, &State::default()).expect("curates");
            earned.add(&activity).expect("adds");
        }
        let expected: Vec<(Claimant, Earned)> = case
            .expected
            .iter()
            .map(|(name, units, count)| {
                let key = Claimant::Identity(github(&id_of(name)));
                (key, Earned { units: *units, events_count: *count })
            })
            .collect();
        assert_eq!(earned.into_sorted(std::iter::empty()).expect("sums"), expected, "{}", case.name);
    }
}
