//! The interface and the refusals, as pages for people.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use utoipa::openapi::PathItem;
use utoipa::openapi::path::Operation;

use super::tables::wide;
use super::{Answer, Page, Sorry, frame};
use crate::api::extract::{At, Refused};
use crate::api::parameters::ProblemPath;
use crate::api::{App, ProblemKind};

/// `/api`: every route, who may use it, and what it does.
pub(super) async fn page(State(app): State<App>) -> Answer {
    let content = html! {
        p { "Reading is open to everybody. Writing needs a token, except signatures of approvers, which prove themselves. "
            "The same for programs: " a href="/api/v1/openapi.json" { "openapi.json" } ". What can be refused or go wrong: "
            a href="/problems" { "the table of problems" } "." }
        div class="wide" tabindex="0" role="region" aria-label="Routes" {
            table class="cards" {
                thead { tr { th scope="col" { "route" } th scope="col" { "who" } th scope="col" { "what" } } }
                tbody { @for (path, item) in &app.description().paths.paths {
                    @for (method, operation) in operations(item) {
                        tr {
                            td { code { (method) " " (path) } }
                            td data-label="who" { (access(operation)) }
                            td { (operation.summary.as_deref().or(operation.description.as_deref()).unwrap_or_default()) }
                        }
                    }
                } }
            }
        }
    };
    Ok(frame::page("Interface", &[("Overview", "/"), ("Interface", "")], &content))
}

fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    let all = [("GET", &item.get), ("POST", &item.post), ("PATCH", &item.patch), ("DELETE", &item.delete)];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

fn access(operation: &Operation) -> String {
    let named = operation.extensions.as_ref().and_then(|extensions| extensions.get("x-access"));
    named.and_then(serde_json::Value::as_str).unwrap_or("anyone").to_owned()
}

/// `/problems`: everything that can be refused or go wrong, and what to do about it.
pub(super) async fn problems() -> Answer {
    let (rules, others): (Vec<ProblemKind>, Vec<ProblemKind>) =
        ProblemKind::all().partition(|kind| kind.number.is_some());
    let content = html! {
        p { "What is refused or goes wrong is answered with a problem document whose " code { "code" }
            " is one of these and never changes its meaning. Each document says what to do." }
        section {
            h2 { "Refused by a rule of the ledger" }
            (wide("Refusals by rules", &html! {
                table class="cards" {
                    thead { tr { th scope="col" class="number" { "number" } th scope="col" { "code" } th scope="col" class="number" { "status" }
                        th scope="col" { "who acts" } th scope="col" { "what to do" } } }
                    tbody { @for kind in &rules {
                        tr id=(kind.code) {
                            td class="number" data-label="number" { (kind.number.unwrap_or_default()) } (named(kind))
                            td data-label="who acts" { (kind.who_acts) } td { (kind.remedy) }
                        }
                    } }
                }
            }))
        }
        section {
            h2 { "Wrong with the request, the node or the command" }
            (wide("Other problems", &html! {
                table class="cards" {
                    thead { tr { th scope="col" { "code" } th scope="col" class="number" { "status" }
                        th scope="col" { "what it means" } th scope="col" { "who acts" } th scope="col" { "what to do" } } }
                    tbody { @for kind in &others {
                        tr id=(kind.code) {
                            (named(kind)) td data-label="means" { (kind.meaning.as_deref().unwrap_or_default()) }
                            td data-label="who acts" { (kind.who_acts) } td { (kind.remedy) }
                        }
                    } }
                }
            }))
        }
    };
    Ok(frame::page("Problems", &[("Overview", "/"), ("Problems", "")], &content))
}

fn named(kind: &ProblemKind) -> Markup {
    html! {
        td { a href={ "/problems/" (kind.code) } { code { (kind.code) } } }
        td class="number" data-label="status" { (kind.status) }
    }
}

/// `/problems/{code}`: where the `type` of a problem document leads, as a page or as JSON.
pub(super) async fn problem(
    headers: HeaderMap,
    At(ProblemPath { code }): At<ProblemPath>,
) -> Result<Response, Response> {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_person = accept.contains("text/html");
    let kind = ProblemKind::find(&code).map_err(|failure| {
        let refused = Refused::from(failure);
        if is_person { Sorry::from(refused).into_response() } else { refused.into_response() }
    })?;
    if !is_person {
        return Ok(axum::Json(kind).into_response());
    }
    let title = kind.code.replace('_', " ");
    let content = html! {
        dl {
            @if let Some(meaning) = &kind.meaning { dt { "what it means" } dd { (meaning) } }
            @if let Some(number) = kind.number { dt { "number" } dd { (number) } }
            dt { "status" } dd { (kind.status) }
            dt { "who acts" } dd { (kind.who_acts) }
            dt { "what to do" } dd { (kind.remedy) }
        }
    };
    let page: Page =
        frame::page(&title, &[("Overview", "/"), ("Problems", "/problems"), (&title, "")], &content);
    Ok(page.into_response())
}
