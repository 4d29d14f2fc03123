//! A small repository for a first try: three finished weeks of a seed library, by seven people and a bot.
//!
//! The same `now` gives the same commits, ids included. It has what a real history has: co-authors, reviewers,
//! merges, a person with two addresses and a mailmap that joins them.

mod plan;

use std::fmt;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use meed_audit::time::{MS_PER_DAY, MS_PER_SECOND, Period, Timestamp};
use meed_audit::window::WindowDays;

use super::SourceError;
use super::git::process::{Running, answer, check_version, git};
use plan::{AMARA_AT_WORK, BOT, Line, MAILMAP, PEOPLE, STEPS, Step, Who};

/// How many finished weeks the sample has.
const WEEKS: i64 = 3;
const MS_PER_WEEK: i64 = 7 * MS_PER_DAY;
const SECONDS_PER_HOUR: i64 = 3_600;

/// What was made; its [`fmt::Display`] says so in a sentence without a full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The repository's folder.
    pub path: PathBuf,
    /// How many commits it has, on the branch `main`.
    pub commits: usize,
    /// How many people work in it, the bot not counted.
    pub people: usize,
    /// The three weeks in which they do, as one period.
    pub period: Period,
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, commits, people, period } = self;
        let path = path.display();
        write!(f, "a sample git repository of {commits} commits by {people} people and a bot, ")?;
        write!(f, "in the {WEEKS} weeks from {} to {}, in {path}", period.start, period.end)
    }
}

/// Makes the sample in `path`, which must not exist yet or be an empty folder; its weeks are the last three that have
/// ended by `now`.
///
/// # Errors
/// When git is missing, the folder is not empty or cannot be written, or `now` is in the first weeks of 1970.
pub fn generate(path: &Path, now: Timestamp) -> Result<Sample, SourceError> {
    let period = weeks_before(now).ok_or(SourceError::TimeTooEarly { now })?;
    check_version()?;
    make_folder(path)?;
    let mut init = git();
    init.args(["init", "--quiet", "--initial-branch=main", "--object-format=sha1", "--template="])
        .arg("--")
        .arg(path);
    answer("init", init)?.or_failed("init")?;
    import(path, &stream(period.start))?;
    let mut reset = git();
    reset
        .arg("-C")
        .arg(path)
        .arg("--git-dir=.git")
        .arg("--work-tree=.")
        .args(["reset", "--quiet", "--hard", "main"]);
    answer("reset", reset)?.or_failed("reset")?;
    Ok(Sample { path: path.to_owned(), commits: STEPS.len(), people: PEOPLE.len(), period })
}

fn weeks_before(now: Timestamp) -> Option<Period> {
    let end = WindowDays::WEEK.window_at(now).ok()?.start;
    Some(Period { start: end.plus_ms(-WEEKS * MS_PER_WEEK).ok()?, end })
}

fn make_folder(path: &Path) -> Result<(), SourceError> {
    let unwritable = |error: std::io::Error| match error.kind() {
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            SourceError::FolderNotEmpty { path: path.to_owned() }
        }
        _ => SourceError::FolderUnwritable { path: path.to_owned(), detail: error.to_string() },
    };
    fs::create_dir_all(path).map_err(unwritable)?;
    match fs::read_dir(path).map_err(unwritable)?.next() {
        None => Ok(()),
        Some(_) => Err(SourceError::FolderNotEmpty { path: path.to_owned() }),
    }
}

/// Feeds `git fast-import`, which makes all commits in one process.
fn import(path: &Path, stream: &[u8]) -> Result<(), SourceError> {
    let mut command = git();
    command.arg("-C").arg(path).arg("--git-dir=.git").args(["fast-import", "--quiet"]).stdin(Stdio::piped());
    let mut running = Running::start("fast-import", command)?;
    let mut input = running.input()?;
    if let Err(error) = input.write_all(stream) {
        return Err(running.broken(&error));
    }
    drop(input);
    running.finish()
}

/// The sample in the format of `git fast-import`. Marks are the places of commits, from 1.
fn stream(start: Timestamp) -> Vec<u8> {
    let mut out = String::new();
    let (mut main, mut branch) = (None, None);
    // What the branch wrote, which its merge takes over.
    let mut branch_files = String::new();
    for (mark, step) in (1_usize..).zip(&STEPS) {
        let name = if step.line == Line::Branch { "branch" } else { "main" };
        out.push_str(&header(mark, name, step, start));
        let file = file(&format!("notes/{mark:02}.md"), &format!("# {}\n", step.title));
        let parent = if step.line == Line::Branch { branch.or(main) } else { main };
        if let Some(parent) = parent {
            out.push_str(&format!("from :{parent}\n"));
        } else {
            out.push_str(&file_mailmap());
        }
        match step.line {
            Line::Main => main = Some(mark),
            Line::Branch => {
                branch = Some(mark);
                branch_files.push_str(&file);
            }
            Line::Merge => {
                if let Some(branch) = branch.take() {
                    out.push_str(&format!("merge :{branch}\n"));
                }
                out.push_str(&std::mem::take(&mut branch_files));
                main = Some(mark);
            }
        }
        out.push_str(&file);
        out.push('\n');
    }
    // The branches were merged; only the main line keeps a name.
    out.push_str("reset refs/heads/branch\nfrom 0000000000000000000000000000000000000000\n\ndone\n");
    out.into_bytes()
}

fn header(mark: usize, branch: &str, step: &Step, start: Timestamp) -> String {
    let (name, email) = match step.author {
        Who::Person(person) => PEOPLE.get(person).copied().unwrap_or(BOT),
        Who::AmaraAtWork => AMARA_AT_WORK,
        Who::Bot => BOT,
    };
    let time = start.as_ms() / MS_PER_SECOND
        + step.week * (MS_PER_WEEK / MS_PER_SECOND)
        + step.hour * SECONDS_PER_HOUR;
    let message = message(step);
    let length = message.len();
    format!(
        "commit refs/heads/{branch}\nmark :{mark}\nauthor {name} <{email}> {time} +0000\n\
         committer {name} <{email}> {time} +0000\ndata {length}\n{message}\n"
    )
}

fn message(step: &Step) -> String {
    let mut message = format!("{}\n", step.title);
    if !step.with.is_empty() || !step.reviewed.is_empty() {
        message.push('\n');
    }
    for (trailer, people) in [("Co-authored-by", step.with), ("Reviewed-by", step.reviewed)] {
        for (name, email) in people.iter().filter_map(|&person| PEOPLE.get(person)) {
            message.push_str(&format!("{trailer}: {name} <{email}>\n"));
        }
    }
    message
}

fn file(path: &str, content: &str) -> String {
    format!("M 100644 inline {path}\ndata {}\n{content}\n", content.len())
}

fn file_mailmap() -> String {
    file(".mailmap", MAILMAP)
}
