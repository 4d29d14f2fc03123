//! A contributor: everything that they were paid, each with its proof.

use axum::response::{IntoResponse, Redirect, Response};
use maud::html;
use serde::Deserialize;

use super::frame::{self, key};
use super::{Answer, Sorry};
use crate::api::extract::{Asked, At, Call};
use crate::api::parameters::ClaimantPath;
use crate::cli::console::units;
use crate::client::segment;

/// Whom to look for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    claimant: String,
}

/// From the form to the page of a claimant.
pub(super) async fn find(Asked(wanted): Asked<Wanted>) -> Response {
    Redirect::to(&format!("/claimants/{}", segment(wanted.claimant.trim()))).into_response()
}

pub(super) async fn page(call: Call, At(ClaimantPath { claimant }): At<ClaimantPath>) -> Answer {
    let name = claimant.clone();
    let payouts = call.run(move |service, _| service.payouts_of(&name)).await.map_err(Sorry::from)?;
    let content = html! {
        p { (key(&claimant)) }
        @if payouts.is_empty() {
            p { "No final statement pays this claimant. An account that is somebody's earns under their user's key." }
        } @else {
            div class="wide" tabindex="0" role="region" aria-label="Payouts" {
                table class="cards" {
                    thead { tr { th scope="col" { "statement" } th scope="col" class="number" { "credits" }
                        th scope="col" class="number" { "units" } th scope="col" class="number" { "events" }
                        th scope="col" { "check it" } } }
                    tbody { @for item in &payouts {
                        @let (scope, proof) = paths(&item.statement, item.epoch, item.allocation.revision.get(), &claimant);
                        tr {
                            td { a href={ "/scopes/" (scope) "/epochs/" (item.epoch) } { (key(&item.statement)) } }
                            td class="number" data-label="credits" { (item.allocation.credits) }
                            td class="number" data-label="units" { (units(item.allocation.final_units.value())) }
                            td class="number" data-label="events" { (item.allocation.events) }
                            td {
                                a href=(proof) download={ (scope) "-" (item.epoch) ".payout.json" } { "download proof" } " · "
                                a href={ "/verify?proof=" (segment(&proof)) "&trust=" (segment(&format!("/api/v1/scopes/{scope}/trust"))) } { "verify here" }
                            }
                        }
                    } }
                }
            }
            p { "To check without trusting this node, keep the proof file, take the trust file from somebody you trust, and run "
                code { "meed verify PROOF --trust TRUST" } "." }
        }
    };
    Ok(frame::page("A contributor's payouts", &[("Overview", "/"), ("Contributor", "")], &content))
}

/// The scope of a statement's origin line, and where the claimant's proof under it is.
fn paths(origin: &str, epoch: u64, revision: u64, claimant: &str) -> (String, String) {
    let scope = origin.rsplit('/').nth(3).unwrap_or_default().to_owned();
    let proof =
        format!("/api/v1/scopes/{scope}/epochs/{epoch}/proofs/{}?revision={revision}", segment(claimant));
    (scope, proof)
}

#[cfg(test)]
mod tests {
    use super::paths;

    #[test]
    fn the_scope_is_read_from_the_origin_line() {
        let (scope, proof) = paths("ledger.example.org/base/default/epoch/12/1", 12, 1, "identity:git:ab");
        assert_eq!(scope, "default");
        assert_eq!(proof, "/api/v1/scopes/default/epochs/12/proofs/identity%3Agit%3Aab?revision=1");
    }
}
