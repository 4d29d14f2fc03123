//! A run, as it goes on: the page looks again by itself until the run has ended.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::Sorry;
use super::advice;
use super::frame::{self, time};
use super::tables::wide;
use super::visitor::{self, unkept};
use crate::api::App;
use crate::api::authority::Access;
use crate::api::documents::{RunStepView, RunView};
use crate::api::extract::At;
use crate::words::notices;

/// Browsers know this header of old, and reload without any script.
const REFRESH: HeaderName = HeaderName::from_static("refresh");
/// Seconds until the page looks again.
const AGAIN: HeaderValue = HeaderValue::from_static("2");

/// Which run.
#[derive(Deserialize)]
pub(super) struct RunPath {
    id: String,
}

/// `/runs/{id}`
pub(super) async fn page(
    State(app): State<App>,
    headers: HeaderMap,
    At(RunPath { id }): At<RunPath>,
) -> Result<Response, Sorry> {
    let call = visitor::may_see(&app, &headers, Access::Operate).await?;
    let run = call.run(move |service, _| service.run(&id, None)).await?;
    let mut response = unkept(frame::page(&title(&run), &[("Overview", "/"), ("Run", "")], &content(&run)));
    if !run.has_ended() {
        response.headers_mut().insert(REFRESH, AGAIN);
    }
    Ok(response)
}

fn title(run: &RunView) -> String {
    let mut kind = run.kind.clone();
    if let Some(first) = kind.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    format!("{kind} {}", run.scope)
}

fn content(run: &RunView) -> Markup {
    html! {
        dl {
            dt { "run" } dd { code { (run.id) } ", attempt " (run.attempt) }
            dt { "state" } dd { strong id="run-state" role="status" { (run.state) }
                @if let Some(at) = run.retry_at { ", goes on at " (time(at)) } }
            dt { "asked for by" } dd { (run.by) " at " (time(run.started_at)) }
            @if let Some(at) = run.ended_at { dt { "ended" } dd { (time(at)) } }
        }
        @if let Some(problem) = &run.problem {
            div class="refused" role="alert" {
                @let problem = advice::for_page(problem.clone());
                p { (problem.detail) }
                p { strong { "What to do: " } (problem.remedy) }
            }
        }
        (wide("Steps", &html! {
            table class="cards" {
                thead { tr { th scope="col" { "step" } th scope="col" { "state" } th scope="col" { "when" } th scope="col" { "what came of it" } } }
                tbody { @for step in &run.steps { (row(step, &run.scope)) } }
            }
        }))
        @if !run.has_ended() { p { "This page looks again by itself. " a href={ "/runs/" (crate::client::segment(&run.id)) } { "Look now" } } }
        p { @match epoch_of(run) {
            Some(epoch) => a href={ "/scopes/" (run.scope) "/epochs/" (epoch) "/review" } { "Back to the review of epoch " (epoch) }
            None => a href={ "/scopes/" (run.scope) } { "To the scope" }
        } }
    }
}

fn row(step: &RunStepView, scope: &str) -> Markup {
    html! { tr {
        td { (step.name) }
        td data-label="state" { (step.state) @if step.tries > 1 { ", tried " (step.tries) " times" } }
        td data-label="when" { (time(step.at)) }
        td data-label="what came of it" {
            (step.result) @if let Some(at) = step.retry_at { " Tried again at " (time(at)) "." }
            @for notice in step.events.iter().flat_map(|events| notices(events, scope)) { p { (notice) "." } }
        }
    } }
}

/// The epoch that a run is of, where its id names one.
fn epoch_of(run: &RunView) -> Option<u64> {
    let is_of_epoch = matches!(run.kind.as_str(), "close" | "finalize");
    run.id.rsplit('-').next().filter(|_| is_of_epoch)?.parse().ok()
}
