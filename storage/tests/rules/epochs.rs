//! The rules of epochs, scopes and pools, each by its name.

use crate::support::world::*;
use meed_audit::RejectionCode as Code;
use meed_audit::close::close;
use meed_audit::decision::{Action, Change};
use meed_audit::ids::{Claimant, EpochNumber, ScopeId};
use meed_audit::policy::{Unit, Unlinked, Weights};
use meed_audit::time::MS_PER_DAY;
use meed_audit::window::WindowDays;
use meed_storage::{Added, OpenTerms, Phase, ScopeChange, ScopeTerms, Which};

fn epoch(number: u64) -> EpochNumber {
    EpochNumber::new(number).unwrap()
}

#[test]
fn epoch_window_unique_and_one_open_epoch() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, "2026-01-07T09:00:00Z");
    assert_eq!(first, world.open(scope, WEEK_1), "the same window again is nothing");
    assert_eq!(code(world.ledger.open_epoch(scope, time(WEEK_2), by(WEEK_2))), Code::EpochAlreadyOpen);
    world.close(scope, first);
    for at in [WEEK_1, "2025-12-31T00:00:00Z"] {
        assert_eq!(code(world.ledger.open_epoch(scope, time(at), by(WEEK_2))), Code::WindowOverlaps);
    }
    // A gap is allowed where somebody means it, and epochs in review stand beside the open one.
    assert_eq!(code(world.ledger.open_epoch(scope, time(WEEK_3), by(WEEK_3))), Code::WindowsSkipped);
    let skipping = |skipped| {
        let terms = OpenTerms { skipped, ..OpenTerms::default() };
        world.ledger.open_epoch_on(scope, time(WEEK_3), terms, by(WEEK_3))
    };
    assert_eq!(code(skipping(2)), Code::WindowsSkipped);
    assert_eq!(skipping(1).unwrap().number, epoch(2));
    world.close(scope, epoch(2));
    assert_eq!(code(world.ledger.open_epoch(scope, time(WEEK_2), by(WEEK_2))), Code::WindowOverlaps);
    let phases: Vec<_> = world.snapshot().epochs(scope).unwrap().iter().map(|e| e.phase).collect();
    assert_eq!(phases, [Phase::Review, Phase::Review]);
    // Another scope has windows of its own.
    let other = world.scope("other");
    assert_eq!(world.open(other, WEEK_1), epoch(1));
}

/// No window before the first can be opened later, so that what waits from before it would be paid by no epoch.
#[test]
fn the_first_window_leaves_no_waiting_event_behind() {
    let world = World::new();
    let scope = world.scope("default");
    // Two in one week, one so early that no whole window holds it.
    let early = ["1970-01-02T00:00:00Z", WEEK_1, "2026-01-08T00:00:00Z"];
    let ids = ["oldest", "a1", "a2"];
    world.append(&[scope], ids.iter().zip(early).map(|(id, at)| event(id, ALICE, at)).collect());
    let opened = |at: &str, skipped| {
        let terms = OpenTerms { skipped, ..OpenTerms::default() };
        world.ledger.open_epoch_on(scope, time(at), terms, by(WEEK_3))
    };
    for skipped in [0, 1, 3] {
        let refused = opened(WEEK_3, skipped).expect_err("events wait");
        assert_eq!(code(Err::<(), _>(refused.clone())), Code::WindowsSkipped);
        assert!(
            refused.to_string().contains("leaves out 2 and pays nobody for 2 events from 2026-01-0"),
            "{refused}"
        );
    }
    let left = world.snapshot().left_behind(scope, time(WEEK_3)).unwrap().expect("events wait");
    assert_eq!((left.events_count, left.windows_count, left.earliest), (2, 2, time(WEEK_1)));
    assert_eq!(left.first_start, time("2026-01-05T00:00:00Z"));
    assert_eq!(world.snapshot().left_behind(scope, time(WEEK_1)).unwrap(), None);
    assert!(world.snapshot().epochs(scope).unwrap().is_empty(), "nothing was opened");
    assert_eq!(opened(WEEK_3, 2).unwrap().number, epoch(1));
    assert_eq!(
        world.snapshot().left_behind(scope, time(WEEK_3)).unwrap(),
        None,
        "it is the scope's first no more"
    );
    // Where nothing waits there is nothing to leave out.
    let other = world.scope("other");
    let terms = OpenTerms { skipped: 1, ..OpenTerms::default() };
    let refused = world.ledger.open_epoch_on(other, time(WEEK_1), terms, by(WEEK_3));
    assert_eq!(code(refused), Code::WindowsSkipped);
    assert_eq!(world.open(other, WEEK_1), epoch(1));
}

