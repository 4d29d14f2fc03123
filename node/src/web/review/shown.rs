//! What the page shows, read at once.

use std::sync::Arc;

use meed_audit::decision::Override;
use meed_audit::ids::Claimant;

use super::View;
use super::change::is_missing;
use crate::api::documents::{
    ActivityItem, AllocationsView, DecisionView, EpochView, Page, PoolView, PreviewView, SignerView,
};
use crate::api::problems::Problem;
use crate::failure::Failure;
use crate::service::differences::Differences;
use crate::service::{Service, Wanted};
use crate::web::advice;
use crate::web::epoch::found;
use crate::web::tables::{EVENTS, ROWS};

/// Everything on the page.
pub(super) struct Shown {
    pub(super) epoch: EpochView,
    pub(super) allocations: AllocationsView,
    pub(super) activity: Page<ActivityItem>,
    pub(super) decisions: Page<DecisionView>,
    pub(super) pool: PoolView,
    /// Who signs the current draft, and whether they have.
    pub(super) signers: Vec<SignerView>,
    /// How many of them must sign.
    pub(super) threshold: u8,
    /// What its sources have and the ledger has not.
    pub(super) gaps: Vec<String>,
    pub(super) event: Picked<ActivityItem>,
    /// Whose units are to be set, and what a person set them to so far.
    pub(super) claimant: Picked<(Claimant, Option<Override>)>,
    /// The statement as it would be now, where that was asked for.
    pub(super) preview: Picked<PreviewView>,
    /// Who would get otherwise than by the draft, or by what is in force, where the preview was asked for.
    pub(super) differences: Option<Arc<Differences>>,
    /// The text of the draft that is offered.
    pub(super) draft: Option<String>,
}

/// What the view asks for beside the lists.
pub(super) enum Picked<T> {
    /// It asks for nothing.
    Nothing,
    /// It is there.
    Found(T),
    /// It is not, and why.
    Refused(Box<Problem>),
}

impl<T> Picked<T> {
    fn of(wanted: &str, read: impl FnOnce() -> Result<T, Failure>) -> Self {
        if wanted.is_empty() {
            return Self::Nothing;
        }
        match read() {
            Ok(found) => Self::Found(found),
            Err(failure) => Self::Refused(advice::for_page(failure.problem)),
        }
    }
}

pub(super) fn read(service: &Service, key: &str, number: u64, view: &View) -> Result<Shown, Failure> {
    let epoch = service.epoch(key, number)?;
    let is_offered = epoch.current_draft.is_some();
    let compared = epoch.current_draft.or(epoch.final_revision).filter(|_| !view.preview.is_empty());
    let differences = |revision| service.differences(key, number, (Some(revision), None));
    Ok(Shown {
        allocations: found(service, (key, number, None), (&view.search, &view.from), ROWS)?,
        activity: service.activity(key, number, None, &Wanted::at(&view.events, EVENTS))?,
        decisions: service.decisions(key, Some(number), &Wanted::at(&view.decisions, EVENTS))?,
        pool: service.pool(key, number)?,
        signers: if is_offered { service.signers(key, number)? } else { Vec::new() },
        threshold: service.signatures(key, number)?.threshold,
        gaps: service.gaps(key, number)?,
        event: Picked::of(&view.event, || service.event_of(key, number, view.event.trim())),
        claimant: Picked::of(&view.claimant, || {
            let claimant: Claimant = view.claimant.trim().parse()?;
            let set = service.override_of(key, number, &claimant)?;
            Ok((claimant, set))
        }),
        preview: Picked::of(&view.preview, || service.preview(key, number)),
        differences: compared.map(differences).transpose()?,
        draft: if is_offered { draft_text(service, key, number)? } else { None },
        epoch,
    })
}

fn draft_text(service: &Service, key: &str, number: u64) -> Result<Option<String>, Failure> {
    match service.statement(key, number, None) {
        Ok(view) => Ok(Some(view.text)),
        Err(failure) if is_missing(&failure) => Ok(None),
        Err(failure) => Err(failure),
    }
}
