//! An epoch: who gets what and why, who approved it, and every decision behind it.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use meed_audit::allocation::Allocation;
use serde::Deserialize;

use super::Sorry;
use super::chart::{SHARES_MAX, shares};
use super::frame::{self, credits, day, key, phase, time};
use super::tables::{self, EVENTS, ROWS, prefixes_of, ways};
use super::visitor::{self, unkept};
use crate::api::App;
use crate::api::authority::Access;
use crate::api::documents::{
    ActivityItem, AllocationsView, DecisionView, EpochView, Page, PoolView, SignaturesView,
};
use crate::api::extract::{Asked, At};
use crate::api::parameters::EpochPath;
use crate::cli::console::counted;
use crate::client::segment;
use crate::failure::Failure;
use crate::service::{Service, Wanted};

/// Which parts of the tables are shown.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct View {
    /// Only claimants whose key begins with this text, or whose id at some provider does.
    #[serde(default)]
    search: String,
    /// `claimant`, or `credits` for the largest alone.
    #[serde(default)]
    sort: String,
    /// The claimant from which on the allocations are shown.
    #[serde(default)]
    from: String,
    /// Where the events begin.
    #[serde(default)]
    events: String,
    /// Where the decisions begin.
    #[serde(default)]
    decisions: String,
}

impl View {
    fn base(&self, epoch: &EpochView) -> String {
        format!("/scopes/{}/epochs/{}", epoch.scope, epoch.epoch)
    }

    /// The address of this view, at one of its sections.
    fn link(&self, epoch: &EpochView, section: &str) -> String {
        format!("{}{}#{section}", self.base(epoch), self.query())
    }

    fn query(&self) -> String {
        let fields = [
            ("search", &self.search),
            ("sort", &self.sort),
            ("from", &self.from),
            ("events", &self.events),
            ("decisions", &self.decisions),
        ];
        let given = fields.iter().filter(|(_, value)| !value.is_empty());
        let query: Vec<String> = given.map(|(name, value)| format!("{name}={}", segment(value))).collect();
        if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) }
    }
}

/// All that the page shows.
struct Shown {
    epoch: EpochView,
    allocations: AllocationsView,
    largest: Vec<Allocation>,
    pool: PoolView,
    signatures: SignaturesView,
    statement: Option<String>,
    activity: Page<ActivityItem>,
    decisions: Page<DecisionView>,
}

pub(super) async fn page(
    State(app): State<App>,
    headers: HeaderMap,
    At(EpochPath { key, epoch }): At<EpochPath>,
    Asked(view): Asked<View>,
) -> Result<Response, Sorry> {
    let call = visitor::may_see(&app, &headers, Access::Anyone).await?;
    let may_review = call.caller.standing.may(Access::Curate);
    let wanted = view.clone();
    let shown = call.run(move |service, _| read(service, &key, epoch, &wanted)).await.map_err(Sorry::from)?;
    let state = &shown.epoch;
    let title = format!("Epoch {} of {}", state.epoch, state.scope);
    let scope_link = format!("/scopes/{}", state.scope);
    let number = state.epoch.to_string();
    let content = html! {
        @if may_review { p { a class="button" href={ (view.base(state)) "/review" } { "Review this epoch" } } }
        (summary(&shown))
        (allocations(&shown, &view))
        (pool(&shown.pool))
        (approval(&shown))
        (activity(&shown, &view))
        (decisions(&shown, &view))
    };
    let place = [("Overview", "/"), (state.scope.as_str(), scope_link.as_str()), (number.as_str(), "")];
    let page = frame::page(&title, &place, &content);
    // Who may review sees more than others do.
    Ok(if may_review { unkept(page) } else { page.into_response() })
}

fn read(service: &Service, key: &str, number: u64, view: &View) -> Result<Shown, Failure> {
    let epoch = service.epoch(key, number)?;
    let has_statement = epoch.current_draft.is_some() || epoch.final_revision.is_some();
    Ok(Shown {
        allocations: found(service, (key, number), (&view.search, &view.from), ROWS)?,
        largest: service.largest_allocations(key, number)?,
        pool: service.pool(key, number)?,
        signatures: service.signatures(key, number)?,
        statement: match has_statement {
            true => Some(service.statement(key, number, None)?.note),
            false => None,
        },
        activity: service.activity(key, number, None, &Wanted::at(&view.events, EVENTS))?,
        decisions: service.decisions(key, Some(number), &Wanted::at(&view.decisions, EVENTS))?,
        epoch,
    })
}

