//! Allocations: what each claimant gets of an epoch's pool, the leaves that a contributor's proof holds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::activity::Earnings;
use crate::amount::{Credits, EPOCH_ITEMS_MAX, Units};
use crate::apportion::apportion;
use crate::decision::Override;
use crate::hash::Hash;
use crate::ids::{Claimant, EpochNumber, Revision, ScopeId};
use crate::leaf::{count, version_tag};
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::text::FreeText;

/// What one claimant gets; its canonical bytes are the leaf `meed/allocation/v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allocation {
    /// The claimant.
    pub claimant: Claimant,
    /// What is paid, in the smallest unit.
    pub credits: Credits,
    /// The epoch.
    pub epoch: EpochNumber,
    /// How many events it comes from.
    #[serde(with = "count")]
    pub events: u64,
    /// The units that count: proposed, or set by a person.
    pub final_units: Units,
    /// Why a person set them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub override_reason: Option<FreeText>,
    /// The units that the policy gives.
    pub proposed_units: Units,
    /// The revision of the epoch's statement.
    pub revision: Revision,
    /// The scope.
    pub scope: ScopeId,
    /// `meed/allocation/v1`.
    pub v: AllocationV1,
}

version_tag! {
    /// The format of allocation leaves.
    AllocationV1, Allocation, "meed/allocation/v1"
}

/// Divides `pool` by final units: every claimant of `earnings` and `overrides`, in order of their keys.
///
/// # Errors
/// `too_many` claimants.
pub fn allocate(
    scope: ScopeId,
    epoch: EpochNumber,
    revision: Revision,
    pool: Credits,
    earnings: Earnings,
    overrides: &BTreeMap<Claimant, Override>,
) -> Checked<Vec<Allocation>> {
    let earned = earnings.into_sorted(overrides.keys())?;
    check_item_count("claimants", earned.len())?;
    let final_units: Vec<u128> = earned
        .iter()
        .map(|(claimant, sum)| overrides.get(claimant).map_or(sum.units, |set| set.units).value())
        .collect();
    let total =
        final_units.iter().try_fold(0_u128, |sum, units| sum.checked_add(*units)).ok_or_else(|| {
            Rejection::new(
                RejectionCode::ArithmeticOverflow,
                "final units",
                "a sum within 128 bits",
                "an overflow",
            )
        })?;
    let payouts = apportion(pool.value(), &final_units, total)?;
    let rows = earned.into_iter().zip(final_units).zip(payouts);
    Ok(rows
        .map(|(((claimant, sum), units), credits)| Allocation {
            credits: Credits::sum_of(credits),
            epoch,
            events: sum.events_count,
            final_units: Units::sum_of(units),
            override_reason: overrides.get(&claimant).map(|set| set.reason.clone()),
            proposed_units: sum.units,
            revision,
            scope,
            v: AllocationV1,
            claimant,
        })
        .collect())
}

/// Refuses more events or claimants than the arithmetic allows in one epoch.
///
/// # Errors
/// `too_many`.
pub fn check_item_count(what: &str, items: usize) -> Checked<()> {
    if u64::try_from(items).is_ok_and(|items| items <= EPOCH_ITEMS_MAX) {
        return Ok(());
    }
    Err(Rejection::new(RejectionCode::TooMany, what, format!("at most {EPOCH_ITEMS_MAX} an epoch"), items))
}

/// The earlier system's hash of an allocation set: SHA-256 of `<key>:<final units>` lines sorted by key and joined by
/// `\n`, where a user's key is the bare UUID. Kept so that its statements can be re-checked; the root is what counts.
pub fn allocation_set_hash<'a>(entries: impl IntoIterator<Item = (&'a Claimant, Units)>) -> Hash {
    let mut sorted: Vec<(&Claimant, Units)> = entries.into_iter().collect();
    // Bare UUIDs sort before all identities, each kind in its own order; they mostly come in that order.
    sorted.sort_by_key(|(claimant, _)| (matches!(claimant, Claimant::Identity(_)), *claimant));
    let mut lines = String::new();
    for (claimant, units) in sorted {
        if !lines.is_empty() {
            lines.push('\n');
        }
        lines.push_str(&claimant.allocation_set_key());
        lines.push(':');
        lines.push_str(itoa::Buffer::new().format(units.value()));
    }
    Hash::of(lines.as_bytes())
}
