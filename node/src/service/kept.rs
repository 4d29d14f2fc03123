//! What was computed and stays true for the state that it was computed from: kept, so that equal requests compute once,
//! and one computation of a kind runs at a time, however many ask.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use meed_audit::allocation::Allocation;
use meed_audit::amount::Credits;
use meed_audit::decision::State;
use meed_audit::ids::{EpochNumber, Identity, Revision, ScopeId, UserId};
use meed_storage::{PreviewTerms, Proposal};

use super::differences::Differences;
use super::unbound::UnboundKey;
use crate::api::documents::{PreviewView, UnboundView, VerificationView};
use crate::failure::Failure;

/// Places of entries that are kept in all: 8 bytes each.
const ENTRIES_MAX: usize = 2 << 20;
/// Bindings, curated events and overrides that are kept in all.
const DECIDED_MAX: usize = 100_000;
/// Proposed allocations that are kept in all, beside those of the newest proposal: by the decisions of now, and by those
/// of drafts.
const PROPOSED_MAX: usize = 200_000;
/// Epochs whose largest allocations are kept.
const LARGEST_MAX: usize = 256;
const PREVIEWS_MAX: usize = 32;
const VERIFICATIONS_MAX: usize = 4_096;

/// What a ledger's views share.
pub(super) struct Kept {
    pub(super) entries: Cache<EntriesKey, Vec<u64>>,
    /// What the first decisions of a scope add up to.
    pub(super) states: Cache<(ScopeId, u64), State>,
    /// What epochs would give by the decisions of now.
    pub(super) proposals: Cache<ProposalKey, Proposed>,
    /// What they give by those of a draft: kept apart, so that a page that shows both computes neither twice.
    pub(super) drafted: Cache<ProposalKey, Proposed>,
    /// The largest allocations of a final statement.
    pub(super) largest: Cache<(ScopeId, EpochNumber, Revision), Vec<Allocation>>,
    pub(super) previews: Cache<(ScopeId, EpochNumber, PreviewTerms), PreviewView>,
    pub(super) verifications: Cache<(ScopeId, EpochNumber, Revision), VerificationView>,
    /// How many of so many decisions came after a draft and can touch its epoch.
    pub(super) later: Cache<(ScopeId, EpochNumber, Revision, u64), u64>,
    /// Who gets otherwise by the second of two sets of amounts of an epoch.
    pub(super) differences: Cache<(ScopeId, EpochNumber, AmountsKey, AmountsKey), Differences>,
    /// Who goes without.
    pub(super) unbound: Cache<UnboundKey, UnboundView>,
    decided: Mutex<BTreeMap<ScopeId, DecisionPlaces>>,
}

/// Which entries an epoch has while the events log has this size; once it is closed, the size that closing pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EntriesKey {
    pub(super) scope: ScopeId,
    pub(super) epoch: EpochNumber,
    pub(super) log_size: u64,
}

/// What a proposal rests on. An open epoch only gains events, so that their number says which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProposalKey {
    pub(super) scope: ScopeId,
    pub(super) epoch: EpochNumber,
    /// The draft whose decisions count; none where those of now do.
    pub(super) draft: Option<Revision>,
    pub(super) events_count: usize,
    pub(super) decisions_size: u64,
    pub(super) pool_total: Credits,
    pub(super) revisions: (Option<Revision>, Option<Revision>),
}

/// Whose amounts two of are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AmountsKey {
    /// Those of a final statement, which never change.
    Final(Revision),
    /// Those of a proposal, which are of one state.
    Proposed(ProposalKey),
}

/// A proposal and its largest allocations.
pub(super) struct Proposed {
    pub(super) proposal: Proposal,
    pub(super) largest: Vec<Allocation>,
}

/// Where the decisions of each epoch, and those on each account, stand among those of their scope. Decisions are only
/// added.
#[derive(Default)]
pub(super) struct DecisionPlaces {
    /// How many decisions of the scope were looked at.
    pub(super) seen: u64,
    pub(super) by_epoch: BTreeMap<EpochNumber, Vec<u64>>,
    /// Whose each account became, or that it became nobody's, by the place of the decision, ascending.
    pub(super) owners: BTreeMap<Identity, Vec<(u64, Option<UserId>)>>,
    /// The accounts that are or were a user's.
    pub(super) accounts: BTreeMap<UserId, BTreeSet<Identity>>,
}

impl Kept {
    pub(super) fn new() -> Self {
        Self {
            entries: Cache::new(ENTRIES_MAX),
            states: Cache::new(DECIDED_MAX),
            proposals: Cache::new(PROPOSED_MAX),
            drafted: Cache::new(PROPOSED_MAX),
            largest: Cache::new(LARGEST_MAX),
            previews: Cache::new(PREVIEWS_MAX),
            verifications: Cache::new(VERIFICATIONS_MAX),
            later: Cache::new(LARGEST_MAX),
            differences: Cache::new(LARGEST_MAX),
            unbound: Cache::new(LARGEST_MAX),
            decided: Mutex::default(),
        }
    }