/// A window opened by mistake years ahead would leave out every week until then, with no way back.
#[test]
fn a_window_that_has_not_begun_is_opened_only_where_it_is_meant() {
    let world = World::new();
    let scope = world.scope("default");
    let open = |at: &str, now: &str, ahead| {
        let terms = OpenTerms { skipped: 0, ahead };
        world.ledger.open_epoch_on(scope, time(at), terms, by(now))
    };
    assert_eq!(code(open("2031-01-08T00:00:00Z", WEEK_1, false)), Code::WindowAhead);
    assert_eq!(code(open(WEEK_2, "2026-01-11T23:59:59.999Z", false)), Code::WindowAhead);
    assert_eq!(world.snapshot().epochs(scope).unwrap(), []);
    assert_eq!(open(WEEK_2, "2026-01-12T00:00:00Z", false).unwrap().number, epoch(1));
    let other = world.scope("other");
    let terms = OpenTerms { skipped: 0, ahead: true };
    assert_eq!(world.ledger.open_epoch_on(other, time(WEEK_2), terms, by(WEEK_1)).unwrap().number, epoch(1));
}

/// What happened in windows that were left out joins the next epoch, late.
#[test]
fn events_of_windows_that_were_left_out_are_the_next_epochs() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.close(scope, first);
    world.commit(scope, "a2", ALICE, WEEK_2);
    let second = world.open_after(scope, WEEK_3, 1);
    let activity = world.activity(scope, second);
    assert_eq!(activity.iter().map(|leaf| (leaf.event.as_str(), leaf.late)).collect::<Vec<_>>().len(), 1);
    assert!(activity[0].late && activity[0].included);
}

/// A preview shows what a freeze would give; of an open epoch, one at its window's end.
#[test]
fn previews_are_what_a_freeze_would_give() {
    let world = World::new();
    let scope = world.scope("default");
    let change = ScopeChange { window_days: Some(WindowDays::new(28).unwrap()), ..ScopeChange::default() };
    world.ledger.configure_scope(scope, change).unwrap();
    let first = world.open(scope, WEEK_1);
    world.commit(scope, "a1", ALICE, WEEK_1);
    // The window is longer than the days to sign: counted from now they would be over before it ends.
    let input = world.snapshot().epoch_input(scope, first, Which::Preview(time(WEEK_1))).unwrap();
    assert!(close(&input).unwrap().statement.sign_by > input.windows[0].period.end);
    world.complete(scope, first);
    let preview = |now| world.snapshot().epoch_input(scope, first, Which::Preview(time(now)));
    assert_eq!(code(preview(LATER)), Code::EpochFinalized);
    world.ledger.amend(scope, first, text("why"), by(LATER)).unwrap();
    assert_eq!(close(&preview(LATER).unwrap()).unwrap().statement.revision.get(), 1);
}

/// An override may name a claimant without activity, who is paid; that there is none can be told.
#[test]
fn a_claimant_without_activity_is_told_from_one_with_some() {
    let world = World::new();
    let (scope, other) = (world.scope("default"), world.scope("other"));
    let first = world.open(scope, WEEK_1);
    world.append(&[scope], vec![event("a1", ALICE, WEEK_1), event("b1", BOB, WEEK_1)]);
    world.commit(other, "c1", CAROL, WEEK_1);
    let active = |claimant: Claimant| world.snapshot().has_activity(scope, first, &claimant).unwrap();
    assert!(active(unbound(ALICE)) && active(unbound(BOB)));
    assert!(!active(unbound(CAROL)), "only in another scope");
    // It goes by the decisions of now: bindings, and what was left out.
    world.bind(ALICE, 1);
    assert!(!active(unbound(ALICE)) && active(Claimant::User(user(1))));
    let decide = |change| world.ledger.decide(scope, first, change, text("why"), by(WEEK_1)).unwrap();
    decide(Change::Exclude(event_id("b1")));
    assert!(!active(unbound(BOB)));
    decide(Change::Override(unbound(CAROL), units(500)));
    assert!(!active(unbound(CAROL)), "an override is no activity");
    world.complete(scope, first);
    let paid = world.verified(scope, first, &unbound(CAROL));
    assert_eq!((paid.allocation().events, paid.allocation().final_units), (0, units(500)));
    assert_eq!(code(world.snapshot().has_activity(other, first, &unbound(CAROL))), Code::EpochNotFound);
}

