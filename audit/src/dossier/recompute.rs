//! Computing a dossier's draft again, and checking what its statement rests on.

use std::collections::BTreeMap;

use super::previous::check_history;
use super::{Dossier, LogGrowth};
use crate::approve::{parse_note, split_node_line};
use crate::approvers::ApproverSetText;
use crate::close::{ClosedEpoch, close};
use crate::hash::Hash;
use crate::merkle;
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::statement::Statement;

impl Dossier {
    /// Recomputes the draft and compares every byte with the statement that is offered; checks the approver set's
    /// chain from its first version, and that the events log grew by appending only over the scope's statements.
    ///
    /// # Errors
    /// `recomputation_differs` with the first line that differs; else the rejection of what is wrong.
    pub fn recompute(&self) -> Checked<ClosedEpoch> {
        let closed = close(&self.input)?;
        let note = parse_note("statement", &self.note)?;
        compare_texts(note.text().as_str(), &closed.statement.to_string())?;
        split_node_line(&note, &closed.statement.origin_line(), self.log_key.public_key())?;
        let sets = self.check_approver_chain()?;
        self.check_growths()?;
        check_history(self, &sets)?;
        Ok(closed)
    }

    /// The growths lead from the size that each epoch pinned to that of the next, the last to this statement's root,
    /// and all statements before are on their way.
    fn check_growths(&self) -> Checked<()> {
        let refuse = |expected: String, got: String| {
            Rejection::new(RejectionCode::ConsistencyInvalid, "events log", expected, got)
        };
        let sizes: Vec<u64> =
            self.input.windows.iter().map(|window| window.log_size.unwrap_or_default()).collect();
        if self.growth.len() + 1 != sizes.len() {
            let expected = format!("{} growths, from epoch to epoch", sizes.len().saturating_sub(1));
            return Err(refuse(expected, self.growth.len().to_string()));
        }
        // Where there is one window, an amendment of epoch 1, its root is the statement's own.
        let mut roots = vec![self.growth.first().map_or(self.input.events_root, |growth| growth.from_root)];
        for (pair, growth) in sizes.windows(2).zip(&self.growth) {
            if pair != [growth.from_size, growth.to_size] {
                let got = format!("from {} to {}", growth.from_size, growth.to_size);
                return Err(refuse(format!("growth between the pinned sizes {pair:?}"), got));
            }
            if roots.last().is_some_and(|root| *root != growth.from_root) {
                return Err(refuse(format!("one root at size {}", growth.from_size), "two".to_owned()));
            }
            roots.push(growth.to_root);
            check_growth(growth)?;
        }
        if roots.last().is_some_and(|root| *root != self.input.events_root) {
            return Err(refuse("growth to the statement's root".to_owned(), "another root".to_owned()));
        }
        let known: BTreeMap<u64, Hash> = (1..).zip(roots).collect();
        let contradicts = |statement: &Statement| {
            known.get(&statement.epoch.get()).is_some_and(|root| *root != statement.events.root)
        };
        match self.chain().find(|statement| contradicts(statement)) {
            Some(statement) => {
                let expected = format!("the root of the statement {}", statement.origin_line());
                Err(refuse(expected, "another root".to_owned()))
            }
            None => Ok(()),
        }
    }

    /// The scope's approver sets, each of which follows from the one before.
    fn check_approver_chain(&self) -> Checked<Vec<ApproverSetText>> {
        let mut leaves = Vec::new();
        let mut sets: Vec<ApproverSetText> = Vec::new();
        for text in &self.approver_notes {
            let note = parse_note("approver set", text)?;
            let next: ApproverSetText = note.text().as_str().parse()?;
            let node_key = self.log_key.public_key();
            match sets.last() {
                None => {
                    let (_, others) = split_node_line(&note, &next.origin_line(), node_key)?;
                    if !others.is_empty() {
                        return Err(Rejection::new(
                            RejectionCode::SignerUnknown,
                            "approver set",
                            "version 1 signed by the node alone",
                            format!("{} signatures more", others.len()),
                        ));
                    }
                    let name = self.input.name.clone();
                    if ApproverSetText::next(&name, &[], next.set.clone())? != next {
                        let got = next.version;
                        return Err(Rejection::new(
                            RejectionCode::Mismatch,
                            "approver set",
                            "version 1 of the scope",
                            got,
                        ));
                    }
                }
                Some(current) => current.check_successor(&leaves, &next, &note, node_key)?,
            }
            leaves.push(next.leaf_hash());
            sets.push(next);
        }
        Ok(sets)
    }
}

/// Compares the text of a statement with the one that was computed again, and names the first line that differs.
///
/// # Errors
/// `recomputation_differs`.
pub fn compare_texts(offered: &str, recomputed: &str) -> Checked<()> {
    if offered == recomputed {
        return Ok(());
    }
    let pairs = recomputed.lines().zip(offered.lines());
    let (expected, got) = pairs
        .into_iter()
        .find(|(a, b)| a != b)
        .unwrap_or(("the same number of lines", "another number of lines"));
    Err(Rejection::new(RejectionCode::RecomputationDiffers, "statement", expected, got))
}

fn check_growth(growth: &LogGrowth) -> Checked<()> {
    merkle::verify_consistency(
        growth.from_size,
        &growth.from_root,
        growth.to_size,
        &growth.to_root,
        &growth.path,
    )
    .map_err(|error| {
        let subject = format!("events log from {} to {}", growth.from_size, growth.to_size);
        Rejection::new(RejectionCode::ConsistencyInvalid, subject, "a log that only grew", error)
    })
}
