//! `meed import`: a file of events, in parts that are one transaction each.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use meed_audit::event::EVENT_LINE_BYTES_MAX;

use super::activity::tell_of;
use crate::api::documents::ImportView;
use crate::api::problems::LineProblem;
use crate::cli::args::ImportArgs;
use crate::cli::session::{Session, scope_path};
use crate::client::segment;
use crate::failure::Failure;
use crate::sources::ndjson::too_long;
use crate::words::{counted, describe_import};

/// Bytes of a file that are sent at once; one such part is one transaction.
const PART_BYTES: usize = 8 << 20;

/// Runs `meed import`. A file of one part is stored whole or not at all; a larger one is checked whole first.
///
/// # Errors
/// Every bad line; what the ledger refuses; `lines_left_out` where only the good lines were stored.
pub fn run(args: &ImportArgs, session: &Session) -> Result<(), Failure> {
    let input = Input::read(&args.file)?;
    // A node that refuses whoever asks does not read on: they would read of a broken connection, and not why.
    send(args, Vec::new(), 1, true, session)?;
    if !args.keep_good && (input.ends.len() > 1 || !input.too_long.is_empty()) {
        check_all(args, &input, session)?;
    }
    let mut total = ImportView { bad_lines: input.too_long.clone(), ..ImportView::default() };
    session.waiting("importing", |_| {
        input.for_each(&mut |part, first_line| {
            let view = send(args, part, first_line, false, session)?;
            total.events.add(&view.events);
            total.bad_lines.extend(view.bad_lines);
            total.bad_lines_more = total.bad_lines_more.saturating_add(view.bad_lines_more);
            Ok(())
        })
    })?;
    total.bad_lines.sort_by_key(|line| line.line);
    let bad_count = LineProblem::lines_count(&total.bad_lines, total.bad_lines_more);
    tell_of(&total.events, &args.scope.scope, session);
    session.console.answer(&total, || describe_import(&total))?;
    if total.bad_lines.is_empty() {
        return Ok(());
    }
    let what = format!("expected good lines only, got {}", counted(bad_count, "bad line"));
    let remedy =
        "the good ones are stored: correct the others and import the file again, which stores nothing twice";
    let mut failure = Failure::refused("lines_left_out", what, remedy);
    failure.problem.lines = total.bad_lines;
    failure.problem.lines_more = total.bad_lines_more;
    Err(failure)
}

/// Checks every part before the first is stored.
fn check_all(args: &ImportArgs, input: &Input, session: &Session) -> Result<(), Failure> {
    let (mut bad, mut more) = (input.too_long.clone(), 0_u64);
    session.waiting("checking", |_| {
        input.for_each(&mut |part, first_line| {
            match send(args, part, first_line, true, session) {
                Err(failure) if failure.problem.code == "lines_refused" => {
                    more = more.saturating_add(failure.problem.lines_more);
                    bad.extend(failure.problem.lines.iter().cloned());
                }
                other => drop(other?),
            }
            Ok(())
        })
    })?;
    if bad.is_empty() {
        return Ok(());
    }
    bad.sort_by_key(|line| line.line);
    let count = LineProblem::lines_count(&bad, more);
    let verb = if count == 1 { "is" } else { "are" };
    let what = format!("{} {verb} refused, and nothing was stored", counted(count, "line"));
    let remedy = "correct these lines, or store the good ones with --keep-good";
    let mut failure = Failure::refused("lines_refused", what, remedy);
    failure.problem.lines = bad;
    failure.problem.lines_more = more;
    Err(failure)
}

fn send(
    args: &ImportArgs,
    part: Vec<u8>,
    first_line: u64,
    dry_run: bool,
    session: &Session,
) -> Result<ImportView, Failure> {
    let keep_good = args.keep_good;
    let repositories = segment(&args.repositories.join(","));
    let query = format!(
        "/events?first_line={first_line}&keep_good={keep_good}&dry_run={dry_run}&repositories={repositories}"
    );
    session.client.post_bytes(&scope_path(&args.scope.scope, &query), part)
}

