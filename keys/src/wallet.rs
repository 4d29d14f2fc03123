//! Wallets: accounts of Ethereum, known by an address, which sign texts with secp256k1 so that their key can be
//! computed from the signature.

use std::fmt;
use std::str::FromStr;

use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use sha3::{Digest, Keccak256};

use crate::encoding::encode_hex;
use crate::error::WalletError;
use crate::limits::{WALLET_ADDRESS_BYTES, WALLET_SIGNATURE_BYTES};

/// The last byte of a signature of most wallets, for an even and an odd point; some write 0 and 1.
const RECOVERY_BYTES: [u8; 4] = [27, 28, 0, 1];
/// Most characters of a refused address that an error repeats.
const GOT_CHARACTERS_MAX: usize = 64;

/// The address of a wallet: 20 bytes. Written with the capitals of [EIP-55](https://eips.ethereum.org/EIPS/eip-55);
/// equal by its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WalletAddress([u8; WALLET_ADDRESS_BYTES]);

impl WalletAddress {
    /// From 20 bytes.
    pub const fn from_bytes(bytes: [u8; WALLET_ADDRESS_BYTES]) -> Self {
        Self(bytes)
    }

    /// The 20 bytes.
    pub const fn as_bytes(&self) -> &[u8; WALLET_ADDRESS_BYTES] {
        &self.0
    }

    /// Reads an address as people and programs write it: `0x` and digits in lower case, in capitals, or with the capitals
    /// of its checksum.
    ///
    /// # Errors
    /// Refuses another form, and mixed capitals that are not the checksum.
    pub fn parse_edge(text: &str) -> Result<Self, WalletError> {
        let address = Self::parse_digits(text)?;
        let digits = text.get(2..).unwrap_or_default();
        let is_mixed = digits.bytes().any(|byte| byte.is_ascii_lowercase())
            && digits.bytes().any(|byte| byte.is_ascii_uppercase());
        if is_mixed { text.parse() } else { Ok(address) }
    }

    /// `0x` and 40 digits in lower case: the one form under which meed keeps and compares wallets.
    pub fn to_lower_hex(&self) -> String {
        format!("0x{}", encode_hex(&self.0))
    }

    /// Checks that this wallet signed `text`, as `personal_sign` does
    /// ([EIP-191](https://eips.ethereum.org/EIPS/eip-191), version 0x45).
    ///
    /// # Errors
    /// Refuses the second signature that anyone can make of a first one, numbers that no key can have made, and a
    /// signature of another wallet or another text, which cannot be told apart.
    pub fn verify_personal(&self, text: &str, signature: &WalletSignature) -> Result<(), WalletError> {
        if signature.recover(&personal_message_hash(text))? == *self {
            Ok(())
        } else {
            Err(WalletError::OtherWallet { expected: self.to_string() })
        }
    }

    fn parse_digits(text: &str) -> Result<Self, WalletError> {
        let bytes = text.strip_prefix("0x").and_then(decode_hex);
        bytes
            .map(Self)
            .ok_or_else(|| WalletError::Address { got: text.chars().take(GOT_CHARACTERS_MAX).collect() })
    }

    /// The last 20 bytes of Keccak-256 of a key's point, without the byte that says it is not compressed.
    fn of_key(key: &VerifyingKey) -> Option<Self> {
        let point = key.to_sec1_point(false);
        let hash = Keccak256::digest(point.as_bytes().get(1..)?);
        hash.last_chunk().copied().map(Self)
    }
}

impl fmt::Display for WalletAddress {
    /// A digit from a to f is a capital where the digit at its place of Keccak-256 of the lower-case digits is above 7.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = encode_hex(&self.0);
        let hash = encode_hex(&Keccak256::digest(digits.as_bytes()));
        let raised =
            |(digit, sign): (char, char)| if sign > '7' { digit.to_ascii_uppercase() } else { digit };
        let text: String = digits.chars().zip(hash.chars()).map(raised).collect();
        write!(formatter, "0x{text}")
    }
}

impl FromStr for WalletAddress {
    type Err = WalletError;

    /// Reads exactly what `Display` writes.
    fn from_str(text: &str) -> Result<Self, WalletError> {
        let address = Self::parse_digits(text)?;
        let expected = address.to_string();
        if expected == text {
            Ok(address)
        } else {
            Err(WalletError::Checksum { expected, got: text.to_owned() })
        }
    }
}

