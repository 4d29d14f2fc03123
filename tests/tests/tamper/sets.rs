//! The chain of approver sets, from the one that a trust file pins to the one that a statement names.

use meed_audit::RejectionCode;
use meed_audit::approvers::ApproverSetText;
use meed_audit::hash::Hash;
use meed_audit::ids::SetVersion;
use meed_audit::proof::{APPROVER_SETS_MAX, PayoutProof};
use meed_audit::trust::Trust;
use meed_audit::verify::Link;
use meed_keys::{ApproverSet, KeyUse, SigningKey};
use meed_tests::facts::scope_name;
use meed_tests::log::{cosign, key, key_name, node_line, note, split_note};
use meed_tests::world::{World, approver, set_of, sign_set, signed_at_seconds};

use crate::support::{altered, refused, verify};

/// Asserts where the proof of a world, whose version 2 has another note, is refused.
#[track_caller]
fn note_refused(code: RejectionCode, note: String) {
    let world = World::with_changed_approvers().with_set_note(2, note);
    refused(&world.payout_proof(1), &world.trust(), Link::ApproverSets, code);
}

/// Version 2 with other members than those that the old ones agreed to.
fn forged_set(set: ApproverSet) -> ApproverSetText {
    let world = World::with_changed_approvers();
    ApproverSetText::next(&scope_name(), &[world.sets[0].leaf_hash()], set).expect("a version")
}

fn with_sets(world: &World, alter: impl FnOnce(&mut Vec<String>)) -> PayoutProof {
    let mut proof = world.payout_proof(1);
    alter(&mut proof.approver_sets);
    proof
}

#[test]
fn the_chain_has_every_version_in_order_and_ends_where_the_statement_says() {
    let world = World::with_twice_changed_approvers();
    let trust = world.trust();
    verify(&world.payout_proof(1), &trust).expect("a valid proof");
    let mismatches: [fn(&mut Vec<String>); 7] = [
        |sets| sets.clear(),
        |sets| sets.truncate(1),
        |sets| drop(sets.remove(0)),
        |sets| sets.swap(0, 1),
        |sets| sets.push(sets[1].clone()),
        |sets| sets.insert(0, sets[0].clone()),
        |sets| sets[1] = sets[0].clone(),
    ];
    for alter in mismatches {
        let proof = with_sets(&world, alter);
        refused(&proof, &trust, Link::ApproverSets, RejectionCode::Mismatch);
    }
    // Version 1 is where the trust file starts, and nothing follows itself.
    let first = world.logged(&world.set_notes[0], true).to_string();
    let proof = with_sets(&world, |sets| sets.insert(0, first));
    refused(&proof, &trust, Link::ApproverSets, RejectionCode::Mismatch);
    // From version 2 on it is the first link that is too many.
    let later = world.trust_from(2, &world.witness_policy());
    refused(&world.payout_proof(1), &later, Link::ApproverSets, RejectionCode::Mismatch);
    verify(&with_sets(&world, |sets| drop(sets.remove(0))), &later).expect("a valid proof");
}

#[test]
fn sets_beyond_the_statements_own_or_beyond_the_limit_are_refused() {
    let world = World::with_changed_approvers();
    let mut proof = world.absence_proof(&world.empty, &"identity:github:1".parse().expect("a claimant"));
    proof.approver_sets = world.approver_set_proofs(&world.full);
    // The empty epoch was approved by version 1; and version 2 entered the log only after it.
    crate::support::absence_refused(&proof, &world.trust(), Link::ApproverSets, RejectionCode::Mismatch);
    let proof = with_sets(&world, |sets| *sets = vec![sets[0].clone(); APPROVER_SETS_MAX + 1]);
    refused(&proof, &world.trust(), Link::ApproverSets, RejectionCode::TooMany);
}

#[test]
fn a_change_of_the_set_takes_k_of_the_old_and_each_new_member() {
    let world = World::with_changed_approvers();
    let next = &world.sets[1];
    verify(&world.payout_proof(1), &world.trust()).expect("alice and carol of the old, dave as new member");
    for signers in [&["alice", "dave"][..], &["dave"], &[], &["alice", "carol"], &["alice", "bob"]] {
        note_refused(RejectionCode::QuorumMissing, sign_set(next, &world.node_key, signers));
    }
    note_refused(RejectionCode::SignerTwice, sign_set(next, &world.node_key, &["alice", "alice", "dave"]));
    note_refused(
        RejectionCode::SignerUnknown,
        sign_set(next, &world.node_key, &["alice", "carol", "dave", "mallory"]),
    );
    // Whom the change leaves out may agree to it as well.
    let agreed = world.clone().with_set_note(2, sign_set(next, &world.node_key, &["alice", "bob", "dave"]));
    verify(&agreed.payout_proof(1), &agreed.trust()).expect("a valid proof");
}

