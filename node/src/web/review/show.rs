//! The sections of the page, from what there is to decide to the final statement.

use maud::{Markup, html};
use meed_audit::allocation::Allocation;
use meed_audit::ids::Claimant;
use meed_audit::statement::Statement;

use super::act::form;
use super::sent::Sent;
use super::shown::{Picked, Shown};
use super::{Outcome, View, forms};
use crate::api::authority::{Access, Caller};
use crate::api::documents::{EpochView, ImportView};
use crate::api::problems::LineProblem;
use crate::client::segment;
use crate::web::frame::{self, change, credits, day, key, phase};
use crate::web::tables::{self, ways, wide};
use crate::web::{Page, epoch, opening, unbound};
use crate::words::{amount, counted, describe_import, notices, units, without_activity};

/// Lines of a refused batch that are shown.
const LINES_SHOWN: usize = 20;

/// What every section looks at.
pub(super) struct Sight<'a> {
    pub(super) shown: &'a Shown,
    pub(super) view: &'a View,
    pub(super) caller: &'a Caller,
    pub(super) outcome: &'a Outcome,
}

impl Sight<'_> {
    pub(super) fn may(&self, access: Access) -> bool {
        self.caller.standing.may(access)
    }

    /// What was typed into a form that was refused; nothing of any other.
    pub(super) fn typed(&self, form: &str) -> &Sent {
        static NOTHING: Sent = Sent::nothing();
        if self.outcome.form == form { &self.outcome.sent } else { &NOTHING }
    }

    /// Whether events and claimants may still be decided.
    pub(super) fn is_mutable(&self) -> bool {
        self.shown.epoch.phase != "finalized" || self.shown.epoch.amending
    }

    /// Whether drafts may be frozen and signed.
    pub(super) fn is_in_review(&self) -> bool {
        self.shown.epoch.phase == "review" || self.shown.epoch.amending
    }

    /// How many approvers have signed the draft, and how many must.
    pub(super) fn approvals(&self) -> (usize, usize) {
        let signed = self.shown.signers.iter().filter(|signer| signer.signed).count();
        (signed, usize::from(self.shown.threshold))
    }

    pub(super) fn base(&self) -> String {
        format!("/scopes/{}/epochs/{}", self.shown.epoch.scope, self.shown.epoch.epoch)
    }

    /// The address of a view, at one of the page's sections.
    pub(super) fn link(&self, view: &View, section: &str) -> String {
        format!("{}/review{}#{section}", self.base(), view.query())
    }
}

/// The whole page.
pub(super) fn page(shown: &Shown, view: &View, caller: &Caller, outcome: &Outcome) -> Page {
    let sight = Sight { shown, view, caller, outcome };
    let state = &shown.epoch;
    let title = format!("Review of epoch {} of {}", state.epoch, state.scope);
    let (scope, epoch) = (format!("/scopes/{}", state.scope), sight.base());
    let number = state.epoch.to_string();
    let content = html! {
        (notice(&sight))
        (summary(&sight))
        (unbound::section(state.unbound.as_ref()))
        (way_around(&sight))
        (claimants(&sight))
        (events(&sight))
        (forms::pool(&sight))
        @if state.phase == "open" { (forms::intake(&sight)) (forms::close(&sight)) }
        (preview(&sight))
        @if sight.is_in_review() { (forms::draft(&sight)) (forms::signatures(&sight)) (forms::finalize(&sight)) }
        @if state.phase == "finalized" && !state.amending { (forms::amendment(&sight)) }
        @if state.amending { (forms::abandonment(&sight)) }
        (decisions(&sight))
    };
    let place = [
        ("Overview", "/"),
        (state.scope.as_str(), scope.as_str()),
        (number.as_str(), epoch.as_str()),
        ("Review", ""),
    ];
    frame::page(&title, &place, &content)
}

