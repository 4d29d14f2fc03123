//! A proof of inclusion as text: where a leaf is, its path, and the signed checkpoint (C2SP tlog-proof).
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! [extra <base64>]
//! index <decimal>
//! [<base64 hash>]...
//!
//! <signed checkpoint, verbatim>
//! ```
//!
//! Parsing is strict and decides nothing: that the note is signed, that it is a checkpoint and that the
//! path leads to its root is checked by whoever reads the proof.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64, Encoding};
use thiserror::Error;

use crate::base64::{encoded_len, push_base64};
use crate::checkpoint::{parse_decimal, shortened};
use crate::hash::{HASH_BYTES, Hash, HashError};
use crate::merkle::{MAX_PATH_HASHES, MAX_TREE_SIZE};

/// The first line of every proof.
pub const TLOG_PROOF_HEADER: &str = "c2sp.org/tlog-proof@v1";

/// The most bytes a proof may have as text.
pub const MAX_TLOG_PROOF_BYTES: usize = 1 << 20;

/// The most bytes of extra data a proof may carry, decoded.
pub const MAX_EXTRA_BYTES: usize = 65_535;

// The longest extra data as base64 and the longest path leave half of a proof to its note.
const _: () = assert!(MAX_EXTRA_BYTES.div_ceil(3) * 4 + MAX_PATH_HASHES * 45 < MAX_TLOG_PROOF_BYTES / 2);

/// A parsed proof. Every value of this type can be written and parsed again to the same value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    extra: Option<Vec<u8>>,
    index: u64,
    path: Vec<Hash>,
    note: String,
}

/// Why a text is not a proof, or parts do not make one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TlogProofError {
    /// The text is larger than any may be.
    #[error("a tlog-proof has at most {MAX_TLOG_PROOF_BYTES} bytes, got {got}")]
    TooLarge {
        /// Bytes that came.
        got: usize,
    },
    /// The first line is another one.
    #[error("a tlog-proof begins with the line {TLOG_PROOF_HEADER}, got {got:?}")]
    Header {
        /// The line, cut to its first characters.
        got: String,
    },
    /// The extra data is not canonical padded base64 of at least one byte.
    #[error("extra data is canonical padded base64 of at least one byte, got {got:?}")]
    Extra {
        /// The text, cut to its first characters.
        got: String,
    },
    /// The extra data is larger than any may be.
    #[error("extra data has at most {MAX_EXTRA_BYTES} bytes, got {got}")]
    ExtraTooLarge {
        /// Bytes that came.
        got: usize,
    },
    /// There is no index line where one has to be.
    #[error("a tlog-proof has a line `index` before its path, got {got:?}")]
    NoIndex {
        /// The line, cut to its first characters.
        got: String,
    },
    /// The index is not a decimal number of its one form, below the largest tree size.
    #[error("an index is a decimal number below {MAX_TREE_SIZE} without leading zeros, got {got:?}")]
    Index {
        /// The text, cut to its first characters.
        got: String,
    },
    /// A line of the path is not a hash.
    #[error("line {line} of a tlog-proof's path is the base64 of a hash")]
    PathHash {
        /// The line of the path, from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: HashError,
    },
    /// The path is longer than any tree is high.
    #[error("a path has at most {MAX_PATH_HASHES} hashes, got {got} or more")]
    PathTooLong {
        /// Hashes counted so far.
        got: usize,
    },
    /// The text ends before the empty line and the checkpoint.
    #[error("a tlog-proof has an empty line and a signed checkpoint after its path, got the end of the text")]
    NoCheckpoint,
    /// The note is empty, does not end in a newline, or holds control characters.
    #[error("a signed checkpoint is lines of text without control characters, each ended by a newline")]
    Note,
}

impl TlogProof {
    /// Makes a proof from its parts. `note` is the signed checkpoint, verbatim, with its final newline.
    ///
    /// # Errors
    /// What a text with these parts would be refused for: see [`TlogProofError`].
    pub fn new(
        extra: Option<Vec<u8>>,
        index: u64,
        path: Vec<Hash>,
        note: String,
    ) -> Result<Self, TlogProofError> {
        check_place(extra.as_deref().unwrap_or(b"x"), index, &path)?;
        if note.len() > MAX_TLOG_PROOF_BYTES {
            return Err(TlogProofError::TooLarge { got: note.len() });
        }
        check_note(&note)?;
        let proof = Self { extra, index, path, note };
        match proof.text_len() {
            got if got > MAX_TLOG_PROOF_BYTES => Err(TlogProofError::TooLarge { got }),
            _ => Ok(proof),
        }
    }

