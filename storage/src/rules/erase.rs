//! Erasing what a leaf binds only by its salted hash.

use meed_audit::decision::Change;
use meed_audit::ids::EventId;
use meed_audit::text::FreeText;
use meed_audit::{Rejection, RejectionCode};

use crate::codec;
use crate::event_record::PrivateRecord;
use crate::event_rows::EVENT_PRIVATE;
use crate::events::{EventReader, PrivateData};
use crate::ledger::Ledger;
use crate::rules::decisions::{self, Intent};
use crate::rules::record::{By, LedgerResult, refuse};
use crate::rules::scopes::scope_record;

/// Whether anything was there to erase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erased {
    /// Salt and metadata are gone.
    Now,
    /// They were erased before; nothing changed.
    Before,
}

impl Ledger {
    /// Erases an event's salt and metadata, by a decision in each of its scopes that goes on. No leaf, proof or
    /// statement changes. The bytes leave the file with the next `compact`.
    ///
    /// # Errors
    /// `event_not_found`; `scope_ended` where all its scopes have ended.
    pub fn erase_metadata(&self, event: EventId, reason: FreeText, by: By) -> LedgerResult<Erased> {
        self.run(move |tx| {
            let Some(index) = tx.event_index(&event)? else {
                let code = RejectionCode::EventNotFound;
                return refuse(Rejection::new(code, event.as_str(), "an event of this node", "none"));
            };
            if tx.event_private(index)? == Some(PrivateData::Erased) {
                return Ok(Erased::Before);
            }
            let mut prepared = Vec::new();
            for (scope, _) in tx.scopes_of(index)? {
                if !scope_record(tx, scope)?.ended {
                    let intent = Intent { scope, epoch: None, reason: &reason, by: &by };
                    prepared.push(decisions::prepare(tx, &intent, Change::Erase(event.clone()))?);
                }
            }
            if prepared.is_empty() {
                let expected = "an event of a scope that goes on";
                return refuse(Rejection::new(
                    RejectionCode::ScopeEnded,
                    event.as_str(),
                    expected,
                    "ended ones only",
                ));
            }
            for decision in prepared {
                decision.write(tx)?;
            }
            let record = codec::encode(EVENT_PRIVATE, &PrivateRecord::Erased)?;
            tx.replace_private(index, &record)?;
            Ok(Erased::Now)
        })
    }
}
