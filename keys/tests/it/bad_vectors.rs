//! Bad input named by its defect, written by `tests/vectors/make.py`, which shares no code with this crate. Each
//! is refused for the reason that the vector names.

use base64ct::{Base64, Encoding};
use meed_keys::{ApproverSet, Note, SignatureLine, SigningWindow, VerifierKey};
use serde::Deserialize;

use crate::support::{assert_refused, text, vectors};

#[test]
fn verifier_keys() {
    #[derive(Deserialize)]
    struct Case {
        defect: String,
        vkey: String,
        error: String,
    }
    let cases: Vec<Case> = vectors!("bad_verifier_keys.json");
    assert!(cases.len() > 40);
    for Case { defect, vkey, error } in cases {
        assert_refused(&defect, vkey.parse::<VerifierKey>(), &error);
    }
}

#[test]
fn signature_lines() {
    #[derive(Deserialize)]
    struct Case {
        defect: String,
        line: String,
        error: String,
    }
    let cases: Vec<Case> = vectors!("bad_signature_lines.json");
    assert!(cases.len() > 25);
    for Case { defect, line, error } in cases {
        assert_refused(&defect, line.parse::<SignatureLine>(), &error);
    }
}

#[test]
fn notes() {
    #[derive(Deserialize)]
    struct Case {
        defect: String,
        note_b64: String,
        error: String,
    }
    let cases: Vec<Case> = vectors!("bad_notes.json");
    assert!(cases.len() > 20);
    for Case { defect, note_b64, error } in cases {
        assert_refused(&defect, Note::parse(Base64::decode_vec(&note_b64).unwrap()), &error);
    }
}

#[test]
fn signatures() {
    #[derive(Deserialize)]
    struct Case {
        defect: String,
        vkey: String,
        text: String,
        line: String,
        error: String,
    }
    let cases: Vec<Case> = vectors!("bad_signatures.json");
    assert!(cases.len() > 25);
    for case in cases {
        let key: VerifierKey = case.vkey.parse().unwrap();
        let line: SignatureLine = case.line.parse().unwrap();
        assert_refused(&case.defect, key.verify(&text(&case.text), &line), &case.error);
    }
}

#[test]
fn approver_sets() {
    #[derive(Deserialize)]
    struct Case {
        defect: String,
        lines: Vec<String>,
        error: String,
    }
    let cases: Vec<Case> = vectors!("bad_approver_sets.json");
    assert!(cases.len() > 20);
    for Case { defect, lines, error } in cases {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        assert_refused(&defect, ApproverSet::from_lines(&lines), &error);
    }
}

#[derive(Deserialize)]
struct QuorumCase {
    name: String,
    set: Vec<String>,
    text: String,
    signatures: Vec<String>,
    after_ms: i64,
    until_ms: i64,
    approvals: Option<usize>,
    error: Option<String>,
}

impl QuorumCase {
    fn check(&self) -> Result<meed_keys::Quorum, meed_keys::QuorumError> {
        let lines: Vec<&str> = self.set.iter().map(String::as_str).collect();
        let set = ApproverSet::from_lines(&lines).unwrap();
        let signatures: Vec<SignatureLine> =
            self.signatures.iter().map(|line| line.parse().unwrap()).collect();
        let window = SigningWindow { after_ms: self.after_ms, until_ms: self.until_ms };
        set.check_quorum(&text(&self.text), &signatures, window)
    }
}

#[test]
fn good_quorums() {
    let cases: Vec<QuorumCase> = vectors!("good_quorums.json");
    for case in cases {
        let quorum = case.check().unwrap_or_else(|error| panic!("{}: {error}", case.name));
        assert_eq!(Some(quorum.approvals().len()), case.approvals, "{}", case.name);
        assert_eq!((quorum.threshold(), quorum.set_size()), (2, 3), "{}", case.name);
    }
}

#[test]
fn bad_quorums() {
    let cases: Vec<QuorumCase> = vectors!("bad_quorums.json");
    assert!(cases.len() > 20);
    for case in cases {
        assert_refused(&case.name, case.check(), case.error.as_deref().unwrap());
    }
}
