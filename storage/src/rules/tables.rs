//! The tables of the rules: names, keys, records. A name never changes its types within one format version.

use meed_audit::amount::{Credits, Units};
use meed_audit::decision::Action;
use meed_audit::hash::Hash;
use meed_audit::ids::{
    Claimant, ComponentId, EpochNumber, EventId, Identity, Revision, ScopeId, ScopeKey, SetVersion, UserId,
};
use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::codec::Record;
use crate::key::KeyText;
use crate::rules::record::BytesRecord;
use crate::table::Table;

/// The scopes.
pub(crate) const SCOPES: Table<ScopeId, ScopeRecord> = Table::new("scopes");
/// Decisions by their sequence in the scope's life, from 0: the leaves of its decision tree.
pub(crate) const DECISIONS: Table<(ScopeId, u64), BytesRecord> = Table::new("decisions");
/// What the decisions add up to, for each event that was curated in an epoch.
pub(crate) const CURATIONS: Table<(ScopeId, EpochNumber, EventId), CurationRecord> = Table::new("curations");
/// What the decisions add up to, for each override in force.
pub(crate) const OVERRIDES: Table<(ScopeId, EpochNumber, Claimant), OverrideRecord> = Table::new("overrides");
/// What the decisions add up to, for each identity that was ever bound in a scope.
pub(crate) const SCOPE_BINDINGS: Table<(ScopeId, Identity), ScopeBindingRecord> =
    Table::new("scope_bindings");
/// What the decisions add up to, for each claimant whose accounts a decision has changed.
pub(crate) const CLAIMANT_CHANGES: Table<(ScopeId, Claimant), ClaimantChangeRecord> =
    Table::new("claimant_changes");
/// The last amendment of each epoch, unless it was given up.
pub(crate) const AMENDMENTS: Table<(ScopeId, EpochNumber), AmendmentRecord> = Table::new("amendments");
/// What [`CURATIONS`] had of an epoch when its last amendment began.
pub(crate) const AMENDED_CURATIONS: Table<(ScopeId, EpochNumber, EventId), CurationRecord> =
    Table::new("amended_curations");
/// What [`OVERRIDES`] had of an epoch when its last amendment began.
pub(crate) const AMENDED_OVERRIDES: Table<(ScopeId, EpochNumber, Claimant), OverrideRecord> =
    Table::new("amended_overrides");
/// The epochs of each scope.
pub(crate) const EPOCHS: Table<(ScopeId, EpochNumber), EpochRecord> = Table::new("epochs");
/// The pool components of each epoch, as leaves.
pub(crate) const POOL: Table<(ScopeId, EpochNumber, ComponentId), BytesRecord> = Table::new("pool");
/// Every version of each scope's approver set.
pub(crate) const APPROVER_SETS: Table<(ScopeId, SetVersion), ApproverSetRecord> = Table::new("approver_sets");
/// The next approver set of a scope, while signatures are missing.
pub(crate) const PENDING_SETS: Table<ScopeId, PendingSetRecord> = Table::new("pending_approver_sets");
/// Every draft of each epoch.
pub(crate) const DRAFTS: Table<(ScopeId, EpochNumber, Revision), DraftRecord> = Table::new("drafts");
/// Approvals of drafts, by the signer's key name; those of drafts that are no longer current are evidence only.
pub(crate) const SIGNATURES: Table<(ScopeId, EpochNumber, Revision, KeyText), SignatureRecord> =
    Table::new("signatures");
/// Every final statement.
pub(crate) const FINALS: Table<(ScopeId, EpochNumber, Revision), FinalRecord> = Table::new("finals");
/// The chain of a scope's final statements, from 0, in the order of the statements log.
pub(crate) const CHAIN: Table<(ScopeId, u64), ChainRecord> = Table::new("statement_chain");
/// Allocations of final statements with the nodes of their trees, in blocks: see
/// [`allocation_blocks`](crate::rules::allocation_blocks).
pub(crate) const ALLOCATIONS: Table<(ScopeId, EpochNumber, Revision, KeyText), BytesRecord> =
    Table::new("allocations");
/// The people.
pub(crate) const USERS: Table<UserId, UserRecord> = Table::new("users");
/// Whose each identity is, or was, in this node.
pub(crate) const BINDINGS: Table<Identity, BindingRecord> = Table::new("bindings");
/// Every binding, rebinding and revocation of each identity, from 0.
pub(crate) const IDENTITY_EVENTS: Table<(Identity, u64), IdentityEventRecord> = Table::new("identity_events");

/// A scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ScopeRecord {
    pub(crate) key: ScopeKey,
    /// The policy document that the next epoch pins.
    pub(crate) policy: BytesRecord,
    pub(crate) base_issuance: Option<Credits>,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: FreeText,
    pub(crate) ended: bool,
    /// The final epoch whose amendment is under way.
    pub(crate) amending: Option<EpochNumber>,
}

