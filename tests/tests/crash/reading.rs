//! Reading everything that a ledger answers, as one text: two ledgers with equal texts hold the same.

use std::fmt::{Debug, Write as _};

use meed_audit::event::Event;
use meed_audit::ids::{EpochNumber, ScopeId, SetVersion};
use meed_audit::proof::Proof;
use meed_audit::time::Period;
use meed_audit::verify::{verify, verify_absence};
use meed_storage::{
    EventReader, LedgerError, LedgerResult, LogEntry, LogKind, Scope, Snapshot, StorageError, Which, cursor,
    cursors_of,
};

use crate::life::{cursor_key, people};
use crate::support::world::{LATER, time};

/// How much is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// All that is stored.
    Records,
    /// Also recomputations and proofs, which are checked by the rulebook alone.
    Proofs,
}

/// A text of everything, or the first failure of the store. A refusal by a rule is an answer.
pub(crate) fn read(snapshot: &Snapshot, depth: Depth) -> Result<String, StorageError> {
    let mut text = Text { text: String::new(), depth };
    text.node(snapshot)?;
    for log in LogKind::ALL {
        text.log(snapshot, log)?;
    }
    text.events(snapshot)?;
    text.people(snapshot)?;
    let scopes = text.note("scopes", snapshot.scopes())?.unwrap_or_default();
    for scope in scopes {
        text.scope(snapshot, &scope)?;
    }
    Ok(text.text)
}

struct Text {
    text: String,
    depth: Depth,
}

impl Text {
    /// Writes an answer down and hands it on.
    fn note<T: Debug, E: Into<LedgerError>>(
        &mut self,
        name: &str,
        answer: Result<T, E>,
    ) -> Result<Option<T>, StorageError> {
        match answer.map_err(Into::into) {
            Ok(found) => {
                writeln!(self.text, "{name}: {found:?}").unwrap();
                Ok(Some(found))
            }
            Err(LedgerError::Rejected(refusal)) => {
                writeln!(self.text, "{name}: refused: {refusal}").unwrap();
                Ok(None)
            }
            Err(LedgerError::Storage(error)) => Err(error),
        }
    }

    fn node(&mut self, snapshot: &Snapshot) -> Result<(), StorageError> {
        self.note("node", snapshot.node_id())?;
        self.note("origin", snapshot.origin())?;
        self.note("log key", snapshot.log_key())?;
        self.note("created at", snapshot.created_at())?;
        self.note("restored", snapshot.is_restored())?;
        self.note("tokens", snapshot.tokens())?;
        self.note("runs", snapshot.runs(None, None, 100))?;
        Ok(())
    }

    fn log(&mut self, snapshot: &Snapshot, log: LogKind) -> Result<(), StorageError> {
        let size = self.note("log", snapshot.log_state(log))?.map_or(0, |state| state.size);
        self.note("log origin", snapshot.log_origin(log))?;
        self.note("checkpoint", snapshot.checkpoint(log))?;
        for index in 0..size {
            let entry =
                snapshot.log_entry(log, index).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            self.note("entry", entry)?;
            self.note("path", snapshot.inclusion_path(log, index, size))?;
            self.note("extension", snapshot.consistency_path(log, index + 1, size))?;
        }
        Ok(())
    }

    fn events(&mut self, snapshot: &Snapshot) -> Result<(), StorageError> {
        for index in 0..snapshot.log_size(LogKind::Events)? {
            let Some(LogEntry::Event(Event { id, .. })) =
                self.note("event", snapshot.event_entry(index))?.flatten()
            else {
                continue;
            };
            self.note("by id", snapshot.event_by_id(&id))?;
            self.note("scopes", snapshot.scopes_of(index))?;
            self.note("private", snapshot.event_private(index))?;
        }
        self.note("conflicts", snapshot.conflicts())?;
        Ok(())
    }

    fn people(&mut self, snapshot: &Snapshot) -> Result<(), StorageError> {
        self.note("users", snapshot.users())?;
        for binding in self.note("bindings", snapshot.bindings())?.unwrap_or_default() {
            self.note("identity events", snapshot.identity_events(&binding.identity))?;
        }
        for claimant in people() {
            self.note("payouts", snapshot.payouts_of(&claimant))?;
        }
        Ok(())
    }

