//! Sources that are read page by page: each page enters together with the place after it.

use std::collections::BTreeMap;

use meed_audit::event::NewEvent;
use meed_audit::ids::ScopeId;
use meed_audit::time::{Period, Timestamp};
use meed_storage::{AppendOutcome, CursorKey, Snapshot, cursor};

use super::Service;
use super::activity::cursor_of;
use crate::api::documents::{CollectRequest, CollectView, SkippedView, StoredView};
use crate::failure::Failure;
use crate::sources::CollectError;
use crate::sources::git::BotList;
use crate::sources::github::GithubPlace;
use crate::sources::source::{AskedPages, Pages, ReadUntil, SourcePass};

/// What reading a source page by page gave.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    /// What the source said of the window.
    pub(crate) pass: SourcePass,
    /// What became of the window's events.
    pub(crate) window: StoredView,
    /// What became of all events, those from before the window too.
    pub(crate) all: StoredView,
    /// Which place was read.
    source_ref: String,
    /// Events by type.
    found: BTreeMap<String, u64>,
    /// The times of the earliest and of the latest event.
    times: Option<(Timestamp, Timestamp)>,
}

impl Service {
    /// Reads a source from where it was read last, and stores page by page.
    ///
    /// # Errors
    /// What the source or the ledger refuses; pages before stay stored, and reading again goes on there.
    pub(crate) fn follow(
        &self,
        scope: ScopeId,
        place: &GithubPlace,
        window: Period,
        late_from: Option<Timestamp>,
        bots: &BotList,
    ) -> Result<Followed, Failure> {
        let mut followed = Followed::default();
        let known = |stream: &str, source_ref: &str| read_until(&self.snapshot()?, scope, stream, source_ref);
        let mut store = |events: Vec<NewEvent>, until: ReadUntil| -> Result<(), Failure> {
            let seen: Vec<(Timestamp, String)> =
                events.iter().map(|event| (event.event_time(), type_of(event))).collect();
            followed.source_ref.clone_from(&until.source_ref);
            let cursor = Some(cursor_of(scope, until)?);
            let (stored, report) = self.append_with_outcomes(scope, events, self.now()?, cursor)?;
            followed.all.add(&stored);
            for ((at, kind), outcome) in seen.into_iter().zip(&report.outcomes) {
                followed.count(at, kind, outcome, window);
            }
            Ok(())
        };
        let asked = AskedPages { window, late_from, bots, clock: &**self.clock() };
        let read = place.read(&asked, &mut Pages { known: &known, store: &mut store });
        followed.pass = read.map_err(|error| match error {
            CollectError::Source(error) => Failure::from(error),
            CollectError::Sink(failure) => failure,
        })?;
        Ok(followed)
    }

    /// Collects from a repository of GitHub, as a person asked.
    pub(super) fn collect_pages(
        &self,
        key: &str,
        place: &GithubPlace,
        request: &CollectRequest,
    ) -> Result<CollectView, Failure> {
        let (_, scope) = Self::scope_id(&self.snapshot()?, key)?;
        let time = |name: &str, text: &Option<String>, unbounded: Timestamp| {
            text.as_deref().map_or(Ok(unbounded), |text| Timestamp::parse_edge(name, text))
        };
        let start = time("since", &request.since, Timestamp::FIRST)?;
        let end = time("until", &request.until, Timestamp::LAST)?;
        let bots = request.bots.iter().map(|pattern| pattern.parse()).collect::<Result<Vec<_>, _>>()?;
        let bots = self.settings.bots.clone().with(bots);
        Ok(self.follow(scope, place, Period { start, end }, None, &bots)?.into_view())
    }
}

impl Followed {
    fn count(&mut self, at: Timestamp, kind: String, outcome: &AppendOutcome, window: Period) {
        let add = |count: &mut u64| *count = count.saturating_add(1);
        add(self.found.entry(kind).or_default());
        let (first, last) = self.times.unwrap_or((at, at));
        self.times = Some((first.min(at), last.max(at)));
        if window.contains(at) {
            add(match outcome {
                AppendOutcome::Stored { .. } => &mut self.window.stored,
                AppendOutcome::Duplicate { .. } => &mut self.window.duplicates,
                AppendOutcome::Conflict { .. } => &mut self.window.conflicts,
            });
        }
    }

    fn into_view(self) -> CollectView {
        let in_ledger = self.window.stored.saturating_add(self.window.duplicates);
        let skipped = self.pass.left_out.into_iter().map(|(reason, count)| SkippedView {
            explanation: explanation_of(&reason).to_owned(),
            examples: Vec::new(),
            reason,
            count,
        });
        CollectView {
            source_ref: self.source_ref,
            head: None,
            commits_seen: None,
            commits_in_period: None,
            missing: self.pass.says.unwrap_or(0).saturating_sub(in_ledger),
            found: self.found,
            events: self.all,
            skipped: skipped.collect(),
            first_time: self.times.map(|(first, _)| first),
            last_time: self.times.map(|(_, last)| last),
        }
    }
}

/// What a reason means, in one line without a full stop.
fn explanation_of(reason: &str) -> &'static str {
    match reason {
        "bot" => "the account is an app, or one that the list of bots names",
        "deleted_account" => "the account was deleted",
        "organization" => "the account is an organization",
        "placeholder_account" => {
            "the account stands for somebody of another place, and nobody has claimed it"
        }
        "coauthor_without_account" => {
            "the address of a co-author belongs to no account, the others share the event"
        }
        "nobody_assigned" => "the issue is assigned to nobody",
        _ => "the account has no number",
    }
}

/// The type of an event, without its source.
fn type_of(event: &NewEvent) -> String {
    let key = event.weight_key();
    key.split_once(':').map(|(_, event_type)| event_type.to_owned()).unwrap_or(key)
}

fn read_until(
    snapshot: &Snapshot,
    scope: ScopeId,
    stream: &str,
    source_ref: &str,
) -> Result<Option<ReadUntil>, Failure> {
    let key = CursorKey {
        scope,
        source: "github".parse()?,
        stream: stream.parse()?,
        source_ref: source_ref.parse()?,
    };
    Ok(cursor(snapshot, &key)?.map(|cursor| ReadUntil {
        source: "github".to_owned(),
        stream: stream.to_owned(),
        source_ref: source_ref.to_owned(),
        order: cursor.order,
        token: cursor.token,
    }))
}
