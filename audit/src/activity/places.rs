//! Finding the row of a key in a list, in memory.
//!
//! The table knows places only; the list stays in the order in which its rows came, so that nothing that is made of it
//! depends on hashes.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Slots of the first table.
const FIRST_SLOTS: usize = 1 << 10;

/// The places of a list's rows, by the hashes of their keys: open addressing, at most half full.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// Half of a hash, and a place plus one; zero where there is nothing.
    slots: Vec<(u32, u32)>,
    used: usize,
}

/// The hash of a key, the same in every run.
pub(crate) fn hash_of(key: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

impl Places {
    /// The place of the row that `is_wanted`, whose key has this hash.
    pub(crate) fn find(&self, hash: u64, is_wanted: impl Fn(usize) -> bool) -> Option<usize> {
        let mark = mark_of(hash);
        let last = self.slots.len().saturating_sub(1);
        let mut at = start_of(mark, self.slots.len());
        // There is always a free slot, at which the search ends.
        while let Some((known, entry)) = self.slots.get(at) {
            let place = usize::try_from(*entry).ok()?.checked_sub(1)?;
            if *known == mark && is_wanted(place) {
                return Some(place);
            }
            at = (at + 1) & last;
        }
        None
    }

    /// Notes that the row at `place` has a key of this hash. A place beyond 32 bits is not noted.
    pub(crate) fn insert(&mut self, hash: u64, place: usize) {
        let Some(entry) = u32::try_from(place).ok().and_then(|place| place.checked_add(1)) else { return };
        if self.used >= self.slots.len() / 2 {
            self.grow();
        }
        put(&mut self.slots, (mark_of(hash), entry));
        self.used += 1;
    }

    fn grow(&mut self) {
        let mut slots = vec![(0, 0); (self.slots.len() * 2).max(FIRST_SLOTS)];
        self.slots.iter().filter(|(_, entry)| *entry != 0).for_each(|slot| put(&mut slots, *slot));
        self.slots = slots;
    }
}

fn mark_of(hash: u64) -> u32 {
    u32::try_from(hash >> 32).unwrap_or(0)
}

/// Where the search for a mark begins; the number of slots is a power of two.
fn start_of(mark: u32, slots_count: usize) -> usize {
    usize::try_from(mark).unwrap_or(0) & slots_count.saturating_sub(1)
}

fn put(slots: &mut [(u32, u32)], slot: (u32, u32)) {
    let start = start_of(slot.0, slots.len());
    let (before, from) = slots.split_at_mut_checked(start).unwrap_or((&mut [], &mut []));
    if let Some(free) = from.iter_mut().chain(before).find(|(_, entry)| *entry == 0) {
        *free = slot;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_and_no_other() {
        let (mut rows, mut places) = (Vec::new(), Places::default());
        assert_eq!(places.find(hash_of("key 0"), |_| true), None);
        for number in 0..10_000 {
            let key = format!("key {number}");
            places.insert(hash_of(key.as_str()), rows.len());
            rows.push(key);
        }
        for (place, key) in rows.iter().enumerate() {
            assert_eq!(places.find(hash_of(key.as_str()), |place| rows[place] == *key), Some(place));
            let other = format!("other {place}");
            assert_eq!(places.find(hash_of(other.as_str()), |place| rows[place] == other), None);
        }
    }

    #[test]
    fn rows_of_one_hash_are_told_apart() {
        let mut places = Places::default();
        (0..2_000).for_each(|place| places.insert(u64::MAX, place));
        assert!((0..2_000).all(|wanted| places.find(u64::MAX, |place| place == wanted) == Some(wanted)));
        assert_eq!(places.find(u64::MAX, |_| false), None);
        assert_eq!(places.find(0, |_| true), None);
    }
}
