//! Who goes without in an epoch that pays users alone: accounts that nobody has bound.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use meed_audit::amount::Units;
use meed_audit::ids::{EpochNumber, ScopeId};
use meed_audit::policy::Unlinked;
use meed_storage::UnboundAccount;

use super::views::Sight;
use super::{Service, Wanted};
use crate::api::documents::{UnboundAccountView, UnboundView};
use crate::failure::Failure;
use crate::words::{When, bind_remedy};

/// Most accounts that are named; the others are counted.
const NAMED_MAX: usize = 20;
/// Events that are looked at for what their authors are called.
const NAMES_FROM: usize = 1_000;

/// What it rests on. An open epoch only gains events, so that their number says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UnboundKey {
    scope: ScopeId,
    epoch: EpochNumber,
    events_count: usize,
    decisions_size: u64,
}

impl Service {
    /// The accounts that are nobody's and get nothing for it: by the decisions of a revision, else by those in force, or
    /// those of now where nothing is. Nothing where there are none.
    pub(super) fn unbound(
        &self,
        key: &str,
        epoch: u64,
        revision: Option<u64>,
    ) -> Result<Option<UnboundView>, Failure> {
        let sight = self.sight(key, epoch)?;
        if sight.epoch.policy.unlinked == Unlinked::Claim {
            return Ok(None);
        }
        let look = || {
            let (sight, entries) = self.entries(key, epoch)?;
            let (scope, epoch) = (sight.place.scope, sight.place.epoch);
            let decisions_size = sight.decisions_size(revision)?;
            Ok((UnboundKey { scope, epoch, events_count: entries.len(), decisions_size }, (sight, entries)))
        };
        let (_, found) = self.kept.unbound.get(look, |wanted, (sight, entries)| {
            let state = sight.snapshot.state_at(wanted.scope, wanted.decisions_size)?;
            let found = sight.snapshot.unbound_accounts(wanted.scope, wanted.epoch, entries, &state)?;
            let names = if found.is_empty() { BTreeMap::new() } else { self.author_names(key, epoch)? };
            Ok((view(found, &names)?, 1))
        })?;
        let Some(largest) = found.largest.first() else { return Ok(None) };
        let remedy = bind_remedy((key, epoch), when(&sight), &largest.identity);
        Ok(Some(UnboundView { remedy, ..UnboundView::clone(&found) }))
    }

    /// What some accounts are called where they work, by account.
    fn author_names(&self, key: &str, epoch: u64) -> Result<BTreeMap<String, String>, Failure> {
        let events = self.activity(key, epoch, None, &Wanted::first(NAMES_FROM))?;
        let authors = events.items.into_iter().flat_map(|item| item.authors);
        Ok(authors.filter_map(|author| Some((author.identity, author.name?))).collect())
    }
}

fn when(sight: &Sight) -> When {
    match sight.epoch.current_draft {
        Some(_) => When::Drafted,
        None if sight.is_final() => When::Final,
        None => When::Open,
    }
}

/// The accounts with the most units by name.
fn view(mut found: Vec<UnboundAccount>, names: &BTreeMap<String, String>) -> Result<UnboundView, Failure> {
    // They came by account, and those with as many units stay so.
    found.sort_by_key(|account| Reverse(account.units));
    let units = found.iter().try_fold(Units::ZERO, |sum, account| sum.plus(account.units))?;
    let named = found.iter().take(NAMED_MAX).map(|account| {
        let identity = account.identity.to_string();
        let name = names.get(&identity).cloned();
        UnboundAccountView { identity, name, units: account.units, events: account.events_count }
    });
    let accounts = u64::try_from(found.len()).unwrap_or(u64::MAX);
    Ok(UnboundView { accounts, units, largest: named.collect(), remedy: String::new() })
}
