//! Lists by parts: each begins at a key and takes so many, so that what one reader asks for is bounded whatever the
//! ledger holds.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

use meed_audit::allocation::Allocation;
use meed_audit::hash::Hash;
use meed_audit::ids::{Claimant, EpochNumber, EventId, Identity, ScopeId, UserId};

use crate::codec::Record;
use crate::conflicts::{CONFLICTS, Conflict, read_conflict};
use crate::error::StorageError;
use crate::key::{All, Key, KeyText};
use crate::rules::allocation_blocks::Block;
use crate::rules::allocations::{ClaimantHistory, ClaimantPayout, allocation_of, find_allocation};
use crate::rules::epochs::{self, Epoch};
use crate::rules::identities::{self, Binding, User};
use crate::rules::input::Which;
use crate::rules::record::LedgerResult;
use crate::rules::scopes::scope_record;
use crate::rules::tables::{ALLOCATIONS, BINDINGS, EPOCHS, FINALS, USERS};
use crate::snapshot::Snapshot;
use crate::table::{RawReader, Reader, Table};

/// A part of a list, and where the next part begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<T, K> {
    /// The items.
    pub items: Vec<T>,
    /// The key of the first item of the next part; none at the end.
    pub next: Option<K>,
}

/// The records from a key on, as long as their keys are the list's.
fn part_from<K: Key, V: Record>(
    reader: &impl RawReader,
    table: Table<K, V>,
    from: Option<K>,
    limit: usize,
    is_of_list: impl Fn(&K) -> bool,
) -> Result<Part<(K, V), K>, StorageError> {
    let mut part = Part { items: Vec::new(), next: None };
    let start = from.map_or(Bound::Unbounded, Bound::Included);
    reader.for_each(table, (start, Bound::Unbounded), &mut |key, value| {
        if !is_of_list(&key) {
            return Ok(ControlFlow::Break(()));
        }
        if part.items.len() == limit {
            part.next = Some(key);
            return Ok(ControlFlow::Break(()));
        }
        part.items.push((key, value));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(part)
}

impl<T, K> Part<T, K> {
    fn map<U>(self, view: impl FnMut(T) -> LedgerResult<U>) -> LedgerResult<Part<U, K>> {
        Ok(Part { items: self.items.into_iter().map(view).collect::<LedgerResult<_>>()?, next: self.next })
    }
}

impl Snapshot {
    /// At most `limit` epochs of a scope, ascending, from a number on.
    ///
    /// # Errors
    /// `scope_not_found`.
    pub fn epochs_from(
        &self,
        scope: ScopeId,
        from: EpochNumber,
        limit: usize,
    ) -> LedgerResult<Part<Epoch, EpochNumber>> {
        let owner = scope_record(self, scope)?;
        let found = part_from(self, EPOCHS, Some((scope, from)), limit, |(its, _)| *its == scope)?;
        let next = found.next.map(|(_, number)| number);
        let part = Part { items: found.items, next };
        part.map(|((_, number), record)| Ok(epochs::view(scope, &owner, number, record)?))
    }

    /// The number of a scope's newest epoch.
    ///
    /// # Errors
    /// `scope_not_found`.
    pub fn newest_epoch(&self, scope: ScopeId) -> LedgerResult<Option<EpochNumber>> {
        scope_record(self, scope)?;
        Ok(epochs::last_epoch(self, scope)?.map(|(number, _)| number))
    }

    /// At most `limit` people, by id, from an id on.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn users_from(&self, from: Option<UserId>, limit: usize) -> LedgerResult<Part<User, UserId>> {
        let found = part_from(self, USERS, from, limit, |_| true)?;
        found.map(|(id, record)| Ok(identities::user_view(id, record)))
    }

    /// At most `limit` identities that are or were bound, from an identity on.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn bindings_from(
        &self,
        from: Option<Identity>,
        limit: usize,
    ) -> LedgerResult<Part<Binding, Identity>> {
        let found = part_from(self, BINDINGS, from, limit, |_| true)?;
        found.map(|(identity, record)| Ok(identities::binding_view(identity, record)))
    }

    /// The identities that are bound to some people now. All bindings are read, and none but theirs is kept.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn identities_of(&self, users: &[UserId]) -> LedgerResult<BTreeMap<UserId, Vec<Identity>>> {
        let mut found: BTreeMap<UserId, Vec<Identity>> =
            users.iter().map(|user| (*user, Vec::new())).collect();
        self.for_each_with_prefix(BINDINGS, &All, &mut |identity, record| {
            if let Some(own) = record.user.and_then(|user| found.get_mut(&user)) {
                own.push(identity);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// At most `limit` contents that came under the ids of other events, from an id and a content hash on.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn conflicts_from(
        &self,
        from: Option<(EventId, Hash)>,
        limit: usize,
    ) -> LedgerResult<Part<Conflict, (EventId, Hash)>> {
        let found = part_from(self, CONFLICTS, from, limit, |_| true)?;
        found.map(|(key, record)| Ok(read_conflict(self, key, record)?))
    }

    /// What a claimant gets by the statements in force of at most `limit` epochs, by scope and epoch, from one on. A
    /// part may hold nothing and still have one after it.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn payouts_from(
        &self,
        claimant: &Claimant,
        from: Option<(ScopeId, EpochNumber)>,
        limit: usize,
    ) -> LedgerResult<Part<ClaimantPayout, (ScopeId, EpochNumber)>> {
        let found = part_from(self, EPOCHS, from, limit, |_| true)?;
        let mut items = Vec::new();
        for ((scope, epoch), record) in found.items {
            let Some(revision) = record.final_revision else { continue };
            if let Some(allocation) = find_allocation(self, (scope, epoch, revision), claimant)? {
                items.push(ClaimantPayout { scope, allocation });
            }
        }
        Ok(Part { items, next: found.next })
    }

    /// What the final statements of at most `limit` epochs say of a claimant, those that an amendment has replaced
    /// included, by scope and epoch, from one on: of the epochs in which any of them names the claimant. A part may hold
    /// nothing and still have one after it.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn payout_history_from(
        &self,
        claimant: &Claimant,
        from: Option<(ScopeId, EpochNumber)>,
        limit: usize,
    ) -> LedgerResult<Part<ClaimantHistory, (ScopeId, EpochNumber)>> {
        let found = part_from(self, EPOCHS, from, limit, |_| true)?;
        let mut items = Vec::new();
        for ((scope, epoch), record) in found.items {
            if record.final_revision.is_none() {
                continue;
            }
            let finals = self.with_prefix(FINALS, &(scope, epoch))?;
            let look = |((_, _, revision), _)| {
                Ok((revision, find_allocation(self, (scope, epoch, revision), claimant)?))
            };
            let revisions = finals.into_iter().map(look).collect::<Result<Vec<_>, StorageError>>()?;
            if revisions.iter().any(|(_, allocation)| allocation.is_some()) {
                items.push(ClaimantHistory { scope, epoch, revisions });
            }
        }
        Ok(Part { items, next: found.next })
    }

    /// At most `limit` allocations of a final statement, by claimant, from a text on: a claimant, or the beginning of
    /// some.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `statement_not_found`.
    pub fn allocations_from(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        which: Which,
        from: &KeyText,
        limit: usize,
    ) -> LedgerResult<Part<Allocation, Claimant>> {
        let revision = self.final_revision(scope, epoch, which)?;
        let place = (scope, epoch, revision);
        let wanted = (scope, epoch, revision, from.clone());
        let start = self.last_at_or_before(ALLOCATIONS, &place, &wanted)?.map(|(key, _)| key);
        let start = start.unwrap_or((scope, epoch, revision, KeyText::default()));
        let end = (scope, epoch, revision.next(), KeyText::default());
        let mut part = Part { items: Vec::new(), next: None };
        self.for_each(ALLOCATIONS, (Bound::Included(start), Bound::Excluded(end)), &mut |_, block| {
            for row in Block::parse(&block.0)?.rows() {
                let allocation = allocation_of(place, &row?)?;
                if part.items.is_empty() && KeyText::of_claimant(&allocation.claimant) < *from {
                    continue;
                }
                if part.items.len() == limit {
                    part.next = Some(allocation.claimant);
                    return Ok(ControlFlow::Break(()));
                }
                part.items.push(allocation);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(part)
    }
}
