//! The trust file: nobody signs it, so that its fingerprint is what people compare. What contradicts itself is refused.

use std::collections::BTreeMap;

use meed_audit::RejectionCode;
use meed_audit::approvers::ApproverSetText;
use meed_audit::hash::Hash;
use meed_audit::trust::{LogKey, Trust};
use meed_audit::verify::verify;
use meed_keys::{ApproverSet, KeyUse, SigningKey, VerifierKey};
use meed_tests::facts::scope_name;
use meed_tests::log::{key, key_name};
use meed_tests::world::{STATEMENTS_LOG, World, approver};

use crate::support::{mutations, refused_for};

/// A trust file with all that one can have: an earlier version, a rotated key, witnesses and their quorum.
fn rich(world: &World) -> Trust {
    let next = key("next.example", KeyUse::Log).renamed(key_name(STATEMENTS_LOG));
    let mut keys = world.log_keys();
    keys.push(LogKey { key: next.verifier_key().clone(), until_size: Some(1_000) });
    Trust::new(&world.sets[1], &[world.sets[0].leaf_hash()], &keys, &world.witness_policy())
        .expect("a trust file")
}

/// The log keys without their limits.
fn log_keys(trust: &Trust) -> Vec<VerifierKey> {
    trust.log_keys().iter().map(|entry| entry.key.clone()).collect()
}

/// The witnesses' keys.
fn witnesses(trust: &Trust) -> Vec<VerifierKey> {
    let mut keys: Vec<VerifierKey> = trust.policy().witnesses().cloned().collect();
    keys.sort();
    keys
}

/// What one changed byte of a trust file did that is not refused.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Accepted {
    /// White space, a quotation mark, or a comment: the fields are as they were.
    Layout,
    /// White space or a comment in the policy: another text of the same policy.
    PolicyLayout,
    /// A group's threshold, members or name: which witnesses are a quorum is its owner's choice.
    Quorum,
    /// Until which size a rotated key held: that as well.
    Limit,
    /// The end was cut off between two log keys: fewer keys are believed.
    FewerKeys,
}

/// Asserts that no key became another one, and says what did change.
fn accepted(trust: &Trust, other: &Trust, line: &str, at: &str) -> Accepted {
    assert_ne!(other.fingerprint(), trust.fingerprint(), "{at}");
    assert_eq!(other.approver_set(), trust.approver_set(), "{at}");
    assert_eq!(other.approver_set_leaves(), trust.approver_set_leaves(), "{at}");
    assert_eq!(witnesses(other), witnesses(trust), "{at}");
    let kept = other.log_keys().len();
    assert_eq!(log_keys(other)[..], log_keys(trust)[..kept], "{at}");
    if kept < trust.log_keys().len() {
        assert_eq!(other.log_keys(), &trust.log_keys()[..kept], "{at}");
        return Accepted::FewerKeys;
    }
    if other.log_keys() != trust.log_keys() {
        assert!(line.starts_with("until_size"), "{at}: {line}");
        return Accepted::Limit;
    }
    if other.policy() != trust.policy() {
        assert!(line.starts_with("group ") || line.starts_with("witness "), "{at}: {line}");
        return Accepted::Quorum;
    }
    let same = other.to_toml().expect("TOML") == trust.to_toml().expect("TOML");
    if same { Accepted::Layout } else { Accepted::PolicyLayout }
}

/// Nobody signs a trust file, so that what is accepted and believed is its owner's word: this says exactly which bytes
/// are free, and that no key, approver, root, node, scope or origin is among them.
#[test]
fn every_changed_byte_of_a_trust_file_is_refused_or_seen_in_its_fingerprint() {
    let world = World::with_changed_approvers();
    let trust = rich(&world);
    let text = trust.to_toml().expect("TOML");
    let mut proof = world.payout_proof(1);
    proof.approver_sets.clear();
    let allocation = verify(&proof, &trust).expect("a valid proof").allocation().clone();
    let mut counts = BTreeMap::new();
    let mut refused = 0;
    for position in 0..text.len() {
        let mut mutants = mutations(text.as_bytes(), position);
        let (before, after) = text.as_bytes().split_at(position);
        mutants.push([before, b"#", after].concat());
        mutants.push([before, b"1", &after[1..]].concat());
        mutants.retain(|mutant| mutant != text.as_bytes());
        for mutant in mutants {
            let Some(other) = String::from_utf8(mutant).ok().and_then(|text| Trust::parse(&text).ok()) else {
                refused += 1;
                continue;
            };
            let kind = accepted(&trust, &other, line_at(&text, position), &format!("byte {position}"));
            if let Ok(verified) = verify(&proof, &other) {
                assert_eq!(*verified.allocation(), allocation, "byte {position}");
            }
            *counts.entry(kind).or_insert(0) += 1;
        }
    }
    // All kinds occur, and nearly all changes are refused.
    assert_eq!(counts.len(), 5, "{counts:?}");
    assert!(refused > 20 * counts.values().sum::<usize>(), "{refused}: {counts:?}");
}

