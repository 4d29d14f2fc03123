//! An imported line of JSON as the fields of an event.

use super::{EventFields, parse_share};
use crate::hash::Hash;
use crate::ids::{Identity, Provider, Source};
use crate::json::Value;
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::text::{FREE_TEXT_BYTES_MAX, check_visible};
use crate::time::Timestamp;

/// The fields that an imported line may have.
const LINE_FIELDS: [&str; 13] = [
    "artifact_url",
    "authors",
    "event_time",
    "event_type",
    "id",
    "metadata",
    "payload_hash",
    "platform_login",
    "platform_user_id",
    "producer",
    "producer_version",
    "retrieved_at",
    "source",
];

/// Fields that name something, where a number would be a mistake.
pub(super) const TEXT_FIELDS: [&str; 1] = ["id"];

/// Whether a line may have a field of this name.
pub(super) fn is_known(name: &str) -> bool {
    name == "source_ref" || LINE_FIELDS.contains(&name)
}

pub(super) fn unknown_field(name: &str) -> Rejection {
    Rejection::new(RejectionCode::UnknownField, name, "no such field", "it")
}

pub(super) fn read_fields(line: Value) -> Checked<EventFields> {
    let Value::Object(fields) = &line else {
        return Err(Rejection::new(RejectionCode::WrongType, "line", "an object", line.kind()));
    };
    if let Some((name, _)) = fields.iter().find(|(name, _)| !is_known(name)) {
        return Err(unknown_field(name));
    }
    let source: Source = parse_field(&line, "source")?;
    Ok(EventFields {
        id: parse_field(&line, "id")?,
        source_ref: string_field(&line, "source_ref")?.to_owned(),
        event_type: parse_field(&line, "event_type")?,
        authors: read_authors(&line, &source)?,
        event_time: time_field(&line, "event_time")?,
        payload_hash: payload_hash(&line)?,
        producer: string_field(&line, "producer")?.to_owned(),
        producer_version: string_field(&line, "producer_version")?.to_owned(),
        retrieved_at: time_field(&line, "retrieved_at")?,
        metadata: read_metadata(&line)?,
        source,
    })
}

pub(super) fn time_field(line: &Value, name: &str) -> Checked<Timestamp> {
    Timestamp::parse_edge(name, string_field(line, name)?)
}

pub(super) fn payload_hash(line: &Value) -> Checked<Hash> {
    let text = string_field(line, "payload_hash")?;
    Hash::from_hex(text).map_err(|_| {
        let expected = "64 lower-case hex digits";
        Rejection::new(RejectionCode::InvalidIdentifier, "payload_hash", expected, text)
    })
}

pub(super) fn string_field<'a>(object: &'a Value, name: &str) -> Checked<&'a str> {
    let value = object
        .field(name)
        .ok_or_else(|| Rejection::new(RejectionCode::MissingField, name, "the field", "none"))?;
    value.as_str().ok_or_else(|| Rejection::new(RejectionCode::WrongType, name, "a string", value.kind()))
}

pub(super) fn parse_field<T: std::str::FromStr<Err = Rejection>>(object: &Value, name: &str) -> Checked<T> {
    string_field(object, name)?.parse().map_err(|mut rejection: Rejection| {
        name.clone_into(&mut rejection.subject);
        rejection
    })
}

pub(super) fn read_authors(line: &Value, source: &Source) -> Checked<Vec<(Identity, Option<u32>)>> {
    match (line.field("authors"), line.field("platform_user_id")) {
        (Some(Value::Array(authors)), None) => {
            authors.iter().enumerate().map(|(index, author)| read_author(index, author)).collect()
        }
        (Some(Value::Array(_)), Some(_)) => {
            let expected = "platform_user_id or authors";
            Err(Rejection::new(RejectionCode::UnknownField, "platform_user_id", expected, "both"))
        }
        (Some(other), _) => {
            Err(Rejection::new(RejectionCode::WrongType, "authors", "an array", other.kind()))
        }
        (None, Some(_)) => {
            let provider: Provider = source.as_str().parse().map_err(|_| {
                let expected = "authors with their provider, since the source is not one";
                Rejection::new(RejectionCode::MissingField, "authors", expected, source)
            })?;
            let identity = Identity::new(provider, string_field(line, "platform_user_id")?)
                .map_err(|rejection| rejection.within("platform_user_id"))?;
            Ok(vec![(identity, None)])
        }
        (None, None) => Err(Rejection::new(
            RejectionCode::MissingField,
            "authors",
            "authors or platform_user_id",
            "neither",
        )),
    }
}

/// The author at this place of the list.
pub(super) fn read_author(index: usize, author: &Value) -> Checked<(Identity, Option<u32>)> {
    read_author_fields(author).map_err(|rejection| rejection.within(format!("authors[{index}]")))
}

fn read_author_fields(author: &Value) -> Checked<(Identity, Option<u32>)> {
    let Value::Object(fields) = author else {
        return Err(Rejection::new(RejectionCode::WrongType, "", "an object", author.kind()));
    };
    if let Some((name, _)) =
        fields.iter().find(|(name, _)| !["id", "provider", "share"].contains(&name.as_str()))
    {
        return Err(Rejection::new(RejectionCode::UnknownField, name, "id, provider and share", "it"));
    }
    let provider: Provider = parse_field(author, "provider")?;
    let identity = Identity::new(provider, string_field(author, "id")?)?;
    let share = match author.field("share") {
        None => None,
        Some(_) => Some(parse_share("share", string_field(author, "share")?)?),
    };
    Ok((identity, share))
}

/// The metadata object, with `platform_login` and `artifact_url` put into it.
pub(super) fn read_metadata(line: &Value) -> Checked<Value> {
    let mut metadata = match line.field("metadata") {
        None => Vec::new(),
        Some(Value::Object(fields)) => fields.clone(),
        Some(other) => {
            return Err(Rejection::new(RejectionCode::WrongType, "metadata", "an object", other.kind()));
        }
    };
    for name in ["platform_login", "artifact_url"] {
        if line.field(name).is_none() {
            continue;
        }
        let text = string_field(line, name)?;
        check_visible(name, text, FREE_TEXT_BYTES_MAX)?;
        if metadata.iter().any(|(key, _)| key == name) {
            let expected = "it beside the metadata or in it";
            return Err(Rejection::new(RejectionCode::DuplicateField, name, expected, "both"));
        }
        metadata.push((name.to_owned(), Value::String(text.to_owned())));
    }
    metadata.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    Ok(Value::Object(metadata))
}
