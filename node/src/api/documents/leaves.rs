//! The shapes of canonical leaves and proof files, for the description of the interface alone: `meed_audit` writes and
//! reads them, and knows nothing of descriptions. In leaves every number is a decimal string.

#![expect(dead_code, reason = "the fields are read by the description and never hold anything")]

use utoipa::ToSchema;

/// A claimant's units of one event.
#[derive(ToSchema)]
pub(super) struct ClaimantUnits {
    key: String,
    units: String,
}

/// `meed/activity/v1`.
#[derive(ToSchema)]
pub(super) struct ActivityLeaf {
    claimants: Vec<ClaimantUnits>,
    event: String,
    event_hash: String,
    included: bool,
    index: String,
    late: bool,
    #[schema(nullable = false)]
    reason: Option<String>,
    units: String,
    v: String,
    weight: String,
}

/// `meed/allocation/v1`.
#[derive(ToSchema)]
pub(crate) struct AllocationLeaf {
    claimant: String,
    credits: String,
    epoch: String,
    events: String,
    final_units: String,
    #[schema(nullable = false)]
    override_reason: Option<String>,
    proposed_units: String,
    revision: String,
    scope: String,
    v: String,
}

/// `meed/decision/v1`.
#[derive(ToSchema)]
pub(super) struct DecisionLeaf {
    action: String,
    actor: String,
    #[schema(nullable = false)]
    after: Option<String>,
    at: String,
    #[schema(nullable = false)]
    before: Option<String>,
    #[schema(nullable = false)]
    epoch: Option<String>,
    reason: String,
    scope: String,
    subject: String,
    v: String,
}

/// `meed/pool/v1`.
#[derive(ToSchema)]
pub(super) struct PoolLeaf {
    algorithm_version: String,
    amount: String,
    component: String,
    #[schema(nullable = false)]
    evidence_ref: Option<String>,
    inputs_hash: String,
    v: String,
}

/// A payout proof (`meed/payout-proof/v1`) or an absence proof (`meed/absence-proof/v1`), as `meed verify` reads it.
#[derive(ToSchema)]
pub(crate) struct ProofFile {
    approver_sets: Vec<String>,
    format: String,
    log: String,
    #[schema(nullable = false)]
    payout: Option<String>,
    #[schema(nullable = false)]
    claimant: Option<String>,
    #[schema(nullable = false)]
    left: Option<String>,
    #[schema(nullable = false)]
    right: Option<String>,
}
