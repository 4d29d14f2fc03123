//! Identifiers: each a type with one text form, checked where it is made.

mod claimant;
mod serial;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use uuid::Uuid;

use crate::amount::parse_count;
use crate::rejection::{Checked, Rejection, RejectionCode};

pub use claimant::{Claimant, Identity, Provider};

/// Longest event id, in bytes.
pub const EVENT_ID_BYTES_MAX: usize = 512;
/// Longest claimant key, in bytes.
pub const CLAIMANT_BYTES_MAX: usize = 255;
/// Longest node origin, in bytes.
pub const ORIGIN_BYTES_MAX: usize = 128;

fn refuse(kind: &str, expected: &str, got: &str) -> Rejection {
    Rejection::new(RejectionCode::InvalidIdentifier, kind, expected, got)
}

macro_rules! uuid_type {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// From 16 bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self { Self(Uuid::from_bytes(bytes)) }

            /// The 16 bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] { self.0.as_bytes() }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.0.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()))
            }
        }

        impl FromStr for $name {
            type Err = Rejection;

            /// Parses the lower-case hyphenated form only.
            fn from_str(text: &str) -> Checked<Self> {
                let expected = "a lower-case UUID such as 4ff8eac1-4eba-4ed0-931b-b1fe4f64713d";
                let id = Uuid::try_parse(text).map_err(|_| refuse($kind, expected, text))?;
                if id.as_hyphenated().to_string() == text { return Ok(Self(id)); }
                Err(refuse($kind, expected, text))
            }
        }
    };
}

uuid_type! {
    /// A node: one running `meed` with one ledger.
    NodeId, "node_id"
}
uuid_type! {
    /// A payout domain of a node: UUID version 5 of the scope key in the node's name space.
    ScopeId, "scope_id"
}
uuid_type! {
    /// A person.
    UserId, "user_id"
}

impl NodeId {
    /// A random (version 4) id from 16 random bytes.
    pub fn from_random(random: [u8; 16]) -> Self {
        Self(uuid_v4(random))
    }
}

impl UserId {
    /// A random (version 4) id from 16 random bytes.
    pub fn from_random(random: [u8; 16]) -> Self {
        Self(uuid_v4(random))
    }
}

fn uuid_v4(random: [u8; 16]) -> Uuid {
    uuid::Builder::from_random_bytes(random).into_uuid()
}

