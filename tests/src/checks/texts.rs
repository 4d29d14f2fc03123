//! Signed texts, proofs' texts, policies and trust files.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;
use std::sync::LazyLock;

use meed_audit::approvers::ApproverSetText;
use meed_audit::checkpoint::Checkpoint;
use meed_audit::statement::Statement;
use meed_audit::tlog_policy::{TlogPolicy, statement_policy};
use meed_audit::tlog_proof::TlogProof;
use meed_audit::trust::{LogKey, Trust};
use meed_audit::verify::verify;
use meed_keys::KeyUse;

use crate::log::{key, key_name};
use crate::world::{STATEMENTS_LOG, World};

static WORLD: LazyLock<World> = LazyLock::new(World::with_changed_approvers);

/// Texts are written as they were read, and a policy that is read can be asked.
pub(super) fn texts(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    same::<Checkpoint>(text);
    same::<TlogProof>(text);
    if let Some(set) = same::<ApproverSetText>(text) {
        assert!(set.note_text().is_ok());
    }
    if let Some(statement) = same::<Statement>(text) {
        assert!(statement.note_text().is_ok());
        assert!(text.ends_with(&String::from_utf8_lossy(&statement.leaf_zero()).into_owned()));
    }
    if let Ok(policy) = TlogPolicy::parse(text) {
        assert!(!policy.logs().is_empty());
        let all: BTreeSet<_> = policy.witnesses().map(|key| *key.public_key()).collect();
        assert!(policy.is_satisfied_by(&all), "all witnesses together are a quorum");
        assert_eq!(policy.is_satisfied_by(&BTreeSet::new()), !policy.wants_witnesses());
    }
}

fn same<T: FromStr + Display>(text: &str) -> Option<T> {
    let value = text.parse::<T>().ok()?;
    assert_eq!(value.to_string(), text, "{} has one text", std::any::type_name::<T>());
    Some(value)
}

pub(super) fn text_seeds() -> Vec<Vec<u8>> {
    let world = &WORLD;
    let statement = &world.full.closed.statement;
    let policy = statement_policy(statement, &world.sets[1], world.node_key.public_key()).expect("a policy");
    let proof = world.payout_proof(2);
    let mut texts =
        vec![statement.to_string(), world.empty.closed.statement.to_string(), world.log.checkpoint_text()];
    texts.extend(world.sets.iter().map(ToString::to_string));
    texts.extend([policy, world.witness_policy(), world.bare_policy(), proof.log, proof.payout]);
    texts.extend(proof.approver_sets);
    texts.into_iter().map(String::into_bytes).collect()
}

/// A trust file that is read is written to one that means the same; whatever it believes, a proof shows its own payout
/// or nothing.
pub(super) fn trust(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(trust) = Trust::parse(text) else { return };
    let written = trust.to_toml().expect("what was read can be written");
    let again = Trust::parse(&written).expect("what was written can be read");
    assert_eq!(again.to_toml().as_ref(), Ok(&written));
    assert_eq!(again.approver_set(), trust.approver_set());
    assert_eq!(again.log_keys(), trust.log_keys());
    assert_eq!(again.policy(), trust.policy());
    if let Ok(verified) = verify(&WORLD.payout_proof(2), &trust) {
        assert_eq!(Some(verified.allocation()), WORLD.full.closed.allocations.get(1));
    }
}

pub(super) fn trust_seeds() -> Vec<Vec<u8>> {
    let world = &WORLD;
    let next = key("next.example", KeyUse::Log).renamed(key_name(STATEMENTS_LOG));
    let mut keys = world.log_keys();
    keys.push(LogKey { key: next.verifier_key().clone(), until_size: Some(1_000) });
    let rotated = Trust::new(&world.sets[0], &[], &keys, &world.witness_policy()).expect("a trust file");
    [world.trust(), world.trust_from(2, &world.bare_policy()), rotated]
        .map(|trust| trust.to_toml().expect("TOML").into_bytes())
        .to_vec()
}
