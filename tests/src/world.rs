//! The world: one scope, its approvers and witnesses, two approved epochs, and every proof that can be made of them.

use meed_audit::allocation::Allocation;
use meed_audit::approvers::{ApproverSetText, ScopeName};
use meed_audit::close::{ClosedEpoch, DraftTerms, EpochInput, close};
use meed_audit::dossier::{Dossier, LogGrowth, PreviousEpoch};
use meed_audit::hash::Hash;
use meed_audit::ids::{Claimant, Revision};
use meed_audit::leaf::Leaf;
use meed_audit::merkle::Tree;
use meed_audit::proof::{AbsenceProof, AbsenceProofV1, PayoutProof, PayoutProofV1};
use meed_audit::statement::Statement;
use meed_audit::tlog_proof::TlogProof;
use meed_audit::trust::{LogKey, Trust};
use meed_keys::{ApproverSet, KeyUse, SigningKey, VerifierKey};

use crate::facts;
use crate::log::{StatementsLog, cosign, key, key_name, node_line, note, tlog_proof};

/// The origin line of the statements log.
pub const STATEMENTS_LOG: &str = "ledger.example.org/statements/1";
/// The origin line of the events log.
pub const EVENTS_LOG: &str = "ledger.example.org/events/1";

/// An epoch with its draft, signed.
#[derive(Clone, Debug)]
pub struct Epoch {
    /// What it is computed from.
    pub input: EpochInput,
    /// What that gives.
    pub closed: ClosedEpoch,
    /// The statement's note: the text, the node's line, and a line each of all approvers but the last.
    pub note: String,
}

/// A scope with two approved epochs: the first without activity, the second with twelve events.
#[derive(Clone, Debug)]
pub struct World {
    /// The scope.
    pub name: ScopeName,
    /// The node's log key, under the statements log's name.
    pub node_key: SigningKey,
    /// The witnesses' keys: three.
    pub witness_keys: Vec<SigningKey>,
    /// The approver sets from version 1.
    pub sets: Vec<ApproverSetText>,
    /// Their signed notes.
    pub set_notes: Vec<String>,
    /// The epoch without activity.
    pub empty: Epoch,
    /// The epoch with activity.
    pub full: Epoch,
    /// The log with sets and statements, whose checkpoint two of the three witnesses cosign.
    pub log: StatementsLog,
}

/// The key of an approver.
pub fn approver(name: &str) -> SigningKey {
    key(&format!("{name}.example"), KeyUse::Approver)
}

/// When approvers and witnesses sign, in seconds since 1970: after the second epoch, before its Sign By.
pub fn signed_at_seconds() -> u64 {
    facts::at("2026-11-17T10:00:00Z").as_seconds()
}

/// A set of approvers by their names.
pub fn set_of(threshold: u8, names: &[&str]) -> ApproverSet {
    let keys = names.iter().map(|name| approver(name).verifier_key().clone()).collect();
    ApproverSet::new(threshold, keys).expect("an approver set")
}

/// A statement's note: its text, the node's line and a cosignature by each of `approvers`.
pub fn sign_statement(statement: &Statement, node_key: &SigningKey, approvers: &[&str]) -> String {
    let text = statement.to_string();
    let mut lines = vec![node_line(node_key, &statement.origin_line(), &text)];
    lines.extend(approvers.iter().map(|name| cosign(&approver(name), &text, signed_at_seconds())));
    note(&text, lines)
}

/// An approver set's note: its text, the node's line and a cosignature by each of `approvers`.
pub fn sign_set(set: &ApproverSetText, node_key: &SigningKey, approvers: &[&str]) -> String {
    let text = set.to_string();
    let mut lines = vec![node_line(node_key, &set.origin_line(), &text)];
    lines.extend(approvers.iter().map(|name| cosign(&approver(name), &text, signed_at_seconds())));
    note(&text, lines)
}

