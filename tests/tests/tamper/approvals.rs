//! Who signed a statement, when, and how often.

use meed_audit::RejectionCode;
use meed_audit::verify::Link;
use meed_keys::{KeyUse, SignatureLine, SigningKey};
use meed_tests::log::{cosign, key, key_name, node_line, note, note_text};
use meed_tests::world::{World, approver, signed_at_seconds};

use crate::support::{refused, verify};

/// The world whose statement is signed by the node and these lines.
fn signed(lines: impl FnOnce(&str) -> Vec<SignatureLine>) -> World {
    let world = World::new();
    let statement = &world.full.closed.statement;
    let text = statement.to_string();
    let mut all = vec![node_line(&world.node_key, &statement.origin_line(), &text)];
    all.extend(lines(&text));
    let note = note(&text, all);
    world.with_note(note)
}

#[track_caller]
fn approvals_refused(code: RejectionCode, lines: impl FnOnce(&str) -> Vec<SignatureLine>) {
    let world = signed(lines);
    refused(&world.payout_proof(1), &world.trust(), Link::Approvals, code);
}

fn by(name: &str, text: &str) -> SignatureLine {
    cosign(&approver(name), text, signed_at_seconds())
}

/// A line with another name, key id or signature than its own.
fn line(name: &str, key_id: [u8; 4], signature: &[u8]) -> SignatureLine {
    SignatureLine::new(key_name(name), key_id, signature.to_vec()).expect("a line")
}

#[test]
fn any_two_of_the_three_are_enough_and_all_three_too() {
    for names in
        [vec!["alice", "bob"], vec!["bob", "carol"], vec!["carol", "alice"], vec!["alice", "bob", "carol"]]
    {
        let world = signed(|text| names.iter().map(|name| by(name, text)).collect());
        let verified = verify(&world.payout_proof(1), &world.trust()).expect("a valid proof");
        assert_eq!(verified.evidence().approved().quorum().approvals().len(), names.len());
    }
}

#[test]
fn fewer_than_the_threshold_are_not_enough_and_the_node_counts_for_nothing() {
    approvals_refused(RejectionCode::QuorumMissing, |_| Vec::new());
    approvals_refused(RejectionCode::QuorumMissing, |text| vec![by("bob", text)]);
    // The log key as if it were an approver's.
    approvals_refused(RejectionCode::SignerUnknown, |text| {
        let name = key_name("carol.example");
        let node = SigningKey::from_seed(name, KeyUse::Approver, *World::new().node_key.seed());
        vec![by("bob", text), cosign(&node, text, signed_at_seconds())]
    });
}

#[test]
fn one_approver_counts_once() {
    approvals_refused(RejectionCode::SignerTwice, |text| vec![by("bob", text), by("bob", text)]);
    approvals_refused(RejectionCode::SignerTwice, |text| {
        vec![by("bob", text), cosign(&approver("bob"), text, signed_at_seconds() + 1)]
    });
    approvals_refused(RejectionCode::SignerTwice, |text| {
        vec![by("bob", text), by("carol", text), by("bob", text)]
    });
    // The same key under a second name is nobody's.
    approvals_refused(RejectionCode::SignerUnknown, |text| {
        let second = approver("bob").renamed(key_name("bob-2.example"));
        vec![by("bob", text), cosign(&second, text, signed_at_seconds())]
    });
}

#[test]
fn a_signer_who_is_no_member_is_refused_beside_enough_members() {
    approvals_refused(RejectionCode::SignerUnknown, |text| {
        vec![by("alice", text), by("bob", text), by("mallory", text)]
    });
    approvals_refused(RejectionCode::SignerUnknown, |text| {
        vec![by("mallory", text), by("alice", text), by("bob", text)]
    });
    // A witness of the log is no approver either.
    approvals_refused(RejectionCode::SignerUnknown, |text| {
        let witness = key("witness.example/one", KeyUse::Witness);
        vec![by("alice", text), by("bob", text), cosign(&witness, text, signed_at_seconds())]
    });
}

#[test]
fn the_signature_of_another_approver_is_not_ones_own() {
    let (bob, carol) = (approver("bob"), approver("carol"));
    approvals_refused(RejectionCode::SignatureInvalid, |text| {
        let foreign = by("carol", text);
        vec![by("alice", text), line("bob.example", bob.verifier_key().key_id(), foreign.signature())]
    });
    approvals_refused(RejectionCode::SignerUnknown, |text| {
        let foreign = by("carol", text);
        vec![by("alice", text), line("bob.example", carol.verifier_key().key_id(), foreign.signature())]
    });
    approvals_refused(RejectionCode::SignatureInvalid, |text| {
        vec![by("alice", text), line("bob.example", bob.verifier_key().key_id(), &[0; 72])]
    });
}

