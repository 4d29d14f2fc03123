//! Events: taking them in, and showing them as an epoch takes them.

use std::convert::Infallible;
use std::path::PathBuf;

use meed_audit::RejectionCode;
use meed_audit::activity::EpochEvent;
use meed_audit::event::{Event, NewEvent};
use meed_audit::hash::Hash;
use meed_audit::ids::{EventId, ScopeId};
use meed_audit::json::Value;
use meed_audit::time::Timestamp;
use meed_storage::{
    AppendReport, CuratedEvent, Cursor, CursorKey, CursorUpdate, EventBatch, EventReader, PrivateData,
    Snapshot,
};

use super::intake::Came;
use super::parts::page;
use super::{Service, Wanted};
use crate::api::documents::{
    ActivityItem, AuthorView, CollectRequest, CollectView, ConflictView, ImportView, Page, SkippedView,
    StoredView,
};
use crate::api::problems::{LineProblem, Problem};
use crate::clock;
use crate::failure::{Failure, reject};
use crate::sources::CollectError;
use crate::sources::display::visible_line;
use crate::sources::git::{CollectReport, GitRequest, collect};
use crate::sources::github::RepositoryNumbers;
use crate::sources::ndjson::NdjsonReader;
use crate::sources::source::{ReadUntil, Sink};

/// Most bytes of one import: it is one transaction.
pub const IMPORT_BYTES_MAX: usize = 16 << 20;
/// Bad lines of one import whose faults are told; the others are counted.
const BAD_LINES_TOLD_MAX: usize = 1_000;
/// Longest name or title that is shown, in bytes.
const SHOWN_BYTES_MAX: usize = 120;

impl Service {
    /// Takes in lines, the first of which has the number `first_line`. Where a line is bad, nothing is stored, unless
    /// the good ones are to be kept; with `dry_run` nothing is stored at all. Ids of the earlier system may name
    /// `repositories`.
    ///
    /// # Errors
    /// `lines_refused` with the first 1,000 bad lines, and how many there are more; `scope_not_found`.
    pub fn import(
        &self,
        key: &str,
        lines: &[u8],
        first_line: u64,
        (keep_good, dry_run): (bool, bool),
        repositories: &RepositoryNumbers,
    ) -> Result<ImportView, Failure> {
        let (_, scope) = Self::scope_id(&self.snapshot()?, key)?;
        let now = self.clock.now()?;
        let (mut events, mut bad_lines) = (Vec::new(), Vec::new());
        let (mut told, mut more) = (0_usize, 0_u64);
        for line in NdjsonReader::new(lines, now).with_repositories(repositories.clone()) {
            let line = line?;
            let number = line.number.saturating_add(first_line.saturating_sub(1));
            match line.event {
                Ok(event) => events.push(event),
                Err(_) if told == BAD_LINES_TOLD_MAX => more = more.saturating_add(1),
                Err(first) => {
                    told = told.saturating_add(1);
                    bad_lines.extend(std::iter::once(first).chain(line.more).map(|fault| {
                        let detail = without_line(&fault.to_string(), line.number);
                        LineProblem { line: number, code: fault.code.name().to_owned(), detail }
                    }));
                }
            }
        }
        if !bad_lines.is_empty() && !keep_good {
            return Err(lines_refused(bad_lines, more, events.len()));
        }
        let stored = if dry_run { StoredView::default() } else { self.append(scope, events, now, None)? };
        Ok(ImportView { events: stored, bad_lines, bad_lines_more: more })
    }

    fn append(
        &self,
        scope: ScopeId,
        events: Vec<NewEvent>,
        now: Timestamp,
        cursor: Option<CursorUpdate>,
    ) -> Result<StoredView, Failure> {
        if events.is_empty() && cursor.is_none() {
            return Ok(StoredView::default());
        }
        self.append_with_outcomes(scope, events, now, cursor).map(|(stored, _)| stored)
    }

    /// Takes in a batch, with its cursor in the same transaction: what became of it, and of each event in order.
    pub(super) fn append_with_outcomes(
        &self,
        scope: ScopeId,
        events: Vec<NewEvent>,
        now: Timestamp,
        cursor: Option<CursorUpdate>,
    ) -> Result<(StoredView, AppendReport), Failure> {
        let came: Vec<Came> = events.iter().map(Came::of).collect();
        let salts = events.iter().map(|_| clock::random()).collect::<Result<Vec<[u8; 32]>, _>>()?;
        let mut batch = EventBatch::prepare(events, vec![scope], salts, now)?;
        if let Some(cursor) = cursor {
            batch = batch.with_cursor(cursor);
        }
        let report = self.ledger.append(batch)?;
        Ok((self.stored_view(scope, &came, &report), report))
    }

