//! Tampering: whatever is changed in a proof, in what it rests on or in a dossier is refused, at the link that it
//! concerns and for the reason that it is.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test fails as a test does: by stopping it"
)]

mod absence;
mod approvals;
mod bytes;
mod dossier;
mod forms;
mod logs;
mod sets;
mod support;
mod swaps;
mod trust;
mod world;
