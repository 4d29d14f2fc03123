//! Decisions: the record of every human change. A scope's decisions are leaves of a tree that only grows, and the
//! state they add up to is computed from them alone, so that nothing can change without a decision.

mod claimants;
mod effects;
mod state;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::amount::{Credits, SHARE_WHOLE, Units};
use crate::event::parse_share;
use crate::ids::{Claimant, ComponentId, EpochNumber, EventId, Identity, ScopeId, UserId};
use crate::leaf::version_tag;
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::text::FreeText;
use crate::time::Timestamp;

pub use claimants::{StaleOverride, refuse_stale};
pub use state::{Amendment, Curation, EpochDecisions, Override, State, StateParts};

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
    // Stored records number the kinds above by their places, so that later ones follow here.
    /// What was decided of an event is taken back.
    Reset,
    /// An override is taken back.
    Withdraw,
    /// An epoch is closed although a source has more of its window than was collected.
    AcceptGap,
    /// An amendment of a final epoch is given up.
    Abandon,
}

/// A change, with what it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Give the amendment of the epoch up.
    Abandon,
    /// Close the epoch although a source has more of its window than was collected.
    AcceptGap,
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
    /// Take back what was decided of the event.
    Reset(EventId),
    /// End the identity's binding.
    Revoke(Identity),
    /// Share the event's units otherwise: parts per million by claimant, which sum to 1,000,000.
    Shares(EventId, BTreeMap<Claimant, u32>),
    /// Weigh the event otherwise.
    Weight(EventId, Units),
    /// Take back the claimant's override.
    Withdraw(Claimant),
}

impl Change {
    /// The kind of change.
    pub fn action(&self) -> Action {
        match self {
            Self::Abandon => Action::Abandon,
            Self::AcceptGap => Action::AcceptGap,
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
            Self::Reset(_) => Action::Reset,
            Self::Revoke(_) => Action::Revoke,
            Self::Shares(..) => Action::Shares,
            Self::Weight(..) => Action::Weight,
            Self::Withdraw(_) => Action::Withdraw,
        }
    }

    /// Whether it concerns one epoch (and names it) or the whole scope.
    pub fn needs_epoch(&self) -> bool {
        !matches!(self, Self::Bind(..) | Self::EndScope | Self::Erase(_) | Self::Rebind(..) | Self::Revoke(_))
    }

    fn subject(&self) -> String {
        match self {
            Self::Abandon | Self::AcceptGap | Self::Amend | Self::EarlyClose => "epoch".to_owned(),
            Self::EndScope => "scope".to_owned(),
            Self::Bind(identity, _) | Self::Rebind(identity, _) | Self::Revoke(identity) => {
                identity.to_string()
            }
            Self::Erase(event) | Self::Exclude(event) | Self::Include(event) => event.to_string(),
            Self::Reset(event) | Self::Shares(event, _) | Self::Weight(event, _) => event.to_string(),
            Self::Override(claimant, _) | Self::Withdraw(claimant) => claimant.to_string(),
            Self::Pool(component, _) => component.to_string(),
        }
    }

    fn after(&self) -> Option<String> {
        match self {
            Self::Abandon | Self::AcceptGap | Self::Amend | Self::EarlyClose | Self::EndScope => None,
            Self::Erase(_) | Self::Reset(_) | Self::Revoke(_) | Self::Withdraw(_) => None,
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
            Action::Abandon => Change::Abandon,
            Action::AcceptGap => Change::AcceptGap,
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
            Action::Reset => Change::Reset(self.subject.parse()?),
            Action::Revoke => Change::Revoke(self.subject.parse()?),
            Action::Shares => Change::Shares(self.subject.parse()?, read_shares(self.after_text()?)?),
            Action::Weight => Change::Weight(self.subject.parse()?, self.after_units()?),
            Action::Withdraw => Change::Withdraw(self.subject.parse()?),
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
