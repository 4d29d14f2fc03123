//! Key files: round trips, every changed byte, every cut, and every bound.

use meed_keys::error::SealError;
use meed_keys::limits::{MAX_KEY_FILE_BYTES, MAX_PASSPHRASE_BYTES};
use meed_keys::{KeyFile, KeyUse, SealCost, SealRandomness, SigningKey, open, seal};
use sha2::{Digest, Sha256};

use crate::support::{assert_refused, chain, key};

const PASSPHRASE: &[u8] = b"correct horse battery staple";
const RANDOMNESS: SealRandomness = SealRandomness { salt: [5; 16], nonce: [6; 24] };

/// The least cost that argon2 takes, so that thousands of tries are quick.
fn cheap() -> SealCost {
    SealCost::new(8, 1, 1).unwrap()
}

fn alice() -> SigningKey {
    key("alice.example", KeyUse::Approver, 42)
}

fn sealed() -> String {
    seal(&alice(), Some(PASSPHRASE), &RANDOMNESS, cheap()).unwrap().to_string()
}

fn plain() -> String {
    seal(&alice(), None, &RANDOMNESS, cheap()).unwrap().to_string()
}

/// The file with another last line, as who alters it on purpose would write it.
fn with_new_checksum(text: &str) -> String {
    let above = &text[..text.trim_end().rfind('\n').unwrap() + 1];
    let hex: String = Sha256::digest(above).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{above}checksum: {hex}\n")
}

#[test]
fn every_use_is_sealed_and_opened() {
    for key_use in [KeyUse::Approver, KeyUse::Witness, KeyUse::Log] {
        let key = key("name.example/with-é", key_use, 9);
        for passphrase in [Some(PASSPHRASE), None] {
            let text = seal(&key, passphrase, &RANDOMNESS, cheap()).unwrap();
            let file = KeyFile::parse(text.as_str()).unwrap();
            assert_eq!(file.needs_passphrase(), passphrase.is_some());
            assert_eq!(file.verifier_key(), key.verifier_key());
            assert_eq!(file.key_use(), key_use);
            let opened = file.open(passphrase).unwrap();
            assert_eq!(opened.verifier_key(), key.verifier_key());
            assert_eq!(opened.key_use(), key_use);
            assert_eq!(*opened.seed(), *key.seed());
        }
    }
}

#[test]
fn the_recommended_cost_works_and_is_read_back() {
    let text = seal(&alice(), Some(PASSPHRASE), &RANDOMNESS, SealCost::RECOMMENDED).unwrap();
    assert!(text.contains("\nsealed: argon2id-xchacha20poly1305 65536 3 4 "), "{}", text.as_str());
    let file = KeyFile::parse(text.as_str()).unwrap();
    assert_eq!(file.cost(), Some(SealCost::RECOMMENDED));
    assert_eq!(*file.open(Some(PASSPHRASE)).unwrap().seed(), [42; 32]);
}

/// The bytes of version 1, so that files written today are opened for ever. `open_sealed.py`, beside the file, opens
/// it with OpenSSL.
#[test]
fn the_bytes_of_a_sealed_file_are_pinned() {
    let expected = include_str!("../vectors/sealed.key");
    assert_eq!(sealed(), expected);
    assert_eq!(*open(expected, Some(PASSPHRASE)).unwrap().seed(), [42; 32]);
    assert_eq!(plain(), include_str!("../vectors/plain.key"));
}

#[test]
fn a_plain_file_says_so_and_a_sealed_one_holds_no_seed() {
    assert!(plain().contains("\nplain: whoever can read this file can sign\n"));
    let seed = "KioqKioqKioqKioqKioqKioqKioqKioqKioqKioqKio=";
    assert!(plain().contains(seed));
    assert!(!sealed().contains(seed));
    assert!(!format!("{:?}", KeyFile::parse(plain()).unwrap()).contains("42, 42"));
}

