//! Signing in with an Ed25519 key: signatures over a text, which can never be taken for those of a note.
//!
//! What is signed begins with `meed-sign-in/v1` and a NUL. No note holds a NUL, and no cosignature begins with these
//! bytes, so that a statement, an approver set, a checkpoint or its cosignature is never a text to sign in with, and no
//! such text is one of them, whatever stands in it.

use std::fmt;
use std::str::FromStr;

use crate::encoding::{decode_base64, encode_base64};
use crate::error::{SignInSignatureError, SignatureError, SigningError};
use crate::limits::ED25519_SIGNATURE_BYTES;
use crate::public_key::PublicKey;
use crate::signing_key::SigningKey;

/// What stands before the text in the signed bytes.
const CONTEXT: &[u8] = b"meed-sign-in/v1\0";

/// The bytes that signing in with `text` signs.
pub fn sign_in_message(text: &str) -> Vec<u8> {
    [CONTEXT, text.as_bytes()].concat()
}

/// An Ed25519 signature over a text for signing in; written in base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInSignature([u8; ED25519_SIGNATURE_BYTES]);

impl fmt::Display for SignInSignature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&encode_base64(&self.0))
    }
}

impl FromStr for SignInSignature {
    type Err = SignInSignatureError;

    /// Reads exactly what `Display` writes.
    fn from_str(text: &str) -> Result<Self, SignInSignatureError> {
        let bytes = decode_base64(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| SignInSignatureError { got: text.chars().count() })
    }
}

impl SigningKey {
    /// Signs a text to sign in with.
    ///
    /// # Errors
    /// Refuses the key of a log: it signs for a node and not for a person.
    pub fn sign_in(&self, text: &str) -> Result<SignInSignature, SigningError> {
        self.sign_as_person(&sign_in_message(text)).map(SignInSignature)
    }
}

impl PublicKey {
    /// Checks that this key signed `text` to sign in with, by Ed25519 strict verification.
    ///
    /// # Errors
    /// [`SignatureError::Invalid`] for another key, another text or another kind of signature.
    pub fn verify_sign_in(&self, text: &str, signature: &SignInSignature) -> Result<(), SignatureError> {
        if self.verifies(&sign_in_message(text), &signature.0) {
            Ok(())
        } else {
            Err(SignatureError::Invalid)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyUse, NoteText, SignatureLine, cosignature_message};

    fn key(seed: u8, key_use: KeyUse) -> SigningKey {
        SigningKey::from_seed("alice.example".parse().expect("a name"), key_use, [seed; 32])
    }

    #[test]
    fn a_key_signs_in_with_its_own_texts_alone() {
        let alice = key(1, KeyUse::Approver);
        let signature = alice.sign_in("text").expect("signed");
        assert_eq!(alice.public_key().verify_sign_in("text", &signature), Ok(()));
        assert!(alice.public_key().verify_sign_in("text\n", &signature).is_err());
        assert!(key(2, KeyUse::Approver).public_key().verify_sign_in("text", &signature).is_err());
        assert_eq!(signature.to_string().parse(), Ok(signature));
        assert!(key(1, KeyUse::Log).sign_in("text").is_err());
        let text = signature.to_string();
        let shorter = text.get(4..).expect("a part");
        for wrong in ["", shorter, &text.replace('=', ""), &format!("{text}\n"), &format!(" {text}")] {
            assert!(wrong.parse::<SignInSignature>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn signing_in_is_never_a_note_nor_a_cosignature_and_neither_signs_in() {
        let texts = [
            "meed sign-in v1\nDomain: a",
            "a\n",
            "ledger.example.org/default/epoch/1/0\n2\nAAAA\n",
            "",
            "\n",
        ];
        let alice = key(1, KeyUse::Approver);
        let log = key(1, KeyUse::Log);
        for text in texts {
            let message = sign_in_message(text);
            let as_text = String::from_utf8(message.clone()).expect("UTF-8");
            assert!(as_text.parse::<NoteText>().is_err(), "{text:?}");
            assert!(!message.starts_with(b"cosignature/v1\n"));
            let signature = alice.sign_in(text).expect("signed");
            let Ok(note) = text.parse::<NoteText>() else { continue };
            // The same 64 bytes as a signature line of the note, at every time that could be claimed.
            for time in [0_u64, 1, 1_796_000_000, u64::MAX] {
                let bytes = [time.to_be_bytes().as_slice(), &signature.0].concat();
                let verifier = alice.verifier_key();
                let line = SignatureLine::of_signature(verifier.name().clone(), verifier.key_id(), bytes);
                assert!(verifier.verify(&note, &line).is_err(), "{text:?} at {time}");
                assert_ne!(cosignature_message(&note, time), message);
            }
            let line = SignatureLine::of_signature(
                log.name().clone(),
                log.verifier_key().key_id(),
                signature.0.to_vec(),
            );
            assert!(log.verifier_key().verify(&note, &line).is_err(), "{text:?}");
            // And the other way: what was signed as a note or cosigned signs nobody in, whatever text is claimed.
            let signed = log.sign_note(&note).expect("signed");
            let cosigned = alice.cosign(&note, 7).expect("cosigned");
            for bytes in [signed.signature(), cosigned.signature().get(8..).expect("a signature")] {
                let signature = SignInSignature(bytes.try_into().expect("64 bytes"));
                for claimed in texts {
                    assert!(alice.public_key().verify_sign_in(claimed, &signature).is_err());
                }
                let whole = String::from_utf8(cosignature_message(&note, 7)).expect("UTF-8");
                assert!(alice.public_key().verify_sign_in(&whole, &signature).is_err());
            }
        }
    }
}
