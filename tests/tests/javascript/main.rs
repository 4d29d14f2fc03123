//! The verifier in JavaScript, a second implementation of `audit/SPEC.md`, says what the Rust says: of every proof, of
//! everything that the tests of tampering make of one, of trust files, keys and signatures.
//!
//! Both are asked the same questions, and the verdict, the link that fails and the reason are compared. Needs Node.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test fails as a test does: by stopping it"
)]

#[path = "../tamper/absence.rs"]
mod absence;
#[path = "../tamper/approvals.rs"]
mod approvals;
mod bytes;
#[path = "../tamper/forms.rs"]
mod forms;
#[path = "../../../storage/tests/support/mod.rs"]
mod ledger;
mod life;
#[path = "../tamper/logs.rs"]
mod logs;
mod node;
mod programs;
#[path = "../tamper/sets.rs"]
mod sets;
mod signatures;
mod support;
#[path = "../tamper/swaps.rs"]
mod swaps;
mod trust;
