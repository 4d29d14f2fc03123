//! The forms of the page. Each says what it needs, keeps what was typed into it where it was refused, and sends along
//! how the epoch stood.

use maud::{Markup, html};
use meed_audit::decision::Override;

use super::act::{form, stand};
use super::change::{override_text, state_of};
use super::hint;
use super::show::Sight;
use super::shown::Picked;
use crate::api::documents::ActivityItem;
use crate::web::frame::{credits, key, time};
use crate::web::tables::events;
use crate::words::{amount, counted, units};

/// How a form is sent.
enum Way {
    Fields,
    /// With a file.
    Parts,
}

/// A form, where the visitor may send it; else who may.
fn sending(sight: &Sight<'_>, name: &str, way: &Way, content: &Markup) -> Markup {
    let Some(known) = form(name) else { return html! {} };
    if !sight.may(known.access) {
        return html! { p { "This takes the right of " strong { (known.access) } "; you are signed in as " (sight.caller.standing.name()) "." } };
    }
    let encoding = matches!(way, Way::Parts).then_some("multipart/form-data");
    let view = sight.view;
    html! {
        form method="post" action={ (sight.base()) "/review/" (name) } enctype=[encoding] aria-labelledby={ (name) "-title" } {
            input type="hidden" name="stand" value=(stand(&sight.shown.epoch, name));
            input type="hidden" name="view-search" value=(view.search);
            input type="hidden" name="view-from" value=(view.from);
            input type="hidden" name="view-events" value=(view.events);
            (content)
        }
    }
}

/// A field in a line of its own. `id` is the form's name and the field's.
fn field(sight: &Sight<'_>, id: &str, name: &str, label: &str, help: &str, needed: bool) -> Markup {
    let help_id = (!help.is_empty()).then(|| format!("{id}-hint"));
    html! {
        div class="field" {
            label for=(id) { (label) }
            input id=(id) name=(name) value=(sight.typed(form_of(id)).text(name)) required[needed] autocomplete="off"
                aria-describedby=[help_id];
            @if !help.is_empty() { " " (hint(id, help)) }
        }
    }
}

/// The form of a field, whose id begins with its name.
fn form_of(id: &str) -> &str {
    id.split('-').next().unwrap_or_default()
}

fn reason(sight: &Sight<'_>, id: &str) -> Markup {
    field(sight, id, "reason", "Reason, which everybody can read", "", true)
}

/// Decides on one event.
pub(super) fn curation(sight: &Sight<'_>) -> Markup {
    let body = match &sight.shown.event {
        Picked::Nothing => html! { p { "Choose an event above, or name one." } },
        Picked::Refused(problem) => html! { p class="refused" { (problem.detail) } },
        Picked::Found(item) => event(item),
    };
    let was = match &sight.shown.event {
        Picked::Found(item) => state_of(item),
        _ => String::new(),
    };
    let chosen = sight.typed("curation").text("change");
    let choice = |value: &str, words: &str| {
        html! { div class="beside" {
            input type="radio" id={ "curation-choose-" (value) } name="change" value=(value) required checked[chosen == value];
            " " label class="beside" for={ "curation-choose-" (value) } { (words) }
        } }
    };
    let content = html! {
        (body)
        div class="field" {
            label for="curation-event" { "Event" }
            input id="curation-event" name="event" value=(sight.view.event) required size="48" autocomplete="off";
        }
        input type="hidden" name="was" value=(was);
        fieldset {
            legend { "What to do with it" }
            (choice("exclude", "leave it out"))
            (choice("include", "count it"))
            (choice("weight", "weigh it otherwise"))
            (choice("shares", "share it otherwise"))
            (choice("reset", "take back what was decided"))
        }
        (field(sight, "curation-weight", "weight", "New weight, in thousandths of a unit", "only to weigh it otherwise; 1000 is one unit", false))
        div class="field" {
            label for="curation-shares" { "New shares, one claimant a line: claimant=parts per million" }
            textarea id="curation-shares" name="shares" rows="3" aria-describedby="curation-shares-hint" { (sight.typed("curation").text("shares")) }
            (hint("curation-shares", "only to share it otherwise; they sum to 1000000"))
        }
        (reason(sight, "curation-reason"))
        button type="submit" { "Record the decision" }
    };
    html! { section id="decide" {
        h3 id="curation-title" { "Decide on an event" }
        (sending(sight, "curation", &Way::Fields, &content))
    } }
}

fn event(item: &ActivityItem) -> Markup {
    html! {
        (events(std::slice::from_ref(item), None))
        p { "It weighs " (units(item.activity.weight.value())) " and gives "
            @for claimant in &item.activity.claimants { (units(claimant.units.value())) " to " (key(&claimant.key.to_string())) " " }
            @if item.activity.claimants.is_empty() { "nobody anything" } }
    }
}

