//! The rules of amounts and statements, each by its name, through the commands of a ledger.

use std::collections::BTreeSet;

use meed_audit::RejectionCode as Code;
use meed_audit::amount::{AMOUNT_MAX, Credits};
use meed_audit::decision::Change;
use meed_audit::ids::{EpochNumber, ScopeId};
use meed_audit::policy::Weights;
use meed_audit::statement::Statement;
use meed_keys::{Note, NoteText};
use meed_storage::{
    Added, EventBatch, FinalStatement, Genesis, Ledger, LogKind, Options, Phase, ScopeChange, ScopeTerms,
    Which,
};

use super::life::{put, records};
use crate::support::world::*;
use crate::support::{genesis, scratch, signing};

/// A ledger's file of a node, with these options.
fn world_of(genesis: &Genesis, options: Options) -> World {
    let (folder, path) = scratch();
    let ledger = Ledger::create(&path, genesis, options).unwrap();
    World { folder, path, ledger, approvers: (1..=5).map(approver).collect() }
}

fn add(
    world: &World,
    scope: ScopeId,
    epoch: EpochNumber,
    id: &str,
    amount: u128,
) -> Result<Added, meed_storage::LedgerError> {
    world.ledger.add_pool_component(scope, epoch, component(id, amount), text("why"), by(WEEK_1))
}

/// A scope with approvers whose epochs get no component by themselves.
fn scope_without_base(world: &World) -> ScopeId {
    let terms = ScopeTerms { base_issuance: None, ..terms("default") };
    let scope = world.ledger.add_scope(terms, by(WEEK_1)).unwrap().id;
    world.ledger.set_approvers(scope, set_of(2, &world.approvers[..3]), by(WEEK_1)).unwrap();
    scope
}

#[test]
fn pool_requires_base() {
    let world = World::new();
    let scope = scope_without_base(&world);
    let first = world.open(scope, WEEK_1);
    let close = || world.ledger.close_epoch(scope, first, None, by(LATER));
    // Neither an empty pool nor one of other components can be closed, and the refusal closes nothing.
    for other in [None, Some("bonus")] {
        if let Some(other) = other {
            assert_eq!(add(&world, scope, first, other, 5).unwrap(), Added::New);
        }
        let before = world.facts();
        assert_eq!(code(close()), Code::BaseIssuanceMissing, "{other:?}");
        assert_eq!(world.facts(), before);
        assert_eq!(world.snapshot().epoch(scope, first).unwrap().phase, Phase::Open);
    }
    add(&world, scope, first, "base_issuance", 7).unwrap();
    assert_eq!(close().unwrap().phase, Phase::Review);
    assert_eq!(world.finish(scope, first).statement.pool_total, credits(12));
}

#[test]
fn pool_reproducible() {
    let parts = [("base_issuance", 7), ("a_bonus", 5), ("z", 1)];
    let mut pools = Vec::new();
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        let world = World::new();
        let scope = scope_without_base(&world);
        let first = world.open(scope, WEEK_1);
        for (id, amount) in order.map(|part: usize| parts[part]) {
            add(&world, scope, first, id, amount).unwrap();
        }
        let last = world.complete(scope, first);
        // The total is the sum, also of what anybody recomputes from the dossier.
        let dossier = world.snapshot().dossier(scope, first, Which::Final).unwrap();
        assert_eq!(dossier.recompute().unwrap().statement, last.statement);
        assert_eq!(world.snapshot().fsck(&mut |_| {}).problems, []);
        pools.push((last.statement.pool, last.statement.pool_total));
        // A component that is no longer what was decided is found, and its record named.
        let (key, body) = records(&world.snapshot(), "pool").swap_remove(0);
        let mut changed = body.clone();
        let place = changed.windows(10).position(|bytes| bytes == br#""amount":""#).unwrap() + 10;
        changed[place] = b'9';
        put(&world.ledger, "pool", &key, Some(&changed));
        let found = world.snapshot().fsck(&mut |_| {});
        assert!(
            found.problems.iter().any(|problem| problem.detail.starts_with("POOL_REPRODUCIBLE")),
            "{found:?}"
        );
    }
    assert_eq!(pools[0].1, credits(13));
    assert!(pools.iter().all(|pool| *pool == pools[0]), "in any order: {pools:?}");
}

