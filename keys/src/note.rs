//! Signed notes: a text and the signatures below it.

use std::fmt;
use std::str::FromStr;

use crate::error::{NoteError, NoteTextError};
use crate::limits::{MAX_NOTE_BYTES, MAX_SIGNATURES};
use crate::note_text::{NoteText, check_characters, read_utf8};
use crate::signature_line::SignatureLine;

/// A signed note: a text, a blank line, and 1 to [`MAX_SIGNATURES`] signature lines; at most
/// [`MAX_NOTE_BYTES`] bytes ([C2SP signed-note](https://c2sp.org/signed-note#format)).
///
/// A note is well formed, not verified: see [`Note::verify_all`] and [`Note::verify_known`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Note {
    text: NoteText,
    signatures: Vec<SignatureLine>,
}

impl Note {
    /// A note of its parts.
    ///
    /// # Errors
    /// Refuses a note without a signature, with too many, and one that is too long as a whole.
    pub fn new(text: NoteText, signatures: Vec<SignatureLine>) -> Result<Note, NoteError> {
        check_count(signatures.len())?;
        let got = text.as_str().len() + 1 + signatures.iter().map(SignatureLine::encoded_len).sum::<usize>();
        check_len(got)?;
        Ok(Note { text, signatures })
    }

    /// Reads a signed note, and only one that is written again byte for byte.
    ///
    /// # Errors
    /// Names the first thing that is wrong: length, UTF-8, control characters, the blank line, then each line.
    pub fn parse(bytes: impl AsRef<[u8]>) -> Result<Note, NoteError> {
        let bytes = bytes.as_ref();
        check_len(bytes.len())?;
        let whole = read_utf8(bytes).map_err(NoteError::Text)?;
        check_characters(whole).map_err(NoteError::Text)?;
        // The last blank line parts text and signatures: the text may hold blank lines, signatures never do.
        let blank = whole.rfind("\n\n").ok_or(NoteError::MissingBlankLine)?;
        let (text, rest) = whole.split_at_checked(blank + 1).ok_or(NoteError::MissingBlankLine)?;
        let lines = rest.strip_prefix('\n').ok_or(NoteError::MissingBlankLine)?;
        let text: NoteText = text.parse().map_err(NoteError::Text)?;
        Ok(Note { text, signatures: parse_signatures(lines)? })
    }

    /// The text that is signed.
    pub fn text(&self) -> &NoteText {
        &self.text
    }

    /// The signature lines, in the order in which they stand.
    pub fn signatures(&self) -> &[SignatureLine] {
        &self.signatures
    }

    /// The same note with one more line at the end.
    ///
    /// # Errors
    /// As [`Note::new`].
    pub fn with_signature(self, line: SignatureLine) -> Result<Note, NoteError> {
        let Note { text, mut signatures } = self;
        signatures.push(line);
        Note::new(text, signatures)
    }

    /// The text and the signature lines.
    pub fn into_parts(self) -> (NoteText, Vec<SignatureLine>) {
        (self.text, self.signatures)
    }
}

impl fmt::Display for Note {
    /// Writes the whole note, its last newline included.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| writeln!(formatter, "{line}"))
    }
}

impl FromStr for Note {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Note, NoteError> {
        Note::parse(text)
    }
}

fn parse_signatures(lines: &str) -> Result<Vec<SignatureLine>, NoteError> {
    if lines.is_empty() {
        return Err(NoteError::NoSignature);
    }
    let lines = lines.strip_suffix('\n').ok_or(NoteError::MissingNewline)?;
    check_count(lines.split('\n').count())?;
    (1..)
        .zip(lines.split('\n'))
        .map(|(number, line)| line.parse().map_err(|source| NoteError::SignatureLine { number, source }))
        .collect()
}

fn check_len(got: usize) -> Result<(), NoteError> {
    if got > MAX_NOTE_BYTES { Err(NoteError::TooLong { limit: MAX_NOTE_BYTES, got }) } else { Ok(()) }
}

fn check_count(got: usize) -> Result<(), NoteError> {
    match got {
        0 => Err(NoteError::NoSignature),
        1..=MAX_SIGNATURES => Ok(()),
        _ => Err(NoteError::TooManySignatures { limit: MAX_SIGNATURES, got }),
    }
}

impl From<NoteTextError> for NoteError {
    fn from(error: NoteTextError) -> NoteError {
        NoteError::Text(error)
    }
}
