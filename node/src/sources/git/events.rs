//! From a commit to its events: who shares it, who reviewed it, and what is left out.

use std::collections::{BTreeMap, BTreeSet};

use meed_audit::Checked;
use meed_audit::event::{AUTHORS_MAX, CLOCK_SKEW_MS, EventFields, NewEvent};
use meed_audit::hash::Hash;
use meed_audit::ids::Identity;
use meed_audit::json::Value;
use meed_audit::time::{MS_PER_SECOND, Timestamp};

use super::super::SourceError;
use super::super::display::visible_line;
use super::GitRequest;
use super::history::{CommitText, Listed};
use super::people::{Contact, Mailmap};
use super::report::{CollectReport, SkipReason};

/// Longest display name in metadata, in bytes.
const NAME_BYTES_MAX: usize = 100;
/// Longest subject line in metadata, in bytes.
const TITLE_BYTES_MAX: usize = 200;

/// Makes the events of commits, and counts what it leaves out.
pub(super) struct EventMaker<'a> {
    request: &'a GitRequest,
    mailmap: Mailmap<'a>,
}

/// A commit that is being turned into events.
struct Commit<'a> {
    listed: &'a Listed,
    text: &'a CommitText,
    time: Timestamp,
    parents: usize,
}

/// People by identity, in the order of the event's authors, with their names.
type People = BTreeMap<Identity, Vec<u8>>;

impl<'a> EventMaker<'a> {
    pub(super) fn new(request: &'a GitRequest, mailmap: Mailmap<'a>) -> Self {
        Self { request, mailmap }
    }

    /// The events of one commit: at most one commit or merge, then its reviews.
    pub(super) fn make(
        &mut self,
        listed: &Listed,
        text: &CommitText,
        report: &mut CollectReport,
    ) -> Result<Vec<NewEvent>, SourceError> {
        let (time, parents) = match (self.check_time(listed, text), listed.parents) {
            _ if text.oversized => return skip_all(SkipReason::Oversized, listed, report),
            (_, None) => return skip_all(SkipReason::Oversized, listed, report),
            (Err(reason), _) => return skip_all(reason, listed, report),
            (Ok(time), Some(parents)) => (time, parents),
        };
        let commit = Commit { listed, text, time, parents };
        let mut events = Vec::new();
        let (authors, refusal) = self.authors(&commit, report)?;
        match refusal {
            Some(reason) => report.skip(reason, &listed.id),
            None => {
                let event_type = if parents > 1 { "merge" } else { "commit" };
                self.push(&commit, event_type, None, &authors, &mut events, report);
            }
        }
        for (number, reviewer) in self.reviews(&commit, &authors, report)? {
            self.push(&commit, "review", Some(number), &reviewer, &mut events, report);
        }
        Ok(events)
    }

    /// When the commit entered the history, if that is a time that the ledger takes.
    fn check_time(&self, listed: &Listed, text: &CommitText) -> Result<Timestamp, SkipReason> {
        let time = time_of(listed).filter(|_| text.time_is_plain).ok_or(SkipReason::TimeInvalid)?;
        if time.as_ms() > self.request.now.as_ms().saturating_add(CLOCK_SKEW_MS) {
            return Err(SkipReason::TimeInFuture);
        }
        Ok(time)
    }

    /// The people who share the commit, and why it is no event of theirs after all, if so.
    fn authors(
        &mut self,
        commit: &Commit<'_>,
        report: &mut CollectReport,
    ) -> Result<(People, Option<SkipReason>), SourceError> {
        let CommitText { name, email, coauthors, .. } = commit.text;
        let id = &commit.listed.id;
        let mut people = People::new();
        let (mut refusal, mut bots) = (None, 0_u64);
        // The mailmap has been applied to the author by `git log`.
        let author = Contact { name: name.clone(), email: email.clone() };
        if self.request.bots.matches(&author.name, &author.email) {
            bots += 1;
        } else if let Some(identity) = author.identity(&self.request.node_id) {
            people.insert(identity, author.name);
        } else {
            let missing = email.trim_ascii().is_empty();
            refusal = Some(if missing { SkipReason::EmailMissing } else { SkipReason::EmailInvalid });
        }
        for value in coauthors {
            match self.person(value)? {
                Person::Bot => bots += 1,
                Person::Unclear => report.skip(SkipReason::CoauthorUnreadable, id),
                Person::Known(identity, name) => {
                    people.entry(identity).or_insert(name);
                }
            }
        }
        if refusal.is_none() && people.is_empty() {
            refusal = Some(SkipReason::BotEvent);
        } else if people.len() > AUTHORS_MAX {
            refusal = Some(SkipReason::TooManyAuthors);
        }
        if refusal.is_none() {
            (0..bots).for_each(|_| report.skip(SkipReason::BotAuthor, id));
        }
        Ok((people, refusal))
    }

