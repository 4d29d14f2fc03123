//! What a decision changes in the state.

use super::state::{Amendment, Curation, EpochDecisions, Override, State};
use super::{Change, Decision};
use crate::amount::Units;
use crate::ids::{Claimant, EventId, Identity, UserId};

impl State {
    /// Makes a change that was checked.
    pub(super) fn make(&mut self, decision: &Decision, change: Change) {
        match change {
            Change::Bind(identity, user) | Change::Rebind(identity, user) => self.bind(identity, Some(user)),
            Change::Revoke(identity) => self.bind(identity, None),
            Change::EndScope => self.ended = true,
            Change::Exclude(event) => self.curate(decision, event, |curation| curation.excluded = true),
            Change::Include(event) => self.curate(decision, event, |curation| curation.excluded = false),
            Change::Weight(event, units) => {
                self.curate(decision, event, |curation| curation.weight = Some(units))
            }
            Change::Shares(event, shares) => {
                self.curate(decision, event, |curation| curation.shares = Some(shares))
            }
            Change::Override(claimant, units) => self.set_override(decision, claimant, units),
            Change::Reset(event) => self.take_back(decision, |decided| drop(decided.curation.remove(&event))),
            Change::Withdraw(claimant) => {
                self.take_back(decision, |decided| drop(decided.overrides.remove(&claimant)))
            }
            Change::Amend => self.begin_amendment(decision),
            Change::Abandon => self.abandon_amendment(decision),
            Change::AcceptGap | Change::EarlyClose | Change::Erase(_) | Change::Pool(..) => {}
        }
    }

    /// An identity becomes a user's, or nobody's. That changes for which accounts it stands itself, the user whose it
    /// becomes, and the one whose it was until now.
    fn bind(&mut self, identity: Identity, user: Option<UserId>) {
        let before = match user {
            Some(user) => {
                self.last_bindings.insert(identity.clone(), user);
                self.bindings.insert(identity.clone(), user)
            }
            None => self.bindings.remove(&identity),
        };
        let users = [before, user].into_iter().flatten().map(Claimant::User);
        for claimant in users.chain([Claimant::Identity(identity)]) {
            self.claimant_changes.insert(claimant, self.decisions_size);
        }
    }

    fn begin_amendment(&mut self, decision: &Decision) {
        let Some(epoch) = decision.epoch else { return };
        let before = self.epochs.get(&epoch).cloned().unwrap_or_default();
        self.amendments.insert(epoch, Amendment { begun_at: self.decisions_size, before });
    }

    /// What was decided in an amendment that is given up is as if it had never been: a later one begins with what is in
    /// force.
    fn abandon_amendment(&mut self, decision: &Decision) {
        let Some((epoch, amendment)) =
            decision.epoch.and_then(|epoch| Some((epoch, self.amendments.remove(&epoch)?)))
        else {
            return;
        };
        match amendment.before == EpochDecisions::default() {
            true => self.epochs.remove(&epoch),
            false => self.epochs.insert(epoch, amendment.before),
        };
    }

    /// An epoch of which nothing is decided any more is as one of which nothing ever was.
    fn take_back(&mut self, decision: &Decision, remove: impl FnOnce(&mut EpochDecisions)) {
        let Some(epoch) = decision.epoch else { return };
        if let Some(decided) = self.epochs.get_mut(&epoch) {
            remove(decided);
            if *decided == EpochDecisions::default() {
                self.epochs.remove(&epoch);
            }
        }
    }

    fn curate(&mut self, decision: &Decision, event: EventId, change: impl FnOnce(&mut Curation)) {
        let Some(epoch) = decision.epoch else { return };
        let curation = self.epochs.entry(epoch).or_default().curation.entry(event).or_default();
        change(curation);
        curation.reason = Some(decision.reason.clone());
    }

    /// Sets an override, and withdraws those of identities that are the claimant's by now: that is how an override
    /// whose claimant has become another is stated again.
    fn set_override(&mut self, decision: &Decision, claimant: Claimant, units: Units) {
        let Some(epoch) = decision.epoch else { return };
        let bindings = &self.bindings;
        let overrides = &mut self.epochs.entry(epoch).or_default().overrides;
        overrides.retain(|key, _| match key {
            Claimant::Identity(identity) => {
                bindings.get(identity).map(|user| Claimant::User(*user)).as_ref() != Some(&claimant)
            }
            Claimant::User(_) => true,
        });
        let set_at = self.decisions_size;
        overrides.insert(claimant, Override { units, reason: decision.reason.clone(), set_at });
    }
}