fn line_at(text: &str, position: usize) -> &str {
    let start = text[..position].rfind('\n').map_or(0, |newline| newline + 1);
    text[start..].lines().next().unwrap_or_default()
}

#[test]
fn a_trust_file_is_read_as_it_was_written() {
    let world = World::with_changed_approvers();
    let trust = rich(&world);
    let text = trust.to_toml().expect("TOML");
    let again = Trust::parse(&text).expect("a trust file");
    assert_eq!(again.fingerprint(), trust.fingerprint());
    assert_eq!(again.fingerprint(), Hash::of(text.as_bytes()));
    // A comment changes nothing but the fingerprint.
    let commented =
        Trust::parse(&format!("# from the node's page, 2026-11-20\n{text}")).expect("a trust file");
    assert_eq!(commented.to_toml().expect("TOML"), text);
    assert_ne!(commented.fingerprint(), trust.fingerprint());
}

#[test]
fn parts_of_another_node_scope_or_version_contradict_the_approver_set() {
    let world = World::with_changed_approvers();
    let text = rich(&world).to_toml().expect("TOML");
    let set = &world.sets[1];
    let earlier = world.sets[0].leaf_hash().to_hex();
    for (from, to) in [
        (format!("node = \"{}\"", set.node), "node = \"00000000-0000-4000-8000-000000000000\"".to_owned()),
        ("origin = \"ledger.example.org\"".to_owned(), "origin = \"ledger.example.net\"".to_owned()),
        ("scope = \"default\"".to_owned(), "scope = \"other\"".to_owned()),
        (earlier.clone(), Hash::of(b"another leaf").to_hex()),
        (format!("\"{earlier}\""), String::new()),
        (format!("\"{earlier}\""), format!("\"{earlier}\", \"{earlier}\"")),
    ] {
        assert_eq!(text.matches(&from).count(), 1, "{from}");
        refused_for(Trust::parse(&text.replace(&from, &to)), RejectionCode::Mismatch);
    }
    refused_for(Trust::parse(&text.replace("meed/trust/v1", "meed/trust/v2")), RejectionCode::Mismatch);
    refused_for(Trust::parse(&format!("more = true\n{text}")), RejectionCode::Malformed);
    refused_for(Trust::parse(&" ".repeat(300_000)), RejectionCode::InputTooLarge);
    for deep in ["[", "{a=", "[{a=", "a."] {
        let nested = format!("more = {}", deep.repeat(60_000));
        refused_for(Trust::parse(&nested), RejectionCode::Malformed);
        refused_for(Trust::parse(&nested.replace("more = ", "")), RejectionCode::Malformed);
    }
    // A set with a root that its versions do not give, and one that starts in the middle.
    let mut forged = world.sets[1].clone();
    forged.root = Hash::of(b"another root");
    let new = |set: &ApproverSetText, earlier: &[Hash]| {
        Trust::new(set, earlier, &world.log_keys(), &world.bare_policy())
    };
    refused_for(new(&forged, &[world.sets[0].leaf_hash()]), RejectionCode::Mismatch);
    refused_for(new(&world.sets[1], &[]), RejectionCode::Mismatch);
}

#[test]
fn one_key_has_one_use() {
    let world = World::new();
    let set = &world.sets[0];
    let with = |keys: &[LogKey], policy: &str| Trust::new(set, &[], keys, policy);
    let witness = |key: &SigningKey| {
        let twin = SigningKey::from_seed(key_name("witness.example/one"), KeyUse::Witness, *key.seed());
        let policy = world.bare_policy().replace("quorum none", "");
        format!("{policy}witness w1 {}\nquorum w1\n", twin.verifier_key())
    };
    // An approver as the log, an approver as a witness, the log as its own witness.
    let alice = SigningKey::from_seed(key_name(STATEMENTS_LOG), KeyUse::Log, *approver("alice").seed());
    let log_key = LogKey { key: alice.verifier_key().clone(), until_size: None };
    let policy = format!("log {}\nquorum none\n", log_key.key);
    refused_for(with(&[log_key], &policy), RejectionCode::KeyInUse);
    refused_for(with(&world.log_keys(), &witness(&approver("alice"))), RejectionCode::KeyInUse);
    refused_for(with(&world.log_keys(), &witness(&world.node_key)), RejectionCode::KeyInUse);
    // A log key that stands there again without its limit.
    let mut keys = world.log_keys();
    keys.push(LogKey { until_size: Some(3), ..keys[0].clone() });
    refused_for(with(&keys, &world.bare_policy()), RejectionCode::KeyInUse);
    // A witness under two names.
    let twice = world.witness_policy().replace(
        "group",
        &format!("witness w4 {}\ngroup", {
            world.witness_keys[0].renamed(key_name("witness.example/four")).verifier_key().clone()
        }),
    );
    refused_for(with(&world.log_keys(), &twice), RejectionCode::Malformed);
}

