//! The text of a key file.
//!
//! ```text
//! meed key v1
//! key: <verifier key>
//! use: <approver, witness or log>
//! sealed: argon2id-xchacha20poly1305 <memory in KiB> <passes> <lanes> <base64 salt> <base64 nonce>
//! secret: <base64 of the sealed seed and its tag>
//! checksum: <hex SHA-256 of the lines above>
//! ```
//!
//! A plain file has the line `plain: whoever can read this file can sign` in the place of the fourth, and its
//! seed as it is. The checksum tells damage from a wrong passphrase; against who alters a file on purpose stands
//! the seal.

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::algorithm::KeyUse;
use crate::encoding::{decode_base64, encode_base64, encode_hex};
use crate::error::SealError;
use crate::limits::{KEY_BYTES, MAX_KEY_FILE_BYTES, SEAL_TAG_BYTES};
use crate::sealed::{SealCost, SealRandomness, open_secret};
use crate::signing_key::SigningKey;
use crate::verifier_key::VerifierKey;

const FIRST_LINE: &str = "meed key v1";
const FIRST_LINE_START: &str = "meed key v";
const KEY_LINE_START: &str = "key: ";
const USE_LINE_START: &str = "use: ";
const SEALED_LINE_START: &str = "sealed: argon2id-xchacha20poly1305 ";
const PLAIN_LINE: &str = "plain: whoever can read this file can sign";
const SECRET_LINE_START: &str = "secret: ";
const CHECKSUM_LINE_START: &str = "checksum: ";

/// A key file that was read: everything but the secret is in the clear.
pub struct KeyFile {
    verifier_key: VerifierKey,
    key_use: KeyUse,
    secret: Secret,
}

enum Secret {
    Plain { seed: Zeroizing<[u8; KEY_BYTES]> },
    Sealed { header: String, cost: SealCost, randomness: SealRandomness, sealed: Vec<u8> },
}

impl KeyFile {
    /// Reads the bytes of a key file.
    ///
    /// # Errors
    /// Says whether it is no key file, one of another version, truncated, damaged, or asks for more memory or
    /// time than [`crate::limits`] allow; then names the line that is wrong.
    pub fn parse(bytes: impl AsRef<[u8]>) -> Result<KeyFile, SealError> {
        let bytes = bytes.as_ref();
        if bytes.len() > MAX_KEY_FILE_BYTES {
            return Err(SealError::TooLong { limit: MAX_KEY_FILE_BYTES, got: bytes.len() });
        }
        check_first_line(bytes)?;
        let text = check_checksum(bytes)?;
        let mut lines = Lines { number: 1, rest: text };
        lines.next_after(FIRST_LINE, FIRST_LINE)?;
        let key = lines.next_after(KEY_LINE_START, "key: <verifier key>")?;
        let verifier_key: VerifierKey = key.parse().map_err(SealError::VerifierKey)?;
        let key_use: KeyUse =
            lines.next_after(USE_LINE_START, "use: <use>")?.parse().map_err(SealError::Use)?;
        if verifier_key.algorithm() != key_use.algorithm() {
            return Err(SealError::AlgorithmOfUse { key_use, got: verifier_key.algorithm() });
        }
        let secret = parse_secret(text, &mut lines)?;
        Ok(KeyFile { verifier_key, key_use, secret })
    }

    /// Whether opening takes a passphrase; not so for a plain file.
    pub fn needs_passphrase(&self) -> bool {
        matches!(self.secret, Secret::Sealed { .. })
    }

    /// The key that others verify with. Nobody vouches for it before the file is opened.
    pub fn verifier_key(&self) -> &VerifierKey {
        &self.verifier_key
    }

    /// What the key is for. Nobody vouches for it before the file is opened.
    pub fn key_use(&self) -> KeyUse {
        self.key_use
    }

    /// What opening costs; nothing for a plain file.
    pub fn cost(&self) -> Option<SealCost> {
        match &self.secret {
            Secret::Plain { .. } => None,
            Secret::Sealed { cost, .. } => Some(*cost),
        }
    }

