//! Which nodes and tiles a tree of a given size has. Arithmetic only, safe for every `u64`.

use super::{TILE_HEIGHT, TILE_WIDTH};

/// How many hashes tile `(level, index)` has in a tree of `size` leaves: the complete subtrees of
/// `256^level` leaves among its 256 places. 0 means that there is no such tile.
pub fn tile_width(size: u64, level: u8, index: u64) -> u16 {
    let complete = shift_right(size, u32::from(level) * u32::from(TILE_HEIGHT));
    let before = index.saturating_mul(u64::from(TILE_WIDTH));
    let width = complete.saturating_sub(before).min(u64::from(TILE_WIDTH));
    u16::try_from(width).unwrap_or(TILE_WIDTH)
}

/// The tile that is still growing at `level` in a tree of `size` leaves: the count of full tiles before it.
pub(super) fn edge_index(size: u64, level: u8) -> u64 {
    shift_right(size, (u32::from(level) + 1) * u32::from(TILE_HEIGHT))
}

/// Levels between a leaf and the root of a tree of `size` leaves: the height of the whole tree.
pub(super) fn tree_height(size: u64) -> u32 {
    size.checked_sub(1).map_or(0, |last| u64::BITS - last.leading_zeros())
}

/// `value >> bits`, with 0 where the shift is as wide as the value or wider.
pub(super) fn shift_right(value: u64, bits: u32) -> u64 {
    value.checked_shr(bits).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_follow_c2sp_tiles() {
        let cases = [
            (0, 0, 0, 0),
            (1, 0, 0, 1),
            (255, 1, 0, 0),
            (256, 0, 0, 256),
            (256, 0, 1, 0),
            (256, 1, 0, 1),
            (300, 0, 1, 44),
            (300, 1, 0, 1),
            (70_000, 0, 273, 112),
            (70_000, 1, 1, 17),
            (70_000, 2, 0, 1),
            (u64::MAX, 7, 0, 255),
            (u64::MAX, 8, 0, 0),
            (u64::MAX, 0, u64::MAX, 0),
        ];
        for (size, level, index, expected) in cases {
            assert_eq!(tile_width(size, level, index), expected, "size {size} tile {level}/{index}");
        }
    }

    #[test]
    fn heights_are_the_least_that_hold_all_leaves() {
        for (size, expected) in [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (256, 8), (257, 9)] {
            assert_eq!(tree_height(size), expected, "size {size}");
        }
        assert_eq!(tree_height(super::super::MAX_TREE_SIZE), 63);
        assert_eq!(tree_height(u64::MAX), 64);
    }
}
