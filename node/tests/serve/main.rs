//! A node that serves: commands on its machine go on as before, others write with tokens, people sign in, and it ends
//! without losing what it acknowledged.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests may fail a test"
)]

mod collecting;
mod epochs;
mod hostile;
mod pages;
mod review;
mod running;
mod sign_in;
mod signers;
mod support;
mod tls;
mod unbound;