    /// Those who reviewed the commit, each with the number of the trailer that says so.
    fn reviews(
        &mut self,
        commit: &Commit<'_>,
        authors: &People,
        report: &mut CollectReport,
    ) -> Result<Vec<(usize, People)>, SourceError> {
        let id = &commit.listed.id;
        let mut reviews: Vec<(usize, People)> = Vec::new();
        let mut reviewers = BTreeSet::new();
        for (number, value) in distinct_trailers(&commit.text.reviewers) {
            let (identity, name) = match self.person(value)? {
                Person::Bot => {
                    report.skip(SkipReason::BotReview, id);
                    continue;
                }
                Person::Unclear => {
                    report.skip(SkipReason::ReviewerUnreadable, id);
                    continue;
                }
                Person::Known(identity, name) => (identity, name),
            };
            if authors.contains_key(&identity) {
                report.skip(SkipReason::SelfReview, id);
            } else if reviewers.insert(identity.clone()) {
                reviews.push((number, People::from([(identity, name)])));
            } else {
                report.skip(SkipReason::RepeatedReview, id);
            }
        }
        Ok(reviews)
    }

    /// Who a trailer names, after the mailmap.
    fn person(&mut self, value: &[u8]) -> Result<Person, SourceError> {
        let Some(contact) = Contact::parse(value) else { return Ok(Person::Unclear) };
        let contact = self.mailmap.resolve(contact)?;
        if self.request.bots.matches(&contact.name, &contact.email) {
            return Ok(Person::Bot);
        }
        Ok(match contact.identity(&self.request.node_id) {
            Some(identity) => Person::Known(identity, contact.name),
            None => Person::Unclear,
        })
    }

    fn push(
        &self,
        commit: &Commit<'_>,
        event_type: &'static str,
        number: Option<usize>,
        authors: &People,
        events: &mut Vec<NewEvent>,
        report: &mut CollectReport,
    ) {
        match self.event(commit, event_type, number, authors) {
            Ok(event) => {
                report.count(event_type, commit.time);
                events.push(event);
            }
            Err(_) => report.skip(SkipReason::Refused, &commit.listed.id),
        }
    }

    fn event(
        &self,
        commit: &Commit<'_>,
        event_type: &str,
        number: Option<usize>,
        authors: &People,
    ) -> Checked<NewEvent> {
        let id = match number {
            None => format!("git:{event_type}:{}", commit.listed.id),
            Some(number) => format!("git:{event_type}:{}:{number}", commit.listed.id),
        };
        let fields = EventFields {
            id: id.parse()?,
            source: "git".parse()?,
            source_ref: source_ref(&commit.listed.root),
            event_type: event_type.parse()?,
            authors: authors.keys().map(|identity| (identity.clone(), None)).collect(),
            event_time: commit.time,
            payload_hash: payload_hash(commit, event_type, number, authors),
            producer: "meed-git".to_owned(),
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            retrieved_at: self.request.now,
            metadata: metadata(commit, authors),
        };
        NewEvent::new(fields, self.request.now)
    }
}

/// What a trailer says about who is meant.
enum Person {
    Known(Identity, Vec<u8>),
    Bot,
    Unclear,
}

fn skip_all(
    reason: SkipReason,
    listed: &Listed,
    report: &mut CollectReport,
) -> Result<Vec<NewEvent>, SourceError> {
    report.skip(reason, &listed.id);
    Ok(Vec::new())
}

/// The committer time, if it lies between 1970 and 9999.
pub(super) fn time_of(listed: &Listed) -> Option<Timestamp> {
    let seconds = i64::try_from(listed.seconds).ok()?;
    Timestamp::from_ms(seconds.checked_mul(MS_PER_SECOND)?).ok()
}

/// The permanent id of a repository: the id of its first commit, which every clone has.
pub(super) fn source_ref(root: &str) -> String {
    format!("git:{root}")
}

/// The distinct trailers with their numbers, from 1 in order. Two are the same when their addresses are, before the
/// mailmap and the list of bots: so the numbers are a function of the commit alone, and stay when those change.
fn distinct_trailers(values: &[Vec<u8>]) -> Vec<(usize, &[u8])> {
    let mut seen = BTreeSet::new();
    let distinct = values.iter().filter(|value| {
        let address = Contact::parse(value).map(|contact| contact.email).filter(|email| !email.is_empty());
        seen.insert(address.unwrap_or_else(|| value.to_vec()).to_ascii_lowercase())
    });
    (1..).zip(distinct.map(Vec::as_slice)).collect()
}

/// SHA-256 over the canonical JSON of every field that can decide money.
fn payload_hash(commit: &Commit<'_>, event_type: &str, number: Option<usize>, authors: &People) -> Hash {
    let text = |text: &str| Value::String(text.to_owned());
    let ids = authors.keys().map(|identity| text(identity.external_id())).collect();
    let mut fields = vec![
        ("authors".to_owned(), Value::Array(ids)),
        ("commit".to_owned(), text(&commit.listed.id)),
        ("committer_time".to_owned(), Value::String(commit.time.to_string())),
        ("event_type".to_owned(), text(event_type)),
    ];
    if let Some(number) = number {
        fields.push(("n".to_owned(), Value::String(number.to_string())));
    }
    fields.push(("parents".to_owned(), Value::String(commit.parents.to_string())));
    fields.push(("v".to_owned(), text("meed/git-payload/v1")));
    Hash::of(Value::Object(fields).to_canonical().as_bytes())
}

/// What is shown of the event: `names` in the order of its authors, `""` where one has none, and the `title`.
fn metadata(commit: &Commit<'_>, authors: &People) -> Value {
    let names = authors.values().map(|name| Value::String(visible_line(name, NAME_BYTES_MAX))).collect();
    let title = Value::String(visible_line(&commit.text.subject, TITLE_BYTES_MAX));
    Value::Object(vec![("names".to_owned(), Value::Array(names)), ("title".to_owned(), title)])
}