#[test]
fn salt_and_nonce_change_the_file() {
    let other = SealRandomness { salt: [5; 16], nonce: [7; 24] };
    assert_ne!(sealed(), seal(&alice(), Some(PASSPHRASE), &other, cheap()).unwrap().as_str());
}

#[test]
fn passphrases_are_wanted_exactly_where_needed() {
    assert_refused("sealed, none", open(sealed(), None), "is sealed: expected a passphrase, got none");
    assert_refused(
        "plain, one",
        open(plain(), Some(PASSPHRASE)),
        "is plain: expected no passphrase, got one",
    );
    assert_refused("wrong", open(sealed(), Some(b"wrong")), "the passphrase is wrong");
    assert_refused("empty", open(sealed(), Some(b"")), "1 to 1024 bytes, got 0");
    let seal_with = |passphrase: &[u8]| seal(&alice(), Some(passphrase), &RANDOMNESS, cheap());
    assert_refused("seal with an empty one", seal_with(b""), "1 to 1024 bytes, got 0");
    assert!(seal_with(&[b'p'; MAX_PASSPHRASE_BYTES]).is_ok());
    assert_refused("too long", seal_with(&[b'p'; MAX_PASSPHRASE_BYTES + 1]), "got 1025");
}

/// Every byte, set to each of its single-bit neighbours and to some others.
fn every_flip(text: &str) -> impl Iterator<Item = (usize, Vec<u8>)> {
    let bytes = text.as_bytes().to_vec();
    (0..bytes.len()).flat_map(move |at| {
        let original = bytes.clone();
        (0..8)
            .map(|bit| 1 << bit)
            .chain([0xff, bytes[at] ^ b'\n', bytes[at] ^ b' '])
            .filter(|mask| *mask != 0)
            .map(move |mask| {
                let mut changed = original.clone();
                changed[at] ^= mask;
                (at, changed)
            })
    })
}

#[test]
fn every_changed_byte_is_refused() {
    for (text, passphrase) in [(sealed(), Some(PASSPHRASE)), (plain(), None)] {
        for (at, changed) in every_flip(&text) {
            let result = open(&changed, passphrase);
            let error = result.map(|key| key.verifier_key().to_string()).expect_err(&format!("byte {at}"));
            let is_damage = matches!(
                error,
                SealError::Damaged { .. }
                    | SealError::Truncated
                    | SealError::NotAKeyFile
                    | SealError::UnknownVersion { .. }
            );
            assert!(is_damage, "byte {at}: {}", chain(&error));
        }
    }
}

/// The same with a checksum that fits: now the seal itself, or the id in the verifier key, must notice.
#[test]
fn every_changed_byte_above_the_checksum_is_refused_even_if_that_is_made_anew() {
    let mut reasons = std::collections::BTreeSet::new();
    for (text, passphrase) in [(sealed(), Some(PASSPHRASE)), (plain(), None)] {
        let above = text.trim_end().rfind('\n').unwrap();
        for (at, changed) in every_flip(&text).filter(|(at, _)| *at < above) {
            // What is not UTF-8 is refused with any checksum, and the helper works on text.
            let Ok(changed) = String::from_utf8(changed) else { continue };
            let error = open(with_new_checksum(&changed), passphrase)
                .map(|key| key.verifier_key().to_string())
                .expect_err(&format!("byte {at}"));
            reasons.insert(chain(&error).split([':', '(']).next().unwrap().to_owned());
        }
    }
    assert!(reasons.len() > 5, "many reasons, got {reasons:?}");
}

#[test]
fn every_cut_is_refused() {
    for (text, passphrase) in [(sealed(), Some(PASSPHRASE)), (plain(), None)] {
        assert_refused("nothing", open("", passphrase), "no key file");
        for end in 1..text.len() {
            let result = open(&text[..end], passphrase);
            assert_refused(&format!("cut at {end}"), result, "the key file is truncated");
        }
        let error = open(format!("{text}\n"), passphrase).expect_err("a line more");
        assert_eq!(error, SealError::Truncated);
        assert!(open(format!("{text}{text}"), passphrase).is_err(), "twice");
    }
}

