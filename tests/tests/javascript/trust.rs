//! Trust files: what is read, what is refused, and what is believed after.

use std::collections::BTreeSet;

use meed_audit::trust::{LogKey, Trust};
use meed_keys::{KeyUse, PublicKey, SigningKey, VerifierKey};
use meed_tests::log::{key, key_name};
use meed_tests::world::{STATEMENTS_LOG, World, approver};

use crate::node;
use crate::support::mutations;

/// What the Rust says of a trust file, in the words of `tests/javascript/answer.mjs`; nothing where it refuses it.
fn rust_says(text: &[u8]) -> Option<String> {
    let trust = Trust::parse(std::str::from_utf8(text).ok()?).ok()?;
    let policy = trust.policy();
    let sorted = |keys: Vec<&VerifierKey>| {
        let mut texts: Vec<String> = keys.iter().map(ToString::to_string).collect();
        texts.sort();
        texts.join(",")
    };
    let is_quorum = |keys: &[&VerifierKey]| {
        policy.is_satisfied_by(&keys.iter().map(|key| *key.public_key()).collect::<BTreeSet<PublicKey>>())
    };
    let witnesses: Vec<&VerifierKey> = policy.witnesses().collect();
    let alone = witnesses.iter().filter(|key| is_quorum(&[key])).copied().collect();
    let hashes: Vec<String> = trust.approver_set_leaves().iter().map(|hash| hash.to_hex()).collect();
    let until = |entry: &LogKey| entry.until_size.map_or("open".to_owned(), |size| size.to_string());
    let keys: Vec<String> =
        trust.log_keys().iter().map(|entry| format!("{}@{}", entry.key, until(entry))).collect();
    Some(format!(
        "{} {} {} {} {} {} {} {} {} {}",
        trust.node(),
        trust.origin(),
        trust.scope(),
        trust.approver_set().text_hash().to_hex(),
        hashes.join(","),
        keys.join(","),
        sorted(witnesses.clone()),
        sorted(alone),
        is_quorum(&witnesses),
        trust.fingerprint().to_hex()
    ))
}

/// What JavaScript says of it, without the number; the outer nothing is where there is no Node.
fn javascript_says(text: &[u8]) -> Option<Option<String>> {
    let answer = node::trust(text)?;
    let said = answer.strip_prefix("trust ").and_then(|rest| rest.split_once(' '));
    Some(said.map(|(_, said)| said.to_owned()))
}

/// Asserts that both read the same or both refuse, and gives whether they read it.
#[track_caller]
fn agreed(text: &[u8]) -> bool {
    let by_rust = rust_says(text);
    if let Some(by_javascript) = javascript_says(text) {
        assert_eq!(by_javascript, by_rust, "JavaScript on the left; {}", String::from_utf8_lossy(text));
    }
    by_rust.is_some()
}

/// A trust file with all that one can have: an earlier version, a rotated key, witnesses and their quorum.
fn rich(world: &World) -> String {
    let next = key("next.example", KeyUse::Log).renamed(key_name(STATEMENTS_LOG));
    let mut keys = world.log_keys();
    keys.push(LogKey { key: next.verifier_key().clone(), until_size: Some(1_000) });
    let trust = Trust::new(&world.sets[1], &[world.sets[0].leaf_hash()], &keys, &world.witness_policy());
    trust.expect("a trust file").to_toml().expect("TOML")
}

#[test]
fn changed_bytes_of_a_trust_file() {
    let text = rich(&World::with_changed_approvers());
    assert!(agreed(text.as_bytes()));
    let (mut read, mut refused) = (0, 0);
    for position in 0..text.len() {
        let mut mutants = mutations(text.as_bytes(), position);
        let (before, after) = text.as_bytes().split_at(position);
        mutants.extend([&b"#"[..], b"\"", b"'", b"\\", b"\r\n"].map(|more| [before, more, after].concat()));
        mutants.retain(|mutant| mutant != text.as_bytes());
        for mutant in mutants.iter().skip(position % 2).step_by(2) {
            *(if agreed(mutant) { &mut read } else { &mut refused }) += 1;
        }
    }
    assert!(read > 50 && refused > 10 * read, "{read} read, {refused} refused");
}

/// Asserts of replacements in a trust file whether both read what comes of them.
#[track_caller]
fn agreed_with(text: &str, replacements: &[(&str, &str, bool)]) {
    for (from, to, is_read) in replacements {
        assert!(text.contains(from), "{from}");
        assert_eq!(agreed(text.replacen(from, to, 1).as_bytes()), *is_read, "{from} -> {to}");
    }
}

