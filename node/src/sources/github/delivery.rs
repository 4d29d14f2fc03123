//! What GitHub delivers by webhook: whose repository it is of, and whether something happened that the source takes.
//!
//! A delivery that tells all that the lists would tell becomes the same event as there, by the same code. Of what only
//! the lists know (which review of a person is the first, which closing of an issue, who co-authored) it says no more
//! than that there is something to collect.

use std::collections::{BTreeMap, BTreeSet};

use meed_audit::event::NewEvent;
use meed_audit::time::{Period, Timestamp};
use serde::Deserialize;

use super::answers::{Account, Comment, Id, Time};
use super::events::{Maker, Tally, WholePull};
use super::facts::Place;
use super::rules::{Rules, Take};
use super::{GithubPlace, RepositoryName};
use crate::sources::git::BotList;

/// What is read of a payload; there is much more in it.
#[derive(Debug, Deserialize)]
pub struct Payload {
    action: Option<String>,
    repository: Option<DeliveredRepository>,
    pull_request: Option<DeliveredPull>,
    issue: Option<DeliveredIssue>,
    comment: Option<DeliveredComment>,
}

#[derive(Debug, Deserialize)]
struct DeliveredRepository {
    id: u64,
    full_name: String,
}

#[derive(Debug, Deserialize)]
struct DeliveredAccount {
    id: Option<u64>,
    login: String,
    r#type: Option<String>,
}

#[derive(Debug, Deserialize)]
struct DeliveredPull {
    number: u64,
    title: String,
    html_url: String,
    merged_at: Option<Time>,
    user: Option<DeliveredAccount>,
    base: DeliveredBranch,
    head: DeliveredBranch,
    #[serde(default)]
    labels: Vec<DeliveredLabel>,
}

#[derive(Debug, Deserialize)]
struct DeliveredBranch {
    r#ref: String,
}

#[derive(Debug, Deserialize)]
struct DeliveredLabel {
    name: String,
}

#[derive(Debug, Deserialize)]
struct DeliveredIssue {
    number: u64,
    title: String,
}

#[derive(Debug, Deserialize)]
struct DeliveredComment {
    id: u64,
    html_url: String,
    created_at: Option<Time>,
    user: Option<DeliveredAccount>,
}

/// What a delivery means for a source.
#[derive(Debug)]
pub enum Meaning {
    /// Nothing that the source takes, or nobody who earns by it.
    Nothing,
    /// Something is to be collected.
    Collect,
    /// It tells these events whole.
    Events(Vec<NewEvent>),
}

impl Payload {
    /// The name of the repository that it is of.
    pub fn repository(&self) -> Option<RepositoryName> {
        self.repository.as_ref()?.full_name.parse().ok()
    }

    /// What it means for a source of its repository, as it came `now`.
    pub fn meaning(&self, event: &str, place: &GithubPlace, bots: &BotList, now: Timestamp) -> Meaning {
        let Some(repository) = &self.repository else { return Meaning::Nothing };
        let kind = match (event, self.action.as_deref()) {
            ("pull_request", Some("closed")) => Take::Merged,
            ("pull_request_review", Some("submitted")) => Take::Reviews,
            ("issues", Some("closed")) => Take::Issues,
            ("issue_comment", Some("created")) => Take::Comments,
            _ => return Meaning::Nothing,
        };
        if !place.rules.takes(kind) {
            return Meaning::Nothing;
        }
        let at = Place { id: repository.id, name: repository.full_name.clone() };
        let taken = Period { start: Timestamp::FIRST, end: Timestamp::LAST };
        let rules = Rules { take: BTreeSet::from([kind]), ..place.rules.clone() };
        let mut maker = Maker { rules: &rules, bots, taken, window: taken, tally: Tally::default() };
        let events = match (kind, &self.pull_request, &self.issue, &self.comment) {
            (Take::Merged, Some(pull), ..) if pull.merged_at.is_none() => return Meaning::Nothing,
            (Take::Merged, Some(pull), ..) if !rules.coauthors => maker.pull(&at, &pull.whole(), now),
            (Take::Comments, _, Some(issue), Some(comment)) => {
                let Some(comment) = comment.whole() else { return Meaning::Collect };
                let mut events = Vec::new();
                maker.comments(&at, issue.number, &issue.title, &[comment], now, &mut events);
                events
            }
            _ => return Meaning::Collect,
        };
        if events.is_empty() { Meaning::Nothing } else { Meaning::Events(events) }
    }
}

impl DeliveredAccount {
    fn whole(&self) -> Account {
        Account { kind: self.r#type.clone().unwrap_or_default(), login: self.login.clone(), id: self.id }
    }
}

impl DeliveredPull {
    fn whole(&self) -> WholePull {
        WholePull {
            number: self.number,
            title: self.title.clone(),
            url: self.html_url.clone(),
            merged_at: self.merged_at.map(|at| at.0),
            base: self.base.r#ref.clone(),
            branch: self.head.r#ref.clone(),
            author: self.user.as_ref().map(DeliveredAccount::whole),
            labels: self.labels.iter().map(|label| label.name.clone()).collect(),
            coauthors: Vec::new(),
            reviews: Vec::new(),
            dismissed: BTreeMap::new(),
            comments: Vec::new(),
        }
    }
}

impl DeliveredComment {
    fn whole(&self) -> Option<Comment> {
        Some(Comment {
            id: Id(self.id),
            created_at: self.created_at?,
            url: self.html_url.clone(),
            author: self.user.as_ref().map(DeliveredAccount::whole),
        })
    }
}
