//! What whole-system tests share: a small deterministic world made by the rulebook alone, and proofs of it.
//!
//! Nothing here stores or serves: a test that uses it checks keys and audit, and the fuzz targets start from it.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a world that cannot be built and a check that does not hold have to stop the test at once"
)]

pub mod checks;
pub mod facts;
pub mod log;
pub mod world;
