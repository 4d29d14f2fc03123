//! An independent model of an epoch: plain text, strings and `u128`, the slowest way that is obviously right. It
//! shares no algorithm with the room: it writes leaves by hand, adds bit by bit, and hands out one credit at a time.
#![allow(dead_code, reason = "each test program uses its own part of this module")]
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

pub(crate) mod bytes;
pub(crate) mod naive;
pub(crate) mod state;
pub(crate) mod world;

pub(crate) const NODE: &str = "4ff8eac1-4eba-4ed0-931b-b1fe4f64713d";
pub(crate) const SCOPE: &str = "a28a8b1e-1f9d-5cd5-9329-569e4819feda";
/// Decimal ids whose order as text is not that of their numbers.
pub(crate) const PEOPLE: [&str; 6] = ["7", "10", "9", "123", "45", "8"];
pub(crate) const USERS: [&str; 3] = [
    "0b7e7a6c-2d0c-4d5e-9a39-3a8c1f1f5a10",
    "a0000000-0000-4000-8000-000000000001",
    "a0000000-0000-4000-8000-000000000000",
];
/// Types of events and what the policy gives for them; the last is not in the policy.
pub(crate) const TYPES: [(&str, Option<u128>); 5] = [
    ("pr_merged", Some(1_000)),
    ("review_submitted", Some(500)),
    ("tiny", Some(1)),
    ("zero", Some(0)),
    ("unknown", None),
];
/// 2026-11-02T00:00:00Z, where the scope's first epoch begins.
pub(crate) const FIRST_MS: i64 = 1_793_577_600_000;
pub(crate) const DAY_MS: i64 = 86_400_000;

/// Who is meant by a decision.
#[derive(Clone, Debug)]
pub(crate) enum Who {
    Person(usize),
    User(usize),
}

impl Who {
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Person(person) => identity(*person),
            Self::User(user) => format!("user:{}", USERS[*user]),
        }
    }
}

pub(crate) fn identity(person: usize) -> String {
    format!("identity:github:{}", PEOPLE[person])
}

/// An event as it happened, at its place in the log.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub(crate) id: String,
    pub(crate) event_type: usize,
    pub(crate) authors: Vec<(usize, Option<u32>)>,
    pub(crate) time_ms: i64,
    pub(crate) index: u64,
    pub(crate) routed: bool,
}

/// What somebody wants to decide; it may be refused.
#[derive(Clone, Debug)]
pub(crate) enum Wish {
    Bind(usize, usize),
    Rebind(usize, usize),
    Revoke(usize),
    Exclude(usize),
    Include(usize),
    Weight(usize, u128),
    Shares(usize, Vec<(Who, u32)>),
    Override(Who, u128),
}

/// A scope with one to three epochs, of which the last is computed.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) excludes_unlinked: bool,
    pub(crate) base: u128,
    pub(crate) bonus: Option<u128>,
    pub(crate) epochs: usize,
    pub(crate) gap: bool,
    pub(crate) pins: Vec<u64>,
    pub(crate) facts: Vec<Fact>,
    /// Each with the epoch it is about, counted from 1.
    pub(crate) wishes: Vec<(usize, Wish)>,
}

impl World {
    /// Start and end of an epoch, in ms.
    pub(crate) fn window(&self, number: usize) -> (i64, i64) {
        let weeks = if self.gap && number == 3 { 3 } else { number as i64 - 1 };
        let start = FIRST_MS + weeks * 7 * DAY_MS;
        (start, start + 7 * DAY_MS)
    }

    /// The components of the pool.
    pub(crate) fn parts(&self) -> Vec<(&'static str, u128)> {
        let bonus = self.bonus.map(|amount| ("bonus", amount));
        [("base_issuance", self.base)].into_iter().chain(bonus).collect()
    }

    /// The epoch that takes a fact, and whether late: rule EPOCH_BY_EVENT_TIME.
    pub(crate) fn epoch_of(&self, fact: &Fact) -> Option<(usize, bool)> {
        if fact.time_ms < FIRST_MS {
            return None;
        }
        for number in 1..=self.epochs {
            let (start, end) = self.window(number);
            if fact.time_ms < end && fact.index < self.pins[number - 1] {
                return Some((number, fact.time_ms < start));
            }
        }
        None
    }

    /// The facts of the last epoch.
    pub(crate) fn taken(&self) -> Vec<&Fact> {
        let own = |fact: &&Fact| self.epoch_of(fact).is_some_and(|(number, _)| number == self.epochs);
        self.facts.iter().filter(own).collect()
    }

    /// The event that a wish about `epoch` means by a number: of the last epoch only events that it has.
    pub(crate) fn event_for(&self, epoch: usize, number: usize) -> Option<&Fact> {
        let facts: Vec<&Fact> = if epoch == self.epochs { self.taken() } else { self.facts.iter().collect() };
        if facts.is_empty() { None } else { Some(facts[number % facts.len()]) }
    }
}