    /// Opens the secret.
    ///
    /// # Errors
    /// Refuses a passphrase where none is needed and the other way round, a wrong one, and a secret that is not
    /// that of the verifier key.
    pub fn open(&self, passphrase: Option<&[u8]>) -> Result<SigningKey, SealError> {
        let name = self.verifier_key.name();
        let seed = match (&self.secret, passphrase) {
            (Secret::Plain { seed }, None) => seed.clone(),
            (Secret::Plain { .. }, Some(_)) => {
                return Err(SealError::PassphraseNotNeeded { name: name.clone() });
            }
            (Secret::Sealed { .. }, None) => return Err(SealError::PassphraseNeeded { name: name.clone() }),
            (Secret::Sealed { header, cost, randomness, sealed }, Some(passphrase)) => {
                open_secret(name, passphrase, randomness, *cost, header.as_bytes(), sealed)?
            }
        };
        let key = SigningKey::from_seed(name.clone(), self.key_use, *seed);
        if key.public_key() != self.verifier_key.public_key() {
            return Err(SealError::OtherSecret {
                name: name.clone(),
                expected: *self.verifier_key.public_key().as_bytes(),
                got: *key.public_key().as_bytes(),
            });
        }
        Ok(key)
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("KeyFile")
            .field("verifier_key", &self.verifier_key.to_string())
            .field("key_use", &self.key_use)
            .field("cost", &self.cost())
            .field("secret", &"[redacted]")
            .finish()
    }
}

/// The text of a plain key file.
pub(crate) fn write_plain(key: &SigningKey) -> Zeroizing<String> {
    let header = format!("{}{PLAIN_LINE}\n", first_lines(key));
    finish(&header, key.seed().as_slice())
}

/// The text of a sealed key file. `seal_seed` seals the seed, bound to the lines above the secret.
pub(crate) fn write_sealed(
    key: &SigningKey,
    cost: SealCost,
    randomness: &SealRandomness,
    seal_seed: impl FnOnce(&[u8]) -> Result<Vec<u8>, SealError>,
) -> Result<Zeroizing<String>, SealError> {
    let header = format!(
        "{}{SEALED_LINE_START}{} {} {} {} {}\n",
        first_lines(key),
        cost.memory_kib(),
        cost.passes(),
        cost.lanes(),
        encode_base64(&randomness.salt),
        encode_base64(&randomness.nonce),
    );
    let sealed = seal_seed(header.as_bytes())?;
    Ok(finish(&header, &sealed))
}

fn first_lines(key: &SigningKey) -> String {
    format!("{FIRST_LINE}\n{KEY_LINE_START}{}\n{USE_LINE_START}{}\n", key.verifier_key(), key.key_use())
}

fn finish(header: &str, secret: &[u8]) -> Zeroizing<String> {
    let secret = Zeroizing::new(encode_base64(secret));
    let above = Zeroizing::new(format!("{header}{SECRET_LINE_START}{}\n", *secret));
    let checksum = encode_hex(&Sha256::digest(above.as_bytes()));
    Zeroizing::new(format!("{}{CHECKSUM_LINE_START}{checksum}\n", *above))
}

fn check_first_line(bytes: &[u8]) -> Result<(), SealError> {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if line == FIRST_LINE.as_bytes() {
        return Ok(());
    }
    if FIRST_LINE.as_bytes().starts_with(line) && !line.is_empty() {
        return Err(SealError::Truncated);
    }
    let version = line.strip_prefix(FIRST_LINE_START.as_bytes());
    // Only a number is repeated: a file of another kind may hold a passphrase.
    match version.and_then(|version| std::str::from_utf8(version).ok()?.parse().ok()) {
        Some(version) => Err(SealError::UnknownVersion { version }),
        None => Err(SealError::NotAKeyFile),
    }
}

/// Compares the last line with the lines above it, and gives those back.
fn check_checksum(bytes: &[u8]) -> Result<&str, SealError> {
    let body = bytes.strip_suffix(b"\n").ok_or(SealError::Truncated)?;
    let end = body.iter().rposition(|byte| *byte == b'\n').ok_or(SealError::Truncated)? + 1;
    let (above, last) = body.split_at_checked(end).ok_or(SealError::Truncated)?;
    let got = last.strip_prefix(CHECKSUM_LINE_START.as_bytes()).ok_or(SealError::Truncated)?;
    let expected = encode_hex(&Sha256::digest(above));
    if got != expected.as_bytes() {
        return Err(SealError::Damaged { expected, got: String::from_utf8_lossy(got).into_owned() });
    }
    str::from_utf8(above).map_err(|error| SealError::NotUtf8 { position: error.valid_up_to() })
}

