//! Small worlds, all of them: every split of small pools, every sharing of small events, and the refusals of `close`.
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

mod rules_support;

use std::collections::BTreeMap;

use meed_audit::RejectionCode::{self, *};
use meed_audit::activity::{Earned, curate};
use meed_audit::allocation::{Allocation, allocate};
use meed_audit::amount::{Credits, Units};
use meed_audit::close::{EpochInput, close};
use meed_audit::decision::{Change, Curation, Override, State};
use meed_audit::hash::Hash;
use meed_audit::ids::{Claimant, Revision};
use meed_audit::policy::{Unlinked, Weights};
use meed_audit::pool::Pool;
use rules_support::*;

const KEYS: [&str; 3] =
    ["identity:discord:5", "identity:github:7", "user:0b7e7a6c-2d0c-4d5e-9a39-3a8c1f1f5a10"];

/// All rows of `places` numbers from 0 to `most`.
fn all_rows(places: u32, most: u128) -> impl Iterator<Item = Vec<u128>> {
    let base = most + 1;
    (0..base.pow(places)).map(move |code| (0..places).map(|place| code / base.pow(place) % base).collect())
}

fn pay(pool: u128, proposed: &[u128], overrides: &[Option<u128>]) -> Vec<Allocation> {
    let earned = proposed.iter().zip(KEYS).map(|(value, key)| {
        (claimant(key), Earned { units: units(*value), events_count: u64::from(*value > 0) })
    });
    let overrides: BTreeMap<Claimant, Override> = overrides
        .iter()
        .zip(KEYS)
        .filter_map(|(set, key)| {
            Some((claimant(key), Override { units: units((*set)?), reason: free("so"), set_at: 0 }))
        })
        .collect();
    let pool = Credits::single(pool).expect("pool");
    allocate(scope_name().id(), epoch(1), Revision::FIRST, pool, earned.collect(), &overrides)
        .expect("allocates")
}

/// What largest remainder demands of a result, without saying how it is made: nobody is more than one away from the
/// exact quota, and no one who got one more had a smaller remainder, or an equal one and a larger key.
fn check_fair(pool: u128, units: &[u128], credits: &[u128]) {
    let sum: u128 = units.iter().sum();
    if sum == 0 || pool == 0 {
        assert!(credits.iter().all(|paid| *paid == 0));
        return;
    }
    assert_eq!(credits.iter().sum::<u128>(), pool);
    let extra: Vec<u128> = units.iter().zip(credits).map(|(unit, paid)| paid - unit * pool / sum).collect();
    let remainder: Vec<u128> = units.iter().map(|unit| unit * pool % sum).collect();
    assert!(extra.iter().all(|more| *more <= 1), "{pool} by {units:?} gives {credits:?}");
    for lucky in (0..units.len()).filter(|place| extra[*place] == 1) {
        assert_ne!(units[lucky], 0, "nothing for nothing");
        for other in (0..units.len()).filter(|place| extra[*place] == 0) {
            let deserved =
                (remainder[lucky], std::cmp::Reverse(lucky)) > (remainder[other], std::cmp::Reverse(other));
            assert!(deserved, "{pool} by {units:?} gives {credits:?}");
        }
    }
}

#[test]
fn every_small_pool_is_split_fairly() {
    for pool in 0..=12 {
        for people in 0..=3 {
            for row in all_rows(people, 3) {
                let paid = pay(pool, &row, &[]);
                let credits: Vec<u128> = paid.iter().map(|allocation| allocation.credits.value()).collect();
                assert_eq!(paid.len(), row.len(), "everybody stays listed");
                check_fair(pool, &row, &credits);
            }
        }
    }
}

#[test]
fn every_small_override_counts_in_place_of_the_proposal() {
    for pool in [1, 7, 12] {
        for row in all_rows(2, 2) {
            for set in all_rows(3, 3) {
                // 3 stands for no override; the third claimant has no activity.
                let set: Vec<Option<u128>> = set.iter().map(|value| (*value < 3).then_some(*value)).collect();
                let paid = pay(pool, &row, &set);
                assert_eq!(paid.len(), 2 + usize::from(set[2].is_some()));
                let expected: Vec<u128> =
                    (0..paid.len()).map(|place| set[place].unwrap_or_else(|| row[place])).collect();
                let last: Vec<u128> = paid.iter().map(|allocation| allocation.final_units.value()).collect();
                assert_eq!(last, expected);
                let credits: Vec<u128> = paid.iter().map(|allocation| allocation.credits.value()).collect();
                check_fair(pool, &last, &credits);
                for (place, allocation) in paid.iter().enumerate() {
                    assert_eq!(allocation.override_reason.is_some(), set[place].is_some());
                    assert_eq!(allocation.proposed_units.value(), row.get(place).copied().unwrap_or(0));
                }
            }
        }
    }
}

