//! Schedules follow the settings, and keep what people said and how far they came.

use std::collections::BTreeMap;

use crate::support::world::*;
use meed_audit::RejectionCode as Code;
use meed_audit::ids::ScopeId;
use meed_storage::{PauseCause, Reconciled, Schedule, ScheduleProblem, ScheduleTerms};

fn terms(cron: &str) -> ScheduleTerms {
    ScheduleTerms {
        collect: Some(cron.to_owned()),
        grace_hours: 24,
        close: true,
        open_next: true,
        sources: vec!["code".to_owned()],
    }
}

fn reconcile(world: &World, schedules: &[(ScopeId, &str)]) -> Reconciled {
    let schedules: BTreeMap<_, _> = schedules.iter().map(|(scope, cron)| (*scope, terms(cron))).collect();
    world.ledger.reconcile_schedules(schedules, by(WEEK_2)).unwrap()
}

fn schedule(world: &World, scope: ScopeId) -> Schedule {
    world.snapshot().schedule(scope).unwrap()
}

#[test]
fn changed_schedules_change_and_missing_ones_pause() {
    let world = World::new();
    let (one, two) = (world.scope("one"), world.scope("two"));
    assert_eq!(code(world.snapshot().schedule(one)), Code::RecordNotFound);
    let added = reconcile(&world, &[(one, "0 3 * * *"), (two, "0 3 * * *")]);
    assert_eq!(added.added.len(), 2);
    assert_eq!(reconcile(&world, &[(one, "0 3 * * *"), (two, "0 3 * * *")]), Reconciled::default());
    assert_eq!(schedule(&world, one).collected_until, time(WEEK_2));

    world.ledger.note_collected(one, time(LATER)).unwrap();
    world.ledger.note_collected(one, time(WEEK_1)).unwrap();
    let problem = ScheduleProblem {
        action: "close epoch 1".to_owned(),
        detail: "no approvers".to_owned(),
        remedy: "set them".to_owned(),
        at: time(WEEK_2),
        tries: 1,
        retry_at: time(LATER),
    };
    world.ledger.note_schedule_problem(one, Some(problem)).unwrap();
    let changed = reconcile(&world, &[(one, "0 4 * * *")]);
    assert_eq!(changed, Reconciled { changed: vec![one], paused: vec![two], ..Reconciled::default() });
    let now = schedule(&world, one);
    assert_eq!((now.terms, now.collected_until, now.problem), (terms("0 4 * * *"), time(LATER), None));
    let gone = schedule(&world, two);
    assert_eq!(gone.paused.map(|pause| pause.cause), Some(PauseCause::Removed));
    assert_eq!(gone.terms, terms("0 3 * * *"), "nothing is deleted");
    assert_eq!(code(world.ledger.resume_schedule(two)), Code::RecordNotFound);

    let back = reconcile(&world, &[(one, "0 4 * * *"), (two, "0 3 * * *")]);
    assert_eq!(back, Reconciled { resumed: vec![two], ..Reconciled::default() });
    assert_eq!(schedule(&world, two).paused, None);
    assert_eq!(world.snapshot().schedules().unwrap().len(), 2);
    let unknown = BTreeMap::from([(ScopeId::from_bytes([9; 16]), terms("0 3 * * *"))]);
    assert_eq!(code(world.ledger.reconcile_schedules(unknown, by(WEEK_2))), Code::ScopeNotFound);
}

#[test]
fn a_persons_pause_stays_until_a_person_ends_it() {
    let world = World::new();
    let one = world.scope("one");
    assert_eq!(code(world.ledger.pause_schedule(one, by(WEEK_1))), Code::RecordNotFound);
    reconcile(&world, &[(one, "0 3 * * *")]);
    let paused = world.ledger.pause_schedule(one, by(WEEK_2)).unwrap();
    assert_eq!(world.ledger.pause_schedule(one, by(LATER)).unwrap(), paused, "who paused it first");
    reconcile(&world, &[]);
    reconcile(&world, &[(one, "0 5 * * *")]);
    let still = schedule(&world, one);
    assert_eq!(still.paused.map(|pause| pause.cause), Some(PauseCause::Operator));
    assert_eq!(still.terms, terms("0 5 * * *"));
    assert_eq!(world.ledger.resume_schedule(one).unwrap().paused, None);
    assert_eq!(world.ledger.resume_schedule(one).unwrap().paused, None);
}
