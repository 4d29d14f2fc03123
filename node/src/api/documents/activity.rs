//! Events coming in, and events as an epoch takes them.

use std::collections::BTreeMap;

use meed_audit::activity::Activity;
use meed_audit::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::leaves::ActivityLeaf;

use crate::api::problems::LineProblem;
use crate::sources::github::GithubPlace;

/// What became of events that came in.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct StoredView {
    /// New events.
    pub stored: u64,
    /// Events that were there already.
    pub duplicates: u64,
    /// Those of them that were new to this scope.
    pub routed: u64,
    /// Events with another content than the one stored under their id: kept out and recorded.
    pub conflicts: u64,
    /// New events whose type weighs nothing in the epoch that takes them, or where none does yet, by the scope's terms of
    /// now: unless somebody decides otherwise, they earn nothing.
    #[serde(default)]
    pub unweighted: Vec<UnweightedView>,
    /// New events of windows that are over: a later epoch takes them.
    #[serde(default)]
    pub late: Vec<LateView>,
    /// New events from before the scope's first epoch, which no epoch takes.
    #[serde(default)]
    pub before_first: u64,
    /// Why it is not known of the new events whether they weigh anything or came late; they are stored all the same.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub not_looked_at: Option<String>,
}

/// Events of a type that weighs nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnweightedView {
    /// `<source>:<event_type>`.
    pub kind: String,
    /// How many.
    pub events: u64,
}

/// Events that came when the epoch of their time took none any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LateView {
    /// The epoch whose window holds their time; none for a window that was left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub missed: Option<u64>,
    /// The epoch that takes them; none where the next one takes them that is opened.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub taken_by: Option<u64>,
    /// How many.
    pub events: u64,
}

/// Adds counts to those of the same things.
fn merge<T: Clone>(
    all: &mut Vec<T>,
    more: &[T],
    same: impl Fn(&T, &T) -> bool,
    count: fn(&mut T) -> &mut u64,
) {
    for item in more {
        match all.iter_mut().find(|known| same(known, item)) {
            Some(known) => {
                let added = *count(&mut item.clone());
                let sum = count(known);
                *sum = sum.saturating_add(added);
            }
            None => all.push(item.clone()),
        }
    }
}

impl StoredView {
    /// Adds another batch's counts.
    pub fn add(&mut self, other: &Self) {
        merge(
            &mut self.unweighted,
            &other.unweighted,
            |one, two| one.kind == two.kind,
            |item| &mut item.events,
        );
        let same = |one: &LateView, two: &LateView| (one.missed, one.taken_by) == (two.missed, two.taken_by);
        merge(&mut self.late, &other.late, same, |item| &mut item.events);
        self.before_first = self.before_first.saturating_add(other.before_first);
        if self.not_looked_at.is_none() {
            self.not_looked_at.clone_from(&other.not_looked_at);
        }
        self.stored = self.stored.saturating_add(other.stored);
        self.duplicates = self.duplicates.saturating_add(other.duplicates);
        self.routed = self.routed.saturating_add(other.routed);
        self.conflicts = self.conflicts.saturating_add(other.conflicts);
    }
}

/// What an import did.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct ImportView {
    /// What became of the good lines.
    #[serde(flatten)]
    pub events: StoredView,
    /// What is wrong with the bad lines, where the good ones were stored nevertheless: a line may have several faults.
    pub bad_lines: Vec<LineProblem>,
    /// How many more lines are bad whose faults are not told.
    #[serde(skip_serializing_if = "crate::api::documents::is_zero", default)]
    pub bad_lines_more: u64,
}

/// `POST /scopes/{key}/collect`: from one place, or where none is named from the sources of the settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CollectRequest {
    /// A folder in a clone, on the node's machine, which only the owner may name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub git: Option<String>,
    /// A repository of GitHub, with where the node finds its token, which only the owner may name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<Object>)]
    pub github: Option<Box<GithubPlace>>,
    /// A branch, tag or commit of the clone.
    #[serde(default = "head")]
    pub reference: String,
    /// The first committer time to take.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub since: Option<String>,
    /// The first committer time not to take any more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<String>,
    /// Patterns of authors who are programs, beside the node's setting.
    #[serde(default)]
    pub bots: Vec<String>,
}

fn head() -> String {
    "HEAD".to_owned()
}

impl Default for CollectRequest {
    fn default() -> Self {
        Self { git: None, github: None, reference: head(), since: None, until: None, bots: Vec::new() }
    }
}

impl CollectRequest {
    /// Whether it names a place of its own.
    pub fn names_a_place(&self) -> bool {
        self.git.is_some() || self.github.is_some()
    }
}

/// What a collection did.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CollectView {
    /// The place that was read: `git:<id of the first commit>`, `github:repo:<number>`.
    pub source_ref: String,
    /// The commit that the reference named, of a clone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub head: Option<String>,
    /// Commits that the reference reaches.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub commits_seen: Option<u64>,
    /// Those of them in the period.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub commits_in_period: Option<u64>,
    /// How many events of the period are there and not in the ledger.
    #[serde(skip_serializing_if = "crate::api::documents::is_zero", default)]
    pub missing: u64,
    /// Events found, by type.
    pub found: BTreeMap<String, u64>,
    /// What became of them.
    #[serde(flatten)]
    pub events: StoredView,
    /// What was left out, by reason.
    pub skipped: Vec<SkippedView>,
    /// The earliest time of an event.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub first_time: Option<Timestamp>,
    /// The latest time of an event.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub last_time: Option<Timestamp>,
}

/// What a collection left out for one reason.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SkippedView {
    /// The stable name of the reason.
    pub reason: String,
    /// How often.
    pub count: u64,
    /// What happened and what to do about it.
    pub explanation: String,
    /// The first few commits.
    pub examples: Vec<String>,
}

/// An event as an epoch takes it: the activity leaf, and what is shown beside it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ActivityItem {
    /// The leaf.
    #[serde(flatten)]
    #[schema(value_type = ActivityLeaf)]
    pub activity: Activity,
    /// When it happened.
    #[schema(value_type = String)]
    pub event_time: Timestamp,
    /// `<source>:<event_type>`.
    pub kind: String,
    /// Who did it, with the names that the source gave.
    pub authors: Vec<AuthorView>,
    /// What it is about, as the source gave it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<String>,
}

/// An author of an event.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuthorView {
    /// The account.
    pub identity: String,
    /// The name that the source gave; nothing rests on it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
}

/// An event that was kept out.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ConflictView {
    /// The id.
    pub event: String,
    /// When the other content came first.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// The index of the event that stays.
    pub stored_index: u64,
    /// The leaf that stays.
    #[schema(value_type = Object)]
    pub stored: serde_json::Value,
    /// The leaf that would have been.
    #[schema(value_type = Object)]
    pub came: serde_json::Value,
    /// How often yet other contents came under the id when as many as may be kept were kept already.
    pub not_kept: u64,
}

/// What became of a delivery.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct DeliveryView {
    /// Its id.
    pub delivery: String,
    /// Whether it was taken before, and did nothing now.
    pub replayed: bool,
    /// What became of the events that it told whole.
    #[serde(flatten)]
    pub events: StoredView,
    /// The runs that collect what it only hinted at; none where one was begun a short while before.
    pub collecting: Vec<String>,
}