/// What came of a form: why it was refused, or that it is done.
fn notice(sight: &Sight<'_>) -> Markup {
    let Sight { view, outcome, .. } = sight;
    html! {
        @if let Some(problem) = &outcome.problem {
            div id="notice" class="refused" role="alert" tabindex="-1" {
                p { strong { "Not done: " } (problem.detail) }
                p { strong { "What to do: " } (problem.remedy) " ("
                    a href={ "/problems/" (problem.code) } { (problem.code) } ")" }
                (lines(&problem.lines, problem.lines_more))
            }
        } @else if let Some(import) = &outcome.import {
            (imported(sight, import))
        } @else if view.done == opening::DONE {
            p id="notice" class="done" role="status" { "The epoch is open." }
        } @else if let Some(done) = form(&view.done) {
            p id="notice" class="done" role="status" { (done.done)
                // What the address says becomes a sentence of the page only where it is a claimant.
                @if let Ok(claimant) = view.unearned.parse::<Claimant>() {
                    " But " (without_activity(sight.shown.epoch.epoch, &claimant.to_string())) ". If it is mistyped, take them back below."
                }
            }
        }
    }
}

/// What became of an import, in the words of the command line: how many, what of them is not as somebody may think, and
/// which lines are bad.
fn imported(sight: &Sight<'_>, import: &ImportView) -> Markup {
    let events = &import.events;
    let is_new = events.stored > 0 || events.routed > 0;
    html! {
        div id="notice" class="done" role="status" tabindex="-1" {
            p { @if is_new { "The events were taken in: " } @else { "Nothing new was stored: " } (describe_import(import)) "." }
            @for notice in notices(events, &sight.shown.epoch.scope) { p { (notice) "." } }
            @if !import.bad_lines.is_empty() {
                p { "Correct these lines and import them again, which stores nothing twice:" }
                (lines(&import.bad_lines, import.bad_lines_more))
            }
        }
    }
}

fn lines(lines: &[LineProblem], lines_more: u64) -> Markup {
    html! {
        @if !lines.is_empty() {
            ul { @for line in lines.iter().take(LINES_SHOWN) { li { "line " (line.line) ": " (line.detail) } } }
            @if lines.len() > LINES_SHOWN { p { "and " (lines.len() - LINES_SHOWN) " more faults" } }
            @if lines_more > 0 { p { "and " (counted(lines_more, "bad line")) " beside these" } }
        }
    }
}

fn summary(sight: &Sight<'_>) -> Markup {
    let epoch = &sight.shown.epoch;
    let (signed, threshold) = sight.approvals();
    html! {
        p { "You review as " strong { (sight.caller.actor) } ", " (sight.caller.standing.name()) "." }
        dl {
            dt { "state" } dd { (phase(&epoch.phase, epoch.amending)) }
            dt { "period" } dd { (day(epoch.period_start)) " to before " (day(epoch.period_end)) }
            dt { "events" } dd { (epoch.events) }
            dt { "pool" } dd { (credits(epoch.pool_total.value(), epoch.decimals, &epoch.unit)) }
            @if let Some(revision) = epoch.current_draft {
                dt { "draft" } dd { "revision " (revision) ", signed by " (signed) " of the " (threshold) " that are needed" }
                @if epoch.later_decisions > 0 {
                    dt { "not in it" } dd { (counted(epoch.later_decisions, "decision")) " made after it: freeze the next draft to have them count" }
                }
            }
            @for stale in &epoch.stale_overrides {
                dt { "to restate" } dd { "the units that were set for " (stale.claimant) ", since " (stale.changed) ": state those of " (stale.now) }
            }
            dt { "next" } dd { (next_step(epoch, signed >= threshold)) }
        }
    }
}

fn next_step(epoch: &EpochView, is_signed: bool) -> &'static str {
    match (epoch.phase.as_str(), epoch.current_draft) {
        ("open", _) => "decide on events and claimants, and close the epoch when its period has ended",
        (_, Some(_)) if epoch.later_decisions > 0 => {
            "freeze the next draft, which holds what was decided since"
        }
        (_, Some(_)) if is_signed => "finalize: enough approvers have signed the draft",
        (_, Some(_)) => "collect signatures of the draft, then finalize; any change needs a new draft",
        ("finalized", None) if !epoch.amending => "nothing: what is finalized changes only by an amendment",
        _ => "decide on events and claimants, then freeze a draft for the approvers",
    }
}

