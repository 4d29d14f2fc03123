//! Running `git`: without a shell, with a clean environment, and with whatever it answers bounded.
//!
//! The repository is somebody else's: its configuration and contents must not make git run a program (hooks, file
//! system monitors, pagers, external diffs, signature checks, fetches of missing objects) and must not change what
//! is read (replacement objects, grafts, notes, colours, encodings, trailer rules). So each command gets an
//! environment of its own and overrides on its command line, which stand above the repository's configuration.

use std::ffi::OsStr;
use std::io::{BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

use super::super::SourceError;
use super::super::display::visible_line;

/// The oldest git that understands every option used here (`rev-parse --end-of-options` came with it).
const VERSION_NEEDED: (u32, u32) = (2, 30);
/// Most bytes of an answer that is read at once.
const ANSWER_BYTES_MAX: u64 = 65_536;
/// How much of git's complaints is kept.
const COMPLAINT_BYTES_MAX: u64 = 4_096;
/// How much of git's complaints an error repeats.
const DETAIL_BYTES_MAX: usize = 300;

/// Settings that stand above the repository's own.
const OVERRIDES: [&str; 11] = [
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.commentChar=#",
    "core.pager=cat",
    "log.showSignature=false",
    "log.follow=false",
    "i18n.logOutputEncoding=UTF-8",
    "trailer.separators=:",
    "protocol.allow=never",
    "mailmap.file=",
    "gc.auto=0",
];

/// Variables that are handed on; all others, above all `GIT_*`, are not.
const VARIABLES_KEPT: [&str; 5] = ["PATH", "SystemRoot", "TMPDIR", "TEMP", "TMP"];

/// `git` with a clean environment and no configuration but the repository's own, overridden where it could harm.
pub(crate) fn git() -> Command {
    let mut command = bare_git();
    command.env("GIT_CONFIG_GLOBAL", null_device()).env("GIT_CONFIG_NOSYSTEM", "1");
    for setting in OVERRIDES {
        command.arg("-c").arg(setting);
    }
    command
}

/// As [`git`], but with the account's own configuration, where `safe.directory` says whom it trusts. Only for
/// commands that read no more than where the repository is.
pub(super) fn git_of_account() -> Command {
    let mut command = bare_git();
    for variable in ["HOME", "USERPROFILE", "XDG_CONFIG_HOME"] {
        hand_on(&mut command, variable);
    }
    command.arg("-c").arg("core.fsmonitor=false");
    command
}

fn bare_git() -> Command {
    let mut command = Command::new("git");
    command.env_clear();
    for variable in VARIABLES_KEPT {
        hand_on(&mut command, variable);
    }
    command
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .env("GIT_ATTR_NOSYSTEM", "1")
        .env("GIT_GRAFT_FILE", null_device())
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .arg("--no-pager")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn hand_on(command: &mut Command, variable: &str) {
    if let Some(value) = std::env::var_os(variable) {
        command.env(variable, value);
    }
}

fn null_device() -> &'static OsStr {
    OsStr::new(if cfg!(windows) { "NUL" } else { "/dev/null" })
}

/// Checks that git is there and new enough.
pub(crate) fn check_version() -> Result<(), SourceError> {
    let mut command = git();
    command.arg("version");
    let answer = answer("version", command)?.or_failed("version")?;
    let text = String::from_utf8_lossy(&answer);
    if parse_version(&text).is_some_and(|version| version >= VERSION_NEEDED) {
        return Ok(());
    }
    let (major, minor) = VERSION_NEEDED;
    Err(SourceError::GitTooOld { needed: format!("{major}.{minor}"), got: visible_line(&answer, 80) })
}

/// Major and minor of `git version 2.39.5 (Apple Git-154)`.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.strip_prefix("git version ")?.split(['.', ' ', '\n']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// What a command answered that has ended.
pub(crate) struct Answer {
    /// Its output, or nothing when it failed.
    output: Option<Vec<u8>>,
    /// The beginning of its complaints, as they came.
    pub(super) complaint: Vec<u8>,
}

impl Answer {
    /// The output of a command that succeeded.
    pub(super) fn output(&self) -> Option<&[u8]> {
        self.output.as_deref()
    }

    /// The output, or the error that `command` failed.
    pub(crate) fn or_failed(self, command: &str) -> Result<Vec<u8>, SourceError> {
        let complaint = self.complaint;
        self.output.ok_or_else(|| failed(command, &complaint))
    }
}

/// Runs a command whose answer is short, to its end.
pub(crate) fn answer(name: &'static str, command: Command) -> Result<Answer, SourceError> {
    let mut running = Running::start(name, command)?;
    let mut output = Vec::new();
    let read = (&mut running.output).take(ANSWER_BYTES_MAX).read_to_end(&mut output);
    read.map_err(|error| failed(name, error.to_string().as_bytes()))?;
    if output.len() as u64 == ANSWER_BYTES_MAX {
        let detail = format!("expected less than {ANSWER_BYTES_MAX} bytes");
        return Err(SourceError::GitAnswer { command: name.to_owned(), detail });
    }
    let (succeeded, complaint) = running.end()?;
    Ok(Answer { output: succeeded.then_some(output), complaint })
}

/// A command that is running. Dropping it ends it.
pub(crate) struct Running {
    name: &'static str,
    child: Child,
    /// What it writes.
    pub(super) output: BufReader<ChildStdout>,
    complaints: Option<JoinHandle<Vec<u8>>>,
}

impl Running {
    /// Starts a command; `name` stands in errors.
    pub(crate) fn start(name: &'static str, mut command: Command) -> Result<Self, SourceError> {
        let mut child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => SourceError::GitMissing,
            _ => failed(name, error.to_string().as_bytes()),
        })?;
        let (Some(output), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(failed(name, b"its output cannot be read"));
        };
        // Read beside the output, since a command that complains a lot would otherwise wait for ever.
        let complaints = std::thread::spawn(move || {
            let mut kept = Vec::new();
            // What cannot be read of complaints is not missed: the exit status decides.
            let _ = (&mut stderr).take(COMPLAINT_BYTES_MAX).read_to_end(&mut kept);
            let _ = std::io::copy(&mut stderr, &mut std::io::sink());
            kept
        });
        Ok(Self { name, child, output: BufReader::new(output), complaints: Some(complaints) })
    }

    /// The command's input, once; it ends when the result is dropped.
    pub(crate) fn input(&mut self) -> Result<ChildStdin, SourceError> {
        self.child.stdin.take().ok_or_else(|| failed(self.name, b"its input cannot be written"))
    }

    /// The error that reading from or writing to the command failed; what it complained about says more than `error`.
    pub(crate) fn broken(mut self, error: &std::io::Error) -> SourceError {
        let _ = self.child.kill();
        let complaint = self.wait().map(|(_, complaint)| complaint).unwrap_or_default();
        let detail = if complaint.is_empty() { error.to_string().into_bytes() } else { complaint };
        failed(self.name, &detail)
    }

    /// Waits for the end after all output has been read.
    ///
    /// # Errors
    /// [`SourceError::GitFailed`] unless the command succeeded.
    pub(crate) fn finish(self) -> Result<(), SourceError> {
        let name = self.name;
        let (succeeded, complaint) = self.end()?;
        if succeeded { Ok(()) } else { Err(failed(name, &complaint)) }
    }

    fn end(mut self) -> Result<(bool, Vec<u8>), SourceError> {
        self.wait()
    }

    fn wait(&mut self) -> Result<(bool, Vec<u8>), SourceError> {
        drop(self.child.stdin.take());
        let status = self.child.wait().map_err(|error| failed(self.name, error.to_string().as_bytes()))?;
        let complaint = self.complaints.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        Ok((status.success(), complaint))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only where the command has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The error that `command` failed, with what it said, without addresses.
pub(super) fn failed(command: &str, complaint: &[u8]) -> SourceError {
    let first_line = complaint.split(|&byte| byte == b'\n').find(|line| !line.is_empty()).unwrap_or_default();
    let line = first_line.strip_prefix(b"fatal: ").unwrap_or(first_line);
    let detail = match visible_line(line, DETAIL_BYTES_MAX) {
        line if line.is_empty() => "it said nothing".to_owned(),
        line => line,
    };
    SourceError::GitFailed { command: command.to_owned(), detail }
}

/// Adds what makes a command read exactly the repository in `git_dir`, an absolute path, and never a work tree.
pub(super) fn in_repository(command: &mut Command, git_dir: &Path) {
    // Git reads a .mailmap in the folder where it runs, even for a repository without a work tree: so it runs where
    // neither the repository nor an account can put one.
    let elsewhere = if cfg!(unix) { Path::new("/") } else { git_dir };
    command.arg("-C").arg(elsewhere).arg("--bare").arg("--git-dir").arg(git_dir);
}

#[cfg(test)]
mod tests {
    use super::{SourceError, failed, parse_version};

    #[test]
    fn versions_of_all_vendors_are_understood() {
        for (text, version) in [
            ("git version 2.47.3\n", Some((2, 47))),
            ("git version 2.39.5 (Apple Git-154)\n", Some((2, 39))),
            ("git version 2.45.1.windows.1\n", Some((2, 45))),
            ("git version 3.0\n", Some((3, 0))),
            ("git 2.47\n", None),
            ("", None),
        ] {
            assert_eq!(parse_version(text), version, "{text:?}");
        }
    }

    #[test]
    fn complaints_are_repeated_without_addresses_or_control_characters() {
        let error = failed("log", b"\nfatal: bad ident \x1b[31mAlice <alice@example.org>\nmore\n");
        let detail = "bad ident [31mAlice [hidden]".to_owned();
        assert_eq!(error, SourceError::GitFailed { command: "log".to_owned(), detail });
    }
}
