//! The statement before a draft: that it was approved, and that what the draft is computed from goes on from it.
//!
//! An approver sees one dossier, not the ledger. Without these checks a node could tell a later dossier another story
//! of an earlier epoch, of its window above all, which decides what is late and would be paid a second time.

use super::{Dossier, parse_note};
use crate::approve::{approve, split_node_line};
use crate::approvers::ApproverSetText;
use crate::leaf::Leaf;
use crate::merkle;
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::statement::{Statement, TreeHead};

/// Checks the statement before, if there is one, against the scope's approver sets and the draft's input.
pub(super) fn check_previous(dossier: &Dossier, sets: &[ApproverSetText]) -> Checked<()> {
    let Some(previous) = &dossier.previous else { return Ok(()) };
    let statement = &previous.statement;
    check_scope(dossier, statement)?;
    check_approved(dossier, &previous.note, statement, sets)
        .map_err(|rejection| rejection.within("previous statement"))?;
    check_window(dossier, statement)?;
    check_decisions(dossier, &statement.decisions)
}

fn check_scope(dossier: &Dossier, statement: &Statement) -> Checked<()> {
    let name = &dossier.input.name;
    let expected = format!("{}/{} of node {}", name.origin, name.key, name.node);
    let got = format!("{}/{} of node {}", statement.origin, statement.scope_key, statement.node);
    if expected == got && statement.scope == name.id() {
        return Ok(());
    }
    Err(Rejection::new(RejectionCode::Mismatch, "previous statement", expected, got))
}

/// The node issued it, and k of n of the set that it names approved it.
fn check_approved(
    dossier: &Dossier,
    note: &str,
    statement: &Statement,
    sets: &[ApproverSetText],
) -> Checked<()> {
    let note = parse_note("note", note)?;
    let node_key = dossier.log_key.public_key();
    let (_, approvals) = split_node_line(&note, &statement.origin_line(), node_key)?;
    let version = statement.approvers.version;
    let set = sets.iter().find(|set| set.version == version).ok_or_else(|| {
        let expected = format!("version {version} of the approver set");
        Rejection::new(RejectionCode::InputIncomplete, "approvers", expected, "none")
    })?;
    approve(statement, set, &approvals).map(|_| ())
}

/// Its epoch's window and pinned size are those of the draft's windows. An amendment may come after later epochs,
/// which are not among them.
fn check_window(dossier: &Dossier, statement: &Statement) -> Checked<()> {
    let own = dossier.input.windows.iter().find(|window| window.number == statement.epoch);
    match own {
        Some(window)
            if window.period != statement.period || window.log_size != Some(statement.events.size) =>
        {
            let describe = |start, end, size| format!("{start} to {end} with {size} events in the log");
            let period = statement.period;
            let expected = describe(period.start, period.end, statement.events.size);
            let got = describe(window.period.start, window.period.end, window.log_size.unwrap_or_default());
            let subject = format!("window of epoch {}", statement.epoch);
            Err(Rejection::new(RejectionCode::Mismatch, subject, expected, got))
        }
        _ => Ok(()),
    }
}

/// The decisions begin with those that it counts.
fn check_decisions(dossier: &Dossier, head: &TreeHead) -> Checked<()> {
    let decisions = &dossier.input.decisions;
    let first = usize::try_from(head.size).ok().and_then(|size| decisions.get(..size));
    let root = first.map(|first| merkle::root(&first.iter().map(Leaf::leaf_hash).collect::<Vec<_>>()));
    if root == Some(head.root) {
        return Ok(());
    }
    let expected = format!("the {} decisions of the statement before, and later ones after them", head.size);
    let got = format!("{} decisions that begin otherwise", decisions.len());
    Err(Rejection::new(RejectionCode::ConsistencyInvalid, "decisions", expected, got))
}
