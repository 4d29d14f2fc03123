//! The GitHub source over real HTTP, against a server that answers the questions of the source from a model of a
//! repository: by the documented schema, with pages as GitHub's, and with whatever goes wrong.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

mod commands;
mod credit;
mod deliveries;
mod earlier;
mod faults;
mod interruptions;
mod model;
mod paging;
mod server;
mod windows;
mod world;
