//! A contributor: everything that final statements say they are paid, each with its proof, and what an amendment has
//! replaced.

use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use meed_audit::allocation::Allocation;
use serde::Deserialize;

use super::frame::{self, credits, key};
use super::tables::{proof, ways, wide};
use super::{Answer, Sorry};
use crate::api::extract::{Asked, At, Call};
use crate::api::parameters::ClaimantPath;
use crate::client::segment;
use crate::service::Wanted;
use crate::service::history::{PaidEpoch, PaidRevision};
use crate::service::payouts::proof_path;
use crate::words::units;

/// Epochs that one page looks at.
const EPOCHS: usize = 500;

/// Whom to look for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Search {
    claimant: String,
}

/// From the form to the page of a claimant.
pub(super) async fn find(Asked(search): Asked<Search>) -> Response {
    Redirect::to(&format!("/claimants/{}", segment(search.claimant.trim()))).into_response()
}

/// Which part of the payouts is shown.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct View {
    #[serde(default)]
    from: String,
}

pub(super) async fn page(
    call: Call,
    At(ClaimantPath { claimant }): At<ClaimantPath>,
    Asked(view): Asked<View>,
) -> Answer {
    let (name, wanted) = (claimant.clone(), Wanted::at(&view.from, EPOCHS));
    let found =
        call.run(move |service, _| service.payout_history(&name, &wanted)).await.map_err(Sorry::from)?;
    let own = format!("/claimants/{}", segment(&claimant));
    let next = found.next.as_deref().map(|next| format!("{own}?from={}", segment(next)));
    let beginning = (!view.from.is_empty()).then_some(own.as_str());
    let content = html! {
        p { (key(&claimant)) }
        @if found.items.is_empty() {
            @if next.is_some() || beginning.is_some() { p { "None of the epochs on this page pays this claimant." } }
            @else {
                p { "No final statement pays this claimant. An account that is somebody's earns under their user's key." }
            }
        } @else {
            (payouts(&found.items, &claimant))
            p { "To check without trusting this node, keep the proof file, take the trust file from somebody you trust, and run "
                code { "meed verify PROOF --trust TRUST" } "." }
        }
        (ways("More epochs", beginning, next.as_deref()))
    };
    Ok(frame::page("A contributor's payouts", &[("Overview", "/"), ("Contributor", "")], &content))
}

fn payouts(items: &[PaidEpoch], claimant: &str) -> Markup {
    wide(
        "Payouts",
        &html! {
            table class="cards" {
                thead { tr { th scope="col" { "statement" } th scope="col" class="number" { "amount" }
                    th scope="col" class="number" { "units" } th scope="col" class="number" { "events" }
                    th scope="col" { "check it" } } }
                tbody { @for paid in items {
                    @for (place, one) in paid.revisions.iter().enumerate() {
                        (row(paid, claimant, one, place.checked_sub(1).and_then(|newer| paid.revisions.get(newer)),
                            paid.revisions.get(place.saturating_add(1))))
                    }
                } }
            }
        },
    )
}

/// What one statement says. `newer` has replaced it, `older` was replaced by it.
fn row(
    paid: &PaidEpoch,
    claimant: &str,
    one: &PaidRevision,
    newer: Option<&PaidRevision>,
    older: Option<&PaidRevision>,
) -> Markup {
    let PaidEpoch { scope, epoch, unit, decimals, .. } = paid;
    let page = |revision: u64| format!("/scopes/{scope}/epochs/{epoch}?revision={revision}");
    let link = |revision: u64| html! { a href=(page(revision)) { "revision " (revision) } };
    let show = |payout: &Option<Allocation>| match payout {
        Some(payout) => credits(payout.credits.value(), *decimals, unit),
        None => "nothing".to_owned(),
    };
    let path = proof_path(scope, *epoch, one.revision, claimant);
    let trust = format!("/api/v1/scopes/{scope}/trust");
    let file = match one.payout {
        Some(_) => ("payout", "download proof"),
        None => ("absence", "download proof of absence"),
    };
    html! {
        tr class=[newer.map(|_| "superseded")] {
            td { a href=(page(one.revision)) { (key(&one.statement)) }
                @if let Some(newer) = newer { br; "superseded: replaced by " (link(newer.revision)) }
                @else if let Some(older) = older {
                    br; "amended: " (link(one.revision)) " replaces " (link(older.revision)) ", was "
                    (show(&older.payout)) ", now " (show(&one.payout))
                }
            }
            td class="number" data-label="amount" { @if newer.is_some() { del { (show(&one.payout)) } } @else { (show(&one.payout)) } }
            td class="number" data-label="units" { (units(one.payout.as_ref().map_or(0, |it| it.final_units.value()))) }
            td class="number" data-label="events" { (one.payout.as_ref().map_or(0, |it| it.events)) }
            td {
                (proof((scope, *epoch, one.revision), claimant, file)) " · "
                a href={ "/verify?proof=" (segment(&path)) "&trust=" (segment(&trust)) } { "verify here" }
            }
        }
    }
}
