//! Signing in with a key or a wallet, and what people see and do about themselves.

use axum::Json;
use axum::http::HeaderMap;
use meed_audit::sign_in::{Challenge, Purpose};
use meed_audit::{Rejection, RejectionCode};
use utoipa_axum::routes;

use super::{Answer, Problems, Routes, with_optional_body};
use crate::api::authority::Access;
use crate::api::documents::{
    BoundView, ChallengeRequest, ChallengeView, JoinRequest, MeView, SessionView, SignInRequest,
    SignedOutView, UserView,
};
use crate::api::extract::{At, Call, Document};
use crate::api::parameters::IdentityPath;

pub(super) fn all() -> Routes {
    Routes::new()
        .with(Access::Anyone, routes!(challenge))
        .with(Access::Anyone, routes!(sign_in))
        .with(Access::SignIn, routes!(sign_out))
        .with(Access::SignIn, routes!(me))
        .with(Access::Contribute, with_optional_body(routes!(join)))
        .with(Access::Contribute, routes!(binding_challenge))
        .with(Access::Contribute, routes!(bind_own))
        .with(Access::Contribute, routes!(revoke_own))
}

/// Asks for a text to sign in with: for an Ed25519 key, or for a wallet (EIP-4361).
///
/// The text holds for ten minutes and counts once, for the key or wallet that was named and at the address of this node.
#[utoipa::path(
    post,
    path = "/api/v1/sign-in/challenges",
    tag = "sign-in",
    request_body = ChallengeRequest,
    responses((status = 200, description = "The text to sign", body = ChallengeView), Problems)
)]
async fn challenge(
    call: Call,
    headers: HeaderMap,
    Document(request): Document<ChallengeRequest>,
) -> Answer<ChallengeView> {
    view(&call.app.make_challenge(&request, Purpose::SignIn, &headers)?)
}

fn view(challenge: &Challenge) -> Answer<ChallengeView> {
    Ok(Json(ChallengeView { text: challenge.text(), expires_at: challenge.expires_at }))
}

/// Signs in: the text of a challenge and its signature give a session, whose secret is used as a token is.
#[utoipa::path(
    post,
    path = "/api/v1/sign-in",
    tag = "sign-in",
    request_body = SignInRequest,
    responses((status = 200, description = "The session", body = SessionView), Problems)
)]
async fn sign_in(
    call: Call,
    headers: HeaderMap,
    Document(request): Document<SignInRequest>,
) -> Answer<SessionView> {
    let (begun, caller) = call.app.sign_in(&request, &headers)?;
    Ok(Json(SessionView { secret: begun.secret, me: call.app.describe(caller).await? }))
}

/// Ends the session that the request shows.
#[utoipa::path(
    delete,
    path = "/api/v1/sign-in",
    tag = "sign-in",
    responses((status = 200, description = "Whose it was", body = SignedOutView), Problems)
)]
async fn sign_out(call: Call) -> Answer<SignedOutView> {
    let Call { app, caller } = call;
    let ended = caller.session.is_some_and(|session| app.sessions().end(&session.hash));
    if ended {
        return Ok(Json(SignedOutView { actor: caller.actor }));
    }
    let expected = "a session, which a token is not";
    let got = caller.standing.name();
    Err(Rejection::new(RejectionCode::RecordNotFound, "session", expected, got).into())
}

/// Who one is by the session or token that the request shows.
#[utoipa::path(
    get,
    path = "/api/v1/me",
    tag = "sign-in",
    responses((status = 200, description = "Oneself", body = MeView), Problems)
)]
async fn me(call: Call) -> Answer<MeView> {
    let Call { app, caller } = call;
    app.describe(caller).await.map(Json)
}

/// Becomes a person of this node: the account that one signed in with is bound to a new user.
///
/// What was signed to sign in is the evidence. An account that is somebody's already stays so; a name that is given is what
/// that person is called from then on.
#[utoipa::path(
    post,
    path = "/api/v1/me/user",
    tag = "sign-in",
    request_body = JoinRequest,
    responses((status = 200, description = "The person", body = UserView), Problems)
)]
async fn join(call: Call, Document(request): Document<JoinRequest>) -> Answer<UserView> {
    let person = call.caller.person()?;
    call.run(move |service, actor| service.join(&person, &request, actor)).await.map(Json)
}

/// Asks for a text by which another key or wallet becomes an account of the same person.
#[utoipa::path(
    post,
    path = "/api/v1/me/challenges",
    tag = "sign-in",
    request_body = ChallengeRequest,
    responses((status = 200, description = "The text to sign", body = ChallengeView), Problems)
)]
async fn binding_challenge(
    call: Call,
    headers: HeaderMap,
    Document(request): Document<ChallengeRequest>,
) -> Answer<ChallengeView> {
    let person = call.caller.person()?;
    view(&call.app.make_binding(request, &person, &headers).await?)
}

/// Binds another key or wallet to oneself, by a text that it signed.
#[utoipa::path(
    post,
    path = "/api/v1/me/identities",
    tag = "sign-in",
    request_body = SignInRequest,
    responses((status = 200, description = "The account", body = BoundView), Problems)
)]
async fn bind_own(
    call: Call,
    headers: HeaderMap,
    Document(request): Document<SignInRequest>,
) -> Answer<BoundView> {
    let holder = call.caller.person()?;
    let (user, other) = call.app.take_binding(&request, &headers)?;
    call.run(move |service, actor| service.bind_own(&holder, &other, user, actor)).await.map(Json)
}

/// Ends the binding of an account of one's own.
#[utoipa::path(
    delete,
    path = "/api/v1/me/identities/{identity}",
    tag = "sign-in",
    params(IdentityPath),
    responses((status = 200, description = "The account", body = BoundView), Problems)
)]
async fn revoke_own(call: Call, At(IdentityPath { identity }): At<IdentityPath>) -> Answer<BoundView> {
    let holder = call.caller.person()?;
    call.run(move |service, actor| service.revoke_own(&holder, &identity, actor)).await.map(Json)
}