#[test]
fn keys_with_two_uses_names_or_places() {
    let world = World::with_changed_approvers();
    let vkey = world.node_key.verifier_key().to_string();
    let with_seed = |name: &str, key_use: KeyUse, seed: &SigningKey| {
        SigningKey::from_seed(key_name(name), key_use, *seed.seed()).verifier_key().to_string()
    };
    let witness = world.witness_keys[0].verifier_key().to_string();
    let alice_as_witness = with_seed("witness.example/one", KeyUse::Witness, &approver("alice"));
    let node_as_witness = with_seed("witness.example/one", KeyUse::Witness, &world.node_key);
    let next = key("next.example", KeyUse::Log);
    let next_named = |name: &str| next.renamed(key_name(name)).verifier_key().to_string();
    let second = next_named(STATEMENTS_LOG);
    let replacements = [
        (witness.as_str(), alice_as_witness.as_str(), false),
        (&witness, &node_as_witness, false),
        (&witness, &world.witness_keys[1].verifier_key().to_string(), false),
        (&witness, &vkey, false),
        (&second, &vkey, false),
        (&second, &witness, false),
        (&second, &with_seed(STATEMENTS_LOG, KeyUse::Log, &approver("dave")), false),
        (&second, &next_named("ledger.example.org/statements/2"), true),
        (&second, &next_named("ledger.example.org/statements/0"), false),
        (&second, &next_named("ledger.example.org/statements/01"), false),
        (&second, &next_named("ledger.example.org/statements/1/2"), false),
        (&second, &next_named("ledger.example.org/events/1"), false),
        (&second, &next_named("ledger.example.net/statements/1"), false),
        (&format!("log {vkey}"), &format!("log {vkey}\nlog {vkey}"), false),
        (&format!("log {vkey}"), &format!("log {vkey}\nlog {second}"), true),
    ];
    agreed_with(&rich(&world), &replacements);
}

#[test]
fn contradictions_and_other_forms_of_a_trust_file() {
    let world = World::with_changed_approvers();
    let text = rich(&world);
    let earlier = format!("\"{}\"", world.sets[0].leaf_hash().to_hex());
    let vkey = world.node_key.verifier_key().to_string();
    let replacements = [
        ("format = \"meed/trust/v1\"", "format = 'meed/trust/v1'", true),
        ("meed/trust/v1", "meed/trust/v2", false),
        ("scope = \"default\"", "scope = \"other\"", false),
        ("origin = \"ledger.example.org\"", "origin = \"ledger.example.net\"", false),
        (&earlier, "", false),
        (&earlier, "\"\"", false),
        ("Threshold: 2 of 3", "Threshold: 1 of 3", false),
        ("quorum witnesses", "quorum none", true),
        ("quorum witnesses", "quorum w1", true),
        ("quorum witnesses", "quorum nobody", false),
        ("quorum witnesses", "quorum witnesses\nquorum none", false),
        ("group witnesses 2 w1 w2 w3", "group witnesses any w1 w2 w3", true),
        ("group witnesses 2 w1 w2 w3", "group witnesses all w1 w2 w3", true),
        ("group witnesses 2 w1 w2 w3", "group two all w1 w2\ngroup witnesses 1 two w3", true),
        ("group witnesses 2 w1 w2 w3", "group witnesses 0 w1 w2 w3", false),
        ("group witnesses 2 w1 w2 w3", "group witnesses 02 w1 w2 w3", false),
        ("group witnesses 2 w1 w2 w3", "group witnesses 4 w1 w2 w3", false),
        ("group witnesses 2 w1 w2 w3", "group witnesses 2 w1 w1 w3", false),
        ("group witnesses 2 w1 w2 w3", "group witnesses 2", false),
        ("group witnesses 2 w1 w2 w3", "group none 2 w1 w2 w3", false),
        ("group witnesses 2 w1 w2 w3", "group w1 2 w1 w2 w3", false),
        ("group witnesses 2 w1 w2 w3", "group a any w1\ngroup witnesses all a w1", false),
        ("group witnesses 2 w1 w2 w3", "\t# a comment\n\n group witnesses\t2 w1  w2 w3 ", true),
        ("quorum witnesses", "quorum\\u00a0witnesses", false),
        ("quorum witnesses", "quorum witnesses\\r", false),
        (&format!("log {vkey}"), &format!("log {vkey} https://example.org/log"), true),
        (&format!("log {vkey}"), &format!("log {vkey} https://example.org/log more"), false),
        ("until_size = \"1000\"", "until_size = \"01000\"", false),
        ("until_size = \"1000\"", "until_size = 1000", false),
        ("until_size = \"1000\"", "until_size = \"18446744073709551616\"", false),
        ("until_size = \"1000\"", "more = \"1000\"", false),
        ("[[log_key]]", "[[log_keys]]", false),
        ("[[log_key]]", "[log_key]", false),
    ];
    agreed_with(&text, &replacements);
    for (line, is_read) in
        [("more = \"x\"\n", false), ("# a comment\n", true), ("\u{feff}", true), ("log_key = []\n", false)]
    {
        assert_eq!(agreed(format!("{line}{text}").as_bytes()), is_read, "{line}");
    }
    for other in ["", "\n", "format", "{}", &" ".repeat(262_145), &text.replace('\n', "\r\n")] {
        agreed(other.as_bytes());
    }
    assert!(!agreed(&[text.as_bytes(), b"# \xff\n"].concat()));
}
