//! Scopes: what one budget pays for.

use axum::Json;
use axum::response::Response;
use utoipa_axum::routes;

use super::{Answer, Problems, Routes};
use crate::api::answers::typed;
use crate::api::authority::Access;
use crate::api::documents::{
    ConflictView, DecisionView, Page, ReasonRequest, ScopeChangeRequest, ScopeRequest, ScopeView,
};
use crate::api::extract::{Asked, At, Call, Document, Refused};
use crate::api::parameters::{DecisionsPart, Part, ScopePath};

pub(super) fn all() -> Routes {
    Routes::new()
        .with(Access::Anyone, routes!(scopes))
        .with(Access::Operate, routes!(add_scope))
        .with(Access::Anyone, routes!(scope))
        .with(Access::Operate, routes!(configure_scope))
        .with(Access::Operate, routes!(end_scope))
        .with(Access::Anyone, routes!(trust))
        .with(Access::Anyone, routes!(decisions))
        .with(Access::Anyone, routes!(conflicts))
}

/// The scopes of this node.
#[utoipa::path(
    get,
    path = "/api/v1/scopes",
    tag = "scopes",
    responses(
        (status = 200, description = "The scopes", body = Vec<ScopeView>),
        Problems
    )
)]
async fn scopes(call: Call) -> Answer<Vec<ScopeView>> {
    call.run(|service, _| service.scopes()).await.map(Json)
}

/// Adds a scope.
#[utoipa::path(
    post,
    path = "/api/v1/scopes",
    tag = "scopes",
    request_body = ScopeRequest,
    responses(
        (status = 200, description = "The scope", body = ScopeView),
        Problems
    )
)]
async fn add_scope(call: Call, Document(request): Document<ScopeRequest>) -> Answer<ScopeView> {
    call.run(move |service, actor| service.add_scope(&request, actor)).await.map(Json)
}

/// A scope: its unit, weights and rules.
#[utoipa::path(
    get,
    path = "/api/v1/scopes/{key}",
    tag = "scopes",
    params(ScopePath),
    responses(
        (status = 200, description = "The scope", body = ScopeView),
        Problems
    )
)]
async fn scope(call: Call, At(ScopePath { key }): At<ScopePath>) -> Answer<ScopeView> {
    call.run(move |service, _| service.scope(&key)).await.map(Json)
}

/// Changes the terms of a scope, for epochs that are opened later.
#[utoipa::path(
    patch,
    path = "/api/v1/scopes/{key}",
    tag = "scopes",
    params(ScopePath),
    request_body = ScopeChangeRequest,
    responses(
        (status = 200, description = "The scope", body = ScopeView),
        Problems
    )
)]
async fn configure_scope(
    call: Call,
    At(ScopePath { key }): At<ScopePath>,
    Document(request): Document<ScopeChangeRequest>,
) -> Answer<ScopeView> {
    call.run(move |service, _| service.configure_scope(&key, &request)).await.map(Json)
}

/// Ends a scope for good, by a recorded decision.
#[utoipa::path(
    post,
    path = "/api/v1/scopes/{key}/end",
    tag = "scopes",
    params(ScopePath),
    request_body = ReasonRequest,
    responses(
        (status = 200, description = "The scope", body = ScopeView),
        Problems
    )
)]
async fn end_scope(
    call: Call,
    At(ScopePath { key }): At<ScopePath>,
    Document(request): Document<ReasonRequest>,
) -> Answer<ScopeView> {
    call.run(move |service, actor| service.end_scope(&key, &request, actor)).await.map(Json)
}

/// The trust file that a verifier of this scope starts from.
#[utoipa::path(
    get,
    path = "/api/v1/scopes/{key}/trust",
    tag = "scopes",
    params(ScopePath),
    responses(
        (
            status = 200,
            description = "TOML",
            body = String,
            content_type = "application/toml"
        ),
        Problems
    )
)]
async fn trust(call: Call, At(ScopePath { key }): At<ScopePath>) -> Result<Response, Refused> {
    let found = call.run(move |service, _| service.trust(&key)).await?;
    Ok(typed("application/toml", found.into_bytes()))
}

/// Every change that a person made in this scope, with who, when and why.
#[utoipa::path(
    get,
    path = "/api/v1/scopes/{key}/decisions",
    tag = "scopes",
    params(ScopePath, DecisionsPart),
    responses(
        (
            status = 200,
            description = "A part of the decisions",
            body = Page<DecisionView>
        ),
        Problems
    )
)]
async fn decisions(
    call: Call,
    At(ScopePath { key }): At<ScopePath>,
    Asked(mut part): Asked<DecisionsPart>,
) -> Answer<Page<DecisionView>> {
    let wanted = part.wanted()?;
    call.run(move |service, _| service.decisions(&key, part.epoch, &wanted)).await.map(Json)
}

/// Events that came again with another content, and were kept out.
#[utoipa::path(
    get,
    path = "/api/v1/scopes/{key}/conflicts",
    tag = "scopes",
    params(ScopePath, Part),
    responses(
        (status = 200, description = "A part of the conflicts, which may be empty before the end", body = Page<ConflictView>),
        Problems
    )
)]
async fn conflicts(
    call: Call,
    At(ScopePath { key }): At<ScopePath>,
    Asked(mut part): Asked<Part>,
) -> Answer<Page<ConflictView>> {
    let wanted = part.wanted()?;
    call.run(move |service, _| service.conflicts(&key, &wanted)).await.map(Json)
}
