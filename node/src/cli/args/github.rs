//! Arguments that name a repository of GitHub, and how to reach it.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::failure::Failure;
use crate::sources::github::{GithubPlace, IssueCredit, RepositoryName, Take, TokenPlace};

/// How the API is reached.
#[derive(Clone, Debug, Default, Args)]
pub struct GithubApiArgs {
    /// The address of the GraphQL API, such as https://HOST/api/graphql [default: that of github.com]
    #[arg(long, value_name = "URL")]
    pub github_url: Option<String>,
    /// A file that holds the token and nothing else
    #[arg(long, value_name = "FILE", conflicts_with = "github_token_variable")]
    pub github_token_file: Option<PathBuf>,
    /// The environment variable that holds the token, of the node where one serves [default: GITHUB_TOKEN]
    #[arg(long, value_name = "NAME")]
    pub github_token_variable: Option<String>,
}

impl GithubApiArgs {
    /// The repository of this name, reached so.
    pub(crate) fn place(&self, repository: RepositoryName) -> Result<GithubPlace, Failure> {
        let mut place = GithubPlace::new(repository);
        if let Some(url) = &self.github_url {
            place.url.clone_from(url);
        }
        if let Some(name) = &self.github_token_variable {
            place.token = TokenPlace::Variable(name.clone());
        }
        if let Some(path) = &self.github_token_file {
            place.token = TokenPlace::File(absolute(path)?);
        }
        Ok(place)
    }
}

/// The node that reads the file may stand in another folder.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::unreadable(path, &error))
}

/// Reads the name of a kind of activity.
pub(super) fn take() -> impl TypedValueParser<Value = Take> {
    PossibleValuesParser::new(Take::ALL.map(Take::name)).try_map(|name| {
        Take::ALL.into_iter().find(|kind| kind.name() == name).ok_or("expected a kind of activity")
    })
}

/// Reads who is credited for a closed issue.
pub(super) fn issue_credit() -> impl TypedValueParser<Value = IssueCredit> {
    PossibleValuesParser::new(IssueCredit::ALL.map(IssueCredit::name)).try_map(|name| {
        IssueCredit::ALL.into_iter().find(|credit| credit.name() == name).ok_or("expected who is credited")
    })
}
