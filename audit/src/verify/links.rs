//! What each link of the chain demands: checks without state, each of one thing.

use std::collections::BTreeSet;

use meed_keys::{Note, PublicKey, SignatureLine, VerifierKey, VerifyError, limits};

use super::LogView;
use crate::allocation::Allocation;
use crate::approve::{Approved, node_verifier, parse_note, split_node_line};
use crate::approvers::ApproverSetText;
use crate::checkpoint::{Checkpoint, parse_checkpoint};
use crate::hash::{Hash, leaf_hash};
use crate::ids::Claimant;
use crate::leaf::Leaf;
use crate::merkle::{MerkleError, verify_inclusion};
use crate::proof::{APPROVER_SETS_MAX, AbsenceProof, parse_tlog_proof};
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::statement::Statement;
use crate::tlog_proof::TlogProof;
use crate::trust::Trust;

pub(super) fn read_statement(note: &str, trust: &Trust) -> Checked<(Note, Statement)> {
    let note = parse_note("statement", note)?;
    let statement: Statement = note.text().as_str().parse()?;
    let expected = format!("node {} and scope {}/{}", trust.node(), trust.origin(), trust.scope());
    let got = format!("node {} and scope {}/{}", statement.node, statement.origin, statement.scope_key);
    if expected != got || statement.scope != trust.approver_set().scope {
        return Err(Rejection::new(RejectionCode::Mismatch, "statement", expected, got));
    }
    Ok((note, statement))
}

/// Reads the log's checkpoint, which a log key signed, and the witnesses' keys that cosigned it.
pub(super) fn read_log(text: &str, trust: &Trust) -> Checked<(LogView, BTreeSet<PublicKey>)> {
    let proof = parse_tlog_proof("log", text)?;
    if proof.extra().is_some() {
        return Err(Rejection::new(
            RejectionCode::UnknownField,
            "log",
            "a tlog-proof without extra",
            "an extra line",
        ));
    }
    let note = parse_note("log checkpoint", proof.note())?;
    let checkpoint = parse_checkpoint("log checkpoint", note.text().as_str())?;
    if !checkpoint.extension().is_empty() {
        let expected = "a checkpoint without extension lines";
        return Err(Rejection::new(RejectionCode::Malformed, "log checkpoint", expected, "extension lines"));
    }
    let signed = verify_checkpoint(&note, &checkpoint, trust)?;
    let view = LogView {
        origin: checkpoint.origin().to_owned(),
        size: checkpoint.size(),
        root: *checkpoint.root(),
        note: proof.note().to_owned(),
        proof,
    };
    Ok((view, signed))
}

pub(super) fn verify_checkpoint(
    note: &Note,
    checkpoint: &Checkpoint,
    trust: &Trust,
) -> Checked<BTreeSet<PublicKey>> {
    let is_valid_at = |until: Option<u64>| until.is_none_or(|until| checkpoint.size() <= until);
    let logs: Vec<VerifierKey> = trust
        .log_keys()
        .iter()
        .filter(|entry| entry.key.name().as_str() == checkpoint.origin() && is_valid_at(entry.until_size))
        .map(|entry| entry.key.clone())
        .collect();
    let mut known = logs.clone();
    known.extend(trust.policy().witnesses().cloned());
    let verified = note
        .verify_known(&known, limits::MAX_UNKNOWN_SIGNATURES)
        .map_err(|error| checkpoint_rejection(&error))?;
    let (by_log, by_witnesses): (Vec<_>, Vec<_>) =
        verified.iter().partition(|signature| logs.contains(signature.key()));
    if !by_log.is_empty() {
        return Ok(by_witnesses.iter().map(|signature| *signature.key().public_key()).collect());
    }
    let expected = format!(
        "a signature of {} by a log key that held at size {}",
        checkpoint.origin(),
        checkpoint.size()
    );
    Err(Rejection::new(RejectionCode::SignerUnknown, "log checkpoint", expected, "none"))
}

/// What a checkpoint's signatures that do not verify mean for people.
fn checkpoint_rejection(error: &VerifyError) -> Rejection {
    let (code, expected) = match error {
        VerifyError::UnknownSigner { .. } | VerifyError::NoKnownSigner { .. } => {
            (RejectionCode::SignerUnknown, "a signature by a key of the trust file")
        }
        VerifyError::Repeated { .. } => (RejectionCode::SignerTwice, "one signature a key"),
        VerifyError::Invalid { .. } => (RejectionCode::SignatureInvalid, "valid signatures of known keys"),
        VerifyError::TooManyUnknown { .. } => (RejectionCode::TooMany, "few signatures of unknown keys"),
    };
    Rejection::new(code, "log checkpoint", expected, error)
}

