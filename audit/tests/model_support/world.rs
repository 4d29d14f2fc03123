//! Random worlds, and the same world as the room's own input.

use meed_audit::activity::EpochEvent;
use meed_audit::amount::{Credits, Units};
use meed_audit::close::{DraftTerms, EpochInput};
use meed_audit::decision::{Change, Decision, DecisionContext};
use meed_audit::event::{EventFields, NewEvent};
use meed_audit::hash::Hash;
use meed_audit::ids::{Claimant, EpochNumber, Revision};
use meed_audit::json::Value;
use meed_audit::leaf::Leaf;
use meed_audit::policy::{Policy, Unit, Unlinked, Weights};
use meed_audit::pool::Pool;
use meed_audit::time::{Period, Timestamp};
use meed_audit::window::{EpochWindow, WindowDays};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::state::State;
use super::{DAY_MS, FIRST_MS, Fact, PEOPLE, TYPES, USERS, Who, Wish, World};
use crate::rules_support as fixture;

const LARGEST: u128 = (1 << 96) - 1;

/// Weights of 1 to 1,000 turned into shares that sum to a whole.
fn shares(weights: &[u32]) -> Vec<u32> {
    let sum: u32 = weights.iter().sum();
    let mut shares: Vec<u32> = weights.iter().map(|weight| weight * 1_000 / sum * 1_000).collect();
    let rest: u32 = 1_000_000 - shares.iter().sum::<u32>();
    shares[0] += rest;
    shares
}

fn any_authors() -> impl Strategy<Value = Vec<(usize, Option<u32>)>> {
    let people = subsequence(vec![0, 1, 2, 3, 4, 5], 1..=4).prop_shuffle();
    (people, any::<bool>(), prop::collection::vec(10_u32..1_000, 4)).prop_map(|(people, equal, weights)| {
        let shares = shares(&weights[..people.len()]);
        people.into_iter().zip(shares).map(|(person, share)| (person, (!equal).then_some(share))).collect()
    })
}

fn any_facts() -> impl Strategy<Value = Vec<Fact>> {
    let time = prop_oneof![
        8 => 0..21 * DAY_MS,
        1 => -3 * DAY_MS..0,
        1 => select(vec![-1, 0, 7 * DAY_MS - 1, 7 * DAY_MS, 14 * DAY_MS - 1, 14 * DAY_MS, 21 * DAY_MS]),
    ];
    let fact = (0..TYPES.len(), any_authors(), time, prop::bool::weighted(0.2));
    prop::collection::vec(fact, 0..14).prop_map(|facts| {
        (0_u64..)
            .zip(facts)
            .map(|(index, (event_type, authors, offset, routed))| Fact {
                id: format!("github:x:{}", (index * 7 + 3) % 29),
                event_type,
                authors,
                time_ms: FIRST_MS + offset,
                index,
                routed,
            })
            .collect()
    })
}

fn any_who() -> impl Strategy<Value = Who> {
    prop_oneof![(0..PEOPLE.len()).prop_map(Who::Person), (0..USERS.len()).prop_map(Who::User)]
}

fn any_units() -> impl Strategy<Value = u128> {
    prop_oneof![4 => 0_u128..5_000, 1 => 0..=LARGEST, 1 => select(vec![0, 1, LARGEST])]
}

fn any_wish() -> impl Strategy<Value = Wish> {
    let (person, user, event) = (0..PEOPLE.len(), 0..USERS.len(), 0_usize..20);
    prop_oneof![
        3 => (person.clone(), user.clone()).prop_map(|(person, user)| Wish::Bind(person, user)),
        1 => (person.clone(), user).prop_map(|(person, user)| Wish::Rebind(person, user)),
        1 => person.prop_map(Wish::Revoke),
        3 => event.clone().prop_map(Wish::Exclude),
        1 => event.clone().prop_map(Wish::Include),
        2 => (event.clone(), any_units()).prop_map(|(event, units)| Wish::Weight(event, units)),
        2 => (event, prop::collection::vec(10_u32..1_000, 1..4), 0_usize..6)
            .prop_map(|(event, weights, first)| Wish::Shares(event, shared(&weights, first))),
        3 => (any_who(), any_units()).prop_map(|(who, units)| Wish::Override(who, units)),
    ]
}

fn shared(weights: &[u32], first: usize) -> Vec<(Who, u32)> {
    let who =
        |place: usize| if place % 2 == 1 { Who::User(place % 3) } else { Who::Person((first + place) % 6) };
    shares(weights).into_iter().enumerate().map(|(place, share)| (who(place), share)).collect()
}

pub(crate) fn any_world() -> impl Strategy<Value = World> {
    let amount = prop_oneof![2 => 1_u128..20_000, 1 => 1..=LARGEST / 2];
    let wishes = prop::collection::vec((prop::bool::weighted(0.8), any_wish()), 0..16);
    let pool = (amount.clone(), prop::option::of(amount));
    let pins = prop::collection::vec(0_u64..18, 3);
    (any_facts(), wishes, pool, pins, 1_usize..=3, any::<bool>(), prop::bool::weighted(0.3)).prop_map(
        |(facts, wishes, (base, bonus), mut pins, epochs, gap, excludes_unlinked)| {
            pins.sort_unstable();
            let wishes = wishes
                .into_iter()
                .map(|(own, wish)| (if own { epochs } else { epochs % 3 + 1 }, wish))
                .collect();
            World { excludes_unlinked, base, bonus, epochs, gap, pins, facts, wishes }
        },
    )
}

