//! Under which other keys a claimant's work is paid: an account's under the key of the user whose it is, and a user's of
//! earlier epochs under the keys of the accounts that became theirs only later.
//!
//! Whose an account was when a statement was frozen is what the decisions say that the statement holds. They are public,
//! and so is this.

use std::collections::BTreeSet;

use meed_audit::allocation::Allocation;
use meed_audit::decision::Change;
use meed_audit::ids::{Claimant, Identity, ScopeId, UserId};
use meed_storage::{Snapshot, Which};

use super::kept::DecisionPlaces;
use super::{Service, not_final, which_final};
use crate::api::documents::{OtherKeyView, OtherKeysView};
use crate::failure::Failure;

/// Decisions that are read at once.
const DECISIONS_READ: u64 = 10_000;
/// Most accounts of a user that are looked for in a statement.
const ACCOUNTS_MAX: usize = 1_000;

/// A key that stands beside a claimant's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KinKey {
    /// The user of an account, or an account of a user.
    pub(crate) claimant: Claimant,
    /// Whether the account is that user's now; else it was once.
    pub(crate) is_now: bool,
}

impl Service {
    /// The users whose an account is or was, or the accounts that are or were a user's, those of now first.
    ///
    /// # Errors
    /// `invalid_claimant`, or a failure of reading.
    pub(crate) fn kin_of(&self, claimant: &str) -> Result<Vec<KinKey>, Failure> {
        let claimant: Claimant = claimant.parse()?;
        let snapshot = self.snapshot()?;
        self.kin(&snapshot, &claimant)
    }

    fn kin(&self, snapshot: &Snapshot, claimant: &Claimant) -> Result<Vec<KinKey>, Failure> {
        let mut found: BTreeSet<Claimant> = BTreeSet::new();
        for scope in snapshot.scopes()? {
            self.with_places(snapshot, scope.id, |places, size| match claimant {
                Claimant::Identity(identity) => {
                    let owners = places.owners.get(identity).into_iter().flatten();
                    let seen = owners.filter(|(sequence, _)| *sequence < size);
                    found.extend(seen.filter_map(|(_, owner)| owner.map(Claimant::User)));
                }
                Claimant::User(user) => {
                    let accounts = places.accounts.get(user).into_iter().flatten();
                    found.extend(accounts.cloned().map(Claimant::Identity));
                }
            })?;
        }
        let mut kin = Vec::new();
        for other in found {
            let is_now = match (claimant, &other) {
                (Claimant::Identity(account), Claimant::User(user))
                | (Claimant::User(user), Claimant::Identity(account)) => {
                    snapshot.binding(account)?.and_then(|binding| binding.user) == Some(*user)
                }
                _ => false,
            };
            kin.push(KinKey { claimant: other, is_now });
        }
        kin.sort_by_key(|key| !key.is_now);
        Ok(kin)
    }

    /// By a final statement: whose an account was, where it was somebody's; or which accounts that are or were a user's it
    /// pays under their own keys. Beside them, whose an account became only afterwards.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `statement_not_found`, `invalid_claimant`.
    pub fn other_keys(
        &self,
        key: &str,
        epoch: u64,
        claimant: &str,
        revision: Option<u64>,
    ) -> Result<OtherKeysView, Failure> {
        let claimant: Claimant = claimant.parse()?;
        let (snapshot, place) = self.place(key, epoch)?;
        let found = snapshot.final_statement(place.scope, place.epoch, which_final(revision)?);
        let last = found.map_err(|error| not_final(error.into(), &snapshot, &place, revision))?;
        let revision = last.statement.revision;
        let frozen = snapshot.draft(place.scope, place.epoch, Which::Revision(revision))?.decisions_size;
        let view = |claimant: Claimant, relation: &str| -> Result<OtherKeyView, Failure> {
            let leaf = snapshot.allocation_leaf((place.scope, place.epoch, revision), &claimant)?;
            let paid = leaf.map(|leaf| leaf.allocation);
            Ok(other_key(&claimant, relation, paid.as_ref()))
        };
        let kin = self.kin(&snapshot, &claimant)?;
        let mut keys = Vec::new();
        match &claimant {
            Claimant::Identity(identity) => {
                let then = self.owner_at(&snapshot, place.scope, (identity, frozen))?;
                keys.extend(then.map(|user| view(Claimant::User(user), "user")).transpose()?);
                let since = kin.into_iter().filter(|kin| kin.is_now);
                let since = since.filter(|kin| then.map(Claimant::User).as_ref() != Some(&kin.claimant));
                for kin in since {
                    keys.push(view(kin.claimant, "later_user")?);
                }
            }
            Claimant::User(_) => {
                for account in kin.into_iter().take(ACCOUNTS_MAX) {
                    let key = view(account.claimant, "account")?;
                    keys.extend(Some(key).filter(|key| key.credits.is_some()));
                }
            }
        }
        let unit = &last.statement.unit;
        Ok(OtherKeysView {
            revision: revision.get(),
            unit: unit.symbol().to_owned(),
            decimals: unit.decimals(),
            keys,
        })
    }

    /// Whose an account was by the first so many decisions of a scope.
    fn owner_at(
        &self,
        snapshot: &Snapshot,
        scope: ScopeId,
        (identity, size): (&Identity, u64),
    ) -> Result<Option<UserId>, Failure> {
        self.with_places(snapshot, scope, |places, _| {
            let owners = places.owners.get(identity).map_or(&[][..], Vec::as_slice);
            let before = owners.get(..owners.partition_point(|(sequence, _)| *sequence < size));
            before.and_then(<[_]>::last).and_then(|(_, owner)| *owner)
        })
    }

    /// Does something with what is known of a scope's decisions, once all that the view has were looked at, and with how
    /// many it has: another request may have looked at more.
    pub(super) fn with_places<T>(
        &self,
        snapshot: &Snapshot,
        scope: ScopeId,
        action: impl FnOnce(&DecisionPlaces, u64) -> T,
    ) -> Result<T, Failure> {
        let size = snapshot.decisions_size(scope)?;
        self.kept.with_decided(scope, |places| {
            while places.seen < size {
                let count = DECISIONS_READ.min(size.saturating_sub(places.seen));
                for (sequence, decision) in snapshot.decisions(scope, places.seen, count)? {
                    if let Some(epoch) = decision.epoch {
                        places.by_epoch.entry(epoch).or_default().push(sequence);
                    }
                    places.note_owner(sequence, &decision.change()?);
                    places.seen = sequence.saturating_add(1);
                }
            }
            Ok(action(places, size))
        })
    }
}

impl DecisionPlaces {
    fn note_owner(&mut self, sequence: u64, change: &Change) {
        let (identity, owner) = match change {
            Change::Bind(identity, user) | Change::Rebind(identity, user) => (identity, Some(*user)),
            Change::Revoke(identity) => (identity, None),
            _ => return,
        };
        self.owners.entry(identity.clone()).or_default().push((sequence, owner));
        if let Some(user) = owner {
            self.accounts.entry(user).or_default().insert(identity.clone());
        }
    }
}

fn other_key(claimant: &Claimant, relation: &str, paid: Option<&Allocation>) -> OtherKeyView {
    OtherKeyView {
        claimant: claimant.to_string(),
        relation: relation.to_owned(),
        credits: paid.map(|allocation| allocation.credits),
    }
}
