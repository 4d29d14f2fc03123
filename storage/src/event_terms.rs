//! What an epoch takes of an event, read where its record stands: computing an epoch reads every event of it, and of most
//! bytes of a record it needs nothing.
//!
//! The bytes are those of [`EntryRecord`](crate::event_record::EntryRecord) as bincode writes it, of which this reads the
//! beginning; the tests compare both. Lengths and numbers are bincode's: a byte up to 250, or 251, 252, 253, 254 and a
//! number of two, four, eight, sixteen bytes, little-endian; signed numbers are zigzag.

use std::borrow::Cow;

use meed_audit::activity::{AuthorEntry, EpochEntry, ExternalId};
use meed_audit::hash::{HASH_BYTES, Hash};
use meed_audit::ids::{EventId, ScopeId};
use meed_audit::time::Timestamp;

use crate::event_record::PROVIDERS;

/// The tag of an event among entries.
const EVENT: u64 = 0;
/// The tags of an author's id: a hash, or a text.
const ID_HASH: u64 = 0;
const ID_TEXT: u64 = 1;

/// The fields that an epoch takes, checked as strictly as those of the whole event.
#[derive(Clone, Debug)]
pub(crate) struct EventTerms<'a> {
    authors: Authors<'a>,
    event_time: Timestamp,
    event_type: &'a str,
    id: &'a str,
    scopes: &'a [[u8; SCOPE_BYTES]],
    source: &'a str,
}

/// Nearly all events have one author, for whom nothing is allocated.
#[derive(Clone, Debug)]
enum Authors<'a> {
    One(AuthorEntry<'a>),
    Many(Vec<AuthorEntry<'a>>),
}

const SCOPE_BYTES: usize = 16;

/// What [`EventTerms::read`] found.
#[derive(Clone, Debug)]
pub(crate) enum Terms<'a> {
    /// An event.
    Event(EventTerms<'a>),
    /// Another kind of entry.
    Other,
}

/// The scopes of the event before, which most events share.
#[derive(Debug, Default)]
pub(crate) struct LastScopes {
    bytes: Vec<[u8; SCOPE_BYTES]>,
    scopes: Vec<ScopeId>,
}

impl<'a> EventTerms<'a> {
    /// Reads the beginning of an entry's record; nothing where it is none.
    pub(crate) fn read(row: &'a [u8]) -> Option<Terms<'a>> {
        let mut input = Input(row);
        if input.number()? != EVENT {
            return Some(Terms::Other);
        }
        let _content_hash = input.hash()?;
        let event_time = Timestamp::from_ms(input.signed()?).ok()?;
        let scopes_bytes = input.length()?.checked_mul(SCOPE_BYTES)?;
        let (scopes, _) = input.bytes(scopes_bytes)?.as_chunks();
        let id = input.text()?;
        EventId::check(id).ok()?;
        let source = input.text()?;
        let _source_ref = input.text()?;
        let event_type = input.text()?;
        let authors = input.authors()?;
        Some(Terms::Event(Self { authors, event_time, event_type, id, scopes, source }))
    }

    /// The entry at `index`.
    pub(crate) fn entry<'e>(
        &'e self,
        event_hash: Hash,
        index: u64,
        last: &'e mut LastScopes,
    ) -> EpochEntry<'e> {
        EpochEntry {
            authors: Cow::Borrowed(match &self.authors {
                Authors::One(author) => std::slice::from_ref(author),
                Authors::Many(authors) => authors,
            }),
            event_hash,
            event_time: self.event_time,
            event_type: self.event_type,
            id: self.id,
            index,
            routed: false,
            scopes: last.scopes(self.scopes),
            source: self.source,
        }
    }
}

impl LastScopes {
    fn scopes(&mut self, bytes: &[[u8; SCOPE_BYTES]]) -> &[ScopeId] {
        if self.bytes != bytes {
            self.bytes = bytes.to_vec();
            self.scopes = bytes.iter().copied().map(ScopeId::from_bytes).collect();
        }
        &self.scopes
    }
}