/// Every weight of 0 to 12 by every sharing among up to three authors in steps of an eighth, some bound together.
#[test]
fn every_small_event_is_shared_fairly() {
    let bound = State::replay(&decide(&[bind("1"), bind("2")])).expect("replays");
    for state in [State::default(), bound] {
        for eighths in all_rows(3, 8).filter(|row| row.iter().sum::<u128>() == 8) {
            let shares: BTreeMap<Claimant, u32> = (1..)
                .zip(&eighths)
                .filter(|(_, eighth)| **eighth > 0)
                .map(|(id, eighth)| {
                    (
                        Claimant::Identity(github(&format!("{id}"))),
                        125_000 * u32::try_from(*eighth).expect("small"),
                    )
                })
                .collect();
            for weight in 0..=12 {
                let curation = Curation {
                    weight: Some(units(weight)),
                    shares: Some(shares.clone()),
                    ..Curation::default()
                };
                check_sharing(&curation, &state, &shares, weight);
            }
        }
    }
}

fn check_sharing(curation: &Curation, state: &State, shares: &BTreeMap<Claimant, u32>, weight: u128) {
    let event = log_event(new_event("a", "pr_merged", &[("9", None)], "2026-11-10T00:00:00Z"), 0);
    let claimed =
        curate(&event.entry(), false, &policy(Unlinked::Claim), Some(curation), state).expect("curates");
    let mut resolved = BTreeMap::<Claimant, u128>::new();
    for (claimant, share) in shares {
        *resolved.entry(state.resolve_claimant(claimant)).or_default() += u128::from(*share);
    }
    assert_eq!(
        claimed.claimants.iter().map(|entry| &entry.key).collect::<Vec<_>>(),
        resolved.keys().collect::<Vec<_>>()
    );
    let parts: Vec<u128> = claimed.claimants.iter().map(|entry| entry.units.value()).collect();
    check_fair(weight, &resolved.values().copied().collect::<Vec<_>>(), &parts);
    // Under `exclude` the same split, with identities left out afterwards: their units go to nobody.
    let excluding =
        curate(&event.entry(), false, &policy(Unlinked::Exclude), Some(curation), state).expect("curates");
    let mut users = claimed.claimants;
    users.retain(|entry| matches!(entry.key, Claimant::User(_)));
    assert_eq!(excluding.claimants, users);
    assert_eq!(excluding.units.value(), weight);
}

fn refusal(change: impl FnOnce(&mut EpochInput)) -> (RejectionCode, String) {
    let mut input = example_input();
    change(&mut input);
    let rejection = close(&input).expect_err("must be refused");
    (rejection.code, rejection.subject)
}

#[test]
fn parts_that_do_not_belong_together_are_refused_by_name() {
    let other = "a0000000-0000-4000-8000-000000000000";
    let named = |code, subject: &str| (code, subject.to_owned());
    assert_eq!(refusal(|i| i.policy.scope = other.parse().expect("id")), named(Mismatch, "policy scope"));
    assert_eq!(
        refusal(|i| i.approvers.scope = other.parse().expect("id")),
        named(Mismatch, "approver set scope")
    );
    assert_eq!(
        refusal(|i| i.approvers.origin = "x.org".parse().expect("origin")),
        named(Mismatch, "approver set origin")
    );
    assert_eq!(
        refusal(|i| i.decisions[1].scope = other.parse().expect("id")),
        named(Mismatch, "decision scope")
    );
    for line in [
        "",
        "other.example.org/events/1",
        "ledger.example.org/events/1\nPrevious: none",
        "ledger.example.org/events/01",
    ] {
        assert_eq!(refusal(|i| i.events_log = line.to_owned()), named(Mismatch, "Events Log"));
    }
    assert_eq!(refusal(|i| i.windows.clear()), named(InputIncomplete, "windows"));
    assert_eq!(refusal(|i| i.windows.reverse()), named(InputIncomplete, "windows"));
    assert_eq!(refusal(|i| i.windows[1].log_size = None), named(InputIncomplete, "windows"));
    assert_eq!(refusal(|i| i.windows[0].log_size = Some(6)), named(InputIncomplete, "windows"));
    assert_eq!(
        refusal(|i| i.windows[0].period.end = at("2026-11-09T00:00:00.001Z")),
        named(InputIncomplete, "windows")
    );
    let first = "github:pr:1:42";
    assert_eq!(refusal(|i| i.events.push(i.events[0].clone())), named(DuplicateField, first));
    assert_eq!(
        refusal(|i| i.events[0].event.scopes = vec![other.parse().expect("id")]),
        named(Mismatch, first)
    );
    assert_eq!(refusal(|i| i.events[0].index = 5), named(Mismatch, first));
    assert_eq!(
        refusal(|i| i.events[0].event.event_time = at("2026-11-16T00:00:00Z")),
        named(Mismatch, first)
    );
    assert_eq!(
        refusal(|i| i.events[0].event.event_time = at("2026-11-01T23:59:59Z")),
        named(Mismatch, first)
    );
    assert_eq!(
        refusal(|i| drop(i.events.remove(3))),
        named(InputIncomplete, "events"),
        "a curated event is missing"
    );
}

