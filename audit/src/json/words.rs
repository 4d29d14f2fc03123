//! What was wrong with a JSON text, in the words of meed: what stood there and where, never the words of the parser
//! that found it.

use std::borrow::Cow;

use crate::rejection::{Rejection, RejectionCode};

/// The refusal of a text that is not the JSON it should be: `subject` should have been `expected`.
pub fn refuse_json(subject: &str, expected: &str, error: &serde_json::Error, text: &[u8]) -> Rejection {
    let place = place(error, text);
    match error.classify() {
        serde_json::error::Category::Data => {
            let said = error.to_string();
            // The parser puts the place behind what it says.
            let (said, _) = said.rsplit_once(" at line ").unwrap_or((&said, ""));
            let Mistake { code, expected: other, got } = mistake(said);
            Rejection::new(code, subject, other.unwrap_or(expected.into()), format!("{got}, {place}"))
        }
        _ => {
            let got = format!("{} {place}", syntax(error, text));
            Rejection::new(RejectionCode::Malformed, subject, expected, got)
        }
    }
}

/// The refusal of the content of a document that is well-formed, whichever format it is written in.
pub fn refuse_content(subject: &str, expected: &str, said: &str) -> Rejection {
    let Mistake { code, expected: other, got } = mistake(said);
    Rejection::new(code, subject, other.unwrap_or(expected.into()), got)
}

/// Where it is: the column, in bytes, and the line where there are several.
fn place(error: &serde_json::Error, text: &[u8]) -> String {
    let column = error.column().max(1);
    if text.trim_ascii_end().contains(&b'\n') {
        return format!("in line {} at column {column}", error.line());
    }
    format!("at column {column}")
}

/// What is no JSON.
fn syntax(error: &serde_json::Error, text: &[u8]) -> String {
    if error.is_eof() {
        return if text.trim_ascii().is_empty() {
            "an empty text".to_owned()
        } else {
            "a text that ends before the value does,".to_owned()
        };
    }
    let said = error.to_string();
    if said.starts_with("recursion limit") {
        return "more values within each other than are read,".to_owned();
    }
    if said.starts_with("number out of range") {
        return "a number beyond all limits".to_owned();
    }
    match character(error, text) {
        Some(character) => format!("`{character}`, which cannot stand there,"),
        None => "what cannot stand there,".to_owned(),
    }
}

/// The character at the place of the error. No more of the text is repeated: it may be a secret in the wrong place.
fn character(error: &serde_json::Error, text: &[u8]) -> Option<char> {
    let line = text.split(|byte| *byte == b'\n').nth(error.line().checked_sub(1)?)?;
    let (_, from) = line.split_at_checked(error.column().checked_sub(1)?)?;
    let character = String::from_utf8_lossy(from).chars().next()?;
    (!character.is_whitespace()).then_some(character)
}

/// What a well-formed document has instead of what it should have.
struct Mistake<'a> {
    code: RejectionCode,
    expected: Option<Cow<'a, str>>,
    got: String,
}

/// Reads what serde says of a document's content. What it does not say in one of its own phrases was said by meed.
fn mistake(said: &str) -> Mistake<'_> {
    let phrase = |start: &str| said.strip_prefix(start);
    if let Some(rest) = phrase("unknown field ") {
        return Mistake { code: RejectionCode::UnknownField, ..wrong_name("the unknown field", rest) };
    }
    if let Some(rest) = phrase("unknown variant ") {
        return Mistake { code: RejectionCode::Malformed, ..wrong_name("the unknown word", rest) };
    }
    if let Some(name) = phrase("missing field ") {
        let expected = format!("the field {}", plain(name));
        return Mistake {
            code: RejectionCode::MissingField,
            expected: Some(expected.into()),
            got: "none".into(),
        };
    }
    if let Some(name) = phrase("duplicate field ") {
        let got = format!("the field {} twice", plain(name));
        return Mistake {
            code: RejectionCode::DuplicateField,
            expected: Some("each field once".into()),
            got,
        };
    }
    for (start, code) in [
        ("invalid type: ", RejectionCode::WrongType),
        ("invalid value: ", RejectionCode::Malformed),
        ("invalid length ", RejectionCode::Malformed),
    ] {
        if let Some((got, expected)) = phrase(start).and_then(|rest| rest.split_once(", expected ")) {
            return Mistake { code, expected: Some(wanted(expected)), got: found(got) };
        }
    }
    Mistake { code: RejectionCode::Malformed, expected: None, got: said.to_owned() }
}

/// A name that is not among those that the document knows: `` `x`, expected one of `a`, `b` ``.
fn wrong_name<'a>(what: &str, rest: &str) -> Mistake<'a> {
    let (name, known) = match rest.split_once(", expected ") {
        Some((name, known)) => (name, Some(Cow::Owned(plain(known)))),
        None => (rest.split_once(", ").map_or(rest, |(name, _)| name), Some("no field".into())),
    };
    Mistake { code: RejectionCode::Malformed, expected: known, got: format!("{what} {}", plain(name)) }
}

fn plain(text: &str) -> String {
    text.replace('`', "")
}

