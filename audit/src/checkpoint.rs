//! The text of a checkpoint: which log, how many leaves, what root (C2SP tlog-checkpoint).
//!
//! ```text
//! <origin>
//! <size, decimal>
//! <root, base64>
//! [<extension line>]...
//! ```
//!
//! Every line ends in `\n`. This is the text of a signed note; signatures are the keys room's. Parsing is
//! strict: of all texts with the same meaning one is accepted, and writing what was parsed gives its bytes.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::hash::{EMPTY_ROOT, Hash, HashError};
use crate::merkle::MAX_TREE_SIZE;
use crate::rejection::{Checked, Rejection, RejectionCode};

/// The most bytes a checkpoint's text may have; a signed note of it has to fit a log entry.
pub const MAX_CHECKPOINT_BYTES: usize = 65_535;

/// A parsed checkpoint text. Every value of this type can be written and parsed again to the same value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
    extension: Vec<String>,
}

/// Why a text is not a checkpoint, or parts do not make one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CheckpointError {
    /// The text is larger than any may be.
    #[error("a checkpoint has at most {MAX_CHECKPOINT_BYTES} bytes, got {got}")]
    TooLarge {
        /// Bytes that came.
        got: usize,
    },
    /// The text does not end in a newline.
    #[error("a checkpoint ends in a newline, got none")]
    NoFinalNewline,
    /// Origin, size and root are not all there.
    #[error("a checkpoint has at least 3 lines, got {got}")]
    TooFewLines {
        /// Lines that came.
        got: usize,
    },
    /// The origin line is empty.
    #[error("a checkpoint's origin is not empty, got an empty line")]
    EmptyOrigin,
    /// An extension line is empty.
    #[error("an extension line is not empty, got an empty line {line}")]
    EmptyExtension {
        /// The line in the text, from 1.
        line: usize,
    },
    /// A line holds a character below U+0020, which no signed note may.
    #[error("a line holds no control characters, got U+{got:04X} in line {line}")]
    ControlCharacter {
        /// The line in the text, from 1.
        line: usize,
        /// The code point.
        got: u32,
    },
    /// The size is not a decimal number of its one form.
    #[error("a size is a decimal number from 0 to {MAX_TREE_SIZE} without leading zeros, got {got:?}")]
    Size {
        /// The text, cut to its first characters.
        got: String,
    },
    /// The root is not the canonical base64 of a hash.
    #[error("a root is the base64 of a hash")]
    Root(#[source] HashError),
    /// A tree without leaves has one root only.
    #[error("the root of size 0 is {EMPTY_ROOT}, got {got}")]
    EmptyTreeRoot {
        /// The root that came.
        got: Hash,
    },
}

impl Checkpoint {
    /// Makes a checkpoint from its parts.
    ///
    /// # Errors
    /// What a text with these parts would be refused for: see [`CheckpointError`].
    pub fn new(
        origin: String,
        size: u64,
        root: Hash,
        extension: Vec<String>,
    ) -> Result<Self, CheckpointError> {
        if origin.is_empty() {
            return Err(CheckpointError::EmptyOrigin);
        }
        check_line(&origin, 1)?;
        if size > MAX_TREE_SIZE {
            return Err(CheckpointError::Size { got: size.to_string() });
        }
        if size == 0 && root != EMPTY_ROOT {
            return Err(CheckpointError::EmptyTreeRoot { got: root });
        }
        for (line, text) in (4..).zip(&extension) {
            if text.is_empty() {
                return Err(CheckpointError::EmptyExtension { line });
            }
            check_line(text, line)?;
        }
        let checkpoint = Self { origin, size, root, extension };
        match checkpoint.text_bytes() {
            got if got > MAX_CHECKPOINT_BYTES => Err(CheckpointError::TooLarge { got }),
            _ => Ok(checkpoint),
        }
    }

    /// Parses a checkpoint's text, which is the whole text of a signed note with its final newline.
    ///
    /// # Errors
    /// See [`CheckpointError`].
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        if text.len() > MAX_CHECKPOINT_BYTES {
            return Err(CheckpointError::TooLarge { got: text.len() });
        }
        let lines = text.strip_suffix('\n').ok_or(CheckpointError::NoFinalNewline)?;
        let mut lines = lines.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(CheckpointError::TooFewLines { got: text.matches('\n').count() });
        };
        let size = parse_decimal(size).ok_or_else(|| CheckpointError::Size { got: shortened(size) })?;
        let root = Hash::from_base64(root).map_err(CheckpointError::Root)?;
        Self::new(origin.to_owned(), size, root, lines.map(str::to_owned).collect())
    }

    /// The log's identity: a schema-less URL by custom.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Leaves of the tree.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Root of the tree.
    pub fn root(&self) -> &Hash {
        &self.root
    }

    /// The lines after the root, without their newlines.
    pub fn extension(&self) -> &[String] {
        &self.extension
    }

    fn text_bytes(&self) -> usize {
        self.to_string().len()
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}\n{}\n{}", self.origin, self.size, self.root.to_base64())?;
        self.extension.iter().try_for_each(|line| writeln!(formatter, "{line}"))
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        Self::parse(text)
    }
}

/// Parses a checkpoint's text, naming it in a refusal.
///
/// # Errors
/// `malformed`.
pub(crate) fn parse_checkpoint(what: &str, text: &str) -> Checked<Checkpoint> {
    Checkpoint::parse(text)
        .map_err(|error| Rejection::new(RejectionCode::Malformed, what, "a C2SP checkpoint", error))
}

/// Reads a decimal number in its one form: ASCII digits, no sign, no leading zero.
pub(crate) fn parse_decimal(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = text.len() > 1 && text.starts_with('0');
    if !digits || leading_zero {
        return None;
    }
    text.parse().ok()
}

/// The first characters of a text, for an error that must not repeat a megabyte.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}

fn check_line(text: &str, line: usize) -> Result<(), CheckpointError> {
    match text.chars().find(|character| *character < ' ') {
        Some(character) => Err(CheckpointError::ControlCharacter { line, got: u32::from(character) }),
        None => Ok(()),
    }
}
