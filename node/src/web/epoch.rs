//! An epoch: who gets what and why, who approved it, and every decision behind it.

use maud::{Markup, html};
use meed_audit::allocation::Allocation;
use meed_audit::decision::Decision;
use serde::Deserialize;

use super::chart::{percent, shares};
use super::frame::{self, credits, day, key, phase, time};
use super::{Answer, Sorry};
use crate::api::documents::{
    ActivityItem, AllocationsView, DecisionView, EpochView, Page, PoolView, SignaturesView,
};
use crate::api::extract::{Asked, At, Call};
use crate::api::parameters::EpochPath;
use crate::cli::console::units;
use crate::client::segment;
use crate::failure::Failure;
use crate::service::Service;

/// Rows of a table on one page.
const ROWS: u64 = 100;
/// Events shown on the page; the interface has all.
const EVENTS: u64 = 50;

/// How the table of allocations is shown.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct View {
    /// Only claimants whose key holds this text.
    #[serde(default)]
    search: String,
    /// `claimant` or `credits`.
    #[serde(default)]
    sort: String,
    /// The first row.
    #[serde(default)]
    from: u64,
}

/// All that the page shows.
struct Shown {
    epoch: EpochView,
    allocations: AllocationsView,
    pool: PoolView,
    signatures: SignaturesView,
    statement: Option<String>,
    activity: Page<ActivityItem>,
    decisions: Vec<DecisionView>,
}

pub(super) async fn page(
    call: Call,
    At(EpochPath { key, epoch }): At<EpochPath>,
    Asked(view): Asked<View>,
) -> Answer {
    let shown = call.run(move |service, _| read(service, &key, epoch)).await.map_err(Sorry::from)?;
    let state = &shown.epoch;
    let title = format!("Epoch {} of {}", state.epoch, state.scope);
    let scope_link = format!("/scopes/{}", state.scope);
    let number = state.epoch.to_string();
    let content = html! {
        (summary(&shown))
        (allocations(&shown, &view))
        (pool(&shown.pool))
        (approval(&shown))
        (activity(&shown))
        (decisions(&shown.decisions))
    };
    Ok(frame::page(
        &title,
        &[("Overview", "/"), (state.scope.as_str(), scope_link.as_str()), (number.as_str(), "")],
        &content,
    ))
}

fn read(service: &Service, key: &str, number: u64) -> Result<Shown, Failure> {
    let epoch = service.epoch(key, number)?;
    let all = (0, u64::MAX);
    let text = number.to_string();
    let of_epoch = |decision: &DecisionView| {
        decision.decision.epoch.is_some_and(|epoch| epoch.get().to_string() == text)
    };
    let has_statement = epoch.current_draft.is_some() || epoch.final_revision.is_some();
    Ok(Shown {
        allocations: service.allocations(key, number, None, all)?,
        pool: service.pool(key, number)?,
        signatures: service.signatures(key, number)?,
        statement: match has_statement {
            true => Some(service.statement(key, number, None)?.note),
            false => None,
        },
        activity: service.activity(key, number, 0, EVENTS)?,
        decisions: service.decisions(key, 0, u64::MAX)?.items.into_iter().filter(of_epoch).collect(),
        epoch,
    })
}

fn summary(shown: &Shown) -> Markup {
    let epoch = &shown.epoch;
    let show = |amount: u128| credits(amount, epoch.decimals, &epoch.unit);
    html! {
        dl {
            dt { "state" } dd { (phase(&epoch.phase, epoch.amending)) }
            dt { "period" } dd { (day(epoch.period_start)) " to before " (day(epoch.period_end)) }
            dt { "pool" } dd { (show(epoch.pool_total.value())) }
            dt { "left over" } dd { (show(shown.allocations.undistributed.value())) }
            dt { "events" } dd { (epoch.events) }
            @if let Some(closed) = &epoch.closed {
                dt { "closed" } dd { (time(closed.at)) " by " (closed.by)
                    @if let Some(reason) = &closed.early { ", before its period had ended: " (reason) } }
            }
        }
        @if epoch.phase != "finalized" {
            p { "What follows is a proposal: it can change until enough approvers have signed it." }
        }
    }
}

