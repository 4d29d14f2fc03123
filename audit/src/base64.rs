//! Writing standard padded base64 (RFC 4648 section 4) of public bytes: proofs are mostly base64, and none of it is
//! secret, so that it is looked up in a table, two characters at a time.

use std::sync::LazyLock;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const PADDING: u8 = b'=';

/// Two characters for each value of twelve bits.
type Pairs = [[u8; 2]; 1 << 12];

static PAIRS: LazyLock<Pairs> = LazyLock::new(|| {
    let digit = |bits: usize| ALPHABET.get(bits & 0x3f).copied().unwrap_or(PADDING);
    std::array::from_fn(|bits| [digit(bits >> 6), digit(bits)])
});

/// How many characters the base64 of so many bytes has.
pub(crate) const fn encoded_len(bytes: usize) -> usize {
    bytes.div_ceil(3).saturating_mul(4)
}

/// Appends the base64 of `bytes`.
pub(crate) fn push_base64(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start.saturating_add(encoded_len(bytes.len())), PADDING);
    let (texts, _) = out.get_mut(start..).unwrap_or_default().as_chunks_mut::<4>();
    let (groups, rest) = bytes.as_chunks::<3>();
    let pairs = &*PAIRS;
    for (text, group) in texts.iter_mut().zip(groups) {
        *text = digits(pairs, *group);
    }
    let (last, characters) = match *rest {
        [a] => ([a, 0, 0], 2),
        [a, b] => ([a, b, 0], 3),
        _ => return,
    };
    if let Some(text) = texts.last_mut() {
        text.iter_mut().zip(digits(pairs, last)).take(characters).for_each(|(place, digit)| *place = digit);
    }
}

fn digits(pairs: &Pairs, [a, b, c]: [u8; 3]) -> [u8; 4] {
    let pair = |high: u8, low: u8| {
        let bits = usize::from(high) << 8 | usize::from(low);
        pairs.get(bits & 0xfff).copied().unwrap_or([PADDING; 2])
    };
    let ([first, second], [third, fourth]) = (pair(a >> 4, a << 4 | b >> 4), pair(b, c));
    [first, second, third, fourth]
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64ct::{Base64, Encoding};

    #[test]
    fn every_pair_of_characters_is_written_as_a_foreign_encoder_writes_it() {
        for bits in 0..1_u32 << 12 {
            let [_, high, middle, low] = (bits << 12 | (0xfff ^ bits)).to_be_bytes();
            let bytes = [high, middle, low];
            let mut text = Vec::new();
            push_base64(&bytes, &mut text);
            assert_eq!(text, Base64::encode_string(&bytes).into_bytes());
        }
    }

    #[test]
    fn every_length_is_written_as_a_foreign_encoder_writes_it() {
        for length in 0..100_usize {
            for seed in [0_usize, 85, 170, 255] {
                let bytes: Vec<u8> = (0..length)
                    .map(|place| u8::try_from(((place * 37) ^ seed) % 256).expect("a byte"))
                    .collect();
                let mut text = b"before".to_vec();
                push_base64(&bytes, &mut text);
                assert_eq!(text, format!("before{}", Base64::encode_string(&bytes)).into_bytes());
                assert_eq!(text.len(), 6 + encoded_len(length));
            }
        }
    }
}
