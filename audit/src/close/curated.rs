//! What a statement needs of the events that were curated so far, and how one more is taken in.
//!
//! Of each event there is its leaf's hash and its units in somebody's sum. The leaf itself is written into a room that
//! the next one takes over: of a million events, most of the work is making and dropping what nobody keeps.

use std::num::NonZeroU8;

use super::order::Leaves;
use crate::activity::places::{Places, hash_of};
use crate::activity::{AuthorEntry, Earned, Earnings, EpochEntry, ExternalId, Weighed, is_paid};
use crate::amount::Units;
use crate::canonical;
use crate::decision::State;
use crate::hash::Hash;
use crate::ids::{Claimant, Provider};
use crate::policy::Policy;
use crate::rejection::{Checked, Rejection, RejectionCode};

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

/// Where an event's leaf is written, with its claimants.
#[derive(Clone, Debug, Default)]
struct Room {
    leaf: Vec<u8>,
    claims: Vec<(Claim, Units)>,
}

/// Who gets units of an event.
#[derive(Clone, Copy, Debug)]
enum Claim {
    /// The sole author, as the identity that it is.
    Author,
    /// The claimant of this row.
    Row(usize),
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

impl Room {
    /// The hash of the activity leaf, whose bytes are those of [`Activity`](crate::activity::Activity): a test compares
    /// them.
    fn leaf_hash(
        &mut self,
        entry: &EpochEntry<'_>,
        late: bool,
        weighed: &Weighed<'_>,
        earned: &Earnings,
    ) -> Checked<Hash> {
        let Self { leaf, claims } = self;
        leaf.clear();
        // The prefix of leaves (RFC 6962 section 2.1).
        leaf.extend_from_slice(b"\0{\"claimants\":[");
        for (number, (claim, units)) in claims.iter().enumerate() {
            leaf.extend_from_slice(if number == 0 { b"{\"key\":\"" } else { b",{\"key\":\"" });
            match claim {
                Claim::Author => {
                    weighed.sole_author(entry).into_iter().for_each(|author| push_author(leaf, author))
                }
                Claim::Row(place) => {
                    let text = earned.claimant_at(*place).map(ToString::to_string);
                    leaf.extend_from_slice(text.unwrap_or_default().as_bytes());
                }
            }
            push_number(leaf, "\",\"units\":\"", units.value());
            leaf.extend_from_slice(b"\"}");
        }
        leaf.extend_from_slice(b"],\"event\":");
        push_text(leaf, entry.id)?;
        leaf.extend_from_slice(b",\"event_hash\":\"");
        entry.event_hash.push_hex(leaf);
        push_flag(leaf, "\",\"included\":", weighed.included);
        push_number(leaf, ",\"index\":\"", entry.index);
        push_flag(leaf, "\",\"late\":", late);
        if let Some(reason) = weighed.reason {
            leaf.extend_from_slice(b",\"reason\":");
            push_text(leaf, reason.as_str())?;
        }
        push_number(leaf, ",\"units\":\"", weighed.units.value());
        push_number(leaf, "\",\"v\":\"meed/activity/v1\",\"weight\":\"", weighed.weight.value());
        leaf.extend_from_slice(b"\"}");
        Ok(Hash::of(leaf))
    }
}

/// The key of an author who earns unbound. Nothing in keys is to be escaped.
fn push_author(leaf: &mut Vec<u8>, author: &AuthorEntry<'_>) {
    for part in ["identity:", author.provider.as_str(), ":"] {
        leaf.extend_from_slice(part.as_bytes());
    }
    match author.external_id {
        ExternalId::Text(text) => leaf.extend_from_slice(text.as_bytes()),
        ExternalId::Hash(hash) => hash.push_hex(leaf),
    }
}

fn push_number(leaf: &mut Vec<u8>, before: &str, number: impl itoa::Integer) {
    leaf.extend_from_slice(before.as_bytes());
    leaf.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn push_flag(leaf: &mut Vec<u8>, before: &str, flag: bool) {
    leaf.extend_from_slice(before.as_bytes());
    leaf.extend_from_slice(if flag { b"true" } else { b"false" });
}

fn push_text(leaf: &mut Vec<u8>, text: &str) -> Checked<()> {
    canonical::append_text(leaf, text)
        .map_err(|_| Rejection::new(RejectionCode::Malformed, "leaf", "a text", "one that cannot be written"))
}

/// The authors that came so far, each with what it earned for its claimant: a row is one cache line, so that summing up
/// touches little memory, and sums go to the claimants' own rows in the end.
#[derive(Clone, Debug, Default)]
struct KnownAuthors {
    rows: Vec<KnownAuthor>,
    places: Places,
}

#[derive(Clone, Copy, Debug)]
struct KnownAuthor {
    key: AuthorKey,
    /// The place of the claimant's row.
    earner: u32,
    kind: EarnerKind,
    events_count: u64,
    units: Units,
}

const _: () = assert!(size_of::<KnownAuthor>() <= 64);

/// Who earns for an author.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EarnerKind {
    /// The policy pays nobody.
    Nobody,
    /// The identity itself.
    Author,
    /// The user to whom it is bound.
    User,
}

/// An account where its row stands, so that comparing it looks nowhere else: the provider, and the bytes of a hash or of
/// a text that is no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct AuthorKey {
    provider: Provider,
    /// Bytes of the text; none of a hash.
    length: Option<NonZeroU8>,
    id: [u8; KEY_BYTES],
}

