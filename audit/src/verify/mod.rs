//! Checking a proof file against a trust file, offline: link by link, and the first that fails is named.

mod links;

use std::fmt;

use crate::allocation::Allocation;
use crate::approve::{Approved, approve};
use crate::hash::Hash;
use crate::ids::Claimant;
use crate::proof::{AbsenceProof, PayoutProof, parse_tlog_proof};
use crate::rejection::{Checked, Rejection};
use crate::statement::Statement;
use crate::tlog_proof::TlogProof;
use crate::trust::Trust;

use links::{
    check_inclusion, check_log_inclusion, check_neighbours, check_node_signature, check_payout_inclusion,
    check_witnesses, describe_approvals, follow_sets, read_allocation, read_log, read_neighbours,
    read_statement,
};

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
        let approved =
            self.run(Link::Approvals, || approve(&statement, &set, &approvals), describe_approvals)?;
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
            || check_payout_inclusion(payout, statement),
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