/// Two keys of one name whose ids, 32 bits, are equal: found by trying some ten thousand.
fn twins() -> [SigningKey; 2] {
    [43_128_u64, 69_704].map(|number| {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        SigningKey::from_seed(key_name("erin"), KeyUse::Approver, seed)
    })
}

#[test]
fn a_key_of_the_same_name_and_id_consents_for_itself_only() {
    let twins = twins();
    let [first, second] = [&twins[0], &twins[1]].map(SigningKey::verifier_key);
    assert_eq!((first.name(), first.key_id()), (second.name(), second.key_id()));
    assert_ne!(first.public_key(), second.public_key());
    let set_with = |earlier: &[Hash], erin: &SigningKey| {
        let keys = [&approver("alice"), &approver("carol"), erin].map(|key| key.verifier_key().clone());
        let set = ApproverSet::new(2, keys.to_vec()).expect("a set");
        ApproverSetText::next(&scope_name(), earlier, set).expect("a version")
    };
    let old = set_with(&[], &twins[0]);
    let next = set_with(&[old.leaf_hash()], &twins[1]);
    let node_key = World::new().node_key;
    for (erin, code) in
        [(&twins[0], RejectionCode::QuorumMissing), (&twins[1], RejectionCode::SignatureInvalid)]
    {
        let text = next.to_string();
        let mut lines = vec![node_line(&node_key, &next.origin_line(), &text)];
        let signers = [&approver("alice"), &approver("carol"), erin];
        lines.extend(signers.map(|signer| cosign(signer, &text, signed_at_seconds())));
        let world = World::with_changed_approvers().with_set_note(2, note(&text, lines));
        let trust = Trust::new(&old, &[], &world.log_keys(), &world.bare_policy()).expect("a trust file");
        refused(&world.payout_proof(1), &trust, Link::ApproverSets, code);
    }
}

#[test]
fn a_signature_of_another_text_is_no_consent() {
    let world = World::with_changed_approvers();
    let text = world.sets[1].to_string();
    let (_, mut lines) = split_note(&world.set_notes[1]);
    lines[1] = cosign(&approver("alice"), &world.sets[0].to_string(), signed_at_seconds());
    note_refused(RejectionCode::SignatureInvalid, note(&text, lines));
}

#[test]
fn a_consent_has_a_time_that_can_be_counted_in_milliseconds() {
    let world = World::with_changed_approvers();
    let text = world.sets[1].to_string();
    let (_, lines) = split_note(&world.set_notes[1]);
    let last = i64::MAX.unsigned_abs() / 1_000;
    let with_time = |seconds: u64| {
        let signers = ["alice", "carol", "dave"].map(|name| cosign(&approver(name), &text, seconds));
        note(&text, lines[..1].iter().cloned().chain(signers).collect())
    };
    let late = world.clone().with_set_note(2, with_time(last));
    verify(&late.payout_proof(1), &late.trust()).expect("a valid proof");
    note_refused(RejectionCode::SignatureOutOfTime, with_time(last + 1));
    note_refused(RejectionCode::SignatureOutOfTime, with_time(0));
    note_refused(RejectionCode::SignatureOutOfTime, with_time(u64::MAX));
}

#[test]
fn the_node_issues_each_version() {
    let world = World::with_changed_approvers();
    let (text, lines) = split_note(&world.set_notes[1]);
    note_refused(RejectionCode::SignatureInvalid, note(&text, lines[1..].to_vec()));
    note_refused(RejectionCode::SignerTwice, note(&text, [&lines[..1], &lines].concat()));
    let mut other = lines.clone();
    other[0] = node_line(&key("another.example", KeyUse::Log), &world.sets[1].origin_line(), &text);
    note_refused(RejectionCode::SignatureInvalid, note(&text, other));
}

#[test]
fn a_forged_set_is_refused_whoever_is_in_it() {
    let node_key = World::new().node_key;
    // A set that only its own new members and one old one agreed to; a set of nobody old at all.
    let set = forged_set(set_of(2, &["alice", "mallory", "mike"]));
    note_refused(RejectionCode::QuorumMissing, sign_set(&set, &node_key, &["alice", "mallory", "mike"]));
    let set = forged_set(set_of(1, &["mallory"]));
    note_refused(RejectionCode::QuorumMissing, sign_set(&set, &node_key, &["mallory"]));
    // One whom two old ones agreed to is a set, but not the one that the statement names.
    let set = forged_set(set_of(2, &["alice", "carol", "mallory"]));
    note_refused(RejectionCode::Mismatch, sign_set(&set, &node_key, &["alice", "carol", "mallory"]));
}

