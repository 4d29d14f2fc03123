//! What several answers about an epoch need and what takes long to find: its entries, what was decided, what it would
//! give. Each is kept for the state that it is of.

use std::sync::Arc;

use meed_audit::allocation::Allocation;
use meed_audit::decision::State;
use meed_audit::ids::{EpochNumber, Revision, ScopeId};
use meed_storage::{Epoch, LogKind, Phase, Snapshot, Which};

use super::kept::{EntriesKey, ProposalKey, Proposed};
use super::{Place, Service, which_final};
use crate::failure::Failure;

/// How many of the largest allocations are found.
pub(crate) const LARGEST_COUNT: usize = 100;
/// Allocations that are read at once.
const READ_COUNT: usize = 10_000;

/// Whose amounts are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Amounts {
    /// Those that a freeze would give now.
    Now,
    /// Those of the draft that is offered for approval.
    Draft(Revision),
    /// Those of a final statement, in force or not.
    Final(Revision),
}

impl Amounts {
    /// The revision that they are of.
    pub(super) fn revision(self) -> Option<Revision> {
        match self {
            Self::Now => None,
            Self::Draft(revision) | Self::Final(revision) => Some(revision),
        }
    }

    /// The draft that they are of.
    pub(super) fn draft(self) -> Option<Revision> {
        match self {
            Self::Draft(revision) => Some(revision),
            Self::Now | Self::Final(_) => None,
        }
    }
}

/// An epoch as one view of the ledger has it.
pub(super) struct Sight {
    pub(super) snapshot: Snapshot,
    pub(super) place: Place,
    pub(super) epoch: Epoch,
}

impl Sight {
    /// Whether what it pays is fixed.
    pub(super) fn is_final(&self) -> bool {
        self.epoch.phase == Phase::Finalized && !self.epoch.amending
    }

    /// Whose amounts a request means: those of a revision; else those in force, else those of now.
    pub(super) fn amounts(&self, revision: Option<u64>) -> Result<Amounts, Failure> {
        let asked = revision.map(Revision::new).transpose()?;
        Ok(match (asked, self.epoch.final_revision) {
            (Some(revision), _) if self.epoch.current_draft == Some(revision) => Amounts::Draft(revision),
            (Some(revision), _) => Amounts::Final(revision),
            (None, Some(revision)) if self.is_final() => Amounts::Final(revision),
            (None, _) => Amounts::Now,
        })
    }

    /// How many decisions count for what is asked: those of a draft or final statement, else all.
    pub(super) fn decisions_size(&self, revision: Option<u64>) -> Result<u64, Failure> {
        let Place { scope, epoch } = self.place;
        if revision.is_none() && !self.is_final() {
            return Ok(self.snapshot.decisions_size(scope)?);
        }
        Ok(self.snapshot.draft(scope, epoch, which_final(revision)?)?.decisions_size)
    }
}

impl Service {
    pub(super) fn sight(&self, key: &str, epoch: u64) -> Result<Sight, Failure> {
        let (snapshot, place) = self.place(key, epoch)?;
        let epoch = snapshot.epoch(place.scope, place.epoch)?;
        Ok(Sight { snapshot, place, epoch })
    }

    /// The entries of the events log by which an epoch has its events.
    pub(super) fn entries(&self, key: &str, epoch: u64) -> Result<(Sight, Arc<Vec<u64>>), Failure> {
        let look = || {
            let sight = self.sight(key, epoch)?;
            let log_size = match &sight.epoch.closed {
                Some(closed) => closed.events.size,
                None => sight.snapshot.log_size(LogKind::Events)?,
            };
            let Place { scope, epoch } = sight.place;
            Ok((EntriesKey { scope, epoch, log_size }, sight))
        };
        self.kept.entries.get(look, |wanted, sight| {
            let is_older = |known: &EntriesKey| {
                (known.scope, known.epoch) == (wanted.scope, wanted.epoch)
                    && known.log_size <= wanted.log_size
            };
            let entries = match self.kept.entries.newest(is_older) {
                Some((known, entries)) => sight.snapshot.epoch_entries_since(
                    wanted.scope,
                    wanted.epoch,
                    &entries,
                    known.log_size,
                )?,
                None => sight.snapshot.epoch_entries(wanted.scope, wanted.epoch)?,
            };
            let weight = entries.len();
            Ok((entries, weight))
        })
    }

    /// How many events an epoch has. Where a statement was frozen, it says so.
    pub(super) fn events_count(&self, snapshot: &Snapshot, key: &str, epoch: &Epoch) -> Result<u64, Failure> {
        if let Some(revision) = epoch.current_draft.or(epoch.final_revision) {
            let draft = snapshot.draft(epoch.scope, epoch.number, Which::Revision(revision))?;
            return Ok(draft.statement.activity.size);
        }
        let (_, entries) = self.entries(key, epoch.number.get())?;
        Ok(u64::try_from(entries.len()).unwrap_or(u64::MAX))
    }

