//! `/me`: who is signed in, what they may do, and, for people, their accounts: becoming a person of the node, binding
//! another account, revoking one.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::challenge::{self, AnswerForm, AskForm};
use super::frame::{self, key};
use super::visitor::{self, unkept};
use super::{Page, Sorry};
use crate::api::App;
use crate::api::authority::{Access, Caller, Standing};
use crate::api::documents::{JoinRequest, MeView, UserView};
use crate::api::extract::{Fields, Refused};
use crate::client::segment;
use crate::service::own_accounts::LostAccount;
use crate::words::counted;

/// Where the page is.
const ADDRESS: &str = "/me";

/// The page.
pub(super) async fn page(State(app): State<App>, headers: HeaderMap) -> Result<Response, Sorry> {
    let caller = visitor::may_see(&app, &headers, Access::Anyone).await?.caller;
    if caller.standing == Standing::Stranger {
        return Ok(unkept(Redirect::to("/sign-in")));
    }
    let standing = caller.standing.clone();
    let view = app.describe(caller).await?;
    let lost = match &standing {
        Standing::Contributor(person) => {
            let person = Arc::clone(person);
            app.run(move |service| service.lost_account(&person.identity)).await?
        }
        _ => None,
    };
    Ok(unkept(own_page(&standing, &view, lost.as_ref())))
}

fn own_page(standing: &Standing, me: &MeView, lost: Option<&LostAccount>) -> Page {
    let rights: Vec<&str> =
        Access::ALL.into_iter().filter(|access| standing.may(*access)).map(Access::name).collect();
    let content = html! {
        p { "You are signed in as " strong class="key" { (me.actor) } ", " (me.standing) "." }
        dl {
            dt { "your rights" } dd { (rights.join(", ")) " (" a href="/api" { "what each allows" } ")" }
            @if let Some(at) = me.expires_at { dt { "signed in until" } dd { (frame::time(at)) } }
            @if let Some(claimant) = &me.claimant {
                dt { "you earn as" } dd { (key(claimant)) " · " a href={ "/claimants/" (segment(claimant)) } { "your payouts" } }
            }
        }
        form method="post" action="/sign-out" { button type="submit" { "Sign out" } }
        @if matches!(standing, Standing::Contributor(_)) {
            @match (&me.user, lost) {
                (None, None) => (joining()),
                (None, Some(lost)) => (revoked(lost)),
                (Some(user), _) => (accounts(user, me.identity.as_deref().unwrap_or_default())),
            }
        }
    };
    frame::page("You", &[("Overview", "/"), ("You", "")], &content)
}

fn joining() -> Markup {
    html! {
        section id="join" {
            h2 { "Become a person of this node" }
            p { "Nobody has claimed this account yet. You can: from the next draft on you earn under a random id, whatever "
                "account the work was done with. What you signed to sign in is kept as evidence, and a decision that "
                "everybody can read records the binding." }
            form method="post" action="/me/user" {
                label for="name" { "A name to show (may be left out)" }
                input id="name" name="name" size="32" maxlength="200" autocomplete="name";
                " " button type="submit" { "Become a person" }
            }
        }
    }
}

/// What somebody can do who signed in with an account that was revoked: by itself it can become nobody any more.
fn revoked(lost: &LostAccount) -> Markup {
    let LostAccount { user, others_count, has_way_in } = lost;
    let verb = if *others_count == 1 { "is" } else { "are" };
    html! {
        section id="revoked" {
            h2 { "This account was revoked" }
            p { "It was revoked from " (key(&format!("user:{user}"))) ", and earns by itself from the next draft on. "
                (counted(others_count, "other account")) " " (verb) " still that user's." }
            @if *has_way_in {
                p { "If that user is you: sign in with another key or wallet of yours, and bind this one again on that page." }
            } @else {
                p { "No key or wallet is among them, and other accounts cannot sign in. If that user is you, ask the operator." }
            }
            p { "The operator binds it to the same user again with " code { "meed bind" } ", to another with "
                code { "meed rebind" } "." }
        }
    }
}

