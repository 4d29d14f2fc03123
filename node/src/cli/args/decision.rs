//! Arguments of what people decide: `curate`, `allocate`, `pool`, `user`, `bind`, `revoke`, `rebind`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use super::{EpochArgs, ScopeArg};

/// `meed curate`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("change").required(true).args(["exclude", "include", "weight", "share", "reset"]))]
#[command(after_help = "\
Examples:
  meed curate --scope default --epoch 1 --event git:commit:… \\
      --exclude --reason \"imported by mistake\"
  meed curate --scope default --epoch 1 --event git:commit:… \\
      --weight 3000 --reason \"a month of work\"
  meed curate --scope default --epoch 1 --event git:commit:… \\
      --share user:…=700000 --share identity:github:42=300000 --reason \"pair work\"")]
pub struct CurateArgs {
    /// The epoch
    #[command(flatten)]
    pub epoch: EpochArgs,
    /// The event
    #[arg(long, value_name = "ID")]
    pub event: String,
    /// Leave the event out
    #[arg(long)]
    pub exclude: bool,
    /// Count the event again
    #[arg(long)]
    pub include: bool,
    /// What the event weighs, in milli-units
    #[arg(long, value_name = "N")]
    pub weight: Option<String>,
    /// Who shares the event, in parts per million that sum to 1000000
    #[arg(long, value_name = "CLAIMANT=PPM", num_args = 1..)]
    pub share: Vec<String>,
    /// Take back all that was decided of the event
    #[arg(long)]
    pub reset: bool,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// `meed allocate`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("change").required(true).args(["units", "withdraw"]))]
#[command(after_help = "\
Examples:
  meed allocate --scope default --epoch 1 --claimant identity:github:42 \\
      --units 2500 --reason \"on call all week\"
  meed allocate --scope default --epoch 1 --claimant identity:github:42 \\
      --withdraw --reason \"the week was somebody else's\"")]
pub struct AllocateArgs {
    /// The epoch
    #[command(flatten)]
    pub epoch: EpochArgs,
    /// Who: user:<uuid> or identity:<provider>:<external id>
    #[arg(long, value_name = "C")]
    pub claimant: String,
    /// The final units, in milli-units, in place of what the activity gives
    #[arg(long, value_name = "N")]
    pub units: Option<String>,
    /// Take back the units that were set
    #[arg(long)]
    pub withdraw: bool,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// `meed pool …`.
#[derive(Debug, Subcommand)]
pub enum PoolCommand {
    /// Add a component to the pool of an open epoch; the same again changes nothing
    #[command(after_help = "\
Examples:
  meed pool add --scope default --epoch 1 --component base_issuance \\
      --amount 10000 --evidence \"vote 11\"
  meed pool add --scope default --epoch 1 --component bonus \\
      --amount 500 --evidence \"vote 12\" --algorithm bonus-v2 --inputs inputs.json")]
    Add {
        /// The epoch
        #[command(flatten)]
        epoch: EpochArgs,
        /// What it is, unique in the epoch
        #[arg(long, value_name = "ID")]
        component: String,
        /// How much, in the smallest unit
        #[arg(long, value_name = "N")]
        amount: String,
        /// Where the evidence is
        #[arg(long, value_name = "REF")]
        evidence: String,
        /// How the amount was computed
        #[arg(long, value_name = "V", default_value = "manual-v1")]
        algorithm: String,
        /// What it was computed from, a JSON file whose hash is recorded
        #[arg(long, value_name = "FILE")]
        inputs: Option<PathBuf>,
    },
    /// The components and their sum
    #[command(after_help = "Examples:\n  meed pool list --scope default --epoch 1")]
    List(EpochArgs),
}

/// `meed decisions`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  meed decisions --scope default")]
pub struct DecisionsArgs {
    /// The scope
    #[command(flatten)]
    pub scope: ScopeArg,
}

/// `meed user …`.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a person; prints their id
    #[command(after_help = "\
Examples:
  meed user add --name Alice
  meed user add --id 3f0c1a52-7c3e-4c8e-9a67-0f6a6f4b2d11")]
    Add {
        /// A name to show
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
        /// The person's id, a lower-case UUID [default: a new one]
        #[arg(long, value_name = "UUID")]
        id: Option<String>,
        /// Give the name to a person who is known under another one
        #[arg(long, requires_all = ["name", "id"])]
        rename: bool,
    },
    /// The people, with their accounts
    #[command(after_help = "Examples:\n  meed user list")]
    List,
}

/// `meed whoami`.
#[derive(Debug, Args)]
#[command(after_help = "\
The address is hashed together with the node's id; it is neither kept nor shown. With - it is
read from standard input, so that it stays out of the history of your shell. The ledger knows
whose account it is; a trust file suffices where you have no ledger.

Examples:
  meed whoami --git-email -
  git config user.email | meed whoami --git-email - --trust trust.toml")]
pub struct WhoamiArgs {
    /// The e-mail address of your commits, or - for standard input
    #[arg(long, value_name = "EMAIL")]
    pub git_email: String,
    /// Take the node from this trust file, without a ledger
    #[arg(long, value_name = "TRUST")]
    pub trust: Option<PathBuf>,
}

/// Which account elsewhere.
#[derive(Clone, Debug, Args)]
pub struct IdentityArgs {
    /// Where the account is: discord, ed25519, git, github or wallet
    #[arg(long, value_name = "P")]
    pub provider: String,
    /// The account's permanent id there
    #[arg(long, value_name = "X")]
    pub external_id: String,
}

/// `meed bind`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meed bind --provider github --external-id 42 --user 3f0c1a52-… \\
      --evidence '{\"seen\":\"profile names the user id\"}'")]
pub struct BindArgs {
    /// The account
    #[command(flatten)]
    pub identity: IdentityArgs,
    /// The user's id
    #[arg(long, value_name = "UUID")]
    pub user: String,
    /// What shows it, a JSON object
    #[arg(long, value_name = "JSON")]
    pub evidence: String,
}

/// `meed revoke`.
#[derive(Debug, Args)]
#[command(after_help = "\
Final epochs never change by it. The account can be bound to the same user again.

Examples:
  meed revoke --provider github --external-id 42 \\
      --evidence '{\"reported\":\"account was sold\"}'")]
pub struct RevokeArgs {
    /// The account
    #[command(flatten)]
    pub identity: IdentityArgs,
    /// What shows it, a JSON object
    #[arg(long, value_name = "JSON")]
    pub evidence: String,
}

/// `meed rebind`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meed rebind --provider github --external-id 42 --from 3f0c1a52-… --user 9d2b4c77-… \\
      --evidence '{\"agreed\":\"both wrote so on 2026-11-10\"}'")]
pub struct RebindArgs {
    /// The account
    #[command(flatten)]
    pub identity: IdentityArgs,
    /// The user who has or had the account
    #[arg(long, value_name = "UUID")]
    pub from: String,
    /// The user who gets it
    #[arg(long, value_name = "UUID")]
    pub user: String,
    /// What shows it, a JSON object
    #[arg(long, value_name = "JSON")]
    pub evidence: String,
}

/// `meed erase`.
#[derive(Debug, Args)]
#[command(after_help = "\
Erases names, titles and links of an event, which its leaf binds by a salted hash only: no
proof and no statement changes. The bytes leave the file with the next `meed compact`; backups
that were made before still hold them. A name may still stand in the metadata of other events, and
the accounts that are an event's authors stay: they are part of its leaf.

Examples:
  meed erase --event git:commit:… --reason \"asked for by the person named there\"")]
pub struct EraseArgs {
    /// The event
    #[arg(long, value_name = "ID")]
    pub event: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}
