//! Hashes, trees and base64, written plainly for the model.

use sha2::{Digest, Sha256};

pub(crate) type Bytes32 = [u8; 32];

pub(crate) fn sha(parts: &[&[u8]]) -> Bytes32 {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

pub(crate) fn leaf(data: &str) -> Bytes32 {
    sha(&[&[0], data.as_bytes()])
}

/// The root as RFC 6962 defines it: split at the largest power of two below the size.
pub(crate) fn root(leaves: &[Bytes32]) -> Bytes32 {
    match leaves {
        [] => sha(&[]),
        [only] => *only,
        _ => {
            let mut split = 1;
            while split * 2 < leaves.len() {
                split *= 2;
            }
            sha(&[&[1], &root(&leaves[..split]), &root(&leaves[split..])])
        }
    }
}

pub(crate) fn root_of(texts: &[String]) -> String {
    base64(&root(&texts.iter().map(|text| leaf(text)).collect::<Vec<_>>()))
}

pub(crate) fn hex(bytes: &Bytes32) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn base64(bytes: &Bytes32) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = group >> (18 - 6 * place) & 63;
            text.push(if place <= chunk.len() { char::from(alphabet[digit as usize]) } else { '=' });
        }
    }
    text
}