/// Refused with `mismatch`, by the name of what does not agree.
fn disagreement(input: &EpochInput) -> String {
    let rejection = close(input).expect_err("must be refused");
    assert_eq!(rejection.code, Mismatch, "{rejection}");
    rejection.subject
}

/// The decisions that [`decide`] makes of these changes after those of the example.
fn with_changes(changes: &[(Option<u64>, Change)]) -> EpochInput {
    let mut input = example_input();
    input.decisions.extend(decide(changes));
    input
}

#[test]
fn the_pool_is_what_was_decided() {
    let base = "pool component base_issuance";
    let bonus = "pool component bonus";
    let mut input = example_input();
    input.decisions.pop();
    assert_eq!(disagreement(&input), base, "a component without its decision");
    let mut input = example_input();
    input.pool = pool(10_001);
    assert_eq!(disagreement(&input), base, "another amount");
    assert_eq!(disagreement(&with_changes(&[pooled("bonus", 5)])), bonus, "a decision without its component");
    assert_eq!(disagreement(&with_changes(&[pooled("base_issuance", 10_000)])), base, "decided twice");
    let mut input = example_input();
    input.decisions[3].epoch = Some(epoch(1));
    assert_eq!(disagreement(&input), base, "decided for another epoch");
    // Once the epoch is closed its pool stays: a decision from after it would be a second pool.
    let mut input = with_changes(&[(Some(2), Change::EarlyClose), pooled("bonus", 5)]);
    input.pool =
        Pool::from_components([component("base_issuance", 10_000), component("bonus", 5)]).expect("pool");
    input.decisions[4].at = at("2026-11-15T00:00:00Z");
    assert_eq!(disagreement(&input), bonus, "decided after the close");
    input.decisions.swap(4, 5);
    assert_eq!(close(&input).expect("before it").statement.pool_total.value(), 10_005);
    let mut input = amended_input();
    input.decisions.swap(1, 2);
    assert_eq!(disagreement(&input), base, "decided after the amendment began");
}

#[test]
fn an_epoch_is_closed_early_by_one_decision_from_before_its_end() {
    let early = "early close of epoch 2";
    let mut input = with_changes(&[(Some(2), Change::EarlyClose)]);
    assert_eq!(disagreement(&input), early, "decided after the window had ended");
    input.decisions[4].at = at("2026-11-15T23:59:59.999Z");
    assert!(close(&input).is_ok());
    input.decisions.push(input.decisions[4].clone());
    assert_eq!(disagreement(&input), early, "twice");
    let mut input = with_changes(&[(Some(1), Change::EarlyClose)]);
    assert_eq!(disagreement(&input), "early close of epoch 1", "of the epoch before");
    // What is to be approved by the window's end was frozen before it, and closed before that.
    input = example_input();
    input.draft.sign_by = at("2026-11-16T00:00:00Z");
    assert_eq!(disagreement(&input), early, "closed early, and nobody decided it");
    input.decisions.extend(decide(&[(Some(2), Change::EarlyClose)]));
    input.decisions[4].at = at("2026-11-12T00:00:00Z");
    assert!(close(&input).is_ok());
}

#[test]
fn a_gap_is_accepted_once_and_pins_the_pool() {
    let mut input = with_changes(&[(Some(2), Change::AcceptGap)]);
    assert!(close(&input).is_ok());
    input.decisions.push(input.decisions[4].clone());
    assert_eq!(disagreement(&input), "accepted gap of epoch 2", "twice");
    let mut input = with_changes(&[(Some(2), Change::AcceptGap), pooled("bonus", 5)]);
    input.pool =
        Pool::from_components([component("base_issuance", 10_000), component("bonus", 5)]).expect("pool");
    assert_eq!(disagreement(&input), "pool component bonus", "decided after the close");
}

