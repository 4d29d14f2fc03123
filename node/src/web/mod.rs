//! The web page: made on the node from the same documents that the interface answers with, readable without
//! JavaScript, and with nothing from any other host.

mod chart;
mod claimant;
mod epoch;
mod frame;
mod guide;
mod overview;
mod reference;
pub mod verifier;
mod verify;

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
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
        .route("/scopes/{key}/epochs/{epoch}", get(epoch::page))
        .route("/claimants/{claimant}", get(claimant::page))
        .route("/claimants", get(claimant::find))
        .route("/guide", get(guide::page))
        .route("/api", get(reference::page))
        .route("/problems", get(reference::problems))
        .route("/problems/{code}", get(reference::problem))
        .route("/style.css", get(style))
        .route("/verify", get(verify::page))
        .route("/verify/{file}", get(verify::file))
}

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
pub(crate) struct Sorry(Box<Problem>);

impl From<crate::api::extract::Refused> for Sorry {
    fn from(refused: crate::api::extract::Refused) -> Self {
        Self(refused.into_problem())
    }
}

impl IntoResponse for Sorry {
    fn into_response(self) -> Response {
        let status = axum::http::StatusCode::from_u16(self.0.status);
        (status.unwrap_or(axum::http::StatusCode::INTERNAL_SERVER_ERROR), Page(frame::sorry(&self.0)))
            .into_response()
    }
}

/// What a handler of a page answers.
type Answer = Result<Page, Sorry>;