    /// Collects from the place that a request names. What is found is stored in parts as it is found.
    ///
    /// # Errors
    /// What the source or the ledger refuses; batches before stay stored, and collecting again finds them there.
    pub fn collect(&self, key: &str, request: &CollectRequest) -> Result<CollectView, Failure> {
        let git = match (&request.git, &request.github) {
            (Some(git), None) => git,
            (None, Some(place)) => return self.collect_pages(key, place, request),
            (git, _) => {
                let got = if git.is_some() { "both" } else { "neither" };
                let expected = "a folder in a clone, or a repository of GitHub";
                return Err(reject(RejectionCode::MissingField, "git", expected, got));
            }
        };
        let snapshot = self.snapshot()?;
        let (_, scope) = Self::scope_id(&snapshot, key)?;
        let node_id = snapshot.node_id()?;
        drop(snapshot);
        let now = self.clock.now()?;
        let time = |name: &str, text: &Option<String>| {
            text.as_deref().map(|text| Timestamp::parse_edge(name, text)).transpose()
        };
        let bots = request.bots.iter().map(|pattern| pattern.parse()).collect::<Result<Vec<_>, _>>()?;
        let request = GitRequest {
            path: PathBuf::from(git),
            reference: request.reference.clone(),
            since: time("since", &request.since)?,
            until: time("until", &request.until)?,
            node_id,
            bots: self.settings.bots.clone().with(bots),
            now,
        };
        let (report, stored) =
            self.store_from(scope, now, |sink| collect(&request, sink), CollectReport::read_until)?;
        Ok(collect_view(report, stored))
    }

