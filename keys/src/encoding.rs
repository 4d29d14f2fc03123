//! Base64 and hex as this room writes and reads them: one text for one value, nothing else.

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use crate::error::Base64Error;

/// The standard base64 of `bytes`, with padding (RFC 4648, section 4).
pub(crate) fn encode_base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// Reads standard base64 with padding, and only the text that [`encode_base64`] would have written.
///
/// The comparison at the end is what makes it canonical: it does not rest on what the decoder happens to let
/// through (trailing bits, missing padding).
pub(crate) fn decode_base64(text: &str) -> Result<Vec<u8>, Base64Error> {
    let bytes = Base64::decode_vec(text).map_err(|_| Base64Error)?;
    // Wiped, because a secret may be read with this.
    let again = Zeroizing::new(encode_base64(&bytes));
    if again.as_str() == text { Ok(bytes) } else { Err(Base64Error) }
}

/// Lower-case hex.
pub(crate) fn encode_hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or('?');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_lower_case_and_keeps_leading_zeros() {
        assert_eq!(encode_hex(&[0x00, 0x0f, 0xa0, 0xff]), "000fa0ff");
        assert_eq!(encode_hex(&[]), "");
    }

    #[test]
    fn base64_refuses_every_second_spelling_of_a_value() {
        assert_eq!(decode_base64("AAAAAAA=").unwrap(), [0; 5]);
        for text in [
            "AAAAAAB=",
            "AAAAAAA",
            "AAAAAAA==",
            "AAAAAAA=\n",
            " AAAAAAA=",
            "AAAA AAA=",
            "A-AAAAA=",
            "AAAAAAA=AAAA",
        ] {
            assert!(decode_base64(text).is_err(), "{text:?}");
        }
    }
}
