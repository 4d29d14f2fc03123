//! JSON as meed reads and writes it: objects, arrays, strings and booleans, in the one form of RFC 8785.
//!
//! Numbers and null never reach anything that is hashed. At the edge, integers that JSON keeps exactly become
//! decimal strings; what would lose precision, null and repeated fields are refused with the path to them.

mod words;

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::rejection::{Checked, Rejection, RejectionCode};

pub use words::{refuse_content, refuse_json};

/// Largest integer that every JSON reader keeps exactly: 2^53 - 1.
pub const EXACT_INTEGER_MAX: u64 = (1 << 53) - 1;
/// Deepest nesting that is read.
pub const DEPTH_MAX: usize = 32;

/// A JSON value without numbers and null; the fields of objects are unique and sorted as RFC 8785 demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Value>),
    /// An object, its fields sorted by UTF-16 code units.
    Object(Vec<(String, Value)>),
}

impl Value {
    /// Reads JSON at the edge, converting exact integers to decimal strings.
    ///
    /// # Errors
    /// `not_utf8`, `malformed`, `duplicate_field`, `number_loses_precision`, `null_not_allowed`.
    pub fn parse_edge(bytes: &[u8]) -> Checked<Self> {
        Self::parse_edge_with_texts(bytes, &[])
    }

    /// As [`Value::parse_edge`], of an object whose fields `texts` must not be written as numbers: those that name
    /// something, where a number would be a mistake.
    ///
    /// # Errors
    /// As [`Value::parse_edge`]; `wrong_type` for a number in one of these fields.
    pub fn parse_edge_with_texts(bytes: &[u8], texts: &[&str]) -> Checked<Self> {
        let raw = Raw::parse(bytes)?;
        if let Raw::Object(fields) = &raw {
            fields.iter().try_for_each(|(name, value)| value.check_text(name, texts))?;
        }
        raw.check("", 0)
    }

    /// As [`Value::parse_edge_with_texts`], where a refused field does not hide the others: the fields that can be read,
    /// and why each of the others cannot.
    ///
    /// # Errors
    /// `not_utf8`, `malformed`; all refusals of what is no object.
    pub fn parse_edge_by_field(bytes: &[u8], texts: &[&str]) -> Checked<(Self, Vec<Rejection>)> {
        let fields = match Raw::parse(bytes)? {
            Raw::Object(fields) => fields,
            other => return Ok((other.check("", 0)?, Vec::new())),
        };
        let (mut kept, mut refused, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
        for (name, raw) in fields {
            if !seen.insert(name.clone()) {
                refused.push(field_twice(name));
                continue;
            }
            match raw.check_text(&name, texts).and_then(|()| raw.check(&name, 1)) {
                Ok(value) => kept.push((name, value)),
                Err(rejection) => refused.push(rejection),
            }
        }
        kept.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
        Ok((Self::Object(kept), refused))
    }

    /// The field of an object, if it is one and has it.
    pub fn field(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Object(fields) => fields.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Bool(_) => "a boolean",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// The canonical text (RFC 8785): no white space, sorted fields, shortest escapes.
    pub fn to_canonical(&self) -> String {
        // A value holds nothing that serialising could refuse.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(items) => {
                let mut sequence = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    sequence.serialize_element(item)?;
                }
                sequence.end()
            }
            Self::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

/// A JSON value exactly as it was written, repeated fields included, so that refusals can name what is wrong.
enum Raw {
    Null,
    Bool(bool),
    Number(String, bool),
    String(String),
    Array(Vec<Raw>),
    Object(Vec<(String, Raw)>),
}

impl Raw {
    fn parse(bytes: &[u8]) -> Checked<Self> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let got = format!("a bad byte at offset {}", error.valid_up_to());
            Rejection::new(RejectionCode::NotUtf8, "text", "UTF-8", got)
        })?;
        serde_json::from_str(text).map_err(|error| refuse_json("text", "one JSON value", &error, bytes))
    }

    /// Whether a field that must be a text is none.
    fn check_text(&self, name: &str, texts: &[&str]) -> Checked<()> {
        match self {
            Self::Number(number, _) if texts.contains(&name) => {
                let got = format!("the number {number}");
                Err(Rejection::new(RejectionCode::WrongType, name, "a string", got))
            }
            _ => Ok(()),
        }
    }

    fn check(self, path: &str, depth: usize) -> Checked<Value> {
        if depth > DEPTH_MAX {
            let expected = format!("at most {DEPTH_MAX} levels");
            return Err(Rejection::new(RejectionCode::TooMany, path, expected, "deeper nesting"));
        }
        match self {
            Self::Null => {
                Err(Rejection::new(RejectionCode::NullNotAllowed, path, "a value, or no such field", "null"))
            }
            Self::Bool(value) => Ok(Value::Bool(value)),
            Self::Number(text, true) => Ok(Value::String(text)),
            Self::Number(text, false) => {
                let expected = format!("an integer within ±{EXACT_INTEGER_MAX}, or a string");
                let got = described(&text);
                Err(Rejection::new(RejectionCode::NumberLosesPrecision, path, expected, got))
            }
            Self::String(text) => Ok(Value::String(text)),
            Self::Array(items) => items
                .into_iter()
                .enumerate()
                .map(|(index, item)| item.check(&format!("{path}[{index}]"), depth + 1))
                .collect::<Checked<_>>()
                .map(Value::Array),
            Self::Object(fields) => check_object(fields, path, depth),
        }
    }
}

