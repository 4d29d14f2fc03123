//! Signing keys.

use std::fmt;

use ed25519_dalek::Signer;
use zeroize::Zeroizing;

use crate::algorithm::{Algorithm, KeyUse};
use crate::cosignature;
use crate::error::SigningError;
use crate::limits::{ED25519_SIGNATURE_BYTES, KEY_BYTES};
use crate::name::KeyName;
use crate::note_text::NoteText;
use crate::public_key::PublicKey;
use crate::signature_line::SignatureLine;
use crate::verifier_key::VerifierKey;

/// An Ed25519 signing key with its name and its one use. Its secret is wiped from memory when it is dropped and
/// never printed.
#[derive(Clone)]
pub struct SigningKey {
    secret: ed25519_dalek::SigningKey,
    key_use: KeyUse,
    verifier_key: VerifierKey,
}

impl SigningKey {
    /// The signing key of a seed: 32 bytes from a good source of randomness (RFC 8032 calls it the private
    /// key).
    pub fn from_seed(name: KeyName, key_use: KeyUse, seed: [u8; KEY_BYTES]) -> SigningKey {
        let seed = Zeroizing::new(seed);
        let secret = ed25519_dalek::SigningKey::from_bytes(&seed);
        SigningKey::of_secret(name, key_use, secret)
    }

    fn of_secret(name: KeyName, key_use: KeyUse, secret: ed25519_dalek::SigningKey) -> SigningKey {
        let public_key = PublicKey::of_signing_key(&secret);
        let verifier_key = VerifierKey::new(name, key_use.algorithm(), public_key);
        SigningKey { secret, key_use, verifier_key }
    }

    /// The name that the key signs under.
    pub fn name(&self) -> &KeyName {
        self.verifier_key.name()
    }

    /// What the key is for.
    pub fn key_use(&self) -> KeyUse {
        self.key_use
    }

    /// What others verify its signatures with.
    pub fn verifier_key(&self) -> &VerifierKey {
        &self.verifier_key
    }

    /// The public key.
    pub fn public_key(&self) -> &PublicKey {
        self.verifier_key.public_key()
    }

    /// The secret itself, for sealing; wiped when dropped.
    pub fn seed(&self) -> Zeroizing<[u8; KEY_BYTES]> {
        Zeroizing::new(self.secret.to_bytes())
    }

    /// The same key under another name: a node signs each log with its one log key, under the log's origin.
    pub fn renamed(&self, name: KeyName) -> SigningKey {
        SigningKey::of_secret(name, self.key_use, self.secret.clone())
    }

    /// Signs a note as a log does (type 0x01).
    ///
    /// # Errors
    /// Refuses a key that is not for a log.
    pub fn sign_note(&self, text: &NoteText) -> Result<SignatureLine, SigningError> {
        self.check_algorithm(Algorithm::Ed25519)?;
        Ok(self.line(self.secret.sign(text.as_bytes()).to_bytes().to_vec()))
    }

    /// Cosigns a note at `time_seconds` since 1970, as approvers and witnesses do (type 0x04).
    ///
    /// # Errors
    /// Refuses a key that is for a log.
    pub fn cosign(&self, text: &NoteText, time_seconds: u64) -> Result<SignatureLine, SigningError> {
        self.check_algorithm(Algorithm::CosignatureV1)?;
        let message = cosignature::cosignature_message(text, time_seconds);
        Ok(self.line(cosignature::join(time_seconds, &self.secret.sign(&message).to_bytes())))
    }

    /// The signature of a message that is no note, by a key that is for a person.
    pub(crate) fn sign_as_person(
        &self,
        message: &[u8],
    ) -> Result<[u8; ED25519_SIGNATURE_BYTES], SigningError> {
        self.check_algorithm(Algorithm::CosignatureV1)?;
        Ok(self.secret.sign(message).to_bytes())
    }

    fn check_algorithm(&self, expected: Algorithm) -> Result<(), SigningError> {
        if self.key_use.algorithm() == expected {
            Ok(())
        } else {
            Err(SigningError::WrongUse { expected, got: self.key_use })
        }
    }

    fn line(&self, signature: Vec<u8>) -> SignatureLine {
        SignatureLine::of_signature(self.name().clone(), self.verifier_key.key_id(), signature)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SigningKey")
            .field("verifier_key", &self.verifier_key.to_string())
            .field("key_use", &self.key_use)
            .field("secret", &"[redacted]")
            .finish()
    }
}