#[test]
fn weights_integer_only() {
    let world = World::new();
    let scope = world.scope("default");
    let configure = |weights: Weights| {
        let change = ScopeChange { weights: Some(weights), ..ScopeChange::default() };
        world.ledger.configure_scope(scope, change)
    };
    let before = world.facts();
    // What is no integer never becomes weights that a command could take.
    for text in [
        r#"{"github:pr_merged":-1}"#,
        r#"{"github:pr_merged":1.5}"#,
        r#"{"github:pr_merged":"1.5"}"#,
        r#"{"github:pr_merged":1e3}"#,
        r#"{"github:pr_merged":"+1"}"#,
        r#"{"github:pr_merged":"79228162514264337593543950336"}"#,
    ] {
        assert!(Weights::parse(text.as_bytes()).is_err(), "{text}");
    }
    assert_eq!(world.facts(), before);
    let seven = || Weights::parse(br#"{"github:pr_merged":7}"#).unwrap();
    configure(seven()).unwrap();
    // The same integers, written as a decimal string, are the same terms.
    let again = configure(Weights::parse(br#"{"github:pr_merged":"7"}"#).unwrap());
    assert_eq!(code(again), Code::NothingToChange);
    let first = world.open(scope, WEEK_1);
    let thirds = format!(
        r#"[{{"provider":"github","id":"{ALICE}"}},{{"provider":"github","id":"{BOB}"}},{{"provider":"github","id":"{CAROL}"}}]"#
    );
    world.append(&[scope], vec![event_with("three", &thirds, WEEK_1, "three")]);
    world.complete(scope, first);
    // Seven among three: whole units, which sum to the event's.
    let given =
        [ALICE, BOB, CAROL].map(|who| world.verified(scope, first, &unbound(who)).allocation().final_units);
    assert_eq!(given, [units(3), units(2), units(2)]);
}

#[test]
fn all_math_integer() {
    let world = World::new();
    let terms = ScopeTerms {
        weights: Weights::parse(format!(r#"{{"github:pr_merged":"{AMOUNT_MAX}"}}"#).as_bytes()).unwrap(),
        base_issuance: Some(credits(AMOUNT_MAX - 1)),
        ..terms("default")
    };
    let scope = world.ledger.add_scope(terms, by(WEEK_1)).unwrap().id;
    world.ledger.set_approvers(scope, set_of(2, &world.approvers[..3]), by(WEEK_1)).unwrap();
    let first = world.open(scope, WEEK_1);
    // A sum beyond the limit is a refusal that changes nothing, never a smaller number.
    let before = world.facts();
    assert_eq!(code(add(&world, scope, first, "bonus", 2)), Code::NumberTooLarge);
    assert_eq!(world.facts(), before);
    assert_eq!(add(&world, scope, first, "bonus", 1).unwrap(), Added::New);
    let events = (0..7).map(|number| event(&format!("e{number}"), &(1_000 + number % 3).to_string(), WEEK_1));
    world.append(&[scope], events.collect());
    let change = Change::Override(unbound("1002"), units(AMOUNT_MAX));
    world.ledger.decide(scope, first, change, text("why"), by(WEEK_1)).unwrap();
    let last = world.complete(scope, first);
    // Three, two and one times the largest weight share the largest pool: products of 192 bits, exact to the last credit.
    let paid =
        ["1000", "1001", "1002"].map(|who| world.verified(scope, first, &unbound(who)).allocation().credits);
    let sixth = AMOUNT_MAX / 6;
    assert_eq!(AMOUNT_MAX % 6, 3, "what a division by six leaves");
    // A half and a sixth leave the same remainder: the credit that is left goes to the smaller key.
    assert_eq!(paid.map(Credits::value), [3 * sixth + 2, 2 * sixth + 1, sixth]);
    assert_eq!(
        (last.statement.distributed, last.statement.undistributed),
        (credits(AMOUNT_MAX), Credits::ZERO)
    );
}

/// Lives an epoch with co-authors, curation and an override; `batch` events enter at once, each with a salt of its own.
fn live_an_epoch(world: &World, batch: usize) -> FinalStatement {
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.bind(ALICE, 1);
    let both = format!(r#"[{{"provider":"github","id":"{ALICE}"}},{{"provider":"github","id":"{BOB}"}}]"#);
    let events: Vec<_> = (0..24_u8)
        .map(|number| {
            let name = format!("e{number}");
            let event = match number % 4 {
                0 => event_with(&name, &both, WEEK_1, &name),
                1 => event(&name, CAROL, WEEK_1),
                _ => event(&name, &(2_000 + u16::from(number)).to_string(), "2026-01-09T00:00:00Z"),
            };
            (event, [number; 32])
        })
        .collect();
    for part in events.chunks(batch) {
        let (events, salts): (Vec<_>, Vec<_>) = part.iter().cloned().unzip();
        world.ledger.append(EventBatch::prepare(events, vec![scope], salts, time(LATER)).unwrap()).unwrap();
    }
    for change in [
        Change::Exclude(event_id("e1")),
        Change::Weight(event_id("e2"), units(77)),
        Change::Override(unbound(CAROL), units(1_234)),
    ] {
        world.ledger.decide(scope, first, change, text("as discussed"), by(WEEK_2)).unwrap();
    }
    world.complete(scope, first)
}

#[test]
fn payout_deterministic() {
    let one = live_an_epoch(&World::new(), 24);
    // How events came in batches, how often the log was folded and what was cached is no part of the amounts.
    let folding = Options { fold_events: 5, ..signing() };
    for (options, batch) in [(signing(), 1), (folding, 7)] {
        let world = world_of(&genesis(), options);
        let other = live_an_epoch(&world, batch);
        assert_eq!(other.note, one.note, "{batch} at once");
        let (scope, first) = (other.statement.scope, other.statement.epoch);
        let rows = |world: &World| {
            world.snapshot().allocations(scope, first, Which::Final, None, usize::MAX).unwrap()
        };
        let before = rows(&world);
        let World { folder, path, ledger, approvers } = world;
        drop(ledger);
        let ledger = Ledger::open(&path, signing()).unwrap();
        let world = World { folder, path, ledger, approvers };
        let again = world.snapshot().verification(scope, first, Which::Final).unwrap();
        assert_eq!((again.statement, rows(&world)), (one.statement.clone(), before));
    }
}

/// The draft of an epoch with two events, after something was done before it opened and something while it was open.
fn draft_after(before: impl Fn(&World, ScopeId), during: impl Fn(&World, ScopeId, EpochNumber)) -> Statement {
    let world = World::new();
    let scope = world.scope("default");
    before(&world, scope);
    let first = world.open(scope, WEEK_1);
    world.append(&[scope], vec![event("a1", ALICE, WEEK_1), event("b1", BOB, WEEK_1)]);
    during(&world, scope, first);
    world.close(scope, first);
    world.freeze(scope, first).statement
}

/// The names of the lines in which two statements differ.
fn changed_lines(one: &Statement, other: &Statement) -> Vec<String> {
    let name = |line: &String| line.split(':').next().unwrap_or_default().to_owned();
    let lines = one.lines().into_iter().zip(other.lines());
    lines.filter(|(one, other)| one != other).map(|(one, _)| name(&one)).collect()
}

#[test]
fn statement_binds_all() {
    let nothing = |_: &World, _: ScopeId| {};
    let decide = |world: &World, scope, epoch, change| {
        world.ledger.decide(scope, epoch, change, text("why"), by(WEEK_1)).unwrap();
    };
    let base = draft_after(nothing, |_, _, _| {});
    let configured = draft_after(
        |world, scope| {
            let weights = Some(Weights::parse(br#"{"github:pr_merged":1000,"github:x":1}"#).unwrap());
            world.ledger.configure_scope(scope, ScopeChange { weights, ..ScopeChange::default() }).unwrap();
        },
        |_, _, _| {},
    );
    let approved = draft_after(
        |world, scope| {
            world.ledger.set_approvers(scope, set_of(1, &world.approvers[..3]), by(WEEK_1)).unwrap();
            let pending = world.snapshot().pending_approvers(scope).unwrap().unwrap();
            let note = NoteText::new(pending.text.to_string()).unwrap();
            let lines = world.approvers[..2].iter().map(|key| key.cosign(&note, 1_770_000_000).unwrap());
            world.ledger.add_approver_signatures(scope, lines.collect(), time(LATER)).unwrap();
        },
        |_, _, _| {},
    );
    let curated = draft_after(nothing, |world, scope, epoch| {
        // The weight that the policy gives: no amount changes, and still it is another statement.
        decide(world, scope, epoch, Change::Weight(event_id("a1"), units(1_000)));
    });
    let paid = draft_after(nothing, |world, scope, epoch| {
        decide(world, scope, epoch, Change::Override(unbound(ALICE), units(5)));
    });
    let endowed = draft_after(nothing, |world, scope, epoch| {
        add(world, scope, epoch, "bonus", 1).unwrap();
    });
    let elsewhere = draft_after(nothing, |world, _, _| {
        let other = world.scope("other");
        world.commit(other, "c1", CAROL, WEEK_1);
    });
    for (statement, lines) in [
        (&configured, &["Policy"][..]),
        (&approved, &["Approvers"]),
        (&curated, &["Activity", "Decisions"]),
        (&paid, &["Decisions", "Allocations"]),
        (&endowed, &["Pool", "Decisions", "Distributed"]),
        (&elsewhere, &["Events Log"]),
    ] {
        assert_eq!(changed_lines(&base, statement), lines);
        assert_ne!(statement.root, base.root, "the root alone binds the lines {lines:?}");
    }
    // The statement before: the same second epoch, after another first one.
    let second = |excluded: Option<&str>| {
        let world = World::new();
        let scope = world.scope("default");
        let first = world.open(scope, WEEK_1);
        world.append(&[scope], vec![event("a1", ALICE, WEEK_1), event("b1", BOB, WEEK_1)]);
        if let Some(name) = excluded {
            decide(&world, scope, first, Change::Exclude(event_id(name)));
        }
        let one = world.complete(scope, first);
        let second = world.open(scope, WEEK_2);
        world.close(scope, second);
        let two = world.freeze(scope, second).statement;
        assert_eq!(two.previous, Some(one.text_hash));
        two
    };
    assert!(changed_lines(&second(None), &second(Some("a1"))).contains(&"Previous".to_owned()));
}

/// What was signed is made final only where the ledger still gives it, byte for byte.
#[test]
fn statement_binds_all_when_it_becomes_final() {
    let (world, scope, first, draft) = World::signed_once();
    world.approve(scope, first, &draft, &[1]);
    let (key, body) = records(&world.snapshot(), "decisions").pop().unwrap();
    let mut changed = body.clone();
    let place = changed.windows(10).position(|bytes| bytes == br#""reason":""#).unwrap() + 10;
    changed[place] ^= 1;
    put(&world.ledger, "decisions", &key, Some(&changed));
    let before = world.facts();
    assert_eq!(code(world.ledger.finalize(scope, first, by(LATER))), Code::RecomputationDiffers);
    assert_eq!(world.facts(), before);
    put(&world.ledger, "decisions", &key, Some(&body));
    assert_eq!(world.finalize(scope, first).statement, draft.statement);
}

#[test]
fn signature_scope_bound() {
    let world = World::new();
    let elsewhere = world_of(
        &Genesis { node_id: "00000000-0000-4000-8000-000000000001".parse().unwrap(), ..genesis() },
        signing(),
    );
    let (one, two) = (world.scope("one"), world.scope("two"));
    let third = elsewhere.scope("one");
    let mut drafts = Vec::new();
    for (node, scope) in [(&world, one), (&world, two), (&elsewhere, third)] {
        let first = node.open(scope, WEEK_1);
        node.close(scope, first);
        drafts.push(node.freeze(scope, first));
    }
    let first = EpochNumber::FIRST;
    // The same approvers and the same empty week: still each signature is of one place alone.
    let before = (world.facts(), elsewhere.facts());
    for (node, scope, draft) in [
        (&world, two, &drafts[0]),
        (&world, one, &drafts[1]),
        (&elsewhere, third, &drafts[0]),
        (&world, one, &drafts[2]),
    ] {
        let line = node.sign(draft, 0);
        let refused = node.ledger.add_signature(scope, first, line, time(LATER));
        assert_eq!(code(refused), Code::SignatureInvalid, "{}", draft.statement.origin_line());
    }
    assert_eq!((world.facts(), elsewhere.facts()), before);
    // Nor does that of one epoch or revision count for the next.
    world.approve(one, first, &drafts[0], &[0, 1]);
    let again = world.ledger.freeze_again(one, first, 14, by(LATER)).unwrap();
    assert_eq!(code(world.ledger.finalize(one, first, by(LATER))), Code::QuorumMissing);
    let old = world.ledger.add_signature(one, first, world.sign(&drafts[0], 2), time(LATER));
    assert_eq!(code(old), Code::DraftNotCurrent);
    world.approve(one, first, &again, &[0, 1]);
    world.finalize(one, first);
    let second = world.open(one, WEEK_2);
    world.close(one, second);
    world.freeze(one, second);
    let before = world.facts();
    let refused = world.ledger.add_signature(one, second, world.sign(&again, 0), time(LATER));
    assert_eq!(code(refused), Code::SignatureInvalid);
    assert_eq!(world.facts(), before);
}

/// An approver who signs one text per origin can do so only where the ledger never offers a second one.
#[test]
fn one_text_per_origin() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.append(&[scope], vec![event("a1", ALICE, WEEK_1), event("b1", BOB, WEEK_1)]);
    world.close(scope, first);
    world.freeze(scope, first);
    world.freeze(scope, first);
    world.ledger.freeze_again(scope, first, 14, by(LATER)).unwrap();
    let exclude = Change::Exclude(event_id("a1"));
    world.ledger.decide(scope, first, exclude, text("spam"), by(LATER)).unwrap();
    world.finish(scope, first);
    world.ledger.amend(scope, first, text("it was none"), by(LATER)).unwrap();
    let include = Change::Include(event_id("a1"));
    world.ledger.decide(scope, first, include, text("no spam"), by(LATER)).unwrap();
    world.finish(scope, first);
    let second = world.open(scope, WEEK_2);
    world.complete(scope, second);
    // Every draft that was ever offered has an origin of its own, ascending within its epoch.
    let mut origins = BTreeSet::new();
    for epoch in [first, second] {
        for (revision, draft) in (0_u64..).zip(world.snapshot().drafts(scope, epoch).unwrap()) {
            assert_eq!(draft.statement.revision.get(), revision);
            assert!(origins.insert(draft.statement.origin_line()), "{}", draft.statement.origin_line());
        }
    }
    assert_eq!(origins.len(), 5, "{origins:?}");
    // While a set of approvers is pending, no other of that version is offered.
    world.ledger.set_approvers(scope, set_of(1, &world.approvers[..1]), by(LATER)).unwrap();
    let before = world.facts();
    let other = world.ledger.set_approvers(scope, set_of(1, &world.approvers[1..2]), by(LATER));
    assert_eq!(code(other), Code::ApproverSetPending);
    assert_eq!(world.facts(), before);
    // The log holds one text for each origin that became final.
    let snapshot = world.snapshot();
    let mut logged = BTreeSet::new();
    for index in 0..snapshot.log_size(LogKind::Statements).unwrap() {
        let note = Note::parse(snapshot.log_entry(LogKind::Statements, index).unwrap()).unwrap();
        assert!(logged.insert(note.text().as_str().lines().next().unwrap().to_owned()));
    }
    assert_eq!(logged.len(), 4, "version 1 of the set and three statements: {logged:?}");
}
