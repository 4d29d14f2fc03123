//! The rules of the ledger, each tested by its name against a ledger in a scratch folder.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

mod activity;
mod amendments;
mod approvers;
mod conflicts;
mod contract;
mod drafts;
mod epochs;
mod flow;
mod identities;
mod later;
mod life;
mod model;
mod overrides;
mod own_accounts;
mod parts;
mod payments;
mod runs;
mod schedules;
mod statements;
#[path = "../support/mod.rs"]
mod support;
