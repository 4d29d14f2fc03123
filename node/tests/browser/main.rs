//! The node's pages in a browser: what people see, reach by keyboard, and are told about a proof.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests may fail a test"
)]

mod driver;
mod operating;
mod pages;
mod reviewing;
#[allow(dead_code, reason = "these tests need little of it")]
#[path = "../serve/signers.rs"]
mod signers;
mod signing_in;
mod stage;
#[allow(dead_code, reason = "these tests need little of it")]
#[path = "../cli/support.rs"]
mod support;
mod verifying;
