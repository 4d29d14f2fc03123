//! What a collection found, and everything that it left out, by reason.

use std::collections::BTreeMap;
use std::fmt;

use meed_audit::time::Timestamp;

/// Most examples that a report keeps for each reason.
pub const EXAMPLES_MAX: usize = 5;

/// Why something in a history became no event, or no author of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkipReason {
    /// All authors of the commit are bots: no commit or merge event.
    BotEvent,
    /// A bot among the authors was left out; the others share the event.
    BotAuthor,
    /// A review by a bot.
    BotReview,
    /// A review of a commit by one of its authors.
    SelfReview,
    /// A second review of a commit by the same person.
    RepeatedReview,
    /// The author has no e-mail address: no commit or merge event.
    EmailMissing,
    /// The author's e-mail is no address: no commit or merge event.
    EmailInvalid,
    /// A `Co-authored-by` that does not say who is meant; the other authors share the event.
    CoauthorUnreadable,
    /// A `Reviewed-by` that does not say who is meant.
    ReviewerUnreadable,
    /// More authors than an event can have: no commit or merge event.
    TooManyAuthors,
    /// Names, addresses, trailers or parents beyond what is read: nothing of the commit.
    Oversized,
    /// The committer time is before 1970, after 9999, or no number: nothing of the commit.
    TimeInvalid,
    /// The committer time is more than 10 minutes ahead of now: nothing of the commit.
    TimeInFuture,
    /// The event breaks another rule of the ledger.
    Refused,
}

impl SkipReason {
    /// The stable `snake_case` name.
    pub fn name(self) -> &'static str {
        match self {
            Self::BotEvent => "bot_event",
            Self::BotAuthor => "bot_author",
            Self::BotReview => "bot_review",
            Self::SelfReview => "self_review",
            Self::RepeatedReview => "repeated_review",
            Self::EmailMissing => "email_missing",
            Self::EmailInvalid => "email_invalid",
            Self::CoauthorUnreadable => "coauthor_unreadable",
            Self::ReviewerUnreadable => "reviewer_unreadable",
            Self::TooManyAuthors => "too_many_authors",
            Self::Oversized => "oversized",
            Self::TimeInvalid => "time_invalid",
            Self::TimeInFuture => "time_in_future",
            Self::Refused => "refused",
        }
    }

    /// What happened and, where something can be done, what: one line without a full stop.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::BotEvent => "all authors are bots; change the list of bots where that is wrong",
            Self::BotAuthor => "a bot among the authors was left out, the others share the event",
            Self::BotReview => "the reviewer is a bot",
            Self::SelfReview => "the reviewer is an author of the commit",
            Self::RepeatedReview => "the person has a review of this commit already",
            Self::EmailMissing => "the author has no e-mail address; name the person in .mailmap",
            Self::EmailInvalid => "the author's e-mail is no address; name the person in .mailmap",
            Self::CoauthorUnreadable => {
                "a Co-authored-by is not `Name <address>`, the others share the event"
            }
            Self::ReviewerUnreadable => "a Reviewed-by is not `Name <address>`",
            Self::TooManyAuthors => "the commit has more than 100 authors",
            Self::Oversized => "a name, an address, the trailers or the parents are beyond what is read",
            Self::TimeInvalid => "the committer time is before 1970, after 9999 or no number",
            Self::TimeInFuture => "the committer time is ahead of this machine's clock; check both clocks",
            Self::Refused => "the event breaks a rule of the ledger",
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What was left out for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// How often.
    pub count: u64,
    /// Commit ids of the first few, at most [`EXAMPLES_MAX`]; never a name or an address.
    pub examples: Vec<String>,
}

/// What a collection found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectReport {
    /// The commit that the reference named, in hex.
    pub head: String,
    /// The `source_ref` of that commit: `git:<id of the first commit>`.
    pub source_ref: String,
    /// Commits that the reference reaches.
    pub commits_seen: u64,
    /// Those of them whose committer time lies in the period that was asked for.
    pub commits_in_period: u64,
    /// Events handed on, by type: `commit`, `merge`, `review`.
    pub events: BTreeMap<&'static str, u64>,
    /// What was left out, by reason.
    pub skipped: BTreeMap<SkipReason, Skipped>,
    /// The earliest time of an event.
    pub first_time: Option<Timestamp>,
    /// The latest time of an event.
    pub last_time: Option<Timestamp>,
}

impl CollectReport {
    pub(super) fn new(head: String) -> Self {
        Self {
            head,
            source_ref: String::new(),
            commits_seen: 0,
            commits_in_period: 0,
            events: BTreeMap::new(),
            skipped: BTreeMap::new(),
            first_time: None,
            last_time: None,
        }
    }

    /// How many events were handed on.
    pub fn events_total(&self) -> u64 {
        self.events.values().sum()
    }

    /// How often something was left out for `reason`.
    pub fn skipped_count(&self, reason: SkipReason) -> u64 {
        self.skipped.get(&reason).map_or(0, |skipped| skipped.count)
    }

    pub(super) fn skip(&mut self, reason: SkipReason, commit: &str) {
        let skipped = self.skipped.entry(reason).or_default();
        skipped.count = skipped.count.saturating_add(1);
        if skipped.examples.len() < EXAMPLES_MAX && skipped.examples.last().is_none_or(|last| last != commit)
        {
            skipped.examples.push(commit.to_owned());
        }
    }

    pub(super) fn count(&mut self, event_type: &'static str, time: Timestamp) {
        let count = self.events.entry(event_type).or_default();
        *count = count.saturating_add(1);
        self.first_time = Some(self.first_time.map_or(time, |first| first.min(time)));
        self.last_time = Some(self.last_time.map_or(time, |last| last.max(time)));
    }
}
