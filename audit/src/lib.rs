//! The rulebook of meed: what the numbers must be, how they are written down, and how anyone checks them.
//!
//! Everything here is a pure function of its arguments. Architecture invariant: this crate has no I/O, no clock,
//! no randomness, no threads, and no result that depends on the order of a hash map, so that a node, an approver's
//! laptop and an auditor compute the same bytes. `SPEC.md` beside this file says the same for other languages.
//!
//! The way of an event through it: [`event::NewEvent`] at the edge, [`event::Event`] in the log,
//! [`close::EpochInput`] for a closed epoch, [`close::close`] to the statement, [`approve::approve`] when enough
//! approvers have signed, and [`verify::verify`] for the proof that a contributor holds.

mod base64;
mod canonical;
mod sha256;

pub mod activity;
pub mod allocation;
pub mod amount;
pub mod apportion;
pub mod approve;
pub mod approvers;
pub mod checkpoint;
pub mod close;
pub mod decision;
pub mod dossier;
pub mod event;
pub mod hash;
pub mod ids;
pub mod json;
pub mod leaf;
pub mod merkle;
pub mod parallel;
pub mod policy;
pub mod pool;
pub mod proof;
pub mod rejection;
pub mod sign_in;
pub mod statement;
pub mod text;
pub mod time;
pub mod tlog_policy;
pub mod tlog_proof;
pub mod trust;
pub mod verify;
pub mod window;

pub use rejection::{Checked, Rejection, RejectionCode};
