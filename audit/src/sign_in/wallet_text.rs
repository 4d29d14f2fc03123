//! The text of Sign-In with Ethereum ([EIP-4361](https://eips.ethereum.org/EIPS/eip-4361)), parsed strictly.
//!
//! Every field stands at its place, once, in the order of the grammar, and what was read is written again byte for byte.
//! Stricter than the grammar: no scheme before the domain, which is in lower case and without user; the address with the
//! capitals of its checksum; numbers without leading zeros; times with `T`, in capitals and of at most milliseconds;
//! `Resources:` only with resources; at most [`WALLET_TEXT_BYTES_MAX`] bytes.

use std::fmt;
use std::str::FromStr;

use meed_keys::WalletAddress;

use super::site::{Site, is_uri};
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::time::Timestamp;

/// Longest text, in bytes.
pub const WALLET_TEXT_BYTES_MAX: usize = 4_096;
/// Fewest characters of a nonce.
const NONCE_CHARACTERS_MIN: usize = 8;
const PREAMBLE: &str = " wants you to sign in with your Ethereum account:";
const URI: &str = "URI: ";
const VERSION: &str = "Version: ";
const CHAIN_ID: &str = "Chain ID: ";
const NONCE: &str = "Nonce: ";
const ISSUED_AT: &str = "Issued At: ";
const EXPIRATION_TIME: &str = "Expiration Time: ";
const NOT_BEFORE: &str = "Not Before: ";
const REQUEST_ID: &str = "Request ID: ";
const RESOURCES: &str = "Resources:";
const RESOURCE: &str = "- ";

/// A text by which a wallet signs in somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletText {
    /// The authority that asks: a host, with its port where it is not the usual one.
    pub domain: String,
    /// The wallet that is asked.
    pub address: WalletAddress,
    /// What is signed, in words.
    pub statement: Option<String>,
    /// What the signature is for.
    pub uri: String,
    /// The chain of the account ([EIP-155](https://eips.ethereum.org/EIPS/eip-155)).
    pub chain_id: u64,
    /// What makes the text another each time.
    pub nonce: String,
    /// When the text was made.
    pub issued_at: Moment,
    /// The first moment at which it no longer holds.
    pub expires_at: Option<Moment>,
    /// The first moment at which it holds.
    pub not_before: Option<Moment>,
    /// The asker's own name for the request.
    pub request_id: Option<String>,
    /// What the asker wants to have looked at beside it.
    pub resources: Vec<String>,
}

/// A time as it was written, since the same moment has several spellings and the text is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    text: String,
    at: Timestamp,
}

impl Moment {
    /// The time.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    fn parse(field: &str, text: &str) -> Checked<Self> {
        Ok(Self { at: Timestamp::parse_edge(field, text)?, text: text.to_owned() })
    }
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self { text: at.to_string(), at }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl fmt::Display for WalletText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{PREAMBLE}\n{}\n\n", self.domain, self.address)?;
        if let Some(statement) = &self.statement {
            writeln!(formatter, "{statement}")?;
        }
        write!(formatter, "\n{URI}{}\n{VERSION}1\n{CHAIN_ID}{}\n", self.uri, self.chain_id)?;
        write!(formatter, "{NONCE}{}\n{ISSUED_AT}{}", self.nonce, self.issued_at)?;
        if let Some(time) = &self.expires_at {
            write!(formatter, "\n{EXPIRATION_TIME}{time}")?;
        }
        if let Some(time) = &self.not_before {
            write!(formatter, "\n{NOT_BEFORE}{time}")?;
        }
        if let Some(id) = &self.request_id {
            write!(formatter, "\n{REQUEST_ID}{id}")?;
        }
        if !self.resources.is_empty() {
            write!(formatter, "\n{RESOURCES}")?;
        }
        self.resources.iter().try_for_each(|resource| write!(formatter, "\n{RESOURCE}{resource}"))
    }
}

impl FromStr for WalletText {
    type Err = Rejection;

    /// Reads exactly what `Display` writes.
    fn from_str(text: &str) -> Checked<Self> {
        if text.len() > WALLET_TEXT_BYTES_MAX {
            let expected = format!("at most {WALLET_TEXT_BYTES_MAX} bytes");
            let got = format!("{} bytes", text.len());
            return Err(Rejection::new(RejectionCode::InputTooLarge, "text", expected, got));
        }
        let read = Lines { rest: Some(text), number: 0 }.text()?;
        let written = read.to_string();
        if written == text {
            Ok(read)
        } else {
            Err(Rejection::new(RejectionCode::NotCanonical, "text", written, text))
        }
    }
}

/// The lines that are not read yet.
struct Lines<'a> {
    rest: Option<&'a str>,
    /// How many were read.
    number: usize,
}

