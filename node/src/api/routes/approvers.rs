//! Approver sets: who signs what a scope pays.

use axum::Json;
use utoipa_axum::routes;

use super::{Answer, Problems, Routes};
use crate::api::authority::Access;
use crate::api::documents::{ApproversRequest, ApproversView};
use crate::api::extract::{At, Call, Document, Text};
use crate::api::parameters::ScopePath;

pub(super) fn all() -> Routes {
    Routes::new()
        .with(Access::Anyone, routes!(approvers))
        .with(Access::Operate, routes!(set_approvers))
        .with(Access::Operate, routes!(withdraw_approvers))
        .with(Access::Anyone, routes!(add_approver_signatures))
}

/// The approver set in force, and the one that is proposed.
#[utoipa::path(
    get,
    path = "/api/v1/scopes/{key}/approvers",
    tag = "approvers",
    params(ScopePath),
    responses(
        (status = 200, description = "The approvers", body = ApproversView),
        Problems
    )
)]
async fn approvers(call: Call, At(ScopePath { key }): At<ScopePath>) -> Answer<ApproversView> {
    call.run(move |service, _| service.approvers(&key)).await.map(Json)
}

/// Sets the first approvers of a scope, or proposes the next set.
#[utoipa::path(
    post,
    path = "/api/v1/scopes/{key}/approvers",
    tag = "approvers",
    params(ScopePath),
    request_body = ApproversRequest,
    responses(
        (status = 200, description = "The approvers", body = ApproversView),
        Problems
    )
)]
async fn set_approvers(
    call: Call,
    At(ScopePath { key }): At<ScopePath>,
    Document(request): Document<ApproversRequest>,
) -> Answer<ApproversView> {
    call.run(move |service, actor| service.set_approvers(&key, &request, actor)).await.map(Json)
}

/// Gives up the set that is proposed.
#[utoipa::path(
    delete,
    path = "/api/v1/scopes/{key}/approvers",
    tag = "approvers",
    params(ScopePath),
    responses(
        (status = 200, description = "The approvers", body = ApproversView),
        Problems
    )
)]
async fn withdraw_approvers(call: Call, At(ScopePath { key }): At<ScopePath>) -> Answer<ApproversView> {
    call.run(move |service, _| service.withdraw_approvers(&key)).await.map(Json)
}

/// Adds cosignatures to the set that is proposed; each proves itself, so no token is asked for.
#[utoipa::path(
    post,
    path = "/api/v1/scopes/{key}/approvers/signatures",
    tag = "approvers",
    params(ScopePath),
    request_body(content = String, content_type = "text/plain"),
    responses(
        (status = 200, description = "The approvers", body = ApproversView),
        Problems
    )
)]
async fn add_approver_signatures(
    call: Call,
    At(ScopePath { key }): At<ScopePath>,
    Text(text): Text,
) -> Answer<ApproversView> {
    call.run(move |service, _| service.add_approver_signatures(&key, &text)).await.map(Json)
}