    /// Does something with the places of a scope's decisions.
    pub(super) fn with_decided<T>(
        &self,
        scope: ScopeId,
        action: impl FnOnce(&mut DecisionPlaces) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        action(lock(&self.decided).entry(scope).or_default())
    }
}

/// Values by their keys, the least used ones forgotten first.
pub(super) struct Cache<K, V> {
    slots: Mutex<Vec<Slot<K, V>>>,
    /// Held by whoever computes.
    computing: Mutex<()>,
    weight_max: usize,
}

struct Slot<K, V> {
    key: K,
    value: Arc<V>,
    weight: usize,
}

impl<K: PartialEq + Clone, V> Cache<K, V> {
    /// Keeps values that weigh so much together; the newest one always.
    pub(super) fn new(weight_max: usize) -> Self {
        Self { slots: Mutex::default(), computing: Mutex::default(), weight_max }
    }

    /// The value of what `look` finds now, kept or computed, and the view in which it was found. `compute` gives the
    /// value and its weight.
    ///
    /// # Errors
    /// Those of both; a failure is not kept.
    pub(super) fn get<C>(
        &self,
        look: impl Fn() -> Result<(K, C), Failure>,
        compute: impl FnOnce(&K, &C) -> Result<(V, usize), Failure>,
    ) -> Result<(C, Arc<V>), Failure> {
        let (key, view) = look()?;
        if let Some(value) = self.find(&key) {
            return Ok((view, value));
        }
        drop(view);
        let _alone = lock(&self.computing);
        // Who waited takes what is there by now, which somebody may have computed.
        let (key, view) = look()?;
        if let Some(value) = self.find(&key) {
            return Ok((view, value));
        }
        let (value, weight) = compute(&key, &view)?;
        let value = Arc::new(value);
        self.keep(Slot { key, value: Arc::clone(&value), weight });
        Ok((view, value))
    }

    /// The value whose key came last among those that are wanted.
    pub(super) fn newest(&self, is_wanted: impl Fn(&K) -> bool) -> Option<(K, Arc<V>)> {
        let slots = lock(&self.slots);
        let slot = slots.iter().rev().find(|slot| is_wanted(&slot.key))?;
        Some((slot.key.clone(), Arc::clone(&slot.value)))
    }

    fn find(&self, key: &K) -> Option<Arc<V>> {
        let mut slots = lock(&self.slots);
        let place = slots.iter().position(|slot| slot.key == *key)?;
        // The last one is the one that was used last.
        let slot = slots.remove(place);
        let value = Arc::clone(&slot.value);
        slots.push(slot);
        Some(value)
    }

    fn keep(&self, slot: Slot<K, V>) {
        let mut slots = lock(&self.slots);
        slots.push(slot);
        let mut weight: usize = slots.iter().map(|slot| slot.weight).sum();
        while weight > self.weight_max && slots.len() > 1 {
            weight = weight.saturating_sub(slots.remove(0).weight);
        }
    }
}

/// What a panic of another request left is whole: values are put in and taken out at once.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn equal_requests_compute_once_even_at_the_same_time() {
        let cache: Cache<u8, u8> = Cache::new(10);
        let computed = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let found = cache.get(
                        || Ok((7, ())),
                        |key, ()| {
                            computed.fetch_add(1, Ordering::SeqCst);
                            Ok((*key, 1))
                        },
                    );
                    assert_eq!(found.map(|(_, value)| *value).ok(), Some(7));
                });
            }
        });
        assert_eq!(computed.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn who_waited_takes_what_is_there_by_then() {
        let cache: Cache<u8, u8> = Cache::new(10);
        let state = AtomicUsize::new(0);
        let look = || Ok((u8::try_from(state.fetch_add(1, Ordering::SeqCst)).unwrap_or(u8::MAX), ()));
        let (_, value) =
            cache.get(look, |key, ()| Ok((*key, 1))).unwrap_or_else(|failure| panic!("{failure:?}"));
        assert_eq!(*value, 1, "the state when its turn came, not the one before");
    }

    #[test]
    fn what_was_not_used_longest_goes_first_and_the_newest_stays() {
        let cache: Cache<u8, u8> = Cache::new(3);
        let get = |key: u8, weight: usize| {
            let mut fresh = false;
            let found = cache.get(
                || Ok((key, ())),
                |key, ()| {
                    fresh = true;
                    Ok((*key, weight))
                },
            );
            assert_eq!(found.map(|(_, value)| *value).ok(), Some(key));
            fresh
        };
        assert!(get(1, 1) && get(2, 1) && get(3, 1));
        assert!(!get(1, 1), "used again");
        assert!(get(4, 1), "pushes out 2");
        assert!(!get(1, 1) && !get(3, 1) && get(2, 1));
        assert!(get(9, 100) && !get(9, 100), "larger than all that is kept, and kept alone");
        assert_eq!(cache.newest(|key| *key < 9).map(|(key, _)| key), None);
    }

    #[test]
    fn failures_are_not_kept() {
        let cache: Cache<u8, u8> = Cache::new(3);
        assert!(cache.get(|| Ok((1, ())), |_, ()| Err(Failure::internal("no"))).is_err());
        assert!(cache.get(|| Ok((1, ())), |_, ()| Ok((5, 1))).is_ok());
    }
}
