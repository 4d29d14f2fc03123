//! Approver sets, and the signatures of approvers.

use meed_audit::approvers::ApproverSetText;
use meed_audit::text::FreeText;
use meed_audit::{Rejection, RejectionCode};
use meed_keys::{ApproverSet, Note, SignatureLine, VerifierKey};
use meed_storage::{Added, ApproverSetOutcome, ApproverSetVersion, LedgerError, PendingApproverSet, Which};

use super::{Service, which};
use crate::api::documents::{
    ApproverSetView, ApproversRequest, ApproversView, PendingSetView, SignatureView, SignaturesView,
    SignerView,
};
use crate::failure::{Failure, reject, with_sources};

/// How a signature is refused where nothing is offered that it could be of.
const SIGNED_IN_VAIN: [&str; 2] = ["draft_not_current", "draft_not_found"];

impl Service {
    /// Sets or proposes the approvers of a scope.
    ///
    /// # Errors
    /// `key_invalid`, `approver_set_invalid`, `key_in_use`, `approver_set_pending`.
    pub fn set_approvers(
        &self,
        key: &str,
        request: &ApproversRequest,
        actor: &FreeText,
    ) -> Result<ApproversView, Failure> {
        let (_, scope) = Self::scope_id(&self.snapshot()?, key)?;
        let keys = request.keys.iter().map(|text| parse_key(text)).collect::<Result<Vec<_>, _>>()?;
        let set = ApproverSet::new(request.threshold, keys).map_err(|error| {
            let expected = "1 to 15 distinct approver keys and a threshold between 1 and their number";
            reject(RejectionCode::ApproverSetInvalid, "approver set", expected, with_sources(&error))
        })?;
        Ok(outcome_view(self.ledger.set_approvers(scope, set, self.by(actor)?)?))
    }

    /// The approver set in force, and the one that is proposed.
    ///
    /// # Errors
    /// `scope_not_found`.
    pub fn approvers(&self, key: &str) -> Result<ApproversView, Failure> {
        let snapshot = self.snapshot()?;
        let (_, scope) = Self::scope_id(&snapshot, key)?;
        let in_force = snapshot.approver_sets(scope)?.into_iter().last();
        let pending = snapshot.pending_approvers(scope)?;
        Ok(ApproversView { in_force: in_force.map(set_view), pending: pending.map(pending_view) })
    }

    /// Gives up the set that is proposed.
    ///
    /// # Errors
    /// `scope_not_found`, `draft_not_found`.
    pub fn withdraw_approvers(&self, key: &str) -> Result<ApproversView, Failure> {
        let (_, scope) = Self::scope_id(&self.snapshot()?, key)?;
        self.ledger.withdraw_approvers(scope)?;
        self.approvers(key)
    }

    /// Adds cosignatures to the set that is proposed: lines, or a note.
    ///
    /// # Errors
    /// `draft_not_found`, `signer_unknown`, `signature_invalid`.
    pub fn add_approver_signatures(&self, key: &str, text: &str) -> Result<ApproversView, Failure> {
        let snapshot = self.snapshot()?;
        let (key, scope) = Self::scope_id(&snapshot, key)?;
        let origin = format!("{}/{key}/approvers", snapshot.origin()?);
        drop(snapshot);
        let lines = read_lines(text, &origin)?;
        Ok(outcome_view(self.ledger.add_approver_signatures(scope, lines, self.clock.now()?)?))
    }

    /// Adds approvals to the current draft: lines, or a note.
    ///
    /// # Errors
    /// Those of the first line that is refused; the lines before it stay.
    pub fn add_signatures(&self, key: &str, epoch: u64, text: &str) -> Result<SignaturesView, Failure> {
        let (snapshot, place) = self.place(key, epoch)?;
        let draft = snapshot.draft(place.scope, place.epoch, which(&snapshot, &place, None)?)?;
        let state = snapshot.epoch(place.scope, place.epoch)?;
        let is_final = state.final_revision.is_some() && !state.amending;
        drop(snapshot);
        for line in read_lines(text, &draft.statement.origin_line())? {
            let added = self.ledger.add_signature(place.scope, place.epoch, line, self.clock.now()?);
            match added.map_err(Failure::from) {
                Ok(Added::New | Added::Same) => {}
                Err(failure) if is_final && SIGNED_IN_VAIN.contains(&failure.problem.code.as_str()) => {
                    return Err(failure.with_remedy("nothing is left to sign: the epoch is final"));
                }
                Err(failure) => return Err(failure),
            }
        }
        self.signatures(key, epoch)
    }

