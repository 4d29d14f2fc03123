//! What a scope's decisions add up to: bindings, and for each epoch the curation of events and the overrides.

use std::collections::BTreeMap;

use super::{Change, Decision, write_shares};
use crate::amount::Units;
use crate::ids::{Claimant, EpochNumber, EventId, Identity, UserId};
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::text::FreeText;

/// What people decided of one event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Curation {
    /// Whether it is left out.
    pub excluded: bool,
    /// Its weight in place of the policy's.
    pub weight: Option<Units>,
    /// Its shares in place of the authors'.
    pub shares: Option<BTreeMap<Claimant, u32>>,
    /// The reason of the last decision on it.
    pub reason: Option<FreeText>,
}

/// Final units by a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The final units.
    pub units: Units,
    /// Why.
    pub reason: FreeText,
    /// The place among the scope's decisions, from 0, of the one that set it.
    pub set_at: u64,
}

/// What people decided of one epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EpochDecisions {
    /// By event.
    pub curation: BTreeMap<EventId, Curation>,
    /// By claimant.
    pub overrides: BTreeMap<Claimant, Override>,
}

/// The last amendment of an epoch, unless it was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amendment {
    /// The place of the decision by which it began.
    pub begun_at: u64,
    /// What was decided of the epoch until then; giving the amendment up returns to it.
    pub before: EpochDecisions,
}

/// What a scope's decisions add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub(super) bindings: BTreeMap<Identity, UserId>,
    pub(super) last_bindings: BTreeMap<Identity, UserId>,
    pub(super) claimant_changes: BTreeMap<Claimant, u64>,
    pub(super) epochs: BTreeMap<EpochNumber, EpochDecisions>,
    pub(super) amendments: BTreeMap<EpochNumber, Amendment>,
    pub(super) ended: bool,
    pub(super) decisions_size: u64,
}

/// The parts of a [`State`], for keeping it beside the decisions that it follows from. A part of them is a state too:
/// a change needs no more than what it concerns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateParts {
    /// The bindings in force.
    pub bindings: BTreeMap<Identity, UserId>,
    /// Whose each identity is, or was before its binding was revoked.
    pub last_bindings: BTreeMap<Identity, UserId>,
    /// The place of the last decision that changed for which accounts each claimant stands.
    pub claimant_changes: BTreeMap<Claimant, u64>,
    /// What was decided of each epoch.
    pub epochs: BTreeMap<EpochNumber, EpochDecisions>,
    /// The last amendment of each epoch, unless it was given up.
    pub amendments: BTreeMap<EpochNumber, Amendment>,
    /// Whether the scope was ended.
    pub ended: bool,
    /// How many decisions there are: the place of the next one.
    pub decisions_size: u64,
}

impl From<StateParts> for State {
    fn from(parts: StateParts) -> Self {
        let StateParts {
            bindings,
            last_bindings,
            claimant_changes,
            epochs,
            amendments,
            ended,
            decisions_size,
        } = parts;
        Self { bindings, last_bindings, claimant_changes, epochs, amendments, ended, decisions_size }
    }
}

impl From<State> for StateParts {
    fn from(state: State) -> Self {
        let State { bindings, last_bindings, claimant_changes, epochs, amendments, ended, decisions_size } =
            state;
        Self { bindings, last_bindings, claimant_changes, epochs, amendments, ended, decisions_size }
    }
}

