//! Proof texts: the golden ones are verified from their bytes, and no second spelling is accepted.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

use meed_audit::checkpoint::Checkpoint;
use meed_audit::hash::{Hash, leaf_hash};
use meed_audit::merkle::{MAX_PATH_HASHES, MAX_TREE_SIZE, verify_inclusion};
use meed_audit::tlog_proof::{MAX_EXTRA_BYTES, MAX_TLOG_PROOF_BYTES, TlogProof, TlogProofError};
use proptest::prelude::*;

const HASH: &str = "ANIYKaVQMUU0irz3ElE+rPKidCEa2D6XAgK7W22AsoY=";
const NOTE: &str = "o\n5\nANIYKaVQMUU0irz3ElE+rPKidCEa2D6XAgK7W22AsoY=\n\n— o AAAA\n";

fn vectors() -> Vec<serde_json::Value> {
    let cases: Vec<_> = serde_json::from_str(include_str!("vectors/tlog/tlog_proofs.json")).unwrap();
    assert_eq!(cases.len(), 12);
    cases
}

fn text(extra: &str, index: &str, path: &str) -> String {
    format!("c2sp.org/tlog-proof@v1\n{extra}index {index}\n{path}\n{NOTE}")
}

#[test]
fn proofs_of_the_vectors_verify_and_are_written_as_they_were() {
    for case in vectors() {
        let text = case["tlog_proof"].as_str().unwrap();
        let proof: TlogProof = text.parse().unwrap();
        assert_eq!(proof.to_string(), text);
        assert_eq!(proof.index(), case["index"].as_u64().unwrap());
        assert_eq!(proof.extra().is_some(), text.contains("\nextra "));
        let (body, _) = proof.note().split_once("\n\n").unwrap();
        let checkpoint = Checkpoint::parse(&format!("{body}\n")).unwrap();
        assert_eq!(checkpoint.size(), case["size"].as_u64().unwrap());
        let leaf = leaf_hash(case["leaf"].as_str().unwrap().as_bytes());
        let (size, root) = (checkpoint.size(), checkpoint.root());
        assert_eq!(verify_inclusion(&leaf, proof.index(), size, proof.path(), root), Ok(()));
        assert!(verify_inclusion(&leaf_hash(b"leaf"), proof.index(), size, proof.path(), root).is_err());
    }
}

#[test]
fn a_changed_character_never_gives_the_same_proof() {
    for case in vectors() {
        let text = case["tlog_proof"].as_str().unwrap();
        let proof = TlogProof::parse(text).unwrap();
        for (at, byte) in text.bytes().enumerate().filter(|(_, byte)| byte.is_ascii()) {
            for other in [byte ^ 1, byte ^ 4, byte ^ 0x20, b'\n', b'=', b'A'] {
                if other == byte {
                    continue;
                }
                let mut changed = text.as_bytes().to_vec();
                changed[at] = other;
                let changed = String::from_utf8(changed).unwrap();
                assert_ne!(TlogProof::parse(&changed).ok().as_ref(), Some(&proof), "byte {at} as {other}");
            }
        }
    }
}

#[test]
fn a_proof_cut_short_is_refused_or_has_another_note() {
    let text = text("extra AAEC\n", "3", &format!("{HASH}\n"));
    let note_at = text.len() - NOTE.len();
    for cut in (0..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
        match TlogProof::parse(&text[..cut]) {
            // Whether what is left is a signed note is for its own parser to say.
            Ok(proof) => assert!(cut > note_at && proof.note() == &text[note_at..cut], "cut to {cut}"),
            Err(_) => assert!(cut <= note_at || !text[..cut].ends_with('\n'), "cut to {cut}"),
        }
    }
}