impl<'a> Lines<'a> {
    fn text(mut self) -> Checked<WalletText> {
        let domain = self.domain()?;
        let address = self.address()?;
        self.empty()?;
        let statement = self.statement()?;
        let uri = self.tagged(URI, "an absolute URI", is_uri)?.to_owned();
        self.tagged(VERSION, "1", |version| version == "1")?;
        let chain_id = self.chain_id()?;
        let nonce = self.tagged(NONCE, "at least 8 letters and digits", is_nonce)?.to_owned();
        let issued_at = self.tagged(ISSUED_AT, "a time", |_| true)?;
        let issued_at = Moment::parse("Issued At", issued_at)?;
        let time =
            |(field, text): (&str, Option<&str>)| text.map(|text| Moment::parse(field, text)).transpose();
        let expires_at = time(("Expiration Time", self.optional(EXPIRATION_TIME)))?;
        let not_before = time(("Not Before", self.optional(NOT_BEFORE)))?;
        let request_id = self.request_id()?;
        let resources = self.resources()?;
        Ok(WalletText {
            domain,
            address,
            statement,
            uri,
            chain_id,
            nonce,
            issued_at,
            expires_at,
            not_before,
            request_id,
            resources,
        })
    }

    /// The next line, which there must be.
    fn line(&mut self, expected: &str) -> Checked<&'a str> {
        self.number = self.number.saturating_add(1);
        let Some(rest) = self.rest else { return Err(self.refuse(expected, "the end")) };
        let (line, after) = rest.split_once('\n').map_or((rest, None), |(line, after)| (line, Some(after)));
        self.rest = after;
        Ok(line)
    }

    fn refuse(&self, expected: &str, got: &str) -> Rejection {
        Rejection::new(RejectionCode::Malformed, format!("text line {}", self.number), expected, got)
    }

    fn domain(&mut self) -> Checked<String> {
        let expected = format!("a host in lower case and `{PREAMBLE}`");
        let line = self.line(&expected)?;
        let domain = line.strip_suffix(PREAMBLE).filter(|domain| Site::is_domain(domain));
        domain.map(str::to_owned).ok_or_else(|| self.refuse(&expected, line))
    }

    fn address(&mut self) -> Checked<WalletAddress> {
        let line = self.line("the address of a wallet")?;
        line.parse().map_err(|error: meed_keys::WalletError| self.refuse(&error.to_string(), line))
    }

    fn empty(&mut self) -> Checked<()> {
        let line = self.line("an empty line")?;
        if line.is_empty() { Ok(()) } else { Err(self.refuse("an empty line", line)) }
    }

    /// A statement and an empty line, or the empty line alone.
    fn statement(&mut self) -> Checked<Option<String>> {
        let line = self.line("a statement or an empty line")?;
        if line.is_empty() {
            return Ok(None);
        }
        if !line.bytes().all(|byte| byte == b' ' || is_reserved(byte) || is_unreserved(byte)) {
            return Err(self.refuse("a statement of the characters of URIs and spaces", line));
        }
        self.empty()?;
        Ok(Some(line.to_owned()))
    }

    fn tagged(&mut self, tag: &str, expected: &str, is_right: impl FnOnce(&str) -> bool) -> Checked<&'a str> {
        let expected = format!("`{tag}` and {expected}");
        let line = self.line(&expected)?;
        let value = line.strip_prefix(tag).filter(|value| is_right(value));
        value.ok_or_else(|| self.refuse(&expected, line))
    }

    fn chain_id(&mut self) -> Checked<u64> {
        let is_number = |text: &str| text.parse::<u64>().is_ok_and(|id| id > 0 && id.to_string() == text);
        let text = self.tagged(CHAIN_ID, "a number from 1", is_number)?;
        Ok(text.parse().unwrap_or_default())
    }

    /// The value of the next line, where it has this tag.
    fn optional(&mut self, tag: &str) -> Option<&'a str> {
        self.rest.filter(|rest| rest.starts_with(tag))?;
        self.line(tag).ok()?.strip_prefix(tag)
    }

    fn request_id(&mut self) -> Checked<Option<String>> {
        let Some(id) = self.optional(REQUEST_ID) else { return Ok(None) };
        if super::site::is_of_segment(id) {
            return Ok(Some(id.to_owned()));
        }
        Err(self.refuse("`Request ID: ` and characters of a URI's segment", id))
    }

    fn resources(&mut self) -> Checked<Vec<String>> {
        if self.rest.is_none() {
            return Ok(Vec::new());
        }
        let head = self.line(RESOURCES)?;
        if head != RESOURCES {
            return Err(self.refuse("the end, or a field that may still come", head));
        }
        let mut resources = vec![self.tagged(RESOURCE, "an absolute URI", is_uri)?.to_owned()];
        while self.rest.is_some() {
            resources.push(self.tagged(RESOURCE, "an absolute URI", is_uri)?.to_owned());
        }
        Ok(resources)
    }
}

fn is_nonce(text: &str) -> bool {
    text.len() >= NONCE_CHARACTERS_MIN && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// `reserved` of RFC 3986, section 2.2.
fn is_reserved(byte: u8) -> bool {
    b":/?#[]@!$&'()*+,;=".contains(&byte)
}

/// `unreserved` of RFC 3986, section 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}
