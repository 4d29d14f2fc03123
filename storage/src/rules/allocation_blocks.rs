//! The allocations of a final statement with their tree, in blocks of neighbouring leaves: one block holds everything
//! that proves any of its rows, so that a proof takes one read.

use std::ops::Range;

use meed_audit::allocation::Allocation;
use meed_audit::amount::{Credits, Units};
use meed_audit::hash::{HASH_BYTES, Hash};
use meed_audit::ids::{Claimant, Identity, UserId};
use meed_audit::merkle::{Tile, Tree};
use meed_audit::parallel::Both as _;
use meed_audit::text::FreeText;
use serde::{Deserialize, Serialize};

use crate::blocks::varint;
use crate::codec;
use crate::error::StorageError;
use crate::key::KeyText;
use crate::rules::compute::InThreads;
use crate::rules::record::BytesRecord;
use crate::rules::tables::ALLOCATIONS;

/// Leaves of a whole block: five levels of the tree. With short claimants a block fills one page of 4 KiB.
const BLOCK_LEAVES: u16 = 32;

/// What stands before a claimant's own bytes in a row.
const IDENTITY: u8 = b'i';
const USER: u8 = b'u';

/// An allocation without what its place says already; the leaf is made of both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AllocationRecord {
    pub(crate) credits: Credits,
    pub(crate) events: u64,
    pub(crate) final_units: Units,
    pub(crate) proposed_units: Units,
    pub(crate) override_reason: Option<FreeText>,
}

/// A row of a block: the index of its leaf, the claimant and the record as bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockRow<'a> {
    pub(crate) index: u64,
    claimant: &'a [u8],
    record: &'a [u8],
}

impl BlockRow<'_> {
    /// The claimant.
    pub(crate) fn claimant(&self) -> Result<Claimant, StorageError> {
        let claimant = match self.claimant.split_first() {
            Some((&USER, bytes)) => bytes.try_into().ok().map(|id| Claimant::User(UserId::from_bytes(id))),
            Some((&IDENTITY, text)) => read_identity(text).map(Claimant::Identity),
            _ => None,
        };
        claimant.ok_or_else(|| damaged("a claimant"))
    }

    /// The record.
    pub(crate) fn record(&self) -> Result<AllocationRecord, StorageError> {
        codec::decode(ALLOCATIONS.name(), self.claimant, self.record)
    }
}

/// A block as it is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block<'a> {
    /// Index of its first leaf, and of the leaf after its last one.
    first: u64,
    end: u64,
    leaves: usize,
    /// The path of the block's own root, from its sibling up.
    path: &'a [[u8; HASH_BYTES]],
    /// The nodes below that root, layer after layer from the leaves up.
    nodes: &'a [[u8; HASH_BYTES]],
    rows: &'a [u8],
}

impl<'a> Block<'a> {
    /// Reads a block where it is.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, StorageError> {
        Self::split(bytes).ok_or_else(|| damaged("a block of an allocation tree"))
    }

    fn split(mut bytes: &'a [u8]) -> Option<Self> {
        let first = varint::read(&mut bytes)?.checked_mul(BLOCK_LEAVES.into())?;
        let count = varint::read(&mut bytes)?;
        let leaves =
            usize::try_from(count).ok().filter(|leaves| (1..=BLOCK_LEAVES.into()).contains(leaves))?;
        let path_bytes = varint::read_len(&mut bytes)?.checked_mul(HASH_BYTES)?;
        let (path, rest) = bytes.split_at_checked(path_bytes)?;
        let (nodes, rows) = rest.split_at_checked(nodes_below_root(leaves) * HASH_BYTES)?;
        let end = first.checked_add(count)?;
        Some(Self { first, end, leaves, path: path.as_chunks().0, nodes: nodes.as_chunks().0, rows })
    }

    /// The rows in the order of their leaves. Leaf 0 of the tree, which is the statement's text, has none.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Result<BlockRow<'a>, StorageError>> + use<'a> {
        let (mut rest, mut index, end) = (self.rows, self.first.max(1), self.end);
        std::iter::from_fn(move || {
            if index == end {
                return (!std::mem::take(&mut rest).is_empty()).then(|| Err(damaged("no row more")));
            }
            let row = read_row(&mut rest, index).ok_or_else(|| damaged("a row"));
            index = if row.is_ok() { index + 1 } else { end };
            Some(row)
        })
    }

    /// The row of a claimant, where the block has one.
    pub(crate) fn find(&self, claimant: &Claimant) -> Result<Option<BlockRow<'a>>, StorageError> {
        let wanted = claimant_bytes(claimant);
        let is_wanted =
            |row: &Result<BlockRow<'_>, _>| row.as_ref().map_or(true, |row| row.claimant == wanted);
        self.rows().find(is_wanted).transpose()
    }

    /// The inclusion path of a leaf of this block in the whole tree, from the leaf's sibling up.
    pub(crate) fn path(&self, index: u64) -> Result<Vec<Hash>, StorageError> {
        let place = index.checked_sub(self.first).and_then(|place| usize::try_from(place).ok());
        let mut place = place.filter(|place| *place < self.leaves).ok_or_else(|| damaged("the leaf"))?;
        let mut path = Vec::with_capacity(5 + self.path.len());
        let (mut start, mut width) = (0, self.leaves);
        while width > 1 {
            let sibling = place ^ 1;
            if sibling < width {
                let node = self.nodes.get(start + sibling).ok_or_else(|| damaged("a node"))?;
                path.push(Hash::from_bytes(*node));
            }
            (start, width, place) = (start + width, width.div_ceil(2), place >> 1);
        }
        path.extend(self.path.iter().copied().map(Hash::from_bytes));
        Ok(path)
    }
}

