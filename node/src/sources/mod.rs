//! Sources: where events come from. Each reads a real place and hands on checked [`NewEvent`]s; none writes a ledger.
//!
//! * [`git`] reads the history of a local clone with the `git` command.
//! * [`github`] reads pull requests, reviews, issues and comments over the API of GitHub.
//! * [`ndjson`] reads lines that somebody else's program wrote, and [`files`] the files that hold them.
//! * [`sample`] makes a small repository, for a first try where there is none.
//!
//! Architecture invariant: a source reads no clock but the one that it is handed, and never decides what work is worth. What it cannot read
//! it counts and names; nothing is left out silently.
//!
//! [`source`] is what each of them is to a workflow.
//!
//! [`NewEvent`]: meed_audit::event::NewEvent

pub mod files;
pub mod git;
pub mod github;
pub mod ndjson;
pub mod sample;
pub mod source;

pub(crate) mod display;
mod error;

pub use error::{CollectError, SourceError};
