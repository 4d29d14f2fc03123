//! The checkpoint of the statements log: who signed it, who cosigned it, and at which size.

use meed_audit::RejectionCode;
use meed_audit::checkpoint::Checkpoint;
use meed_audit::hash::Hash;
use meed_audit::merkle::Tree;
use meed_audit::proof::PayoutProof;
use meed_audit::trust::{LogKey, Trust};
use meed_audit::verify::Link;
use meed_keys::{KeyUse, SignatureLine};
use meed_tests::log::{cosign, key, key_name, node_line, note};
use meed_tests::world::{EVENTS_LOG, STATEMENTS_LOG, World, signed_at_seconds};

use crate::support::{altered, refused, verify};

/// The payout proof of leaf 1 with another checkpoint, and the path to its entry in the tree of `size` leaves.
fn with_checkpoint(world: &World, checkpoint: String, size: usize) -> PayoutProof {
    let mut proof = world.payout_proof(1);
    let hashes = world.log.entries.iter().take(size).map(|entry| meed_audit::hash::leaf_hash(entry));
    let path = Tree::build(hashes).inclusion_path(world.log.index_of(&world.full.note));
    proof.log = altered(&proof.log, |parts| {
        parts.note = checkpoint;
        parts.path = path.unwrap_or_default();
    });
    proof
}

/// The text of a checkpoint.
fn text(origin: &str, size: u64, root: Hash) -> String {
    Checkpoint::new(origin.to_owned(), size, root, Vec::new()).expect("a checkpoint").to_string()
}

fn whole(world: &World) -> usize {
    world.log.entries.len()
}

/// Asserts where the proof is refused whose checkpoint bears these lines.
#[track_caller]
fn lines_refused(link: Link, code: RejectionCode, lines: impl FnOnce(&World, &str) -> Vec<SignatureLine>) {
    let world = World::new();
    let text = world.log.checkpoint_text();
    let lines = lines(&world, &text);
    refused(&with_checkpoint(&world, note(&text, lines), whole(&world)), &world.trust(), link, code);
}

fn log_line(world: &World, text: &str) -> SignatureLine {
    node_line(&world.node_key, STATEMENTS_LOG, text)
}

fn witness_line(world: &World, number: usize, text: &str) -> SignatureLine {
    cosign(&world.witness_keys[number], text, signed_at_seconds())
}

#[test]
fn a_checkpoint_without_the_logs_own_valid_line_is_refused() {
    lines_refused(Link::LogCheckpoint, RejectionCode::SignerUnknown, |world, text| {
        vec![witness_line(world, 0, text), witness_line(world, 1, text)]
    });
    lines_refused(Link::LogCheckpoint, RejectionCode::SignerUnknown, |_, text| {
        vec![node_line(&key("another.example", KeyUse::Log), STATEMENTS_LOG, text)]
    });
    lines_refused(Link::LogCheckpoint, RejectionCode::SignerUnknown, |world, text| {
        vec![node_line(&world.node_key, EVENTS_LOG, text)]
    });
    lines_refused(Link::LogCheckpoint, RejectionCode::SignatureInvalid, |world, _| {
        vec![log_line(world, &text(STATEMENTS_LOG, 1, Hash::of(b"another root")))]
    });
    lines_refused(Link::LogCheckpoint, RejectionCode::SignerTwice, |world, text| {
        vec![log_line(world, text), log_line(world, text)]
    });
    // A cosignature by the log key's bytes is not the log's signature.
    lines_refused(Link::LogCheckpoint, RejectionCode::SignerUnknown, |world, text| {
        let twin = meed_keys::SigningKey::from_seed(
            key_name(STATEMENTS_LOG),
            KeyUse::Witness,
            *world.node_key.seed(),
        );
        vec![
            cosign(&twin, text, signed_at_seconds()),
            witness_line(world, 0, text),
            witness_line(world, 1, text),
        ]
    });
}

