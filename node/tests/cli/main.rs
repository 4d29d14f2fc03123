//! Whole flows through the program: what scripts and people see, and what is refused.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests may fail a test"
)]

mod approvals;
mod care;
mod corrections;
mod demo;
mod doctor;
mod documents;
mod flow;
mod intake;
mod layout;
mod numbers;
mod other_keys;
mod remedies;
mod schedules;
mod setup;
mod showing;
mod signing;
mod support;
mod unit;
