//! Where the event of an id probably stands: a small table in memory, so that a duplicate is compared with its event
//! without a search in the index of ids.
//!
//! A hint proves nothing. Whoever takes one reads the entry that it names, and searches the index where that has another
//! id. Clones therefore share the table, and a view may see hints of entries that it does not have yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Slots of the first table.
const FIRST_SLOTS: usize = 1 << 12;
/// Most slots of 8 bytes; from then on new ids push out old ones.
const SLOTS_MAX: usize = 1 << 20;
/// How many neighbouring slots an id may stand in.
const PROBES: usize = 16;
/// An index needs this many bits, or has no hint.
const INDEX_BITS: u32 = 32;

const _: () = assert!(FIRST_SLOTS.is_power_of_two() && SLOTS_MAX.is_power_of_two());

/// A table of hints, which grows with what is put into it.
#[derive(Clone, Debug)]
pub(crate) struct IdHints {
    /// The upper half of a hash and an index plus one; zero where there is nothing.
    slots: Arc<[AtomicU64]>,
    used: usize,
}

impl Default for IdHints {
    fn default() -> Self {
        Self { slots: Arc::new([]), used: 0 }
    }
}

impl IdHints {
    /// Notes that the id of this hash is entry `index`.
    pub(crate) fn put(&mut self, hash: u64, index: u64) {
        let entry = index.saturating_add(1);
        if entry >> INDEX_BITS != 0 {
            return;
        }
        if self.used >= self.slots.len() / 2 && self.slots.len() < SLOTS_MAX {
            self.grow();
        }
        let mark = hash >> INDEX_BITS;
        insert(&self.slots, mark << INDEX_BITS | entry);
        self.used = self.used.saturating_add(1);
    }

    /// The entry of an id of this hash, if the table still knows it and no other id looks the same.
    pub(crate) fn get(&self, hash: u64) -> Option<u64> {
        let mark = hash >> INDEX_BITS;
        let mut found = places(&self.slots, mark).map(|slot| slot.load(Ordering::Relaxed));
        let word = found.find(|word| word >> INDEX_BITS == mark && *word != 0)?;
        (word & ((1 << INDEX_BITS) - 1)).checked_sub(1)
    }

    /// Twice as many slots, for this table only: its clones keep what they have.
    fn grow(&mut self) {
        let count = (self.slots.len() * 2).clamp(FIRST_SLOTS, SLOTS_MAX);
        let slots: Arc<[AtomicU64]> = (0..count).map(|_| AtomicU64::new(0)).collect();
        for slot in self.slots.iter() {
            match slot.load(Ordering::Relaxed) {
                0 => {}
                word => insert(&slots, word),
            }
        }
        self.slots = slots;
    }
}

/// The slots that a mark may stand in.
fn places(slots: &[AtomicU64], mark: u64) -> impl Iterator<Item = &AtomicU64> {
    let last = slots.len().saturating_sub(1);
    let first = usize::try_from(mark).unwrap_or(0);
    (0..PROBES).filter_map(move |probe| slots.get(first.wrapping_add(probe) & last))
}

/// Puts a word into the first free slot, or where an older one stands.
fn insert(slots: &[AtomicU64], word: u64) {
    let mark = word >> INDEX_BITS;
    let free = places(slots, mark).find(|slot| slot.load(Ordering::Relaxed) == 0);
    // Which of the old ones goes is the word's own chance.
    let pushed_out = || places(slots, mark).nth(usize::try_from(word).unwrap_or(0) % PROBES);
    if let Some(slot) = free.or_else(pushed_out) {
        slot.store(word, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scatters numbers as hashes are scattered.
    fn hash(number: u64) -> u64 {
        number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    #[test]
    fn what_was_put_is_found_and_little_else() {
        let mut hints = IdHints::default();
        assert_eq!(hints.get(hash(0)), None);
        let count = 100_000;
        (0..count).for_each(|number| hints.put(hash(number), number));
        let found = (0..count).filter(|number| hints.get(hash(*number)) == Some(*number)).count();
        assert!(found > 99_000, "{found} of {count}");
        let wrong = (count..2 * count).filter(|number| hints.get(hash(*number)).is_some()).count();
        assert!(wrong < 100, "{wrong} of {count}");
    }

    #[test]
    fn a_full_table_keeps_most_of_the_newest() {
        let mut hints = IdHints::default();
        let count = u64::try_from(SLOTS_MAX).unwrap() * 2;
        (0..count).for_each(|number| hints.put(hash(number), number));
        assert_eq!(hints.slots.len(), SLOTS_MAX);
        let newest = count - 10_000..count;
        let found = newest.filter(|number| hints.get(hash(*number)) == Some(*number)).count();
        assert!(found > 9_000, "{found}");
    }

    #[test]
    fn an_index_that_is_too_large_has_no_hint() {
        let mut hints = IdHints::default();
        hints.put(7, u64::MAX);
        hints.put(hash(8), (1 << INDEX_BITS) - 1);
        hints.put(hash(9), (1 << INDEX_BITS) - 2);
        assert_eq!((hints.get(7), hints.get(hash(8))), (None, None));
        assert_eq!(hints.get(hash(9)), Some((1 << INDEX_BITS) - 2));
    }
}
