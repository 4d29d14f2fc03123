//! What people decide: curation, overrides, pool components; and the list of all decisions.

use std::collections::BTreeMap;

use meed_audit::RejectionCode;
use meed_audit::amount::{Credits, Units};
use meed_audit::decision::{Change, Override, read_shares};
use meed_audit::hash::Hash;
use meed_audit::ids::{Claimant, EpochNumber, EventId, ScopeId};
use meed_audit::json::Value;
use meed_audit::pool::{Pool, PoolComponent};
use meed_audit::text::FreeText;
use meed_storage::{Added, Snapshot};

use super::{Place, Service, Wanted};
use crate::api::documents::{
    AllocatedView, AllocationRequest, CurationRequest, DecisionView, Page, PoolAddedView, PoolRequest,
    PoolView,
};
use crate::failure::{Failure, reject};

impl Service {
    /// Decides on one event.
    ///
    /// # Errors
    /// `event_not_found`, `epoch_finalized`, `nothing_to_change`, and refusals of the change's own form.
    pub fn curate(
        &self,
        key: &str,
        epoch: u64,
        request: &CurationRequest,
        actor: &FreeText,
    ) -> Result<DecisionView, Failure> {
        let event: EventId = request.event.parse()?;
        let change = match (request.included, &request.weight, &request.shares, request.reset) {
            (Some(true), None, None, false) => Change::Include(event),
            (Some(false), None, None, false) => Change::Exclude(event),
            (None, Some(weight), None, false) => {
                Change::Weight(event, Units::parse_single("weight", weight)?)
            }
            (None, None, Some(shares), false) => Change::Shares(event, read_shares(&join_shares(shares))?),
            (None, None, None, true) => Change::Reset(event),
            _ => {
                let expected = "exactly one of included, weight, shares and reset";
                return Err(reject(RejectionCode::MissingField, "change", expected, "none or several"));
            }
        };
        self.decide(key, epoch, change, &request.reason, actor)
    }

    /// What a person set the final units of a claimant to, by the decisions of now.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`.
    pub fn override_of(
        &self,
        key: &str,
        epoch: u64,
        claimant: &Claimant,
    ) -> Result<Option<Override>, Failure> {
        let (snapshot, place) = self.place(key, epoch)?;
        let mut decided = snapshot.epoch_decisions(place.scope, place.epoch)?;
        Ok(decided.overrides.remove(claimant))
    }

    /// Sets the final units of a claimant, or takes them back. Who sets those of a claimant without activity is told so.
    ///
    /// # Errors
    /// `user_not_found`, `override_claimant_moved`, `nothing_to_change`, `epoch_finalized`, and refusals of the request's fields.
    pub fn allocate(
        &self,
        key: &str,
        epoch: u64,
        request: &AllocationRequest,
        actor: &FreeText,
    ) -> Result<AllocatedView, Failure> {
        let claimant: Claimant = request.claimant.parse()?;
        let change = match (&request.units, request.withdraw) {
            (Some(units), false) => Change::Override(claimant.clone(), Units::parse_single("units", units)?),
            (None, true) => Change::Withdraw(claimant.clone()),
            _ => {
                let expected = "exactly one of units and withdraw";
                return Err(reject(RejectionCode::MissingField, "change", expected, "none or both"));
            }
        };
        // Looked at first, so that nothing can fail once it is decided; an override is no activity.
        let (snapshot, place) = self.place(key, epoch)?;
        let without_activity =
            !request.withdraw && !snapshot.has_activity(place.scope, place.epoch, &claimant)?;
        drop(snapshot);
        if let Change::Override(_, units) = &change {
            self.check_other_override(key, epoch, (&claimant, *units), &request.reason)?;
        }
        let made = self.decide(key, epoch, change, &request.reason, actor)?;
        Ok(AllocatedView { made, without_activity })
    }

    /// Units that are in force already, for the same reason, are no change, unless they were set for the claimant as it
    /// was, or replace those of an account that has become the claimant's since.
    fn check_other_override(
        &self,
        key: &str,
        epoch: u64,
        (claimant, units): (&Claimant, Units),
        reason: &str,
    ) -> Result<(), Failure> {
        let sight = self.sight(key, epoch)?;
        let state = self.state_of(&sight, None)?;
        let Some(decided) = state.epoch(sight.place.epoch) else { return Ok(()) };
        let stale = state.stale_overrides(sight.place.epoch);
        let is_restated = stale.iter().any(|stale| stale.now == *claimant);
        let same = |held: &Override| held.units == units && held.reason.as_str() == reason;
        if !is_restated && decided.overrides.get(claimant).is_some_and(same) {
            let subject = claimant.to_string();
            let expected = "other units than those in force, or another reason";
            return Err(reject(RejectionCode::NothingToChange, &subject, expected, "the same"));
        }
        Ok(())
    }

