//! Checking a proof file against a trust file, offline: link by link, and the first that fails is named.

use std::collections::BTreeSet;
use std::fmt;

use meed_keys::{Note, PublicKey, VerifierKey, limits};

use crate::allocation::Allocation;
use crate::approve::{Approved, approve, split_node_line};
use crate::approvers::ApproverSetText;
use crate::checkpoint::Checkpoint;
use crate::hash::{Hash, leaf_hash};
use crate::ids::Claimant;
use crate::leaf::Leaf;
use crate::merkle::verify_inclusion;
use crate::proof::{APPROVER_SETS_MAX, AbsenceProof, PayoutProof, parse_tlog_proof};
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::statement::Statement;
use crate::tlog_proof::TlogProof;
use crate::trust::Trust;

/// A link of the chain from a trust file to a payout, in the order in which they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Link {
    /// The proof's parts are well-formed.
    Format,
    /// The statement is of the node and scope that the trust file names.
    Scope,
    /// The statements log's checkpoint is signed by a key of the trust file.
    LogCheckpoint,
    /// As many witnesses as the trust file wants have cosigned that checkpoint.
    Witnesses,
    /// The approver sets lead from the trust file's to the one that the statement names.
    ApproverSets,
    /// The node issued the statement.
    NodeSignature,
    /// k of n approvers signed the statement in time.
    Approvals,
    /// The leaf is of the statement's scope, epoch and revision.
    Leaf,
    /// The leaf is in the tree that the statement commits to.
    Inclusion,
    /// The signed statement is in the log.
    LogInclusion,
}

impl Link {
    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Scope => "scope",
            Self::LogCheckpoint => "log_checkpoint",
            Self::Witnesses => "witnesses",
            Self::ApproverSets => "approver_sets",
            Self::NodeSignature => "node_signature",
            Self::Approvals => "approvals",
            Self::Leaf => "leaf",
            Self::Inclusion => "inclusion",
            Self::LogInclusion => "log_inclusion",
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A link that holds, and in words what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedLink {
    /// Which link.
    pub link: Link,
    /// What was checked, for people.
    pub says: String,
}

/// The first link that fails, and those that held before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyError {
    /// The link.
    pub link: Link,
    /// What was expected there and what came.
    pub rejection: Rejection,
    /// The links before it.
    pub passed: Vec<CheckedLink>,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not verified: link {} fails: {}", self.link, self.rejection)
    }
}

impl std::error::Error for VerifyError {}

/// What a proof and a trust file together show. [`verify`] and [`verify_absence`] are its only constructors.
#[derive(Clone, Debug)]
pub struct Evidence {
    approved: Approved,
    log_origin: String,
    log_index: u64,
    log_size: u64,
    links: Vec<CheckedLink>,
    trust_fingerprint: Hash,
}

impl Evidence {
    /// The statement and who approved it.
    pub fn approved(&self) -> &Approved {
        &self.approved
    }

    /// The origin line of the log that holds the statement.
    pub fn log_origin(&self) -> &str {
        &self.log_origin
    }

    /// Where the log holds it.
    pub fn log_index(&self) -> u64 {
        self.log_index
    }

    /// The size of the log at which it was shown.
    pub fn log_size(&self) -> u64 {
        self.log_size
    }

    /// Every link that was checked, in order.
    pub fn links(&self) -> &[CheckedLink] {
        &self.links
    }

    /// SHA-256 of the trust file that all of this rests on.
    pub fn trust_fingerprint(&self) -> Hash {
        self.trust_fingerprint
    }
}

/// A payout that k of n approvers approved and the log holds. [`verify`] is its only constructor.
#[derive(Clone, Debug)]
pub struct VerifiedPayout {
    allocation: Allocation,
    evidence: Evidence,
}

impl VerifiedPayout {
    /// The allocation.
    pub fn allocation(&self) -> &Allocation {
        &self.allocation
    }

    /// What it rests on.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }
}

