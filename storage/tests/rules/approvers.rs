//! The rules of approver sets, each by its name.

use crate::support::world::*;
use meed_audit::RejectionCode as Code;
use meed_audit::ids::{ScopeId, SetVersion};
use meed_keys::{KeyUse, NoteText, SigningKey};
use meed_storage::{ApproverSetOutcome, LogKind, Which};

fn cosign(
    world: &World,
    scope: ScopeId,
    approvers: &[usize],
) -> Result<ApproverSetOutcome, meed_storage::LedgerError> {
    let pending = world.snapshot().pending_approvers(scope).unwrap().expect("a pending set");
    let text = NoteText::new(pending.text.to_string()).unwrap();
    let sign = |number: &usize| world.approvers[*number].cosign(&text, 1_770_000_000).unwrap();
    world.ledger.add_approver_signatures(scope, approvers.iter().map(sign).collect(), time(LATER))
}

#[test]
fn approvers_per_scope() {
    let world = World::new();
    let scope = world.scope("default");
    let sets = world.snapshot().approver_sets(scope).unwrap();
    assert_eq!((sets.len(), sets[0].log_index), (1, 0), "version 1 is in force and logged at once");
    let log = world.snapshot().log_entry(LogKind::Statements, 0).unwrap();
    assert_eq!(log, sets[0].note.as_bytes());
    let set = |keys: &[SigningKey]| world.ledger.set_approvers(scope, set_of(2, keys), by(LATER));
    assert!(
        matches!(set(&world.approvers[..3]).unwrap(), ApproverSetOutcome::InForce(_)),
        "the same is nothing"
    );
    assert_eq!(world.snapshot().log_size(LogKind::Statements).unwrap(), 1);
    // The change: out with the first, in with the fourth and fifth.
    let ApproverSetOutcome::Pending(pending) = set(&world.approvers[1..]).unwrap() else { panic!("pending") };
    assert_eq!(pending.text.version.get(), 2);
    assert_eq!(set(&world.approvers[1..]).unwrap(), ApproverSetOutcome::Pending(pending));
    assert_eq!(code(set(&world.approvers[2..])), Code::ApproverSetPending);
    // k of the old set, and each new member.
    for (signers, in_force) in [(&[3, 4][..], false), (&[0][..], false), (&[0, 2][..], true)] {
        let outcome = cosign(&world, scope, signers).unwrap();
        assert_eq!(matches!(outcome, ApproverSetOutcome::InForce(_)), in_force, "{signers:?}");
    }
    let snapshot = world.snapshot();
    assert_eq!(snapshot.approvers(scope).unwrap().text.version.get(), 2);
    assert_eq!(snapshot.pending_approvers(scope).unwrap(), None);
    assert_eq!(snapshot.log_size(LogKind::Statements).unwrap(), 2);
}

#[test]
fn a_pending_set_takes_only_valid_lines_of_its_members() {
    let world = World::new();
    let scope = world.scope("default");
    let lines = world.ledger.add_approver_signatures(scope, vec![], time(LATER));
    assert_eq!(code(lines), Code::DraftNotFound);
    assert_eq!(code(world.ledger.withdraw_approvers(scope)), Code::DraftNotFound);
    world.ledger.set_approvers(scope, set_of(1, &world.approvers[..1]), by(LATER)).unwrap();
    assert_eq!(code(cosign(&world, scope, &[4])), Code::SignerUnknown);
    let other = NoteText::new("another text\n".to_owned()).unwrap();
    let line = world.approvers[0].cosign(&other, 1_770_000_000).unwrap();
    let wrong = world.ledger.add_approver_signatures(scope, vec![line], time(LATER));
    assert_eq!(code(wrong), Code::SignatureInvalid);
    cosign(&world, scope, &[0]).unwrap();
    let pending = world.snapshot().pending_approvers(scope).unwrap().unwrap();
    assert_eq!(pending.signatures.len(), 1);
    assert!(pending.missing.contains("2 of the 3 of version 1"), "{}", pending.missing);
    world.ledger.withdraw_approvers(scope).unwrap();
    assert_eq!(world.snapshot().pending_approvers(scope).unwrap(), None);
    assert_eq!(world.snapshot().approvers(scope).unwrap().text.version, SetVersion::FIRST);
}

