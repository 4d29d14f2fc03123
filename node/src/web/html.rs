//! Refusals of pages as pages: whoever asks for HTML is told in HTML, also where the address itself is refused before a
//! page has been asked, or where there is none.

use axum::extract::Request;
use axum::http::{HeaderMap, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, Limited};

use super::Sorry;
use crate::api::answers::by_preference;
use crate::api::problems::{PROBLEM_TYPE, Problem, ProblemResponse};

/// Where the interface for programs is: it answers in one way, whoever asks.
const INTERFACE: &str = "/api/";
/// Longest document of a problem that is turned into a page.
const PROBLEM_BYTES_MAX: usize = 1 << 20;

/// Whether a request comes from somebody who reads pages.
fn is_person(headers: &HeaderMap, uri: &Uri) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.contains("text/html") && !uri.path().starts_with(INTERFACE)
}

/// A problem as the request prefers it: a page for people, the document for programs.
pub(crate) fn problem_for(headers: &HeaderMap, uri: &Uri, problem: Problem) -> Response {
    let problem = Box::new(problem);
    by_preference(if is_person(headers, uri) {
        Sorry::new(problem).into_response()
    } else {
        ProblemResponse(problem).into_response()
    })
}

/// Lets a page answer, and makes a page of a problem document that somebody gets who asked for HTML.
pub(super) async fn answer(request: Request, next: Next) -> Response {
    let is_person = is_person(request.headers(), request.uri());
    let response = next.run(request).await;
    let media_type = response.headers().get(header::CONTENT_TYPE);
    if media_type.is_none_or(|value| value != PROBLEM_TYPE) {
        return response;
    }
    let response = by_preference(response);
    if !is_person {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let read = Limited::new(body, PROBLEM_BYTES_MAX).collect().await;
    let problem = read.ok().and_then(|read| serde_json::from_slice::<Problem>(&read.to_bytes()).ok());
    let Some(problem) = problem else { return parts.status.into_response() };
    let page = Sorry::new(Box::new(problem)).into_response();
    let (own, body) = page.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    // What the problem was answered with stays: when to ask again, who may.
    parts.headers.extend(own.headers);
    Response::from_parts(parts, body)
}
