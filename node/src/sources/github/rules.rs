//! What is taken from a repository, and who is credited for it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use meed_audit::{Checked, Rejection, RejectionCode};
use serde::{Deserialize, Serialize};

/// Longest name of an owner, and of a repository, in bytes.
const OWNER_BYTES_MAX: usize = 64;
const NAME_BYTES_MAX: usize = 100;

/// A kind of activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Take {
    /// Merged pull requests.
    Merged,
    /// Reviews of pull requests, merged or not.
    Reviews,
    /// Closed issues.
    Issues,
    /// Comments on issues and pull requests.
    Comments,
}

impl Take {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Merged, Self::Reviews, Self::Issues, Self::Comments];

    /// The name, as settings and the command line have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Merged => "merged",
            Self::Reviews => "reviews",
            Self::Issues => "issues",
            Self::Comments => "comments",
        }
    }
}

/// Who is credited for a closed issue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssueCredit {
    /// Whoever closed it.
    #[default]
    Closer,
    /// Whoever opened it.
    Author,
    /// Those to whom it is assigned when it is read, in equal shares.
    Assignees,
}

impl IssueCredit {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Closer, Self::Author, Self::Assignees];

    /// The name, as settings and the command line have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closer => "closer",
            Self::Author => "author",
            Self::Assignees => "assignees",
        }
    }
}

/// What is taken from a repository, and who is credited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Which kinds of activity.
    #[serde(default = "everything_but_comments")]
    pub take: BTreeSet<Take>,
    /// Whether the people of `Co-authored-by` trailers share a merged pull request.
    #[serde(default = "yes")]
    pub coauthors: bool,
    /// Who is credited for a closed issue.
    #[serde(default)]
    pub issue_credit: IssueCredit,
}

fn yes() -> bool {
    true
}

fn everything_but_comments() -> BTreeSet<Take> {
    BTreeSet::from([Take::Merged, Take::Reviews, Take::Issues])
}

impl Default for Rules {
    /// Merged pull requests shared with co-authors, reviews, and closed issues for those who closed them.
    fn default() -> Self {
        Self { take: everything_but_comments(), coauthors: yes(), issue_credit: IssueCredit::default() }
    }
}

impl Rules {
    pub(super) fn takes(&self, kind: Take) -> bool {
        self.take.contains(&kind)
    }
}

/// The name of a repository: `owner/name`. It says where to look; what is stored goes by the repository's number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepositoryName {
    owner: String,
    name: String,
}

impl RepositoryName {
    /// Whose it is.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Its name there.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for RepositoryName {
    type Err = Rejection;

    /// # Errors
    /// `invalid_identifier` for what cannot be the name of a repository.
    fn from_str(text: &str) -> Checked<Self> {
        let is_word = |word: &str, bytes_max: usize, joiners: &[u8]| {
            (1..=bytes_max).contains(&word.len())
                && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || joiners.contains(&byte))
                && word != "."
                && word != ".."
        };
        match text.split_once('/') {
            Some((owner, name))
                if is_word(owner, OWNER_BYTES_MAX, b"-_") && is_word(name, NAME_BYTES_MAX, b"-_.") =>
            {
                Ok(Self { owner: owner.to_owned(), name: name.to_owned() })
            }
            _ => {
                let expected = "OWNER/NAME, such as octocat/hello-world";
                Err(Rejection::new(RejectionCode::InvalidIdentifier, "repository", expected, text))
            }
        }
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

impl From<RepositoryName> for String {
    fn from(name: RepositoryName) -> Self {
        name.to_string()
    }
}

impl TryFrom<String> for RepositoryName {
    type Error = Rejection;

    fn try_from(text: String) -> Checked<Self> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::RepositoryName;

    #[test]
    fn names_of_repositories_have_an_owner_and_no_way_out_of_the_query() {
        for name in ["octocat/hello-world", "Cogni-DAO/cogni", "a_corp/x.y_z", "o/.github"] {
            assert_eq!(name.parse::<RepositoryName>().expect(name).to_string(), name);
        }
        let long = format!("{}/x", "o".repeat(65));
        for name in ["", "octocat", "/x", "o/", "o/..", "o/a/b", "o/a b", "o/a\"", "o x/y", "o/ä", &long] {
            assert!(name.parse::<RepositoryName>().is_err(), "{name}");
        }
    }
}
