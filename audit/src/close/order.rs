//! The order of activity leaves: by event id.

use crate::hash::Hash;
use crate::ids::EventId;

/// The places of leaves in the order of their events' ids.
///
/// The ids of an epoch begin alike, and each stands somewhere else in memory: so what follows their common beginning is
/// compared first, as one number that stands with the place.
pub(super) fn order_by_event(leaves: &[(EventId, Hash)]) -> Vec<usize> {
    let Some((first, _)) = leaves.first() else { return Vec::new() };
    let first = first.as_str().as_bytes();
    let shared = leaves.iter().fold(first.len(), |shared, (id, _)| {
        let pairs = first.iter().zip(id.as_str().as_bytes()).take(shared);
        pairs.take_while(|(a, b)| a == b).count()
    });
    let mut order: Vec<(u64, usize)> =
        leaves.iter().map(|(id, _)| number_at(id.as_str().as_bytes(), shared)).zip(0..).collect();
    let id_at = |place: usize| leaves.get(place).map(|(id, _)| id);
    order.sort_unstable_by(|(a, left), (b, right)| a.cmp(b).then_with(|| id_at(*left).cmp(&id_at(*right))));
    order.into_iter().map(|(_, place)| place).collect()
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
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_order_of_ids(ids in prop::collection::vec("a:(bc){0,3}[a-c:]{0,12}x", 0..40)) {
            let leaves: Vec<(EventId, Hash)> = ids.iter().map(|id| (id.parse().unwrap(), Hash::of(b""))).collect();
            let ordered: Vec<&EventId> = order_by_event(&leaves).into_iter().map(|place| &leaves[place].0).collect();
            let mut expected: Vec<&EventId> = leaves.iter().map(|(id, _)| id).collect();
            expected.sort();
            prop_assert_eq!(ordered, expected);
        }
    }
}
