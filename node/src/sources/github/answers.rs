//! The answers, as the API documents them. Fields that are not read are passed over.

use meed_audit::Rejection;
use meed_audit::time::Timestamp;
use serde::Deserialize;

/// A time, as the API writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Time(pub(super) Timestamp);

impl TryFrom<String> for Time {
    type Error = Rejection;

    fn try_from(text: String) -> Result<Self, Rejection> {
        Timestamp::parse_edge("time", &text).map(Self)
    }
}

/// A number that the API writes as a text, since it may have 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Number")]
pub(super) struct Id(pub(super) u64);

#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Text(String),
    Number(u64),
}

impl TryFrom<Number> for Id {
    type Error = std::num::ParseIntError;

    fn try_from(number: Number) -> Result<Self, Self::Error> {
        match number {
            Number::Text(text) => text.parse().map(Self),
            Number::Number(number) => Ok(Self(number)),
        }
    }
}

/// Whoever did something.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Account {
    #[serde(rename = "__typename")]
    pub(super) kind: String,
    pub(super) login: String,
    #[serde(rename = "databaseId", default)]
    pub(super) id: Option<u64>,
}

/// A part of a list, and where the next one begins.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Connection<T> {
    pub(super) page_info: PageInfo,
    #[serde(default = "none")]
    nodes: Option<Vec<Option<T>>>,
}

fn none<T>() -> Option<T> {
    None
}

impl<T> Connection<T> {
    /// What the part holds; what the token may not see is null, and is left out.
    pub(super) fn into_nodes(self) -> Vec<T> {
        self.nodes.unwrap_or_default().into_iter().flatten().collect()
    }
}

/// Whether a list goes on, and where.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageInfo {
    pub(super) has_next_page: bool,
    pub(super) end_cursor: Option<String>,
}

/// The answer with a page of subjects.
#[derive(Debug, Deserialize)]
pub(super) struct Repository<T> {
    pub(super) repository: Option<RepositoryPage<T>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RepositoryPage<T> {
    pub(super) database_id: u64,
    pub(super) name_with_owner: String,
    pub(super) page: Connection<T>,
}

/// The answer with a further page of something nested.
#[derive(Debug, Deserialize)]
pub(super) struct Further<T> {
    pub(super) node: Option<More<T>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct More<T> {
    pub(super) more: Connection<T>,
}

/// A pull request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pull {
    pub(super) id: String,
    pub(super) number: u64,
    pub(super) title: String,
    pub(super) url: String,
    pub(super) updated_at: Time,
    pub(super) merged_at: Option<Time>,
    pub(super) base_ref_name: String,
    pub(super) head_ref_name: String,
    pub(super) author: Option<Account>,
    pub(super) labels: Option<Connection<Label>>,
    pub(super) commits: Option<Connection<PullCommit>>,
    pub(super) reviews: Option<Connection<Review>>,
    pub(super) dismissals: Option<Connection<Dismissal>>,
    pub(super) comments: Option<Connection<Comment>>,
}

/// An issue.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Issue {
    pub(super) id: String,
    pub(super) number: u64,
    pub(super) title: String,
    pub(super) url: String,
    pub(super) updated_at: Time,
    pub(super) closed_at: Option<Time>,
    pub(super) author: Option<Account>,
    pub(super) closings: Option<Connection<Closing>>,
    pub(super) assignees: Option<Connection<Account>>,
    pub(super) comments: Option<Connection<Comment>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Label {
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct PullCommit {
    pub(super) commit: Commit,
}

#[derive(Debug, Deserialize)]
pub(super) struct Commit {
    pub(super) id: String,
    pub(super) authors: Connection<CommitAuthor>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CommitAuthor {
    pub(super) user: Option<Account>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Review {
    #[serde(rename = "fullDatabaseId")]
    pub(super) id: Id,
    pub(super) submitted_at: Option<Time>,
    pub(super) state: String,
    pub(super) url: String,
    pub(super) author: Option<Account>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Dismissal {
    pub(super) previous_review_state: String,
    pub(super) review: Option<DismissedReview>,
}

#[derive(Debug, Deserialize)]
pub(super) struct DismissedReview {
    #[serde(rename = "fullDatabaseId")]
    pub(super) id: Id,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Comment {
    #[serde(rename = "fullDatabaseId")]
    pub(super) id: Id,
    pub(super) created_at: Time,
    pub(super) url: String,
    pub(super) author: Option<Account>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Closing {
    pub(super) created_at: Time,
    pub(super) state_reason: Option<String>,
    pub(super) actor: Option<Account>,
}

/// The answer to how many there are.
#[derive(Debug, Deserialize)]
pub(super) struct Totals {
    pub(super) merged: Total,
    pub(super) closed: Total,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Total {
    pub(super) issue_count: u64,
}

/// The answer to whether the repository can be read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Look {
    pub(super) repository: Option<LookRepository>,
    pub(super) rate_limit: Option<RateLimit>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LookRepository {
    pub(super) database_id: u64,
    pub(super) name_with_owner: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RateLimit {
    pub(super) remaining: u64,
    pub(super) reset_at: Time,
}