/// The blocks of a statement's allocations and of its tree's leaf hashes, leaf 0 first: each under its first claimant,
/// and the first block under the empty text, so that every claimant has one block, the last one not beyond it.
pub(crate) fn build_blocks(
    leaf_hashes: &[Hash],
    allocations: &[Allocation],
) -> Result<Vec<(KeyText, BytesRecord)>, StorageError> {
    if leaf_hashes.len() != allocations.len() + 1 {
        return Err(unequal(leaf_hashes, allocations));
    }
    let tree = Tree::build(leaf_hashes.iter().copied());
    let blocks = leaf_hashes.len().div_ceil(BLOCK_LEAVES.into());
    let made = |numbers: Range<usize>| -> Result<Vec<_>, StorageError> {
        numbers.map(|number| make_block(&tree, number, leaf_hashes, allocations)).collect()
    };
    let half = blocks / 2;
    let (second, first) = InThreads.both(leaf_hashes.len(), || made(half..blocks), || made(0..half));
    let mut blocks = first?;
    blocks.append(&mut second?);
    Ok(blocks)
}

/// The block of a number with its key.
fn make_block(
    tree: &Tree,
    number: usize,
    leaf_hashes: &[Hash],
    allocations: &[Allocation],
) -> Result<(KeyText, BytesRecord), StorageError> {
    let start = number * usize::from(BLOCK_LEAVES);
    let end = leaf_hashes.len().min(start + usize::from(BLOCK_LEAVES));
    // Leaf 0 has no row.
    let hashes = leaf_hashes.get(start..end);
    let rows = allocations.get(start.saturating_sub(1)..end.saturating_sub(1));
    let (Some(hashes), Some(rows)) = (hashes, rows) else {
        return Err(unequal(leaf_hashes, allocations));
    };
    let name = if number == 0 { None } else { rows.first() };
    let key = name.map_or_else(KeyText::default, |row| KeyText::of_claimant(&row.claimant));
    let number = u64::try_from(number).unwrap_or(u64::MAX);
    Ok((key, BytesRecord(write_block(tree, number, hashes, rows)?)))
}

fn write_block(
    tree: &Tree,
    number: u64,
    hashes: &[Hash],
    rows: &[Allocation],
) -> Result<Vec<u8>, StorageError> {
    let internal = |error: &dyn std::fmt::Display| StorageError::internal(error.to_string());
    let path = tree.inclusion_path(number * u64::from(BLOCK_LEAVES)).map_err(|error| internal(&error))?;
    let above = path.get(levels(hashes.len())..).unwrap_or(&[]);
    let nodes = Tile::build(hashes).map_err(|error| internal(&error))?;
    let nodes = nodes.as_bytes().get(..nodes_below_root(hashes.len()) * HASH_BYTES).unwrap_or(&[]);
    let mut block = Vec::with_capacity(4_096);
    varint::write(number, &mut block);
    varint::write_len(hashes.len(), &mut block);
    varint::write_len(above.len(), &mut block);
    above.iter().for_each(|hash| block.extend_from_slice(hash.as_bytes()));
    block.extend_from_slice(nodes);
    for row in rows {
        for part in [claimant_bytes(&row.claimant), codec::encode(ALLOCATIONS.name(), &record_of(row))?] {
            varint::write_len(part.len(), &mut block);
            block.extend_from_slice(&part);
        }
    }
    Ok(block)
}