/// A claimant who is not in an approved epoch. [`verify_absence`] is its only constructor.
///
/// It rests on the approvers' and auditors' check that the leaves ascend: an offline proof shows two neighbours only.
#[derive(Clone, Debug)]
pub struct VerifiedAbsence {
    claimant: Claimant,
    evidence: Evidence,
}

impl VerifiedAbsence {
    /// Who is not in the epoch.
    pub fn claimant(&self) -> &Claimant {
        &self.claimant
    }

    /// What it rests on.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }
}

/// Verifies a payout proof.
///
/// # Errors
/// The first link that fails.
pub fn verify(proof: &PayoutProof, trust: &Trust) -> Result<VerifiedPayout, VerifyError> {
    let mut chain = Chain::new(trust);
    let payout = chain.run(
        Link::Format,
        || parse_tlog_proof("payout", &proof.payout),
        |_| "well-formed".to_owned(),
    )?;
    let (statement, log) = chain.check_statement(payout.note(), &proof.log, &proof.approver_sets)?;
    let allocation = chain.check_leaf(&payout, &statement.statement)?;
    let evidence = chain.check_log(&log, payout.note(), statement)?;
    Ok(VerifiedPayout { allocation, evidence })
}

/// Verifies an absence proof.
///
/// # Errors
/// The first link that fails.
pub fn verify_absence(proof: &AbsenceProof, trust: &Trust) -> Result<VerifiedAbsence, VerifyError> {
    let mut chain = Chain::new(trust);
    let (left, right) = chain.run(Link::Format, || read_neighbours(proof), |_| "well-formed".to_owned())?;
    let note = left.as_ref().or(right.as_ref()).map_or("", TlogProof::note).to_owned();
    let (statement, log) = chain.check_statement(&note, &proof.log, &proof.approver_sets)?;
    chain.check_gap(&proof.claimant, left.as_ref(), right.as_ref(), &statement.statement)?;
    let evidence = chain.check_log(&log, &note, statement)?;
    Ok(VerifiedAbsence { claimant: proof.claimant.clone(), evidence })
}

/// At least one neighbour; two show the same statement.
fn read_neighbours(proof: &AbsenceProof) -> Checked<(Option<TlogProof>, Option<TlogProof>)> {
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

/// The links that have held so far.
struct Chain<'a> {
    trust: &'a Trust,
    passed: Vec<CheckedLink>,
}

/// A statement that was approved, with the key under which the node signed it.
struct ApprovedStatement {
    statement: Statement,
    approved: Approved,
}

/// The statements log as the proof shows it.
struct LogView {
    origin: String,
    size: u64,
    root: Hash,
    note: String,
    proof: TlogProof,
}

impl<'a> Chain<'a> {
    fn new(trust: &'a Trust) -> Self {
        Self { trust, passed: Vec::new() }
    }

    /// Checks one link and records what it says.
    fn run<T>(
        &mut self,
        link: Link,
        check: impl FnOnce() -> Checked<T>,
        says: impl FnOnce(&T) -> String,
    ) -> Result<T, VerifyError> {
        match check() {
            Ok(value) => {
                self.passed.push(CheckedLink { link, says: says(&value) });
                Ok(value)
            }
            Err(rejection) => Err(VerifyError { link, rejection, passed: std::mem::take(&mut self.passed) }),
        }
    }

    fn check_statement(
        &mut self,
        note: &str,
        log: &str,
        approver_sets: &[String],
    ) -> Result<(ApprovedStatement, LogView), VerifyError> {
        let trust = self.trust;
        let (note, statement) = self.run(
            Link::Scope,
            || read_statement(note, trust),
            |(_, statement)| format!("{} of node {}", statement.origin_line(), statement.node),
        )?;
        let (log, cosigners) = self.run(
            Link::LogCheckpoint,
            || read_log(log, trust),
            |(log, _)| format!("{} at size {} is signed by a key of the trust file", log.origin, log.size),
        )?;
        self.run(Link::Witnesses, || check_witnesses(&cosigners, trust), Clone::clone)?;
        let set = self.run(
            Link::ApproverSets,
            || follow_sets(&statement, &log, approver_sets, trust),
            |set| {
                format!(
                    "version {} of the approver set, from the trust file's version {}",
                    set.version,
                    trust.approver_set().version
                )
            },
        )?;
        let approvals = self.run(
            Link::NodeSignature,
            || check_node_signature(&note, &statement, trust),
            |_| "the node issued the statement (this is no approval)".to_owned(),
        )?;
        let approved = self.run(
            Link::Approvals,
            || approve(&statement, &set, &approvals),
            |approved| describe_approvals(approved),
        )?;
        Ok((ApprovedStatement { statement, approved }, log))
    }

