//! What whole-system tests share: a small deterministic world made by the rulebook alone, and proofs of it.
//!
//! Nothing here stores or serves: a test that uses it checks keys and audit, and the fuzz targets start from it.
#![expect(clippy::expect_used, reason = "a world that cannot be built has to stop the test at once")]

pub mod facts;
pub mod log;
pub mod world;
