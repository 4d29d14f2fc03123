//! Names, notes and the two ways to verify one.

use meed_keys::error::{NameError, NoteError, NoteTextError, SignatureLineError, VerifyError};
use meed_keys::limits::{
    MAX_KEY_NAME_BYTES, MAX_NOTE_BYTES, MAX_SIGNATURE_BYTES, MAX_SIGNATURES, MAX_UNKNOWN_SIGNATURES,
};
use meed_keys::{KeyName, KeyUse, Note, NoteText, SignatureLine, SigningError, SigningKey, VerifierKey};

use crate::support::{approver, key, text};

fn vkeys(keys: &[&SigningKey]) -> Vec<VerifierKey> {
    keys.iter().map(|key| key.verifier_key().clone()).collect()
}

/// A line by a key that nobody knows; `number` makes it another.
fn stranger(number: u8) -> SignatureLine {
    SignatureLine::new("stranger".parse().unwrap(), [0, 0, 0, number], vec![1]).unwrap()
}

#[test]
fn names() {
    for good in ["a", "payouts.example/scope-a", "é", "名", &"n".repeat(MAX_KEY_NAME_BYTES)] {
        assert_eq!(good.parse::<KeyName>().unwrap().as_str(), good);
    }
    let bad = |position, got| NameError::BadCharacter { position, got };
    assert_eq!("".parse::<KeyName>(), Err(NameError::Empty));
    assert_eq!("n".repeat(256).parse::<KeyName>(), Err(NameError::TooLong { limit: 255, got: 256 }));
    for character in ['+', ' ', '\t', '\n', '\0', '\u{7f}', '\u{85}', '\u{a0}', '\u{2028}', '\u{3000}'] {
        assert_eq!(format!("é{character}").parse::<KeyName>(), Err(bad(2, character)));
    }
}

#[test]
fn registrable_names_are_visible_ascii() {
    for byte in 0..=127_u8 {
        let name = format!("n{}", char::from(byte));
        let is_good = (0x21..=0x7e).contains(&byte) && byte != b'+';
        assert_eq!(KeyName::registrable(&name).is_ok(), is_good, "{name:?}");
    }
    let foreign: KeyName = "аlice".parse().unwrap(); // The first letter is Cyrillic.
    assert_eq!(
        KeyName::registrable(foreign.as_str()),
        Err(NameError::NotRegistrable { position: 0, got: 'а' })
    );
}

#[test]
fn text_of_a_note() {
    assert_eq!(NoteText::new("a".into()), Err(NoteTextError::MissingNewline));
    assert_eq!(NoteText::new(String::new()), Err(NoteTextError::MissingNewline));
    assert_eq!(
        NoteText::new("a\r\n".into()),
        Err(NoteTextError::ControlCharacter { position: 1, got: '\r' })
    );
    let longest = format!("{}\n", "a".repeat(MAX_NOTE_BYTES - 1));
    assert!(NoteText::new(longest.clone()).is_ok());
    assert_eq!(
        NoteText::new(format!("a{longest}")),
        Err(NoteTextError::TooLong { limit: 65_535, got: 65_536 })
    );
}

#[test]
fn a_note_of_exactly_the_limit_is_read_and_one_byte_more_is_not_made() {
    let alice = approver("alice", 1);
    let line = alice.cosign(&text("a\n"), 1).unwrap();
    let room = MAX_NOTE_BYTES - 1 - line.to_string().len() - 1;
    let fitting = format!("{}\n", "a".repeat(room - 1));
    let note = Note::new(text(&fitting), vec![line.clone()]).unwrap();
    assert_eq!(note.to_string().len(), MAX_NOTE_BYTES);
    assert_eq!(Note::parse(note.to_string()).unwrap(), note);
    assert_eq!(
        Note::new(text(&format!("a{fitting}")), vec![line]),
        Err(NoteError::TooLong { limit: MAX_NOTE_BYTES, got: MAX_NOTE_BYTES + 1 })
    );
}

#[test]
fn a_note_has_1_to_100_signatures() {
    let lines = |count: u8| (0..count).map(stranger).collect::<Vec<_>>();
    assert_eq!(Note::new(text("a\n"), vec![]), Err(NoteError::NoSignature));
    let full = Note::new(text("a\n"), lines(100)).unwrap();
    assert_eq!(full.signatures().len(), MAX_SIGNATURES);
    assert_eq!(Note::parse(full.to_string()).unwrap(), full);
    assert_eq!(
        full.with_signature(stranger(200)),
        Err(NoteError::TooManySignatures { limit: 100, got: 101 })
    );
}

#[test]
fn a_signature_has_at_least_one_byte_and_a_limit() {
    let line = |len| SignatureLine::new("n".parse().unwrap(), [0; 4], vec![0; len]);
    assert!(matches!(line(0), Err(SignatureLineError::TooShort { got: 4, .. })));
    assert!(line(1).is_ok());
    let longest = line(MAX_SIGNATURE_BYTES).unwrap();
    assert_eq!(longest.to_string().parse(), Ok(longest));
    assert!(matches!(line(MAX_SIGNATURE_BYTES + 1), Err(SignatureLineError::TooLong { got: 8_193, .. })));
}