impl Record for ScopeRecord {}

/// What people decided of one event in one epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CurationRecord {
    pub(crate) excluded: bool,
    pub(crate) weight: Option<Units>,
    pub(crate) shares: Option<Vec<(Claimant, u32)>>,
    pub(crate) reason: Option<FreeText>,
}

impl Record for CurationRecord {}

/// Final units by a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OverrideRecord {
    pub(crate) units: Units,
    pub(crate) reason: FreeText,
    /// The decision that set them.
    pub(crate) sequence: u64,
}

impl Record for OverrideRecord {}

/// Whose an identity is in a scope's decisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ScopeBindingRecord {
    pub(crate) user: Option<UserId>,
    pub(crate) last: UserId,
}

impl Record for ScopeBindingRecord {}

/// The last change of the accounts that a claimant stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClaimantChangeRecord {
    /// The decision that made it.
    pub(crate) sequence: u64,
}

impl Record for ClaimantChangeRecord {}

/// An amendment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AmendmentRecord {
    /// The decision by which it began.
    pub(crate) sequence: u64,
}

impl Record for AmendmentRecord {}

/// An epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EpochRecord {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    /// The policy document, pinned when the epoch opened.
    pub(crate) policy: BytesRecord,
    pub(crate) opened_at: Timestamp,
    pub(crate) opened_by: FreeText,
    pub(crate) closed: Option<ClosedRecord>,
    /// The revision that the next freeze takes.
    pub(crate) next_revision: Revision,
    /// The draft that is offered for approval.
    pub(crate) current_draft: Option<Revision>,
    /// The revision in force, once there is one.
    pub(crate) final_revision: Option<Revision>,
}

impl Record for EpochRecord {}

/// What closing pins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClosedRecord {
    pub(crate) at: Timestamp,
    pub(crate) by: FreeText,
    pub(crate) early: Option<FreeText>,
    /// The events log: its origin line, size and root.
    pub(crate) log_origin: String,
    pub(crate) log_size: u64,
    pub(crate) log_root: Hash,
    pub(crate) approvers: SetVersion,
}

/// A version of an approver set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ApproverSetRecord {
    /// The signed note, as the statements log holds it.
    pub(crate) note: String,
    pub(crate) leaf_hash: Hash,
    pub(crate) log_index: u64,
    pub(crate) at: Timestamp,
    pub(crate) by: FreeText,
}

impl Record for ApproverSetRecord {}

/// A proposed version of an approver set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PendingSetRecord {
    /// The text and the node's line.
    pub(crate) note: String,
    /// The lines of members that came so far.
    pub(crate) signatures: Vec<String>,
    pub(crate) at: Timestamp,
    pub(crate) by: FreeText,
}

impl Record for PendingSetRecord {}

/// A frozen draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DraftRecord {
    /// The statement and the node's line.
    pub(crate) note: String,
    /// How many of the scope's decisions it takes in.
    pub(crate) decisions_size: u64,
    pub(crate) approvers: SetVersion,
    pub(crate) sign_by: Timestamp,
    pub(crate) previous: Option<Hash>,
    pub(crate) supersedes: Option<Hash>,
    pub(crate) at: Timestamp,
    pub(crate) by: FreeText,
}

impl Record for DraftRecord {}

/// A signature of a draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SignatureRecord {
    pub(crate) line: String,
    pub(crate) received_at: Timestamp,
}

impl Record for SignatureRecord {}

/// A final statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FinalRecord {
    /// Where the statements log holds it.
    pub(crate) log_index: u64,
    /// The version of the approver set that signed it.
    pub(crate) approvers: SetVersion,
    pub(crate) text_hash: Hash,
    pub(crate) at: Timestamp,
}

impl Record for FinalRecord {}

/// A link of the chain of a scope's final statements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChainRecord {
    pub(crate) epoch: EpochNumber,
    pub(crate) revision: Revision,
    pub(crate) text_hash: Hash,
}

impl Record for ChainRecord {}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UserRecord {
    pub(crate) name: Option<FreeText>,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: FreeText,
}

impl Record for UserRecord {}

/// Whose an identity is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BindingRecord {
    /// Whose it is now.
    pub(crate) user: Option<UserId>,
    /// Whose it was last.
    pub(crate) last: UserId,
    /// The reason that its decisions give: the hash of salt and evidence.
    pub(crate) reason: FreeText,
}

impl Record for BindingRecord {}

/// What happened to an identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IdentityEventRecord {
    pub(crate) action: Action,
    pub(crate) user: UserId,
    pub(crate) before: Option<UserId>,
    /// Canonical JSON, kept apart from the decisions, which hold its salted hash.
    pub(crate) evidence: String,
    pub(crate) salt: [u8; 32],
    pub(crate) at: Timestamp,
    pub(crate) by: FreeText,
}

impl Record for IdentityEventRecord {}
