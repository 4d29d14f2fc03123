//! Approver sets and quorums beyond the vectors: exhaustive small worlds.

use meed_keys::error::{ApproverSetError, QuorumError};
use meed_keys::limits::MAX_APPROVERS;
use meed_keys::{ApproverSet, KeyUse, SignatureLine, SigningKey, SigningWindow, VerifierKey};

use crate::support::{approver, key, set, text};

fn approvers(count: u8) -> Vec<SigningKey> {
    (0..count).map(|number| approver(&format!("approver-{number:02}.example"), number + 1)).collect()
}

fn vkeys(keys: &[SigningKey]) -> Vec<VerifierKey> {
    keys.iter().map(|key| key.verifier_key().clone()).collect()
}

#[test]
fn every_k_of_n_from_1_to_15_and_no_other() {
    let keys = approvers(16);
    for members in 0..=16_u8 {
        let some = vkeys(&keys[..usize::from(members)]);
        for threshold in 0..=17_u8 {
            let result = ApproverSet::new(threshold, some.clone());
            let is_good = (1..=15).contains(&members) && (1..=members).contains(&threshold);
            assert_eq!(result.is_ok(), is_good, "{threshold} of {members}");
            if let Ok(set) = result {
                assert_eq!((set.threshold(), set.len()), (threshold, usize::from(members)));
                assert_eq!(set.is_weak_majority(), 2 * threshold <= members, "{threshold} of {members}");
                let lines = set.to_lines();
                assert_eq!(lines[0], format!("Threshold: {threshold} of {members}"));
                let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
                assert_eq!(ApproverSet::from_lines(&lines), Ok(set));
            }
        }
    }
    assert_eq!(MAX_APPROVERS, 15);
}

#[test]
fn members_are_sorted_by_name_and_found() {
    let (a, b, c) = (approver("a", 1), approver("B", 2), approver("a.x", 3));
    let set = set(2, &[&c, &a, &b]);
    let names: Vec<&str> = set.approvers().iter().map(|key| key.name().as_str()).collect();
    assert_eq!(names, ["B", "a", "a.x"], "by bytes");
    let line = c.cosign(&text("t\n"), 1).unwrap();
    assert_eq!(set.find_signer(&line), Some(c.verifier_key()));
    assert_eq!(set.find_signer(&approver("a.x", 4).cosign(&text("t\n"), 1).unwrap()), None);
}

#[test]
fn one_key_under_two_names_and_two_keys_under_one_are_refused() {
    let (alice, alias) = (approver("alice", 1), approver("alias", 1));
    let keys = |keys: &[&SigningKey]| keys.iter().map(|key| key.verifier_key().clone()).collect::<Vec<_>>();
    assert_eq!(
        ApproverSet::new(1, keys(&[&alice, &alias])),
        Err(ApproverSetError::DuplicateKey {
            first: "alias".parse().unwrap(),
            second: "alice".parse().unwrap()
        })
    );
    assert_eq!(
        ApproverSet::new(1, keys(&[&alice, &approver("alice", 2)])),
        Err(ApproverSetError::DuplicateName { name: "alice".parse().unwrap() })
    );
    assert_eq!(
        ApproverSet::new(1, keys(&[&alice, &alice])),
        Err(ApproverSetError::DuplicateName { name: "alice".parse().unwrap() })
    );
    let log = key("log", KeyUse::Log, 3);
    assert!(matches!(ApproverSet::new(1, keys(&[&alice, &log])), Err(ApproverSetError::Algorithm { .. })));
}

/// Every subset of five approvers under every threshold: a quorum exactly where the subset is large enough.
#[test]
fn a_quorum_is_k_distinct_members_and_nothing_else() {
    let keys = approvers(5);
    let body = text("statement\n");
    let lines: Vec<SignatureLine> =
        (1_000..).zip(&keys).map(|(seconds, key)| key.cosign(&body, seconds).unwrap()).collect();
    let window = SigningWindow { after_ms: 999_999, until_ms: 1_004_000 };
    for threshold in 1..=5_u8 {
        let set = ApproverSet::new(threshold, vkeys(&keys)).unwrap();
        for subset in 0..32_usize {
            let chosen: Vec<SignatureLine> =
                (0..5).filter(|bit| subset & (1 << bit) != 0).map(|bit| lines[bit].clone()).collect();
            match set.check_quorum(&body, &chosen, window) {
                Ok(quorum) => {
                    assert!(chosen.len() >= usize::from(threshold));
                    let names: Vec<_> = quorum.approvals().iter().map(|one| one.name().clone()).collect();
                    assert_eq!(names, chosen.iter().map(|line| line.name().clone()).collect::<Vec<_>>());
                }
                Err(error) => {
                    assert!(chosen.len() < usize::from(threshold), "{error}");
                    let expected = usize::from(threshold);
                    assert_eq!(error, QuorumError::TooFew { expected, members: 5, got: chosen.len() });
                }
            }
        }
    }
}

#[test]
fn an_approval_carries_who_and_when() {
    let alice = approver("alice", 1);
    let set = set(1, &[&alice]);
    let body = text("statement\n");
    let line = alice.cosign(&body, 1_796_000_000).unwrap();
    let window = SigningWindow { after_ms: 0, until_ms: 1_796_000_000_000 };
    let quorum = set.check_quorum(&body, &[line], window).unwrap();
    let approval = &quorum.approvals()[0];
    assert_eq!(approval.name(), alice.name());
    assert_eq!(approval.public_key(), alice.public_key());
    assert_eq!(approval.time_seconds(), 1_796_000_000);
}

#[test]
fn the_window_is_open_at_its_start_and_closed_at_its_end() {
    let alice = approver("alice", 1);
    let set = set(1, &[&alice]);
    let body = text("statement\n");
    let line = alice.cosign(&body, 100).unwrap();
    let check = |after_ms, until_ms| set.check_approval(&body, &line, SigningWindow { after_ms, until_ms });
    assert!(check(99_999, 100_000).is_ok());
    assert!(matches!(check(100_000, 200_000), Err(QuorumError::TooEarly { got_seconds: 100, .. })));
    assert!(matches!(check(0, 99_999), Err(QuorumError::TooLate { until_ms: 99_999, got_seconds: 100, .. })));
    assert!(check(i64::MIN, i64::MAX).is_ok());
}
