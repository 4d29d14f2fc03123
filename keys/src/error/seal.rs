//! Errors of key files.

use thiserror::Error;

use crate::algorithm::{Algorithm, KeyUse};
use crate::encoding::encode_hex;
use crate::error::{KeyUseError, VerifierKeyError};
use crate::limits::KEY_BYTES;
use crate::name::KeyName;

/// Why a key file is not written or not opened.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SealError {
    /// Longer than a key file is.
    #[error("a key file is too long: expected at most {limit} bytes, got {got}")]
    TooLong {
        /// The most bytes.
        limit: usize,
        /// The bytes that came.
        got: usize,
    },
    /// Another kind of file. Nothing of it is repeated: it may be the file of a passphrase.
    #[error("this is no key file: expected a first line \"meed key v1\", got another")]
    NotAKeyFile,
    /// A key file of a newer meed.
    #[error("the key file has another version: expected \"meed key v1\", got \"meed key v{version}\"")]
    UnknownVersion {
        /// The version that the first line names.
        version: u32,
    },
    /// The file ends too early, or its last line is not the checksum.
    #[error("the key file is truncated: expected a last line \"checksum: <hex>\"")]
    Truncated,
    /// The bytes are not those that were written.
    #[error("the key file is damaged: expected checksum {expected}, got {got}")]
    Damaged {
        /// The checksum of the bytes above the last line, in hex.
        expected: String,
        /// The last line's.
        got: String,
    },
    /// The lines are not UTF-8, though their checksum is right.
    #[error("the key file is not UTF-8 at byte {position}")]
    NotUtf8 {
        /// The first byte that cannot be read, from 0.
        position: usize,
    },
    /// A line is not the one that should stand there.
    #[error("line {number} of the key file is malformed: expected \"{expected}\", got {got:?}")]
    Line {
        /// Which line, from 1.
        number: usize,
        /// What stands there in a key file.
        expected: &'static str,
        /// The line; never one that holds the secret.
        got: String,
    },
    /// The verifier key cannot be read.
    #[error("the verifier key in the key file is not valid")]
    VerifierKey(#[source] VerifierKeyError),
    /// The use of the key is unknown.
    #[error("the use of the key in the key file is not valid")]
    Use(#[source] KeyUseError),
    /// The key has the algorithm of another use.
    #[error("the key file says use {key_use}: expected algorithm {}, got {got}", key_use.algorithm())]
    AlgorithmOfUse {
        /// The use in the file.
        key_use: KeyUse,
        /// The algorithm of its verifier key.
        got: Algorithm,
    },
    /// The cost is outside the limits.
    #[error("the cost of opening the key is out of range: expected {name} of {least} to {most}, got {got}")]
    Cost {
        /// Which number.
        name: &'static str,
        /// The least.
        least: u32,
        /// The most.
        most: u32,
        /// What came.
        got: u32,
    },
    /// The file is sealed and no passphrase was given.
    #[error("the key file of {name} is sealed: expected a passphrase, got none")]
    PassphraseNeeded {
        /// The key.
        name: KeyName,
    },
    /// The file is plain and a passphrase was given.
    #[error("the key file of {name} is plain: expected no passphrase, got one")]
    PassphraseNotNeeded {
        /// The key.
        name: KeyName,
    },
    /// The passphrase is empty or too long.
    #[error("a passphrase has 1 to {limit} bytes, got {got}")]
    PassphraseLength {
        /// The most bytes.
        limit: usize,
        /// The bytes that came.
        got: usize,
    },
    /// The secret does not open.
    #[error(
        "the key of {name} does not open: the passphrase is wrong, or the file was altered and its checksum made anew"
    )]
    WrongPassphrase {
        /// The key.
        name: KeyName,
    },
    /// The secret opens, but is that of another key.
    #[error(
        "the secret in the key file is not that of {name}: expected public key {}, got {}",
        encode_hex(expected),
        encode_hex(got)
    )]
    OtherSecret {
        /// The key.
        name: KeyName,
        /// The public key in the clear.
        expected: [u8; KEY_BYTES],
        /// The public key of the secret.
        got: [u8; KEY_BYTES],
    },
    /// The key could not be derived from the passphrase, for want of memory.
    #[error("the key cannot be derived from the passphrase with {memory_kib} KiB of memory")]
    Derivation {
        /// The memory asked for, in KiB.
        memory_kib: u32,
    },
}
