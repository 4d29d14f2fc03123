//! Checkpoint texts: the cases of two other tools, and every way a text can have a second spelling.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

use meed_audit::checkpoint::{Checkpoint, CheckpointError, MAX_CHECKPOINT_BYTES};
use meed_audit::hash::{EMPTY_ROOT, Hash, leaf_hash};
use meed_audit::merkle::MAX_TREE_SIZE;
use proptest::prelude::*;

const ROOT: &str = "ANIYKaVQMUU0irz3ElE+rPKidCEa2D6XAgK7W22AsoY=";

fn json(text: &str) -> Vec<serde_json::Value> {
    serde_json::from_str(text).unwrap()
}

#[test]
fn whatever_one_of_two_tools_refuses_is_refused() {
    let cases = json(include_str!("vectors/tlog/checkpoint_body_cases.json"));
    assert_eq!(cases.len(), 18);
    for case in cases {
        let text = case["text"].as_str().unwrap();
        let both = case["formats_accepts"] == true && case["torchwood_accepts"] == true;
        // Both tools take base64 with set trailing bits, a second spelling of the same root.
        let expected = both && case["desc"] != "non-canonical b64 hash";
        let parsed = Checkpoint::parse(text);
        assert_eq!(parsed.is_ok(), expected, "{}: {parsed:?}", case["desc"]);
        if let Ok(checkpoint) = parsed {
            assert_eq!(checkpoint.to_string(), text);
        }
    }
}

#[test]
fn checkpoints_of_the_vectors_are_written_as_they_were() {
    for case in json(include_str!("vectors/tlog/checkpoints.json")) {
        let (text, _) = case["note"].as_str().unwrap().split_once("\n\n").unwrap();
        let text = format!("{text}\n");
        let checkpoint: Checkpoint = text.parse().unwrap();
        assert_eq!(checkpoint.size(), case["size"].as_u64().unwrap());
        assert_eq!(checkpoint.origin(), "payouts.example/scope-a");
        assert_eq!(checkpoint.to_string(), text);
        let foreign = tlog_tiles::Checkpoint::from_bytes(text.as_bytes()).unwrap();
        assert_eq!(foreign.hash().0, checkpoint.root().to_bytes());
    }
}

#[test]
fn defects_are_refused_by_name() {
    use CheckpointError as E;
    let size = |got: &str| E::Size { got: got.to_owned() };
    let cases = [
        (String::new(), E::NoFinalNewline),
        ("o\n5\n".to_owned(), E::TooFewLines { got: 2 }),
        (format!("o\n5\n{ROOT}"), E::NoFinalNewline),
        (format!("\n5\n{ROOT}\n"), E::EmptyOrigin),
        (format!("o\n\n{ROOT}\n"), size("")),
        (format!("o\n05\n{ROOT}\n"), size("05")),
        (format!("o\n00\n{ROOT}\n"), size("00")),
        (format!("o\n+5\n{ROOT}\n"), size("+5")),
        (format!("o\n-5\n{ROOT}\n"), size("-5")),
        (format!("o\n 5\n{ROOT}\n"), size(" 5")),
        (format!("o\n5\r\n{ROOT}\n"), size("5\r")),
        (format!("o\n5e2\n{ROOT}\n"), size("5e2")),
        (format!("o\n٥\n{ROOT}\n"), size("٥")),
        (format!("o\n9223372036854775808\n{ROOT}\n"), size("9223372036854775808")),
        (format!("o\n18446744073709551617\n{ROOT}\n"), size("18446744073709551617")),
        (format!("o\r\n5\n{ROOT}\n"), E::ControlCharacter { line: 1, got: 13 }),
        (format!("o\t\n5\n{ROOT}\n"), E::ControlCharacter { line: 1, got: 9 }),
        (format!("o\n5\n{ROOT}\nx\u{0}\n"), E::ControlCharacter { line: 4, got: 0 }),
        (format!("o\n5\n{ROOT}\n\n"), E::EmptyExtension { line: 4 }),
        (format!("o\n5\n{ROOT}\nx\n\ny\n"), E::EmptyExtension { line: 5 }),
        (format!("o\n0\n{ROOT}\n"), E::EmptyTreeRoot { got: Hash::from_base64(ROOT).unwrap() }),
    ];
    for (text, expected) in cases {
        assert_eq!(Checkpoint::parse(&text), Err(expected), "{text:?}");
    }
    let unpadded = ROOT.trim_end_matches('=');
    let trailing_bits = ROOT.replace("oY=", "oZ=");
    let spaced = format!("{ROOT} ");
    for root in ["", "AAAA", unpadded, &trailing_bits, &spaced, &ROOT.replace('+', "-"), &"A".repeat(44)] {
        let refused = Checkpoint::parse(&format!("o\n5\n{root}\n"));
        assert!(matches!(refused, Err(E::Root(_))), "{root:?}: {refused:?}");
    }
}

