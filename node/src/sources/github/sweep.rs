//! Reading a repository: page by page, what changed longest ago first, each page stored with the place after it.

use std::collections::BTreeSet;

use meed_audit::event::NewEvent;
use meed_audit::time::{Period, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answers::{Issue, Pull, Repository, RepositoryPage, Totals};
use super::api::Api;
use super::events::Maker;
use super::facts::Place;
use super::nested::{next_place, whole_issue, whole_pull};
use super::position::{Mark, Position, Start};
use super::queries::{self, TOTALS};
use super::rules::{IssueCredit, Rules, Take};
use super::{GithubError, GithubPlace};
use crate::failure::Failure;
use crate::sources::source::{Pages, SourcePass};
use crate::sources::{CollectError, SourceError};

/// Subjects of a page: as many as the API answers in time, mostly; fewer where it does not.
const PAGE_SIZES: [u32; 3] = [50, 10, 2];

type Swept<T> = Result<T, CollectError<Failure>>;

/// A list of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    Pulls,
    Issues,
}

impl List {
    const ALL: [Self; 2] = [Self::Pulls, Self::Issues];

    /// The stream that a cursor belongs to. It names what is taken, so that what is taken newly is read from the
    /// beginning; nothing where nothing of the list is.
    fn stream(self, rules: &Rules) -> Option<String> {
        let (name, kinds) = match self {
            Self::Pulls => ("pulls", [Take::Merged, Take::Reviews, Take::Comments].as_slice()),
            Self::Issues => ("issues", [Take::Issues, Take::Comments].as_slice()),
        };
        let taken: Vec<&str> =
            kinds.iter().filter(|kind| rules.takes(**kind)).map(|kind| kind.name()).collect();
        (!taken.is_empty()).then(|| format!("{name}.{}", taken.join(".")))
    }
}

#[derive(Serialize)]
struct Wanted<'a> {
    owner: &'a str,
    name: &'a str,
    first: u32,
    after: Option<&'a str>,
    #[serde(flatten)]
    kinds: Kinds,
}

/// What of a subject is asked for.
#[derive(Clone, Copy, Serialize)]
#[serde(untagged)]
enum Kinds {
    Pulls { merged: bool, coauthors: bool, reviews: bool, comments: bool },
    Issues { closed: bool, assignees: bool, comments: bool },
}

/// A page whose subjects were turned into events.
struct Read {
    place: Place,
    events: Vec<NewEvent>,
    /// When the last subject had changed.
    last_at: Option<Timestamp>,
    end: Option<String>,
    more: bool,
}

/// A repository that is being read for a window.
pub(super) struct Sweep<'a> {
    pub(super) api: &'a Api<'a>,
    pub(super) at: &'a GithubPlace,
    pub(super) maker: Maker<'a>,
    pub(super) clock: &'a dyn crate::clock::Clock,
    /// Whether all of the window was read in one go, so that it can be counted.
    pub(super) counted: bool,
}

