//! Signing in on the pages: what somebody shows becomes a session, whose secret is in a cookie.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{Redirect, Response};
use maud::html;
use meed_audit::hash::Hash;
use meed_audit::sign_in::Purpose;
use serde::Deserialize;

use super::challenge::{self, AnswerForm, AskForm};
use super::visitor::{self, unkept};
use super::{Sorry, frame};
use crate::api::App;
use crate::api::answers::typed;
use crate::api::authority::{Access, Standing};
use crate::api::extract::{Fields, Refused};
use crate::clock;
use crate::session::Basis;

/// Where one signs in.
const ADDRESS: &str = "/sign-in";

/// `/sign-in`: what one can show.
pub(super) async fn page(State(app): State<App>, headers: HeaderMap) -> Result<Response, Sorry> {
    let caller = visitor::may_see(&app, &headers, Access::Anyone).await?.caller;
    let content = html! {
        @if caller.standing != Standing::Stranger {
            p class="done" { "You are signed in as " strong class="key" { (caller.actor) } ". " a href="/me" { "Your page" } }
        }
        section id="token" {
            h2 { "With a token" }
            p { "For operators and curators: " code { "meed token new NAME --role operator" }
                " makes one, at the node's own machine." }
            form method="post" action="/sign-in" {
                label for="token-secret" { "The token" }
                input id="token-secret" name="token" type="password" required autocomplete="off" size="48"
                    spellcheck="false" placeholder="meed_…";
                " " button type="submit" { "Sign in" }
            }
        }
        (challenge::asking("/sign-in/challenge"))
        p { "You stay signed in for at most 12 hours, and while the node runs; with a token, as long as it holds." }
    };
    Ok(unkept(frame::page("Sign in", &[("Overview", "/"), ("Sign in", "")], &content)))
}

/// The form of `/sign-in`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenForm {
    token: String,
}

/// `POST /sign-in`: a token becomes a session.
pub(super) async fn with_token(
    State(app): State<App>,
    headers: HeaderMap,
    Fields(TokenForm { token }): Fields<TokenForm>,
) -> Result<Response, Sorry> {
    visitor::may_do(&app, &headers, Access::Anyone).await?;
    let hash = Hash::of(token.trim().as_bytes());
    let found = app.clone().run(move |service| service.find_token(&hash)).await;
    let found = found.map_err(|refused| Sorry::from(refused).with_way_back(ADDRESS))?;
    let now = app.now()?;
    let random = clock::random().map_err(Refused::from)?;
    let begun = app.sessions().begin(Basis::Token(hash), found.expires_at, now, random);
    let begun = begun.map_err(Refused::from)?;
    end_session(&app, &headers);
    Ok(visitor::with_session(Redirect::to("/me"), &begun, now, app.service().settings()))
}

/// `POST /sign-out`: the session ends here and in the browser.
pub(super) async fn out(State(app): State<App>, headers: HeaderMap) -> Result<Response, Sorry> {
    visitor::may_do(&app, &headers, Access::Anyone).await?;
    end_session(&app, &headers);
    Ok(visitor::without_session(Redirect::to("/"), app.service().settings()))
}

fn end_session(app: &App, headers: &HeaderMap) {
    if let Some(secret) = visitor::secret(headers) {
        app.sessions().end(&Hash::of(secret.as_bytes()));
    }
}

/// `POST /sign-in/challenge`: shows what to sign.
pub(super) async fn ask(
    State(app): State<App>,
    headers: HeaderMap,
    Fields(form): Fields<AskForm>,
) -> Result<Response, Sorry> {
    visitor::may_do(&app, &headers, Access::Anyone).await?;
    let challenge = app.make_challenge(&form.into_request(), Purpose::SignIn, &headers);
    let challenge = challenge.map_err(|refused| Sorry::from(refused).with_way_back(ADDRESS))?;
    Ok(unkept(challenge::answering("Sign in", &challenge, "/sign-in/answer")))
}

/// `POST /sign-in/answer`: a signed challenge becomes a session.
pub(super) async fn answer(
    State(app): State<App>,
    headers: HeaderMap,
    Fields(form): Fields<AnswerForm>,
) -> Result<Response, Sorry> {
    visitor::may_do(&app, &headers, Access::Anyone).await?;
    let signed = form.into_request(&app).map_err(|sorry| sorry.with_way_back(ADDRESS))?;
    let begun = app.sign_in(&signed, &headers);
    let (begun, _) = begun.map_err(|refused| Sorry::from(refused).with_way_back(ADDRESS))?;
    end_session(&app, &headers);
    let now = app.now()?;
    Ok(visitor::with_session(Redirect::to("/me"), &begun, now, app.service().settings()))
}

/// The script of the forms for wallets.
pub(super) async fn script() -> Response {
    typed("text/javascript; charset=utf-8", challenge::SCRIPT.as_bytes().to_vec())
}
