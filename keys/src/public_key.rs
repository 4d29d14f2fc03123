//! Ed25519 public keys that are fit to verify with.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use ed25519_dalek::{Signature, VerifyingKey};

use crate::encoding::encode_hex;
use crate::error::KeyError;
use crate::limits::{ED25519_SIGNATURE_BYTES, KEY_BYTES};

/// An Ed25519 public key: 32 bytes that are the one encoding of a point of the curve that is not of small
/// order ([RFC 8032](https://www.rfc-editor.org/rfc/rfc8032)). Equal, ordered and hashed by its bytes.
#[derive(Clone, Copy)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads a public key.
    ///
    /// # Errors
    /// Refuses a number that is not reduced (a second encoding of the same point), bytes that are no point of the
    /// curve, and a point of small order, under which signatures of other messages verify.
    pub fn from_bytes(bytes: &[u8; KEY_BYTES]) -> Result<PublicKey, KeyError> {
        if !is_reduced(bytes) {
            return Err(KeyError::NotCanonical { got: *bytes });
        }
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotAPoint { got: *bytes })?;
        if key.is_weak() {
            return Err(KeyError::Weak { got: *bytes });
        }
        Ok(PublicKey(key))
    }

    /// The 32 bytes of the key.
    pub fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        self.0.as_bytes()
    }

    /// The key of a signing key, which needs no check: its point is a multiple of the base point.
    pub(crate) fn of_signing_key(key: &ed25519_dalek::SigningKey) -> PublicKey {
        PublicKey(key.verifying_key())
    }

    /// Whether `signature` is this key's over `message`, by strict verification: the scalar is reduced, R is the
    /// one encoding of its point and not of small order.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8; ED25519_SIGNATURE_BYTES]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicKey({})", encode_hex(self.as_bytes()))
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &PublicKey) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for PublicKey {}

impl PartialOrd for PublicKey {
    fn partial_cmp(&self, other: &PublicKey) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PublicKey {
    fn cmp(&self, other: &PublicKey) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for PublicKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

/// Whether the y coordinate is below p = 2^255 - 19 (little-endian, the top bit is the sign of x).
///
/// The decoder reduces larger numbers silently, so that one point would have two encodings. The other second
/// encoding, a sign for x = 0, belongs to points of small order only and is refused as weak or as no point.
fn is_reduced(bytes: &[u8; KEY_BYTES]) -> bool {
    let [low, middle @ .., high] = bytes;
    !(*low >= 0xed && middle.iter().all(|byte| *byte == 0xff) && high & 0x7f == 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The 19 numbers from p to 2^255 - 1, with either sign.
    fn unreduced() -> impl Iterator<Item = [u8; KEY_BYTES]> {
        (0xed..=0xff).flat_map(|low| {
            [0x7f, 0xff].map(|high| {
                let mut bytes = [0xff; KEY_BYTES];
                bytes[0] = low;
                bytes[31] = high;
                bytes
            })
        })
    }

    #[test]
    fn every_unreduced_number_is_refused_whether_or_not_it_is_a_point() {
        let mut points = 0;
        for bytes in unreduced() {
            assert_eq!(PublicKey::from_bytes(&bytes), Err(KeyError::NotCanonical { got: bytes }));
            if let Ok(key) = VerifyingKey::from_bytes(&bytes) {
                points += 1;
                assert_ne!(key.to_edwards().compress().as_bytes(), &bytes);
            }
        }
        assert!(points > 0, "the decoder refuses these numbers itself now");
    }

    #[test]
    fn small_numbers_are_accepted_only_where_encoding_the_point_gives_them_back() {
        let mut accepted = 0;
        for low in 0..=255 {
            for high in [0x00, 0x80] {
                let mut bytes = [0; KEY_BYTES];
                bytes[0] = low;
                bytes[31] = high;
                if let Ok(key) = PublicKey::from_bytes(&bytes) {
                    accepted += 1;
                    assert_eq!(key.0.to_edwards().compress().as_bytes(), &bytes);
                }
            }
        }
        assert!(accepted > 100, "got {accepted} points among 512 numbers");
    }
}
