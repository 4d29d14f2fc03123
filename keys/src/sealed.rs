//! Sealing a signing key with a passphrase, and opening it again.
//!
//! argon2id ([RFC 9106](https://www.rfc-editor.org/rfc/rfc9106)) makes a key of the passphrase, and
//! XChaCha20-Poly1305 seals the seed under it, with the lines above the secret as associated data: name, public
//! key, use and cost can be read without the passphrase and not be changed without it.

use argon2::Argon2;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::error::SealError;
use crate::key_file::{KeyFile, write_plain, write_sealed};
use crate::limits::{
    KEY_BYTES, MAX_PASSPHRASE_BYTES, MAX_SEAL_LANES, MAX_SEAL_MEMORY_KIB, MAX_SEAL_PASSES,
    MIN_SEAL_MEMORY_KIB, SEAL_NONCE_BYTES, SEAL_SALT_BYTES,
};
use crate::name::KeyName;
use crate::signing_key::SigningKey;

/// What deriving a key from a passphrase costs, for us and for who guesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealCost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl SealCost {
    /// RFC 9106's choice for machines that are short of memory: 64 MiB, 3 passes, 4 lanes; well below a second.
    pub const RECOMMENDED: SealCost = SealCost { memory_kib: 65_536, passes: 3, lanes: 4 };

    /// A cost within the limits of this room, which hold for reading as well.
    ///
    /// # Errors
    /// Names the number that is out of range.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<SealCost, SealError> {
        check_range("lanes", 1, MAX_SEAL_LANES, lanes)?;
        check_range("passes", 1, MAX_SEAL_PASSES, passes)?;
        check_range("memory in KiB", MIN_SEAL_MEMORY_KIB * lanes, MAX_SEAL_MEMORY_KIB, memory_kib)?;
        Ok(SealCost { memory_kib, passes, lanes })
    }

    /// Memory, in KiB.
    pub fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    pub fn passes(&self) -> u32 {
        self.passes
    }

    /// Lanes, the parts of the memory that could be filled at the same time.
    pub fn lanes(&self) -> u32 {
        self.lanes
    }
}

/// The random bytes that sealing takes, from the caller; fresh for every file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealRandomness {
    /// Salt of argon2id.
    pub salt: [u8; SEAL_SALT_BYTES],
    /// Nonce of XChaCha20.
    pub nonce: [u8; SEAL_NONCE_BYTES],
}

/// Writes the text of a key file: sealed where there is a passphrase, and plain, which it says itself, where
/// there is none (`randomness` and `cost` are not used then). The text is wiped from memory when dropped.
///
/// # Errors
/// Refuses an empty passphrase and one that is too long; fails where memory is short.
pub fn seal(
    key: &SigningKey,
    passphrase: Option<&[u8]>,
    randomness: &SealRandomness,
    cost: SealCost,
) -> Result<Zeroizing<String>, SealError> {
    let Some(passphrase) = passphrase else {
        return Ok(write_plain(key));
    };
    let cipher = cipher(passphrase, &randomness.salt, cost)?;
    let seed = key.seed();
    write_sealed(key, cost, randomness, |header| {
        cipher
            .encrypt(&XNonce::from(randomness.nonce), Payload { msg: seed.as_slice(), aad: header })
            .map_err(|_| SealError::Derivation { memory_kib: cost.memory_kib })
    })
}

/// Reads a key file and opens it: [`KeyFile::parse`] and [`KeyFile::open`] in one.
///
/// # Errors
/// As those two.
pub fn open(text: impl AsRef<[u8]>, passphrase: Option<&[u8]>) -> Result<SigningKey, SealError> {
    KeyFile::parse(text)?.open(passphrase)
}

/// The seed that was sealed, or [`SealError::WrongPassphrase`].
pub(crate) fn open_secret(
    name: &KeyName,
    passphrase: &[u8],
    randomness: &SealRandomness,
    cost: SealCost,
    header: &[u8],
    secret: &[u8],
) -> Result<Zeroizing<[u8; KEY_BYTES]>, SealError> {
    let wrong = || SealError::WrongPassphrase { name: name.clone() };
    let seed = cipher(passphrase, &randomness.salt, cost)?
        .decrypt(&XNonce::from(randomness.nonce), Payload { msg: secret, aad: header })
        .map(Zeroizing::new)
        .map_err(|_| wrong())?;
    seed.as_slice().try_into().map(Zeroizing::new).map_err(|_| wrong())
}

fn cipher(
    passphrase: &[u8],
    salt: &[u8; SEAL_SALT_BYTES],
    cost: SealCost,
) -> Result<XChaCha20Poly1305, SealError> {
    let got = passphrase.len();
    if got == 0 || got > MAX_PASSPHRASE_BYTES {
        return Err(SealError::PassphraseLength { limit: MAX_PASSPHRASE_BYTES, got });
    }
    let SealCost { memory_kib, passes, lanes } = cost;
    let failed = |_| SealError::Derivation { memory_kib };
    let params = argon2::Params::new(memory_kib, passes, lanes, Some(KEY_BYTES)).map_err(failed)?;
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
        .hash_password_into(passphrase, salt, key.as_mut_slice())
        .map_err(failed)?;
    Ok(XChaCha20Poly1305::new((&*key).into()))
}

fn check_range(name: &'static str, least: u32, most: u32, got: u32) -> Result<(), SealError> {
    if (least..=most).contains(&got) { Ok(()) } else { Err(SealError::Cost { name, least, most, got }) }
}
