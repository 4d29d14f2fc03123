//! Events: immutable facts from a source, from the line that comes in to the leaf in the events log.

mod author;
mod faults;
mod line;

use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::hash::Hash;
use crate::ids::{EventId, EventType, Identity, ScopeId, Source};
use crate::json::Value;
use crate::leaf::{EVENT_LEAF_BYTES_MAX, Leaf, version_tag};
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::text::check_visible;
use crate::time::Timestamp;
use author::check_authors;
use line::{TEXT_FIELDS, read_fields};

pub use author::{Author, equal_shares, parse_share};

/// Longest line that is read as an event, in bytes.
pub const EVENT_LINE_BYTES_MAX: usize = 65_536;
/// Longest canonical metadata, in bytes.
pub const METADATA_BYTES_MAX: usize = 32_768;
/// Most authors of one event.
pub const AUTHORS_MAX: usize = 100;
/// Most scopes that one event belongs to.
pub const SCOPES_MAX: usize = 16;
/// How far an event's time may lie after its retrieval, and a retrieval after now: 10 minutes.
pub const CLOCK_SKEW_MS: i64 = 600_000;
/// Longest `source_ref`, in bytes.
const SOURCE_REF_BYTES_MAX: usize = 512;
/// Longest `producer` and `producer_version`, in bytes.
const PRODUCER_BYTES_MAX: usize = 128;

/// A checked event that has not entered the log yet. [`NewEvent::parse`] and [`NewEvent::new`] make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    id: EventId,
    source: Source,
    source_ref: String,
    event_type: EventType,
    authors: Vec<Author>,
    event_time: Timestamp,
    payload_hash: Hash,
    producer: String,
    producer_version: String,
    retrieved_at: Timestamp,
    metadata: String,
}

/// The fields of an event as a source in this program fills them; [`NewEvent::new`] checks them.
#[derive(Clone, Debug)]
pub struct EventFields {
    /// The permanent id.
    pub id: EventId,
    /// The kind of place it comes from.
    pub source: Source,
    /// Which place: a repository's or channel's permanent id.
    pub source_ref: String,
    /// What happened.
    pub event_type: EventType,
    /// Who did it; `None` as share of all means equal shares.
    pub authors: Vec<(Identity, Option<u32>)>,
    /// When it happened.
    pub event_time: Timestamp,
    /// SHA-256 over every field of the source's payload that can decide money.
    pub payload_hash: Hash,
    /// The program that collected it.
    pub producer: String,
    /// That program's version.
    pub producer_version: String,
    /// When it was collected.
    pub retrieved_at: Timestamp,
    /// What else is known: display names, links, labels. An object.
    pub metadata: Value,
}

impl NewEvent {
    /// Checks the fields against each other and against `now`.
    ///
    /// # Errors
    /// The first [`Rejection`] in order of precedence, naming the field.
    pub fn new(fields: EventFields, now: Timestamp) -> Checked<Self> {
        check_texts(&fields.source_ref, &fields.producer, &fields.producer_version)?;
        check_not_future("retrieved_at", fields.retrieved_at, "now", now)?;
        check_not_future("event_time", fields.event_time, "retrieved_at", fields.retrieved_at)?;
        if !matches!(fields.metadata, Value::Object(_)) {
            let got = fields.metadata.kind();
            return Err(Rejection::new(RejectionCode::WrongType, "metadata", "an object", got));
        }
        let metadata = check_metadata(&fields.metadata)?;
        let event = Self {
            id: fields.id,
            source: fields.source,
            source_ref: fields.source_ref,
            event_type: fields.event_type,
            authors: check_authors(fields.authors)?,
            event_time: fields.event_time,
            payload_hash: fields.payload_hash,
            producer: fields.producer,
            producer_version: fields.producer_version,
            retrieved_at: fields.retrieved_at,
            metadata,
        };
        if event.leaf_bytes_at_most() <= EVENT_LEAF_BYTES_MAX {
            return Ok(event);
        }
        // A leaf that names the most scopes must still fit, since a scope may claim the event later.
        let most_scopes = (0_u8..).take(SCOPES_MAX).map(|byte| ScopeId::from_bytes([byte; 16])).collect();
        event.clone().into_event([0; 32], most_scopes).map(|_| event)
    }

    /// Reads one imported line: `{"id","source","source_ref","event_type","platform_user_id"` or `"authors"`,
    /// `"metadata","payload_hash","producer","producer_version","event_time","retrieved_at"}`; `platform_login` and
    /// `artifact_url` are kept in the metadata.
    ///
    /// # Errors
    /// A [`Rejection`] that names the field, what was expected and what came.
    pub fn parse(line: &[u8], now: Timestamp) -> Checked<Self> {
        if line.len() > EVENT_LINE_BYTES_MAX {
            let expected = format!("at most {EVENT_LINE_BYTES_MAX} bytes");
            return Err(Rejection::new(
                RejectionCode::InputTooLarge,
                "line",
                expected,
                format!("{} bytes", line.len()),
            ));
        }
        Self::new(read_fields(Value::parse_edge_with_texts(line, &TEXT_FIELDS)?)?, now)
    }

