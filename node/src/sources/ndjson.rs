//! NDJSON: one event a line, as any program may write it. Lines are read one at a time, in bounded memory.

use std::io::BufRead;

use meed_audit::event::{EVENT_LINE_BYTES_MAX, NewEvent};
use meed_audit::time::Timestamp;
use meed_audit::{Checked, Rejection, RejectionCode};

use super::SourceError;
use super::github::{RepositoryNumbers, translate};

/// The byte order mark that some editors put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One line that was read: its number from 1, and the event in it or why it is refused.
///
/// The refusal's subject begins with `line <number>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NdjsonLine {
    /// The number of the line in the input, from 1; empty lines count, although they are skipped.
    pub number: u64,
    /// The event, or why the line holds none.
    pub event: Checked<NewEvent>,
    /// What else is wrong with a line that holds none, field by field.
    pub more: Vec<Rejection>,
}

/// Iterates over the lines of `reader`.
///
/// Lines end in LF or CRLF, the last one also at the end of the input. Lines of white space only are skipped. A line
/// longer than [`EVENT_LINE_BYTES_MAX`] is refused without being kept in memory, and reading goes on after it.
/// An error of the reader is the last item.
#[derive(Debug)]
pub struct NdjsonReader<R> {
    reader: R,
    now: Timestamp,
    number: u64,
    failed: bool,
    line: Vec<u8>,
    repositories: RepositoryNumbers,
}

impl<R: BufRead> NdjsonReader<R> {
    /// Reads events from `reader`; `now` is what their times are checked against.
    pub fn new(reader: R, now: Timestamp) -> Self {
        let repositories = RepositoryNumbers::default();
        Self { reader, now, number: 0, failed: false, line: Vec::new(), repositories }
    }

    /// The same, where ids of the earlier system may name these repositories of GitHub.
    #[must_use]
    pub fn with_repositories(mut self, repositories: RepositoryNumbers) -> Self {
        self.repositories = repositories;
        self
    }

    /// The line that was read last, without its end, as far as it is kept.
    pub(super) fn text(&self) -> &[u8] {
        &self.line
    }

    /// Reads one line into the buffer, without its end; the result is its length in the input, none at the end.
    fn read_line(&mut self) -> std::io::Result<Option<u64>> {
        // Room for a line of the greatest length and its CR.
        let kept =
            read_until(&mut self.reader, b'\n', EVENT_LINE_BYTES_MAX.saturating_add(1), &mut self.line)?;
        let Some(mut length) = kept else { return Ok(None) };
        if length == self.line.len() as u64 && self.line.last() == Some(&b'\r') {
            self.line.pop();
            length = length.saturating_sub(1);
        }
        Ok(Some(length))
    }

    fn check(&self, length: u64) -> Checked<NewEvent> {
        if length > EVENT_LINE_BYTES_MAX as u64 {
            return Err(too_long(length));
        }
        if self.line.starts_with(BYTE_ORDER_MARK) {
            let expected = "UTF-8 without a byte order mark";
            return Err(Rejection::new(
                RejectionCode::Malformed,
                "",
                expected,
                "the bytes EF BB BF before the text",
            ));
        }
        translate(NewEvent::parse(&self.line, self.now)?, &self.repositories, self.now)
    }

    /// The other faults of a line that is refused for `first`; none where it could not be read at all.
    fn more_than(&self, first: &Rejection) -> Vec<Rejection> {
        let mut faults = NewEvent::faults(&self.line, self.now);
        match faults.first() == Some(first) {
            true => faults.split_off(1),
            false => Vec::new(),
        }
    }
}

/// The refusal of a line of so many bytes, its end not counted.
pub(crate) fn too_long(length: u64) -> Rejection {
    let expected = format!("at most {EVENT_LINE_BYTES_MAX} bytes");
    Rejection::new(RejectionCode::InputTooLarge, "", expected, format!("{length} bytes"))
}

impl<R: BufRead> Iterator for NdjsonReader<R> {
    type Item = Result<NdjsonLine, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.failed {
            let length = match self.read_line() {
                Ok(length) => length?,
                Err(error) => {
                    self.failed = true;
                    return Some(Err(SourceError::ReadFailed {
                        line: self.number,
                        detail: error.to_string(),
                    }));
                }
            };
            self.number = self.number.saturating_add(1);
            if length <= EVENT_LINE_BYTES_MAX as u64 && self.line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let number = self.number;
            let event = self.check(length);
            let more = event.as_ref().err().map(|first| self.more_than(first)).unwrap_or_default();
            let within = |rejection: Rejection| rejection.within(format_args!("line {number}"));
            let (event, more) = (event.map_err(within), more.into_iter().map(within).collect());
            return Some(Ok(NdjsonLine { number, event, more }));
        }
        None
    }
}

/// Reads up to and including `delimiter` or the end, keeping at most `kept_max` bytes in `kept`, without the delimiter.
///
/// The result is how long the part was, without the delimiter; none when the input had ended. What is beyond
/// `kept_max` is passed over without being stored.
pub(crate) fn read_until(
    reader: &mut impl BufRead,
    delimiter: u8,
    kept_max: usize,
    kept: &mut Vec<u8>,
) -> std::io::Result<Option<u64>> {
    kept.clear();
    let mut length = 0_u64;
    let mut any = false;
    loop {
        let chunk = match reader.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if chunk.is_empty() {
            return Ok(any.then_some(length));
        }
        any = true;
        let end = chunk.iter().position(|&byte| byte == delimiter);
        let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
        let room = kept_max.saturating_sub(kept.len()).min(part.len());
        kept.extend_from_slice(part.get(..room).unwrap_or_default());
        length = length.saturating_add(part.len() as u64);
        let used = part.len().saturating_add(usize::from(end.is_some()));
        reader.consume(used);
        if end.is_some() {
            return Ok(Some(length));
        }
    }
}