#[test]
fn a_correction_is_begun_by_a_decision_and_has_its_place_in_the_chain() {
    let amendment = "amendment of epoch 2";
    assert!(close(&amended_input()).is_ok());
    let refused = |change: fn(&mut EpochInput)| {
        let mut input = amended_input();
        change(&mut input);
        disagreement(&input)
    };
    assert_eq!(refused(|i| drop(i.decisions.pop())), amendment, "no decision");
    assert_eq!(refused(|i| i.decisions[2].epoch = Some(epoch(1))), amendment, "of another epoch");
    assert_eq!(refused(|i| i.draft.supersedes = None), amendment, "nothing is corrected");
    assert_eq!(
        refused(|i| i.draft.revision = Revision::FIRST),
        "revision",
        "the first revision corrects nothing"
    );
    assert_eq!(refused(|i| i.draft.previous = None), "previous", "what is corrected stands in the chain");
    let mut input = example_input();
    input.draft.previous = None;
    assert_eq!(disagreement(&input), "previous", "only the first epoch has none before it");
    input.windows.remove(0);
    input.windows[0].number = epoch(1);
    input.events.pop();
    input.decisions.iter_mut().for_each(|decision| decision.epoch = decision.epoch.map(|_| epoch(1)));
    assert!(close(&input).is_ok(), "the first");
    input.draft.previous = Some(Hash::of(b"before the first"));
    assert_eq!(disagreement(&input), "previous", "the first has none before it");
}

#[test]
fn windows_are_laid_as_the_policy_says() {
    let mut input = example_input();
    let own = "window of epoch 2";
    input.windows[1].period.start = at("2026-11-09T00:00:00.001Z");
    assert_eq!(disagreement(&input), own, "not from a boundary");
    let mut input = example_input();
    input.windows[1].period.end = at("2026-11-23T00:00:00Z");
    assert_eq!(disagreement(&input), own, "longer than the policy says");
    let mut input = example_input();
    input.policy.window_days = meed_audit::window::WindowDays::new(14).expect("days");
    assert_eq!(disagreement(&input), own, "shorter than the policy says");
    let mut input = example_input();
    input.windows[0].period.start = at("2026-11-01T00:00:00Z");
    assert_eq!(disagreement(&input), "window of epoch 1", "eight days");
    // Fourteen days from an even boundary: an earlier policy may have said so.
    input.windows[0].period.start = at("2026-10-12T00:00:00Z");
    input.windows[0].period.end = at("2026-10-26T00:00:00Z");
    assert!(close(&input).is_ok());
}

#[test]
fn a_route_gives_an_event_to_a_scope_that_its_leaf_does_not_name() {
    let mut input = example_input();
    input.events[0].routed = true;
    assert_eq!(close(&input).expect_err("named, and routed too").code, Mismatch);
    input.events[0].routed = false;
    input.events[0].event.scopes.clear();
    assert_eq!(close(&input).expect_err("not routed").code, Mismatch);
    input.events[0].routed = true;
    assert_eq!(close(&input).expect("routed").statement.activity.size, 5);
    input.events[0].index = 5;
    assert_eq!(close(&input).expect_err("routed after the pin").code, Mismatch);
}

#[test]
fn an_epoch_without_activity_leaves_its_pool() {
    let mut input = example_input();
    input.events.clear();
    input.decisions = pool_decisions(&input.pool);
    let closed = close(&input).expect("closes");
    assert!(closed.allocations.is_empty());
    let statement = closed.statement;
    assert_eq!((statement.tree_size(), statement.undistributed.value()), (1, 10_000));
    assert_eq!(statement.root, statement.leaf_zero_hash());
    assert_eq!(statement.to_string().parse(), Ok(statement));
    // An override may pay somebody who did nothing that a source saw.
    input.decisions =
        decide(&[pooled("base_issuance", 10_000), (Some(2), Change::Override(claimant(KEYS[1]), units(1)))]);
    let paid = close(&input).expect("closes").allocations;
    assert_eq!((paid.len(), paid[0].events, paid[0].credits.value()), (1, 0, 10_000));
}

#[test]
fn the_largest_numbers_close() {
    let largest = (1_u128 << 96) - 1;
    let mut input = example_input();
    let weights = format!(r#"{{"github:pr_merged":"{largest}","github:review_submitted":"{largest}"}}"#);
    input.policy.weights = Weights::parse(weights.as_bytes()).expect("weights");
    input.pool = pool(largest);
    input.decisions = decide(&[
        pooled("base_issuance", largest),
        (Some(2), Change::Override(claimant(KEYS[0]), units(largest))),
    ]);
    let closed = close(&input).expect("closes");
    assert_eq!(closed.statement.distributed.value(), largest);
    let sum =
        closed.allocations.iter().try_fold(Units::ZERO, |sum, a| sum.plus(a.final_units)).expect("fits");
    assert_eq!(sum.value(), largest * 6);
}
