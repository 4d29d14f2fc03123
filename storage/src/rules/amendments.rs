//! Amendments: a final epoch is decided on again, until a statement that corrects the one in force is final, or until
//! the amendment is given up (rule `CURATION_FREEZE_ON_FINALIZE`).

use meed_audit::decision::Change;
use meed_audit::ids::{EpochNumber, ScopeId};
use meed_audit::text::FreeText;
use meed_audit::{Rejection, RejectionCode};

use crate::ledger::Ledger;
use crate::rules::decisions::{self, Intent};
use crate::rules::epochs::{check_begun, epoch_record};
use crate::rules::record::{By, LedgerResult, refuse};
use crate::rules::scopes::{is_amending, scope_record};
use crate::rules::tables::{EPOCHS, SCOPES};

impl Ledger {
    /// Begins an amendment of a final epoch, by a decision. While it is under way, curation, shares and overrides of the
    /// epoch may change, and freezing takes them and the bindings of then (rule `CURATION_FREEZE_ON_FINALIZE`). The one
    /// that is under way already changes nothing.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `statement_not_found` for an epoch that is not final, `amendment_open` where
    /// another epoch is being amended, `window_ahead`, `scope_ended`.
    pub fn amend(&self, scope: ScopeId, epoch: EpochNumber, reason: FreeText, by: By) -> LedgerResult<()> {
        self.run(move |tx| {
            let mut owner = scope_record(tx, scope)?;
            let record = epoch_record(tx, scope, epoch)?;
            if is_amending(&owner, epoch) {
                return Ok(());
            }
            if record.final_revision.is_none() {
                let subject = format!("epoch {epoch}");
                let code = RejectionCode::StatementNotFound;
                return refuse(Rejection::new(code, subject, "a final epoch", "one that is not"));
            }
            check_begun(epoch, &record, by.at)?;
            if let Some(other) = owner.amending {
                let expected = format!("the amendment of epoch {other} to be finished first");
                return refuse(Rejection::new(
                    RejectionCode::AmendmentOpen,
                    "scope",
                    expected,
                    "an open one",
                ));
            }
            let prepared = decisions::prepare(
                tx,
                &Intent { scope, epoch: Some(epoch), reason: &reason, by: &by },
                Change::Amend,
            )?;
            prepared.write(tx)?;
            owner.amending = Some(epoch);
            Ok(tx.insert(SCOPES, &scope, &owner)?)
        })
    }

    /// Gives an amendment that is under way up, by a decision: the epoch is final as it was, with the statement in force,
    /// and what was decided of it since the amendment began is taken back. Drafts and signatures stay as evidence, and the
    /// next amendment takes the next revision.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `scope_ended`, `nothing_to_change` for an epoch that is not being amended.
    pub fn abandon_amendment(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        reason: FreeText,
        by: By,
    ) -> LedgerResult<()> {
        self.run(move |tx| {
            let mut owner = scope_record(tx, scope)?;
            let mut record = epoch_record(tx, scope, epoch)?;
            if !is_amending(&owner, epoch) {
                let code = RejectionCode::NothingToChange;
                let (subject, expected) = (format!("epoch {epoch}"), "an epoch that is being amended");
                return refuse(Rejection::new(code, subject, expected, "one that is not"));
            }
            let intent = Intent { scope, epoch: Some(epoch), reason: &reason, by: &by };
            decisions::prepare(tx, &intent, Change::Abandon)?.write(tx)?;
            record.current_draft = None;
            tx.insert(EPOCHS, &(scope, epoch), &record)?;
            owner.amending = None;
            Ok(tx.insert(SCOPES, &scope, &owner)?)
        })
    }
}
