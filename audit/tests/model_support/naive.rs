//! The model of an epoch's computation, from facts and the model's state to the statement's text.

use std::collections::BTreeMap;

use super::bytes::{base64, hex, leaf, root, root_of, sha};
use super::state::State;
use super::{DAY_MS, FIRST_MS, Fact, NODE, PEOPLE, SCOPE, TYPES, World};

/// Quotient and remainder of `a * b / divisor` for `a <= divisor <= 2^127`: long division, bit by bit.
pub(crate) fn multiply_divide(a: u128, b: u128, divisor: u128) -> (u128, u128) {
    let (mut quotient, mut remainder) = (0_u128, 0_u128);
    for bit in (0..128).rev() {
        quotient *= 2;
        remainder *= 2;
        if remainder >= divisor {
            remainder -= divisor;
            quotient += 1;
        }
        if b >> bit & 1 == 1 {
            remainder += a;
            if remainder >= divisor {
                remainder -= divisor;
                quotient += 1;
            }
        }
    }
    (quotient, remainder)
}

/// Largest remainder, one unit at a time; ties to the one that stands first.
pub(crate) fn divide(total: u128, weights: &[u128], sum: u128) -> Vec<u128> {
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let quotas: Vec<(u128, u128)> =
        weights.iter().map(|weight| multiply_divide(*weight, total, sum)).collect();
    let mut parts: Vec<u128> = quotas.iter().map(|(floor, _)| *floor).collect();
    let mut served = vec![false; weights.len()];
    while parts.iter().sum::<u128>() < total {
        let mut best = None;
        for (place, (_, remainder)) in quotas.iter().enumerate() {
            if !served[place] && best.is_none_or(|best: usize| quotas[best].1 < *remainder) {
                best = Some(place);
            }
        }
        let best = best.expect("fewer are left than parts");
        served[best] = true;
        parts[best] += 1;
    }
    parts
}

/// What a claimant has in the end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    pub(crate) proposed: u128,
    pub(crate) events: u64,
    pub(crate) last: u128,
    pub(crate) credits: u128,
    pub(crate) reason: Option<String>,
}

/// The statement's text; none where an override's claimant has become another.
pub(crate) fn statement(world: &World, state: &State) -> Option<String> {
    let empty = super::state::EpochState::default();
    let own = state.epochs.get(&world.epochs).unwrap_or(&empty);
    if state.has_moved(own) {
        return None;
    }
    let (activity, mut rows) = activity(world, state, own);
    for (key, (units, reason)) in &own.overrides {
        let row = rows.entry(key.clone()).or_default();
        (row.last, row.reason) = (*units, Some(reason.clone()));
    }
    let pool = world.base + world.bonus.unwrap_or(0);
    let units: Vec<u128> = rows.values().map(|row| row.last).collect();
    let credits = divide(pool, &units, units.iter().sum());
    for (row, credits) in rows.values_mut().zip(credits) {
        row.credits = credits;
    }
    Some(write(world, state, &activity, &rows, pool))
}

