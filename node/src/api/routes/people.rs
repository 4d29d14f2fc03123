//! People and their accounts elsewhere.

use axum::Json;
use utoipa_axum::routes;

use super::{Answer, Problems, Routes, with_optional_body};
use crate::api::authority::Access;
use crate::api::documents::{
    BindRequest, BoundView, IdentityView, Page, RebindRequest, RevokeRequest, UserRequest, UserView,
};
use crate::api::extract::{Asked, Call, Document};
use crate::api::parameters::Part;

pub(super) fn all() -> Routes {
    Routes::new()
        .with(Access::Curate, routes!(users))
        .with(Access::Curate, with_optional_body(routes!(add_user)))
        .with(Access::Curate, routes!(identities))
        .with(Access::Curate, routes!(bind))
        .with(Access::Curate, routes!(revoke))
        .with(Access::Operate, routes!(rebind))
}

/// All people, with their accounts.
#[utoipa::path(
    get,
    path = "/api/v1/users",
    tag = "people",
    params(Part),
    responses(
        (status = 200, description = "A part of the people", body = Page<UserView>),
        Problems
    )
)]
async fn users(call: Call, Asked(mut part): Asked<Part>) -> Answer<Page<UserView>> {
    let wanted = part.wanted()?;
    call.run(move |service, _| service.users(&wanted)).await.map(Json)
}

/// Adds a person, or gives one who is known another name.
#[utoipa::path(
    post,
    path = "/api/v1/users",
    tag = "people",
    request_body = UserRequest,
    responses(
        (status = 200, description = "The person", body = UserView),
        Problems
    )
)]
async fn add_user(call: Call, Document(request): Document<UserRequest>) -> Answer<UserView> {
    call.run(move |service, actor| service.add_user(&request, actor)).await.map(Json)
}

/// All accounts that were ever bound.
#[utoipa::path(
    get,
    path = "/api/v1/identities",
    tag = "people",
    params(Part),
    responses(
        (status = 200, description = "A part of the accounts", body = Page<IdentityView>),
        Problems
    )
)]
async fn identities(call: Call, Asked(mut part): Asked<Part>) -> Answer<Page<IdentityView>> {
    let wanted = part.wanted()?;
    call.run(move |service, _| service.identities(&wanted)).await.map(Json)
}

/// Records that an account elsewhere is a user's.
#[utoipa::path(
    post,
    path = "/api/v1/identities/bind",
    tag = "people",
    request_body = BindRequest,
    responses(
        (status = 200, description = "The account", body = BoundView),
        Problems
    )
)]
async fn bind(call: Call, Document(request): Document<BindRequest>) -> Answer<BoundView> {
    call.run(move |service, actor| service.bind(&request, actor)).await.map(Json)
}

/// Ends the binding of an account.
#[utoipa::path(
    post,
    path = "/api/v1/identities/revoke",
    tag = "people",
    request_body = RevokeRequest,
    responses(
        (status = 200, description = "The account", body = BoundView),
        Problems
    )
)]
async fn revoke(call: Call, Document(request): Document<RevokeRequest>) -> Answer<BoundView> {
    call.run(move |service, actor| service.revoke(&request, actor)).await.map(Json)
}

/// Gives an account that was somebody else's to a user, by a decision that names both.
#[utoipa::path(
    post,
    path = "/api/v1/identities/rebind",
    tag = "people",
    request_body = RebindRequest,
    responses(
        (status = 200, description = "The account", body = BoundView),
        Problems
    )
)]
async fn rebind(call: Call, Document(request): Document<RebindRequest>) -> Answer<BoundView> {
    call.run(move |service, actor| service.rebind(&request, actor)).await.map(Json)
}
