//! Arguments of `init`, `scope` and `key`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::numbers;

/// `meed init`.
#[derive(Debug, Args)]
#[command(after_help = "\
The folder gets ledger.redb, log.key (the node signs its logs with it unattended, so it is not
sealed; mode 0600) and a commented meed.toml. A folder that holds a ledger is refused, and a
failed attempt leaves nothing behind.

Examples:
  meed init --origin ledger.example.org
  NODE_ID=4ff8eac1-4eba-4ed0-931b-b1fe4f64713d meed init --data /srv/meed")]
pub struct InitArgs {
    /// The node's id, a lower-case UUID [default: $NODE_ID, else a new one]
    #[arg(long, value_name = "UUID")]
    pub node_id: Option<String>,
    /// Where the node publishes its logs, without scheme [default: $MEED_ORIGIN, else localhost/<8 digits of the id>]
    #[arg(long, value_name = "NAME")]
    pub origin: Option<String>,
}

/// `meed scope …`.
#[derive(Debug, Subcommand)]
pub enum ScopeCommand {
    /// Add a scope; the same again changes nothing
    Add(ScopeAddArgs),
    /// The scopes of this node
    #[command(after_help = "Examples:\n  meed scope list")]
    List,
    /// A scope, with its terms and its weights
    #[command(after_help = "Examples:\n  meed scope show default")]
    Show {
        /// The scope
        key: String,
    },
    /// Change the terms of later epochs
    Configure(ConfigureArgs),
    /// Show, set or change who approves
    Approvers(ApproversArgs),
    /// End a scope for good, because its approvers are lost
    #[command(after_help = "\
Nothing of the scope changes any more; what is final stays provable.

Examples:
  meed scope end default --reason \"two of three approvers lost their keys\"")]
    End {
        /// The scope
        key: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// What happens to the units of accounts that nobody has bound.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum UnlinkedArg {
    /// They earn under the account's own name.
    Claim,
    /// They are left out until bound; their units go to nobody.
    Exclude,
}

/// `meed scope add`.
#[derive(Debug, Args)]
#[command(after_help = "\
Without --weights the default table is used and printed; a weights file is one JSON object
from \"<source>:<event_type>\" to milli-units, integers or decimal strings:  {\"git:commit\":
1000, \"git:review\": 500}

Examples:
  meed scope add default --base-issuance 10000
  meed scope add tools --unit USDC --decimals 6 --base-issuance 5000000000 \\
      --weights weights.json
  meed scope add bounties --unlinked exclude --window-days 28")]
pub struct ScopeAddArgs {
    /// The scope: a lower-case letter, then at most 31 of a-z, 0-9 and -
    pub key: String,
    /// What happens to the units of accounts that nobody has bound
    #[arg(long, value_enum, default_value = "claim")]
    pub unlinked: UnlinkedArg,
    /// What each type of event weighs [default: a table, which is printed]
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// What `epoch open` puts into each pool as base_issuance; without it, `pool add` must
    #[arg(long, value_name = "N")]
    pub base_issuance: Option<String>,
    /// What is paid; fixed from now on [default: credits]
    #[arg(long, value_name = "SYMBOL")]
    pub unit: Option<String>,
    /// How many decimals people see; fixed from now on
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = numbers::whole::<u8>)]
    pub decimals: u8,
    /// The length of an epoch, a multiple of 7
    #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = numbers::whole::<u32>)]
    pub window_days: u32,
}

/// `meed scope configure`.
#[derive(Debug, Args)]
#[command(after_help = "\
Epochs that are open or closed keep the terms with which they opened.

Examples:
  meed scope configure default --weights weights.json
  meed scope configure default --base-issuance 12000 --window-days 14")]
pub struct ConfigureArgs {
    /// The scope
    pub key: String,
    /// What happens to the units of accounts that nobody has bound
    #[arg(long, value_enum)]
    pub unlinked: Option<UnlinkedArg>,
    /// What each type of event weighs
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// What `epoch open` puts into each pool as base_issuance
    #[arg(long, value_name = "N", conflicts_with = "no_base_issuance")]
    pub base_issuance: Option<String>,
    /// Put nothing into the pool when an epoch opens
    #[arg(long)]
    pub no_base_issuance: bool,
    /// The length of an epoch, a multiple of 7
    #[arg(long, value_name = "DAYS", value_parser = numbers::whole::<u32>)]
    pub window_days: Option<u32>,
}

/// `meed scope approvers`.
#[derive(Debug, Args)]
#[command(after_help = "\
The first set is in force at once. A later one is a draft: --draft prints its text, approvers
sign that with `meed sign`, and `meed signature add --approvers` completes it when k of the
old set and each new member have signed.

Examples:
  meed scope approvers default                        the set in force
  meed scope approvers default --threshold 2 \\
      --key \"$ALICE\" --key \"$BOB\" --key \"$CAROL\"
  meed scope approvers default --draft > set.draft    then: meed sign set.draft --key alice.key")]
pub struct ApproversArgs {
    /// The scope
    pub scope: String,
    /// How many of the approvers must sign
    #[arg(long, value_name = "K", requires = "keys", conflicts_with = "draft")]
    #[arg(value_parser = numbers::whole::<u8>)]
    pub threshold: Option<u8>,
    /// The public keys of all approvers, as `meed key new` printed them
    #[arg(long = "key", value_name = "VKEY", num_args = 1.., requires = "threshold")]
    pub keys: Vec<String>,
    /// Print the text of the set that is proposed, as approvers sign it
    #[arg(long)]
    pub draft: bool,
}

/// `meed key …`.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key; prints its public key on one line
    New(KeyNewArgs),
    /// The public key of a key file
    #[command(after_help = "Examples:\n  meed key show alice.key")]
    Show {
        /// The key file
        file: PathBuf,
    },
}

/// What a key is for: one key has one use.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum KeyPurpose {
    /// Approves statements and approver sets.
    Approver,
    /// Cosigns the checkpoints of logs.
    Witness,
    /// Signs the logs of a node.
    Log,
}

/// `meed key new`.
#[derive(Debug, Args)]
#[command(after_help = "\
The file holds the secret, sealed with a passphrase that is asked for twice in the terminal,
and is readable by its owner alone. Keep a copy: a lost key cannot be made again. Keep an
approver's key off the node.

Examples:
  meed key new alice --out alice.key
  meed key new ci.example --out ci.key --passphrase-file passphrase.txt
  meed key new witness.example.org/w1 --for witness --out w1.key --no-passphrase")]
pub struct KeyNewArgs {
    /// The name under which the key signs: visible ASCII without space and +
    pub name: String,
    /// Where the key file goes; nothing is overwritten
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// What the key is for
    #[arg(long = "for", value_enum, default_value = "approver", value_name = "USE")]
    pub purpose: KeyPurpose,
    /// Do not seal the secret: whoever can read the file can sign
    #[arg(long, conflicts_with = "passphrase_file")]
    pub no_passphrase: bool,
    /// Take the passphrase from the first line of this file
    #[arg(long, value_name = "F")]
    pub passphrase_file: Option<PathBuf>,
}
