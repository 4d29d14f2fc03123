//! Decisions: what may be decided is replayed to the same state, and an epoch computed from any decisions adds up.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use meed_audit::amount::{AMOUNT_MAX, Credits, Units};
use meed_audit::close::{ClosedEpoch, EpochInput, close};
use meed_audit::decision::{Action, Change, Decision, DecisionContext, State};
use meed_audit::ids::{Claimant, EventId, Identity, Provider, UserId};
use meed_audit::leaf::Leaf;
use meed_audit::merkle;
use meed_audit::text::FreeText;

use super::Bytes;
use crate::facts;
use crate::world::World;

static INPUT: LazyLock<EpochInput> = LazyLock::new(|| World::new().full.input);

/// Most decisions of one input, so that one run stays short.
const DECISIONS_MAX: usize = 64;

/// Decisions that the bytes choose, and decisions that they hold as lines.
pub(super) fn decisions(data: &[u8]) {
    let lines: Vec<Decision> =
        data.split(|byte| *byte == b'\n').map_while(|line| Decision::decode(line).ok()).collect();
    if !lines.is_empty() {
        replay_and_close(&lines);
        return;
    }
    let mut bytes = Bytes(data);
    // The pool is decided already: an epoch closes with no other.
    let mut made: Vec<Decision> = facts::decisions(usize::MAX);
    made.retain(|decision| decision.action == Action::Pool);
    let mut state = State::replay(&made).expect("a pool");
    while !bytes.is_empty() && made.len() < DECISIONS_MAX {
        let change = change(&mut bytes);
        let epoch = (bytes.byte() != 255 && change.needs_epoch()).then(|| facts::epoch_number(2));
        let context = DecisionContext {
            scope: facts::scope_name().id(),
            epoch,
            actor: FreeText::parse("actor", "olivia").expect("a name"),
            at: facts::at("2026-11-16T09:00:00Z"),
            reason: FreeText::parse("reason", "because").expect("a reason"),
        };
        let Ok(decision) = Decision::new(&state, &change, context) else { continue };
        assert_eq!(Decision::decode(&decision.encode()), Ok(decision.clone()));
        assert_eq!(decision.change(), Ok(change));
        state.apply(&decision).expect("a decision that may be made is applied");
        made.push(decision);
    }
    assert_eq!(State::replay(&made), Ok(state));
    replay_and_close(&made);
}

fn change(bytes: &mut Bytes<'_>) -> Change {
    let event = |bytes: &mut Bytes<'_>| -> EventId { bytes.pick(&INPUT.events).expect("an event").event.id };
    let units = |bytes: &mut Bytes<'_>| {
        let number = u128::from(bytes.number()) << (bytes.byte() % 33);
        Units::single(number.min(AMOUNT_MAX)).expect("units")
    };
    match bytes.byte() % 17 {
        0 => Change::Amend,
        1 => Change::Bind(identity(bytes), user(bytes)),
        2 => Change::EarlyClose,
        3 if bytes.byte() == 7 => Change::EndScope,
        4 => Change::Erase(event(bytes)),
        5 => Change::Exclude(event(bytes)),
        6 => Change::Include(event(bytes)),
        7 => Change::Override(claimant(bytes), units(bytes)),
        8 => Change::Pool(
            "bonus".parse().expect("an id"),
            Credits::single(u128::from(bytes.number())).expect("fits"),
        ),
        9 => Change::Rebind(identity(bytes), user(bytes)),
        10 => Change::Revoke(identity(bytes)),
        11 => Change::Shares(event(bytes), shares(bytes)),
        12 => Change::Reset(event(bytes)),
        13 => Change::Withdraw(claimant(bytes)),
        14 => Change::AcceptGap,
        15 => Change::Abandon,
        _ => Change::Weight(event(bytes), units(bytes)),
    }
}

fn identity(bytes: &mut Bytes<'_>) -> Identity {
    match bytes.byte() % 3 {
        0 => facts::identity(Provider::Github, &(1_001 + u32::from(bytes.byte() % 4)).to_string()),
        1 => facts::identity(Provider::Discord, &(20_001 + u32::from(bytes.byte() % 2)).to_string()),
        _ => facts::identity(Provider::Wallet, "0x00000000219ab540356cbb839cbb05303d7705fa"),
    }
}

fn user(bytes: &mut Bytes<'_>) -> UserId {
    [facts::ANNA, facts::BEN][bytes.below(2)].parse().expect("a user")
}

fn claimant(bytes: &mut Bytes<'_>) -> Claimant {
    if bytes.byte().is_multiple_of(2) {
        Claimant::User(user(bytes))
    } else {
        Claimant::Identity(identity(bytes))
    }
}

/// Shares that sum to the whole, of one to four claimants.
fn shares(bytes: &mut Bytes<'_>) -> BTreeMap<Claimant, u32> {
    let claimants: Vec<Claimant> = (0..=bytes.below(4)).map(|_| claimant(bytes)).collect();
    let mut left = 1_000_000;
    let mut shares = BTreeMap::new();
    for claimant in claimants.into_iter().take(3) {
        let share = (u32::from(bytes.byte()) * 1_000 + 1).min(left - 1).max(1);
        if left > share && !shares.contains_key(&claimant) {
            shares.insert(claimant, share);
            left -= share;
        }
    }
    if let Some(share) = shares.values_mut().next() {
        *share += left;
    }
    shares
}

/// An epoch that closes with these decisions adds up; closing it again gives the same bytes.
fn replay_and_close(decisions: &[Decision]) {
    let _ = State::replay(decisions);
    let input = EpochInput { decisions: decisions.to_vec(), ..INPUT.clone() };
    let Ok(closed) = close(&input) else { return };
    check_closed(&closed);
    assert_eq!(closed.statement.decisions.size, u64::try_from(decisions.len()).expect("fits"));
    let mut reversed = input;
    reversed.events.reverse();
    let again = close(&reversed).expect("the order of events does not matter");
    assert_eq!(again.statement.to_string(), closed.statement.to_string());
}

/// What every computed epoch must fulfil.
pub(super) fn check_closed(closed: &ClosedEpoch) {
    let statement = &closed.statement;
    assert_eq!(statement.to_string().parse().as_ref(), Ok(statement));
    let paid: u128 = closed.allocations.iter().map(|allocation| allocation.credits.value()).sum();
    assert_eq!(paid, statement.distributed.value());
    assert_eq!(paid + statement.undistributed.value(), statement.pool_total.value());
    let units: u128 = closed.allocations.iter().map(|allocation| allocation.final_units.value()).sum();
    assert_eq!(units == 0, paid == 0, "a pool is given out where there is work");
    let claimants = closed.allocations.iter().map(|allocation| allocation.claimant.to_string());
    assert!(claimants.clone().zip(claimants.skip(1)).all(|(a, b)| a < b), "claimants ascend");
    assert_eq!(merkle::root(&closed.allocation_hashes), statement.root);
    for allocation in &closed.allocations {
        assert!(allocation.final_units == allocation.proposed_units || allocation.override_reason.is_some());
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let lines = |count: usize| {
        facts::decisions(count).iter().map(Leaf::encode).collect::<Vec<_>>().join(b"\n".as_slice())
    };
    vec![
        lines(usize::MAX),
        lines(5),
        (0..=255).collect(),
        b"\x05\x00\x01\x00\x07\x00\x01\x00\x00\x00\x00\x00\x00\x00\x09".to_vec(),
    ]
}