fn allocations(shown: &Shown, view: &View) -> Markup {
    let (epoch, all) = (&shown.epoch, &shown.allocations.items);
    let total = all.iter().fold(0_u128, |sum, item| sum.saturating_add(item.credits.value()));
    let parts: Vec<(String, u128)> =
        all.iter().map(|item| (item.claimant.to_string(), item.credits.value())).collect();
    let mut found: Vec<&Allocation> =
        all.iter().filter(|item| item.claimant.to_string().contains(view.search.trim())).collect();
    if view.sort == "credits" {
        found.sort_by(|one, other| {
            other.credits.cmp(&one.credits).then_with(|| one.claimant.cmp(&other.claimant))
        });
    }
    let count = found.len();
    let skip = usize::try_from(view.from).unwrap_or(usize::MAX);
    let rows = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let base = format!("/scopes/{}/epochs/{}", epoch.scope, epoch.epoch);
    let link = |from: u64| {
        format!(
            "{base}?search={}&sort={}&from={from}#allocations",
            segment(view.search.trim()),
            segment(&view.sort)
        )
    };
    html! {
        section id="allocations" {
            h2 { "Who gets what" }
            @if !parts.is_empty() { (shares("Share of each claimant, the largest first", &parts)) }
            form class="line" method="get" action={ (base) "#allocations" } role="search" {
                div { label for="search" { "Search a claimant" }
                    input id="search" name="search" type="search" value=(view.search); }
                div { label for="sort" { "Sort by" }
                    select id="sort" name="sort" {
                        option value="claimant" selected[view.sort != "credits"] { "claimant" }
                        option value="credits" selected[view.sort == "credits"] { "credits" }
                    } }
                button type="submit" { "Show" }
            }
            div class="wide" tabindex="0" role="region" aria-label="Allocations" {
                table {
                    caption { (count) " of " (all.len()) " claimants" }
                    thead { tr {
                        th scope="col" { "claimant" } th scope="col" class="number" { (epoch.unit) }
                        th scope="col" class="number" { "share" } th scope="col" class="number" { "units" }
                        th scope="col" class="number" { "proposed" } th scope="col" class="number" { "events" }
                        th scope="col" { "proof" }
                    } }
                    tbody {
                        @for item in found.iter().skip(skip).take(rows) { (row(epoch, item, total)) }
                    }
                }
            }
            p {
                @if view.from > 0 { a href=(link(view.from.saturating_sub(ROWS))) { "Before these" } " " }
                @if skip.saturating_add(rows) < count { a href=(link(view.from.saturating_add(ROWS))) { "After these" } }
            }
            p { "For programs: "
                a href={ "/api/v1" (base) "/allocations" } { "JSON" }
                @if epoch.final_revision.is_some() { ", " a href={ "/api/v1" (base) "/export?format=csv" } { "CSV" } } }
        }
    }
}

fn row(epoch: &EpochView, item: &Allocation, total: u128) -> Markup {
    let name = item.claimant.to_string();
    let proof = format!("/api/v1/scopes/{}/epochs/{}/proofs/{}", epoch.scope, epoch.epoch, segment(&name));
    html! {
        tr {
            td { a href={ "/claimants/" (segment(&name)) } { (key(&name)) }
                @if let Some(reason) = &item.override_reason { br; small { "set by a person: " (reason) } } }
            td class="number" { (crate::cli::console::amount(item.credits.value(), epoch.decimals)) }
            td class="number" { (percent(item.credits.value(), total)) }
            td class="number" { (units(item.final_units.value())) }
            td class="number" { (units(item.proposed_units.value())) }
            td class="number" { (item.events) }
            td { @if epoch.final_revision.is_some() {
                a href=(proof) download={ (epoch.scope) "-" (epoch.epoch) ".payout.json" } { "proof" }
            } @else { "not yet" } }
        }
    }
}

