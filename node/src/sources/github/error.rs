//! Why GitHub, or what stands in its place, cannot be read.

use meed_audit::time::Timestamp;
use thiserror::Error;

/// Why a repository cannot be read over the API. What is wrong with one event is counted instead.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GithubError {
    /// The address of the API is none, or one to which a token must not be sent.
    #[error("expected an https address of the API, or one of this machine, got {url}")]
    Address {
        /// The address.
        url: String,
    },
    /// The token is not where it should be.
    #[error("no token: {detail}")]
    TokenMissing {
        /// Where it was looked for, and why that failed.
        detail: String,
    },
    /// There was no answer, or only a part of one.
    #[error("{url} did not answer: {detail}")]
    Unreachable {
        /// The address.
        url: String,
        /// What the network said.
        detail: String,
    },
    /// Requests are refused for a while.
    #[error("GitHub takes no more requests before {until}: {detail}")]
    Limited {
        /// When it does again.
        until: Timestamp,
        /// Which limit.
        detail: String,
    },
    /// The token is none, or no longer one.
    #[error("GitHub does not know the token: {detail}")]
    TokenRefused {
        /// What it said.
        detail: String,
    },
    /// The token does not allow this.
    #[error("GitHub does not allow this token to read {what}: {detail}")]
    Forbidden {
        /// What was asked for.
        what: String,
        /// What it said.
        detail: String,
    },
    /// There is no such repository, or the token may not know that there is.
    #[error("GitHub has no repository {repository} that this token may read")]
    RepositoryUnknown {
        /// Its name.
        repository: String,
    },
    /// The address is not that of a GraphQL API.
    #[error("expected a GraphQL API at {url}, got status {status}")]
    NotTheApi {
        /// The address.
        url: String,
        /// The status of the answer.
        status: u16,
    },
    /// The server failed, or had too much to do.
    #[error("GitHub could not answer: {detail}")]
    ServerFailed {
        /// What it said.
        detail: String,
    },
    /// The answer is not what the API documents.
    #[error("GitHub answered in an unexpected form: {detail}")]
    Answer {
        /// What was expected, and what came.
        detail: String,
    },
    /// The place where reading was to go on is not known any more.
    #[error("GitHub does not know the place where reading was to go on")]
    CursorUnknown,
}

impl GithubError {
    /// Whether trying again may help without anybody's doing.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::Limited { .. } | Self::ServerFailed { .. } | Self::Answer { .. }
        )
    }

    /// From when on trying again may help, where that is known.
    pub fn retry_at(&self) -> Option<Timestamp> {
        match self {
            Self::Limited { until, .. } => Some(*until),
            _ => None,
        }
    }

    /// Whether a smaller request might have been answered.
    pub(super) fn may_be_too_much(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::ServerFailed { .. })
    }

    /// What to do about it, one sentence without a full stop.
    pub fn remedy(&self) -> String {
        match self {
            Self::Address { .. } => {
                "give the address of the GraphQL API, such as https://api.github.com/graphql, or \
                 https://HOST/api/graphql of a GitHub Enterprise Server"
            }
            Self::TokenMissing { .. } => {
                "put a token that may read the repository into a file for its owner alone, and name the file; or \
                 into an environment variable of the node"
            }
            Self::Unreachable { .. } => "check the address and the network; what was read is kept",
            Self::Limited { .. } => "wait: it goes on where it stopped, and what was read is kept",
            Self::TokenRefused { .. } => "put a token that has not expired in its place",
            Self::Forbidden { .. } => {
                "let the token read metadata, pull requests, issues and contents of the repository, and authorize it \
                 for the organization where that demands it"
            }
            Self::RepositoryUnknown { .. } => {
                "check the name, and that the token may read the repository where it is private"
            }
            Self::NotTheApi { .. } => {
                "check the address: https://api.github.com/graphql, or https://HOST/api/graphql of a GitHub \
                 Enterprise Server"
            }
            Self::ServerFailed { .. } => "try again later; what was read is kept",
            Self::Answer { .. } => {
                "check that the address is that of GitHub's GraphQL API and no proxy answers in its place"
            }
            Self::CursorUnknown => "read again from the beginning",
        }
        .to_owned()
    }
}
