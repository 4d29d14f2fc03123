//! A whole epoch, from events to a verified payout, and what stands in the ledger on its way.

use crate::support::world::*;
use meed_storage::{Phase, Which};

#[test]
fn an_epoch_from_events_to_verified_payouts() {
    let world = World::new();
    let scope = world.scope("default");
    let epoch = world.open(scope, WEEK_1);
    world.bind(BOB, 2);
    world.commit(scope, "a1", ALICE, WEEK_1);
    world.commit(scope, "a2", ALICE, WEEK_1);
    world.commit(scope, "b1", BOB, WEEK_1);
    let last = world.complete(scope, epoch);
    assert_eq!(last.statement.distributed, credits(10_000));
    let alice = world.verified(scope, epoch, &unbound(ALICE));
    assert_eq!(alice.allocation().credits, credits(6_667));
    let bob = world.verified(scope, epoch, &meed_audit::ids::Claimant::User(user(2)));
    assert_eq!(bob.allocation().credits, credits(3_333));
    for absent in ["1", BOB, CAROL, "999"] {
        world.verify_absent(scope, epoch, &unbound(absent));
    }
    let snapshot = world.snapshot();
    assert_eq!(snapshot.epoch(scope, epoch).unwrap().phase, Phase::Finalized);
    snapshot.verification(scope, epoch, Which::Final).unwrap();
    let dossier = snapshot.dossier(scope, epoch, Which::Final).unwrap();
    let mut bytes = Vec::new();
    dossier.write(&mut bytes).unwrap();
    let read = meed_audit::dossier::Dossier::read(&mut bytes.as_slice()).unwrap();
    assert_eq!(read.recompute().unwrap().statement, last.statement);
}

/// More claimants than one block of allocations takes, so that neighbours and pages cross its edges.
#[test]
fn allocations_of_many_blocks_are_listed_and_proved() {
    let world = World::new();
    let scope = world.scope("default");
    let epoch = world.open(scope, WEEK_1);
    let ids: Vec<u64> = (0..100).map(|number| 1_000 + 2 * number).collect();
    let events = ids.iter().map(|id| event(&format!("e{id}"), &id.to_string(), WEEK_1)).collect();
    world.append(&[scope], events);
    world.complete(scope, epoch);
    let snapshot = world.snapshot();
    let listed = |after: Option<&str>, limit| {
        let after = after.map(unbound);
        let rows = snapshot.allocations(scope, epoch, Which::Final, after.as_ref(), limit).unwrap();
        rows.into_iter().map(|row| row.claimant.to_string()).collect::<Vec<_>>()
    };
    let all: Vec<String> = ids.iter().map(|id| unbound(&id.to_string()).to_string()).collect();
    assert_eq!(listed(None, 1_000), all);
    for (place, id) in ids.iter().enumerate() {
        let name = id.to_string();
        assert_eq!(listed(Some(&name), 7), all.iter().skip(place + 1).take(7).cloned().collect::<Vec<_>>());
        let odd = (id + 1).to_string();
        assert_eq!(listed(Some(&odd), 1), all.get(place + 1).cloned().into_iter().collect::<Vec<_>>());
        let paid = snapshot.allocation(scope, epoch, Which::Final, &unbound(&name)).unwrap().unwrap();
        assert_eq!(world.verified(scope, epoch, &unbound(&name)).allocation(), &paid);
        assert!(snapshot.allocation(scope, epoch, Which::Final, &unbound(&odd)).unwrap().is_none());
        world.verify_absent(scope, epoch, &unbound(&odd));
    }
    world.verify_absent(scope, epoch, &unbound("1"));
    assert_eq!(listed(None, 0), Vec::<String>::new());
    assert_eq!(snapshot.fsck(&mut |_| {}).problems, []);
}
