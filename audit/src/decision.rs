//! Decisions: the record of every human change. A scope's decisions are leaves of a tree that only grows, and the
//! state they add up to is computed from them alone, so that nothing can change without a decision.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::amount::{Credits, SHARE_WHOLE, Units};
use crate::event::parse_share;
use crate::ids::{Claimant, ComponentId, EpochNumber, EventId, Identity, ScopeId, UserId};
use crate::leaf::version_tag;
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::text::FreeText;
use crate::time::Timestamp;

/// Most claimants among whom one event is shared by a decision.
pub const SHARES_MAX: usize = 100;

/// What kind of change a decision makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// An amendment of a final epoch begins.
    Amend,
    /// An identity becomes a user's.
    Bind,
    /// An epoch is closed before its window has ended.
    EarlyClose,
    /// The scope is ended, because its approvers are lost.
    EndScope,
    /// Metadata of an event is erased.
    Erase,
    /// An event is left out.
    Exclude,
    /// An event that was left out counts again.
    Include,
    /// A claimant's final units are set by a person.
    Override,
    /// A component joins the pool.
    Pool,
    /// An identity that was somebody else's becomes a user's.
    Rebind,
    /// A binding ends.
    Revoke,
    /// An event's units are shared otherwise.
    Shares,
    /// An event weighs otherwise.
    Weight,
}

/// A change, with what it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Begin an amendment of the epoch.
    Amend,
    /// The identity becomes the user's.
    Bind(Identity, UserId),
    /// Close the epoch before its window has ended.
    EarlyClose,
    /// End the scope.
    EndScope,
    /// Erase the metadata of the event.
    Erase(EventId),
    /// Leave the event out.
    Exclude(EventId),
    /// Count the event again.
    Include(EventId),
    /// Set the claimant's final units.
    Override(Claimant, Units),
    /// Add the component with its amount.
    Pool(ComponentId, Credits),
    /// The identity becomes the user's although it was another's.
    Rebind(Identity, UserId),
    /// End the identity's binding.
    Revoke(Identity),
    /// Share the event's units otherwise: parts per million by claimant, which sum to 1,000,000.
    Shares(EventId, BTreeMap<Claimant, u32>),
    /// Weigh the event otherwise.
    Weight(EventId, Units),
}

impl Change {
    /// The kind of change.
    pub fn action(&self) -> Action {
        match self {
            Self::Amend => Action::Amend,
            Self::Bind(..) => Action::Bind,
            Self::EarlyClose => Action::EarlyClose,
            Self::EndScope => Action::EndScope,
            Self::Erase(_) => Action::Erase,
            Self::Exclude(_) => Action::Exclude,
            Self::Include(_) => Action::Include,
            Self::Override(..) => Action::Override,
            Self::Pool(..) => Action::Pool,
            Self::Rebind(..) => Action::Rebind,
            Self::Revoke(_) => Action::Revoke,
            Self::Shares(..) => Action::Shares,
            Self::Weight(..) => Action::Weight,
        }
    }

    /// Whether it concerns one epoch (and names it) or the whole scope.
    pub fn needs_epoch(&self) -> bool {
        !matches!(self, Self::Bind(..) | Self::EndScope | Self::Erase(_) | Self::Rebind(..) | Self::Revoke(_))
    }

    fn subject(&self) -> String {
        match self {
            Self::Amend | Self::EarlyClose => "epoch".to_owned(),
            Self::EndScope => "scope".to_owned(),
            Self::Bind(identity, _) | Self::Rebind(identity, _) | Self::Revoke(identity) => {
                identity.to_string()
            }
            Self::Erase(event) | Self::Exclude(event) | Self::Include(event) => event.to_string(),
            Self::Shares(event, _) | Self::Weight(event, _) => event.to_string(),
            Self::Override(claimant, _) => claimant.to_string(),
            Self::Pool(component, _) => component.to_string(),
        }
    }

    fn after(&self) -> Option<String> {
        match self {
            Self::Amend | Self::EarlyClose | Self::EndScope | Self::Erase(_) | Self::Revoke(_) => None,
            Self::Bind(_, user) | Self::Rebind(_, user) => Some(Claimant::User(*user).to_string()),
            Self::Exclude(_) => Some("excluded".to_owned()),
            Self::Include(_) => Some("included".to_owned()),
            Self::Override(_, units) | Self::Weight(_, units) => Some(units.to_string()),
            Self::Pool(_, amount) => Some(amount.to_string()),
            Self::Shares(_, shares) => Some(write_shares(shares)),
        }
    }
}

