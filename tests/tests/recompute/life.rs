//! Four epochs of a scope in a real ledger: 300 people, 5,000 events, and all that can happen to them.
//!
//! Everything is fixed: seeds, moments and the order of the lines, so that a failure happens again.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use meed_audit::decision::Change;
use meed_audit::event::NewEvent;
use meed_audit::hash::Hash;
use meed_audit::ids::{Claimant, EpochNumber, EventId, Identity, ScopeId, UserId};
use meed_audit::policy::{Unlinked, Weights};
use meed_audit::time::Timestamp;
use meed_keys::NoteText;
use meed_storage::{ApproverSetOutcome, EventBatch, ScopeChange};

use crate::support::world::{
    LATER, WEEK_1, WEEK_2, WEEK_3, WEEK_4, World, by, component, evidence, set_of, text, time, units,
};

/// People, by their GitHub accounts from 1000.
const PEOPLE: u64 = 300;
/// Monday of the first week.
const START_MS: i64 = 1_767_571_200_000;
const HOUR_MS: i64 = 3_600_000;
const WEEK_MS: i64 = 168 * HOUR_MS;

/// The ledger after all epochs, and what went into it.
pub(crate) struct Life {
    pub(crate) world: World,
    pub(crate) scope: ScopeId,
    /// The lines, in the order in which they came.
    pub(crate) lines: Vec<String>,
    pub(crate) stored: usize,
    pub(crate) duplicates: usize,
    pub(crate) conflicts: usize,
    /// Every person as a claimant, and the users.
    pub(crate) people: Vec<Claimant>,
}

/// SplitMix64: enough to choose authors and hours.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

fn account(number: u64) -> Identity {
    format!("identity:github:{}", 1000 + number).parse().unwrap()
}

fn user(number: u8) -> UserId {
    UserId::from_random([number; 16])
}

fn id(number: u64) -> String {
    format!("github:pr:1:{number}")
}

fn event(number: u64) -> EventId {
    id(number).parse().unwrap()
}