    /// Everything for which [`NewEvent::parse`] refuses a line, as far as one fault does not hide another: at most 16,
    /// each naming its field. Nothing where the line is good.
    pub fn faults(line: &[u8], now: Timestamp) -> Vec<Rejection> {
        faults::find(line, now)
    }

    /// A length that no leaf of this event exceeds, found without writing one: for nearly all events it is enough.
    fn leaf_bytes_at_most(&self) -> usize {
        /// More than the names of the fields, the hashes, the times and 16 scopes take.
        const FIXED_BYTES: usize = 2_048;
        /// More than what stands around an author's id takes.
        const AUTHOR_BYTES: usize = 128;
        /// A character becomes `\\u001f` at worst.
        const ESCAPED_BYTES: usize = 6;
        let texts = [
            self.id.as_str(),
            self.source.as_str(),
            &self.source_ref,
            self.event_type.as_str(),
            &self.producer,
            &self.producer_version,
        ];
        let authors = self.authors.iter().map(|author| author.identity.external_id());
        let text_bytes: usize = texts.into_iter().chain(authors).map(str::len).sum();
        FIXED_BYTES + AUTHOR_BYTES * self.authors.len() + ESCAPED_BYTES * text_bytes
    }

    /// The permanent id.
    pub fn id(&self) -> &EventId {
        &self.id
    }

    /// When it happened.
    pub fn event_time(&self) -> Timestamp {
        self.event_time
    }

    /// The key of its weight in a policy: `<source>:<event_type>`.
    pub fn weight_key(&self) -> String {
        weight_key(&self.source, &self.event_type)
    }

    /// The canonical metadata, which the leaf binds by its salted hash.
    pub fn metadata(&self) -> &str {
        &self.metadata
    }

    /// The fields, for whoever has to change one: [`NewEvent::new`] checks them again.
    pub fn into_fields(self) -> EventFields {
        let authors = self.authors.into_iter().map(|author| (author.identity, Some(author.share)));
        // What was checked can be read, and is in its canonical form.
        let metadata =
            Value::parse_edge(self.metadata.as_bytes()).unwrap_or_else(|_| Value::Object(Vec::new()));
        EventFields {
            id: self.id,
            source: self.source,
            source_ref: self.source_ref,
            event_type: self.event_type,
            authors: authors.collect(),
            event_time: self.event_time,
            payload_hash: self.payload_hash,
            producer: self.producer,
            producer_version: self.producer_version,
            retrieved_at: self.retrieved_at,
            metadata,
        }
    }

    /// What makes two events the same; see [`content_hash`].
    pub fn content_hash(&self) -> Hash {
        let place = (&self.source, self.source_ref.as_str());
        content_hash(&self.id, place, &self.event_type, &self.authors, self.event_time, self.payload_hash)
    }

    /// The event as it enters the log: `salt` hides the metadata, `scopes` are those that it belongs to, in any order.
    ///
    /// # Errors
    /// `too_many` scopes, or `input_too_large` when the leaf would exceed 16,384 bytes.
    pub fn into_event(self, salt: [u8; 32], scopes: Vec<ScopeId>) -> Checked<Event> {
        self.into_event_and_leaf(salt, scopes).map(|(event, _)| event)
    }

    /// As [`NewEvent::into_event`], with the leaf's bytes, which had to be written for their length already.
    ///
    /// # Errors
    /// As [`NewEvent::into_event`].
    pub fn into_event_and_leaf(self, salt: [u8; 32], mut scopes: Vec<ScopeId>) -> Checked<(Event, Vec<u8>)> {
        scopes.sort_unstable();
        scopes.dedup();
        let event = Event {
            authors: self.authors,
            event_time: self.event_time,
            event_type: self.event_type,
            id: self.id,
            metadata_hash: metadata_hash(&salt, &self.metadata),
            payload_hash: self.payload_hash,
            producer: self.producer,
            producer_version: self.producer_version,
            retrieved_at: self.retrieved_at,
            scopes,
            source: self.source,
            source_ref: self.source_ref,
            v: EventV1,
        };
        check_scopes(&event.scopes)?;
        let leaf = event.encode();
        let length = leaf.len();
        if length > EVENT_LEAF_BYTES_MAX {
            let expected = format!("a leaf of at most {EVENT_LEAF_BYTES_MAX} bytes");
            return Err(Rejection::new(
                RejectionCode::InputTooLarge,
                "event",
                expected,
                format!("{length} bytes"),
            ));
        }
        Ok((event, leaf))
    }
}

/// The canonical metadata, within its limit.
fn check_metadata(metadata: &Value) -> Checked<String> {
    let metadata = metadata.to_canonical();
    if metadata.len() <= METADATA_BYTES_MAX {
        return Ok(metadata);
    }
    let (expected, got) =
        (format!("at most {METADATA_BYTES_MAX} bytes"), format!("{} bytes", metadata.len()));
    Err(Rejection::new(RejectionCode::InputTooLarge, "metadata", expected, got))
}

