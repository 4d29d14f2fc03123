//! The token: where it is, and the secret itself, which is shown nowhere.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::GithubError;
use crate::files;

/// Longest token, in bytes.
const TOKEN_BYTES_MAX: usize = 4_096;
/// The variable that is read where nothing else is said.
pub const TOKEN_VARIABLE_DEFAULT: &str = "GITHUB_TOKEN";

/// Where a token is. It is read anew whenever the source is, so that tokens of an hour can be put there by others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenPlace {
    /// A file that holds nothing else.
    File(PathBuf),
    /// An environment variable of the process that collects.
    Variable(String),
}

impl Default for TokenPlace {
    fn default() -> Self {
        Self::Variable(TOKEN_VARIABLE_DEFAULT.to_owned())
    }
}

/// The secret. It has no `Debug`.
pub(super) struct Token(Zeroizing<String>);

impl TokenPlace {
    /// Reads the token.
    pub(super) fn read(&self) -> Result<Token, GithubError> {
        let missing = |detail: String| GithubError::TokenMissing { detail };
        let text = match self {
            Self::File(path) => files::read_text(path, TOKEN_BYTES_MAX)
                .map_err(|failure| missing(failure.problem.detail.clone()))?,
            Self::Variable(name) => std::env::var(name)
                .map_err(|_| missing(format!("expected the environment variable {name}, got none")))?,
        };
        let text = Zeroizing::new(text);
        let secret = text.trim();
        // What is no token must not be sent anywhere, and a header can hold nothing else.
        if secret.is_empty() || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            let place = match self {
                Self::File(path) => format!("the file {}", path.display()),
                Self::Variable(name) => format!("the environment variable {name}"),
            };
            return Err(missing(format!("expected one word in {place}, got something else")));
        }
        Ok(Token(Zeroizing::new(secret.to_owned())))
    }
}

impl Token {
    pub(super) fn secret(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_word_of_a_file_and_no_error_shows_it() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("token");
        let place = TokenPlace::File(path.clone());
        let refused = |place: &TokenPlace| place.read().err().map(|error| error.to_string());
        assert!(refused(&place).is_some_and(|error| error.contains("token")), "no file");
        for text in ["", " \n", "two words", "ghp_\u{1}secret", "ghp_sécret"] {
            std::fs::write(&path, text).expect("written");
            let error = refused(&place).expect("no token");
            assert!(!error.contains("secret") && error.contains("one word"), "{error}");
        }
        std::fs::write(&path, "ghp_secret\n").expect("written");
        let Ok(token) = place.read() else { panic!("a token") };
        assert_eq!(token.secret(), "ghp_secret");
        let variable = TokenPlace::Variable("MEED_NO_SUCH_VARIABLE".to_owned());
        assert!(refused(&variable).is_some_and(|error| error.contains("MEED_NO_SUCH_VARIABLE")));
    }
}
