//! Keys of meed: who signs, how a signature is written down, and when k of n is reached.
//!
//! The room is pure: no I/O, no clock and no source of randomness; the time of a signature and the salt of a
//! sealed key file are arguments. From the bottom up:
//!
//! - [`PublicKey`], [`KeyName`] and [`VerifierKey`] say who may sign ([C2SP signed-note]);
//! - [`SigningKey`] signs, for one [`KeyUse`] only: a log signs notes (type 0x01), approvers and witnesses
//!   cosign them with the time in the signed bytes (type 0x04, [C2SP tlog-cosignature]);
//! - [`NoteText`], [`SignatureLine`] and [`Note`] are the written form, parsed strictly: what was read is
//!   written again byte for byte;
//! - [`VerifiedSignature`] can only be had by verifying one, always by Ed25519 "strict" verification;
//! - [`ApproverSet`] holds k of n, and [`Quorum`] can only be had from [`ApproverSet::check_quorum`];
//! - [`SigningKey::sign_in`] and [`WalletAddress::verify_personal`] are for signing in, with bytes that are never a
//!   note's;
//! - [`seal`] and [`KeyFile`] turn a signing key into the text of a key file and back.
//!
//! ```
//! use meed_keys::{ApproverSet, KeyUse, NoteText, SigningKey, SigningWindow};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let alice = SigningKey::from_seed("alice.example".parse()?, KeyUse::Approver, [1; 32]);
//! let bob = SigningKey::from_seed("bob.example".parse()?, KeyUse::Approver, [2; 32]);
//! let keys = vec![alice.verifier_key().clone(), bob.verifier_key().clone()];
//! let set = ApproverSet::new(2, keys)?;
//!
//! let text: NoteText = "pay 100 to carol\n".parse()?;
//! let lines = [alice.cosign(&text, 1_796_000_000)?, bob.cosign(&text, 1_796_000_060)?];
//! let window = SigningWindow { after_ms: 1_795_000_000_000, until_ms: 1_797_000_000_000 };
//! assert_eq!(set.check_quorum(&text, &lines, window)?.approvals().len(), 2);
//! assert!(set.check_quorum(&text, &lines[..1], window).is_err());
//! # Ok(())
//! # }
//! ```
//!
//! Every limit stands in [`limits`], every error in [`error`].
//!
//! [C2SP signed-note]: https://c2sp.org/signed-note
//! [C2SP tlog-cosignature]: https://c2sp.org/tlog-cosignature

mod algorithm;
mod approver_set;
mod cosignature;
mod encoding;
pub mod error;
mod key_file;
pub mod limits;
mod name;
mod note;
mod note_text;
mod public_key;
mod quorum;
mod sealed;
mod sign_in;
mod signature_line;
mod signing_key;
mod verifier_key;
mod verify;
mod wallet;
#[cfg(test)]
mod wycheproof_tests;

pub use algorithm::{Algorithm, KeyUse};
pub use approver_set::ApproverSet;
pub use cosignature::cosignature_message;
pub use error::{
    ApproverSetError, Base64Error, KeyError, KeyUseError, NameError, NoteError, NoteTextError, QuorumError,
    SealError, SignInSignatureError, SignatureError, SignatureLineError, SigningError, VerifierKeyError,
    VerifyError, WalletError,
};
pub use key_file::KeyFile;
pub use name::KeyName;
pub use note::Note;
pub use note_text::NoteText;
pub use public_key::PublicKey;
pub use quorum::{Approval, Quorum, SigningWindow};
pub use sealed::{SealCost, SealRandomness, open, seal};
pub use sign_in::{SignInSignature, sign_in_message};
pub use signature_line::SignatureLine;
pub use signing_key::SigningKey;
pub use verifier_key::VerifierKey;
pub use verify::VerifiedSignature;
pub use wallet::{WalletAddress, WalletSignature, personal_message_hash};
