//! Curation and overrides: what people decide of an epoch's events and claimants.

use meed_audit::decision::{Change, Decision};
use meed_audit::ids::{Claimant, EpochNumber, EventId, ScopeId};
use meed_audit::text::FreeText;
use meed_audit::window::assign;
use meed_audit::{Rejection, RejectionCode};

use crate::events::EventReader;
use crate::ledger::Ledger;
use crate::rules::decisions::{self, Intent};
use crate::rules::epochs::{check_mutable, epoch_record, windows};
use crate::rules::identities::check_user;
use crate::rules::record::{By, LedgerResult, refuse};
use crate::rules::scopes::scope_record;
use crate::rules::tables::SCOPE_BINDINGS;
use crate::table::Reader;
use crate::transaction::Transaction;

impl Ledger {
    /// Makes one decision on an epoch's events or claimants, while it is open, in review or being amended: exclude,
    /// include, weight, shares, override, or take back what was decided (rule `DECISIONS_RECORDED`). Gives it with its
    /// sequence.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `event_not_found`, `user_not_found`, `epoch_finalized`, `scope_ended`,
    /// `override_claimant_moved` for a bound identity, `nothing_to_change`; `unknown_field` for a change that has its own command.
    pub fn decide(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        change: Change,
        reason: FreeText,
        by: By,
    ) -> LedgerResult<(u64, Decision)> {
        self.decide_all(scope, epoch, vec![change], reason, by).and_then(|made| {
            made.into_iter().next().ok_or_else(|| {
                Rejection::new(RejectionCode::MissingField, "change", "one change", "none").into()
            })
        })
    }

    /// Makes several decisions with one reason, all or none.
    ///
    /// # Errors
    /// As [`Ledger::decide`], for the first change that is refused.
    pub fn decide_all(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        changes: Vec<Change>,
        reason: FreeText,
        by: By,
    ) -> LedgerResult<Vec<(u64, Decision)>> {
        self.run(move |tx| {
            for change in &changes {
                check_change(tx, scope, epoch, change)?;
            }
            let ended = scope_record(tx, scope)?.ended;
            let intent = Intent { scope, epoch: Some(epoch), reason: &reason, by: &by };
            Ok(decisions::prepare_in(tx, &intent, ended, changes)?.write(tx)?)
        })
    }
}

fn check_change(tx: &Transaction, scope: ScopeId, epoch: EpochNumber, change: &Change) -> LedgerResult<()> {
    let owner = scope_record(tx, scope)?;
    let record = epoch_record(tx, scope, epoch)?;
    match change {
        Change::Exclude(event) | Change::Include(event) | Change::Weight(event, _) | Change::Reset(event) => {
            check_event(tx, scope, epoch, event)?;
        }
        Change::Shares(event, shares) => {
            check_event(tx, scope, epoch, event)?;
            shares.keys().try_for_each(|claimant| check_claimant(tx, claimant))?;
        }
        Change::Override(claimant, _) => {
            check_claimant(tx, claimant)?;
            check_unbound(tx, scope, claimant)?;
        }
        Change::Withdraw(_) => {}
        other => {
            let expected = "exclude, include, weight, shares, reset, override or withdraw";
            let got = format!("{:?}", other.action());
            return refuse(Rejection::new(RejectionCode::UnknownField, "change", expected, got));
        }
    }
    check_mutable(&owner, epoch, &record)
}

/// Who is named as a user must be one of this node.
fn check_claimant(tx: &Transaction, claimant: &Claimant) -> LedgerResult<()> {
    match claimant {
        Claimant::User(user) => check_user(tx, *user).map(|_| ()),
        Claimant::Identity(_) => Ok(()),
    }
}

/// An override of an identity that is somebody's would keep the epoch from being frozen.
fn check_unbound(tx: &Transaction, scope: ScopeId, claimant: &Claimant) -> LedgerResult<()> {
    let Claimant::Identity(identity) = claimant else { return Ok(()) };
    let bound = tx.get(SCOPE_BINDINGS, &(scope, identity.clone()))?.and_then(|record| record.user);
    match bound {
        None => Ok(()),
        Some(user) => {
            let subject = format!("override of {claimant}");
            let expected = format!("an override of user:{user}, whose it is");
            refuse(Rejection::new(RejectionCode::OverrideClaimantMoved, subject, expected, "the identity"))
        }
    }
}

/// The event must be one of this epoch of this scope (rules `EPOCH_BY_EVENT_TIME`, `SCOPE_GATED_QUERIES`).
fn check_event(tx: &Transaction, scope: ScopeId, epoch: EpochNumber, id: &EventId) -> LedgerResult<()> {
    let expected = format!("an event of epoch {epoch}");
    let refusal =
        |got: String| Rejection::new(RejectionCode::EventNotFound, id.as_str(), expected.clone(), got);
    let Some(event) = tx.event_in_scope(scope, id)? else {
        return refuse(refusal("no such event in this scope".to_owned()));
    };
    let windows = windows(tx, scope, None)?;
    match assign(&windows, event.event.event_time, event.index) {
        Some(assignment) if assignment.epoch == epoch => Ok(()),
        Some(assignment) => refuse(refusal(format!("one of epoch {}", assignment.epoch))),
        None => refuse(refusal("one that no epoch has taken".to_owned())),
    }
}
