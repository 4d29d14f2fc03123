//! Schedules: when something is due for a scope, decided from its terms, its epochs and the time alone.

mod cron;
mod plan;

pub use cron::Cron;
pub use plan::{Action, EpochSketch, Situation};