fn way_around(sight: &Sight<'_>) -> Markup {
    let in_review = sight.is_in_review();
    html! {
        nav aria-label="On this page" { ul class="line" {
            li { a href="#claimants" { "Claimants" } }
            li { a href="#events" { "Events" } }
            li { a href="#pool" { "Pool" } }
            @if sight.shown.epoch.phase == "open" { li { a href="#close" { "Close" } } }
            li { a href="#preview" { "Preview" } }
            @if in_review {
                li { a href="#draft" { "Draft" } }
                li { a href="#signatures" { "Signatures" } }
                li { a href="#finalize" { "Finalize" } }
            }
            li { a href="#decisions" { "Decisions" } }
        } }
    }
}

fn claimants(sight: &Sight<'_>) -> Markup {
    let (epoch, all, view) = (&sight.shown.epoch, &sight.shown.allocations, sight.view);
    let caption = format!("{}, by the decisions of now", epoch::caption(&all.items, all));
    let link = |from: &str| sight.link(&View { from: from.to_owned(), ..view.clone() }, "claimants");
    let beginning = (!view.from.is_empty()).then(|| link(""));
    html! {
        section id="claimants" {
            h2 { "Proposed against final units" }
            form class="line" method="get" action={ (sight.base()) "/review#claimants" } role="search" {
                div { label for="search" { "Search a claimant, by the beginning of the key" }
                    input id="search" name="search" type="search" value=(view.search); }
                button type="submit" { "Show" }
            }
            (wide("Claimants", &html! {
                table class="cards" {
                    caption { (caption) }
                    thead { tr {
                        th scope="col" { "claimant" } th scope="col" class="number" { "proposed" }
                        th scope="col" class="number" { "final" } th scope="col" class="number" { "difference" }
                        th scope="col" class="number" { (epoch.unit) } th scope="col" { "why" }
                        @if sight.is_mutable() { th scope="col" { "set" } }
                    } }
                    tbody { @for row in &all.items { (claimant(sight, epoch, row)) } }
                }
            }))
            (ways("More claimants", beginning.as_deref(), all.next.as_deref().map(link).as_deref()))
            @if sight.is_mutable() { (forms::allocation(sight)) }
        }
    }
}

fn claimant(sight: &Sight<'_>, epoch: &EpochView, row: &Allocation) -> Markup {
    let name = row.claimant.to_string();
    let (proposed, last) = (row.proposed_units.value(), row.final_units.value());
    let view = View { claimant: name.clone(), event: String::new(), ..sight.view.clone() };
    html! {
        tr {
            td { a href={ "/claimants/" (segment(&name)) } { (key(&name)) } }
            td class="number" data-label="proposed" { (units(proposed)) }
            td class="number" data-label="final" { (units(last)) }
            td class="number" data-label="difference" { (change(proposed, last, units)) }
            td class="number" data-label=(epoch.unit) { (amount(row.credits.value(), epoch.decimals)) }
            td data-label="why" { @if let Some(reason) = &row.override_reason { (reason) } }
            @if sight.is_mutable() {
                td { a href=(sight.link(&view, "set")) aria-label={ "Set the units of " (name) } { "set" } }
            }
        }
    }
}

fn events(sight: &Sight<'_>) -> Markup {
    let (activity, view) = (&sight.shown.activity, sight.view);
    let link = |from: &str| sight.link(&View { events: from.to_owned(), ..view.clone() }, "events");
    let beginning = (!view.events.is_empty()).then(|| link(""));
    let decide = |item: &crate::api::documents::ActivityItem| {
        let event = item.activity.event.as_str().to_owned();
        sight.link(&View { event, claimant: String::new(), ..view.clone() }, "decide")
    };
    html! {
        section id="events" {
            h2 { "Events" }
            (tables::events(&activity.items, if sight.is_mutable() { Some(&decide) } else { None }))
            (ways("More events", beginning.as_deref(), activity.next.as_deref().map(link).as_deref()))
            @if sight.is_mutable() { (forms::curation(sight)) }
        }
    }
}

