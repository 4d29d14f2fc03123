//! What an approver sees before signing: pool, decisions, bindings and payouts, and what changed since the statement
//! before or, for an amendment, since the one that it supersedes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use meed_audit::allocation::Allocation;
use meed_audit::approvers::ApproverSetText;
use meed_audit::decision::Action;
use meed_audit::dossier::{Dossier, PreviousEpoch};
use meed_audit::ids::Claimant;
use meed_audit::policy::Unit;
use meed_audit::statement::Statement;

use super::decided;
use crate::words::{amount, counted, fit, table, units};

/// The payouts of a statement as a table, and a line with their sum.
pub fn payout_table(statement: &Statement, allocations: &[Allocation]) -> String {
    let unit = &statement.unit;
    let credits = |value: u128| amount(value, unit.decimals());
    let rows = allocations.iter().map(|allocation| {
        vec![
            allocation.claimant.to_string(),
            units(allocation.final_units.value()),
            allocation.events.to_string(),
            credits(allocation.credits.value()),
        ]
    });
    let mut text = table(&["claimant", "units", "events", unit.symbol()], 1, rows);
    let _ = write!(
        text,
        "\n{} of {} {} go to {}; {} stay undistributed",
        credits(statement.distributed.value()),
        credits(statement.pool_total.value()),
        unit.symbol(),
        counted(statement.allocations_count, "claimant"),
        credits(statement.undistributed.value()),
    );
    text
}

/// A recomputed draft in words: what it is, the pool, the decisions and bindings behind it, the payouts, and the
/// difference from the statement that it is to be compared with.
pub fn describe_draft(dossier: &Dossier, statement: &Statement, allocations: &[Allocation]) -> String {
    let mut text = format!(
        "scope      {} {} of {}\nepoch      {} revision {}\nwindow     {} to {}\nsign by    {}\nstatement  {}\n\n{}",
        statement.scope_key,
        statement.scope,
        statement.origin,
        statement.epoch,
        statement.revision,
        statement.period.start,
        statement.period.end,
        statement.sign_by,
        statement.origin_line(),
        pool_table(dossier, statement),
    );
    text.push_str(&decided::describe(dossier, statement, allocations));
    text.push_str(&decided::describe_bindings(dossier, statement, allocations));
    let _ = write!(text, "\n{}\n", payout_table(statement, allocations));
    let _ = writeln!(
        text,
        "Names are no part of what is signed, nor of the dossier. On the node they are shown beside the keys:\n  \
         `meed activity --scope {} --epoch {}`",
        statement.scope_key, statement.epoch
    );
    match (statement.supersedes, dossier.superseded.as_ref().or(dossier.previous.as_ref())) {
        (_, None) => text.push_str("\nThis is the first statement of its scope.\n"),
        (Some(_), Some(superseded)) => {
            text.push_str(&difference(
                "the statement that this one supersedes",
                superseded,
                statement,
                allocations,
            ));
        }
        (None, Some(previous)) => {
            text.push_str(&difference("the statement before", previous, statement, allocations));
        }
    }
    fit(&text)
}

/// The pool's components with their evidence and who added them, and their sum.
fn pool_table(dossier: &Dossier, statement: &Statement) -> String {
    let unit = &statement.unit;
    let pool = &dossier.input.pool;
    let rows = pool.components().map(|component| {
        let decision = dossier.input.decisions.iter().find(|decision| {
            decision.action == Action::Pool
                && decision.epoch == Some(statement.epoch)
                && decision.subject == component.component.to_string()
        });
        let evidence = component.evidence_ref.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
        let added =
            decision.map_or_else(|| "the scope's terms".to_owned(), |decision| decision.actor.to_string());
        let amount = amount(component.amount.value(), unit.decimals());
        vec![component.component.to_string(), evidence, added, amount]
    });
    let table = table(&["pool component", "evidence", "added by", unit.symbol()], 3, rows);
    let total = amount(statement.pool_total.value(), unit.decimals());
    format!("{table}\n the pool is {total} {} in all\n", unit.symbol())
}

/// Who gets more or less than by an earlier statement.
fn difference(
    what: &str,
    earlier: &PreviousEpoch,
    statement: &Statement,
    allocations: &[Allocation],
) -> String {
    let mut both: BTreeMap<&Claimant, (u128, u128)> = BTreeMap::new();
    for allocation in &earlier.allocations {
        both.entry(&allocation.claimant).or_default().0 = allocation.credits.value();
    }
    for allocation in allocations {
        both.entry(&allocation.claimant).or_default().1 = allocation.credits.value();
    }
    let changed = both.into_iter().filter(|(_, (before, after))| before != after);
    let decimals = statement.unit.decimals();
    let rows: Vec<Vec<String>> = changed
        .map(|(claimant, (before, after))| {
            vec![
                claimant.to_string(),
                amount(before, decimals),
                amount(after, decimals),
                signed_difference(before, after, &statement.unit),
            ]
        })
        .collect();
    let origin = earlier.statement.origin_line();
    if rows.is_empty() {
        return format!("\nEverybody gets what they got by {what}, {origin}.\n");
    }
    let table = table(&["claimant", "before", "now", "difference"], 1, rows);
    format!("\nDifference from {what}, {origin}:\n{table}\n")
}

fn signed_difference(before: u128, after: u128, unit: &Unit) -> String {
    let sign = if after >= before { '+' } else { '-' };
    format!("{sign}{}", amount(after.abs_diff(before), unit.decimals()))
}

/// An approver set that is proposed, and what changes where the set before is known.
pub fn describe_set(proposed: &ApproverSetText, before: Option<&ApproverSetText>) -> String {
    let set = &proposed.set;
    let mut text = format!(
        "approver set  {} version {}\nthreshold     {} of {}\n",
        proposed.origin_line(),
        proposed.version,
        set.threshold(),
        set.len()
    );
    for key in set.approvers() {
        let known = before.is_none_or(|before| before.set.approvers().contains(key));
        let _ = writeln!(text, "  {}{key}", if known { "" } else { "new: " });
    }
    let Some(before) = before else {
        text.push_str("This key has signed nothing of the scope yet: the set before is not known here.\n");
        return text;
    };
    for key in before.set.approvers().iter().filter(|key| !set.approvers().contains(key)) {
        let _ = writeln!(text, "  leaves: {key}");
    }
    if before.set.threshold() != set.threshold() || before.set.len() != set.len() {
        let (k, n) = (before.set.threshold(), before.set.len());
        let _ = writeln!(text, "  the threshold was {k} of {n}");
    }
    text
}