fn record_of(allocation: &Allocation) -> AllocationRecord {
    AllocationRecord {
        credits: allocation.credits,
        events: allocation.events,
        final_units: allocation.final_units,
        proposed_units: allocation.proposed_units,
        override_reason: allocation.override_reason.clone(),
    }
}

fn read_row<'a>(rest: &mut &'a [u8], index: u64) -> Option<BlockRow<'a>> {
    let mut part = || {
        let length = varint::read_len(rest)?;
        let (part, after) = rest.split_at_checked(length)?;
        *rest = after;
        Some(part)
    };
    Some(BlockRow { index, claimant: part()?, record: part()? })
}

/// A claimant as a row has it: shorter than its key, because a block is to fill no more than a page.
fn claimant_bytes(claimant: &Claimant) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(80);
    match claimant {
        Claimant::User(user) => {
            bytes.push(USER);
            bytes.extend_from_slice(user.as_bytes());
        }
        Claimant::Identity(identity) => {
            bytes.push(IDENTITY);
            bytes.extend_from_slice(identity.provider().as_str().as_bytes());
            bytes.push(b':');
            bytes.extend_from_slice(identity.external_id().as_bytes());
        }
    }
    bytes
}

fn read_identity(text: &[u8]) -> Option<Identity> {
    let (provider, external_id) = std::str::from_utf8(text).ok()?.split_once(':')?;
    Identity::new(provider.parse().ok()?, external_id).ok()
}

/// Nodes of a block of so many leaves, its root not counted.
fn nodes_below_root(leaves: usize) -> usize {
    let (mut count, mut width) = (0, leaves);
    while width > 1 {
        (count, width) = (count + width, width.div_ceil(2));
    }
    count
}

/// Levels between the leaves of a block and its root: how many siblings its first leaf has in it.
fn levels(leaves: usize) -> usize {
    let (mut count, mut width) = (0, leaves);
    while width > 1 {
        (count, width) = (count + 1, width.div_ceil(2));
    }
    count
}

fn damaged(expected: &str) -> StorageError {
    StorageError::corrupt(ALLOCATIONS.name(), &[], format!("expected {expected}, got other bytes"))
}

