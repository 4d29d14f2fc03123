//! Leaves: the canonical JSON documents that Merkle trees commit to.
//!
//! A leaf type declares its fields in the order of their names, so that serialising it gives RFC 8785 bytes; the
//! tests compare them with a foreign canonicaliser. Decoding accepts exactly the bytes that encoding gives.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::canonical;
use crate::hash::{Hash, leaf_hash};
use crate::json::refuse_json;
use crate::rejection::{Checked, Rejection, RejectionCode};

/// Largest event leaf, in bytes.
pub const EVENT_LEAF_BYTES_MAX: usize = 16_384;

/// A document that stands as a leaf in a tree.
pub trait Leaf: Serialize + DeserializeOwned {
    /// The format's full name, the value of its field `v`.
    const VERSION: &'static str;

    /// The canonical bytes.
    fn encode(&self) -> Vec<u8> {
        // Leaves hold only strings, booleans, arrays and objects, which writing never refuses.
        canonical::to_vec(self).unwrap_or_default()
    }

    /// The RFC 6962 leaf hash of the canonical bytes.
    fn leaf_hash(&self) -> Hash {
        leaf_hash(&self.encode())
    }

    /// The same for one of many leaves, which are written into `room` one after the other.
    fn leaf_hash_in(&self, room: &mut Vec<u8>) -> Hash {
        room.clear();
        // As in `encode`.
        if canonical::append(room, self).is_err() {
            room.clear();
        }
        leaf_hash(room)
    }

    /// What the fields' own types cannot demand of them together.
    ///
    /// # Errors
    /// Those of the format.
    fn check(&self) -> Checked<()> {
        Ok(())
    }

    /// Reads the canonical bytes and nothing else.
    ///
    /// # Errors
    /// `malformed` for other JSON, a missing, unknown or repeated field; `not_canonical` for the same content in
    /// another form; then those of [`Leaf::check`].
    fn decode(bytes: &[u8]) -> Checked<Self> {
        let leaf: Self = serde_json::from_slice(bytes).map_err(|error| Rejection {
            code: RejectionCode::Malformed,
            ..refuse_json(Self::VERSION, "the fields of the format", &error, bytes)
        })?;
        if leaf.encode() != bytes {
            let expected = "RFC 8785 JSON";
            return Err(Rejection::new(RejectionCode::NotCanonical, Self::VERSION, expected, "another form"));
        }
        leaf.check().map_err(|rejection| rejection.within(Self::VERSION))?;
        Ok(leaf)
    }
}

/// Declares the type of a leaf's field `v`, which has one value only, and names the leaf's [`Leaf::check`] if it has
/// one.
macro_rules! version_tag {
    ($(#[$doc:meta])* $name:ident, $leaf:ty, $text:literal $(, $check:path)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name;

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str($text)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                if text == $text { return Ok(Self); }
                Err(serde::de::Error::custom(format!("v: expected {}, got {text}", $text)))
            }
        }

        impl crate::leaf::Leaf for $leaf {
            const VERSION: &'static str = $text;

            $(fn check(&self) -> crate::rejection::Checked<()> { $check(self) })?
        }
    };
}
pub(crate) use version_tag;

/// Serialises counts as canonical decimal strings (`#[serde(with = "crate::leaf::count")]`).
pub(crate) mod count {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(count: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(itoa::Buffer::new().format(*count))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        crate::amount::parse_count("count", &text).map_err(serde::de::Error::custom)
    }
}
