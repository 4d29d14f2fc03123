//! Verifier keys: who a public key is, and how it signs, in one line of text.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::algorithm::Algorithm;
use crate::encoding::{decode_base64, encode_base64, encode_hex};
use crate::error::VerifierKeyError;
use crate::limits::{KEY_BYTES, KEY_ID_BYTES, MAX_VERIFIER_KEY_BYTES};
use crate::name::KeyName;
use crate::public_key::PublicKey;

/// A public key under a name, with the algorithm it signs with; written `name+id+key`, where `id` is 8 hex
/// digits and `key` the base64 of the type byte and the key
/// ([C2SP signed-note](https://c2sp.org/signed-note#verifier-keys)).
///
/// Ordered by name, then algorithm, then key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerifierKey {
    name: KeyName,
    algorithm: Algorithm,
    public_key: PublicKey,
    key_id: [u8; KEY_ID_BYTES],
}

impl VerifierKey {
    /// A verifier key of its parts.
    pub fn new(name: KeyName, algorithm: Algorithm, public_key: PublicKey) -> VerifierKey {
        let key_id = key_id(&name, algorithm, public_key.as_bytes());
        VerifierKey { name, algorithm, public_key, key_id }
    }

    /// The name.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public key.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The first 4 bytes of SHA-256(name || 0x0A || type byte || key): what a signature line names the key by,
    /// beside the name. Short, so it finds a key and proves nothing.
    pub fn key_id(&self) -> [u8; KEY_ID_BYTES] {
        self.key_id
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![self.algorithm.to_byte()];
        key.extend_from_slice(self.public_key.as_bytes());
        write!(formatter, "{}+{}+{}", self.name, encode_hex(&self.key_id), encode_base64(&key))
    }
}

impl FromStr for VerifierKey {
    type Err = VerifierKeyError;

    /// Reads exactly what [`VerifierKey`]'s `Display` writes.
    fn from_str(text: &str) -> Result<VerifierKey, VerifierKeyError> {
        if text.len() > MAX_VERIFIER_KEY_BYTES {
            return Err(VerifierKeyError::TooLong { limit: MAX_VERIFIER_KEY_BYTES, got: text.len() });
        }
        let format = || VerifierKeyError::Format { got: text.to_owned() };
        let (name, rest) = text.split_once('+').ok_or_else(format)?;
        let (id, key) = rest.split_once('+').ok_or_else(format)?;
        let name: KeyName = name.parse().map_err(VerifierKeyError::Name)?;
        let id = parse_key_id(&name, id)?;
        let (algorithm, public_key) = parse_key(&name, key)?;
        let key = VerifierKey::new(name, algorithm, public_key);
        if key.key_id != id {
            return Err(VerifierKeyError::KeyIdMismatch { expected: key.key_id, got: id, name: key.name });
        }
        Ok(key)
    }
}

fn key_id(name: &KeyName, algorithm: Algorithm, key: &[u8; KEY_BYTES]) -> [u8; KEY_ID_BYTES] {
    let hash = Sha256::new()
        .chain_update(name.as_str())
        .chain_update([b'\n', algorithm.to_byte()])
        .chain_update(key)
        .finalize();
    let [first, second, third, fourth, ..] = <[u8; 32]>::from(hash);
    [first, second, third, fourth]
}

fn parse_key_id(name: &KeyName, text: &str) -> Result<[u8; KEY_ID_BYTES], VerifierKeyError> {
    let is_written_well =
        text.len() == 2 * KEY_ID_BYTES && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let number = if is_written_well { u32::from_str_radix(text, 16).ok() } else { None };
    number
        .map(u32::to_be_bytes)
        .ok_or_else(|| VerifierKeyError::KeyIdFormat { name: name.clone(), got: text.to_owned() })
}

fn parse_key(name: &KeyName, text: &str) -> Result<(Algorithm, PublicKey), VerifierKeyError> {
    let bytes =
        decode_base64(text).map_err(|source| VerifierKeyError::Base64 { name: name.clone(), source })?;
    let wrong_length =
        |got: usize| VerifierKeyError::KeyLength { name: name.clone(), expected: KEY_BYTES, got };
    let (type_byte, key) = bytes.split_first().ok_or_else(|| wrong_length(0))?;
    let algorithm = Algorithm::from_byte(*type_byte)
        .ok_or_else(|| VerifierKeyError::UnknownAlgorithm { name: name.clone(), got: *type_byte })?;
    let key: &[u8; KEY_BYTES] = key.try_into().map_err(|_| wrong_length(key.len()))?;
    let public_key =
        PublicKey::from_bytes(key).map_err(|source| VerifierKeyError::Key { name: name.clone(), source })?;
    Ok((algorithm, public_key))
}
