//! Tables that several pages show, each a part of a list with a way to the next part.

use maud::{Markup, html};
use meed_audit::allocation::Allocation;
use meed_audit::decision::Decision;
use meed_audit::ids::Provider;

use super::chart::percent;
use super::frame::{key, time};
use crate::api::documents::{ActivityItem, DecisionView, EpochView};
use crate::cli::console::{amount, units};
use crate::client::segment;

/// Rows of a table on one page.
pub(super) const ROWS: usize = 100;
/// Events and decisions on one page.
pub(super) const EVENTS: usize = 50;

/// The beginnings of claimants' keys that somebody may mean who searches for a text.
pub(super) fn prefixes_of(text: &str) -> Vec<String> {
    let text = text.trim();
    if text.is_empty() || "identity:".starts_with(text) || "user:".starts_with(text) || text.contains(':') {
        return vec![text.to_owned()];
    }
    let of_provider = |provider: &Provider| format!("identity:{}:{text}", provider.as_str());
    let mut prefixes: Vec<String> = Provider::ALL.iter().map(of_provider).collect();
    prefixes.push(format!("user:{text}"));
    prefixes
}

/// A region that scrolls where it is too wide, reachable by keyboard.
pub(super) fn wide(label: &str, content: &Markup) -> Markup {
    html! { div class="wide" tabindex="0" role="region" aria-label=(label) { (content) } }
}

/// The way from a part of a list to its beginning and to the next part.
pub(super) fn ways(label: &str, beginning: Option<&str>, next: Option<&str>) -> Markup {
    html! {
        @if beginning.is_some() || next.is_some() {
            nav class="ways" aria-label=(label) {
                @if let Some(link) = beginning { a href=(link) { "From the beginning" } " " }
                @if let Some(link) = next { a href=(link) rel="next" { "Next" } }
            }
        }
    }
}

/// Who gets how much of `total`.
pub(super) fn allocations(epoch: &EpochView, rows: &[Allocation], total: u128, caption: &str) -> Markup {
    wide(
        "Allocations",
        &html! {
            table {
                caption { (caption) }
                thead { tr {
                    th scope="col" { "claimant" } th scope="col" class="number" { (epoch.unit) }
                    th scope="col" class="number" { "share" } th scope="col" class="number" { "units" }
                    th scope="col" class="number" { "proposed" } th scope="col" class="number" { "events" }
                    th scope="col" { "proof" }
                } }
                tbody { @for row in rows { (allocation(epoch, row, total)) } }
            }
        },
    )
}

fn allocation(epoch: &EpochView, item: &Allocation, total: u128) -> Markup {
    let name = item.claimant.to_string();
    let proof = format!("/api/v1/scopes/{}/epochs/{}/proofs/{}", epoch.scope, epoch.epoch, segment(&name));
    html! {
        tr {
            td { a href={ "/claimants/" (segment(&name)) } { (key(&name)) }
                @if let Some(reason) = &item.override_reason { br; small { "set by a person: " (reason) } } }
            td class="number" { (amount(item.credits.value(), epoch.decimals)) }
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

/// Events as an epoch takes them. `link` gives the page on which an event is decided, where there is one.
pub(super) fn events(items: &[ActivityItem], link: Option<&dyn Fn(&ActivityItem) -> String>) -> Markup {
    wide(
        "Events",
        &html! {
            table {
                thead { tr { th scope="col" { "when" } th scope="col" { "what" } th scope="col" { "who" }
                    th scope="col" class="number" { "units" } th scope="col" { "state" }
                    @if link.is_some() { th scope="col" { "decide" } } } }
                tbody { @for item in items {
                    tr {
                        (event(item))
                        @if let Some(link) = link {
                            td { a href=(link(item)) aria-label={ "Decide on " (item.activity.event.as_str()) } { "decide" } }
                        }
                    }
                } }
            }
        },
    )
}

fn event(item: &ActivityItem) -> Markup {
    let activity = &item.activity;
    html! {
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

/// What people decided.
pub(super) fn decisions(items: &[DecisionView]) -> Markup {
    wide(
        "Decisions",
        &html! {
            table {
                thead { tr { th scope="col" { "when" } th scope="col" { "who" } th scope="col" { "what" }
                    th scope="col" { "before" } th scope="col" { "after" } th scope="col" { "why" } } }
                tbody { @for DecisionView { decision, .. } in items {
                    tr {
                        td { (time(decision.at)) } td { (decision.actor) }
                        td { (action(decision)) " " (key(&decision.subject)) }
                        td { (decision.before.as_deref().unwrap_or("")) }
                        td { (decision.after.as_deref().unwrap_or("")) }
                        td { (decision.reason) }
                    }
                } }
            }
        },
    )
}

/// The stable name of what a decision does, with spaces.
fn action(decision: &Decision) -> String {
    let name = serde_json::to_value(decision.action).ok();
    name.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_means_a_key_from_its_beginning_or_an_id_at_any_provider() {
        for text in ["", " ", "identity:git:ab", "user:00", "ident", "user"] {
            assert_eq!(prefixes_of(text), [text.trim()]);
        }
        let all = prefixes_of(" 12 ");
        assert_eq!(all.len(), Provider::ALL.len() + 1);
        assert!(all.iter().is_sorted(), "in the order of the list");
        assert!(all.contains(&"identity:github:12".to_owned()) && all.contains(&"user:12".to_owned()));
    }
}