fn accounts(user: &UserView, current: &str) -> Markup {
    html! {
        section id="accounts" {
            h2 { "Your accounts" }
            @if let Some(name) = &user.name { p { "As " (name) ", since " (frame::day(user.created_at)) "." } }
            form method="post" action="/me/user" {
                label for="name" { "A name to show" }
                input id="name" name="name" size="32" maxlength="200" autocomplete="name" value=[user.name.as_ref()];
                " " button type="submit" { "Change the name" }
            }
            ul { @for account in &user.identities {
                li { (key(account)) @if account == current { " (you signed in with this one)" }
                    form method="post" action="/me/revoke" {
                        input type="hidden" name="identity" value=(account);
                        button type="submit" aria-label={ "Revoke " (account) } { "Revoke" }
                    }
                }
            } }
            p { "A revoked account earns by itself again from the next draft on. It comes back from another account of "
                "yours; after the last one only the operator can bind one again." }
        }
        section id="bind" {
            h2 { "Bind another account" }
            p { "The other key or wallet signs that it is yours. For accounts at GitHub, Discord or in git ask the operator." }
            (challenge::asking("/me/challenge"))
        }
    }
}

/// The visitor, where they may do what people may, with what they signed.
async fn contributor(app: &App, headers: &HeaderMap) -> Result<Caller, Sorry> {
    Ok(visitor::may_do(app, headers, Access::Contribute).await?.caller)
}

/// The form that makes a person.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JoinForm {
    name: String,
}

pub(super) async fn join(
    State(app): State<App>,
    headers: HeaderMap,
    Fields(form): Fields<JoinForm>,
) -> Result<Response, Sorry> {
    let caller = contributor(&app, &headers).await?;
    let person = caller.person().map_err(Refused::from)?;
    let name = Some(form.name.trim().to_owned()).filter(|name| !name.is_empty());
    let request = JoinRequest { name };
    app.run(move |service| service.join(&person, &request, &caller.actor)).await?;
    Ok(unkept(Redirect::to("/me")))
}

pub(super) async fn ask(
    State(app): State<App>,
    headers: HeaderMap,
    Fields(form): Fields<AskForm>,
) -> Result<Response, Sorry> {
    let person = contributor(&app, &headers).await?.person().map_err(Refused::from)?;
    let challenge = app.make_binding(form.into_request(), &person, &headers).await;
    let challenge = challenge.map_err(|refused| Sorry::from(refused).with_way_back(ADDRESS))?;
    Ok(unkept(challenge::answering("Bind this account", &challenge, "/me/bind")))
}

pub(super) async fn bind(
    State(app): State<App>,
    headers: HeaderMap,
    Fields(form): Fields<AnswerForm>,
) -> Result<Response, Sorry> {
    let caller = contributor(&app, &headers).await?;
    let holder = caller.person().map_err(Refused::from)?;
    let signed = form.into_request(&app).map_err(|sorry| sorry.with_way_back(ADDRESS))?;
    let bound = app.take_binding(&signed, &headers);
    let (user, other) = bound.map_err(|refused| Sorry::from(refused).with_way_back(ADDRESS))?;
    let bound = app.run(move |service| service.bind_own(&holder, &other, user, &caller.actor)).await;
    bound.map_err(|refused| Sorry::from(refused).with_way_back(ADDRESS))?;
    Ok(unkept(Redirect::to("/me")))
}

/// The form that revokes an account.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RevokeForm {
    identity: String,
}

pub(super) async fn revoke(
    State(app): State<App>,
    headers: HeaderMap,
    Fields(form): Fields<RevokeForm>,
) -> Result<Response, Sorry> {
    let caller = contributor(&app, &headers).await?;
    let holder = caller.person().map_err(Refused::from)?;
    app.run(move |service| service.revoke_own(&holder, &form.identity, &caller.actor)).await?;
    Ok(unkept(Redirect::to("/me")))
}
