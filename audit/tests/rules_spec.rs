//! `SPEC.md` shows real bytes: each example is computed here, stands in `vectors/spec_examples.json`, and is found
//! in the text, so that neither can drift from the code.
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

mod rules_support;

use std::collections::BTreeMap;

use meed_audit::close::{close, close_with};
use meed_audit::event::Route;
use meed_audit::hash::Hash;
use meed_audit::leaf::Leaf;
use meed_audit::{RejectionCode, merkle};
use meed_keys::{Note, SignatureLine};
use rules_support::*;

const SPEC: &str = include_str!("../SPEC.md");
const EXAMPLES: &str = include_str!("vectors/spec_examples.json");

type Examples = BTreeMap<String, String>;

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("text")
}

fn add_leaf(examples: &mut Examples, name: &str, leaf: &impl Leaf) {
    examples.insert(format!("{name} leaf"), text(leaf.encode()));
    examples.insert(format!("{name} leaf hash"), leaf.leaf_hash().to_hex());
}

fn computed() -> Examples {
    let mut examples = Examples::new();
    let input = example_input();
    let mut activity = Vec::new();
    let closed = close_with(&input, &mut |leaf| activity.push(leaf.clone())).expect("closes");
    add_leaf(&mut examples, "event", &input.events[0].event);
    examples.insert("metadata".to_owned(), new_metadata());
    examples.insert("metadata hash".to_owned(), input.events[0].event.metadata_hash.to_hex());
    examples.insert("content hash".to_owned(), input.events[0].event.content_hash().to_hex());
    let route = Route {
        event: input.events[0].event.id.clone(),
        scope: input.name.id(),
        v: meed_audit::event::RouteV1,
    };
    add_leaf(&mut examples, "route", &route);
    examples.insert("policy".to_owned(), text(input.policy.encode()));
    examples.insert("policy hash".to_owned(), input.policy.hash().to_hex());
    for (number, leaf) in activity.iter().enumerate() {
        add_leaf(&mut examples, &format!("activity {number}"), leaf);
    }
    add_leaf(&mut examples, "pool", input.pool.components().next().expect("one"));
    for (number, decision) in input.decisions.iter().enumerate() {
        add_leaf(&mut examples, &format!("decision {number}"), decision);
    }
    for (number, allocation) in closed.allocations.iter().enumerate() {
        add_leaf(&mut examples, &format!("allocation {number}"), allocation);
    }
    let set = &input.approvers;
    examples.insert("approver set leaf".to_owned(), text(set.leaf()));
    examples.insert("approver set leaf hash".to_owned(), set.leaf_hash().to_hex());
    examples.insert("approver set text".to_owned(), set.to_string());
    examples.insert("approver set text hash".to_owned(), set.text_hash().to_hex());
    examples.insert("leaf 0 hash".to_owned(), closed.statement.leaf_zero_hash().to_hex());
    examples.insert("statement text hash".to_owned(), closed.statement.text_hash().to_hex());
    examples.insert("statement note".to_owned(), signed_note().to_string());
    examples.insert(
        "log key".to_owned(),
        rules_support::log_key_as(&closed.statement.origin_line()).verifier_key().to_string(),
    );
    for (size, root) in small_roots() {
        examples.insert(format!("root of {size}"), root);
    }
    examples
}

/// The metadata of the example events.
fn new_metadata() -> String {
    let event = new_event("github:pr:1:42", "pr_merged", &[("1001", None)], "2026-11-10T12:00:00Z");
    event.metadata().to_owned()
}

/// The roots of trees whose leaves are the texts `a`, `b`, `c`, ….
fn small_roots() -> Vec<(usize, String)> {
    let leaves: Vec<Hash> =
        ["a", "b", "c"].iter().map(|leaf| meed_audit::hash::leaf_hash(leaf.as_bytes())).collect();
    [0, 1, 2, 3].map(|size| (size, merkle::root(&leaves[..size]).to_hex())).to_vec()
}

/// The example's statement, signed by the node and by two of the three approvers.
fn signed_note() -> Note {
    let statement = close(&example_input()).expect("closes").statement;
    let body = statement.note_text().expect("text");
    let node: SignatureLine = log_key_as(&statement.origin_line()).sign_note(&body).expect("signs");
    let second = at("2026-11-18T08:00:00Z").as_seconds();
    let approvals = [("alice", 1), ("carol", 3)]
        .map(|(name, seed)| approver(name, seed).cosign(&body, second).expect("signs"));
    Note::new(body, [vec![node], approvals.to_vec()].concat()).expect("note")
}

#[test]
fn spec_examples_are_computed() {
    let stored: Examples = serde_json::from_str(EXAMPLES).expect("examples");
    let computed = computed();
    assert_eq!(
        stored,
        computed,
        "vectors/spec_examples.json must be:\n{}",
        serde_json::to_string_pretty(&computed).expect("json")
    );
}

#[test]
fn spec_shows_every_example() {
    for (name, value) in computed() {
        for line in value.lines().filter(|line| !line.is_empty()) {
            assert!(SPEC.lines().any(|shown| shown.contains(line)), "SPEC.md does not show {name}: {line}");
        }
    }
}

/// Chapter 24 is the enumeration, row by row, and nothing else.
#[test]
fn spec_lists_every_rejection() {
    let chapter = SPEC.split("\n## 24.").nth(1).expect("chapter 24");
    let shown: Vec<&str> =
        chapter.lines().filter(|line| line.starts_with("| ") && !line.contains("| name |")).collect();
    let expected: Vec<String> = RejectionCode::ALL
        .iter()
        .map(|code| {
            format!("| {} | `{}` | {} | {} |", code.number(), code.name(), code.actor(), code.remedy())
        })
        .collect();
    assert_eq!(shown, expected);
}
