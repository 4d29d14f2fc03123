//! The amounts: whose they are, the picture and the table.

use maud::{Markup, html};
use meed_audit::allocation::Allocation;

use super::{NOW, Shown, View, caption};
use crate::web::chart::{SHARES_MAX, shares};
use crate::web::frame::credits;
use crate::web::tables::{self, Paid, ways};
use crate::words::counted;

pub(super) fn section(shown: &Shown, view: &View) -> Markup {
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
    let is_final = shown.final_revision().is_some();
    let paid = Paid { epoch, total, proven: shown.revision.filter(|_| is_final) };
    let asked = shown.revision.map_or(String::new(), |revision| format!("?revision={revision}"));
    let show = |amount: u128| credits(amount, epoch.decimals, &epoch.unit);
    html! {
        section id="allocations" {
            h2 { @if is_final { "Who gets what" } @else { "Who would get what" } }
            (whose(shown, view))
            @if !largest.is_empty() {
                (shares("About which share each claimant has, the largest first", &largest, (all.claimants, total), show))
            }
            form class="line" method="get" action={ (base) "#allocations" } role="search" {
                @if !view.revision.is_empty() { input type="hidden" name="revision" value=(view.revision); }
                div { label for="search" { "Search a claimant, by the beginning of the key" }
                    input id="search" name="search" type="search" value=(view.search); }
                div { label for="sort" { "Show" }
                    select id="sort" name="sort" {
                        option value="claimant" selected[!by_credits] { "all, by claimant" }
                        option value="credits" selected[by_credits] { "the largest" }
                    } }
                button type="submit" { "Show" }
            }
            (tables::allocations(&paid, rows, &caption))
            (ways("More claimants", beginning.as_deref(), next.as_deref()))
            p { "For programs: "
                a href={ "/api/v1" (base) "/allocations" (asked) } { "JSON" }
                @if is_final { ", " a href={ "/api/v1" (base) "/export" (asked) "&format=csv" } { "CSV" } } }
        }
    }
}

/// Whose amounts these are, and where the others are that somebody might mean.
fn whose(shown: &Shown, view: &View) -> Markup {
    let epoch = &shown.epoch;
    let later = epoch.later_decisions;
    let link = |revision: String, words: &str| html! { a href=(view.amounts(epoch, revision)) { (words) } };
    let draft = |words: &str| html! { @if let Some(draft) = epoch.current_draft { (link(draft.to_string(), words)) } };
    let in_force =
        |words: &str| html! { @if let Some(last) = epoch.final_revision { (link(last.to_string(), words)) } };
    let now = || link(NOW.to_owned(), "what they would be now");
    html! {
        div id="whose" class="note" {
            @match (shown.revision, shown.final_revision()) {
                (Some(revision), Some(last)) if last.in_force => {
                    p { "These are the amounts of " strong { "the final statement, revision " (revision) } ", which is in force." }
                    @if epoch.amending {
                        p { "An amendment is under way, and changes nothing before it is final: "
                            @if epoch.current_draft.is_some() { (draft("what its draft would pay")) } @else { (now()) } "." }
                    }
                }
                (Some(revision), Some(_)) => p {
                    "These are the amounts of " strong { "revision " (revision) ", which is superseded" } ": "
                    (in_force("what is in force")) "."
                },
                (Some(revision), None) => {
                    p { "These are the amounts of " strong { "the draft, revision " (revision) } ": what its approvers sign. Nothing is final yet"
                        @if epoch.final_revision.is_some() { " of this amendment: " (in_force("what is in force")) } "." }
                    @if later > 0 {
                        p { strong { (counted(later, "decision")) " came after the draft and " (are(later)) " not in these amounts" }
                            ": " (now()) ". They count once the next draft is frozen and signed." }
                    }
                }
                (None, _) => {
                    p { "These amounts are " strong { "a proposal" } ": what a draft would pay that was frozen now. They can change until one is frozen and signed." }
                    @if epoch.current_draft.is_some() {
                        p { "Approvers sign other amounts: " (draft("those of the draft")) "." }
                    } @else if epoch.final_revision.is_some() {
                        p { "Nothing of it is in force: " (in_force("what is")) "." }
                    }
                }
            }
        }
    }
}

fn are(count: u64) -> &'static str {
    if count == 1 { "is" } else { "are" }
}
