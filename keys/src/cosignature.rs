//! Cosignatures: Ed25519 signatures that sign their own time
//! ([C2SP tlog-cosignature](https://c2sp.org/tlog-cosignature)).

use crate::limits::{COSIGNATURE_BYTES, COSIGNATURE_TIME_BYTES, ED25519_SIGNATURE_BYTES};
use crate::note_text::NoteText;

/// What a cosignature of `text` at `time_seconds` (since 1970) signs:
/// `cosignature/v1`, a newline, `time <seconds>`, a newline, and the text.
pub fn cosignature_message(text: &NoteText, time_seconds: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {time_seconds}\n{text}").into_bytes()
}

/// The 72 bytes of a cosignature: 8 of time, big-endian, and 64 of signature.
pub(crate) fn join(time_seconds: u64, signature: &[u8; ED25519_SIGNATURE_BYTES]) -> Vec<u8> {
    [time_seconds.to_be_bytes().as_slice(), signature].concat()
}

/// The time and the signature in the 72 bytes of a cosignature; nothing where the length is another.
pub(crate) fn split(bytes: &[u8]) -> Option<(u64, &[u8; ED25519_SIGNATURE_BYTES])> {
    let bytes: &[u8; COSIGNATURE_BYTES] = bytes.try_into().ok()?;
    let (time, signature) = bytes.split_first_chunk::<COSIGNATURE_TIME_BYTES>()?;
    Some((u64::from_be_bytes(*time), signature.try_into().ok()?))
}
