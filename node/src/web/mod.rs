//! The web page: made on the node from the same documents that the interface answers with, readable without
//! JavaScript, and with nothing from any other host.

mod advice;
mod challenge;
mod chart;
mod claimant;
mod epoch;
mod frame;
mod guide;
mod html;
mod me;
mod opening;
mod overview;
mod reference;
mod review;
mod runs;
mod sign_in;
mod tables;
mod unbound;
pub mod verifier;
mod verify;
mod visitor;

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use maud::Markup;

use crate::api::App;
use crate::api::answers::typed;
use crate::api::problems::Problem;

/// The stylesheet of all pages; the verifier adds its own.
const STYLE: &str = include_str!("../../web/style.css");

/// The pages.
pub(crate) fn pages() -> Router<App> {
    Router::new()
        .route("/", get(overview::page))
        .route("/scopes/{key}", get(overview::scope_page))
        .route("/scopes/{key}/open", post(opening::open))
        .route("/scopes/{key}/epochs/{epoch}", get(epoch::page))
        .merge(review::routes())
        .route("/runs/{id}", get(runs::page))
        .route("/claimants/{claimant}", get(claimant::page))
        .route("/claimants", get(claimant::find))
        .route("/guide", get(guide::page))
        .route("/api", get(reference::page))
        .route("/problems", get(reference::problems))
        .route("/problems/{code}", get(reference::problem))
        .route("/sign-in", get(sign_in::page).post(sign_in::with_token))
        .route("/sign-out", post(sign_in::out))
        .route("/sign-in/challenge", post(sign_in::ask))
        .route("/sign-in/answer", post(sign_in::answer))
        .route(challenge::SCRIPT_PATH, get(sign_in::script))
        .route("/me", get(me::page))
        .route("/me/user", post(me::join))
        .route("/me/challenge", post(me::ask))
        .route("/me/bind", post(me::bind))
        .route("/me/revoke", post(me::revoke))
        .route("/style.css", get(style))
        .route("/verify", get(verify::page))
        .route("/verify/{file}", get(verify::file))
        .layer(from_fn(html::answer))
}

pub(crate) use html::problem_for;

async fn style() -> Response {
    typed("text/css; charset=utf-8", format!("{STYLE}\n{}", verifier::STYLE).into_bytes())
}

/// A page, or the page that says why there is none.
pub(crate) struct Page(Markup);

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], self.0.into_string()).into_response()
    }
}

/// A refusal as a page for people.
pub(crate) struct Sorry {
    problem: Box<Problem>,
    /// Where the same thing can be tried again.
    again: Option<&'static str>,
}

impl Sorry {
    fn new(problem: Box<Problem>) -> Self {
        Self { problem: advice::for_page(problem), again: None }
    }

    /// The same, with the page where it can be tried again.
    fn with_way_back(self, again: &'static str) -> Self {
        Self { again: Some(again), ..self }
    }
}

impl From<crate::api::extract::Refused> for Sorry {
    fn from(refused: crate::api::extract::Refused) -> Self {
        Self::new(refused.into_problem())
    }
}

impl IntoResponse for Sorry {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Page(frame::sorry(&self.problem, self.again))).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// What a handler of a page answers.
type Answer = Result<Page, Sorry>;