fn preview(sight: &Sight<'_>) -> Markup {
    let ask = sight.link(&View { preview: "1".to_owned(), ..sight.view.clone() }, "preview");
    html! {
        section id="preview" {
            h2 { "The statement as it would be now" }
            @match &sight.shown.preview {
                Picked::Nothing => p { a href=(ask) { "Compute it" } ", and compare it with the draft that is offered." }
                Picked::Refused(problem) => p class="refused" { (problem.detail) ". " (problem.remedy) }
                Picked::Found(preview) => {
                    (difference(sight))
                    (changed_text(sight.shown.draft.as_deref(), &preview.text))
                    details { summary { "Its text; nobody signs this" } pre tabindex="0" { (preview.text) } }
                }
            }
        }
    }
}

/// Who would get otherwise than by the draft that is offered, or by what is in force.
fn difference(sight: &Sight<'_>) -> Markup {
    let epoch = &sight.shown.epoch;
    let base = match (epoch.current_draft, epoch.final_revision) {
        (Some(revision), _) => ("in the draft", format!("the draft, revision {revision}")),
        (None, Some(revision)) => ("in force", format!("revision {revision}, which is in force")),
        (None, None) => return html! { p { "No draft is offered that it could be compared with." } },
    };
    let (column, words) = base;
    html! {
        @match &sight.shown.differences {
            None => {}
            Some(found) if found.count == 0 => p { "Everybody would get what they get by " (words) "." }
            Some(found) => {
                p { "Compared with " (words) ":" }
                (tables::differences(epoch, (column, "now"), found))
            }
        }
    }
}

/// The lines of the statement in which a preview differs from the draft that is offered.
fn changed_text(draft: Option<&str>, preview: &str) -> Markup {
    let changed = draft.map_or_else(Vec::new, |draft| changed_lines(draft, preview));
    html! {
        @if !changed.is_empty() {
            details {
                summary { (counted(changed.len(), "line")) " of the statement would change" }
                (wide("Lines that would change", &html! {
                    table class="cards" {
                        thead { tr { th scope="col" { "in the draft" } th scope="col" { "now" } } }
                        tbody { @for (was, now) in &changed { tr {
                            td data-label="in the draft" { (key(was)) } td data-label="now" { (key(now)) }
                        } } }
                    }
                }))
            }
        }
    }
}

/// Lines that differ. Statements have their lines in one order, so that place meets place.
fn changed_lines<'a>(draft: &'a str, preview: &'a str) -> Vec<(&'a str, &'a str)> {
    draft.lines().zip(preview.lines()).filter(|(was, now)| was != now).collect()
}

fn decisions(sight: &Sight<'_>) -> Markup {
    let (decisions, view) = (&sight.shown.decisions, sight.view);
    let link = |from: &str| sight.link(&View { decisions: from.to_owned(), ..view.clone() }, "decisions");
    let beginning = (!view.decisions.is_empty()).then(|| link(""));
    html! {
        section id="decisions" {
            h2 { "What people changed" }
            @if decisions.items.is_empty() { p { "Nothing so far." } } @else { (tables::decisions(&decisions.items, &sight.shown.epoch, pinned(sight))) }
            (ways("More decisions", beginning.as_deref(), decisions.next.as_deref().map(link).as_deref()))
        }
    }
}

/// How many decisions count for the draft that is offered.
fn pinned(sight: &Sight<'_>) -> Option<u64> {
    let statement: Statement = sight.shown.draft.as_deref()?.parse().ok()?;
    Some(statement.decisions.size)
}

#[cfg(test)]
mod tests {
    use super::changed_lines;

    #[test]
    fn only_lines_that_differ_are_shown() {
        assert_eq!(changed_lines("a\nb 1\nc\n", "a\nb 2\nc\n"), [("b 1", "b 2")]);
        assert_eq!(changed_lines("a\n", "a\n"), []);
    }
}
