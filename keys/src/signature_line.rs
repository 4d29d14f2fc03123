//! One signature of a note, as a line of text.

use std::fmt;
use std::str::FromStr;

use crate::encoding::{decode_base64, encode_base64};
use crate::error::SignatureLineError;
use crate::limits::{KEY_ID_BYTES, MAX_NOTE_BYTES, MAX_SIGNATURE_BYTES};
use crate::name::KeyName;

/// What every signature line begins with: an em dash (U+2014) and a space.
const LINE_START: &str = "\u{2014} ";

/// A signature line: `— name base64`, where the base64 holds the key id and the signature
/// ([C2SP signed-note](https://c2sp.org/signed-note#signatures)). Nothing is said about whether it verifies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignatureLine {
    name: KeyName,
    key_id: [u8; KEY_ID_BYTES],
    signature: Vec<u8>,
}

impl SignatureLine {
    /// A signature line of its parts.
    ///
    /// # Errors
    /// Refuses an empty signature and one of more than [`MAX_SIGNATURE_BYTES`].
    pub fn new(
        name: KeyName,
        key_id: [u8; KEY_ID_BYTES],
        signature: Vec<u8>,
    ) -> Result<SignatureLine, SignatureLineError> {
        if signature.is_empty() {
            return Err(SignatureLineError::TooShort { name, got: KEY_ID_BYTES });
        }
        if signature.len() > MAX_SIGNATURE_BYTES {
            return Err(SignatureLineError::TooLong {
                name,
                limit: MAX_SIGNATURE_BYTES,
                got: signature.len(),
            });
        }
        Ok(SignatureLine { name, key_id, signature })
    }

    /// The line of a signature made in this room, whose length is that of its algorithm.
    pub(crate) fn of_signature(
        name: KeyName,
        key_id: [u8; KEY_ID_BYTES],
        signature: Vec<u8>,
    ) -> SignatureLine {
        SignatureLine { name, key_id, signature }
    }

    /// The name of the key.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The id of the key.
    pub fn key_id(&self) -> [u8; KEY_ID_BYTES] {
        self.key_id
    }

    /// The signature without the key id; its form is the algorithm's.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The bytes that the line takes in a note, its newline included.
    pub(crate) fn encoded_len(&self) -> usize {
        let base64 = (KEY_ID_BYTES + self.signature.len()).div_ceil(3) * 4;
        LINE_START.len() + self.name.as_str().len() + 1 + base64 + 1
    }
}

impl fmt::Display for SignatureLine {
    /// Writes the line without its newline.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.key_id.as_slice(), &self.signature].concat();
        write!(formatter, "{LINE_START}{} {}", self.name, encode_base64(&bytes))
    }
}

impl FromStr for SignatureLine {
    type Err = SignatureLineError;

    /// Reads exactly what [`SignatureLine`]'s `Display` writes: one line without its newline.
    fn from_str(line: &str) -> Result<SignatureLine, SignatureLineError> {
        if line.len() > MAX_NOTE_BYTES {
            return Err(SignatureLineError::Format);
        }
        let parts = line.strip_prefix(LINE_START).and_then(|rest| rest.split_once(' '));
        let (name, base64) = parts.ok_or(SignatureLineError::Format)?;
        let name: KeyName = name.parse().map_err(SignatureLineError::Name)?;
        let bytes = decode_base64(base64)
            .map_err(|source| SignatureLineError::Base64 { name: name.clone(), source })?;
        match bytes.split_first_chunk::<KEY_ID_BYTES>() {
            Some((key_id, signature)) => SignatureLine::new(name, *key_id, signature.to_vec()),
            None => Err(SignatureLineError::TooShort { name, got: bytes.len() }),
        }
    }
}
