//! A repository to read: where it is, which commit a reference names, its mailmap, and what names it for ever.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::SourceError;
use super::super::display::visible_line;
use super::process::{answer, check_version, failed, git, git_of_account, in_repository};

/// Longest name of a reference, in bytes.
const REFERENCE_BYTES_MAX: usize = 512;
/// Largest mailmap, in bytes.
const MAILMAP_BYTES_MAX: u64 = 4 << 20;

/// A repository at one commit. Everything that is read through it is a function of that commit alone.
#[derive(Debug)]
pub(super) struct Repository {
    git_dir: PathBuf,
    /// The commit, in hex.
    pub(super) head: String,
    /// The object id of the commit's `.mailmap`, if it has one.
    mailmap: Option<String>,
}

impl Repository {
    /// Opens the repository that `path` is in, at the commit that `reference` names now.
    pub(super) fn open(path: &Path, reference: &str) -> Result<Self, SourceError> {
        check_reference(reference)?;
        check_version()?;
        let git_dir = find(path)?;
        let head = resolve(path, &git_dir, reference)?;
        let mut repository = Self { git_dir, head, mailmap: None };
        let shallow = repository.ask("rev-parse", &["--is-shallow-repository"])?;
        if shallow.trim_ascii() != b"false" {
            return Err(SourceError::ShallowClone { path: path.to_owned() });
        }
        repository.mailmap = repository.find_mailmap()?;
        Ok(repository)
    }

    /// A `git` command on this repository, with this commit's mailmap and no other.
    pub(super) fn command(&self) -> Command {
        let mut command = git();
        command.arg("-c").arg(format!("mailmap.blob={}", self.mailmap.as_deref().unwrap_or_default()));
        in_repository(&mut command, &self.git_dir);
        command
    }

    /// Whether the commit has a mailmap.
    pub(super) fn has_mailmap(&self) -> bool {
        self.mailmap.is_some()
    }

    /// Whether the commit descends from more than one commit without parents.
    pub(super) fn has_several_roots(&self) -> Result<bool, SourceError> {
        let answer = self.ask("rev-list", &["--max-parents=0", "--max-count=2", &self.head, "--"])?;
        Ok(answer.iter().filter(|&&byte| byte == b'\n').count() > 1)
    }

    fn ask(&self, name: &'static str, arguments: &[&str]) -> Result<Vec<u8>, SourceError> {
        let mut command = self.command();
        command.arg(name).args(arguments);
        answer(name, command)?.or_failed(name)
    }

    /// The `.mailmap` in the commit's own tree: the same for everybody who reads this commit.
    fn find_mailmap(&self) -> Result<Option<String>, SourceError> {
        let unreadable =
            |detail: String| SourceError::MailmapUnreadable { commit: self.head.clone(), detail };
        // `<mode> SP <type> SP <object> TAB <path>`; a link or a folder of that name is no mailmap, as for git.
        let listed = match self.ask("ls-tree", &["--full-tree", &self.head, "--", ".mailmap"]) {
            Err(SourceError::GitFailed { detail, .. }) => return Err(unreadable(detail)),
            listed => listed?,
        };
        let line = String::from_utf8_lossy(&listed);
        let mut words = line.split([' ', '\t']);
        let (Some("100644" | "100755"), Some("blob"), Some(id)) = (words.next(), words.next(), words.next())
        else {
            return Ok(None);
        };
        // Git itself would go on without a mailmap that a partial clone lacks, and take people for others.
        let size = match self.ask("cat-file", &["-s", id]) {
            Err(SourceError::GitFailed { detail, .. }) => return Err(unreadable(detail)),
            size => size?,
        };
        match String::from_utf8_lossy(&size).trim().parse::<u64>() {
            Ok(0..=MAILMAP_BYTES_MAX) => Ok(Some(id.to_owned())),
            _ => Err(unreadable(format!("expected at most {MAILMAP_BYTES_MAX} bytes"))),
        }
    }
}

/// Refuses what git could take for an option, a range or an exclusion, or what no reference can be.
fn check_reference(reference: &str) -> Result<(), SourceError> {
    let hostile = reference.is_empty()
        || reference.len() > REFERENCE_BYTES_MAX
        || reference.starts_with(['-', '^'])
        || reference.contains("..")
        || reference.chars().any(|character| character.is_control() || character == ' ');
    if !hostile {
        return Ok(());
    }
    Err(SourceError::ReferenceInvalid { reference: visible_line(reference.as_bytes(), 80) })
}

