//! Records as bytes: the only place that knows bincode, but for `event_terms`, which reads the beginning of one record
//! where it stands.
//!
//! A stored value is one version byte, the bincode body, and four bytes of CRC-32 (little-endian). The checksum covers
//! the table's name, the key, the version and the body, because redb checks pages only when it repairs: so a flipped
//! bit in a value or a key, and a record that ended up in another place, are told from what was written.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::StorageError;

/// Largest body of a record, in bytes. Decoding refuses to allocate more.
pub const RECORD_BYTES_MAX: usize = 4 << 20;

/// Bytes around a body: version and checksum.
pub(crate) const SEAL_BYTES: usize = 1 + CHECKSUM_BYTES;

const CHECKSUM_BYTES: usize = 4;

/// Room for a body of usual length, in bytes.
const BODY_BYTES_USUAL: usize = 320;

const CONFIG: bincode::config::Configuration<
    bincode::config::LittleEndian,
    bincode::config::Varint,
    bincode::config::Limit<RECORD_BYTES_MAX>,
> = bincode::config::standard().with_limit::<RECORD_BYTES_MAX>();

/// A value of a table. Its serde form must write every field always: bincode has no field names.
pub trait Record: Serialize + DeserializeOwned {
    /// The version of its layout; another version is refused when it is read.
    const VERSION: u8 = 1;
}

/// Writes the body of a record.
pub(crate) fn encode<V: Serialize>(table: &str, value: &V) -> Result<Vec<u8>, StorageError> {
    let mut body = Vec::with_capacity(BODY_BYTES_USUAL);
    bincode::serde::encode_into_std_write(value, &mut body, CONFIG).map_err(|error| {
        StorageError::internal(format!("table {table}: a record could not be written: {error}"))
    })?;
    match body.len() {
        got if got > RECORD_BYTES_MAX => {
            Err(StorageError::RecordTooLarge { table: table.to_owned(), limit: RECORD_BYTES_MAX, got })
        }
        _ => Ok(body),
    }
}

/// Writes a whole value: version, body, checksum.
pub(crate) fn seal<V: Record>(table: &str, key: &[u8], value: &V) -> Result<Vec<u8>, StorageError> {
    Ok(seal_body(table, key, V::VERSION, &encode(table, value)?))
}

/// Puts version and checksum around a body that is bytes already.
pub(crate) fn seal_body(table: &str, key: &[u8], version: u8, body: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(body.len() + SEAL_BYTES);
    sealed.push(version);
    sealed.extend_from_slice(body);
    sealed.extend_from_slice(&checksum(table, key, &sealed).to_le_bytes());
    sealed
}

/// Reads a whole value.
pub(crate) fn unseal<V: Record>(table: &str, key: &[u8], sealed: &[u8]) -> Result<V, StorageError> {
    decode(table, key, unseal_body(table, key, V::VERSION, sealed)?)
}

/// Checks version and checksum and gives the body.
pub(crate) fn unseal_body<'a>(
    table: &str,
    key: &[u8],
    version: u8,
    sealed: &'a [u8],
) -> Result<&'a [u8], StorageError> {
    let (got, body) = check_seal(table, key, sealed)?;
    if got != version {
        let detail = format!("expected record version {version}, got {got}");
        return Err(StorageError::corrupt(table, key, detail));
    }
    Ok(body)
}

/// Checks the checksum of a value whose type is not known here, and gives its version and body.
pub(crate) fn check_seal<'a>(
    table: &str,
    key: &[u8],
    sealed: &'a [u8],
) -> Result<(u8, &'a [u8]), StorageError> {
    let parts = sealed.split_last_chunk::<CHECKSUM_BYTES>().and_then(|(content, stored)| {
        let (version, body) = content.split_first()?;
        Some((content, *version, body, u32::from_le_bytes(*stored)))
    });
    let Some((content, version, body, stored)) = parts else {
        let detail = format!("expected a record of at least {SEAL_BYTES} bytes, got {}", sealed.len());
        return Err(StorageError::corrupt(table, key, detail));
    };
    let expected = checksum(table, key, content);
    if expected != stored {
        let detail = format!("expected checksum {expected:08x}, got {stored:08x}");
        return Err(StorageError::corrupt(table, key, detail));
    }
    Ok((version, body))
}

/// Reads the body of a record, all of it; texts may stay where they are.
pub(crate) fn decode<'a, V: Deserialize<'a>>(
    table: &str,
    key: &[u8],
    body: &'a [u8],
) -> Result<V, StorageError> {
    let (value, used) = bincode::serde::borrow_decode_from_slice(body, CONFIG)
        .map_err(|error| StorageError::corrupt(table, key, format!("expected a record, got {error}")))?;
    if used != body.len() {
        let detail = format!("expected a record of {used} bytes, got {}", body.len());
        return Err(StorageError::corrupt(table, key, detail));
    }
    Ok(value)
}

