//! The text of a note: what is signed.

use std::fmt;
use std::str::FromStr;

use crate::error::NoteTextError;
use crate::limits::MAX_NOTE_BYTES;

/// The text of a signed note: UTF-8, every line ended by a newline, no other character below 0x20, at most
/// [`MAX_NOTE_BYTES`] bytes ([C2SP signed-note](https://c2sp.org/signed-note#format)).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NoteText(String);

impl NoteText {
    /// Takes a text that is made already.
    ///
    /// # Errors
    /// Refuses what is too long, has control characters, or does not end in a newline.
    pub fn new(text: String) -> Result<NoteText, NoteTextError> {
        if text.len() > MAX_NOTE_BYTES {
            return Err(NoteTextError::TooLong { limit: MAX_NOTE_BYTES, got: text.len() });
        }
        check_characters(&text)?;
        if text.ends_with('\n') { Ok(NoteText(text)) } else { Err(NoteTextError::MissingNewline) }
    }

    /// The text, its last newline included.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bytes of the text, its last newline included.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The text itself.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl FromStr for NoteText {
    type Err = NoteTextError;

    fn from_str(text: &str) -> Result<NoteText, NoteTextError> {
        NoteText::new(text.to_owned())
    }
}

impl fmt::Display for NoteText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl AsRef<str> for NoteText {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Reads bytes as UTF-8 and says where that fails.
pub(crate) fn read_utf8(bytes: &[u8]) -> Result<&str, NoteTextError> {
    str::from_utf8(bytes).map_err(|error| NoteTextError::NotUtf8 { position: error.valid_up_to() })
}

/// Refuses every character below 0x20 but the newline. As in Go's `sumdb/note`, DEL is let through.
pub(crate) fn check_characters(text: &str) -> Result<(), NoteTextError> {
    match text.bytes().position(|byte| byte < 0x20 && byte != b'\n') {
        None => Ok(()),
        Some(position) => {
            let got = text.as_bytes().get(position).copied().map_or('\0', char::from);
            Err(NoteTextError::ControlCharacter { position, got })
        }
    }
}
