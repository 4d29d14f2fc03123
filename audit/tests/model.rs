//! The room against an independent model: random scopes, events and decisions give the same statement, byte for byte.
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

mod model_support;
mod rules_support;

use meed_audit::RejectionCode;
use meed_audit::close::{ClosedEpoch, close, close_with};
use meed_audit::statement::Statement;
use model_support::world::{any_world, decide_both, entry, input};
use model_support::{World, naive};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

fn check_invariants(world: &World, closed: &ClosedEpoch) {
    let statement = &closed.statement;
    let pool = world.base + world.bonus.unwrap_or(0);
    let paid: u128 = closed.allocations.iter().map(|a| a.credits.value()).sum();
    assert_eq!(paid, statement.distributed.value());
    assert_eq!(paid + statement.undistributed.value(), pool);
    let all_zero = closed.allocations.iter().all(|a| a.final_units.value() == 0);
    assert_eq!(statement.undistributed.value(), if all_zero { pool } else { 0 });
    for allocation in &closed.allocations {
        assert!(allocation.final_units.value() != 0 || allocation.credits.value() == 0);
        assert!(allocation.override_reason.is_some() || allocation.final_units == allocation.proposed_units);
    }
    let keys: Vec<String> = closed.allocations.iter().map(|a| a.claimant.to_string()).collect();
    assert!(keys.windows(2).all(|pair| pair[0].as_bytes() < pair[1].as_bytes()), "leaves ascend strictly");
    let text = statement.to_string();
    let again: Statement = text.parse().expect("parses");
    assert_eq!((&again, again.to_string()), (statement, text));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_024, ..ProptestConfig::default() })]

    #[test]
    fn model_predicts_every_statement(world in any_world()) {
        let (model, decisions) = decide_both(&world);
        let expected = naive::statement(&world, &model);
        let closed = close(&input(&world, decisions, &world.taken()));
        match (closed, expected) {
            (Ok(closed), Some(expected)) => {
                check_invariants(&world, &closed);
                prop_assert_eq!(closed.statement.to_string(), expected);
            }
            (Err(rejection), None) => prop_assert_eq!(rejection.code, RejectionCode::OverrideClaimantMoved),
            (closed, expected) => prop_assert!(false, "{:?} but the model says {:?}", closed, expected),
        }
    }

    #[test]
    fn payout_deterministic(world in any_world(), turn in 0_usize..20) {
        let (_, decisions) = decide_both(&world);
        let mut facts = world.taken();
        let first = close(&input(&world, decisions.clone(), &facts));
        facts.reverse();
        let by = turn % facts.len().max(1);
        facts.rotate_left(by);
        let mut seen = Vec::new();
        let second = close_with(&input(&world, decisions, &facts), &mut |leaf| seen.push(leaf.event.clone()));
        match (first, second) {
            (Ok(first), Ok(second)) => {
                prop_assert_eq!(first.statement.to_string(), second.statement.to_string());
                prop_assert_eq!(first.allocation_hashes, second.allocation_hashes);
                prop_assert!(seen.windows(2).all(|pair| pair[0] < pair[1]));
            }
            (first, second) => prop_assert_eq!(first.err(), second.err()),
        }
    }

    #[test]
    fn activity_complete(world in any_world(), which in 0_usize..20) {
        let taken = world.taken();
        let foreign: Vec<_> = world.facts.iter().filter(|fact| !taken.iter().any(|t| t.id == fact.id)).collect();
        prop_assume!(!foreign.is_empty());
        let decisions = decide_both(&World { wishes: Vec::new(), ..world.clone() }).1;
        let mut input = input(&world, decisions, &taken);
        prop_assert!(close(&input).is_ok());
        let intruder = foreign[which % foreign.len()];
        input.events.push(entry(intruder));
        let rejection = close(&input).expect_err("an event of another epoch");
        prop_assert_eq!((rejection.code, rejection.subject), (RejectionCode::Mismatch, intruder.id.clone()));
    }
}

/// The worlds above are not all alike: each kind of thing that can happen happens in many of them.
#[test]
fn worlds_are_varied() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for _ in 0..400 {
        let world = any_world().new_tree(&mut runner).expect("a world").current();
        let (model, decisions) = decide_both(&world);
        let Some(_) = naive::statement(&world, &model) else {
            *counts.entry("override moved").or_default() += 1;
            continue;
        };
        let closed = close_with(&input(&world, decisions.clone(), &world.taken()), &mut |leaf| {
            for (kind, holds) in [
                ("late", leaf.late),
                ("excluded", !leaf.included),
                ("curated", leaf.reason.is_some()),
                ("shared", leaf.claimants.len() > 1),
                ("nobody", leaf.included && leaf.claimants.is_empty()),
                ("large", leaf.units.value() > 1 << 64),
            ] {
                *counts.entry(kind).or_default() += usize::from(holds);
            }
        })
        .expect("closes");
        for (kind, holds) in [
            ("some paid", closed.statement.distributed.value() > 0),
            ("undistributed", closed.statement.undistributed.value() > 0),
            ("override", closed.allocations.iter().any(|a| a.override_reason.is_some())),
            ("no activity", closed.allocations.iter().any(|a| a.events == 0)),
            ("refused wishes", decisions.len() < world.wishes.len()),
            ("users and identities", {
                let users =
                    closed.allocations.iter().filter(|a| a.claimant.to_string().starts_with("user:")).count();
                users > 0 && users < closed.allocations.len()
            }),
        ] {
            *counts.entry(kind).or_default() += usize::from(holds);
        }
    }
    assert_eq!(counts.len(), 13, "{counts:?}");
    assert!(counts.values().all(|count| *count >= 10), "{counts:?}");
}