/// Reads the beginning of a body, whatever follows it.
pub(crate) fn decode_beginning<'a, V: Deserialize<'a>>(
    table: &str,
    key: &[u8],
    body: &'a [u8],
) -> Result<V, StorageError> {
    let decoded = bincode::serde::borrow_decode_from_slice(body, CONFIG);
    let (value, _) = decoded
        .map_err(|error| StorageError::corrupt(table, key, format!("expected a record, got {error}")))?;
    Ok(value)
}

fn checksum(table: &str, key: &[u8], content: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(table.as_bytes());
    hasher.update(&[0]);
    hasher.update(key);
    hasher.update(content);
    hasher.finalize()
}

/// Writes a field of bytes, which serde would take for a list of numbers.
pub(crate) fn write_bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// Reads a field of bytes, which serde would take for a list of numbers.
pub(crate) fn read_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    deserializer.deserialize_byte_buf(BytesVisitor)
}

struct BytesVisitor;

impl serde::de::Visitor<'_> for BytesVisitor {
    type Value = Vec<u8>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("bytes")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sample {
        count: u64,
        name: String,
        hash: [u8; 4],
        optional: Option<i64>,
        list: Vec<u32>,
    }

    impl Record for Sample {
        const VERSION: u8 = 3;
    }

    fn sample() -> Sample {
        Sample {
            count: 300,
            name: "é".to_owned(),
            hash: [1, 2, 3, 4],
            optional: Some(-2),
            list: vec![1, 70_000],
        }
    }

    /// The bytes as bincode's specification gives them: 251 announces two bytes, 252 four; lists begin with their
    /// length; a signed number is zigzag; an array has no length. The checksum is compared with one computed bit by bit.
    const GOLDEN: [u8; 20] = [3, 251, 44, 1, 2, 0xc3, 0xa9, 1, 2, 3, 4, 1, 3, 2, 1, 252, 0x70, 0x11, 1, 0];

    #[test]
    fn bytes_are_pinned() {
        let sealed = seal("samples", b"k", &sample()).unwrap();
        assert_eq!(sealed[..20], GOLDEN);
        assert_eq!(sealed.len(), 24);
        let mut content = b"samples\0k".to_vec();
        content.extend_from_slice(&sealed[..20]);
        assert_eq!(sealed[20..], crc32_by_bits(&content).to_le_bytes());
        assert_eq!(unseal::<Sample>("samples", b"k", &sealed).unwrap(), sample());
    }

    /// CRC-32 (ISO 3309) bit by bit, which shares nothing with the crate.
    fn crc32_by_bits(bytes: &[u8]) -> u32 {
        let mut crc = u32::MAX;
        for byte in bytes {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
            }
        }
        !crc
    }

    #[test]
    fn every_flipped_bit_and_every_other_place_is_noticed() {
        let sealed = seal("samples", b"k", &sample()).unwrap();
        for position in 0..sealed.len() {
            for bit in 0..8 {
                let mut damaged = sealed.clone();
                damaged[position] ^= 1 << bit;
                assert!(unseal::<Sample>("samples", b"k", &damaged).is_err(), "{position} {bit}");
            }
            assert!(unseal::<Sample>("samples", b"k", &sealed[..position]).is_err());
        }
        assert!(unseal::<Sample>("samples", b"l", &sealed).is_err());
        assert!(unseal::<Sample>("sample", b"sk", &sealed).is_err());
    }

    #[test]
    fn other_versions_surplus_bytes_and_huge_lengths_are_refused() {
        let body = encode("samples", &sample()).unwrap();
        let newer = seal_body("samples", b"k", 4, &body);
        let error = unseal::<Sample>("samples", b"k", &newer).unwrap_err();
        assert!(error.to_string().contains("expected record version 3, got 4"), "{error}");
        let surplus = seal_body("samples", b"k", 3, &[body, vec![0]].concat());
        assert!(unseal::<Sample>("samples", b"k", &surplus).is_err());
        let huge = seal_body("samples", b"k", 3, &[0, 253, 255, 255, 255, 255, 255, 255, 255, 127]);
        assert!(unseal::<Sample>("samples", b"k", &huge).is_err());
        let large = "x".repeat(RECORD_BYTES_MAX);
        assert!(matches!(
            encode("samples", &large),
            Err(StorageError::RecordTooLarge { .. } | StorageError::Internal { .. })
        ));
    }
}
