//! Numbers of the command line, refused in words that say what was expected.

use std::str::FromStr;

/// A whole number, as large as its type holds.
pub(super) fn whole<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { "expected a smaller number" } else { "expected a whole number without sign" }
            .to_owned()
    })
}

/// The number of an epoch.
pub(super) fn epoch(text: &str) -> Result<u64, String> {
    match whole(text)? {
        0 => Err("expected a number from 1: the first epoch of a scope is epoch 1".to_owned()),
        number => Ok(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_refused_in_words() {
        assert_eq!(whole::<u8>("255"), Ok(255));
        assert_eq!(whole::<u8>("256"), Err("expected a smaller number".to_owned()));
        for text in ["", "x", "1.5", "0x1", " 1"] {
            assert_eq!(whole::<u8>(text), Err("expected a whole number without sign".to_owned()), "{text}");
        }
        assert_eq!(epoch("1"), Ok(1));
        assert!(epoch("0").is_err_and(|said| said.contains("from 1")));
    }
}
