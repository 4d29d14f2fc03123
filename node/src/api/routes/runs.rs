//! Runs and schedules: collecting and finalizing, which a node that serves does after it has answered, and what is done
//! by itself.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use meed_audit::{Rejection, RejectionCode};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::{Answer, Problems, Routes, with_optional_body};
use crate::api::authority::{Access, Standing};
use crate::api::documents::{
    CollectRequest, CollectView, FinalView, FinalizeRequest, Page, RunView, ScheduleView,
};
use crate::api::extract::{Asked, At, Call, Document, Refused};
use crate::api::parameters::{EpochPath, ScopePath};
use crate::client::segment;
use crate::failure::Failure;
use crate::service::Wanted;
use crate::workflow;

/// Most runs of one part of the list.
const RUNS_MAX: u64 = 1_000;
const RUNS_DEFAULT: u64 = 20;

pub(super) fn all() -> Routes {
    Routes::new()
        .with(Access::Operate, with_optional_body(routes!(collect)))
        .with(Access::Operate, with_optional_body(routes!(finalize)))
        .with(Access::Operate, routes!(runs))
        .with(Access::Operate, routes!(run))
        .with(Access::Operate, routes!(schedules))
        .with(Access::Operate, routes!(run_schedule))
        .with(Access::Operate, routes!(pause_schedule))
        .with(Access::Operate, routes!(resume_schedule))
}

/// Which run.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct RunPath {
    /// Its id.
    #[param(example = "finalize-default-1")]
    id: String,
}

/// Which attempt of a run.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Attempt {
    /// The number of the attempt, from 1; the newest where none is given.
    attempt: Option<u32>,
}

/// Which part of the list of runs.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Newest {
    /// Those of one scope only.
    scope: Option<String>,
    /// Those before this sequence only: the `next` of the part before.
    before: Option<u64>,
    /// How many; 20 where nothing is said. More than the maximum is refused.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u64>,
}

/// 202 with the run's address where a node does it, 200 with what came of it where it was done.
fn respond(answer: workflow::Answer) -> Response {
    match answer {
        workflow::Answer::Ended(output) => Json(output).into_response(),
        workflow::Answer::Begun(run) => begun(&run),
    }
}

fn begun(run: &RunView) -> Response {
    let location = format!("/api/v1/runs/{}", segment(&run.id));
    (StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(run)).into_response()
}

/// Collects events from the sources of the settings; for the owner, from a place that the request names too.
#[utoipa::path(
    post,
    path = "/api/v1/scopes/{key}/collect",
    tag = "runs",
    params(ScopePath),
    request_body = CollectRequest,
    responses(
        (status = 200, description = "What became of the events, where no node serves", body = CollectView),
        (status = 202, description = "The run, whose address is in Location", body = RunView),
        Problems
    )
)]
async fn collect(
    call: Call,
    At(ScopePath { key }): At<ScopePath>,
    Document(request): Document<CollectRequest>,
) -> Result<Response, Refused> {
    let place = request.git.clone().or(request.github.as_ref().map(|place| place.repository.to_string()));
    if let Some(place) = place
        && !matches!(call.caller.standing, Standing::Owner)
    {
        return Err(not_the_owners(&place).into());
    }
    call.run(move |service, actor| service.runner().collect(&key, &request, actor)).await.map(respond)
}

/// A token is no account on the node's machine: whoever holds one must not make the node read any folder there, nor send
/// its secrets to any address.
fn not_the_owners(place: &str) -> Failure {
    let expected = "no place, for only the owner may name a folder of the node's machine or a token there";
    let remedy =
        "leave it out, and name the place as a source in the node's meed.toml; or collect on its machine";
    Failure::from(Rejection::new(RejectionCode::RoleForbids, "place", expected, place)).with_remedy(remedy)
}

