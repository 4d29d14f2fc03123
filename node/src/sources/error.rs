//! Why a source cannot be read, each with what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use meed_audit::time::Timestamp;
use thiserror::Error;

use super::github::GithubError;

/// Why a source cannot be read at all. What is wrong with one event is counted in the source's report instead.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SourceError {
    /// The `git` command is not installed, or not on the `PATH`.
    #[error("the git command was not found")]
    GitMissing,
    /// The `git` command is older than what this program needs.
    #[error("expected git {needed} or newer, got {got}")]
    GitTooOld {
        /// The oldest version that works.
        needed: String,
        /// What `git version` says.
        got: String,
    },
    /// The path does not exist, is no folder, or may not be entered.
    #[error("cannot enter the folder {}", path.display())]
    FolderUnreadable {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The path is not in a git repository.
    #[error("expected a git repository, got {}", path.display())]
    NotARepository {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The repository belongs to another account of this machine, and git refuses to trust it.
    #[error("the repository {} belongs to another account of this machine", path.display())]
    ForeignOwner {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The name of the reference is one that is never handed to git.
    #[error("expected the name of a branch, tag or commit, got {reference:?}")]
    ReferenceInvalid {
        /// The name, shortened.
        reference: String,
    },
    /// No commit has this name.
    #[error("the repository {} has no commit named {reference:?}", path.display())]
    ReferenceUnknown {
        /// The path as it was given.
        path: PathBuf,
        /// The name, shortened.
        reference: String,
    },
    /// The clone is shallow: its beginning, which names the repository, is missing.
    #[error("the repository {} is a shallow clone, whose history is cut off", path.display())]
    ShallowClone {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The mailmap of the commit is missing from a partial clone, or too large.
    #[error("cannot read .mailmap of commit {commit}: {detail}")]
    MailmapUnreadable {
        /// The commit whose mailmap it is.
        commit: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The period is empty.
    #[error("expected a period that begins before it ends, got {since} to {until}")]
    PeriodEmpty {
        /// Its first moment.
        since: Timestamp,
        /// The first moment after it.
        until: Timestamp,
    },
    /// A `git` command failed for another reason.
    #[error("git {command} failed: {detail}")]
    GitFailed {
        /// The subcommand.
        command: String,
        /// The beginning of what it said, without addresses.
        detail: String,
    },
    /// A `git` command answered in another form than it documents.
    #[error("git {command} answered in an unexpected form: {detail}")]
    GitAnswer {
        /// The subcommand.
        command: String,
        /// What was expected.
        detail: String,
    },
    /// Reading lines failed.
    #[error("reading failed after line {line}: {detail}")]
    ReadFailed {
        /// The last line that was read, from 1; 0 before the first.
        line: u64,
        /// What the operating system said.
        detail: String,
    },
    /// A file of events, or the folder that holds them, cannot be read.
    #[error("cannot read {}: {detail}", path.display())]
    FileUnreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        detail: String,
        /// Whether it may be readable soon without anybody's help.
        passing: bool,
    },
    /// A sample is only written into a new or empty folder.
    #[error("expected a new or empty folder, got {}", path.display())]
    FolderNotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The folder of the sample cannot be made.
    #[error("cannot make the folder {}: {detail}", path.display())]
    FolderUnwritable {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        detail: String,
    },
    /// GitHub cannot be read.
    #[error(transparent)]
    Github(#[from] GithubError),
    /// The given time has no finished weeks before it.
    #[error("expected a time with three weeks since 1970 before it, got {now}")]
    TimeTooEarly {
        /// The time.
        now: Timestamp,
    },
}

impl SourceError {
    /// A file of events, or their folder, that the system does not let us read.
    pub fn file_unreadable(path: &Path, error: &io::Error) -> Self {
        use io::ErrorKind as K;
        let stays = [K::NotFound, K::PermissionDenied, K::NotADirectory, K::IsADirectory];
        let passing = !stays.contains(&error.kind());
        Self::FileUnreadable { path: path.to_path_buf(), detail: error.to_string(), passing }
    }

    /// Whether trying again may help without anybody's doing: a busy disk, a network, a program that was interrupted.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::GitFailed { .. } | Self::ReadFailed { .. } => true,
            Self::FileUnreadable { passing, .. } => *passing,
            Self::Github(error) => error.is_passing(),
            _ => false,
        }
    }

    /// From when on trying again may help, where the source says so.
    pub fn retry_at(&self) -> Option<Timestamp> {
        match self {
            Self::Github(error) => error.retry_at(),
            _ => None,
        }
    }

    /// What to do about it, one sentence without a full stop.
    pub fn remedy(&self) -> String {
        match self {
            Self::Github(error) => error.remedy(),
            Self::GitMissing => "install git, and see that it is on the PATH".to_owned(),
            Self::GitTooOld { needed, .. } => format!("install git {needed} or newer"),
            Self::FolderUnreadable { .. } => {
                "check that the folder exists and that this account may read it".to_owned()
            }
            Self::NotARepository { .. } => {
                "give the folder of a clone, or make one with `git clone`".to_owned()
            }
            Self::ForeignOwner { path } => format!(
                "run this as the repository's owner, or, if you trust its contents, run \
                 `git config --global --add safe.directory {}`",
                path.display()
            ),
            Self::ReferenceInvalid { .. } => {
                "give one branch, tag or commit; a name may not begin with a dash".to_owned()
            }
            Self::ReferenceUnknown { path, .. } => format!(
                "list the names with `git -C {} branch --all`; a new repository has none before its first commit",
                path.display()
            ),
            Self::ShallowClone { path } => {
                format!("fetch the whole history with `git -C {} fetch --unshallow`", path.display())
            }
            Self::MailmapUnreadable { .. } => {
                "fetch the file with `git show COMMIT:.mailmap`, or use a full clone; keep it below 4 MiB"
                    .to_owned()
            }
            Self::PeriodEmpty { .. } => "give a --since that is before --until".to_owned(),
            Self::GitFailed { .. } => "check the repository with `git fsck`, then try again".to_owned(),
            Self::GitAnswer { .. } => {
                "check the repository with `git fsck`; report this with the output of `git version`"
                    .to_owned()
            }
            Self::ReadFailed { .. } => "check that the file can be read, then try again".to_owned(),
            Self::FileUnreadable { .. } => {
                "check the path in meed.toml and that this account may read it".to_owned()
            }
            Self::FolderNotEmpty { .. } => "give a folder that does not exist yet".to_owned(),
            Self::FolderUnwritable { .. } => "give a folder whose parent this account may write".to_owned(),
            Self::TimeTooEarly { .. } => "set the clock of this machine".to_owned(),
        }
    }
}

/// Why collecting ended early: the source, or whoever takes its events.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CollectError<E> {
    /// The source could not be read.
    #[error("the source could not be read")]
    Source(#[from] SourceError),
    /// The sink refused a batch; the batches before it were taken.
    #[error("a batch of events was not taken")]
    Sink(#[source] E),
}