impl State {
    /// The state after `decisions`, from nothing.
    ///
    /// # Errors
    /// The first decision that could not have been made then, with its index.
    pub fn replay<'a>(decisions: impl IntoIterator<Item = &'a Decision>) -> Checked<Self> {
        let mut state = Self::default();
        for (index, decision) in decisions.into_iter().enumerate() {
            state.apply(decision).map_err(|rejection| rejection.within(format!("decision {index}")))?;
        }
        Ok(state)
    }

    /// Applies a decision, after checking that it fits the state.
    ///
    /// # Errors
    /// `mismatch` when `before` is not what the state holds; the rejection of the change where it may not be made.
    pub fn apply(&mut self, decision: &Decision) -> Checked<()> {
        let change = decision.change()?;
        self.check(decision, &change)?;
        self.make(decision, change);
        self.decisions_size = self.decisions_size.saturating_add(1);
        Ok(())
    }

    /// Who earns for an identity at this state.
    pub fn resolve(&self, identity: &Identity) -> Claimant {
        match self.bindings.get(identity) {
            Some(user) => Claimant::User(*user),
            None => Claimant::Identity(identity.clone()),
        }
    }

    /// What a claimant is at this state: an identity that has been bound since is its user.
    pub fn resolve_claimant(&self, claimant: &Claimant) -> Claimant {
        match claimant {
            Claimant::Identity(identity) => self.resolve(identity),
            Claimant::User(_) => claimant.clone(),
        }
    }

    /// The user to whom an identity is bound.
    pub fn binding(&self, identity: &Identity) -> Option<UserId> {
        self.bindings.get(identity).copied()
    }

    /// All bindings in force.
    pub fn bindings(&self) -> &BTreeMap<Identity, UserId> {
        &self.bindings
    }

    /// What was decided of an epoch, if anything.
    pub fn epoch(&self, epoch: EpochNumber) -> Option<&EpochDecisions> {
        self.epochs.get(&epoch)
    }

    /// Whether the scope was ended.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    fn curation(&self, epoch: Option<EpochNumber>, event: &EventId) -> Option<&Curation> {
        self.epochs.get(&epoch?)?.curation.get(event)
    }

    pub(super) fn value_before(&self, epoch: Option<EpochNumber>, change: &Change) -> Option<String> {
        let user = |user: &UserId| Claimant::User(*user).to_string();
        match change {
            Change::Bind(identity, _) | Change::Revoke(identity) => self.bindings.get(identity).map(user),
            Change::Rebind(identity, _) => {
                self.bindings.get(identity).or_else(|| self.last_bindings.get(identity)).map(user)
            }
            Change::Exclude(event) | Change::Include(event) | Change::Reset(event) => {
                let excluded = self.curation(epoch, event).is_some_and(|curation| curation.excluded);
                Some(if excluded { "excluded" } else { "included" }.to_owned())
            }
            Change::Weight(event, _) => self.curation(epoch, event)?.weight.map(|units| units.to_string()),
            Change::Shares(event, _) => self.curation(epoch, event)?.shares.as_ref().map(write_shares),
            Change::Override(claimant, _) | Change::Withdraw(claimant) => {
                self.epochs.get(&epoch?)?.overrides.get(claimant).map(|o| o.units.to_string())
            }
            Change::Abandon
            | Change::AcceptGap
            | Change::Amend
            | Change::EarlyClose
            | Change::EndScope
            | Change::Erase(_)
            | Change::Pool(..) => None,
        }
    }

    pub(super) fn check(&self, decision: &Decision, change: &Change) -> Checked<()> {
        // What is private can be erased for good at any time; no amount depends on it.
        if self.ended && !matches!(change, Change::Erase(_)) {
            return Err(Rejection::new(
                RejectionCode::ScopeEnded,
                "scope",
                "a scope that goes on",
                "an ended one",
            ));
        }
        if decision.epoch.is_some() != change.needs_epoch() {
            let expected = if change.needs_epoch() { "an epoch" } else { "no epoch" };
            return Err(Rejection::new(RejectionCode::MissingField, "epoch", expected, "the other"));
        }
        let before = self.value_before(decision.epoch, change);
        if before != decision.before {
            let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
            return Err(Rejection::new(
                RejectionCode::Mismatch,
                "before",
                text(&before),
                text(&decision.before),
            ));
        }
        self.check_binding(change)?;
        self.check_taken_back(decision, change)?;
        let repeats = decision.after.is_some() && decision.after == decision.before;
        // Stating an override again is a change where it gives a new reason or replaces a bound identity's.
        if repeats && !matches!(change, Change::Override(..)) {
            let got = decision.after.clone().unwrap_or_default();
            return Err(Rejection::new(
                RejectionCode::NothingToChange,
                &decision.subject,
                "another value",
                got,
            ));
        }
        Ok(())
    }

    /// Only what was decided can be taken back.
    fn check_taken_back(&self, decision: &Decision, change: &Change) -> Checked<()> {
        let (expected, is_decided) = match change {
            Change::Abandon => {
                let is_begun = |epoch| self.amendments.contains_key(&epoch);
                ("an epoch with an amendment that was begun", decision.epoch.is_some_and(is_begun))
            }
            Change::Reset(event) => {
                ("an event that was decided on", self.curation(decision.epoch, event).is_some())
            }
            Change::Withdraw(_) => ("a claimant with an override", decision.before.is_some()),
            _ => return Ok(()),
        };
        if is_decided {
            return Ok(());
        }
        Err(Rejection::new(RejectionCode::NothingToChange, &decision.subject, expected, "one without"))
    }

    fn check_binding(&self, change: &Change) -> Checked<()> {
        match change {
            Change::Bind(identity, user) => {
                let owner = self.bindings.get(identity).or_else(|| self.last_bindings.get(identity));
                match owner {
                    Some(owner) if owner != user => Err(Rejection::new(
                        RejectionCode::IdentityBoundToOther,
                        identity.to_string(),
                        format!("an identity that is nobody's or user:{user}'s"),
                        format!("user:{owner}'s"),
                    )),
                    _ => Ok(()),
                }
            }
            Change::Revoke(identity) if !self.bindings.contains_key(identity) => Err(Rejection::new(
                RejectionCode::IdentityNotBound,
                identity.to_string(),
                "a bound identity",
                "one that is not",
            )),
            // A rebind names both people: where the identity was nobody's, it is a binding.
            Change::Rebind(identity, _) if !self.last_bindings.contains_key(identity) => Err(Rejection::new(
                RejectionCode::IdentityNotBound,
                identity.to_string(),
                "an identity that is or was bound",
                "one that never was",
            )),
            _ => Ok(()),
        }
    }
}
