//! Events: taking them in, showing them, and deciding about them.

use axum::Json;
use utoipa_axum::routes;

use super::{Answer, Problems, Routes, with_optional_body};
use crate::api::authority::Access;
use crate::api::documents::{ActivityItem, CurationRequest, DecisionView, ImportView, Page};
use crate::api::extract::{Asked, At, Call, Document, Lines};
use crate::api::parameters::{ActivityPart, EpochPath, Import, ScopePath};

pub(super) fn all() -> Routes {
    Routes::new()
        .with_large_body(Access::Import, with_optional_body(routes!(import)))
        .with(Access::Anyone, routes!(activity))
        .with(Access::Curate, routes!(curate))
}

/// Takes in events, one JSON object a line.
#[utoipa::path(
    post,
    path = "/api/v1/scopes/{key}/events",
    tag = "activity",
    params(ScopePath, Import),
    request_body(content = String, content_type = "application/x-ndjson"),
    responses(
        (status = 200, description = "What became of the lines", body = ImportView),
        Problems
    )
)]
async fn import(
    call: Call,
    At(ScopePath { key }): At<ScopePath>,
    Asked(import): Asked<Import>,
    Lines(bytes): Lines,
) -> Answer<ImportView> {
    let first_line = import.first_line.unwrap_or(1);
    let flags = (import.keep_good, import.dry_run);
    let repositories = import.repositories.as_deref().unwrap_or_default().parse()?;
    call.run(move |service, _| service.import(&key, &bytes, first_line, flags, &repositories)).await.map(Json)
}

/// The events of an epoch in the order in which they came, as it takes them, and what each gives to whom.
#[utoipa::path(
    get,
    path = "/api/v1/scopes/{key}/epochs/{epoch}/activity",
    tag = "activity",
    params(EpochPath, ActivityPart),
    responses(
        (status = 200, description = "A part of the events", body = Page<ActivityItem>),
        Problems
    )
)]
async fn activity(
    call: Call,
    At(EpochPath { key, epoch }): At<EpochPath>,
    Asked(mut part): Asked<ActivityPart>,
) -> Answer<Page<ActivityItem>> {
    let wanted = part.wanted()?;
    call.run(move |service, _| service.activity(&key, epoch, part.revision, &wanted)).await.map(Json)
}

/// Leaves an event out, takes it in again, or weighs or shares it otherwise.
#[utoipa::path(
    patch,
    path = "/api/v1/scopes/{key}/epochs/{epoch}/curation",
    tag = "activity",
    params(EpochPath),
    request_body = CurationRequest,
    responses(
        (status = 200, description = "The decision", body = DecisionView),
        Problems
    )
)]
async fn curate(
    call: Call,
    At(EpochPath { key, epoch }): At<EpochPath>,
    Document(request): Document<CurationRequest>,
) -> Answer<DecisionView> {
    call.run(move |service, actor| service.curate(&key, epoch, &request, actor)).await.map(Json)
}
