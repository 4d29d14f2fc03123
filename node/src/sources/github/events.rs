//! From what the API tells of a subject to events: who is credited, and what the rules leave out.

use std::collections::{BTreeMap, BTreeSet};

use meed_audit::event::NewEvent;
use meed_audit::ids::Identity;
use meed_audit::json::Value;
use meed_audit::time::{Period, Timestamp};

use super::answers::{Account, Closing, Comment, Review};
use super::facts::{Fact, Place, reverted_by, review_type, shown};
use super::people::{People, person};
use super::rules::{IssueCredit, Rules, Take};
use crate::sources::git::BotList;

/// A pull request with all that is nested in it.
pub(super) struct WholePull {
    pub(super) number: u64,
    pub(super) title: String,
    pub(super) url: String,
    pub(super) merged_at: Option<Timestamp>,
    pub(super) base: String,
    pub(super) branch: String,
    pub(super) author: Option<Account>,
    pub(super) labels: Vec<String>,
    /// The people of trailers; nobody for an address that is no account's.
    pub(super) coauthors: Vec<Option<Account>>,
    pub(super) reviews: Vec<Review>,
    /// What reviews that were dismissed said before, by their numbers.
    pub(super) dismissed: BTreeMap<u64, String>,
    pub(super) comments: Vec<Comment>,
}

/// An issue with all that is nested in it.
pub(super) struct WholeIssue {
    pub(super) number: u64,
    pub(super) title: String,
    pub(super) url: String,
    pub(super) closed_at: Option<Timestamp>,
    pub(super) author: Option<Account>,
    pub(super) closings: Vec<Closing>,
    pub(super) assignees: Vec<Account>,
    pub(super) comments: Vec<Comment>,
}

/// What was found of a window, beside the events.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Events that were handed on.
    pub(super) events: u64,
    /// What breaks a rule of the ledger.
    pub(super) refused: u64,
    /// Who was left out by rule, or why nobody is credited.
    pub(super) left_out: BTreeMap<&'static str, u64>,
    /// Numbers of pull requests that were merged, and of issues whose last closing lies in the window.
    pub(super) merged: BTreeSet<u64>,
    pub(super) closed: BTreeSet<u64>,
}

/// Makes events of subjects.
pub(super) struct Maker<'a> {
    pub(super) rules: &'a Rules,
    pub(super) bots: &'a BotList,
    /// Events of this time are handed on.
    pub(super) taken: Period,
    /// What happened in this part of it is counted.
    pub(super) window: Period,
    pub(super) tally: Tally,
}

