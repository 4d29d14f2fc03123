//! The order of activity leaves: by event id.

use std::cmp::Ordering;

use crate::hash::Hash;
use crate::ids::EventId;
use crate::parallel::Both;

/// The leaves of an epoch in the order of their events' ids.
pub(super) struct Ordered<'a> {
    /// Their hashes.
    pub(super) hashes: Vec<Hash>,
    /// An event that came twice, if any did.
    pub(super) twice: Option<&'a EventId>,
}

/// What follows the common beginning of all ids, as a number, and the place of the leaf.
type Numbered = (u64, usize);

/// Orders leaves by the ids of their events.
///
/// The ids of an epoch begin alike, and each stands somewhere else in memory: so what follows their common beginning is
/// compared first, as one number that stands with the place, and ids are looked at only where that is equal.
pub(super) fn order_by_event<'a>(leaves: &'a [(EventId, Hash)], how: &impl Both) -> Ordered<'a> {
    let shared = shared_len(leaves);
    let id_at = |place: usize| leaves.get(place).map(|(id, _)| id);
    let compare =
        |(a, left): &Numbered, (b, right): &Numbered| a.cmp(b).then_with(|| id_at(*left).cmp(&id_at(*right)));
    let sorted = |first: usize, leaves: &[(EventId, Hash)]| {
        let numbers = leaves.iter().map(|(id, _)| number_at(id.as_str().as_bytes(), shared));
        let mut order: Vec<Numbered> = numbers.zip(first..).collect();
        order.sort_unstable_by(compare);
        order
    };
    let half = leaves.len() / 2;
    let (left, right) = leaves.split_at(half);
    let (right, left) = how.both(leaves.len(), || sorted(half, right), || sorted(0, left));
    let order = merge(&left, &right, compare);
    let pairs = order.iter().zip(order.iter().skip(1));
    let twice = pairs.filter(|((a, _), (b, _))| a == b).find(|((_, a), (_, b))| id_at(*a) == id_at(*b));
    let hash_at = |(_, place): &Numbered| leaves.get(*place).map(|(_, hash)| *hash);
    Ordered {
        hashes: order.iter().filter_map(hash_at).collect(),
        twice: twice.and_then(|((_, place), _)| id_at(*place)),
    }
}

/// How many bytes all ids begin with alike.
fn shared_len(leaves: &[(EventId, Hash)]) -> usize {
    let Some((first, _)) = leaves.first() else { return 0 };
    let first = first.as_str().as_bytes();
    leaves.iter().fold(first.len(), |shared, (id, _)| {
        let pairs = first.iter().zip(id.as_str().as_bytes()).take(shared);
        pairs.take_while(|(a, b)| a == b).count()
    })
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
        fn it_is_the_order_of_ids(ids in prop::collection::vec("a:(bc){0,3}[a-c:]{0,12}x", 0..40)) {
            let leaf = |id: &String| (id.parse().unwrap(), Hash::of(id.as_bytes()));
            let leaves: Vec<(EventId, Hash)> = ids.iter().map(leaf).collect();
            let mut expected: Vec<&(EventId, Hash)> = leaves.iter().collect();
            expected.sort_by_key(|(id, _)| id);
            let ordered = order_by_event(&leaves, &InTurn);
            prop_assert!(ordered.hashes.iter().eq(expected.iter().map(|(_, hash)| hash)));
            let repeats = expected.windows(2).find(|pair| pair[0].0 == pair[1].0);
            prop_assert_eq!(ordered.twice, repeats.map(|pair| &pair[0].0));
        }
    }
}
