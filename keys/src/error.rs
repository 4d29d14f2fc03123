//! The errors of this room, an enum per family of operations.
//!
//! Messages say what was expected and what came. A message never prints its source: walk
//! [`std::error::Error::source`] for the whole story.

mod quorum;
mod seal;
mod wallet;

use thiserror::Error;

use crate::algorithm::{Algorithm, KeyUse};
use crate::encoding::encode_hex;
use crate::limits::{KEY_BYTES, KEY_ID_BYTES};
use crate::name::KeyName;

pub use quorum::{ApproverSetError, QuorumError};
pub use seal::SealError;
pub use wallet::WalletError;

/// Why a text is no key name.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NameError {
    /// There is no character at all.
    #[error("a key name is empty, expected at least one character")]
    Empty,
    /// The name is longer than a name may be.
    #[error("a key name is too long: expected at most {limit} bytes, got {got}")]
    TooLong {
        /// The most bytes.
        limit: usize,
        /// The bytes that came.
        got: usize,
    },
    /// A space, a control character or a plus sign.
    #[error("a key name has {got:?} at byte {position}, expected no space, no control character and no '+'")]
    BadCharacter {
        /// Where it stands, in bytes from 0.
        position: usize,
        /// The character.
        got: char,
    },
    /// A character that names of registered keys may not have.
    #[error(
        "a key name has {got:?} at byte {position}, expected visible ASCII (0x21 to 0x7E) in a registered name"
    )]
    NotRegistrable {
        /// Where it stands, in bytes from 0.
        position: usize,
        /// The character.
        got: char,
    },
}

/// Why 32 bytes are no public key that meed uses.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum KeyError {
    /// A second encoding of a point.
    #[error("public key {} is not canonical, expected a number below 2^255 - 19", encode_hex(got))]
    NotCanonical {
        /// The bytes.
        got: [u8; KEY_BYTES],
    },
    /// No point of the curve.
    #[error("public key {} is no point of the curve", encode_hex(got))]
    NotAPoint {
        /// The bytes.
        got: [u8; KEY_BYTES],
    },
    /// A point of small order: anyone can make signatures for it.
    #[error("public key {} is weak, expected a point that is not of small order", encode_hex(got))]
    Weak {
        /// The bytes.
        got: [u8; KEY_BYTES],
    },
}

/// A text that is not base64 as meed writes it: other characters, no padding, or a second spelling of the same
/// bytes (trailing bits).
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("expected standard base64 with padding, in its canonical spelling")]
pub struct Base64Error;

/// A word that is no use of a key.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("unknown use of a key: expected approver, witness or log, got {got:?}")]
pub struct KeyUseError {
    /// The word.
    pub got: String,
}

/// Why a text is no verifier key.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum VerifierKeyError {
    /// Longer than a verifier key can be.
    #[error("a verifier key is too long: expected at most {limit} bytes, got {got}")]
    TooLong {
        /// The most bytes.
        limit: usize,
        /// The bytes that came.
        got: usize,
    },
    /// Not three parts.
    #[error("a verifier key is name+id+key, got {got:?}")]
    Format {
        /// The text.
        got: String,
    },
    /// The name is no key name.
    #[error("the name of a verifier key is not valid")]
    Name(#[source] NameError),
    /// The id is not written as it should be.
    #[error("the id of verifier key {name} is 8 lower-case hex digits, got {got:?}")]
    KeyIdFormat {
        /// The name in the text.
        name: KeyName,
        /// The id in the text.
        got: String,
    },
    /// The id is not that of name, algorithm and key.
    #[error(
        "the id of verifier key {name} does not match: expected {}, got {}",
        encode_hex(expected),
        encode_hex(got)
    )]
    KeyIdMismatch {
        /// The name in the text.
        name: KeyName,
        /// The id that follows from name, algorithm and key.
        expected: [u8; KEY_ID_BYTES],
        /// The id in the text.
        got: [u8; KEY_ID_BYTES],
    },
    /// The key is not base64.
    #[error("the key of verifier key {name} is not valid base64")]
    Base64 {
        /// The name in the text.
        name: KeyName,
        /// What is wrong.
        source: Base64Error,
    },
    /// The first byte is no type of signature that meed knows.
    #[error("verifier key {name} has an unknown algorithm: expected {} or {}, got {}", Algorithm::Ed25519, Algorithm::CosignatureV1, algorithm_name(*got))]
    UnknownAlgorithm {
        /// The name in the text.
        name: KeyName,
        /// The type byte.
        got: u8,
    },
    /// The key has another length.
    #[error("the key of verifier key {name} has the wrong length: expected {expected} bytes, got {got}")]
    KeyLength {
        /// The name in the text.
        name: KeyName,
        /// The bytes of a key.
        expected: usize,
        /// The bytes that came, without the type byte.
        got: usize,
    },
    /// The key is refused.
    #[error("the key of verifier key {name} is refused")]
    Key {
        /// The name in the text.
        name: KeyName,
        /// What is wrong.
        source: KeyError,
    },
}

