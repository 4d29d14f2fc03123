//! From a statement and its signatures to one that k of n approvers have approved.

use meed_keys::{
    Algorithm, KeyName, Note, NoteText, PublicKey, Quorum, QuorumError, SignatureLine, SigningWindow,
    VerifierKey,
};

use crate::approvers::ApproverSetText;
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::statement::Statement;

/// A statement that enough approvers have signed in time. [`approve`] is its only constructor.
#[derive(Clone, Debug)]
pub struct Approved {
    statement: Statement,
    quorum: Quorum,
    signatures: Vec<SignatureLine>,
}

impl Approved {
    /// The statement.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// Who approved it, and when.
    pub fn quorum(&self) -> &Quorum {
        &self.quorum
    }

    /// The approvers' signature lines, sorted by key name.
    pub fn signatures(&self) -> &[SignatureLine] {
        &self.signatures
    }
}

/// The time in which an approval of `statement` counts: after the period began, and not after Sign By.
pub fn signing_window(statement: &Statement) -> SigningWindow {
    SigningWindow { after_ms: statement.period.start.as_ms(), until_ms: statement.sign_by.as_ms() }
}

/// Checks that k of the n approvers of `set` signed `statement`, in time, and that the statement names that set.
/// Every signature must be a member's and valid; the node's own line is not among `signatures`.
///
/// # Errors
/// `mismatch` for another set; then the first wrong signature; then `quorum_missing`.
pub fn approve(
    statement: &Statement,
    set: &ApproverSetText,
    signatures: &[SignatureLine],
) -> Checked<Approved> {
    check_set(statement, set)?;
    let text = statement.note_text()?;
    let quorum = set
        .set
        .check_quorum(&text, signatures, signing_window(statement))
        .map_err(|error| quorum_rejection("statement", &error))?;
    let mut signatures = signatures.to_vec();
    signatures.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(Approved { statement: statement.clone(), quorum, signatures })
}

/// Checks one approver's signature of a statement.
///
/// # Errors
/// As [`approve`], without the count.
pub fn check_signature(statement: &Statement, set: &ApproverSetText, line: &SignatureLine) -> Checked<()> {
    check_set(statement, set)?;
    set.set
        .check_approval(&statement.note_text()?, line, signing_window(statement))
        .map(|_| ())
        .map_err(|error| quorum_rejection("signature", &error))
}

fn check_set(statement: &Statement, set: &ApproverSetText) -> Checked<()> {
    let line = &statement.approvers;
    let same = line.version == set.version
        && line.text_hash == set.text_hash()
        && line.threshold == set.set.threshold()
        && usize::from(line.members) == set.set.len()
        && statement.node == set.node
        && statement.scope == set.scope
        && statement.origin == set.origin;
    if same {
        return Ok(());
    }
    let expected = format!("version {} with hash {}", line.version, line.text_hash.to_hex());
    let got = format!("version {} with hash {}", set.version, set.text_hash().to_hex());
    Err(Rejection::new(RejectionCode::Mismatch, "approver set", expected, got))
}

/// The node's log key as it signs under `name`.
///
/// # Errors
/// `key_invalid` when the name cannot be a key's.
pub fn node_verifier(name: &str, node_key: &PublicKey) -> Checked<VerifierKey> {
    let name: KeyName = name.parse().map_err(|error| {
        Rejection::new(RejectionCode::KeyInvalid, "log key name", "an origin line", error)
    })?;
    Ok(VerifierKey::new(name, Algorithm::Ed25519, *node_key))
}

/// Parses a signed note, naming it in a refusal.
///
/// # Errors
/// `malformed`.
pub(crate) fn parse_note(what: &str, text: impl AsRef<[u8]>) -> Checked<Note> {
    Note::parse(text)
        .map_err(|error| Rejection::new(RejectionCode::Malformed, what, "a C2SP signed note", error))
}

/// Parses a verifier key of an algorithm, naming it in a refusal.
///
/// # Errors
/// `key_invalid`.
pub(crate) fn parse_key(what: &str, text: &str, algorithm: Algorithm) -> Checked<VerifierKey> {
    let key: VerifierKey = text
        .parse()
        .map_err(|error| Rejection::new(RejectionCode::KeyInvalid, what, "a verifier key", error))?;
    if key.algorithm() == algorithm {
        return Ok(key);
    }
    Err(Rejection::new(RejectionCode::KeyInvalid, what, format!("a key of type {algorithm}"), text))
}

/// Splits a note into the node's line, which must be there once and be valid, and all others.
///
/// # Errors
/// `signature_invalid` when the node's line is missing or wrong; `signer_twice` when it is there twice.
pub fn split_node_line(
    note: &Note,
    origin_line: &str,
    node_key: &PublicKey,
) -> Checked<(SignatureLine, Vec<SignatureLine>)> {
    let verifier = node_verifier(origin_line, node_key)?;
    let (mut own, others): (Vec<_>, Vec<_>) =
        note.signatures().iter().cloned().partition(|line| line.name() == verifier.name());
    if own.len() > 1 {
        return Err(Rejection::new(
            RejectionCode::SignerTwice,
            origin_line,
            "one line of the node",
            own.len(),
        ));
    }
    let line = own.pop().ok_or_else(|| {
        Rejection::new(RejectionCode::SignatureInvalid, origin_line, "a signature line of the node", "none")
    })?;
    check_node_line(note.text(), &verifier, &line)?;
    Ok((line, others))
}

fn check_node_line(text: &NoteText, verifier: &VerifierKey, line: &SignatureLine) -> Checked<()> {
    verifier.verify(text, line).map(|_| ()).map_err(|error| {
        let subject = format!("signature of {}", verifier.name());
        Rejection::new(
            RejectionCode::SignatureInvalid,
            subject,
            "a valid signature by the node's log key",
            error,
        )
    })
}

/// What a failed quorum check means for people.
pub fn quorum_rejection(subject: &str, error: &QuorumError) -> Rejection {
    let (code, expected) = match error {
        QuorumError::UnknownSigner { .. } => (RejectionCode::SignerUnknown, "a member of the approver set"),
        QuorumError::Invalid { .. } => {
            (RejectionCode::SignatureInvalid, "a valid cosignature/v1 of the text")
        }
        QuorumError::Repeated { .. } => (RejectionCode::SignerTwice, "one signature a key"),
        QuorumError::TooEarly { .. } => (RejectionCode::SignatureOutOfTime, "a time after the period began"),
        QuorumError::TooLate { .. } => (RejectionCode::SignatureOutOfTime, "a time not after Sign By"),
        QuorumError::TooFew { expected, members, got } => {
            let expected = format!("the approval of {expected} of {members}");
            return Rejection::new(RejectionCode::QuorumMissing, subject, expected, format!("that of {got}"));
        }
    };
    Rejection::new(code, subject, expected, error)
}