#[test]
fn the_quorum_of_witnesses_must_have_cosigned_this_checkpoint() {
    lines_refused(Link::Witnesses, RejectionCode::QuorumMissing, |world, text| vec![log_line(world, text)]);
    lines_refused(Link::Witnesses, RejectionCode::QuorumMissing, |world, text| {
        vec![log_line(world, text), witness_line(world, 2, text)]
    });
    lines_refused(Link::LogCheckpoint, RejectionCode::SignerTwice, |world, text| {
        vec![log_line(world, text), witness_line(world, 2, text), witness_line(world, 2, text)]
    });
    lines_refused(Link::LogCheckpoint, RejectionCode::SignatureInvalid, |world, text| {
        let other = format!("{text}more\n");
        vec![log_line(world, text), witness_line(world, 0, text), witness_line(world, 1, &other)]
    });
    // Other keys under the witnesses' names, approvers, and a witness under another name: surplus, and no witnesses.
    lines_refused(Link::Witnesses, RejectionCode::QuorumMissing, |world, text| {
        let seed = |name: &str| key(name, KeyUse::Witness);
        let other = seed("another.example").renamed(key_name("witness.example/two"));
        let renamed = world.witness_keys[2].renamed(key_name("witness.example/four"));
        let mut lines = vec![log_line(world, text), witness_line(world, 0, text)];
        lines.extend(
            [&other, &renamed, &meed_tests::world::approver("alice")].map(|key| cosign(key, text, 1)),
        );
        lines
    });
    // Any two are a quorum of two, and without a wish for witnesses none are needed.
    let world = World::new();
    let text = world.log.checkpoint_text();
    let lines = vec![witness_line(&world, 2, &text), log_line(&world, &text), witness_line(&world, 0, &text)];
    let proof = with_checkpoint(&world, note(&text, lines.clone()), whole(&world));
    verify(&proof, &world.trust()).expect("a valid proof");
    let alone = with_checkpoint(&world, note(&text, lines[1..2].to_vec()), whole(&world));
    verify(&alone, &world.trust_from(1, &world.bare_policy())).expect("a valid proof");
}

#[test]
fn witness_groups_count_as_they_say() {
    let world = World::new();
    let policy = |group: &str, quorum: &str| {
        world
            .witness_policy()
            .replace("group witnesses 2 w1 w2 w3", group)
            .replace("quorum witnesses", quorum)
    };
    // The checkpoint is cosigned by w1 and w2.
    for (group, quorum, holds) in [
        ("group a any w1 w3", "quorum a", true),
        ("group a all w1 w2", "quorum a", true),
        ("group a all w1 w3", "quorum a", false),
        ("group a 3 w1 w2 w3", "quorum a", false),
        ("group a any w3\ngroup b any a w1", "quorum b", true),
        ("group a any w3\ngroup b all a w1", "quorum b", false),
        ("group a 2 w1 w2 w3", "quorum w3", false),
        ("group a 2 w1 w2 w3", "quorum w2", true),
    ] {
        let trust = world.trust_from(1, &policy(group, quorum));
        let verified = verify(&world.payout_proof(1), &trust);
        assert_eq!(verified.is_ok(), holds, "{group}, {quorum}");
        if let Err(error) = verified {
            assert_eq!((error.link, error.rejection.code), (Link::Witnesses, RejectionCode::QuorumMissing));
        }
    }
}

#[test]
fn a_checkpoint_of_another_log_or_with_extension_lines_is_refused() {
    let world = World::new();
    let trust = world.trust();
    let (size, root) = (world.log.tree().size(), world.log.tree().root());
    for origin in [EVENTS_LOG, "ledger.example.org/statements/2", "ledger.example.net/statements/1"] {
        let mut other = world.log.clone();
        other.origin = origin.to_owned();
        let proof = with_checkpoint(&world, other.checkpoint(), whole(&world));
        refused(&proof, &trust, Link::LogCheckpoint, RejectionCode::SignerUnknown);
        // The log's own name on the line does not help: the origin stands in the text.
        let text = text(origin, size, root);
        let proof = with_checkpoint(&world, note(&text, vec![log_line(&world, &text)]), whole(&world));
        refused(&proof, &trust, Link::LogCheckpoint, RejectionCode::SignerUnknown);
    }
    let longer = world.log.sign(&format!("{}an extension\n", world.log.checkpoint_text()));
    let proof = with_checkpoint(&world, longer, whole(&world));
    refused(&proof, &trust, Link::LogCheckpoint, RejectionCode::Malformed);
    let mut proof = world.payout_proof(1);
    proof.log = altered(&proof.log, |parts| parts.extra = Some(b"extra".to_vec()));
    refused(&proof, &trust, Link::LogCheckpoint, RejectionCode::UnknownField);
    // A statement is a checkpoint too, of another origin.
    let proof = with_checkpoint(&world, world.full.note.clone(), whole(&world));
    refused(&proof, &trust, Link::LogCheckpoint, RejectionCode::Malformed);
}

