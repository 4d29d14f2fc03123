//! Names of keys.

use std::fmt;
use std::str::FromStr;

use crate::error::NameError;
use crate::limits::MAX_KEY_NAME_BYTES;

/// The name of a key as C2SP signed notes have it: not empty, no Unicode space, no `+`
/// ([C2SP signed-note](https://c2sp.org/signed-note#format)); here also no control character, and at most
/// [`MAX_KEY_NAME_BYTES`] bytes. Ordered by bytes.
///
/// A foreign witness may use any such name. A name that meed itself registers is narrower, see
/// [`KeyName::registrable`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

impl KeyName {
    /// A name that may be registered with a node: every character is visible ASCII (0x21 to 0x7E), so that two
    /// names that look alike are alike.
    ///
    /// # Errors
    /// Refuses what is no key name at all, and every character outside that range.
    pub fn registrable(text: &str) -> Result<KeyName, NameError> {
        let name: KeyName = text.parse()?;
        match first_unregistrable(text) {
            None => Ok(name),
            Some((position, got)) => Err(NameError::NotRegistrable { position, got }),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<KeyName, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > MAX_KEY_NAME_BYTES {
            return Err(NameError::TooLong { limit: MAX_KEY_NAME_BYTES, got: text.len() });
        }
        let refused =
            |character: char| character.is_whitespace() || character.is_control() || character == '+';
        match text.char_indices().find(|(_, character)| refused(*character)) {
            None => Ok(KeyName(text.to_owned())),
            Some((position, got)) => Err(NameError::BadCharacter { position, got }),
        }
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl AsRef<str> for KeyName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

fn first_unregistrable(text: &str) -> Option<(usize, char)> {
    text.char_indices().find(|(_, character)| !character.is_ascii_graphic())
}
