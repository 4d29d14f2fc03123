//! Allocations, proofs, trust files, exports.

use std::fmt::Write as _;

use meed_audit::allocation::Allocation;
use meed_audit::ids::{Claimant, SetVersion};
use meed_audit::leaf::Leaf;
use meed_storage::{Phase, Snapshot, Which};

use super::{Place, Service, which_final};
use crate::api::documents::{AllocationsView, PayoutItem};
use crate::failure::Failure;

/// Allocations read from the ledger at once.
const PAGE_ALLOCATIONS: usize = 10_000;

/// How allocations are exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportKind {
    /// A header and a line for each claimant.
    Csv,
    /// The array of allocation leaves.
    Json,
}

impl Service {
    /// The allocations of a final epoch, or those that a freeze would give now.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`.
    pub fn allocations(
        &self,
        key: &str,
        epoch: u64,
        revision: Option<u64>,
        (from, limit): (u64, u64),
    ) -> Result<AllocationsView, Failure> {
        let (snapshot, place) = self.place(key, epoch)?;
        let state = snapshot.epoch(place.scope, place.epoch)?;
        let (symbol, decimals) = (state.policy.unit.symbol().to_owned(), state.policy.unit.decimals());
        let is_final = revision.is_some() || (state.phase == Phase::Finalized && !state.amending);
        let (revision, all, pool_total, undistributed) = if is_final {
            let which = which_final(revision)?;
            let last = snapshot.final_statement(place.scope, place.epoch, which)?.statement;
            let all = all_allocations(&snapshot, &place, which)?;
            (Some(last.revision.get()), all, last.pool_total, last.undistributed)
        } else {
            let proposal = snapshot.proposal(place.scope, place.epoch)?;
            (None, proposal.allocations, proposal.pool_total, proposal.undistributed)
        };
        let (items, next) = super::outcome::page(all, from, limit);
        Ok(AllocationsView { revision, items, next, pool_total, undistributed, unit: symbol, decimals })
    }

    /// What a claimant gets by the statements in force.
    ///
    /// # Errors
    /// `invalid_claimant`.
    pub fn payouts_of(&self, claimant: &str) -> Result<Vec<PayoutItem>, Failure> {
        let claimant: Claimant = claimant.parse()?;
        let snapshot = self.snapshot()?;
        let mut items = Vec::new();
        for payout in snapshot.payouts_of(&claimant)? {
            let allocation = payout.allocation;
            let which = Which::Revision(allocation.revision);
            let last = snapshot.final_statement(payout.scope, allocation.epoch, which)?;
            let statement = last.statement.origin_line();
            items.push(PayoutItem { statement, epoch: allocation.epoch.get(), allocation });
        }
        Ok(items)
    }

    /// The proof file of a claimant; `since` is the version of the approver set that the reader's trust file pins.
    ///
    /// # Errors
    /// `statement_not_found`, `invalid_claimant`.
    pub fn proof(
        &self,
        key: &str,
        epoch: u64,
        claimant: &str,
        revision: Option<u64>,
        since: Option<u64>,
    ) -> Result<Vec<u8>, Failure> {
        let claimant: Claimant = claimant.parse()?;
        let since = since.map_or(Ok(SetVersion::FIRST), SetVersion::new)?;
        let snapshot = self.snapshot()?;
        let frame = self.frame(&snapshot, (key.to_owned(), epoch, revision, since))?;
        Ok(snapshot.proof_within(&frame, &claimant)?.to_file())
    }

    /// The trust file of a scope.
    ///
    /// # Errors
    /// `scope_not_found`, `approvers_missing`.
    pub fn trust(&self, key: &str) -> Result<String, Failure> {
        let snapshot = self.snapshot()?;
        let (_, scope) = Self::scope_id(&snapshot, key)?;
        Ok(snapshot.trust(scope, None)?.to_toml()?)
    }

    /// The allocations of a final statement for other programs.
    ///
    /// # Errors
    /// `statement_not_found`.
    pub fn export(
        &self,
        key: &str,
        epoch: u64,
        revision: Option<u64>,
        kind: ExportKind,
    ) -> Result<Vec<u8>, Failure> {
        let (snapshot, place) = self.place(key, epoch)?;
        let all = all_allocations(&snapshot, &place, which_final(revision)?)?;
        Ok(match kind {
            ExportKind::Csv => to_csv(&all).into_bytes(),
            ExportKind::Json => to_json(&all),
        })
    }
}

fn all_allocations(snapshot: &Snapshot, place: &Place, which: Which) -> Result<Vec<Allocation>, Failure> {
    let mut all: Vec<Allocation> = Vec::new();
    loop {
        let after = all.last().map(|allocation| allocation.claimant.clone());
        let page = snapshot.allocations(place.scope, place.epoch, which, after.as_ref(), PAGE_ALLOCATIONS)?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

fn to_json(allocations: &[Allocation]) -> Vec<u8> {
    let mut bytes = b"[".to_vec();
    for (position, allocation) in allocations.iter().enumerate() {
        if position > 0 {
            bytes.push(b',');
        }
        bytes.extend(allocation.encode());
    }
    bytes.extend(b"]\n");
    bytes
}

fn to_csv(allocations: &[Allocation]) -> String {
    let mut text = "claimant,credits,final_units,proposed_units,events,override_reason\n".to_owned();
    for allocation in allocations {
        let reason =
            allocation.override_reason.as_ref().map_or(String::new(), |reason| quote(reason.as_str()));
        let Allocation { claimant, credits, final_units, proposed_units, events, .. } = allocation;
        // Writing into a text cannot fail.
        let _ = writeln!(text, "{claimant},{credits},{final_units},{proposed_units},{events},{reason}");
    }
    text
}

/// A field of free text: always in quotes, and never one that a spreadsheet takes for a formula.
fn quote(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn free_text_is_one_field_and_no_formula() {
        assert_eq!(quote("on call, all week"), "\"on call, all week\"");
        assert_eq!(quote("say \"yes\""), "\"say \"\"yes\"\"\"");
        assert_eq!(quote("=HYPERLINK(1)"), "\"'=HYPERLINK(1)\"");
    }
}