pub(super) fn check_witnesses(cosigners: &BTreeSet<PublicKey>, trust: &Trust) -> Checked<String> {
    if !trust.policy().wants_witnesses() {
        return Ok("the trust file wants no witnesses, so that others may be shown another log".to_owned());
    }
    if trust.policy().is_satisfied_by(cosigners) {
        return Ok("the trust file's quorum of witnesses has cosigned the checkpoint".to_owned());
    }
    let count = trust.policy().witnesses().filter(|key| cosigners.contains(key.public_key())).count();
    let got = format!("{count} witnesses that do not reach it");
    Err(Rejection::new(RejectionCode::QuorumMissing, "witnesses", "the trust file's quorum", got))
}

/// Follows the approver sets from the trust file's to the statement's, each logged before the statement.
pub(super) fn follow_sets(
    statement: &Statement,
    log: &LogView,
    approver_sets: &[String],
    trust: &Trust,
) -> Checked<ApproverSetText> {
    if approver_sets.len() > APPROVER_SETS_MAX {
        let expected = format!("at most {APPROVER_SETS_MAX}");
        return Err(Rejection::new(RejectionCode::TooMany, "approver_sets", expected, approver_sets.len()));
    }
    let mut current = trust.approver_set().clone();
    let mut leaves = trust.approver_set_leaves().to_vec();
    for (position, text) in approver_sets.iter().enumerate() {
        let subject = format!("approver_sets[{position}]");
        let next = follow_set(&current, &leaves, text, log, trust)
            .map_err(|rejection| rejection.within(&subject))?;
        leaves.push(next.leaf_hash());
        current = next;
    }
    let wanted = &statement.approvers;
    if wanted.version == current.version && wanted.text_hash == current.text_hash() {
        return Ok(current);
    }
    let expected = format!("version {} with hash {}", wanted.version, wanted.text_hash.to_hex());
    let got = format!("version {} with hash {}", current.version, current.text_hash().to_hex());
    Err(Rejection::new(RejectionCode::Mismatch, "approver set", expected, got))
}

pub(super) fn follow_set(
    current: &ApproverSetText,
    leaves: &[Hash],
    text: &str,
    log: &LogView,
    trust: &Trust,
) -> Checked<ApproverSetText> {
    let proof = parse_tlog_proof("approver set", text)?;
    let signed = proof.extra().ok_or_else(|| {
        Rejection::new(RejectionCode::MissingField, "extra", "the signed approver set", "none")
    })?;
    if proof.note() != log.note {
        return Err(Rejection::new(
            RejectionCode::Mismatch,
            "checkpoint",
            "the checkpoint of log",
            "another",
        ));
    }
    if proof.index() >= log.proof.index() {
        let expected = format!("an index below the statement's {}", log.proof.index());
        return Err(Rejection::new(RejectionCode::Mismatch, "index", expected, proof.index()));
    }
    check_log_inclusion(log, &proof, signed)?;
    let note = parse_note("extra", signed)?;
    let next: ApproverSetText = note.text().as_str().parse()?;
    trust.check_uses(&next)?;
    let key = node_key(&note, &next.origin_line(), trust)?;
    current.check_successor(leaves, &next, &note, key)?;
    Ok(next)
}

/// The log key of the trust file by which `note` says that the node signed it; rotated keys signed older texts. Where
/// the note names none of them it is the first, whose check then says what is wrong.
fn node_key<'a>(note: &Note, origin_line: &str, trust: &'a Trust) -> Checked<&'a PublicKey> {
    let is_named = |key: &&PublicKey| {
        node_verifier(origin_line, key)
            .is_ok_and(|verifier| note.signatures().iter().any(|line| verifier.is_named_by(line)))
    };
    let mut keys = trust.log_keys().iter().map(|entry| entry.key.public_key());
    let first = keys.clone().next();
    keys.find(is_named).or(first).ok_or_else(|| {
        Rejection::new(RejectionCode::SignerUnknown, origin_line, "a log key in the trust file", "none")
    })
}

pub(super) fn check_node_signature(
    note: &Note,
    statement: &Statement,
    trust: &Trust,
) -> Checked<Vec<SignatureLine>> {
    let origin_line = statement.origin_line();
    let key = node_key(note, &origin_line, trust)?;
    split_node_line(note, &origin_line, key).map(|(_, others)| others)
}

pub(super) fn describe_approvals(approved: &Approved) -> String {
    let quorum = approved.quorum();
    let names: Vec<&str> = quorum.approvals().iter().map(|approval| approval.name().as_str()).collect();
    format!(
        "{} of {} approvers signed in time ({} needed): {}",
        names.len(),
        quorum.set_size(),
        quorum.threshold(),
        names.join(", ")
    )
}

pub(super) fn read_allocation(payout: &TlogProof, statement: &Statement) -> Checked<Allocation> {
    let leaf = payout.extra().ok_or_else(|| {
        Rejection::new(RejectionCode::MissingField, "payout", "the allocation leaf as extra", "none")
    })?;
    let allocation = Allocation::decode(leaf)?;
    check_allocation(&allocation, statement)?;
    Ok(allocation)
}

