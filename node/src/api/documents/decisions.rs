//! What people decide: curation, overrides, pool components.

use std::collections::BTreeMap;

use meed_audit::amount::Credits;
use meed_audit::decision::Decision;
use meed_audit::pool::PoolComponent;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::is_false;
use super::leaves::{DecisionLeaf, PoolLeaf};

/// `PATCH /…/{n}/curation`: exactly one of the changes.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CurationRequest {
    /// The event.
    pub event: String,
    /// `true` counts the event, `false` leaves it out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub included: Option<bool>,
    /// What it weighs, in milli-units.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub weight: Option<String>,
    /// Parts per million by claimant.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub shares: Option<BTreeMap<String, String>>,
    /// Takes back what was decided of the event.
    #[serde(skip_serializing_if = "is_false", default)]
    pub reset: bool,
    /// Why.
    pub reason: String,
}

/// `PATCH /…/{n}/allocations`: units, or their withdrawal.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AllocationRequest {
    /// Who.
    pub claimant: String,
    /// The final units, in milli-units.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub units: Option<String>,
    /// Takes back the units that were set.
    #[serde(skip_serializing_if = "is_false", default)]
    pub withdraw: bool,
    /// Why.
    pub reason: String,
}

/// A decision with its place in the scope's life.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DecisionView {
    /// The index of its leaf.
    pub sequence: u64,
    /// The leaf.
    #[serde(flatten)]
    #[schema(value_type = DecisionLeaf)]
    pub decision: Decision,
}

/// What setting a claimant's units gave.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AllocatedView {
    /// The decision.
    #[serde(flatten)]
    pub made: DecisionView,
    /// Whether units were set for a claimant to whom no event of the epoch gives anything. That is allowed, and it is
    /// what a mistyped claimant looks like.
    pub without_activity: bool,
}

/// `POST /…/{n}/pool`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PoolRequest {
    /// What it is.
    pub component: String,
    /// How much.
    pub amount: String,
    /// Where the evidence is.
    pub evidence: String,
    /// How the amount was computed.
    pub algorithm: String,
    /// What it was computed from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<Object>)]
    pub inputs: Option<Box<RawValue>>,
}

/// What adding a component gave.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PoolAddedView {
    /// Whether it is new; the same again changes nothing.
    pub added: bool,
    /// The pool with it.
    pub pool: PoolView,
}

/// A pool.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PoolView {
    /// The components, by id.
    #[schema(value_type = Vec<PoolLeaf>)]
    pub components: Vec<PoolComponent>,
    /// Their sum.
    #[schema(value_type = String)]
    pub total: Credits,
    /// The unit's symbol.
    pub unit: String,
    /// The unit's decimals.
    pub decimals: u8,
}
