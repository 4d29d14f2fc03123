//! What an epoch would give now, and what each of its events gives: read from the log as far as it is asked for, so that
//! an epoch of any size can be shown.

use std::ops::ControlFlow;

use meed_audit::activity::{Activity, Earnings, EpochEntry, EpochEvent, curate};
use meed_audit::allocation::{Allocation, allocate};
use meed_audit::amount::Credits;
use meed_audit::close::ClosedEpoch;
use meed_audit::decision::{EpochDecisions, State};
use meed_audit::ids::{Claimant, EpochNumber, ScopeId};
use meed_audit::policy::Policy;
use meed_audit::time::Timestamp;
use meed_audit::window::assign;

use crate::events::EventReader;
use crate::log::LogKind;
use crate::rules::compute::{close_from_log, gather};
use crate::rules::decided::stored_state;
use crate::rules::decisions::{decisions_size, decisions_until};
use crate::rules::epochs::{epoch_record, windows};
use crate::rules::input::{FreezeTerms, epoch_indexes, input_without_events, terms_now};
use crate::rules::pool::pool;
use crate::rules::record::{LedgerResult, sound};
use crate::rules::scopes::scope_record;
use crate::rules::tables::EPOCHS;
use crate::snapshot::Snapshot;

/// Fewer new entries of the log than this are looked at one by one, rather than the scope's index once more.
const NEW_ENTRIES_MIN: u64 = 10_000;

/// Entries that are looked at together for a claimant, so that most are found without reading the whole epoch.
const LOOKED_AT_ONCE: usize = 50_000;

/// What an epoch would give to whom, whatever is still missing for a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// What each claimant would get, by claimant.
    pub allocations: Vec<Allocation>,
    /// The pool.
    pub pool_total: Credits,
    /// What of it would go to nobody.
    pub undistributed: Credits,
}

/// An event of an epoch, and what it gives there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CuratedEvent {
    /// The event, with the place by which the scope has it.
    pub event: EpochEvent,
    /// Its activity leaf.
    pub activity: Activity,
}

/// What a preview rests on: equal terms give the same text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewTerms {
    freeze: FreezeTerms,
    log_size: u64,
    pool_total: Credits,
    components_count: usize,
}

impl Snapshot {
    /// The entries of the events log by which the scope has an epoch's events, ascending.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`.
    pub fn epoch_entries(&self, scope: ScopeId, epoch: EpochNumber) -> LedgerResult<Vec<u64>> {
        scope_record(self, scope)?;
        epoch_record(self, scope, epoch)?;
        Ok(epoch_indexes(self, scope, &windows(self, scope, Some(epoch))?)?)
    }

