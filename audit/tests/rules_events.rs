//! What comes in as an event: every kind of bad input is refused by name, and what is refused is said in words.
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

mod rules_support;

use meed_audit::RejectionCode::{self, *};
use meed_audit::event::{AUTHORS_MAX, EVENT_LINE_BYTES_MAX, Event, NewEvent, SCOPES_MAX, equal_shares};
use meed_audit::ids::ScopeId;
use meed_audit::leaf::Leaf;
use proptest::prelude::*;
use rules_support::at;
use serde_json::{Value, json};

const NOW: &str = "2026-11-20T00:00:00Z";

fn good() -> Value {
    json!({
        "id": "github:pr:1:42", "source": "github", "source_ref": "1", "event_type": "pr_merged",
        "platform_user_id": "1001", "platform_login": "zoë", "artifact_url": "https://example.org/42",
        "metadata": {"labels": ["a", "b"], "count": 7, "draft": false},
        "payload_hash": "46c05fca947aa03dc2b8baff6bc5ebc5f8ea28cc842ef30819145039c847f77a",
        "producer": "meed-github", "producer_version": "1",
        "event_time": "2026-11-10T12:00:00Z", "retrieved_at": "2026-11-11T00:00:00+02:00",
    })
}

/// The good line with one field set, or removed where the value is null.
fn with(field: &str, value: Value) -> Vec<u8> {
    let mut line = good();
    let fields = line.as_object_mut().expect("an object");
    if value.is_null() {
        fields.remove(field);
    } else {
        fields.insert(field.to_owned(), value);
    }
    serde_json::to_vec(&line).expect("json")
}

/// The good line without its only author, and with these.
fn with_authors(authors: Value) -> Vec<u8> {
    let mut line = good();
    let fields = line.as_object_mut().expect("an object");
    fields.remove("platform_user_id");
    fields.insert("authors".to_owned(), authors);
    serde_json::to_vec(&line).expect("json")
}

fn parse(line: &[u8]) -> meed_audit::Checked<NewEvent> {
    NewEvent::parse(line, at(NOW))
}

/// The refusal's code and subject; it also says what was expected and what came.
fn refused(line: &[u8]) -> (RejectionCode, String) {
    let rejection = parse(line).expect_err(&String::from_utf8_lossy(line));
    assert!(!rejection.expected.is_empty() && !rejection.got.is_empty(), "{rejection}");
    assert!(!rejection.to_string().contains(['\n', '\u{202e}', '\u{0}']), "{rejection}");
    (rejection.code, rejection.subject)
}

fn leaf(line: &[u8]) -> Event {
    parse(line).expect("good").into_event([7; 32], vec![rules_support::scope_name().id()]).expect("fits")
}