fn pool(pool: &PoolView) -> Markup {
    html! {
        section {
            h2 { "The pool" }
            div class="wide" tabindex="0" role="region" aria-label="Components of the pool" {
                table {
                    thead { tr { th scope="col" { "component" } th scope="col" class="number" { "amount" }
                        th scope="col" { "evidence" } th scope="col" { "computed by" } } }
                    tbody {
                        @for component in &pool.components {
                            tr {
                                td { (component.component) }
                                td class="number" { (credits(component.amount.value(), pool.decimals, &pool.unit)) }
                                td { @if let Some(evidence) = &component.evidence_ref { (evidence) } }
                                td { (component.algorithm_version) }
                            }
                        }
                    }
                }
            }
            @if pool.components.is_empty() { p { "Nothing was put into it yet." } }
        }
    }
}

fn approval(shown: &Shown) -> Markup {
    let signatures = &shown.signatures;
    html! {
        section {
            h2 { "Who signed" }
            @match signatures.revision {
                None => p { "No draft is offered for signing yet." }
                Some(revision) => {
                    p { (signatures.approvals) " of the " (signatures.threshold) " signatures that are needed, for revision " (revision) "." }
                    ul { @for signature in &signatures.signatures {
                        li { (key(&signature.name)) @if !signature.counts { " (of an earlier draft: does not count)" } }
                    } }
                }
            }
            @if let Some(note) = &shown.statement {
                details open[shown.epoch.phase == "finalized"] {
                    summary { "The statement, exactly as it is signed" }
                    pre tabindex="0" { (note) }
                }
                p { "An approver recomputes all of it from "
                    a href={ "/api/v1/scopes/" (shown.epoch.scope) "/epochs/" (shown.epoch.epoch) "/dossier" }
                        download={ (shown.epoch.scope) "-" (shown.epoch.epoch) ".dossier" } { "the dossier" }
                    " before signing: " code { "meed sign DOSSIER --key KEYFILE" } }
            }
        }
    }
}

fn activity(shown: &Shown) -> Markup {
    let epoch = &shown.epoch;
    html! {
        section {
            h2 { "The work behind it" }
            div class="wide" tabindex="0" role="region" aria-label="Events" {
                table {
                    thead { tr { th scope="col" { "when" } th scope="col" { "what" } th scope="col" { "who" }
                        th scope="col" class="number" { "units" } th scope="col" { "state" } } }
                    tbody { @for item in &shown.activity.items { (event(item)) } }
                }
            }
            @if shown.activity.next.is_some() {
                p { "These are the first of " (epoch.events) "; "
                    a href={ "/api/v1/scopes/" (epoch.scope) "/epochs/" (epoch.epoch) "/activity" } { "all of them" } "." }
            }
        }
    }
}

fn event(item: &ActivityItem) -> Markup {
    let activity = &item.activity;
    html! {
        tr {
            td { (time(item.event_time)) }
            td { (item.kind) @if let Some(title) = &item.title { ": " (title) } br; (key(activity.event.as_str())) }
            td { @for author in &item.authors {
                (key(&author.identity)) @if let Some(name) = &author.name { " (" (name) ")" } br;
            } }
            td class="number" { (units(activity.units.value())) }
            td {
                @if activity.included { "counts" } @else { "left out" }
                @if activity.late { ", late" }
                @if let Some(reason) = &activity.reason { ": " (reason) }
            }
        }
    }
}

fn decisions(decisions: &[DecisionView]) -> Markup {
    html! {
        section {
            h2 { "What people changed" }
            @if decisions.is_empty() { p { "Nothing: every amount follows from the recorded work." } }
            @else {
                div class="wide" tabindex="0" role="region" aria-label="Decisions" {
                    table {
                        thead { tr { th scope="col" { "when" } th scope="col" { "who" } th scope="col" { "what" }
                            th scope="col" { "before" } th scope="col" { "after" } th scope="col" { "why" } } }
                        tbody { @for view in decisions {
                            @let decision = &view.decision;
                            tr {
                                td { (time(decision.at)) } td { (decision.actor) }
                                td { (action(decision)) " " (key(&decision.subject)) }
                                td { (decision.before.as_deref().unwrap_or("")) }
                                td { (decision.after.as_deref().unwrap_or("")) }
                                td { (decision.reason) }
                            }
                        } }
                    }
                }
            }
        }
    }
}

/// The stable name of what a decision does, with spaces.
fn action(decision: &Decision) -> String {
    let name = serde_json::to_value(decision.action).ok();
    name.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().replace('_', " ")
}
