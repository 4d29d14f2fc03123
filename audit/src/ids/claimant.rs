//! Who earns: users, and accounts elsewhere that nobody has bound yet.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{UserId, refuse};
use crate::rejection::{Checked, Rejection, RejectionCode};

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
    /// Every provider, in the order of their names.
    pub const ALL: [Self; 5] = [Self::Discord, Self::Ed25519, Self::Git, Self::Github, Self::Wallet];

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
        // Part by part: every leaf names somebody, and a format costs more than the parts.
        for part in ["identity:", self.provider.as_str(), ":", &self.external_id] {
            f.write_str(part)?;
        }
        Ok(())
    }
}

impl fmt::Display for Claimant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity(identity) => identity.fmt(f),
            Self::User(user) => {
                f.write_str("user:")?;
                user.fmt(f)
            }
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
