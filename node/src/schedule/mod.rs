//! Schedules: when something is due for a scope, decided from its terms, its epochs and the time alone.

mod cron;
mod first_window;
mod plan;

pub use cron::Cron;
pub use first_window::FirstWindow;
pub use plan::{Action, EpochSketch, Situation};
