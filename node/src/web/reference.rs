//! The interface and the refusals, as pages for people.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use maud::html;
use meed_audit::RejectionCode;
use utoipa::openapi::PathItem;
use utoipa::openapi::path::Operation;

use super::{Answer, Page, Sorry, frame};
use crate::api::App;
use crate::api::extract::{At, Refused};
use crate::api::parameters::ProblemPath;
use crate::api::problems::status_of;
use crate::failure::reject;

/// `/api`: every route, who may use it, and what it does.
pub(super) async fn page(State(app): State<App>) -> Answer {
    let content = html! {
        p { "Reading is open to everybody. Writing needs a token, except signatures of approvers, which prove themselves. "
            "The same for programs: " a href="/api/v1/openapi.json" { "openapi.json" } ". What rules refuse: "
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

/// `/problems`: every refusal, and what to do about it.
pub(super) async fn problems() -> Answer {
    let content = html! {
        p { "What a rule of the ledger refuses is answered with a problem document whose " code { "code" } " is one of these and never changes its meaning. Each document says what to do; what is wrong with a request or with the node itself has codes of its own." }
        div class="wide" tabindex="0" role="region" aria-label="Problems" {
            table class="cards" {
                thead { tr { th scope="col" class="number" { "number" } th scope="col" { "code" } th scope="col" class="number" { "status" }
                    th scope="col" { "who acts" } th scope="col" { "what to do" } } }
                tbody { @for code in RejectionCode::ALL {
                    tr id=(code.name()) {
                        td class="number" data-label="number" { (code.number()) } td { a href={ "/problems/" (code.name()) } { code { (code.name()) } } }
                        td class="number" data-label="status" { (status_of(*code).as_u16()) } td data-label="who acts" { (code.actor()) } td { (code.remedy()) }
                    }
                } }
            }
        }
    };
    Ok(frame::page("Problems", &[("Overview", "/"), ("Problems", "")], &content))
}

/// `/problems/{code}`: where the `type` of a problem document leads, as a page or as JSON.
pub(super) async fn problem(
    headers: HeaderMap,
    At(ProblemPath { code }): At<ProblemPath>,
) -> Result<Response, Response> {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_person = accept.contains("text/html");
    let found = RejectionCode::ALL.iter().find(|known| known.name() == code);
    let known = found.ok_or_else(|| {
        let expected = "the name of a refusal";
        let refused = Refused::from(reject(RejectionCode::RecordNotFound, "problem", expected, &code));
        if is_person { Sorry::from(refused).into_response() } else { refused.into_response() }
    })?;
    if !is_person {
        return Ok(axum::Json(crate::api::problem_kind(*known)).into_response());
    }
    let title = known.name().replace('_', " ");
    let content = html! {
        dl {
            dt { "number" } dd { (known.number()) }
            dt { "status" } dd { (status_of(*known).as_u16()) }
            dt { "who acts" } dd { (known.actor()) }
            dt { "what to do" } dd { (known.remedy()) }
        }
    };
    let page: Page =
        frame::page(&title, &[("Overview", "/"), ("Problems", "/problems"), (&title, "")], &content);
    Ok(page.into_response())
}
