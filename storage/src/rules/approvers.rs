//! Approver sets: version 1 is in force at once, later ones when the old set and each new member have cosigned.

use meed_audit::approvers::ApproverSetText;
use meed_audit::hash::Hash;
use meed_audit::ids::{ScopeId, SetVersion};
use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use meed_audit::{Rejection, RejectionCode};
use meed_keys::{ApproverSet, Note, SignatureLine, VerifierKey};

use crate::error::StorageError;
use crate::ledger::Ledger;
use crate::meta::NodeRecord;
use crate::rules::approver_candidate::Candidate;
use crate::rules::notes::{node_key, stored_note, whole_note};
use crate::rules::record::{By, LedgerResult, demand, refuse, sound};
use crate::rules::scopes::{living_scope, scope_name, scope_record};
use crate::rules::tables::{APPROVER_SETS, ApproverSetRecord, PENDING_SETS, PendingSetRecord};
use crate::snapshot::Snapshot;
use crate::table::{RawReader, Reader};
use crate::transaction::Transaction;

/// A version of a scope's approver set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApproverSetVersion {
    /// The set with its place in the scope's chain of sets.
    pub text: ApproverSetText,
    /// The signed note, as the statements log holds it.
    pub note: String,
    /// Where the log holds it.
    pub log_index: u64,
    /// When it came into force.
    pub at: Timestamp,
    /// Who proposed it.
    pub by: FreeText,
}

/// A proposed version, while signatures are missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingApproverSet {
    /// The set as it will be.
    pub text: ApproverSetText,
    /// The text with the node's line: what members cosign.
    pub note: String,
    /// The lines that came so far.
    pub signatures: Vec<SignatureLine>,
    /// What is missing until it is in force, in words.
    pub missing: String,
    /// When it was proposed.
    pub at: Timestamp,
    /// Who proposed it.
    pub by: FreeText,
}

/// What setting or signing an approver set gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApproverSetOutcome {
    /// The set is in force.
    InForce(ApproverSetVersion),
    /// The set waits for cosignatures.
    Pending(PendingApproverSet),
}

impl Ledger {
    /// Sets a scope's approvers: version 1 is in force at once, a later one waits for cosignatures (rule
    /// `APPROVERS_PER_SCOPE`). The set that is in force, or pending, changes nothing.
    ///
    /// # Errors
    /// `scope_not_found`, `scope_ended`, `key_in_use` for the node's log key, `approver_set_pending`.
    pub fn set_approvers(
        &self,
        scope: ScopeId,
        set: ApproverSet,
        by: By,
    ) -> LedgerResult<ApproverSetOutcome> {
        self.run(move |tx| set_approvers(tx, scope, set, &by))
    }

    /// Adds members' cosignatures of the pending set. With k of the old set and each new member it is logged and in
    /// force. A key that has signed already changes nothing.
    ///
    /// # Errors
    /// `scope_not_found`, `scope_ended`, `draft_not_found`, `signer_unknown`, `signature_invalid`.
    pub fn add_approver_signatures(
        &self,
        scope: ScopeId,
        lines: Vec<SignatureLine>,
        now: Timestamp,
    ) -> LedgerResult<ApproverSetOutcome> {
        self.run(move |tx| add_signatures(tx, scope, &lines, now))
    }

    /// Gives up the pending set. Who has cosigned it cannot cosign another one of that version (rule
    /// `ONE_TEXT_PER_ORIGIN`).
    ///
    /// # Errors
    /// `scope_not_found`, `draft_not_found`.
    pub fn withdraw_approvers(&self, scope: ScopeId) -> LedgerResult<PendingApproverSet> {
        self.run(move |tx| {
            let pending = pending_view(tx, scope, demand_pending(tx, scope)?)?;
            tx.remove(PENDING_SETS, &scope)?;
            Ok(pending)
        })
    }
}

impl Snapshot {
    /// Every version of a scope's approver set, ascending.
    ///
    /// # Errors
    /// `scope_not_found`.
    pub fn approver_sets(&self, scope: ScopeId) -> LedgerResult<Vec<ApproverSetVersion>> {
        scope_record(self, scope)?;
        let records = self.with_prefix(APPROVER_SETS, &scope)?;
        records.into_iter().map(|(_, record)| Ok(version_view(record)?)).collect()
    }

