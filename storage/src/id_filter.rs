//! Which ids are certainly not in the index of ids: a Bloom filter, so that new events cost no search there; and hints
//! where others stand, so that most duplicates cost none either.
//!
//! Both live in memory only. A new ledger begins with empty ones; an opened ledger gets them at its first fold, which
//! reads all ids once. The filter may hold more ids than a view's tree, never fewer.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use meed_audit::ids::EventId;

use crate::id_hints::IdHints;

/// Bits for each id that a layer is made for.
const BITS_PER_ID: usize = 16;
/// Bits that are set for each id: one id in about 400 that is not there seems to be.
const PROBES: u32 = 4;
/// Ids that the first layer is made for; each further layer holds twice as many as the one before.
const FIRST_LAYER_IDS: usize = 1 << 16;

/// A hash for finding ids in memory; it is stored nowhere.
pub(crate) fn hash_of(id: &EventId) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

/// A growing Bloom filter; clones share the layers that are full.
#[derive(Clone, Debug, Default)]
pub(crate) struct IdFilter {
    layers: Vec<Arc<Layer>>,
    hints: IdHints,
}

#[derive(Clone, Debug)]
struct Layer {
    words: Vec<u64>,
    ids: usize,
    ids_max: usize,
}

impl IdFilter {
    /// Adds the hash of an id whose event is entry `index`.
    pub(crate) fn add(&mut self, hash: u64, index: u64) {
        self.hints.put(hash, index);
        if self.layers.last().is_none_or(|layer| layer.ids >= layer.ids_max) {
            let ids_max = self.layers.last().map_or(FIRST_LAYER_IDS, |layer| layer.ids_max.saturating_mul(2));
            let words = vec![0; ids_max * BITS_PER_ID / 64];
            self.layers.push(Arc::new(Layer { words, ids: 0, ids_max }));
        }
        if let Some(layer) = self.layers.last_mut() {
            Arc::make_mut(layer).add(hash);
        }
    }

    /// Whether an id of this hash may be there; where not, it certainly is not.
    pub(crate) fn may_hold(&self, hash: u64) -> bool {
        self.layers.iter().any(|layer| layer.may_hold(hash))
    }

    /// The entry that an id of this hash probably is.
    pub(crate) fn hint(&self, hash: u64) -> Option<u64> {
        self.hints.get(hash)
    }
}

impl Layer {
    /// The places of an id's bits: word and mask.
    fn places(&self, hash: u64) -> impl Iterator<Item = (usize, u64)> + use<> {
        let words = u64::try_from(self.words.len()).unwrap_or(u64::MAX).max(1);
        // Two halves of the hash make all probes (Kirsch and Mitzenmacher).
        let step = (hash >> 32) | 1;
        (0..u64::from(PROBES)).map(move |probe| {
            let mixed = hash.wrapping_add(step.wrapping_mul(probe)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let word = usize::try_from((mixed >> 6) % words).unwrap_or(0);
            (word, 1 << (mixed & 63))
        })
    }

    fn add(&mut self, hash: u64) {
        for (word, mask) in self.places(hash) {
            if let Some(word) = self.words.get_mut(word) {
                *word |= mask;
            }
        }
        self.ids += 1;
    }

    fn may_hold(&self, hash: u64) -> bool {
        self.places(hash).all(|(word, mask)| self.words.get(word).is_none_or(|word| word & mask != 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> EventId {
        format!("git:commit:{number}").parse().unwrap()
    }

    #[test]
    fn what_was_added_is_always_held_and_little_else() {
        let mut filter = IdFilter::default();
        assert!(!filter.may_hold(hash_of(&id(0))));
        let added = 3 * FIRST_LAYER_IDS;
        (0..added).for_each(|number| filter.add(hash_of(&id(number)), 0));
        assert_eq!(filter.layers.len(), 2);
        assert!((0..added).all(|number| filter.may_hold(hash_of(&id(number)))));
        let wrong = (added..2 * added).filter(|number| filter.may_hold(hash_of(&id(*number)))).count();
        assert!(wrong < added / 50, "{wrong} of {added}");
    }

    #[test]
    fn a_clone_does_not_change() {
        let mut filter = IdFilter::default();
        filter.add(1, 0);
        let before = filter.clone();
        filter.add(2, 0);
        assert!(filter.may_hold(2) && !before.may_hold(2) && before.may_hold(1));
    }
}