    /// Stores what a source hands on, in the batches in which it comes; the last one together with the cursor.
    pub(crate) fn store_from<R>(
        &self,
        scope: ScopeId,
        now: Timestamp,
        read: impl FnOnce(&mut Sink<'_>) -> Result<R, CollectError<Failure>>,
        until: impl FnOnce(&R) -> Option<ReadUntil>,
    ) -> Result<(R, StoredView), Failure> {
        let (mut stored, mut held): (StoredView, Vec<NewEvent>) = Default::default();
        // One batch is held back, so that the last one can be stored together with the cursor.
        let mut sink = |events: Vec<NewEvent>| -> Result<(), Failure> {
            stored.add(&self.append(scope, std::mem::replace(&mut held, events), now, None)?);
            Ok(())
        };
        let report = read(&mut sink).map_err(|error| match error {
            CollectError::Source(error) => Failure::from(error),
            CollectError::Sink(failure) => failure,
        })?;
        let cursor = until(&report).map(|until| cursor_of(scope, until)).transpose()?;
        stored.add(&self.append(scope, held, now, cursor)?);
        Ok((report, stored))
    }

    /// The events of an epoch in the order in which they came, as it takes them, or as one of its drafts took them.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `draft_not_found`, `malformed`.
    pub fn activity(
        &self,
        key: &str,
        epoch: u64,
        revision: Option<u64>,
        wanted: &Wanted,
    ) -> Result<Page<ActivityItem>, Failure> {
        let from = wanted.start_number()?;
        let (sight, entries) = self.entries(key, epoch)?;
        let (scope, epoch) = (sight.place.scope, sight.place.epoch);
        let state = self.state_of(&sight, revision)?;
        let rest = entries.get(entries.partition_point(|entry| *entry < from)..).unwrap_or(&[]);
        let own = rest.get(..wanted.limit()).unwrap_or(rest);
        let curated = sight.snapshot.curated(scope, epoch, own, &state)?;
        let items = curated.into_iter().map(|curated| activity_item(&sight.snapshot, curated));
        let next = rest.get(own.len()).map(ToString::to_string);
        Ok(Page { items: items.collect::<Result<_, _>>()?, next })
    }

    /// One event of an epoch, as the epoch takes it now.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `event_not_found`.
    pub fn event_of(&self, key: &str, epoch: u64, event: &str) -> Result<ActivityItem, Failure> {
        let id: EventId = event.parse()?;
        let (sight, entries) = self.entries(key, epoch)?;
        let found = sight.snapshot.event_in_scope(sight.place.scope, &id)?;
        let index = found.map(|event| event.index).filter(|index| entries.binary_search(index).is_ok());
        let expected = format!("an event of epoch {epoch}");
        let missing = || reject(RejectionCode::EventNotFound, "event", expected, event);
        let entry = [index.ok_or_else(missing)?];
        let state = self.state_of(&sight, None)?;
        let curated = sight.snapshot.curated(sight.place.scope, sight.place.epoch, &entry, &state)?;
        let curated = curated.into_iter().next();
        activity_item(&sight.snapshot, curated.ok_or_else(|| Failure::internal("an event is missing"))?)
    }

    /// The events that were kept out although a scope wanted them, or has the one that stays. A part is as long as that
    /// of all scopes: it may hold nothing and still have one after it.
    ///
    /// # Errors
    /// `scope_not_found`, `malformed`.
    pub fn conflicts(&self, key: &str, wanted: &Wanted) -> Result<Page<ConflictView>, Failure> {
        let from = wanted.from(read_conflict_key)?;
        let snapshot = self.snapshot()?;
        let (_, scope) = Self::scope_id(&snapshot, key)?;
        let mut part = snapshot.conflicts_from(from, wanted.limit())?;
        part.items.retain(|conflict| conflict.scopes.contains(&scope));
        page(
            part,
            |(id, hash)| format!("{hash}:{id}"),
            |conflict| {
                let stored = snapshot.event_by_id(&conflict.id)?;
                let (_, stored) =
                    stored.ok_or_else(|| Failure::internal("the event that stays is missing"))?;
                Ok(ConflictView {
                    event: conflict.id.to_string(),
                    at: conflict.at,
                    stored_index: conflict.stored_index,
                    stored: leaf_json(&stored)?,
                    came: leaf_json(&conflict.came)?,
                    not_kept: conflict.not_kept,
                })
            },
        )
    }
}

fn read_conflict_key(text: &str) -> Option<(EventId, Hash)> {
    let (hash, id) = text.split_once(':')?;
    Some((id.parse().ok()?, Hash::from_hex(hash).ok()?))
}

fn activity_item(snapshot: &Snapshot, curated: CuratedEvent) -> Result<ActivityItem, Failure> {
    let CuratedEvent { event: EpochEvent { event, index, routed, .. }, activity } = curated;
    let own = if routed { snapshot.event_index(&event.id)? } else { Some(index) };
    let own = own.ok_or_else(|| Failure::internal("an event of the epoch is missing"))?;
    let shown = Shown::read(snapshot.event_private(own)?, &event);
    Ok(ActivityItem {
        activity,
        event_time: event.event_time,
        kind: event.weight_key(),
        authors: shown.authors,
        title: shown.title,
    })
}

/// What the metadata says for people to see, made safe to show; nothing where it was erased.
struct Shown {
    authors: Vec<AuthorView>,
    title: Option<String>,
}

impl Shown {
    fn read(private: Option<PrivateData>, event: &Event) -> Self {
        let metadata = match private {
            Some(PrivateData::Kept { metadata, .. }) => Value::parse_edge(metadata.as_bytes()).ok(),
            _ => None,
        };
        let visible = |value: &Value| {
            let text = visible_line(value.as_str()?.as_bytes(), SHOWN_BYTES_MAX);
            (!text.is_empty()).then_some(text)
        };
        let field = |name: &str| metadata.as_ref().and_then(|metadata| metadata.field(name));
        // A source with several authors names them in their order; one with a single author gives a login.
        let names: Vec<Option<String>> = match (field("names"), field("platform_login")) {
            (Some(Value::Array(names)), _) => names.iter().map(visible).collect(),
            (_, Some(login)) => vec![visible(login)],
            _ => Vec::new(),
        };
        let authors = event.authors.iter().enumerate().map(|(place, author)| AuthorView {
            identity: author.identity.to_string(),
            name: names.get(place).cloned().flatten(),
        });
        Self { authors: authors.collect(), title: field("title").and_then(visible) }
    }
}

fn leaf_json(event: &Event) -> Result<serde_json::Value, Failure> {
    serde_json::to_value(event).map_err(|error| Failure::internal(error.to_string()))
}

/// The reader's refusals name the line themselves, counted from the start of what it was given.
fn without_line(text: &str, number: u64) -> String {
    text.replacen(&format!("line {number}: "), "", 1)
}

fn lines_refused(lines: Vec<LineProblem>, more: u64, good: usize) -> Failure {
    let bad = LineProblem::lines_count(&lines, more);
    let total = bad.saturating_add(u64::try_from(good).unwrap_or(u64::MAX));
    let (noun, verb) = (if total == 1 { "line" } else { "lines" }, if bad == 1 { "is" } else { "are" });
    let detail = format!("{bad} of {total} {noun} {verb} refused, and nothing was stored");
    let remedy = "correct these lines, or store the good ones with --keep-good";
    let problem = Problem::local("lines_refused", detail, remedy);
    let problem = problem.with_status(axum::http::StatusCode::UNPROCESSABLE_ENTITY);
    Problem { lines, lines_more: more, ..problem }.into()
}

pub(super) fn cursor_of(scope: ScopeId, until: ReadUntil) -> Result<CursorUpdate, Failure> {
    let key = CursorKey {
        scope,
        source: until.source.parse()?,
        stream: until.stream.parse()?,
        source_ref: until.source_ref.parse()?,
    };
    Ok(CursorUpdate { key, cursor: Cursor { order: until.order, token: until.token } })
}

fn collect_view(report: CollectReport, events: StoredView) -> CollectView {
    let skipped = report.skipped.into_iter().map(|(reason, skipped)| SkippedView {
        reason: reason.name().to_owned(),
        count: skipped.count,
        explanation: reason.explanation().to_owned(),
        examples: skipped.examples,
    });
    CollectView {
        source_ref: report.source_ref,
        head: Some(report.head),
        commits_seen: Some(report.commits_seen),
        commits_in_period: Some(report.commits_in_period),
        missing: 0,
        found: report.events.into_iter().map(|(kind, number)| (kind.to_owned(), number)).collect(),
        events,
        skipped: skipped.collect(),
        first_time: report.first_time,
        last_time: report.last_time,
    }
}

impl From<CollectError<Infallible>> for Failure {
    fn from(error: CollectError<Infallible>) -> Self {
        match error {
            CollectError::Source(error) => error.into(),
            CollectError::Sink(never) => match never {},
        }
    }
}
