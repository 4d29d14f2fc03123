//! Scopes and their approvers.

use std::collections::BTreeMap;

use meed_audit::amount::{Credits, Units};
use meed_audit::ids::{ScopeId, ScopeKey};
use meed_audit::policy::Unlinked;
use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// `POST /scopes`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeRequest {
    /// The readable name.
    pub key: String,
    /// The unit's symbol; `credits` where none is given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unit: Option<String>,
    /// The unit's decimals.
    #[serde(default)]
    pub decimals: u8,
    /// What happens to identities that nobody has bound.
    #[serde(default)]
    #[schema(value_type = String)]
    pub unlinked: Unlinked,
    /// What events weigh; the default table where none is given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<Object>)]
    pub weights: Option<Box<RawValue>>,
    /// The length of an epoch.
    pub window_days: u32,
    /// What opening an epoch adds to its pool.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub base_issuance: Option<String>,
}

/// `PATCH /scopes/{key}`: what is left out stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeChangeRequest {
    /// What happens to identities that nobody has bound.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub unlinked: Option<Unlinked>,
    /// What events weigh.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<Object>)]
    pub weights: Option<Box<RawValue>>,
    /// The length of an epoch.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub window_days: Option<u32>,
    /// What opening an epoch adds to its pool.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub base_issuance: Option<String>,
    /// Opening an epoch adds nothing from now on.
    #[serde(default)]
    pub no_base_issuance: bool,
}

/// A request that says why, and nothing else.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonRequest {
    /// Why.
    pub reason: String,
}

/// A scope.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ScopeView {
    /// The readable name.
    #[schema(value_type = String)]
    pub key: ScopeKey,
    /// The id.
    #[schema(value_type = String)]
    pub id: ScopeId,
    /// The unit's symbol.
    pub unit: String,
    /// The unit's decimals.
    pub decimals: u8,
    /// What happens to identities that nobody has bound.
    #[schema(value_type = String)]
    pub unlinked: Unlinked,
    /// The length of an epoch.
    pub window_days: u32,
    /// What opening an epoch adds to its pool.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub base_issuance: Option<Credits>,
    /// What events weigh, in milli-units.
    #[schema(value_type = BTreeMap<String, String>)]
    pub weights: BTreeMap<String, Units>,
    /// When it was made.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    /// Who made it.
    #[schema(value_type = String)]
    pub created_by: FreeText,
    /// Whether it was ended.
    pub ended: bool,
    /// The approver set in force.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub approvers: Option<ScopeApproversView>,
    /// The final epoch that is being amended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub amending: Option<u64>,
}

/// The approver set in force, shortly.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct ScopeApproversView {
    /// The version, from 1.
    pub version: u64,
    /// k.
    pub threshold: u8,
    /// n.
    pub members: u64,
    /// Whether two disjoint groups of them could approve two different statements: 2k <= n.
    pub weak_majority: bool,
}

/// `POST /scopes/{key}/approvers`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproversRequest {
    /// k.
    pub threshold: u8,
    /// The verifier keys of all n.
    pub keys: Vec<String>,
}

/// Who approves, and who is proposed to.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ApproversView {
    /// The set in force.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub in_force: Option<ApproverSetView>,
    /// The set that waits for cosignatures.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pending: Option<PendingSetView>,
}

/// An approver set in force.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ApproverSetView {
    /// The version, from 1.
    pub version: u64,
    /// k.
    pub threshold: u8,
    /// The verifier keys, by name.
    pub keys: Vec<String>,
    /// Whether two disjoint groups of them could approve two different statements: 2k <= n.
    pub weak_majority: bool,
    /// SHA-256 of the text, in hex.
    pub text_hash: String,
    /// The signed note, as the statements log holds it.
    pub note: String,
    /// Where the log holds it.
    pub log_index: u64,
    /// When it came into force.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// Who proposed it.
    #[schema(value_type = String)]
    pub by: FreeText,
}

/// An approver set that waits for cosignatures.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PendingSetView {
    /// The version that it will be.
    pub version: u64,
    /// k.
    pub threshold: u8,
    /// The verifier keys, by name.
    pub keys: Vec<String>,
    /// Whether two disjoint groups of them could approve two different statements: 2k <= n.
    pub weak_majority: bool,
    /// The text with the node's line: what members cosign.
    pub note: String,
    /// Whose cosignatures came.
    pub signed_by: Vec<String>,
    /// What is missing, in words.
    pub missing: String,
    /// When it was proposed.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// Who proposed it.
    #[schema(value_type = String)]
    pub by: FreeText,
}
