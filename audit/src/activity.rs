//! `weight-sum-v1`: what each event of an epoch gives to whom.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde::{Deserialize, Serialize};

use crate::amount::{SHARE_WHOLE, Units};
use crate::apportion::apportion;
use crate::decision::{Curation, State};
use crate::event::{Author, Event};
use crate::hash::{Hash, leaf_hash};
use crate::ids::{Claimant, EventId, ScopeId};
use crate::leaf::{EVENT_LEAF_BYTES_MAX, Leaf, count, version_tag};
use crate::policy::{Policy, Unlinked};
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::text::FreeText;
use crate::time::Timestamp;

/// An event as an epoch takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochEvent {
    /// The event.
    pub event: Event,
    /// RFC 6962 leaf hash of the event's leaf in the events log.
    pub event_hash: Hash,
    /// Index in the events log of the leaf by which the scope has it: the event's own, or its route's.
    pub index: u64,
    /// Whether that leaf is a route.
    pub routed: bool,
}

impl EpochEvent {
    /// From an event leaf's bytes and the index by which the scope has it.
    ///
    /// # Errors
    /// `input_too_large` above 16,384 bytes; else as [`Leaf::decode`].
    pub fn from_leaf(leaf: &[u8], index: u64, routed: bool) -> Checked<Self> {
        if leaf.len() > EVENT_LEAF_BYTES_MAX {
            let expected = format!("at most {EVENT_LEAF_BYTES_MAX} bytes");
            let got = format!("{} bytes", leaf.len());
            return Err(Rejection::new(RejectionCode::InputTooLarge, Event::VERSION, expected, got));
        }
        Ok(Self { event: Event::decode(leaf)?, event_hash: leaf_hash(leaf), index, routed })
    }
}

impl EpochEvent {
    /// What the epoch takes of it.
    pub fn entry(&self) -> EpochEntry<'_> {
        let Event { authors, event_time, event_type, id, scopes, source, .. } = &self.event;
        EpochEntry {
            authors,
            event_hash: self.event_hash,
            event_time: *event_time,
            event_type: event_type.as_str(),
            id,
            index: self.index,
            routed: self.routed,
            scopes,
            source: source.as_str(),
        }
    }
}

/// What an epoch takes of an event: no more than decides money, so that a ledger need not read the rest.
#[derive(Clone, Copy, Debug)]
pub struct EpochEntry<'a> {
    /// The event's authors, sorted by provider and id; the shares sum to 1,000,000.
    pub authors: &'a [Author],
    /// As in [`EpochEvent`].
    pub event_hash: Hash,
    /// When it happened.
    pub event_time: Timestamp,
    /// What happened.
    pub event_type: &'a str,
    /// Its permanent id.
    pub id: &'a EventId,
    /// As in [`EpochEvent`].
    pub index: u64,
    /// As in [`EpochEvent`].
    pub routed: bool,
    /// The scopes that its leaf names, sorted.
    pub scopes: &'a [ScopeId],
    /// The kind of place it comes from.
    pub source: &'a str,
}

/// Units of one claimant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimantUnits {
    /// The claimant.
    pub key: Claimant,
    /// The units.
    pub units: Units,
}

/// What an event gave in an epoch; its canonical bytes are the leaf `meed/activity/v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activity {
    /// Who got units, sorted; empty when the event is excluded. Unlinked claimants that the policy excludes are
    /// not among them, so that the sum can be less than `units`.
    pub claimants: Vec<ClaimantUnits>,
    /// The event.
    pub event: EventId,
    /// Its leaf hash in the events log.
    pub event_hash: Hash,
    /// Whether it counts.
    pub included: bool,
    /// The index by which the scope has it.
    #[serde(with = "count")]
    pub index: u64,
    /// Whether it happened before the epoch's window.
    pub late: bool,
    /// The reason of the last decision on it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<FreeText>,
    /// What it gives: its weight, or 0 when it is excluded.
    pub units: Units,
    /// `meed/activity/v1`.
    pub v: ActivityV1,
    /// The weight of its type in the policy, or the one that a person set.
    pub weight: Units,
}

version_tag! {
    /// The format of activity leaves.
    ActivityV1, Activity, "meed/activity/v1"
}

/// Weighs one event and splits its units among its claimants.
///
/// # Errors
/// `arithmetic_overflow`, which the limits make impossible.
pub fn curate(
    entry: &EpochEntry<'_>,
    late: bool,
    policy: &Policy,
    curation: Option<&Curation>,
    state: &State,
) -> Checked<Activity> {
    let set_by_person = curation.and_then(|curation| curation.weight);
    let weight = set_by_person.unwrap_or_else(|| policy.weights.units_of(entry.source, entry.event_type));
    let included = !curation.is_some_and(|curation| curation.excluded);
    let units = if included { weight } else { Units::ZERO };
    let claimants = if included {
        let mut claimants = claimants_of(entry.authors, units, curation, state)?;
        claimants
            .retain(|entry| policy.unlinked == Unlinked::Claim || matches!(entry.key, Claimant::User(_)));
        claimants
    } else {
        Vec::new()
    };
    Ok(Activity {
        claimants,
        event: entry.id.clone(),
        event_hash: entry.event_hash,
        included,
        index: entry.index,
        late,
        reason: curation.and_then(|curation| curation.reason.clone()),
        units,
        v: ActivityV1,
        weight,
    })
}