#[test]
fn an_older_checkpoint_shows_only_what_it_held() {
    let world = World::new();
    let trust = world.trust();
    let own = usize::try_from(world.log.index_of(&world.full.note)).expect("fits");
    let older = |size: usize, root: Hash| {
        let text = text(STATEMENTS_LOG, u64::try_from(size).expect("fits"), root);
        with_checkpoint(&world, world.log.sign(&text), size)
    };
    let root_of = |size: usize| {
        meed_audit::merkle::root(
            &world
                .log
                .entries
                .iter()
                .take(size)
                .map(|entry| meed_audit::hash::leaf_hash(entry))
                .collect::<Vec<_>>(),
        )
    };
    verify(&older(own + 1, root_of(own + 1)), &trust).expect("the checkpoint that first held it");
    refused(&older(own, root_of(own)), &trust, Link::LogInclusion, RejectionCode::InclusionInvalid);
    let whole = world.log.entries.len();
    for (size, root_size) in [(own + 1, whole), (whole, own + 1), (own + 1, own)] {
        let proof = older(size, root_of(root_size));
        refused(&proof, &trust, Link::LogInclusion, RejectionCode::InclusionInvalid);
    }
    refused(&older(0, root_of(0)), &trust, Link::LogInclusion, RejectionCode::InclusionInvalid);
    // The log's tree, but not the statement's entry: the note without its last line is another entry.
    let (statement, mut lines) = meed_tests::log::split_note(&world.full.note);
    lines.push(cosign(&meed_tests::world::approver("carol"), &statement, signed_at_seconds()));
    let mut proof = world.payout_proof(1);
    proof.payout = altered(&proof.payout, |parts| parts.note = note(&statement, lines));
    refused(&proof, &trust, Link::LogInclusion, RejectionCode::InclusionInvalid);
}

/// The trust file with these log keys, which wants no witnesses.
fn trust_with(world: &World, keys: &[LogKey]) -> Trust {
    let policy = format!("log {}\nquorum none\n", keys[0].key);
    Trust::new(&world.sets[0], &[], keys, &policy).expect("a trust file")
}

#[test]
fn a_rotated_log_key_holds_up_to_its_size() {
    let world = World::new();
    let size = world.log.tree().size();
    let rotated =
        |until_size| LogKey { key: world.node_key.verifier_key().clone(), until_size: Some(until_size) };
    let next = key("next.example", KeyUse::Log).renamed(key_name(STATEMENTS_LOG));
    let current = LogKey { key: next.verifier_key().clone(), until_size: None };
    for until in [size, size + 1, u64::MAX >> 2] {
        let trust = trust_with(&world, &[current.clone(), rotated(until)]);
        verify(&world.payout_proof(1), &trust).expect("a proof made once stays valid");
    }
    for until in [0, 1, size - 1] {
        let trust = trust_with(&world, &[current.clone(), rotated(until)]);
        refused(&world.payout_proof(1), &trust, Link::LogCheckpoint, RejectionCode::SignerUnknown);
    }
    // The next key signs the log on; the statement keeps the line of the key of its time.
    let mut later = world.clone();
    later.log.log_key = next;
    let trust = trust_with(&later, &[current, rotated(size - 1)]);
    verify(&later.payout_proof(1), &trust).expect("a valid proof");
}

#[test]
fn what_is_wrong_is_named_although_there_are_several_log_keys() {
    let world = World::with_changed_approvers();
    let next = key("next.example", KeyUse::Log).renamed(key_name(STATEMENTS_LOG));
    let keys =
        [&world.node_key, &next].map(|key| LogKey { key: key.verifier_key().clone(), until_size: None });
    let short = meed_tests::world::sign_set(&world.sets[1], &world.node_key, &["alice", "carol"]);
    for keys in [keys.clone(), [keys[1].clone(), keys[0].clone()]] {
        let trust = trust_with(&world, &keys);
        verify(&world.payout_proof(1), &trust).expect("a valid proof");
        let forged = world.clone().with_set_note(2, short.clone());
        refused(&forged.payout_proof(1), &trust, Link::ApproverSets, RejectionCode::QuorumMissing);
    }
}
