//! The life of a small node, command by command: two scopes, two epochs to their end, an amendment, and all the rest
//! that a ledger keeps. Each step is one transaction, and times, salts and keys are fixed, so that a life that was
//! interrupted and goes on ends in the same bytes.

use std::collections::BTreeMap;

use meed_audit::RejectionCode;
use meed_audit::decision::Change;
use meed_audit::event::NewEvent;
use meed_audit::hash::Hash;
use meed_audit::ids::{Claimant, EpochNumber, Revision, ScopeId};
use meed_audit::policy::Unlinked;
use meed_keys::NoteText;
use meed_storage::{
    ApproverSetOutcome, Cursor, CursorKey, CursorUpdate, EventBatch, Ledger, LedgerError, LedgerResult,
    NewRun, Options, Role, RunEnd, RunId, RunStep, ScopeChange, StepState, Which,
};

use crate::support::world::{
    ALICE, BOB, CAROL, LATER, WEEK_1, WEEK_2, approver, by, component, event, event_id, event_with, evidence,
    github, set_of, terms, text, time, unbound, units, user,
};
use crate::support::{scope, signing};

/// One command, with its name.
pub(crate) type Step = (&'static str, fn(&Ledger) -> LedgerResult<()>);

/// The whole life, in order.
pub(crate) const STEPS: &[Step] = &[
    ("add default", |ledger| ledger.add_scope(terms("default"), by(WEEK_1)).map(drop)),
    ("add other", |ledger| ledger.add_scope(terms("other"), by(WEEK_1)).map(drop)),
    ("approvers of default", |ledger| set_approvers(ledger, default(), &[1, 2, 3])),
    ("open 1", |ledger| ledger.open_epoch(default(), time(WEEK_1), by(WEEK_1)).map(drop)),
    ("append five", |ledger| append(ledger, &["default"], numbered(0..5, WEEK_1), 1)),
    ("append again, and for other", |ledger| {
        append(ledger, &["default", "other"], numbered(3..7, WEEK_1), 2)
    }),
    ("append a conflict", |ledger| append(ledger, &["default"], vec![conflicting()], 3)),
    ("add user 1", |ledger| ledger.add_user(user(1), Some(text("Alice")), by(WEEK_1)).map(drop)),
    ("bind alice", |ledger| ledger.bind(github(ALICE), user(1), evidence("alice"), by(WEEK_1)).map(drop)),
    ("exclude", |ledger| decide(ledger, 1, Change::Exclude(event_id("e0")))),
    ("weigh", |ledger| decide(ledger, 1, Change::Weight(event_id("e1"), units(7_777)))),
    ("share", |ledger| decide(ledger, 1, Change::Shares(event_id("e2"), halves()))),
    ("override", |ledger| decide(ledger, 1, Change::Override(unbound("909"), units(12_345)))),
    ("pool", |ledger| {
        let part = component("hackathon", 777);
        ledger.add_pool_component(default(), epoch(1), part, text("voted"), by(WEEK_1)).map(drop)
    }),
    ("append until it folds", |ledger| append(ledger, &["default"], numbered(7..12, WEEK_1), 4)),
    ("close 1", |ledger| ledger.close_epoch(default(), epoch(1), None, by(LATER)).map(drop)),
    ("freeze 1/0", |ledger| freeze(ledger, 1)),
    ("sign 1/0", |ledger| sign(ledger, 1, 1)),
    ("change in review", |ledger| decide(ledger, 1, Change::Include(event_id("e0")))),
    ("freeze 1/1", |ledger| freeze(ledger, 1)),
    ("sign 1/0 too late", sign_an_old_draft),
    ("sign 1/1", |ledger| sign(ledger, 1, 1)),
    ("sign 1/1 again", |ledger| sign(ledger, 1, 3)),
    ("finalize 1/1", |ledger| finalize(ledger, 1)),
    ("open 2", |ledger| ledger.open_epoch(default(), time(WEEK_2), by(WEEK_2)).map(drop)),
    ("append in time and late", |ledger| {
        let mut events = numbered(12..15, WEEK_2);
        events.extend(numbered(15..17, WEEK_1));
        append(ledger, &["default"], events, 5)
    }),
    ("propose approvers", |ledger| set_approvers(ledger, default(), &[1, 2, 4])),
    ("agree on approvers", agree_on_approvers),
    ("add user 2", |ledger| ledger.add_user(user(2), None, by(WEEK_2)).map(drop)),
    ("bind bob", |ledger| ledger.bind(github(BOB), user(2), evidence("bob"), by(WEEK_2)).map(drop)),
    ("revoke bob", |ledger| ledger.revoke(github(BOB), evidence("left"), by(WEEK_2))),
    ("rebind alice", |ledger| {
        ledger.rebind(github(ALICE), user(1), user(2), evidence("sold"), by(WEEK_2)).map(drop)
    }),
    ("start a run", |ledger| {
        let run = NewRun { id: run_id(), scope: default(), request: "{}".to_owned() };
        ledger.start_run(run, by(WEEK_2)).map(drop)
    }),
    ("step a run", |ledger| {
        let step = RunStep {
            name: "read".to_owned(),
            state: StepState::Done,
            tries: 1,
            at: time(WEEK_2),
            result: "5 events".to_owned(),
            output: String::new(),
        };
        ledger.record_step(FIRST_RUN, step, None, None).map(drop)
    }),
    ("finish a run", |ledger| {
        let end = RunEnd { failure: None, output: String::new() };
        ledger.finish_run(FIRST_RUN, end, time(WEEK_2)).map(drop)
    }),
    ("close 2", |ledger| ledger.close_epoch(default(), epoch(2), None, by(LATER)).map(drop)),
    ("freeze 2/0", |ledger| freeze(ledger, 2)),
    ("sign 2/0", |ledger| sign(ledger, 2, 2)),
    ("sign 2/0 again", |ledger| sign(ledger, 2, 4)),
    ("finalize 2/0", |ledger| finalize(ledger, 2)),
    ("amend 1", |ledger| ledger.amend(default(), epoch(1), text("e3 was spam"), by(LATER))),
    ("exclude in 1", |ledger| decide(ledger, 1, Change::Exclude(event_id("e3")))),
    ("freeze 1/2", |ledger| freeze(ledger, 1)),
    ("sign 1/2", |ledger| sign(ledger, 1, 2)),
    ("sign 1/2 again", |ledger| sign(ledger, 1, 4)),
    ("finalize 1/2", |ledger| finalize(ledger, 1)),
    ("erase", |ledger| ledger.erase_metadata(event_id("e4"), text("asked for"), by(LATER)).map(drop)),
    ("add a token", |ledger| {
        ledger.add_token(text("robot"), Role::Importer, Hash::of(b"secret"), None, by(LATER)).map(drop)
    }),
    ("revoke a token", |ledger| ledger.revoke_token(text("robot"), time(LATER)).map(drop)),
    ("configure", |ledger| {
        let change = ScopeChange { unlinked: Some(Unlinked::Exclude), ..ScopeChange::default() };
        ledger.configure_scope(default(), change).map(drop)
    }),
    ("end other", |ledger| ledger.end_scope(scope("other"), text("merged"), by(LATER)).map(drop)),
];

/// Everybody whom the life could pay, and strangers.
pub(crate) fn people() -> Vec<Claimant> {
    let accounts = ["1", ALICE, BOB, CAROL, "909", "999"].map(unbound);
    accounts.into_iter().chain([1, 2].map(|number| Claimant::User(user(number)))).collect()
}

/// Options under which the small life folds several times.
pub(crate) fn options() -> Options {
    Options { fold_events: 7, cache_bytes: 1 << 20, ..signing() }
}

pub(crate) fn default() -> ScopeId {
    scope("default")
}

pub(crate) fn epoch(number: u32) -> EpochNumber {
    (1..number).fold(EpochNumber::FIRST, |epoch, _| epoch.next())
}

/// The one stream that the life collects.
pub(crate) fn cursor_key() -> CursorKey {
    CursorKey {
        scope: default(),
        source: "github".parse().unwrap(),
        stream: "pulls".parse().unwrap(),
        source_ref: "1".parse().unwrap(),
    }
}

/// The place of the one run among all.
const FIRST_RUN: u64 = 0;

fn run_id() -> RunId {
    "finalize-default-1".parse().unwrap()
}

fn numbered(numbers: std::ops::Range<u64>, at: &str) -> Vec<NewEvent> {
    let authors = [ALICE, BOB, CAROL];
    let author = |number: u64| *authors.iter().cycle().nth(usize::try_from(number % 3).unwrap()).unwrap();
    numbers.map(|number| event(&format!("e{number}"), author(number), at)).collect()
}

fn conflicting() -> NewEvent {
    event_with("e1", r#"[{"provider":"github","id":"102"}]"#, WEEK_1, "edited")
}

fn halves() -> BTreeMap<Claimant, u32> {
    BTreeMap::from([(unbound(BOB), 500_000), (unbound(CAROL), 500_000)])
}

fn append(ledger: &Ledger, scopes: &[&str], events: Vec<NewEvent>, order: u64) -> LedgerResult<()> {
    let salts: Vec<_> = (1..=u8::MAX).map(|number| [number; 32]).take(events.len()).collect();
    let scopes = scopes.iter().map(|key| scope(key)).collect();
    let batch = EventBatch::prepare(events, scopes, salts, time(LATER)).unwrap();
    let cursor = Cursor { order, token: format!("page {order}") };
    ledger.append(batch.with_cursor(CursorUpdate { key: cursor_key(), cursor })).map(drop)
}

fn decide(ledger: &Ledger, number: u32, change: Change) -> LedgerResult<()> {
    ledger.decide(default(), epoch(number), change, text("seen"), by(LATER)).map(drop)
}

fn set_approvers(ledger: &Ledger, scope: ScopeId, numbers: &[u8]) -> LedgerResult<()> {
    let keys: Vec<_> = numbers.iter().copied().map(approver).collect();
    ledger.set_approvers(scope, set_of(2, &keys), by(WEEK_1)).map(drop)
}

fn agree_on_approvers(ledger: &Ledger) -> LedgerResult<()> {
    let pending = ledger.snapshot()?.pending_approvers(default())?.unwrap();
    let note = NoteText::new(pending.text.to_string()).unwrap();
    let lines = [1, 2, 3, 4].map(|number| approver(number).cosign(&note, time(WEEK_2).as_seconds()).unwrap());
    let outcome = ledger.add_approver_signatures(default(), lines.to_vec(), time(WEEK_2))?;
    assert!(matches!(outcome, ApproverSetOutcome::InForce(_)));
    Ok(())
}

fn freeze(ledger: &Ledger, number: u32) -> LedgerResult<()> {
    ledger.freeze(default(), epoch(number), 14, by(LATER)).map(drop)
}

fn sign(ledger: &Ledger, number: u32, key: u8) -> LedgerResult<()> {
    sign_draft(ledger, number, Which::Draft, key)
}

fn sign_draft(ledger: &Ledger, number: u32, which: Which, key: u8) -> LedgerResult<()> {
    let draft = ledger.snapshot()?.draft(default(), epoch(number), which)?;
    let note = NoteText::new(draft.statement.to_string()).unwrap();
    let line = approver(key).cosign(&note, draft.at.as_seconds() + 3_600).unwrap();
    ledger.add_signature(default(), epoch(number), line, draft.at).map(drop)
}

/// A signature of an older draft is refused, and kept all the same.
fn sign_an_old_draft(ledger: &Ledger) -> LedgerResult<()> {
    match sign_draft(ledger, 1, Which::Revision(Revision::FIRST), 2) {
        Err(LedgerError::Rejected(refusal)) if refusal.code == RejectionCode::DraftNotCurrent => Ok(()),
        other => other,
    }
}

fn finalize(ledger: &Ledger, number: u32) -> LedgerResult<()> {
    ledger.finalize(default(), epoch(number), by(LATER)).map(drop)
}
