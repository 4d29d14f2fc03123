//! Vectors made with Go's `golang.org/x/mod/sumdb/note` and a C2SP witness: keys, the verdicts of `note.Open`, and
//! checkpoints with their cosignatures. Ed25519 is deterministic, so what Go signed we sign byte for byte.

use base64ct::{Base64, Encoding};
use meed_keys::{Algorithm, KeyUse, Note, SigningKey, VerifierKey};
use serde::Deserialize;
use std::collections::BTreeMap;

use crate::support::{chain, vectors};

#[derive(Deserialize)]
struct GoKey {
    name: String,
    seed_hex: String,
    key_id_hex: String,
    r#type: u8,
    vkey: String,
}

impl GoKey {
    fn signing_key(&self) -> SigningKey {
        let key_use = if self.r#type == 1 { KeyUse::Log } else { KeyUse::Witness };
        SigningKey::from_seed(
            self.name.parse().unwrap(),
            key_use,
            from_hex(&self.seed_hex).try_into().unwrap(),
        )
    }
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn keys_are_those_of_go() {
    let keys: Vec<GoKey> = vectors!("keys.json");
    assert_eq!(keys.len(), 6);
    for go in keys {
        let key = go.signing_key();
        assert_eq!(key.verifier_key().to_string(), go.vkey);
        assert_eq!(key.verifier_key().key_id().to_vec(), from_hex(&go.key_id_hex));
        let read: VerifierKey = go.vkey.parse().unwrap();
        assert_eq!(&read, key.verifier_key());
        assert_eq!(read.algorithm(), Algorithm::from_byte(go.r#type).unwrap());
        assert_eq!(read.name().as_str(), go.name);
    }
}

/// Where we do not follow Go, and why. Every other verdict is Go's.
const STRICTER_THAN_GO: [(&str, &str, &str); 3] = [
    (
        "non-canonical base64 trailing bits",
        "one signature has one text",
        "expected standard base64 with padding, in its canonical spelling",
    ),
    (
        "duplicate known sig line (same bytes)",
        "Go drops a repeated line; a proof with a repeated line is another file than the one that was issued",
        "signed the note more than once",
    ),
    (
        "known key good then bad duplicate",
        "Go never looks at the second line",
        "signed the note more than once",
    ),
];

#[test]
fn verdicts_are_those_of_go_but_for_three() {
    #[derive(Deserialize)]
    struct File {
        known_vkey: String,
        cases: Vec<Case>,
    }
    #[derive(Deserialize)]
    struct Case {
        desc: String,
        go_accepts: bool,
        note_b64: String,
        verified: Option<usize>,
    }
    let File { known_vkey, cases } = vectors!("note_open_cases.json");
    let known: VerifierKey = known_vkey.parse().unwrap();
    let mut stricter = 0;
    for Case { desc, go_accepts, note_b64, verified } in cases {
        let bytes = Base64::decode_vec(&note_b64).unwrap();
        let result = match Note::parse(&bytes) {
            Ok(note) => {
                assert_eq!(note.to_string().as_bytes(), bytes, "{desc}: written as it was read");
                note.verify_known(std::slice::from_ref(&known), 16).map_err(|error| chain(&error))
            }
            Err(error) => Err(chain(&error)),
        };
        match STRICTER_THAN_GO.iter().find(|(name, _, _)| *name == desc) {
            Some((_, why, expected)) => {
                stricter += 1;
                assert!(go_accepts, "{desc}: Go refuses it as well");
                let error = result.expect_err(why);
                assert!(error.contains(expected), "{desc}: expected {expected:?}, got {error:?}");
            }
            None => assert_eq!(result.as_ref().ok().map(Vec::len), verified, "{desc}: {result:?}"),
        }
    }
    assert_eq!(stricter, STRICTER_THAN_GO.len());
}

#[derive(Deserialize)]
struct Checkpoint {
    cosig_times: BTreeMap<String, u64>,
    note: String,
    size: u64,
}

#[test]
fn checkpoints_verify_and_are_signed_again_byte_for_byte() {
    let keys: Vec<GoKey> = vectors!("keys.json");
    let checkpoints: Vec<Checkpoint> = vectors!("checkpoints.json");
    assert_eq!(checkpoints.len(), 11);
    let verifier_keys: Vec<VerifierKey> = keys.iter().map(|key| key.vkey.parse().unwrap()).collect();
    for Checkpoint { cosig_times, note: written, size } in checkpoints {
        let note = Note::parse(&written).unwrap();
        assert_eq!(note.to_string(), written);
        let verified = note.verify_all(&verifier_keys).unwrap();
        assert_eq!(verified.len(), note.signatures().len(), "size {size}");
        let mut times = BTreeMap::new();
        for (signature, line) in verified.iter().zip(note.signatures()) {
            let go = keys.iter().find(|key| key.name == signature.name().as_str()).unwrap();
            let again = match signature.time_seconds() {
                None => go.signing_key().sign_note(note.text()).unwrap(),
                Some(seconds) => {
                    times.insert(go.name.clone(), seconds);
                    go.signing_key().cosign(note.text(), seconds).unwrap()
                }
            };
            assert_eq!(again.to_string(), line.to_string(), "size {size}");
        }
        assert_eq!(times, cosig_times, "size {size}");
    }
}

#[test]
fn every_other_checkpoint_s_text_is_refused() {
    let keys: Vec<GoKey> = vectors!("keys.json");
    let verifier_keys: Vec<VerifierKey> = keys.iter().map(|key| key.vkey.parse().unwrap()).collect();
    let checkpoints: Vec<Checkpoint> = vectors!("checkpoints.json");
    let notes: Vec<Note> = checkpoints.iter().map(|one| Note::parse(&one.note).unwrap()).collect();
    let mut refused = 0;
    for (at, text) in notes.iter().enumerate() {
        for (other, signed) in notes.iter().enumerate().filter(|(other, _)| *other != at) {
            for (key, line) in
                verifier_keys.iter().flat_map(|key| signed.signatures().iter().map(move |line| (key, line)))
            {
                assert!(key.verify(text.text(), line).is_err(), "line of {other} under the text of {at}");
                refused += 1;
            }
        }
    }
    assert!(refused > 1_000, "got {refused}");
}