pub(super) fn check_allocation(allocation: &Allocation, statement: &Statement) -> Checked<()> {
    let expected =
        format!("scope {} epoch {} revision {}", statement.scope, statement.epoch, statement.revision);
    let got =
        format!("scope {} epoch {} revision {}", allocation.scope, allocation.epoch, allocation.revision);
    if expected == got {
        Ok(())
    } else {
        Err(Rejection::new(RejectionCode::Mismatch, "allocation", expected, got))
    }
}

/// As [`check_inclusion`], of an allocation: leaf 0 is the statement's lines, whatever its signers let stand there.
pub(super) fn check_payout_inclusion(payout: &TlogProof, statement: &Statement) -> Checked<()> {
    if payout.index() == 0 {
        let expected = "an index from 1, after the statement's lines";
        return Err(Rejection::new(RejectionCode::InclusionInvalid, "allocation", expected, "0"));
    }
    check_inclusion(payout, statement)
}

pub(super) fn check_inclusion(proof: &TlogProof, statement: &Statement) -> Checked<()> {
    let leaf = proof.extra().unwrap_or_default();
    verify_inclusion(&leaf_hash(leaf), proof.index(), statement.tree_size(), proof.path(), &statement.root)
        .map_err(|error| no_inclusion("allocation", "statement", &error))
}

pub(super) fn check_log_inclusion(log: &LogView, proof: &TlogProof, entry: &[u8]) -> Checked<()> {
    verify_inclusion(&leaf_hash(entry), proof.index(), log.size, proof.path(), &log.root)
        .map_err(|error| no_inclusion("log entry", "checkpoint", &error))
}

/// The refusal of a path that does not lead from `subject` to the root that `signed` names.
fn no_inclusion(subject: &str, signed: &str, error: &MerkleError) -> Rejection {
    let (expected, got) = match error {
        MerkleError::RootMismatch { expected, got } => {
            (format!("a path to the {signed}'s root {expected}"), format!("one to {got}"))
        }
        MerkleError::PathLength { expected, got } => {
            (format!("a path of {expected} hashes to the {signed}'s root"), format!("{got} hashes"))
        }
        MerkleError::IndexOutOfRange { index, size } => {
            (format!("an index below {size}, the size in the {signed}"), index.to_string())
        }
        other => (format!("a path to the {signed}'s root"), other.to_string()),
    };
    Rejection::new(RejectionCode::InclusionInvalid, subject, expected, got)
}

/// The neighbours leave no room for the claimant: adjacent, or the first, or the last, or there is nobody at all.
pub(super) fn check_neighbours(
    claimant: &Claimant,
    left: Option<&TlogProof>,
    right: Option<&TlogProof>,
    statement: &Statement,
) -> Checked<()> {
    let size = statement.tree_size();
    let key = |proof: &TlogProof| read_allocation(proof, statement).map(|allocation| allocation.claimant);
    let refuse =
        |expected: &str, got: String| Rejection::new(RejectionCode::Mismatch, "neighbours", expected, got);
    match (left, right) {
        (Some(left), Some(right)) => {
            if left.index() == 0 || left.index().checked_add(1) != Some(right.index()) {
                let got = format!("{} and {}", left.index(), right.index());
                return Err(refuse("adjacent allocation leaves", got));
            }
            let (below, above) = (key(left)?, key(right)?);
            if below < *claimant && *claimant < above {
                return Ok(());
            }
            Err(refuse("left < claimant < right", format!("{below} and {above}")))
        }
        (None, Some(right)) => {
            let above = key(right)?;
            if right.index() == 1 && *claimant < above {
                return Ok(());
            }
            Err(refuse(
                "the first allocation, after the claimant",
                format!("leaf {}, {above}", right.index()),
            ))
        }
        (Some(left), None) if size == 1 => {
            if left.index() == 0 && left.extra() == Some(statement.leaf_zero().as_slice()) {
                return Ok(());
            }
            Err(refuse("leaf 0 of a statement without allocations", format!("leaf {}", left.index())))
        }
        (Some(left), None) => {
            let below = key(left)?;
            if left.index().checked_add(1) == Some(size) && below < *claimant {
                return Ok(());
            }
            Err(refuse("the last allocation, before the claimant", format!("leaf {}, {below}", left.index())))
        }
        (None, None) => Err(refuse("a neighbour", "none".to_owned())),
    }
}

/// At least one neighbour; two show the same statement.
pub(super) fn read_neighbours(proof: &AbsenceProof) -> Checked<(Option<TlogProof>, Option<TlogProof>)> {
    let parse = |what: &str, text: &Option<String>| {
        text.as_deref().map(|text| parse_tlog_proof(what, text)).transpose()
    };
    let (left, right) = (parse("left", &proof.left)?, parse("right", &proof.right)?);
    match (&left, &right) {
        (None, None) => {
            Err(Rejection::new(RejectionCode::MissingField, "absence proof", "left or right", "neither"))
        }
        (Some(a), Some(b)) if a.note() != b.note() => {
            Err(Rejection::new(RejectionCode::Mismatch, "right", "the statement of left", "another"))
        }
        _ => Ok((left, right)),
    }
}
