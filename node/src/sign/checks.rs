//! What must hold before a key signs: membership, order, time, and that nothing contradicts what it saw before.

use std::collections::BTreeMap;

use meed_audit::RejectionCode;
use meed_audit::allocation::Allocation;
use meed_audit::approve::{signing_window, split_node_line};
use meed_audit::approvers::ApproverSetText;
use meed_audit::dossier::Dossier;
use meed_audit::hash::Hash;
use meed_audit::leaf::Leaf;
use meed_audit::merkle::TreeBuilder;
use meed_audit::statement::Statement;
use meed_audit::time::Timestamp;
use meed_keys::{Note, PublicKey, VerifierKey};

use super::state::{Seen, Signed};
use crate::failure::{Failure, reject};

/// How a scope is named in the memory.
pub(super) fn scope_name(statement: &Statement) -> String {
    format!("{}/{}", statement.node, statement.scope)
}

/// How an epoch is named in the memory.
pub(super) fn epoch_name(statement: &Statement) -> String {
    format!("{}/{}", scope_name(statement), statement.epoch)
}

/// The place of an approver set: one text for an origin and size.
pub(super) fn set_place(set: &ApproverSetText) -> String {
    format!("{} {}", set.origin_line(), set.version)
}

/// The key is one of the set that the statement names.
pub(super) fn check_member(set: &ApproverSetText, key: &VerifierKey) -> Result<(), Failure> {
    if set.set.approvers().contains(key) {
        return Ok(());
    }
    let names: Vec<&str> = set.set.approvers().iter().map(|member| member.name().as_str()).collect();
    let expected = format!("a key of the approver set, {}", names.join(", "));
    Err(reject(RejectionCode::SignerUnknown, "key", expected, key))
}

/// Leaves ascend strictly by claimant: what every absence proof rests on.
pub(super) fn check_order(allocations: &[Allocation]) -> Result<(), Failure> {
    let wrong = allocations.windows(2).find_map(|pair| match pair {
        [a, b] if a.claimant.to_string() >= b.claimant.to_string() => Some((&a.claimant, &b.claimant)),
        _ => None,
    });
    match wrong {
        None => Ok(()),
        Some((a, b)) => {
            let expected = "claimants in strictly ascending order";
            Err(reject(RejectionCode::Mismatch, "allocations", expected, format!("{a} before {b}")))
        }
    }
}

/// Now is after the period began and not after Sign By.
pub(super) fn check_time(statement: &Statement, now: Timestamp) -> Result<(), Failure> {
    // A signature carries whole seconds.
    let signed_ms = i64::try_from(now.as_seconds()).unwrap_or(i64::MAX).saturating_mul(1_000);
    let window = signing_window(statement);
    if signed_ms <= window.after_ms {
        let expected = format!("a time after {}", statement.period.start);
        return Err(reject(RejectionCode::SignatureOutOfTime, "now", expected, now));
    }
    if signed_ms > window.until_ms {
        let expected = format!("a time not after {}", statement.sign_by);
        return Err(reject(RejectionCode::SignByPassed, "Sign By", expected, now));
    }
    Ok(())
}

/// One text an origin, and never a lower revision.
pub(super) fn check_statement_memory(signed: &Signed, statement: &Statement) -> Result<(), Failure> {
    signed.check_text(&statement.origin_line(), &statement.text_hash())?;
    signed.check_revision(&epoch_name(statement), statement.revision.get())
}

/// The node's key is the one seen before, and events log and decisions extend what was seen.
pub(super) fn check_growth(signed: &Signed, dossier: &Dossier, statement: &Statement) -> Result<(), Failure> {
    let Some(seen) = signed.seen(&scope_name(statement)) else { return Ok(()) };
    let log_key = key_hex(dossier.log_key.public_key());
    if log_key != seen.log_key {
        let expected = format!("the one seen before, {}", seen.log_key);
        return Err(reject(RejectionCode::Mismatch, "the node's log key", expected, log_key));
    }
    check_decisions(seen, dossier)?;
    check_events(seen, dossier, statement)
}

/// The first decisions give the root that was seen over as many.
fn check_decisions(seen: &Seen, dossier: &Dossier) -> Result<(), Failure> {
    let decisions = &dossier.input.decisions;
    let size = usize::try_from(seen.decisions_size).unwrap_or(usize::MAX);
    let refuse = |got: String| {
        let expected = format!("the {size} decisions that were seen, and later ones after them");
        reject(RejectionCode::ConsistencyInvalid, "decisions", expected, got)
    };
    let Some(first) = decisions.get(..size) else {
        return Err(refuse(format!("{} decisions", decisions.len())));
    };
    let mut tree = TreeBuilder::new();
    for decision in first {
        tree.push(decision.leaf_hash(), &mut |_, _, _| {});
    }
    if tree.finish(&mut |_, _, _| {}) == seen.decisions_root {
        return Ok(());
    }
    Err(refuse("others among them".to_owned()))
}