/// Why bytes are not the text of a note.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NoteTextError {
    /// Longer than a note may be.
    #[error("the text of a note is too long: expected at most {limit} bytes, got {got}")]
    TooLong {
        /// The most bytes.
        limit: usize,
        /// The bytes that came.
        got: usize,
    },
    /// Not UTF-8.
    #[error("a note is not UTF-8 at byte {position}")]
    NotUtf8 {
        /// The first byte that cannot be read, from 0.
        position: usize,
    },
    /// A control character other than the newline.
    #[error("a note has control character {got:?} at byte {position}, expected none but the newline")]
    ControlCharacter {
        /// Where it stands, in bytes from 0.
        position: usize,
        /// The character.
        got: char,
    },
    /// The last line does not end.
    #[error("the text of a note does not end in a newline")]
    MissingNewline,
}

/// Why a line is no signature line.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SignatureLineError {
    /// Not an em dash, a name and base64, with one space between.
    ///
    /// The line is not repeated: a file that was taken for a signature may hold a passphrase.
    #[error("a signature line is an em dash, a key name and base64, one space apart, got another line")]
    Format,
    /// The name is no key name.
    #[error("the key name of a signature line is not valid")]
    Name(#[source] NameError),
    /// The signature is not base64.
    #[error("the signature of {name} is not valid base64")]
    Base64 {
        /// The signer.
        name: KeyName,
        /// What is wrong.
        source: Base64Error,
    },
    /// No byte after the key id.
    #[error("the signature of {name} is too short: expected more than {} bytes, got {got}", KEY_ID_BYTES)]
    TooShort {
        /// The signer.
        name: KeyName,
        /// The bytes that came, key id included.
        got: usize,
    },
    /// Longer than any signature that meed reads.
    #[error("the signature of {name} is too long: expected at most {limit} bytes, got {got}")]
    TooLong {
        /// The signer.
        name: KeyName,
        /// The most bytes after the key id.
        limit: usize,
        /// The bytes after the key id.
        got: usize,
    },
}

/// Why bytes are no signed note, or parts do not make one.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NoteError {
    /// Longer than a note may be.
    #[error("a note is too long: expected at most {limit} bytes, got {got}")]
    TooLong {
        /// The most bytes.
        limit: usize,
        /// The bytes that came.
        got: usize,
    },
    /// The bytes or the text above the signatures are not those of a note.
    #[error("the note is malformed")]
    Text(#[source] NoteTextError),
    /// No blank line, which parts text and signatures.
    #[error("a note has no blank line between its text and its signatures")]
    MissingBlankLine,
    /// Nothing after the blank line.
    #[error("a note has no signature, expected at least one")]
    NoSignature,
    /// The last signature line does not end.
    #[error("the last line of a note does not end in a newline")]
    MissingNewline,
    /// More signatures than a note may carry.
    #[error("a note has too many signatures: expected at most {limit}, got {got}")]
    TooManySignatures {
        /// The most signatures.
        limit: usize,
        /// The signature lines that came.
        got: usize,
    },
    /// A line after the blank line is no signature line.
    #[error("signature line {number} of the note is malformed")]
    SignatureLine {
        /// Which line after the blank line, from 1.
        number: usize,
        /// What is wrong.
        source: SignatureLineError,
    },
}

