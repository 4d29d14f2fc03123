//! JSON: what is read at the edge has one canonical text, and leaves are read from that text alone.

use meed_audit::activity::{Activity, EpochEvent};
use meed_audit::allocation::Allocation;
use meed_audit::close::close_with;
use meed_audit::decision::Decision;
use meed_audit::event::{Event, NewEvent, Route};
use meed_audit::json::Value;
use meed_audit::leaf::{EVENT_LEAF_BYTES_MAX, Leaf};
use meed_audit::policy::{Policy, Weights};
use meed_audit::pool::PoolComponent;
use meed_audit::proof::{AbsenceProof, PayoutProof};

use crate::facts;
use crate::world::World;

/// Values, weights and event lines: read once, they have one canonical text, which reads as the same.
pub(super) fn json(data: &[u8]) {
    if let Ok(value) = Value::parse_edge(data) {
        let text = value.to_canonical();
        let again = Value::parse_edge(text.as_bytes()).expect("canonical text is read");
        assert_eq!(again, value);
        assert_eq!(again.to_canonical(), text);
    }
    if let Ok(weights) = Weights::parse(data) {
        assert!(weights.iter().zip(weights.iter().skip(1)).all(|((a, _), (b, _))| a < b));
    }
    let Ok(new) = NewEvent::parse(data, facts::at("2026-11-16T06:00:00Z")) else { return };
    let metadata = Value::parse_edge(new.metadata().as_bytes()).expect("canonical metadata is read");
    assert_eq!(metadata.to_canonical(), new.metadata());
    let content = new.content_hash();
    let event = new
        .into_event([0; 32], vec![facts::scope_name().id()])
        .expect("its leaf was measured with more scopes");
    assert_eq!(event.content_hash(), content);
    assert_eq!(event.authors.iter().map(|author| u64::from(author.share)).sum::<u64>(), 1_000_000);
    let leaf = event.encode();
    assert!(leaf.len() <= EVENT_LEAF_BYTES_MAX);
    assert_eq!(Event::decode(&leaf), Ok(event.clone()));
    assert_eq!(EpochEvent::from_leaf(&leaf, 7, false).map(|entry| entry.event), Ok(event));
}

pub(super) fn json_seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = facts::event_lines().into_iter().map(String::into_bytes).collect();
    seeds.push(br#"{"git:commit":8000,"git:review":"2000"}"#.to_vec());
    seeds.push(
        r#"{"b":[true,"x\u0001\u00e9\n\"\\\/","€"],"a":{"\ud83d\ude00":-5,"":false}}"#.as_bytes().to_vec(),
    );
    seeds
}

/// A leaf is written as it was read.
pub(super) fn leaves(data: &[u8]) {
    same_leaf::<Event>(data);
    same_leaf::<Route>(data);
    same_leaf::<Activity>(data);
    same_leaf::<PoolComponent>(data);
    same_leaf::<Allocation>(data);
    same_leaf::<PayoutProof>(data);
    same_leaf::<AbsenceProof>(data);
    if let Some(decision) = same_leaf::<Decision>(data)
        && let Ok(change) = decision.change()
    {
        assert_eq!(change.action(), decision.action);
    }
    if let Ok(policy) = Policy::decode(data) {
        assert_eq!(policy.encode(), data);
    }
}

fn same_leaf<T: Leaf>(data: &[u8]) -> Option<T> {
    let leaf = T::decode(data).ok()?;
    assert_eq!(leaf.encode(), data, "{} is written as it was read", T::VERSION);
    Some(leaf)
}

pub(super) fn leaf_seeds() -> Vec<Vec<u8>> {
    let world = World::new();
    let mut seeds = vec![world.full.input.policy.encode()];
    seeds.extend(world.full.input.events.iter().map(|entry| entry.event.encode()));
    seeds.extend(world.full.input.decisions.iter().map(Leaf::encode));
    seeds.extend(world.full.input.pool.components().map(Leaf::encode));
    seeds.extend(world.full.closed.allocations.iter().map(Leaf::encode));
    close_with(&world.full.input, &mut |activity| seeds.push(activity.encode()))
        .expect("an epoch that closes");
    seeds.push(world.payout_proof(1).encode());
    seeds.push(world.absence_proof(&world.empty, &facts::claimant("identity:github:1")).encode());
    seeds
}
