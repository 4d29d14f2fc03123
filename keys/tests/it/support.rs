//! What several test files share.

use std::error::Error;

use meed_keys::{ApproverSet, KeyUse, NoteText, SigningKey};

/// Reads a vector file of `tests/vectors`, which is part of the test binary: this room does no I/O, its tests
/// included.
macro_rules! vectors {
    ($name:literal) => {
        serde_json::from_str(include_str!(concat!("../vectors/", $name))).unwrap()
    };
}
pub(crate) use vectors;

/// An error's message and those of all its sources.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// Asserts that `result` is the error that a vector expects.
pub(crate) fn assert_refused<T, E: Error>(defect: &str, result: Result<T, E>, expected: &str) {
    match result {
        Ok(_) => panic!("{defect}: expected an error with {expected:?}, got none"),
        Err(error) => {
            let got = chain(&error);
            assert!(got.contains(expected), "{defect}: expected an error with {expected:?}, got {got:?}");
        }
    }
}

pub(crate) fn key(name: &str, key_use: KeyUse, seed: u8) -> SigningKey {
    SigningKey::from_seed(name.parse().unwrap(), key_use, [seed; 32])
}

pub(crate) fn approver(name: &str, seed: u8) -> SigningKey {
    key(name, KeyUse::Approver, seed)
}

pub(crate) fn text(text: &str) -> NoteText {
    text.parse().unwrap()
}

/// `threshold` of `keys`.
pub(crate) fn set(threshold: u8, keys: &[&SigningKey]) -> ApproverSet {
    ApproverSet::new(threshold, keys.iter().map(|key| key.verifier_key().clone()).collect()).unwrap()
}
