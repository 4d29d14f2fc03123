//! The node itself, its logs, and looking after its ledger.

use meed_audit::ids::{NodeId, Origin};
use meed_audit::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The node.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NodeView {
    /// The id.
    #[schema(value_type = String)]
    pub node_id: NodeId,
    /// Where it publishes its logs.
    #[schema(value_type = String)]
    pub origin: Origin,
    /// The version of the program.
    pub version: String,
    /// When the ledger was made.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    /// Whether the ledger was restored and signs nothing before it is resumed.
    pub restored: bool,
    /// Where the node that serves listens, such as `https://0.0.0.0:443`; told to the owner of the data folder alone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub listens_at: Option<String>,
    /// Both logs.
    pub logs: Vec<CheckpointView>,
}

/// A log.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CheckpointView {
    /// `events` or `statements`.
    pub log: String,
    /// The origin line.
    pub origin: String,
    /// The verifier key.
    pub vkey: String,
    /// Entries.
    pub size: u64,
    /// The root, in base64.
    pub root: String,
}

/// `POST /backup`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupRequest {
    /// Where the copy goes, on the node's machine.
    pub path: String,
}

/// What a backup wrote.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct BackupView {
    /// Where.
    pub path: String,
    /// Its size, in bytes.
    pub bytes: u64,
    /// Records in it.
    pub records: u64,
    /// Entries of the events log in it.
    pub events: u64,
    /// Entries of the statements log in it.
    pub statements: u64,
}

/// `POST /erase`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseRequest {
    /// The event whose metadata is erased.
    pub event: String,
    /// Why.
    pub reason: String,
}

/// What erasing did.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ErasedView {
    /// The event.
    pub event: String,
    /// Whether there was anything left to erase.
    pub erased_now: bool,
}

/// What a check of the whole ledger found.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FsckView {
    /// Whether everything is as it must be.
    pub sound: bool,
    /// Records whose checksums were checked.
    pub records: u64,
    /// Entries of the events log that were hashed again.
    pub events: u64,
    /// Entries of the statements log that were hashed again.
    pub statements: u64,
    /// Differences in all.
    pub problem_count: u64,
    /// The first of them.
    pub problems: Vec<FsckProblem>,
}

/// A difference that a check found.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FsckProblem {
    /// The table or rule, or the part of the file.
    pub table: String,
    /// The record's key in hex; empty where no single record is meant.
    pub key: String,
    /// What was expected and what came.
    pub detail: String,
}

/// `POST /resume`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeRequest {
    /// The last published size of the events log.
    pub events: u64,
    /// The last published size of the statements log.
    pub statements: u64,
}

/// What compacting gave back.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CompactView {
    /// Size of the file before, in bytes.
    pub bytes_before: u64,
    /// Size of the file after, in bytes.
    pub bytes_after: u64,
}
