//! An approver set that is proposed, with the cosignatures that came: what it lacks until it is in force.

use meed_audit::RejectionCode;
use meed_audit::approve::{quorum_rejection, split_node_line};
use meed_audit::approvers::ApproverSetText;
use meed_audit::hash::Hash;
use meed_audit::ids::ScopeId;
use meed_keys::{Note, PublicKey, SignatureLine, SigningWindow};

use crate::error::StorageError;
use crate::meta::NodeRecord;
use crate::rules::approvers::current_set;
use crate::rules::notes::{node_key, stored_note, whole_note};
use crate::rules::record::{LedgerResult, refuse, sound};
use crate::rules::still_needed::still_needed;
use crate::rules::tables::{PENDING_SETS, PendingSetRecord};
use crate::table::RawReader;

/// A pending set with the lines that came, and whether they suffice.
pub(super) struct Candidate {
    current: ApproverSetText,
    leaves: Vec<Hash>,
    pub(super) next: ApproverSetText,
    node_line: SignatureLine,
    pub(super) lines: Vec<SignatureLine>,
}

impl Candidate {
    /// What a proposed set has so far.
    pub(super) fn read(
        reader: &impl RawReader,
        scope: ScopeId,
        record: &PendingSetRecord,
    ) -> LedgerResult<Self> {
        let (current, leaves) = current_set(reader, scope)?;
        let note = stored_note(PENDING_SETS.name(), &record.note)?;
        let next: ApproverSetText = sound(PENDING_SETS.name(), note.text().as_str().parse())?;
        let key = node_key(&NodeRecord::read(reader)?)?;
        let (node_line, _) = sound(PENDING_SETS.name(), split_node_line(&note, &next.origin_line(), &key))?;
        let parse = |line: &String| {
            line.parse().map_err(|error| {
                StorageError::corrupt(
                    PENDING_SETS.name(),
                    &[],
                    format!("expected a signature line, got {error}"),
                )
            })
        };
        let lines = record.signatures.iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { current, leaves, next, node_line, lines })
    }

    /// Takes a line in, unless its key has signed.
    pub(super) fn add(&mut self, line: &SignatureLine) -> LedgerResult<()> {
        let signer = match self.current.set.find_signer(line) {
            Some(_) => &self.current.set,
            None => &self.next.set,
        };
        let text = self.next.note_text()?;
        let approval = signer.check_approval(&text, line, SigningWindow::ANY_TIME);
        approval.map_err(|error| quorum_rejection("approver set signature", &error))?;
        let is_known =
            self.lines.iter().any(|known| known.name() == line.name() && known.key_id() == line.key_id());
        if !is_known {
            self.lines.push(line.clone());
            self.lines.sort_by(|a, b| (a.name(), a.key_id()).cmp(&(b.name(), b.key_id())));
        }
        Ok(())
    }

    /// The whole note, with the node's line first.
    pub(super) fn note(&self) -> LedgerResult<Note> {
        let mut lines = vec![self.node_line.clone()];
        lines.extend(self.lines.iter().cloned());
        whole_note(self.next.note_text()?, lines)
    }

    /// Nothing where the set may come into force; else what is missing.
    pub(super) fn missing(&self, key: &PublicKey) -> LedgerResult<Option<String>> {
        match self.current.check_successor(&self.leaves, &self.next, &self.note()?, key) {
            Ok(()) => Ok(None),
            Err(rejection) if rejection.code == RejectionCode::QuorumMissing => {
                Ok(Some(still_needed(&self.current, &self.next, &self.lines)))
            }
            Err(rejection) => refuse(rejection),
        }
    }
}
