//! A scripted life: two scopes, four epochs each, and everything that can happen to them.

#![allow(unreachable_pub, reason = "each test file is a crate of its own")]
#![allow(clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking, its helpers too")]

use meed_audit::decision::Change;
use meed_audit::ids::{EpochNumber, ScopeId};
use meed_audit::policy::{Unlinked, Weights};
use meed_keys::NoteText;
use meed_storage::{ScopeChange, ScopeTerms};

use super::world::*;

/// A world that has lived.
pub struct Life {
    /// The node.
    pub world: World,
    /// Pays all claimants, with an approver change, an amendment and an epoch that ended early.
    pub one: ScopeId,
    /// Leaves unbound identities out; its last epoch is open.
    pub two: ScopeId,
}

/// Lives it.
pub fn live() -> Life {
    let world = World::new();
    let one = world.scope("one");
    let terms = ScopeTerms { unlinked: Unlinked::Exclude, base_issuance: None, ..terms("two") };
    let two = world.ledger.add_scope(terms, by(WEEK_1)).unwrap().id;
    world.ledger.set_approvers(two, set_of(1, &world.approvers[..2]), by(WEEK_1)).unwrap();
    first_week(&world, one, two);
    second_week(&world, one, two);
    third_week(&world, one, two);
    fourth_week(&world, one, two);
    Life { world, one, two }
}

fn decide(world: &World, scope: ScopeId, epoch: EpochNumber, change: Change) {
    world.ledger.decide(scope, epoch, change, text("as discussed"), by(LATER)).unwrap();
}

/// Co-authors, a conflict, a duplicate, curation, an override, evidence of an old draft.
fn first_week(world: &World, one: ScopeId, two: ScopeId) {
    let (first, other) = (world.open(one, WEEK_1), world.open(two, WEEK_1));
    world.bind(ALICE, 1);
    let both = format!(r#"[{{"provider":"github","id":"{ALICE}"}},{{"provider":"github","id":"{BOB}"}}]"#);
    world.append(&[one, two], vec![event_with("pair", &both, WEEK_1, "pair"), event("solo", CAROL, WEEK_1)]);
    world.append(&[one], vec![event("spam", BOB, "2026-01-09T00:00:00Z"), event("small", BOB, WEEK_1)]);
    world.append(&[one], vec![event("solo", CAROL, WEEK_1), event_with("small", &both, WEEK_1, "forged")]);
    decide(world, one, first, Change::Exclude(event_id("spam")));
    decide(world, one, first, Change::Weight(event_id("small"), units(77)));
    let bonus = world.ledger.add_pool_component(one, first, component("bonus", 99), text("more"), by(WEEK_1));
    bonus.unwrap();
    world.close(one, first);
    let old = world.freeze(one, first);
    world.approve(one, first, &old, &[0]);
    decide(world, one, first, Change::Override(unbound(CAROL), units(5_000)));
    world.finish(one, first);
    let base = component("base_issuance", 1_000);
    world.ledger.add_pool_component(two, other, base, text("budget"), by(WEEK_1)).unwrap();
    world.complete(two, other);
}

/// A late event, a new approver set, an epoch without activity.
fn second_week(world: &World, one: ScopeId, two: ScopeId) {
    let (second, other) = (world.open(one, WEEK_2), world.open(two, WEEK_2));
    world.commit(one, "late", BOB, "2026-01-08T00:00:00Z");
    world.ledger.set_approvers(one, set_of(2, &world.approvers[1..5]), by(WEEK_2)).unwrap();
    world.close(one, second);
    let pending = world.snapshot().pending_approvers(one).unwrap().unwrap();
    let note = NoteText::new(pending.text.to_string()).unwrap();
    let lines = world.approvers[1..5].iter().map(|key| key.cosign(&note, 1_770_000_000).unwrap());
    world.ledger.add_approver_signatures(one, lines.collect(), time(LATER)).unwrap();
    let draft = world.freeze(one, second);
    world.approve(one, second, &draft, &[3, 4]);
    world.finalize(one, second);
    let base = component("base_issuance", 1_000);
    world.ledger.add_pool_component(two, other, base, text("budget"), by(WEEK_2)).unwrap();
    world.complete(two, other);
}

/// A routed event, changed terms, a revoked and a rebound identity, an amendment.
fn third_week(world: &World, one: ScopeId, two: ScopeId) {
    let change = ScopeChange {
        weights: Some(Weights::parse(br#"{"github:pr_merged":"250"}"#).unwrap()),
        base_issuance: Some(Some(credits(3))),
        ..ScopeChange::default()
    };
    world.ledger.configure_scope(one, change).unwrap();
    let third = world.open(one, WEEK_3);
    world.append(&[one], vec![event("w3", BOB, WEEK_3), event("w3b", ALICE, WEEK_3)]);
    world.append(&[two], vec![event("w3", BOB, WEEK_3)]);
    world.bind(BOB, 2);
    world.ledger.revoke(github(BOB), evidence("left"), by(WEEK_3)).unwrap();
    world.ledger.rebind(github(BOB), user(2), user(1), evidence("sold"), by(WEEK_3)).unwrap();
    let closed = "2026-01-20T00:00:00Z";
    world.ledger.close_epoch(one, third, Some(text("holidays")), by(closed)).unwrap();
    let draft = world.freeze(one, third);
    world.approve(one, third, &draft, &[1, 2]);
    world.finalize(one, third);
    let first = EpochNumber::FIRST;
    world.ledger.amend(one, first, text("it was no spam"), by(LATER)).unwrap();
    decide(world, one, first, Change::Include(event_id("spam")));
    let draft = world.freeze(one, first);
    world.approve(one, first, &draft, &[2, 4]);
    world.finalize(one, first);
    world.ledger.erase_metadata(event_id("solo"), text("the author asked"), by(LATER)).unwrap();
}

/// An epoch in review with a draft, one that is open, an amendment under way, a pending set.
fn fourth_week(world: &World, one: ScopeId, two: ScopeId) {
    let fourth = world.open(one, WEEK_4);
    world.commit(one, "w4", CAROL, WEEK_4);
    world.close(one, fourth);
    let draft = world.freeze(one, fourth);
    world.approve(one, fourth, &draft, &[1]);
    world.open(two, WEEK_3);
    world.ledger.amend(two, EpochNumber::FIRST, text("why not"), by(LATER)).unwrap();
    world.ledger.set_approvers(two, set_of(2, &world.approvers[..2]), by(LATER)).unwrap();
}
