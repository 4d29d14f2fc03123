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
use crate::rules::decisions::{self, Intent, Prepared};
use crate::rules::record::{By, LedgerResult, refuse};

/// Whether anything was there to erase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erased {
    /// Salt and metadata are gone.
    Now,
    /// They were erased before; nothing changed.
    Before,
}

impl Ledger {
    /// Erases an event's salt and metadata, by a decision in each of its scopes, those that have ended too: what people
    /// may have forgotten does not depend on what goes on. No leaf, proof or statement changes. The bytes leave the file
    /// with the next `compact`.
    ///
    /// # Errors
    /// `event_not_found`.
    pub fn erase_metadata(&self, event: EventId, reason: FreeText, by: By) -> LedgerResult<Erased> {
        self.run(move |tx| {
            let Some(index) = tx.event_index(&event)? else {
                let code = RejectionCode::EventNotFound;
                return refuse(Rejection::new(code, event.as_str(), "an event of this node", "none"));
            };
            if tx.event_private(index)? == Some(PrivateData::Erased) {
                return Ok(Erased::Before);
            }
            let intent = |scope| Intent { scope, epoch: None, reason: &reason, by: &by };
            let scopes = tx.scopes_of(index)?.into_iter();
            let prepared: Vec<Prepared> = scopes
                .map(|(scope, _)| decisions::prepare(tx, &intent(scope), Change::Erase(event.clone())))
                .collect::<LedgerResult<_>>()?;
            for decision in prepared {
                decision.write(tx)?;
            }
            let record = codec::encode(EVENT_PRIVATE, &PrivateRecord::Erased)?;
            tx.replace_private(index, &record)?;
            Ok(Erased::Now)
        })
    }
}