#[test]
fn parts_that_no_text_can_have_are_refused() {
    let root = leaf_hash(b"leaf");
    let new = |origin: &str, size, root, extension: &[&str]| {
        Checkpoint::new(
            origin.to_owned(),
            size,
            root,
            extension.iter().map(|line| (*line).to_owned()).collect(),
        )
    };
    assert!(new("o", 1, root, &["one", "two"]).is_ok());
    assert!(new("o", 0, EMPTY_ROOT, &[]).is_ok());
    assert!(new("o", MAX_TREE_SIZE, root, &[]).is_ok());
    assert_eq!(new("", 1, root, &[]), Err(CheckpointError::EmptyOrigin));
    assert_eq!(new("a\nb", 1, root, &[]), Err(CheckpointError::ControlCharacter { line: 1, got: 10 }));
    assert_eq!(new("o", 1, root, &["a\nb"]), Err(CheckpointError::ControlCharacter { line: 4, got: 10 }));
    assert_eq!(new("o", 1, root, &["a", ""]), Err(CheckpointError::EmptyExtension { line: 5 }));
    assert_eq!(new("o", 0, root, &[]), Err(CheckpointError::EmptyTreeRoot { got: root }));
    let got = (MAX_TREE_SIZE + 1).to_string();
    assert_eq!(new("o", MAX_TREE_SIZE + 1, root, &[]), Err(CheckpointError::Size { got }));
}

#[test]
fn oversized_texts_are_refused() {
    let rest = format!("\n1\n{ROOT}\n");
    let fits = format!("{}{rest}", "o".repeat(MAX_CHECKPOINT_BYTES - rest.len()));
    assert_eq!(Checkpoint::parse(&fits).unwrap().to_string(), fits);
    let got = fits.len() + 1;
    assert_eq!(Checkpoint::parse(&format!("o{fits}")), Err(CheckpointError::TooLarge { got }));
    let origin = "o".repeat(MAX_CHECKPOINT_BYTES - rest.len() + 1);
    let root = Hash::from_base64(ROOT).unwrap();
    assert_eq!(Checkpoint::new(origin, 1, root, Vec::new()), Err(CheckpointError::TooLarge { got }));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_checkpoint_round_trips(
        origin in "[ -~äλ]{1,40}", size in 1..=MAX_TREE_SIZE, bytes in any::<[u8; 32]>(),
        extension in prop::collection::vec("[ -~äλ]{1,40}", 0..5),
    ) {
        let checkpoint = Checkpoint::new(origin, size, bytes.into(), extension).unwrap();
        prop_assert_eq!(Checkpoint::parse(&checkpoint.to_string()), Ok(checkpoint));
    }

    #[test]
    fn what_parses_is_written_back_and_nothing_panics(text in "(o\n)?[0-9]{0,3}\n?[A-D=\n\r]{0,90}") {
        if let Ok(checkpoint) = Checkpoint::parse(&text) {
            prop_assert_eq!(checkpoint.to_string(), text);
        }
    }

    #[test]
    fn a_changed_byte_never_gives_the_same_checkpoint(at in 0_usize..60, byte in 0_u8..128) {
        let text = format!("example.org/log\n70000\n{ROOT}\next\n");
        let mut bytes = text.clone().into_bytes();
        prop_assume!(at < bytes.len() && bytes[at] != byte);
        bytes[at] = byte;
        let changed = String::from_utf8(bytes).unwrap();
        prop_assert_ne!(Checkpoint::parse(&changed).ok(), Checkpoint::parse(&text).ok());
    }
}