/// The fact as an event of the log.
pub(crate) fn entry(fact: &Fact) -> EpochEvent {
    let late = fixture::at("2026-12-31T00:00:00Z");
    let fields = EventFields {
        id: fact.id.parse().expect("id"),
        source: "github".parse().expect("source"),
        source_ref: "1".to_owned(),
        event_type: TYPES[fact.event_type].0.parse().expect("type"),
        authors: fact
            .authors
            .iter()
            .map(|(person, share)| (fixture::github(PEOPLE[*person]), *share))
            .collect(),
        event_time: Timestamp::from_ms(fact.time_ms).expect("time"),
        payload_hash: Hash::of(fact.id.as_bytes()),
        producer: "model".to_owned(),
        producer_version: "1".to_owned(),
        retrieved_at: late,
        metadata: Value::Object(Vec::new()),
    };
    let scopes = if fact.routed { Vec::new() } else { vec![fixture::scope_name().id()] };
    let event = NewEvent::new(fields, late).expect("event").into_event([0; 32], scopes).expect("event");
    EpochEvent { event_hash: event.leaf_hash(), event, index: fact.index, routed: fact.routed }
}

fn change(world: &World, epoch: usize, wish: &Wish) -> Option<Change> {
    let event = |number: &usize| world.event_for(epoch, *number).map(|fact| fact.id.parse().expect("id"));
    let user = |user: &usize| USERS[*user].parse().expect("user");
    let claimant = |who: &Who| who.key().parse::<Claimant>().expect("claimant");
    let units = |units: &u128| Units::single(*units).expect("units");
    Some(match wish {
        Wish::Bind(person, who) => Change::Bind(fixture::github(PEOPLE[*person]), user(who)),
        Wish::Rebind(person, who) => Change::Rebind(fixture::github(PEOPLE[*person]), user(who)),
        Wish::Revoke(person) => Change::Revoke(fixture::github(PEOPLE[*person])),
        Wish::Exclude(number) => Change::Exclude(event(number)?),
        Wish::Include(number) => Change::Include(event(number)?),
        Wish::Weight(number, weight) => Change::Weight(event(number)?, units(weight)),
        Wish::Shares(number, shares) => {
            let shares = shares.iter().map(|(who, share)| (claimant(who), *share)).collect();
            Change::Shares(event(number)?, shares)
        }
        Wish::Override(who, set) => Change::Override(claimant(who), units(set)),
    })
}

fn context(epoch: usize, change: &Change, reason: &str) -> DecisionContext {
    DecisionContext {
        scope: fixture::scope_name().id(),
        epoch: change.needs_epoch().then(|| EpochNumber::new(epoch as u64).expect("epoch")),
        actor: fixture::free("olivia"),
        at: fixture::at("2026-12-01T09:00:00Z"),
        reason: fixture::free(reason),
    }
}

/// Lets both sides decide what is wished for, and checks that they agree on what may be decided.
pub(crate) fn decide_both(world: &World) -> (State, Vec<Decision>) {
    let mut model = State::default();
    let mut state = meed_audit::decision::State::default();
    let mut decisions = Vec::new();
    for (component, amount) in world.parts() {
        let amount_given = Credits::single(amount).expect("amount");
        let change = Change::Pool(component.parse().expect("component"), amount_given);
        let decision =
            Decision::new(&state, &change, context(world.epochs, &change, "pool")).expect("decides");
        state.apply(&decision).expect("applies");
        decisions.push(decision);
        model.add_to_pool(world.epochs, component, amount);
    }
    for (number, (epoch, wish)) in world.wishes.iter().enumerate() {
        let reason = format!("reason {number}");
        let Some(change) = change(world, *epoch, wish) else { continue };
        let decision = Decision::new(&state, &change, context(*epoch, &change, &reason));
        let expected = model.decide(world, *epoch, wish, &reason);
        assert_eq!(decision.is_ok(), expected, "{wish:?} gives {decision:?}");
        if let Ok(decision) = decision {
            state.apply(&decision).expect("applies");
            decisions.push(decision);
        }
    }
    (model, decisions)
}

/// The world as the room's own input, for the last epoch, with its events in `order`.
pub(crate) fn input(world: &World, decisions: Vec<Decision>, facts: &[&Fact]) -> EpochInput {
    let window = |number: usize| {
        let (start, end) = world.window(number);
        let time = |ms| Timestamp::from_ms(ms).expect("time");
        EpochWindow {
            number: EpochNumber::new(number as u64).expect("epoch"),
            period: Period { start: time(start), end: time(end) },
            log_size: Some(world.pins[number - 1]),
        }
    };
    let weights: Vec<String> = TYPES
        .iter()
        .filter_map(|(name, units)| units.map(|units| format!(r#""github:{name}":{units}"#)))
        .collect();
    EpochInput {
        name: fixture::scope_name(),
        policy: Policy {
            scope: fixture::scope_name().id(),
            unit: Unit::default(),
            unlinked: if world.excludes_unlinked { Unlinked::Exclude } else { Unlinked::Claim },
            window_days: WindowDays::WEEK,
            weights: Weights::parse(format!("{{{}}}", weights.join(",")).as_bytes()).expect("weights"),
        },
        windows: (1..=world.epochs).map(window).collect(),
        events_log: "ledger.example.org/events/1".to_owned(),
        events_root: Hash::from_bytes([7; 32]),
        events: facts.iter().map(|fact| entry(fact)).collect(),
        decisions,
        pool: Pool::from_components(
            world.parts().into_iter().map(|(component, amount)| fixture::component(component, amount)),
        )
        .expect("pool"),
        approvers: fixture::approvers(),
        draft: DraftTerms {
            revision: Revision::FIRST,
            sign_by: fixture::at("2026-12-15T09:00:00Z"),
            previous: (world.epochs > 1).then(|| Hash::from_bytes([5; 32])),
            supersedes: None,
        },
    }
}