impl Maker<'_> {
    pub(super) fn pull(&mut self, place: &Place, pull: &WholePull, now: Timestamp) -> Vec<NewEvent> {
        let mut events = Vec::new();
        if let Some(at) = pull.merged_at.filter(|_| self.rules.takes(Take::Merged)) {
            if self.window.contains(at) {
                self.tally.merged.insert(pull.number);
            }
            if self.taken.contains(at) {
                let fact = self.merged(place, pull, at);
                self.push(fact, place, now, &mut events);
            }
        }
        for fact in self.reviews(place, pull) {
            self.push(Some(fact), place, now, &mut events);
        }
        self.comments(place, pull.number, &pull.title, &pull.comments, now, &mut events);
        events
    }

    pub(super) fn issue(&mut self, place: &Place, issue: &WholeIssue, now: Timestamp) -> Vec<NewEvent> {
        let mut events = Vec::new();
        if issue.closed_at.is_some_and(|at| self.window.contains(at)) {
            self.tally.closed.insert(issue.number);
        }
        // Each closing is a fact of its own, so that what was stored of the first stays true after the next.
        for (number, closing) in (1_u64..).zip(&issue.closings) {
            if self.taken.contains(closing.created_at.0) {
                let fact = self.closing(place, issue, number, closing);
                self.push(fact, place, now, &mut events);
            }
        }
        self.comments(place, issue.number, &issue.title, &issue.comments, now, &mut events);
        events
    }

    fn push(&mut self, fact: Option<Fact>, place: &Place, now: Timestamp, events: &mut Vec<NewEvent>) {
        let Some(fact) = fact else { return };
        let is_counted = u64::from(self.window.contains(fact.at));
        match fact.into_event(place, now) {
            Ok(event) => {
                self.tally.events = self.tally.events.saturating_add(is_counted);
                events.push(event);
            }
            Err(_) => self.tally.refused = self.tally.refused.saturating_add(is_counted),
        }
    }

    /// Counts what is left out, where it is of the window.
    fn leave_out(&mut self, reason: &'static str, at: Timestamp) {
        if self.window.contains(at) {
            let count = self.tally.left_out.entry(reason).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// The account as somebody who earns; who does not is counted.
    fn earner(&mut self, account: Option<&Account>, at: Timestamp) -> Option<(Identity, String)> {
        person(account, self.bots).map_err(|left_out| self.leave_out(left_out.name(), at)).ok()
    }

    fn merged(&mut self, place: &Place, pull: &WholePull, at: Timestamp) -> Option<Fact> {
        let mut people = People::new();
        people.extend(self.earner(pull.author.as_ref(), at));
        for coauthor in &pull.coauthors {
            match coauthor {
                None => self.leave_out("coauthor_without_account", at),
                Some(account) => {
                    if let Some((identity, login)) = self.earner(Some(account), at) {
                        people.entry(identity).or_insert(login);
                    }
                }
            }
        }
        let reverted = reverted_by(&pull.branch);
        // Lists and deliveries have them in different orders.
        let labels: BTreeSet<&str> = pull.labels.iter().map(String::as_str).collect();
        let mut shown_fields = vec![
            ("base", shown(&pull.base)),
            ("branch", shown(&pull.branch)),
            ("labels", Value::Array(labels.into_iter().map(shown).collect())),
        ];
        shown_fields.extend(reverted.map(|number| ("reverts", Value::String(number.to_owned()))));
        (!people.is_empty()).then(|| Fact {
            id: format!("pr:{}:{}", place.id, pull.number),
            event_type: if reverted.is_some() { "pr_revert_merged" } else { "pr_merged" },
            at,
            people,
            title: pull.title.clone(),
            url: pull.url.clone(),
            decides: vec![("base", pull.base.clone())],
            shown: shown_fields,
        })
    }

    /// The reviews, in the order in which they were submitted. The first of a person counts by what it says; what a
    /// person adds later, and what an author says of their own pull request, has a type of its own.
    fn reviews(&mut self, place: &Place, pull: &WholePull) -> Vec<Fact> {
        let mut submitted: Vec<(Timestamp, &Review)> =
            pull.reviews.iter().filter_map(|review| Some((review.submitted_at?.0, review))).collect();
        submitted.sort_by_key(|(at, review)| (*at, review.id.0));
        let author = person(pull.author.as_ref(), self.bots).ok().map(|(identity, _)| identity);
        let (mut reviewers, mut facts) = (BTreeSet::new(), Vec::new());
        for (at, review) in submitted {
            let said = match review.state.as_str() {
                "DISMISSED" => pull.dismissed.get(&review.id.0).map_or("DISMISSED", String::as_str),
                said => said,
            };
            let Some((identity, login)) = self.earner(review.author.as_ref(), at) else { continue };
            let is_first = reviewers.insert(identity.clone());
            let event_type = match said {
                _ if author.as_ref() == Some(&identity) => "review_self",
                _ if !is_first => "review_repeated",
                said => review_type(said),
            };
            if !self.taken.contains(at) {
                continue;
            }
            facts.push(Fact {
                id: format!("review:{}:{}:{}", place.id, pull.number, review.id.0),
                event_type,
                at,
                people: People::from([(identity, login)]),
                title: pull.title.clone(),
                url: review.url.clone(),
                decides: Vec::new(),
                shown: vec![("state", shown(&said.to_ascii_lowercase()))],
            });
        }
        facts
    }

    fn closing(&mut self, place: &Place, issue: &WholeIssue, number: u64, closing: &Closing) -> Option<Fact> {
        let at = closing.created_at.0;
        let credited: Vec<Option<&Account>> = match self.rules.issue_credit {
            IssueCredit::Closer => vec![closing.actor.as_ref()],
            IssueCredit::Author => vec![issue.author.as_ref()],
            IssueCredit::Assignees => issue.assignees.iter().map(Some).collect(),
        };
        if credited.is_empty() {
            self.leave_out("nobody_assigned", at);
        }
        let mut people = People::new();
        for account in credited {
            people.extend(self.earner(account, at));
        }
        let event_type = match closing.state_reason.as_deref() {
            _ if number > 1 => "issue_closed_again",
            Some("NOT_PLANNED") => "issue_closed_not_planned",
            Some("DUPLICATE") => "issue_closed_duplicate",
            _ => "issue_closed",
        };
        let id = format!("issue:{}:{}", place.id, issue.number);
        (!people.is_empty()).then(|| Fact {
            id: if number > 1 { format!("{id}:{number}") } else { id },
            event_type,
            at,
            people,
            title: issue.title.clone(),
            url: issue.url.clone(),
            decides: Vec::new(),
            shown: vec![("credit", shown(self.rules.issue_credit.name()))],
        })
    }

    pub(super) fn comments(
        &mut self,
        place: &Place,
        number: u64,
        title: &str,
        comments: &[Comment],
        now: Timestamp,
        events: &mut Vec<NewEvent>,
    ) {
        for comment in comments {
            let at = comment.created_at.0;
            if !self.taken.contains(at) {
                continue;
            }
            let Some(earner) = self.earner(comment.author.as_ref(), at) else { continue };
            let fact = Fact {
                id: format!("comment:{}:{}", place.id, comment.id.0),
                event_type: "comment_created",
                at,
                people: People::from([earner]),
                title: title.to_owned(),
                url: comment.url.clone(),
                decides: Vec::new(),
                shown: vec![("on", Value::String(number.to_string()))],
            };
            self.push(Some(fact), place, now, events);
        }
    }
}