#[test]
fn a_changed_window_length_takes_effect_after_the_last_window() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.close(scope, first);
    let change = ScopeChange { window_days: Some(WindowDays::new(14).unwrap()), ..ScopeChange::default() };
    world.ledger.configure_scope(scope, change).unwrap();
    // 14 days from the anchor would begin in the first week, so that the first boundary after it is the third week's.
    assert_eq!(code(world.ledger.open_epoch(scope, time(WEEK_2), by(WEEK_2))), Code::WindowOverlaps);
    let second = world.ledger.open_epoch(scope, time(WEEK_3), by(WEEK_3)).unwrap();
    assert_eq!(second.period.end.as_ms() - second.period.start.as_ms(), 14 * MS_PER_DAY);
    assert_eq!(second.policy.window_days.get(), 14);
}

#[test]
fn epoch_three_phase() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.commit(scope, "a1", ALICE, WEEK_1);
    let exclude = |name: &str| Change::Exclude(event_id(name));
    let include = |name: &str| Change::Include(event_id(name));
    let decide = |change| world.ledger.decide(scope, first, change, text("why"), by(LATER));
    assert_eq!(code(world.ledger.freeze(scope, first, 14, by(LATER))), Code::EpochNotInReview);
    decide(exclude("a1")).unwrap();
    world.close(scope, first);
    // Review: curation goes on, the pool and the activity do not.
    decide(include("a1")).unwrap();
    let pool = world.ledger.add_pool_component(scope, first, component("bonus", 1), text("why"), by(LATER));
    assert_eq!(code(pool), Code::EpochNotOpen);
    world.commit(scope, "a2", ALICE, WEEK_1);
    assert_eq!(code(decide(exclude("a2"))), Code::EventNotFound);
    let last = world.finish(scope, first);
    assert_eq!(last.statement.activity.size, 1);
    assert_eq!(code(decide(exclude("a1"))), Code::EpochFinalized);
    assert_eq!(code(decide(Change::Override(unbound(ALICE), units(1)))), Code::EpochFinalized);
    assert_eq!(code(world.ledger.freeze(scope, first, 14, by(LATER))), Code::EpochFinalized);
    // Closing again is nothing.
    assert_eq!(
        world.ledger.close_epoch(scope, first, None, by(LATER)).unwrap(),
        world.snapshot().epoch(scope, first).unwrap()
    );
}

#[test]
fn every_epoch_can_end() {
    let world = World::new();
    let scope = world.bare_scope("default");
    let change = ScopeChange { base_issuance: Some(None), ..ScopeChange::default() };
    world.ledger.configure_scope(scope, change).unwrap();
    let first = world.open(scope, WEEK_1);
    let close =
        |at: &str, early: Option<&str>| world.ledger.close_epoch(scope, first, early.map(text), by(at));
    let early = refusal(close("2026-01-11T23:59:59.999Z", None));
    assert_eq!(early.code, Code::WindowNotEnded);
    assert!(early.to_string().contains("2026-01-12T00:00:00.000Z"), "{early}");
    assert_eq!(code(close(WEEK_2, None)), Code::ApproversMissing);
    world.ledger.set_approvers(scope, set_of(1, &world.approvers[..1]), by(WEEK_1)).unwrap();
    let missing = refusal(close(WEEK_2, None));
    assert_eq!(missing.code, Code::BaseIssuanceMissing);
    assert!(missing.remedy().contains("pool add"));
    world
        .ledger
        .add_pool_component(scope, first, component("base_issuance", 500), text("why"), by(WEEK_1))
        .unwrap();
    close(WEEK_2, None).unwrap();
    // Without activity the whole pool is undistributed, and an absence can be proved of anybody.
    let draft = world.freeze(scope, first);
    world.approve(scope, first, &draft, &[0]);
    let last = world.finalize(scope, first);
    assert_eq!((last.statement.distributed, last.statement.undistributed), (credits(0), credits(500)));
    world.verify_absent(scope, first, &unbound(ALICE));
}

