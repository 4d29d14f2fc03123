//! Verifying signature lines, one or all of a note.

use std::collections::BTreeSet;

use crate::algorithm::Algorithm;
use crate::cosignature;
use crate::error::{SignatureError, VerifyError};
use crate::limits::{COSIGNATURE_BYTES, ED25519_SIGNATURE_BYTES};
use crate::name::KeyName;
use crate::note::Note;
use crate::note_text::NoteText;
use crate::public_key::PublicKey;
use crate::signature_line::SignatureLine;
use crate::verifier_key::VerifierKey;

/// A signature that was verified. Only [`VerifierKey::verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedSignature {
    key: VerifierKey,
    time_seconds: Option<u64>,
}

impl VerifiedSignature {
    /// The key that signed.
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// The name of the key that signed.
    pub fn name(&self) -> &KeyName {
        self.key.name()
    }

    /// When it signed, in seconds since 1970 by the signer's clock; only a cosignature signs its time.
    pub fn time_seconds(&self) -> Option<u64> {
        self.time_seconds
    }
}

impl VerifierKey {
    /// Whether a line names this key: its name and its id.
    pub fn is_named_by(&self, line: &SignatureLine) -> bool {
        self.name() == line.name() && self.key_id() == line.key_id()
    }

    /// Verifies that `line` is this key's signature of `text`, by Ed25519 strict verification.
    ///
    /// # Errors
    /// Says whether the line names another key, has another length, or does not verify.
    pub fn verify(&self, text: &NoteText, line: &SignatureLine) -> Result<VerifiedSignature, SignatureError> {
        if !self.is_named_by(line) {
            return Err(SignatureError::OtherKey {
                expected_name: self.name().clone(),
                expected_id: self.key_id(),
                got_name: line.name().clone(),
                got_id: line.key_id(),
            });
        }
        let (is_valid, time_seconds) = match self.algorithm() {
            Algorithm::Ed25519 => {
                let signature: &[u8; ED25519_SIGNATURE_BYTES] = line
                    .signature()
                    .try_into()
                    .map_err(|_| self.wrong_length(ED25519_SIGNATURE_BYTES, line))?;
                (self.public_key().verifies(text.as_bytes(), signature), None)
            }
            Algorithm::CosignatureV1 => {
                let (time_seconds, signature) = cosignature::split(line.signature())
                    .ok_or_else(|| self.wrong_length(COSIGNATURE_BYTES, line))?;
                let message = cosignature::cosignature_message(text, time_seconds);
                (self.public_key().verifies(&message, signature), Some(time_seconds))
            }
        };
        if is_valid {
            Ok(VerifiedSignature { key: self.clone(), time_seconds })
        } else {
            Err(SignatureError::Invalid)
        }
    }

    fn wrong_length(&self, expected: usize, line: &SignatureLine) -> SignatureError {
        SignatureError::Length { algorithm: self.algorithm(), expected, got: line.signature().len() }
    }
}

impl Note {
    /// Verifies a note of which every signature counts, such as a statement or an approver set: each line
    /// belongs to one of `keys` and verifies, and no public key signs twice. The result is in the order of
    /// the lines. Not every one of `keys` need have signed.
    ///
    /// # Errors
    /// Names the first signer that is unknown, not valid, or there for the second time.
    pub fn verify_all(&self, keys: &[VerifierKey]) -> Result<Vec<VerifiedSignature>, VerifyError> {
        let (verified, unknown) = self.verify_lines(keys)?;
        match unknown.first() {
            None => Ok(verified),
            Some(line) => {
                Err(VerifyError::UnknownSigner { name: line.name().clone(), key_id: line.key_id() })
            }
        }
    }

    /// Verifies a note that others may have signed too, such as the checkpoint of a log: up to `unknown_limit`
    /// lines by keys that are not among `keys` are passed over, at least one line is by a known key, each of
    /// those verifies, and no known public key signs twice.
    ///
    /// # Errors
    /// Names the first known signer that is not valid or there for the second time; then counts.
    pub fn verify_known(
        &self,
        keys: &[VerifierKey],
        unknown_limit: usize,
    ) -> Result<Vec<VerifiedSignature>, VerifyError> {
        let (verified, unknown) = self.verify_lines(keys)?;
        if unknown.len() > unknown_limit {
            return Err(VerifyError::TooManyUnknown { limit: unknown_limit, got: unknown.len() });
        }
        if verified.is_empty() {
            return Err(VerifyError::NoKnownSigner { unknown: unknown.len() });
        }
        Ok(verified)
    }

    /// Verifies the lines by `keys`, and gives back those by others.
    fn verify_lines(
        &self,
        keys: &[VerifierKey],
    ) -> Result<(Vec<VerifiedSignature>, Vec<&SignatureLine>), VerifyError> {
        let mut verified = Vec::new();
        let mut unknown = Vec::new();
        let mut seen: BTreeSet<PublicKey> = BTreeSet::new();
        for line in self.signatures() {
            let Some(key) = keys.iter().find(|key| key.is_named_by(line)) else {
                unknown.push(line);
                continue;
            };
            if !seen.insert(*key.public_key()) {
                return Err(VerifyError::Repeated { name: line.name().clone() });
            }
            let signature = key
                .verify(self.text(), line)
                .map_err(|source| VerifyError::Invalid { name: line.name().clone(), source })?;
            verified.push(signature);
        }
        Ok((verified, unknown))
    }
}
