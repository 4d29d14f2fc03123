//! Putting the indexes of entries into the order of the log.

/// Sorts indexes, which lie below `below`: where they are many, by a bit for each that there could be.
pub(crate) fn sorted_indexes(mut indexes: Vec<u64>, below: u64) -> Vec<u64> {
    const WORD_BITS: u64 = 64;
    let words_count = usize::try_from(below.div_ceil(WORD_BITS)).unwrap_or(usize::MAX);
    if words_count > indexes.len() {
        indexes.sort_unstable();
        return indexes;
    }
    let mut words = vec![0_u64; words_count];
    for index in &indexes {
        let word = usize::try_from(index / WORD_BITS).ok().and_then(|place| words.get_mut(place));
        word.into_iter().for_each(|word| *word |= 1 << (index % WORD_BITS));
    }
    let bits_of = |(word, first): (&u64, u64)| {
        let (mut word, first) = (*word, first);
        std::iter::from_fn(move || {
            let bit = (word != 0).then(|| word.trailing_zeros())?;
            word &= word - 1;
            Some(first + u64::from(bit))
        })
    };
    let firsts = (0..).step_by(64);
    let mut sorted = Vec::with_capacity(indexes.len());
    sorted.extend(words.iter().zip(firsts).flat_map(bits_of));
    // An index that stands twice, which only a damaged ledger has, must stay twice.
    if sorted.len() == indexes.len() {
        return sorted;
    }
    indexes.sort_unstable();
    indexes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn indexes_are_sorted_and_none_is_lost(mut indexes in prop::collection::vec(0..300_u64, 0..200)) {
            let sorted = sorted_indexes(indexes.clone(), 300);
            indexes.sort_unstable();
            prop_assert_eq!(&sorted, &indexes);
            indexes.dedup();
            let turned: Vec<u64> = indexes.iter().rev().copied().collect();
            prop_assert_eq!(sorted_indexes(turned, 300), indexes);
        }
    }
}
