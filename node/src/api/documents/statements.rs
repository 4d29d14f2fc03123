//! Statements, allocations, and what a recomputation finds.

use meed_audit::allocation::Allocation;
use meed_audit::amount::Credits;
use meed_audit::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::leaves::AllocationLeaf;

/// A statement in JSON; its lines stand in `text`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StatementView {
    /// The origin line.
    pub origin: String,
    /// The epoch.
    pub epoch: u64,
    /// The revision.
    pub revision: u64,
    /// Whether it is final.
    pub is_final: bool,
    /// SHA-256 of the text, in hex.
    pub text_hash: String,
    /// The signed text.
    pub text: String,
    /// The whole note: the text and its signature lines.
    pub note: String,
    /// The pool.
    #[schema(value_type = String)]
    pub pool_total: Credits,
    /// What is paid in all.
    #[schema(value_type = String)]
    pub distributed: Credits,
    /// What is left.
    #[schema(value_type = String)]
    pub undistributed: Credits,
    /// How many claimants.
    pub allocations: u64,
    /// The last moment at which an approval counts.
    #[schema(value_type = String)]
    pub sign_by: Timestamp,
}

/// What a freeze would give now.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PreviewView {
    /// SHA-256 of the text, in hex.
    pub text_hash: String,
    /// The text; nobody signs it.
    pub text: String,
}

/// What one claimant gets, as tables show it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PayoutItem {
    /// The origin line of the statement.
    pub statement: String,
    /// The scope's key.
    pub scope: String,
    /// The epoch.
    pub epoch: u64,
    /// The unit's symbol.
    pub unit: String,
    /// The unit's decimals.
    pub decimals: u8,
    /// Where its proof file is on this node.
    pub proof: String,
    /// The final revision that has replaced this one; none of a statement in force. What that revision gives is in an item
    /// of its own, unless it does not name the claimant any more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub superseded_by: Option<u64>,
    /// The leaf.
    #[schema(value_type = AllocationLeaf)]
    pub allocation: Allocation,
}

/// The allocations of an epoch.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AllocationsView {
    /// The revision that they are of; none for what a freeze would give now.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revision: Option<u64>,
    /// The leaves, by claimant.
    #[schema(value_type = Vec<AllocationLeaf>)]
    pub items: Vec<Allocation>,
    /// The `from` of the next part, to be sent back as it is; none at the end.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<String>,
    /// How many claimants there are in all.
    pub claimants: u64,
    /// The pool.
    #[schema(value_type = String)]
    pub pool_total: Credits,
    /// What is left of it.
    #[schema(value_type = String)]
    pub undistributed: Credits,
    /// The unit's symbol.
    pub unit: String,
    /// The unit's decimals.
    pub decimals: u8,
}

/// A final statement.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FinalView {
    /// The origin line.
    pub origin: String,
    /// The epoch.
    pub epoch: u64,
    /// The revision.
    pub revision: u64,
    /// SHA-256 of the text, in hex.
    pub text_hash: String,
    /// Where the statements log holds it.
    pub log_index: u64,
    /// Who approved it.
    pub approved_by: Vec<String>,
    /// What is paid in all.
    #[schema(value_type = String)]
    pub distributed: Credits,
    /// What is left of the pool.
    #[schema(value_type = String)]
    pub undistributed: Credits,
    /// How many claimants.
    pub allocations: u64,
    /// The unit's symbol.
    pub unit: String,
    /// The unit's decimals.
    pub decimals: u8,
}

/// Under which other keys a claimant's work counts.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OtherKeysView {
    /// The revision of the statement.
    pub revision: u64,
    /// The unit's symbol.
    pub unit: String,
    /// The unit's decimals.
    pub decimals: u8,
    /// The keys.
    pub keys: Vec<OtherKeyView>,
}

/// One of them.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OtherKeyView {
    /// The key.
    pub claimant: String,
    /// `user`: the account was this user's when the statement was frozen; `later_user`: it became this user's after that;
    /// `account`: an account that is or was the user's, which the statement pays by itself.
    pub relation: String,
    /// What the statement pays under this key, in the smallest unit; none where it does not name it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub credits: Option<Credits>,
}

/// The node's own recomputation of an epoch.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct VerificationView {
    /// Whether it gives the stored statement, byte for byte.
    pub equal: bool,
    /// SHA-256 of the stored text, in hex.
    pub stored_hash: String,
    /// SHA-256 of the recomputed text, in hex.
    pub recomputed_hash: String,
}
