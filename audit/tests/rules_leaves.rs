//! Leaves are RFC 8785 JSON, byte for byte as a foreign canonicaliser writes it, and have one spelling.
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

mod rules_support;

use meed_audit::RejectionCode;
use meed_audit::activity::Activity;
use meed_audit::allocation::Allocation;
use meed_audit::close::close_with;
use meed_audit::decision::{Change, Decision};
use meed_audit::event::{Event, Route, RouteV1};
use meed_audit::leaf::Leaf;
use meed_audit::policy::Policy;
use meed_audit::pool::PoolComponent;
use rules_support::*;
use serde_json::Value;

/// A leaf's bytes, and whether its own type reads some bytes.
struct Sample {
    name: &'static str,
    bytes: Vec<u8>,
    reads: fn(&[u8]) -> Result<(), RejectionCode>,
}

fn reads<T: Leaf>(bytes: &[u8]) -> Result<(), RejectionCode> {
    T::decode(bytes).map(|_| ()).map_err(|rejection| rejection.code)
}

fn sample<T: Leaf>(name: &'static str, leaf: &T) -> Sample {
    Sample { name, bytes: leaf.encode(), reads: reads::<T> }
}

/// Every kind of leaf, with free texts that have to be escaped or are not ASCII.
fn samples() -> Vec<Sample> {
    let mut input = example_input();
    for decision in &mut input.decisions {
        decision.reason = free("a \"quoted\" \\ reason: Grüße, 世界 🙂 / <&>");
        decision.actor = free("öl\u{7a7a}");
    }
    let mut part = component("base_issuance", 1);
    part.evidence_ref = Some(free("minutes \"12\" — ü"));
    let mut activity: Vec<Activity> = Vec::new();
    let closed = close_with(&input, &mut |leaf| activity.push(leaf.clone())).expect("closes");
    let shares = [("identity:github:1001", 400_000), ("user:0b7e7a6c-2d0c-4d5e-9a39-3a8c1f1f5a10", 600_000)];
    let shares = shares.iter().map(|(key, share)| (claimant(key), *share)).collect();
    let shared = decide(&[(Some(1), Change::Shares("a".parse().expect("id"), shares))]).remove(0);
    let route = Route { event: "a\"\\/".parse().expect("id"), scope: input.name.id(), v: RouteV1 };
    let mut samples = vec![
        sample::<Event>("event", &input.events[0].event),
        sample("route", &route),
        sample::<PoolComponent>("pool", &part),
        sample::<Decision>("shares", &shared),
        Sample {
            name: "policy",
            bytes: input.policy.encode(),
            reads: |bytes| Policy::decode(bytes).map(|_| ()).map_err(|rejection| rejection.code),
        },
    ];
    samples.extend(input.decisions.iter().map(|leaf| sample("decision", leaf)));
    samples.extend(activity.iter().map(|leaf| sample("activity", leaf)));
    samples.extend(closed.allocations.iter().map(|leaf| sample::<Allocation>("allocation", leaf)));
    samples
}

#[test]
fn leaves_are_what_a_foreign_canonicaliser_writes() {
    let approver_set = approvers().leaf();
    for (name, bytes) in samples().iter().map(|s| (s.name, &s.bytes)).chain([("approver set", &approver_set)])
    {
        let generic: Value = serde_json::from_slice(bytes).expect(name);
        let theirs = serde_json_canonicalizer::to_vec(&generic).expect(name);
        assert_eq!(String::from_utf8_lossy(bytes), String::from_utf8_lossy(&theirs), "{name}");
        check_no_numbers(name, &generic);
    }
}

fn check_no_numbers(name: &str, value: &Value) {
    match value {
        Value::Null | Value::Number(_) => assert!(name.is_empty(), "{name} holds {value}"),
        Value::Array(items) => items.iter().for_each(|item| check_no_numbers(name, item)),
        Value::Object(fields) => fields.values().for_each(|item| check_no_numbers(name, item)),
        Value::Bool(_) | Value::String(_) => {}
    }
}

#[test]
fn leaves_have_one_spelling() {
    for Sample { name, bytes, reads } in samples() {
        assert_eq!(reads(&bytes), Ok(()), "{name}");
        let text = String::from_utf8(bytes).expect("text");
        let generic: Value = serde_json::from_str(&text).expect("json");
        let fields = generic.as_object().expect("an object");
        for bad in spellings(&text) {
            assert!(reads(bad.as_bytes()).is_err(), "{name}: {bad}");
        }
        for field in fields.keys().filter(|field| !OPTIONAL.contains(&field.as_str())) {
            let mut fewer = fields.clone();
            fewer.remove(field);
            let bad = serde_json::to_vec(&fewer).expect("json");
            assert_eq!(reads(&bad), Err(RejectionCode::Malformed), "{name} without {field}");
            let twice = text.replacen('{', &format!("{{\"{field}\":{},", fields[field]), 1);
            assert_eq!(reads(twice.as_bytes()), Err(RejectionCode::Malformed), "{name} with {field} twice");
        }
        for field in fields.keys() {
            let mut null = fields.clone();
            null.insert(field.clone(), Value::Null);
            assert!(reads(&serde_json::to_vec(&null).expect("json")).is_err(), "{name} with {field} null");
        }
    }
}

/// Fields without which a leaf may be another good leaf.
const OPTIONAL: [&str; 6] = ["after", "before", "epoch", "reason", "override_reason", "evidence_ref"];

/// The same content in other words, and other formats.
fn spellings(text: &str) -> Vec<String> {
    let mut spellings = vec![
        format!(" {text}"),
        format!("{text}\n"),
        text.replacen(':', ": ", 1),
        text.replacen("\"v\"", "\"\\u0076\"", 1),
        text.replacen("/v1\"", "/v2\"", 1),
        text.replacen("/v1\"", "\\/v1\"", 1),
        text.replacen("{", "{\"aaa\":\"\",", 1),
        text.replacen("\"meed/", "\"Meed/", 1),
        format!("[{text}]"),
        String::new(),
    ];
    let fields: serde_json::Map<String, Value> = serde_json::from_str(text).expect("json");
    let turned: Vec<String> = fields.iter().rev().map(|(name, value)| format!("{name:?}:{value}")).collect();
    spellings.push(format!("{{{}}}", turned.join(",")));
    spellings.retain(|spelling| spelling != text);
    spellings
}

#[test]
fn no_prefix_of_a_leaf_is_a_leaf() {
    for Sample { name, bytes, reads } in samples() {
        for length in 0..bytes.len() {
            assert!(reads(&bytes[..length]).is_err(), "{name} cut to {length} bytes");
        }
    }
}

#[test]
fn a_leaf_of_one_kind_is_none_of_another() {
    let samples = samples();
    for a in &samples {
        for b in &samples {
            assert!((b.reads)(&a.bytes).is_err() || kind(a) == kind(b), "{} as {}", a.name, b.name);
        }
    }
}

fn kind(sample: &Sample) -> &'static str {
    if sample.name == "shares" { "decision" } else { sample.name }
}