/// A wallet's signature: two numbers of 32 bytes and one byte that says which of two keys made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalletSignature([u8; WALLET_SIGNATURE_BYTES]);

impl WalletSignature {
    /// From its 65 bytes, which are checked when it is used.
    pub const fn from_bytes(bytes: [u8; WALLET_SIGNATURE_BYTES]) -> Self {
        Self(bytes)
    }

    /// The address of the key that made it over `hash`.
    fn recover(&self, hash: &[u8; 32]) -> Result<WalletAddress, WalletError> {
        let [numbers @ .., last] = &self.0;
        let is_odd = match RECOVERY_BYTES.iter().position(|byte| byte == last) {
            Some(0 | 2) => false,
            Some(_) => true,
            None => return Err(WalletError::RecoveryByte { got: *last }),
        };
        let signature = Signature::from_slice(numbers).map_err(|_| WalletError::NoKey)?;
        if signature.normalize_s() != signature {
            return Err(WalletError::UpperHalf);
        }
        let id = RecoveryId::new(is_odd, false);
        let key = VerifyingKey::recover_from_prehash(hash, &signature, id).map_err(|_| WalletError::NoKey)?;
        WalletAddress::of_key(&key).ok_or(WalletError::NoKey)
    }
}

impl fmt::Display for WalletSignature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "0x{}", encode_hex(&self.0))
    }
}

impl FromStr for WalletSignature {
    type Err = WalletError;

    /// Reads `0x` and 130 hex digits, in either case.
    fn from_str(text: &str) -> Result<Self, WalletError> {
        let bytes = text.strip_prefix("0x").and_then(decode_hex);
        bytes.map(Self).ok_or_else(|| WalletError::SignatureForm { got: text.chars().count() })
    }
}

/// What `personal_sign` signs of a text: Keccak-256 of 0x19, `Ethereum Signed Message:`, a newline, the number of the
/// text's bytes in decimal, and the text ([EIP-191](https://eips.ethereum.org/EIPS/eip-191)).
pub fn personal_message_hash(text: &str) -> [u8; 32] {
    let message = format!("\u{19}Ethereum Signed Message:\n{}{text}", text.len());
    Keccak256::digest(message.as_bytes()).into()
}

