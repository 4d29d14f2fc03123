//! Text of strangers made safe to show: names and subject lines that enter metadata.

use meed_audit::text::is_deceptive;
use unicode_normalization::UnicodeNormalization;

/// What stands in place of a word that may be an e-mail address.
const HIDDEN: &str = "[hidden]";
/// What shows that a text was cut.
const CUT: char = '…';

/// `bytes` as one line of visible text in NFC, at most `bytes_max` bytes (at least 3), possibly empty.
///
/// Bytes that are not UTF-8 become U+FFFD, control and deceptive characters vanish, white space becomes one space.
/// Every word with an at sign is hidden, since people write addresses into names and subjects too, and metadata is
/// shown to everybody.
pub(crate) fn visible_line(bytes: &[u8], bytes_max: usize) -> String {
    // Only so much is looked at that the longest result can come of it: subjects may have megabytes.
    let looked_at = bytes.get(..bytes_max.saturating_mul(4)).unwrap_or(bytes);
    let incomplete = looked_at.len() < bytes.len();
    let lossy = String::from_utf8_lossy(looked_at);
    let mut words: Vec<&str> = lossy.split(char::is_whitespace).collect();
    if incomplete {
        // The at sign of a word that is cut may be in the part that is not looked at.
        words.pop();
    }
    let mut text = String::new();
    for word in words {
        let visible: String = word.chars().filter(|&c| !c.is_control() && !is_deceptive(c)).nfc().collect();
        if visible.is_empty() {
            continue;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(if holds_address(&visible) { HIDDEN } else { &visible });
    }
    // Hidden words are replaced before anything is cut, so that no part of one remains at the end.
    cut(&text, bytes_max, incomplete)
}

/// Whether a word holds an at sign in any form that a reader, or a browser, would take for one.
fn holds_address(word: &str) -> bool {
    word.contains(['@', '\u{ff20}', '\u{fe6b}']) || word.contains("%40") || word.contains("&#64;")
}

/// At most `bytes_max` bytes of `text`, ending in `…` when something is missing. A part of an NFC text is NFC.
fn cut(text: &str, bytes_max: usize, incomplete: bool) -> String {
    if text.len() <= bytes_max && !incomplete {
        return text.to_owned();
    }
    let room = bytes_max.saturating_sub(CUT.len_utf8());
    let end = (0..=room.min(text.len())).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    let mut kept = text.get(..end).unwrap_or_default().trim_end().to_owned();
    kept.push(CUT);
    kept
}

#[cfg(test)]
mod tests {
    use meed_audit::text::check_visible;

    use super::visible_line;

    #[test]
    fn hostile_text_becomes_one_visible_line() {
        let cases: [(&[u8], &str); 9] = [
            (b"Fix the parser", "Fix the parser"),
            (b"  two\t words\r\n", "two words"),
            (b"\xffJos\xc3\xa9", "\u{fffd}José"),
            ("Jose\u{301}".as_bytes(), "José"),
            ("e\u{200b}\u{301}vil\u{202e}txt".as_bytes(), "éviltxt"),
            (b"\x1b[31mred\x07", "[31mred"),
            (b"ask alice@example.org, or <bob@example.org>!", "ask [hidden] or [hidden]"),
            ("a＠b c%40d".as_bytes(), "[hidden] [hidden]"),
            (b"", ""),
        ];
        for (bytes, expected) in cases {
            assert_eq!(visible_line(bytes, 100), expected, "{bytes:?}");
        }
    }

    #[test]
    fn long_text_is_cut_between_characters_and_stays_valid() {
        for text in [
            "x ".repeat(1_000_000),
            "x".repeat(1_000),
            "é".repeat(500),
            "🙂".repeat(100),
            format!("{} a@b.org", "y".repeat(96)),
        ] {
            for bytes_max in 3..104 {
                let line = visible_line(text.as_bytes(), bytes_max);
                assert!(line.len() <= bytes_max && line.ends_with('…') && !line.contains('@'), "{line}");
                check_visible("line", &line, bytes_max).expect("visible");
            }
        }
    }

    #[test]
    fn an_address_cut_at_the_limit_of_what_is_looked_at_does_not_survive() {
        let text = format!("{}{}", " ".repeat(390), "alice-is-a-person@example.org");
        assert_eq!(visible_line(text.as_bytes(), 100), "…", "the local part alone must not be shown");
    }
}
