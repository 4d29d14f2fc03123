//! The pool: the immutable components of an epoch's budget.

use meed_audit::decision::Change;
use meed_audit::ids::{EpochNumber, ScopeId};
use meed_audit::pool::{Pool, PoolComponent};
use meed_audit::text::FreeText;
use meed_audit::{Rejection, RejectionCode};

use crate::error::StorageError;
use crate::ledger::Ledger;
use crate::rules::decisions::{self, Intent, Prepared};
use crate::rules::epochs::{epoch_record, phase};
use crate::rules::record::{By, BytesRecord, LedgerResult, refuse, sound};
use crate::rules::scopes::scope_record;
use crate::rules::tables::POOL;
use crate::snapshot::Snapshot;
use crate::table::{RawReader, Reader};
use crate::transaction::Transaction;

/// Whether a thing is new or was there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is new.
    New,
    /// The same was there already; nothing changed.
    Same,
}

impl Ledger {
    /// Adds a component to the pool of an open epoch, by a decision. The same again changes nothing.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `pool_conflict`, `epoch_not_open`, `scope_ended`, `pool_not_positive`,
    /// `number_too_large`, `too_many`.
    pub fn add_pool_component(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        component: PoolComponent,
        reason: FreeText,
        by: By,
    ) -> LedgerResult<Added> {
        self.run(move |tx| match prepare(tx, scope, epoch, component, reason, &by)? {
            None => Ok(Added::Same),
            Some(addition) => {
                addition.write(tx)?;
                Ok(Added::New)
            }
        })
    }
}

impl Snapshot {
    /// The pool of an epoch.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`.
    pub fn pool(&self, scope: ScopeId, epoch: EpochNumber) -> LedgerResult<Pool> {
        scope_record(self, scope)?;
        epoch_record(self, scope, epoch)?;
        Ok(pool(self, scope, epoch)?)
    }
}

/// The pool as stored.
pub(crate) fn pool(
    reader: &impl RawReader,
    scope: ScopeId,
    epoch: EpochNumber,
) -> Result<Pool, StorageError> {
    let mut components = Vec::new();
    for (_, record) in reader.with_prefix(POOL, &(scope, epoch))? {
        components.push(record.leaf(POOL.name())?);
    }
    sound(POOL.name(), Pool::from_components(components))
}

/// A component that may be added, not yet written.
pub(crate) struct Addition {
    scope: ScopeId,
    epoch: EpochNumber,
    component: PoolComponent,
    decision: Prepared,
}

impl Addition {
    pub(crate) fn write(self, tx: &mut Transaction) -> Result<(), StorageError> {
        let key = (self.scope, self.epoch, self.component.component.clone());
        tx.insert(POOL, &key, &BytesRecord::of_leaf(&self.component))?;
        self.decision.write(tx).map(|_| ())
    }
}

fn prepare(
    tx: &Transaction,
    scope: ScopeId,
    epoch: EpochNumber,
    component: PoolComponent,
    reason: FreeText,
    by: &By,
) -> LedgerResult<Option<Addition>> {
    scope_record(tx, scope)?;
    let record = epoch_record(tx, scope, epoch)?;
    // The same again is nothing, also later (rule `POOL_UNIQUE_PER_TYPE`).
    if !pool(tx, scope, epoch)?.add(component.clone())? {
        return Ok(None);
    }
    if record.closed.is_some() {
        let subject = format!("epoch {epoch}");
        return refuse(Rejection::new(
            RejectionCode::EpochNotOpen,
            subject,
            "an open epoch",
            phase(&record).name(),
        ));
    }
    let change = Change::Pool(component.component.clone(), component.amount);
    let intent = Intent { scope, epoch: Some(epoch), reason: &reason, by };
    let decision = decisions::prepare(tx, &intent, change)?;
    Ok(Some(Addition { scope, epoch, component, decision }))
}

/// The base issuance of an epoch that is being opened in the same transaction.
pub(crate) fn prepare_base(
    tx: &Transaction,
    scope: ScopeId,
    epoch: EpochNumber,
    component: PoolComponent,
    by: &By,
) -> LedgerResult<Addition> {
    let reason = FreeText::parse("reason", "base issuance of the scope")?;
    let change = Change::Pool(component.component.clone(), component.amount);
    let intent = Intent { scope, epoch: Some(epoch), reason: &reason, by };
    let decision = decisions::prepare(tx, &intent, change)?;
    Ok(Addition { scope, epoch, component, decision })
}
