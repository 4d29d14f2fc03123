//! Why a command ended without its answer: what happened, what to do, and the exit code.

use std::io;
use std::path::Path;

use axum::http::StatusCode;
use meed_audit::time::Timestamp;
use meed_audit::{Rejection, RejectionCode};
use meed_keys::SealError;
use meed_storage::{LedgerError, StorageError};

use crate::api::problems::Problem;
use crate::sources::SourceError;

/// What to do about a file that lacks its final newline, without which it is not the text that was signed.
pub const NEWLINE_LOST: &str = "fetch it again, or put the newline back at the end of the file";

/// How a command ended, as the exit code of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// It did what was asked for; `verify`: verified.
    Done = 0,
    /// It was refused or failed; `verify`: not verified.
    Refused = 1,
    /// The command line is wrong, or names a file that cannot be read.
    Usage = 2,
}

/// A failed command: a problem document, and the exit code that goes with it.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What happened and what to do about it.
    pub problem: Box<Problem>,
    /// The exit code.
    pub exit: Exit,
}

impl Failure {
    /// A refusal or failure with exit code 1. `code` is a stable `snake_case` name.
    pub fn refused(code: &str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        let problem = Problem::local(code, what, remedy).with_status(StatusCode::CONFLICT);
        Self { problem: Box::new(problem), exit: Exit::Refused }
    }

    /// A command line that cannot be carried out, with exit code 2.
    pub fn usage(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        let problem = Problem::local("usage", what, remedy).with_status(StatusCode::BAD_REQUEST);
        Self { problem: Box::new(problem), exit: Exit::Usage }
    }

    /// A file that a command names and that cannot be read: exit code 2.
    pub fn unreadable(path: &Path, error: &io::Error) -> Self {
        let what = format!("cannot read {}: {error}", path.display());
        let remedy = "check the path and that this account may read it";
        let problem = Problem::local("unreadable", what, remedy).with_status(StatusCode::BAD_REQUEST);
        Self { problem: Box::new(problem), exit: Exit::Usage }
    }

    /// A file that cannot be written.
    pub fn unwritable(path: &Path, error: &io::Error) -> Self {
        let what = format!("cannot write {}: {error}", path.display());
        Self::refused("unwritable", what, "check the disk, the path and that this account may write there")
    }

    /// A place that is taken already.
    pub fn exists(path: &Path) -> Self {
        let what = format!("expected no file at {}, got one", path.display());
        Self::refused("exists", what, "choose another path: nothing is overwritten")
    }

    /// A failure that should not have been possible.
    pub fn internal(what: impl Into<String>) -> Self {
        Problem::local("internal", what, "report this with the command").into()
    }

    /// The same failure as wrong usage: what is refused stands on the command line.
    #[must_use]
    pub fn as_usage(mut self) -> Self {
        if self.problem.status != StatusCode::NOT_FOUND.as_u16() {
            self.problem.status = StatusCode::BAD_REQUEST.as_u16();
        }
        Self { exit: Exit::Usage, ..self }
    }

    /// The same failure as one that may be gone when it is tried again.
    #[must_use]
    pub fn passing(mut self) -> Self {
        self.problem.status = StatusCode::SERVICE_UNAVAILABLE.as_u16();
        self
    }

    /// The same failure, which will be gone from this time on, where that is known.
    #[must_use]
    pub fn retried_at(mut self, at: Option<Timestamp>) -> Self {
        self.problem.retry_at = at;
        self
    }

    /// Whether trying again may help without anybody's doing.
    pub fn is_passing(&self) -> bool {
        self.problem.status == StatusCode::SERVICE_UNAVAILABLE.as_u16()
    }

    /// The same failure with another remedy, where more is known than the reason alone says.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.problem.remedy = remedy.into();
        self
    }

    /// The same failure, its detail put after `context`.
    #[must_use]
    pub fn within(mut self, context: impl std::fmt::Display) -> Self {
        self.problem.detail = format!("{context}: {}", self.problem.detail);
        self
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self { problem: Box::new(problem), exit: Exit::Refused }
    }
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        Problem::from(&rejection).into()
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Problem::from(&error).into()
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Rejected(rejection) => rejection.into(),
            LedgerError::Storage(error) => error.into(),
        }
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let failure = Self::refused("source", error.to_string(), error.remedy());
        match error {
            SourceError::FolderUnreadable { .. }
            | SourceError::NotARepository { .. }
            | SourceError::ReferenceInvalid { .. }
            | SourceError::ReferenceUnknown { .. }
            | SourceError::PeriodEmpty { .. } => failure.as_usage(),
            _ if error.is_passing() => failure.passing().retried_at(error.retry_at()),
            _ => failure,
        }
    }
}

impl From<SealError> for Failure {
    fn from(error: SealError) -> Self {
        let remedy = match &error {
            SealError::PassphraseNeeded { .. } => "give --passphrase-file, or run the command in a terminal",
            SealError::PassphraseNotNeeded { .. } => "leave --passphrase-file out: the key file is plain",
            SealError::PassphraseLength { .. } => "choose a passphrase of that length",
            SealError::WrongPassphrase { .. } => "try again with the passphrase that the key was sealed with",
            SealError::UnknownVersion { .. } => "use a newer meed",
            SealError::Derivation { .. } => "free memory and try again",
            _ => "give a key file that `meed key new` wrote, or restore it from your copy",
        };
        let detail = with_sources(&error);
        Self::refused("key_file", detail, remedy)
    }
}

/// A message followed by those of its sources.
pub fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// A refusal of `subject`: short for [`Rejection::new`] where a failure is wanted.
pub fn reject(
    code: RejectionCode,
    subject: &str,
    expected: impl Into<String>,
    got: impl std::fmt::Display,
) -> Failure {
    Rejection::new(code, subject, expected, got).into()
}
