//! The text by which an Ed25519 key signs in: a few lines that say where, what for, who, and until when.

use std::fmt;
use std::str::FromStr;

use meed_keys::PublicKey;
use meed_keys::limits::KEY_BYTES;

use super::challenge::{NONCE_DIGITS, Purpose};
use super::site::Site;
use crate::hash::Hash;
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::time::Timestamp;

/// The first line of every such text.
pub const KEY_TEXT_TITLE: &str = "meed sign-in v1";
/// Longest text, in bytes.
pub const KEY_TEXT_BYTES_MAX: usize = 1_024;
const DOMAIN: &str = "Domain: ";
const PURPOSE: &str = "Purpose: ";
const KEY: &str = "Key: ";
const NONCE: &str = "Nonce: ";
const ISSUED_AT: &str = "Issued At: ";
const EXPIRES_AT: &str = "Expiration Time: ";

/// A text by which an Ed25519 key signs in at a node: seven lines, of which the last has no newline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyText {
    /// The node that asks: a host, with its port where it is not the usual one.
    pub domain: String,
    /// What the signature is for.
    pub purpose: Purpose,
    /// The key that is asked.
    pub key: PublicKey,
    /// What makes the text another each time: 32 hex digits.
    pub nonce: String,
    /// When the text was made.
    pub issued_at: Timestamp,
    /// The first moment at which it no longer holds.
    pub expires_at: Timestamp,
}

impl fmt::Display for KeyText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domain, purpose, nonce, issued_at, expires_at, .. } = self;
        let key = Hash::from_bytes(*self.key.as_bytes()).to_hex();
        write!(
            formatter,
            "{KEY_TEXT_TITLE}\n{DOMAIN}{domain}\n{PURPOSE}{purpose}\n{KEY}{key}\n{NONCE}{nonce}\n\
             {ISSUED_AT}{issued_at}\n{EXPIRES_AT}{expires_at}"
        )
    }
}

impl FromStr for KeyText {
    type Err = Rejection;

    /// Reads exactly what `Display` writes.
    fn from_str(text: &str) -> Checked<Self> {
        if text.len() > KEY_TEXT_BYTES_MAX {
            let expected = format!("at most {KEY_TEXT_BYTES_MAX} bytes");
            let got = format!("{} bytes", text.len());
            return Err(Rejection::new(RejectionCode::InputTooLarge, "text", expected, got));
        }
        let mut lines = (1..).zip(text.split('\n'));
        let mut next = |tag: &str, expected: &str| -> Checked<String> {
            let (number, line) = lines.next().unwrap_or((0, ""));
            let value = line.strip_prefix(tag).map(str::to_owned);
            value.ok_or_else(|| refuse(number, &format!("`{tag}` and {expected}"), line))
        };
        let title = next(KEY_TEXT_TITLE, "the end of the line")?;
        let domain = next(DOMAIN, "a host")?;
        let purpose = next(PURPOSE, "what for")?;
        let key = next(KEY, "a public key in hex")?;
        let nonce = next(NONCE, "32 hex digits")?;
        let issued_at = next(ISSUED_AT, "a time")?.parse()?;
        let expires_at = next(EXPIRES_AT, "a time")?.parse()?;
        let wrong = |number: usize, expected: &str, got: &str| Err(refuse(number, expected, got));
        if !title.is_empty() {
            return wrong(1, KEY_TEXT_TITLE, &title);
        }
        if !Site::is_domain(&domain) {
            return wrong(2, "a host in lower case", &domain);
        }
        if !is_nonce(&nonce) {
            return wrong(5, "32 lower-case hex digits", &nonce);
        }
        if let Some((number, line)) = lines.next() {
            return wrong(number, "the end", line);
        }
        Ok(Self { domain, purpose: purpose.parse()?, key: read_key(&key)?, nonce, issued_at, expires_at })
    }
}

/// A public key of 64 lower-case hex digits.
///
/// # Errors
/// `key_invalid` for another form, and for a weak key.
pub fn read_key(text: &str) -> Checked<PublicKey> {
    const EXPECTED: &str = "a public key in 64 lower-case hex digits";
    let code = RejectionCode::KeyInvalid;
    let bytes: [u8; KEY_BYTES] =
        Hash::from_hex(text).map_err(|_| Rejection::new(code, "key", EXPECTED, text))?.to_bytes();
    PublicKey::from_bytes(&bytes).map_err(|error| Rejection::of_error(code, "key", EXPECTED, error))
}

fn is_nonce(text: &str) -> bool {
    text.len() == NONCE_DIGITS && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn refuse(number: usize, expected: &str, got: &str) -> Rejection {
    Rejection::new(RejectionCode::Malformed, format!("text line {number}"), expected, got)
}
