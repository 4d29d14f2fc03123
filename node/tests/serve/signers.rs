//! Keys and wallets of people, and what they sign to sign in.

use k256::ecdsa::SigningKey as WalletKey;
use meed_keys::{KeyUse, SigningKey, personal_message_hash};

/// A key of Ana's.
pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed("ana".parse().expect("a name"), KeyUse::Approver, [seed; 32])
}

pub(crate) fn wallet(seed: u8) -> WalletKey {
    WalletKey::from_slice(&[seed; 32]).expect("a key")
}

/// The address of a wallet, without the capitals of its checksum.
pub(crate) fn address(wallet: &WalletKey) -> String {
    let point = wallet.verifying_key().to_sec1_point(false);
    let hash: [u8; 32] = <sha3::Keccak256 as sha3::Digest>::digest(&point.as_bytes()[1..]).into();
    let address = meed_keys::WalletAddress::from_bytes(*hash.last_chunk().expect("20 bytes"));
    address.to_lower_hex()
}

pub(crate) fn personal_sign(wallet: &WalletKey, text: &str) -> String {
    let (signature, id) = wallet.sign_prehash_recoverable(&personal_message_hash(text));
    let hex: String = signature.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("0x{hex}{:02x}", 27 + id.to_byte())
}

pub(crate) fn key_sign(seed: u8, text: &str) -> String {
    key(seed).sign_in(text).expect("signed").to_string()
}
