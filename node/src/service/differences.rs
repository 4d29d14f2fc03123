//! Who gets otherwise by one set of amounts of an epoch than by another: by a draft than by the decisions of now, by a
//! final statement than by the one that it replaces.

use std::cmp::{Ordering, Reverse};
use std::sync::Arc;
use std::vec::IntoIter;

use meed_audit::allocation::Allocation;
use meed_audit::ids::{Claimant, Revision};
use meed_storage::Which;

use super::kept::{AmountsKey, ProposalKey, Proposed};
use super::views::{Amounts, Sight};
use super::{Place, Service};
use crate::failure::Failure;

/// How many of the largest differences are found.
const DIFFERENCES_COUNT: usize = 100;
/// Allocations that are read at once.
const READ_COUNT: usize = 10_000;

/// Who gets otherwise, the largest differences first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Differences {
    /// At most 100 of them.
    pub(crate) items: Vec<Difference>,
    /// How many there are in all.
    pub(crate) count: u64,
}

/// A claimant who gets otherwise. Who is missing in one of the two is not named there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// What they get by the first amounts.
    pub(crate) before: Option<Allocation>,
    /// What they get by the second.
    pub(crate) after: Option<Allocation>,
}

impl Difference {
    /// Whom it is about.
    pub(crate) fn claimant(&self) -> Option<&Claimant> {
        self.after.as_ref().or(self.before.as_ref()).map(|allocation| &allocation.claimant)
    }

    /// Credits by the first amounts and by the second.
    pub(crate) fn credits(&self) -> (u128, u128) {
        let credits = |side: &Option<Allocation>| side.as_ref().map_or(0, |it| it.credits.value());
        (credits(&self.before), credits(&self.after))
    }

    /// Milli-units by the first amounts and by the second.
    pub(crate) fn units(&self) -> (u128, u128) {
        let units = |side: &Option<Allocation>| side.as_ref().map_or(0, |it| it.final_units.value());
        (units(&self.before), units(&self.after))
    }

    fn is_one(&self) -> bool {
        let is_equal = |(before, after): (u128, u128)| before == after;
        self.before.is_some() != self.after.is_some() || !is_equal(self.credits()) || !is_equal(self.units())
    }

    /// By how much, in credits and then in units.
    fn size(&self) -> (u128, u128) {
        let between = |(before, after): (u128, u128)| before.abs_diff(after);
        (between(self.credits()), between(self.units()))
    }
}

impl Service {
    /// Who gets otherwise by the second revision's amounts than by the first one's. Where one is not named, the amounts of
    /// now are meant, or those in force where nothing is under way.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `statement_not_found`.
    pub(crate) fn differences(
        &self,
        key: &str,
        epoch: u64,
        (before, after): (Option<u64>, Option<u64>),
    ) -> Result<Arc<Differences>, Failure> {
        let sight = self.sight(key, epoch)?;
        let side = |amounts| Side::new(self, (key, epoch), amounts);
        let (before, after) = (side(sight.amounts(before)?)?, side(sight.amounts(after)?)?);
        let Place { scope, epoch } = sight.place;
        // Both sides are held already, so that what is compared is what the key says.
        let look = || Ok(((scope, epoch, before.key(), after.key()), ()));
        let (_, found) = self.kept.differences.get(look, |_, ()| {
            compare(before.rows(&sight), after.rows(&sight)).map(|differences| (differences, 1))
        })?;
        Ok(found)
    }
}

/// One of the two sets of amounts.
enum Side {
    Final(Revision),
    Proposed(ProposalKey, Arc<Proposed>),
}

impl Side {
    fn new(service: &Service, (key, epoch): (&str, u64), amounts: Amounts) -> Result<Self, Failure> {
        Ok(match amounts {
            Amounts::Final(revision) => Self::Final(revision),
            other => {
                let (key, proposed) = service.proposed_with_key(key, epoch, other.draft())?;
                Self::Proposed(key, proposed)
            }
        })
    }

    fn key(&self) -> AmountsKey {
        match self {
            Self::Final(revision) => AmountsKey::Final(*revision),
            Self::Proposed(key, _) => AmountsKey::Proposed(key.clone()),
        }
    }