/// At most `limit` allocations that are searched for, from a claimant on: a text that may be meant in several ways is
/// looked for in each, in the order of the keys.
pub(super) fn found(
    service: &Service,
    (key, number): (&str, u64),
    (search, from): (&str, &str),
    limit: usize,
) -> Result<AllocationsView, Failure> {
    let ask = |prefix: &str, limit: usize| {
        service.allocations(key, number, None, (prefix, &Wanted::at(from, limit)))
    };
    let prefixes = prefixes_of(search);
    let mut prefixes = prefixes.iter();
    let mut found = ask(prefixes.next().map_or("", String::as_str), limit)?;
    for prefix in prefixes {
        match limit.saturating_sub(found.items.len()) {
            _ if found.next.is_some() => break,
            0 => found.next = Some(prefix.clone()),
            room => {
                let part = ask(prefix, room)?;
                found.items.extend(part.items);
                found.next = part.next;
            }
        }
    }
    Ok(found)
}

/// How many of all claimants a table shows, in words.
pub(super) fn caption(rows: &[Allocation], all: &AllocationsView) -> String {
    format!("{} of {}", rows.len(), counted(all.claimants, "claimant"))
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
    let (epoch, all) = (&shown.epoch, &shown.allocations);
    let total = all.pool_total.value().saturating_sub(all.undistributed.value());
    let part = |item: &Allocation| (item.claimant.to_string(), item.credits.value());
    let largest: Vec<(String, u128)> = shown.largest.iter().take(SHARES_MAX).map(part).collect();
    let by_credits = view.sort == "credits";
    // Whoever searches looks among those that are found, also where the largest come first.
    let is_searched = !view.search.trim().is_empty();
    let mut found = all.items.clone();
    if by_credits && is_searched {
        found.sort_by(|one, other| {
            other.credits.cmp(&one.credits).then_with(|| one.claimant.cmp(&other.claimant))
        });
    }
    let is_largest = by_credits && !is_searched;
    let rows = if is_largest { &shown.largest } else { &found };
    let caption =
        if is_largest { format!("the largest: {}", caption(rows, all)) } else { caption(rows, all) };
    let base = view.base(epoch);
    let link = |from: &str| View { from: from.to_owned(), ..view.clone() }.link(epoch, "allocations");
    let beginning = (!view.from.is_empty()).then(|| link(""));
    let next = all.next.as_deref().filter(|_| !is_largest).map(link);
    html! {
        section id="allocations" {
            h2 { "Who gets what" }
            @if !largest.is_empty() { (shares("Share of each claimant, the largest first", &largest, all.claimants, total)) }
            form class="line" method="get" action={ (base) "#allocations" } role="search" {
                div { label for="search" { "Search a claimant, by the beginning of the key" }
                    input id="search" name="search" type="search" value=(view.search); }
                div { label for="sort" { "Show" }
                    select id="sort" name="sort" {
                        option value="claimant" selected[!by_credits] { "all, by claimant" }
                        option value="credits" selected[by_credits] { "the largest" }
                    } }
                button type="submit" { "Show" }
            }
            (tables::allocations(epoch, rows, total, &caption))
            (ways("More claimants", beginning.as_deref(), next.as_deref()))
            p { "For programs: "
                a href={ "/api/v1" (base) "/allocations" } { "JSON" }
                @if epoch.final_revision.is_some() { ", " a href={ "/api/v1" (base) "/export?format=csv" } { "CSV" } } }
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
                    @if shown.epoch.later_decisions > 0 {
                        p { strong { "What stands above is not what this draft says: " }
                            (counted(shown.epoch.later_decisions, "decision")) " came after it. They count once the next draft is frozen and signed." }
                    }
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

fn activity(shown: &Shown, view: &View) -> Markup {
    let epoch = &shown.epoch;
    let link = |from: &str| View { events: from.to_owned(), ..view.clone() }.link(epoch, "events");
    let beginning = (!view.events.is_empty()).then(|| link(""));
    let next = shown.activity.next.as_deref().map(link);
    html! {
        section id="events" {
            h2 { "The work behind it" }
            (tables::events(&shown.activity.items, None))
            (ways("More events", beginning.as_deref(), next.as_deref()))
            p { "For programs: " a href={ "/api/v1" (view.base(epoch)) "/activity" } { "JSON" } }
        }
    }
}

fn decisions(shown: &Shown, view: &View) -> Markup {
    let link =
        |from: &str| View { decisions: from.to_owned(), ..view.clone() }.link(&shown.epoch, "decisions");
    let beginning = (!view.decisions.is_empty()).then(|| link(""));
    let next = shown.decisions.next.as_deref().map(link);
    html! {
        section id="decisions" {
            h2 { "What people changed" }
            @if shown.decisions.items.is_empty() { p { "Nothing: every amount follows from the recorded work." } }
            @else { (tables::decisions(&shown.decisions.items)) }
            (ways("More decisions", beginning.as_deref(), next.as_deref()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_keep_what_the_other_tables_show() {
        let view = View { search: "a b".to_owned(), events: "7".to_owned(), ..View::default() };
        assert_eq!(view.query(), "?search=a%20b&events=7");
        assert_eq!(View::default().query(), "");
    }
}
