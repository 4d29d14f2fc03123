//! What was amended: the final statements of an epoch, each of which replaces the one before it, and what they say of a
//! claimant.

use meed_audit::allocation::Allocation;
use meed_audit::amount::Credits;
use meed_audit::ids::{EpochNumber, Revision};
use meed_audit::time::Timestamp;
use meed_storage::{ClaimantHistory, FinalStatement, Snapshot, Which};

use super::parts::page;
use super::payouts::read_place;
use super::{Service, Wanted};
use crate::api::documents::Page;
use crate::failure::Failure;

/// A final statement of an epoch.
#[derive(Clone, Debug)]
pub(crate) struct FinalRevision {
    /// Its number.
    pub(crate) revision: u64,
    /// When it became final.
    pub(crate) at: Timestamp,
    /// What it pays in all.
    pub(crate) distributed: Credits,
    /// Whether it is the one in force; else the next one has replaced it.
    pub(crate) in_force: bool,
}

/// What the final statements of an epoch say of a claimant.
#[derive(Clone, Debug)]
pub(crate) struct PaidEpoch {
    /// The scope's key.
    pub(crate) scope: String,
    /// The epoch.
    pub(crate) epoch: u64,
    /// The unit's symbol.
    pub(crate) unit: String,
    /// The unit's decimals.
    pub(crate) decimals: u8,
    /// Each statement, the one in force first.
    pub(crate) revisions: Vec<PaidRevision>,
}

/// What one of them says.
#[derive(Clone, Debug)]
pub(crate) struct PaidRevision {
    /// Its number.
    pub(crate) revision: u64,
    /// Its origin line.
    pub(crate) statement: String,
    /// What the claimant gets; none where it does not name them.
    pub(crate) payout: Option<Allocation>,
}

/// The newest final statement of a scope that is in force.
#[derive(Clone, Debug)]
pub(crate) struct NewestFinal {
    /// The scope's key.
    pub(crate) scope: String,
    /// The epoch.
    pub(crate) epoch: u64,
    /// The revision.
    pub(crate) revision: u64,
}

/// Epochs at a scope's end among which its newest final one is looked for.
const NEWEST_EPOCHS: usize = 20;

impl Service {
    /// The newest final epochs of at most so many scopes, one of each.
    ///
    /// # Errors
    /// A failure of reading.
    pub(crate) fn newest_finals(&self, scopes: usize) -> Result<Vec<NewestFinal>, Failure> {
        let mut found = Vec::new();
        let snapshot = self.snapshot()?;
        for scope in snapshot.scopes()?.into_iter().take(scopes) {
            let Some(newest) = snapshot.newest_epoch(scope.id)? else { continue };
            let count = u64::try_from(NEWEST_EPOCHS).unwrap_or(u64::MAX);
            let first = EpochNumber::new(newest.get().saturating_sub(count).max(1))?;
            let epochs = snapshot.epochs_from(scope.id, first, NEWEST_EPOCHS.saturating_add(1))?.items;
            let last = epochs.iter().rev().find_map(|epoch| Some((epoch.number, epoch.final_revision?)));
            found.extend(last.map(|(epoch, revision)| NewestFinal {
                scope: scope.terms.key.to_string(),
                epoch: epoch.get(),
                revision: revision.get(),
            }));
        }
        Ok(found)
    }

    /// The final statements of an epoch, the one in force first.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`.
    pub(crate) fn final_revisions(&self, key: &str, epoch: u64) -> Result<Vec<FinalRevision>, Failure> {
        let (snapshot, place) = self.place(key, epoch)?;
        let view = |last: FinalStatement| FinalRevision {
            revision: last.statement.revision.get(),
            at: last.at,
            distributed: last.statement.distributed,
            in_force: last.in_force,
        };
        let finals = snapshot.final_statements_of(place.scope, place.epoch)?;
        Ok(finals.into_iter().rev().map(view).collect())
    }

    /// What all final statements say of a claimant, those included that an amendment has replaced, by scope and epoch. A
    /// part may hold nothing and still have one after it.
    ///
    /// # Errors
    /// `invalid_claimant`, `malformed`.
    pub(crate) fn payout_history(&self, claimant: &str, wanted: &Wanted) -> Result<Page<PaidEpoch>, Failure> {
        let claimant = claimant.parse()?;
        let snapshot = self.snapshot()?;
        let part = snapshot.payout_history_from(&claimant, wanted.from(read_place)?, wanted.limit())?;
        page(part, |(scope, epoch)| format!("{scope}/{epoch}"), |history| paid_epoch(&snapshot, history))
    }
}

fn paid_epoch(snapshot: &Snapshot, history: ClaimantHistory) -> Result<PaidEpoch, Failure> {
    let ClaimantHistory { scope, epoch, revisions } = history;
    let last = snapshot.final_statement(scope, epoch, Which::Final)?.statement;
    let view = |(revision, payout): (Revision, Option<Allocation>)| {
        let mut of_revision = last.clone();
        of_revision.revision = revision;
        PaidRevision { revision: revision.get(), statement: of_revision.origin_line(), payout }
    };
    Ok(PaidEpoch {
        scope: last.scope_key.to_string(),
        epoch: epoch.get(),
        unit: last.unit.symbol().to_owned(),
        decimals: last.unit.decimals(),
        revisions: revisions.into_iter().rev().map(view).collect(),
    })
}
