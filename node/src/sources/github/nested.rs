//! What is nested in a subject, followed to its end.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::GithubError;
use super::answers::{Account, Connection, Further, Issue, Pull, PullCommit};
use super::api::Api;
use super::events::{WholeIssue, WholePull};
use super::queries::{
    COMMIT_AUTHORS, ISSUE_ASSIGNEES, ISSUE_CLOSINGS, ISSUE_COMMENTS, Nested, PULL_COMMENTS, PULL_COMMITS,
    PULL_DISMISSALS, PULL_LABELS, PULL_REVIEWS,
};

#[derive(Serialize)]
struct FurtherPage<'a> {
    id: &'a str,
    after: &'a str,
}

/// All of a list of which the first part is here; nothing where it was not asked for.
fn whole<T: DeserializeOwned>(
    api: &Api<'_>,
    id: &str,
    first: Option<Connection<T>>,
    nested: Nested,
) -> Result<Vec<T>, GithubError> {
    let Some(mut part) = first else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    let mut seen: Option<String> = None;
    loop {
        let page = part.page_info.clone();
        all.extend(part.into_nodes());
        if !page.has_next_page {
            return Ok(all);
        }
        let after = next_place(page.end_cursor, seen.as_deref())?;
        let answer: Further<T> = api.ask(&nested.further(), &FurtherPage { id, after: &after })?;
        // What is gone between two pages has no more of anything.
        let Some(node) = answer.node else { return Ok(all) };
        part = node.more;
        seen = Some(after);
    }
}

/// Where a list goes on, which is never where it was.
pub(super) fn next_place(end: Option<String>, before: Option<&str>) -> Result<String, GithubError> {
    match end {
        Some(end) if Some(end.as_str()) != before => Ok(end),
        _ => Err(GithubError::Answer {
            detail: "expected a list that goes on to have a next place".to_owned(),
        }),
    }
}

pub(super) fn whole_pull(api: &Api<'_>, pull: Pull) -> Result<WholePull, GithubError> {
    let id = pull.id.as_str();
    let dismissals = whole(api, id, pull.dismissals, PULL_DISMISSALS)?;
    let dismissed = dismissals
        .into_iter()
        .filter_map(|dismissal| Some((dismissal.review?.id.0, dismissal.previous_review_state)));
    Ok(WholePull {
        number: pull.number,
        merged_at: pull.merged_at.map(|at| at.0),
        labels: whole(api, id, pull.labels, PULL_LABELS)?.into_iter().map(|label| label.name).collect(),
        coauthors: coauthors(api, whole(api, id, pull.commits, PULL_COMMITS)?)?,
        reviews: whole(api, id, pull.reviews, PULL_REVIEWS)?,
        dismissed: dismissed.collect(),
        comments: whole(api, id, pull.comments, PULL_COMMENTS)?,
        title: pull.title,
        url: pull.url,
        base: pull.base_ref_name,
        branch: pull.head_ref_name,
        author: pull.author,
    })
}

/// The people of trailers: of a commit's authors, those after the first.
fn coauthors(api: &Api<'_>, commits: Vec<PullCommit>) -> Result<Vec<Option<Account>>, GithubError> {
    let mut all = Vec::new();
    for PullCommit { commit } in commits {
        let authors = whole(api, &commit.id, Some(commit.authors), COMMIT_AUTHORS)?;
        for author in authors.into_iter().skip(1) {
            if !all.contains(&author.user) {
                all.push(author.user);
            }
        }
    }
    Ok(all)
}

pub(super) fn whole_issue(api: &Api<'_>, issue: Issue) -> Result<WholeIssue, GithubError> {
    let id = issue.id.as_str();
    Ok(WholeIssue {
        number: issue.number,
        closed_at: issue.closed_at.map(|at| at.0),
        closings: whole(api, id, issue.closings, ISSUE_CLOSINGS)?,
        assignees: whole(api, id, issue.assignees, ISSUE_ASSIGNEES)?,
        comments: whole(api, id, issue.comments, ISSUE_COMMENTS)?,
        title: issue.title,
        url: issue.url,
        author: issue.author,
    })
}
