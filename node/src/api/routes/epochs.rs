//! The life of an epoch: open, review, final.

use axum::Json;
use utoipa_axum::routes;

use super::{Answer, Problems, Routes, with_optional_body};
use crate::api::authority::Access;
use crate::api::documents::{
    AmendRequest, CloseRequest, DraftView, EpochView, FreezeRequest, OpenRequest, Page,
};
use crate::api::extract::{Asked, At, Call, Document};
use crate::api::parameters::{EpochPath, Part, ScopePath};

pub(super) fn all() -> Routes {
    Routes::new()
        .with(Access::Anyone, routes!(epochs))
        .with(Access::Operate, routes!(open_epoch))
        .with(Access::Anyone, routes!(epoch))
        .with(Access::Operate, with_optional_body(routes!(close_epoch)))
        .with(Access::Anyone, routes!(drafts))
        .with(Access::Operate, with_optional_body(routes!(freeze)))
        .with(Access::Operate, routes!(amend))
        .with(Access::Operate, routes!(abandon_amendment))
}

/// The epochs of a scope, in order.
#[utoipa::path(
    get,
    path = "/api/v1/scopes/{key}/epochs",
    tag = "epochs",
    params(ScopePath, Part),
    responses(
        (status = 200, description = "A part of the epochs", body = Page<EpochView>),
        Problems
    )
)]
async fn epochs(
    call: Call,
    At(ScopePath { key }): At<ScopePath>,
    Asked(mut part): Asked<Part>,
) -> Answer<Page<EpochView>> {
    let wanted = part.wanted()?;
    call.run(move |service, _| service.epochs(&key, &wanted)).await.map(Json)
}

/// Opens the epoch whose window holds a time.
#[utoipa::path(
    post,
    path = "/api/v1/scopes/{key}/epochs",
    tag = "epochs",
    params(ScopePath),
    request_body = OpenRequest,
    responses(
        (status = 200, description = "The epoch", body = EpochView),
        Problems
    )
)]
async fn open_epoch(
    call: Call,
    At(ScopePath { key }): At<ScopePath>,
    Document(request): Document<OpenRequest>,
) -> Answer<EpochView> {
    call.run(move |service, actor| service.open_epoch(&key, &request, actor)).await.map(Json)
}

/// One epoch and how it stands.
#[utoipa::path(
    get,
    path = "/api/v1/scopes/{key}/epochs/{epoch}",
    tag = "epochs",
    params(EpochPath),
    responses(
        (status = 200, description = "The epoch", body = EpochView),
        Problems
    )
)]
async fn epoch(call: Call, At(EpochPath { key, epoch }): At<EpochPath>) -> Answer<EpochView> {
    call.run(move |service, _| service.epoch(&key, epoch)).await.map(Json)
}

/// Closes an epoch: pins its pool and its events, and begins the review.
#[utoipa::path(
    post,
    path = "/api/v1/scopes/{key}/epochs/{epoch}/close",
    tag = "epochs",
    params(EpochPath),
    request_body = CloseRequest,
    responses(
        (status = 200, description = "The epoch", body = EpochView),
        Problems
    )
)]
async fn close_epoch(
    call: Call,
    At(EpochPath { key, epoch }): At<EpochPath>,
    Document(request): Document<CloseRequest>,
) -> Answer<EpochView> {
    call.run(move |service, actor| service.close_epoch(&key, epoch, &request, actor)).await.map(Json)
}

/// Every draft of an epoch, with its signed note.
#[utoipa::path(
    get,
    path = "/api/v1/scopes/{key}/epochs/{epoch}/drafts",
    tag = "epochs",
    params(EpochPath),
    responses(
        (status = 200, description = "The drafts", body = Vec<DraftView>),
        Problems
    )
)]
async fn drafts(call: Call, At(EpochPath { key, epoch }): At<EpochPath>) -> Answer<Vec<DraftView>> {
    call.run(move |service, _| service.drafts(&key, epoch)).await.map(Json)
}

/// Freezes a draft: the text that approvers are asked to sign.
#[utoipa::path(
    post,
    path = "/api/v1/scopes/{key}/epochs/{epoch}/drafts",
    tag = "epochs",
    params(EpochPath),
    request_body = FreezeRequest,
    responses(
        (status = 200, description = "The draft", body = DraftView),
        Problems
    )
)]
async fn freeze(
    call: Call,
    At(EpochPath { key, epoch }): At<EpochPath>,
    Document(request): Document<FreezeRequest>,
) -> Answer<DraftView> {
    call.run(move |service, actor| service.freeze(&key, epoch, &request, actor)).await.map(Json)
}

/// Begins an amendment of a final epoch.
#[utoipa::path(
    post,
    path = "/api/v1/scopes/{key}/epochs/{epoch}/amendments",
    tag = "epochs",
    params(EpochPath),
    request_body = AmendRequest,
    responses(
        (status = 200, description = "The epoch", body = EpochView),
        Problems
    )
)]
async fn amend(
    call: Call,
    At(EpochPath { key, epoch }): At<EpochPath>,
    Document(request): Document<AmendRequest>,
) -> Answer<EpochView> {
    call.run(move |service, actor| service.amend(&key, epoch, &request, actor)).await.map(Json)
}

/// Gives an amendment up: the epoch is final as it was, without what was decided in it.
#[utoipa::path(
    post,
    path = "/api/v1/scopes/{key}/epochs/{epoch}/amendments/abandon",
    tag = "epochs",
    params(EpochPath),
    request_body = AmendRequest,
    responses(
        (status = 200, description = "The epoch", body = EpochView),
        Problems
    )
)]
async fn abandon_amendment(
    call: Call,
    At(EpochPath { key, epoch }): At<EpochPath>,
    Document(request): Document<AmendRequest>,
) -> Answer<EpochView> {
    call.run(move |service, actor| service.abandon_amendment(&key, epoch, &request, actor)).await.map(Json)
}
