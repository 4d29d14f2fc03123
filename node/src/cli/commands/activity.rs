//! `meed import`, `collect`, `activity`, `conflicts`.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use meed_audit::text::is_deceptive;

use crate::api::documents::{
    ActivityItem, CollectRequest, CollectView, ConflictView, ImportView, Page, StoredView,
};
use crate::api::problems::LineProblem;
use crate::cli::args::{ActivityArgs, CollectArgs, ConflictsArgs, ImportArgs};
use crate::cli::console::{table, units};
use crate::cli::session::{Session, epoch_path, scope_path};
use crate::failure::Failure;

/// Bytes of a file that are sent at once; one such part is one transaction.
const PART_BYTES: usize = 8 << 20;
/// Items of a list that are asked for at once.
const PAGE_ITEMS: u64 = 100_000;

/// Runs `meed import`. A file of one part is stored whole or not at all; a larger one is checked whole first.
///
/// # Errors
/// Every bad line; what the ledger refuses.
pub fn import(args: &ImportArgs, session: &Session) -> Result<(), Failure> {
    let parts = Parts::read(&args.file)?;
    if parts.ends.len() > 1 && !args.keep_good {
        check_parts(args, &parts, session)?;
    }
    let mut total = ImportView::default();
    session.waiting("importing", |_| {
        parts.for_each(&mut |part, first_line| {
            let view = send(args, part, first_line, false, session)?;
            total.events.add(&view.events);
            total.bad_lines.extend(view.bad_lines);
            Ok(())
        })
    })?;
    for line in &total.bad_lines {
        session.console.notice(format!("line {}: {}", line.line, line.detail));
    }
    warn_of_conflicts(&total.events, &args.scope.scope, session);
    session.console.answer(&total, || {
        let mut text = describe_stored(&total.events);
        if !total.bad_lines.is_empty() {
            let _ = write!(text, ", {} bad lines left out", total.bad_lines.len());
        }
        text
    })
}

/// Checks every part before the first is stored.
fn check_parts(args: &ImportArgs, parts: &Parts, session: &Session) -> Result<(), Failure> {
    let mut bad: Vec<LineProblem> = Vec::new();
    let mut refusal: Option<Failure> = None;
    session.waiting("checking", |_| {
        parts.for_each(&mut |part, first_line| {
            match send(args, part, first_line, true, session) {
                Err(failure) if failure.problem.code == "lines_refused" => {
                    bad.extend(failure.problem.lines.iter().cloned());
                    refusal = Some(failure);
                }
                other => drop(other?),
            }
            Ok(())
        })
    })?;
    match refusal {
        None => Ok(()),
        Some(mut failure) => {
            failure.problem.detail = format!("{} lines are refused, and nothing was stored", bad.len());
            failure.problem.lines = bad;
            Err(failure)
        }
    }
}

fn send(
    args: &ImportArgs,
    part: Vec<u8>,
    first_line: u64,
    dry_run: bool,
    session: &Session,
) -> Result<ImportView, Failure> {
    let keep_good = args.keep_good;
    let query = format!("/events?first_line={first_line}&keep_good={keep_good}&dry_run={dry_run}");
    session.client.post_bytes(&scope_path(&args.scope.scope, &query), part)
}