/// Exactly `N` bytes in hex, in either case.
fn decode_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = (digit(*high)? << 4) | digit(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use k256::ecdsa::SigningKey;
    use k256::elliptic_curve::PrimeField;

    use super::*;

    /// From EIP-55 itself: all capitals, all lower case, and mixed.
    const ADDRESSES: [&str; 8] = [
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
        "0xde709f2102306220921060314715629080e2fb77",
        "0x27b1fdb04752bbc536007a920d24acb045561c26",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ];

    fn signing_key(seed: u8) -> SigningKey {
        SigningKey::from_slice(&[seed; 32]).expect("a key")
    }

    fn address(key: &SigningKey) -> WalletAddress {
        WalletAddress::of_key(key.verifying_key()).expect("an address")
    }

    fn sign(key: &SigningKey, text: &str) -> WalletSignature {
        let (signature, id) = key.sign_prehash_recoverable(&personal_message_hash(text));
        let mut bytes = [0; WALLET_SIGNATURE_BYTES];
        bytes[..64].copy_from_slice(&signature.to_bytes());
        bytes[64] = 27 + id.to_byte();
        WalletSignature(bytes)
    }

    #[test]
    fn addresses_are_those_of_eip_55_and_one_wallet_has_one_normal_form() {
        for text in ADDRESSES {
            let address: WalletAddress = text.parse().expect(text);
            assert_eq!(address.to_string(), text);
            let lower = text.to_ascii_lowercase();
            let upper = format!("0x{}", &text[2..].to_ascii_uppercase());
            for other in [text, &lower, &upper] {
                let read = WalletAddress::parse_edge(other).expect(other);
                assert_eq!((read, read.to_lower_hex()), (address, lower.clone()));
                assert_eq!(other.parse::<WalletAddress>().is_ok(), other == text, "{other}");
            }
        }
        let wrong = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD";
        assert!(matches!(WalletAddress::parse_edge(wrong), Err(WalletError::Checksum { .. })));
        for text in [
            "",
            "0x",
            "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAedd",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg",
            "0x+aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0xé5aeb6053f3e94c9b9a09f33669435e7ef1beae",
        ] {
            assert!(matches!(WalletAddress::parse_edge(text), Err(WalletError::Address { .. })), "{text}");
        }
    }

    #[test]
    fn a_signature_of_another_program_is_taken() {
        // The example in the documentation of the crate siwe, signed by a wallet of its author's.
        let text = "localhost:4361 wants you to sign in with your Ethereum account:\n\
                    0x6Da01670d8fc844e736095918bbE11fE8D564163\n\nSIWE Notepad Example\n\nURI: http://localhost:4361\n\
                    Version: 1\nChain ID: 1\nNonce: kEWepMt9knR6lWJ6A\nIssued At: 2021-12-07T18:28:18.807Z";
        let signature: WalletSignature = "0x6228b3ecd7bf2df018183aeab6b6f1db1e9f4e3cbe24560404112e25363540eb\
                                          679934908143224d746bbb5e1aa65ab435684081f4dbb74a0fec57f98f40f5051c"
            .parse()
            .expect("a signature");
        let address: WalletAddress =
            "0x6Da01670d8fc844e736095918bbE11fE8D564163".parse().expect("an address");
        assert_eq!(address.verify_personal(text, &signature), Ok(()));
        let other = address.verify_personal(&format!("{text} "), &signature);
        assert!(matches!(other, Err(WalletError::OtherWallet { .. })));
    }

    #[test]
    fn a_wallet_signs_its_own_texts_and_no_others() {
        for seed in 1..=20 {
            let (key, other) = (signing_key(seed), signing_key(seed + 100));
            let signature = sign(&key, "text");
            assert_eq!(address(&key).verify_personal("text", &signature), Ok(()));
            let expected = address(&other).to_string();
            assert_eq!(
                address(&other).verify_personal("text", &signature),
                Err(WalletError::OtherWallet { expected })
            );
            assert!(address(&key).verify_personal("Text", &signature).is_err());
            assert_eq!(signature.to_string().parse(), Ok(signature));
        }
    }

    #[test]
    fn the_last_byte_is_one_of_four_and_the_second_number_in_the_lower_half() {
        let key = signing_key(7);
        let own = address(&key);
        let signature = sign(&key, "text");
        for last in 0..=255 {
            let mut bytes = signature.0;
            bytes[64] = last;
            let verified = own.verify_personal("text", &WalletSignature(bytes));
            let same = last % 27 == signature.0[64] % 27;
            match (RECOVERY_BYTES.contains(&last), same) {
                (true, true) => assert_eq!(verified, Ok(()), "{last}"),
                (true, false) => assert!(verified.is_err(), "{last}"),
                (false, _) => assert_eq!(verified, Err(WalletError::RecoveryByte { got: last })),
            }
        }
        // The order of the group less the second number, with the other point, verifies as ECDSA; it is refused.
        let (r, s) = Signature::from_slice(&signature.0[..64]).expect("a signature").split_scalars();
        let mut upper = [0; WALLET_SIGNATURE_BYTES];
        upper[..32].copy_from_slice(&r.to_repr());
        upper[32..64].copy_from_slice(&(-*s).to_repr());
        upper[64] = 55 - signature.0[64];
        assert_eq!(own.verify_personal("text", &WalletSignature(upper)), Err(WalletError::UpperHalf));
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        let own = address(&signing_key(7));
        let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
        let (zero, one) = ("0".repeat(64), format!("{}1", "0".repeat(63)));
        for (r, s) in [(&*zero, &*one), (&*one, &*zero), (order, &*one), (&*one, order), (&*zero, &*zero)] {
            let signature: WalletSignature = format!("0x{r}{s}1b").parse().expect("its form");
            assert_eq!(own.verify_personal("text", &signature), Err(WalletError::NoKey), "{r} {s}");
        }
        // No point of the curve has 5 as its first coordinate.
        let five = format!("{}5", "0".repeat(63));
        let signature: WalletSignature = format!("0x{five}{one}1b").parse().expect("its form");
        assert_eq!(own.verify_personal("text", &signature), Err(WalletError::NoKey));
    }

    #[test]
    fn signatures_have_one_length() {
        for text in [
            "",
            "0x",
            "00",
            &format!("0x{}", "0".repeat(128)),
            &format!("0x{}", "0".repeat(132)),
            &"0".repeat(130),
            &format!("0x{}g", "0".repeat(129)),
        ] {
            assert!(
                matches!(text.parse::<WalletSignature>(), Err(WalletError::SignatureForm { .. })),
                "{text}"
            );
        }
    }
}