    /// As [`Snapshot::epoch_entries`], where those among the log's first `known_size` entries are known.
    ///
    /// # Errors
    /// As there.
    pub fn epoch_entries_since(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        known: &[u64],
        known_size: u64,
    ) -> LedgerResult<Vec<u64>> {
        let size = match epoch_record(self, scope, epoch)?.closed {
            Some(closed) => closed.log_size,
            None => self.log_size(LogKind::Events)?,
        };
        let known_count = u64::try_from(known.len()).unwrap_or(u64::MAX);
        if size.saturating_sub(known_size) > known_count.max(NEW_ENTRIES_MIN) {
            return self.epoch_entries(scope, epoch);
        }
        let windows = windows(self, scope, Some(epoch))?;
        let mut entries = known.to_vec();
        self.for_each_head(known_size..size, &mut |head| {
            let taken = assign(&windows, head.event_time, head.index);
            if head.scopes.contains(&scope) && taken.is_some_and(|taken| taken.epoch == epoch) {
                entries.push(head.index);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(entries)
    }

    /// What the first `size` decisions of a scope add up to.
    ///
    /// # Errors
    /// `scope_not_found`, or a failure of reading, also where there are fewer decisions.
    pub fn state_at(&self, scope: ScopeId, size: u64) -> LedgerResult<State> {
        scope_record(self, scope)?;
        if size == decisions_size(self, scope)? {
            return stored_state(self, scope);
        }
        Ok(State::replay(&decisions_until(self, scope, size)?)?)
    }

    /// The events behind some of an epoch's entries, in their order, and what each gives by the decisions of `state`.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, or a failure of reading.
    pub fn curated(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        entries: &[u64],
        state: &State,
    ) -> LedgerResult<Vec<CuratedEvent>> {
        scope_record(self, scope)?;
        let record = epoch_record(self, scope, epoch)?;
        let policy = sound(EPOCHS.name(), Policy::decode(&record.policy.0))?;
        let windows = windows(self, scope, Some(epoch))?;
        let mut events: Vec<EpochEvent> = Vec::with_capacity(entries.len());
        self.for_each_event(entries, &mut |event| {
            events.push(event);
            Ok(())
        })?;
        let curated = events.into_iter().map(|event| {
            let entry = event.entry();
            let late = assign(&windows, entry.event_time, entry.index).is_some_and(|taken| taken.late);
            let curation = state.epoch(epoch).and_then(|decided| decided.curation.get(entry.id));
            let activity = curate(&entry, late, &policy, curation, state)?;
            Ok(CuratedEvent { event, activity })
        });
        curated.collect()
    }

    /// What an epoch would give by the decisions of now, also while it is open and lacks approvers or a pool.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`.
    pub fn proposal(&self, scope: ScopeId, epoch: EpochNumber) -> LedgerResult<Proposal> {
        let entries = self.epoch_entries(scope, epoch)?;
        self.proposal_of(scope, epoch, &entries, &stored_state(self, scope)?)
    }

    /// As [`Snapshot::proposal`], of entries and decisions that the caller has read already.
    ///
    /// # Errors
    /// As there.
    pub fn proposal_of(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        entries: &[u64],
        state: &State,
    ) -> LedgerResult<Proposal> {
        let record = epoch_record(self, scope, epoch)?;
        let policy = sound(EPOCHS.name(), Policy::decode(&record.policy.0))?;
        let nothing = EpochDecisions::default();
        let decided = state.epoch(epoch).unwrap_or(&nothing);
        let earned = earnings(self, entries, &policy, (decided, state))?;
        let pool_total = pool(self, scope, epoch)?.total();
        let allocations =
            allocate(scope, epoch, record.next_revision, pool_total, earned, &decided.overrides)?;
        let mut undistributed = pool_total;
        for allocation in &allocations {
            undistributed = undistributed.minus(allocation.credits)?;
        }
        Ok(Proposal { allocations, pool_total, undistributed })
    }

    /// Whether any event of an epoch gives something to a claimant, be it nothing, by the decisions of now. An override may
    /// name a claimant whom none does; whoever makes it is to be told.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`.
    pub fn has_activity(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        claimant: &Claimant,
    ) -> LedgerResult<bool> {
        let entries = self.epoch_entries(scope, epoch)?;
        let state = stored_state(self, scope)?;
        let record = epoch_record(self, scope, epoch)?;
        let policy = sound(EPOCHS.name(), Policy::decode(&record.policy.0))?;
        let nothing = EpochDecisions::default();
        let decided = state.epoch(epoch).unwrap_or(&nothing);
        let take = |entry: &EpochEntry<'_>, found: &mut bool| {
            if !*found {
                let activity = curate(entry, false, &policy, decided.curation.get(entry.id), &state)?;
                *found = activity.claimants.iter().any(|given| given.key == *claimant);
            }
            Ok(())
        };
        for part in entries.chunks(LOOKED_AT_ONCE) {
            if gather(self, part, &take, &Ok, |one, other| Ok(one || other))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What a preview of an epoch would rest on at this time.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `approvers_missing`; `epoch_finalized` for a final epoch that is not being
    /// amended.
    pub fn preview_terms(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        now: Timestamp,
    ) -> LedgerResult<PreviewTerms> {
        scope_record(self, scope)?;
        let record = epoch_record(self, scope, epoch)?;
        let pool = pool(self, scope, epoch)?;
        Ok(PreviewTerms {
            freeze: terms_now(self, scope, epoch, &record, now)?,
            log_size: match record.closed {
                Some(closed) => closed.log_size,
                None => self.log_size(LogKind::Events)?,
            },
            pool_total: pool.total(),
            components_count: pool.components().count(),
        })
    }

    /// What a freeze with these terms would give.
    ///
    /// # Errors
    /// What a freeze would refuse.
    pub fn preview(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        terms: &PreviewTerms,
    ) -> LedgerResult<ClosedEpoch> {
        close_from_log(self, &input_without_events(self, scope, epoch, &terms.freeze)?)
    }
}

/// What the events of some entries give to whom, under a policy and by what was decided.
pub(super) fn earnings(
    snapshot: &Snapshot,
    entries: &[u64],
    policy: &Policy,
    (decided, state): (&EpochDecisions, &State),
) -> LedgerResult<Earnings> {
    let take = |entry: &EpochEntry<'_>, earned: &mut Earnings| {
        // Whether an event is late changes nothing of what it gives.
        let curation = decided.curation.get(entry.id);
        earned.add(&curate(entry, false, policy, curation, state)?)
    };
    let sorted = |earned: Earnings| Ok(earned.sorted());
    gather(snapshot, entries, &take, &sorted, |own, other| Ok(own.join(other)))
}
