//! Overrides and whom they are for: one that was stated for a claimant as it was then is not one for the claimant as it
//! is now, whose accounts are others.
//!
//! Units that were set for a user are final for all accounts that the user stands for. Where one of them is revoked
//! later it would be paid beside them, and where one more is bound what that one earned would be swallowed by them.

use super::{Action, Decision, State};
use crate::ids::{Claimant, EpochNumber};
use crate::rejection::{Rejection, RejectionCode};

/// Most overrides that a refusal names.
const NAMED_MAX: usize = 10;

/// An override that was made before its claimant became what it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleOverride {
    /// For whom it was made.
    pub claimant: Claimant,
    /// Who earns for that claimant now: itself, or the user whose the identity is.
    pub now: Claimant,
    /// The place of the decision that set it.
    pub set_at: u64,
    /// The place of the last decision that changed for which accounts the claimant stands.
    pub changed_at: u64,
}

impl State {
    /// The overrides of an epoch that have to be stated again before it can be frozen: those of identities that are
    /// somebody's now, and those that are older than the last change of their claimant's accounts.
    pub fn stale_overrides(&self, epoch: EpochNumber) -> Vec<StaleOverride> {
        let Some(decided) = self.epoch(epoch) else { return Vec::new() };
        let stale = decided.overrides.iter().filter_map(|(claimant, set)| {
            let now = self.resolve_claimant(claimant);
            let changed_at = self.claimant_changes.get(claimant).copied();
            let is_older = changed_at.is_some_and(|changed_at| changed_at > set.set_at);
            (is_older || now != *claimant).then(|| StaleOverride {
                claimant: claimant.clone(),
                now,
                set_at: set.set_at,
                changed_at: changed_at.unwrap_or_default(),
            })
        });
        stale.collect()
    }
}

impl StaleOverride {
    /// What became of the claimant by `decision`, the one at [`changed_at`](Self::changed_at), as in
    /// `identity:github:583231 was revoked from it by decision 12`.
    pub fn what_changed(&self, decision: &Decision) -> String {
        let place = self.changed_at;
        let (subject, after) = (&decision.subject, decision.after.as_deref().unwrap_or_default());
        let own = self.claimant.to_string();
        match (*subject == own, decision.action) {
            (true, Action::Revoke) => format!("its binding was revoked by decision {place}"),
            (true, _) => format!("it was bound to {after} by decision {place}"),
            (false, Action::Revoke) => format!("{subject} was revoked from it by decision {place}"),
            (false, _) if after == own => format!("{subject} was bound to it by decision {place}"),
            (false, _) => format!("{subject} was rebound from it to {after} by decision {place}"),
        }
    }

    /// What has to be stated instead.
    fn wanted(&self, changed: &str) -> String {
        match self.now == self.claimant {
            true => format!("one made after {changed}"),
            false => format!("one of {}, since {changed}", self.now),
        }
    }
}

/// The refusal of overrides that have to be stated again, each with what changed; none where there is none. Of many it
/// names the first ones and counts the others.
pub fn refuse_stale(epoch: EpochNumber, stale: &[(StaleOverride, String)]) -> Option<Rejection> {
    let (first, changed) = stale.first()?;
    let code = RejectionCode::OverrideClaimantMoved;
    if stale.len() == 1 {
        let subject = format!("override of {}", first.claimant);
        let got = format!("that of decision {}", first.set_at);
        return Some(Rejection::new(code, subject, first.wanted(changed), got));
    }
    let named = stale.iter().take(NAMED_MAX);
    let mut wanted: Vec<String> =
        named.map(|(each, changed)| format!("for {} {}", each.claimant, each.wanted(changed))).collect();
    if stale.len() > NAMED_MAX {
        wanted.push(format!("and for {} more", stale.len() - NAMED_MAX));
    }
    let (subject, got) = (format!("overrides of epoch {epoch}"), format!("{} older ones", stale.len()));
    Some(Rejection::new(code, subject, wanted.join("; "), got))
}