/// Longest id of an account that is kept in a row: those of decimal digits are shorter.
const KEY_BYTES: usize = 32;

impl AuthorKey {
    fn of(author: &AuthorEntry<'_>) -> Option<Self> {
        let (length, id) = match author.external_id {
            ExternalId::Hash(hash) => (None, hash.to_bytes()),
            ExternalId::Text(text) => {
                let mut id = [0; KEY_BYTES];
                id.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
                (Some(NonZeroU8::new(u8::try_from(text.len()).ok()?)?), id)
            }
        };
        Some(Self { provider: author.provider, length, id })
    }
}

impl KnownAuthors {
    /// Adds an event's units to what an author earned, and says whose claim they are under this policy and at this
    /// state.
    fn pay(
        &mut self,
        author: &AuthorEntry<'_>,
        key: AuthorKey,
        units: Units,
        rules: (&Policy, &State),
        earned: &mut Earnings,
    ) -> Checked<Option<Claim>> {
        let hash = match author.external_id {
            ExternalId::Text(text) => hash_of(text),
            ExternalId::Hash(hash) => hash_of(&hash),
        };
        let is_wanted = |place| self.rows.get(place).is_some_and(|known: &KnownAuthor| known.key == key);
        let place = match self.places.find(hash, is_wanted) {
            Some(place) => place,
            None => {
                let known = KnownAuthor::new(author, key, rules, earned)?;
                self.places.insert(hash, self.rows.len());
                self.rows.push(known);
                self.rows.len() - 1
            }
        };
        match self.rows.get_mut(place) {
            Some(known) => known.pay(units),
            None => Ok(None),
        }
    }

    /// Adds everything to the rows of the claimants.
    fn pay_out(self, earned: &mut Earnings) -> Checked<()> {
        for KnownAuthor { earner, kind, events_count, units, .. } in self.rows {
            if kind != EarnerKind::Nobody {
                earned.add_at(row_place(earner), Earned { units, events_count })?;
            }
        }
        Ok(())
    }
}

fn row_place(earner: u32) -> usize {
    usize::try_from(earner).unwrap_or(usize::MAX)
}

impl KnownAuthor {
    fn new(
        author: &AuthorEntry<'_>,
        key: AuthorKey,
        (policy, state): (&Policy, &State),
        earned: &mut Earnings,
    ) -> Checked<Self> {
        let claimant = state.resolve(&author.identity()?);
        let kind = match claimant {
            _ if !is_paid(policy.unlinked, &claimant) => EarnerKind::Nobody,
            Claimant::Identity(_) => EarnerKind::Author,
            Claimant::User(_) => EarnerKind::User,
        };
        let place = if kind == EarnerKind::Nobody { 0 } else { earned.place_of(&claimant) };
        let earner = u32::try_from(place).map_err(|_| {
            let expected = format!("at most {} claimants", u32::MAX);
            Rejection::new(RejectionCode::TooMany, "claimants", expected, place)
        })?;
        Ok(Self { key, earner, kind, events_count: 0, units: Units::ZERO })
    }

    fn pay(&mut self, units: Units) -> Checked<Option<Claim>> {
        let sum = Earned { units: self.units, events_count: self.events_count };
        Earned { units: self.units, events_count: self.events_count } = sum.plus(Earned::of_event(units))?;
        Ok(match self.kind {
            EarnerKind::Nobody => None,
            EarnerKind::Author => Some(Claim::Author),
            EarnerKind::User => Some(Claim::Row(row_place(self.earner))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::curate;
    use crate::amount::SHARE_WHOLE;
    use crate::decision::{Curation, StateParts};
    use crate::ids::{Identity, ScopeId, UserId};
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
