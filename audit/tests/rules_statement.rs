//! What a statement commits to, what its signatures are bound to, and the rules of pool and identities that decide it.
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

mod rules_support;

use std::collections::BTreeMap;

use meed_audit::RejectionCode::{self, *};
use meed_audit::amount::Units;
use meed_audit::approve::{approve, check_signature, split_node_line};
use meed_audit::approvers::{ApproverSetText, ScopeName};
use meed_audit::close::{EpochInput, close};
use meed_audit::decision::{Change, Decision, DecisionContext, State};
use meed_audit::hash::Hash;
use meed_audit::ids::EpochNumber;
use meed_audit::leaf::Leaf;
use meed_audit::policy::{Unit, Unlinked, Weights};
use meed_audit::pool::{Pool, PoolComponent};
use meed_audit::statement::Statement;
use meed_audit::window::WindowDays;
use meed_keys::{ApproverSet, Note, SignatureLine};
use rules_support::*;

fn closed(input: &EpochInput) -> Statement {
    close(input).expect("closes").statement
}

fn refusal(input: &EpochInput) -> RejectionCode {
    close(input).expect_err("must be refused").code
}

type NamedChange = (&'static str, fn(&mut EpochInput));

/// Changes of one thing each that leave the input acceptable.
const CHANGES: [NamedChange; 23] = [
    ("node", |i| rename(i, |name| name.node = "a0000000-0000-4000-8000-000000000000".parse().expect("node"))),
    ("origin", |i| {
        rename(i, |name| name.origin = "other.example.org".parse().expect("origin"));
        i.events_log = "other.example.org/events/1".to_owned();
    }),
    ("scope key", |i| rename(i, |name| name.key = "other".parse().expect("key"))),
    ("unit", |i| i.policy.unit = Unit::new("USDC", 0).expect("unit")),
    ("decimals", |i| i.policy.unit = Unit::new("credits", 2).expect("unit")),
    ("unlinked", |i| i.policy.unlinked = Unlinked::Exclude),
    ("epoch days", |i| {
        i.policy.window_days = WindowDays::new(14).expect("days");
        i.windows[1].period.end = at("2026-11-23T00:00:00Z");
    }),
    ("a weight", |i| i.policy.weights = Weights::parse(br#"{"github:pr_merged":1001}"#).expect("weights")),
    ("period", |i| {
        i.windows[1] = week(2, "2026-11-16T00:00:00Z", 5);
        i.events.clear();
        i.decisions.truncate(1);
        i.decisions.extend(pool_decisions(&i.pool));
    }),
    ("pinned size", |i| i.windows[1].log_size = Some(6)),
    ("events log", |i| i.events_log = "ledger.example.org/events/2".to_owned()),
    ("events root", |i| i.events_root = Hash::of(b"other")),
    ("one event less", |i| drop(i.events.remove(0))),
    ("an event's hash", |i| i.events[0].event_hash = Hash::of(b"other")),
    ("an event's index", |i| i.events[0].index = 3),
    ("an event's author", |i| i.events[1].event.authors[0].identity = github("1004")),
    ("one decision less", |i| drop(i.decisions.remove(0))),
    ("a decision's actor", |i| i.decisions[0].actor = free("oscar")),
    ("a decision's reason", |i| i.decisions[2].reason = free("another")),
    ("pool amount", |i| {
        i.pool = pool(10_001);
        i.decisions[3].after = Some("10001".to_owned());
    }),
    ("approvers", |i| {
        let set = ApproverSet::new(1, approver_set().approvers().to_vec()).expect("set");
        i.approvers = ApproverSetText::next(&scope_name(), &[], set).expect("text");
    }),
    ("revision", |i| i.draft.revision = i.draft.revision.next()),
    ("sign by", |i| i.draft.sign_by = at("2026-12-01T09:00:00.001Z")),
];

/// Moves the input to another scope name, with all that names the scope.
fn rename(input: &mut EpochInput, change: fn(&mut ScopeName)) {
    let old = input.name.id();
    change(&mut input.name);
    let new = input.name.id();
    input.policy.scope = new;
    input.approvers = ApproverSetText::next(&input.name, &[], approver_set()).expect("text");
    for decision in input.decisions.iter_mut().filter(|decision| decision.scope == old) {
        decision.scope = new;
    }
    for entry in &mut input.events {
        entry.event.scopes = vec![new];
    }
}

#[test]
fn statement_binds_all() {
    let mut seen = BTreeMap::new();
    seen.insert(closed(&example_input()).to_string(), "nothing");
    for (what, change) in CHANGES {
        let mut input = example_input();
        change(&mut input);
        let statement = closed(&input);
        assert_ne!(statement.root, closed(&example_input()).root, "{what}: the root alone binds it");
        assert_eq!(seen.insert(statement.to_string(), what), None, "{what} gives the text of another change");
    }
    let mut input = example_input();
    input.draft.previous = Some(Hash::of(b"a"));
    assert!(seen.insert(closed(&input).to_string(), "previous").is_none());
    let mut texts = Vec::new();
    for supersedes in [b"a", b"b"] {
        let mut input = amended_input();
        input.draft.supersedes = Some(Hash::of(supersedes));
        texts.push(closed(&input).to_string());
    }
    assert_ne!(texts[0], texts[1], "supersedes");
}

#[test]
fn leaf_zero_holds_every_line_of_the_text() {
    let statement = closed(&example_input());
    let leaf = String::from_utf8(statement.leaf_zero()).expect("text");
    let text = statement.to_string();
    assert!(text.ends_with(&leaf) && text.lines().count() == leaf.lines().count() + 3);
    assert_eq!(leaf.lines().count(), 18);
}

#[test]
fn statements_have_one_spelling() {
    let text = closed(&example_input()).to_string();
    assert_eq!(text.parse::<Statement>().expect("parses").to_string(), text);
    let lines: Vec<&str> = text.lines().collect();
    for place in 0..lines.len() {
        let without: String =
            (0..lines.len()).filter(|i| *i != place).map(|i| format!("{}\n", lines[i])).collect();
        assert!(without.parse::<Statement>().is_err(), "without {:?}", lines[place]);
        let mut twice = lines.clone();
        twice.insert(place, lines[place]);
        assert!(format!("{}\n", twice.join("\n")).parse::<Statement>().is_err(), "twice {:?}", lines[place]);
        let mut spaced = lines.clone();
        let line = format!("{} ", lines[place]);
        spaced[place] = &line;
        assert!(
            format!("{}\n", spaced.join("\n")).parse::<Statement>().is_err(),
            "space after {:?}",
            lines[place]
        );
    }
    for (from, to) in [
        ("Epoch: 2 ", "Epoch: 02 "),
        ("Epoch: 2 ", "Epoch: 3 "),
        ("revision 0", "revision 1"),
        ("Node: 4ff8", "Node: 4FF8"),
        ("\n4\n", "\n5\n"),
        ("Unit: credits 0", "Unit: credits 37"),
        ("Distributed: 10000", "Distributed: 1e4"),
        ("Distributed: 10000", "Distributed: -1"),
        ("Approvers: 2 of 3", "Approvers: 2 of 300"),
        ("00.000Z", "00Z"),
        ("/events/1 5", "/events/0 5"),
        ("/events/1 5", "/statements/1 5"),
        ("Events Log: ledger", "Events Log: other"),
        ("Supersedes: none", "Supersedes: None"),
        ("Scope: a28a8b1e", "Scope: b28a8b1e"),
        ("default\nEpoch", "other\nEpoch"),
        ("Period: 2026-11-09", "Period: 2026-11-16"),
        ("Period: 2026-11-09", "Period: 2026-11-17"),
        ("meed payout statement v1", "meed payout statement v2"),
        ("weight-sum-v1", "weight-sum-v2"),
        ("Sign By: ", "Sign by: "),
        ("\n", "\r\n"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert!(changed.parse::<Statement>().is_err(), "{from} -> {to}");
    }
    assert!(text.trim_end().parse::<Statement>().is_err(), "no newline at the end");
    assert!(format!("{text}\n").parse::<Statement>().is_err(), "an empty line at the end");
}

fn cosign(statement: &Statement, names: &[(&str, u8)], time: &str) -> Vec<SignatureLine> {
    let text = statement.note_text().expect("text");
    let second = at(time).as_seconds();
    names.iter().map(|(name, seed)| approver(name, *seed).cosign(&text, second).expect("signs")).collect()
}

const IN_TIME: &str = "2026-11-18T08:00:00Z";

#[test]
fn signature_scope_bound() {
    let statement = closed(&example_input());
    let lines = cosign(&statement, &[("alice", 1), ("bob", 2)], IN_TIME);
    assert!(approve(&statement, &approvers(), &lines).is_ok());
    // The same approvers' lines under any other text, with the set that it names, count for nothing.
    for (what, change) in CHANGES {
        let mut input = example_input();
        change(&mut input);
        let other = closed(&input);
        let refused = approve(&other, &input.approvers, &lines).expect_err(what);
        assert_eq!(refused.code, SignatureInvalid, "{what}");
    }
    let mut later = example_input();
    later.windows.push(week(3, "2026-11-16T00:00:00Z", 5));
    later.events.clear();
    later.decisions.iter_mut().for_each(|decision| decision.epoch = decision.epoch.map(EpochNumber::next));
    later.decisions.drain(1..3);
    let later = closed(&later);
    assert_eq!(approve(&later, &approvers(), &lines).expect_err("another epoch").code, SignatureInvalid);
}

#[test]
fn approvals_count_only_as_the_set_demands() {
    let statement = closed(&example_input());
    let sign = |names: &[(&str, u8)], time: &str| cosign(&statement, names, time);
    let refused =
        |lines: &[SignatureLine]| approve(&statement, &approvers(), lines).expect_err("refused").code;
    let approved =
        approve(&statement, &approvers(), &sign(&[("carol", 3), ("alice", 1)], IN_TIME)).expect("two");
    let names: Vec<&str> = approved.signatures().iter().map(|line| line.name().as_str()).collect();
    assert_eq!(names, ["alice", "carol"], "sorted by name");
    assert_eq!(refused(&[]), QuorumMissing);
    assert_eq!(refused(&sign(&[("alice", 1)], IN_TIME)), QuorumMissing);
    assert_eq!(refused(&sign(&[("alice", 1), ("alice", 1)], IN_TIME)), SignerTwice);
    assert_eq!(refused(&sign(&[("alice", 1), ("bob", 2), ("mallory", 4)], IN_TIME)), SignerUnknown);
    assert_eq!(
        refused(&sign(&[("alice", 1), ("bob", 4)], IN_TIME)),
        SignerUnknown,
        "bob's name, another key"
    );
    // After the period's start, and not after Sign By; three signatures of which one is late are refused.
    for (time, code) in [
        ("2026-11-09T00:00:00Z", Some(SignatureOutOfTime)),
        ("2026-11-09T00:00:01Z", None),
        ("2026-12-01T09:00:00Z", None),
        ("2026-12-01T09:00:01Z", Some(SignatureOutOfTime)),
    ] {
        let lines = sign(&[("alice", 1), ("bob", 2)], time);
        assert_eq!(approve(&statement, &approvers(), &lines).err().map(|r| r.code), code, "{time}");
        assert_eq!(
            check_signature(&statement, &approvers(), &lines[0]).err().map(|r| r.code),
            code,
            "{time}"
        );
    }
    let mut other_set = approvers();
    other_set.set = ApproverSet::new(1, approver_set().approvers().to_vec()).expect("set");
    let lines = sign(&[("alice", 1), ("bob", 2)], IN_TIME);
    assert_eq!(approve(&statement, &other_set, &lines).expect_err("1 of 3").code, Mismatch);
}

#[test]
fn the_nodes_line_is_one_and_no_approval() {
    let statement = closed(&example_input());
    let (text, origin) = (statement.note_text().expect("text"), statement.origin_line());
    let node = log_key_as(&origin).sign_note(&text).expect("signs");
    let approvals = cosign(&statement, &[("alice", 1), ("bob", 2)], IN_TIME);
    let note = |lines: Vec<SignatureLine>| Note::new(text.clone(), lines).expect("note");
    let split = |note: &Note| split_node_line(note, &origin, log_key().public_key());
    let (line, others) = split(&note([vec![node.clone()], approvals.clone()].concat())).expect("splits");
    assert_eq!((line, others), (node.clone(), approvals.clone()));
    assert_eq!(split(&note(approvals.clone())).expect_err("none").code, SignatureInvalid);
    assert_eq!(split(&note(vec![node.clone(), node.clone()])).expect_err("twice").code, SignerTwice);
    let forged = key("x", meed_keys::KeyUse::Log, 8).renamed(origin.parse().expect("name"));
    let forged = forged.sign_note(&text).expect("signs");
    assert_eq!(split(&note(vec![forged])).expect_err("another key").code, SignatureInvalid);
    let refused =
        approve(&statement, &approvers(), &[vec![node], approvals].concat()).expect_err("no approval");
    assert_eq!(refused.code, SignerUnknown);
}

#[test]
fn pool_requires_base() {
    let mut input = example_input();
    input.pool = Pool::default();
    assert_eq!(refusal(&input), BaseIssuanceMissing);
    input.pool = Pool::from_components([component("bonus", 5)]).expect("pool");
    assert_eq!(refusal(&input), BaseIssuanceMissing);
    input.pool = Pool::from_components([component("bonus", 5), component("base_issuance", 1)]).expect("pool");
    input.decisions = pool_decisions(&input.pool);
    assert_eq!(closed(&input).pool_total.value(), 6);
}

#[test]
fn pool_reproducible() {
    let parts = [component("base_issuance", 7), component("a_bonus", 5), component("z", 1)];
    let mut input = example_input();
    input.decisions =
        decide(&[pooled("z", 1), pooled("base_issuance", 7), pooled("base", 5), pooled("a_bonus", 5)]);
    let renamed = input.decisions.remove(2);
    let mut statements = Vec::new();
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        input.pool = Pool::from_components(order.map(|part: usize| parts[part].clone())).expect("pool");
        statements.push(closed(&input));
    }
    assert_eq!(statements[0].pool_total.value(), 13, "the total is the sum");
    assert!(statements.iter().all(|statement| *statement == statements[0]), "in any order");
    let changes: [fn(&mut PoolComponent); 4] = [
        |part| part.evidence_ref = Some(free("minutes of 2026-11-01")),
        |part| part.inputs_hash = Hash::of(b"{\"a\":\"1\"}"),
        |part| part.algorithm_version = "v2".to_owned(),
        |part| part.component = "base".parse().expect("id"),
    ];
    for change in changes {
        let mut changed = parts.clone();
        change(&mut changed[1]);
        if changed[1].component != parts[1].component {
            input.decisions[2] = renamed.clone();
        }
        input.pool = Pool::from_components(changed).expect("pool");
        let statement = closed(&input);
        assert_ne!(statement.pool.root, statements[0].pool.root);
        assert_eq!(statement.pool_total, statements[0].pool_total);
    }
    let twice = Pool::from_components([component("base_issuance", 7), component("base_issuance", 7)]);
    assert_eq!(twice.expect_err("twice").code, DuplicateField);
}

#[test]
fn identity_best_effort() {
    let paid = |input: &EpochInput| -> BTreeMap<String, u128> {
        let closed = close(input).expect("closes");
        closed.allocations.iter().map(|a| (a.claimant.to_string(), a.credits.value())).collect()
    };
    let mut input = example_input();
    input.decisions = pool_decisions(&input.pool);
    input.policy.unlinked = Unlinked::Claim;
    let claimed = paid(&input);
    assert_eq!(
        claimed.keys().collect::<Vec<_>>(),
        ["identity:github:1001", "identity:github:1002", "identity:github:1003"]
    );
    input.policy.unlinked = Unlinked::Exclude;
    assert!(paid(&input).is_empty(), "nobody is bound, so nobody earns");
    assert_eq!(closed(&input).undistributed.value(), 10_000);
    // Who is left out is not listed with 0 either, unless an override names them.
    let overridden = |weight| {
        let override_set = Change::Override(
            "identity:github:1002".parse().expect("a claimant"),
            Units::single(weight).expect("units"),
        );
        decide(&[(Some(2), override_set), pooled("base_issuance", 10_000)])
    };
    for (units, credits) in [(0, 0), (3, 10_000)] {
        input.decisions = overridden(units);
        let closed = close(&input).expect("closes");
        let [only] = closed.allocations.as_slice() else { unreachable!("one claimant is listed") };
        assert_eq!(only.claimant.to_string(), "identity:github:1002");
        assert_eq!((only.proposed_units, only.events), (Units::ZERO, 0));
        assert_eq!((only.final_units.value(), only.credits.value()), (units, credits));
    }
    // A user who earns 0 is listed, with 0.
    input.policy.weights = Weights::parse(br#"{"github:pr_merged":"0"}"#).expect("weights");
    input.decisions = decide(&[bind("1001"), pooled("base_issuance", 10_000)]);
    assert_eq!(paid(&input), BTreeMap::from([(format!("user:{USER}"), 0)]));
    input.policy.weights = example_input().policy.weights;
    // Bound after the events came, before the freeze: claimants are resolved at the freeze.
    input.decisions = decide(&[bind("1001"), pooled("base_issuance", 10_000)]);
    assert_eq!(paid(&input), BTreeMap::from([(format!("user:{USER}"), 10_000)]));
    input.policy.unlinked = Unlinked::Claim;
    assert_eq!(paid(&input).len(), 3);
    // Two accounts of one person earn together.
    input.decisions = decide(&[bind("1001"), bind("1002"), bind("1003"), pooled("base_issuance", 10_000)]);
    assert_eq!(paid(&input), BTreeMap::from([(format!("user:{USER}"), 10_000)]));
}

const OTHER_USER: &str = "a0000000-0000-4000-8000-000000000001";

#[test]
fn no_auto_merge() {
    let (own, other) = (USER.parse().expect("user"), OTHER_USER.parse().expect("user"));
    let mut state = State::default();
    let mut make = |change: Change| -> Result<Decision, RejectionCode> {
        let context = DecisionContext {
            scope: scope_name().id(),
            epoch: None,
            actor: free("olivia"),
            at: at(IN_TIME),
            reason: free("shown by a signed message"),
        };
        let decision = Decision::new(&state, &change, context).map_err(|rejection| rejection.code)?;
        state.apply(&decision).expect("applies");
        Ok(decision)
    };
    let identity = || github("1001");
    assert_eq!(make(Change::Revoke(identity())), Err(IdentityNotBound));
    assert_eq!(make(Change::Rebind(identity(), own)), Err(IdentityNotBound), "it could not name both");
    assert!(make(Change::Bind(identity(), own)).is_ok());
    assert_eq!(make(Change::Bind(identity(), own)), Err(NothingToChange));
    assert_eq!(make(Change::Bind(identity(), other)), Err(IdentityBoundToOther));
    assert!(make(Change::Revoke(identity())).is_ok());
    assert_eq!(make(Change::Revoke(identity())), Err(IdentityNotBound));
    assert_eq!(make(Change::Bind(identity(), other)), Err(IdentityBoundToOther), "revoked is not free");
    assert!(make(Change::Bind(identity(), own)).is_ok(), "to the same user it may return");
    assert!(make(Change::Revoke(identity())).is_ok());
    let rebind = make(Change::Rebind(identity(), other)).expect("by a decision that names both");
    assert_eq!(
        (rebind.before, rebind.after),
        (Some(format!("user:{USER}")), Some(format!("user:{OTHER_USER}")))
    );
    assert_eq!(make(Change::Bind(identity(), own)), Err(IdentityBoundToOther));
}

/// A tree of decisions that was changed afterwards does not replay.
#[test]
fn decisions_recorded() {
    let decisions = example_input().decisions;
    assert!(State::replay(&decisions).is_ok());
    let refused = |change: fn(&mut Vec<Decision>)| {
        let mut changed = example_input().decisions;
        change(&mut changed);
        State::replay(&changed).expect_err("refused").code
    };
    assert_eq!(refused(|d| d[1].before = Some("excluded".to_owned())), Mismatch);
    assert_eq!(refused(|d| d[1].before = None), Mismatch);
    assert_eq!(refused(|d| d[1].after = Some("included".to_owned())), NotCanonical);
    assert_eq!(refused(|d| d[1].epoch = None), MissingField);
    assert_eq!(refused(|d| d[0].epoch = Some(epoch(2))), MissingField);
    assert_eq!(refused(|d| d[2].after = Some("0250".to_owned())), InvalidNumber);
    assert_eq!(refused(|d| d[2].after = None), MissingField);
    assert_eq!(refused(|d| d[2].after = Some("79228162514264337593543950336".to_owned())), NumberTooLarge);
    assert_eq!(refused(|d| d[0].subject = "identity:github:01".to_owned()), InvalidClaimant);
    assert_eq!(refused(|d| d[0].after = Some("identity:github:5".to_owned())), InvalidClaimant);
    assert_eq!(refused(|d| d.insert(0, d[0].clone())), Mismatch, "a binding twice");
    let mut end = decisions[0].clone();
    (end.action, end.after, end.subject) = (meed_audit::decision::Action::EndScope, None, "scope".to_owned());
    let ended = State::replay(&[vec![end.clone()], decisions].concat()).expect_err("after the end");
    assert_eq!((ended.code, ended.subject.as_str()), (ScopeEnded, "decision 1: scope"));
    // Only what is private is still erased.
    let mut erase = end.clone();
    (erase.action, erase.subject) = (meed_audit::decision::Action::Erase, "github:pr:1:44".to_owned());
    let state = State::replay(&[end.clone(), erase]).expect("erased after the end");
    assert!(state.has_ended());
    assert_eq!(State::replay(&[end.clone(), end]).expect_err("ended twice").code, ScopeEnded);
}

/// What was decided of an event or a claimant is taken back, and is then as if it had never been decided.
#[test]
fn decisions_are_taken_back() {
    let (event, who) = ("github:pr:1:44".parse().expect("id"), claimant("identity:github:1003"));
    let mut input = example_input();
    let taken_back = [(Some(2), Change::Reset(event)), (Some(2), Change::Withdraw(who.clone()))];
    let mut state = State::replay(&input.decisions).expect("replays");
    for (number, change) in taken_back {
        let context = DecisionContext {
            scope: scope_name().id(),
            epoch: number.map(epoch),
            actor: free("olivia"),
            at: at("2026-11-17T09:00:00Z"),
            reason: free("a mistake"),
        };
        let decision = Decision::new(&state, &change, context.clone()).expect("was decided");
        assert_eq!(decision.after, None);
        assert_eq!(Decision::decode(&decision.encode()), Ok(decision.clone()));
        state.apply(&decision).expect("applies");
        let again = Decision::new(&state, &change, context).expect_err("once only");
        assert_eq!(again.code, NothingToChange);
        input.decisions.push(decision);
    }
    assert_eq!(state.epoch(epoch(2)), None, "nothing is decided of the epoch any more");
    let closed = close(&input).expect("closes");
    let row = closed.allocations.iter().find(|a| a.claimant == who).expect("earned");
    assert_eq!((row.final_units.value(), row.override_reason.clone()), (1_000, None));
    assert_eq!(
        closed.allocations.iter().map(|a| a.events).sum::<u64>(),
        6,
        "the excluded event counts again"
    );
}

/// An override whose claimant has become another since is refused, and taken again when it is restated.
#[test]
fn overrides_of_moved_claimants_are_restated() {
    let identity = claimant("identity:github:1003");
    let override_of = |who: &str, value| (Some(2), Change::Override(claimant(who), units(value)));
    let mut input = example_input();
    input.decisions =
        decide(&[override_of("identity:github:1003", 250), bind("1003"), pooled("base_issuance", 10_000)]);
    let refused = close(&input).expect_err("moved");
    assert_eq!((refused.code, refused.subject), (OverrideClaimantMoved, format!("override of {identity}")));
    let user = format!("user:{USER}");
    input.decisions = decide(&[
        override_of("identity:github:1003", 250),
        bind("1003"),
        override_of(&user, 250),
        pooled("base_issuance", 10_000),
    ]);
    let closed = close(&input).expect("restated");
    let row = closed.allocations.iter().find(|a| a.claimant.to_string() == user).expect("the user");
    assert_eq!((row.final_units.value(), row.proposed_units.value()), (250, 1_000));
}

/// An override is younger than the last decision on its claimant's accounts, and says otherwise what changed.
#[test]
fn overrides_are_younger_than_the_last_change_of_their_claimants() {
    let user = claimant(&format!("user:{USER}"));
    let set = (Some(2), Change::Override(user.clone(), units(250)));
    let revoke = (None, Change::Revoke("identity:github:1003".parse().expect("an identity")));
    let mut input = example_input();
    let before = [pooled("base_issuance", 10_000), bind("1001"), bind("1003"), set.clone(), revoke];
    input.decisions = decide(&before);
    let refused = close(&input).expect_err("older");
    assert_eq!(refused.code, OverrideClaimantMoved);
    let expected = format!(
        "override of {user}: expected one made after identity:github:1003 was revoked from it by decision 4, got that of decision 3"
    );
    assert!(refused.to_string().ends_with(&expected), "{refused}");
    input.decisions = decide(&[&before[..], &[set]].concat());
    let closed = close(&input).expect("restated with the same units and reason");
    let last = |key: &str| {
        let row = closed.allocations.iter().find(|row| row.claimant == claimant(key)).expect("a row");
        row.final_units.value()
    };
    assert_eq!((last(&format!("user:{USER}")), last("identity:github:1003")), (250, 1_000));
}

/// What was decided in an amendment that is given up is taken back with it, and nothing is frozen in its name.
#[test]
fn amendments_are_given_up() {
    let event: meed_audit::ids::EventId = "github:pr:1:44".parse().expect("id");
    let who = claimant("identity:github:1003");
    let of = |change: Change| (Some(2), change);
    let before = [pooled("base_issuance", 10_000), of(Change::Exclude(event.clone()))];
    let within = [
        of(Change::Amend),
        of(Change::Include(event.clone())),
        of(Change::Weight(event.clone(), units(7))),
        of(Change::Override(who.clone(), units(250))),
    ];
    let state = |changes: &[&[_]]| State::replay(&decide(&changes.concat())).expect("replays");
    let first = state(&[&before]);
    let given_up = state(&[&before, &within, &[of(Change::Abandon)]]);
    assert_eq!(given_up.epoch(epoch(2)), first.epoch(epoch(2)));
    // The next amendment begins with what is in force.
    let again = [of(Change::Abandon), of(Change::Amend), of(Change::Include(event)), of(Change::Abandon)];
    assert_eq!(state(&[&before, &within, &again]).epoch(epoch(2)), first.epoch(epoch(2)));
    let context = DecisionContext {
        scope: scope_name().id(),
        epoch: Some(epoch(2)),
        actor: free("olivia"),
        at: at("2026-11-17T09:00:00Z"),
        reason: free("a mistake"),
    };
    for state in [first, given_up] {
        let refused =
            Decision::new(&state, &Change::Abandon, context.clone()).expect_err("none is under way");
        assert_eq!(refused.code, NothingToChange);
    }
    let mut input = amended_input();
    assert!(close(&input).is_ok());
    input.decisions.extend(decide(&[of(Change::Amend), of(Change::Abandon)]).pop());
    let refused = close(&input).expect_err("given up");
    assert_eq!((refused.code, refused.subject.as_str()), (Mismatch, "amendment of epoch 2"));
    input.draft.supersedes = None;
    assert_eq!(close(&input).expect_err("given up").code, Mismatch);
    input.decisions.extend(decide(&[of(Change::Amend)]));
    assert_eq!(close(&input).expect_err("supersedes nothing").code, Mismatch);
}
