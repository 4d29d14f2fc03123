//! The bytes of the ledger's packed blocks: whatever they are, they are refused or say the same after they are written
//! again.

use std::collections::{BTreeMap, BTreeSet};

use meed_storage::testing::blocks::{
    decode_rows, encode_rows, find_number, merge_pairs, pack_rows, read_pairs, unpack_rows,
};

/// Rows that were read come back, packed or not.
pub(super) fn rows(data: &[u8]) {
    for rows in [unpack_rows(data), decode_rows(data)].into_iter().flatten() {
        assert_eq!(decode_rows(&encode_rows(&rows)).as_ref(), Some(&rows));
        let parts = pack_rows(&rows);
        let again = parts.iter().flat_map(|part| unpack_rows(part).expect("a part that was packed is read"));
        assert!(again.eq(rows.iter().cloned()), "every row, in its order");
    }
}

pub(super) fn row_seeds() -> Vec<Vec<u8>> {
    let rows: Vec<Vec<u8>> = (0_u8..40).map(|number| vec![number; usize::from(number) * 7 % 31]).collect();
    let mut seeds = pack_rows(&rows);
    seeds.push(encode_rows(&rows));
    seeds.extend(pack_rows(&vec![Vec::new(); 300]));
    seeds
}

/// Pairs that were read come back from blocks of their own, each found by its key.
pub(super) fn pairs(data: &[u8]) {
    let Some(read) = read_pairs(data) else {
        assert_eq!(merge_pairs(data, &[]), None, "what cannot be read is not merged");
        return;
    };
    // A search may miss what stands in no order, and does not fail.
    for (key, _) in &read {
        let _ = find_number(data, key);
    }
    let _ = merge_pairs(data, &[(b"github:pr:7:1".to_vec(), 7)]);
    let sorted: Vec<(Vec<u8>, u64)> = read.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    let blocks = merge_pairs(&[], &sorted).expect("nothing is a block");
    let again: Vec<_> =
        blocks.iter().flat_map(|block| read_pairs(block).expect("a written block is read")).collect();
    assert_eq!(again, sorted);
    let mut counts: BTreeMap<&[u8], usize> = BTreeMap::new();
    sorted.iter().for_each(|(key, _)| *counts.entry(key).or_default() += 1);
    for (key, number) in sorted.iter().filter(|(key, _)| counts.get(key.as_slice()) == Some(&1)) {
        let found =
            blocks.iter().filter_map(|block| find_number(block, key).expect("a block")).collect::<Vec<_>>();
        assert_eq!(found, [*number]);
    }
}

pub(super) fn pair_seeds() -> Vec<Vec<u8>> {
    let pairs = |count: u64| -> Vec<(Vec<u8>, u64)> {
        (0..count)
            .map(|number| (format!("github:pr:7:{number:04}\0").into_bytes(), number * number))
            .collect()
    };
    [1, 5, 400].into_iter().flat_map(|count| merge_pairs(&[], &pairs(count)).expect("blocks")).collect()
}
