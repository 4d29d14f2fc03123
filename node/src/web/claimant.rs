//! A contributor: everything that they were paid, each with its proof.

use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::frame::{self, credits, key};
use super::tables::{ways, wide};
use super::{Answer, Sorry};
use crate::api::documents::PayoutItem;
use crate::api::extract::{Asked, At, Call};
use crate::api::parameters::ClaimantPath;
use crate::cli::console::units;
use crate::client::segment;
use crate::service::Wanted;

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
    let found = call.run(move |service, _| service.payouts_of(&name, &wanted)).await.map_err(Sorry::from)?;
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

fn payouts(items: &[PayoutItem], claimant: &str) -> Markup {
    wide(
        "Payouts",
        &html! {
            table class="cards" {
                thead { tr { th scope="col" { "statement" } th scope="col" class="number" { "amount" }
                    th scope="col" class="number" { "units" } th scope="col" class="number" { "events" }
                    th scope="col" { "check it" } } }
                tbody { @for item in items {
                    @let scope = &item.scope;
                    @let proof = proof_path(item, claimant);
                    tr {
                        td { a href={ "/scopes/" (scope) "/epochs/" (item.epoch) } { (key(&item.statement)) } }
                        td class="number" data-label="amount" { (credits(item.allocation.credits.value(), item.decimals, &item.unit)) }
                        td class="number" data-label="units" { (units(item.allocation.final_units.value())) }
                        td class="number" data-label="events" { (item.allocation.events) }
                        td {
                            a href=(proof) download={ (scope) "-" (item.epoch) ".payout.json" } { "download proof" } " · "
                            a href={ "/verify?proof=" (segment(&proof)) "&trust=" (segment(&format!("/api/v1/scopes/{scope}/trust"))) } { "verify here" }
                        }
                    }
                } }
            }
        },
    )
}

/// Where the proof of a payout is.
fn proof_path(item: &PayoutItem, claimant: &str) -> String {
    let PayoutItem { scope, epoch, allocation, .. } = item;
    let (claimant, revision) = (segment(claimant), allocation.revision);
    format!("/api/v1/scopes/{scope}/epochs/{epoch}/proofs/{claimant}?revision={revision}")
}