    fn rows<'a>(&self, sight: &'a Sight) -> Rows<'a> {
        match self {
            Self::Final(revision) => {
                Rows::Stored { sight, revision: *revision, part: Vec::new().into_iter(), last: None }
            }
            Self::Proposed(_, proposed) => Rows::Held { proposed: Arc::clone(proposed), place: 0 },
        }
    }
}

/// Allocations by claimant, from wherever they are.
enum Rows<'a> {
    Held { proposed: Arc<Proposed>, place: usize },
    Stored { sight: &'a Sight, revision: Revision, part: IntoIter<Allocation>, last: Option<Claimant> },
}

impl Rows<'_> {
    fn next(&mut self) -> Result<Option<Allocation>, Failure> {
        match self {
            Self::Held { proposed, place } => {
                let found = proposed.proposal.allocations.get(*place).cloned();
                *place = place.saturating_add(1);
                Ok(found)
            }
            Self::Stored { sight, revision, part, last } => {
                if part.len() == 0 {
                    let Place { scope, epoch } = sight.place;
                    let which = Which::Revision(*revision);
                    let more = sight.snapshot.allocations(scope, epoch, which, last.as_ref(), READ_COUNT)?;
                    *part = more.into_iter();
                }
                let found = part.next();
                if let Some(found) = &found {
                    *last = Some(found.claimant.clone());
                }
                Ok(found)
            }
        }
    }
}

fn compare(mut before: Rows<'_>, mut after: Rows<'_>) -> Result<Differences, Failure> {
    let mut found = Differences::default();
    let (mut one, mut other) = (before.next()?, after.next()?);
    loop {
        let order = match (&one, &other) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(one), Some(other)) => one.claimant.cmp(&other.claimant),
        };
        let mut difference = Difference { before: None, after: None };
        if order != Ordering::Greater {
            difference.before = std::mem::replace(&mut one, before.next()?);
        }
        if order != Ordering::Less {
            difference.after = std::mem::replace(&mut other, after.next()?);
        }
        found.take(difference);
    }
    found.keep_largest();
    Ok(found)
}

impl Differences {
    fn take(&mut self, difference: Difference) {
        if !difference.is_one() {
            return;
        }
        self.count = self.count.saturating_add(1);
        self.items.push(difference);
        if self.items.len() >= 2 * DIFFERENCES_COUNT {
            self.keep_largest();
        }
    }

    fn keep_largest(&mut self) {
        // They came by claimant, and those of one size stay so.
        self.items.sort_by_key(|difference| Reverse(difference.size()));
        self.items.truncate(DIFFERENCES_COUNT);
    }
}

#[cfg(test)]
mod tests {
    use meed_audit::allocation::AllocationV1;
    use meed_audit::amount::{Credits, Units};
    use meed_audit::ids::EpochNumber;
    use meed_storage::Proposal;

    use super::super::testing;
    use super::*;
    use crate::api::documents::{AllocationRequest, FreezeRequest};