/// Sets the units of a claimant.
pub(super) fn allocation(sight: &Sight<'_>) -> Markup {
    let (problem, was) = match &sight.shown.claimant {
        Picked::Refused(problem) => (html! { p class="refused" { (problem.detail) } }, String::new()),
        Picked::Nothing => (html! {}, String::new()),
        Picked::Found((claimant, set)) => (set_so_far(set.as_ref()), override_text(claimant, set.as_ref())),
    };
    let content = html! {
        (problem)
        div class="field" {
            label for="allocation-claimant" { "Claimant" }
            input id="allocation-claimant" name="claimant" value=(sight.view.claimant) required size="48" autocomplete="off";
        }
        input type="hidden" name="was" value=(was);
        (field(sight, "allocation-units", "units", "Final units, in thousandths of a unit", "in place of what activity proposes; 1000 is one unit", false))
        (reason(sight, "allocation-reason"))
        button type="submit" name="change" value="set" { "Set the units" } " "
        button type="submit" name="change" value="withdraw" class="second" { "Take back what was set" }
    };
    html! { section id="set" {
        h3 id="allocation-title" { "Set the units of a claimant" }
        (sending(sight, "allocation", &Way::Fields, &content))
    } }
}

fn set_so_far(set: Option<&Override>) -> Markup {
    html! { @if let Some(set) = set { p { "So far a person set " (units(set.units.value())) ": " (set.reason) } } }
}

/// The pool, and what is put into it.
pub(super) fn pool(sight: &Sight<'_>) -> Markup {
    let pool = &sight.shown.pool;
    let smallest = format!("in the smallest unit: {} {}", amount(1, pool.decimals), pool.unit);
    let content = html! {
        (field(sight, "pool-component", "component", "Component", "a name such as bonus; each is written once", true))
        (field(sight, "pool-amount", "amount", "Amount", &smallest, true))
        (field(sight, "pool-evidence", "evidence", "Where the evidence is, which everybody can read", "", true))
        (field(sight, "pool-algorithm", "algorithm", "How it was computed", "a name and version such as minutes-v1", true))
        button type="submit" { "Put it into the pool" }
    };
    html! {
        section id="pool" {
            h2 { "The pool" }
            table class="cards" {
                thead { tr { th scope="col" { "component" } th scope="col" class="number" { "amount" } th scope="col" { "evidence" } } }
                tbody { @for component in &pool.components { tr {
                    td { (component.component) }
                    td class="number" data-label="amount" { (credits(component.amount.value(), pool.decimals, &pool.unit)) }
                    td data-label="evidence" { @if let Some(evidence) = &component.evidence_ref { (evidence) } }
                } } }
            }
            @if sight.shown.epoch.phase == "open" {
                h3 id="pool-title" { "Add a component" }
                (sending(sight, "pool", &Way::Fields, &content))
            } @else { p { "Closing has fixed it." } }
        }
    }
}

/// Where events come from while the epoch is open.
pub(super) fn intake(sight: &Sight<'_>) -> Markup {
    let lines = html! {
        div class="field" {
            label for="import-file" { "A file of events, one JSON object a line" }
            input id="import-file" name="file" type="file";
        }
        div class="field" {
            label for="import-lines" { "Or the lines themselves" }
            textarea id="import-lines" name="lines" rows="3" { (sight.typed("import").text("lines")) }
        }
        div class="beside" { input type="checkbox" id="import-keep-good" name="keep-good" value="1" checked[sight.typed("import").is_ticked("keep-good")];
            " " label class="beside" for="import-keep-good" { "store the good lines beside bad ones" } }
        button type="submit" { "Take them in" }
    };
    html! {
        section id="intake" {
            h2 { "More events" }
            h3 id="collect-title" { "Collect" }
            (sending(sight, "collect", &Way::Fields, &html! {
                p { "Reads the sources of the node's settings, as its schedule does." }
                button type="submit" { "Collect now" }
            }))
            h3 id="import-title" { "Import" }
            (sending(sight, "import", &Way::Parts, &lines))
        }
    }
}

/// Closes the epoch.
pub(super) fn close(sight: &Sight<'_>) -> Markup {
    let gaps = &sight.shown.gaps;
    let content = html! {
        p { "Closing pins the events and the pool. Its period ends before " (time(sight.shown.epoch.period_end)) "." }
        @if !gaps.is_empty() {
            div class="refused" { p { "Its sources have more than was collected:" } ul { @for gap in gaps { li { (gap) } } } }
        }
        (field(sight, "close-early", "early", "Why it is closed before its period has ended", "only where it has not", false))
        (field(sight, "close-gap", "gap", "Why it is closed although its sources have more", "only where they do", false))
        button type="submit" { "Close the epoch" }
    };
    html! { section id="close" { h2 id="close-title" { "Close" } (sending(sight, "close", &Way::Fields, &content)) } }
}