/// Authors of a line: one, two or three people, in any order, with or without shares; ids as strings or as numbers.
fn authors(chance: &mut Chance) -> String {
    let first = chance.below(PEOPLE);
    let count = [1, 1, 1, 2, 2, 3].get(usize::try_from(chance.below(6)).unwrap()).copied().unwrap();
    let with_shares = count == 2 && chance.below(2) == 0;
    let share = 1 + chance.below(999_999);
    let mut out = String::from("[");
    for place in 0..count {
        let person = 1000 + (first + place * 7) % PEOPLE;
        let comma = if place == 0 { "" } else { "," };
        let quote = if person.is_multiple_of(2) { "\"" } else { "" };
        write!(out, r#"{comma}{{"provider":"github","id":{quote}{person}{quote}"#).unwrap();
        if with_shares {
            write!(out, r#","share":{}"#, if place == 0 { share } else { 1_000_000 - share }).unwrap();
        }
        out.push('}');
    }
    out.push(']');
    out
}

/// A line of an event, at an hour after the start of the first week.
fn line(number: u64, at_ms: i64, chance: &mut Chance) -> String {
    let kinds = ["pr_merged", "pr_merged", "review_submitted", "issue_closed", "commented_on"];
    let kind = kinds.get(usize::try_from(number % 5).unwrap()).unwrap();
    let moment = Timestamp::from_ms(START_MS + at_ms).unwrap().to_string();
    // Every seventh time is written in another time zone.
    let shifted = Timestamp::from_ms(START_MS + at_ms + HOUR_MS).unwrap().to_string().replace('Z', "+01:00");
    let moment = if number.is_multiple_of(7) { shifted } else { moment };
    let who = if number.is_multiple_of(11) {
        format!(r#""platform_user_id":{}"#, 1000 + number % PEOPLE)
    } else {
        format!(r#""authors":{}"#, authors(chance))
    };
    format!(
        r#"{{"id":"{}", "source":"github","source_ref":1,"event_type":"{kind}",{who},"event_time":"{moment}","payload_hash":"{}","producer":"test","producer_version":"1","retrieved_at":"2026-02-20T00:00:00Z","metadata":{{"title":"Änderung \u0007 {number}","lines":{}}},"artifact_url":"https://example.org/{number}"}}"#,
        id(number),
        Hash::of(number.to_string().as_bytes()),
        number * 3
    )
}

impl Life {
    /// Imports lines in batches.
    fn import(&mut self, lines: Vec<String>) {
        for batch in lines.chunks(200) {
            let parse = |line: &String| NewEvent::parse(line.as_bytes(), time(LATER)).unwrap();
            let events: Vec<NewEvent> = batch.iter().map(parse).collect();
            let salts = (0_u8..).map(|number| [number; 32]).take(events.len()).collect::<Vec<_>>();
            let batch = EventBatch::prepare(events, vec![self.scope], salts, time(LATER)).unwrap();
            let report = self.world.ledger.append(batch).unwrap();
            self.stored += report.stored();
            self.duplicates += report.duplicates();
            self.conflicts += report.conflicts();
        }
        self.lines.extend(lines);
    }

    fn decide(&self, epoch: EpochNumber, change: Change, reason: &str) {
        self.world.ledger.decide(self.scope, epoch, change, text(reason), by(LATER)).unwrap();
    }

    fn bind(&self, person: u64, number: u8) {
        self.world.ledger.add_user(user(number), None, by(WEEK_1)).unwrap();
        self.world.ledger.bind(account(person), user(number), evidence("seen"), by(WEEK_1)).unwrap();
    }

    /// Freezes, has these approvers sign, and finalizes.
    fn finish(&self, epoch: EpochNumber, approvers: &[usize]) {
        let draft = self.world.freeze(self.scope, epoch);
        self.world.approve(self.scope, epoch, &draft, approvers);
        self.world.finalize(self.scope, epoch);
    }
}

/// Lives through the four epochs.
pub(crate) fn live() -> Life {
    let world = World::new();
    let scope = world.scope("default");
    let people = (0..PEOPLE).map(|person| Claimant::Identity(account(person)));
    let users = (1..=90).map(|number| Claimant::User(user(number)));
    let people = people.chain(users).collect();
    let mut life = Life { world, scope, lines: Vec::new(), stored: 0, duplicates: 0, conflicts: 0, people };
    let mut chance = Chance(2026);
    first_epoch(&mut life, &mut chance);
    second_epoch(&mut life, &mut chance);
    change_approvers(&life);
    third_epoch(&life);
    fourth_epoch(&mut life, &mut chance);
    correct_the_first(&life);
    life
}

/// 1,700 events, a hundred of them of the week after; duplicates and a conflict; curation of every kind.
fn first_epoch(life: &mut Life, chance: &mut Chance) {
    let epoch = life.world.open(life.scope, WEEK_1);
    for number in 1..=60 {
        life.bind(u64::from(number) * 3, number);
    }
    // Two accounts of one person.
    life.world.ledger.bind(account(1), user(1), evidence("seen"), by(WEEK_1)).unwrap();
    let mut lines = Vec::new();
    for number in 0..1_600 {
        let at = i64::try_from(chance.below(168)).unwrap() * HOUR_MS;
        lines.push(line(number, at, chance));
    }
    for number in 1_600..1_700 {
        lines.push(line(number, WEEK_MS + i64::try_from(number).unwrap(), chance));
    }
    let again = lines
        .get(5..12)
        .unwrap()
        .iter()
        .map(|line| line.replace(r#""producer":"test""#, r#""producer":"other""#));
    let mut more: Vec<String> = again.collect();
    more.push(line(20, 5 * HOUR_MS, &mut Chance(7)).replace("1:20\"", "1:21\""));
    lines.splice(900..900, more);
    life.import(lines);
    life.decide(epoch, Change::Exclude(event(3)), "a test run");
    life.decide(epoch, Change::Exclude(event(4)), "a test run");
    life.decide(epoch, Change::Include(event(4)), "not a test run");
    life.decide(epoch, Change::Weight(event(8), units(123_457)), "a large one");
    life.decide(epoch, Change::Weight(event(8), units(23_457)), "not that large");
    let shares = BTreeMap::from([
        (Claimant::Identity(account(2)), 333_333),
        (Claimant::Identity(account(3)), 333_333),
        (Claimant::User(user(1)), 333_334),
    ]);
    life.decide(epoch, Change::Shares(event(9), shares), "as they say");
    life.world.close(life.scope, epoch);
    life.finish(epoch, &[0, 2]);
}

/// 1,600 events and 40 late ones; overrides, one of which has to be restated, and a draft that is replaced.
fn second_epoch(life: &mut Life, chance: &mut Chance) {
    let epoch = life.world.open(life.scope, WEEK_2);
    let hackathon = component("hackathon", 77_777);
    life.world.ledger.add_pool_component(life.scope, epoch, hackathon, text("voted"), by(WEEK_2)).unwrap();
    let mut lines = Vec::new();
    for number in 1_700..3_340 {
        let late = number % 41 == 0;
        let at = i64::try_from(chance.below(168)).unwrap() * HOUR_MS;
        lines.push(line(number, if late { at } else { WEEK_MS + at }, chance));
    }
    life.import(lines);
    for person in 200..220_u64 {
        let claimant = Claimant::Identity(account(person));
        life.decide(epoch, Change::Override(claimant, units(u128::from(person) * 31)), "by vote");
    }
    let stranger = Claimant::Identity("identity:discord:424242".parse().unwrap());
    life.decide(epoch, Change::Override(stranger, units(5_000)), "moderation");
    life.bind(200, 70);
    life.decide(epoch, Change::Override(Claimant::User(user(70)), units(6_200)), "restated");
    // One more account of the same person: the units are stated again for both.
    life.world.ledger.bind(account(198), user(70), evidence("seen"), by(WEEK_2)).unwrap();
    life.decide(epoch, Change::Override(Claimant::User(user(70)), units(6_200)), "restated");
    life.decide(epoch, Change::Exclude(event(1_650)), "a mistake");
    life.world.close(life.scope, epoch);
    let draft = life.world.freeze(life.scope, epoch);
    life.world.approve(life.scope, epoch, &draft, &[1]);
    life.decide(epoch, Change::Weight(event(2_000), units(0)), "seen too late");
    life.finish(epoch, &[0, 1, 2]);
}

/// From now on two of the first, the fourth and the fifth; both members that leave agree.
fn change_approvers(life: &Life) {
    let all = &life.world.approvers;
    let keys = [0, 3, 4].map(|place: usize| all.get(place).unwrap());
    let set = set_of(2, &keys.map(Clone::clone));
    let outcome = life.world.ledger.set_approvers(life.scope, set, by(LATER)).unwrap();
    let ApproverSetOutcome::Pending(pending) = outcome else { panic!("expected a pending set") };
    let note = NoteText::new(pending.text.to_string()).unwrap();
    let sign = |place: usize| all.get(place).unwrap().cosign(&note, time(LATER).as_seconds()).unwrap();
    let lines = [1, 2, 3, 4].map(sign).to_vec();
    let outcome = life.world.ledger.add_approver_signatures(life.scope, lines, time(LATER)).unwrap();
    assert!(matches!(outcome, ApproverSetOutcome::InForce(_)));
}

/// Nothing happened in the third week.
fn third_epoch(life: &Life) {
    let epoch = life.world.open(life.scope, WEEK_3);
    life.world.close(life.scope, epoch);
    life.finish(epoch, &[3, 4]);
    let change = ScopeChange {
        unlinked: Some(Unlinked::Exclude),
        weights: Some(Weights::parse(br#"{"github:pr_merged": 1500, "github:commented_on": "7"}"#).unwrap()),
        ..ScopeChange::default()
    };
    life.world.ledger.configure_scope(life.scope, change).unwrap();
}

/// The rest: late events of all weeks, some from before the first and from after the last; other terms.
fn fourth_epoch(life: &mut Life, chance: &mut Chance) {
    let epoch = life.world.open(life.scope, WEEK_4);
    let mut lines = Vec::new();
    for number in 3_340..5_000 {
        let hours = match number % 50 {
            0 => -1,
            1 => 4 * 168,
            2..5 => i64::try_from(chance.below(3 * 168)).unwrap(),
            _ => 3 * 168 + i64::try_from(chance.below(168)).unwrap(),
        };
        lines.push(line(number, hours * HOUR_MS, chance));
    }
    life.import(lines);
    for number in 71..=90 {
        life.bind(u64::from(number) + 150, number);
    }
    let ledger = &life.world.ledger;
    ledger.revoke(account(3), evidence("left"), by(LATER)).unwrap();
    ledger.rebind(account(6), user(2), user(90), evidence("sold"), by(LATER)).unwrap();
    life.decide(epoch, Change::Override(Claimant::Identity(account(299)), units(1)), "unlinked, but owed");
    life.world.close(life.scope, epoch);
    life.finish(epoch, &[0, 3]);
}

/// Revision 2 of the first epoch, after all others: the amendment before it was given up, with what was decided in it.
fn correct_the_first(life: &Life) {
    let epoch = EpochNumber::FIRST;
    let ledger = &life.world.ledger;
    ledger.amend(life.scope, epoch, text("somebody said so"), by(LATER)).unwrap();
    life.decide(epoch, Change::Exclude(event(11)), "as they said");
    life.decide(epoch, Change::Reset(event(8)), "as they said");
    life.decide(epoch, Change::Override(Claimant::User(user(1)), units(1)), "as they said");
    life.world.freeze(life.scope, epoch);
    ledger.abandon_amendment(life.scope, epoch, text("it was a joke"), by(LATER)).unwrap();
    life.world.ledger.amend(life.scope, epoch, text("an event was fake"), by(LATER)).unwrap();
    life.decide(epoch, Change::Exclude(event(10)), "fake");
    life.finish(epoch, &[3, 4]);
}
