//! The front page: the node, its logs, its scopes; and a scope with its epochs.

use maud::{Markup, html};
use serde::Deserialize;

use super::chart::{Bar, bars};
use super::frame::{self, credits, day, key, phase};
use super::tables::{EVENTS, ways};
use super::{Answer, Sorry};
use crate::api::documents::{EpochView, NodeView, ScopeView};
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
                (table(scope, epochs.iter().take(5)))
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
    call: Call,
    At(ScopePath { key: name }): At<ScopePath>,
    Asked(view): Asked<View>,
) -> Answer {
    let found = call.run(move |service, _| {
        let epochs = service.newest_epochs(&name, view.before, EVENTS)?;
        Ok((service.scope(&name)?, epochs, service.approvers(&name)?))
    });
    let (scope, (epochs, is_more), approvers) = found.await.map_err(Sorry::from)?;
    let own = format!("/scopes/{}", scope.key);
    let older = epochs.last().filter(|_| is_more).map(|last| format!("{own}?before={}", last.epoch));
    let newest = view.before.map(|_| own.as_str());
    let content = html! {
        @if scope.ended { p class="refused" { "This scope was ended; it takes no more epochs." } }
        h2 { "Epochs" }
        (picture(&epochs))
        (table(&scope, epochs.iter()))
        (ways("Older epochs", newest, older.as_deref()))
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
        h2 { "What events weigh" }
        table {
            thead { tr { th scope="col" { "kind of event" } th scope="col" class="number" { "units" } } }
            tbody {
                @for (kind, units) in &scope.weights {
                    tr { td { code { (kind) } } td class="number" { (crate::cli::console::units(units.value())) } }
                }
            }
        }
        p { "Every change that a person made: "
            a href={ "/api/v1/scopes/" (scope.key) "/decisions" } { "the decisions of this scope" } "." }
    };
    Ok(frame::page(scope.key.as_str(), &[("Overview", "/"), (scope.key.as_str(), "")], &content))
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
        words: format!("epoch {}: {pool}, {}", epoch.epoch, epoch.phase),
        class: format!("bar {}", epoch.phase),
        link: format!("/scopes/{}/epochs/{}", epoch.scope, epoch.epoch),
    }
}

fn table<'a>(scope: &ScopeView, epochs: impl Iterator<Item = &'a EpochView>) -> Markup {
    html! {
        div class="wide" tabindex="0" role="region" aria-label={ "Epochs of " (scope.key) } {
            table {
                thead { tr {
                    th scope="col" { "epoch" } th scope="col" { "period" } th scope="col" { "state" }
                    th scope="col" class="number" { "events" } th scope="col" class="number" { "pool" }
                } }
                tbody {
                    @for epoch in epochs {
                        tr {
                            td { a href={ "/scopes/" (epoch.scope) "/epochs/" (epoch.epoch) } { (epoch.epoch) } }
                            td { (day(epoch.period_start)) " to " (day(epoch.period_end)) }
                            td { (phase(&epoch.phase, epoch.amending)) }
                            td class="number" { (epoch.events) }
                            td class="number" { (credits(epoch.pool_total.value(), epoch.decimals, &epoch.unit)) }
                        }
                    }
                }
            }
        }
    }
}

fn about(node: &NodeView) -> Markup {
    html! {
        section {
            h2 { "The node" }
            dl {
                dt { "id" } dd { (key(&node.node_id.to_string())) }
                dt { "program" } dd { "meed " (node.version) }
                @for log in &node.logs {
                    dt { "log of " (log.log) } dd { (log.size) " entries under the key " (key(&log.vkey)) }
                }
            }
        }
    }
}