    fn scope(&mut self, snapshot: &Snapshot, scope: &Scope) -> Result<(), StorageError> {
        let id = scope.id;
        self.note("approvers", snapshot.approvers(id))?;
        self.note("approver sets", snapshot.approver_sets(id))?;
        self.note("pending approvers", snapshot.pending_approvers(id))?;
        self.note("cursors", cursors_of(snapshot, id))?;
        self.note("cursor", cursor(snapshot, &cursor_key()))?;
        self.note("decisions", snapshot.decisions(id, 0, 1_000))?;
        let always = Period { start: time("2026-01-01T00:00:00Z"), end: time(LATER) };
        self.note("window", snapshot.window_indexes(id, always, u64::MAX))?;
        self.note("statements", snapshot.final_statements(id))?;
        for epoch in self.note("epochs", snapshot.epochs(id))?.unwrap_or_default() {
            self.epoch(snapshot, id, epoch.number)?;
        }
        Ok(())
    }

    fn epoch(&mut self, snapshot: &Snapshot, scope: ScopeId, epoch: EpochNumber) -> Result<(), StorageError> {
        self.note("pool", snapshot.pool(scope, epoch))?;
        self.note("signatures", snapshot.signatures(scope, epoch))?;
        self.note("epoch decisions", snapshot.epoch_decisions(scope, epoch))?;
        for draft in self.note("drafts", snapshot.drafts(scope, epoch))?.unwrap_or_default() {
            let which = Which::Revision(draft.statement.revision);
            self.note("note", snapshot.statement_note(scope, epoch, which))?;
            self.note("allocations", snapshot.allocations(scope, epoch, which, None, 1_000))?;
            if self.depth == Depth::Proofs {
                self.note("dossier", dossier(snapshot, scope, epoch, which))?;
            }
        }
        let all = self.depth == Depth::Proofs;
        if self.note("statement", snapshot.final_statement(scope, epoch, Which::Final))?.is_some() && all {
            self.note("verification", snapshot.verification(scope, epoch, Which::Final).map(|_| "equal"))?;
            self.proofs(snapshot, scope, epoch)?;
        }
        Ok(())
    }

    /// Every proof, checked by the rulebook alone under the ledger's own trust file.
    fn proofs(
        &mut self,
        snapshot: &Snapshot,
        scope: ScopeId,
        epoch: EpochNumber,
    ) -> Result<(), StorageError> {
        let Some(trust) = self.note("trust", snapshot.trust(scope, None))? else { return Ok(()) };
        for claimant in people() {
            let proof = snapshot.proof(scope, epoch, Which::Final, &claimant, SetVersion::FIRST);
            let verified = proof.map(|proof| {
                let verified = match &proof {
                    Proof::Payout(proof) => {
                        verify(proof, &trust).map(|_| "verified").map_err(|f| f.to_string())
                    }
                    Proof::Absence(proof) => {
                        verify_absence(proof, &trust).map(|_| "absent").map_err(|f| f.to_string())
                    }
                };
                (proof.to_file(), verified)
            });
            self.note("proof", verified)?;
        }
        Ok(())
    }
}

fn dossier(snapshot: &Snapshot, scope: ScopeId, epoch: EpochNumber, which: Which) -> LedgerResult<String> {
    let mut bytes = Vec::new();
    snapshot.dossier(scope, epoch, which)?.write(&mut bytes).unwrap();
    Ok(String::from_utf8(bytes).unwrap())
}

/// The lines in which two texts differ first, short enough to print.
pub(crate) fn first_difference(expected: &str, got: &str) -> String {
    let short = |line: Option<&str>| line.unwrap_or("the end").chars().take(300).collect::<String>();
    let mut pairs = (expected.lines().map(Some).chain([None])).zip(got.lines().map(Some).chain([None]));
    match pairs.find(|(expected, got)| expected != got) {
        Some((expected, got)) => format!("expected {}\n     got {}", short(expected), short(got)),
        None => "nothing".to_owned(),
    }
}