/// The events log at the statement's size is one with every size that was seen, by the dossier's consistency proofs,
/// which recomputing has checked.
fn check_events(seen: &Seen, dossier: &Dossier, statement: &Statement) -> Result<(), Failure> {
    let (size, root) = (statement.events.size, statement.events.root);
    let refuse = |expected: String, got: String| {
        reject(RejectionCode::ConsistencyInvalid, "events log", expected, got)
    };
    if let Some(known) = seen.events.get(&size) {
        if *known == root {
            return Ok(());
        }
        let expected = format!("root {} at size {size}, as seen before", known.to_base64());
        return Err(refuse(expected, root.to_base64()));
    }
    // The nearest size that was seen stands for all: they were shown to be of one log when they were signed.
    let (from, to) = match seen.events.range(..size).next_back() {
        Some((below, below_root)) => ((*below, *below_root), (size, root)),
        None => match seen.events.range(size..).next() {
            Some((above, above_root)) => ((size, root), (*above, *above_root)),
            None => return Ok(()),
        },
    };
    if from.0 == 0 || leads(dossier, from, to) {
        return Ok(());
    }
    let expected = format!("a proof that the log at size {} grew from that at size {}", to.0, from.0);
    Err(refuse(expected, "none in the dossier".to_owned()))
}

/// Whether the dossier's growth records lead from one size and root to another.
fn leads(dossier: &Dossier, from: (u64, Hash), to: (u64, Hash)) -> bool {
    let steps: BTreeMap<(u64, Hash), Vec<(u64, Hash)>> =
        dossier.growth.iter().fold(BTreeMap::new(), |mut steps, growth| {
            let next: &mut Vec<_> = steps.entry((growth.from_size, growth.from_root)).or_default();
            next.push((growth.to_size, growth.to_root));
            steps
        });
    let mut reached = vec![from];
    let mut position = 0;
    while let Some(at) = reached.get(position).copied() {
        if at == to {
            return true;
        }
        for next in steps.get(&at).into_iter().flatten() {
            if !reached.contains(next) {
                reached.push(*next);
            }
        }
        position += 1;
    }
    false
}

/// What is remembered of a scope once its statement is signed: of the events log also the sizes of earlier epochs, from
/// which recomputing has shown it to have grown, so that an amendment of one of them can be held to them.
pub(super) fn seen_of(dossier: &Dossier, statement: &Statement) -> Seen {
    let mut events = BTreeMap::from([(statement.events.size, statement.events.root)]);
    for growth in &dossier.growth {
        events.entry(growth.from_size).or_insert(growth.from_root);
        events.entry(growth.to_size).or_insert(growth.to_root);
    }
    Seen {
        log_key: key_hex(dossier.log_key.public_key()),
        events,
        decisions_size: statement.decisions.size,
        decisions_root: statement.decisions.root,
        approvers: dossier.input.approvers.to_string(),
    }
}

fn key_hex(key: &PublicKey) -> String {
    key.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The approver set that this key saw in force, where it has signed for the scope before.
pub(super) fn known_set(signed: &Signed, set: &ApproverSetText) -> Result<Option<ApproverSetText>, Failure> {
    let scope = format!("{}/{}", set.node, set.scope);
    Ok(signed.seen(&scope).map(|seen| seen.approvers.parse()).transpose()?)
}

/// A proposed set: later than the one that is known, of the known node, and this key's business.
pub(super) fn check_set(
    signed: &Signed,
    set: &ApproverSetText,
    before: Option<&ApproverSetText>,
    note: Option<&Note>,
    key: &VerifierKey,
) -> Result<(), Failure> {
    signed.check_text(&set_place(set), &set.text_hash())?;
    if let Some(before) = before
        && set.version <= before.version
    {
        let expected = format!("a version above {}", before.version);
        return Err(reject(RejectionCode::Mismatch, "approver set", expected, set.version));
    }
    let is_old = before.is_some_and(|before| before.set.approvers().contains(key));
    if !is_old && !set.set.approvers().contains(key) {
        let expected = "a key of the proposed set, or of the set before";
        return Err(reject(RejectionCode::SignerUnknown, "key", expected, key));
    }
    let seen = signed.seen(&format!("{}/{}", set.node, set.scope));
    if let (Some(seen), Some(note)) = (seen, note) {
        let public_key = read_key(&seen.log_key)?;
        split_node_line(note, &set.origin_line(), &public_key)?;
    }
    Ok(())
}

fn read_key(hex: &str) -> Result<PublicKey, Failure> {
    let damaged = || {
        Failure::refused(
            "signed_file",
            "the log key in the memory is damaged",
            "restore the file from your copy",
        )
    };
    let hash = Hash::from_hex(hex).map_err(|_| damaged())?;
    PublicKey::from_bytes(hash.as_bytes()).map_err(|_| damaged())
}