impl Sweep<'_> {
    /// Reads all lists of which something is taken, and compares with what the search counts.
    pub(super) fn run(mut self, repository: &Place, pages: &mut Pages<'_>) -> Swept<SourcePass> {
        for list in List::ALL {
            if let Some(stream) = list.stream(&self.at.rules) {
                self.list(list, &stream, repository, pages)?;
            }
        }
        let unseen = if self.counted { self.unseen(repository)? } else { 0 };
        let tally = self.maker.tally;
        let mut pass = SourcePass {
            says: Some(tally.events.saturating_add(tally.refused).saturating_add(unseen)),
            ..SourcePass::default()
        };
        pass.count_unreadable("refused", tally.refused);
        pass.left_out =
            tally.left_out.into_iter().map(|(reason, count)| (reason.to_owned(), count)).collect();
        Ok(pass)
    }

    /// Reads a list to its end. Where it was interrupted within the window it goes on there, so that a limit costs no
    /// more than time, and then reads the window once more, so that it can be counted.
    fn list(&mut self, list: List, stream: &str, place: &Place, pages: &mut Pages<'_>) -> Swept<()> {
        for _ in 0..2 {
            let known = (pages.known)(stream, &place.source_ref()).map_err(CollectError::Sink)?;
            let order = known.as_ref().map_or(0, |known| known.order);
            let start = Position::start(known.as_ref(), self.maker.taken, self.maker.window);
            let resumed = start.resumed;
            let position = self.pages(list, stream, order, start, pages)?;
            if !resumed {
                return Ok(());
            }
            if !position.has_anchor() {
                break;
            }
        }
        self.counted = false;
        Ok(())
    }

    fn pages(
        &mut self,
        list: List,
        stream: &str,
        order: u64,
        start: Start,
        pages: &mut Pages<'_>,
    ) -> Swept<Position> {
        let Start { mark, mut position, .. } = start;
        let mut mark = mark;
        let window = self.maker.window;
        loop {
            let after = mark.as_ref().map(|mark| mark.after.clone());
            let read = match self.page(list, after.as_deref()) {
                // What was known of the list is of no use any more; reading it again stores nothing twice.
                Err(GithubError::CursorUnknown) if mark.is_some() => {
                    let start = Position::start(None, self.maker.taken, window);
                    (mark, position) = (None, start.position);
                    continue;
                }
                read => read.map_err(SourceError::from)?,
            };
            let end = match (read.more, read.end) {
                (true, end) => Some(next_place(end, after.as_deref()).map_err(SourceError::from)?),
                (false, end) => end,
            };
            // A page may hold nothing that this token may see, and still not be the last.
            let before = mark.as_ref().map_or(Timestamp::FIRST, |mark| mark.at);
            let at = read.last_at.unwrap_or(before);
            let reached = end.map(|after| Mark { after, at });
            position.pass(reached.clone(), window, !read.more);
            let cursor = position.cursor(stream, &read.place.source_ref(), order);
            (pages.store)(read.events, cursor).map_err(CollectError::Sink)?;
            if !read.more {
                return Ok(position);
            }
            mark = reached.or(mark);
        }
    }

    /// One page, as large as the API can answer it.
    fn page(&mut self, list: List, after: Option<&str>) -> Result<Read, GithubError> {
        let mut last = GithubError::CursorUnknown;
        for first in PAGE_SIZES {
            let read = match list {
                List::Pulls => self.pulls(first, after),
                List::Issues => self.issues(first, after),
            };
            match read {
                Err(error) if error.may_be_too_much() => last = error,
                read => return read,
            }
        }
        Err(last)
    }

    fn pulls(&mut self, first: u32, after: Option<&str>) -> Result<Read, GithubError> {
        let rules = &self.at.rules;
        let merged = rules.takes(Take::Merged);
        let kinds = Kinds::Pulls {
            merged,
            coauthors: merged && rules.coauthors,
            reviews: rules.takes(Take::Reviews),
            comments: rules.takes(Take::Comments),
        };
        let page: RepositoryPage<Pull> = self.ask(&queries::pulls(), first, after, kinds)?;
        self.read(page, |maker, api, place, now, pull: Pull| {
            let at = pull.updated_at.0;
            Ok((at, maker.pull(place, &whole_pull(api, pull)?, now)))
        })
    }

    fn issues(&mut self, first: u32, after: Option<&str>) -> Result<Read, GithubError> {
        let rules = &self.at.rules;
        let closed = rules.takes(Take::Issues);
        let kinds = Kinds::Issues {
            closed,
            assignees: closed && rules.issue_credit == IssueCredit::Assignees,
            comments: rules.takes(Take::Comments),
        };
        let page: RepositoryPage<Issue> = self.ask(&queries::issues(), first, after, kinds)?;
        self.read(page, |maker, api, place, now, issue: Issue| {
            let at = issue.updated_at.0;
            Ok((at, maker.issue(place, &whole_issue(api, issue)?, now)))
        })
    }

    fn ask<T: DeserializeOwned>(
        &self,
        query: &str,
        first: u32,
        after: Option<&str>,
        kinds: Kinds,
    ) -> Result<RepositoryPage<T>, GithubError> {
        let name = &self.at.repository;
        let wanted = Wanted { owner: name.owner(), name: name.name(), first, after, kinds };
        let answer: Repository<T> = self.api.ask(query, &wanted)?;
        let unknown = || GithubError::RepositoryUnknown { repository: name.to_string() };
        answer.repository.ok_or_else(unknown)
    }

    /// Turns the subjects of a page into events.
    fn read<T>(
        &mut self,
        page: RepositoryPage<T>,
        events_of: impl Fn(
            &mut Maker<'_>,
            &Api<'_>,
            &Place,
            Timestamp,
            T,
        ) -> Result<(Timestamp, Vec<NewEvent>), GithubError>,
    ) -> Result<Read, GithubError> {
        let place = Place { id: page.database_id, name: page.name_with_owner };
        let info = page.page.page_info.clone();
        let now = self
            .clock
            .now()
            .map_err(|failure| GithubError::ServerFailed { detail: failure.problem.detail.clone() })?;
        let (mut events, mut last_at) = (Vec::new(), None);
        for subject in page.page.into_nodes() {
            let (at, more) = events_of(&mut self.maker, self.api, &place, now, subject)?;
            last_at = Some(at);
            events.extend(more);
        }
        Ok(Read { place, events, last_at, end: info.end_cursor, more: info.has_next_page })
    }

    /// How many of the window the search counts that the lists did not have.
    fn unseen(&self, place: &Place) -> Swept<u64> {
        #[derive(Serialize)]
        struct Searches {
            merged: String,
            closed: String,
        }
        let search = |what: &str| search(&place.name, what, self.maker.window);
        let searches =
            Searches { merged: search("is:pr is:merged merged"), closed: search("is:issue closed") };
        let totals: Totals = self.api.ask(TOTALS, &searches).map_err(SourceError::from)?;
        let missing = |kind: Take, total: u64, seen: &BTreeSet<u64>| match self.at.rules.takes(kind) {
            true => total.saturating_sub(u64::try_from(seen.len()).unwrap_or(u64::MAX)),
            false => 0,
        };
        let tally = &self.maker.tally;
        Ok(missing(Take::Merged, totals.merged.issue_count, &tally.merged).saturating_add(missing(
            Take::Issues,
            totals.closed.issue_count,
            &tally.closed,
        )))
    }
}

