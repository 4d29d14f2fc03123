//! What a statement needs of the events that were curated so far, and how one more is taken in.
//!
//! Of each event there is its leaf's hash and its units in somebody's sum. The leaf itself is written into a room that
//! the next one takes over: of a million events, most of the work is making and dropping what nobody keeps.

use super::known_authors::{AuthorKey, KnownAuthors};
use super::order::Leaves;
use super::room::{Claim, Room};
use crate::activity::{Earned, Earnings, EpochEntry, Weighed, is_paid};
use crate::decision::State;
use crate::policy::Policy;
use crate::rejection::Checked;

/// What the statement needs of the events that were curated so far.
#[derive(Clone, Debug, Default)]
pub struct Curated {
    leaves: Leaves,
    /// The leaves of those that joined.
    others: Vec<Leaves>,
    earned: Earnings,
    authors: KnownAuthors,
    curated_count: usize,
    room: Room,
}

/// What is left of it in the end.
pub(super) struct CuratedParts {
    pub(super) leaves: Vec<Leaves>,
    pub(super) earned: Earnings,
    pub(super) curated_count: usize,
}

impl Curated {
    /// The same with its earnings in order: worth it in the thread that made it, before it joins others.
    ///
    /// # Errors
    /// `arithmetic_overflow`, which the limits make impossible.
    pub fn sorted(self) -> Checked<Self> {
        let settled = self.settled()?;
        Ok(Self { earned: settled.earned.sorted(), ..settled })
    }

    /// Both together.
    ///
    /// # Errors
    /// As [`Curated::sorted`].
    pub fn join(self, other: Self) -> Checked<Self> {
        let (mut own, other) = (self.settled()?, other.settled()?);
        own.others.push(other.leaves);
        own.others.extend(other.others);
        own.curated_count = own.curated_count.saturating_add(other.curated_count);
        own.earned = own.earned.join(other.earned);
        Ok(own)
    }

    /// The same with all sums in its earnings.
    fn settled(mut self) -> Checked<Self> {
        std::mem::take(&mut self.authors).pay_out(&mut self.earned)?;
        Ok(self)
    }

    pub(super) fn into_parts(self) -> Checked<CuratedParts> {
        let Self { leaves, others, earned, curated_count, .. } = self.settled()?;
        Ok(CuratedParts { leaves: std::iter::once(leaves).chain(others).collect(), earned, curated_count })
    }

    /// Counts an event on which people decided.
    pub(super) fn count_decided(&mut self) {
        self.curated_count = self.curated_count.saturating_add(1);
    }