/// Freezes a draft, and shows the one that is offered.
pub(super) fn draft(sight: &Sight<'_>) -> Markup {
    let again = sight.shown.epoch.current_draft.is_some();
    let content = html! {
        (field(sight, "draft-days", "days", "Days in which signatures are taken", "the node's setting where nothing is said", false))
        @if again {
            div class="beside" { input type="checkbox" id="draft-again" name="again" value="1" checked[sight.typed("draft").is_ticked("again")];
                " " label class="beside" for="draft-again" { "take the next revision although nothing has changed" } }
        }
        button type="submit" { "Freeze a draft" }
    };
    html! {
        section id="draft" {
            h2 id="draft-title" { "Draft" }
            @match sight.shown.epoch.current_draft {
                Some(revision) => p { "Revision " (revision) " is offered for signing. Freezing anew, after any change, makes signatures of it worthless." }
                None => p { "No draft is offered. Freezing one fixes the amounts that the approvers sign." }
            }
            (sending(sight, "draft", &Way::Fields, &content))
            @if let Some(text) = &sight.shown.draft {
                details { summary { "The draft, exactly as it is signed" } pre tabindex="0" { (text) } }
            }
        }
    }
}

/// Who signed and who is missing, the dossier to sign, and signatures that came back.
pub(super) fn signatures(sight: &Sight<'_>) -> Markup {
    let epoch = &sight.shown.epoch;
    let content = html! {
        div class="field" {
            label for="signatures-text" { "Signature lines, as " code { "meed sign" } " prints them" }
            textarea id="signatures-text" name="signatures" rows="3" { (sight.typed("signatures").text("signatures")) }
        }
        div class="field" {
            label for="signatures-file" { "Or a file of them" }
            input id="signatures-file" name="file" type="file";
        }
        button type="submit" { "Add signatures" }
    };
    html! {
        section id="signatures" {
            h2 id="signatures-title" { "Signatures" }
            @if epoch.current_draft.is_none() { p { "There is nothing to sign yet: freeze a draft." } }
            @else {
                table class="cards" {
                    caption { "Who signs the draft" }
                    thead { tr { th scope="col" { "approver" } th scope="col" { "state" } } }
                    tbody { @for signer in &sight.shown.signers {
                        tr { td { (key(&signer.name)) } td data-label="state" { @if signer.signed { "signed" } @else { "missing" } } }
                    } }
                }
                p { a class="button" href={ "/api/v1" (sight.base()) "/dossier" } download={ (epoch.scope) "-" (epoch.epoch) ".dossier" } { "Download the dossier" }
                    " It is what an approver signs: " code { "meed sign DOSSIER --key KEYFILE" } }
                (sending(sight, "signatures", &Way::Parts, &content))
            }
        }
    }
}

/// Makes the draft final, once enough approvers have signed it.
pub(super) fn finalize(sight: &Sight<'_>) -> Markup {
    let (signed, threshold) = sight.approvals();
    let unsigned = sight.shown.signers.iter().filter(|signer| !signer.signed);
    let missing: Vec<&str> = unsigned.map(|signer| signer.name.as_str()).collect();
    let content = html! {
        @if signed < threshold {
            p { strong { "Not yet: " } (signed) " of the " (threshold) " signatures that are needed are there. Missing are "
                (missing.join(", ")) ": " (threshold.saturating_sub(signed)) " of them must sign." }
        }
        (later(sight))
        p { "Computes the draft again, compares, and writes what is paid into the log of statements. It cannot be undone." }
        button type="submit" { "Finalize" }
    };
    html! {
        section id="finalize" {
            h2 id="finalize-title" { "Finalize" }
            @if sight.shown.epoch.current_draft.is_none() { p { "There is no draft yet." } }
            @else { (sending(sight, "finalize", &Way::Fields, &content)) }
        }
    }
}

/// What finalizing leaves out: the draft holds only what was decided before it was frozen.
fn later(sight: &Sight<'_>) -> Markup {
    let count = sight.shown.epoch.later_decisions;
    let them = if count == 1 { "it" } else { "them" };
    let is_ticked = sight.typed("finalize").is_ticked("leave_out_later");
    html! {
        @if count > 0 {
            p class="refused" { (counted(count, "decision")) " came after the draft, and finalizing leaves " (them)
                " out of this statement: only an amendment would hold " (them) ". To have " (them) " count, freeze the next draft and have that signed." }
            div class="beside" { input type="checkbox" id="finalize-later" name="leave_out_later" value="1" required checked[is_ticked];
                " " label class="beside" for="finalize-later" { "leave " (them) " out" } }
        }
    }
}

/// Begins an amendment of a final epoch.
pub(super) fn amendment(sight: &Sight<'_>) -> Markup {
    let content = html! { (reason(sight, "amendment-reason")) button type="submit" { "Begin an amendment" } };
    html! {
        section id="amendment" {
            h2 id="amendment-title" { "Amend" }
            p { "What is final stays readable and provable; an amendment corrects it by a new revision, signed as the first was." }
            (sending(sight, "amendment", &Way::Fields, &content))
        }
    }
}

/// Gives an amendment up.
pub(super) fn abandonment(sight: &Sight<'_>) -> Markup {
    let content =
        html! { (reason(sight, "abandon-reason")) button type="submit" { "Give the amendment up" } };
    html! {
        section id="abandon" {
            h2 id="abandon-title" { "Give the amendment up" }
            p { "The statement in force stays as it is. What was decided in this amendment is taken back with it, and its drafts can be signed no more; they stay readable." }
            (sending(sight, "abandon", &Way::Fields, &content))
        }
    }
}