/// What is still to be read of a record.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const BYTES: usize>(&mut self) -> Option<[u8; BYTES]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn number(&mut self) -> Option<u64> {
        match self.byte()? {
            small @ ..=250 => Some(small.into()),
            251 => self.array().map(|bytes| u16::from_le_bytes(bytes).into()),
            252 => self.array().map(|bytes| u32::from_le_bytes(bytes).into()),
            253 => self.array().map(u64::from_le_bytes),
            _ => None,
        }
    }

    fn signed(&mut self) -> Option<i64> {
        let zigzag = self.number()?;
        let half = i64::try_from(zigzag >> 1).ok()?;
        Some(if zigzag & 1 == 0 { half } else { !half })
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.length()?;
        str::from_utf8(self.bytes(length)?).ok()
    }

    fn hash(&mut self) -> Option<Hash> {
        if self.length()? != HASH_BYTES {
            return None;
        }
        self.array().map(Hash::from_bytes)
    }

    fn authors(&mut self) -> Option<Authors<'a>> {
        match self.length()? {
            1 => self.author().map(Authors::One),
            count => (0..count).map(|_| self.author()).collect::<Option<_>>().map(Authors::Many),
        }
    }

    fn author(&mut self) -> Option<AuthorEntry<'a>> {
        let provider = *PROVIDERS.get(usize::from(self.byte()?))?;
        let external_id = match self.number()? {
            ID_HASH => ExternalId::Hash(self.hash()?),
            ID_TEXT => ExternalId::Text(self.text()?),
            _ => return None,
        };
        let share = u32::try_from(self.number()?).ok()?;
        Some(AuthorEntry { provider, external_id, share })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec;
    use crate::event_record::{EntryRecord, LogEntry, RouteRecord};
    use crate::event_rows::EVENT_ENTRIES;
    use meed_audit::event::Author;
    use meed_audit::event::{Event, EventV1, equal_shares};
    use meed_audit::ids::{Identity, Provider};
    use proptest::prelude::*;

    fn identity() -> impl Strategy<Value = Identity> {
        let github = (1..u64::MAX).prop_map(|id| Identity::new(Provider::Github, &id.to_string()).unwrap());
        let git = any::<[u8; 32]>()
            .prop_map(|bytes| Identity::new(Provider::Git, &Hash::from_bytes(bytes).to_hex()).unwrap());
        prop_oneof![github, git]
    }

    fn event() -> impl Strategy<Value = Event> {
        let texts = ("[!-~]{1,300}", "[a-z][a-z0-9-]{0,9}", ".{0,9}", "[a-z][a-z0-9_]{0,9}");
        let people = prop::collection::btree_set(identity(), 1..4);
        let scopes = prop::collection::btree_set(any::<[u8; 16]>(), 0..4);
        (texts, people, scopes, 0..253_402_300_799_999_i64).prop_map(|(texts, people, scopes, ms)| {
            let (id, source, source_ref, event_type) = texts;
            let shares = equal_shares(people.len());
            let authors = people.into_iter().zip(shares);
            let time = Timestamp::from_ms(ms).unwrap();
            Event {
                authors: authors.map(|(identity, share)| Author { identity, share }).collect(),
                event_time: time,
                event_type: event_type.parse().unwrap(),
                id: id.parse().unwrap(),
                metadata_hash: Hash::of(b"metadata"),
                payload_hash: Hash::of(b"payload"),
                producer: "test".to_owned(),
                producer_version: "1".to_owned(),
                retrieved_at: time,
                scopes: scopes.into_iter().map(ScopeId::from_bytes).collect(),
                source: source.parse().unwrap(),
                source_ref,
                v: EventV1,
            }
        })
    }

    fn record(event: &Event) -> Vec<u8> {
        codec::encode(EVENT_ENTRIES, &EntryRecord::of_event(event, Hash::of(b"content"))).unwrap()
    }

    /// All that is in an entry; ids of accounts as texts.
    fn describe(entry: &EpochEntry<'_>) -> String {
        let text = |author: &AuthorEntry<'_>| match author.external_id {
            ExternalId::Text(text) => text.to_owned(),
            ExternalId::Hash(hash) => hash.to_hex(),
        };
        let authors: Vec<_> =
            entry.authors.iter().map(|author| (author.provider, text(author), author.share)).collect();
        format!("{authors:?} {:?}", EpochEntry { authors: Cow::Borrowed(&[]), ..entry.clone() })
    }

    /// The same entry by way of the whole event.
    fn whole(row: &[u8]) -> Option<Event> {
        let record: EntryRecord<'_> = codec::decode(EVENT_ENTRIES, &[], row).ok()?;
        match record.into_entry(7).ok()? {
            LogEntry::Event(event) => Some(event),
            LogEntry::Route { .. } => None,
        }
    }

    fn described_whole(event: Event) -> String {
        let event_hash = Hash::of(b"leaf");
        describe(&meed_audit::activity::EpochEvent { event, event_hash, index: 7, routed: false }.entry())
    }

    proptest! {
        #[test]
        fn the_terms_are_those_of_the_whole_event(events in prop::collection::vec(event(), 1..4)) {
            let mut last = LastScopes::default();
            for event in events {
                let row = record(&event);
                let Some(Terms::Event(terms)) = EventTerms::read(&row) else { panic!("no event") };
                let terms = describe(&terms.entry(Hash::of(b"leaf"), 7, &mut last));
                prop_assert_eq!(terms, described_whole(event));
            }
        }

        #[test]
        fn whatever_is_an_event_in_other_bytes_is_the_same_one(
            event in event(), place: prop::sample::Index, byte: u8, length: prop::sample::Index,
        ) {
            let mut row = record(&event);
            let place = place.index(row.len());
            row[place] = byte;
            let _ = EventTerms::read(&row[..length.index(row.len())]);
            if let Some(event) = whole(&row) {
                let Some(Terms::Event(terms)) = EventTerms::read(&row) else { panic!("no event") };
                let terms = describe(&terms.entry(Hash::of(b"leaf"), 7, &mut LastScopes::default()));
                prop_assert_eq!(terms, described_whole(event));
            }
        }
    }

    #[test]
    fn a_route_is_told_from_an_event() {
        let route = RouteRecord { event_index: 3, event_time_ms: 5, scope: [1; 16], event: "a:1".to_owned() };
        let row = codec::encode(EVENT_ENTRIES, &EntryRecord::Route(route)).unwrap();
        assert!(matches!(EventTerms::read(&row), Some(Terms::Other)));
        assert!(EventTerms::read(&[]).is_none());
    }
}