/// Why a signature line is not a key's signature of a text.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SignatureError {
    /// The line names another key.
    #[error(
        "the signature is by another key: expected {expected_name}+{}, got {got_name}+{}",
        encode_hex(expected_id),
        encode_hex(got_id)
    )]
    OtherKey {
        /// The name of the key.
        expected_name: KeyName,
        /// The id of the key.
        expected_id: [u8; KEY_ID_BYTES],
        /// The name on the line.
        got_name: KeyName,
        /// The id on the line.
        got_id: [u8; KEY_ID_BYTES],
    },
    /// The signature does not have the length of its algorithm.
    #[error("the signature has the wrong length for {algorithm}: expected {expected} bytes, got {got}")]
    Length {
        /// The algorithm of the key.
        algorithm: Algorithm,
        /// The bytes of its signatures.
        expected: usize,
        /// The bytes that came.
        got: usize,
    },
    /// The key did not sign this text (at this time).
    #[error("the signature does not verify: expected one by this key over this text")]
    Invalid,
}

/// Why the signatures of a note are not accepted.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum VerifyError {
    /// A line by a key that is not among the known ones.
    #[error("the note is signed by {name}+{}, which is not a known key", encode_hex(key_id))]
    UnknownSigner {
        /// The name on the line.
        name: KeyName,
        /// The id on the line.
        key_id: [u8; KEY_ID_BYTES],
    },
    /// More lines by unknown keys than the caller accepts.
    #[error("the note has too many signatures by unknown keys: expected at most {limit}, got {got}")]
    TooManyUnknown {
        /// The most lines by unknown keys.
        limit: usize,
        /// The lines by unknown keys.
        got: usize,
    },
    /// No line by a known key.
    #[error("the note has no signature by a known key, expected at least one, got {unknown} by unknown keys")]
    NoKnownSigner {
        /// The lines by unknown keys.
        unknown: usize,
    },
    /// A line by a known key that does not verify.
    #[error("the signature of {name} is not valid")]
    Invalid {
        /// The signer.
        name: KeyName,
        /// What is wrong.
        source: SignatureError,
    },
    /// A second line by the same public key.
    #[error("{name} signed the note more than once: expected one line per key")]
    Repeated {
        /// The name on the second line.
        name: KeyName,
    },
}

/// Why a key does not sign.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum SigningError {
    /// The key is for something else.
    #[error("a key of use {got} signs with {}, expected a key that signs with {expected}", got.algorithm())]
    WrongUse {
        /// The algorithm that was asked for.
        expected: Algorithm,
        /// The use of the key.
        got: KeyUse,
    },
}

/// Why a text is no signature over a text to sign in with.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("expected the base64 of 64 bytes, 88 characters, got {got} characters that are not")]
pub struct SignInSignatureError {
    /// The characters that came.
    pub got: usize,
}

/// What a type byte stands for in C2SP signed notes, for people.
fn algorithm_name(byte: u8) -> String {
    let name = match byte {
        0x01 => "Ed25519",
        0x02 => "ECDSA",
        0x04 => "cosignature/v1",
        0x05 => "RFC 6962 tree head",
        0x06 => "ML-DSA-44 cosignature",
        0xfa..=0xfe => "reserved",
        0xff => "not standardized",
        _ => "unassigned",
    };
    format!("0x{byte:02x} ({name})")
}
