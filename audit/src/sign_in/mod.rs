//! Signing in: the texts that keys and wallets sign, and what a signature over one shows.
//!
//! A node makes a [`Challenge`]; its text names the node, what it is for, who is to sign, a nonce, and until when it
//! holds. An Ed25519 key signs a [`KeyText`], a wallet the text of [Sign-In with
//! Ethereum](https://eips.ethereum.org/EIPS/eip-4361), a [`WalletText`]. [`Challenge::check`] gives a [`SignedText`],
//! which is kept as the evidence of a binding (rule `BINDINGS_ARE_EVIDENCED`): anyone who has it can check it again.

mod challenge;
mod key_text;
mod site;
mod wallet_text;

pub use challenge::{Challenge, NONCE_DIGITS, Purpose, SignedText, Signer, nonce_of};
pub use key_text::{KEY_TEXT_BYTES_MAX, KEY_TEXT_TITLE, KeyText, read_key};
pub use site::Site;
pub use wallet_text::{Moment, WALLET_TEXT_BYTES_MAX, WalletText};

/// Longest text to sign in with, in bytes.
pub const SIGN_IN_TEXT_BYTES_MAX: usize = WALLET_TEXT_BYTES_MAX;

const _: () = assert!(KEY_TEXT_BYTES_MAX <= SIGN_IN_TEXT_BYTES_MAX);
