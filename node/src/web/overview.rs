//! The front page: the node, its logs, its scopes; and a scope with its epochs.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::chart::{Bar, bars};
use super::frame::{self, credits, day, key, phase};
use super::opening::{self, Opening};
use super::tables::{EVENTS, ways, wide};
use super::visitor::{self, unkept};
use super::{Answer, Sorry};
use crate::api::App;
use crate::api::authority::Access;
use crate::api::documents::{ApproversView, EpochView, NodeView, ScopeView};
use crate::api::extract::{Asked, At, Call};
use crate::api::parameters::ScopePath;
use crate::failure::Failure;
use crate::service::Service;

/// Most epochs in the picture.
const BARS_MAX: usize = 26;

pub(super) async fn page(call: Call) -> Answer {
    let (node, scopes) =
        call.run(|service, _| Ok((service.node()?, all(service)?))).await.map_err(Sorry::from)?;
    let content = html! {
        p class="lead" {
            "The payout ledger of " strong { (node.origin) } ". What is paid here is computed from recorded work by a "
            "rule that was fixed beforehand, approved by several people with their own keys, and provable to everyone "
            "who is paid."
        }
        @if node.restored {
            p class="refused" { "This ledger was restored from a backup and signs nothing until its operator resumes it." }
        }
        @if scopes.is_empty() {
            p { "There is no scope yet. " a href="/guide#operator" { "How an operator begins." } }
        }
        @for (scope, epochs) in &scopes {
            section {
                h2 { a href={ "/scopes/" (scope.key) } { (scope.key) } }
                (picture(epochs))
                @if !epochs.is_empty() { (table(scope, epochs.iter().take(5))) }
            }
        }
        (about(&node))
    };
    Ok(frame::page("Overview", &[], &content))
}

fn all(service: &Service) -> Result<Vec<(ScopeView, Vec<EpochView>)>, Failure> {
    let scopes = service.scopes()?;
    let with_epochs = |scope: ScopeView| {
        let (epochs, _) = service.newest_epochs(scope.key.as_str(), None, BARS_MAX)?;
        Ok((scope, epochs))
    };
    scopes.into_iter().map(with_epochs).collect()
}

/// Which epochs are shown.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct View {
    /// Those before this one.
    before: Option<u64>,
}

pub(super) async fn scope_page(
    State(app): State<App>,
    headers: HeaderMap,
    At(ScopePath { key: name }): At<ScopePath>,
    Asked(view): Asked<View>,
) -> Result<Response, Sorry> {
    let call = visitor::may_see(&app, &headers, Access::Anyone).await?;
    let may_open = call.caller.standing.may(Access::Operate);
    let page = scope_page_of(call, name, view.before, Opening::default()).await?;
    // Who may open epochs sees more than others do.
    Ok(if may_open { unkept(page) } else { page.into_response() })
}

/// The page of a scope, with what came of the form that opens an epoch.
pub(super) async fn scope_page_of(call: Call, name: String, before: Option<u64>, opening: Opening) -> Answer {
    let may_open = call.caller.standing.may(Access::Operate);
    let found = call.run(move |service, _| {
        let epochs = service.newest_epochs(&name, before, EVENTS)?;
        let newest = match before {
            None => epochs.0.first().cloned(),
            Some(_) => service.newest_epochs(&name, None, 1)?.0.into_iter().next(),
        };
        let (scope, approvers) = (service.scope(&name)?, service.approvers(&name)?);
        Ok((scope, epochs, newest, approvers, service.next_window(&name)?))
    });
    let (scope, (epochs, is_more), newest, approvers, next) = found.await.map_err(Sorry::from)?;
    let own = format!("/scopes/{}", scope.key);
    let older = epochs.last().filter(|_| is_more).map(|last| format!("{own}?before={}", last.epoch));
    let beginning = before.map(|_| own.as_str());
    let content = html! {
        (opening::notice(&opening))
        @if scope.ended { p class="refused" { "This scope was ended; it takes no more epochs." } }
        h2 { "Epochs" }
        (picture(&epochs))
        @if !epochs.is_empty() { (table(&scope, epochs.iter())) }
        (ways("Older epochs", beginning, older.as_deref()))
        @if may_open && !scope.ended { (opening::section(&scope, newest.as_ref(), next, &opening)) }
        (approving(&scope, &approvers))
        h2 { "What events weigh" }
        table class="cards" {
            thead { tr { th scope="col" { "kind of event" } th scope="col" class="number" { "units" } } }
            tbody {
                @for (kind, units) in &scope.weights {
                    tr { td { code { (kind) } } td class="number" data-label="units" { (crate::words::units(units.value())) } }
                }
            }
        }
        p { "Every change that a person made: "
            a href={ "/api/v1/scopes/" (scope.key) "/decisions" } { "the decisions of this scope" } "." }
    };
    Ok(frame::page(scope.key.as_str(), &[("Overview", "/"), (scope.key.as_str(), "")], &content))
}

