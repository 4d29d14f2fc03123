//! Why a wallet's address or signature is refused.

use thiserror::Error;

/// Why a text is no address of a wallet, or a signature is not a wallet's.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum WalletError {
    /// The text has another form.
    #[error("expected the address of a wallet, 0x and 40 hex digits, got {got:?}")]
    Address {
        /// The text, shortened.
        got: String,
    },
    /// The capitals of the address are not those that its digits call for (EIP-55).
    #[error("the capitals of an address are its checksum: expected {expected}, got {got}")]
    Checksum {
        /// The address as EIP-55 writes it.
        expected: String,
        /// The address as it came.
        got: String,
    },
    /// The signature has another form.
    #[error("expected a wallet's signature, 0x and 130 hex digits, got {got} characters")]
    SignatureForm {
        /// The characters that came.
        got: usize,
    },
    /// The last byte of the signature names no key.
    #[error("expected a signature whose last byte is 27, 28, 0 or 1, got {got}")]
    RecoveryByte {
        /// The byte that came.
        got: u8,
    },
    /// The signature's second number is in the upper half: anyone can make this second signature of the first.
    #[error(
        "expected a signature whose second number is in the lower half of its range, got one in the upper half"
    )]
    UpperHalf,
    /// No key could have made the signature.
    #[error("expected a signature on secp256k1, got numbers that no key can have made")]
    NoKey,
    /// Another wallet signed, or another text was signed.
    #[error("expected a signature of {expected}, got one that is not of this wallet and this text")]
    OtherWallet {
        /// The address that should have signed.
        expected: String,
    },
}
