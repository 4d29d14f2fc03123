//! Identifiers and numbers in serialised form: their one text form, or numbers in formats that people do not read.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use super::{
    Claimant, ComponentId, EpochNumber, EventId, EventType, Identity, NodeId, Origin, Provider, Revision,
    ScopeId, ScopeKey, SetVersion, Source, UserId,
};
use crate::amount::{Credits, Units};
use crate::rejection::{Checked, Rejection};
use crate::text::FreeText;
use crate::time::Timestamp;

/// Reads a value from its text, which is not kept.
struct TextVisitor<T>(PhantomData<T>);

impl<T: FromStr<Err = Rejection>> serde::de::Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

fn read_text<'de, T: FromStr<Err = Rejection>, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    deserializer.deserialize_str(TextVisitor(PhantomData))
}

/// Serialises as the text form what does not hold it as a text.
macro_rules! serialize_as_text {
    ($($name:ty),*) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )*};
}

serialize_as_text!(Identity, Claimant);

impl serde::Serialize for Provider {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl serde::Serialize for FreeText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Parses identifiers from their text form.
macro_rules! deserialize_from_text {
    ($($name:ty),*) => {$(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                read_text(deserializer)
            }
        }
    )*};
}

deserialize_from_text!(
    NodeId,
    ScopeId,
    UserId,
    ScopeKey,
    Source,
    EventType,
    EventId,
    Origin,
    ComponentId,
    Provider,
    Identity,
    Claimant,
    FreeText
);

/// Serialises numbers as decimal text into formats that people read, and as numbers into the others.
macro_rules! serde_as_number {
    ($($name:ty: $number:ty, $to:expr, $from:expr);*) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let to: fn(&$name) -> $number = $to;
                if serializer.is_human_readable() {
                    return serializer.serialize_str(itoa::Buffer::new().format(to(self)));
                }
                serde::Serialize::serialize(&to(self), serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    return read_text(deserializer);
                }
                let from: fn($number) -> Checked<$name> = $from;
                from(<$number as serde::Deserialize>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

serde_as_number! {
    EpochNumber: u64, |number| number.get(), EpochNumber::new;
    Revision: u64, |number| number.get(), Revision::new;
    SetVersion: u64, |number| number.get(), SetVersion::new;
    Units: u128, |units| units.value(), |value| Ok(Units::sum_of(value));
    Credits: u128, |credits| credits.value(), |value| Ok(Credits::sum_of(value))
}

impl serde::Serialize for Timestamp {
    /// As the canonical text into formats that people read, and as milliseconds into the others.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.serialize_str(str::from_utf8(&self.text()).unwrap_or_default());
        }
        serializer.serialize_i64(self.as_ms())
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return read_text(deserializer);
        }
        Self::from_ms(i64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
