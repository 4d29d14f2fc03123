//! Git: the commits, merges and reviews in the history of a local clone, read with the `git` command.
//!
//! # Events
//!
//! | id | type | authors |
//! |---|---|---|
//! | `git:commit:<sha>` | `commit` | the author and each `Co-authored-by`, of a commit with at most one parent |
//! | `git:merge:<sha>` | `merge` | the same, of a commit with two parents or more |
//! | `git:review:<sha>:<n>` | `review` | the person of the n-th distinct `Reviewed-by` trailer, from 1 |
//!
//! Authors are distinct and share equally. Trailers are what git takes for trailers. Everybody goes through the
//! `.mailmap` of the commit that the reference names: not that of a work tree or an account, so that whoever collects
//! the same commit gets the same events. Bots are left out by a [`BotList`]; a review by an author of the commit is
//! none. Reviews stand on their own: that of a bot's commit counts, although the commit does not.
//!
//! **Time.** An event's time is the *committer* time: when this commit, with this id, was made a part of a history.
//! The author time says when somebody first wrote the change down; a rebase, a patch sent by mail or a long review
//! puts months between the two, and work would be paid into weeks that are closed long since. Both are claims of a
//! clock that anybody can set; what the ledger adds is when it saw them.
//!
//! **Place.** `source_ref` is `git:<id of the first commit>`, the commit without parents that is reached by following
//! first parents. It is the same in every clone and fork, whatever their paths and addresses, and for commits that
//! were merged in from another repository it is that repository's. A shallow clone lacks it and is refused.
//!
//! **Identity.** A person is the hash of an e-mail address, see [`meed_audit::ids::Provider::Git`]. No address
//! enters an event, an error or a report; words with an at sign are hidden in names and subject lines. A
//! commit whose author has no address is left out and counted; the remedy is a line in `.mailmap`.
//!
//! **The same again.** The events are a function of the commit, the node, the list of bots, and the time only for
//! `retrieved_at`. Another branch, a moved or renamed reference and another clone give the same events.
//! A change of `.mailmap` changes people: events that it touches and that are stored already are then in conflict,
//! and the first content stays.

mod bots;
mod events;
mod history;
mod people;
mod place;
pub(crate) mod process;
mod report;
mod repository;
mod weeks;

use std::path::PathBuf;

use meed_audit::event::NewEvent;
use meed_audit::ids::{Identity, NodeId};
use meed_audit::time::Timestamp;

pub(in crate::sources) use bots::glob_matches;
pub use bots::{BotList, BotPattern};
pub use place::GitPlace;
pub use report::{CollectReport, EXAMPLES_MAX, SkipReason, Skipped};
pub use weeks::busiest_finished_week;

use super::{CollectError, SourceError};
use events::{EventMaker, source_ref, time_of};
use history::{History, Listed, Texts};
use people::{Contact, Mailmap};
use repository::Repository;

/// Most events in one batch.
pub const BATCH_EVENTS_MAX: usize = 1_000;
/// How many commits are read by one command.
const BATCH_COMMITS: usize = 1_000;

/// The account of whoever commits under this e-mail address, in this node; nothing where it is not an address.
pub fn identity_of_email(email: &str, node: &NodeId) -> Option<Identity> {
    Contact { name: Vec::new(), email: email.as_bytes().to_vec() }.identity(node)
}

/// What to collect.
#[derive(Clone, Debug)]
pub struct GitRequest {
    /// A folder in a clone, bare or with a work tree.
    pub path: PathBuf,
    /// A branch, tag or commit; usually `HEAD`.
    pub reference: String,
    /// The first committer time that belongs to the period; from the beginning if none.
    pub since: Option<Timestamp>,
    /// The first committer time after the period; without end if none.
    pub until: Option<Timestamp>,
    /// The node that collects, which identities are made for.
    pub node_id: NodeId,
    /// Who is no person.
    pub bots: BotList,
    /// The time now: when the events are retrieved.
    pub now: Timestamp,
}

impl GitRequest {
    fn check_period(&self) -> Result<(), SourceError> {
        match (self.since, self.until) {
            (Some(since), Some(until)) if since >= until => Err(SourceError::PeriodEmpty { since, until }),
            _ => Ok(()),
        }
    }

    /// Whether a commit lies in the period. One whose time cannot be read lies in every period, so that each
    /// report names it.
    fn holds(&self, listed: &Listed) -> bool {
        let Some(time) = time_of(listed) else { return true };
        self.since.is_none_or(|since| since <= time) && self.until.is_none_or(|until| time < until)
    }
}

/// Collects the events of all commits that the reference reaches and whose committer time lies in the period.
///
/// `sink` gets them in batches of at most [`BATCH_EVENTS_MAX`], parents before children and otherwise older before
/// newer, so that memory stays bounded and each batch can be stored at once. After an error, batches that the sink
/// took stay taken; collecting again is harmless, since it finds the same events.
///
/// # Errors
/// [`CollectError::Source`] when the repository cannot be read, [`CollectError::Sink`] with the sink's error.
pub fn collect<E>(
    request: &GitRequest,
    sink: &mut dyn FnMut(Vec<NewEvent>) -> Result<(), E>,
) -> Result<CollectReport, CollectError<E>> {
    request.check_period()?;
    let repository = Repository::open(&request.path, &request.reference)?;
    let mut collection = Collection {
        repository: &repository,
        maker: EventMaker::new(request, Mailmap::new(&repository)),
        report: CollectReport::new(repository.head.clone()),
        events: Vec::new(),
        sink,
    };
    let mut history = History::start(&repository)?;
    let mut commits = Vec::new();
    while let Some(listed) = history.next()? {
        collection.report.commits_seen = collection.report.commits_seen.saturating_add(1);
        if listed.id == repository.head {
            collection.report.source_ref = source_ref(&listed.root);
        }
        if request.holds(&listed) {
            commits.push(listed);
        }
        if commits.len() == BATCH_COMMITS {
            collection.read(&commits)?;
            commits.clear();
        }
    }
    history.finish()?;
    collection.read(&commits)?;
    collection.finish()
}

/// A collection under way.
struct Collection<'a, E> {
    repository: &'a Repository,
    maker: EventMaker<'a>,
    report: CollectReport,
    events: Vec<NewEvent>,
    sink: &'a mut dyn FnMut(Vec<NewEvent>) -> Result<(), E>,
}

impl<E> Collection<'_, E> {
    /// Reads the texts of `commits` and hands on their events as batches fill.
    fn read(&mut self, commits: &[Listed]) -> Result<(), CollectError<E>> {
        if commits.is_empty() {
            return Ok(());
        }
        let mut texts = Texts::start(self.repository, commits)?;
        for listed in commits {
            let text = texts.next(listed)?;
            self.report.commits_in_period = self.report.commits_in_period.saturating_add(1);
            for event in self.maker.make(listed, &text, &mut self.report)? {
                self.events.push(event);
                if self.events.len() == BATCH_EVENTS_MAX {
                    self.flush()?;
                }
            }
        }
        Ok(texts.finish()?)
    }

    fn flush(&mut self) -> Result<(), CollectError<E>> {
        (self.sink)(std::mem::take(&mut self.events)).map_err(CollectError::Sink)
    }

    fn finish(mut self) -> Result<CollectReport, CollectError<E>> {
        if !self.events.is_empty() {
            self.flush()?;
        }
        Ok(self.report)
    }
}
