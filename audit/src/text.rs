//! Free text that people write: reasons, references, names. Checked once, at the edge.

use std::fmt;

use unicode_normalization::is_nfc;

use crate::rejection::{Checked, Rejection, RejectionCode};

/// Longest free text, in bytes of UTF-8.
pub const FREE_TEXT_BYTES_MAX: usize = 1_024;

/// Text by a person: NFC, 1 to 1,024 bytes, without control, bidirectional-override or line-separator
/// characters and not of spaces alone, so that what is signed reads the same everywhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FreeText(String);

impl FreeText {
    /// Checks `text`, naming `field` in a refusal.
    ///
    /// # Errors
    /// `text_length` when empty or too long, `invalid_text` for a character that is not allowed, text not in NFC, or
    /// nothing but spaces.
    pub fn parse(field: &str, text: &str) -> Checked<Self> {
        check_visible(field, text, FREE_TEXT_BYTES_MAX)?;
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FreeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for FreeText {
    type Err = Rejection;

    fn from_str(text: &str) -> Checked<Self> {
        Self::parse("text", text)
    }
}

/// Checks that `text` is 1 to `bytes_max` bytes of NFC without deceptive characters, and not of spaces alone.
///
/// # Errors
/// As [`FreeText::parse`].
pub fn check_visible(field: &str, text: &str, bytes_max: usize) -> Checked<()> {
    if text.is_empty() || text.len() > bytes_max {
        let expected = format!("1 to {bytes_max} bytes");
        return Err(Rejection::new(
            RejectionCode::TextLength,
            field,
            expected,
            format!("{} bytes", text.len()),
        ));
    }
    if let Some(bad) = text.chars().find(|&c| c.is_control() || is_deceptive(c)) {
        let expected = "text without control, bidirectional or line-separator characters";
        return Err(Rejection::new(
            RejectionCode::InvalidText,
            field,
            expected,
            format!("U+{:04X}", bad as u32),
        ));
    }
    if text.chars().all(char::is_whitespace) {
        return Err(Rejection::new(RejectionCode::InvalidText, field, "a visible character", "only spaces"));
    }
    if !is_nfc(text) {
        return Err(Rejection::new(RejectionCode::InvalidText, field, "text in Unicode form NFC", text));
    }
    Ok(())
}

/// Whether a character can make text look like another: bidirectional controls, line and paragraph separators,
/// zero-width and invisible formatting characters, byte order marks, and noncharacters.
pub fn is_deceptive(character: char) -> bool {
    matches!(character,
        '\u{00ad}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
        || (character as u32) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> RejectionCode {
        FreeText::parse("reason", text).expect_err("must be refused").code
    }

    #[test]
    fn visible_nfc_text_is_accepted() {
        for text in ["late merge", "Grüße, 世界", "🙂", &"x".repeat(1_024)] {
            assert_eq!(FreeText::parse("reason", text).expect("accepted").as_str(), text);
        }
    }

    #[test]
    fn deceptive_text_is_refused() {
        assert_eq!(code(""), RejectionCode::TextLength);
        assert_eq!(code(&"x".repeat(1_025)), RejectionCode::TextLength);
        for text in
            ["a\nb", "a\tb", "\u{7f}", "\u{85}", "abc\u{202e}cba", "a\u{2028}b", "a\u{200b}b", "\u{feff}a"]
        {
            assert_eq!(code(text), RejectionCode::InvalidText, "{text:?}");
        }
        for text in [" ", "   ", "\u{a0}", "\u{3000} \u{2003}"] {
            assert_eq!(code(text), RejectionCode::InvalidText, "{text:?} shows nothing");
        }
        assert_eq!(code("e\u{301}"), RejectionCode::InvalidText, "decomposed text is not NFC");
    }
}
