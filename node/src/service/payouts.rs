//! What claimants are paid: by the statements in force, and by those that an amendment has replaced.

use meed_audit::allocation::Allocation;
use meed_audit::ids::{Claimant, EpochNumber, Revision, ScopeId};
use meed_storage::{ClaimantHistory, Snapshot, Which};

use super::parts::page;
use super::{Service, Wanted};
use crate::api::documents::{Page, PayoutItem};
use crate::client::segment;
use crate::failure::Failure;

impl Service {
    /// What a claimant gets by the statements in force, by scope and epoch. A part looks at as many epochs as it may
    /// hold payouts: it may hold fewer, or none, and still have one after it.
    ///
    /// # Errors
    /// `invalid_claimant`, `malformed`.
    pub fn payouts_of(&self, claimant: &str, wanted: &Wanted) -> Result<Page<PayoutItem>, Failure> {
        let claimant: Claimant = claimant.parse()?;
        let snapshot = self.snapshot()?;
        let part = snapshot.payouts_from(&claimant, wanted.from(read_place)?, wanted.limit())?;
        page(
            part,
            |(scope, epoch)| format!("{scope}/{epoch}"),
            |payout| payout_item(&snapshot, payout.scope, payout.allocation, None),
        )
    }

    /// As [`Service::payouts_of`], with what the statements said that an amendment has replaced: of an epoch the
    /// statement in force comes first, and each of those before it names the revision that replaced it. A statement that
    /// does not name the claimant has no item.
    ///
    /// # Errors
    /// As there.
    pub fn all_payouts_of(&self, claimant: &str, wanted: &Wanted) -> Result<Page<PayoutItem>, Failure> {
        let claimant: Claimant = claimant.parse()?;
        let snapshot = self.snapshot()?;
        let begin = wanted.from(read_begin)?;
        let place = begin.map(|(place, _)| place);
        let part = snapshot.payout_history_from(&claimant, place, wanted.limit())?;
        let mut items = Vec::new();
        for ClaimantHistory { scope, epoch, revisions } in part.items {
            let newest = begin.filter(|(place, _)| *place == (scope, epoch)).and_then(|(_, newest)| newest);
            let mut replaced_by = None;
            for (revision, allocation) in revisions.into_iter().rev() {
                let superseded_by = replaced_by.replace(revision);
                let Some(allocation) = allocation.filter(|_| newest.is_none_or(|newest| revision <= newest))
                else {
                    continue;
                };
                if items.len() == wanted.limit() {
                    return Ok(Page { items, next: Some(format!("{scope}/{epoch}/{revision}")) });
                }
                items.push(payout_item(&snapshot, scope, allocation, superseded_by)?);
            }
        }
        Ok(Page { items, next: part.next.map(|(scope, epoch)| format!("{scope}/{epoch}")) })
    }
}

fn payout_item(
    snapshot: &Snapshot,
    scope: ScopeId,
    allocation: Allocation,
    superseded_by: Option<Revision>,
) -> Result<PayoutItem, Failure> {
    let which = Which::Revision(allocation.revision);
    let last = snapshot.final_statement(scope, allocation.epoch, which)?.statement;
    let (scope, epoch) = (last.scope_key.to_string(), allocation.epoch.get());
    let claimant = allocation.claimant.to_string();
    Ok(PayoutItem {
        statement: last.origin_line(),
        proof: proof_path(&scope, epoch, allocation.revision.get(), &claimant),
        superseded_by: superseded_by.map(Revision::get),
        scope,
        epoch,
        unit: last.unit.symbol().to_owned(),
        decimals: last.unit.decimals(),
        allocation,
    })
}

/// Where the proof file of a claimant is, by a final revision.
pub(crate) fn proof_path(scope: &str, epoch: u64, revision: u64, claimant: &str) -> String {
    format!("/api/v1/scopes/{scope}/epochs/{epoch}/proofs/{}?revision={revision}", segment(claimant))
}

/// An epoch of a scope.
type Place = (ScopeId, EpochNumber);

/// Where a list of payouts goes on.
pub(super) fn read_place(text: &str) -> Option<Place> {
    let (scope, epoch) = text.split_once('/')?;
    Some((scope.parse().ok()?, EpochNumber::new(epoch.parse().ok()?).ok()?))
}

/// Where a list goes on that can end within an epoch: there, with this revision.
fn read_begin(text: &str) -> Option<(Place, Option<Revision>)> {
    match text.match_indices('/').nth(1) {
        None => Some((read_place(text)?, None)),
        Some((end, _)) => {
            let revision = Revision::new(text.get(end + 1..)?.parse().ok()?).ok()?;
            Some((read_place(text.get(..end)?)?, Some(revision)))
        }
    }
}
