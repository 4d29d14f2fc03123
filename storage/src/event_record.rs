//! How events and routes are kept: as compact records, from which their leaves are written again byte for byte.
//!
//! A leaf has one canonical form, so that its fields are enough; hashes and ids stand as bytes, times as numbers. What
//! the tail needs when a ledger is opened stands first, so that opening reads no further than that.

use std::borrow::Cow;

use meed_audit::event::{Author, Event, EventV1, Route, RouteV1};
use meed_audit::hash::Hash;
use meed_audit::ids::{Identity, Provider, ScopeId};
use meed_audit::leaf::Leaf;
use meed_audit::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::codec::Record;
use crate::error::StorageError;
use crate::event_rows::EVENT_ENTRIES;
use crate::table::Table;

/// The later claims on an event: its index and the scope, to the route's index.
pub(crate) const ROUTES: Table<(u64, ScopeId), RouteIndex> = Table::new("event_routes");

/// An entry of the events log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all entries are events, and boxing them would cost each of them"
)]
pub(crate) enum EntryRecord<'a> {
    /// The leaf `meed/event/v1`.
    Event {
        #[serde(borrow)]
        head: EventHead<'a>,
        #[serde(borrow)]
        body: EventBody<'a>,
    },
    /// The leaf `meed/route/v1`.
    Route(RouteRecord),
}

/// The beginning of an [`EntryRecord`]: bincode has no lengths around fields, so that it can be read alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum EntryHead<'a> {
    #[serde(borrow)]
    Event(EventHead<'a>),
    Route(RouteRecord),
}

/// What the indexes are made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EventHead<'a> {
    pub(crate) content_hash: Hash,
    pub(crate) event_time_ms: i64,
    pub(crate) scopes: Vec<[u8; 16]>,
    #[serde(borrow)]
    pub(crate) id: Cow<'a, str>,
}

/// The other fields of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EventBody<'a> {
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow)]
    source_ref: Cow<'a, str>,
    #[serde(borrow)]
    event_type: Cow<'a, str>,
    #[serde(borrow)]
    authors: Vec<AuthorRecord<'a>>,
    metadata_hash: Hash,
    payload_hash: Hash,
    #[serde(borrow)]
    producer: Cow<'a, str>,
    #[serde(borrow)]
    producer_version: Cow<'a, str>,
    retrieved_at_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct AuthorRecord<'a> {
    provider: u8,
    #[serde(borrow)]
    external_id: ExternalId<'a>,
    share: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum ExternalId<'a> {
    /// 64 hex digits.
    Hash(Hash),
    #[serde(borrow)]
    Text(Cow<'a, str>),
}

/// A later claim of a scope on an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RouteRecord {
    pub(crate) event_index: u64,
    pub(crate) event_time_ms: i64,
    pub(crate) scope: [u8; 16],
    pub(crate) event: String,
}

/// The index of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RouteIndex {
    pub(crate) index: u64,
}

impl Record for RouteIndex {}

/// What a leaf binds only by its salted hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PrivateRecord {
    Kept { salt: [u8; 32], metadata: String },
    Erased,
}

/// Providers by their numbers.
pub(crate) const PROVIDERS: [Provider; 5] =
    [Provider::Discord, Provider::Ed25519, Provider::Git, Provider::Github, Provider::Wallet];

impl<'a> EntryRecord<'a> {
    pub(crate) fn of_event(event: &'a Event, content_hash: Hash) -> Self {
        let head = EventHead {
            content_hash,
            event_time_ms: event.event_time.as_ms(),
            scopes: event.scopes.iter().map(|scope| *scope.as_bytes()).collect(),
            id: Cow::Borrowed(event.id.as_str()),
        };
        let body = EventBody {
            source: Cow::Borrowed(event.source.as_str()),
            source_ref: Cow::Borrowed(&event.source_ref),
            event_type: Cow::Borrowed(event.event_type.as_str()),
            authors: event.authors.iter().map(AuthorRecord::of).collect(),
            metadata_hash: event.metadata_hash,
            payload_hash: event.payload_hash,
            producer: Cow::Borrowed(&event.producer),
            producer_version: Cow::Borrowed(&event.producer_version),
            retrieved_at_ms: event.retrieved_at.as_ms(),
        };
        Self::Event { head, body }
    }
}

impl<'a> AuthorRecord<'a> {
    fn of(author: &'a Author) -> Self {
        let provider = author.identity.provider();
        let number = PROVIDERS.iter().position(|known| *known == provider).unwrap_or(PROVIDERS.len());
        let text = author.identity.external_id();
        let external_id =
            Hash::from_hex(text).map_or(ExternalId::Text(Cow::Borrowed(text)), ExternalId::Hash);
        Self { provider: u8::try_from(number).unwrap_or(u8::MAX), external_id, share: author.share }
    }

    fn into_author(self) -> Option<Author> {
        let provider = *PROVIDERS.get(usize::from(self.provider))?;
        let identity = match self.external_id {
            ExternalId::Hash(hash) => Identity::new(provider, &hash.to_hex()),
            ExternalId::Text(text) => Identity::new(provider, &text),
        };
        Some(Author { identity: identity.ok()?, share: self.share })
    }
}

/// An entry as the rulebook has it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all entries are events, and boxing them would cost each of them"
)]
pub enum LogEntry {
    /// An event.
    Event(Event),
    /// A later claim of a scope on an event.
    Route {
        /// The index of the event that it claims.
        event_index: u64,
        /// The leaf.
        route: Route,
    },
}

impl LogEntry {
    /// The leaf's bytes.
    pub fn leaf(&self) -> Vec<u8> {
        match self {
            Self::Event(event) => event.encode(),
            Self::Route { route, .. } => route.encode(),
        }
    }
}

impl EntryRecord<'_> {
    /// The entry at `index`, its fields checked again.
    pub(crate) fn into_entry(self, index: u64) -> Result<LogEntry, StorageError> {
        let entry = match self {
            Self::Event { head, body } => into_event(head, body).map(LogEntry::Event),
            Self::Route(route) => {
                route.to_route().map(|leaf| LogEntry::Route { event_index: route.event_index, route: leaf })
            }
        };
        entry.ok_or_else(|| {
            let key = index.to_be_bytes();
            StorageError::corrupt(EVENT_ENTRIES, &key, "expected the fields of an event, got others")
        })
    }
}

impl RouteRecord {
    pub(crate) fn to_route(&self) -> Option<Route> {
        let event = self.event.parse().ok()?;
        Some(Route { event, scope: ScopeId::from_bytes(self.scope), v: RouteV1 })
    }
}

fn into_event(head: EventHead<'_>, body: EventBody<'_>) -> Option<Event> {
    Some(Event {
        authors: body.authors.into_iter().map(AuthorRecord::into_author).collect::<Option<_>>()?,
        event_time: Timestamp::from_ms(head.event_time_ms).ok()?,
        event_type: body.event_type.parse().ok()?,
        id: head.id.parse().ok()?,
        metadata_hash: body.metadata_hash,
        payload_hash: body.payload_hash,
        producer: body.producer.into_owned(),
        producer_version: body.producer_version.into_owned(),
        retrieved_at: Timestamp::from_ms(body.retrieved_at_ms).ok()?,
        scopes: head.scopes.into_iter().map(ScopeId::from_bytes).collect(),
        source: body.source.parse().ok()?,
        source_ref: body.source_ref.into_owned(),
        v: EventV1,
    })
}
