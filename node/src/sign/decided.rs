//! The decisions and bindings that an approver sees: those in force, and how many were superseded by later ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use meed_audit::allocation::Allocation;
use meed_audit::decision::{Action, Decision};
use meed_audit::dossier::Dossier;
use meed_audit::ids::Claimant;
use meed_audit::statement::Statement;

use crate::words::{counted, describe_decision, units};

/// Decisions of one kind on one subject replace each other: the last one is in force.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Whether an event counts.
    Inclusion,
    /// All others.
    Of(Action),
}

fn kind_of(action: Action) -> Kind {
    match action {
        Action::Exclude | Action::Include => Kind::Inclusion,
        Action::Withdraw => Kind::Of(Action::Override),
        other => Kind::Of(other),
    }
}

/// The decisions on the epoch that are in force; components of the pool are shown with the pool.
pub(super) fn describe(dossier: &Dossier, statement: &Statement, allocations: &[Allocation]) -> String {
    let mut in_force: BTreeMap<(Kind, &str), (u64, &Decision)> = BTreeMap::new();
    let (mut considered, mut amended) = (0_usize, BTreeMap::new());
    for (number, decision) in (0_u64..).zip(&dossier.input.decisions) {
        if decision.epoch != Some(statement.epoch) || decision.action == Action::Pool {
            continue;
        }
        considered += 1;
        let subject = decision.subject.as_str();
        match decision.action {
            Action::Amend => amended = in_force.clone(),
            // What was decided in the amendment was taken back with it.
            Action::Abandon => in_force = std::mem::take(&mut amended),
            _ => {}
        }
        if decision.action == Action::Reset {
            let kinds = [Kind::Inclusion, Kind::Of(Action::Weight), Kind::Of(Action::Shares)];
            for kind in kinds {
                in_force.remove(&(kind, subject));
            }
        }
        let place = (kind_of(decision.action), subject);
        in_force.insert(place, (number, decision));
    }
    let proposed = overridden(allocations);
    // Units set for an account that is a person's since then were set again for the person.
    in_force.retain(|_, (_, decision)| {
        decision.action != Action::Override || proposed.contains_key(decision.subject.as_str())
    });
    let superseded = considered - in_force.len();
    if in_force.is_empty() {
        return "\nNobody decided anything else on this epoch.\n".to_owned();
    }
    let mut ordered: Vec<(u64, &Decision)> = in_force.into_values().collect();
    ordered.sort_unstable_by_key(|(number, _)| *number);
    let left_out = match superseded {
        0 => String::new(),
        some => format!(" ({} superseded by later ones and left out)", counted(some, "decision")),
    };
    let mut text = format!("\n{} in force{left_out}:\n", counted(ordered.len(), "decision"));
    for (number, decision) in ordered {
        text.push_str(&describe_decision(number, decision, &statement.unit));
        if decision.action == Action::Override
            && let Some(proposed_units) = proposed.get(decision.subject.as_str())
        {
            let _ = writeln!(text, "      in place of {} units that activity gives", units(*proposed_units));
        }
    }
    text
}

/// What activity gives to those whose units a person set.
fn overridden(allocations: &[Allocation]) -> BTreeMap<String, u128> {
    let set = allocations.iter().filter(|allocation| allocation.override_reason.is_some());
    set.map(|allocation| (allocation.claimant.to_string(), allocation.proposed_units.value())).collect()
}

/// Which accounts the paid users stand for, and every other change of whose account is whose since the statement
/// before.
pub(super) fn describe_bindings(
    dossier: &Dossier,
    statement: &Statement,
    allocations: &[Allocation],
) -> String {
    let users: BTreeSet<String> = allocations
        .iter()
        .filter(|allocation| matches!(allocation.claimant, Claimant::User(_)))
        .map(|allocation| allocation.claimant.to_string())
        .collect();
    let seen = dossier.previous.as_ref().map_or(0, |previous| previous.statement.decisions.size);
    let mut bound: BTreeMap<&str, &Decision> = BTreeMap::new();
    let mut changes = String::new();
    for (number, decision) in (0_u64..).zip(&dossier.input.decisions) {
        match decision.action {
            Action::Bind | Action::Rebind => drop(bound.insert(&decision.subject, decision)),
            Action::Revoke => drop(bound.remove(decision.subject.as_str())),
            _ => continue,
        }
        if number >= seen && decision.action != Action::Bind {
            changes.push_str(&describe_decision(number, decision, &statement.unit));
        }
    }
    let mut text = String::new();
    for (account, decision) in bound {
        let user = decision.after.as_deref().unwrap_or_default();
        if users.contains(user) {
            let Decision { actor, at, reason, .. } = decision;
            let _ = writeln!(text, " {user}\n      is {account}\n      by {actor} on {at}: {reason}");
        }
    }
    if !text.is_empty() {
        text.insert_str(0, "\nWhose accounts are paid:\n");
    }
    if !changes.is_empty() {
        let before = match seen {
            0 => "in this scope so far",
            _ => "since the statement before",
        };
        let _ = write!(
            text,
            "\nBindings that were ended or moved {before}, epoch {}:\n{changes}",
            statement.epoch
        );
    }
    text
}