    /// Allocations of GitHub accounts, each with its credits.
    fn rows(paid: &[(u32, u128)]) -> Rows<'static> {
        let allocation = |(account, credits): &(u32, u128)| Allocation {
            claimant: format!("identity:github:{account}").parse().expect("a claimant"),
            credits: Credits::single(*credits).expect("credits"),
            epoch: EpochNumber::FIRST,
            events: 1,
            final_units: Units::single(1_000).expect("units"),
            override_reason: None,
            proposed_units: Units::single(1_000).expect("units"),
            revision: Revision::new(0).expect("a revision"),
            scope: "a28a8b1e-1f9d-5cd5-9329-569e4819feda".parse().expect("a scope"),
            v: AllocationV1,
        };
        let mut allocations: Vec<Allocation> = paid.iter().map(allocation).collect();
        allocations.sort_by(|one, other| one.claimant.cmp(&other.claimant));
        let proposal = Proposal {
            allocations,
            pool_total: Credits::single(0).expect("credits"),
            undistributed: Credits::single(0).expect("credits"),
        };
        Rows::Held { proposed: Arc::new(Proposed { proposal, largest: Vec::new() }), place: 0 }
    }

    /// Who gets otherwise, with what by both.
    type Found = Vec<(String, (u128, u128))>;

    fn found(before: &[(u32, u128)], after: &[(u32, u128)]) -> (u64, Found) {
        let differences = compare(rows(before), rows(after)).expect("compared");
        let item = |one: &Difference| (one.claimant().expect("a claimant").to_string(), one.credits());
        (differences.count, differences.items.iter().map(item).collect())
    }

    #[test]
    fn everybody_who_gets_otherwise_is_found_and_nobody_else() {
        let name = |account: u32| format!("identity:github:{account}");
        assert_eq!(found(&[], &[]), (0, vec![]));
        assert_eq!(found(&[(1, 5), (2, 6)], &[(1, 5), (2, 6)]), (0, vec![]));
        let (count, items) = found(&[(1, 5), (2, 6), (4, 0)], &[(1, 5), (2, 9), (3, 1)]);
        assert_eq!(count, 3);
        // Who is named with nothing differs from who is not named at all, and comes last.
        assert_eq!(items, [(name(2), (6, 9)), (name(3), (0, 1)), (name(4), (0, 0))]);
    }

    #[test]
    fn the_largest_differences_are_kept_whatever_their_number() {
        let before: Vec<(u32, u128)> = (1..=450).map(|account| (account, 0)).collect();
        let after: Vec<(u32, u128)> = (1..=450).map(|account| (account, u128::from(account))).collect();
        let (count, items) = found(&before, &after);
        assert_eq!((count, items.len()), (450, DIFFERENCES_COUNT));
        assert_eq!(items.first().map(|(_, credits)| credits.1), Some(450));
        assert_eq!(items.last().map(|(_, credits)| credits.1), Some(351));
    }

    /// What a freeze would give now and what the draft gives are never answered for each other, in whatever order they
    /// are asked for, and who gets otherwise is found once for each state.
    #[test]
    fn the_amounts_of_now_and_of_the_draft_are_kept_apart() {
        let (_folder, service, _clock) = testing::in_review();
        let units = |draft: Option<Revision>| -> Vec<u128> {
            let proposed = service.proposed("default", 1, draft).expect("a proposal");
            proposed.proposal.allocations.iter().map(|row| row.final_units.value()).collect()
        };
        let first = Some(Revision::FIRST);
        let freeze = || service.freeze("default", 1, &FreezeRequest::default(), &testing::actor());
        assert_eq!(freeze().expect("a draft").revision, 0);
        // The decisions, the events and the pool of both are the same; what they are asked for is not.
        assert_eq!((units(None), units(first)), (vec![1_000, 1_000], vec![1_000, 1_000]));
        let revisions = |draft| {
            let proposed = service.proposed("default", 1, draft).expect("a proposal");
            proposed.proposal.allocations[0].revision.get()
        };
        assert_eq!((revisions(None), revisions(first)), (1, 0));
        let compared = || service.differences("default", 1, (Some(0), None)).expect("compared");
        assert_eq!(compared().count, 0);
        for (set, found) in [(5_000, 2), (7_000, 2), (1_000, 0)] {
            let request = AllocationRequest {
                claimant: "identity:github:2".to_owned(),
                units: Some(set.to_string()),
                withdraw: false,
                reason: format!("as agreed: {set}"),
            };
            service.allocate("default", 1, &request, &testing::actor()).expect("decided");
            for _ in 0..2 {
                assert_eq!(units(first), [1_000, 1_000]);
                assert_eq!(units(None), [1_000, set]);
            }
            let (one, other) = (compared(), compared());
            assert_eq!(one.count, found, "{set}");
            assert!(Arc::ptr_eq(&one, &other), "compared once");
            let back = service.differences("default", 1, (None, Some(0))).expect("compared");
            let turned = |difference: &Difference| (difference.units().1, difference.units().0);
            let mut same: Vec<_> = back.items.iter().map(turned).collect();
            let mut expected: Vec<_> = one.items.iter().map(Difference::units).collect();
            same.sort_unstable();
            expected.sort_unstable();
            assert_eq!(same, expected);
        }
    }
}
