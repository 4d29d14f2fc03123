//! Deliveries of webhooks that were taken: none counts twice.

use meed_audit::time::{MS_PER_DAY, Timestamp};
use serde::{Deserialize, Serialize};

use crate::codec::Record;
use crate::key::KeyText;
use crate::ledger::Ledger;
use crate::rules::record::LedgerResult;
use crate::snapshot::Snapshot;
use crate::table::{Reader, Table};
use crate::transaction::Transaction;

/// The deliveries that were taken.
const DELIVERIES: Table<KeyText, DeliveryRecord> = Table::new("deliveries");
/// The same by when they were.
const DELIVERIES_BY_TIME: Table<(Timestamp, KeyText), DeliveryRecord> = Table::new("deliveries_by_time");

/// How long a delivery is remembered, in days.
pub const DELIVERY_DAYS_KEPT: i64 = 30;
/// Most deliveries that are forgotten when one comes, so that no command takes long.
const FORGOTTEN_MAX: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct DeliveryRecord {
    at: Timestamp,
}

impl Record for DeliveryRecord {}

impl Ledger {
    /// Takes note of a delivery; false where it was noted before, which changes nothing. Those of more than
    /// [`DELIVERY_DAYS_KEPT`] days ago are forgotten.
    ///
    /// # Errors
    /// A failure of the store.
    pub fn note_delivery(&self, id: KeyText, at: Timestamp) -> LedgerResult<bool> {
        self.run(move |tx| {
            if tx.contains(DELIVERIES, &id)? {
                return Ok(false);
            }
            forget_old(tx, at)?;
            let record = DeliveryRecord { at };
            tx.insert(DELIVERIES, &id, &record)?;
            tx.insert(DELIVERIES_BY_TIME, &(at, id.clone()), &record)?;
            Ok(true)
        })
    }
}

impl Snapshot {
    /// Whether a delivery was noted, and is remembered.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn knows_delivery(&self, id: &KeyText) -> LedgerResult<bool> {
        Ok(self.contains(DELIVERIES, id)?)
    }
}

fn forget_old(tx: &mut Transaction, now: Timestamp) -> LedgerResult<()> {
    let oldest_ms = now.as_ms().saturating_sub(DELIVERY_DAYS_KEPT.saturating_mul(MS_PER_DAY));
    let Ok(oldest) = Timestamp::from_ms(oldest_ms) else { return Ok(()) };
    let mut old = Vec::new();
    tx.for_each(DELIVERIES_BY_TIME, .., &mut |key, _: DeliveryRecord| {
        if key.0 >= oldest || old.len() == FORGOTTEN_MAX {
            return Ok(std::ops::ControlFlow::Break(()));
        }
        old.push(key);
        Ok(std::ops::ControlFlow::Continue(()))
    })?;
    for key in old {
        tx.remove(DELIVERIES, &key.1)?;
        tx.remove(DELIVERIES_BY_TIME, &key)?;
    }
    Ok(())
}
