//! A contributor: everything that final statements say they are paid, each with its proof, and what an amendment has
//! replaced.

use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use meed_audit::allocation::Allocation;
use meed_audit::ids::Claimant;
use serde::Deserialize;

use super::frame::{self, credits, key};
use super::tables::{proof, ways, wide};
use super::{Answer, Sorry};
use crate::api::documents::Page;
use crate::api::extract::{Asked, At, Call};
use crate::api::parameters::ClaimantPath;
use crate::client::segment;
use crate::failure::Failure;
use crate::service::history::{NewestFinal, PaidEpoch, PaidRevision};
use crate::service::other_keys::KinKey;
use crate::service::payouts::proof_path;
use crate::service::{Service, Wanted};
use crate::words::{counted, units};

/// Epochs that one page looks at.
const EPOCHS: usize = 500;
/// Accounts of a user whose own payouts one page shows.
const ACCOUNTS: usize = 20;
/// Other keys that one page names.
const KEYS: usize = 100;
/// Scopes of which one page offers proofs of absence.
const SCOPES: usize = 20;

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
    let shown = call.run(move |service, _| read(service, &name, &wanted)).await.map_err(Sorry::from)?;
    let Shown { found, kin, own_payouts, absences } = &shown;
    let own = format!("/claimants/{}", segment(&claimant));
    let next = found.next.as_deref().map(|next| format!("{own}?from={}", segment(next)));
    let beginning = (!view.from.is_empty()).then_some(own.as_str());
    let content = html! {
        p { (key(&claimant)) }
        (other_keys(kin))
        @if found.items.is_empty() {
            @if next.is_some() || beginning.is_some() { p { "None of the epochs on this page pays this claimant." } }
            @else {
                p { "No final statement pays this key. An account that is somebody's earns under their user's key." }
                (absence(absences, &claimant))
            }
        } @else {
            (payouts(&found.items, &claimant))
            p { "To check without trusting this node, keep the proof file, take the trust file from somebody you trust, and run "
                code { "meed verify PROOF --trust TRUST" } "." }
        }
        @for (account, paid) in own_payouts {
            section {
                h2 { "Paid to an account under its own key" }
                p { (key(account)) }
                (payouts(paid, account))
            }
        }
        (ways("More epochs", beginning, next.as_deref()))
    };
    Ok(frame::page("A contributor's payouts", &[("Overview", "/"), ("Contributor", "")], &content))
}

/// All that the page shows.
struct Shown {
    found: Page<PaidEpoch>,
    kin: Vec<KinKey>,
    /// What accounts of a user were paid by themselves, where they were.
    own_payouts: Vec<(String, Vec<PaidEpoch>)>,
    /// Statements that do not name the claimant, where none does.
    absences: Vec<NewestFinal>,
}

fn read(service: &Service, claimant: &str, wanted: &Wanted) -> Result<Shown, Failure> {
    let found = service.payout_history(claimant, wanted)?;
    let kin = service.kin_of(claimant)?;
    let mut own_payouts = Vec::new();
    for account in kin.iter().filter(|key| matches!(key.claimant, Claimant::Identity(_))).take(ACCOUNTS) {
        let account = account.claimant.to_string();
        let paid = service.payout_history(&account, wanted)?.items;
        if !paid.is_empty() {
            own_payouts.push((account, paid));
        }
    }
    let absences = if found.items.is_empty() { service.newest_finals(SCOPES)? } else { Vec::new() };
    Ok(Shown { found, kin, own_payouts, absences })
}

/// Whose the account is or was, or which accounts are or were theirs.
fn other_keys(kin: &[KinKey]) -> Markup {
    let more = kin.len().saturating_sub(KEYS);
    html! {
        @if !kin.is_empty() {
            ul id="other-keys" { @for KinKey { claimant, is_now } in kin.iter().take(KEYS) {
                @let name = claimant.to_string();
                li {
                    @match (claimant, is_now) {
                        (Claimant::User(_), true) => { "It is an account of " },
                        (Claimant::User(_), false) => { "It was an account of " },
                        (Claimant::Identity(_), true) => { "Theirs is the account " },
                        (Claimant::Identity(_), false) => { "Theirs was the account " },
                    }
                    a href={ "/claimants/" (segment(&name)) } { (key(&name)) }
                    @if matches!(claimant, Claimant::User(_)) { ", under whose key it earns while it is theirs." }
                    @else { ", which earns under this key while it is theirs." }
                }
            }
            @if more > 0 { li { (counted(more, "other key")) "." } } }
        }
    }
}

/// Where the newest statement of each scope proves that it does not name the claimant.
fn absence(finals: &[NewestFinal], claimant: &str) -> Markup {
    html! {
        @if !finals.is_empty() {
            p { "That the newest statements do not name this key can be proven as well:" }
            ul id="absences" { @for NewestFinal { scope, epoch, revision } in finals {
                li { a href={ "/scopes/" (scope) "/epochs/" (epoch) } { (scope) ", epoch " (epoch) } ": "
                    (proof((scope, *epoch, *revision), claimant, ("absence", "download proof of absence"))) }
            } }
            p { "For another epoch: " code { "meed proof --scope SCOPE --epoch N --claimant " (claimant) } }
        }
    }
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
