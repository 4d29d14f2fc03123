//! Tables that several pages show, each a part of a list with a way to the next part.

use maud::{Markup, html};
use meed_audit::allocation::Allocation;
use meed_audit::decision::Decision;
use meed_audit::ids::Provider;
use meed_audit::policy::Unit;

use super::chart::percent;
use super::frame::{change, key, time};
use crate::api::documents::{ActivityItem, DecisionView, EpochView};
use crate::client::segment;
use crate::service::differences::Differences;
use crate::service::payouts::proof_path;
use crate::words::{amount, counted, sentence, units, value};

/// Rows of a table on one page.
pub(super) const ROWS: usize = 100;
/// Events and decisions on one page.
pub(super) const EVENTS: usize = 50;

/// The query of the fields that hold something, with the question mark; nothing where none does.
pub(super) fn query_of(fields: &[(&str, &String)]) -> String {
    let given = fields.iter().filter(|(_, value)| !value.is_empty());
    let query: Vec<String> = given.map(|(name, value)| format!("{name}={}", segment(value))).collect();
    if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) }
}

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

/// What a table of allocations is of.
pub(super) struct Paid<'a> {
    pub(super) epoch: &'a EpochView,
    /// What all get together.
    pub(super) total: u128,
    /// The revision whose proofs there are; none where it is not final.
    pub(super) proven: Option<u64>,
}

/// Who gets how much.
pub(super) fn allocations(paid: &Paid<'_>, rows: &[Allocation], caption: &str) -> Markup {
    wide(
        "Allocations",
        &html! {
            table class="cards" {
                caption { (caption) }
                thead { tr {
                    th scope="col" { "claimant" } th scope="col" class="number" { (paid.epoch.unit) }
                    th scope="col" class="number" { "share, about" } th scope="col" class="number" { "units" }
                    th scope="col" class="number" { "proposed" } th scope="col" class="number" { "events" }
                    th scope="col" { "proof" }
                } }
                tbody { @for row in rows { (allocation(paid, row)) } }
            }
        },
    )
}

fn allocation(paid: &Paid<'_>, item: &Allocation) -> Markup {
    let epoch = paid.epoch;
    let name = item.claimant.to_string();
    html! {
        tr {
            td { a href={ "/claimants/" (segment(&name)) } { (key(&name)) }
                @if let Some(reason) = &item.override_reason { br; small { "set by a person: " (reason) } } }
            td class="number" data-label=(epoch.unit) { (amount(item.credits.value(), epoch.decimals)) }
            td class="number" data-label="share, about" { (percent(item.credits.value(), paid.total)) }
            td class="number" data-label="units" { (units(item.final_units.value())) }
            td class="number" data-label="proposed" { (units(item.proposed_units.value())) }
            td class="number" data-label="events" { (item.events) }
            td data-label="proof" { @match paid.proven {
                Some(revision) => (proof((&epoch.scope, epoch.epoch, revision), &name, ("payout", "proof"))),
                None => "not yet",
            } }
        }
    }
}

/// A link that saves the proof file of a claimant by a final revision, of one of the kinds `payout` and `absence`, in these words.
pub(super) fn proof(
    (scope, epoch, revision): (&str, u64, u64),
    claimant: &str,
    (kind, words): (&str, &str),
) -> Markup {
    let file = format!("{scope}-{epoch}-{revision}.{kind}.json");
    html! { a href=(proof_path(scope, epoch, revision, claimant)) download=(file) { (words) } }
}

