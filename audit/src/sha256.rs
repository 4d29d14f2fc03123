//! SHA-256 of a byte and what follows it, over the compression function of the crate `sha2`: leaves and nodes are short,
//! and a hasher that keeps a buffer for what may still come takes a fifth of the time of hashing them.

use sha2::block_api::compress256;

use crate::hash::HASH_BYTES;

/// Bytes of a block (FIPS 180-4 section 5.2.1).
const BLOCK_BYTES: usize = 64;
/// Bytes at the end of the last block that say how long the message was.
const LENGTH_BYTES: usize = 8;

/// The state before the first block (FIPS 180-4 section 5.3.3).
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// SHA-256 of `prefix || data`: 32 bytes.
pub(crate) fn sha256_after(prefix: u8, data: &[u8]) -> [u8; HASH_BYTES] {
    let mut state = INITIAL;
    let Some((head, rest)) = data.split_first_chunk::<{ BLOCK_BYTES - 1 }>() else {
        // All of it is in the last blocks, the prefix too.
        let mut message = [prefix; BLOCK_BYTES];
        for (place, byte) in message.iter_mut().skip(1).zip(data) {
            *place = *byte;
        }
        let (whole, _) = message.split_at(1 + data.len());
        compress_last(&mut state, whole, data.len());
        return to_bytes(state);
    };
    let mut first = [prefix; BLOCK_BYTES];
    first.split_at_mut(1).1.copy_from_slice(head);
    compress256(&mut state, &[first]);
    let (blocks, tail) = rest.as_chunks::<BLOCK_BYTES>();
    if !blocks.is_empty() {
        compress256(&mut state, blocks);
    }
    compress_last(&mut state, tail, data.len());
    to_bytes(state)
}

/// Hashes the end of a message, less than a block, with its padding (FIPS 180-4 section 5.1.1): a one bit, zeros, and the
/// length of the message of `data_bytes` and the prefix, in bits.
fn compress_last(state: &mut [u32; 8], tail: &[u8], data_bytes: usize) {
    let mut padded = [0; 2 * BLOCK_BYTES];
    let (message, padding) = padded.split_at_mut(tail.len());
    message.copy_from_slice(tail);
    padding.iter_mut().take(1).for_each(|byte| *byte = 0x80);
    let fits = tail.len() < BLOCK_BYTES - LENGTH_BYTES;
    let end = if fits { BLOCK_BYTES } else { 2 * BLOCK_BYTES };
    let (used, _) = padded.split_at_mut(end);
    let bits = u64::try_from(data_bytes).unwrap_or(u64::MAX).saturating_add(1).saturating_mul(8);
    used.split_at_mut(end - LENGTH_BYTES).1.copy_from_slice(&bits.to_be_bytes());
    compress256(state, used.as_chunks().0);
}

fn to_bytes(state: [u32; 8]) -> [u8; HASH_BYTES] {
    let mut bytes = [0; HASH_BYTES];
    for (four, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *four = word.to_be_bytes();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn is_the_hash_of_the_crate_at_every_length() {
        let data: Vec<u8> = (0..=u8::MAX).cycle().take(1_100).collect();
        for prefix in [0x00, 0x01, 0xff] {
            for end in 0..data.len() {
                let data = &data[..end];
                let expected: [u8; HASH_BYTES] =
                    Sha256::new().chain_update([prefix]).chain_update(data).finalize().into();
                assert_eq!(sha256_after(prefix, data), expected, "{prefix} and {end} bytes");
            }
        }
    }
}