#[test]
fn files_of_another_kind_or_version_are_named() {
    assert_refused("PEM", open("-----BEGIN PRIVATE KEY-----\n", None), "no key file");
    let message = chain(&open("correct horse battery staple\n", None).expect_err("no key file"));
    assert!(!message.contains("horse"), "what may be a passphrase is not repeated: {message}");
    assert_refused("binary", open([0xff; 40], None), "no key file");
    let newer = with_new_checksum(&sealed().replacen("v1", "v2", 1));
    assert_refused("v2", open(newer, None), "another version: expected \"meed key v1\", got \"meed key v2\"");
    let long = format!("meed key v1\n{}", "a".repeat(MAX_KEY_FILE_BYTES));
    assert_refused("long", open(long, None), "at most 4096 bytes, got 4108");
    let crlf = with_new_checksum(&sealed().replace('\n', "\r\n"));
    assert_refused("CRLF", open(crlf, None), "no key file");
}

/// A file that asks for too much is refused before any memory is taken, and whatever the passphrase.
#[test]
fn a_hostile_cost_is_refused_on_reading() {
    let with_cost = |cost: &str| with_new_checksum(&sealed().replace(" 8 1 1 ", &format!(" {cost} ")));
    for (cost, expected) in [
        ("4294967295 1 1", "expected memory in KiB of 8 to 262144, got 4294967295"),
        ("262145 1 1", "expected memory in KiB of 8 to 262144, got 262145"),
        ("7 1 1", "expected memory in KiB of 8 to 262144, got 7"),
        ("31 1 4", "expected memory in KiB of 32 to 262144, got 31"),
        ("0 1 1", "expected memory in KiB of 8 to 262144, got 0"),
        ("8 0 1", "expected passes of 1 to 16, got 0"),
        ("8 4000000000 1", "expected passes of 1 to 16, got 4000000000"),
        ("8 1 0", "expected lanes of 1 to 4, got 0"),
        ("8 1 5", "expected lanes of 1 to 4, got 5"),
        ("99999999999 1 1", "line 4 of the key file is malformed"),
        ("08 1 1", "line 4 of the key file is malformed"),
        ("+8 1 1", "line 4 of the key file is malformed"),
        ("8 1", "line 4 of the key file is malformed"),
        ("8 1 1 1", "line 4 of the key file is malformed"),
    ] {
        assert_refused(cost, KeyFile::parse(with_cost(cost)), expected);
        assert_refused(cost, KeyFile::parse(with_cost(cost)), expected);
    }
    let other = with_cost("16 1 1");
    assert_refused("another cost", open(other, Some(PASSPHRASE)), "does not open");
}

#[test]
fn lines_of_another_key_are_refused() {
    let bob = key("bob.example", KeyUse::Approver, 43);
    let witness = with_new_checksum(&sealed().replace("use: approver", "use: witness"));
    assert_refused("another use", open(witness, Some(PASSPHRASE)), "does not open");
    let log = with_new_checksum(&plain().replace("use: approver", "use: log"));
    assert_refused("use of another algorithm", open(log, None), "expected algorithm 0x01 (Ed25519)");
    let alice_line = alice().verifier_key().to_string();
    let swapped =
        |text: String| with_new_checksum(&text.replace(&alice_line, &bob.verifier_key().to_string()));
    assert_refused("sealed under bob's key line", open(swapped(sealed()), Some(PASSPHRASE)), "does not open");
    assert_refused("plain under bob's key line", open(swapped(plain()), None), "is not that of bob.example");
}

#[test]
fn an_error_never_repeats_the_secret_line() {
    let broken = with_new_checksum(&plain().replace("secret: Kioq", "secret: *Kioq"));
    let error = chain(&open(broken, None).unwrap_err());
    assert!(error.contains("line 5") && !error.contains("Kioq"), "{error}");
}
