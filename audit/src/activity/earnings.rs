//! What claimants earned, summed up over events.

use super::Activity;
use super::places::{Places, hash_of};
use crate::amount::Units;
use crate::ids::Claimant;
use crate::rejection::{Checked, Rejection, RejectionCode};

/// What a claimant earned by activity: the sum of units, and the number of included events that name them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Earned {
    /// The sum of units.
    pub units: Units,
    /// How many events.
    pub events_count: u64,
}

impl Earned {
    /// What one event gives.
    pub(crate) fn of_event(units: Units) -> Self {
        Self { units, events_count: 1 }
    }

    /// The sum.
    pub(crate) fn plus(self, other: Self) -> Checked<Self> {
        let events_count = self.events_count.checked_add(other.events_count).ok_or_else(|| {
            Rejection::new(RejectionCode::ArithmeticOverflow, "events", "a count", "an overflow")
        })?;
        Ok(Self { units: self.units.plus(other.units)?, events_count })
    }
}

/// What all claimants earned: a row for each, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub struct Earnings {
    rows: Vec<(Claimant, Earned)>,
    places: Places,
}

impl Earnings {
    /// Adds one event's units to what its claimants have earned.
    ///
    /// # Errors
    /// `arithmetic_overflow`, which the limits make impossible.
    pub fn add(&mut self, activity: &Activity) -> Checked<()> {
        for entry in &activity.claimants {
            let place = self.place_of(&entry.key);
            self.add_at(place, Earned::of_event(entry.units))?;
        }
        Ok(())
    }

    /// The place of a claimant's row, which is made where there is none.
    pub(crate) fn place_of(&mut self, claimant: &Claimant) -> usize {
        let hash = hash_of(claimant);
        let is_wanted = |place| self.claimant_at(place) == Some(claimant);
        self.places.find(hash, is_wanted).unwrap_or_else(|| {
            let place = self.rows.len();
            self.rows.push((claimant.clone(), Earned::default()));
            self.places.insert(hash, place);
            place
        })
    }

    /// The claimant of a row.
    pub(crate) fn claimant_at(&self, place: usize) -> Option<&Claimant> {
        self.rows.get(place).map(|(claimant, _)| claimant)
    }

    /// Adds to a row.
    ///
    /// # Errors
    /// As [`Earnings::add`].
    pub(crate) fn add_at(&mut self, place: usize, earned: Earned) -> Checked<()> {
        if let Some((_, sum)) = self.rows.get_mut(place) {
            *sum = sum.plus(earned)?;
        }
        Ok(())
    }

    /// The same by claimant: worth it in the thread that made it, before it joins others.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.rows.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Self { rows: self.rows, places: Places::default() }
    }

    /// Both together.
    #[must_use]
    pub fn join(mut self, other: Self) -> Self {
        self.rows.extend(other.rows);
        Self { rows: self.rows, places: Places::default() }
    }

    /// What each claimant earned, by claimant, with those of `others` who earned nothing.
    ///
    /// # Errors
    /// As [`Earnings::add`].
    pub fn into_sorted<'a>(
        mut self,
        others: impl Iterator<Item = &'a Claimant>,
    ) -> Checked<Vec<(Claimant, Earned)>> {
        self.rows.extend(others.map(|claimant| (claimant.clone(), Earned::default())));
        // Parts that are sorted already are only merged by this sort.
        self.rows.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut sums: Vec<(Claimant, Earned)> = Vec::with_capacity(self.rows.len());
        for (claimant, earned) in self.rows {
            match sums.last_mut() {
                Some((same, sum)) if *same == claimant => *sum = sum.plus(earned)?,
                _ => sums.push((claimant, earned)),
            }
        }
        Ok(sums)
    }
}

impl FromIterator<(Claimant, Earned)> for Earnings {
    fn from_iter<T: IntoIterator<Item = (Claimant, Earned)>>(earned: T) -> Self {
        Self { rows: earned.into_iter().collect(), places: Places::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn claimant(number: u32) -> Claimant {
        format!("identity:github:{}", number + 1).parse().unwrap()
    }

    proptest! {
        #[test]
        fn any_parts_give_the_same_sums(
            parts in prop::collection::vec(prop::collection::vec((0..40_u32, 0..9_u128), 0..60), 1..5),
            others in prop::collection::vec(0..60_u32, 0..5),
        ) {
            let mut expected: BTreeMap<Claimant, Earned> = BTreeMap::new();
            let mut joined = Earnings::default();
            for (number, part) in parts.iter().enumerate() {
                let mut own = Earnings::default();
                for (person, units) in part {
                    let earned = expected.entry(claimant(*person)).or_default();
                    earned.units = earned.units.plus(Units::sum_of(*units)).unwrap();
                    earned.events_count += 1;
                    let place = own.place_of(&claimant(*person));
                    own.add_at(place, Earned::of_event(Units::sum_of(*units))).unwrap();
                }
                joined = joined.join(if number % 2 == 0 { own.sorted() } else { own });
            }
            let others: Vec<Claimant> = others.into_iter().map(claimant).collect();
            for other in &others {
                expected.entry(other.clone()).or_default();
            }
            let sums = joined.into_sorted(others.iter()).unwrap();
            prop_assert_eq!(sums, expected.into_iter().collect::<Vec<_>>());
        }
    }
}
