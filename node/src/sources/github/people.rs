//! Who an account is: a person who can earn, or what the rules leave out.

use std::collections::BTreeMap;

use meed_audit::ids::{Identity, Provider};

use super::answers::Account;
use crate::sources::display::visible_line;
use crate::sources::git::BotList;

/// Longest login in metadata, in bytes.
const LOGIN_BYTES_MAX: usize = 100;
/// The account that stands for all deleted ones where the API names one.
const GHOST: (&str, u64) = ("ghost", 10_137);

/// People by identity, in the order of an event's authors, with their logins.
pub(super) type People = BTreeMap<Identity, String>;

/// Why an account earns nothing. Nobody's work is lost by it: these are rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeftOut {
    /// A program: an app, or an account that the list of bots names.
    Bot,
    /// The account was deleted.
    Deleted,
    /// An organization.
    Organization,
    /// A stand-in for somebody of another place, whom nobody has claimed.
    Placeholder,
    /// An account without a number of its own.
    Unknown,
}

impl LeftOut {
    /// The stable name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Deleted => "deleted_account",
            Self::Organization => "organization",
            Self::Placeholder => "placeholder_account",
            Self::Unknown => "account_without_number",
        }
    }
}

/// Who an account is.
pub(super) fn person(account: Option<&Account>, bots: &BotList) -> Result<(Identity, String), LeftOut> {
    let account = account.ok_or(LeftOut::Deleted)?;
    if (account.login.as_str(), account.id) == (GHOST.0, Some(GHOST.1)) {
        return Err(LeftOut::Deleted);
    }
    if bots.matches(account.login.as_bytes(), b"") {
        return Err(LeftOut::Bot);
    }
    match account.kind.as_str() {
        "User" => {}
        "Bot" => return Err(LeftOut::Bot),
        "Organization" => return Err(LeftOut::Organization),
        "Mannequin" => return Err(LeftOut::Placeholder),
        _ => return Err(LeftOut::Unknown),
    }
    let id = account.id.ok_or(LeftOut::Unknown)?;
    let identity = Identity::new(Provider::Github, &id.to_string()).map_err(|_| LeftOut::Unknown)?;
    Ok((identity, visible_line(account.login.as_bytes(), LOGIN_BYTES_MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_people_earn() {
        let account = |kind: &str, login: &str, id: Option<u64>| Account {
            kind: kind.to_owned(),
            login: login.to_owned(),
            id,
        };
        let bots = BotList::default();
        for (account, expected) in [
            (Some(account("User", "octocat", Some(583_231))), Ok("identity:github:583231")),
            (Some(account("User", "ghost", Some(7))), Ok("identity:github:7")),
            (None, Err(LeftOut::Deleted)),
            (Some(account("User", "ghost", Some(10_137))), Err(LeftOut::Deleted)),
            (Some(account("Bot", "helper", Some(1))), Err(LeftOut::Bot)),
            (Some(account("User", "renovate[bot]", Some(1))), Err(LeftOut::Bot)),
            (Some(account("User", "Dependabot", Some(1))), Err(LeftOut::Bot)),
            (Some(account("Organization", "octo-org", Some(1))), Err(LeftOut::Organization)),
            (Some(account("Mannequin", "alice", Some(1))), Err(LeftOut::Placeholder)),
            (Some(account("EnterpriseUserAccount", "alice", None)), Err(LeftOut::Unknown)),
            (Some(account("User", "alice", None)), Err(LeftOut::Unknown)),
            (Some(account("User", "alice", Some(0))), Err(LeftOut::Unknown)),
        ] {
            let found = person(account.as_ref(), &bots).map(|(identity, _)| identity.to_string());
            assert_eq!(found.as_deref().map_err(|left_out| *left_out), expected, "{account:?}");
        }
    }
}
