//! Epochs: opening, closing, freezing, finalizing, amending, reading.

use meed_audit::RejectionCode;
use meed_audit::decision::{Action, StaleOverride};
use meed_audit::ids::EpochNumber;
use meed_audit::policy::Unit;
use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use meed_storage::{CloseTerms, Draft, Epoch, FinalizeTerms, OpenTerms, Phase, Snapshot, SourceReport};

use super::approvals::with_ways_to_finalize;
use super::parts::page;
use super::{Place, Service, Wanted};
use crate::api::documents::{
    AmendRequest, CloseRequest, ClosedView, DraftView, EpochView, FinalView, FinalizeRequest, FreezeRequest,
    OpenRequest, Page, StaleOverrideView,
};
use crate::failure::{Failure, reject};

/// Most overrides to be stated again that an epoch's document names.
const STALE_OVERRIDES_MAX: usize = 100;

impl Service {
    /// Opens the epoch whose window holds a time.
    ///
    /// # Errors
    /// `invalid_time`, `epoch_already_open`, `window_overlaps`, `windows_skipped`, `window_ahead`.
    pub fn open_epoch(
        &self,
        key: &str,
        request: &OpenRequest,
        actor: &FreeText,
    ) -> Result<EpochView, Failure> {
        let at = Timestamp::parse_edge("at", &request.at)?;
        let (_, scope) = Self::scope_id(&self.snapshot()?, key)?;
        let terms = OpenTerms { skipped: request.skip, ahead: request.ahead };
        let opened = self.ledger.open_epoch_on(scope, at, terms, self.by(actor)?);
        let epoch = opened.map_err(|error| self.cannot_open((key, scope), at, error))?;
        self.epoch(key, epoch.number.get())
    }

    /// The epochs of a scope, ascending.
    ///
    /// # Errors
    /// `scope_not_found`, `malformed`.
    pub fn epochs(&self, key: &str, wanted: &Wanted) -> Result<Page<EpochView>, Failure> {
        let number = |text: &str| EpochNumber::new(text.parse().ok()?).ok();
        let from = wanted.from(number)?.unwrap_or(EpochNumber::FIRST);
        let snapshot = self.snapshot()?;
        let (key, scope) = Self::scope_id(&snapshot, key)?;
        let part = snapshot.epochs_from(scope, from, wanted.limit())?;
        page(part, |next| next.to_string(), |epoch| self.epoch_view(&snapshot, key.as_str(), &epoch))
    }

