//! The commits of a history: first their graph and times, oldest first, then the texts of those that are wanted.
//!
//! Both come from one `git` command each that streams, so that memory does not grow with the history. The exception
//! is a history with several roots, where the root of each commit is kept (about 60 bytes a commit).

use std::collections::HashMap;
use std::io::Write;
use std::rc::Rc;

use super::super::SourceError;
use super::super::ndjson::read_until;
use super::process::Running;
use super::repository::{Repository, is_object_id};

/// Longest line of the graph: a merge of 25,000 parents.
const GRAPH_LINE_BYTES_MAX: usize = 1 << 20;
/// Longest name or address that is read whole.
const PERSON_BYTES_MAX: usize = 4_096;
/// How much of a subject line is read.
const SUBJECT_BYTES_MAX: usize = 4_096;
/// Most bytes of one commit's trailers of one kind.
const TRAILERS_BYTES_MAX: usize = 65_536;

/// One commit of the graph.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    /// Its id, in hex.
    pub(super) id: String,
    /// Its committer time in seconds since 1970, as git read it; a negative time is a huge one.
    pub(super) seconds: u64,
    /// How many parents it has; none when they are too many to count.
    pub(super) parents: Option<usize>,
    /// The id of the commit without parents that is reached by going to the first parent each time.
    pub(super) root: Rc<str>,
}

/// The graph of a history, parents before children and otherwise older before newer.
pub(super) struct History {
    running: Running,
    roots: Roots,
    line: Vec<u8>,
}

impl History {
    /// Starts reading the commits that the repository's commit descends from, itself included.
    pub(super) fn start(repository: &Repository) -> Result<Self, SourceError> {
        let roots =
            if repository.has_several_roots()? { Roots::Many(HashMap::new()) } else { Roots::One(None) };
        let mut command = repository.command();
        command.args([
            "rev-list",
            "--date-order",
            "--reverse",
            "--timestamp",
            "--parents",
            &repository.head,
            "--",
        ]);
        Ok(Self { running: Running::start("rev-list", command)?, roots, line: Vec::new() })
    }

    /// The next commit, none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Listed>, SourceError> {
        let length = read_until(&mut self.running.output, b'\n', GRAPH_LINE_BYTES_MAX, &mut self.line)
            .map_err(|error| unexpected("rev-list", &error.to_string()))?;
        let Some(length) = length else { return Ok(None) };
        let text = String::from_utf8_lossy(&self.line);
        let mut words = text.split(' ');
        let (seconds, id) = (words.next().and_then(|word| word.parse().ok()), words.next());
        let (Some(seconds), Some(id)) = (seconds, id.filter(|id| is_object_id(id))) else {
            return Err(unexpected("rev-list", "expected `<seconds> <commit> <parents>`"));
        };
        let first_parent = words.next();
        let root = self.roots.of(id, first_parent)?;
        let whole = length == self.line.len() as u64;
        let parents = whole.then(|| usize::from(first_parent.is_some()).saturating_add(words.count()));
        Ok(Some(Listed { id: id.to_owned(), seconds, parents, root }))
    }

    /// Checks that git told the whole history.
    pub(super) fn finish(self) -> Result<(), SourceError> {
        self.running.finish()
    }
}

/// Which commit without parents each commit descends from along first parents.
///
/// It names the repository: it is the same in every clone, on every branch, and for every commit that another
/// repository took over by a merge, so that a commit collected from both is one event and no conflict.
enum Roots {
    /// The only one, once it was seen.
    One(Option<Rc<str>>),
    /// By commit.
    Many(HashMap<Box<[u8]>, Rc<str>>),
}

impl Roots {
    fn of(&mut self, id: &str, first_parent: Option<&str>) -> Result<Rc<str>, SourceError> {
        match self {
            Self::One(root) => Ok(root.get_or_insert_with(|| Rc::from(id)).clone()),
            Self::Many(roots) => {
                let root = match first_parent {
                    None => Rc::from(id),
                    Some(parent) => roots
                        .get(packed(parent).as_ref())
                        .cloned()
                        .ok_or_else(|| unexpected("rev-list", "expected parents before children"))?,
                };
                roots.insert(packed(id), Rc::clone(&root));
                Ok(root)
            }
        }
    }
}

/// Hex digits as bytes, at half their size.
fn packed(id: &str) -> Box<[u8]> {
    let value =
        |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()).unwrap_or(0);
    id.as_bytes()
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => value(*high) << 4 | value(*low),
            _ => 0,
        })
        .collect()
}

/// What a commit says, as bytes: names and addresses need not be UTF-8.
#[derive(Clone, Debug, Default)]
pub(super) struct CommitText {
    /// The author's name, after the mailmap.
    pub(super) name: Vec<u8>,
    /// The author's e-mail address, after the mailmap.
    pub(super) email: Vec<u8>,
    /// The subject line, perhaps cut.
    pub(super) subject: Vec<u8>,
    /// The values of `Co-authored-by` trailers, in order.
    pub(super) coauthors: Vec<Vec<u8>>,
    /// The values of `Reviewed-by` trailers, in order.
    pub(super) reviewers: Vec<Vec<u8>>,
    /// Whether the committer time is written as git read it into the graph.
    pub(super) time_is_plain: bool,
    /// Whether a name, an address or the trailers are longer than what is read.
    pub(super) oversized: bool,
}