/// Finalizes the current draft, once enough approvers have signed it.
#[utoipa::path(
    post,
    path = "/api/v1/scopes/{key}/epochs/{epoch}/finalize",
    tag = "runs",
    params(EpochPath),
    request_body = FinalizeRequest,
    responses(
        (status = 200, description = "What is final, where no node serves", body = FinalView),
        (status = 202, description = "The run, whose address is in Location", body = RunView),
        Problems
    )
)]
async fn finalize(
    call: Call,
    At(EpochPath { key, epoch }): At<EpochPath>,
    Document(request): Document<FinalizeRequest>,
) -> Result<Response, Refused> {
    call.run(move |service, actor| service.runner().finalize(&key, epoch, request, actor)).await.map(respond)
}

/// The newest runs.
#[utoipa::path(
    get,
    path = "/api/v1/runs",
    tag = "runs",
    params(Newest),
    responses(
        (status = 200, description = "A part of the runs, the newest first", body = Page<RunView>),
        Problems
    )
)]
async fn runs(call: Call, Asked(newest): Asked<Newest>) -> Answer<Page<RunView>> {
    let limit = Wanted::new(None, newest.limit.unwrap_or(RUNS_DEFAULT), RUNS_MAX)?.limit();
    let work = call.run(move |service, _| service.runs(newest.scope.as_deref(), newest.before, limit));
    work.await.map(Json)
}

/// A run: its steps, what its sources have, why it failed or what came of it.
#[utoipa::path(
    get,
    path = "/api/v1/runs/{id}",
    tag = "runs",
    params(RunPath, Attempt),
    responses(
        (status = 200, description = "The run", body = RunView),
        Problems
    )
)]
async fn run(call: Call, At(RunPath { id }): At<RunPath>, Asked(attempt): Asked<Attempt>) -> Answer<RunView> {
    call.run(move |service, _| service.run(&id, attempt.attempt)).await.map(Json)
}

/// What the node does for each scope by itself.
#[utoipa::path(
    get,
    path = "/api/v1/schedules",
    tag = "runs",
    responses(
        (status = 200, description = "The schedules", body = Vec<ScheduleView>),
        Problems
    )
)]
async fn schedules(call: Call) -> Answer<Vec<ScheduleView>> {
    call.run(|service, _| service.schedules()).await.map(Json)
}

/// Does now what is due for a scope, tries again what failed, and collects.
#[utoipa::path(
    post,
    path = "/api/v1/scopes/{key}/schedule/run",
    tag = "runs",
    params(ScopePath),
    responses(
        (status = 200, description = "The run, where no node serves: it has ended", body = RunView),
        (status = 202, description = "The run, whose address is in Location", body = RunView),
        Problems
    )
)]
async fn run_schedule(call: Call, At(ScopePath { key }): At<ScopePath>) -> Result<Response, Refused> {
    let run = call.run(move |service, actor| service.runner().run_schedule(&key, actor)).await?;
    Ok(if run.has_ended() { Json(run).into_response() } else { begun(&run) })
}

/// Pauses the schedule of a scope.
#[utoipa::path(
    post,
    path = "/api/v1/scopes/{key}/schedule/pause",
    tag = "runs",
    params(ScopePath),
    responses(
        (status = 200, description = "The schedule", body = ScheduleView),
        Problems
    )
)]
async fn pause_schedule(call: Call, At(ScopePath { key }): At<ScopePath>) -> Answer<ScheduleView> {
    call.run(move |service, actor| service.runner().pause_schedule(&key, actor)).await.map(Json)
}

/// Lets the schedule of a scope go on, and make up for what fell due meanwhile.
#[utoipa::path(
    post,
    path = "/api/v1/scopes/{key}/schedule/resume",
    tag = "runs",
    params(ScopePath),
    responses(
        (status = 200, description = "The schedule", body = ScheduleView),
        Problems
    )
)]
async fn resume_schedule(call: Call, At(ScopePath { key }): At<ScopePath>) -> Answer<ScheduleView> {
    call.run(move |service, _| service.runner().resume_schedule(&key)).await.map(Json)
}
