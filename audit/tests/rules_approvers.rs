//! The chain of a scope's approver sets: what may follow what, and whose cosignatures it takes.
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

mod rules_support;

use meed_audit::RejectionCode::{self, *};
use meed_audit::approvers::ApproverSetText;
use meed_audit::hash::Hash;
use meed_audit::ids::SetVersion;
use meed_keys::{ApproverSet, Note, NoteText, SignatureLine, VerifierKey};
use rules_support::*;

type Signer = (&'static str, u8);

const ALICE: Signer = ("alice", 1);
const BOB: Signer = ("bob", 2);
const CAROL: Signer = ("carol", 3);
const DORA: Signer = ("dora", 4);
const EMIL: Signer = ("emil", 5);

fn set(threshold: u8, members: &[Signer]) -> ApproverSet {
    let keys: Vec<VerifierKey> = members.iter().map(|(name, seed)| verifier(name, *seed)).collect();
    ApproverSet::new(threshold, keys).expect("a set")
}

/// The version after 2 of alice, bob and carol, with this set.
fn second(set: ApproverSet) -> ApproverSetText {
    ApproverSetText::next(&scope_name(), &[approvers().leaf_hash()], set).expect("version 2")
}

fn cosign(text: &NoteText, signers: &[Signer]) -> Vec<SignatureLine> {
    let second = at("2026-11-18T08:00:00Z").as_seconds();
    signers.iter().map(|(name, seed)| approver(name, *seed).cosign(text, second).expect("signs")).collect()
}

/// The text with the node's line and these approvers'.
fn note(next: &ApproverSetText, signers: &[Signer]) -> Note {
    let text = next.note_text().expect("text");
    let node = log_key_as(&next.origin_line()).sign_note(&text).expect("signs");
    let lines = [vec![node], cosign(&text, signers)].concat();
    Note::new(text, lines).expect("note")
}

fn follows(next: &ApproverSetText, signers: &[Signer]) -> Result<(), RejectionCode> {
    check(next, &note(next, signers))
}

fn check(next: &ApproverSetText, note: &Note) -> Result<(), RejectionCode> {
    let leaves = [approvers().leaf_hash()];
    approvers()
        .check_successor(&leaves, next, note, log_key().public_key())
        .map_err(|rejection| rejection.code)
}

#[test]
fn approvers_per_scope() {
    let next = second(set(2, &[ALICE, CAROL, DORA, EMIL]));
    // k of the old set, and each new member.
    assert_eq!(follows(&next, &[ALICE, BOB, DORA, EMIL]), Ok(()));
    assert_eq!(follows(&next, &[ALICE, CAROL, DORA, EMIL]), Ok(()));
    assert_eq!(follows(&next, &[ALICE, BOB, CAROL, DORA, EMIL]), Ok(()));
    assert_eq!(follows(&next, &[ALICE, BOB, DORA]), Err(QuorumMissing), "emil has not signed");
    assert_eq!(follows(&next, &[ALICE, BOB, EMIL]), Err(QuorumMissing), "dora has not signed");
    assert_eq!(follows(&next, &[ALICE, DORA, EMIL]), Err(QuorumMissing), "1 of the old set is below 2");
    assert_eq!(follows(&next, &[DORA, EMIL]), Err(QuorumMissing));
    assert_eq!(follows(&next, &[]), Err(QuorumMissing));
    assert_eq!(follows(&next, &[ALICE, BOB, DORA, EMIL, ("mallory", 6)]), Err(SignerUnknown));
    assert_eq!(follows(&next, &[ALICE, BOB, DORA, EMIL, DORA]), Err(SignerTwice));
    assert_eq!(follows(&next, &[ALICE, ALICE, DORA, EMIL]), Err(SignerTwice), "twice is not two");
}

#[test]
fn a_smaller_set_takes_the_old_ones_quorum() {
    let next = second(set(1, &[ALICE]));
    assert_eq!(follows(&next, &[BOB, CAROL]), Ok(()), "those who go may decide it");
    assert_eq!(
        follows(&next, &[ALICE]),
        Err(QuorumMissing),
        "1 suffices for the new set, not for the old one"
    );
}

#[test]
fn a_new_key_under_an_old_name_is_a_new_member() {
    let renewed = ("carol", 7);
    let next = second(set(2, &[ALICE, BOB, renewed]));
    assert_eq!(follows(&next, &[ALICE, BOB, renewed]), Ok(()));
    assert_eq!(follows(&next, &[ALICE, BOB]), Err(QuorumMissing), "the new key has not signed");
    assert_eq!(follows(&next, &[ALICE, BOB, CAROL]), Err(QuorumMissing), "the old key does not speak for it");
    assert_eq!(follows(&next, &[ALICE, CAROL, renewed]), Ok(()), "the old key counts for the old set");
    // The same key under another name has to sign under that name, and counts once.
    let other_name = ("cleo", 3);
    let next = second(set(2, &[ALICE, BOB, other_name]));
    assert_eq!(follows(&next, &[ALICE, BOB, other_name]), Ok(()));
    assert_eq!(follows(&next, &[ALICE, CAROL]), Err(QuorumMissing));
    assert_eq!(follows(&next, &[ALICE, CAROL, other_name]), Err(SignerTwice));
}

#[test]
fn the_tree_of_versions_only_grows() {
    let signers = [ALICE, BOB];
    let good = second(set(1, &[ALICE, BOB]));
    assert_eq!(follows(&good, &signers), Ok(()));
    let mut wrong = good.clone();
    wrong.root = Hash::of(b"another history");
    assert_eq!(follows(&wrong, &signers), Err(Mismatch), "another root");
    wrong = good.clone();
    wrong.version = SetVersion::new(3).expect("3");
    assert_eq!(follows(&wrong, &signers), Err(Mismatch), "a version left out");
    let first_again = ApproverSetText::next(&scope_name(), &[], set(1, &[ALICE, BOB])).expect("version 1");
    assert_eq!(follows(&first_again, &signers), Err(Mismatch), "version 1 again");
    let leaves = [approvers().leaf_hash(), good.leaf_hash()];
    let third = ApproverSetText::next(&scope_name(), &leaves, set(2, &[ALICE, BOB])).expect("version 3");
    assert_eq!(follows(&third, &signers), Err(Mismatch), "version 3 after version 1");
    let chained = good.check_successor(&leaves, &third, &note(&third, &[ALICE]), log_key().public_key());
    assert_eq!(chained, Ok(()), "version 3 after version 2, by 1 of 2");
    let mut elsewhere = scope_name();
    elsewhere.key = "other".parse().expect("key");
    let other =
        ApproverSetText::next(&elsewhere, &[approvers().leaf_hash()], good.set.clone()).expect("text");
    assert_eq!(follows(&other, &signers), Err(Mismatch), "another scope");
}

#[test]
fn a_change_is_signed_for_its_own_text_and_issued_by_the_node() {
    let next = second(set(1, &[ALICE, BOB]));
    let other = second(set(1, &[ALICE, BOB, CAROL]));
    assert_eq!(check(&next, &note(&other, &[ALICE, BOB])), Err(Mismatch), "the note of another text");
    let text = next.note_text().expect("text");
    let foreign = cosign(&other.note_text().expect("text"), &[ALICE, BOB]);
    let node = log_key_as(&next.origin_line()).sign_note(&text).expect("signs");
    let moved = Note::new(text.clone(), [vec![node.clone()], foreign].concat()).expect("note");
    assert_eq!(check(&next, &moved), Err(SignatureInvalid), "cosignatures of another text");
    let unissued = Note::new(text.clone(), cosign(&text, &[ALICE, BOB])).expect("note");
    assert_eq!(check(&next, &unissued), Err(SignatureInvalid), "without the node's line");
    let by_note = approver("alice", 1).cosign(&text, 0).expect("signs");
    let timeless = Note::new(text, vec![node, by_note]).expect("note");
    assert_eq!(check(&next, &timeless), Err(SignatureOutOfTime), "without a time");
}

#[test]
fn sets_have_one_spelling() {
    let text = second(set(2, &[ALICE, CAROL, DORA])).to_string();
    assert_eq!(text.parse::<ApproverSetText>().expect("parses").to_string(), text);
    let lines: Vec<&str> = text.lines().collect();
    for place in 0..lines.len() {
        let without: String =
            (0..lines.len()).filter(|i| *i != place).map(|i| format!("{}\n", lines[i])).collect();
        assert!(without.parse::<ApproverSetText>().is_err(), "without {:?}", lines[place]);
    }
    let (alice, carol) = (verifier("alice", 1).to_string(), verifier("carol", 3).to_string());
    let dora = verifier("dora", 4).to_string();
    for (from, to) in [
        ("Threshold: 2 of 3", "Threshold: 2 of 4"),
        ("Threshold: 2 of 3", "Threshold: 4 of 3"),
        ("Threshold: 2 of 3", "Threshold: 0 of 3"),
        ("Threshold: 2 of 3", "Threshold: 02 of 3"),
        ("\n2\n", "\n0\n"),
        ("Scope: a28a8b1e", "Scope: a28a8b1f"),
        ("default/approvers", "other/approvers"),
        ("approver set v1", "approver set v2"),
        (carol.as_str(), alice.as_str()),
        (dora.as_str(), verifier("bob", 2).to_string().as_str()),
        (dora.as_str(), verifier("dora", 1).to_string().as_str()),
        (dora.as_str(), log_key().verifier_key().to_string().as_str()),
        ("+BIqI", "+BIqJ"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert!(changed.parse::<ApproverSetText>().is_err(), "{from} -> {to}");
    }
}
