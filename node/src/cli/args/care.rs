//! Arguments of looking after a ledger: `backup`, `restore`, `resume`, `export`, `log`, and `demo`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{EpochArgs, numbers};

/// `meed backup`.
#[derive(Debug, Args)]
#[command(after_help = "\
A backup never holds a secret key: keep a copy of log.key elsewhere, where nobody else can
read it.

Examples:
  meed backup /backups/ledger-2026-11-21.redb")]
pub struct BackupArgs {
    /// Where the copy goes; nothing is overwritten
    pub out: PathBuf,
}

/// `meed restore`.
#[derive(Debug, Args)]
#[command(after_help = "\
The restored ledger can be read at once. It signs nothing before `meed resume`, since entries
that were published after the backup may be missing.

Examples:
  meed restore /backups/ledger-2026-11-21.redb --data ./restored --log-key /safe/log.key")]
pub struct RestoreArgs {
    /// The backup
    pub input: PathBuf,
    /// The node's log key, which is copied into the folder; without it, put it there later as log.key
    #[arg(long, value_name = "FILE")]
    pub log_key: Option<PathBuf>,
}

/// `meed resume`.
#[derive(Debug, Args)]
#[command(after_help = "\
Give the sizes of the last checkpoints that anybody saw. A ledger that holds less is refused:
signing it would show two histories of one log.

Examples:
  meed log checkpoint statements                           size and root in this ledger
  meed resume --events 5120 --statements 14")]
pub struct ResumeArgs {
    /// The last published size of the events log
    #[arg(long, value_name = "N", value_parser = numbers::whole::<u64>)]
    pub events: u64,
    /// The last published size of the statements log
    #[arg(long, value_name = "N", value_parser = numbers::whole::<u64>)]
    pub statements: u64,
}

/// How allocations are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// A header and a line for each claimant (RFC 4180).
    Csv,
    /// The array of allocation leaves.
    Json,
}

/// `meed export`.
#[derive(Debug, Args)]
#[command(after_help = "\
CSV has a header and these columns: claimant; credits, in the smallest unit that is paid;
final_units and proposed_units, in thousandths of a unit; events; override_reason; and then, as
people say it, amount in the scope's unit, that unit, and units. JSON has the leaves of the
statement's tree, all numbers as integers in strings.

Examples:
  meed export --scope default --epoch 1 --format csv > payouts.csv
  meed export --scope default --epoch 1 --format json | jq -r '.[].claimant'")]
pub struct ExportArgs {
    /// The epoch
    #[command(flatten)]
    pub epoch: EpochArgs,
    /// How
    #[arg(long, value_enum)]
    pub format: ExportFormat,
    /// An earlier final revision [default: the one in force]
    #[arg(long, value_name = "R", value_parser = numbers::whole::<u64>)]
    pub revision: Option<u64>,
}

/// One of the node's logs.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogName {
    /// Every raw event.
    Events,
    /// Every statement and approver set, as signed notes.
    Statements,
}

impl LogName {
    /// The name in paths and origins.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Statements => "statements",
        }
    }
}

/// `meed log …`.
#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// The signed checkpoint of a log
    #[command(after_help = "Examples:\n  meed log checkpoint statements")]
    Checkpoint {
        /// Which log
        #[arg(value_enum)]
        log: LogName,
    },
    /// An entry of a log: an event's leaf, or a signed note
    #[command(after_help = "Examples:\n  meed log entry statements 0")]
    Entry {
        /// Which log
        #[arg(value_enum)]
        log: LogName,
        /// The index of the entry, from 0
        #[arg(value_parser = numbers::whole::<u64>)]
        index: u64,
    },
}

/// `meed demo`.
#[derive(Debug, Args)]
#[command(after_help = "\
Makes a node with 2-of-3 approvers, collects the history of the repository, plays the finished
week that has most activity through to a signed and proven payout, and says what to do next.
Run twice it starts anew in a fresh folder.

Examples:
  meed demo
  meed demo --repo ../project --data /tmp/demo
  meed demo --serve 127.0.0.1:8080")]
pub struct DemoArgs {
    /// A folder in a clone [default: the repository you stand in; where there is none, a sample]
    #[arg(long, value_name = "PATH")]
    pub repo: Option<PathBuf>,
    /// Then serve the ledger for reading at this address, until interrupted
    #[arg(long, value_name = "ADDR")]
    pub serve: Option<SocketAddr>,
}
