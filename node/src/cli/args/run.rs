//! Arguments of `run` and `schedule`.

use clap::{Args, Subcommand};

use super::ScopeArg;

/// `meed run …`.
#[derive(Debug, Subcommand)]
pub enum RunCommand {
    /// The newest runs: what they do, for whom, and how they stand
    List(RunListArgs),
    /// A run: its steps, what its sources have and what was stored, why it failed
    Show(RunShowArgs),
}

/// `meed run list`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meed run list
  meed run list --scope default --limit 5")]
pub struct RunListArgs {
    /// Those of one scope only
    #[arg(long, value_name = "KEY")]
    pub scope: Option<String>,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub limit: u64,
}

/// `meed run show`.
#[derive(Debug, Args)]
#[command(after_help = "\
A run's id says what is done: collect-SCOPE-START-END, close-SCOPE-EPOCH or
finalize-SCOPE-EPOCH. A collection without --since begins at `begin`, one without --until
ends at `end`. Asked for again after it has ended, it is another attempt.

Examples:
  meed run show finalize-default-1
  meed run show collect-default-2026-11-09-2026-11-16
  meed run show close-default-12 --attempt 1")]
pub struct RunShowArgs {
    /// Its id, as `meed run list` shows it
    pub id: String,
    /// Which attempt [default: the newest]
    #[arg(long, value_name = "N")]
    pub attempt: Option<u32>,
}

/// `meed schedule …`.
#[derive(Debug, Subcommand)]
pub enum ScheduleCommand {
    /// What the node does for each scope by itself, when, and what keeps it from it
    #[command(after_help = "Examples:\n  meed schedule list")]
    List,
    /// Do now what is due, try again what failed, and collect
    #[command(after_help = "\
While a node serves, the run goes on there and `meed run show` follows it; without one,
all is done before this command ends, which fails where the run did.

Examples:
  meed schedule run --scope default")]
    Run(ScopeArg),
    /// Do nothing for a scope by itself any more
    #[command(after_help = "Examples:\n  meed schedule pause --scope default")]
    Pause(ScopeArg),
    /// Go on, and make up for what fell due meanwhile
    #[command(after_help = "Examples:\n  meed schedule resume --scope default")]
    Resume(ScopeArg),
}