impl World {
    /// The world in which alice, bob and carol approve, two of three, from the first epoch to the last.
    pub fn new() -> Self {
        Self::build(&[&["alice", "bob", "carol"]])
    }

    /// The world in which, between the two epochs, dave takes bob's place.
    pub fn with_changed_approvers() -> Self {
        Self::build(&[&["alice", "bob", "carol"], &["alice", "carol", "dave"]])
    }

    /// The world in which eve takes dave's place at once after him.
    pub fn with_twice_changed_approvers() -> Self {
        Self::build(&[&["alice", "bob", "carol"], &["alice", "carol", "dave"], &["alice", "carol", "eve"]])
    }

    /// The world with these approver sets, each two of its members; the last one approves the second epoch.
    fn build(members: &[&[&str]]) -> Self {
        let name = facts::scope_name();
        let node_key = key(STATEMENTS_LOG, KeyUse::Log);
        let witness_keys =
            ["one", "two", "three"].map(|name| key(&format!("witness.example/{name}"), KeyUse::Witness));
        let mut sets: Vec<ApproverSetText> = Vec::new();
        let mut set_notes = Vec::new();
        for names in members {
            let earlier: Vec<Hash> = sets.iter().map(ApproverSetText::leaf_hash).collect();
            let set = ApproverSetText::next(&name, &earlier, set_of(2, names)).expect("a version");
            // The node alone signs version 1; for later ones every member but bob signs, old and new.
            let signers: &[&str] = if sets.is_empty() { &[] } else { names };
            set_notes.push(sign_set(&set, &node_key, signers));
            sets.push(set);
        }
        let first_set = sets.first().expect("a set").clone();
        let last_set = sets.last().expect("a set").clone();
        let empty = build_epoch(empty_input(first_set), &node_key, &["alice", "bob"]);
        let previous = empty.closed.statement.text_hash();
        let signers = members.last().expect("a set").get(..2).expect("two members");
        let full = build_epoch(full_input(last_set, previous), &node_key, signers);
        let log = build_log(&node_key, &witness_keys, &set_notes, &empty, &full);
        Self { name, node_key, witness_keys: witness_keys.to_vec(), sets, set_notes, empty, full, log }
    }

    /// The policy text of a trust file: the log, the witnesses, and two of them as the quorum.
    pub fn witness_policy(&self) -> String {
        let mut text = format!("log {}\n", self.node_key.verifier_key());
        for (number, witness) in (1..).zip(&self.witness_keys) {
            text.push_str(&format!("witness w{number} {}\n", witness.verifier_key()));
        }
        text.push_str("group witnesses 2 w1 w2 w3\nquorum witnesses\n");
        text
    }

    /// The policy text of a trust file that wants no witnesses.
    pub fn bare_policy(&self) -> String {
        format!("log {}\nquorum none\n", self.node_key.verifier_key())
    }

    /// The log key as a trust file has it.
    pub fn log_keys(&self) -> Vec<LogKey> {
        vec![LogKey { key: self.node_key.verifier_key().clone(), until_size: None }]
    }

    /// The trust file that starts from version 1 of the approver set and wants two of three witnesses.
    pub fn trust(&self) -> Trust {
        self.trust_from(1, &self.witness_policy())
    }

    /// The trust file that starts from a version of the approver set, with a policy.
    pub fn trust_from(&self, version: usize, policy: &str) -> Trust {
        let (set, earlier) =
            self.sets.get(..version).and_then(<[_]>::split_last).expect("a version of the approver set");
        let earlier: Vec<Hash> = earlier.iter().map(ApproverSetText::leaf_hash).collect();
        Trust::new(set, &earlier, &self.log_keys(), policy).expect("a trust file")
    }

    /// The approver sets after the first, with their proofs, as a proof of `epoch` carries them.
    pub fn approver_set_proofs(&self, epoch: &Epoch) -> Vec<String> {
        let named = epoch.closed.statement.approvers.version.get();
        let in_force = usize::try_from(named).expect("a version");
        let later = self.set_notes.iter().take(in_force).skip(1);
        later.map(|note| self.logged(note, true).to_string()).collect()
    }

