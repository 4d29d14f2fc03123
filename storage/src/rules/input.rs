//! What a statement is computed from: an epoch's facts and decisions, read in one view.

use meed_audit::activity::EpochEvent;
use meed_audit::close::{DraftTerms, EpochInput};
use meed_audit::hash::Hash;
use meed_audit::ids::{EpochNumber, Revision, ScopeId, SetVersion};
use meed_audit::policy::Policy;
use meed_audit::time::{MS_PER_DAY, Period, Timestamp};
use meed_audit::window::EpochWindow;
use meed_audit::{Rejection, RejectionCode};

use crate::error::StorageError;
use crate::events::EventReader;
use crate::log::LogKind;
use crate::rules::approvers::{approvers_missing, set_text};
use crate::rules::decisions::{decisions_size, decisions_until};
use crate::rules::drafts::check_takes_drafts;
use crate::rules::epochs::{epoch_record, windows};
use crate::rules::pool::pool;
use crate::rules::record::{LedgerResult, demand, refuse, sound};
use crate::rules::scopes::{scope_name, scope_record};
use crate::rules::tables::{APPROVER_SETS, CHAIN, ChainRecord, DRAFTS, EPOCHS, EpochRecord, FINALS};
use crate::snapshot::Snapshot;
use crate::table::{RawReader, Reader};

/// Days that approvers have to sign, where nobody says otherwise.
pub const SIGN_BY_DAYS_DEFAULT: u32 = 14;
/// Most days that approvers may have to sign.
pub const SIGN_BY_DAYS_MAX: u32 = 365;

/// Which statement of an epoch is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one that a freeze at this moment would give; an epoch that is open is taken as if its window ended now.
    Preview(Timestamp),
    /// The draft that is offered for approval.
    Draft,
    /// The final statement in force.
    Final,
    /// The draft or final statement of this revision.
    Revision(Revision),
}

/// What a freeze would fix now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FreezeTerms {
    pub(crate) draft: DraftTerms,
    pub(crate) decisions_size: u64,
    pub(crate) approvers: SetVersion,
}

/// The revision that is meant, for one that is stored.
pub(crate) fn stored_revision(
    epoch: EpochNumber,
    record: &EpochRecord,
    which: Which,
) -> LedgerResult<Revision> {
    let missing = |code, expected: &str| Rejection::new(code, format!("epoch {epoch}"), expected, "none");
    match which {
        Which::Revision(revision) => Ok(revision),
        Which::Draft => record.current_draft.ok_or_else(|| {
            missing(RejectionCode::DraftNotFound, "a draft that is offered for approval").into()
        }),
        Which::Final | Which::Preview(_) => record
            .final_revision
            .ok_or_else(|| missing(RejectionCode::StatementNotFound, "a final statement").into()),
    }
}

/// The last link of the chain of a scope's final statements, and the number of the next one.
pub(crate) fn chain_end(
    reader: &impl RawReader,
    scope: ScopeId,
) -> Result<(u64, Option<ChainRecord>), StorageError> {
    let last = reader.last_with_prefix(CHAIN, &scope)?;
    Ok(last.map_or((0, None), |((_, number), record)| (number + 1, Some(record))))
}

/// When approving ends for a draft that is frozen at `now`.
pub(crate) fn sign_by(now: Timestamp, days: u32) -> LedgerResult<Timestamp> {
    if !(1..=SIGN_BY_DAYS_MAX).contains(&days) {
        let code = if days == 0 { RejectionCode::NumberTooSmall } else { RejectionCode::NumberTooLarge };
        let expected = format!("1 to {SIGN_BY_DAYS_MAX} days");
        return refuse(Rejection::new(code, "sign_by_days", expected, days));
    }
    Ok(now.plus_ms(i64::from(days) * MS_PER_DAY)?)
}

/// What a freeze would fix, without asking whether it is allowed.
pub(crate) fn freeze_terms(
    reader: &impl RawReader,
    scope: ScopeId,
    epoch: EpochNumber,
    record: &EpochRecord,
    sign_by: Timestamp,
) -> LedgerResult<FreezeTerms> {
    let Some(((_, approvers), _)) = reader.last_with_prefix(APPROVER_SETS, &scope)? else {
        return refuse(approvers_missing(scope_record(reader, scope)?.key.as_str()));
    };
    let supersedes: Option<Hash> = match record.final_revision {
        None => None,
        Some(revision) => Some(demand(reader, FINALS, &(scope, epoch, revision))?.text_hash),
    };
    let previous = chain_end(reader, scope)?.1.map(|record| record.text_hash);
    let draft = DraftTerms { revision: record.next_revision, sign_by, previous, supersedes };
    Ok(FreezeTerms { draft, decisions_size: decisions_size(reader, scope)?, approvers })
}

/// The terms that a stored draft has fixed.
fn stored_terms(
    reader: &impl RawReader,
    scope: ScopeId,
    epoch: EpochNumber,
    revision: Revision,
) -> LedgerResult<FreezeTerms> {
    let Some(draft) = reader.get(DRAFTS, &(scope, epoch, revision))? else {
        let expected = format!("a draft of epoch {epoch}");
        let got = format!("revision {revision}");
        return refuse(Rejection::new(RejectionCode::DraftNotFound, "revision", expected, got));
    };
    Ok(FreezeTerms {
        draft: DraftTerms {
            revision,
            sign_by: draft.sign_by,
            previous: draft.previous,
            supersedes: draft.supersedes,
        },
        decisions_size: draft.decisions_size,
        approvers: draft.approvers,
    })
}

