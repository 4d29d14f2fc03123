//! `weight-sum-v1`: what each event of an epoch gives to whom.

mod earnings;
pub(crate) mod places;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::amount::{SHARE_WHOLE, Units};
use crate::apportion::apportion;
use crate::decision::{Curation, State};
use crate::event::{Author, Event};
use crate::hash::{Hash, leaf_hash};
use crate::ids::{Claimant, EventId, Identity, Provider, ScopeId};
use crate::leaf::{EVENT_LEAF_BYTES_MAX, Leaf, count, version_tag};
use crate::policy::{Policy, Unlinked};
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::text::FreeText;
use crate::time::Timestamp;

pub use earnings::{Earned, Earnings};

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
            authors: authors.iter().map(AuthorEntry::of).collect(),
            event_hash: self.event_hash,
            event_time: *event_time,
            event_type: event_type.as_str(),
            id: id.as_str(),
            index: self.index,
            routed: self.routed,
            scopes,
            source: source.as_str(),
        }
    }
}

/// What an epoch takes of an event: no more than decides money, so that a ledger need not read the rest.
#[derive(Clone, Debug)]
pub struct EpochEntry<'a> {
    /// The event's authors, sorted by provider and id; the shares sum to 1,000,000.
    pub authors: Cow<'a, [AuthorEntry<'a>]>,
    /// As in [`EpochEvent`].
    pub event_hash: Hash,
    /// When it happened.
    pub event_time: Timestamp,
    /// What happened.
    pub event_type: &'a str,
    /// Its permanent id, as [`EventId::check`] demands.
    pub id: &'a str,
    /// As in [`EpochEvent`].
    pub index: u64,
    /// As in [`EpochEvent`].
    pub routed: bool,
    /// The scopes that its leaf names, sorted.
    pub scopes: &'a [ScopeId],
    /// The kind of place it comes from.
    pub source: &'a str,
}

/// An author as an epoch takes one: an [`Author`] whose texts stand elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct AuthorEntry<'a> {
    /// Where the account is.
    pub provider: Provider,
    /// The account's id there, of which [`Identity::new`] is asked.
    pub external_id: ExternalId<'a>,
    /// Parts per million.
    pub share: u32,
}

/// An account's id, as it stands somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExternalId<'a> {
    /// As a text.
    Text(&'a str),
    /// As the bytes of its 64 hexadecimal digits.
    Hash(Hash),
}

impl<'a> AuthorEntry<'a> {
    fn of(author: &'a Author) -> Self {
        let Author { identity, share } = author;
        let external_id = ExternalId::Text(identity.external_id());
        Self { provider: identity.provider(), external_id, share: *share }
    }

    /// The account.
    ///
    /// # Errors
    /// `invalid_claimant` for an id in another form than its provider's.
    pub fn identity(&self) -> Checked<Identity> {
        match self.external_id {
            ExternalId::Text(text) => Identity::new(self.provider, text),
            ExternalId::Hash(hash) => Identity::new(self.provider, &hash.to_hex()),
        }
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

/// What an event weighs in an epoch, before its units are shared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weighed<'a> {
    /// Whether it counts.
    pub(crate) included: bool,
    /// The reason of the last decision on it.
    pub(crate) reason: Option<&'a FreeText>,
    /// A person's shares in place of the authors'.
    pub(crate) shares: Option<&'a BTreeMap<Claimant, u32>>,
    /// What it gives: its weight, or 0 when it is excluded.
    pub(crate) units: Units,
    /// The weight of its type in the policy, or the one that a person set.
    pub(crate) weight: Units,
}

impl<'a> Weighed<'a> {
    /// Weighs an event by the policy and what was decided of it.
    pub(crate) fn new(entry: &EpochEntry<'_>, policy: &Policy, curation: Option<&'a Curation>) -> Self {
        let set_by_person = curation.and_then(|curation| curation.weight);
        let weight = set_by_person.unwrap_or_else(|| policy.weights.units_of(entry.source, entry.event_type));
        let included = !curation.is_some_and(|curation| curation.excluded);
        Self {
            included,
            reason: curation.and_then(|curation| curation.reason.as_ref()),
            shares: curation.and_then(|curation| curation.shares.as_ref()),
            units: if included { weight } else { Units::ZERO },
            weight,
        }
    }

    /// The author who alone gets all units, as nearly always.
    pub(crate) fn sole_author<'e>(&self, entry: &'e EpochEntry<'_>) -> Option<&'e AuthorEntry<'e>> {
        match (self.shares, entry.authors.as_ref()) {
            (None, [author]) => Some(author),
            _ => None,
        }
    }

    /// Who gets how much of an included event's units, sorted by claimant.
    pub(crate) fn claimants(&self, entry: &EpochEntry<'_>, state: &State) -> Checked<Vec<ClaimantUnits>> {
        match self.sole_author(entry) {
            Some(author) => {
                Ok(vec![ClaimantUnits { key: state.resolve(&author.identity()?), units: self.units }])
            }
            None => split(self.units, &resolved_shares(&entry.authors, self.shares, state)?),
        }
    }
}

/// Whether a claimant's units count under the policy.
pub(crate) fn is_paid(unlinked: Unlinked, claimant: &Claimant) -> bool {
    unlinked == Unlinked::Claim || matches!(claimant, Claimant::User(_))
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
    let weighed = Weighed::new(entry, policy, curation);
    let mut claimants = if weighed.included { weighed.claimants(entry, state)? } else { Vec::new() };
    claimants.retain(|entry| is_paid(policy.unlinked, &entry.key));
    Ok(Activity {
        claimants,
        event: entry.id.parse()?,
        event_hash: entry.event_hash,
        included: weighed.included,
        index: entry.index,
        late,
        reason: weighed.reason.cloned(),
        units: weighed.units,
        v: ActivityV1,
        weight: weighed.weight,
    })
}

/// The shares of an event by claimant: a person's, else the authors', with the shares of equal claimants added.
fn resolved_shares(
    authors: &[AuthorEntry<'_>],
    decided: Option<&BTreeMap<Claimant, u32>>,
    state: &State,
) -> Checked<BTreeMap<Claimant, u32>> {
    let mut shares = BTreeMap::new();
    match decided {
        Some(decided) => {
            for (claimant, share) in decided {
                *shares.entry(state.resolve_claimant(claimant)).or_default() += share;
            }
        }
        None => {
            for author in authors {
                *shares.entry(state.resolve(&author.identity()?)).or_default() += author.share;
            }
        }
    }
    Ok(shares)
}

/// Splits units by shares that sum to a whole: largest remainder, ties to the smaller key.
fn split(units: Units, shares: &BTreeMap<Claimant, u32>) -> Checked<Vec<ClaimantUnits>> {
    let weights: Vec<u128> = shares.values().map(|share| u128::from(*share)).collect();
    let parts = apportion(units.value(), &weights, u128::from(SHARE_WHOLE))?;
    let claimant_units =
        |(key, part): (&Claimant, u128)| ClaimantUnits { key: key.clone(), units: Units::sum_of(part) };
    Ok(shares.keys().zip(parts).map(claimant_units).collect())
}
