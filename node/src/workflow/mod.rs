//! Workflows: collecting, closing and finalizing as durable runs, and the schedules that begin them.
//!
//! A run stands in the ledger with each step that was done. A step can be done again without harm, so that a run which
//! was interrupted, by whatever, goes on with the step that was not recorded. [`plan`] decides, from what is recorded
//! alone, what comes next; [`work`] does it; [`Engine`] puts both together; [`start`] gives the engine a thread.
//!
//! Architecture invariant: an engine keeps no state but the settings; the clock is the service's, so that tests let
//! weeks pass in it.

mod engine;
mod plan;
mod requests;
mod schedules;
mod wake;
mod work;
mod worker;

pub use engine::{Engine, Progress, RetryPolicy};
pub use requests::{Answer, Runner};
pub use schedules::Reload;
pub use worker::{EngineHandle, Notify, start};

pub(crate) use schedules::{next_due, windows_not_closed};
pub(crate) use work::PassOutput;
