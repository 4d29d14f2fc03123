//! The order of activity leaves: by event id.

use std::cmp::Ordering;
use std::ops::Range;

use crate::hash::Hash;
use crate::parallel::Both;

/// Leaves of an epoch with the ids of their events, in any order. The ids stand one after the other in one text.
#[derive(Clone, Debug, Default)]
pub(super) struct Leaves {
    ids: String,
    /// Where each id ends, and the hash of its leaf.
    rows: Vec<(usize, Hash)>,
    /// How many bytes all ids begin with alike.
    shared: usize,
}

impl Leaves {
    /// Adds a leaf.
    pub(super) fn push(&mut self, id: &str, hash: Hash) {
        self.shared = match self.id(0) {
            None => id.len(),
            Some(first) => common_len(first.as_bytes(), id.as_bytes(), self.shared),
        };
        self.ids.push_str(id);
        self.rows.push((self.ids.len(), hash));
    }

    /// How many leaves there are.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Their hashes.
    #[cfg(test)]
    pub(super) fn hashes(&self) -> impl Iterator<Item = Hash> {
        self.rows.iter().map(|(_, hash)| *hash)
    }

    fn id(&self, place: usize) -> Option<&str> {
        let (end, _) = self.rows.get(place)?;
        let start = place.checked_sub(1).and_then(|before| self.rows.get(before)).map_or(0, |(end, _)| *end);
        self.ids.get(start..*end)
    }
}

/// How many bytes two ids begin with alike, `most` at most.
fn common_len(left: &[u8], right: &[u8], most: usize) -> usize {
    let beginnings = left.get(..most).zip(right.get(..most));
    if beginnings.is_some_and(|(left, right)| left == right) {
        return most;
    }
    left.iter().zip(right).take(most).take_while(|(a, b)| a == b).count()
}

/// The leaves of an epoch in the order of their events' ids.
pub(super) struct Ordered<'a> {
    /// Their hashes.
    pub(super) hashes: Vec<Hash>,
    /// An event that came twice, if any did.
    pub(super) twice: Option<&'a str>,
}

/// What follows the common beginning of all ids, as a number, and the place of the leaf.
type Numbered = (u64, usize);

/// Orders leaves by the ids of their events.
///
/// The ids of an epoch begin alike, and each stands somewhere else in memory: so what follows their common beginning is
/// compared first, as one number that stands with the place, and ids are looked at only where that is equal.
pub(super) fn order_by_event<'a>(leaves: &'a [Leaves], how: &impl Both) -> Ordered<'a> {
    let all = AllLeaves::new(leaves);
    let half = all.count / 2;
    let sorted = |places: Range<usize>| {
        let mut order = all.numbered(places);
        order.sort_unstable_by(|a, b| all.compare(a, b));
        order
    };
    let (right, left) = how.both(all.count, || sorted(half..all.count), || sorted(0..half));
    let order = merge(&left, &right, |a, b| all.compare(a, b));
    let pairs = order.iter().zip(order.iter().skip(1));
    let twice = pairs.filter(|((a, _), (b, _))| a == b).find(|((_, a), (_, b))| all.id(*a) == all.id(*b));
    let (left, right) = order.split_at(half);
    let hashes = |order: &[Numbered]| -> Vec<Hash> {
        order.iter().filter_map(|(_, place)| all.hash(*place)).collect()
    };
    let (right, mut left) = how.both(all.count, || hashes(right), || hashes(left));
    left.extend(right);
    Ordered { hashes: left, twice: twice.and_then(|((_, place), _)| all.id(*place)) }
}

/// The leaves of all parts, their places counted through.
struct AllLeaves<'a> {
    /// Each part with the place of its first leaf.
    parts: Vec<(usize, &'a Leaves)>,
    count: usize,
    shared: usize,
}

impl<'a> AllLeaves<'a> {
    fn new(leaves: &'a [Leaves]) -> Self {
        let (mut parts, mut count) = (Vec::with_capacity(leaves.len()), 0);
        for part in leaves {
            parts.push((count, part));
            count += part.len();
        }
        Self { parts, count, shared: shared_len(leaves) }
    }

    /// The leaves at these places with their numbers.
    fn numbered(&self, places: Range<usize>) -> Vec<Numbered> {
        let mut numbers = Vec::with_capacity(places.len());
        for (first, part) in &self.parts {
            let own = places.start.max(*first)..places.end.min(first + part.len());
            let number =
                |place: usize| number_at(part.id(place - first).unwrap_or_default().as_bytes(), self.shared);
            numbers.extend(own.map(|place| (number(place), place)));
        }
        numbers
    }

    fn compare(&self, (a, left): &Numbered, (b, right): &Numbered) -> Ordering {
        a.cmp(b).then_with(|| self.id(*left).cmp(&self.id(*right)))
    }

    fn part(&self, place: usize) -> Option<(&'a Leaves, usize)> {
        let (first, part) = self.parts.iter().rev().find(|(first, _)| *first <= place)?;
        Some((part, place - first))
    }

    fn id(&self, place: usize) -> Option<&'a str> {
        self.part(place).and_then(|(part, place)| part.id(place))
    }

    fn hash(&self, place: usize) -> Option<Hash> {
        self.part(place).and_then(|(part, place)| part.rows.get(place)).map(|(_, hash)| *hash)
    }
}

/// How many bytes all ids of all parts begin with alike.
fn shared_len(leaves: &[Leaves]) -> usize {
    let mut parts = leaves.iter().filter_map(|part| Some((part.id(0)?.as_bytes(), part.shared)));
    let Some((first, shared)) = parts.next() else { return 0 };
    parts.fold(shared, |shared, (id, own)| common_len(first, id, shared.min(own)))
}

/// Both sorted lists as one.
fn merge(
    mut left: &[Numbered],
    mut right: &[Numbered],
    compare: impl Fn(&Numbered, &Numbered) -> Ordering,
) -> Vec<Numbered> {
    let mut merged = Vec::with_capacity(left.len() + right.len());
    while let (Some((a, after_a)), Some((b, after_b))) = (left.split_first(), right.split_first()) {
        if compare(a, b).is_le() {
            merged.push(*a);
            left = after_a;
        } else {
            merged.push(*b);
            right = after_b;
        }
    }
    merged.extend_from_slice(left);
    merged.extend_from_slice(right);
    merged
}

/// Eight bytes from a position on; those that are missing count as zero, which no id holds, so that the shorter of two
/// ids comes first as it should.
fn number_at(id: &[u8], position: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.iter_mut().zip(id.get(position..).unwrap_or(&[])).for_each(|(room, byte)| *room = *byte);
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel::InTurn;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_order_of_ids(
            parts in prop::collection::vec(prop::collection::vec("a:(bc){0,3}[a-c:]{0,12}x", 0..20), 0..4),
        ) {
            let hash = |id: &String| Hash::of(id.as_bytes());
            let mut leaves = vec![Leaves::default(); parts.len()];
            for (part, ids) in leaves.iter_mut().zip(&parts) {
                ids.iter().for_each(|id| part.push(id, hash(id)));
            }
            let mut expected: Vec<&String> = parts.iter().flatten().collect();
            expected.sort();
            let ordered = order_by_event(&leaves, &InTurn);
            prop_assert_eq!(ordered.hashes, expected.iter().map(|id| hash(id)).collect::<Vec<_>>());
            let repeats = expected.windows(2).find(|pair| pair[0] == pair[1]);
            prop_assert_eq!(ordered.twice, repeats.map(|pair| pair[0].as_str()));
        }
    }
}
