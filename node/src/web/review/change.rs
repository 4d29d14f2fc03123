//! From the fields of each form to what the interface is asked in the same case.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use meed_audit::RejectionCode;
use meed_audit::decision::Override;
use meed_audit::ids::Claimant;
use meed_audit::text::FreeText;

use super::act::outdated;
use super::sent::Sent;
use crate::api::documents::{
    ActivityItem, AllocationRequest, AmendRequest, CloseRequest, CollectRequest, CurationRequest,
    FinalizeRequest, FreezeRequest, ImportView, PoolRequest,
};
use crate::api::parameters::EpochPath;
use crate::failure::{Failure, reject};
use crate::service::Service;
use crate::shares::read_shares;
use crate::sources::github::RepositoryNumbers;
use crate::workflow::Answer;

/// Where a form leads when it is done.
pub(super) enum Next {
    /// Back to the page.
    Page,
    /// Back to the page, which says of this claimant that no event gives it what was set.
    Unearned(String),
    /// To the page at once: what it says of an import is in no ledger, and too long for an address.
    Imported(Box<ImportView>),
    /// To the run of this id.
    Run(String),
}

fn after(answer: Answer) -> Next {
    match answer {
        Answer::Begun(run) => Next::Run(run.id),
        Answer::Ended(_) => Next::Page,
    }
}

/// Takes in the file, or the lines that were pasted.
pub(super) fn import(service: &Service, at: &EpochPath, sent: &Sent, _: &FreeText) -> Result<Next, Failure> {
    let pasted = sent.text("lines").as_bytes();
    let lines = match (pasted.trim_ascii().is_empty(), sent.file().trim_ascii().is_empty()) {
        (true, false) => sent.file(),
        (false, true) => pasted,
        // Faults are told by their lines, which two texts at once would count twice.
        (false, false) => {
            return Err(reject(RejectionCode::TooMany, "lines", "a file or lines of events", "both"));
        }
        (true, true) => {
            return Err(reject(RejectionCode::MissingField, "lines", "a file or lines of events", "none"));
        }
    };
    let import = service.import(
        &at.key,
        lines,
        1,
        (sent.is_ticked("keep-good"), false),
        &RepositoryNumbers::default(),
    )?;
    Ok(Next::Imported(Box::new(import)))
}

/// Collects from the sources of the settings.
pub(super) fn collect(
    service: &Service,
    at: &EpochPath,
    _: &Sent,
    actor: &FreeText,
) -> Result<Next, Failure> {
    let request = CollectRequest::default();
    service.runner().collect(&at.key, &request, actor).map(after)
}

/// What the page shows of an event that is decided, so that a form tells when another decision came before it.
pub(super) fn state_of(item: &ActivityItem) -> String {
    let activity = &item.activity;
    let state = if activity.included { "counts" } else { "left out" };
    let reason = activity.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{state}, weight {}{reason}", activity.weight)
}

pub(super) fn curate(
    service: &Service,
    at: &EpochPath,
    sent: &Sent,
    actor: &FreeText,
) -> Result<Next, Failure> {
    let event = sent.text("event").trim().to_owned();
    let now = state_of(&service.event_of(&at.key, at.epoch, &event)?);
    let was = sent.text("was");
    if !was.is_empty() && was != now {
        return Err(outdated(format!(
            "event {event}: expected a decision on what it is now ({now}), got one on what it was ({was})"
        )));
    }
    let mut request = CurationRequest {
        event,
        included: None,
        weight: None,
        shares: None,
        reset: false,
        reason: sent.text("reason").trim().to_owned(),
    };
    match sent.text("change") {
        "exclude" => request.included = Some(false),
        "include" => request.included = Some(true),
        "reset" => request.reset = true,
        "weight" => request.weight = Some(sent.text("weight").trim().to_owned()),
        "shares" => request.shares = Some(shares_of(sent.text("shares"))?),
        other => return Err(reject(RejectionCode::MissingField, "change", "one of the choices", other)),
    }
    service.curate(&at.key, at.epoch, &request, actor).map(|_| Next::Page)
}

/// Shares, one claimant a line.
fn shares_of(text: &str) -> Result<BTreeMap<String, String>, Failure> {
    let lines: Vec<String> =
        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
    read_shares(&lines)
}

/// What the page shows of a claimant whose units are decided, so that a form tells when another decision came before it.
pub(super) fn override_text(claimant: &Claimant, set: Option<&Override>) -> String {
    match set {
        Some(set) => format!("{claimant} {} units, {}", set.units, set.reason),
        None => format!("{claimant} not set"),
    }
}