    /// The signatures of an epoch.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`.
    pub fn signatures(&self, key: &str, epoch: u64) -> Result<SignaturesView, Failure> {
        let (snapshot, place) = self.place(key, epoch)?;
        let stored = snapshot.signatures(place.scope, place.epoch)?;
        let state = snapshot.epoch(place.scope, place.epoch)?;
        let revision = state.current_draft.or(state.final_revision);
        let threshold = match revision {
            None => 0,
            Some(_) => {
                let draft = snapshot.draft(place.scope, place.epoch, which(&snapshot, &place, None)?)?;
                draft.statement.approvers.threshold
            }
        };
        let in_force = match state.final_revision {
            None => None,
            Some(last) => {
                let which = Which::Revision(last);
                Some((last, snapshot.final_statement(place.scope, place.epoch, which)?.note))
            }
        };
        // What came after finalizing is not in the note that the log holds.
        let is_in_force = |revision, line: &str| {
            let same = in_force.as_ref().filter(|(last, _)| *last == revision);
            same.is_some_and(|(_, note)| note.lines().any(|logged| logged == line.trim_end()))
        };
        let signatures: Vec<SignatureView> = stored
            .iter()
            .map(|signature| SignatureView {
                revision: signature.revision.get(),
                name: signature.line.name().to_string(),
                line: signature.line.to_string(),
                counts: signature.counts,
                in_force: is_in_force(signature.revision, &signature.line.to_string()),
            })
            .collect();
        let approvals = signatures.iter().filter(|signature| signature.counts).count();
        Ok(SignaturesView {
            revision: revision.map(|revision| revision.get()),
            threshold,
            approvals: u64::try_from(approvals).unwrap_or(u64::MAX),
            signatures,
        })
    }

    /// Who may sign the draft that is offered, and who has.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `draft_not_found`.
    pub fn signers(&self, key: &str, epoch: u64) -> Result<Vec<SignerView>, Failure> {
        let (snapshot, place) = self.place(key, epoch)?;
        let draft = snapshot.draft(place.scope, place.epoch, Which::Draft)?;
        let sets = snapshot.approver_sets(place.scope)?;
        let set = sets.into_iter().find(|set| set.text.version == draft.approvers);
        let set = set.ok_or_else(|| Failure::internal("the draft's approver set is missing"))?;
        let stored = snapshot.signatures(place.scope, place.epoch)?;
        let has_signed = |name: &str| {
            stored.iter().any(|signature| signature.counts && signature.line.name().as_str() == name)
        };
        let signer = |key: &VerifierKey| {
            let name = key.name().to_string();
            SignerView { signed: has_signed(&name), name }
        };
        Ok(set.text.set.approvers().iter().map(signer).collect())
    }