#[test]
fn the_tree_of_versions_grows_by_one_leaf_of_the_same_scope() {
    let world = World::with_changed_approvers();
    let sign = |set: &ApproverSetText| sign_set(set, &world.node_key, &["alice", "carol", "dave"]);
    let alter: [fn(&mut ApproverSetText); 3] = [
        |set| set.version = set.version.next(),
        |set| set.version = SetVersion::FIRST,
        |set| set.root = Hash::of(b"another root"),
    ];
    for alter in alter {
        let mut set = world.sets[1].clone();
        alter(&mut set);
        note_refused(RejectionCode::Mismatch, sign(&set));
    }
    // Of a scope or node of its own, with all that belongs to it.
    for (node, scope) in [(None, Some("other")), (Some("00000000-0000-4000-8000-000000000000"), None)] {
        let mut name = scope_name();
        name.node = node.map_or(name.node, |node| node.parse().expect("a node id"));
        name.key = scope.map_or(name.key.clone(), |key| key.parse().expect("a key"));
        let earlier = [world.sets[0].leaf_hash()];
        let set = ApproverSetText::next(&name, &earlier, world.sets[1].set.clone()).expect("a version");
        note_refused(RejectionCode::Mismatch, sign(&set));
    }
}

#[test]
fn one_key_has_one_use_and_one_name() {
    let world = World::with_changed_approvers();
    let as_member =
        |seed: &SigningKey| SigningKey::from_seed(key_name("dave.example"), KeyUse::Approver, *seed.seed());
    for foreign in [&world.node_key, &world.witness_keys[2]] {
        let member = as_member(foreign);
        let keys = ["alice", "carol"].map(|name| approver(name).verifier_key().clone());
        let set = ApproverSet::new(2, keys.into_iter().chain([member.verifier_key().clone()]).collect());
        let set = forged_set(set.expect("a set"));
        let text = set.to_string();
        let mut lines = vec![node_line(&world.node_key, &set.origin_line(), &text)];
        let signers = [approver("alice"), approver("carol"), member];
        lines.extend(signers.iter().map(|signer| cosign(signer, &text, signed_at_seconds())));
        note_refused(RejectionCode::KeyInUse, note(&text, lines));
    }
    // A key under two names, and a member that stands there twice: no text that could be signed.
    let (text, lines) = split_note(&world.set_notes[1]);
    let member = text.lines().find(|line| line.starts_with("Approver: alice")).expect("a member").to_owned();
    let second = approver("alice").renamed(key_name("dave.example"));
    let dave = text.lines().find(|line| line.starts_with("Approver: dave")).expect("a member").to_owned();
    let two_names = text.replace(&dave, &format!("Approver: {}", second.verifier_key()));
    note_refused(RejectionCode::ApproverSetInvalid, note(&two_names, lines.clone()));
    note_refused(RejectionCode::ApproverSetInvalid, note(&text.replace(&dave, &member), lines.clone()));
    for threshold in ["0 of 3", "4 of 3", "2 of 4", "2 of 2"] {
        let changed = text.replace("Threshold: 2 of 3", &format!("Threshold: {threshold}"));
        note_refused(RejectionCode::ApproverSetInvalid, note(&changed, lines.clone()));
    }
}

#[test]
fn every_version_was_in_the_log_before_the_statement() {
    let world = World::with_changed_approvers();
    let trust = world.trust();
    let index = world.log.index_of(&world.full.note);
    let set_refused = |code, alter: &dyn Fn(&mut crate::support::Parts)| {
        let proof = with_sets(&world, |sets| sets[0] = altered(&sets[0], alter));
        refused(&proof, &trust, Link::ApproverSets, code);
    };
    set_refused(RejectionCode::Mismatch, &|parts| parts.index = index);
    set_refused(RejectionCode::Mismatch, &|parts| parts.index = index + 1);
    set_refused(RejectionCode::InclusionInvalid, &|parts| parts.index -= 1);
    set_refused(RejectionCode::InclusionInvalid, &|parts| parts.path.truncate(1));
    set_refused(RejectionCode::MissingField, &|parts| parts.extra = None);
    set_refused(RejectionCode::InclusionInvalid, &|parts| {
        parts.extra = Some(world.set_notes[0].clone().into_bytes());
    });
    // Its checkpoint is the statement's, to the byte, so that no other log can vouch for it.
    set_refused(RejectionCode::Mismatch, &|parts| parts.note = world.empty.note.clone());
    set_refused(RejectionCode::Mismatch, &|parts| parts.note = World::new().log.checkpoint());
    set_refused(RejectionCode::Mismatch, &|parts| {
        let (text, lines) = split_note(&parts.note);
        parts.note = note(&text, lines[..1].to_vec());
    });
    // A log in which the set came after the statement.
    let mut late = world.clone();
    let (set, statement) = (late.log.index_of(&late.set_notes[1]), index);
    late.log.entries.swap(usize::try_from(set).expect("fits"), usize::try_from(statement).expect("fits"));
    refused(&late.payout_proof(1), &trust, Link::ApproverSets, RejectionCode::Mismatch);
    // An entry of the log that is no approver set.
    let stray = world.log.proof(0, Some(b"an entry of another scope\n".to_vec())).to_string();
    refused(&with_sets(&world, |sets| sets[0] = stray), &trust, Link::ApproverSets, RejectionCode::Malformed);
}
