//! Identifiers: each a type with one text form, checked where it is made.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use uuid::Uuid;

use crate::amount::parse_count;
use crate::rejection::{Checked, Rejection, RejectionCode};

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
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.as_hyphenated().fmt(f) }
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
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }

        impl FromStr for $name {
            type Err = Rejection;

            fn from_str(text: &str) -> Checked<Self> {
                let check: fn(&str) -> bool = $check;
                if check(text) { return Ok(Self(Arc::from(text))); }
                Err(refuse($kind, $expected, text))
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

/// Where people have accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    /// A Discord account; the external id is its decimal snowflake.
    Discord,
    /// An Ed25519 public key in 64 lower-case hex digits.
    Ed25519,
    /// A git author: hex SHA-256 of `meed/git-email/v1\n<node_id>\n<lower-cased e-mail>`.
    Git,
    /// A GitHub account; the external id is its decimal database id.
    Github,
    /// A wallet: `0x` and 40 lower-case hex digits.
    Wallet,
}

impl Provider {
    /// The name in claimant keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Discord => "discord",
            Self::Ed25519 => "ed25519",
            Self::Git => "git",
            Self::Github => "github",
            Self::Wallet => "wallet",
        }
    }

    fn accepts(self, external_id: &str) -> bool {
        let hex = |text: &str, digits: usize| {
            text.len() == digits && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        match self {
            Self::Discord | Self::Github => {
                (1..=20).contains(&external_id.len())
                    && external_id.bytes().all(|byte| byte.is_ascii_digit())
                    && !external_id.starts_with('0')
            }
            Self::Ed25519 | Self::Git => hex(external_id, 64),
            Self::Wallet => external_id.strip_prefix("0x").is_some_and(|digits| hex(digits, 40)),
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Provider {
    type Err = Rejection;

    fn from_str(text: &str) -> Checked<Self> {
        [Self::Discord, Self::Ed25519, Self::Git, Self::Github, Self::Wallet]
            .into_iter()
            .find(|provider| provider.as_str() == text)
            .ok_or_else(|| refuse("provider", "discord, ed25519, git, github or wallet", text))
    }
}

/// An account elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    provider: Provider,
    external_id: Arc<str>,
}

impl Identity {
    /// An account in the one form of its provider.
    ///
    /// # Errors
    /// `invalid_claimant` in any other form.
    pub fn new(provider: Provider, external_id: &str) -> Checked<Self> {
        if provider.accepts(external_id) {
            return Ok(Self { provider, external_id: Arc::from(external_id) });
        }
        let expected = match provider {
            Provider::Discord | Provider::Github => "a decimal id without leading zero",
            Provider::Ed25519 | Provider::Git => "64 lower-case hex digits",
            Provider::Wallet => "0x and 40 lower-case hex digits",
        };
        Err(Rejection::new(RejectionCode::InvalidClaimant, format!("{provider} id"), expected, external_id))
    }

    /// Where the account is.
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// The account's permanent id there.
    pub fn external_id(&self) -> &str {
        &self.external_id
    }
}

/// Who earns: a user, or an identity that nobody has bound yet. Ordered by the bytes of its key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Claimant {
    /// `identity:<provider>:<external id>`.
    Identity(Identity),
    /// `user:<uuid>`.
    User(UserId),
}

impl Claimant {
    /// The key's part that the allocation set hash uses: the bare UUID of a user, the whole key of an identity.
    pub fn allocation_set_key(&self) -> String {
        match self {
            Self::Identity(_) => self.to_string(),
            Self::User(user) => user.to_string(),
        }
    }
}

impl PartialOrd for Claimant {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Claimant {
    /// As the keys' bytes: `identity:` before `user:`, then provider names and ids. A provider's name never is
    /// the beginning of another's followed by a byte below `:`, so that comparing parts equals comparing keys.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        match (self, other) {
            (Self::Identity(a), Self::Identity(b)) => a.cmp(b),
            (Self::User(a), Self::User(b)) => a.cmp(b),
            (Self::Identity(_), Self::User(_)) => std::cmp::Ordering::Less,
            (Self::User(_), Self::Identity(_)) => std::cmp::Ordering::Greater,
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "identity:{}:{}", self.provider, self.external_id)
    }
}

impl fmt::Display for Claimant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity(identity) => identity.fmt(f),
            Self::User(user) => write!(f, "user:{user}"),
        }
    }
}

impl FromStr for Identity {
    type Err = Rejection;

    fn from_str(text: &str) -> Checked<Self> {
        let parts = text.strip_prefix("identity:").and_then(|rest| rest.split_once(':'));
        let (provider, external_id) = parts.ok_or_else(|| invalid_claimant(text))?;
        Self::new(provider.parse().map_err(|_| invalid_claimant(text))?, external_id)
    }
}

impl FromStr for Claimant {
    type Err = Rejection;

    fn from_str(text: &str) -> Checked<Self> {
        match text.strip_prefix("user:") {
            Some(user) => user.parse().map(Self::User).map_err(|_| invalid_claimant(text)),
            None => text.parse().map(Self::Identity),
        }
    }
}

fn invalid_claimant(text: &str) -> Rejection {
    let expected = "user:<uuid> or identity:<provider>:<external id>";
    Rejection::new(RejectionCode::InvalidClaimant, "claimant", expected, text)
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

/// Serialises identifiers as their text form and parses them back.
macro_rules! serde_as_text {
    ($($name:ty),*) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

serde_as_text!(
    NodeId,
    ScopeId,
    UserId,
    ScopeKey,
    Source,
    EventType,
    EventId,
    Origin,
    ComponentId,
    Provider,
    Identity,
    Claimant,
    EpochNumber,
    Revision,
    SetVersion,
    crate::time::Timestamp,
    crate::amount::Units,
    crate::amount::Credits,
    crate::text::FreeText
);

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
    fn claimants_have_one_form_and_the_order_of_their_bytes() {
        let keys = [
            "identity:discord:1",
            "identity:discord:10",
            "identity:discord:9",
            "identity:ed25519:00000000000000000000000000000000000000000000000000000000000000aa",
            "identity:git:00000000000000000000000000000000000000000000000000000000000000aa",
            "identity:github:1",
            "identity:github:2",
            "identity:wallet:0x00000000000000000000000000000000000000aa",
            "user:00000000-0000-4000-8000-000000000001",
            "user:a28a8b1e-1f9d-5cd5-9329-569e4819feda",
        ];
        let parsed: Vec<Claimant> = keys.iter().map(|key| key.parse().expect(key)).collect();
        for (a, key_a) in parsed.iter().zip(keys) {
            assert_eq!(a.to_string(), key_a);
            for (b, key_b) in parsed.iter().zip(keys) {
                assert_eq!(a.cmp(b), key_a.as_bytes().cmp(key_b.as_bytes()), "{key_a} {key_b}");
            }
        }
    }

    #[test]
    fn other_forms_of_claimants_are_refused() {
        for key in [
            "",
            "team:x",
            "identity:github",
            "identity:github:",
            "identity:github:042",
            "identity:github:-1",
            "identity:GitHub:42",
            "identity:google:42",
            "user:A28A8B1E-1F9D-5CD5-9329-569E4819FEDA",
            "user:",
            "identity:wallet:0xAA000000000000000000000000000000000000aa",
            "identity:github:42 ",
            " identity:github:42",
            "identity:github:123456789012345678901",
            "user:a28a8b1e1f9d5cd59329569e4819feda",
        ] {
            assert_eq!(key.parse::<Claimant>().expect_err(key).code, RejectionCode::InvalidClaimant);
        }
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