fn unequal(leaf_hashes: &[Hash], allocations: &[Allocation]) -> StorageError {
    let (expected, got) = (leaf_hashes.len().saturating_sub(1), allocations.len());
    StorageError::internal(format!("expected {expected} allocations for the leaves, got {got}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use meed_audit::allocation::AllocationV1;
    use meed_audit::hash::node_hash;
    use meed_audit::ids::{EpochNumber, Revision, ScopeId};
    use meed_audit::leaf::Leaf;
    use meed_audit::merkle::verify_inclusion;

    fn allocations(count: u64) -> Vec<Allocation> {
        let claimant = |number: u64| match number % 3 {
            0 => format!("identity:github:{}", number + 1),
            1 => format!("identity:git:{}", Hash::of(&number.to_be_bytes())),
            _ => format!("user:00000000-0000-4000-8000-{number:012x}"),
        };
        let mut claimants: Vec<Claimant> =
            (0..count).map(|number| claimant(number).parse().unwrap()).collect();
        claimants.sort();
        let reason = |number| (number % 5 == 0).then(|| FreeText::parse("reason", "as agreed").unwrap());
        let rows = (0..).zip(claimants).map(|(number, claimant)| Allocation {
            claimant,
            credits: Credits::single(u128::from(number) << 60).unwrap(),
            epoch: EpochNumber::FIRST,
            events: number,
            final_units: Units::single(7).unwrap(),
            override_reason: reason(number),
            proposed_units: Units::ZERO,
            revision: Revision::FIRST,
            scope: ScopeId::from_bytes([7; 16]),
            v: AllocationV1,
        });
        rows.collect()
    }

    fn leaf_hashes(rows: &[Allocation]) -> Vec<Hash> {
        std::iter::once(Hash::of(b"leaf 0")).chain(rows.iter().map(Leaf::leaf_hash)).collect()
    }

    #[test]
    fn every_row_of_every_tree_comes_back_with_a_path_that_holds() {
        for count in (0..=100).chain([1_023, 1_024, 2_500]) {
            let rows = allocations(count);
            let hashes = leaf_hashes(&rows);
            let root = meed_audit::merkle::root(&hashes);
            let size = count + 1;
            let blocks = build_blocks(&hashes, &rows).unwrap();
            assert_eq!(blocks.len(), hashes.len().div_ceil(usize::from(BLOCK_LEAVES)));
            assert!(blocks.is_sorted_by(|a, b| a.0 < b.0));
            let mut expected = rows.iter();
            for (start, block) in &blocks {
                let block = Block::parse(&block.0).unwrap();
                for row in block.rows() {
                    let row = row.unwrap();
                    let wanted = expected.next().unwrap();
                    assert_eq!(
                        (row.claimant().unwrap(), row.record().unwrap()),
                        (wanted.claimant.clone(), record_of(wanted))
                    );
                    assert!(*start <= KeyText::of_claimant(&wanted.claimant));
                    assert_eq!(block.find(&wanted.claimant).unwrap().unwrap().index, row.index);
                    let path = block.path(row.index).unwrap();
                    verify_inclusion(&wanted.leaf_hash(), row.index, size, &path, &root).unwrap();
                }
                assert!(block.find(&"identity:discord:5".parse().unwrap()).unwrap().is_none());
            }
            assert!(expected.next().is_none());
            let first = Block::parse(&blocks[0].1.0).unwrap();
            verify_inclusion(&hashes[0], 0, size, &first.path(0).unwrap(), &root).unwrap();
        }
    }

    #[test]
    fn neighbouring_blocks_share_the_nodes_above_them() {
        let rows = allocations(100);
        let blocks = build_blocks(&leaf_hashes(&rows), &rows).unwrap();
        let parsed: Vec<Block<'_>> =
            blocks.iter().map(|(_, block)| Block::parse(&block.0).unwrap()).collect();
        let [first, second, third, fourth] = parsed.as_slice() else { panic!("{}", parsed.len()) };
        let hash = |bytes: &[u8; 32]| Hash::from_bytes(*bytes);
        assert_eq!((first.path.len(), fourth.path.len()), (2, 2));
        let right = node_hash(&hash(&fourth.path[0]), &hash(&third.path[0]));
        assert_eq!(first.path[1], right.to_bytes(), "over the third block and the fourth");
        assert_eq!(first.path[1], second.path[1]);
        assert!(first.path(32).is_err() && second.path(31).is_err(), "leaves of other blocks");
    }

    #[test]
    fn a_block_of_short_claimants_stands_in_one_page() {
        // Of redb's 4 KiB: page header, ends of key and value, the longest key of such a claimant, and the seal.
        let room =
            4_096 - 12 - (32 + "identity:discord:00000000000000000000".len() + 1) - codec::SEAL_BYTES - 3;
        let mut rows = allocations(1_000_000 / 50);
        rows.retain(|row| !matches!(&row.claimant, Claimant::Identity(id) if id.external_id().len() == 64));
        let blocks = build_blocks(&leaf_hashes(&rows), &rows).unwrap();
        let longest = blocks.iter().map(|(_, block)| block.0.len()).max().unwrap();
        assert!(longest <= room, "{longest} bytes of {room}");
    }

    #[test]
    fn broken_bytes_are_no_block() {
        let rows = allocations(40);
        for (_, BytesRecord(block)) in build_blocks(&leaf_hashes(&rows), &rows).unwrap() {
            let read = |bytes: &[u8]| {
                Block::parse(bytes)?.rows().map(|row| row?.record()).collect::<Result<Vec<_>, _>>()
            };
            assert!(read(&block).is_ok());
            for length in 0..block.len() {
                assert!(read(&block[..length]).is_err(), "{length}");
            }
            assert!(read(&[&block[..], &[0]].concat()).is_err());
        }
        assert!(Block::parse(&[0, 0, 0]).is_err(), "no leaf");
        assert!(Block::parse(&[&[0, 33, 0][..], &[0; 4_000]].concat()).is_err(), "too many leaves");
        assert!(build_blocks(&leaf_hashes(&rows), &rows[1..]).is_err());
        assert!(build_blocks(&leaf_hashes(&rows[1..]), &rows).is_err());
    }
}