#[test]
fn closing_early_takes_a_reason_and_is_a_decision() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    let at = "2026-01-08T00:00:00Z";
    let closed = world.ledger.close_epoch(scope, first, Some(text("the project ends")), by(at)).unwrap();
    assert_eq!(closed.closed.unwrap().early, Some(text("the project ends")));
    let decisions = world.snapshot().decisions(scope, 0, 100).unwrap();
    let last = &decisions.last().unwrap().1;
    assert_eq!(
        (last.action, last.epoch, last.reason.as_str()),
        (Action::EarlyClose, Some(first), "the project ends")
    );
    // Where the window has ended, the reason is not needed and no decision is made.
    let second = world.open(scope, WEEK_2);
    let before = world.snapshot().decisions_size(scope).unwrap();
    world.ledger.close_epoch(scope, second, Some(text("just so")), by(LATER)).unwrap();
    assert_eq!(world.snapshot().decisions_size(scope).unwrap(), before);
}

#[test]
fn policy_pinned() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.commit(scope, "a1", ALICE, WEEK_1);
    let pinned = world.snapshot().epoch(scope, first).unwrap().policy;
    let change = ScopeChange {
        weights: Some(Weights::parse(br#"{"github:pr_merged":7}"#).unwrap()),
        unlinked: Some(Unlinked::Exclude),
        base_issuance: Some(Some(credits(1))),
        ..ScopeChange::default()
    };
    world.ledger.configure_scope(scope, change.clone()).unwrap();
    assert_eq!(code(world.ledger.configure_scope(scope, change)), Code::NothingToChange);
    assert_eq!(world.snapshot().epoch(scope, first).unwrap().policy, pinned);
    let last = world.complete(scope, first);
    assert_eq!(last.statement.policy_hash, pinned.hash());
    assert_eq!(world.verified(scope, first, &unbound(ALICE)).allocation().proposed_units, units(1_000));
    let second = world.open(scope, WEEK_2);
    let epoch = world.snapshot().epoch(scope, second).unwrap();
    assert_eq!(epoch.policy.unlinked, Unlinked::Exclude);
    assert_eq!(epoch.policy.weights.units_of("github", "pr_merged"), units(7));
    assert_eq!(world.snapshot().pool(scope, second).unwrap().total(), credits(1));
}

#[test]
fn pool_immutable_and_pool_unique_per_type_and_pool_locked_at_review() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    let add = |id: &str, amount| {
        world.ledger.add_pool_component(scope, first, component(id, amount), text("why"), by(WEEK_1))
    };
    assert_eq!(add("bonus", 5).unwrap(), Added::New);
    let before = world.snapshot().decisions_size(scope).unwrap();
    assert_eq!(add("bonus", 5).unwrap(), Added::Same);
    assert_eq!(world.snapshot().decisions_size(scope).unwrap(), before, "the same again is no decision");
    assert_eq!(code(add("bonus", 6)), Code::PoolConflict);
    assert_eq!(code(add("base_issuance", 1)), Code::PoolConflict);
    assert_eq!(code(add("more", meed_audit::amount::AMOUNT_MAX)), Code::NumberTooLarge);
    world.close(scope, first);
    assert_eq!(code(add("late", 1)), Code::EpochNotOpen);
    assert_eq!(add("bonus", 5).unwrap(), Added::Same, "also after close");
    let last = world.finish(scope, first);
    assert_eq!(last.statement.pool_total, credits(10_005));
    assert_eq!(last.statement.pool.size, 2);
    let made: Vec<_> = world.snapshot().decisions(scope, 0, 9).unwrap();
    let pool = made.iter().filter(|(_, decision)| decision.action == Action::Pool).count();
    assert_eq!(pool, 2, "each component is a decision, the base issuance too");
}

#[test]
fn node_scoped_and_scope_gated_queries() {
    let world = World::new();
    let (one, two) = (world.scope("one"), world.scope("two"));
    let first = world.open(one, WEEK_1);
    world.commit(one, "a1", ALICE, WEEK_1);
    let snapshot = world.snapshot();
    assert_eq!(code(snapshot.epoch(two, first)), Code::EpochNotFound);
    assert_eq!(code(snapshot.pool(two, first)), Code::EpochNotFound);
    assert_eq!(code(world.ledger.close_epoch(two, first, None, by(LATER))), Code::EpochNotFound);
    world.open(two, WEEK_1);
    let change = Change::Exclude(event_id("a1"));
    assert_eq!(code(world.ledger.decide(two, first, change, text("why"), by(WEEK_1))), Code::EventNotFound);
    assert_eq!(world.snapshot().epoch_events_count(two, first).unwrap(), 0);
    let nowhere = ScopeId::from_bytes([0; 16]);
    assert_eq!(code(snapshot.scope(nowhere)), Code::ScopeNotFound);
    assert_eq!(code(snapshot.scope_id(&"three".parse().unwrap())), Code::ScopeNotFound);
    assert_eq!(snapshot.scope_id(&"two".parse().unwrap()).unwrap(), two);
}