pub(super) fn allocate(
    service: &Service,
    at: &EpochPath,
    sent: &Sent,
    actor: &FreeText,
) -> Result<Next, Failure> {
    check_override(service, at, sent)?;
    let withdraw = sent.text("change") == "withdraw";
    if !withdraw && sent.filled("units").is_none() {
        let expected = "the final units, in thousandths of a unit";
        return Err(reject(RejectionCode::MissingField, "units", expected, "none"));
    }
    let request = AllocationRequest {
        claimant: sent.text("claimant").trim().to_owned(),
        units: sent.filled("units").filter(|_| !withdraw),
        withdraw,
        reason: sent.text("reason").trim().to_owned(),
    };
    let allocated = service.allocate(&at.key, at.epoch, &request, actor)?;
    Ok(if allocated.without_activity { Next::Unearned(request.claimant) } else { Next::Page })
}

/// Nobody decided on the same claimant since the page was made. The page says nothing of one who was typed.
fn check_override(service: &Service, at: &EpochPath, sent: &Sent) -> Result<(), Failure> {
    let claimant: Claimant = sent.text("claimant").trim().parse()?;
    let was = sent.text("was");
    if !was.starts_with(&format!("{claimant} ")) {
        return Ok(());
    }
    let now = override_text(&claimant, service.override_of(&at.key, at.epoch, &claimant)?.as_ref());
    if was == now {
        return Ok(());
    }
    Err(outdated(format!("expected a decision on what is set now ({now}), got one on what was set ({was})")))
}

pub(super) fn pool(
    service: &Service,
    at: &EpochPath,
    sent: &Sent,
    actor: &FreeText,
) -> Result<Next, Failure> {
    let text = |name: &str| sent.text(name).trim().to_owned();
    let request = PoolRequest {
        component: text("component"),
        amount: text("amount"),
        evidence: text("evidence"),
        algorithm: text("algorithm"),
        inputs: None,
    };
    service.add_pool(&at.key, at.epoch, &request, actor).map(|_| Next::Page)
}

pub(super) fn close(
    service: &Service,
    at: &EpochPath,
    sent: &Sent,
    actor: &FreeText,
) -> Result<Next, Failure> {
    let request = CloseRequest { early: sent.filled("early"), accept_gap: sent.filled("gap") };
    service.close_epoch(&at.key, at.epoch, &request, actor).map(|_| Next::Page)
}

pub(super) fn freeze(
    service: &Service,
    at: &EpochPath,
    sent: &Sent,
    actor: &FreeText,
) -> Result<Next, Failure> {
    let days = sent.filled("days").map(|text| {
        let refuse = |_| reject(RejectionCode::InvalidNumber, "days", "a number of days", &text);
        text.parse::<u32>().map_err(refuse)
    });
    let request = FreezeRequest { sign_by_days: days.transpose()?, again: sent.is_ticked("again") };
    service.freeze(&at.key, at.epoch, &request, actor).map(|_| Next::Page)
}

/// Adds what was pasted and what is in the file.
pub(super) fn sign(service: &Service, at: &EpochPath, sent: &Sent, _: &FreeText) -> Result<Next, Failure> {
    let file = std::str::from_utf8(sent.file())
        .map_err(|error| reject(RejectionCode::NotUtf8, "file", "signatures, as text", error))?;
    let texts: Vec<&str> =
        [sent.text("signatures"), file].into_iter().filter(|text| !text.trim().is_empty()).collect();
    if texts.is_empty() {
        return Err(reject(RejectionCode::MissingField, "signatures", "lines, or a file of them", "none"));
    }
    for text in texts {
        // A browser may leave the last line end of a text out, and a note has one.
        service.add_signatures(&at.key, at.epoch, &format!("{}\n", text.trim_end_matches('\n')))?;
    }
    Ok(Next::Page)
}

pub(super) fn finalize(
    service: &Service,
    at: &EpochPath,
    sent: &Sent,
    actor: &FreeText,
) -> Result<Next, Failure> {
    let request = FinalizeRequest { leave_out_later: !sent.text("leave_out_later").is_empty() };
    service.runner().finalize(&at.key, at.epoch, request, actor).map(after)
}

pub(super) fn amend(
    service: &Service,
    at: &EpochPath,
    sent: &Sent,
    actor: &FreeText,
) -> Result<Next, Failure> {
    let request = AmendRequest { reason: sent.text("reason").trim().to_owned() };
    service.amend(&at.key, at.epoch, &request, actor).map(|_| Next::Page)
}

pub(super) fn abandon(
    service: &Service,
    at: &EpochPath,
    sent: &Sent,
    actor: &FreeText,
) -> Result<Next, Failure> {
    let request = AmendRequest { reason: sent.text("reason").trim().to_owned() };
    service.abandon_amendment(&at.key, at.epoch, &request, actor).map(|_| Next::Page)
}

/// Whether a refusal says that nothing is there to be shown.
pub(super) fn is_missing(failure: &Failure) -> bool {
    failure.problem.status == StatusCode::NOT_FOUND.as_u16()
}