    /// Takes a weighed event in.
    pub(super) fn take(
        &mut self,
        entry: &EpochEntry<'_>,
        late: bool,
        weighed: &Weighed<'_>,
        (policy, state): (&Policy, &State),
    ) -> Checked<()> {
        let Self { earned, authors, room, leaves, .. } = self;
        room.claims.clear();
        let sole = weighed.sole_author(entry).filter(|_| weighed.included);
        if let Some((author, key)) = sole.and_then(|author| Some((author, AuthorKey::of(author)?))) {
            let claim = authors.pay(author, key, weighed.units, (policy, state), earned)?;
            room.claims.extend(claim.map(|claim| (claim, weighed.units)));
        } else if weighed.included {
            for claim in weighed.claimants(entry, state)? {
                if is_paid(policy.unlinked, &claim.key) {
                    let place = earned.place_of(&claim.key);
                    earned.add_at(place, Earned::of_event(claim.units))?;
                    room.claims.push((Claim::Row(place), claim.units));
                }
            }
        }
        leaves.push(entry.id, room.leaf_hash(entry, late, weighed, earned)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::{AuthorEntry, ExternalId, curate};
    use crate::amount::{SHARE_WHOLE, Units};
    use crate::decision::{Curation, StateParts};
    use crate::hash::Hash;
    use crate::ids::{Identity, Provider, ScopeId, UserId};
    use crate::leaf::Leaf as _;
    use crate::policy::{Unit, Unlinked, Weights};
    use crate::time::Timestamp;
    use crate::window::WindowDays;
    use proptest::prelude::*;

    fn policy(unlinked: Unlinked) -> Policy {
        let (scope, weights) = (ScopeId::from_bytes([1; 16]), Weights::defaults().unwrap());
        Policy { scope, unit: Unit::default(), unlinked, window_days: WindowDays::WEEK, weights }
    }

    /// The identities 1 to 3 are bound, the first two to one user.
    fn state() -> State {
        let bind = |id: u8| {
            let identity = Identity::new(Provider::Github, &id.to_string()).unwrap();
            (identity, UserId::from_random([id.max(2); 16]))
        };
        StateParts { bindings: (1..=3).map(bind).collect(), ..StateParts::default() }.into()
    }

    /// Accounts by number: from 4 on git's, once as a hash and once as its text; from 8 on wallets.
    fn account(number: u8) -> (Provider, String) {
        match number {
            ..=3 => (Provider::Github, number.to_string()),
            // Too long for a row of its own.
            8.. => (Provider::Wallet, format!("0x{number:040x}")),
            _ => (Provider::Git, Hash::of(&[number / 2]).to_hex()),
        }
    }

    fn author(number: u8, (provider, text): &(Provider, String), share: u32) -> AuthorEntry<'_> {
        let external_id = match Hash::from_hex(text) {
            Ok(hash) if number.is_multiple_of(2) => ExternalId::Hash(hash),
            _ => ExternalId::Text(text),
        };
        AuthorEntry { provider: *provider, external_id, share }
    }

    fn curation() -> impl Strategy<Value = Option<Curation>> {
        let shares = prop::option::of((1..SHARE_WHOLE).prop_map(|share| {
            let claimant = |id: u8| format!("identity:github:{id}").parse().unwrap();
            [(claimant(1), share), (claimant(9), SHARE_WHOLE - share)].into()
        }));
        let weight = prop::option::of((0..1_u128 << 90).prop_map(|units| Units::single(units).unwrap()));
        let reason = prop::option::of("[a-z\"\\\\é]{1,9}".prop_map(|text| text.parse().unwrap()));
        let parts = (any::<bool>(), weight, shares, reason);
        prop::option::of(parts.prop_map(|(excluded, weight, shares, reason)| Curation {
            excluded,
            weight,
            shares,
            reason,
        }))
    }

    proptest! {
        #[test]
        fn leaves_and_sums_are_those_of_the_activity_documents(
            events in prop::collection::vec((
                "[!-~]{1,20}", prop::collection::btree_set(1..10_u8, 1..4), curation(), any::<bool>(), any::<u64>(),
            ), 1..8),
            excludes: bool,
        ) {
            let unlinked = if excludes { Unlinked::Exclude } else { Unlinked::Claim };
            let (policy, state) = (policy(unlinked), state());
            let (mut curated, mut earned, mut hashes) = (Curated::default(), Earnings::default(), Vec::new());
            for (id, people, curation, late, index) in &events {
                let accounts: Vec<_> = people.iter().map(|number| account(*number)).collect();
                let shares = crate::event::equal_shares(people.len());
                let authors = people.iter().zip(&accounts).zip(shares);
                let entry = EpochEntry {
                    authors: authors.map(|((number, account), share)| author(*number, account, share)).collect(),
                    event_hash: Hash::of(id.as_bytes()),
                    event_time: Timestamp::FIRST,
                    event_type: "pr_merged",
                    id,
                    index: *index,
                    routed: false,
                    scopes: &[],
                    source: "github",
                };
                let activity = curate(&entry, *late, &policy, curation.as_ref(), &state).unwrap();
                let weighed = Weighed::new(&entry, &policy, curation.as_ref());
                curated.take(&entry, *late, &weighed, (&policy, &state)).unwrap();
                earned.add(&activity).unwrap();
                hashes.push(activity.leaf_hash());
            }
            let parts = curated.sorted().unwrap().into_parts().unwrap();
            prop_assert_eq!(parts.leaves[0].hashes().collect::<Vec<_>>(), hashes);
            let sums = |earned: Earnings| earned.into_sorted(std::iter::empty()).unwrap();
            prop_assert_eq!(sums(parts.earned), sums(earned));
        }
    }
}
