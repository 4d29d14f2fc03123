//! An epoch: who gets what and why, who approved it, and every decision behind it.
//!
//! One set of amounts is shown, and the page says which: those of the statement in force; else those of the draft, which
//! is what approvers sign; else a proposal, which can change.

mod amounts;
mod approval;
mod revisions;

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use meed_audit::RejectionCode;
use meed_audit::allocation::Allocation;
use meed_audit::statement::Statement;
use serde::Deserialize;

use super::Sorry;
use super::frame::{self, credits, day, phase, time};
use super::tables::{self, EVENTS, ROWS, prefixes_of, query_of, ways, wide};
use super::unbound;
use super::visitor::{self, unkept};
use crate::api::App;
use crate::api::authority::Access;
use crate::api::documents::{
    ActivityItem, AllocationsView, DecisionView, EpochView, Page, PoolView, SignaturesView, StatementView,
};
use crate::api::extract::{Asked, At};
use crate::api::parameters::EpochPath;
use crate::failure::{Failure, reject};
use crate::service::differences::Differences;
use crate::service::history::FinalRevision;
use crate::service::{Service, Wanted};
use crate::words::counted;

/// Asks for the amounts that a freeze would give now.
const NOW: &str = "now";

/// Which parts of the tables are shown.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct View {
    /// Whose amounts: a final revision, the draft that is offered, or `now`; those that count most otherwise.
    #[serde(default)]
    revision: String,
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

    /// The address of the same page with other amounts.
    fn amounts(&self, epoch: &EpochView, revision: impl ToString) -> String {
        Self { revision: revision.to_string(), ..Self::default() }.link(epoch, "allocations")
    }

    /// The revision whose amounts are shown; none for what a freeze would give now.
    fn shown_revision(&self, epoch: &EpochView) -> Result<Option<u64>, Failure> {
        match self.revision.as_str() {
            "" => Ok(epoch.final_revision.or(epoch.current_draft)),
            // Where nothing is being decided, what is in force is what a freeze would give.
            NOW if epoch.phase == "finalized" && !epoch.amending => Ok(epoch.final_revision),
            NOW => Ok(None),
            text => {
                let expected = "the number of a revision, or now";
                let refuse = |_| reject(RejectionCode::Malformed, "revision", expected, text);
                text.parse().map(Some).map_err(refuse)
            }
        }
    }

    /// The address of this view, at one of its sections.
    fn link(&self, epoch: &EpochView, section: &str) -> String {
        format!("{}{}#{section}", self.base(epoch), self.query())
    }

    fn query(&self) -> String {
        let fields = [
            ("revision", &self.revision),
            ("search", &self.search),
            ("sort", &self.sort),
            ("from", &self.from),
            ("events", &self.events),
            ("decisions", &self.decisions),
        ];
        query_of(&fields)
    }
}

/// All that the page shows.
struct Shown {
    epoch: EpochView,
    /// Whose amounts are shown; none for what a freeze would give now.
    revision: Option<u64>,
    allocations: AllocationsView,
    largest: Vec<Allocation>,
    pool: PoolView,
    signatures: SignaturesView,
    /// The statement of that revision, and the same taken apart.
    statement: Option<(StatementView, Statement)>,
    activity: Page<ActivityItem>,
    decisions: Page<DecisionView>,
    /// Every final statement, the one in force first.
    finals: Vec<FinalRevision>,
    /// The final revision that the shown one has replaced, and who got otherwise by it.
    amended: Option<(u64, Arc<Differences>)>,
}

impl Shown {
    /// Whether the amounts are those of a final statement.
    fn final_revision(&self) -> Option<&FinalRevision> {
        self.finals.iter().find(|last| Some(last.revision) == self.revision)
    }

    /// How many decisions count for the draft, where its amounts are shown.
    fn pinned_decisions(&self) -> Option<u64> {
        let is_draft = self.revision.is_some() && self.revision == self.epoch.current_draft;
        self.statement.as_ref().filter(|_| is_draft).map(|(_, statement)| statement.decisions.size)
    }
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
        (unbound::section(state.unbound.as_ref()))
        (amounts::section(&shown, &view))
        (revisions::section(&shown, &view))
        (pool(&shown.pool))
        (approval::section(&shown))
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
    let revision = view.shown_revision(&epoch)?;
    let finals = service.final_revisions(key, number)?;
    let place = finals.iter().position(|last| Some(last.revision) == revision);
    let replaced = place.and_then(|place| finals.get(place.saturating_add(1))).map(|last| last.revision);
    let differences =
        |before: u64| Ok::<_, Failure>((before, service.differences(key, number, (Some(before), revision))?));
    Ok(Shown {
        allocations: found(service, (key, number, revision), (&view.search, &view.from), ROWS)?,
        largest: service.largest_allocations(key, number, revision)?,
        pool: service.pool(key, number)?,
        signatures: service.signatures(key, number)?,
        statement: revision.map(|revision| statement(service, key, number, revision)).transpose()?,
        activity: service.activity(key, number, revision, &Wanted::at(&view.events, EVENTS))?,
        decisions: service.decisions(key, Some(number), &Wanted::at(&view.decisions, EVENTS))?,
        amended: replaced.map(differences).transpose()?,
        finals,
        revision,
        epoch,
    })
}

fn statement(
    service: &Service,
    key: &str,
    number: u64,
    revision: u64,
) -> Result<(StatementView, Statement), Failure> {
    let view = service.statement(key, number, Some(revision))?;
    let statement = view.text.parse()?;
    Ok((view, statement))
}

/// At most `limit` allocations that are searched for, from a claimant on: a text that may be meant in several ways is
/// looked for in each, in the order of the keys.
pub(super) fn found(
    service: &Service,
    (key, number, revision): (&str, u64, Option<u64>),
    (search, from): (&str, &str),
    limit: usize,
) -> Result<AllocationsView, Failure> {
    let ask = |prefix: &str, limit: usize| {
        service.allocations(key, number, revision, (prefix, &Wanted::at(from, limit)))
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
    }
}

fn pool(pool: &PoolView) -> Markup {
    html! {
        section {
            h2 { "The pool" }
            (wide("Components of the pool", &html! {
                table class="cards" {
                    thead { tr { th scope="col" { "component" } th scope="col" class="number" { "amount" }
                        th scope="col" { "evidence" } th scope="col" { "computed by" } } }
                    tbody { @for component in &pool.components { tr {
                        td { (component.component) }
                        td class="number" data-label="amount" { (credits(component.amount.value(), pool.decimals, &pool.unit)) }
                        td data-label="evidence" { @if let Some(evidence) = &component.evidence_ref { (evidence) } }
                        td data-label="computed by" { (component.algorithm_version) }
                    } } }
                }
            }))
            @if pool.components.is_empty() { p { "Nothing was put into it yet." } }
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
            @else { (tables::decisions(&shown.decisions.items, &shown.epoch, shown.pinned_decisions())) }
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
        let other = View { revision: NOW.to_owned(), ..view };
        assert_eq!(other.query(), "?revision=now&search=a%20b&events=7");
    }
}
