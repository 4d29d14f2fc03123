//! The node that stays, and the tokens that let others write to it.

use std::net::SocketAddr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use meed_storage::Role;

use super::GithubApiArgs;

/// `meed serve`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Reading is open to everybody who reaches the address. Writing needs a token (meed token new), except
signatures of approvers, which prove themselves. Commands on this machine find the node by its
socket in the data folder and need neither. It ends on SIGINT and SIGTERM, after it has finished
what it acknowledged, and reads its certificate again on SIGHUP.

Examples:
  meed serve
  meed serve --listen 127.0.0.1:9000 --data /srv/meed
  meed --node http://127.0.0.1:9000 scope list")]
pub struct ServeArgs {
    /// Where to listen [default: setting `listen`]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// Write a line for every request
    #[arg(long, short)]
    pub verbose: bool,
}

/// `meed doctor`.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = "\
It changes nothing. Every source of the settings is asked for; with --source only the one that it
names, which need not be in the settings: github:OWNER/REPO. Exit code 1 where a check failed; what
only wants a look is no failure.

Examples:
  meed doctor --data /srv/meed
  meed doctor --json
  meed doctor --source github:octocat/hello-world --github-token-file /srv/meed/github.token")]
pub struct DoctorArgs {
    /// Try this source alone: github:OWNER/REPO
    #[arg(long, value_name = "SOURCE")]
    pub source: Option<String>,
    /// How its API is reached
    #[command(flatten)]
    pub api: GithubApiArgs,
}

/// `meed token`.
#[derive(Clone, Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token; its secret is shown this once
    #[command(after_help = "\
An operator may do everything that is not kept for the owner of the data folder; a curator may
curate, override and bind; an importer may bring in events.

Examples:
  meed token new collector --role importer
  meed token new ana --role curator --expires 2027-01-01T00:00:00Z
  MEED_TOKEN=meed_… meed --node https://ledger.example.org import --scope default events.ndjson")]
    New(TokenNewArgs),
    /// The tokens, without their secrets
    #[command(after_help = "Examples:\n  meed token list")]
    List,
    /// End a token at once and for good
    #[command(after_help = "Examples:\n  meed token revoke collector")]
    Revoke(TokenRevokeArgs),
}

/// `meed token new`.
#[derive(Clone, Debug, Args)]
pub struct TokenNewArgs {
    /// Whose it is: the name that decisions record; never used again
    pub name: String,
    /// What it allows
    #[arg(long, value_parser = roles())]
    pub role: Role,
    /// The first moment at which it no longer holds
    #[arg(long, value_name = "TIME")]
    pub expires: Option<String>,
}

/// The roles, each with what it allows.
fn roles() -> impl TypedValueParser<Value = Role> {
    let named = Role::ALL.map(|role| PossibleValue::new(role.name()).help(role_allows(role)));
    PossibleValuesParser::new(named).try_map(|name| {
        Role::ALL.into_iter().find(|role| role.name() == name).ok_or("expected the name of a role")
    })
}

fn role_allows(role: Role) -> &'static str {
    match role {
        Role::Operator => "Everything that is not kept for the owner",
        Role::Curator => "Curation, overrides, people and bindings",
        Role::Importer => "Bringing in events",
    }
}

/// `meed token revoke`.
#[derive(Clone, Debug, Args)]
pub struct TokenRevokeArgs {
    /// Whose it is
    pub name: String,
}
