//! What the sources of a scope said exists in a window, against what was stored: whether a collection is complete.
//!
//! A report is of one source and one window, and the newest one stands in place of those before it. An epoch with a gap
//! closes only where somebody accepts it, with a reason (`accept_gap`).

use meed_audit::ids::{EpochNumber, ScopeId};
use meed_audit::text::FreeText;
use meed_audit::time::{Period, Timestamp};
use meed_audit::{Rejection, RejectionCode};
use serde::{Deserialize, Serialize};

use crate::codec::Record;
use crate::key::KeyText;
use crate::rules::record::{LedgerResult, refuse};
use crate::snapshot::Snapshot;
use crate::table::{RawReader, Reader, Table};
use crate::transaction::Transaction;

/// The newest report of each source, by the beginning of its window.
const REPORTS: Table<(ScopeId, Timestamp, KeyText), ReportRecord> = Table::new("source_reports");
/// The reasons with which epochs were closed in spite of a gap.
pub(crate) const ACCEPTED_GAPS: Table<(ScopeId, EpochNumber), AcceptedRecord> = Table::new("accepted_gaps");

/// What one source said of one window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceReport {
    /// The source's name in its scope's settings.
    pub source: KeyText,
    /// The window.
    pub window: Period,
    /// When it was asked.
    pub at: Timestamp,
    /// How many events of the window it has.
    pub found: u64,
    /// How many of them are in the ledger.
    pub stored: u64,
    /// Why some are missing, or why the source could not be asked.
    pub missing: Option<String>,
}

impl SourceReport {
    /// What is missing, in words; nothing where the collection is complete.
    pub fn gap(&self) -> Option<String> {
        let why = self.missing.as_deref();
        if self.stored < self.found {
            let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
            return Some(format!("{} of {} events of {}{why}", self.stored, self.found, self.source));
        }
        why.map(|why| format!("not all of {}: {why}", self.source))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ReportRecord {
    end: Timestamp,
    at: Timestamp,
    found: u64,
    stored: u64,
    missing: Option<String>,
}

impl Record for ReportRecord {}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AcceptedRecord {
    pub(crate) reason: FreeText,
}

impl Record for AcceptedRecord {}

impl Snapshot {
    /// What the sources of a scope said of the window that begins at `start`, by their names.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn source_reports(&self, scope: ScopeId, start: Timestamp) -> LedgerResult<Vec<SourceReport>> {
        of_window(self, scope, start)
    }

    /// Why an epoch was closed in spite of a gap, where it was.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn accepted_gap(&self, scope: ScopeId, epoch: EpochNumber) -> LedgerResult<Option<FreeText>> {
        Ok(self.get(ACCEPTED_GAPS, &(scope, epoch))?.map(|record| record.reason))
    }
}

pub(crate) fn store(tx: &mut Transaction, scope: ScopeId, report: &SourceReport) -> LedgerResult<()> {
    let SourceReport { source, window, at, found, stored, missing } = report.clone();
    let record = ReportRecord { end: window.end, at, found, stored, missing };
    Ok(tx.insert(REPORTS, &(scope, window.start, source), &record)?)
}

/// Refuses a close with a gap that nobody accepts; gives the reason back where there is one and a gap.
pub(crate) fn check_gap(
    reader: &impl RawReader,
    scope: ScopeId,
    epoch: EpochNumber,
    window: Period,
    accepted: Option<FreeText>,
) -> LedgerResult<Option<FreeText>> {
    let reports = of_window(reader, scope, window.start)?;
    let gaps: Vec<String> = reports.iter().filter_map(SourceReport::gap).collect();
    if gaps.is_empty() || accepted.is_some() {
        return Ok(accepted.filter(|_| !gaps.is_empty()));
    }
    refuse(Rejection::new(
        RejectionCode::CollectionGap,
        format!("epoch {epoch}"),
        "all that its sources have, or a reason to close without",
        gaps.join("; "),
    ))
}

fn of_window(reader: &impl RawReader, scope: ScopeId, start: Timestamp) -> LedgerResult<Vec<SourceReport>> {
    let records = reader.with_prefix(REPORTS, &(scope, start))?;
    let read = |((_, start, source), record): ((ScopeId, Timestamp, KeyText), ReportRecord)| {
        let ReportRecord { end, at, found, stored, missing } = record;
        SourceReport { source, window: Period { start, end }, at, found, stored, missing }
    };
    Ok(records.into_iter().map(read).collect())
}
