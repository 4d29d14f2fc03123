//! The statement before a draft, and the one that it supersedes: that they were approved, and that what the draft is
//! computed from goes on from them.
//!
//! An approver sees one dossier, not the ledger. Without these checks a node could tell a later dossier another story
//! of an earlier epoch, of its window above all, which decides what is late and would be paid a second time.

use super::chain::{check_chain, check_latest};
use super::{Dossier, PreviousEpoch, incomplete};
use crate::allocation::Allocation;
use crate::approve::{approve, parse_note, split_node_line};
use crate::approvers::ApproverSetText;
use crate::decision::{Action, Decision};
use crate::hash::Hash;
use crate::ids::EpochNumber;
use crate::leaf::Leaf;
use crate::merkle;
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::statement::{Statement, TreeHead};

/// A final statement as the lines of a dossier give it.
#[derive(Default)]
pub(super) struct GivenStatement {
    note: Option<String>,
    allocations: Vec<Allocation>,
}

impl GivenStatement {
    pub(super) fn set_note(&mut self, note: String) -> Checked<()> {
        match self.note.replace(note) {
            None => Ok(()),
            Some(_) => Err(incomplete("one statement of this kind", "another")),
        }
    }

    pub(super) fn add_allocation(&mut self, leaf: &str) -> Checked<()> {
        self.allocations.push(Allocation::decode(leaf.as_bytes())?);
        Ok(())
    }

    /// The statement, where there is one. Its allocations must give its root.
    pub(super) fn finish(self, what: &str) -> Checked<Option<PreviousEpoch>> {
        let Some(note) = self.note else {
            if self.allocations.is_empty() {
                return Ok(None);
            }
            let expected = format!("a {what} statement with its allocations");
            return Err(incomplete(&expected, "allocations only"));
        };
        let allocations = self.allocations;
        let name = format!("{what} statement");
        let statement: Statement = parse_note(&name, &note)?.text().as_str().parse()?;
        let mut hashes = vec![statement.leaf_zero_hash()];
        hashes.extend(allocations.iter().map(Leaf::leaf_hash));
        if merkle::root(&hashes) == statement.root {
            return Ok(Some(PreviousEpoch { note, statement, allocations }));
        }
        let subject = format!("{what} allocations");
        let expected = format!("those of the {name}");
        Err(Rejection::new(RejectionCode::InclusionInvalid, subject, expected, "others"))
    }
}

/// Checks the statements that the draft names, against the scope's approver sets and the draft's input.
pub(super) fn check_history(dossier: &Dossier, sets: &[ApproverSetText]) -> Checked<()> {
    let (previous, supersedes) = (dossier.input.draft.previous, dossier.input.draft.supersedes);
    // Where the draft corrects the last statement of all, one of the two stands for both.
    let other = supersedes.filter(|_| supersedes != previous);
    check_named("previous", previous, dossier.previous.as_ref())?;
    check_named("superseded", other, dossier.superseded.as_ref())?;
    for (name, before) in
        [("previous statement", &dossier.previous), ("superseded statement", &dossier.superseded)]
    {
        if let Some(before) = before {
            check_statement(dossier, name, before, sets)?;
        }
    }
    check_chain(dossier)?;
    if let Some(previous) = &dossier.previous {
        check_after(dossier, &previous.statement)?;
    }
    check_latest(dossier)?;
    match dossier.superseded.as_ref().or(dossier.previous.as_ref()) {
        Some(corrected) if supersedes.is_some() => check_corrects(dossier, &corrected.statement),
        _ => Ok(()),
    }
}

/// The statement that is given is the one that the draft names.
fn check_named(subject: &str, named: Option<Hash>, given: Option<&PreviousEpoch>) -> Checked<()> {
    let given = given.map(|before| before.statement.text_hash());
    if named == given {
        return Ok(());
    }
    refuse(subject, format!("the statement that the draft names, {}", name_hash(named)), name_hash(given))
}

fn check_statement(
    dossier: &Dossier,
    name: &str,
    before: &PreviousEpoch,
    sets: &[ApproverSetText],
) -> Checked<()> {
    let statement = &before.statement;
    check_scope(dossier, name, statement)?;
    check_approved(dossier, &before.note, statement, sets).map_err(|rejection| rejection.within(name))?;
    check_window(dossier, statement)?;
    check_decisions(dossier, &statement.decisions)
}

pub(super) fn check_scope(dossier: &Dossier, subject: &str, statement: &Statement) -> Checked<()> {
    let name = &dossier.input.name;
    let expected = format!("{}/{} of node {}", name.origin, name.key, name.node);
    let got = format!("{}/{} of node {}", statement.origin, statement.scope_key, statement.node);
    if expected == got && statement.scope == name.id() {
        return Ok(());
    }
    Err(Rejection::new(RejectionCode::Mismatch, subject, expected, got))
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
pub(super) fn check_window(dossier: &Dossier, statement: &Statement) -> Checked<()> {
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

/// A draft that corrects nothing comes after the statement before.
fn check_after(dossier: &Dossier, previous: &Statement) -> Checked<()> {
    let draft = &dossier.input.draft;
    let epoch = draft_epoch(dossier);
    if draft.supersedes.is_none() && epoch <= Some(previous.epoch) {
        let expected = format!("an epoch after {}, or a correction", previous.epoch);
        return refuse("epoch", expected, name_epoch(epoch));
    }
    Ok(())
}

/// What corrects a statement is of its epoch, has a later revision, the same policy and pool, and was begun by a
/// decision that the corrected statement does not count yet (rule `CURATION_FREEZE_ON_FINALIZE`).
fn check_corrects(dossier: &Dossier, corrected: &Statement) -> Checked<()> {
    let draft = &dossier.input.draft;
    let epoch = draft_epoch(dossier);
    if epoch != Some(corrected.epoch) {
        return refuse(
            "supersedes",
            format!("a statement of epoch {}", name_epoch(epoch)),
            corrected.epoch.to_string(),
        );
    }
    if draft.revision <= corrected.revision {
        return refuse("revision", format!("one above {}", corrected.revision), draft.revision.to_string());
    }
    let pool: Vec<Hash> = dossier.input.pool.components().map(Leaf::leaf_hash).collect();
    if merkle::root(&pool) != corrected.pool.root || dossier.input.policy.hash() != corrected.policy_hash {
        let expected = "the policy and the pool of the corrected statement".to_owned();
        return refuse("amendment", expected, "others".to_owned());
    }
    let counted = usize::try_from(corrected.decisions.size).unwrap_or(usize::MAX);
    let is_begun = |decision: &Decision| decision.action == Action::Amend && decision.epoch == epoch;
    if !dossier.input.decisions.iter().skip(counted).any(is_begun) {
        let expected = "a decision to amend, from after the corrected statement".to_owned();
        return refuse("amendment", expected, "none".to_owned());
    }
    Ok(())
}

pub(super) fn draft_epoch(dossier: &Dossier) -> Option<EpochNumber> {
    dossier.input.windows.last().map(|window| window.number)
}

fn name_epoch(epoch: Option<EpochNumber>) -> String {
    epoch.map_or_else(|| "none".to_owned(), |epoch| epoch.to_string())
}

pub(super) fn name_hash(hash: Option<Hash>) -> String {
    hash.map_or_else(|| "none".to_owned(), |hash| hash.to_hex())
}

pub(super) fn refuse(subject: &str, expected: String, got: String) -> Checked<()> {
    Err(Rejection::new(RejectionCode::Mismatch, subject, expected, got))
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