    /// The approver set in force.
    ///
    /// # Errors
    /// `scope_not_found`, `approvers_missing`.
    pub fn approvers(&self, scope: ScopeId) -> LedgerResult<ApproverSetVersion> {
        let owner = scope_record(self, scope)?;
        let found = self.last_with_prefix(APPROVER_SETS, &scope)?;
        match found {
            Some((_, record)) => Ok(version_view(record)?),
            None => refuse(approvers_missing(owner.key.as_str())),
        }
    }

    /// The approver set that waits for cosignatures, where there is one.
    ///
    /// # Errors
    /// `scope_not_found`.
    pub fn pending_approvers(&self, scope: ScopeId) -> LedgerResult<Option<PendingApproverSet>> {
        scope_record(self, scope)?;
        let record = self.get(PENDING_SETS, &scope)?;
        record.map(|record| pending_view(self, scope, record)).transpose()
    }
}

pub(crate) fn approvers_missing(key: &str) -> Rejection {
    let subject = format!("scope {key}");
    Rejection::new(RejectionCode::ApproversMissing, subject, "an approver set in force", "none")
}

/// The text of one version.
pub(crate) fn set_text(
    reader: &impl RawReader,
    scope: ScopeId,
    version: SetVersion,
) -> Result<ApproverSetText, StorageError> {
    parse_text(&demand(reader, APPROVER_SETS, &(scope, version))?.note)
}

fn parse_text(note: &str) -> Result<ApproverSetText, StorageError> {
    let note = stored_note(APPROVER_SETS.name(), note)?;
    sound(APPROVER_SETS.name(), note.text().as_str().parse())
}

fn version_view(record: ApproverSetRecord) -> Result<ApproverSetVersion, StorageError> {
    let text = parse_text(&record.note)?;
    Ok(ApproverSetVersion {
        text,
        note: record.note,
        log_index: record.log_index,
        at: record.at,
        by: record.by,
    })
}

fn set_approvers(
    tx: &mut Transaction,
    scope: ScopeId,
    set: ApproverSet,
    by: &By,
) -> LedgerResult<ApproverSetOutcome> {
    let owner = living_scope(tx, scope)?;
    check_uses(&set, &tx.node)?;
    let versions = tx.with_prefix(APPROVER_SETS, &scope)?;
    if let Some((_, record)) = versions.last() {
        let in_force = version_view(record.clone())?;
        if in_force.text.set == set {
            return Ok(ApproverSetOutcome::InForce(in_force));
        }
        check_names(&in_force.text.set, &set)?;
    }
    if let Some(record) = tx.get(PENDING_SETS, &scope)? {
        let pending = pending_view(tx, scope, record)?;
        if pending.text.set == set {
            return Ok(ApproverSetOutcome::Pending(pending));
        }
        let subject = format!("scope {}", owner.key);
        let expected = format!("no other set than the pending version {}", pending.text.version);
        return refuse(Rejection::new(RejectionCode::ApproverSetPending, subject, expected, "another set"));
    }
    let leaves: Vec<Hash> = versions.iter().map(|(_, record)| record.leaf_hash).collect();
    let text = ApproverSetText::next(&scope_name(tx, &owner)?, &leaves, set)?;
    let note = node_note(tx, &text)?;
    if versions.is_empty() {
        return Ok(ApproverSetOutcome::InForce(put_in_force(tx, scope, &text, note, by)?));
    }
    let record =
        PendingSetRecord { note: note.to_string(), signatures: Vec::new(), at: by.at, by: by.actor.clone() };
    let view = pending_view(tx, scope, record.clone())?;
    tx.insert(PENDING_SETS, &scope, &record)?;
    Ok(ApproverSetOutcome::Pending(view))
}

/// One key, one use: the node's log key approves nothing, nor does a key that is named as one of the node's logs or
/// texts. That a key is a witness's cannot be seen, because witnesses and approvers sign alike.
fn check_uses(set: &ApproverSet, node: &NodeRecord) -> LedgerResult<()> {
    let own = format!("{}/", node.origin);
    let is_used = |key: &&VerifierKey| {
        let name = key.name().as_str();
        key.public_key().as_bytes() == &node.log_key || name == node.origin.as_str() || name.starts_with(&own)
    };
    match set.approvers().iter().find(is_used) {
        None => Ok(()),
        Some(key) => {
            let expected = format!("a key that is not the node's own, and not named as one, {own}…");
            refuse(Rejection::new(RejectionCode::KeyInUse, "approver set", expected, key.name()))
        }
    }
}

