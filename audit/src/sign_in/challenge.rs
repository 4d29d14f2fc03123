//! A challenge: who is to sign which text, for what, and until when; and what a signature over it shows.

use std::fmt;
use std::str::FromStr;

use meed_keys::{PublicKey, SignInSignature, WalletAddress, WalletSignature};
use serde::Serialize;

use super::key_text::{KEY_TEXT_TITLE, KeyText};
use super::site::Site;
use super::wallet_text::WalletText;
use crate::hash::Hash;
use crate::ids::{Identity, Provider, UserId};
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::time::Timestamp;

/// Hex digits of a nonce: 128 bits.
pub const NONCE_DIGITS: usize = 32;
/// What a wallet reads when it signs in.
const SIGN_IN_STATEMENT: &str = "Sign in to the payout ledger at this address.";

/// What a signature is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To sign in.
    SignIn,
    /// To become an account of this user, too.
    Bind(UserId),
}

impl fmt::Display for Purpose {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignIn => formatter.write_str("sign in"),
            Self::Bind(user) => write!(formatter, "bind to user:{user}"),
        }
    }
}

impl FromStr for Purpose {
    type Err = Rejection;

    fn from_str(text: &str) -> Checked<Self> {
        match text.strip_prefix("bind to user:") {
            Some(user) => Ok(Self::Bind(user.parse()?)),
            None if text == "sign in" => Ok(Self::SignIn),
            None => {
                let expected = "`sign in`, or `bind to user:` and the user's id";
                Err(Rejection::new(RejectionCode::Malformed, "purpose", expected, text))
            }
        }
    }
}

/// Who is to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// An Ed25519 key.
    Key(PublicKey),
    /// A wallet, for its account on a chain.
    Wallet(WalletAddress, u64),
}

impl Signer {
    /// The account that they sign for.
    ///
    /// # Errors
    /// None: the form is that of its provider.
    pub fn identity(&self) -> Checked<Identity> {
        match self {
            Self::Key(key) => Identity::new(Provider::Ed25519, &Hash::from_bytes(*key.as_bytes()).to_hex()),
            Self::Wallet(address, _) => Identity::new(Provider::Wallet, &address.to_lower_hex()),
        }
    }
}

/// What somebody is asked to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Where.
    pub site: Site,
    /// What for.
    pub purpose: Purpose,
    /// Who.
    pub signer: Signer,
    /// What makes the text another each time: 32 hex digits.
    pub nonce: String,
    /// When it was made.
    pub issued_at: Timestamp,
    /// The first moment at which it no longer holds.
    pub expires_at: Timestamp,
}

/// A text that was signed: evidence that whoever holds the key or the wallet meant it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignedText {
    /// How it was signed: `ed25519` or `eip4361`.
    pub method: &'static str,
    /// The text.
    pub text: String,
    /// The signature, as it came.
    pub signature: String,
}

impl Challenge {
    /// The exact text to sign.
    pub fn text(&self) -> String {
        let domain = self.site.domain().to_owned();
        match self.signer {
            Signer::Key(key) => KeyText {
                domain,
                purpose: self.purpose,
                key,
                nonce: self.nonce.clone(),
                issued_at: self.issued_at,
                expires_at: self.expires_at,
            }
            .to_string(),
            Signer::Wallet(address, chain_id) => WalletText {
                domain,
                address,
                statement: Some(statement(self.purpose)),
                uri: format!("{}/sign-in", self.site),
                chain_id,
                nonce: self.nonce.clone(),
                issued_at: self.issued_at.into(),
                expires_at: Some(self.expires_at.into()),
                not_before: None,
                request_id: None,
                resources: Vec::new(),
            }
            .to_string(),
        }
    }

    /// Checks that `text` is this challenge's and that its signer signed it.
    ///
    /// # Errors
    /// `sign_in_mismatch` for another text, naming the first line that differs, and for a wallet's signature of another
    /// text or by another wallet; `signature_invalid` for any other signature.
    pub fn check(&self, text: &str, signature: &str) -> Checked<SignedText> {
        let expected = self.text();
        check_same(&expected, text)?;
        const EXPECTED: &str = "one of this text by its signer";
        let invalid = |error: &dyn fmt::Display| {
            Rejection::of_error(RejectionCode::SignatureInvalid, "signature", EXPECTED, error)
        };
        let method = match &self.signer {
            Signer::Key(key) => {
                let signature: SignInSignature = signature.parse().map_err(|error| invalid(&error))?;
                key.verify_sign_in(text, &signature).map_err(|_| {
                    let got = "one of another text, or by another key";
                    Rejection::new(RejectionCode::SignatureInvalid, "signature", EXPECTED, got)
                })?;
                "ed25519"
            }
            Signer::Wallet(address, _) => {
                let signature: WalletSignature = signature.parse().map_err(|error| invalid(&error))?;
                address.verify_personal(text, &signature).map_err(|error| invalid(&error))?;
                "eip4361"
            }
        };
        Ok(SignedText { method, text: expected, signature: signature.to_owned() })
    }
}

/// What a wallet's owner reads: the characters of URIs and spaces alone.
fn statement(purpose: Purpose) -> String {
    match purpose {
        Purpose::SignIn => SIGN_IN_STATEMENT.to_owned(),
        Purpose::Bind(user) => {
            format!("Make this wallet an account of user:{user} of the payout ledger at this address.")
        }
    }
}

/// Names the first line in which two texts differ.
fn check_same(expected: &str, got: &str) -> Checked<()> {
    if expected == got {
        return Ok(());
    }
    let mut theirs = got.split('\n');
    for (number, line) in (1..).zip(expected.split('\n')) {
        let their = theirs.next();
        if their != Some(line) {
            let subject = format!("text line {number}");
            let got = their.unwrap_or("the end");
            return Err(Rejection::new(RejectionCode::SignInMismatch, subject, line, got));
        }
    }
    Err(Rejection::new(
        RejectionCode::SignInMismatch,
        "text",
        "its last line",
        theirs.next().unwrap_or_default(),
    ))
}

/// The nonce of a text to sign in with, whatever signs it.
///
/// # Errors
/// `malformed` and others for what is no such text.
pub fn nonce_of(text: &str) -> Checked<String> {
    if text.starts_with(KEY_TEXT_TITLE) {
        return Ok(text.parse::<KeyText>()?.nonce);
    }
    Ok(text.parse::<WalletText>()?.nonce)
}
