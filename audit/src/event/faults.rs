//! Everything that is wrong with a line, for whoever has to correct it: [`NewEvent::parse`] stops at the first fault.

use super::author::check_authors;
use super::line::{
    TEXT_FIELDS, is_known, parse_field, payload_hash, read_author, read_authors, read_metadata, string_field,
    time_field, unknown_field,
};
use super::{
    NewEvent, PRODUCER_BYTES_MAX, SOURCE_REF_BYTES_MAX, check_metadata, check_not_future, check_visible,
};
use crate::ids::{EventId, EventType, Source};
use crate::json::Value;
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::time::Timestamp;

/// Most faults of one line that are told.
const FAULTS_MAX: usize = 16;

/// The faults that were found so far.
struct Faults(Vec<Rejection>);

impl Faults {
    /// What could be read; why it could not is kept.
    fn take<T>(&mut self, checked: Checked<T>) -> Option<T> {
        checked.map_err(|rejection| self.push(rejection)).ok()
    }

    fn push(&mut self, rejection: Rejection) {
        if self.0.len() < FAULTS_MAX && !self.0.contains(&rejection) {
            self.0.push(rejection);
        }
    }
}

pub(super) fn find(line: &[u8], now: Timestamp) -> Vec<Rejection> {
    let Err(first) = NewEvent::parse(line, now) else { return Vec::new() };
    let Ok((value, refused)) = Value::parse_edge_by_field(line, &TEXT_FIELDS) else { return vec![first] };
    let Value::Object(fields) = &value else { return vec![first] };
    let mut faults = Faults(vec![first]);
    refused.iter().for_each(|rejection| faults.push(rejection.clone()));
    fields.iter().filter(|(name, _)| !is_known(name)).for_each(|(name, _)| faults.push(unknown_field(name)));
    check_fields(&value, now, &mut faults);
    // A field that could not be read is not missing.
    let is_refused = |name: &str| {
        refused.iter().any(|rejection| {
            let rest = rejection.subject.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    };
    faults.0.retain(|fault| fault.code != RejectionCode::MissingField || !is_refused(&fault.subject));
    faults.0
}

/// Each field by itself, and then what fields demand of each other.
fn check_fields(line: &Value, now: Timestamp, faults: &mut Faults) {
    faults.take(parse_field::<EventId>(line, "id"));
    let source = faults.take(parse_field::<Source>(line, "source"));
    for (name, bytes_max) in [
        ("source_ref", SOURCE_REF_BYTES_MAX),
        ("producer", PRODUCER_BYTES_MAX),
        ("producer_version", PRODUCER_BYTES_MAX),
    ] {
        faults.take(string_field(line, name).and_then(|text| check_visible(name, text, bytes_max)));
    }
    faults.take(parse_field::<EventType>(line, "event_type"));
    check_all_authors(line, source.as_ref(), faults);
    faults.take(payload_hash(line));
    let event_time = faults.take(time_field(line, "event_time"));
    if let Some(retrieved_at) = faults.take(time_field(line, "retrieved_at")) {
        faults.take(check_not_future("retrieved_at", retrieved_at, "now", now));
        if let Some(time) = event_time {
            faults.take(check_not_future("event_time", time, "retrieved_at", retrieved_at));
        }
    }
    faults.take(read_metadata(line).and_then(|metadata| check_metadata(&metadata)));
}

fn check_all_authors(line: &Value, source: Option<&Source>, faults: &mut Faults) {
    if let Some(Value::Array(authors)) = line.field("authors") {
        for (index, author) in authors.iter().enumerate() {
            faults.take(read_author(index, author));
        }
    }
    // Whose account a bare id is, the source says.
    if let Some(source) = source {
        faults.take(read_authors(line, source).and_then(check_authors));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"id":"github:pr:7:1","source":"github","source_ref":"github:repo:7",
        "event_type":"pr_merged","platform_user_id":"1","payload_hash":"HASH","producer":"test",
        "producer_version":"1","event_time":"2026-11-10T12:00:00Z","retrieved_at":"2026-11-10T12:00:00Z"}"#;

    fn good() -> String {
        GOOD.replace("HASH", &"aa".repeat(32))
    }

    fn now() -> Timestamp {
        Timestamp::parse_edge("now", "2026-11-11T00:00:00Z").expect("a time")
    }

    /// Field and reason of each fault.
    fn faults(line: &str) -> Vec<(String, &'static str)> {
        let found = NewEvent::faults(line.as_bytes(), now());
        let first = NewEvent::parse(line.as_bytes(), now()).err();
        assert_eq!(found.first(), first.as_ref(), "the first is the one for which the line is refused");
        found.into_iter().map(|fault| (fault.subject, fault.code.name())).collect()
    }

    #[track_caller]
    fn are(line: &str, expected: &[(&str, &str)]) {
        let mut found = faults(line);
        found.sort();
        let mut expected: Vec<_> =
            expected.iter().map(|(field, code)| ((*field).to_owned(), *code)).collect();
        expected.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_good_line_has_none() {
        are(&good(), &[]);
    }

    #[test]
    fn each_faulty_field_is_named_once() {
        let line = good()
            .replace("\"platform_user_id\":\"1\"", "\"platform_user_id\":\"01\"")
            .replace("\"producer\":\"test\",", "")
            .replace("github:repo:7", "a\u{202e}b")
            .replace("2026-11-10T12:00:00Z\",", "yesterday\",\"colour\":\"red\",")
            .replace(&"aa".repeat(32), "AA");
        are(
            &line,
            &[
                ("colour", "unknown_field"),
                ("source_ref", "invalid_text"),
                ("platform_user_id: github id", "invalid_claimant"),
                ("event_time", "invalid_time"),
                ("payload_hash", "invalid_identifier"),
                ("producer", "missing_field"),
            ],
        );
    }

    #[test]
    fn what_is_no_text_does_not_hide_the_rest_nor_count_as_missing() {
        let line = good()
            .replace("\"id\":\"github:pr:7:1\"", "\"id\":7")
            .replace("\"producer_version\":\"1\"", "\"producer_version\":null,\"metadata\":{\"a\":[1.5]}")
            .replace("pr_merged", "PR merged");
        are(
            &line,
            &[
                ("id", "wrong_type"),
                ("producer_version", "null_not_allowed"),
                ("metadata.a[0]", "number_loses_precision"),
                ("event_type", "invalid_identifier"),
            ],
        );
        are(
            &good().replace("\"producer\":", "\"producer\":\"a\",\"producer\":"),
            &[("producer", "duplicate_field")],
        );
    }

    #[test]
    fn what_fields_demand_of_each_other_is_told_too() {
        let authors = r#""authors":[{"provider":"github","id":"x"},{"provider":"icq","id":"1"}]"#;
        let line = good()
            .replace("\"platform_user_id\":\"1\"", authors)
            .replace("\"retrieved_at\":\"2026-11-10", "\"retrieved_at\":\"2026-11-12");
        let found = faults(&line);
        let fields: Vec<&str> = found.iter().map(|(field, _)| field.as_str()).collect();
        assert!(fields.iter().any(|field| field.starts_with("authors[0]")), "{found:?}");
        assert!(fields.iter().any(|field| field.starts_with("authors[1]")), "{found:?}");
        assert!(found.contains(&("retrieved_at".to_owned(), "time_in_future")), "{found:?}");
    }

    #[test]
    fn a_line_that_is_no_object_has_one_fault_and_no_line_has_more_than_sixteen() {
        are("[]", &[("line", "wrong_type")]);
        are("nothing", &[("text", "malformed")]);
        let unknown: String = (0..50).map(|number| format!("\"f{number}\":true,")).collect();
        assert_eq!(faults(&good().replacen('{', &format!("{{{unknown}"), 1)).len(), FAULTS_MAX);
    }
}