/// The absolute path of the git folder of the repository that `path` is in.
fn find(path: &Path) -> Result<PathBuf, SourceError> {
    if !path.is_dir() {
        return Err(SourceError::FolderUnreadable { path: path.to_owned() });
    }
    let mut command = git_of_account();
    command.arg("-C").arg(path).args(["rev-parse", "--absolute-git-dir"]);
    let answer = answer("rev-parse", command)?;
    match answer.output() {
        Some(output) => Ok(PathBuf::from(path_from(output.strip_suffix(b"\n").unwrap_or(output)))),
        None => Err(explain(path, &answer.complaint)),
    }
}

/// Which error git's complaint about a folder is; its words are those of the C locale.
fn explain(path: &Path, complaint: &[u8]) -> SourceError {
    let text = String::from_utf8_lossy(complaint);
    let path = path.to_owned();
    if text.contains("dubious ownership") || text.contains("unsafe repository") {
        SourceError::ForeignOwner { path }
    } else if text.contains("not a git repository") || text.contains("Not a git repository") {
        SourceError::NotARepository { path }
    } else if text.contains("cannot change to") {
        SourceError::FolderUnreadable { path }
    } else {
        failed("rev-parse", complaint)
    }
}

#[cfg(unix)]
fn path_from(bytes: &[u8]) -> OsString {
    use std::os::unix::ffi::OsStringExt;
    OsString::from_vec(bytes.to_vec())
}

#[cfg(not(unix))]
fn path_from(bytes: &[u8]) -> OsString {
    OsString::from(String::from_utf8_lossy(bytes).into_owned())
}

/// The commit that `reference` names.
fn resolve(path: &Path, git_dir: &Path, reference: &str) -> Result<String, SourceError> {
    let mut command = git();
    in_repository(&mut command, git_dir);
    command.args(["rev-parse", "--verify", "--end-of-options"]).arg(format!("{reference}^{{commit}}"));
    let answer = answer("rev-parse", command)?;
    let output = answer.output().map(|output| String::from_utf8_lossy(output).trim_end().to_owned());
    match output {
        Some(id) if is_object_id(&id) => Ok(id),
        _ => {
            let reference = visible_line(reference.as_bytes(), 80);
            Err(SourceError::ReferenceUnknown { path: path.to_owned(), reference })
        }
    }
}

/// Whether `text` is a whole object id: 40 hex digits of SHA-1, or 64 of SHA-256.
pub(super) fn is_object_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64)
        && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::{SourceError, check_reference, explain};

    #[test]
    fn hostile_references_never_reach_git() {
        for reference in
            ["", "-", "--upload-pack=x", "^main", "a..b", "a...b", "a\nb", "a\0b", "a b", &"x".repeat(513)]
        {
            assert!(
                matches!(check_reference(reference), Err(SourceError::ReferenceInvalid { .. })),
                "{reference:?}"
            );
        }
        for reference in ["HEAD", "main", "v1.0^{commit}", "refs/heads/a-b", "HEAD~3", "main@{0}"] {
            check_reference(reference).expect(reference);
        }
    }

    #[test]
    fn a_repository_of_another_account_is_told_from_none() {
        let folder = tempfile::tempdir().expect("folder");
        let ask = |different_owner: &str| {
            let output = Command::new("git")
                .env("LC_ALL", "C")
                .env("GIT_TEST_ASSUME_DIFFERENT_OWNER", different_owner)
                .env("GIT_CEILING_DIRECTORIES", folder.path().parent().expect("parent"))
                .arg("-C")
                .arg(folder.path())
                .args(["rev-parse", "--absolute-git-dir"])
                .output()
                .expect("git");
            assert!(!output.status.success());
            explain(Path::new("there"), &output.stderr)
        };
        assert_eq!(ask("0"), SourceError::NotARepository { path: "there".into() });
        let made = Command::new("git").args(["init", "-q"]).arg(folder.path()).status().expect("git");
        assert!(made.success());
        let error = ask("1");
        assert_eq!(error, SourceError::ForeignOwner { path: "there".into() });
        assert!(error.remedy().contains("safe.directory there"), "{}", error.remedy());
    }
}
