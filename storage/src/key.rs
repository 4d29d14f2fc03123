//! Keys of tables as bytes whose order is the order of the keys.
//!
//! Numbers and times are big-endian, ids and hashes are their bytes, texts end in a zero byte (which none of them may
//! hold), and a tuple is its parts one after the other. So the keys that share their first parts stand together.

use std::str::FromStr;

use meed_audit::hash::Hash;
use meed_audit::ids::{
    Claimant, ComponentId, EpochNumber, EventId, EventType, Identity, NodeId, Provider, Revision, ScopeId,
    ScopeKey, SetVersion, Source, UserId,
};
use meed_audit::time::Timestamp;
use meed_audit::{Checked, Rejection, RejectionCode};

/// A part of a table's key, or a whole one.
pub trait Key: Sized {
    /// Appends the bytes.
    fn write(&self, out: &mut Vec<u8>);

    /// Takes the bytes off the front of `input`, or gives nothing where they are no such key.
    fn read(input: &mut &[u8]) -> Option<Self>;

    /// The bytes alone.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        self.write(&mut out);
        out
    }

    /// Reads bytes that are this key and nothing more.
    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        Self::read(&mut bytes).filter(|_| bytes.is_empty())
    }
}

/// The first parts of a key `K`, by which [`Reader::with_prefix`](crate::Reader::with_prefix) finds all keys that
/// begin with them.
pub trait PrefixOf<K> {
    /// The bytes that all those keys begin with.
    fn prefix_bytes(&self) -> Vec<u8>;
}

/// The prefix of all keys of any table.
#[derive(Clone, Copy, Debug)]
pub struct All;

impl<K> PrefixOf<K> for All {
    fn prefix_bytes(&self) -> Vec<u8> {
        Vec::new()
    }
}

macro_rules! prefix_of {
    ($($all:ident),* => $prefix:ty) => {
        impl<$($all: Key),*> PrefixOf<($($all,)*)> for $prefix {
            fn prefix_bytes(&self) -> Vec<u8> { self.to_bytes() }
        }
    };
}
prefix_of!(A, B => A);
prefix_of!(A, B, C => A);
prefix_of!(A, B, C => (A, B));
prefix_of!(A, B, C, D => A);
prefix_of!(A, B, C, D => (A, B));
prefix_of!(A, B, C, D => (A, B, C));
prefix_of!(A, B, C, D, E => A);
prefix_of!(A, B, C, D, E => (A, B));
prefix_of!(A, B, C, D, E => (A, B, C));
prefix_of!(A, B, C, D, E => (A, B, C, D));

macro_rules! tuple_key {
    ($($name:ident $place:tt),*) => {
        impl<$($name: Key),*> Key for ($($name,)*) {
            fn write(&self, out: &mut Vec<u8>) { $(self.$place.write(out);)* }

            fn read(input: &mut &[u8]) -> Option<Self> { Some(($($name::read(input)?,)*)) }
        }
    };
}
tuple_key!(A 0, B 1);
tuple_key!(A 0, B 1, C 2);
tuple_key!(A 0, B 1, C 2, D 3);
tuple_key!(A 0, B 1, C 2, D 3, E 4);

impl<const N: usize> Key for [u8; N] {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn read(input: &mut &[u8]) -> Option<Self> {
        let (bytes, rest) = input.split_first_chunk()?;
        *input = rest;
        Some(*bytes)
    }
}

macro_rules! number_key {
    ($($name:ty),*) => {$(
        impl Key for $name {
            fn write(&self, out: &mut Vec<u8>) { out.extend_from_slice(&self.to_be_bytes()); }

            fn read(input: &mut &[u8]) -> Option<Self> { <[u8; size_of::<$name>()]>::read(input).map(Self::from_be_bytes) }
        }
    )*};
}
number_key!(u8, u16, u32, u64);

macro_rules! id_key {
    ($($name:ty),*) => {$(
        impl Key for $name {
            fn write(&self, out: &mut Vec<u8>) { out.extend_from_slice(self.as_bytes()); }

            fn read(input: &mut &[u8]) -> Option<Self> { Key::read(input).map(Self::from_bytes) }
        }
    )*};
}
id_key!(NodeId, ScopeId, UserId, Hash);

macro_rules! counter_key {
    ($($name:ty),*) => {$(
        impl Key for $name {
            fn write(&self, out: &mut Vec<u8>) { self.get().write(out); }

            fn read(input: &mut &[u8]) -> Option<Self> { Self::new(u64::read(input)?).ok() }
        }
    )*};
}
counter_key!(EpochNumber, Revision, SetVersion);