/// Everything that a statement is computed from, but its events.
pub(crate) fn input_without_events(
    reader: &(impl EventReader + LogView),
    scope: ScopeId,
    epoch: EpochNumber,
    terms: &FreezeTerms,
) -> LedgerResult<EpochInput> {
    let owner = scope_record(reader, scope)?;
    let record = epoch_record(reader, scope, epoch)?;
    let mut windows = windows(reader, scope, Some(epoch))?;
    let (events_log, events_root) = match &record.closed {
        Some(closed) => (closed.log_origin.clone(), closed.log_root),
        None => {
            let (origin, size, root) = reader.events_log()?;
            if let Some(window) = windows.last_mut() {
                window.log_size = Some(size);
            }
            (origin, root)
        }
    };
    Ok(EpochInput {
        name: scope_name(reader, &owner)?,
        policy: sound(EPOCHS.name(), Policy::decode(&record.policy.0))?,
        windows,
        events_log,
        events_root,
        events: Vec::new(),
        decisions: decisions_until(reader, scope, terms.decisions_size)?,
        pool: pool(reader, scope, epoch)?,
        approvers: set_text(reader, scope, terms.approvers)?,
        draft: terms.draft,
    })
}

/// What a freeze at this moment would fix; of an open epoch, one at its window's end.
pub(crate) fn terms_now(
    reader: &impl RawReader,
    scope: ScopeId,
    epoch: EpochNumber,
    record: &EpochRecord,
    now: Timestamp,
) -> LedgerResult<FreezeTerms> {
    check_takes_drafts(&scope_record(reader, scope)?, epoch, record)?;
    let until = sign_by(now.max(record.end), SIGN_BY_DAYS_DEFAULT)?;
    freeze_terms(reader, scope, epoch, record, until)
}

/// The events log as a view has it.
pub(crate) trait LogView {
    /// Its origin line, size and root.
    fn events_log(&self) -> LedgerResult<(String, u64, Hash)>;
}

impl LogView for Snapshot {
    fn events_log(&self) -> LedgerResult<(String, u64, Hash)> {
        let state = self.log_state(LogKind::Events)?;
        Ok((self.log_origin(LogKind::Events)?, state.size, state.root))
    }
}

/// The indexes of the entries by which a scope has the events of the last of `windows`, ascending: those that happened
/// in its window or in the gap before it, and those that came too late for the epochs before (rule
/// `EPOCH_BY_EVENT_TIME`). A test compares them with [`assign`](meed_audit::window::assign) for every event.
pub(crate) fn epoch_indexes(
    reader: &impl EventReader,
    scope: ScopeId,
    windows: &[EpochWindow],
) -> Result<Vec<u64>, StorageError> {
    let (Some(first), Some((last, earlier))) = (windows.first(), windows.split_last()) else {
        return Ok(Vec::new());
    };
    let below = last.log_size.unwrap_or(u64::MAX);
    let Some(before) = earlier.last() else {
        return reader.window_indexes(scope, last.period, below);
    };
    let own = Period { start: before.period.end, end: last.period.end };
    let mut indexes = reader.window_indexes(scope, own, below)?;
    let pinned = before.log_size.unwrap_or(u64::MAX);
    if pinned < below {
        let past = Period { start: first.period.start, end: before.period.end };
        let late = reader.window_indexes(scope, past, below)?;
        indexes.extend(late.into_iter().filter(|index| *index >= pinned));
        indexes.sort_unstable();
    }
    Ok(indexes)
}

/// The events of the last of `windows`.
pub(crate) fn epoch_events(
    reader: &impl EventReader,
    scope: ScopeId,
    windows: &[EpochWindow],
) -> Result<Vec<EpochEvent>, StorageError> {
    let indexes = epoch_indexes(reader, scope, windows)?;
    let mut events = Vec::with_capacity(indexes.len());
    reader.for_each_event(&indexes, &mut |event| {
        events.push(event);
        Ok(())
    })?;
    Ok(events)
}

impl Snapshot {
    /// What a statement of the epoch is computed from.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `draft_not_found`, `statement_not_found`, `approvers_missing`;
    /// `epoch_finalized` for the preview of a final epoch that is not being amended.
    pub fn epoch_input(&self, scope: ScopeId, epoch: EpochNumber, which: Which) -> LedgerResult<EpochInput> {
        let mut input = self.epoch_terms(scope, epoch, which)?;
        input.events = epoch_events(self, scope, &input.windows)?;
        Ok(input)
    }

    /// As [`Snapshot::epoch_input`], without the events.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn epoch_terms(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        which: Which,
    ) -> LedgerResult<EpochInput> {
        scope_record(self, scope)?;
        let record = epoch_record(self, scope, epoch)?;
        let terms = match which {
            Which::Preview(now) => terms_now(self, scope, epoch, &record, now)?,
            stored => stored_terms(self, scope, epoch, stored_revision(epoch, &record, stored)?)?,
        };
        input_without_events(self, scope, epoch, &terms)
    }

    /// How many events an epoch has so far.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`.
    pub fn epoch_events_count(&self, scope: ScopeId, epoch: EpochNumber) -> LedgerResult<u64> {
        Ok(u64::try_from(self.epoch_entries(scope, epoch)?.len()).unwrap_or(u64::MAX))
    }
}
