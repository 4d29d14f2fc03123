//! What every source is to a workflow: a place that hands on the events of a window, and says what it could not.

use std::collections::BTreeMap;
use std::fmt;

use meed_audit::event::NewEvent;
use meed_audit::ids::NodeId;
use meed_audit::time::{Period, Timestamp};

use super::git::BotList;
use super::{CollectError, SourceError};
use crate::clock::Clock;
use crate::failure::Failure;

/// What is asked of a source.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The events of this window.
    pub window: Period,
    /// The node that collects, which identities are made for.
    pub node_id: NodeId,
    /// Who is no person.
    pub bots: BotList,
    /// The time now: when the events are retrieved.
    pub now: Timestamp,
}

/// How far a source was read: what a cursor of the ledger is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadUntil {
    /// Which kind of place: `git`.
    pub source: String,
    /// Which of its streams: `commits`.
    pub stream: String,
    /// Which place.
    pub source_ref: String,
    /// Orders the places of the stream; never goes back.
    pub order: u64,
    /// What names the place.
    pub token: String,
}

/// Most of what could not be read that a source names one by one; the rest is only counted.
pub const UNREADABLE_NAMED_MAX: usize = 3;

/// What a source said of a window, beside the events that it handed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourcePass {
    /// How many events the window has, where the source can tell without them.
    pub says: Option<u64>,
    /// What exists in the window and could not be made into events, by reason.
    pub unreadable: BTreeMap<String, u64>,
    /// What of the window earns nothing by rule, by reason; nothing is missing by it.
    pub left_out: BTreeMap<String, u64>,
    /// The first of those, each with its place and what is wrong: at most [`UNREADABLE_NAMED_MAX`].
    pub named: Vec<String>,
    /// How far it was read.
    pub until: Option<ReadUntil>,
}

impl SourcePass {
    /// Counts something that exists and could not be read.
    pub fn count_unreadable(&mut self, reason: &str, number: u64) {
        if number > 0 {
            let count = self.unreadable.entry(reason.to_owned()).or_default();
            *count = count.saturating_add(number);
        }
    }

    /// Counts one thing that could not be read, and names it with its place, where it is among the first.
    pub fn name_unreadable(&mut self, reason: &str, what: impl FnOnce() -> String) {
        self.count_unreadable(reason, 1);
        if self.named.len() < UNREADABLE_NAMED_MAX {
            self.named.push(what());
        }
    }

    /// What could not be read, in words: how much of what kind, then the first of it; none where all was read.
    pub fn unreadable_text(&self) -> Option<String> {
        let counts: Vec<String> =
            self.unreadable.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        let (first, named) = (counts.join(", "), self.named.join("; "));
        let all: u64 = self.unreadable.values().sum();
        let unnamed = all.saturating_sub(u64::try_from(self.named.len()).unwrap_or(u64::MAX));
        match (counts.is_empty(), self.named.is_empty(), unnamed) {
            (true, _, _) => None,
            (_, true, _) => Some(first),
            (_, _, 0) => Some(format!("{first}: {named}")),
            (_, _, more) => Some(format!("{first}: {named}; and {more} more")),
        }
    }
}

/// Takes the events of a source, in batches.
pub type Sink<'a> = dyn FnMut(Vec<NewEvent>) -> Result<(), Failure> + 'a;

/// What is asked of a source that is read page by page and goes on where it stopped.
pub struct AskedPages<'a> {
    /// The window that is wanted, and counted.
    pub window: Period,
    /// From when on what happened before it is handed on as well.
    pub late_from: Option<Timestamp>,
    /// Who is no person.
    pub bots: &'a BotList,
    /// When pages are retrieved: reading may take hours.
    pub clock: &'a dyn Clock,
}

/// How far a stream of a place was read: stream, then `source_ref`.
pub type Known<'a> = dyn Fn(&str, &str) -> Result<Option<ReadUntil>, Failure> + 'a;

/// Where the pages of a source go, and where they went before.
pub struct Pages<'a> {
    /// How far a stream of a place was read.
    pub known: &'a Known<'a>,
    /// Takes the events of a page together with the place after it: both or neither.
    pub store: &'a mut dyn FnMut(Vec<NewEvent>, ReadUntil) -> Result<(), Failure>,
}

/// A place from which a node collects by itself.
pub trait Source: fmt::Debug {
    /// Whether the place can be read now, and what is there in a few words; it hands on nothing.
    ///
    /// # Errors
    /// Why the place cannot be read.
    fn look(&self) -> Result<String, SourceError>;

    /// Hands on the events of a window, and only those. After an error, batches that the sink took stay taken; reading
    /// the window again finds the same events.
    ///
    /// # Errors
    /// [`CollectError::Source`] where the place cannot be read, [`CollectError::Sink`] with the sink's error.
    fn read(&self, asked: &Asked, sink: &mut Sink<'_>) -> Result<SourcePass, CollectError<Failure>>;
}
