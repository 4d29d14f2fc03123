//! The rules of the ledger, each tested by its name against a ledger in a scratch folder.

mod activity;
mod amendments;
mod approvers;
mod contract;
mod drafts;
mod epochs;
mod flow;
mod identities;
mod life;
mod model;
#[path = "../support/mod.rs"]
mod support;
