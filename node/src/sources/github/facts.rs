//! What happened, in the form in which it is stored: the id, what is hashed, and what is shown.

use meed_audit::Checked;
use meed_audit::event::{EventFields, NewEvent};
use meed_audit::hash::Hash;
use meed_audit::ids::{EventId, Identity};
use meed_audit::json::Value;
use meed_audit::time::Timestamp;

use super::people::People;
use crate::sources::display::visible_line;

/// Longest title, branch or label in metadata, in bytes.
const TEXT_BYTES_MAX: usize = 200;
/// Longest address in metadata, in bytes.
const URL_BYTES_MAX: usize = 500;

/// The repository that something happened in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Its number, which stays when it is renamed or moved.
    pub(super) id: u64,
    /// Its name now.
    pub(super) name: String,
}

impl Place {
    /// The `source_ref` of all that happens in it.
    pub(super) fn source_ref(&self) -> String {
        source_ref(self.id)
    }
}

/// The `source_ref` of a repository.
pub(super) fn source_ref(repository: u64) -> String {
    format!("github:repo:{repository}")
}

/// Something that happened, and to whom it is credited.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    /// What the id has after `github:`.
    pub(super) id: String,
    pub(super) event_type: &'static str,
    pub(super) at: Timestamp,
    pub(super) people: People,
    pub(super) title: String,
    pub(super) url: String,
    /// What else can decide money, by name.
    pub(super) decides: Vec<(&'static str, String)>,
    /// What else is shown, by name.
    pub(super) shown: Vec<(&'static str, Value)>,
}

impl Fact {
    /// The event, as it was read `now`.
    pub(super) fn into_event(self, place: &Place, now: Timestamp) -> Checked<NewEvent> {
        let id: EventId = format!("github:{}", self.id).parse()?;
        let fields = EventFields {
            source: "github".parse()?,
            source_ref: place.source_ref(),
            event_type: self.event_type.parse()?,
            authors: self.people.keys().map(|identity| (identity.clone(), None)).collect(),
            event_time: self.at,
            payload_hash: payload_hash(&id, self.event_type, self.at, self.people.keys(), &self.decides),
            producer: "meed-github".to_owned(),
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            retrieved_at: now,
            metadata: self.metadata(place),
            id,
        };
        NewEvent::new(fields, now)
    }

    /// What is shown of it: `names` in the order of its authors, the `title`, where to read more.
    fn metadata(&self, place: &Place) -> Value {
        let names = self.people.values().map(|login| Value::String(login.clone())).collect();
        let mut fields = vec![
            ("artifact_url".to_owned(), text(&self.url, URL_BYTES_MAX)),
            ("names".to_owned(), Value::Array(names)),
            ("repository".to_owned(), shown(&place.name)),
            ("title".to_owned(), shown(&self.title)),
        ];
        fields.extend(self.shown.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        fields.sort_by(|(one, _), (other, _)| one.cmp(other));
        Value::Object(fields)
    }
}

/// A text of strangers, as it is shown.
pub(super) fn shown(words: &str) -> Value {
    text(words, TEXT_BYTES_MAX)
}

fn text(words: &str, bytes_max: usize) -> Value {
    Value::String(visible_line(words.as_bytes(), bytes_max))
}

/// SHA-256 over the canonical JSON of every field that can decide money. What may change later at the source, such as
/// titles and labels, is not among them.
pub(super) fn payload_hash<'a>(
    id: &EventId,
    event_type: &str,
    at: Timestamp,
    authors: impl Iterator<Item = &'a Identity>,
    decides: &[(&'static str, String)],
) -> Hash {
    let text = |text: &str| Value::String(text.to_owned());
    let mut fields = vec![
        ("authors".to_owned(), Value::Array(authors.map(|identity| text(identity.external_id())).collect())),
        ("event_time".to_owned(), text(&at.to_string())),
        ("event_type".to_owned(), text(event_type)),
        ("id".to_owned(), text(id.as_str())),
        ("v".to_owned(), text("meed/github-payload/v1")),
    ];
    fields.extend(decides.iter().map(|(name, value)| ((*name).to_owned(), text(value))));
    // Canonical JSON sorts by UTF-16 code units, which for ASCII are the bytes.
    fields.sort_by(|(one, _), (other, _)| one.cmp(other));
    Hash::of(Value::Object(fields).to_canonical().as_bytes())
}

/// The number of the pull request that this one reverts, as the name of the branch says that GitHub makes for it: names
/// of branches do not change, which titles do.
pub(super) fn reverted_by(branch: &str) -> Option<&str> {
    let (number, _) = branch.strip_prefix("revert-")?.split_once('-')?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(number)
}

/// The type of a review by what it said when it was submitted.
pub(super) fn review_type(said: &str) -> &'static str {
    match said {
        "APPROVED" => "review_approved",
        "CHANGES_REQUESTED" => "review_changes_requested",
        "COMMENTED" => "review_commented",
        _ => "review_dismissed",
    }
}
