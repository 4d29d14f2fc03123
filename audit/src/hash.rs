//! SHA-256 values and the three ways the rulebook hashes: plain, as a leaf, as a node.
//!
//! The prefixes of leaves and nodes are those of RFC 6962 section 2.1 (unchanged in RFC 9162): they keep
//! an inner node from ever passing as a leaf.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64, Encoding};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::base64::push_base64;
use crate::sha256::sha256_after;

/// Bytes of one hash.
pub const HASH_BYTES: usize = 32;

/// Characters of a hash as hexadecimal text.
const HEX_CHARACTERS: usize = HASH_BYTES * 2;

/// The root of a tree without leaves: SHA-256 of no bytes (RFC 6962 section 2.1).
pub const EMPTY_ROOT: Hash = Hash([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

/// A SHA-256 value: 32 bytes, ordered by those bytes.
///
/// As text it is 64 lower-case hexadecimal digits, or canonical padded base64 in C2SP texts. Serde writes
/// the hexadecimal text into formats that people read, and the 32 bytes into the others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; HASH_BYTES]);

/// Why a text is not a hash.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HashError {
    /// The hexadecimal text has another length.
    #[error("a hash is {HEX_CHARACTERS} hexadecimal digits, got {got} bytes of text")]
    HexLength {
        /// Bytes of the text.
        got: usize,
    },
    /// A byte of the hexadecimal text is not one of `0-9a-f`; upper case is refused too.
    #[error("a hash is lower-case hexadecimal digits, got byte 0x{got:02x} at position {position}")]
    HexDigit {
        /// Position of the byte, from 0.
        position: usize,
        /// The byte.
        got: u8,
    },
    /// The text is not padded standard base64 with zero trailing bits (RFC 4648 section 4, canonical).
    #[error("a hash is canonical padded base64, got {got:?}")]
    Base64 {
        /// The text, cut to its first characters.
        got: String,
    },
    /// The base64 text holds another number of bytes.
    #[error("a hash is {HASH_BYTES} bytes of base64, got {got}")]
    Base64Length {
        /// Bytes it holds.
        got: usize,
    },
}

impl Hash {
    /// Takes 32 bytes that are a hash already.
    pub const fn from_bytes(bytes: [u8; HASH_BYTES]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; HASH_BYTES] {
        &self.0
    }

    /// The 32 bytes, by value.
    pub const fn to_bytes(self) -> [u8; HASH_BYTES] {
        self.0
    }

    /// SHA-256 of the bytes, without a prefix.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// SHA-256 of parts, one after the other.
    pub(crate) fn of_parts<const PARTS: usize>(parts: [&[u8]; PARTS]) -> Self {
        let hasher = parts.into_iter().fold(Sha256::new(), Sha256::chain_update);
        Self(hasher.finalize().into())
    }

    /// Reads exactly 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// [`HashError::HexLength`] or [`HashError::HexDigit`].
    pub fn from_hex(text: &str) -> Result<Self, HashError> {
        if text.len() != HEX_CHARACTERS {
            return Err(HashError::HexLength { got: text.len() });
        }
        let mut bytes = [0; HASH_BYTES];
        for (index, (byte, digits)) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)).enumerate() {
            let &[high, low] = digits else { continue };
            let position = index * 2;
            *byte = (hex_value(high, position)? << 4) | hex_value(low, position + 1)?;
        }
        Ok(Self(bytes))
    }

    /// The 64 lower-case hexadecimal digits.
    pub fn to_hex(self) -> String {
        self.hex_digits().as_str().to_owned()
    }

    /// Appends the hexadecimal digits.
    pub(crate) fn push_hex(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.hex_digits().0);
    }

    fn hex_digits(self) -> HexDigits {
        let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + (nibble - 10) };
        let mut digits = [b'0'; HEX_CHARACTERS];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
            if let [high, low] = pair {
                *high = digit(byte >> 4);
                *low = digit(byte & 0x0f);
            }
        }
        HexDigits(digits)
    }

    /// Reads canonical, padded, standard base64 of 32 bytes, as C2SP texts hold it.
    ///
    /// # Errors
    /// [`HashError::Base64`] or [`HashError::Base64Length`].
    pub fn from_base64(text: &str) -> Result<Self, HashError> {
        let refused = || HashError::Base64 { got: text.chars().take(HEX_CHARACTERS).collect() };
        let bytes = Base64::decode_vec(text).map_err(|_| refused())?;
        let got = bytes.len();
        let bytes = bytes.try_into().map_err(|_| HashError::Base64Length { got })?;
        Ok(Self(bytes))
    }

    /// The canonical, padded, standard base64: 44 characters.
    pub fn to_base64(self) -> String {
        let mut text = Vec::new();
        push_base64(&self.0, &mut text);
        String::from_utf8(text).unwrap_or_default()
    }
}

