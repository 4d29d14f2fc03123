//! The chain of a scope's statements, back to its first: what it says of earlier epochs was approved, and nothing else
//! that a dossier says of them counts.
//!
//! Each statement names the one before by its hash. So whoever signed the last one signed for all of them, and the
//! windows of earlier epochs, which decide what is late, cannot be told another way to a later approver.

use super::Dossier;
use super::previous::{check_scope, check_window, draft_epoch, name_hash, refuse};
use crate::decision::Action;
use crate::hash::Hash;
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::statement::Statement;

impl Dossier {
    /// The scope's statements before the draft, in the order of the chain.
    pub(super) fn chain(&self) -> impl DoubleEndedIterator<Item = &Statement> {
        self.earlier.iter().chain(self.previous.iter().map(|previous| &previous.statement))
    }
}

/// Checks that the earlier statements lead from the previous one to the scope's first, and that they and the windows
/// agree.
pub(super) fn check_chain(dossier: &Dossier) -> Checked<()> {
    let mut named = dossier.previous.as_ref().and_then(|previous| previous.statement.previous);
    for statement in dossier.earlier.iter().rev() {
        let subject = "earlier statement";
        let hash = statement.text_hash();
        if named != Some(hash) {
            return refuse(
                subject,
                format!("the one that the next one names, {}", name_hash(named)),
                hash.to_hex(),
            );
        }
        check_scope(dossier, subject, statement)?;
        check_window(dossier, statement)?;
        named = statement.previous;
    }
    dossier.chain().try_for_each(|statement| check_abandoned(dossier, statement))?;
    match named {
        None => check_pinned(dossier),
        Some(hash) => {
            refuse("earlier statements", format!("the one that is named, {hash}"), "none".to_owned())
        }
    }
}

/// What is final is not taken back: an amendment is given up before its statement, so that the next one of the epoch is
/// begun before any is given up after it.
fn check_abandoned(dossier: &Dossier, statement: &Statement) -> Checked<()> {
    let counted = usize::try_from(statement.decisions.size).unwrap_or(usize::MAX);
    let later = dossier.input.decisions.iter().skip(counted);
    let mut own = later.filter(|decision| decision.epoch == Some(statement.epoch));
    let next = own.find(|decision| matches!(decision.action, Action::Amend | Action::Abandon));
    if next.is_none_or(|decision| decision.action == Action::Amend) {
        return Ok(());
    }
    let subject = format!("amendment of epoch {}", statement.epoch);
    let expected = "one that was begun after the statement, to be given up";
    Err(Rejection::new(RejectionCode::Mismatch, subject, expected, "one that is final"))
}

/// Every epoch before the draft's is final, so that its window stands in a statement.
fn check_pinned(dossier: &Dossier) -> Checked<()> {
    let epochs: std::collections::BTreeSet<_> = dossier.chain().map(|statement| statement.epoch).collect();
    let earlier = dossier.input.windows.split_last().map_or(&[][..], |(_, earlier)| earlier);
    match earlier.iter().find(|window| !epochs.contains(&window.number)) {
        None => Ok(()),
        Some(window) => {
            let subject = format!("window of epoch {}", window.number);
            let expected = "a final statement of the epoch";
            Err(Rejection::new(RejectionCode::InputIncomplete, subject, expected, "none"))
        }
    }
}

/// A draft corrects the last statement of its epoch, where there is one.
pub(super) fn check_latest(dossier: &Dossier) -> Checked<()> {
    let epoch = draft_epoch(dossier);
    let last = dossier.chain().rev().find(|statement| Some(statement.epoch) == epoch);
    let (last, supersedes) = (last.map(Statement::text_hash), dossier.input.draft.supersedes);
    if last == supersedes {
        return Ok(());
    }
    let describe = |hash: Option<Hash>| format!("the last statement of the epoch, {}", name_hash(hash));
    refuse("supersedes", describe(last), name_hash(supersedes))
}