#[test]
fn one_key_one_use() {
    let world = World::new();
    let scope = world.bare_scope("default");
    let seed = *crate::support::log_key().seed();
    let log_key = SigningKey::from_seed("approver-9".parse().unwrap(), KeyUse::Approver, seed);
    let set = set_of(1, &[log_key]);
    assert_eq!(code(world.ledger.set_approvers(scope, set, by(WEEK_1))), Code::KeyInUse);
    // Nor is a key that is named as the node, one of its logs or its texts.
    let origin = world.snapshot().origin().unwrap();
    for name in [origin.to_string(), format!("{origin}/statements/1"), format!("{origin}/default/approvers")]
    {
        let named = SigningKey::from_seed(name.parse().unwrap(), KeyUse::Approver, [77; 32]);
        let refused = world.ledger.set_approvers(scope, set_of(1, &[named]), by(WEEK_1));
        assert_eq!(code(refused), Code::KeyInUse, "{name}");
    }
    assert_eq!(code(world.snapshot().approvers(scope)), Code::ApproversMissing);
    assert_eq!(code(world.snapshot().trust(scope, None)), Code::ApproversMissing);
}

#[test]
fn a_member_who_stays_keeps_their_name() {
    let world = World::new();
    let scope = world.scope("default");
    // One key signs a change once: as the member that leaves and as the one that comes, it could never be complete.
    let renamed =
        SigningKey::from_seed("anna".parse().unwrap(), KeyUse::Approver, *world.approvers[0].seed());
    let set = set_of(2, &[renamed, world.approvers[1].clone()]);
    assert_eq!(code(world.ledger.set_approvers(scope, set, by(LATER))), Code::KeyInUse);
    assert_eq!(world.snapshot().pending_approvers(scope).unwrap(), None);
}

#[test]
fn approvers_pinned_at_review() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.commit(scope, "a1", ALICE, WEEK_1);
    world.close(scope, first);
    assert_eq!(world.snapshot().epoch(scope, first).unwrap().closed.unwrap().approvers, SetVersion::FIRST);
    let zero = world.freeze(scope, first);
    assert_eq!(zero.approvers, SetVersion::FIRST);
    // The first approver's key is lost: the set changes, and the next freeze uses the new one.
    world.ledger.set_approvers(scope, set_of(2, &world.approvers[1..4]), by(LATER)).unwrap();
    cosign(&world, scope, &[1, 2, 3]).unwrap();
    let one = world.freeze(scope, first);
    assert_eq!(one.approvers.get(), 2);
    let line = world.sign(&one, 0);
    assert_eq!(code(world.ledger.add_signature(scope, first, line, time(LATER))), Code::SignerUnknown);
    world.approve(scope, first, &one, &[2, 3]);
    let last = world.finalize(scope, first);
    assert_eq!(last.statement.approvers.version.get(), 2);
    // Who trusts version 1 follows the change; who trusts version 2 already needs no more.
    world.verified(scope, first, &unbound(ALICE));
    world.verify_absent(scope, first, &unbound(BOB));
    let two = SetVersion::new(2).unwrap();
    let meed_audit::proof::Proof::Payout(proof) =
        world.snapshot().proof(scope, first, Which::Final, &unbound(ALICE), two).unwrap()
    else {
        panic!("a payout")
    };
    assert!(proof.approver_sets.is_empty());
    assert!(meed_audit::verify::verify(&proof, &world.trust(scope)).is_err());
    world.snapshot().dossier(scope, first, Which::Final).unwrap().recompute().unwrap();
}