    fn decide(
        &self,
        key: &str,
        epoch: u64,
        change: Change,
        reason: &str,
        actor: &FreeText,
    ) -> Result<DecisionView, Failure> {
        let reason = FreeText::parse("reason", reason)?;
        let (_, place) = self.place(key, epoch)?;
        let by = self.by(actor)?;
        let (sequence, decision) = self.ledger.decide(place.scope, place.epoch, change, reason, by)?;
        Ok(DecisionView { sequence, decision })
    }

    /// The decisions of a scope in their order, or those of one of its epochs.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`, `malformed`.
    pub fn decisions(
        &self,
        key: &str,
        epoch: Option<u64>,
        wanted: &Wanted,
    ) -> Result<Page<DecisionView>, Failure> {
        let (from, limit) = (wanted.start_number()?, wanted.limit());
        let snapshot = self.snapshot()?;
        let (_, scope) = Self::scope_id(&snapshot, key)?;
        let view = |(sequence, decision)| DecisionView { sequence, decision };
        let Some(epoch) = epoch else {
            let count = u64::try_from(limit).unwrap_or(u64::MAX);
            let items = snapshot.decisions(scope, from, count)?.into_iter().map(view).collect();
            let after = from.saturating_add(count);
            let next = (after < snapshot.decisions_size(scope)?).then(|| after.to_string());
            return Ok(Page { items, next });
        };
        let epoch = EpochNumber::new(epoch)?;
        snapshot.epoch(scope, epoch)?;
        let (own, next) = self.decision_places(&snapshot, scope, epoch, (from, limit))?;
        let read = |sequence| Ok(view((sequence, snapshot.decision(scope, sequence)?)));
        let items = own.into_iter().map(read).collect::<Result<_, Failure>>()?;
        Ok(Page { items, next: next.map(|next| next.to_string()) })
    }

    /// Where decisions of an epoch stand, from a sequence on, and where the one after them stands.
    fn decision_places(
        &self,
        snapshot: &Snapshot,
        scope: ScopeId,
        epoch: EpochNumber,
        (from, limit): (u64, usize),
    ) -> Result<(Vec<u64>, Option<u64>), Failure> {
        self.with_places(snapshot, scope, |places, size| {
            let all = places.by_epoch.get(&epoch).map_or(&[][..], Vec::as_slice);
            let rest = all.get(all.partition_point(|sequence| *sequence < from)..).unwrap_or(&[]);
            // Another request may have seen a later state than this one's.
            let rest = rest.get(..rest.partition_point(|sequence| *sequence < size)).unwrap_or(rest);
            let own = rest.get(..limit).unwrap_or(rest);
            (own.to_vec(), rest.get(own.len()).copied())
        })
    }

    /// Adds a pool component.
    ///
    /// # Errors
    /// `epoch_not_open`, `pool_conflict`, `pool_not_positive`, and refusals of the request's fields.
    pub fn add_pool(
        &self,
        key: &str,
        epoch: u64,
        request: &PoolRequest,
        actor: &FreeText,
    ) -> Result<PoolAddedView, Failure> {
        let evidence = FreeText::parse("evidence", &request.evidence)?;
        let amount = Credits::parse_single("amount", &request.amount)?;
        let inputs = match &request.inputs {
            None => "{}".to_owned(),
            Some(raw) => {
                let value = Value::parse_edge(raw.get().as_bytes());
                value.map_err(|rejection| rejection.within("inputs"))?.to_canonical()
            }
        };
        let component = PoolComponent::new(
            request.component.parse()?,
            amount,
            &request.algorithm,
            Hash::of(inputs.as_bytes()),
            Some(evidence.clone()),
        )?;
        let (_, place) = self.place(key, epoch)?;
        // The evidence is the reason that the decision gives.
        let by = self.by(actor)?;
        let added = self.ledger.add_pool_component(place.scope, place.epoch, component, evidence, by)?;
        Ok(PoolAddedView { added: added == Added::New, pool: self.pool(key, epoch)? })
    }

    /// The pool of an epoch.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`.
    pub fn pool(&self, key: &str, epoch: u64) -> Result<PoolView, Failure> {
        let (snapshot, place) = self.place(key, epoch)?;
        pool_view(&snapshot, &place)
    }
}

fn pool_view(snapshot: &Snapshot, place: &Place) -> Result<PoolView, Failure> {
    let pool: Pool = snapshot.pool(place.scope, place.epoch)?;
    let unit = Service::unit_of(snapshot, place)?;
    Ok(PoolView {
        components: pool.components().cloned().collect(),
        total: pool.total(),
        unit: unit.symbol().to_owned(),
        decimals: unit.decimals(),
    })
}

fn join_shares(shares: &BTreeMap<String, String>) -> String {
    shares.iter().map(|(claimant, share)| format!("{claimant}={share}")).collect::<Vec<_>>().join(" ")
}
