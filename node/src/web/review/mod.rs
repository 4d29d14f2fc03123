//! The review of an epoch, for curators and operators: what it would pay and why, and every step from the first event
//! to the final statement. Each form posts to a route of its own that calls what the interface calls, and leads back
//! here; it works without JavaScript.

mod act;
mod change;
mod forms;
mod sent;
mod show;
mod shown;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use meed_audit::RejectionCode;
use serde::Deserialize;

use super::tables::query_of;
use super::visitor::{self, unkept};
use super::{Page, Sorry, advice, frame};
use crate::api::App;
use crate::api::authority::{Access, Caller};
use crate::api::documents::ImportView;
use crate::api::extract::{Asked, At, Call, Refused};
use crate::api::parameters::EpochPath;
use crate::api::problems::Problem;
use crate::client::segment;
use crate::service::IMPORT_BYTES_MAX;
use sent::Sent;

/// The heads of the parts of a form that carries a file, in bytes at most.
const FORM_BYTES_MAX: usize = 64 << 10;

/// The routes of the review.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/scopes/{key}/epochs/{epoch}/review", get(page)).route(
        "/scopes/{key}/epochs/{epoch}/review/{form}",
        post(act::act).layer(DefaultBodyLimit::max(IMPORT_BYTES_MAX + FORM_BYTES_MAX)),
    )
}

/// Which parts of the lists are shown, and what is being decided.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct View {
    /// Only claimants whose key begins with this text, or whose id at some provider does.
    search: String,
    /// Where the claimants begin.
    from: String,
    /// Where the events begin.
    events: String,
    /// Where the decisions begin.
    decisions: String,
    /// The event that is being decided.
    event: String,
    /// The claimant whose units are being set.
    claimant: String,
    /// Anything here asks for the statement as it would be now.
    preview: String,
    /// The claimant whose units were set without any event that gives it something.
    unearned: String,
    /// What was done, by the name of its form.
    done: String,
}

impl View {
    /// The query of this view, without what was done.
    fn query(&self) -> String {
        let fields = [
            ("search", &self.search),
            ("from", &self.from),
            ("events", &self.events),
            ("decisions", &self.decisions),
            ("event", &self.event),
            ("claimant", &self.claimant),
            ("preview", &self.preview),
        ];
        query_of(&fields)
    }
}

/// Where the review of an epoch is.
fn address(path: &EpochPath) -> String {
    format!("/scopes/{}/epochs/{}/review", segment(&path.key), path.epoch)
}

/// `/scopes/{key}/epochs/{epoch}/review`
async fn page(
    State(app): State<App>,
    headers: HeaderMap,
    At(path): At<EpochPath>,
    Asked(view): Asked<View>,
) -> Result<Response, Response> {
    let call = match visitor::may_see(&app, &headers, Access::Anyone).await {
        Ok(call) => call,
        Err(sorry) => return Err(sorry.into_response()),
    };
    if let Err(refusal) = call.caller.check(Access::Curate) {
        return Err(who_may(Refused::from(refusal), &call.caller));
    }
    rendered(call, path, view, Outcome::default()).await
}

/// What came of a form, for the page that it leads to.
#[derive(Default)]
struct Outcome {
    problem: Option<Box<Problem>>,
    /// What became of an import.
    import: Option<ImportView>,
    /// The name of the form.
    form: &'static str,
    /// What was typed into it.
    sent: Sent,
}

/// The page, with what came of a form at its top.
async fn rendered(call: Call, path: EpochPath, view: View, outcome: Outcome) -> Result<Response, Response> {
    let Call { app, caller } = &call;
    let again = Call { app: app.clone(), caller: caller.clone() };
    let (key, wanted) = (path.key.clone(), view.clone());
    let read = again.run(move |service, _| shown::read(service, &key, path.epoch, &wanted)).await;
    let shown = read.map_err(|refused| Sorry::from(refused).into_response())?;
    let status = outcome.problem.as_ref().map_or(StatusCode::OK, |problem| status_of(problem));
    let page = show::page(&shown, &view, &call.caller, &outcome);
    Ok(unkept((status, page)))
}

fn status_of(problem: &Problem) -> StatusCode {
    StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The page for somebody who may not: who may, and how to become one of them.
fn who_may(refused: Refused, caller: &Caller) -> Response {
    let is_stranger = refused.is(RejectionCode::TokenInvalid);
    let problem = advice::for_page(refused.into_problem());
    let content = html! {
        p class="refused" role="alert" { (problem.detail) }
        @if is_stranger {
            p { "Curators and operators review epochs. " a href="/sign-in" { "Sign in" } " with the token of one of them." }
        } @else {
            p { "You are signed in as " strong { (caller.actor) } ", " (caller.standing.name())
                ". Curators decide on events and claimants; operators do everything here. " (problem.remedy) "." }
        }
    };
    let page: Page = frame::page("Review", &[("Overview", "/"), ("Review", "")], &content);
    let mut response = unkept((status_of(&problem), page));
    if is_stranger {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// A hint below a field, tied to it by its id.
fn hint(field: &str, words: &str) -> Markup {
    html! { small id={ (field) "-hint" } { (words) } }
}
