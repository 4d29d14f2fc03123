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