    /// The proof as text.
    pub fn to_text(&self) -> String {
        let mut out = Vec::with_capacity(self.text_len());
        out.extend_from_slice(TLOG_PROOF_HEADER.as_bytes());
        out.push(b'\n');
        if let Some(extra) = &self.extra {
            out.extend_from_slice(b"extra ");
            push_base64(extra, &mut out);
            out.push(b'\n');
        }
        out.extend_from_slice(format!("index {}\n", self.index).as_bytes());
        for hash in &self.path {
            push_base64(hash.as_bytes(), &mut out);
            out.push(b'\n');
        }
        out.push(b'\n');
        out.extend_from_slice(self.note.as_bytes());
        // Base64 is ASCII, and the note is a text.
        String::from_utf8(out).unwrap_or_default()
    }

    /// Bytes of the text.
    fn text_len(&self) -> usize {
        let extra = self.extra.as_ref().map_or(0, |extra| "extra \n".len() + encoded_len(extra.len()));
        let digits = self.index.checked_ilog10().unwrap_or(0);
        let index = "index 0\n".len() + usize::try_from(digits).unwrap_or(usize::MAX);
        let path = self.path.len() * (encoded_len(HASH_BYTES) + 1);
        TLOG_PROOF_HEADER.len() + 1 + extra + index + path + 1 + self.note.len()
    }

    /// Parses a whole proof.
    ///
    /// # Errors
    /// See [`TlogProofError`].
    pub fn parse(text: &str) -> Result<Self, TlogProofError> {
        if text.len() > MAX_TLOG_PROOF_BYTES {
            return Err(TlogProofError::TooLarge { got: text.len() });
        }
        let (header, rest) = next_line(text)?;
        if header != TLOG_PROOF_HEADER {
            return Err(TlogProofError::Header { got: shortened(header) });
        }
        let (mut line, mut rest) = next_line(rest)?;
        let mut extra = None;
        if let Some(encoded) = line.strip_prefix("extra ") {
            extra = Some(parse_extra(encoded)?);
            (line, rest) = next_line(rest)?;
        }
        let index = parse_index(line)?;
        let (path, note) = parse_path(rest)?;
        Self::new(extra, index, path, note.to_owned())
    }

    /// Application data that nothing authenticates, such as the leaf.
    pub fn extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }

    /// Index of the leaf, from 0.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The inclusion path, from the leaf's sibling up.
    pub fn path(&self) -> &[Hash] {
        &self.path
    }

    /// The signed checkpoint, verbatim.
    pub fn note(&self) -> &str {
        &self.note
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_text())
    }
}

impl FromStr for TlogProof {
    type Err = TlogProofError;

    fn from_str(text: &str) -> Result<Self, TlogProofError> {
        Self::parse(text)
    }
}

fn next_line(text: &str) -> Result<(&str, &str), TlogProofError> {
    text.split_once('\n').ok_or(TlogProofError::NoCheckpoint)
}

fn parse_extra(encoded: &str) -> Result<Vec<u8>, TlogProofError> {
    Base64::decode_vec(encoded).map_err(|_| TlogProofError::Extra { got: shortened(encoded) })
}

fn parse_index(line: &str) -> Result<u64, TlogProofError> {
    let digits =
        line.strip_prefix("index ").ok_or_else(|| TlogProofError::NoIndex { got: shortened(line) })?;
    parse_decimal(digits).ok_or_else(|| TlogProofError::Index { got: shortened(digits) })
}

/// The path's hashes up to the empty line, and everything after that line.
fn parse_path(mut rest: &str) -> Result<(Vec<Hash>, &str), TlogProofError> {
    let mut path = Vec::new();
    loop {
        let (line, after) = next_line(rest)?;
        rest = after;
        if line.is_empty() {
            return Ok((path, rest));
        }
        if path.len() == MAX_PATH_HASHES {
            return Err(TlogProofError::PathTooLong { got: path.len() + 1 });
        }
        let number = path.len() + 1;
        let hash = Hash::from_base64(line);
        path.push(hash.map_err(|source| TlogProofError::PathHash { line: number, source })?);
    }
}

/// Whether a proof may hold this extra data, index and path.
pub(crate) fn check_place(extra: &[u8], index: u64, path: &[Hash]) -> Result<(), TlogProofError> {
    match extra.len() {
        0 => return Err(TlogProofError::Extra { got: String::new() }),
        got if got > MAX_EXTRA_BYTES => return Err(TlogProofError::ExtraTooLarge { got }),
        _ => {}
    }
    if index >= MAX_TREE_SIZE {
        return Err(TlogProofError::Index { got: index.to_string() });
    }
    if path.len() > MAX_PATH_HASHES {
        return Err(TlogProofError::PathTooLong { got: path.len() });
    }
    Ok(())
}

fn check_note(note: &str) -> Result<(), TlogProofError> {
    // Without a branch for each byte: bytes of longer characters are all above the control characters.
    let control = note.bytes().fold(false, |found, byte| found | (byte < b' ' && byte != b'\n'));
    if control || !note.ends_with('\n') {
        return Err(TlogProofError::Note);
    }
    Ok(())
}