/// Who gets how much of an event's units, sorted by claimant.
fn claimants_of(
    authors: &[Author],
    units: Units,
    curation: Option<&Curation>,
    state: &State,
) -> Checked<Vec<ClaimantUnits>> {
    match (curation.and_then(|curation| curation.shares.as_ref()), authors) {
        // Nothing to divide, and nearly always so.
        (None, [author]) => Ok(vec![ClaimantUnits { key: state.resolve(&author.identity), units }]),
        (decided, _) => split(units, &resolved_shares(authors, decided, state)),
    }
}

/// The shares of an event by claimant: a person's, else the authors', with the shares of equal claimants added.
fn resolved_shares(
    authors: &[Author],
    decided: Option<&BTreeMap<Claimant, u32>>,
    state: &State,
) -> BTreeMap<Claimant, u32> {
    let mut shares = BTreeMap::new();
    match decided {
        Some(decided) => {
            for (claimant, share) in decided {
                *shares.entry(state.resolve_claimant(claimant)).or_default() += share;
            }
        }
        None => {
            for author in authors {
                *shares.entry(state.resolve(&author.identity)).or_default() += author.share;
            }
        }
    }
    shares
}

/// Splits units by shares that sum to a whole: largest remainder, ties to the smaller key.
fn split(units: Units, shares: &BTreeMap<Claimant, u32>) -> Checked<Vec<ClaimantUnits>> {
    let weights: Vec<u128> = shares.values().map(|share| u128::from(*share)).collect();
    let parts = apportion(units.value(), &weights, u128::from(SHARE_WHOLE))?;
    let claimant_units =
        |(key, part): (&Claimant, u128)| ClaimantUnits { key: key.clone(), units: Units::sum_of(part) };
    Ok(shares.keys().zip(parts).map(claimant_units).collect())
}

/// What a claimant earned by activity: the sum of units, and the number of included events that name them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Earned {
    /// The sum of units.
    pub units: Units,
    /// How many events.
    pub events_count: u64,
}

impl Earned {
    fn plus(self, other: Self) -> Checked<Self> {
        let events_count = self.events_count.checked_add(other.events_count).ok_or_else(|| {
            Rejection::new(RejectionCode::ArithmeticOverflow, "events", "a count", "an overflow")
        })?;
        Ok(Self { units: self.units.plus(other.units)?, events_count })
    }
}

/// What all claimants earned. What single events give is kept until there is much of it, then sorted by a hash of the
/// claimant and summed up: that touches memory in order, where a map would jump to another place for each event.
#[derive(Clone, Debug, Default)]
pub struct Earnings {
    parts: Vec<EarnedPart>,
    /// How many parts the last summing up left.
    summed: usize,
}

/// A hash that brings equal claimants together, the claimant, and a part of what they earned.
type EarnedPart = (u64, Claimant, Earned);

/// Fewer parts than this are not summed up before the end.
const PARTS_MIN: usize = 1 << 16;

impl Earnings {
    /// Adds one event's units to what its claimants have earned.
    ///
    /// # Errors
    /// `arithmetic_overflow`, which the limits make impossible.
    pub fn add(&mut self, activity: &Activity) -> Checked<()> {
        for entry in &activity.claimants {
            self.push(entry.key.clone(), Earned { units: entry.units, events_count: 1 });
        }
        if self.parts.len() >= PARTS_MIN && self.parts.len() / 4 >= self.summed {
            self.sum_up()?;
        }
        Ok(())
    }

    /// The same, summed up: worth it in the thread that made it, before it joins others.
    ///
    /// # Errors
    /// As [`Earnings::add`].
    pub fn summed(mut self) -> Checked<Self> {
        self.sum_up()?;
        Ok(self)
    }

    /// Both together.
    #[must_use]
    pub fn join(mut self, other: Self) -> Self {
        self.parts.extend(other.parts);
        self
    }

    fn push(&mut self, claimant: Claimant, earned: Earned) {
        let mut hasher = DefaultHasher::new();
        claimant.hash(&mut hasher);
        self.parts.push((hasher.finish(), claimant, earned));
    }

    fn sum_up(&mut self) -> Checked<()> {
        self.parts.sort_unstable_by(|(a, left, _), (b, right, _)| a.cmp(b).then_with(|| left.cmp(right)));
        let mut sums: Vec<EarnedPart> = Vec::with_capacity(self.summed);
        for (hash, claimant, earned) in self.parts.drain(..) {
            match sums.last_mut() {
                Some((last, same, sum)) if *last == hash && *same == claimant => *sum = sum.plus(earned)?,
                _ => sums.push((hash, claimant, earned)),
            }
        }
        self.summed = sums.len();
        self.parts = sums;
        Ok(())
    }

    /// What each claimant earned, by claimant, with those of `others` who earned nothing.
    ///
    /// # Errors
    /// As [`Earnings::add`].
    pub fn into_sorted<'a>(
        mut self,
        others: impl Iterator<Item = &'a Claimant>,
    ) -> Checked<Vec<(Claimant, Earned)>> {
        others.for_each(|claimant| self.push(claimant.clone(), Earned::default()));
        self.sum_up()?;
        let mut sorted: Vec<_> = self.parts.into_iter().map(|(_, claimant, sum)| (claimant, sum)).collect();
        sorted.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Ok(sorted)
    }
}

impl FromIterator<(Claimant, Earned)> for Earnings {
    fn from_iter<T: IntoIterator<Item = (Claimant, Earned)>>(earned: T) -> Self {
        let mut earnings = Self::default();
        earned.into_iter().for_each(|(claimant, earned)| earnings.push(claimant, earned));
        earnings
    }
}