/// At most 16 scopes, strictly ascending.
fn check_scopes(scopes: &[ScopeId]) -> Checked<()> {
    if scopes.len() > SCOPES_MAX {
        let expected = format!("at most {SCOPES_MAX} scopes");
        return Err(Rejection::new(RejectionCode::TooMany, "scopes", expected, scopes.len()));
    }
    match scopes.windows(2).find(|pair| pair.first() >= pair.last()) {
        None => Ok(()),
        Some(_) => {
            Err(Rejection::new(RejectionCode::NotCanonical, "scopes", "distinct scopes, ascending", "others"))
        }
    }
}

/// The same demands on a leaf that somebody else wrote as on an event that comes in: a log is not believed.
fn check_event(event: &Event) -> Checked<()> {
    check_texts(&event.source_ref, &event.producer, &event.producer_version)?;
    check_not_future("event_time", event.event_time, "retrieved_at", event.retrieved_at)?;
    check_scopes(&event.scopes)?;
    let authors = event.authors.iter().map(|author| (author.identity.clone(), Some(author.share))).collect();
    if check_authors(authors)? == event.authors {
        return Ok(());
    }
    let expected = "authors in ascending order";
    Err(Rejection::new(RejectionCode::NotCanonical, "authors", expected, "another order"))
}

fn check_texts(source_ref: &str, producer: &str, producer_version: &str) -> Checked<()> {
    check_visible("source_ref", source_ref, SOURCE_REF_BYTES_MAX)?;
    check_visible("producer", producer, PRODUCER_BYTES_MAX)?;
    check_visible("producer_version", producer_version, PRODUCER_BYTES_MAX)
}

/// SHA-256 of a 32-byte salt and the canonical metadata.
pub fn metadata_hash(salt: &[u8; 32], metadata: &str) -> Hash {
    Hash::of_parts([salt, metadata.as_bytes()])
}

fn check_not_future(field: &str, time: Timestamp, limit_name: &str, limit: Timestamp) -> Checked<()> {
    if time.as_ms() <= limit.as_ms() + CLOCK_SKEW_MS {
        return Ok(());
    }
    let expected = format!("at most 10 minutes after {limit_name} {limit}");
    Err(Rejection::new(RejectionCode::TimeInFuture, field, expected, time))
}

/// SHA-256 over the fields of an event that must be equal for two events to be the same (rule `ACTIVITY_IDEMPOTENT`);
/// `place` is its source and which place that is.
fn content_hash(
    id: &EventId,
    (source, source_ref): (&Source, &str),
    event_type: &EventType,
    authors: &[Author],
    event_time: Timestamp,
    payload_hash: Hash,
) -> Hash {
    #[derive(Serialize)]
    struct Content<'a> {
        authors: &'a [Author],
        event_time: Timestamp,
        event_type: &'a EventType,
        id: &'a EventId,
        payload_hash: Hash,
        source: &'a Source,
        source_ref: &'a str,
    }
    let content = Content { authors, event_time, event_type, id, payload_hash, source, source_ref };
    Hash::of(&canonical::to_vec(&content).unwrap_or_default())
}

/// An event in the log; its canonical bytes are the leaf `meed/event/v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Who did it, sorted by provider and id; the shares sum to 1,000,000.
    pub authors: Vec<Author>,
    /// When it happened.
    pub event_time: Timestamp,
    /// What happened.
    pub event_type: EventType,
    /// The permanent id.
    pub id: EventId,
    /// SHA-256 of the salt and the canonical metadata.
    pub metadata_hash: Hash,
    /// SHA-256 over every field of the source's payload that can decide money.
    pub payload_hash: Hash,
    /// The program that collected it.
    pub producer: String,
    /// That program's version.
    pub producer_version: String,
    /// When it was collected.
    pub retrieved_at: Timestamp,
    /// The scopes that it belonged to when it entered, sorted.
    pub scopes: Vec<ScopeId>,
    /// The kind of place it comes from.
    pub source: Source,
    /// Which place.
    pub source_ref: String,
    /// `meed/event/v1`.
    pub v: EventV1,
}

version_tag! {
    /// The format of event leaves.
    EventV1, Event, "meed/event/v1", check_event
}

impl Event {
    /// What makes two events the same: equal for an event and the [`NewEvent`] that it came from.
    pub fn content_hash(&self) -> Hash {
        let place = (&self.source, self.source_ref.as_str());
        content_hash(&self.id, place, &self.event_type, &self.authors, self.event_time, self.payload_hash)
    }

    /// The key of its weight in a policy: `<source>:<event_type>`.
    pub fn weight_key(&self) -> String {
        weight_key(&self.source, &self.event_type)
    }
}

fn weight_key(source: &Source, event_type: &EventType) -> String {
    format!("{source}:{event_type}")
}

/// A scope's later claim on an event; its canonical bytes are the leaf `meed/route/v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The event that is claimed.
    pub event: EventId,
    /// The scope that claims it; for it, this leaf's index counts.
    pub scope: ScopeId,
    /// `meed/route/v1`.
    pub v: RouteV1,
}

version_tag! {
    /// The format of route leaves.
    RouteV1, Route, "meed/route/v1"
}
