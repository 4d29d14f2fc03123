//! Arguments of `epoch`.

use clap::{Args, Subcommand};

use super::{EpochArgs, ScopeArg, numbers};

/// `meed epoch …`.
#[derive(Debug, Subcommand)]
pub enum EpochCommand {
    /// Open the window that holds a time
    Open(OpenArgs),
    /// The epochs of a scope
    #[command(after_help = "Examples:\n  meed epoch list --scope default")]
    List(ScopeArg),
    /// An epoch: its state, its pool, its drafts and their signatures
    #[command(after_help = "Examples:\n  meed epoch show --scope default --epoch 1")]
    Show(EpochArgs),
    /// End the taking in of events: from now on the epoch is in review
    Close(CloseArgs),
    /// Fix a draft that approvers can sign, with the next revision
    Freeze(FreezeArgs),
    /// Make the signed draft final
    Finalize(FinalizeArgs),
    /// Begin to correct a final epoch
    Amend(AmendArgs),
}

/// `meed epoch open`.
#[derive(Debug, Args)]
#[command(after_help = "\
Windows begin on Mondays at 00:00 UTC. One epoch of a scope is open at a time.

Examples:
  meed epoch open --scope default --at 2026-11-10
  meed epoch open --scope default --at 2026-11-10T00:00:00Z")]
pub struct OpenArgs {
    /// The scope
    #[command(flatten)]
    pub scope: ScopeArg,
    /// A time in the window; a day alone is its first moment in UTC
    #[arg(long, value_name = "TIME")]
    pub at: String,
    /// How many windows are left out since the last epoch: what happened in them joins this one,
    /// and they can never be opened. Before the first epoch: since the earliest event, and no epoch
    /// takes what happened in them
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = numbers::whole::<u64>)]
    pub skip: u64,
    /// Open a window that begins after now
    #[arg(long)]
    pub ahead: bool,
}

/// `meed epoch close`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meed epoch close --scope default --epoch 1
  meed epoch close --scope default --epoch 1 --early --reason \"the project ends today\"
  meed epoch close --scope default --epoch 1 --accept-gap \"the old chat server is gone\"")]
pub struct CloseArgs {
    /// The epoch
    #[command(flatten)]
    pub epoch: EpochArgs,
    /// Close before the window has ended
    #[arg(long, requires = "reason")]
    pub early: bool,
    /// Why it is closed early
    #[arg(long, value_name = "TEXT", requires = "early")]
    pub reason: Option<String>,
    /// Close although a source has more of the window than was collected, and why: a decision
    #[arg(long, value_name = "REASON")]
    pub accept_gap: Option<String>,
}

/// `meed epoch freeze`.
#[derive(Debug, Args)]
#[command(after_help = "\
A draft does not hold what is decided after it: the next one does, and needs signatures of its
own, since those of an older revision are kept and never count. A draft with later decisions is
finalized only where they are left out on purpose (`meed epoch finalize --leave-out-later`).
Where nothing has changed, the draft that is offered stays.

Examples:
  meed epoch freeze --scope default --epoch 1
  meed epoch freeze --scope default --epoch 1 --sign-by-days 30")]
pub struct FreezeArgs {
    /// The epoch
    #[command(flatten)]
    pub epoch: EpochArgs,
    /// How long signatures are taken [default: the setting `sign_by_days`, else 14]
    #[arg(long, value_name = "DAYS", value_parser = numbers::whole::<u32>)]
    pub sign_by_days: Option<u32>,
    /// Take the next revision although nothing has changed
    #[arg(long)]
    pub again: bool,
}

/// `meed epoch finalize`.
#[derive(Debug, Args)]
#[command(after_help = "\
Recomputes the epoch, compares every byte with what was signed, and stores all or nothing; it
cannot be undone. Again: the same answer. Where decisions were made after the draft it refuses,
unless they are to be left out.

Examples:
  meed epoch finalize --scope default --epoch 1
  meed epoch finalize --scope default --epoch 1 --leave-out-later")]
pub struct FinalizeArgs {
    /// The epoch
    #[command(flatten)]
    pub epoch: EpochArgs,
    /// Finalize although decisions were made after the draft, which it does not hold
    #[arg(long)]
    pub leave_out_later: bool,
}

/// `meed epoch amend`.
#[derive(Debug, Args)]
#[command(after_help = "\
The final statement stays in force until a corrected one is frozen, signed and finalized. An
amendment that is given up takes with it what was decided in it; its drafts and signatures
stay readable, and the next amendment takes the next revision.

Examples:
  meed epoch amend --scope default --epoch 1 \\
      --reason \"two reviews were counted for the wrong person\"
  meed epoch amend --scope default --epoch 1 --give-up --reason \"they were right after all\"")]
pub struct AmendArgs {
    /// The epoch
    #[command(flatten)]
    pub epoch: EpochArgs,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Give up the amendment that is under way: the epoch stays final as it was
    #[arg(long)]
    pub give_up: bool,
}
