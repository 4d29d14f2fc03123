//! Properties over generated input: what is written is read again, what is read is written again, and a changed
//! byte never verifies.

use meed_keys::{ApproverSet, KeyName, KeyUse, Note, NoteText, SignatureLine, SigningKey, VerifierKey};
use proptest::prelude::*;

fn name() -> impl Strategy<Value = KeyName> {
    "[^\\pC\\pZ+]{1,40}".prop_filter_map("a key name", |text| text.parse().ok())
}

fn key(key_use: KeyUse) -> impl Strategy<Value = SigningKey> {
    (name(), any::<[u8; 32]>()).prop_map(move |(name, seed)| SigningKey::from_seed(name, key_use, seed))
}

fn note_text() -> impl Strategy<Value = NoteText> {
    "([^\\p{Cc}]{0,30}\n){1,8}".prop_map(|text| text.parse().unwrap())
}

fn line() -> impl Strategy<Value = SignatureLine> {
    (name(), any::<[u8; 4]>(), prop::collection::vec(any::<u8>(), 1..200))
        .prop_map(|(name, key_id, signature)| SignatureLine::new(name, key_id, signature).unwrap())
}

proptest! {
    #[test]
    fn verifier_keys_are_read_as_written(key in key(KeyUse::Witness)) {
        let text = key.verifier_key().to_string();
        prop_assert_eq!(&text.parse::<VerifierKey>().unwrap(), key.verifier_key());
    }

    #[test]
    fn signature_lines_are_read_as_written(line in line()) {
        prop_assert_eq!(line.to_string().parse::<SignatureLine>().unwrap(), line);
    }

    #[test]
    fn notes_are_read_as_written(text in note_text(), lines in prop::collection::vec(line(), 1..10)) {
        let note = Note::new(text, lines).unwrap();
        let written = note.to_string();
        prop_assert_eq!(Note::parse(&written).unwrap(), note);
    }

    /// Near misses of a good note: one byte put anywhere. Whatever is read is written again byte for byte.
    #[test]
    fn notes_are_written_as_read(
        text in note_text(),
        lines in prop::collection::vec(line(), 1..3),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = Note::new(text, lines).unwrap().to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(note) = Note::parse(&bytes) {
            prop_assert_eq!(note.to_string().into_bytes(), bytes);
        }
    }

    #[test]
    fn any_bytes_are_refused_or_written_as_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(note) = Note::parse(&bytes) {
            prop_assert_eq!(note.to_string().into_bytes(), bytes);
        }
    }

    #[test]
    fn any_text_is_no_key_or_written_as_read(text in "[ -~\n\u{2014}]{0,120}") {
        if let Ok(key) = text.parse::<VerifierKey>() {
            prop_assert_eq!(key.to_string(), text.clone());
        }
        if let Ok(line) = text.parse::<SignatureLine>() {
            prop_assert_eq!(line.to_string(), text);
        }
    }

    #[test]
    fn a_signature_verifies_its_text_its_time_and_its_key_only(
        key in key(KeyUse::Approver),
        other in any::<[u8; 32]>(),
        text in note_text(),
        seconds in any::<u64>(),
    ) {
        let line = key.cosign(&text, seconds).unwrap();
        let verified = key.verifier_key().verify(&text, &line).unwrap();
        prop_assert_eq!(verified.time_seconds(), Some(seconds));
        let longer: NoteText = format!("{text}\n").parse().unwrap();
        prop_assert!(key.verifier_key().verify(&longer, &line).is_err());
        let stranger = SigningKey::from_seed(key.name().clone(), KeyUse::Approver, other);
        let forged = SignatureLine::new(
            key.name().clone(),
            stranger.verifier_key().key_id(),
            line.signature().to_vec(),
        ).unwrap();
        prop_assume!(stranger.public_key() != key.public_key());
        prop_assert!(stranger.verifier_key().verify(&text, &forged).is_err());
    }

    #[test]
    fn approver_sets_are_read_as_written(
        seeds in prop::collection::btree_map("[!-*,-~]{1,20}", any::<[u8; 32]>(), 1..=15),
        threshold in any::<prop::sample::Index>(),
    ) {
        let keys: Vec<VerifierKey> = seeds
            .iter()
            .map(|(name, seed)| {
                SigningKey::from_seed(name.parse().unwrap(), KeyUse::Approver, *seed).verifier_key().clone()
            })
            .collect();
        let threshold = u8::try_from(threshold.index(keys.len()) + 1).unwrap();
        let set = ApproverSet::new(threshold, keys).unwrap();
        let lines = set.to_lines();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        prop_assert_eq!(ApproverSet::from_lines(&lines).unwrap(), set);
    }
}

/// Every single bit of a signature line's signature, exhaustively.
#[test]
fn no_changed_bit_of_a_signature_verifies() {
    let key = SigningKey::from_seed("alice".parse().unwrap(), KeyUse::Approver, [3; 32]);
    let text: NoteText = "statement\n".parse().unwrap();
    let line = key.cosign(&text, 1_796_000_000).unwrap();
    for bit in 0..line.signature().len() * 8 {
        let mut signature = line.signature().to_vec();
        signature[bit / 8] ^= 1 << (bit % 8);
        let changed = SignatureLine::new(line.name().clone(), line.key_id(), signature).unwrap();
        assert!(key.verifier_key().verify(&text, &changed).is_err(), "bit {bit}");
    }
}
