//! What a key signs with, and what a key is for.

use std::fmt;
use std::str::FromStr;

use crate::error::KeyUseError;

/// The signature types of C2SP signed notes that meed writes and reads; the number stands in every verifier
/// key and in every key id ([C2SP signed-note](https://c2sp.org/signed-note#signature-types)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Algorithm {
    /// Ed25519 over the text of the note.
    Ed25519 = 0x01,
    /// Ed25519 over the time of signing and the text of the note
    /// ([C2SP tlog-cosignature](https://c2sp.org/tlog-cosignature)).
    CosignatureV1 = 0x04,
}

impl Algorithm {
    /// The algorithm of a type byte, where it is one of ours.
    pub const fn from_byte(byte: u8) -> Option<Algorithm> {
        match byte {
            0x01 => Some(Algorithm::Ed25519),
            0x04 => Some(Algorithm::CosignatureV1),
            _ => None,
        }
    }

    /// The type byte.
    pub const fn to_byte(self) -> u8 {
        match self {
            Algorithm::Ed25519 => 0x01,
            Algorithm::CosignatureV1 => 0x04,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Algorithm::Ed25519 => "0x01 (Ed25519)",
            Algorithm::CosignatureV1 => "0x04 (cosignature/v1)",
        })
    }
}

/// What a key is for. One key has one use: it decides how the key signs, and a set of approvers refuses others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyUse {
    /// Approves payout statements and approver sets (type 0x04).
    Approver,
    /// Cosigns checkpoints of logs (type 0x04).
    Witness,
    /// Signs the checkpoints of a node's logs, and each draft as its issuer (type 0x01).
    Log,
}

impl KeyUse {
    /// The algorithm that keys of this use sign with.
    pub const fn algorithm(self) -> Algorithm {
        match self {
            KeyUse::Approver | KeyUse::Witness => Algorithm::CosignatureV1,
            KeyUse::Log => Algorithm::Ed25519,
        }
    }
}

impl fmt::Display for KeyUse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            KeyUse::Approver => "approver",
            KeyUse::Witness => "witness",
            KeyUse::Log => "log",
        })
    }
}

impl FromStr for KeyUse {
    type Err = KeyUseError;

    fn from_str(text: &str) -> Result<KeyUse, KeyUseError> {
        match text {
            "approver" => Ok(KeyUse::Approver),
            "witness" => Ok(KeyUse::Witness),
            "log" => Ok(KeyUse::Log),
            _ => Err(KeyUseError { got: text.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_type_bytes_are_known() {
        let known: Vec<u8> = (0..=255).filter(|byte| Algorithm::from_byte(*byte).is_some()).collect();
        assert_eq!(known, [0x01, 0x04]);
        for byte in known {
            assert_eq!(Algorithm::from_byte(byte).map(Algorithm::to_byte), Some(byte));
        }
    }

    #[test]
    fn uses_are_read_as_they_are_written() {
        for key_use in [KeyUse::Approver, KeyUse::Witness, KeyUse::Log] {
            assert_eq!(key_use.to_string().parse(), Ok(key_use));
        }
        for text in ["", "Log", "log ", "approvers"] {
            assert!(text.parse::<KeyUse>().is_err(), "{text:?}");
        }
    }
}