fn activity(
    world: &World,
    state: &State,
    own: &super::state::EpochState,
) -> (Vec<String>, BTreeMap<String, Row>) {
    let mut facts = world.taken();
    facts.sort_by(|a, b| a.id.as_bytes().cmp(b.id.as_bytes()));
    let (mut leaves, mut rows) = (Vec::new(), BTreeMap::<String, Row>::new());
    for fact in facts {
        let weight = own.weights.get(&fact.id).copied().or(TYPES[fact.event_type].1).unwrap_or(0);
        let included = !own.excluded.contains(&fact.id);
        let mut earned = Vec::new();
        if included {
            let mut shares = BTreeMap::<String, u128>::new();
            let given = own.shares.get(&fact.id).cloned().unwrap_or_else(|| author_shares(fact));
            for (key, share) in given {
                *shares.entry(state.resolve(&key)).or_default() += u128::from(share);
            }
            let parts = divide(weight, &shares.values().copied().collect::<Vec<_>>(), 1_000_000);
            earned = shares.into_keys().zip(parts).collect();
            earned.retain(|(key, _)| !world.excludes_unlinked || key.starts_with("user:"));
        }
        for (key, units) in &earned {
            let row = rows.entry(key.clone()).or_default();
            row.proposed += units;
            row.last += units;
            row.events += 1;
        }
        let late = world.epoch_of(fact).is_some_and(|(_, late)| late);
        let claimants: Vec<String> =
            earned.iter().map(|(key, units)| format!(r#"{{"key":"{key}","units":"{units}"}}"#)).collect();
        let reason = own.reasons.get(&fact.id).map(|r| format!(r#""reason":"{r}","#)).unwrap_or_default();
        leaves.push(format!(
            r#"{{"claimants":[{}],"event":"{}","event_hash":"{}","included":{included},"index":"{}","late":{late},{reason}"units":"{}","v":"meed/activity/v1","weight":"{weight}"}}"#,
            claimants.join(","),
            fact.id,
            hex(&leaf(&event_leaf(fact))),
            fact.index,
            if included { weight } else { 0 },
        ));
    }
    (leaves, rows)
}

/// The authors' shares by identity; equal ones where they have none.
pub(crate) fn author_shares(fact: &Fact) -> BTreeMap<String, u32> {
    let mut people: Vec<(&str, Option<u32>)> =
        fact.authors.iter().map(|(person, share)| (PEOPLE[*person], *share)).collect();
    people.sort_unstable();
    let count = u32::try_from(people.len()).expect("few");
    let mut shares = BTreeMap::new();
    for (place, (person, share)) in (0_u32..).zip(people) {
        let equal = 1_000_000 / count + u32::from(place < 1_000_000 % count);
        shares.insert(format!("identity:github:{person}"), share.unwrap_or(equal));
    }
    shares
}

pub(crate) fn event_leaf(fact: &Fact) -> String {
    let authors: Vec<String> = author_shares(fact)
        .iter()
        .map(|(key, share)| {
            let id = key.trim_start_matches("identity:github:");
            format!(r#"{{"id":"{id}","provider":"github","share":"{share}"}}"#)
        })
        .collect();
    let scopes = if fact.routed { String::new() } else { format!(r#""{SCOPE}""#) };
    format!(
        r#"{{"authors":[{}],"event_time":"{}","event_type":"{}","id":"{}","metadata_hash":"{}","payload_hash":"{}","producer":"model","producer_version":"1","retrieved_at":"2026-12-31T00:00:00.000Z","scopes":[{scopes}],"source":"github","source_ref":"1","v":"meed/event/v1"}}"#,
        authors.join(","),
        time(fact.time_ms),
        TYPES[fact.event_type].0,
        fact.id,
        hex(&sha(&[&[0; 32], b"{}"])),
        hex(&sha(&[fact.id.as_bytes()])),
    )
}

/// Times of October to December 2026, counted by hand.
pub(crate) fn time(ms: i64) -> String {
    let november_ms = FIRST_MS - DAY_MS;
    let (day, rest) = ((ms - november_ms).div_euclid(DAY_MS), (ms - november_ms).rem_euclid(DAY_MS));
    let (month, day) = match day {
        ..0 => (10, 32 + day),
        0..30 => (11, day + 1),
        _ => (12, day - 29),
    };
    let (hour, minute, second, ms) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60, rest % 1_000);
    format!("2026-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

fn pool_leaves(world: &World) -> Vec<String> {
    let inputs = hex(&sha(&[b"{}"]));
    world
        .parts()
        .into_iter()
        .map(|(component, amount)| {
            format!(
                r#"{{"algorithm_version":"v1","amount":"{amount}","component":"{component}","inputs_hash":"{inputs}","v":"meed/pool/v1"}}"#
            )
        })
        .collect()
}

pub(crate) fn policy(world: &World) -> String {
    let mut weights: Vec<String> = TYPES
        .iter()
        .filter_map(|(name, units)| units.map(|u| format!(r#"{{"type":"github:{name}","units":"{u}"}}"#)))
        .collect();
    weights.sort();
    let unlinked = if world.excludes_unlinked { "exclude" } else { "claim" };
    format!(
        r#"{{"algorithm":"weight-sum-v1","decimals":"0","epoch_days":"7","scope":"{SCOPE}","unit":"credits","unlinked":"{unlinked}","v":"meed/policy/v1","weights":[{}]}}"#,
        weights.join(",")
    )
}

fn allocation_leaf(world: &World, key: &str, row: &Row) -> String {
    let reason = row.reason.as_ref().map(|r| format!(r#""override_reason":"{r}","#)).unwrap_or_default();
    format!(
        r#"{{"claimant":"{key}","credits":"{}","epoch":"{}","events":"{}","final_units":"{}",{reason}"proposed_units":"{}","revision":"0","scope":"{SCOPE}","v":"meed/allocation/v1"}}"#,
        row.credits, world.epochs, row.events, row.last, row.proposed
    )
}

fn set_hash(rows: &BTreeMap<String, Row>) -> String {
    let mut lines: Vec<(String, u128)> =
        rows.iter().map(|(key, row)| (key.trim_start_matches("user:").to_owned(), row.last)).collect();
    lines.sort();
    let text = lines.iter().map(|(key, units)| format!("{key}:{units}")).collect::<Vec<_>>().join("\n");
    hex(&sha(&[text.as_bytes()]))
}

fn write(
    world: &World,
    state: &State,
    activity: &[String],
    rows: &BTreeMap<String, Row>,
    pool: u128,
) -> String {
    let (start, end) = world.window(world.epochs);
    let paid: u128 = rows.values().map(|row| row.credits).sum();
    let pools = pool_leaves(world);
    let lines = format!(
        "meed payout statement v1\nNode: {NODE}\nScope: {SCOPE} default\nEpoch: {} revision 0\nPeriod: {} {}\nSign By: 2026-12-15T09:00:00.000Z\nUnit: credits 0\nPolicy: weight-sum-v1 {}\nEvents Log: ledger.example.org/events/1 {} {}\nActivity: {} {}\nPool: {} {pool} {}\nDecisions: {} {}\nAllocations: {} {}\nDistributed: {paid}\nUndistributed: {}\nApprovers: 2 of 3 version 1 5441dcdc5195733eceaab00a9b97b60d30eba2b01231cf13197fc6f5968f86c6\nPrevious: {}\nSupersedes: none\n",
        world.epochs,
        time(start),
        time(end),
        hex(&sha(&[policy(world).as_bytes()])),
        world.pins[world.epochs - 1],
        base64(&[7; 32]),
        activity.len(),
        root_of(activity),
        pools.len(),
        root_of(&pools),
        state.leaves.len(),
        root_of(&state.leaves),
        rows.len(),
        set_hash(rows),
        pool - paid,
        if world.epochs > 1 { hex(&[5; 32]) } else { "none".to_owned() },
    );
    let mut hashes = vec![leaf(&lines)];
    hashes.extend(rows.iter().map(|(key, row)| leaf(&allocation_leaf(world, key, row))));
    format!(
        "ledger.example.org/default/epoch/{}/0\n{}\n{}\n{lines}",
        world.epochs,
        rows.len() + 1,
        base64(&root(&hashes))
    )
}