/// The hash of a leaf's bytes: SHA-256 of `0x00 || data` (RFC 6962 section 2.1).
pub fn leaf_hash(data: &[u8]) -> Hash {
    Hash(sha256_after(0x00, data))
}

/// The hash of an inner node: SHA-256 of `0x01 || left || right` (RFC 6962 section 2.1).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut children = [0; 2 * HASH_BYTES];
    let (left_half, right_half) = children.split_at_mut(HASH_BYTES);
    left_half.copy_from_slice(&left.0);
    right_half.copy_from_slice(&right.0);
    Hash(sha256_after(0x01, &children))
}

fn hex_value(digit: u8, position: usize) -> Result<u8, HashError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(HashError::HexDigit { position, got: digit }),
    }
}

/// The digits of a hash, without an allocation.
struct HexDigits([u8; HEX_CHARACTERS]);

impl HexDigits {
    fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.hex_digits().as_str())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_hex())
    }
}

impl FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        Self::from_hex(text)
    }
}

impl From<[u8; HASH_BYTES]> for Hash {
    fn from(bytes: [u8; HASH_BYTES]) -> Self {
        Self(bytes)
    }
}

impl From<Hash> for [u8; HASH_BYTES] {
    fn from(hash: Hash) -> Self {
        hash.0
    }
}

impl AsRef<[u8]> for Hash {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(self.hex_digits().as_str())
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            Self::from_hex(&text).map_err(de::Error::custom)
        } else {
            deserializer.deserialize_bytes(HashBytes)
        }
    }
}

/// Reads a hash from 32 bytes, which binary formats hold whole rather than one by one.
struct HashBytes;

impl de::Visitor<'_> for HashBytes {
    type Value = Hash;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{HASH_BYTES} bytes")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Hash, E> {
        bytes.try_into().map(Hash).map_err(|_| E::invalid_length(bytes.len(), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn sha256_of_abc_is_the_published_value() {
        assert_eq!(Hash::of(b"abc").to_hex(), ABC);
        assert_eq!(Hash::of(b""), EMPTY_ROOT);
    }

    #[test]
    fn prefixes_are_those_of_rfc_6962() {
        assert_eq!(leaf_hash(b"x"), Hash::of(b"\x00x"));
        let (left, right) = (Hash::of(b"l"), Hash::of(b"r"));
        let joined = [&[0x01][..], left.as_bytes(), right.as_bytes()].concat();
        assert_eq!(node_hash(&left, &right), Hash::of(&joined));
    }

    #[test]
    fn texts_round_trip() {
        let hash = Hash::of(b"abc");
        assert_eq!(Hash::from_hex(&hash.to_hex()), Ok(hash));
        assert_eq!(Hash::from_base64(&hash.to_base64()), Ok(hash));
        assert_eq!(format!("{hash:?} {hash}"), format!("{ABC} {ABC}"));
        let json = serde_json::to_string(&hash).unwrap();
        assert_eq!(json, format!("\"{ABC}\""));
        assert_eq!(serde_json::from_str::<Hash>(&json).unwrap(), hash);
    }

    #[test]
    fn other_spellings_are_refused() {
        let upper = ABC.to_uppercase();
        assert_eq!(Hash::from_hex(&upper), Err(HashError::HexDigit { position: 0, got: b'B' }));
        let beyond = ABC.replace("15ad", "15ag");
        assert_eq!(Hash::from_hex(&beyond), Err(HashError::HexDigit { position: 63, got: b'g' }));
        assert_eq!(Hash::from_hex(&ABC[1..]), Err(HashError::HexLength { got: 63 }));
        assert!(Hash::from_hex(&format!("{}é", &ABC[2..])).is_err());
        let base64 = Hash::of(b"abc").to_base64();
        assert!(Hash::from_base64(base64.trim_end_matches('=')).is_err());
        assert!(Hash::from_base64(&format!("{base64}\n")).is_err());
        assert!(Hash::from_base64(&base64.replace("0=", "1=")).is_err(), "trailing bits");
        assert_eq!(Hash::from_base64("AAAA"), Err(HashError::Base64Length { got: 3 }));
    }
}