impl Key for Timestamp {
    fn write(&self, out: &mut Vec<u8>) {
        // Never negative, so that the bytes keep the order.
        self.as_ms().unsigned_abs().write(out);
    }

    fn read(input: &mut &[u8]) -> Option<Self> {
        Self::from_ms(i64::try_from(u64::read(input)?).ok()?).ok()
    }
}

/// A text in a key: any characters but U+0000.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyText(String);

impl KeyText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A claimant's key, which stands where the claimant would.
    pub(crate) fn of_claimant(claimant: &Claimant) -> Self {
        Self(claimant.to_string())
    }

    /// The text that stands right after a claimant's key: no key holds U+0001.
    pub(crate) fn after_claimant(claimant: &Claimant) -> Self {
        Self(format!("{claimant}\u{1}"))
    }

    /// A name that this program itself gives.
    pub(crate) fn of_static(name: &'static str) -> Self {
        Self(name.to_owned())
    }
}

impl FromStr for KeyText {
    type Err = Rejection;

    fn from_str(text: &str) -> Checked<Self> {
        if text.contains('\0') {
            return Err(Rejection::new(RejectionCode::InvalidText, "key", "a text without U+0000", text));
        }
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Display for KeyText {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

macro_rules! text_key {
    ($($name:ty),*) => {$(
        impl Key for $name {
            fn write(&self, out: &mut Vec<u8>) { write_text(&self.to_string(), out); }

            fn read(input: &mut &[u8]) -> Option<Self> { read_text(input)?.parse().ok() }
        }
    )*};
}
text_key!(Claimant, Identity, Provider);

macro_rules! borrowed_text_key {
    ($($name:ty),*) => {$(
        impl Key for $name {
            fn write(&self, out: &mut Vec<u8>) { write_text(self.as_str(), out); }

            fn read(input: &mut &[u8]) -> Option<Self> { read_text(input)?.parse().ok() }
        }
    )*};
}
borrowed_text_key!(ComponentId, EventId, EventType, KeyText, ScopeKey, Source);

fn write_text(text: &str, out: &mut Vec<u8>) {
    // None of the types above can hold a zero byte, so that this one ends the text.
    out.extend_from_slice(text.as_bytes());
    out.push(0);
}

fn read_text<'a>(input: &mut &'a [u8]) -> Option<&'a str> {
    let end = input.iter().position(|byte| *byte == 0)?;
    let (text, rest) = input.split_at_checked(end)?;
    *input = rest.get(1..)?;
    std::str::from_utf8(text).ok()
}

/// The first key after all keys that begin with `prefix`, or none where those are the last ones.
pub(crate) fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut after = prefix.get(..=last)?.to_vec();
    if let Some(byte) = after.last_mut() {
        *byte += 1;
    }
    Some(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip<K: Key + PartialEq + std::fmt::Debug>(key: K) -> Vec<u8> {
        let bytes = key.to_bytes();
        assert_eq!(K::from_bytes(&bytes).as_ref(), Some(&key));
        assert!(K::from_bytes(&[&bytes[..], &[0]].concat()).is_none(), "surplus");
        assert!(bytes.is_empty() || K::from_bytes(&bytes[..bytes.len() - 1]).is_none(), "short");
        bytes
    }

    #[test]
    fn order_of_bytes_is_the_order_of_keys() {
        let ids = ["a", "a:", "a:b", "a:b:1", "a:b:10", "a:c", "b"].map(|id| id.parse::<EventId>().unwrap());
        let mut keys = Vec::new();
        for number in [1_u64, 2, 255, 256, 1 << 40] {
            for id in &ids {
                keys.push(round_trip((EpochNumber::new(number).unwrap(), id.clone())));
            }
        }
        assert!(keys.is_sorted());
        let times =
            [0_i64, 1, 255, 256, 1_700_000_000_000].map(|ms| round_trip(Timestamp::from_ms(ms).unwrap()));
        assert!(times.is_sorted());
    }

    #[test]
    fn prefixes_hold_exactly_their_keys() {
        assert_eq!(after_prefix(&[1, 2]), Some(vec![1, 3]));
        assert_eq!(after_prefix(&[1, 255]), Some(vec![2]));
        assert_eq!(after_prefix(&[255, 255]), None);
        assert_eq!(after_prefix(&[]), None);
        let text: KeyText = "Grüße".parse().unwrap();
        assert!("a\0b".parse::<KeyText>().is_err());
        let whole = round_trip((7_u32, text.clone(), 9_u8));
        let prefix = (7_u32, text).to_bytes();
        assert!(whole.starts_with(&prefix) && whole < after_prefix(&prefix).unwrap());
    }
}