/// The texts of some commits, in the order asked for.
pub(super) struct Texts {
    running: Running,
    field: Vec<u8>,
}

/// The fields of a commit, each ended by NUL, which no commit header and no line of a message can hold. Trailers are
/// unfolded by git, so that each is one line.
const FORMAT: &str = "--format=%H%x00%ct%x00%aN%x00%aE%x00%s%x00\
    %(trailers:key=Co-authored-by,valueonly,unfold,separator=%x0A)%x00\
    %(trailers:key=Reviewed-by,valueonly,unfold,separator=%x0A)";

impl Texts {
    /// Starts reading the texts of `commits`.
    pub(super) fn start(repository: &Repository, commits: &[Listed]) -> Result<Self, SourceError> {
        let mut command = repository.command();
        command
            .stdin(std::process::Stdio::piped())
            .args(["log", "--no-walk=unsorted", "--stdin", "-z", FORMAT])
            .args([
                "--no-patch",
                "--no-color",
                "--no-notes",
                "--no-decorate",
                "--no-show-signature",
                "--encoding=UTF-8",
            ]);
        let mut running = Running::start("log", command)?;
        let ids: String = commits.iter().flat_map(|commit| [commit.id.as_str(), "\n"]).collect();
        let mut input = running.input()?;
        // Git reads all names before it answers, so that neither waits for the other.
        if let Err(error) = input.write_all(ids.as_bytes()) {
            return Err(running.broken(&error));
        }
        drop(input);
        Ok(Self { running, field: Vec::new() })
    }

    /// The text of `commit`, which must be the next of those that were asked for.
    pub(super) fn next(&mut self, commit: &Listed) -> Result<CommitText, SourceError> {
        let mut text = CommitText::default();
        if !self.read(128, &mut text.oversized)? || self.field != commit.id.as_bytes() {
            return Err(unexpected("log", "expected the commits that were asked for, in order"));
        }
        self.read(128, &mut text.oversized)?;
        text.time_is_plain = self.field == commit.seconds.to_string().as_bytes();
        self.read(PERSON_BYTES_MAX, &mut text.oversized)?;
        text.name.clone_from(&self.field);
        self.read(PERSON_BYTES_MAX, &mut text.oversized)?;
        text.email.clone_from(&self.field);
        self.read(SUBJECT_BYTES_MAX, &mut false)?;
        text.subject.clone_from(&self.field);
        self.read(TRAILERS_BYTES_MAX, &mut text.oversized)?;
        text.coauthors = lines(&self.field);
        self.read(TRAILERS_BYTES_MAX, &mut text.oversized)?;
        text.reviewers = lines(&self.field);
        Ok(text)
    }

    /// Checks that git told no more and did not fail.
    pub(super) fn finish(mut self) -> Result<(), SourceError> {
        if self.read(128, &mut false)? {
            return Err(unexpected("log", "expected no more commits than were asked for"));
        }
        self.running.finish()
    }

    /// Reads one field, or returns false at the end; sets `oversized` when it had more than `kept_max` bytes.
    fn read(&mut self, kept_max: usize, oversized: &mut bool) -> Result<bool, SourceError> {
        let length = read_until(&mut self.running.output, 0, kept_max, &mut self.field)
            .map_err(|error| unexpected("log", &error.to_string()))?;
        *oversized |= length.is_some_and(|length| length > self.field.len() as u64);
        Ok(length.is_some())
    }
}

fn lines(field: &[u8]) -> Vec<Vec<u8>> {
    field
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
        .map(<[u8]>::to_vec)
        .collect()
}

fn unexpected(command: &str, detail: &str) -> SourceError {
    SourceError::GitAnswer { command: command.to_owned(), detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{Roots, packed};
    use std::collections::HashMap;

    #[test]
    fn roots_follow_first_parents() {
        let id = |letter: char| letter.to_string().repeat(40);
        let mut roots = Roots::Many(HashMap::new());
        let mut of = |child, parent: Option<char>| {
            roots.of(&id(child), parent.map(&id).as_deref()).map(|root| root.chars().next().expect("digit"))
        };
        assert_eq!(of('a', None).expect("root"), 'a');
        assert_eq!(of('b', None).expect("root"), 'b');
        assert_eq!(of('c', Some('b')).expect("child"), 'b');
        assert_eq!(of('d', Some('a')).expect("merge of c into a"), 'a');
        assert!(of('e', Some('f')).is_err(), "a parent that never came");
        assert_eq!(packed("00ff1A").as_ref(), [0x00, 0xff, 0x1a]);
    }
}
