//! The same events for both sides: 100,000 people over one week, reproducible without randomness.

use meed_audit::event::{EventFields, NewEvent};
use meed_audit::hash::Hash;
use meed_audit::ids::{Identity, Provider};
use meed_audit::json::Value;
use meed_audit::time::Timestamp;

/// How many people there are.
pub const PEOPLE_COUNT: u64 = 100_000;
/// Events of one durable batch.
pub const BATCH_EVENTS: usize = 1_000;
/// 2026-11-02T00:00:00Z, a Monday: the week in which all events happen.
pub const WEEK_START_MS: i64 = 1_793_577_600_000;
const WEEK_MS: i64 = 7 * 86_400_000;
const TYPES: [&str; 3] = ["pr_merged", "review_submitted", "issue_closed"];

/// One event, as plainly as both sides need it.
pub struct Sample {
    pub id: String,
    pub event_type: &'static str,
    pub person: u64,
    pub event_time_ms: i64,
    pub payload_hash: Hash,
    pub title: String,
    pub url: String,
}

/// SplitMix64: scatters a counter over 64 bits.
fn scatter(counter: u64) -> u64 {
    let mut z = counter.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The event with this number. Ids are scattered as the ids of several sources are.
pub fn sample(number: u64) -> Sample {
    let noise = scatter(number);
    let id = format!("github:pr:{}:{number}", noise % 5_000 + 1);
    let offset_ms = i64::try_from(noise >> 12).unwrap_or_default() % WEEK_MS;
    Sample {
        event_type: TYPES[usize::try_from(noise % 3).unwrap_or_default()],
        person: scatter(noise) % PEOPLE_COUNT + 1,
        event_time_ms: WEEK_START_MS + offset_ms,
        payload_hash: Hash::of(id.as_bytes()),
        title: format!("Change number {number} of the week"),
        url: format!("https://example.org/pulls/{number}"),
        id,
    }
}

/// The same event as meed takes it.
pub fn event(number: u64) -> NewEvent {
    new_event(sample(number))
}

/// An event of a person of its own.
pub fn event_of_own_person(number: u64) -> NewEvent {
    new_event(Sample { person: number + 1, ..sample(number) })
}

fn new_event(sample: Sample) -> NewEvent {
    let time = Timestamp::from_ms(sample.event_time_ms).expect("a time of that week");
    let retrieved_at = Timestamp::from_ms(WEEK_START_MS + WEEK_MS).expect("the week's end");
    let identity = Identity::new(Provider::Github, &sample.person.to_string()).expect("a decimal id");
    let metadata = Value::Object(vec![
        ("artifact_url".to_owned(), Value::String(sample.url)),
        ("platform_login".to_owned(), Value::String(format!("person-{}", sample.person))),
        ("title".to_owned(), Value::String(sample.title)),
    ]);
    let fields = EventFields {
        id: sample.id.parse().expect("an event id"),
        source: "github".parse().expect("a source"),
        source_ref: "4242".to_owned(),
        event_type: sample.event_type.parse().expect("an event type"),
        authors: vec![(identity, None)],
        event_time: time,
        payload_hash: sample.payload_hash,
        producer: "bench".to_owned(),
        producer_version: "1".to_owned(),
        retrieved_at,
        metadata,
    };
    NewEvent::new(fields, retrieved_at).expect("a valid event")
}
