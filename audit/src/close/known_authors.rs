//! The authors that came so far, and what each has earned: most events have one who came before.

use std::num::NonZeroU8;

use super::room::Claim;
use crate::activity::places::{Places, hash_of};
use crate::activity::{AuthorEntry, Earned, Earnings, ExternalId, is_paid};
use crate::amount::Units;
use crate::decision::State;
use crate::ids::{Claimant, Provider};
use crate::policy::Policy;
use crate::rejection::{Checked, Rejection, RejectionCode};

/// The authors that came so far, each with what it earned for its claimant: a row is one cache line, so that summing up
/// touches little memory, and sums go to the claimants' own rows in the end.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownAuthors {
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
pub(super) struct AuthorKey {
    provider: Provider,
    /// Bytes of the text; none of a hash.
    length: Option<NonZeroU8>,
    id: [u8; KEY_BYTES],
}

/// Longest id of an account that is kept in a row: those of decimal digits are shorter.
const KEY_BYTES: usize = 32;

impl AuthorKey {
    pub(super) fn of(author: &AuthorEntry<'_>) -> Option<Self> {
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
    pub(super) fn pay(
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
    pub(super) fn pay_out(self, earned: &mut Earnings) -> Checked<()> {
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