#[test]
fn a_scope_is_made_once_and_its_terms_stay() {
    let world = World::new();
    let scope = world.bare_scope("default");
    assert_eq!(world.ledger.add_scope(terms("default"), by(LATER)).unwrap().created_at, time(WEEK_1));
    let others = [
        ScopeTerms { unit: Unit::new("USDC", 6).unwrap(), ..terms("default") },
        ScopeTerms { base_issuance: None, ..terms("default") },
        ScopeTerms { unlinked: Unlinked::Exclude, ..terms("default") },
    ];
    for other in others {
        assert_eq!(code(world.ledger.add_scope(other, by(WEEK_1))), Code::ScopeExists);
    }
    let zero = ScopeTerms { base_issuance: Some(credits(0)), ..terms("zero") };
    assert_eq!(code(world.ledger.add_scope(zero, by(WEEK_1))), Code::PoolNotPositive);
    assert_eq!(world.snapshot().scopes().unwrap().len(), 1);
    assert_eq!(world.snapshot().scope(scope).unwrap().terms, terms("default"));
}

#[test]
fn an_ended_scope_takes_nothing_more_and_stays_readable() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.commit(scope, "a1", ALICE, WEEK_1);
    world.complete(scope, first);
    let second = world.open(scope, WEEK_2);
    assert!(world.ledger.end_scope(scope, text("the keys are lost"), by(LATER)).unwrap().ended);
    let ended = Code::ScopeEnded;
    assert_eq!(code(world.ledger.end_scope(scope, text("again"), by(LATER))), ended);
    assert_eq!(code(world.ledger.open_epoch(scope, time(WEEK_3), by(WEEK_3))), ended);
    assert_eq!(code(world.ledger.close_epoch(scope, second, None, by(LATER))), ended);
    assert_eq!(code(world.ledger.amend(scope, first, text("why"), by(LATER))), ended);
    let change = Change::Override(unbound(ALICE), units(1));
    assert_eq!(code(world.ledger.decide(scope, second, change, text("why"), by(LATER))), ended);
    assert_eq!(code(world.ledger.set_approvers(scope, set_of(1, &world.approvers[..1]), by(LATER))), ended);
    assert_eq!(code(world.ledger.configure_scope(scope, ScopeChange::default())), ended);
    // A binding elsewhere goes on, without this scope.
    world.scope("new");
    world.bind(BOB, 2);
    world.verified(scope, first, &unbound(ALICE));
    world.snapshot().verification(scope, first, Which::Final).unwrap();
}

/// Nothing can be approved before its period begins: who closes, freezes or amends by then learns it at once.
#[test]
fn an_epoch_whose_window_has_not_begun_is_not_closed_frozen_or_amended() {
    let world = World::new();
    let scope = world.scope("default");
    let (monday, before) = (WEEK_2, "2026-01-11T23:59:59.999Z");
    let terms = OpenTerms { skipped: 0, ahead: true };
    let epoch = world.ledger.open_epoch_on(scope, time(WEEK_2), terms, by(WEEK_1)).unwrap().number;
    let close = |at| world.ledger.close_epoch(scope, epoch, Some(text("it is empty")), by(at));
    let refused = refusal(close(before));
    assert_eq!((refused.code, refused.subject.as_str()), (Code::WindowAhead, "epoch 1"));
    assert!(refused.to_string().contains("got one from 2026-01-12T00:00:00.000Z"), "{refused}");
    close(monday).unwrap();
    // A clock that was put back.
    assert_eq!(code(world.ledger.freeze(scope, epoch, 14, by(before))), Code::WindowAhead);
    let draft = world.ledger.freeze(scope, epoch, 14, by(monday)).unwrap();
    world.approve(scope, epoch, &draft, &[0, 1]);
    world.finalize(scope, epoch);
    let amend = |at| world.ledger.amend(scope, epoch, text("why"), by(at));
    assert_eq!(code(amend(before)), Code::WindowAhead);
    amend(monday).unwrap();
}
