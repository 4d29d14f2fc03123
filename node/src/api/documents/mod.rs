//! The JSON documents that requests and answers are: `snake_case`, amounts as decimal strings, counts as numbers.
//!
//! Requests refuse unknown fields. Domain texts (ids, amounts, times) come as strings and are parsed by the service, so
//! that their refusals name the field, what was expected and what came.

mod activity;
mod care;
mod decisions;
mod epochs;
mod leaves;
mod people;
mod runs;
mod scopes;
mod sign_in;
mod statements;
mod tokens;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use activity::{
    ActivityItem, AuthorView, CollectRequest, CollectView, ConflictView, DeliveryView, ImportView, LateView,
    SkippedView, StoredView, UnweightedView,
};
pub use care::{
    BackupRequest, BackupView, CheckpointView, CompactView, EraseRequest, ErasedView, FsckProblem, FsckView,
    NodeView, ResumeRequest,
};
pub use decisions::{
    AllocatedView, AllocationRequest, CurationRequest, DecisionView, PoolAddedView, PoolRequest, PoolView,
};
pub use epochs::{
    AmendRequest, CloseRequest, ClosedView, DraftView, EpochView, FinalizeRequest, FreezeRequest,
    OpenRequest, SignatureView, SignaturesView, SignerView, StaleOverrideView, UnboundAccountView,
    UnboundView,
};
pub(crate) use leaves::{AllocationLeaf, ProofFile};
pub use people::{BindRequest, BoundView, IdentityView, RebindRequest, RevokeRequest, UserRequest, UserView};
pub use runs::{FirstWindowView, RunStepView, RunView, ScheduleProblemView, ScheduleView, SourceView};
pub use scopes::{
    ApproverSetView, ApproversRequest, ApproversView, PendingSetView, ReasonRequest, ScopeApproversView,
    ScopeChangeRequest, ScopeRequest, ScopeView,
};
pub use sign_in::{
    ChallengeRequest, ChallengeView, JoinRequest, MeView, SessionView, SignInRequest, SignedOutView,
};
pub use statements::{
    AllocationsView, FinalView, OtherKeyView, OtherKeysView, PayoutItem, PreviewView, StatementView,
    VerificationView,
};
pub use tokens::{SecretView, TokenRequest, TokenView};

/// A part of a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The `from` of the next part, to be sent back as it is; none at the end.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<String>,
}

/// Whether a flag is left out of a document.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Whether a count is left out of a document.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
pub(crate) fn is_zero(count: &u64) -> bool {
    *count == 0
}