#[test]
fn log_keys_are_of_this_nodes_statements_log() {
    let world = World::new();
    let with_name = |name: &str| {
        let key = world.node_key.renamed(key_name(name)).verifier_key().clone();
        let policy = format!("log {key}\nquorum none\n");
        Trust::new(&world.sets[0], &[], &[LogKey { key, until_size: None }], &policy)
    };
    with_name("ledger.example.org/statements/2").expect("a later generation");
    for name in [
        "ledger.example.org/events/1",
        "ledger.example.org/statements/0",
        "ledger.example.org/statements/01",
        "ledger.example.org/statements/",
        "ledger.example.org/statements",
        "ledger.example.net/statements/1",
        "ledger.example.org/statements/1/2",
    ] {
        refused_for(with_name(name), RejectionCode::Mismatch);
    }
    // A key that signs as witnesses do beside the log's own.
    let witness = world.witness_keys[0].renamed(key_name("ledger.example.org/statements/2"));
    let mut keys = world.log_keys();
    keys.push(LogKey { key: witness.verifier_key().clone(), until_size: None });
    refused_for(Trust::new(&world.sets[0], &[], &keys, &world.bare_policy()), RejectionCode::KeyInvalid);
    // The policy names a log that the file has no key of.
    let other = key("other.example", KeyUse::Log).renamed(key_name(STATEMENTS_LOG));
    let policy = format!("log {}\nquorum none\n", other.verifier_key());
    refused_for(Trust::new(&world.sets[0], &[], &world.log_keys(), &policy), RejectionCode::Mismatch);
}

#[test]
fn policies_that_say_nothing_or_contradict_themselves_are_refused() {
    let world = World::new();
    let with = |policy: &str| Trust::new(&world.sets[0], &[], &world.log_keys(), policy);
    let sound = world.witness_policy();
    with(&sound).expect("a sound policy");
    for (from, to) in [
        ("quorum witnesses\n", ""),
        ("quorum witnesses", "quorum nobody"),
        ("quorum witnesses", "quorum witnesses\nquorum none"),
        ("group witnesses 2 w1 w2 w3", "group witnesses 0 w1 w2 w3"),
        ("group witnesses 2 w1 w2 w3", "group witnesses 4 w1 w2 w3"),
        ("group witnesses 2 w1 w2 w3", "group witnesses 2 w1 w1 w3"),
        ("group witnesses 2 w1 w2 w3", "group witnesses 2 w1 w2 w4"),
        ("group witnesses 2 w1 w2 w3", "group witnesses 1 witnesses"),
        ("group witnesses 2 w1 w2 w3", "group w1 2 w1 w2 w3"),
        ("group witnesses 2 w1 w2 w3", "group none 2 w1 w2 w3"),
        // A witness that would count in two ways, and a quorum that one of them would reach.
        ("group witnesses 2 w1 w2 w3", "group a any w1\ngroup b any w1\ngroup witnesses all a b"),
        ("group witnesses 2 w1 w2 w3", "group a any w1\ngroup witnesses all a w1"),
        ("quorum witnesses\n", "quorum witnesses\r\n"),
        ("quorum witnesses", "quorum\u{a0}witnesses"),
        ("group witnesses 2 w1 w2 w3", "groups witnesses 2 w1 w2 w3"),
        ("witness w2", "witness w1"),
    ] {
        assert!(sound.contains(from));
        refused_for(with(&sound.replacen(from, to, 1)), RejectionCode::Malformed);
    }
    let zero = sound.replace("witnesses 2 ", "witnesses 02 ");
    refused_for(with(&zero), RejectionCode::InvalidNumber);
    // An approver's or log's kind of key where a witness's belongs, and the other way round.
    let log = world.node_key.verifier_key().to_string();
    let witness = world.witness_keys[0].verifier_key().to_string();
    refused_for(with(&format!("log {log}\nwitness w1 {log}\nquorum w1\n")), RejectionCode::KeyInvalid);
    refused_for(with(&format!("log {witness}\nquorum none\n")), RejectionCode::KeyInvalid);
    refused_for(with("quorum none\n"), RejectionCode::Malformed);
}

#[test]
fn an_approver_set_that_breaks_its_rules_is_no_start() {
    let world = World::new();
    let text = world.trust().to_toml().expect("TOML");
    for (from, to) in [("Threshold: 2 of 3", "Threshold: 0 of 3"), ("Threshold: 2 of 3", "Threshold: 3 of 2")]
    {
        refused_for(Trust::parse(&text.replace(from, to)), RejectionCode::ApproverSetInvalid);
    }
    // Another threshold is another set, with another root.
    refused_for(
        Trust::parse(&text.replace("Threshold: 2 of 3", "Threshold: 1 of 3")),
        RejectionCode::Mismatch,
    );
    let one = ApproverSet::new(1, world.approver_keys()).expect("a set");
    let set = ApproverSetText::next(&scope_name(), &[], one).expect("a version");
    Trust::new(&set, &[], &world.log_keys(), &world.bare_policy()).expect("a trust file of its own");
}
