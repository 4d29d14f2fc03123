//! GitHub: merged pull requests, reviews, closed issues and comments of a repository, over the GraphQL API.
//!
//! # Events
//!
//! `<repository>` is the repository's number, which stays when it is renamed or moved; so is every other number.
//!
//! | id | type | author |
//! |---|---|---|
//! | `github:pr:<repository>:<n>` | `pr_merged`; `pr_revert_merged` from a branch that GitHub made for a revert | who opened it, and by rule the people of `Co-authored-by` trailers, in equal shares |
//! | `github:review:<repository>:<n>:<review>` | `review_approved`, `review_changes_requested`, `review_commented` by what it said; `review_repeated` after the first of a person on a pull request; `review_self` of one's own | the reviewer |
//! | `github:issue:<repository>:<n>` | `issue_closed`, `issue_closed_not_planned`, `issue_closed_duplicate` for the first closing | by rule who closed it, who opened it, or those to whom it is assigned |
//! | `github:issue:<repository>:<n>:<k>` | `issue_closed_again` for the k-th closing | the same |
//! | `github:comment:<repository>:<comment>` | `comment_created`, on an issue or pull request | who wrote it |
//!
//! What each type is worth, or that it is worth nothing, the scope's weights say. A review that was dismissed later is
//! what it was when it was submitted. Remarks on lines are parts of reviews.
//!
//! **Who.** Accounts by their numbers; logins are shown only. Apps and whoever a [`BotList`] names by login, deleted
//! accounts, organizations and placeholders of imported people earn nothing, and are counted.
//!
//! **Order.** Lists are read by when their subjects changed last, the oldest first. Each page is stored together with the
//! place after it, so that a limit or a crash costs time and never an event. A window is read from a place that is older
//! than it and than the one before it ([`position`]), so that what GitHub shows late is seen; what is seen again is a
//! duplicate. At the end the search is asked how many pull requests were merged and issues closed in the window, and
//! what the lists did not have is missing.
//!
//! **Earlier ids.** The earlier system named repositories in ids. Lines of it are brought into this form when they are
//! imported with the numbers of their repositories ([`RepositoryNumbers`]), and refused without.
//!
//! **Limits.** A refusal for a while names the time when it ends: a node goes on then, and so does a command.
//!
//! [`BotList`]: crate::sources::git::BotList

mod answers;
mod api;
mod delivery;
mod earlier;
mod error;
mod events;
mod facts;
mod limits;
mod nested;
mod people;
mod position;
mod queries;
mod rules;
mod sweep;
mod token;

use meed_audit::time::Period;
use serde::{Deserialize, Serialize};

pub use delivery::{Meaning, Payload};
pub use earlier::RepositoryNumbers;
pub(in crate::sources) use earlier::translate;
pub use error::GithubError;
pub use rules::{IssueCredit, RepositoryName, Rules, Take};
pub use token::{TOKEN_VARIABLE_DEFAULT, TokenPlace};

use super::source::{AskedPages, Pages, SourcePass};
use super::{CollectError, SourceError};
use crate::clock::Clock;
use crate::failure::Failure;
use answers::Look;
use api::Api;
use events::{Maker, Tally};
use facts::Place;
use sweep::Sweep;

/// The address of the API where nothing else is said.
pub const URL_DEFAULT: &str = "https://api.github.com/graphql";
/// How long an answer may take where nothing else is said, in seconds.
pub const TIMEOUT_SECONDS_DEFAULT: u64 = 60;

/// A repository, and how to read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GithubPlace {
    /// Its name.
    pub repository: RepositoryName,
    /// The address of the GraphQL API.
    pub url: String,
    /// Where the token is.
    pub token: TokenPlace,
    /// What is taken, and who is credited.
    pub rules: Rules,
    /// How long an answer may take, in seconds.
    pub timeout_seconds: u64,
}

#[derive(Serialize)]
struct Named<'a> {
    owner: &'a str,
    name: &'a str,
}

impl GithubPlace {
    /// A repository of github.com, by the token of the environment and the usual rules.
    pub fn new(repository: RepositoryName) -> Self {
        Self {
            repository,
            url: URL_DEFAULT.to_owned(),
            token: TokenPlace::default(),
            rules: Rules::default(),
            timeout_seconds: TIMEOUT_SECONDS_DEFAULT,
        }
    }

    /// Whether the repository can be read now, and how much of the limit is left.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn look(&self, clock: &dyn Clock) -> Result<String, SourceError> {
        let api = Api::open(self, clock)?;
        let (place, answer) = self.find(&api)?;
        let left = answer.rate_limit.map(|limit| {
            format!(", {} points of its limit left until {}", limit.remaining, limit.reset_at.0)
        });
        Ok(format!("the GitHub repository {} (number {}){}", place.name, place.id, left.unwrap_or_default()))
    }

    /// Hands on what happened in a window, and before it where that is asked for, page by page.
    ///
    /// # Errors
    /// [`CollectError::Source`] where the repository cannot be read: what was handed on stays stored, and reading again
    /// goes on there; [`CollectError::Sink`] with the error of whoever takes the pages.
    pub fn read(
        &self,
        asked: &AskedPages<'_>,
        pages: &mut Pages<'_>,
    ) -> Result<SourcePass, CollectError<Failure>> {
        let api = Api::open(self, asked.clock).map_err(SourceError::from)?;
        let (place, _) = self.find(&api).map_err(SourceError::from)?;
        let taken = Period { start: asked.late_from.unwrap_or(asked.window.start), end: asked.window.end };
        let maker = Maker {
            rules: &self.rules,
            bots: asked.bots,
            taken,
            window: asked.window,
            tally: Tally::default(),
        };
        let sweep = Sweep { api: &api, at: self, maker, clock: asked.clock, counted: true };
        sweep.run(&place, pages)
    }

    /// The repository by its number.
    fn find(&self, api: &Api<'_>) -> Result<(Place, Look), GithubError> {
        let name = &self.repository;
        let mut answer: Look = api.ask(queries::LOOK, &Named { owner: name.owner(), name: name.name() })?;
        let unknown = || GithubError::RepositoryUnknown { repository: name.to_string() };
        let found = answer.repository.take().ok_or_else(unknown)?;
        Ok((Place { id: found.database_id, name: found.name_with_owner }, answer))
    }
}
