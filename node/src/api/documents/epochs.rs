//! Epochs, drafts and signatures.

use meed_audit::amount::{Credits, Units};
use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{is_false, is_zero};

/// `POST /scopes/{key}/epochs`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenRequest {
    /// A time in the window.
    pub at: String,
    /// How many windows are left out since the last epoch's; before the first one, since that of the earliest event.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub skip: u64,
    /// Whether the window may begin after now.
    #[serde(skip_serializing_if = "is_false", default)]
    pub ahead: bool,
}

impl OpenRequest {
    /// The time that somebody typed: a day alone, as `2026-11-10`, is its first moment in UTC.
    pub fn moment(typed: &str) -> String {
        let is_day = typed.len() == "2026-11-10".len()
            && typed.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        if is_day { format!("{typed}T00:00:00Z") } else { typed.to_owned() }
    }
}

/// `POST /…/{n}/close`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseRequest {
    /// Why it is closed before its window has ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub early: Option<String>,
    /// Why it is closed although its sources have more than was collected.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub accept_gap: Option<String>,
}

/// `POST /…/{n}/drafts`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezeRequest {
    /// How long signatures are taken.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sign_by_days: Option<u32>,
    /// Takes the next revision although nothing has changed.
    #[serde(skip_serializing_if = "is_false", default)]
    pub again: bool,
}

/// `POST /…/{n}/finalize`.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FinalizeRequest {
    /// Whether the draft becomes final although decisions were made after it, which it does not hold.
    #[serde(skip_serializing_if = "is_false", default)]
    pub leave_out_later: bool,
}

/// `POST /…/{n}/amendments` and `POST /…/{n}/amendments/abandon`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AmendRequest {
    /// Why.
    pub reason: String,
}

/// An epoch.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EpochView {
    /// The scope's name.
    pub scope: String,
    /// The number, from 1.
    pub epoch: u64,
    /// First moment of the window.
    #[schema(value_type = String)]
    pub period_start: Timestamp,
    /// First moment after it.
    #[schema(value_type = String)]
    pub period_end: Timestamp,
    /// `open`, `review` or `finalized`.
    pub phase: String,
    /// The unit's symbol.
    pub unit: String,
    /// The unit's decimals.
    pub decimals: u8,
    /// SHA-256 of the policy document, in hex.
    pub policy_hash: String,
    /// The pool so far.
    #[schema(value_type = String)]
    pub pool_total: Credits,
    /// Events that it has.
    pub events: u64,
    /// When it was opened.
    #[schema(value_type = String)]
    pub opened_at: Timestamp,
    /// Who opened it.
    #[schema(value_type = String)]
    pub opened_by: FreeText,
    /// What closing pinned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub closed: Option<ClosedView>,
    /// The revision of the draft that is offered for approval.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub current_draft: Option<u64>,
    /// How many decisions that concern the epoch came after that draft, which does not hold them: freeze again to have
    /// them count.
    #[serde(default)]
    pub later_decisions: u64,
    /// Overrides that a freeze refuses, because the accounts of their claimants have changed since: at most 100 of them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub stale_overrides: Vec<StaleOverrideView>,
    /// The revision in force.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub final_revision: Option<u64>,
    /// Whether an amendment is under way.
    pub amending: bool,
    /// Who goes without, where the scope pays users alone and some accounts are nobody's: by the statement in force, else
    /// by the decisions of now. Only in answers about one epoch, and not in lists.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unbound: Option<UnboundView>,
}

/// Accounts that get nothing for their work because they are bound to nobody.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct UnboundView {
    /// How many there are.
    pub accounts: u64,
    /// The milli-units that go to nobody.
    #[schema(value_type = String)]
    pub units: Units,
    /// Those with the most units, at most 20.
    pub largest: Vec<UnboundAccountView>,
    /// What to do about it.
    pub remedy: String,
}

/// One of them.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct UnboundAccountView {
    /// The account.
    pub identity: String,
    /// What its source calls it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// Its milli-units.
    #[schema(value_type = String)]
    pub units: Units,
    /// How many events they come from.
    pub events: u64,
}

/// An override that has to be stated again before the epoch can be frozen.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StaleOverrideView {
    /// For whom it was made.
    pub claimant: String,
    /// For whom it is to be made again: the same, or the user whose the identity is by now.
    pub now: String,
    /// What changed since.
    pub changed: String,
}

/// What closing pinned.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ClosedView {
    /// When.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// Who.
    #[schema(value_type = String)]
    pub by: FreeText,
    /// Why it was closed before its window had ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub early: Option<FreeText>,
    /// Why it was closed although its sources have more than was collected, where it was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub accepted_gap: Option<FreeText>,
    /// The origin line of the events log.
    pub events_log: String,
    /// Its size.
    pub events_size: u64,
    /// Its root, in base64.
    pub events_root: String,
    /// The version of the approver set in force then.
    pub approvers_version: u64,
}

/// A draft.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DraftView {
    /// The scope's name.
    pub scope: String,
    /// The epoch.
    pub epoch: u64,
    /// The revision.
    pub revision: u64,
    /// SHA-256 of the statement's text, in hex.
    pub text_hash: String,
    /// The last moment at which an approval counts.
    #[schema(value_type = String)]
    pub sign_by: Timestamp,
    /// k of the set that must approve.
    pub threshold: u8,
    /// n of that set.
    pub members: u8,
    /// The signed note: the text and the node's line.
    pub note: String,
    /// In the answer to a freeze: whether nothing had changed, so that this draft was offered already.
    #[serde(skip_serializing_if = "is_false", default)]
    pub unchanged: bool,
    /// In the answer to a freeze: who goes without in it, where the scope pays users alone and some accounts are nobody's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unbound: Option<UnboundView>,
}

/// A signature of a draft.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SignatureView {
    /// The revision that was signed.
    pub revision: u64,
    /// The approver's key name.
    pub name: String,
    /// The signature line.
    pub line: String,
    /// Whether it counts for the draft that is offered, or, where none is, for the statement in force.
    pub counts: bool,
    /// Whether it is one of those by which the statement in force became final.
    #[serde(default)]
    pub in_force: bool,
}

/// An approver of the draft that is offered.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SignerView {
    /// The key name.
    pub name: String,
    /// Whether their signature of the draft is there.
    pub signed: bool,
}

/// The signatures of an epoch.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SignaturesView {
    /// The revision of the current draft, or of the statement in force.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revision: Option<u64>,
    /// k.
    pub threshold: u8,
    /// How many approvals count.
    pub approvals: u64,
    /// All that came.
    pub signatures: Vec<SignatureView>,
}