#[test]
fn good_lines_are_normalised() {
    let event = parse(&with("id", json!("github:pr:1:42"))).expect("good");
    assert_eq!(
        event.metadata(),
        r#"{"artifact_url":"https://example.org/42","count":"7","draft":false,"labels":["a","b"],"platform_login":"zoë"}"#
    );
    let event = leaf(&with("producer_version", json!(2)));
    assert_eq!(event.producer_version, "2", "an integer stands for its decimal");
    assert_eq!(event.retrieved_at.to_string(), "2026-11-10T22:00:00.000Z");
    assert_eq!((event.authors.len(), event.authors[0].share), (1, 1_000_000));
    assert_eq!(event.weight_key(), "github:pr_merged");
    let without = parse(&with("metadata", Value::Null)).expect("metadata may be absent");
    assert!(without.metadata().starts_with(r#"{"artifact_url""#));
}

#[test]
fn provenance_required() {
    for field in ["producer", "producer_version", "payload_hash", "retrieved_at", "event_time"] {
        assert_eq!(refused(&with(field, Value::Null)), (MissingField, field.to_owned()));
    }
    for field in ["producer", "producer_version", "source_ref"] {
        assert_eq!(refused(&with(field, json!(""))), (TextLength, field.to_owned()));
    }
    // Ten minutes of skew are let through, and not one millisecond more.
    assert!(parse(&with("event_time", json!("2026-11-10T22:10:00.000Z"))).is_ok());
    let late = refused(&with("event_time", json!("2026-11-10T22:10:00.001Z")));
    assert_eq!(late, (TimeInFuture, "event_time".to_owned()));
    assert!(parse(&with("retrieved_at", json!("2026-11-20T00:10:00Z"))).is_ok());
    let late = refused(&with("retrieved_at", json!("2026-11-20T00:10:00.001Z")));
    assert_eq!(late, (TimeInFuture, "retrieved_at".to_owned()));
    // The metadata is bound by its salted hash: another salt or other metadata, another leaf.
    let event = leaf(&with("id", json!("a")));
    let salted = parse(&with("id", json!("a"))).expect("good").into_event([8; 32], Vec::new()).expect("fits");
    assert_ne!(event.metadata_hash, salted.metadata_hash);
    assert_ne!(event.metadata_hash, leaf(&with("metadata", json!({}))).metadata_hash);
}

#[test]
fn every_required_field_is_missed_by_name() {
    for field in ["id", "source", "source_ref", "event_type"] {
        assert_eq!(refused(&with(field, Value::Null)), (MissingField, field.to_owned()));
    }
    assert_eq!(refused(&with("platform_user_id", Value::Null)), (MissingField, "authors".to_owned()));
    assert_eq!(refused(&with("event_tpye", json!("x"))), (UnknownField, "event_tpye".to_owned()));
    assert_eq!(refused(&with("scopes", json!([]))), (UnknownField, "scopes".to_owned()));
}

#[test]
fn oversized_input_is_refused_by_name() {
    let mut line = with("id", json!("a"));
    line.resize(EVENT_LINE_BYTES_MAX, b' ');
    assert!(parse(&line).is_ok(), "white space at the end is JSON");
    line.push(b' ');
    assert_eq!(refused(&line), (InputTooLarge, "line".to_owned()));
    let cases = [
        ("id", json!("x".repeat(513)), InvalidIdentifier),
        ("source", json!("s".repeat(33)), InvalidIdentifier),
        ("event_type", json!("t".repeat(65)), InvalidIdentifier),
        ("source_ref", json!("r".repeat(513)), TextLength),
        ("producer", json!("p".repeat(129)), TextLength),
        ("producer_version", json!("1".repeat(129)), TextLength),
        ("platform_login", json!("l".repeat(1_025)), TextLength),
        ("metadata", json!({"a": "m".repeat(32_768)}), InputTooLarge),
        ("payload_hash", json!("0".repeat(65)), InvalidIdentifier),
    ];
    for (field, value, code) in cases {
        assert_eq!(refused(&with(field, value)), (code, field.to_owned()));
    }
    let deep = format!(r#"{{"metadata":{}"x"{}}}"#, r#"{"a":"#.repeat(40), "}".repeat(40));
    assert_eq!(refused(deep.as_bytes()).0, TooMany);
}

#[test]
fn leaves_have_a_limit_whoever_claims_the_event() {
    let authors = |count: usize| {
        let author = |n: usize| json!({"provider": "ed25519", "id": format!("{n:064x}")});
        with_authors(Value::Array((0..count).map(author).collect()))
    };
    assert!(parse(&authors(AUTHORS_MAX)).is_ok(), "the most authors fit with the most scopes");
    assert_eq!(refused(&authors(AUTHORS_MAX + 1)), (TooMany, "authors".to_owned()));
    let scopes = |count: u8| (0..count).map(|n| ScopeId::from_bytes([n; 16])).collect::<Vec<_>>();
    let most = parse(&authors(AUTHORS_MAX)).expect("good");
    assert!(most.clone().into_event([0; 32], scopes(16)).is_ok());
    assert_eq!(most.clone().into_event([0; 32], scopes(17)).expect_err("one more").code, TooMany);
    let twice = most.into_event([0; 32], [scopes(16), scopes(16)].concat()).expect("a scope twice is one");
    assert_eq!(twice.scopes.len(), SCOPES_MAX);
}

#[test]
fn malformed_input_is_refused() {
    for line in [
        &b""[..],
        b"{",
        b"{}{}",
        b"{\"id\":}",
        b"nul",
        b"\xef\xbb\xbf{}",
        b"{\"id\":\"\\ud800\"}",
        b"{'id':1}",
    ] {
        assert_eq!(refused(line).0, Malformed, "{line:?}");
    }
    assert_eq!(refused(b"{\"id\":\"\xff\"}").0, NotUtf8);
    assert_eq!(refused(b"{\"id\":\"\xc0\xaf\"}").0, NotUtf8, "an overlong form");
    for line in [&b"[]"[..], b"\"x\"", b"true", b"5"] {
        assert_eq!(refused(line), (WrongType, "line".to_owned()), "{line:?}");
    }
    assert_eq!(refused(b"null").0, NullNotAllowed);
}

/// The text of the good line with `extra` put in front of its fields.
fn with_text(extra: &str) -> Vec<u8> {
    String::from_utf8(with("id", json!("a")))
        .expect("text")
        .replacen('{', &format!("{{{extra},"), 1)
        .into_bytes()
}

#[test]
fn duplicate_keys_are_refused_by_path() {
    assert_eq!(refused(&with_text(r#""id":"b""#)), (DuplicateField, "id".to_owned()));
    assert_eq!(refused(&with_text(r#""\u0069d":"a""#)), (DuplicateField, "id".to_owned()));
    let metadata = String::from_utf8(with("metadata", json!({"a": "1"}))).expect("text");
    let twice = metadata.replace(r#"{"a":"1"}"#, r#"{"a":"1","a":"1"}"#);
    assert_eq!(refused(twice.as_bytes()), (DuplicateField, "metadata.a".to_owned()));
    let both = with("metadata", json!({"platform_login": "x"}));
    assert_eq!(refused(&both), (DuplicateField, "platform_login".to_owned()));
}

#[test]
fn wrong_types_and_nulls_are_refused_by_name() {
    for field in
        ["id", "source", "source_ref", "event_type", "payload_hash", "producer", "event_time", "artifact_url"]
    {
        for value in [json!(true), json!(["x"]), json!({"x": "y"})] {
            assert_eq!(refused(&with(field, value)), (WrongType, field.to_owned()));
        }
        let null = String::from_utf8(with(field, json!("NULL"))).expect("text").replace(r#""NULL""#, "null");
        assert_eq!(refused(null.as_bytes()), (NullNotAllowed, field.to_owned()));
    }
    for number in [json!(-5), json!(42), json!(1.5)] {
        assert_eq!(refused(&with("id", number)), (WrongType, "id".to_owned()));
    }
    parse(&with("platform_user_id", json!(1001))).expect("accounts are numbers at their source");
    for value in [json!([]), json!("{}"), json!(true)] {
        assert_eq!(refused(&with("metadata", value)), (WrongType, "metadata".to_owned()));
    }
    for value in [json!("1001"), json!({"id": "1001"})] {
        assert_eq!(refused(&with_authors(value)), (WrongType, "authors".to_owned()));
    }
    assert_eq!(refused(&with_authors(json!(["1001"]))), (WrongType, "authors[0]".to_owned()));
    let both = with("authors", json!([{"provider": "github", "id": "1"}]));
    assert_eq!(refused(&both), (UnknownField, "platform_user_id".to_owned()));
}

#[test]
fn numbers_that_lose_precision_are_refused_by_path() {
    for number in
        ["9007199254740992", "9007199254740993", "1.5", "1e3", "1.0", "-0", "-9007199254740992", "1e400"]
    {
        let line = String::from_utf8(with("metadata", json!({"a": {"n": 5}}))).expect("text");
        let line = line.replace(r#"{"n":5}"#, &format!(r#"{{"n":{number}}}"#));
        let (code, subject) = refused(line.as_bytes());
        if code != Malformed {
            assert_eq!((code, subject.as_str()), (NumberLosesPrecision, "metadata.a.n"), "{number}");
        }
    }
    let kept = parse(&with("metadata", json!({"n": 9_007_199_254_740_991_u64, "m": -5}))).expect("exact");
    assert!(kept.metadata().contains(r#""m":"-5","n":"9007199254740991""#), "{}", kept.metadata());
}

#[test]
fn authors_have_one_form_and_whole_shares() {
    let author = |provider: &str, id: &str| json!({"provider": provider, "id": id});
    let share = |id: &str, share: Value| json!({"provider": "github", "id": id, "share": share});
    let cases = [
        (json!([]), TooMany, "authors"),
        (json!([author("google", "1")]), InvalidIdentifier, "authors[0]: provider"),
        (json!([author("github", "042")]), InvalidClaimant, "authors[0]: github id"),
        (json!([author("github", "-42")]), InvalidClaimant, "authors[0]: github id"),
        (
            json!([author("wallet", "0xABCDEF0000000000000000000000000000000000")]),
            InvalidClaimant,
            "authors[0]: wallet id",
        ),
        (json!([author("git", "zoe@example.org")]), InvalidClaimant, "authors[0]: git id"),
        (json!([author("github", "1"), author("github", "1")]), InvalidShares, "authors"),
        (json!([share("1", json!("500000")), share("2", json!("500001"))]), InvalidShares, "authors"),
        (json!([share("1", json!("999999"))]), InvalidShares, "authors"),
        (json!([share("1", json!("1000000")), author("github", "2")]), InvalidShares, "authors"),
        (json!([share("1", json!("0")), share("2", json!("1000000"))]), InvalidShares, "authors[0]: share"),
        (json!([share("1", json!("1000001"))]), InvalidShares, "authors[0]: share"),
        (json!([share("1", json!(-1))]), InvalidNumber, "authors[0]: share"),
        (json!([share("1", json!("+5"))]), InvalidNumber, "authors[0]: share"),
        (json!([share("1", json!("1e6"))]), InvalidNumber, "authors[0]: share"),
        (
            json!([share("1", json!("340282366920938463463374607431768211456"))]),
            NumberTooLarge,
            "authors[0]: share",
        ),
        (json!([{"provider": "github", "id": "1", "name": "x"}]), UnknownField, "authors[0]: name"),
        (json!([{"provider": "github"}]), MissingField, "authors[0]: id"),
    ];
    for (authors, code, subject) in cases {
        assert_eq!(refused(&with_authors(authors.clone())), (code, subject.to_owned()), "{authors}");
    }
    let other = with("source", json!("forum"));
    assert_eq!(refused(&other), (MissingField, "authors".to_owned()), "no provider of that name");
}

#[test]
fn authors_are_sorted_and_share_equally_unless_told() {
    let mixed = json!([
        {"provider": "wallet", "id": "0x00000000000000000000000000000000000000aa"},
        {"provider": "github", "id": "9"},
        {"provider": "github", "id": "10"},
    ]);
    let event = leaf(&with_authors(mixed));
    let rows: Vec<(String, u32)> = event.authors.iter().map(|a| (a.identity.to_string(), a.share)).collect();
    let expected = [
        ("identity:github:10".to_owned(), 333_334),
        ("identity:github:9".to_owned(), 333_333),
        ("identity:wallet:0x00000000000000000000000000000000000000aa".to_owned(), 333_333),
    ];
    assert_eq!(rows, expected);
    for count in 1..=100 {
        let shares = equal_shares(count);
        assert_eq!(shares.iter().sum::<u32>(), 1_000_000);
        assert!(shares.windows(2).all(|pair| pair[0] == pair[1] || pair[0] == pair[1] + 1));
    }
}

#[test]
fn deceptive_text_is_refused_by_name() {
    for bad in [
        "a\u{0}b",
        "a\nb",
        "a\u{7f}b",
        "a\u{85}b",
        "a\u{202e}b",
        "a\u{2066}b",
        "a\u{200f}b",
        "a\u{2028}b",
        "a\u{200b}b",
        "\u{feff}a",
        "e\u{301}",
    ] {
        for field in ["source_ref", "producer", "producer_version", "platform_login", "artifact_url"] {
            assert_eq!(refused(&with(field, json!(bad))), (InvalidText, field.to_owned()), "{bad:?}");
        }
        for field in ["id", "source", "event_type"] {
            assert_eq!(refused(&with(field, json!(bad))), (InvalidIdentifier, field.to_owned()), "{bad:?}");
        }
    }
    // Letters that look like others (a Cyrillic а) cannot stand in anything that decides who is who.
    for field in ["id", "source", "event_type"] {
        assert_eq!(refused(&with(field, json!("\u{430}bc"))), (InvalidIdentifier, field.to_owned()));
    }
    let id = refused(&with("platform_user_id", json!("1001\u{200b}")));
    assert_eq!(id, (InvalidClaimant, "platform_user_id: github id".to_owned()));
    let id = refused(&with("platform_user_id", json!("１００１")));
    assert_eq!(id.0, InvalidClaimant, "digits of another script");
}

#[test]
fn times_far_away_are_refused_by_name() {
    for (field, time, code) in [
        ("event_time", "9999-12-31T23:59:59.999Z", TimeInFuture),
        ("event_time", "10000-01-01T00:00:00Z", InvalidTime),
        ("event_time", "1969-12-31T23:59:59.999Z", InvalidTime),
        ("event_time", "0001-01-01T00:00:00Z", InvalidTime),
        ("event_time", "-001-01-01T00:00:00Z", InvalidTime),
        ("retrieved_at", "2999-01-01T00:00:00Z", TimeInFuture),
        ("event_time", "1762776000", InvalidTime),
        ("event_time", "2026-11-10", InvalidTime),
        ("event_time", "2026-02-29T00:00:00Z", InvalidTime),
        ("event_time", "2026-11-10T12:00:00", InvalidTime),
        ("event_time", "2026-11-10T12:00:00.0001Z", InvalidTime),
    ] {
        assert_eq!(refused(&with(field, json!(time))), (code, field.to_owned()), "{time}");
    }
    assert!(parse(&with("event_time", json!("1970-01-01T00:00:00Z"))).is_ok(), "long ago is no lie");
}

#[test]
fn same_content_is_what_decides_money() {
    let first = parse(&with("id", json!("a"))).expect("good").content_hash();
    for (field, value) in [
        ("retrieved_at", json!("2026-11-12T00:00:00Z")),
        ("platform_login", json!("renamed")),
        ("artifact_url", json!("https://example.net/moved")),
        ("metadata", json!({"labels": "other"})),
        ("producer", json!("another")),
        ("producer_version", json!("2")),
    ] {
        let mut line: Value = serde_json::from_slice(&with(field, value)).expect("json");
        line["id"] = json!("a");
        let again = parse(&serde_json::to_vec(&line).expect("json")).expect("good").content_hash();
        assert_eq!(again, first, "{field} does not decide money");
    }
    for (field, value) in [
        ("source", json!("discord")),
        ("source_ref", json!("2")),
        ("event_type", json!("pr_closed")),
        ("platform_user_id", json!("1002")),
        ("event_time", json!("2026-11-10T12:00:00.001Z")),
        ("payload_hash", json!("0".repeat(64))),
        ("id", json!("b")),
    ] {
        let mut line: Value = serde_json::from_slice(&with("id", json!("a"))).expect("json");
        line[field] = value;
        let other = parse(&serde_json::to_vec(&line).expect("json")).expect("good").content_hash();
        assert_ne!(other, first, "{field} decides money");
    }
    let event = leaf(&with("id", json!("a")));
    assert_eq!(event.content_hash(), first, "the leaf is the same content");
}

/// A leaf that somebody else wrote is held to the same demands.
#[test]
fn foreign_leaves_are_held_to_the_demands_on_events() {
    let event =
        leaf(&with_authors(json!([{"provider": "github", "id": "1"}, {"provider": "github", "id": "2"}])));
    let text = String::from_utf8(event.encode()).expect("text");
    assert_eq!(Event::decode(text.as_bytes()).expect("itself"), event);
    let scope = event.scopes[0].to_string();
    for (from, to, code) in [
        ("\"share\":\"500000\"}]", "\"share\":\"500001\"}]", InvalidShares),
        ("\"id\":\"1\"", "\"id\":\"2\"", InvalidShares),
        ("\"id\":\"1\"", "\"id\":\"3\"", NotCanonical),
        ("2026-11-10T12:00:00.000Z", "2026-11-10T22:10:00.001Z", TimeInFuture),
        ("\"producer\":\"meed-github\"", "\"producer\":\"\"", TextLength),
        ("\"producer\":\"meed-github\"", "\"producer\":\"\u{202e}\"", InvalidText),
        (&format!("\"{scope}\""), &format!("\"{scope}\",\"{scope}\""), NotCanonical),
        ("\"source_ref\":\"1\"", "\"source_ref\":1", Malformed),
        ("\"source_ref\":\"1\",", "", Malformed),
        (",\"v\"", ",\"u\":\"\",\"v\"", Malformed),
        ("event/v1", "event/v2", Malformed),
        ("12:00:00.000Z", "12:00:00Z", Malformed),
        ("{\"authors\"", "{ \"authors\"", NotCanonical),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert_eq!(Event::decode(changed.as_bytes()).expect_err(to).code, code, "{from} -> {to}");
    }
}

/// An accepted line's leaf is one that the same demands accept, and it is read back as it was.
fn check_accepted(line: &[u8]) {
    let Ok(event) = parse(line) else { return };
    let content = event.content_hash();
    let event = event.into_event([1; 32], vec![rules_support::scope_name().id()]).expect("fits");
    assert_eq!(Event::decode(&event.encode()).as_ref(), Ok(&event));
    assert_eq!(event.content_hash(), content);
}

/// Every byte of a good line replaced, removed or doubled: a refusal or an event that is read back, never a panic.
#[test]
fn every_changed_byte_is_refused_or_read_back() {
    let line = with_authors(
        json!([{"provider": "github", "id": "10", "share": "400000"}, {"provider": "github", "id": "9", "share": 600_000}]),
    );
    check_accepted(&line);
    for place in 0..line.len() {
        for byte in [0, b'"', b'\\', b'{', b'0', b'A', 0x80, 0xff, line[place] ^ 0x20] {
            let mut changed = line.clone();
            changed[place] = byte;
            check_accepted(&changed);
        }
        let mut shorter = line.clone();
        shorter.remove(place);
        check_accepted(&shorter);
        let mut longer = line.clone();
        longer.insert(place, line[place]);
        check_accepted(&longer);
        check_accepted(&line[..place]);
    }
}

proptest! {
    #[test]
    fn any_text_is_refused_or_read_back(field in "[a-z_]{2,16}", text in "\\PC{0,40}|.{0,20}", number in any::<i64>()) {
        check_accepted(text.as_bytes());
        for field in [field.as_str(), "id", "source", "source_ref", "event_type", "producer", "platform_login", "platform_user_id", "event_time", "payload_hash", "metadata"] {
            check_accepted(&with(field, json!(text)));
            check_accepted(&with(field, json!(number)));
            check_accepted(&with("metadata", json!({field: text, "n": [number]})));
        }
    }
}