    /// What the decisions add up to that count for a revision; for what is to be, those of now.
    pub(super) fn state_of(&self, sight: &Sight, revision: Option<u64>) -> Result<Arc<State>, Failure> {
        let size = sight.decisions_size(revision)?;
        let scope = sight.place.scope;
        let (_, state) = self.kept.states.get(
            || Ok(((scope, size), ())),
            |_, ()| {
                let state = sight.snapshot.state_at(scope, size)?;
                let weight = weight_of(&state, sight.place.epoch);
                Ok((state, weight))
            },
        )?;
        Ok(state)
    }

    /// What an epoch would give by the decisions of now, or gives by those of a draft.
    pub(super) fn proposed(
        &self,
        key: &str,
        epoch: u64,
        draft: Option<Revision>,
    ) -> Result<Arc<Proposed>, Failure> {
        Ok(self.proposed_with_key(key, epoch, draft)?.1)
    }

    /// As [`Service::proposed`], with what it rests on.
    pub(super) fn proposed_with_key(
        &self,
        key: &str,
        epoch: u64,
        draft: Option<Revision>,
    ) -> Result<(ProposalKey, Arc<Proposed>), Failure> {
        let look = || {
            let (sight, entries) = self.entries(key, epoch)?;
            let wanted = proposal_key(&sight, entries.len(), draft)?;
            Ok((wanted.clone(), (wanted, sight, entries)))
        };
        let cache = if draft.is_some() { &self.kept.drafted } else { &self.kept.proposals };
        let ((wanted, ..), proposed) = cache.get(look, |wanted, (_, sight, entries)| {
            let state = sight.snapshot.state_at(wanted.scope, wanted.decisions_size)?;
            let mut proposal = sight.snapshot.proposal_of(wanted.scope, wanted.epoch, entries, &state)?;
            if let Some(revision) = wanted.draft {
                // A proposal is of the revision that comes next.
                proposal.allocations.iter_mut().for_each(|allocation| allocation.revision = revision);
            }
            let mut largest = Largest::default();
            proposal.allocations.iter().for_each(|allocation| largest.take(allocation));
            let weight = proposal.allocations.len();
            Ok((Proposed { proposal, largest: largest.sorted() }, weight))
        })?;
        Ok((wanted, proposed))
    }

    /// How many events an open epoch has, and how many claimants they would give something.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`.
    pub(crate) fn proposal_counts(&self, key: &str, epoch: u64) -> Result<(usize, usize), Failure> {
        let claimants_count = self.proposed(key, epoch, None)?.proposal.allocations.len();
        Ok((self.entries(key, epoch)?.1.len(), claimants_count))
    }

    /// The largest allocations of a final statement, the largest first.
    pub(super) fn largest_final(
        &self,
        snapshot: &Snapshot,
        (scope, epoch): (ScopeId, EpochNumber),
        revision: Revision,
    ) -> Result<Arc<Vec<Allocation>>, Failure> {
        let which = Which::Revision(revision);
        let (_, largest) = self.kept.largest.get(
            || Ok(((scope, epoch, revision), ())),
            |_, ()| {
                let (mut largest, mut after) = (Largest::default(), None);
                loop {
                    let part = snapshot.allocations(scope, epoch, which, after.as_ref(), READ_COUNT)?;
                    let Some(last) = part.last() else { return Ok((largest.sorted(), 1)) };
                    after = Some(last.claimant.clone());
                    part.iter().for_each(|allocation| largest.take(allocation));
                }
            },
        )?;
        Ok(largest)
    }
}

/// What a proposal of an epoch rests on that has so many events.
fn proposal_key(sight: &Sight, events_count: usize, draft: Option<Revision>) -> Result<ProposalKey, Failure> {
    let Place { scope, epoch } = sight.place;
    let decisions_size = match draft {
        Some(revision) => sight.snapshot.draft(scope, epoch, Which::Revision(revision))?.decisions_size,
        None => sight.snapshot.decisions_size(scope)?,
    };
    Ok(ProposalKey {
        scope,
        epoch,
        draft,
        events_count,
        decisions_size,
        pool_total: sight.snapshot.pool(scope, epoch)?.total(),
        revisions: (sight.epoch.current_draft, sight.epoch.final_revision),
    })
}

/// How much a state holds: what was decided of this epoch stands for what was decided of each.
fn weight_of(state: &State, epoch: EpochNumber) -> usize {
    let decided = state.epoch(epoch).map_or(0, |decided| decided.curation.len() + decided.overrides.len());
    1 + state.bindings().len() + decided
}

/// Finds the largest allocations among any number of them.
#[derive(Default)]
struct Largest(Vec<Allocation>);

impl Largest {
    fn take(&mut self, allocation: &Allocation) {
        self.0.push(allocation.clone());
        if self.0.len() >= 2 * LARGEST_COUNT {
            self.keep_largest();
        }
    }

    fn sorted(mut self) -> Vec<Allocation> {
        self.keep_largest();
        self.0
    }

    fn keep_largest(&mut self) {
        self.0.sort_by(|one, other| {
            other.credits.cmp(&one.credits).then_with(|| one.claimant.cmp(&other.claimant))
        });
        self.0.truncate(LARGEST_COUNT);
    }
}