#[test]
fn defects_are_refused_by_name() {
    use TlogProofError as E;
    let path = format!("{HASH}\n");
    let index = |got: &str| E::Index { got: got.to_owned() };
    let no_index = |got: &str| E::NoIndex { got: got.to_owned() };
    let extra = |got: &str| E::Extra { got: got.to_owned() };
    let good = text("extra AAEC\n", "3", &path);
    assert_eq!(TlogProof::parse(&good).unwrap().extra(), Some(&[0, 1, 2][..]));
    let cases = [
        (String::new(), E::NoCheckpoint),
        (good.replace("@v1", "@v2"), E::Header { got: "c2sp.org/tlog-proof@v2".to_owned() }),
        (format!("\n{good}"), E::Header { got: String::new() }),
        (good.replace('\n', "\r\n"), E::Header { got: "c2sp.org/tlog-proof@v1\r".to_owned() }),
        (text("extra \n", "3", &path), extra("")),
        (text("extra AAE\n", "3", &path), extra("AAE")),
        (text("extra AAF=\n", "3", &path), extra("AAF=")),
        (text("extra  AAEC\n", "3", &path), extra(" AAEC")),
        (text("Extra AAEC\n", "3", &path), no_index("Extra AAEC")),
        (text("extra AAEC\nextra AAEC\n", "3", &path), no_index("extra AAEC")),
        (good.replace("index 3\n", ""), no_index(HASH)),
        (good.replace("index 3", "index"), no_index("index")),
        (text("", "", &path), index("")),
        (text("", "03", &path), index("03")),
        (text("", "+3", &path), index("+3")),
        (text("", " 3", &path), index(" 3")),
        (text("", "3 ", &path), index("3 ")),
        (text("", "9223372036854775807", &path), index("9223372036854775807")),
        (text("", "18446744073709551616", &path), index("18446744073709551616")),
        (text("", "3", &path.repeat(64)), E::PathTooLong { got: 64 }),
        (good.split_once("\n\n").unwrap().0.to_owned(), E::NoCheckpoint),
        (good.split_once("\n\n").unwrap().0.to_owned() + "\n\n", E::Note),
        (good.trim_end().to_owned(), E::Note),
        (good.replace("— o", "— \t"), E::Note),
    ];
    for (text, expected) in cases {
        assert_eq!(TlogProof::parse(&text), Err(expected), "{text:?}");
    }
    for line in ["AAAA", " ", &HASH[1..], HASH.trim_end_matches('='), &HASH.replace("oY=", "oZ=")] {
        let refused = TlogProof::parse(&text("", "3", &format!("{path}{line}\n")));
        assert!(matches!(refused, Err(E::PathHash { line: 2, .. })), "{line:?}: {refused:?}");
    }
}

#[test]
fn limits_hold_for_texts_and_for_parts() {
    use TlogProofError as E;
    let hash = Hash::from_base64(HASH).unwrap();
    let new = |extra: Option<usize>, index, hashes, note: &str| {
        TlogProof::new(extra.map(|bytes| vec![7; bytes]), index, vec![hash; hashes], note.to_owned())
    };
    let largest = new(Some(MAX_EXTRA_BYTES), MAX_TREE_SIZE - 1, MAX_PATH_HASHES, NOTE).unwrap();
    assert_eq!(TlogProof::parse(&largest.to_string()), Ok(largest));
    assert_eq!(new(Some(0), 0, 0, NOTE), Err(E::Extra { got: String::new() }));
    assert_eq!(new(Some(65_536), 0, 0, NOTE), Err(E::ExtraTooLarge { got: 65_536 }));
    assert_eq!(new(None, 0, 64, NOTE), Err(E::PathTooLong { got: 64 }));
    assert_eq!(new(None, MAX_TREE_SIZE, 0, NOTE), Err(E::Index { got: MAX_TREE_SIZE.to_string() }));
    for note in ["", "no newline", "a\r\n"] {
        assert_eq!(new(None, 0, 0, note), Err(E::Note));
    }
    let extra = format!("extra {}\n", "AAAA".repeat(30_000));
    assert_eq!(TlogProof::parse(&text(&extra, "0", "")), Err(E::ExtraTooLarge { got: 90_000 }));
    let extra = format!("extra {}\n", "AAAA".repeat(21_845));
    assert!(TlogProof::parse(&text(&extra, "0", "")).is_ok());

    let head = text("", "0", "").len() - NOTE.len();
    let note = |bytes| format!("{}\n", "n".repeat(bytes - 1));
    assert!(new(None, 0, 0, &note(MAX_TLOG_PROOF_BYTES - head)).is_ok());
    let got = MAX_TLOG_PROOF_BYTES + 1;
    assert_eq!(new(None, 0, 0, &note(got - head)), Err(E::TooLarge { got }));
    assert_eq!(TlogProof::parse(&note(got)), Err(E::TooLarge { got }));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_proof_round_trips(
        extra in prop::option::of(prop::collection::vec(any::<u8>(), 1..200)), index in 0..MAX_TREE_SIZE,
        path in prop::collection::vec(any::<[u8; 32]>(), 0..=MAX_PATH_HASHES), note in "([ -~—ä]{0,30}\n){1,6}",
    ) {
        let path = path.into_iter().map(Hash::from_bytes).collect();
        let proof = TlogProof::new(extra, index, path, note).unwrap();
        prop_assert_eq!(TlogProof::parse(&proof.to_string()), Ok(proof));
    }

    #[test]
    fn what_parses_is_written_back_and_nothing_panics(
        head in "(extra [A-D=]{0,8}\n)?(index [0-9]{0,3}\n)?", tail in "[A-D=\n ]{0,60}",
    ) {
        let text = format!("c2sp.org/tlog-proof@v1\n{head}{tail}");
        if let Ok(proof) = TlogProof::parse(&text) {
            prop_assert_eq!(proof.to_string(), text);
        }
    }
}