/// Who gets otherwise by the second of two sets of amounts, under the names of both.
pub(super) fn differences(epoch: &EpochView, (before, after): (&str, &str), found: &Differences) -> Markup {
    let show = |credits: u128| amount(credits, epoch.decimals);
    let is_all = usize::try_from(found.count).is_ok_and(|count| count == found.items.len());
    let part = if is_all { String::new() } else { format!(", of whom these {} by most", found.items.len()) };
    let caption = format!("{} with another amount or other units{part}", counted(found.count, "claimant"));
    wide(
        "Who gets otherwise",
        &html! {
            table class="cards" {
                caption { (caption) ", in " (epoch.unit) }
                thead { tr {
                    th scope="col" { "claimant" } th scope="col" class="number" { (before) }
                    th scope="col" class="number" { (after) } th scope="col" class="number" { "more or less" }
                    th scope="col" { "units" }
                } }
                tbody { @for one in &found.items {
                    @let name = one.claimant().map(ToString::to_string).unwrap_or_default();
                    @let (was, now) = one.credits();
                    @let (units_were, units_are) = one.units();
                    tr {
                        td { a href={ "/claimants/" (segment(&name)) } { (key(&name)) } }
                        td class="number" data-label=(before) { @if one.before.is_some() { (show(was)) } @else { "not named" } }
                        td class="number" data-label=(after) { @if one.after.is_some() { (show(now)) } @else { "not named" } }
                        td class="number" data-label="more or less" { (change(was, now, show)) }
                        td data-label="units" { @if units_were == units_are { "the same" } @else { (units(units_were)) " → " (units(units_are)) } }
                    }
                } }
            }
        },
    )
}

/// Events as an epoch takes them. `link` gives the page on which an event is decided, where there is one.
pub(super) fn events(items: &[ActivityItem], link: Option<&dyn Fn(&ActivityItem) -> String>) -> Markup {
    wide(
        "Events",
        &html! {
            table class="cards" {
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
        td data-label="who" { @for author in &item.authors {
            (key(&author.identity)) @if let Some(name) = &author.name { " (" (name) ")" } br;
        } @if !is_its_authors_alone(item) { @for claimant in &activity.claimants {
            (units(claimant.units.value())) " to " (key(&claimant.key.to_string())) br;
        } } }
        td class="number" data-label="units" { (units(activity.units.value())) }
        td data-label="state" {
            @if activity.included { "counts" } @else { "left out" }
            @if activity.late { ", late" }
            @if let Some(reason) = &activity.reason { ": " (reason) }
        }
    }
}

/// Whether its one author earns all of an event, so that nobody else need be named.
fn is_its_authors_alone(item: &ActivityItem) -> bool {
    let claimants: Vec<String> =
        item.activity.claimants.iter().map(|claimant| claimant.key.to_string()).collect();
    let authors: Vec<&str> = item.authors.iter().map(|author| author.identity.as_str()).collect();
    claimants.is_empty() || claimants.len() == 1 && claimants == authors
}

/// What people decided, amounts in the unit of the epoch. Those from the sequence `pinned` on came after the draft.
pub(super) fn decisions(items: &[DecisionView], epoch: &EpochView, pinned: Option<u64>) -> Markup {
    let unit = Unit::new(&epoch.unit, epoch.decimals).ok();
    let show = |decision: &Decision, text: Option<&str>| match (&unit, text) {
        (Some(unit), Some(_)) => value(decision.action, text, unit),
        _ => text.unwrap_or_default().to_owned(),
    };
    let cell = |label: &str, text: &str| {
        html! { td data-label=(label) { @if !text.is_empty() { span class="text short" { (text) } } } }
    };
    wide(
        "Decisions",
        &html! {
            table class="cards" {
                thead { tr { th scope="col" { "when" } th scope="col" { "who" } th scope="col" { "what" }
                    th scope="col" { "before" } th scope="col" { "after" } th scope="col" { "why" } } }
                tbody { @for DecisionView { sequence, decision } in items {
                    tr {
                        td { (time(decision.at))
                            @if pinned.is_some_and(|pinned| *sequence >= pinned) { br; small { "after the draft, and not in it" } } }
                        td data-label="who" { (decision.actor) }
                        td { span class="text" { (sentence(decision)) } }
                        (cell("before", &show(decision, decision.before.as_deref())))
                        (cell("after", &show(decision, decision.after.as_deref())))
                        (cell("why", decision.reason.as_str()))
                    }
                } }
            }
        },
    )
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
