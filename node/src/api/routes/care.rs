//! Looking after the ledger: for the owner, at the node's own machine.

use axum::Json;
use utoipa_axum::routes;

use super::{Answer, Problems, Routes};
use crate::api::authority::Access;
use crate::api::documents::{
    BackupRequest, BackupView, CompactView, EraseRequest, ErasedView, FsckView, NodeView, ResumeRequest,
    SecretView, TokenRequest, TokenView,
};
use crate::api::extract::{At, Call, Document};
use crate::api::parameters::TokenPath;

pub(super) fn all() -> Routes {
    Routes::new()
        .with(Access::Own, routes!(erase))
        .with(Access::Own, routes!(fsck))
        .with(Access::Own, routes!(backup))
        .with(Access::Own, routes!(resume))
        .with(Access::Own, routes!(compact))
        .with(Access::Own, routes!(tokens, add_token))
        .with(Access::Own, routes!(revoke_token))
}

/// Erases the metadata of an event: names, titles, links.
#[utoipa::path(
    post,
    path = "/api/v1/erase",
    tag = "care",
    request_body = EraseRequest,
    responses(
        (status = 200, description = "Whether there was anything", body = ErasedView),
        Problems
    )
)]
async fn erase(call: Call, Document(request): Document<EraseRequest>) -> Answer<ErasedView> {
    call.run(move |service, actor| service.erase(&request, actor)).await.map(Json)
}

/// Checks every stored byte, root and proof by computing them again.
#[utoipa::path(
    post,
    path = "/api/v1/fsck",
    tag = "care",
    responses(
        (status = 200, description = "What was found", body = FsckView),
        Problems
    )
)]
async fn fsck(call: Call) -> Answer<FsckView> {
    call.run(|service, _| service.fsck()).await.map(Json)
}

/// Copies the ledger to a file, and checks every record on the way.
#[utoipa::path(
    post,
    path = "/api/v1/backup",
    tag = "care",
    request_body = BackupRequest,
    responses(
        (status = 200, description = "What was written", body = BackupView),
        Problems
    )
)]
async fn backup(call: Call, Document(request): Document<BackupRequest>) -> Answer<BackupView> {
    call.run(move |service, _| service.backup(&request)).await.map(Json)
}

/// Lets a restored ledger sign again.
#[utoipa::path(
    post,
    path = "/api/v1/resume",
    tag = "care",
    request_body = ResumeRequest,
    responses(
        (status = 200, description = "The node", body = NodeView),
        Problems
    )
)]
async fn resume(call: Call, Document(request): Document<ResumeRequest>) -> Answer<NodeView> {
    call.run(move |service, _| service.resume(&request)).await.map(Json)
}

/// Gives unused space of the ledger file back.
#[utoipa::path(
    post,
    path = "/api/v1/compact",
    tag = "care",
    responses(
        (status = 200, description = "What it gave", body = CompactView),
        Problems
    )
)]
async fn compact(call: Call) -> Answer<CompactView> {
    call.run(|service, _| service.compact()).await.map(Json)
}

/// All tokens, without their secrets.
#[utoipa::path(
    get,
    path = "/api/v1/tokens",
    tag = "care",
    responses((status = 200, description = "The tokens", body = Vec<TokenView>), Problems)
)]
async fn tokens(call: Call) -> Answer<Vec<TokenView>> {
    call.run(|service, _| service.tokens()).await.map(Json)
}

/// Makes a token; its secret is shown this once.
#[utoipa::path(
    post,
    path = "/api/v1/tokens",
    tag = "care",
    request_body = TokenRequest,
    responses((status = 200, description = "The token", body = SecretView), Problems)
)]
async fn add_token(call: Call, Document(request): Document<TokenRequest>) -> Answer<SecretView> {
    call.run(move |service, actor| service.add_token(&request, actor)).await.map(Json)
}

/// Revokes a token at once and for good.
#[utoipa::path(
    delete,
    path = "/api/v1/tokens/{name}",
    tag = "care",
    params(TokenPath),
    responses((status = 200, description = "The token", body = TokenView), Problems)
)]
async fn revoke_token(call: Call, At(TokenPath { name }): At<TokenPath>) -> Answer<TokenView> {
    call.run(move |service, _| service.revoke_token(&name)).await.map(Json)
}