fn approving(scope: &ScopeView, approvers: &ApproversView) -> Markup {
    html! {
        h2 { "Who approves" }
        @match &approvers.in_force {
            Some(set) => {
                p { (set.threshold) " of these " (set.keys.len()) " must sign what is paid (version " (set.version) ")." }
                ul { @for vkey in &set.keys { li { (key(vkey)) } } }
            }
            None => p { "Nobody yet: nothing can be finalized." }
        }
        p { a href={ "/api/v1/scopes/" (scope.key) "/trust" } download={ (scope.key) ".trust.toml" } { "Trust file" }
            ", as this node gives it. Compare its fingerprint with that of somebody you trust." }
    }
}

/// The epochs as bars, of those that come the newest first.
fn picture(epochs: &[EpochView]) -> Markup {
    if epochs.is_empty() {
        return html! { p { "No epoch was opened yet." } };
    }
    let mut shown: Vec<Bar> = epochs.iter().take(BARS_MAX).map(bar).collect();
    shown.reverse();
    bars("Pool of each epoch", &shown)
}

fn bar(epoch: &EpochView) -> Bar {
    let pool = credits(epoch.pool_total.value(), epoch.decimals, &epoch.unit);
    Bar {
        name: epoch.epoch.to_string(),
        value: epoch.pool_total.value(),
        words: format!("epoch {}: {pool}, {}", epoch.epoch, frame::state(&epoch.phase, epoch.amending)),
        class: format!("bar {}", epoch.phase),
        link: format!("/scopes/{}/epochs/{}", epoch.scope, epoch.epoch),
    }
}

fn table<'a>(scope: &ScopeView, epochs: impl Iterator<Item = &'a EpochView>) -> Markup {
    wide(
        &format!("Epochs of {}", scope.key),
        &html! {
            table class="cards" {
                thead { tr {
                    th scope="col" { "epoch" } th scope="col" { "period" } th scope="col" { "state" }
                    th scope="col" class="number" { "events" } th scope="col" class="number" { "pool" }
                } }
                tbody { @for epoch in epochs { tr {
                    td data-label="epoch" { a href={ "/scopes/" (epoch.scope) "/epochs/" (epoch.epoch) } { (epoch.epoch) } }
                    td data-label="period" { (day(epoch.period_start)) " to before " (day(epoch.period_end)) }
                    td data-label="state" { (phase(&epoch.phase, epoch.amending)) }
                    td class="number" data-label="events" { (epoch.events) }
                    td class="number" data-label="pool" { (credits(epoch.pool_total.value(), epoch.decimals, &epoch.unit)) }
                } } }
            }
        },
    )
}

fn about(node: &NodeView) -> Markup {
    html! {
        section {
            h2 { "The node" }
            dl {
                dt { "id" } dd { (key(&node.node_id.to_string())) }
                dt { "program" } dd { "meed " (node.version) }
                @for log in &node.logs {
                    dt { "log of " (log.log) } dd { (log.size) @if log.size == 1 { " entry" } @else { " entries" } " under the key " (key(&log.vkey)) }
                }
            }
        }
    }
}