/// A member who stays keeps their name: one key signs a change once, and could not sign it as the old member and as the
/// new one.
fn check_names(old: &ApproverSet, new: &ApproverSet) -> LedgerResult<()> {
    let renamed = new.approvers().iter().find_map(|key| {
        let same =
            |member: &&VerifierKey| member.public_key() == key.public_key() && member.name() != key.name();
        old.approvers().iter().find(same).map(|member| (member.name(), key.name()))
    });
    match renamed {
        None => Ok(()),
        Some((old, new)) => {
            let expected = format!("the key of {old} under its name, or a new key under another");
            refuse(Rejection::new(RejectionCode::KeyInUse, "approver set", expected, new))
        }
    }
}

/// The text with the node's signature below it.
fn node_note(tx: &Transaction, text: &ApproverSetText) -> LedgerResult<Note> {
    let origin = text.origin_line();
    let text = text.note_text()?;
    let line = tx.signer.sign(&origin, &text)?;
    whole_note(text, vec![line])
}

fn put_in_force(
    tx: &mut Transaction,
    scope: ScopeId,
    text: &ApproverSetText,
    note: Note,
    by: &By,
) -> LedgerResult<ApproverSetVersion> {
    let note = note.to_string();
    let log_index = tx.append_statement_entry(note.as_bytes())?;
    let record =
        ApproverSetRecord { note, leaf_hash: text.leaf_hash(), log_index, at: by.at, by: by.actor.clone() };
    tx.insert(APPROVER_SETS, &(scope, text.version), &record)?;
    Ok(version_view(record)?)
}

fn demand_pending(reader: &impl RawReader, scope: ScopeId) -> LedgerResult<PendingSetRecord> {
    scope_record(reader, scope)?;
    reader.get(PENDING_SETS, &scope)?.ok_or_else(|| {
        let expected = "an approver set that waits for cosignatures";
        Rejection::new(RejectionCode::DraftNotFound, "approver set", expected, "none").into()
    })
}

/// The version in force, with the leaf hashes up to it.
pub(super) fn current_set(
    reader: &impl RawReader,
    scope: ScopeId,
) -> Result<(ApproverSetText, Vec<Hash>), StorageError> {
    let versions = reader.with_prefix(APPROVER_SETS, &scope)?;
    let leaves = versions.iter().map(|(_, record)| record.leaf_hash).collect();
    match versions.last() {
        Some((_, record)) => Ok((parse_text(&record.note)?, leaves)),
        None => {
            Err(StorageError::corrupt(APPROVER_SETS.name(), scope.as_bytes(), "expected version 1, got none"))
        }
    }
}

fn pending_view(
    reader: &impl RawReader,
    scope: ScopeId,
    record: PendingSetRecord,
) -> LedgerResult<PendingApproverSet> {
    let candidate = Candidate::read(reader, scope, &record)?;
    let missing = candidate.missing(&node_key(&NodeRecord::read(reader)?)?)?.unwrap_or_default();
    let PendingSetRecord { note, at, by, .. } = record;
    Ok(PendingApproverSet { text: candidate.next, note, signatures: candidate.lines, missing, at, by })
}

fn add_signatures(
    tx: &mut Transaction,
    scope: ScopeId,
    lines: &[SignatureLine],
    now: Timestamp,
) -> LedgerResult<ApproverSetOutcome> {
    living_scope(tx, scope)?;
    let mut record = demand_pending(tx, scope)?;
    let mut candidate = Candidate::read(tx, scope, &record)?;
    lines.iter().try_for_each(|line| candidate.add(line))?;
    if candidate.missing(&node_key(&tx.node)?)?.is_none() {
        let note = candidate.note()?;
        tx.remove(PENDING_SETS, &scope)?;
        let by = By::new(record.by, now);
        return Ok(ApproverSetOutcome::InForce(put_in_force(tx, scope, &candidate.next, note, &by)?));
    }
    record.signatures = candidate.lines.iter().map(ToString::to_string).collect();
    let view = pending_view(tx, scope, record.clone())?;
    tx.insert(PENDING_SETS, &scope, &record)?;
    Ok(ApproverSetOutcome::Pending(view))
}
