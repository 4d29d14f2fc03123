//! Arguments of signing in: `sign-in`.

use std::path::PathBuf;

use clap::Args;

/// `meed sign-in`.
#[derive(Debug, Args)]
#[command(after_help = "\
With --node it asks that node for a text, shows it, signs it with the key and prints the secret of a
session, which is used as a token is, for at most 12 hours. With --text it signs a text that a page
showed on another machine, without network, and prints the signature to paste there. What is signed
can never be taken for an approval: use the key with which you approve, or one of your own.

Examples:
  meed sign-in --node https://ledger.example.org --key ana.key
  MEED_TOKEN=$(meed sign-in --node https://ledger.example.org --key ana.key --yes)
  meed sign-in --text sign-in.txt --key ana.key")]
pub struct SignInArgs {
    /// The key file
    #[arg(long, value_name = "KEYFILE")]
    pub key: PathBuf,
    /// Sign the text in this file and ask no node; - for standard input
    #[arg(long, value_name = "FILE")]
    pub text: Option<PathBuf>,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Take the passphrase of the key from the first line of this file
    #[arg(long, value_name = "F")]
    pub passphrase_file: Option<PathBuf>,
}