    /// The proof that the log holds a note, with the note as extra or without.
    pub fn logged(&self, note: &str, with_extra: bool) -> TlogProof {
        self.log.proof(self.log.index_of(note), with_extra.then(|| note.as_bytes().to_vec()))
    }

    /// The proof that leaf `index` is under the statement of `epoch`; index 0 is that of the statement's lines.
    pub fn leaf_proof(&self, epoch: &Epoch, index: usize) -> TlogProof {
        let closed = &epoch.closed;
        let leaf = match index.checked_sub(1) {
            None => closed.statement.leaf_zero(),
            Some(position) => closed.allocations.get(position).expect("an allocation").encode(),
        };
        let index = u64::try_from(index).expect("an index");
        let path = allocation_tree(closed).inclusion_path(index).expect("an index of the tree");
        tlog_proof(Some(leaf), index, path, &epoch.note)
    }

    /// The payout proof of leaf `index` (from 1) of the second epoch.
    pub fn payout_proof(&self, index: usize) -> PayoutProof {
        PayoutProof {
            approver_sets: self.approver_set_proofs(&self.full),
            format: PayoutProofV1,
            log: self.logged(&self.full.note, false).to_string(),
            payout: self.leaf_proof(&self.full, index).to_string(),
        }
    }

    /// The proof that a claimant is not in an epoch, from the neighbours between which it would stand.
    pub fn absence_proof(&self, epoch: &Epoch, claimant: &Claimant) -> AbsenceProof {
        let allocations = &epoch.closed.allocations;
        let before = allocations.partition_point(|allocation| allocation.claimant < *claimant);
        let text = |index: usize| self.leaf_proof(epoch, index).to_string();
        AbsenceProof {
            approver_sets: self.approver_set_proofs(epoch),
            claimant: claimant.clone(),
            format: AbsenceProofV1,
            left: (before > 0 || allocations.is_empty()).then(|| text(before)),
            log: self.logged(&epoch.note, false).to_string(),
            right: (before < allocations.len()).then(|| text(before + 1)),
        }
    }

    /// The world whose second epoch has this note instead, in the log too.
    #[must_use]
    pub fn with_note(mut self, note: String) -> Self {
        self.replace_entry(&self.full.note.clone(), note.clone());
        self.full.note = note;
        self
    }

    /// The world whose approver set `version` (from 1) has this note instead, in the log too.
    #[must_use]
    pub fn with_set_note(mut self, version: usize, note: String) -> Self {
        let old = self.set_notes.get(version - 1).expect("a version").clone();
        self.replace_entry(&old, note.clone());
        self.set_notes.splice(version - 1..version, [note]);
        self
    }

    /// The world whose second epoch was altered, with the tree and the signatures made again as if it were right:
    /// what a node and its approvers could do together.
    #[must_use]
    pub fn resigned(mut self, alter: impl FnOnce(&mut Statement, &mut Vec<Allocation>)) -> Self {
        let closed = &mut self.full.closed;
        alter(&mut closed.statement, &mut closed.allocations);
        closed.allocation_hashes = vec![closed.statement.leaf_zero_hash()];
        closed.allocation_hashes.extend(closed.allocations.iter().map(Leaf::leaf_hash));
        closed.statement.root = allocation_tree(closed).root();
        let note = sign_statement(&closed.statement, &self.node_key, &["alice", "carol"]);
        self.with_note(note)
    }

    fn replace_entry(&mut self, old: &str, new: String) {
        let entry = self.log.entries.iter_mut().find(|entry| *entry == old.as_bytes());
        *entry.expect("an entry of the log") = new.into_bytes();
    }

