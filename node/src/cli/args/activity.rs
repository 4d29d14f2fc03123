//! Arguments of `import`, `collect`, `activity` and `conflicts`.

use std::path::PathBuf;

use clap::Args;

use super::github::{issue_credit, take};
use super::{EpochArgs, GithubApiArgs, ScopeArg};
use crate::sources::github::{IssueCredit, RepositoryName, Take};

/// `meed import`.
#[derive(Debug, Args)]
#[command(after_help = "\
A line is one event, such as this one, which stands in one line of the file:
{\"id\":\"github:pr:41986369:42\",\"source\":\"github\",\"source_ref\":\"github:repo:41986369\",\"event_type\":\"pr_merged\",\"platform_user_id\":\"583231\",\"platform_login\":\"octocat\",\"payload_hash\":\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\",\"producer\":\"my-export\",\"producer_version\":\"1.0\",\"event_time\":\"2026-11-10T12:00:00Z\",\"retrieved_at\":\"2026-11-10T13:00:00Z\",\"metadata\":{\"title\":\"Documentation\"}}

  id                the same for the same event, always; another content under it is kept out
  source            the kind of place; with the event_type it makes the type that the scope's
  event_type        weights name: github:pr_merged
  source_ref        the repository, channel or page; like id, it does not change with its name
  platform_user_id  the account at the source, where that is github or discord; else
                    \"authors\":[{\"provider\":\"github\",\"id\":\"583231\",\"share\":\"600000\"},…],
                    with shares in parts per million, or without them for equal ones
  payload_hash      SHA-256, in hex, of all in the source's record that can decide money
  producer          the program that wrote the line, and producer_version its version
  event_time        when it happened; it decides the epoch
  retrieved_at      when it was read at the source
  metadata          whatever else people should see; may be left out, and be erased later

Every fault of every bad line is reported with the line's number, and then nothing is stored;
with --keep-good the good lines are. Either way the exit code is 1 where a line was bad. An
event that is stored already is a duplicate and no error. What weighs nothing or comes too late
is said. A line has at most 65,536 bytes, the event's leaf that is made of it at most 16,384.
FILE may be - for standard input.

Lines of the earlier system name repositories in their ids (github:pr:octo/repo:42). Such a line is
taken where --repository says the number of that repository: it is then the same event as the one
that is collected from GitHub, and whichever comes second is a duplicate.

Examples:
  meed import --scope default events.ndjson
  meed import --scope default --keep-good events.ndjson
  meed import --scope default --repository octocat/hello-world=1296269 earlier.ndjson")]
pub struct ImportArgs {
    /// The scope
    #[command(flatten)]
    pub scope: ScopeArg,
    /// The file, one JSON object a line
    pub file: PathBuf,
    /// Store the good lines although others are bad
    #[arg(long)]
    pub keep_good: bool,
    /// The number of a GitHub repository that ids of the earlier system name; may be given for several
    #[arg(long = "repository", value_name = "OWNER/NAME=NUMBER")]
    pub repositories: Vec<String>,
}

/// `meed collect`.
#[derive(Debug, Args)]
#[command(after_help = "\
Reads the history of a local clone with the git command: commits, merges and Reviewed-by
trailers, through .mailmap. Identities are hashes of e-mail addresses; no address is stored or
shown. Collecting twice stores nothing new.

With --github it reads a repository of GitHub over the API: merged pull requests with their
co-authors, reviews, closed issues, and comments where --take names them. It goes on where it
stopped, whatever stopped it, and waits where GitHub's limits say so. The token comes from a file
or an environment variable, and is written nowhere.

Examples:
  meed collect --scope default                             the repository you stand in
  meed collect --scope default --git ../project --ref main --since 2026-11-09T00:00:00Z
  meed collect --scope default --bot 'name:build-*'        leave these out too
  meed collect --scope default --github octocat/hello-world --since 2026-11-09T00:00:00Z
  meed collect --scope default --github o/r --take merged,comments --github-token-file FILE
  meed collect --scope default --github o/r --github-url https://HOST/api/graphql")]
pub struct CollectArgs {
    /// The scope
    #[command(flatten)]
    pub scope: ScopeArg,
    /// A folder in a clone
    #[arg(long, value_name = "PATH", default_value = ".")]
    pub git: PathBuf,
    /// A branch, tag or commit
    #[arg(long = "ref", value_name = "REF", default_value = "HEAD")]
    pub reference: String,
    /// A repository of GitHub
    #[arg(long, value_name = "OWNER/REPO", conflicts_with_all = ["git", "reference"])]
    pub github: Option<RepositoryName>,
    /// How its API is reached
    #[command(flatten)]
    pub api: GithubApiArgs,
    /// What is taken from GitHub, separated by commas [default: merged,reviews,issues]
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = take(), requires = "github")]
    pub take: Vec<Take>,
    /// Credit a merged pull request to its author alone, not to co-authors of trailers too
    #[arg(long, requires = "github")]
    pub no_coauthors: bool,
    /// Who is credited for a closed issue [default: closer]
    #[arg(long, value_name = "WHO", value_parser = issue_credit(), requires = "github")]
    pub issue_credit: Option<IssueCredit>,
    /// The first time to take: of commits, the committer's
    #[arg(long, value_name = "T")]
    pub since: Option<String>,
    /// The first time not to take any more
    #[arg(long, value_name = "T")]
    pub until: Option<String>,
    /// One more pattern of authors who are programs, name:<pattern> or email:<pattern>, beside the setting `bots`
    #[arg(long = "bot", value_name = "PATTERN")]
    pub bots: Vec<String>,
}

/// `meed activity`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meed activity --scope default --epoch 1
  meed activity --scope default --epoch 1 --json | jq -r '.[].event'")]
pub struct ActivityArgs {
    /// The epoch
    #[command(flatten)]
    pub epoch: EpochArgs,
}

/// `meed conflicts`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meed conflicts --scope default")]
pub struct ConflictsArgs {
    /// The scope
    #[command(flatten)]
    pub scope: ScopeArg,
}