/// One human change; its canonical bytes are the leaf `meed/decision/v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// What kind of change.
    pub action: Action,
    /// Who decided: the name of a token or key.
    pub actor: FreeText,
    /// The value from now on, where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<String>,
    /// When.
    pub at: Timestamp,
    /// The value until then, where there was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub before: Option<String>,
    /// The epoch, where the change concerns one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub epoch: Option<EpochNumber>,
    /// Why.
    pub reason: FreeText,
    /// The scope.
    pub scope: ScopeId,
    /// What it concerns: an event id, a claimant, an identity, a component, `epoch` or `scope`.
    pub subject: String,
    /// `meed/decision/v1`.
    pub v: DecisionV1,
}

version_tag! {
    /// The format of decision leaves.
    DecisionV1, Decision, "meed/decision/v1"
}

/// Who decides, when, where and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionContext {
    /// The scope.
    pub scope: ScopeId,
    /// The epoch, for changes that concern one.
    pub epoch: Option<EpochNumber>,
    /// Who decides.
    pub actor: FreeText,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: FreeText,
}

impl Decision {
    /// The decision that makes `change`, its `before` taken from `state`. It is not applied yet.
    ///
    /// # Errors
    /// As [`State::apply`].
    pub fn new(state: &State, change: &Change, context: DecisionContext) -> Checked<Self> {
        let decision = Self {
            action: change.action(),
            actor: context.actor,
            after: change.after(),
            at: context.at,
            before: state.value_before(context.epoch, change),
            epoch: context.epoch,
            reason: context.reason,
            scope: context.scope,
            subject: change.subject(),
            v: DecisionV1,
        };
        state.check(&decision, change)?;
        Ok(decision)
    }

    /// The change that the decision makes, read from its texts.
    ///
    /// # Errors
    /// Names the field that does not hold what its action demands.
    pub fn change(&self) -> Checked<Change> {
        let change = match self.action {
            Action::Amend => Change::Amend,
            Action::Bind => Change::Bind(self.subject.parse()?, self.after_user()?),
            Action::EarlyClose => Change::EarlyClose,
            Action::EndScope => Change::EndScope,
            Action::Erase => Change::Erase(self.subject.parse()?),
            Action::Exclude => Change::Exclude(self.subject.parse()?),
            Action::Include => Change::Include(self.subject.parse()?),
            Action::Override => Change::Override(self.subject.parse()?, self.after_units()?),
            Action::Pool => {
                Change::Pool(self.subject.parse()?, Credits::parse_single("after", self.after_text()?)?)
            }
            Action::Rebind => Change::Rebind(self.subject.parse()?, self.after_user()?),
            Action::Revoke => Change::Revoke(self.subject.parse()?),
            Action::Shares => Change::Shares(self.subject.parse()?, read_shares(self.after_text()?)?),
            Action::Weight => Change::Weight(self.subject.parse()?, self.after_units()?),
        };
        if change.subject() != self.subject || change.after() != self.after {
            let expected = "subject and after in their one form";
            return Err(Rejection::new(RejectionCode::NotCanonical, "decision", expected, &self.subject));
        }
        Ok(change)
    }

    fn after_text(&self) -> Checked<&str> {
        self.after
            .as_deref()
            .ok_or_else(|| Rejection::new(RejectionCode::MissingField, "after", "the new value", "none"))
    }

    fn after_units(&self) -> Checked<Units> {
        Units::parse_single("after", self.after_text()?)
    }

    fn after_user(&self) -> Checked<UserId> {
        match self.after_text()?.parse()? {
            Claimant::User(user) => Ok(user),
            Claimant::Identity(identity) => {
                Err(Rejection::new(RejectionCode::InvalidClaimant, "after", "user:<uuid>", identity))
            }
        }
    }
}

/// Writes shares as `<claimant>=<ppm>` joined by spaces, sorted by claimant.
fn write_shares(shares: &BTreeMap<Claimant, u32>) -> String {
    shares.iter().map(|(claimant, share)| format!("{claimant}={share}")).collect::<Vec<_>>().join(" ")
}