fn parse_secret(text: &str, lines: &mut Lines<'_>) -> Result<Secret, SealError> {
    const SECRET: &str = "secret: <base64 of the secret>";
    let protection = lines.next()?;
    let sealing = match protection.strip_prefix(SEALED_LINE_START) {
        Some(rest) => Some(parse_sealed_line(lines.number - 1, protection, rest)?),
        None if protection == PLAIN_LINE => None,
        None => return Err(lines.wrong("sealed: … or plain: …", protection)),
    };
    let header = text.strip_suffix(lines.rest).unwrap_or(text).to_owned();
    let line = lines.next()?;
    let hidden = "a line that is not shown";
    let base64 = line.strip_prefix(SECRET_LINE_START).ok_or_else(|| lines.wrong(SECRET, hidden))?;
    let bytes = Zeroizing::new(decode_base64(base64).map_err(|_| lines.wrong(SECRET, hidden))?);
    if !lines.rest.is_empty() {
        let got = lines.next().unwrap_or_default();
        return Err(lines.wrong("checksum: <hex>", got));
    }
    match sealing {
        None => {
            let seed = bytes.as_slice().try_into().map_err(|_| lines.wrong(SECRET, hidden))?;
            Ok(Secret::Plain { seed: Zeroizing::new(seed) })
        }
        Some((cost, randomness)) if bytes.len() == KEY_BYTES + SEAL_TAG_BYTES => {
            Ok(Secret::Sealed { header, cost, randomness, sealed: bytes.to_vec() })
        }
        Some(_) => Err(lines.wrong(SECRET, hidden)),
    }
}

fn parse_sealed_line(number: usize, line: &str, rest: &str) -> Result<(SealCost, SealRandomness), SealError> {
    const EXPECTED: &str = "sealed: argon2id-xchacha20poly1305 <KiB> <passes> <lanes> <salt> <nonce>";
    let wrong = || SealError::Line { number, expected: EXPECTED, got: line.to_owned() };
    let mut words = rest.split(' ');
    let mut next = || words.next().ok_or_else(wrong);
    let (memory_kib, passes, lanes) = (next()?, next()?, next()?);
    let (salt, nonce) = (next()?, next()?);
    if words.next().is_some() {
        return Err(wrong());
    }
    let count = |word: &str| parse_count(word).ok_or_else(wrong);
    let cost = SealCost::new(count(memory_kib)?, count(passes)?, count(lanes)?)?;
    let bytes = |word: &str| decode_base64(word).map_err(|_| wrong());
    let randomness = SealRandomness {
        salt: bytes(salt)?.try_into().map_err(|_| wrong())?,
        nonce: bytes(nonce)?.try_into().map_err(|_| wrong())?,
    };
    Ok((cost, randomness))
}

/// A decimal number as it is written: no sign, no leading zero.
fn parse_count(text: &str) -> Option<u32> {
    text.parse::<u32>().ok().filter(|number| number.to_string() == text)
}

/// The lines of a file, with the number of the next one.
struct Lines<'text> {
    number: usize,
    rest: &'text str,
}

impl<'text> Lines<'text> {
    fn next(&mut self) -> Result<&'text str, SealError> {
        let (line, rest) = self.rest.split_once('\n').ok_or(SealError::Truncated)?;
        self.rest = rest;
        self.number += 1;
        Ok(line)
    }

    fn next_after(&mut self, start: &str, expected: &'static str) -> Result<&'text str, SealError> {
        let line = self.next()?;
        line.strip_prefix(start).ok_or_else(|| self.wrong(expected, line))
    }

    /// The error for the line that was read last.
    fn wrong(&self, expected: &'static str, got: &str) -> SealError {
        SealError::Line { number: self.number - 1, expected, got: got.to_owned() }
    }
}
