//! Writing leaves: RFC 8785 JSON of what leaves are made of, which is strings, booleans, arrays and objects.
//!
//! Numbers are refused, since no leaf may hold one. That fields stand in the order of their names is the types' doing,
//! and the tests compare with a foreign canonicaliser. Hashing a million leaves begins with writing them: a text
//! without anything to escape, as nearly all are, is copied whole.

use std::fmt::{self, Display, Write as _};

use memchr::memchr;
use serde::Serialize;
use serde::ser::{self, Impossible, SerializeMap, SerializeSeq, SerializeStruct};

/// Room for a leaf of usual length, in bytes; more than 1,032 would cost the usual allocator much more.
const LEAF_BYTES_USUAL: usize = 1_000;

/// The canonical bytes of a value.
///
/// # Errors
/// [`fmt::Error`] for what no leaf may hold: a number, bytes, a unit, a variant with fields.
pub(crate) fn to_vec(value: &impl Serialize) -> Result<Vec<u8>, fmt::Error> {
    let mut out = Vec::with_capacity(LEAF_BYTES_USUAL);
    append(&mut out, value)?;
    Ok(out)
}

/// Appends the canonical bytes of a value, for whoever writes many and keeps the room.
///
/// # Errors
/// As [`to_vec`].
pub(crate) fn append(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) -> fmt::Result {
    value.serialize(&mut Writer { out })
}

/// Appends a text as a JSON string.
///
/// # Errors
/// None in practice.
pub(crate) fn append_text(out: &mut Vec<u8>, text: &str) -> fmt::Result {
    Writer { out }.push_text(text)
}

struct Writer<'o> {
    out: &'o mut Vec<u8>,
}

/// Whether a byte stands in a JSON string as itself.
fn is_plain(byte: u8) -> bool {
    byte >= 0x20 && byte != b'"' && byte != b'\\'
}

/// Looks at every byte, without a branch for each.
fn is_all_plain(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |plain, byte| plain & is_plain(*byte))
}

impl Writer<'_> {
    fn push_text(&mut self, text: &str) -> fmt::Result {
        if !is_all_plain(text.as_bytes()) {
            return self.push_lines(text);
        }
        self.out.push(b'"');
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'"');
        Ok(())
    }

    /// Signed notes are plain lines, which are copied whole.
    fn push_lines(&mut self, text: &str) -> fmt::Result {
        if !text.bytes().fold(true, |plain, byte| plain & (is_plain(byte) | (byte == b'\n'))) {
            return serde_json::to_writer(&mut *self.out, text).map_err(|_| fmt::Error);
        }
        self.out.push(b'"');
        let mut rest = text.as_bytes();
        while let Some((line, after)) = memchr(b'\n', rest).and_then(|end| rest.split_at_checked(end)) {
            self.out.extend_from_slice(line);
            self.out.extend_from_slice(b"\\n");
            rest = after.get(1..).unwrap_or_default();
        }
        self.out.extend_from_slice(rest);
        self.out.push(b'"');
        Ok(())
    }
}

/// Takes the parts of a text as it is being formatted.
struct Parts<'a>(&'a mut Vec<u8>);

impl fmt::Write for Parts<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.0.extend_from_slice(part.as_bytes());
        Ok(())
    }
}

/// An array or object that is being written.
struct Open<'a, 'o> {
    writer: &'a mut Writer<'o>,
    is_first: bool,
    close: u8,
}

impl<'a, 'o> Open<'a, 'o> {
    fn new(writer: &'a mut Writer<'o>, open: u8, close: u8) -> Self {
        writer.out.push(open);
        Self { writer, is_first: true, close }
    }

    fn comma(&mut self) {
        if !std::mem::take(&mut self.is_first) {
            self.writer.out.push(b',');
        }
    }

    fn finish(self) -> fmt::Result {
        self.writer.out.push(self.close);
        Ok(())
    }
}

impl SerializeSeq for Open<'_, '_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> fmt::Result {
        self.comma();
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> fmt::Result {
        self.finish()
    }
}

