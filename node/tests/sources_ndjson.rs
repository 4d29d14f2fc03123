//! NDJSON: what lines give, with their numbers, and what they cannot break.

#![allow(clippy::expect_used, clippy::panic, reason = "a test ends where its input is not what it says")]

use std::io::{self, BufRead, BufReader, Read};

use meed_audit::RejectionCode;
use meed_audit::event::EVENT_LINE_BYTES_MAX;
use meed_audit::time::Timestamp;
use meed_node::sources::SourceError;
use meed_node::sources::ndjson::NdjsonReader;

fn now() -> Timestamp {
    Timestamp::parse_edge("now", "2026-04-01T00:00:00Z").expect("time")
}

fn line(number: u32) -> String {
    format!(
        r#"{{"id":"github:pr:7:{number}","source":"github","source_ref":"github:7","event_type":"pr_merged","platform_user_id":"42","metadata":{{}},"payload_hash":"{}","producer":"test","producer_version":"1","event_time":"2026-03-01T00:00:00Z","retrieved_at":"2026-03-02T00:00:00Z"}}"#,
        "a".repeat(64)
    )
}

/// What a line gave: the event's id, or the code and subject of its refusal.
type Outcome = Result<String, (RejectionCode, String)>;

/// The number of each line, with the event's id or the code and subject of its refusal.
fn read(input: &[u8]) -> Vec<(u64, Outcome)> {
    NdjsonReader::new(input, now())
        .map(|item| {
            let line = item.expect("reading does not fail");
            let event = line.event.map(|event| event.id().as_str().to_owned());
            (line.number, event.map_err(|rejection| (rejection.code, rejection.subject)))
        })
        .collect()
}

fn accepted(number: u64, event: u32) -> (u64, Outcome) {
    (number, Ok(format!("github:pr:7:{event}")))
}

#[test]
fn lines_end_in_lf_or_crlf_and_empty_ones_are_skipped_but_counted() {
    let input = format!("{}\n\n{}\r\n \t\r\n\r\n{}", line(1), line(2), line(3));
    assert_eq!(read(input.as_bytes()), [accepted(1, 1), accepted(3, 2), accepted(6, 3)]);
    for nothing in ["", "\n", "\r\n\n", "  "] {
        assert_eq!(read(nothing.as_bytes()), []);
    }
}

#[test]
fn a_bad_line_is_named_and_those_after_it_are_read() {
    let input = [
        line(1).into_bytes(),
        b"{".to_vec(),
        b"\"\xff\"".to_vec(),
        line(2).replace("pr_merged", "PR").into_bytes(),
        line(3).replacen("\"id\"", "\"id\":\"x\",\"id\"", 1).into_bytes(),
        line(4).replace("2026-03-01", "2026-03-09").into_bytes(),
        line(5).into_bytes(),
    ]
    .join(&b'\n');
    let found = read(&input);
    let refused = |number: u64, code, subject: &str| (number, Err((code, format!("line {number}{subject}"))));
    assert_eq!(found.first(), Some(&accepted(1, 1)));
    assert_eq!(
        found.get(1..6).expect("lines"),
        [
            refused(2, RejectionCode::Malformed, ": text"),
            refused(3, RejectionCode::NotUtf8, ": text"),
            refused(4, RejectionCode::InvalidIdentifier, ": event_type"),
            refused(5, RejectionCode::DuplicateField, ": id"),
            refused(6, RejectionCode::TimeInFuture, ": event_time"),
        ]
    );
    assert_eq!(found.get(6), Some(&accepted(7, 5)));
}

#[test]
fn a_byte_order_mark_and_utf_16_are_refused_by_line() {
    let input =
        [b"\xef\xbb\xbf".to_vec(), line(1).into_bytes(), b"\n".to_vec(), line(2).into_bytes()].concat();
    let mut items = NdjsonReader::new(input.as_slice(), now());
    let first = items.next().expect("a line").expect("reads");
    let rejection = first.event.expect_err("refused");
    assert_eq!((first.number, rejection.code), (1, RejectionCode::Malformed));
    assert!(rejection.expected.contains("byte order mark"), "{rejection}");
    assert!(items.next().expect("a line").expect("reads").event.is_ok());
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(line(1).encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(read(&utf16), [(1, Err((RejectionCode::NotUtf8, "line 1: text".to_owned())))]);
}

#[test]
fn the_longest_line_is_accepted_and_one_byte_more_refused_with_any_line_end() {
    let padded = |length: usize| {
        let plain = line(1);
        let padding = " ".repeat(length - plain.len());
        plain.replacen('{', &format!("{{{padding}"), 1)
    };
    for (end, last) in [("\n", line(2)), ("\r\n", line(2)), ("", String::new())] {
        let fits = read(format!("{}{end}{last}", padded(EVENT_LINE_BYTES_MAX)).as_bytes());
        assert_eq!(fits.first(), Some(&accepted(1, 1)), "{end:?}");
        let over = read(format!("{}{end}{last}", padded(EVENT_LINE_BYTES_MAX + 1)).as_bytes());
        assert_eq!(
            over.first(),
            Some(&(1, Err((RejectionCode::InputTooLarge, "line 1".to_owned())))),
            "{end:?}"
        );
        assert_eq!(over.len(), fits.len(), "reading goes on after it");
    }
}

/// Counts what is read, so that the test can be sure that the line was long.
struct Endless {
    left: u64,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        buffer.iter_mut().take(count).for_each(|byte| *byte = b' ');
        self.left -= count as u64;
        Ok(count)
    }
}

#[test]
fn a_line_of_a_gigabyte_is_refused_by_its_length() {
    let input = BufReader::new(Endless { left: 1 << 30 }.chain(b"\n{}".as_slice()));
    let mut items = NdjsonReader::new(input, now());
    let rejection = items.next().expect("a line").expect("reads").event.expect_err("refused");
    assert_eq!((rejection.code, rejection.got.as_str()), (RejectionCode::InputTooLarge, "1073741824 bytes"));
    assert_eq!(items.next().expect("a line").expect("reads").number, 2);
    assert!(items.next().is_none());
}

/// Gives a line, then fails, then would go on.
struct Failing {
    chunks: Vec<io::Result<Vec<u8>>>,
    current: Vec<u8>,
}

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl BufRead for Failing {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.current.is_empty() && !self.chunks.is_empty() {
            self.current = self.chunks.remove(0)?;
        }
        Ok(&self.current)
    }

    fn consume(&mut self, amount: usize) {
        self.current.drain(..amount);
    }
}

#[test]
fn a_reader_that_fails_ends_the_lines_with_its_error() {
    let chunks = vec![
        Ok(format!("{}\n", line(1)).into_bytes()),
        Err(io::ErrorKind::Interrupted.into()),
        Ok(b"{\"id\":".to_vec()),
        Err(io::Error::other("the disk is gone")),
        Ok(b"1}\n".to_vec()),
    ];
    let mut items = NdjsonReader::new(Failing { chunks, current: Vec::new() }, now());
    assert!(items.next().expect("a line").expect("reads").event.is_ok());
    let Some(Err(error)) = items.next() else { panic!("half a line must not pass for one") };
    assert_eq!(error, SourceError::ReadFailed { line: 1, detail: "the disk is gone".to_owned() });
    assert!(items.next().is_none());
}
