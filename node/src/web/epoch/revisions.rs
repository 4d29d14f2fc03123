//! That an epoch was amended: every final statement of it, and what the one that is shown changed.

use maud::{Markup, html};

use super::{Shown, View};
use crate::service::history::FinalRevision;
use crate::web::frame::{change, credits, time};
use crate::web::tables::{differences, wide};

/// Nothing where one statement alone is final.
pub(super) fn section(shown: &Shown, view: &View) -> Markup {
    if shown.finals.len() < 2 {
        return html! {};
    }
    let epoch = &shown.epoch;
    html! {
        section id="revisions" {
            h2 { "Amended" }
            @if let (Some((before, found)), Some(after)) = (&shown.amended, shown.revision) {
                p { "amended: " a href=(view.amounts(epoch, after)) { "revision " (after) } " replaces "
                    a href=(view.amounts(epoch, before)) { "revision " (before) } (paid(shown, *before)) "." }
                @if found.count == 0 { p { "Everybody gets what they got." } }
                @else { (differences(epoch, ("was", "now"), found)) }
            }
            (wide("Final statements of this epoch", &html! {
                table class="cards" {
                    caption { "Final statements of this epoch; each of them stays readable and provable" }
                    thead { tr { th scope="col" { "revision" } th scope="col" { "state" } th scope="col" { "final since" }
                        th scope="col" class="number" { "paid in all" } } }
                    tbody { @for last in &shown.finals { (row(shown, view, last)) } }
                }
            }))
        }
    }
}

fn row(shown: &Shown, view: &View, last: &FinalRevision) -> Markup {
    let epoch = &shown.epoch;
    html! { tr {
        td { a href=(view.amounts(epoch, last.revision)) aria-current=[(Some(last.revision) == shown.revision).then_some("true")] {
            "revision " (last.revision) } }
        td data-label="state" { @if last.in_force { "in force" } @else { "superseded" } }
        td data-label="final since" { (time(last.at)) }
        td class="number" data-label="paid in all" { (credits(last.distributed.value(), epoch.decimals, &epoch.unit)) }
    } }
}

/// What both pay in all.
fn paid(shown: &Shown, before: u64) -> Markup {
    let epoch = &shown.epoch;
    let show = |amount: u128| credits(amount, epoch.decimals, &epoch.unit);
    let sum = |revision: Option<u64>| {
        let found = shown.finals.iter().find(|last| Some(last.revision) == revision);
        found.map_or(0, |last| last.distributed.value())
    };
    let (was, now) = (sum(Some(before)), sum(shown.revision));
    html! {
        @if was == now { ": both pay " (show(now)) " in all" }
        @else { ": paid in all, was " (show(was)) ", now " (show(now)) " (" (change(was, now, show)) ")" }
    }
}