    fn check_leaf(&mut self, payout: &TlogProof, statement: &Statement) -> Result<Allocation, VerifyError> {
        let allocation = self.run(
            Link::Leaf,
            || read_allocation(payout, statement),
            |allocation| {
                format!("{} gets {} {}", allocation.claimant, allocation.credits, statement.unit.symbol())
            },
        )?;
        self.run(
            Link::Inclusion,
            || check_inclusion(payout, statement),
            |()| format!("leaf {} of {} under the statement's root", payout.index(), statement.tree_size()),
        )?;
        Ok(allocation)
    }

    fn check_gap(
        &mut self,
        claimant: &Claimant,
        left: Option<&TlogProof>,
        right: Option<&TlogProof>,
        statement: &Statement,
    ) -> Result<(), VerifyError> {
        self.run(
            Link::Leaf,
            || check_neighbours(claimant, left, right, statement),
            |()| format!("{claimant} would stand between two neighbours (that leaves ascend is the approvers' check)"),
        )?;
        self.run(
            Link::Inclusion,
            || [left, right].into_iter().flatten().try_for_each(|proof| check_inclusion(proof, statement)),
            |()| "the neighbours are under the statement's root".to_owned(),
        )
    }

    fn check_log(
        mut self,
        log: &LogView,
        signed_statement: &str,
        statement: ApprovedStatement,
    ) -> Result<Evidence, VerifyError> {
        self.run(
            Link::LogInclusion,
            || check_log_inclusion(log, &log.proof, signed_statement.as_bytes()),
            |()| format!("entry {} of {} at size {}", log.proof.index(), log.origin, log.size),
        )?;
        Ok(Evidence {
            approved: statement.approved,
            log_origin: log.origin.clone(),
            log_index: log.proof.index(),
            log_size: log.size,
            links: self.passed,
            trust_fingerprint: self.trust.fingerprint(),
        })
    }
}

fn parse_note(what: &str, text: &str) -> Checked<Note> {
    Note::parse(text)
        .map_err(|error| Rejection::new(RejectionCode::Malformed, what, "a C2SP signed note", error))
}

fn read_statement(note: &str, trust: &Trust) -> Checked<(Note, Statement)> {
    let note = parse_note("statement", note)?;
    let statement: Statement = note.text().as_str().parse()?;
    let expected = format!("node {} and scope {}/{}", trust.node(), trust.origin(), trust.scope());
    let got = format!("node {} and scope {}/{}", statement.node, statement.origin, statement.scope_key);
    if expected != got || statement.scope != trust.approver_set().scope {
        return Err(Rejection::new(RejectionCode::Mismatch, "statement", expected, got));
    }
    Ok((note, statement))
}

