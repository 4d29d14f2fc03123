//! Every byte of every file: changed, left out, doubled or cut off, a proof proves nothing any more.

use meed_audit::RejectionCode;
use meed_audit::proof::{PayoutProof, Proof};
use meed_audit::trust::Trust;
use meed_audit::verify::{Link, verify};
use meed_keys::{KeyUse, limits};
use meed_tests::facts::claimant;
use meed_tests::log::{cosign, key, node_line, note, split_note};
use meed_tests::world::{World, signed_at_seconds};

use crate::support::{altered, mutations, refused, verdict};

/// Changes every byte of a valid proof file in every way, and gives the positions at which a change is accepted with
/// the meaning unchanged; another meaning fails the test.
fn tolerated(proof: Proof, trust: &Trust) -> Vec<usize> {
    let file = proof.to_file();
    let meaning = verdict(&file, trust).expect("a valid proof");
    let mut positions = Vec::new();
    for position in 0..file.len() {
        for mutant in mutations(&file, position) {
            if let Some(other) = verdict(&mutant, trust) {
                assert_eq!(other, meaning, "byte {position}");
                positions.push(position);
            }
        }
    }
    positions.dedup();
    positions
}

#[test]
fn no_byte_of_a_payout_proof_can_change() {
    let world = World::new();
    let positions = tolerated(Proof::Payout(world.payout_proof(3)), &world.trust());
    assert!(positions.is_empty(), "{positions:?}");
}

#[test]
fn no_byte_of_a_payout_proof_with_approver_sets_can_change() {
    let world = World::with_changed_approvers();
    let positions = tolerated(Proof::Payout(world.payout_proof(7)), &world.trust());
    assert!(positions.is_empty(), "{positions:?}");
}

#[test]
fn no_byte_of_an_absence_proof_can_change() {
    let world = World::new();
    let first = claimant("identity:discord:1");
    for (epoch, stranger) in [(&world.full, "identity:github:1001"), (&world.empty, "identity:discord:1")] {
        let stranger = claimant(stranger);
        let proof = world.absence_proof(epoch, &stranger);
        let file = Proof::Absence(proof.clone()).to_file();
        // Who is asked about is not signed by anyone: another claimant who is not there either is another answer.
        let named = find(&file, &format!("\"claimant\":\"{stranger}\""));
        let meaning = verdict(&file, &world.trust()).expect("a valid proof");
        for position in 0..file.len() {
            for mutant in mutations(&file, position) {
                let Some(other) = verdict(&mutant, &world.trust()) else { continue };
                assert!(named.contains(&position) && other != meaning, "byte {position}: {other}");
            }
        }
    }
    assert!(world.full.closed.allocations.iter().all(|allocation| allocation.claimant > first));
}

/// Where a text stands in a file.
fn find(file: &[u8], text: &str) -> std::ops::Range<usize> {
    let start = file.windows(text.len()).position(|window| window == text.as_bytes()).expect("the text");
    start..start + text.len()
}

/// The payout proof whose checkpoint carries `count` cosignatures by keys that the trust file does not know.
fn with_surplus(world: &World, count: usize) -> PayoutProof {
    let mut proof = world.payout_proof(1);
    proof.log = altered(&proof.log, |parts| {
        let (text, mut lines) = split_note(&parts.note);
        let strangers = (0..count).map(|number| key(&format!("stranger.example/{number}"), KeyUse::Witness));
        lines.extend(strangers.map(|stranger| cosign(&stranger, &text, signed_at_seconds())));
        parts.note = note(&text, lines);
    });
    proof
}

#[test]
fn surplus_cosignatures_of_a_checkpoint_are_tolerated_up_to_a_limit() {
    let world = World::new();
    for count in [1, 2, limits::MAX_UNKNOWN_SIGNATURES] {
        verify(&with_surplus(&world, count), &world.trust()).expect("a valid proof");
    }
    let proof = with_surplus(&world, limits::MAX_UNKNOWN_SIGNATURES + 1);
    refused(&proof, &world.trust(), Link::LogCheckpoint, RejectionCode::TooMany);
}

#[test]
fn of_a_surplus_cosignature_only_its_own_line_is_free() {
    let world = World::new();
    let proof = with_surplus(&world, 1);
    let file = Proof::Payout(proof.clone()).to_file();
    let positions = tolerated(Proof::Payout(proof), &world.trust());
    // The line from its name to its last character; what stands before and after it parts it from other lines.
    let start = find(&file, "stranger.example/0").start;
    let end = start + file[start..].windows(2).position(|pair| pair == b"\\n").expect("the end of the line");
    assert!(
        positions.iter().all(|position| (start..end).contains(position)),
        "{start}..{end}: {positions:?}"
    );
    // Nobody knows this key, so that nearly every letter of its name and signature may be another one.
    assert!(positions.len() > (end - start) * 9 / 10, "{} of {}", positions.len(), end - start);
}

#[test]
fn surplus_lines_are_not_tolerated_where_approvals_are_counted() {
    let world = World::with_changed_approvers();
    let stranger = key("stranger.example", KeyUse::Approver);
    let add = |signed: &str| {
        let (text, mut lines) = split_note(signed);
        lines.push(cosign(&stranger, &text, signed_at_seconds()));
        note(&text, lines)
    };
    let statement = world.clone().with_note(add(&world.full.note));
    refused(&statement.payout_proof(1), &world.trust(), Link::Approvals, RejectionCode::SignerUnknown);
    let set = world.clone().with_set_note(2, add(&world.set_notes[1]));
    refused(&set.payout_proof(1), &world.trust(), Link::ApproverSets, RejectionCode::SignerUnknown);
}

#[test]
fn every_byte_of_a_signed_statement_is_signed() {
    // Signatures are checked before the log is, so that they are what stands against the altered text.
    let world = World::new();
    let trust = world.trust();
    let (text, lines) = split_note(&world.full.note);
    let mut seen = 0;
    for position in 0..text.len() {
        for mutant in mutations(text.as_bytes(), position) {
            let Ok(mutant) = String::from_utf8(mutant) else { continue };
            if mutant == text || meed_keys::NoteText::new(mutant.clone()).is_err() {
                continue;
            }
            let mut proof = world.payout_proof(1);
            proof.payout = altered(&proof.payout, |parts| parts.note = note(&mutant, lines.clone()));
            let error = verify(&proof, &trust).expect_err("a refusal");
            assert!(error.link <= Link::NodeSignature, "byte {position}: {error}");
            seen += 1;
        }
    }
    assert!(seen > text.len() * 4, "{seen} altered texts");
    // The node's own signature over the altered text does not make it an approved one.
    let origin_line = world.full.closed.statement.origin_line();
    let mutant = text.replace("Distributed: 10007", "Distributed: 10006");
    assert_ne!(mutant, text);
    let mut lines = lines;
    lines[0] = node_line(&world.node_key, &origin_line, &mutant);
    let forged = world.clone().with_note(note(&mutant, lines));
    let mut proof = world.payout_proof(1);
    proof.log = forged.logged(&forged.full.note, false).to_string();
    proof.payout = altered(&proof.payout, |parts| parts.note.clone_from(&forged.full.note));
    refused(&proof, &trust, Link::Approvals, RejectionCode::SignatureInvalid);
}