/// What was wanted, where serde names one of Rust's types.
fn wanted(expected: &str) -> Cow<'_, str> {
    let word = expected.split(' ').next().unwrap_or_default();
    match (word, expected) {
        ("u8" | "u16" | "u32" | "u64" | "u128" | "usize", _) => "a whole number without sign".into(),
        ("i8" | "i16" | "i32" | "i64" | "i128" | "isize", _) => "a whole number".into(),
        ("struct" | "map", _) | (_, "a map") => "an object".into(),
        (_, "any value" | "any valid JSON value") => "a JSON value".into(),
        ("tuple", _) | (_, "a sequence" | "a tuple") => "an array".into(),
        _ => expected.into(),
    }
}

/// What came, where serde names the kinds of its own model.
fn found(got: &str) -> String {
    let (kind, value) = got.split_once(' ').unwrap_or((got, ""));
    match (kind, value) {
        ("map", "") => "an object".to_owned(),
        ("sequence", "") => "an array".to_owned(),
        ("unit" | "null", _) => "null".to_owned(),
        ("boolean", value) => plain(value),
        ("integer", value) => format!("the number {}", plain(value)),
        ("floating", value) => format!("the number {}", plain(value.trim_start_matches("point "))),
        ("string", value) => format!("the text {value}"),
        (length, "") if length.bytes().all(|byte| byte.is_ascii_digit()) => format!("{length} of them"),
        _ => got.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Document {
        #[expect(dead_code, reason = "only read")]
        days: u32,
        #[expect(dead_code, reason = "only read")]
        name: Option<String>,
        #[expect(dead_code, reason = "only read")]
        kind: Option<Kind>,
        #[expect(dead_code, reason = "only read")]
        list: Option<Vec<String>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Claim,
        Exclude,
    }

    fn said(text: &str) -> String {
        let error = serde_json::from_str::<Document>(text).expect_err(text);
        let said = refuse_json("body", "the document", &error, text.as_bytes()).to_string();
        for theirs in ["invalid", "ident", "floating", "EOF", "sequence", "u32", "trailing", "at line"] {
            assert!(!said.contains(theirs), "{theirs}: {said}");
        }
        said
    }

    #[test]
    fn what_is_no_json_is_shown_where_it_stands() {
        for (text, got) in [
            (
                "not json",
                "malformed: body: expected the document, got `o`, which cannot stand there, at column 2",
            ),
            ("{\"days\":tru}", "got `}`, which cannot stand there, at column 12"),
            ("{\"days\":1 \"name\":\"x\"}", "got `\"`, which cannot stand there, at column 11"),
            ("{\"days\":1} and a long remainder of words", "got `a`, which cannot stand there, at column 12"),
            ("{\n \"days\": 1,\n}", "got `}`, which cannot stand there, in line 3 at column 1"),
            ("{\"days\":", "got a text that ends before the value does, at column 8"),
            ("", "got an empty text at column 1"),
            ("{\"days\":1e999}", "got a number beyond all limits at column "),
        ] {
            let said = said(text);
            assert!(said.contains(got), "{got}: {said}");
        }
        let deep = "[".repeat(1_000);
        let error = serde_json::from_str::<serde_json::Value>(&deep).expect_err("deep");
        let said = refuse_json("text", "one JSON value", &error, deep.as_bytes()).to_string();
        assert!(said.contains("got more values within each other than are read, at column 128"), "{said}");
    }

    #[test]
    fn what_a_document_holds_is_told_in_our_words() {
        for (text, got) in [
            (
                "{\"days\":1.5}",
                "wrong_type: body: expected a whole number without sign, got the number 1.5, at column 11",
            ),
            ("{\"days\":-5}", "malformed: body: expected a whole number without sign, got the number -5, "),
            (
                "{\"days\":\"5\"}",
                "wrong_type: body: expected a whole number without sign, got the text \"5\", ",
            ),
            ("{\"days\":null}", "got null, "),
            ("{\"days\":{}}", "got an object, "),
            ("{\"days\":true}", "got true, "),
            ("{\"days\":1,\"name\":[]}", "wrong_type: body: expected a string, got an array, "),
            ("{\"days\":1,\"list\":{}}", "wrong_type: body: expected an array, got an object, "),
            ("{}", "missing_field: body: expected the field days, got none, at column 2"),
            (
                "{\"days\":1,\"days\":1}",
                "duplicate_field: body: expected each field once, got the field days twice, ",
            ),
            (
                "{\"day\":1}",
                "unknown_field: body: expected one of days, name, kind, list, got the unknown field day, ",
            ),
            (
                "{\"days\":1,\"kind\":\"keep\"}",
                "malformed: body: expected claim or exclude, got the unknown word keep, ",
            ),
            ("5", "wrong_type: body: expected an object, got the number 5, "),
        ] {
            let said = said(text);
            assert!(said.contains(got), "{got}: {said}");
        }
        let ours = refuse_content("trust file", "its fields", "invalid_time: time: expected a time, got x")
            .to_string();
        assert_eq!(
            ours,
            "malformed: trust file: expected its fields, got invalid_time: time: expected a time, got x"
        );
    }
}