impl SerializeMap for Open<'_, '_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> fmt::Result {
        self.comma();
        key.serialize(&mut *self.writer)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> fmt::Result {
        self.writer.out.push(b':');
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> fmt::Result {
        self.finish()
    }
}

impl SerializeStruct for Open<'_, '_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> fmt::Result {
        // Nothing in a word of the program is to be escaped.
        debug_assert!(is_all_plain(name.as_bytes()), "a field's name is a word");
        self.comma();
        self.writer.out.push(b'"');
        self.writer.out.extend_from_slice(name.as_bytes());
        self.writer.out.extend_from_slice(b"\":");
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> fmt::Result {
        self.finish()
    }
}

/// What leaves do not hold is refused.
macro_rules! refuse {
    ($($method:ident($type:ty)),*) => {
        $(fn $method(self, _: $type) -> fmt::Result { Err(fmt::Error) })*
    };
}

impl<'a, 'o> ser::Serializer for &'a mut Writer<'o> {
    type Ok = ();
    type Error = fmt::Error;
    type SerializeSeq = Open<'a, 'o>;
    type SerializeTuple = Impossible<(), fmt::Error>;
    type SerializeTupleStruct = Impossible<(), fmt::Error>;
    type SerializeTupleVariant = Impossible<(), fmt::Error>;
    type SerializeMap = Open<'a, 'o>;
    type SerializeStruct = Open<'a, 'o>;
    type SerializeStructVariant = Impossible<(), fmt::Error>;

    refuse!(
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_i128(i128),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_u128(u128),
        serialize_f32(f32),
        serialize_f64(f64),
        serialize_bytes(&[u8]),
        serialize_unit_struct(&'static str)
    );

    fn serialize_bool(self, value: bool) -> fmt::Result {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_char(self, value: char) -> fmt::Result {
        self.push_text(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> fmt::Result {
        self.push_text(value)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> fmt::Result {
        let start = self.out.len();
        self.out.push(b'"');
        write!(Parts(self.out), "{value}")?;
        if self.out.get(start + 1..).is_some_and(is_all_plain) {
            self.out.push(b'"');
            return Ok(());
        }
        self.out.truncate(start);
        self.push_text(&value.to_string())
    }

    fn serialize_none(self) -> fmt::Result {
        Err(fmt::Error)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> fmt::Result {
        value.serialize(self)
    }

    fn serialize_unit(self) -> fmt::Result {
        Err(fmt::Error)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> fmt::Result {
        self.push_text(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> fmt::Result {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> fmt::Result {
        let mut open = Open::new(self, b'{', b'}');
        open.serialize_field(variant, value)?;
        open.finish()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Open<'a, 'o>, fmt::Error> {
        Ok(Open::new(self, b'[', b']'))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, fmt::Error> {
        Err(fmt::Error)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Open<'a, 'o>, fmt::Error> {
        Ok(Open::new(self, b'{', b'}'))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Open<'a, 'o>, fmt::Error> {
        Ok(Open::new(self, b'{', b'}'))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, fmt::Error> {
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Serialize)]
    struct Sample {
        absent: Option<String>,
        list: Vec<String>,
        map: std::collections::BTreeMap<String, bool>,
        #[serde(serialize_with = "collected")]
        text: String,
    }

    fn collected<S: serde::Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(text)
    }

    #[derive(Serialize)]
    struct Present<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        absent: &'a Option<String>,
        list: &'a [String],
        map: &'a std::collections::BTreeMap<String, bool>,
        #[serde(serialize_with = "collected")]
        text: &'a str,
    }

    proptest! {
        #[test]
        fn equals_what_serde_json_writes(
            absent: Option<String>, list: Vec<String>, map: std::collections::BTreeMap<String, bool>, text: String,
        ) {
            let present = Present { absent: &absent, list: &list, map: &map, text: &text };
            prop_assert_eq!(to_vec(&present).unwrap(), serde_json::to_vec(&present).unwrap());
        }
    }

    #[test]
    fn every_character_below_128_is_written_as_serde_json_does() {
        for byte in 0..128_u8 {
            let text = format!("a{}b", char::from(byte));
            assert_eq!(to_vec(&text).unwrap(), serde_json::to_vec(&text).unwrap());
        }
    }

    #[test]
    fn what_no_leaf_may_hold_is_refused() {
        assert!(
            to_vec(&1_u64).is_err() && to_vec(&-1_i8).is_err() && to_vec(&serde_json::json!(0.5)).is_err()
        );
        assert!(to_vec(&()).is_err() && to_vec(&None::<String>).is_err() && to_vec(&("a", "b")).is_err());
        let sample = Sample { absent: None, list: vec![], map: [].into(), text: String::new() };
        assert!(to_vec(&sample).is_err(), "null");
    }
}