/// What the search is asked: both ends of its ranges count, and it knows whole seconds.
fn search(repository: &str, what: &str, window: Period) -> String {
    let last = Timestamp::from_ms(window.end.as_ms().saturating_sub(1)).unwrap_or(window.start);
    let time = |time: Timestamp| {
        let text = time.to_string();
        text.split('.').next().map(|seconds| format!("{seconds}Z")).unwrap_or_default()
    };
    format!("repo:{repository} {what}:{}..{}", time(window.start), time(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_names_the_first_and_the_last_second_of_the_window() {
        let at = |text: &str| Timestamp::parse_edge("at", text).expect("time");
        let window = Period { start: at("2026-01-05T00:00:00Z"), end: at("2026-01-12T00:00:00Z") };
        assert_eq!(
            search("o/n", "is:issue closed", window),
            "repo:o/n is:issue closed:2026-01-05T00:00:00Z..2026-01-11T23:59:59Z"
        );
    }

    #[test]
    fn a_stream_names_what_is_taken_of_its_list() {
        let rules = |take: &[Take]| Rules { take: take.iter().copied().collect(), ..Rules::default() };
        let streams = |take: &[Take]| List::ALL.map(|list| list.stream(&rules(take)));
        assert_eq!(
            List::ALL.map(|list| list.stream(&Rules::default())),
            [Some("pulls.merged.reviews".to_owned()), Some("issues.issues".to_owned())]
        );
        assert_eq!(streams(&[Take::Reviews]), [Some("pulls.reviews".to_owned()), None]);
        assert_eq!(
            streams(&[Take::Comments]),
            [Some("pulls.comments".to_owned()), Some("issues.comments".to_owned())]
        );
        assert_eq!(streams(&[]), [None, None]);
    }
}
