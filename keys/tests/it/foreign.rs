//! Both directions against Cloudflare's `signed_note`, which shares neither its base64 nor its Ed25519 with us
//! (another major version of the curve): it verifies what we write, we verify what it writes.
//!
//! `signed_note` knows type 0x01 only. For cosignatures (0x04) it parses the note, and its verifier and signer are
//! used on the bytes that a cosignature signs; whole cosigned notes by others are in `go_vectors`.

use base64ct::{Base64, Encoding};
use meed_keys::{
    Algorithm, KeyUse, Note, SignatureError, SignatureLine, SigningKey, VerifierKey, cosignature_message,
};
use serde::Deserialize;
use signed_note::{Signer, StandardSigner, StandardVerifier, Verifier, VerifierList};

use crate::support::{approver, key, text, vectors};

const TEXTS: [&str; 5] =
    ["\n", "a\n", "a\n\nb\n\n", "ledger.example.org/events/1\n0\nroot\n", "Ünïcödé — dash\n"];

/// The foreign signer of a key of ours, as type 0x01.
fn foreign_signer(key: &SigningKey) -> StandardSigner {
    let plain = VerifierKey::new(key.name().clone(), Algorithm::Ed25519, *key.public_key());
    let id = u32::from_be_bytes(plain.key_id());
    let secret = [&[1], key.seed().as_slice()].concat();
    StandardSigner::new(&format!("PRIVATE+KEY+{}+{id:08x}+{}", key.name(), Base64::encode_string(&secret)))
        .unwrap()
}

/// The foreign verifier of a key of ours, as type 0x01.
fn foreign_verifier(key: &VerifierKey) -> StandardVerifier {
    let plain = VerifierKey::new(key.name().clone(), Algorithm::Ed25519, *key.public_key());
    StandardVerifier::new(&plain.to_string()).unwrap()
}

#[test]
fn they_verify_our_notes() {
    let ours = key("ledger.example.org/events/1", KeyUse::Log, 7);
    for written in TEXTS {
        let note = Note::new(text(written), vec![ours.sign_note(&text(written)).unwrap()]).unwrap();
        let theirs = signed_note::Note::from_bytes(note.to_string().as_bytes()).unwrap();
        assert_eq!(theirs.text(), written.as_bytes());
        let known = VerifierList::new(vec![Box::new(
            StandardVerifier::new(&ours.verifier_key().to_string()).unwrap(),
        )]);
        let (verified, unverified) = theirs.verify(&known).unwrap();
        assert_eq!((verified.len(), unverified.len()), (1, 0), "{written:?}");
        assert_eq!(theirs.to_bytes(), note.to_string().as_bytes());
    }
}

#[test]
fn we_verify_their_notes() {
    let ours = key("ledger.example.org/events/1", KeyUse::Log, 8);
    for written in TEXTS {
        let mut theirs = signed_note::Note::new(written.as_bytes(), &[]).unwrap();
        theirs.add_sigs(&[&foreign_signer(&ours)]).unwrap();
        let note = Note::parse(theirs.to_bytes()).unwrap();
        assert_eq!(note.text().as_str(), written);
        let verified = note.verify_all(std::slice::from_ref(ours.verifier_key())).unwrap();
        assert_eq!(verified[0].key(), ours.verifier_key());
        assert_eq!(verified[0].time_seconds(), None);
    }
}

#[test]
fn they_verify_our_cosignatures() {
    let ours = approver("alice.example", 9);
    for (written, seconds) in TEXTS.iter().zip([0, 1, 1_796_000_000, u64::from(u32::MAX) + 1, u64::MAX]) {
        let line = ours.cosign(&text(written), seconds).unwrap();
        let theirs = signed_note::Signature::from_bytes(line.to_string().as_bytes()).unwrap();
        assert_eq!(theirs.name(), "alice.example");
        assert_eq!(theirs.id().to_be_bytes(), ours.verifier_key().key_id());
        let (time, signature) = theirs.signature().split_at(8);
        assert_eq!(time, seconds.to_be_bytes());
        let verifier = foreign_verifier(ours.verifier_key());
        let message = format!("cosignature/v1\ntime {seconds}\n{written}");
        assert!(verifier.verify(message.as_bytes(), signature));
        assert!(!verifier.verify(written.as_bytes(), signature));
    }
}

#[test]
fn we_verify_their_cosignatures() {
    let ours = approver("alice.example", 10);
    for (written, seconds) in TEXTS.iter().zip([0, 1, 1_796_000_000, u64::from(u32::MAX) + 1, u64::MAX]) {
        let message = cosignature_message(&text(written), seconds);
        let signature = foreign_signer(&ours).sign(&message).unwrap();
        let stamped = [seconds.to_be_bytes().as_slice(), &signature].concat();
        let id = u32::from_be_bytes(ours.verifier_key().key_id());
        let theirs = signed_note::Signature::new("alice.example".to_owned(), id, stamped).unwrap();
        let line: SignatureLine = String::from_utf8(theirs.to_bytes()).unwrap().trim_end().parse().unwrap();
        let verified = ours.verifier_key().verify(&text(written), &line).unwrap();
        assert_eq!(verified.time_seconds(), Some(seconds));
    }
}

/// Plain verification takes a signature whose R is of small order; who holds the key can make many of them for one
/// text. Ours is strict, and this pins that the vector is one that only strictness refuses.
#[test]
fn we_are_stricter_where_r_is_of_small_order() {
    #[derive(Deserialize)]
    struct Case {
        defect: String,
        vkey: String,
        text: String,
        line: String,
    }
    let cases: Vec<Case> = vectors!("bad_signatures.json");
    let case = cases.into_iter().find(|case| case.defect == "R of small order, equation holds").unwrap();
    let key: VerifierKey = case.vkey.parse().unwrap();
    let line: SignatureLine = case.line.parse().unwrap();
    let (time, signature) = line.signature().split_first_chunk::<8>().unwrap();
    let message = cosignature_message(&text(&case.text), u64::from_be_bytes(*time));
    assert!(foreign_verifier(&key).verify(&message, signature), "plain verification takes it");
    assert_eq!(key.verify(&text(&case.text), &line), Err(SignatureError::Invalid));
}