#[test]
fn only_a_cosignature_of_this_text_approves_it() {
    let world = World::new();
    let bob = approver("bob");
    let bob_id = bob.verifier_key().key_id();
    // A plain signature by the same key, under its own type's id and under the cosignature's.
    let plain = SigningKey::from_seed(bob.name().clone(), KeyUse::Log, *bob.seed());
    approvals_refused(RejectionCode::SignerUnknown, |text| {
        vec![by("alice", text), plain.sign_note(&note_text(text)).expect("signs")]
    });
    approvals_refused(RejectionCode::SignatureInvalid, |text| {
        let signature = plain.sign_note(&note_text(text)).expect("signs");
        vec![by("alice", text), line("bob.example", bob_id, signature.signature())]
    });
    // Signatures of other texts: of the next revision, of the epoch before, of the approver set, of a checkpoint.
    let mut next = world.full.closed.statement.clone();
    next.revision = next.revision.next();
    let others = [
        next.to_string(),
        world.empty.closed.statement.to_string(),
        world.sets[0].to_string(),
        world.log.checkpoint_text(),
    ];
    for other in others {
        approvals_refused(RejectionCode::SignatureInvalid, |text| {
            vec![by("alice", text), cosign(&bob, &other, signed_at_seconds())]
        });
    }
    // The time is signed.
    approvals_refused(RejectionCode::SignatureInvalid, |text| {
        let mut signature = by("bob", text).signature().to_vec();
        signature[7] ^= 1;
        vec![by("alice", text), line("bob.example", bob_id, &signature)]
    });
}

#[test]
fn an_approval_counts_after_the_period_began_and_not_after_sign_by() {
    let statement = World::new().full.closed.statement;
    let (start, last) = (statement.period.start.as_seconds(), statement.sign_by.as_seconds());
    for seconds in [start + 1, last] {
        let world = signed(|text| vec![by("alice", text), cosign(&approver("bob"), text, seconds)]);
        verify(&world.payout_proof(1), &world.trust()).expect("in time");
    }
    for seconds in [0, start - 1, start, last + 1, u64::MAX / 1000, u64::MAX] {
        approvals_refused(RejectionCode::SignatureOutOfTime, |text| {
            vec![by("alice", text), cosign(&approver("bob"), text, seconds)]
        });
        // Nor is it left out of the count beside enough others.
        approvals_refused(RejectionCode::SignatureOutOfTime, |text| {
            vec![by("alice", text), by("carol", text), cosign(&approver("bob"), text, seconds)]
        });
    }
}

#[test]
fn the_node_issues_a_statement_once_under_its_origin_line() {
    let world = World::new();
    let text = world.full.closed.statement.to_string();
    let origin_line = world.full.closed.statement.origin_line();
    let approvals = [by("alice", &text), by("bob", &text)];
    let own = node_line(&world.node_key, &origin_line, &text);
    let node_refused = |code, node_lines: &[SignatureLine]| {
        let forged = world.clone().with_note(note(&text, [node_lines, &approvals].concat()));
        refused(&forged.payout_proof(1), &world.trust(), Link::NodeSignature, code);
    };
    node_refused(RejectionCode::SignatureInvalid, &[]);
    node_refused(RejectionCode::SignerTwice, &[own.clone(), own.clone()]);
    let other_key = key("another.example", KeyUse::Log);
    node_refused(RejectionCode::SignatureInvalid, &[node_line(&other_key, &origin_line, &text)]);
    node_refused(RejectionCode::SignatureInvalid, &[node_line(&world.node_key, &world.log.origin, &text)]);
    let other_text = world.empty.closed.statement.to_string();
    node_refused(RejectionCode::SignatureInvalid, &[node_line(&world.node_key, &origin_line, &other_text)]);
    // A second line of the node under another name is a line of nobody.
    let second = node_line(&world.node_key, &world.log.origin, &text);
    let forged = world.clone().with_note(note(&text, [&[own, second], approvals.as_slice()].concat()));
    refused(&forged.payout_proof(1), &world.trust(), Link::Approvals, RejectionCode::SignerUnknown);
}
