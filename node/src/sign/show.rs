//! What an approver sees before signing: the payouts, and what changed since the statement before.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use meed_audit::allocation::Allocation;
use meed_audit::approvers::ApproverSetText;
use meed_audit::dossier::{Dossier, PreviousEpoch};
use meed_audit::ids::Claimant;
use meed_audit::policy::Unit;
use meed_audit::statement::Statement;

use crate::cli::console::{amount, table, units};

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
        "\n{} claimants get {} of {} {}; {} stay undistributed",
        statement.allocations_count,
        credits(statement.distributed.value()),
        credits(statement.pool_total.value()),
        unit.symbol(),
        credits(statement.undistributed.value()),
    );
    text
}

/// A recomputed draft in words: what it is, the table, the decisions behind it, and the difference.
pub fn describe_draft(dossier: &Dossier, statement: &Statement, allocations: &[Allocation]) -> String {
    let mut text = format!(
        "statement  {}\nperiod     {} to {}\nsign by    {}\n\n{}\n",
        statement.origin_line(),
        statement.period.start,
        statement.period.end,
        statement.sign_by,
        payout_table(statement, allocations)
    );
    let decisions = dossier.input.decisions.iter().filter(|decision| {
        decision.epoch == Some(statement.epoch)
            && !matches!(decision.action, meed_audit::decision::Action::Pool)
    });
    for decision in decisions {
        let action = serde_json::to_string(&decision.action).unwrap_or_default();
        let action = action.trim_matches('"');
        let after = decision.after.as_deref().map(|after| format!(" = {after}")).unwrap_or_default();
        let _ = writeln!(
            text,
            "decided by {}: {action} {}{after} ({})",
            decision.actor, decision.subject, decision.reason
        );
    }
    match &dossier.previous {
        None => text.push_str("\nThis is the first statement of its scope.\n"),
        Some(previous) => text.push_str(&difference(previous, statement, allocations)),
    }
    text
}

/// Who gets more or less than by the statement before.
fn difference(previous: &PreviousEpoch, statement: &Statement, allocations: &[Allocation]) -> String {
    let mut both: BTreeMap<&Claimant, (u128, u128)> = BTreeMap::new();
    for allocation in &previous.allocations {
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
    let origin = previous.statement.origin_line();
    if rows.is_empty() {
        return format!("\nEverybody gets what they got by {origin}.\n");
    }
    let table = table(&["claimant", "before", "now", "difference"], 1, rows);
    format!("\nDifference from {origin}:\n{table}\n")
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
