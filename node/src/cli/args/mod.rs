//! The command line as types: one for each command, with its examples.

mod activity;
mod approval;
mod care;
mod decision;
mod epoch;
mod github;
mod help;
mod node;
mod numbers;
mod run;
mod setup;
mod sign_in;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use activity::{ActivityArgs, CollectArgs, ConflictsArgs, ImportArgs};
pub use approval::{
    DossierArgs, ProofArgs, SignArgs, SignatureCommand, StatementArgs, TrustArgs, VerifierArgs, VerifyArgs,
};
pub use care::{
    BackupArgs, DemoArgs, ExportArgs, ExportFormat, LogCommand, LogName, RestoreArgs, ResumeArgs,
};
pub use decision::{
    AllocateArgs, BindArgs, CurateArgs, DecisionsArgs, EraseArgs, IdentityArgs, PoolCommand, RebindArgs,
    RevokeArgs, UserCommand, WhoamiArgs,
};
pub use epoch::{AmendArgs, CloseArgs, EpochCommand, FreezeArgs, OpenArgs};
pub use github::GithubApiArgs;
pub use help::{CompletionsArgs, ManArgs};
pub use node::{DoctorArgs, ServeArgs, TokenCommand, TokenNewArgs, TokenRevokeArgs};
pub use run::{RunCommand, RunListArgs, RunShowArgs, ScheduleCommand};
pub use setup::{
    ApproversArgs, ConfigureArgs, InitArgs, KeyCommand, KeyNewArgs, KeyPurpose, ScopeAddArgs, ScopeCommand,
    UnlinkedArg,
};
pub use sign_in::SignInArgs;

/// The folder of the ledger where nothing else is said.
pub const DEFAULT_DATA: &str = "./meed-data";

const ABOUT: &str =
    "Keeps the payout ledger of a community, and proves to each contributor what they were paid";

const LONG: &str = "\
What was asked for goes to standard output and nothing else does; notices, questions and
progress go to standard error. An error is two lines, what happened and what to do about it;
with --json it is a problem document (RFC 9457), and a notice is an object with one member.

The ledger is the folder --data, else $MEED_DATA, else ./meed-data. Settings are in its
meed.toml, each also as MEED_… in the environment; NODE_ID names the node.

Exit codes:
  0  done; for verify: verified
  1  refused or failed; for verify: not verified
  2  wrong usage: the command line, or a file that it names and that cannot be read";

const EXAMPLES: &str = "\
Examples:
  meed demo                                   see a whole epoch, on the repository you stand in
  meed init --origin ledger.example.org       begin a ledger
  meed epoch close --help                     what a command does, with examples";

/// Everything that stands on the command line.
#[derive(Debug, Parser)]
#[command(name = "meed", version, about = ABOUT, long_about = format!("{ABOUT}\n\n{LONG}"), after_help = EXAMPLES)]
#[command(disable_help_subcommand = true, arg_required_else_help = true)]
pub struct Cli {
    /// The folder of the ledger [default: $MEED_DATA, else ./meed-data]
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Answer in JSON; errors are problem documents on standard error
    #[arg(long, global = true)]
    pub json: bool,
    /// Who decides, as decisions record it [default: setting `actor`]
    #[arg(long, global = true, value_name = "NAME")]
    pub actor: Option<String>,
    /// A node elsewhere, in place of the folder [default: $MEED_NODE]
    #[arg(long, global = true, value_name = "URL", env = "MEED_NODE", hide_env = true)]
    pub node: Option<String>,
    /// The token for that node; best given as $MEED_TOKEN, where no list of processes shows it
    #[arg(
        long,
        global = true,
        value_name = "TOKEN",
        env = "MEED_TOKEN",
        hide_env = true,
        hide_env_values = true
    )]
    pub token: Option<String>,
    /// A certificate in PEM that vouches for that node, beside those of this machine
    #[arg(long, global = true, value_name = "FILE")]
    pub node_root: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a ledger: its id, its log key, its settings
    Init(InitArgs),
    /// Scopes: what one budget pays for
    #[command(subcommand)]
    Scope(ScopeCommand),
    /// Keys of approvers, witnesses and logs
    #[command(subcommand)]
    Key(KeyCommand),
    /// Take in events from a file, one JSON object a line
    Import(ImportArgs),
    /// Take in events from a git repository, or from GitHub
    Collect(CollectArgs),
    /// The events of an epoch, and what each gives to whom
    Activity(ActivityArgs),
    /// Events that came again with another content, and were kept out
    Conflicts(ConflictsArgs),
    /// The life of an epoch: open, review, final
    #[command(subcommand)]
    Epoch(EpochCommand),
    /// Leave an event out, or weigh or share it otherwise
    Curate(CurateArgs),
    /// Set the final units of a claimant
    Allocate(AllocateArgs),
    /// The parts of an epoch's budget
    #[command(subcommand)]
    Pool(PoolCommand),
    /// Every change that a person made, with who, when and why
    Decisions(DecisionsArgs),
    /// Erase the metadata of an event: names, titles, links
    Erase(EraseArgs),
    /// People
    #[command(subcommand)]
    User(UserCommand),
    /// Record that an account elsewhere is a user's
    Bind(BindArgs),
    /// End the binding of an account
    Revoke(RevokeArgs),
    /// Give an account that was somebody else's to a user, by a decision that names both
    Rebind(RebindArgs),
    /// The key under which you earn, from the e-mail address of your commits
    Whoami(WhoamiArgs),
    /// The statement of an epoch, exactly as it is signed
    Statement(StatementArgs),
    /// All that recomputing an epoch needs, in one file for approvers
    Dossier(DossierArgs),
    /// Approve a statement, offline: recompute it, show it, sign it
    Sign(SignArgs),
    /// Sign in at a node with a key, or sign the text that its page shows
    SignIn(SignInArgs),
    /// Signatures of approvers
    #[command(subcommand)]
    Signature(SignatureCommand),
    /// A file that proves what a claimant gets, or that they are not in the epoch
    Proof(ProofArgs),
    /// The file that a verifier starts from
    Trust(TrustArgs),
    /// Check a proof file against a trust file, without ledger and network
    Verify(VerifyArgs),
    /// The verifier for browsers, as one HTML file to open locally
    Verifier(VerifierArgs),
    /// Check every stored byte, root and proof by computing them again
    #[command(after_help = "\
