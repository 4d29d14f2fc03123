//! What the benches and the comparisons share: the events, and a ledger that takes them.

pub mod meed_side;
pub mod workload;