/// A number that is not kept: what it was written as is lost, so a fraction or an exponent that does not show is named.
fn described(text: &str) -> String {
    let digits = text.trim_start_matches('-');
    let is_short = digits.len() < EXACT_INTEGER_MAX.to_string().len();
    match is_short && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => format!("{text}, written with a fraction or an exponent"),
        false => text.to_owned(),
    }
}

fn check_object(fields: Vec<(String, Raw)>, path: &str, depth: usize) -> Checked<Value> {
    let mut checked = Vec::with_capacity(fields.len());
    for (name, raw) in fields {
        let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        checked.push((name, raw.check(&inner, depth + 1)?));
    }
    checked.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    for pair in checked.windows(2) {
        if let [(a, _), (b, _)] = pair
            && a == b
        {
            return Err(field_twice(if path.is_empty() { a.clone() } else { format!("{path}.{a}") }));
        }
    }
    Ok(Value::Object(checked))
}

fn field_twice(field: String) -> Rejection {
    Rejection::new(RejectionCode::DuplicateField, field, "the field once", "it twice")
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string(), value <= EXACT_INTEGER_MAX))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string(), value.unsigned_abs() <= EXACT_INTEGER_MAX))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string(), false))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::String(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Raw, E> {
        Ok(Raw::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Raw::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = access.next_entry()? {
            fields.push(field);
        }
        Ok(Raw::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> RejectionCode {
        Value::parse_edge(text.as_bytes()).expect_err(text).code
    }

    #[test]
    fn canonical_text_is_what_a_foreign_canonicaliser_writes() {
        let text = r#" {"b":[true,"x\u0001\u00e9\n\"\\\/","€"],"a":{"\ud83d\ude00":"1","\ufb33":"2","ö":"3","":"4"},
            "\r":"c","1":"d","\u0080":"e"} "#;
        let ours = Value::parse_edge(text.as_bytes()).expect("parses").to_canonical();
        let generic: serde_json::Value = serde_json::from_str(text).expect("parses");
        let theirs = serde_json_canonicalizer::to_string(&generic).expect("canonicalises");
        assert_eq!(ours, theirs);
    }

    #[test]
    fn integers_become_decimal_strings() {
        let value = Value::parse_edge(br#"{"n":9007199254740991,"m":-5,"z":0}"#).expect("parses");
        assert_eq!(value.to_canonical(), r#"{"m":"-5","n":"9007199254740991","z":"0"}"#);
    }

    #[test]
    fn what_cannot_be_kept_exactly_is_refused_by_path() {
        for text in ["9007199254740992", "1.5", "1e3", "-0", "-9007199254740992", "1e999"] {
            let document = format!(r#"{{"a":[{{"n":{text}}}]}}"#);
            let result = Value::parse_edge(document.as_bytes()).expect_err(text);
            if result.code != RejectionCode::Malformed {
                assert_eq!(
                    (result.code, result.subject.as_str()),
                    (RejectionCode::NumberLosesPrecision, "a[0].n")
                );
            }
        }
        assert_eq!(code(r#"{"a":null}"#), RejectionCode::NullNotAllowed);
        assert_eq!(code(r#"{"a":"1","b":{"c":"1","c":"1"}}"#), RejectionCode::DuplicateField);
        assert_eq!(code(r#"{"a":"1","\u0061":"1"}"#), RejectionCode::DuplicateField);
        for text in ["", "{", "[1,]", "{} {}", "{'a':1}", "\u{feff}{}", r#"{"a":"\ud800"}"#] {
            assert_eq!(code(text), RejectionCode::Malformed, "{text}");
        }
        assert_eq!(code(&format!("{}{}", "[".repeat(60), "]".repeat(60))), RejectionCode::TooMany);
        assert_eq!(code(&"[".repeat(100_000)), RejectionCode::Malformed);
        assert_eq!(Value::parse_edge(b"\"\xff\"").expect_err("bad byte").code, RejectionCode::NotUtf8);
    }
}
