//! The rules of the ledger, each holding in the transaction that it guards.
//!
//! A command prepares (reads and decides, and may refuse) and then writes (and may only fail). Whatever a person
//! changes becomes a decision of its scope in the same transaction. Amounts are computed by `meed_audit` alone.

mod allocation_blocks;
mod allocations;
mod amendments;
mod approver_candidate;
mod approvers;
mod compute;
mod curation;
mod decided;
mod decisions;
mod deliveries;
mod dossiers;
mod drafts;
mod epoch_steps;
mod epochs;
mod erase;
mod finalize;
mod first_window;
mod fsck;
mod identities;
mod input;
mod later;
mod notes;
mod own_accounts;
mod paging;
mod pool;
mod proofs;
mod proposals;
mod record;
mod reports;
mod run;
mod run_id;
mod runs;
mod schedules;
mod scopes;
mod signatures;
mod still_needed;
mod tables;
mod tokens;
mod unbound;

pub use allocations::{ClaimantHistory, ClaimantPayout};
pub use approvers::{ApproverSetOutcome, ApproverSetVersion, PendingApproverSet};
pub use deliveries::DELIVERY_DAYS_KEPT;
pub use drafts::Draft;
pub use epoch_steps::{CloseTerms, OpenTerms};
pub use epochs::{Epoch, EpochClose, Phase};
pub use erase::Erased;
pub use finalize::{FinalStatement, FinalizeTerms};
pub use first_window::LeftBehind;
pub use fsck::FsckStep;
pub use identities::{Binding, Bound, EVIDENCE_BYTES_MAX, Evidence, IdentityEvent, User};
pub use input::{SIGN_BY_DAYS_DEFAULT, SIGN_BY_DAYS_MAX, Which};
pub use paging::Part;
pub use pool::Added;
pub use proofs::ProofFrame;
pub use proposals::{CuratedEvent, PreviewTerms, Proposal};
pub use record::{By, BytesRecord, LedgerResult};
pub use reports::SourceReport;
pub use run::{NewRun, Run, RunEnd, RunState, RunStep, StepState};
pub use run_id::RunId;
pub use runs::{RUN_ATTEMPTS_MAX, RUN_BYTES_MAX, RUN_SHORT_STEP_BYTES, RUN_STEPS_MAX, RUN_TEXT_BYTES_MAX};
pub use schedules::{Pause, PauseCause, Reconciled, Schedule, ScheduleProblem, ScheduleTerms};
pub use scopes::{BASE_ISSUANCE_ALGORITHM, Scope, ScopeChange, ScopeTerms};
pub use signatures::DraftSignature;
pub use tokens::{Role, Token};
pub use unbound::UnboundAccount;

/// Whether events may enter for these scopes: asked by `Transaction::append` before it decides about any of them.
pub(crate) fn check_append(
    reader: &impl crate::table::RawReader,
    scopes: &[meed_audit::ids::ScopeId],
) -> LedgerResult<()> {
    scopes.iter().try_for_each(|scope| scopes::living_scope(reader, *scope).map(|_| ()))
}
