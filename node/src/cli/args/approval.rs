//! Arguments of approving and proving: `statement`, `dossier`, `sign`, `signature`, `proof`, `trust`, `verify`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{EpochArgs, ScopeArg, numbers};

/// `meed statement`.
#[derive(Debug, Args)]
#[command(after_help = "\
Prints exactly the bytes of the frozen draft or of the final statement, signatures and all.

Examples:
  meed statement --scope default --epoch 1
  meed statement --scope default --epoch 1 --preview   what a freeze would give now, unsigned
  meed statement --scope default --epoch 1 --policy    a C2SP tlog-policy for stock tools")]
pub struct StatementArgs {
    /// The epoch
    #[command(flatten)]
    pub epoch: EpochArgs,
    /// The statement that a freeze would give now
    #[arg(long, conflicts_with_all = ["policy", "revision"])]
    pub preview: bool,
    /// The statement's tlog-policy: node, approvers, k of n
    #[arg(long)]
    pub policy: bool,
    /// An earlier final revision or draft [default: the current draft, else the statement in force]
    #[arg(long, value_name = "R", value_parser = numbers::whole::<u64>)]
    pub revision: Option<u64>,
}

/// `meed dossier`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meed dossier --scope default --epoch 1 --out epoch-1.dossier")]
pub struct DossierArgs {
    /// The epoch
    #[command(flatten)]
    pub epoch: EpochArgs,
    /// Where the file goes; nothing is overwritten
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// `meed sign`.
#[derive(Debug, Args)]
#[command(after_help = "\
Computes the epoch again from the dossier and refuses unless every byte of the statement is
equal, the key is in the set, the time is right, and all that was seen before still holds.
What a key has signed is kept beside it, in KEYFILE.signed.json: one text for one place, ever.
Only the signature line goes to standard output. The draft of an approver set is signed the
same way. A bare statement takes --blind: nothing of it can be checked.

Examples:
  meed sign epoch-1.dossier --key alice.key > alice.sig
  meed sign epoch-1.dossier --key ci.key --passphrase-file passphrase.txt --yes
  meed sign set.draft --key alice.key")]
pub struct SignArgs {
    /// The dossier, or the draft of an approver set
    pub dossier: PathBuf,
    /// The approver's key file
    #[arg(long, value_name = "KEYFILE")]
    pub key: PathBuf,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Sign a bare statement text without recomputing anything
    #[arg(long)]
    pub blind: bool,
    /// Take the passphrase of the key from the first line of this file
    #[arg(long, value_name = "F")]
    pub passphrase_file: Option<PathBuf>,
}

/// `meed signature …`.
#[derive(Debug, Subcommand)]
pub enum SignatureCommand {
    /// Add the signatures of a file: a signature line, several, or a whole note
    #[command(after_help = "\
FILE may be - for standard input.

Examples:
  meed signature add --scope default --epoch 1 alice.sig
  meed sign epoch-1.dossier --key bob.key | meed signature add --scope default --epoch 1 -
  meed signature add --scope default --approvers alice.sig      to the proposed approver set")]
    Add {
        /// The scope
        #[command(flatten)]
        scope: ScopeArg,
        /// The number of the epoch
        #[arg(long, value_name = "N", required_unless_present = "approvers", conflicts_with = "approvers")]
        #[arg(value_parser = numbers::epoch)]
        epoch: Option<u64>,
        /// The signatures are of the approver set that is proposed
        #[arg(long)]
        approvers: bool,
        /// The file
        file: PathBuf,
    },
    /// The signatures of an epoch's current draft, and those kept of older ones
    #[command(after_help = "Examples:\n  meed signature list --scope default --epoch 1")]
    List(EpochArgs),
}

/// `meed proof`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meed proof --scope default --epoch 1 --claimant identity:github:42 --out mine.payout.json
  meed proof --scope default --epoch 1 --claimant user:3f0c1a52-…")]
pub struct ProofArgs {
    /// The epoch
    #[command(flatten)]
    pub epoch: EpochArgs,
    /// Who: user:<uuid> or identity:<provider>:<external id>
    #[arg(long, value_name = "C")]
    pub claimant: String,
    /// Where the file goes; nothing is overwritten [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// An earlier final revision [default: the one in force]
    #[arg(long, value_name = "R", value_parser = numbers::whole::<u64>)]
    pub revision: Option<u64>,
}

/// `meed trust`.
#[derive(Debug, Args)]
#[command(after_help = "\
It pins the node, the first approver set and the log's key. Compare its fingerprint with
others before you rely on it.

Examples:
  meed trust --scope default --out trust.toml")]
pub struct TrustArgs {
    /// The scope
    #[command(flatten)]
    pub scope: ScopeArg,
    /// Where the file goes; nothing is overwritten [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `meed verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 verified, 1 not verified, 2 wrong usage.

Examples:
  meed verify mine.payout.json --trust trust.toml
  meed verify mine.payout.json --trust trust.toml --json | jq .verified")]
pub struct VerifyArgs {
    /// The proof file
    pub proof: PathBuf,
    /// The trust file
    #[arg(long, value_name = "TRUST")]
    pub trust: PathBuf,
}

/// `meed verifier`.
#[derive(Debug, Args)]
#[command(after_help = "\
The file is a second implementation of `meed verify`, in JavaScript. Open it in a browser and
drop a proof file and a trust file on it: it asks nothing of any server. Node runs the same
code on the command line, see node/web/verifier/cli.mjs.

Examples:
  meed verifier --out meed-verifier.html")]
pub struct VerifierArgs {
    /// Where the file goes; nothing is overwritten [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}
