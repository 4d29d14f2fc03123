//! What stands in the path and the query of requests.

use meed_audit::Checked;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::service::Wanted;

/// Most items of one part of a list; the parameters' descriptions say it too.
pub(crate) const PART_MAX: u64 = 10_000;
const PART_DEFAULT: u64 = 1_000;

/// Which scope.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct ScopePath {
    /// The scope's name.
    #[param(example = "default", pattern = "^[a-z][a-z0-9-]{0,31}$")]
    pub(crate) key: String,
}

/// Which epoch of which scope.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct EpochPath {
    /// The scope's name.
    #[param(example = "default", pattern = "^[a-z][a-z0-9-]{0,31}$")]
    pub(crate) key: String,
    /// The number of the epoch in its scope, from 1.
    #[param(example = 1, minimum = 1)]
    pub(crate) epoch: u64,
}

/// Whose proof in which epoch.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct ProofPath {
    /// The scope's name.
    #[param(example = "default", pattern = "^[a-z][a-z0-9-]{0,31}$")]
    pub(crate) key: String,
    /// The number of the epoch in its scope, from 1.
    #[param(example = 1, minimum = 1)]
    pub(crate) epoch: u64,
    /// `user:<uuid>` or `identity:<provider>:<external id>`.
    #[param(example = "identity:github:1", max_length = 255)]
    pub(crate) claimant: String,
}

/// Whose.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct ClaimantPath {
    /// `user:<uuid>` or `identity:<provider>:<external id>`.
    #[param(example = "identity:github:1", max_length = 255)]
    pub(crate) claimant: String,
}

/// Which log.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct LogPath {
    /// `events` or `statements`.
    #[param(example = "statements")]
    pub(crate) log: String,
}

/// Which entry of which log.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct LogEntryPath {
    /// `events` or `statements`.
    #[param(example = "statements")]
    pub(crate) log: String,
    /// The index, from 0.
    #[param(example = 0)]
    pub(crate) index: u64,
}

/// Which file of the page.
#[derive(Deserialize)]
pub(crate) struct FilePath {
    /// Its name.
    pub(crate) file: String,
}

/// Which token.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct TokenPath {
    /// Its name.
    pub(crate) name: String,
}

/// Which account.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct IdentityPath {
    /// `identity:<provider>:<external id>`.
    #[param(example = "identity:github:1", max_length = 255)]
    pub(crate) identity: String,
}

/// Which refusal.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct ProblemPath {
    /// The stable name.
    #[param(example = "scope_not_found")]
    pub(crate) code: String,
}

/// Which part of a list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Part {
    /// Where the part begins: the `next` of the part before it, as it is.
    from: Option<String>,
    /// Most items of the part; 1,000 where nothing is said. More than the maximum is refused.
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<u64>,
}

/// Which part of the events of an epoch.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ActivityPart {
    /// Where the part begins: the `next` of the part before it, as it is.
    from: Option<String>,
    /// Most items of the part; 1,000 where nothing is said. More than the maximum is refused.
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<u64>,
    /// As this draft or final statement takes them; otherwise as the one in force does, or as a freeze would now.
    pub(crate) revision: Option<u64>,
}

/// Which part of the allocations of an epoch.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AllocationsPart {
    /// Where the part begins: the `next` of the part before it, or the beginning of a claimant's key.
    from: Option<String>,
    /// Most items of the part; 1,000 where nothing is said. More than the maximum is refused.
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<u64>,
    /// Those of this final statement, or of the draft that is offered; otherwise those in force, or those that a freeze
    /// would give now.
    pub(crate) revision: Option<u64>,
    /// Only claimants whose keys begin with this.
    #[serde(default)]
    pub(crate) prefix: String,
}

/// Which part of the decisions of a scope.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DecisionsPart {
    /// Where the part begins: the `next` of the part before it, or a sequence.
    from: Option<String>,
    /// Most items of the part; 1,000 where nothing is said. More than the maximum is refused.
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<u64>,
    /// Only those of this epoch.
    pub(crate) epoch: Option<u64>,
}

/// Which part of a claimant's payouts.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PayoutsPart {
    /// Where the part begins: the `next` of the part before it, as it is.
    from: Option<String>,
    /// Most items of the part; 1,000 where nothing is said. More than the maximum is refused.
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<u64>,
    /// Whether what an amendment has replaced is listed too, after what has replaced it; a `next` of one of the two lists
    /// is none of the other.
    #[serde(default)]
    pub(crate) superseded: bool,
}

macro_rules! wanted {
    ($($part:ident),*) => {$(
        impl $part {
            /// The part that is wanted.
            pub(crate) fn wanted(&mut self) -> Checked<Wanted> {
                Wanted::new(self.from.take(), self.limit.unwrap_or(PART_DEFAULT), PART_MAX)
            }
        }
    )*};
}
wanted!(Part, ActivityPart, AllocationsPart, DecisionsPart, PayoutsPart);

/// Which statement.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Statement {
    /// Which revision; the current draft otherwise, else the one in force.
    pub(crate) revision: Option<u64>,
    /// Anything here asks for what a freeze would give now.
    pub(crate) preview: Option<String>,
}

/// Which proof.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ProofOf {
    /// Which revision; the one in force otherwise.
    pub(crate) revision: Option<u64>,
    /// The version of the approver set that the reader's trust file pins; 1 otherwise.
    pub(crate) since: Option<u64>,
}

/// Which export.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportAs {
    /// `csv` or `json`.
    #[param(example = "json")]
    pub(crate) format: String,
    /// Which revision; the one in force otherwise.
    pub(crate) revision: Option<u64>,
}

/// How lines are taken in.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Import {
    /// Whether good lines are stored beside bad ones.
    #[serde(default)]
    pub(crate) keep_good: bool,
    /// Whether nothing is stored at all.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// The number of the first line, for messages; 1 otherwise.
    pub(crate) first_line: Option<u64>,
    /// The numbers of GitHub repositories that ids of the earlier system name: `OWNER/NAME=NUMBER`, separated by commas.
    #[param(example = "octocat/hello-world=1296269")]
    pub(crate) repositories: Option<String>,
}
