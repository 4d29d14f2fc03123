//! Decisions that came after a draft, which does not hold them: what becomes final without them can only be amended.
//!
//! Only those count that can touch the draft's epoch. Decisions on other epochs do not, nor does whose an account is
//! that nothing of the epoch names.

use std::collections::BTreeSet;

use meed_audit::activity::EpochEntry;
use meed_audit::decision::{Action, Decision};
use meed_audit::ids::{Claimant, EpochNumber, Identity, Revision, ScopeId};
use meed_audit::{Rejection, RejectionCode};

use crate::rules::compute::gather;
use crate::rules::decided::epoch_decisions;
use crate::rules::decisions::decisions_size;
use crate::rules::epochs::{epoch_record, windows};
use crate::rules::input::epoch_indexes;
use crate::rules::record::{LedgerResult, demand};
use crate::rules::scopes::scope_record;
use crate::rules::tables::{DECISIONS, DRAFTS};
use crate::snapshot::Snapshot;
use crate::table::{RawReader, Reader};

/// What came after a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Later {
    /// How many decisions can touch the epoch.
    pub(super) count: u64,
    /// How many decisions the scope had when they were counted.
    pub(super) size: u64,
}

impl Snapshot {
    /// How many decisions came after the draft that is offered and can touch its epoch: its own, and those on accounts
    /// that its events, shares or overrides name. The draft holds none of them. None where no draft is offered.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`.
    pub fn decisions_after_draft(&self, scope: ScopeId, epoch: EpochNumber) -> LedgerResult<u64> {
        let Some(revision) = offered(self, scope, epoch)? else { return Ok(0) };
        Ok(after_draft(self, (scope, epoch, revision))?.count)
    }

    /// Whether the draft that is offered holds every decision that can touch its epoch.
    ///
    /// # Errors
    /// `decisions_after_draft`, which says how many it does not hold; `scope_not_found`, `epoch_not_found`.
    pub fn check_draft_holds_all(&self, scope: ScopeId, epoch: EpochNumber) -> LedgerResult<()> {
        let Some(revision) = offered(self, scope, epoch)? else { return Ok(()) };
        let place = (scope, epoch, revision);
        Ok(after_draft(self, place)?.check(place)?)
    }
}

impl Later {
    /// Refuses where there is anything.
    pub(super) fn check(
        self,
        (_, epoch, revision): (ScopeId, EpochNumber, Revision),
    ) -> meed_audit::Checked<()> {
        if self.count == 0 {
            return Ok(());
        }
        let plural = if self.count == 1 { "" } else { "s" };
        let got = format!(
            "one, revision {revision}, that does not hold {} decision{plural} made after it",
            self.count
        );
        let expected = "a draft that holds every decision on the epoch";
        Err(Rejection::new(RejectionCode::DecisionsAfterDraft, format!("epoch {epoch}"), expected, got))
    }
}

/// The draft that is offered.
fn offered(snapshot: &Snapshot, scope: ScopeId, epoch: EpochNumber) -> LedgerResult<Option<Revision>> {
    scope_record(snapshot, scope)?;
    Ok(epoch_record(snapshot, scope, epoch)?.current_draft)
}

/// Counts what came after a draft.
pub(super) fn after_draft(
    snapshot: &Snapshot,
    (scope, epoch, revision): (ScopeId, EpochNumber, Revision),
) -> LedgerResult<Later> {
    let draft = demand(snapshot, DRAFTS, &(scope, epoch, revision))?;
    let size = decisions_size(snapshot, scope)?;
    let later = decisions_in(snapshot, scope, draft.decisions_size..size)?;
    let (mut own, mut bindings) = (0_u64, Vec::new());
    for decision in later.iter().filter(|decision| concerns(decision, epoch)) {
        match decision.epoch {
            Some(_) => own += 1,
            None => bindings.push(claimants_of(decision)?),
        }
    }
    let touching = if bindings.is_empty() { 0 } else { touching(snapshot, scope, epoch, &bindings)? };
    Ok(Later { count: own.saturating_add(touching), size })
}

/// Whether anything came since `size` decisions that may have to be counted too.
pub(super) fn came_since(
    reader: &impl RawReader,
    scope: ScopeId,
    epoch: EpochNumber,
    size: u64,
) -> LedgerResult<bool> {
    let later = decisions_in(reader, scope, size..decisions_size(reader, scope)?)?;
    Ok(later.iter().any(|decision| concerns(decision, epoch)))
}

fn decisions_in(
    reader: &impl RawReader,
    scope: ScopeId,
    range: std::ops::Range<u64>,
) -> LedgerResult<Vec<Decision>> {
    let records = reader.range(DECISIONS, (scope, range.start)..(scope, range.end.max(range.start)))?;
    records.iter().map(|(_, record)| Ok(record.leaf(DECISIONS.name())?)).collect()
}

/// Whether a decision is one on the epoch, or on whose an account is.
fn concerns(decision: &Decision, epoch: EpochNumber) -> bool {
    let binds = matches!(decision.action, Action::Bind | Action::Rebind | Action::Revoke);
    decision.epoch.map_or(binds, |number| number == epoch)
}

/// The account that a decision is about, and whose it was and becomes.
fn claimants_of(decision: &Decision) -> LedgerResult<(Identity, Vec<Claimant>)> {
    let users = [&decision.before, &decision.after].into_iter().flatten();
    let users = users.map(|user| user.parse()).collect::<meed_audit::Checked<Vec<Claimant>>>()?;
    let identity: Identity = decision.subject.parse()?;
    Ok((identity.clone(), users.into_iter().chain([Claimant::Identity(identity)]).collect()))
}

/// How many of these changes are of accounts or people that the epoch's overrides, shares or events name.
fn touching(
    snapshot: &Snapshot,
    scope: ScopeId,
    epoch: EpochNumber,
    bindings: &[(Identity, Vec<Claimant>)],
) -> LedgerResult<u64> {
    let decided = epoch_decisions(snapshot, scope, epoch)?;
    let shares = decided.curation.values().filter_map(|curation| curation.shares.as_ref());
    let named: BTreeSet<&Claimant> =
        decided.overrides.keys().chain(shares.flat_map(|shares| shares.keys())).collect();
    let accounts: BTreeSet<&Identity> = bindings.iter().map(|(identity, _)| identity).collect();
    let active = authors_among(snapshot, scope, epoch, &accounts)?;
    let touches = |(identity, claimants): &&(Identity, Vec<Claimant>)| {
        active.contains(identity) || claimants.iter().any(|claimant| named.contains(claimant))
    };
    Ok(u64::try_from(bindings.iter().filter(touches).count()).unwrap_or(u64::MAX))
}

/// Those of these accounts that are authors of an event of the epoch.
fn authors_among(
    snapshot: &Snapshot,
    scope: ScopeId,
    epoch: EpochNumber,
    accounts: &BTreeSet<&Identity>,
) -> LedgerResult<BTreeSet<Identity>> {
    let entries = epoch_indexes(snapshot, scope, &windows(snapshot, scope, Some(epoch))?)?;
    let take = |entry: &EpochEntry<'_>, found: &mut BTreeSet<Identity>| {
        for author in entry.authors.iter() {
            let identity = author.identity()?;
            if accounts.contains(&identity) {
                found.insert(identity);
            }
        }
        Ok(())
    };
    gather(snapshot, &entries, &take, &Ok, |mut one, other| {
        one.extend(other);
        Ok(one)
    })
}