/// Reads `<claimant>=<ppm>` entries joined by spaces, as people write them and decisions record them.
///
/// # Errors
/// `invalid_shares` unless 1 to 100 distinct claimants have shares that sum to 1,000,000.
pub fn read_shares(text: &str) -> Checked<BTreeMap<Claimant, u32>> {
    let refuse = |got: &str| {
        let expected = format!("1 to {SHARES_MAX} distinct CLAIMANT=PPM that sum to {SHARE_WHOLE}");
        Rejection::new(RejectionCode::InvalidShares, "shares", expected, got)
    };
    let mut shares = BTreeMap::new();
    let mut sum = 0_u64;
    for entry in text.split(' ') {
        let (claimant, share) = entry.rsplit_once('=').ok_or_else(|| refuse(entry))?;
        let share = parse_share("shares", share)?;
        sum = sum.saturating_add(u64::from(share));
        if shares.insert(claimant.parse()?, share).is_some() {
            return Err(refuse(entry));
        }
    }
    if sum != u64::from(SHARE_WHOLE) || shares.len() > SHARES_MAX {
        return Err(refuse(&format!("{} claimants with a sum of {sum}", shares.len())));
    }
    Ok(shares)
}

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
}

/// What people decided of one epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EpochDecisions {
    /// By event.
    pub curation: BTreeMap<EventId, Curation>,
    /// By claimant.
    pub overrides: BTreeMap<Claimant, Override>,
}

/// What a scope's decisions add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    bindings: BTreeMap<Identity, UserId>,
    last_bindings: BTreeMap<Identity, UserId>,
    epochs: BTreeMap<EpochNumber, EpochDecisions>,
    ended: bool,
}

/// The parts of a [`State`], for keeping it beside the decisions that it follows from. A part of them is a state too:
/// a change needs no more than what it concerns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateParts {
    /// The bindings in force.
    pub bindings: BTreeMap<Identity, UserId>,
    /// Whose each identity is, or was before its binding was revoked.
    pub last_bindings: BTreeMap<Identity, UserId>,
    /// What was decided of each epoch.
    pub epochs: BTreeMap<EpochNumber, EpochDecisions>,
    /// Whether the scope was ended.
    pub ended: bool,
}

impl From<StateParts> for State {
    fn from(parts: StateParts) -> Self {
        let StateParts { bindings, last_bindings, epochs, ended } = parts;
        Self { bindings, last_bindings, epochs, ended }
    }
}

impl From<State> for StateParts {
    fn from(state: State) -> Self {
        let State { bindings, last_bindings, epochs, ended } = state;
        Self { bindings, last_bindings, epochs, ended }
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

    fn value_before(&self, epoch: Option<EpochNumber>, change: &Change) -> Option<String> {
        let user = |user: &UserId| Claimant::User(*user).to_string();
        match change {
            Change::Bind(identity, _) | Change::Revoke(identity) => self.bindings.get(identity).map(user),
            Change::Rebind(identity, _) => {
                self.bindings.get(identity).or_else(|| self.last_bindings.get(identity)).map(user)
            }
            Change::Exclude(event) | Change::Include(event) => {
                let excluded = self.curation(epoch, event).is_some_and(|curation| curation.excluded);
                Some(if excluded { "excluded" } else { "included" }.to_owned())
            }
            Change::Weight(event, _) => self.curation(epoch, event)?.weight.map(|units| units.to_string()),
            Change::Shares(event, _) => self.curation(epoch, event)?.shares.as_ref().map(write_shares),
            Change::Override(claimant, _) => {
                self.epochs.get(&epoch?)?.overrides.get(claimant).map(|o| o.units.to_string())
            }
            Change::Amend | Change::EarlyClose | Change::EndScope | Change::Erase(_) | Change::Pool(..) => {
                None
            }
        }
    }

    fn check(&self, decision: &Decision, change: &Change) -> Checked<()> {
        if self.ended {
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
            _ => Ok(()),
        }
    }

    fn make(&mut self, decision: &Decision, change: Change) {
        match change {
            Change::Bind(identity, user) | Change::Rebind(identity, user) => {
                self.last_bindings.insert(identity.clone(), user);
                self.bindings.insert(identity, user);
            }
            Change::Revoke(identity) => {
                self.bindings.remove(&identity);
            }
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
            Change::Amend | Change::EarlyClose | Change::Erase(_) | Change::Pool(..) => {}
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
        overrides.insert(claimant, Override { units, reason: decision.reason.clone() });
    }
}
