//! Who goes without because nobody has bound them: in a scope that pays users alone, work by an account that is nobody's
//! earns nothing, and those who did it would look in vain for a line that says so.

use meed_audit::amount::Units;
use meed_audit::decision::{EpochDecisions, State};
use meed_audit::ids::{Claimant, EpochNumber, Identity, ScopeId};
use meed_audit::policy::{Policy, Unlinked};

use crate::rules::epochs::epoch_record;
use crate::rules::proposals::earnings;
use crate::rules::record::{LedgerResult, sound};
use crate::rules::tables::EPOCHS;
use crate::snapshot::Snapshot;

/// An account that is nobody's, and what an epoch's events would give it if it were somebody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnboundAccount {
    /// The account.
    pub identity: Identity,
    /// The units that go to nobody.
    pub units: Units,
    /// How many events they come from.
    pub events_count: u64,
}

impl Snapshot {
    /// The accounts whose work in an epoch earns nothing because they are bound to nobody, by account: of entries and
    /// decisions that the caller has read already. None where the epoch's policy pays such accounts as they are, and
    /// none of those whose units a person has set.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`.
    pub fn unbound_accounts(
        &self,
        scope: ScopeId,
        epoch: EpochNumber,
        entries: &[u64],
        state: &State,
    ) -> LedgerResult<Vec<UnboundAccount>> {
        let record = epoch_record(self, scope, epoch)?;
        let policy = sound(EPOCHS.name(), Policy::decode(&record.policy.0))?;
        if policy.unlinked == Unlinked::Claim {
            return Ok(Vec::new());
        }
        let policy = Policy { unlinked: Unlinked::Claim, ..policy };
        let nothing = EpochDecisions::default();
        let decided = state.epoch(epoch).unwrap_or(&nothing);
        let earned = earnings(self, entries, &policy, (decided, state))?.into_sorted(std::iter::empty())?;
        let unpaid = earned.into_iter().filter_map(|(claimant, earned)| match &claimant {
            Claimant::Identity(identity)
                if earned.units != Units::ZERO && !decided.overrides.contains_key(&claimant) =>
            {
                let (identity, units) = (identity.clone(), earned.units);
                Some(UnboundAccount { identity, units, events_count: earned.events_count })
            }
            _ => None,
        });
        Ok(unpaid.collect())
    }
}
