//! A repository as the API tells it: subjects with all that is nested in them, in the names of the schema.

use serde_json::{Value, json};

/// The repository's number.
pub(crate) const NUMBER: u64 = 1_103_454_131;
/// People by login, with their numbers.
pub(crate) const ANA: (&str, u64) = ("ana", 11);
pub(crate) const BEN: (&str, u64) = ("ben", 22);
pub(crate) const CLEO: (&str, u64) = ("cleo", 33);

/// What the server has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) pulls: Vec<Value>,
    pub(crate) issues: Vec<Value>,
    /// What the search finds beyond the lists.
    pub(crate) hidden_merges: u64,
}

pub(crate) fn account((login, id): (&str, u64)) -> Value {
    json!({"__typename": "User", "login": login, "databaseId": id})
}

pub(crate) fn other_account(kind: &str, login: &str, id: u64) -> Value {
    json!({"__typename": kind, "login": login, "databaseId": id})
}

/// `2026-01-<day>T<hour>:00:00Z`.
pub(crate) fn january(day: u32, hour: u32) -> String {
    format!("2026-01-{day:02}T{hour:02}:00:00Z")
}

/// A pull request that was not merged.
pub(crate) fn pull(number: u64, author: (&str, u64), updated: &str) -> Value {
    json!({
        "id": format!("PR_{number}"), "number": number, "title": format!("Pull {number}"),
        "url": format!("https://github.com/octo/repo/pull/{number}"), "updatedAt": updated, "mergedAt": null,
        "baseRefName": "main", "headRefName": format!("branch-{number}"), "author": account(author),
        "labels": [], "commits": [], "reviews": [], "dismissals": [], "comments": [],
    })
}

/// A pull request that was merged, and not touched since.
pub(crate) fn merged(number: u64, author: (&str, u64), at: &str) -> Value {
    let mut pull = pull(number, author, at);
    pull["mergedAt"] = json!(at);
    pull
}

pub(crate) fn issue(number: u64, author: (&str, u64), updated: &str) -> Value {
    json!({
        "id": format!("I_{number}"), "number": number, "title": format!("Issue {number}"),
        "url": format!("https://github.com/octo/repo/issues/{number}"), "updatedAt": updated, "closedAt": null,
        "author": account(author), "closings": [], "assignees": [], "comments": [],
    })
}

/// An issue that was closed, and not touched since.
pub(crate) fn closed(number: u64, author: (&str, u64), closer: (&str, u64), at: &str) -> Value {
    with_closing(issue(number, author, at), closer, at, "COMPLETED")
}

pub(crate) fn with_closing(mut issue: Value, closer: (&str, u64), at: &str, reason: &str) -> Value {
    issue["closedAt"] = json!(at);
    push(&mut issue, "closings", json!({"createdAt": at, "stateReason": reason, "actor": account(closer)}));
    touched(issue, at)
}

pub(crate) fn with_review(mut pull: Value, id: u64, by: (&str, u64), state: &str, at: &str) -> Value {
    let url = format!("{}#pullrequestreview-{id}", pull["url"].as_str().unwrap());
    let review = json!({
        "fullDatabaseId": id.to_string(), "submittedAt": at, "state": state, "url": url, "author": account(by),
    });
    push(&mut pull, "reviews", review);
    touched(pull, at)
}

pub(crate) fn with_comment(mut subject: Value, id: u64, by: (&str, u64), at: &str) -> Value {
    let url = format!("{}#issuecomment-{id}", subject["url"].as_str().unwrap());
    let comment = json!({
        "fullDatabaseId": id.to_string(), "createdAt": at, "url": url, "author": account(by),
    });
    push(&mut subject, "comments", comment);
    touched(subject, at)
}

/// A commit of a pull request: its git author, and the people of its trailers.
pub(crate) fn with_commit(mut pull: Value, authors: &[Option<(&str, u64)>]) -> Value {
    let number = pull["commits"].as_array().unwrap().len();
    let authors: Vec<Value> = authors.iter().map(|author| json!({"user": author.map(account)})).collect();
    let id = format!("C_{}_{number}", pull["number"]);
    push(&mut pull, "commits", json!({"commit": {"id": id, "authors": authors}}));
    pull
}

fn push(subject: &mut Value, field: &str, item: Value) {
    subject[field].as_array_mut().unwrap().push(item);
}

/// The subject, changed last at this time unless it was later.
fn touched(mut subject: Value, at: &str) -> Value {
    if subject["updatedAt"].as_str().unwrap() < at {
        subject["updatedAt"] = json!(at);
    }
    subject
}
