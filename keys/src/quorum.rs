//! Whether k of n approved a text, and the type that says so.

use std::collections::BTreeSet;

use crate::approver_set::ApproverSet;
use crate::error::QuorumError;
use crate::name::KeyName;
use crate::note_text::NoteText;
use crate::public_key::PublicKey;
use crate::signature_line::SignatureLine;

/// When an approval must have been signed to count, in milliseconds since 1970: after `after_ms` and not after
/// `until_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigningWindow {
    /// An approval at this moment does not count yet.
    pub after_ms: i64,
    /// An approval at this moment still counts.
    pub until_ms: i64,
}

impl SigningWindow {
    /// The window that every time after 1970-01-01T00:00:00Z falls into which fits in 63 bits of milliseconds.
    pub const ANY_TIME: SigningWindow = SigningWindow { after_ms: 0, until_ms: i64::MAX };
}

/// A member's valid approval of a text, at a time that counts. Only this room makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    name: KeyName,
    public_key: PublicKey,
    time_seconds: u64,
}

impl Approval {
    /// The approver's name.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The approver's public key.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// When it was signed, in seconds since 1970, by the approver's clock.
    pub fn time_seconds(&self) -> u64 {
        self.time_seconds
    }
}

/// Proof that at least k of the n approvers of a set approved a text in time.
/// [`ApproverSet::check_quorum`] is its only constructor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quorum {
    approvals: Vec<Approval>,
    threshold: u8,
    set_size: usize,
}

impl Quorum {
    /// The approvals, in the order of the signature lines; at least [`Quorum::threshold`].
    pub fn approvals(&self) -> &[Approval] {
        &self.approvals
    }

    /// k: how many approvals were needed.
    pub fn threshold(&self) -> u8 {
        self.threshold
    }

    /// n: how many approvers the set has.
    pub fn set_size(&self) -> usize {
        self.set_size
    }
}

impl ApproverSet {
    /// Checks one signature line: it is by a member of the set, verifies over `text`, and was signed in time.
    ///
    /// # Errors
    /// Names the signer and what is wrong.
    pub fn check_approval(
        &self,
        text: &NoteText,
        line: &SignatureLine,
        window: SigningWindow,
    ) -> Result<Approval, QuorumError> {
        let name = line.name().clone();
        let Some(key) = self.find_signer(line) else {
            return Err(QuorumError::UnknownSigner { name, key_id: line.key_id() });
        };
        let verified = match key.verify(text, line) {
            Ok(verified) => verified,
            Err(source) => return Err(QuorumError::Invalid { name, source }),
        };
        // Every member signs with cosignature/v1, which has a time; 0 could never be in time.
        let time_seconds = verified.time_seconds().unwrap_or(0);
        let time_ms = i128::from(time_seconds) * 1_000;
        let SigningWindow { after_ms, until_ms } = window;
        if time_ms <= i128::from(after_ms) {
            return Err(QuorumError::TooEarly { name, after_ms, got_seconds: time_seconds });
        }
        if time_ms > i128::from(until_ms) {
            return Err(QuorumError::TooLate { name, until_ms, got_seconds: time_seconds });
        }
        Ok(Approval { name, public_key: *key.public_key(), time_seconds })
    }

    /// Checks that k of the approvers approved `text` in time. Strict, as proofs need it: every line is a valid
    /// approval by a member, one line per public key; a caller takes lines by others (the node's own) out first.
    ///
    /// # Errors
    /// Names the first signer that is unknown, not valid, there for the second time or out of time; then counts.
    pub fn check_quorum(
        &self,
        text: &NoteText,
        signatures: &[SignatureLine],
        window: SigningWindow,
    ) -> Result<Quorum, QuorumError> {
        let mut seen: BTreeSet<PublicKey> = BTreeSet::new();
        let mut approvals = Vec::new();
        for line in signatures {
            let is_repeated = self.find_signer(line).is_some_and(|key| !seen.insert(*key.public_key()));
            if is_repeated {
                return Err(QuorumError::Repeated { name: line.name().clone() });
            }
            approvals.push(self.check_approval(text, line, window)?);
        }
        let expected = usize::from(self.threshold());
        if approvals.len() < expected {
            return Err(QuorumError::TooFew { expected, members: self.len(), got: approvals.len() });
        }
        Ok(Quorum { approvals, threshold: self.threshold(), set_size: self.len() })
    }
}