#[test]
fn a_key_signs_only_as_its_use_says() {
    let log = key("log", KeyUse::Log, 1);
    let refused = log.cosign(&text("a\n"), 1).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "a key of use log signs with 0x01 (Ed25519), expected a key that signs with 0x04 (cosignature/v1)"
    );
    assert!(log.sign_note(&text("a\n")).is_ok());
    for key_use in [KeyUse::Approver, KeyUse::Witness] {
        let key = key("n", key_use, 1);
        assert!(
            matches!(key.sign_note(&text("a\n")), Err(SigningError::WrongUse { got, .. }) if got == key_use)
        );
        assert!(key.cosign(&text("a\n"), 1).is_ok());
    }
}

#[test]
fn a_renamed_key_is_the_same_key_under_another_id() {
    let log = key("ledger.example", KeyUse::Log, 1);
    let renamed = log.renamed("ledger.example/default/epoch/12/0".parse().unwrap());
    assert_eq!(renamed.public_key(), log.public_key());
    assert_ne!(renamed.verifier_key().key_id(), log.verifier_key().key_id());
    let line = renamed.sign_note(&text("a\n")).unwrap();
    assert!(renamed.verifier_key().verify(&text("a\n"), &line).is_ok());
    assert!(log.verifier_key().verify(&text("a\n"), &line).is_err());
}

#[test]
fn a_signing_key_never_prints_its_seed() {
    let seed = [0xab; 32];
    let printed = format!("{:?}", SigningKey::from_seed("n".parse().unwrap(), KeyUse::Log, seed));
    assert!(printed.contains("[redacted]"), "{printed}");
    assert!(!printed.contains("171, 171") && !printed.to_lowercase().contains("abab"), "{printed}");
}

#[test]
fn verify_all_wants_every_line_known_valid_and_once() {
    let (alice, bob) = (approver("alice", 1), approver("bob", 2));
    let body = text("a\n");
    let (by_alice, by_bob) = (alice.cosign(&body, 1).unwrap(), bob.cosign(&body, 2).unwrap());
    let note =
        |lines: &[&SignatureLine]| Note::new(body.clone(), lines.iter().copied().cloned().collect()).unwrap();
    let known = vkeys(&[&alice, &bob]);
    let verified = note(&[&by_bob, &by_alice]).verify_all(&known).unwrap();
    let names: Vec<&str> = verified.iter().map(|one| one.name().as_str()).collect();
    assert_eq!(names, ["bob", "alice"], "in the order of the lines");
    assert!(note(&[&by_alice]).verify_all(&known).is_ok(), "not every known key need have signed");

    let repeated = |name: &str| VerifyError::Repeated { name: name.parse().unwrap() };
    assert_eq!(note(&[&by_alice, &by_alice]).verify_all(&known), Err(repeated("alice")));
    let alias = alice.renamed("alias".parse().unwrap());
    let by_alias = alias.cosign(&body, 1).unwrap();
    let with_alias = vkeys(&[&alice, &alias]);
    assert_eq!(note(&[&by_alice, &by_alias]).verify_all(&with_alias), Err(repeated("alias")));

    let unknown = note(&[&by_alice, &stranger(9)]).verify_all(&known);
    assert_eq!(
        unknown,
        Err(VerifyError::UnknownSigner { name: "stranger".parse().unwrap(), key_id: [0, 0, 0, 9] })
    );
    let other = approver("bob", 2).cosign(&text("b\n"), 2).unwrap();
    assert!(matches!(
        note(&[&by_alice, &other]).verify_all(&known),
        Err(VerifyError::Invalid { name, .. }) if name.as_str() == "bob"
    ));
}

#[test]
fn verify_known_passes_over_so_many_strangers_and_no_more() {
    let log = key("log", KeyUse::Log, 1);
    let body = text("a\n");
    let known = vkeys(&[&log]);
    let by_log = log.sign_note(&body).unwrap();
    let with_strangers = |count: u8, own: Option<&SignatureLine>| {
        let lines = (0..count).map(stranger).chain(own.cloned()).collect();
        Note::new(body.clone(), lines).unwrap().verify_known(&known, MAX_UNKNOWN_SIGNATURES)
    };
    assert_eq!(with_strangers(16, Some(&by_log)).unwrap().len(), 1);
    assert_eq!(with_strangers(17, Some(&by_log)), Err(VerifyError::TooManyUnknown { limit: 16, got: 17 }));
    assert_eq!(with_strangers(3, None), Err(VerifyError::NoKnownSigner { unknown: 3 }));
    let bad = log.sign_note(&text("b\n")).unwrap();
    assert!(matches!(with_strangers(1, Some(&bad)), Err(VerifyError::Invalid { .. })));
}