/// A file, cut into parts at ends of lines. Lines that no part could hold are refused here and left empty, so that the
/// others keep their numbers.
struct Input {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    too_long: Vec<LineProblem>,
}

impl Input {
    fn read(path: &Path) -> Result<Self, Failure> {
        let mut bytes = Vec::new();
        let read = if path == Path::new("-") {
            io::stdin().lock().read_to_end(&mut bytes)
        } else {
            File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
        };
        read.map_err(|error| Failure::unreadable(path, &error))?;
        let (bytes, too_long) = leave_out_long_lines(bytes);
        Ok(Self { ends: cut(&bytes, PART_BYTES), bytes, too_long })
    }

    fn for_each(&self, visit: &mut dyn FnMut(Vec<u8>, u64) -> Result<(), Failure>) -> Result<(), Failure> {
        let (mut start, mut first_line) = (0, 1_u64);
        for end in &self.ends {
            let part = self.bytes.get(start..*end).unwrap_or_default();
            let lines = part.iter().filter(|byte| **byte == b'\n').count();
            visit(part.to_vec(), first_line)?;
            first_line = first_line.saturating_add(u64::try_from(lines).unwrap_or(u64::MAX));
            start = *end;
        }
        Ok(())
    }
}

/// The text with every line that is longer than an event's may be left empty, and the refusals of those.
fn leave_out_long_lines(bytes: Vec<u8>) -> (Vec<u8>, Vec<LineProblem>) {
    let mut refused = Vec::new();
    let mut kept = Vec::new();
    for (number, line) in (1_u64..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
        let content = line.strip_suffix(b"\n").unwrap_or(line);
        let content = content.strip_suffix(b"\r").unwrap_or(content);
        if content.len() <= EVENT_LINE_BYTES_MAX {
            kept.extend_from_slice(line);
            continue;
        }
        kept.push(b'\n');
        let rejection = too_long(u64::try_from(content.len()).unwrap_or(u64::MAX));
        let code = rejection.code.name().to_owned();
        let detail = format!("{code}: expected {}, got {}", rejection.expected, rejection.got);
        refused.push(LineProblem { line: number, code, detail });
    }
    if refused.is_empty() { (bytes, refused) } else { (kept, refused) }
}

/// Where parts of about `size` bytes end, each after a newline; a single line is never cut.
fn cut(bytes: &[u8], size: usize) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let wanted = start.saturating_add(size);
        let newline = bytes.get(wanted..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n'));
        let end = newline.map_or(bytes.len(), |position| wanted + position + 1);
        ends.push(end);
        start = end;
    }
    if ends.is_empty() {
        ends.push(0);
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::{EVENT_LINE_BYTES_MAX, cut, leave_out_long_lines};

    #[test]
    fn parts_end_at_lines_and_cover_everything() {
        for text in ["", "a", "a\n", "a\nbb\nccc\n", "a\nbb\nccc", "\n\n\n", "long line without end"] {
            for size in 1..10 {
                let ends = cut(text.as_bytes(), size);
                assert_eq!(ends.last(), Some(&text.len()), "{text:?} {size}");
                assert!(ends.windows(2).all(|pair| pair[0] < pair[1]));
                let inner = ends.iter().rev().skip(1);
                assert!(inner.into_iter().all(|end| text.as_bytes()[end - 1] == b'\n'), "{text:?} {size}");
            }
        }
    }

    #[test]
    fn a_long_line_is_left_empty_and_the_others_keep_their_numbers() {
        let longest = "y".repeat(EVENT_LINE_BYTES_MAX);
        let text = format!("a\n{longest}z\r\n{longest}\r\nb");
        let (kept, refused) = leave_out_long_lines(text.into_bytes());
        assert_eq!(kept, format!("a\n\n{longest}\r\nb").into_bytes());
        let numbers: Vec<u64> = refused.iter().map(|line| line.line).collect();
        assert_eq!(numbers, [2]);
        assert!(refused[0].detail.contains("at most 65536 bytes, got 65537 bytes"), "{}", refused[0].detail);
    }
}
