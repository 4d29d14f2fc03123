//! What a ledger keeps when the disk, the process or a byte fails.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(clippy::missing_panics_doc, reason = "a test fails by panicking")]

mod child;
mod damage;
mod files;
mod kill;
mod life;
mod points;
mod reading;
#[path = "../../../storage/tests/support/mod.rs"]
mod support;
