//! Workflows and schedules on a real ledger, with a clock that the tests set: weeks pass in seconds, nodes stop at any
//! point, and what is left goes on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

mod http;
mod interruptions;
mod requests;
mod settings;
mod support;
mod weeks;