/// A file, cut at ends of lines.
struct Parts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Parts {
    fn read(path: &Path) -> Result<Self, Failure> {
        let mut bytes = Vec::new();
        let read = if path == Path::new("-") {
            io::stdin().lock().read_to_end(&mut bytes)
        } else {
            File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
        };
        read.map_err(|error| Failure::unreadable(path, &error))?;
        Ok(Self { ends: cut(&bytes, PART_BYTES), bytes })
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

fn describe_stored(events: &StoredView) -> String {
    let mut text = format!("{} stored, {} there already", events.stored, events.duplicates);
    if events.routed > 0 {
        let _ = write!(text, " ({} of them new to this scope)", events.routed);
    }
    if events.conflicts > 0 {
        let _ = write!(text, ", {} in conflict and kept out", events.conflicts);
    }
    text
}

fn warn_of_conflicts(events: &StoredView, scope: &str, session: &Session) {
    if events.conflicts > 0 {
        session.console.notice(format!(
            "warning: {} events came with another content than the one stored under their id, and were kept out; \
             `meed conflicts --scope {scope}` shows both",
            events.conflicts
        ));
    }
}

/// Runs `meed collect`.
///
/// # Errors
/// What the repository or the ledger refuses.
pub fn collect(args: &CollectArgs, session: &Session) -> Result<(), Failure> {
    let path = std::path::absolute(&args.git).map_err(|error| Failure::unreadable(&args.git, &error))?;
    let Some(git) = path.to_str() else {
        return Err(Failure::usage("expected a path in UTF-8", "rename the folder, or use a link to it"));
    };
    let request = CollectRequest {
        git: git.to_owned(),
        reference: args.reference.clone(),
        since: args.since.clone(),
        until: args.until.clone(),
        bots: args.bots.clone(),
    };
    let path = scope_path(&args.scope.scope, "/collect");
    let view: CollectView = session.waiting("collecting", |client| client.post(&path, &request))?;
    for skipped in &view.skipped {
        let examples = skipped.examples.iter().filter_map(|id| id.get(..12)).collect::<Vec<_>>().join(" ");
        session.console.notice(format!(
            "left out: {} x {} ({}): {examples}",
            skipped.count, skipped.reason, skipped.explanation
        ));
    }
    warn_of_conflicts(&view.events, &args.scope.scope, session);
    session.console.answer(&view, || {
        let found: Vec<String> = view.found.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let found = if found.is_empty() { "no events".to_owned() } else { found.join(", ") };
        format!(
            "{found} in {} of {} commits: {}",
            view.commits_in_period,
            view.commits_seen,
            describe_stored(&view.events)
        )
    })
}

/// Runs `meed activity`.
///
/// # Errors
/// What the ledger refuses.
pub fn activity(args: &ActivityArgs, session: &Session) -> Result<(), Failure> {
    let mut items: Vec<ActivityItem> = Vec::new();
    let mut from = Some(0);
    while let Some(at) = from {
        let query = format!("/activity?from={at}&limit={PAGE_ITEMS}");
        let page: Page<ActivityItem> = session.client.get(&epoch_path(&args.epoch, &query))?;
        items.extend(page.items);
        from = page.next;
    }
    session.console.answer(&items, || {
        let rows = items.iter().map(|item| {
            let activity = &item.activity;
            let mut notes = Vec::new();
            if !activity.included {
                notes.push("left out".to_owned());
            }
            if activity.late {
                notes.push("late".to_owned());
            }
            notes.extend(activity.reason.as_ref().map(|reason| printable(reason.as_str())));
            let claimants: Vec<String> =
                activity.claimants.iter().map(|claimant| claimant.key.to_string()).collect();
            let time = item.event_time.to_string();
            let event = activity.event.to_string();
            vec![
                event,
                item.kind.clone(),
                time,
                claimants.join("\n"),
                notes.join(", "),
                units(activity.units.value()),
            ]
        });
        table(&["event", "kind", "time", "claimants", "notes", "units"], 5, rows)
    })
}

/// Free text is checked when it comes in; what is printed is looked at once more.
fn printable(text: &str) -> String {
    text.chars().filter(|&character| !character.is_control() && !is_deceptive(character)).collect()
}

/// Runs `meed conflicts`.
///
/// # Errors
/// What the ledger refuses.
pub fn conflicts(args: &ConflictsArgs, session: &Session) -> Result<(), Failure> {
    let conflicts: Vec<ConflictView> = session.client.get(&scope_path(&args.scope.scope, "/conflicts"))?;
    session.console.answer(&conflicts, || {
        let mut text = String::new();
        for conflict in &conflicts {
            let _ = writeln!(
                text,
                "{}\n  stored (entry {}): {}\n  came on {}: {}",
                conflict.event, conflict.stored_index, conflict.stored, conflict.at, conflict.came
            );
        }
        if text.is_empty() { "none\n".to_owned() } else { text }
    })
}

#[cfg(test)]
mod tests {
    use super::cut;

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
}