Names each record that differs, with what was expected. Exit code 1 where there is one.

Examples:
  meed fsck --data /srv/meed")]
    Fsck,
    /// Copy the ledger to a file, and check every record on the way
    Backup(BackupArgs),
    /// Make a ledger folder of a backup
    Restore(RestoreArgs),
    /// Let a restored ledger sign again, after confirming what was published
    Resume(ResumeArgs),
    /// Give unused space of the ledger file back
    #[command(after_help = "Examples:\n  meed compact")]
    Compact,
    /// The allocations of an epoch, for other programs
    Export(ExportArgs),
    /// The node's Merkle logs
    #[command(subcommand)]
    Log(LogCommand),
    /// Run the node: for everybody on a port, for commands on this machine on a socket
    Serve(ServeArgs),
    /// Tokens: what lets others write to the node
    #[command(subcommand)]
    Token(TokenCommand),
    /// Runs: collecting, closing and finalizing, with their steps
    #[command(subcommand)]
    Run(RunCommand),
    /// Schedules: what a node does for its scopes by itself
    #[command(subcommand)]
    Schedule(ScheduleCommand),
    /// Look at all that a node needs: folder, keys, clock, disk, settings, schedules
    Doctor(DoctorArgs),
    /// Completions of this command line, for a shell
    Completions(CompletionsArgs),
    /// The manual page, or one page for each command
    Man(ManArgs),
    /// Play a whole epoch on a real repository, up to a verified payout
    Demo(DemoArgs),
}

/// Which epoch of which scope.
#[derive(Clone, Debug, Args)]
pub struct EpochArgs {
    /// The scope
    #[arg(long, value_name = "KEY")]
    pub scope: String,
    /// The number of the epoch in its scope, from 1
    #[arg(long, value_name = "N", value_parser = numbers::epoch)]
    pub epoch: u64,
}

/// Which scope.
#[derive(Clone, Debug, Args)]
pub struct ScopeArg {
    /// The scope
    #[arg(long, value_name = "KEY")]
    pub scope: String,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    fn leaves(command: &clap::Command, path: &str, found: &mut Vec<(String, String)>) {
        let path = format!("{path} {}", command.get_name());
        let mut below = command.get_subcommands().peekable();
        if below.peek().is_none() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            found.push((path, help));
            return;
        }
        below.for_each(|command| leaves(command, &path, found));
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example_that_begins_with_its_own_words() {
        let mut found = Vec::new();
        leaves(&Cli::command(), "", &mut found);
        assert!(found.len() > 40, "{}", found.len());
        for (path, help) in found {
            let examples =
                help.split("Examples:\n").nth(1).unwrap_or_else(|| panic!("{path} has no example"));
            let first = format!("  {}", path.trim());
            assert!(
                examples.lines().any(|line| line.contains(first.trim())),
                "{path}: no example begins with{first}"
            );
        }
    }
}