    /// Whether an epoch can be made final as far as its approvers are concerned: its current draft has their signatures,
    /// or it is final already.
    ///
    /// # Errors
    /// `quorum_missing`, which names who has signed and who has not; `scope_not_found`, `epoch_not_found`,
    /// `draft_not_found`, `scope_ended`.
    pub fn check_approvals(&self, key: &str, epoch: u64) -> Result<(), Failure> {
        let (snapshot, place) = self.place(key, epoch)?;
        match snapshot.approved(place.scope, place.epoch) {
            Ok(_) => Ok(()),
            Err(LedgerError::Rejected(rejection)) if rejection.code == RejectionCode::QuorumMissing => {
                drop(snapshot);
                let signers = self.signers(key, epoch)?;
                let names = |signed: bool| {
                    let names = signers.iter().filter(|signer| signer.signed == signed);
                    names.map(|signer| signer.name.as_str()).collect::<Vec<_>>()
                };
                let got = got_of(&names(true), &names(false));
                Err(reject(rejection.code, &rejection.subject, rejection.expected, got))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the draft that is offered holds every decision that can touch its epoch: what came after it would be left
    /// out of what becomes final, which cannot be undone.
    ///
    /// # Errors
    /// `decisions_after_draft`, which says how many; `scope_not_found`, `epoch_not_found`.
    pub fn check_draft_holds_all(&self, key: &str, epoch: u64) -> Result<(), Failure> {
        let (snapshot, place) = self.place(key, epoch)?;
        let checked = snapshot.check_draft_holds_all(place.scope, place.epoch);
        checked.map_err(|error| with_ways_to_finalize(error.into(), key, epoch))
    }
}

/// A draft that does not hold everything is frozen again, or made final as it is: says how, for this epoch.
pub(super) fn with_ways_to_finalize(failure: Failure, key: &str, epoch: u64) -> Failure {
    if failure.problem.code != RejectionCode::DecisionsAfterDraft.name() {
        return failure;
    }
    failure.with_remedy(format!(
        "make the next draft with `meed epoch freeze --scope {key} --epoch {epoch}` and have it signed; or finalize this \
         one without them, by `--leave-out-later` (`leave_out_later` in a request)"
    ))
}

/// Who has signed and who has not, for a refusal.
fn got_of(signed: &[&str], missing: &[&str]) -> String {
    let signed =
        if signed.is_empty() { "nobody's".to_owned() } else { format!("that of {}", signed.join(", ")) };
    format!("{signed}; not signed by {}", missing.join(", "))
}

fn parse_key(text: &str) -> Result<VerifierKey, Failure> {
    text.parse().map_err(|error: meed_keys::VerifierKeyError| {
        let expected = "a verifier key as `meed key new` prints it";
        Rejection::of_error(RejectionCode::KeyInvalid, "key", expected, with_sources(&error)).into()
    })
}

/// The signature lines of a text, or those of a note; the node's own line is no approval and is left out.
fn read_lines(text: &str, node_name: &str) -> Result<Vec<SignatureLine>, Failure> {
    let refuse = |got: String| {
        let expected = "signature lines as `meed sign` prints them, or a whole signed note";
        reject(RejectionCode::SignatureInvalid, "signatures", expected, got)
    };
    let other = |error: &dyn std::error::Error| refuse(format!("another text ({})", with_sources(error)));
    let lines: Vec<SignatureLine> = if text.contains("\n\n") {
        let note = Note::parse(text).map_err(|error| other(&error))?;
        note.signatures().iter().filter(|line| line.name().as_str() != node_name).cloned().collect()
    } else {
        let parse = |line: &str| line.parse().map_err(|error: meed_keys::SignatureLineError| other(&error));
        let lines = text.lines().map(|line| line.trim_end_matches('\r')).filter(|line| !line.is_empty());
        lines.map(parse).collect::<Result<_, Failure>>()?
    };
    if lines.is_empty() {
        return Err(refuse("none".to_owned()));
    }
    Ok(lines)
}

fn outcome_view(outcome: ApproverSetOutcome) -> ApproversView {
    match outcome {
        ApproverSetOutcome::InForce(set) => ApproversView { in_force: Some(set_view(set)), pending: None },
        ApproverSetOutcome::Pending(set) => {
            ApproversView { in_force: None, pending: Some(pending_view(set)) }
        }
    }
}

fn keys_of(text: &ApproverSetText) -> Vec<String> {
    text.set.approvers().iter().map(ToString::to_string).collect()
}

fn set_view(set: ApproverSetVersion) -> ApproverSetView {
    ApproverSetView {
        version: set.text.version.get(),
        threshold: set.text.set.threshold(),
        keys: keys_of(&set.text),
        weak_majority: set.text.set.is_weak_majority(),
        text_hash: set.text.text_hash().to_hex(),
        note: set.note,
        log_index: set.log_index,
        at: set.at,
        by: set.by,
    }
}

fn pending_view(set: PendingApproverSet) -> PendingSetView {
    PendingSetView {
        version: set.text.version.get(),
        threshold: set.text.set.threshold(),
        keys: keys_of(&set.text),
        weak_majority: set.text.set.is_weak_majority(),
        note: set.note,
        signed_by: set.signatures.iter().map(|line| line.name().to_string()).collect(),
        missing: set.missing,
        at: set.at,
        by: set.by,
    }
}