/// Reads the log's checkpoint and the keys that signed it.
fn read_log(text: &str, trust: &Trust) -> Checked<(LogView, BTreeSet<PublicKey>)> {
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
    let checkpoint: Checkpoint = note.text().as_str().parse().map_err(|error| {
        Rejection::new(RejectionCode::Malformed, "log checkpoint", "a C2SP checkpoint", error)
    })?;
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

fn verify_checkpoint(note: &Note, checkpoint: &Checkpoint, trust: &Trust) -> Checked<BTreeSet<PublicKey>> {
    let is_valid_at = |until: Option<u64>| until.is_none_or(|until| checkpoint.size() <= until);
    let logs: Vec<VerifierKey> = trust
        .log_keys()
        .iter()
        .filter(|entry| entry.key.name().as_str() == checkpoint.origin() && is_valid_at(entry.until_size))
        .map(|entry| entry.key.clone())
        .collect();
    let mut known = logs.clone();
    known.extend(trust.policy().witnesses().cloned());
    let verified = note.verify_known(&known, limits::MAX_UNKNOWN_SIGNATURES).map_err(|error| {
        Rejection::new(
            RejectionCode::SignatureInvalid,
            "log checkpoint",
            "a signature by a key of the trust file",
            error,
        )
    })?;
    if verified.iter().any(|signature| logs.contains(signature.key())) {
        return Ok(verified.iter().map(|signature| *signature.key().public_key()).collect());
    }
    let expected = format!(
        "a signature of {} by a log key that held at size {}",
        checkpoint.origin(),
        checkpoint.size()
    );
    Err(Rejection::new(RejectionCode::SignerUnknown, "log checkpoint", expected, "none"))
}

fn check_witnesses(cosigners: &BTreeSet<PublicKey>, trust: &Trust) -> Checked<String> {
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
fn follow_sets(
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

fn follow_set(
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
    let note = Note::parse(signed)
        .map_err(|error| Rejection::new(RejectionCode::Malformed, "extra", "a C2SP signed note", error))?;
    let next: ApproverSetText = note.text().as_str().parse()?;
    let origin_line = next.origin_line();
    with_any_log_key(trust, |key| current.check_successor(leaves, &next, &note, key), &origin_line)?;
    Ok(next)
}

/// Runs a check with each public key of the trust file's log keys until one passes: rotated keys signed older texts.
fn with_any_log_key<T>(trust: &Trust, check: impl Fn(&PublicKey) -> Checked<T>, subject: &str) -> Checked<T> {
    let mut refusal =
        Rejection::new(RejectionCode::SignerUnknown, subject, "a log key in the trust file", "none");
    for entry in trust.log_keys() {
        match check(entry.key.public_key()) {
            Ok(value) => return Ok(value),
            Err(rejection) => refusal = rejection,
        }
    }
    Err(refusal)
}

fn check_node_signature(
    note: &Note,
    statement: &Statement,
    trust: &Trust,
) -> Checked<Vec<meed_keys::SignatureLine>> {
    let origin_line = statement.origin_line();
    with_any_log_key(
        trust,
        |key| split_node_line(note, &origin_line, key).map(|(_, others)| others),
        &origin_line,
    )
}

fn describe_approvals(approved: &Approved) -> String {
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

fn read_allocation(payout: &TlogProof, statement: &Statement) -> Checked<Allocation> {
    let leaf = payout.extra().ok_or_else(|| {
        Rejection::new(RejectionCode::MissingField, "payout", "the allocation leaf as extra", "none")
    })?;
    let allocation = Allocation::decode(leaf)?;
    check_allocation(&allocation, statement)?;
    Ok(allocation)
}

fn check_allocation(allocation: &Allocation, statement: &Statement) -> Checked<()> {
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

fn check_inclusion(proof: &TlogProof, statement: &Statement) -> Checked<()> {
    let leaf = proof.extra().unwrap_or_default();
    verify_inclusion(&leaf_hash(leaf), proof.index(), statement.tree_size(), proof.path(), &statement.root)
        .map_err(|error| {
            Rejection::new(
                RejectionCode::InclusionInvalid,
                "allocation",
                "a path to the statement's root",
                error,
            )
        })
}

fn check_log_inclusion(log: &LogView, proof: &TlogProof, entry: &[u8]) -> Checked<()> {
    verify_inclusion(&leaf_hash(entry), proof.index(), log.size, proof.path(), &log.root).map_err(|error| {
        Rejection::new(RejectionCode::InclusionInvalid, "log entry", "a path to the checkpoint's root", error)
    })
}

/// The neighbours leave no room for the claimant: adjacent, or the first, or the last, or there is nobody at all.
fn check_neighbours(
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
