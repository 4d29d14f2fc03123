//! Allocations, proofs, trust files, exports.

use meed_audit::allocation::Allocation;
use meed_audit::ids::{Claimant, SetVersion};
use meed_audit::leaf::Leaf;
use meed_audit::policy::Unit;
use meed_storage::{KeyText, Part, Which};

use super::views::Amounts;
use super::{Service, Wanted};
use crate::api::documents::AllocationsView;
use crate::failure::Failure;
use crate::words::{amount, units};

/// The header of an export as CSV.
const CSV_HEADER: &str =
    "claimant,credits,final_units,proposed_units,events,override_reason,amount,unit,units\n";

/// How allocations are exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportKind {
    /// A header and a line for each claimant (RFC 4180).
    Csv,
    /// The array of allocation leaves.
    Json,
}

impl Service {
    /// The allocations of a final statement or of the draft that is offered, by claimant; where no revision is named
    /// those in force, or those that a freeze would give now. Of those alone whose key begins with `prefix`, where there is
    /// one.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `statement_not_found`, `invalid_text`.
    pub fn allocations(
        &self,
        key: &str,
        epoch: u64,
        revision: Option<u64>,
        (prefix, wanted): (&str, &Wanted),
    ) -> Result<AllocationsView, Failure> {
        let sight = self.sight(key, epoch)?;
        let from = wanted.text().filter(|from| *from > prefix).unwrap_or(prefix);
        let unit = &sight.epoch.policy.unit;
        let (symbol, decimals) = (unit.symbol().to_owned(), unit.decimals());
        let amounts = sight.amounts(revision)?;
        let (part, claimants, pool_total, undistributed) = if let Amounts::Final(revision) = amounts {
            let (scope, epoch, which) = (sight.place.scope, sight.place.epoch, Which::Revision(revision));
            let last = sight.snapshot.final_statement(scope, epoch, which)?.statement;
            let from: KeyText = from.parse()?;
            let part = sight.snapshot.allocations_from(scope, epoch, which, &from, wanted.limit())?;
            (part, last.allocations_count, last.pool_total, last.undistributed)
        } else {
            let proposed = self.proposed(key, epoch, amounts.draft())?;
            let proposal = &proposed.proposal;
            let part = part_of(&proposal.allocations, from, wanted.limit());
            let claimants = u64::try_from(proposal.allocations.len()).unwrap_or(u64::MAX);
            (part, claimants, proposal.pool_total, proposal.undistributed)
        };
        let Part { mut items, next } = part;
        let begins = |claimant: &Claimant| claimant.to_string().starts_with(prefix);
        items.retain(|allocation| begins(&allocation.claimant));
        let next = next.filter(begins).map(|claimant| claimant.to_string());
        Ok(AllocationsView {
            revision: amounts.revision().map(|revision| revision.get()),
            items,
            next,
            claimants,
            pool_total,
            undistributed,
            unit: symbol,
            decimals,
        })
    }

    /// The largest of the allocations that [`Service::allocations`] gives, the largest first: at most 100.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `statement_not_found`.
    pub fn largest_allocations(
        &self,
        key: &str,
        epoch: u64,
        revision: Option<u64>,
    ) -> Result<Vec<Allocation>, Failure> {
        let sight = self.sight(key, epoch)?;
        match sight.amounts(revision)? {
            Amounts::Final(revision) => {
                let place = (sight.place.scope, sight.place.epoch);
                Ok(self.largest_final(&sight.snapshot, place, revision)?.to_vec())
            }
            amounts => Ok(self.proposed(key, epoch, amounts.draft())?.largest.clone()),
        }
    }

    /// The proof file of a claimant, and bytes that no other proof file has; `since` is the version of the
    /// approver set that the reader's trust file pins.
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
    ) -> Result<(Vec<u8>, Vec<u8>), Failure> {
        let name = claimant.as_bytes();
        let claimant: Claimant = claimant.parse()?;
        let since = since.map_or(Ok(SetVersion::FIRST), SetVersion::new)?;
        let view = self.ledger.view()?;
        let kept = self.frame(&view, (key.to_owned(), epoch, revision, since))?;
        Ok((view.proof_file(&kept.frame, &claimant)?, [kept.digest.as_ref(), name].concat()))
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
}

/// The allocations from a text on, of those that are in memory.
fn part_of(all: &[Allocation], from: &str, limit: usize) -> Part<Allocation, Claimant> {
    let start = all.partition_point(|allocation| allocation.claimant.to_string().as_str() < from);
    let rest = all.get(start..).unwrap_or(&[]);
    let items = rest.get(..limit).unwrap_or(rest).to_vec();
    let next = rest.get(items.len()).map(|allocation| allocation.claimant.clone());
    Part { items, next }
}

/// Writes rows of an export, with what comes before the first of all and after the last.
///
/// A line of CSV has first what a recomputation wants, integers in the smallest unit and in milli-units; then the same
/// as people say it: the amount in the scope's unit, that unit, and the units.
pub(super) fn write_rows(
    (kind, unit): (ExportKind, &Unit),
    rows: &[Allocation],
    (is_first, is_last): (bool, bool),
    out: &mut Vec<u8>,
) {
    if is_first {
        out.extend_from_slice(match kind {
            ExportKind::Csv => CSV_HEADER.as_bytes(),
            ExportKind::Json => b"[",
        });
    }
    for (position, row) in rows.iter().enumerate() {
        match kind {
            ExportKind::Csv => out.extend(csv_line(row, unit).into_bytes()),
            ExportKind::Json => {
                if position > 0 || !is_first {
                    out.push(b',');
                }
                out.extend(row.encode());
            }
        }
    }
    if is_last && kind == ExportKind::Json {
        out.extend_from_slice(b"]\n");
    }
}

fn csv_line(allocation: &Allocation, unit: &Unit) -> String {
    let reason = allocation.override_reason.as_ref().map_or(String::new(), |reason| quote(reason.as_str()));
    let Allocation { claimant, credits, final_units, proposed_units, events, .. } = allocation;
    let (amount, symbol) = (amount(credits.value(), unit.decimals()), quote(unit.symbol()));
    let units = units(final_units.value());
    format!(
        "{claimant},{credits},{final_units},{proposed_units},{events},{reason},{amount},{symbol},{units}\n"
    )
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