    /// The newest epochs of a scope, the newest first, of those before a number where one is given; and whether there
    /// are older ones.
    ///
    /// # Errors
    /// `scope_not_found`.
    pub fn newest_epochs(
        &self,
        key: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Result<(Vec<EpochView>, bool), Failure> {
        let snapshot = self.snapshot()?;
        let (key, scope) = Self::scope_id(&snapshot, key)?;
        let Some(newest) = snapshot.newest_epoch(scope)? else { return Ok((Vec::new(), false)) };
        let after = newest.get().saturating_add(1);
        let before = before.unwrap_or(after).min(after);
        let first = before.saturating_sub(u64::try_from(limit).unwrap_or(u64::MAX)).max(1);
        let count = usize::try_from(before.saturating_sub(first)).unwrap_or(usize::MAX);
        let part = snapshot.epochs_from(scope, EpochNumber::new(first)?, count)?;
        let views = part.items.iter().rev().map(|epoch| self.epoch_view(&snapshot, key.as_str(), epoch));
        Ok((views.collect::<Result<_, _>>()?, first > 1))
    }

    /// One epoch.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`.
    pub fn epoch(&self, key: &str, epoch: u64) -> Result<EpochView, Failure> {
        let sight = self.sight(key, epoch)?;
        let view = self.epoch_view(&sight.snapshot, key, &sight.epoch)?;
        Ok(EpochView { unbound: self.unbound(key, epoch, None)?, ..view })
    }

    /// Closes an epoch.
    ///
    /// # Errors
    /// `window_not_ended`, `approvers_missing`, `base_issuance_missing`, `collection_gap`.
    pub fn close_epoch(
        &self,
        key: &str,
        epoch: u64,
        request: &CloseRequest,
        actor: &FreeText,
    ) -> Result<EpochView, Failure> {
        let (_, place) = self.place(key, epoch)?;
        let reason = |name: &str, text: &Option<String>| {
            text.as_deref().map(|text| FreeText::parse(name, text)).transpose()
        };
        let terms = CloseTerms {
            early: reason("reason", &request.early)?,
            accept_gap: reason("accept_gap", &request.accept_gap)?,
        };
        self.ledger.close_epoch_on(place.scope, place.epoch, terms, self.by(actor)?)?;
        self.epoch(key, epoch)
    }

    /// Freezes a draft.
    ///
    /// # Errors
    /// `epoch_not_in_review`, `earlier_epoch_unfinished`, `override_claimant_moved`.
    pub fn freeze(
        &self,
        key: &str,
        epoch: u64,
        request: &FreezeRequest,
        actor: &FreeText,
    ) -> Result<DraftView, Failure> {
        let (snapshot, place) = self.place(key, epoch)?;
        let offered = snapshot.epoch(place.scope, place.epoch)?.current_draft;
        let (days, by) = (request.sign_by_days.unwrap_or(self.settings.sign_by_days), self.by(actor)?);
        let draft = match request.again {
            true => self.ledger.freeze_again(place.scope, place.epoch, days, by)?,
            false => self.ledger.freeze(place.scope, place.epoch, days, by)?,
        };
        let revision = draft.statement.revision;
        let unbound = self.unbound(key, epoch, Some(revision.get()))?;
        Ok(DraftView { unchanged: offered == Some(revision), unbound, ..draft_view(&draft) })
    }

    /// Every draft of an epoch.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`.
    pub fn drafts(&self, key: &str, epoch: u64) -> Result<Vec<DraftView>, Failure> {
        let (snapshot, place) = self.place(key, epoch)?;
        Ok(snapshot.drafts(place.scope, place.epoch)?.iter().map(draft_view).collect())
    }

    /// Finalizes the current draft.
    ///
    /// # Errors
    /// `draft_not_found`, `quorum_missing`, `recomputation_differs`, `decisions_after_draft`.
    pub fn finalize(
        &self,
        key: &str,
        epoch: u64,
        request: FinalizeRequest,
        actor: &FreeText,
    ) -> Result<FinalView, Failure> {
        let (_, place) = self.place(key, epoch)?;
        let terms = FinalizeTerms { leave_out_later: request.leave_out_later };
        let last = self.ledger.finalize_on(place.scope, place.epoch, terms, self.by(actor)?);
        let last = last.map_err(|error| with_ways_to_finalize(error.into(), key, epoch))?;
        let statement = &last.statement;
        let origin = statement.origin_line();
        let note =
            meed_keys::Note::parse(&last.note).map_err(|error| Failure::internal(error.to_string()))?;
        let signers = note.signatures().iter().map(|line| line.name().to_string());
        Ok(FinalView {
            epoch: statement.epoch.get(),
            revision: statement.revision.get(),
            text_hash: last.text_hash.to_hex(),
            log_index: last.log_index,
            approved_by: signers.filter(|name| *name != origin).collect(),
            origin,
            distributed: statement.distributed,
            undistributed: statement.undistributed,
            allocations: statement.allocations_count,
            unit: statement.unit.symbol().to_owned(),
            decimals: statement.unit.decimals(),
        })
    }

    /// Begins an amendment of a final epoch.
    ///
    /// # Errors
    /// `statement_not_found`, `amendment_open`.
    pub fn amend(
        &self,
        key: &str,
        epoch: u64,
        request: &AmendRequest,
        actor: &FreeText,
    ) -> Result<EpochView, Failure> {
        let (_, place) = self.place(key, epoch)?;
        let reason = FreeText::parse("reason", &request.reason)?;
        self.check_same_amendment(&place, &reason)?;
        self.ledger.amend(place.scope, place.epoch, reason, self.by(actor)?)?;
        self.epoch(key, epoch)
    }

    /// Gives an amendment up, with what was decided in it.
    ///
    /// # Errors
    /// `nothing_to_change` for an epoch that is not being amended.
    pub fn abandon_amendment(
        &self,
        key: &str,
        epoch: u64,
        request: &AmendRequest,
        actor: &FreeText,
    ) -> Result<EpochView, Failure> {
        let (_, place) = self.place(key, epoch)?;
        let reason = FreeText::parse("reason", &request.reason)?;
        self.ledger.abandon_amendment(place.scope, place.epoch, reason, self.by(actor)?)?;
        self.epoch(key, epoch)
    }

    /// An amendment that is under way keeps the reason with which it was begun.
    fn check_same_amendment(&self, place: &Place, reason: &FreeText) -> Result<(), Failure> {
        let snapshot = self.snapshot()?;
        if !snapshot.epoch(place.scope, place.epoch)?.amending {
            return Ok(());
        }
        let decisions = snapshot.decisions(place.scope, 0, u64::MAX)?;
        let begun = decisions.into_iter().rev().map(|(_, decision)| decision);
        let mut begun =
            begun.filter(|decision| decision.action == Action::Amend && decision.epoch == Some(place.epoch));
        let Some(begun) = begun.next().filter(|begun| begun.reason != *reason) else { return Ok(()) };
        let subject = format!("epoch {}", place.epoch);
        let expected = "an epoch that is not being amended";
        let got = format!(
            "one whose amendment was begun at {} with the reason {:?}",
            begun.at,
            begun.reason.as_str()
        );
        let remedy =
            "go on with that amendment, whose reason stays; each decision in it takes a reason of its own";
        Err(reject(RejectionCode::NothingToChange, &subject, expected, got).with_remedy(remedy))
    }

    /// How many decisions that can touch an epoch came after the draft that is offered.
    fn later_decisions(&self, snapshot: &Snapshot, epoch: &Epoch) -> Result<u64, Failure> {
        let Some(revision) = epoch.current_draft else { return Ok(0) };
        let key = (epoch.scope, epoch.number, revision, snapshot.decisions_size(epoch.scope)?);
        let count = |_: &_, (): &()| Ok((snapshot.decisions_after_draft(epoch.scope, epoch.number)?, 1));
        Ok(*self.kept.later.get(|| Ok((key, ())), count)?.1)
    }

    fn epoch_view(&self, snapshot: &Snapshot, key: &str, epoch: &Epoch) -> Result<EpochView, Failure> {
        let accepted_gap = snapshot.accepted_gap(epoch.scope, epoch.number)?;
        let closed = epoch.closed.as_ref().map(|closed| ClosedView {
            at: closed.at,
            by: closed.by.clone(),
            early: closed.early.clone(),
            accepted_gap: accepted_gap.clone(),
            events_log: closed.events_log.clone(),
            events_size: closed.events.size,
            events_root: closed.events.root.to_base64(),
            approvers_version: closed.approvers.get(),
        });
        Ok(EpochView {
            scope: key.to_owned(),
            epoch: epoch.number.get(),
            period_start: epoch.period.start,
            period_end: epoch.period.end,
            phase: epoch.phase.name().to_owned(),
            unit: epoch.policy.unit.symbol().to_owned(),
            decimals: epoch.policy.unit.decimals(),
            policy_hash: epoch.policy.hash().to_hex(),
            pool_total: snapshot.pool(epoch.scope, epoch.number)?.total(),
            events: self.events_count(snapshot, key, epoch)?,
            opened_at: epoch.opened_at,
            opened_by: epoch.opened_by.clone(),
            closed,
            current_draft: epoch.current_draft.map(|revision| revision.get()),
            later_decisions: self.later_decisions(snapshot, epoch)?,
            stale_overrides: stale_overrides(snapshot, epoch)?,
            final_revision: epoch.final_revision.map(|revision| revision.get()),
            amending: epoch.amending,
            unbound: None,
        })
    }

    /// What the sources of an epoch said that they have of its window and the ledger has not, in words.
    ///
    /// # Errors
    /// `scope_not_found`, `epoch_not_found`.
    pub fn gaps(&self, key: &str, epoch: u64) -> Result<Vec<String>, Failure> {
        let sight = self.sight(key, epoch)?;
        let reports = sight.snapshot.source_reports(sight.place.scope, sight.epoch.period.start)?;
        Ok(reports.iter().filter_map(SourceReport::gap).collect())
    }

    /// The unit in which an epoch pays.
    pub(super) fn unit_of(snapshot: &Snapshot, place: &Place) -> Result<Unit, Failure> {
        Ok(snapshot.epoch(place.scope, place.epoch)?.policy.unit)
    }
}

/// What a freeze would refuse; of what is final nothing is to be stated again.
fn stale_overrides(snapshot: &Snapshot, epoch: &Epoch) -> Result<Vec<StaleOverrideView>, Failure> {
    if epoch.phase == Phase::Finalized && !epoch.amending {
        return Ok(Vec::new());
    }
    let stale = snapshot.stale_overrides(epoch.scope, epoch.number)?.into_iter().take(STALE_OVERRIDES_MAX);
    let view = |(stale, changed): (StaleOverride, String)| StaleOverrideView {
        claimant: stale.claimant.to_string(),
        now: stale.now.to_string(),
        changed,
    };
    Ok(stale.map(view).collect())
}

fn draft_view(draft: &Draft) -> DraftView {
    let statement = &draft.statement;
    DraftView {
        scope: statement.scope_key.to_string(),
        epoch: statement.epoch.get(),
        revision: statement.revision.get(),
        text_hash: statement.text_hash().to_hex(),
        sign_by: statement.sign_by,
        threshold: statement.approvers.threshold,
        members: statement.approvers.members,
        note: draft.note.clone(),
        unchanged: false,
        unbound: None,
    }
}