    /// The dossier of the second epoch's draft.
    pub fn dossier(&self) -> Dossier {
        let statement = &self.full.closed.statement;
        let text = statement.to_string();
        let events_key = self.node_key.renamed(key_name(EVENTS_LOG));
        let tree = Tree::build(facts::events_log());
        let (from, to) = (&self.empty.closed.statement.events, &statement.events);
        let path = tree.consistency_path(from.size, to.size).expect("sizes of the log");
        Dossier {
            input: self.full.input.clone(),
            note: note(&text, vec![node_line(&self.node_key, &statement.origin_line(), &text)]),
            log_key: events_key.verifier_key().clone(),
            approver_notes: self.set_notes.clone(),
            growth: vec![LogGrowth {
                from_size: from.size,
                from_root: from.root,
                to_size: to.size,
                to_root: to.root,
                path,
            }],
            earlier: Vec::new(),
            previous: Some(PreviousEpoch {
                note: self.empty.note.clone(),
                statement: self.empty.closed.statement.clone(),
                allocations: self.empty.closed.allocations.clone(),
            }),
            superseded: None,
        }
    }

    /// The verifier keys of the approvers of the last set.
    pub fn approver_keys(&self) -> Vec<VerifierKey> {
        self.sets.last().map(|set| set.set.approvers().to_vec()).unwrap_or_default()
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// The tree of an epoch: leaf 0 and the allocations.
pub fn allocation_tree(closed: &ClosedEpoch) -> Tree {
    Tree::build(closed.allocation_hashes.iter().copied())
}

fn build_epoch(input: EpochInput, node_key: &SigningKey, approvers: &[&str]) -> Epoch {
    let closed = close(&input).expect("an epoch that closes");
    let note = sign_statement(&closed.statement, node_key, approvers);
    Epoch { input, closed, note }
}

/// Another node's text, the first set, the empty epoch, the other sets, the full epoch, and a text after it.
fn build_log(
    node_key: &SigningKey,
    witness_keys: &[SigningKey],
    set_notes: &[String],
    empty: &Epoch,
    full: &Epoch,
) -> StatementsLog {
    let mut entries = vec![b"an entry of another scope\n".to_vec()];
    let mut sets = set_notes.iter().map(|note| note.clone().into_bytes());
    entries.extend(sets.next());
    entries.push(empty.note.clone().into_bytes());
    entries.extend(sets);
    entries.push(full.note.clone().into_bytes());
    entries.push(b"a later entry\n".to_vec());
    StatementsLog {
        origin: STATEMENTS_LOG.to_owned(),
        log_key: node_key.clone(),
        cosigners: witness_keys.iter().take(2).cloned().collect(),
        cosigned_at_seconds: signed_at_seconds(),
        entries,
    }
}

fn draft(sign_by: &str, previous: Option<Hash>) -> DraftTerms {
    DraftTerms { revision: Revision::FIRST, sign_by: facts::at(sign_by), previous, supersedes: None }
}

fn empty_input(approvers: ApproverSetText) -> EpochInput {
    let mut windows = facts::windows();
    windows.truncate(1);
    EpochInput {
        name: facts::scope_name(),
        policy: facts::policy(),
        windows,
        events_log: EVENTS_LOG.to_owned(),
        events_root: Tree::build(facts::events_log().into_iter().take(1)).root(),
        events: Vec::new(),
        decisions: facts::decisions(1),
        pool: facts::pool(false),
        approvers,
        draft: draft("2026-11-24T09:00:00Z", None),
    }
}

fn full_input(approvers: ApproverSetText, previous: Hash) -> EpochInput {
    EpochInput {
        name: facts::scope_name(),
        policy: facts::policy(),
        windows: facts::windows(),
        events_log: EVENTS_LOG.to_owned(),
        events_root: Tree::build(facts::events_log()).root(),
        events: facts::events(),
        decisions: facts::decisions(usize::MAX),
        pool: facts::pool(true),
        approvers,
        draft: draft("2026-12-01T09:00:00Z", Some(previous)),
    }
}