impl ScopeId {
    /// The id of the scope `key` of `node` (RFC 9562 version 5, name space = the node id, name = the key).
    pub fn derive(node: &NodeId, key: &ScopeKey) -> Self {
        Self(Uuid::new_v5(&node.0, key.as_str().as_bytes()))
    }
}

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $expected:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str { &self.0 }

            /// Checks a text without keeping it.
            ///
            /// # Errors
            /// `invalid_identifier` for what parsing refuses.
            pub fn check(text: &str) -> Checked<()> {
                let check: fn(&str) -> bool = $check;
                if check(text) { return Ok(()); }
                Err(refuse($kind, $expected, text))
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str { &self.0 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }

        impl FromStr for $name {
            type Err = Rejection;

            fn from_str(text: &str) -> Checked<Self> {
                Self::check(text).map(|()| Self(Arc::from(text)))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

text_type! {
    /// The readable name of a scope, unique in its node.
    ScopeKey, "scope_key", "a lower-case letter, then at most 31 of a-z, 0-9 and -", |text| is_word(text, 32, b'-')
}
text_type! {
    /// The kind of place that an event comes from (`git`, `github`, `discord`, …).
    Source, "source", "a lower-case letter, then at most 31 of a-z, 0-9 and -", |text| is_word(text, 32, b'-')
}
text_type! {
    /// The kind of an event within its source (`commit`, `pr_merged`, …).
    EventType, "event_type", "a lower-case letter, then at most 63 of a-z, 0-9 and _", |text| is_word(text, 64, b'_')
}
text_type! {
    /// The permanent id of an event, made of its source's own permanent ids: `github:pr:<repository id>:42`.
    EventId, "id", "1 to 512 printable ASCII characters without space", |text| is_graphic(text, EVENT_ID_BYTES_MAX)
}
text_type! {
    /// The schema-less URL under which a node publishes its logs: `ledger.example.org`.
    Origin, "origin", "host[:port][/path] in lower case, at most 128 bytes, without slash at the end", is_origin
}
text_type! {
    /// The id of a pool component, unique in its epoch: `base_issuance`.
    ComponentId, "component", "a lower-case letter, then at most 63 of a-z, 0-9 and _", |text| is_word(text, 64, b'_')
}

fn is_word(text: &str, bytes_max: usize, joiner: u8) -> bool {
    text.len() <= bytes_max
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == joiner)
}

fn is_graphic(text: &str, bytes_max: usize) -> bool {
    (1..=bytes_max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_origin(text: &str) -> bool {
    let allowed = |byte: u8| {
        byte.is_ascii_lowercase()
            || byte.is_ascii_digit()
            || matches!(byte, b'.' | b'-' | b':' | b'/' | b'_' | b'~')
    };
    (1..=ORIGIN_BYTES_MAX).contains(&text.len())
        && text.bytes().all(allowed)
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && !text.contains("://")
        && text.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

macro_rules! number_type {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $first:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            /// The first one.
            pub const FIRST: Self = Self($first);

            /// From a number.
            ///
            /// # Errors
            /// `invalid_identifier` below the first or beyond 2^62.
            pub fn new(number: u64) -> Checked<Self> {
                if ($first..=1 << 62).contains(&number) { return Ok(Self(number)); }
                Err(refuse($kind, concat!("a number from ", $first), &number.to_string()))
            }

            /// The number.
            pub const fn get(self) -> u64 { self.0 }

            /// The one after it.
            #[must_use]
            pub const fn next(self) -> Self { Self(self.0.saturating_add(1)) }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }

        impl FromStr for $name {
            type Err = Rejection;

            fn from_str(text: &str) -> Checked<Self> { Self::new(parse_count($kind, text)?) }
        }
    };
}

number_type! {
    /// The number of an epoch in its scope, from 1.
    EpochNumber, "epoch", 1
}
number_type! {
    /// Counts the drafts of an epoch, from 0.
    Revision, "revision", 0
}
number_type! {
    /// The version of a scope's approver set, from 1.
    SetVersion, "version", 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scope_ids_are_the_earlier_systems() {
        let derive = |node: &str, key: &str| {
            ScopeId::derive(&node.parse().expect("node"), &key.parse().expect("key")).to_string()
        };
        let node = "4ff8eac1-4eba-4ed0-931b-b1fe4f64713d";
        assert_eq!(derive(node, "default"), "a28a8b1e-1f9d-5cd5-9329-569e4819feda");
        assert_eq!(derive(node, "chat-service"), "9b16aa57-5a04-5508-827e-f9625a778f98");
        assert_eq!(derive(node, "shared-infrastructure"), "9228ebb8-2f4c-5daa-9619-552a60208904");
        let test_node = "00000000-0000-4000-8000-000000000001";
        assert_eq!(derive(test_node, "default"), "7794c09c-5294-5cdb-acc4-2e1661ec299d");
    }

    #[test]
    fn words_and_origins_are_strict() {
        assert!("a".parse::<ScopeKey>().is_ok() && "a-b-1".parse::<ScopeKey>().is_ok());
        for key in ["", "A", "1a", "-a", "a_b", "abcdefghijklmnopqrstuvwxyz0123456"] {
            assert!(key.parse::<ScopeKey>().is_err(), "{key}");
        }
        for origin in ["ledger.example.org", "localhost:8080", "example.org/meed/a"] {
            assert!(origin.parse::<Origin>().is_ok(), "{origin}");
        }
        for origin in ["", "https://x", "x/", "/x", "x//y", "X.org", "a b", "a+b", "x/../y"] {
            assert!(origin.parse::<Origin>().is_err(), "{origin}");
        }
    }
}
