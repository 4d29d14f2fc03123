//! What every page has: the head, the way around, and small things that several pages show.

use maud::{DOCTYPE, Markup, html};
use meed_audit::time::Timestamp;

use crate::api::problems::Problem;
use crate::words::amount;

/// A whole page. `place` says where in the node it is, the last one without a link.
pub(super) fn page(title: &str, place: &[(&str, &str)], content: &Markup) -> super::Page {
    super::Page(whole(title, place, content))
}

fn whole(title: &str, place: &[(&str, &str)], content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · meed" }
                link rel="stylesheet" href="/style.css";
                link rel="icon" href="data:,";
            }
            body {
                a class="skip" href="#content" { "Skip to the content" }
                header {
                    a class="name" href="/" { "meed" }
                    nav aria-label="Main" {
                        a href="/" { "Overview" }
                        a href="/verify" { "Verify" }
                        a href="/guide" { "Guide" }
                        a href="/api" { "Interface" }
                        a href="/me" { "You" }
                    }
                }
                main id="content" {
                    @if !place.is_empty() {
                        nav class="place" aria-label="Where you are" {
                            ol {
                                @for (name, link) in place {
                                    li {
                                        @if link.is_empty() { span aria-current="page" { (name) } }
                                        @else { a href=(link) { (name) } }
                                    }
                                }
                            }
                        }
                    }
                    h1 { (title) }
                    (content)
                }
                footer {
                    p {
                        "This page is made by the node itself. To check a payout without trusting the node, "
                        "verify its proof file with a trust file that did not come from here."
                    }
                }
            }
        }
    }
}

/// The page for a refusal, with the way to where the same thing can be tried again.
pub(super) fn sorry(problem: &Problem, again: Option<&str>) -> Markup {
    let content = html! {
        p class="refused" { (problem.detail) }
        p { strong { "What to do: " } (problem.remedy) " (" a href={ "/problems/" (problem.code) } { (problem.code) } ")" }
        @if let Some(again) = again { p { a href=(again) { "Try again" } } }
        @else if problem.status == 401 { p { a href="/sign-in" { "Sign in" } } }
        p { a href="/" { "Back to the overview" } }
    };
    whole(&problem.title, &[("Overview", "/"), (&problem.title, "")], &content)
}

/// A time as people read it, exact for programs.
pub(super) fn time(at: Timestamp) -> Markup {
    let exact = at.to_string();
    let shown = exact.get(..16).map_or(exact.clone(), |text| format!("{} UTC", text.replace('T', " ")));
    html! { time datetime=(exact) { (shown) } }
}

/// The day of a time.
pub(super) fn day(at: Timestamp) -> Markup {
    let exact = at.to_string();
    html! { time datetime=(exact) { (exact.get(..10).unwrap_or(&exact)) } }
}

/// Credits with their unit.
pub(super) fn credits(credits: u128, decimals: u8, unit: &str) -> String {
    format!("{} {unit}", amount(credits, decimals))
}

/// A key that is long, shortened for the eye and whole for who copies it.
pub(super) fn key(text: &str) -> Markup {
    html! { code class="key" { (text) } }
}

/// The state of an epoch: the one word for it, and whether it is being amended.
pub(super) fn state(phase: &str, amending: bool) -> String {
    if amending { format!("{phase}, being amended") } else { phase.to_owned() }
}

/// The state of an epoch, with a sign that is not only a colour.
pub(super) fn phase(phase: &str, amending: bool) -> Markup {
    let sign = match phase {
        "open" => "○",
        "finalized" if !amending => "●",
        _ => "◐",
    };
    html! { span class={ "phase " (phase) } { span aria-hidden="true" { (sign) " " } (state(phase, amending)) } }
}

/// More or less: the second amount against the first one, with a sign; nothing where they are equal.
pub(super) fn change(before: u128, after: u128, show: impl Fn(u128) -> String) -> String {
    match after.checked_sub(before) {
        Some(0) => String::new(),
        Some(more) => format!("+{}", show(more)),
        None => format!("\u{2212}{}", show(before.saturating_sub(after))),
    }
}
