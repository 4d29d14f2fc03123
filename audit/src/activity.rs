//! `weight-sum-v1`: what each event of an epoch gives to whom.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::amount::{SHARE_WHOLE, Units};
use crate::apportion::apportion;
use crate::decision::{Curation, State};
use crate::event::Event;
use crate::hash::{Hash, leaf_hash};
use crate::ids::{Claimant, EventId};
use crate::leaf::{EVENT_LEAF_BYTES_MAX, Leaf, count, version_tag};
use crate::policy::{Policy, Unlinked};
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::text::FreeText;

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
    entry: &EpochEvent,
    late: bool,
    policy: &Policy,
    curation: Option<&Curation>,
    state: &State,
) -> Checked<Activity> {
    let set_by_person = curation.and_then(|curation| curation.weight);
    let weight = set_by_person.unwrap_or_else(|| policy.weights.units_of(&entry.event.weight_key()));
    let included = !curation.is_some_and(|curation| curation.excluded);
    let units = if included { weight } else { Units::ZERO };
    let claimants = if included {
        let mut claimants = split(units, &resolved_shares(&entry.event, curation, state))?;
        claimants
            .retain(|entry| policy.unlinked == Unlinked::Claim || matches!(entry.key, Claimant::User(_)));
        claimants
    } else {
        Vec::new()
    };
    Ok(Activity {
        claimants,
        event: entry.event.id.clone(),
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

/// The shares of an event by claimant: a person's, else the authors', with the shares of equal claimants added.
fn resolved_shares(event: &Event, curation: Option<&Curation>, state: &State) -> BTreeMap<Claimant, u32> {
    let mut shares = BTreeMap::new();
    match curation.and_then(|curation| curation.shares.as_ref()) {
        Some(decided) => {
            for (claimant, share) in decided {
                *shares.entry(state.resolve_claimant(claimant)).or_default() += share;
            }
        }
        None => {
            for author in &event.authors {
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

/// What all claimants earned, in no order while it grows: an ordered map would compare keys for each event.
#[derive(Clone, Debug, Default)]
pub struct Earnings {
    by_claimant: HashMap<Claimant, Earned>,
}

impl Earnings {
    /// Adds one event's units to what its claimants have earned.
    ///
    /// # Errors
    /// `arithmetic_overflow`, which the limits make impossible.
    pub fn add(&mut self, activity: &Activity) -> Checked<()> {
        for entry in &activity.claimants {
            self.add_earned(&entry.key, Earned { units: entry.units, events_count: 1 })?;
        }
        Ok(())
    }

    /// Both together.
    ///
    /// # Errors
    /// As [`Earnings::add`].
    pub fn join(mut self, other: Self) -> Checked<Self> {
        for (claimant, earned) in other.by_claimant {
            self.add_earned(&claimant, earned)?;
        }
        Ok(self)
    }

    fn add_earned(&mut self, claimant: &Claimant, earned: Earned) -> Checked<()> {
        let sum = match self.by_claimant.get_mut(claimant) {
            Some(sum) => sum,
            None => self.by_claimant.entry(claimant.clone()).or_default(),
        };
        sum.units = sum.units.plus(earned.units)?;
        sum.events_count = sum.events_count.checked_add(earned.events_count).ok_or_else(|| {
            Rejection::new(RejectionCode::ArithmeticOverflow, "events", "a count", "an overflow")
        })?;
        Ok(())
    }

    /// What each claimant earned, by claimant, with those of `others` who earned nothing.
    pub fn into_sorted<'a>(self, others: impl Iterator<Item = &'a Claimant>) -> Vec<(Claimant, Earned)> {
        let mut by_claimant = self.by_claimant;
        for claimant in others {
            by_claimant.entry(claimant.clone()).or_default();
        }
        let mut sorted: Vec<_> = by_claimant.into_iter().collect();
        sorted.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        sorted
    }
}

impl FromIterator<(Claimant, Earned)> for Earnings {
    fn from_iter<T: IntoIterator<Item = (Claimant, Earned)>>(earned: T) -> Self {
        Self { by_claimant: earned.into_iter().collect() }
    }
}
