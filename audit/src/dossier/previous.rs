//! The statement before a draft: that it was approved, and that what the draft is computed from goes on from it.
//!
//! An approver sees one dossier, not the ledger. Without these checks a node could tell a later dossier another story
//! of an earlier epoch, of its window above all, which decides what is late and would be paid a second time.

use super::{Dossier, parse_note};
use crate::approve::{approve, split_node_line};
use crate::approvers::ApproverSetText;
use crate::decision::{Action, Decision};
use crate::hash::Hash;
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
    check_decisions(dossier, &statement.decisions)?;
    check_order(dossier, statement)
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

/// A draft that corrects nothing comes after it. One that corrects it has a later revision, the same policy and pool,
/// and was begun by a decision that it does not count yet (rule `CURATION_FREEZE_ON_FINALIZE`).
fn check_order(dossier: &Dossier, previous: &Statement) -> Checked<()> {
    let draft = &dossier.input.draft;
    let epoch = dossier.input.windows.last().map(|window| window.number);
    let refuse = |subject: &str, expected: String, got: String| {
        Err(Rejection::new(RejectionCode::Mismatch, subject, expected, got))
    };
    if draft.supersedes.is_none() && epoch <= Some(previous.epoch) {
        let expected = format!("an epoch after {}, or a correction", previous.epoch);
        return refuse("epoch", expected, epoch.map_or_else(String::new, |epoch| epoch.to_string()));
    }
    if epoch != Some(previous.epoch) {
        return Ok(());
    }
    let name = |hash: Option<Hash>| hash.map_or_else(|| "none".to_owned(), |hash| hash.to_hex());
    if draft.supersedes != draft.previous {
        return refuse("supersedes", name(draft.previous), name(draft.supersedes));
    }
    if draft.revision <= previous.revision {
        return refuse("revision", format!("one above {}", previous.revision), draft.revision.to_string());
    }
    let pool: Vec<Hash> = dossier.input.pool.components().map(Leaf::leaf_hash).collect();
    if merkle::root(&pool) != previous.pool.root || dossier.input.policy.hash() != previous.policy_hash {
        let expected = "the policy and the pool of the corrected statement".to_owned();
        return refuse("amendment", expected, "others".to_owned());
    }
    let counted = usize::try_from(previous.decisions.size).unwrap_or(usize::MAX);
    let is_begun = |decision: &Decision| decision.action == Action::Amend && decision.epoch == epoch;
    if !dossier.input.decisions.iter().skip(counted).any(is_begun) {
        let expected = "a decision to amend, from after the corrected statement".to_owned();
        return refuse("amendment", expected, "none".to_owned());
    }
    Ok(())
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
