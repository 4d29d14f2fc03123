//! What the forms do: each asks its right, looks whether the page still stands, and calls what the interface calls.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use meed_audit::RejectionCode;
use meed_audit::text::FreeText;
use serde::Deserialize;

use super::change::{self, Next};
use super::sent::Sent;
use super::{Outcome, View, address, rendered, who_may};
use crate::api::App;
use crate::api::authority::Access;
use crate::api::documents::{EpochView, ImportView};
use crate::api::extract::{At, Call, Refused};
use crate::api::parameters::EpochPath;
use crate::api::problems::Problem;
use crate::client::segment;
use crate::failure::{Failure, reject};
use crate::service::Service;
use crate::web::{Sorry, advice, visitor};
use crate::words::counted;

/// A form: its name in the address, what it asks of the visitor, what it does, and where on the page it leads.
pub(super) struct Form {
    pub(super) name: &'static str,
    pub(super) access: Access,
    pub(super) work: fn(&Service, &EpochPath, &Sent, &FreeText) -> Result<Next, Failure>,
    /// What is said when it is done.
    pub(super) done: &'static str,
}

/// Every form of the page.
pub(super) const FORMS: [Form; 11] = [
    Form { name: "import", access: Access::Import, work: change::import, done: "The events were taken in." },
    Form { name: "collect", access: Access::Operate, work: change::collect, done: "Collected." },
    Form {
        name: "curation",
        access: Access::Curate,
        work: change::curate,
        done: "The decision on the event was recorded.",
    },
    Form {
        name: "allocation",
        access: Access::Curate,
        work: change::allocate,
        done: "The decision on the claimant was recorded.",
    },
    Form {
        name: "pool",
        access: Access::Operate,
        work: change::pool,
        done: "The component was put into the pool.",
    },
    Form {
        name: "close",
        access: Access::Operate,
        work: change::close,
        done: "The epoch is closed: it is in review.",
    },
    Form {
        name: "draft",
        access: Access::Operate,
        work: change::freeze,
        done: "The draft is frozen, and offered for signing.",
    },
    Form {
        name: "signatures",
        access: Access::Curate,
        work: change::sign,
        done: "The signatures were added.",
    },
    Form {
        name: "finalize",
        access: Access::Operate,
        work: change::finalize,
        done: "The epoch is finalized.",
    },
    Form {
        name: "amendment",
        access: Access::Operate,
        work: change::amend,
        done: "The amendment has begun.",
    },
    Form {
        name: "abandon",
        access: Access::Operate,
        work: change::abandon,
        done: "The amendment was given up: the epoch is final as it was.",
    },
];

/// The form of this name.
pub(super) fn form(name: &str) -> Option<&'static Form> {
    FORMS.iter().find(|form| form.name == name)
}

/// Which form of which epoch.
#[derive(Deserialize)]
pub(super) struct FormPath {
    key: String,
    epoch: u64,
    form: String,
}

/// `POST …/review/{form}`: what a form does. Who may not is told before anything of the body is read.
pub(super) async fn act(
    State(app): State<App>,
    headers: HeaderMap,
    At(FormPath { key, epoch, form: name }): At<FormPath>,
    request: Request,
) -> Result<Response, Response> {
    let path = EpochPath { key, epoch };
    let missing = || reject(RejectionCode::RecordNotFound, "form", "a form of this page", &name);
    let Some(form) = form(&name) else { return Err(Sorry::from(Refused::from(missing())).into_response()) };
    let call = match visitor::may_do(&app, &headers, Access::Anyone).await {
        Ok(call) => call,
        Err(sorry) => return Err(sorry.into_response()),
    };
    if let Err(refusal) = call.caller.check(Access::Curate) {
        return Err(who_may(Refused::from(refusal), &call.caller));
    }
    let again = Call { app: app.clone(), caller: call.caller.clone() };
    let sent = match Sent::read(request, &app).await {
        Ok(sent) => sent,
        Err(refused) => return refuse(again, path, (form, Sent::default()), refused).await,
    };
    if let Err(refusal) = call.caller.check(form.access) {
        return refuse(again, path, (form, sent), refusal.into()).await;
    }
    let (typed, place) = (sent.clone(), EpochPath { key: path.key.clone(), epoch });
    let work = call.run(move |service, actor| {
        check_stand(&service.epoch(&place.key, place.epoch)?, form.name, &typed)?;
        (form.work)(service, &place, &typed, actor)
    });
    match work.await {
        Ok(Next::Imported(import)) => tell_of(again, path, sent, *import).await,
        Ok(Next::Run(id)) => Ok(Redirect::to(&format!("/runs/{}", segment(&id))).into_response()),
        Ok(Next::Unearned(claimant)) => Ok(lead_on(&path, form, &sent, Some(&claimant))),
        Ok(Next::Page) => Ok(lead_on(&path, form, &sent, None)),
        Err(refused) => refuse(again, path, (form, sent), refused).await,
    }
}

/// The page once more, with why at its top and what was typed in its fields.
async fn refuse(
    call: Call,
    path: EpochPath,
    (form, sent): (&Form, Sent),
    refused: Refused,
) -> Result<Response, Response> {
    let view = view_of(&sent);
    let problem = advice::for_page(refused.into_problem());
    let outcome = Outcome { problem: Some(problem), import: None, form: form.name, sent };
    rendered(call, path, view, outcome).await
}

/// The page with what became of an import. What was typed stays where bad lines of it are to be corrected. Who loads the
/// page again imports again, which stores nothing twice.
async fn tell_of(call: Call, path: EpochPath, sent: Sent, import: ImportView) -> Result<Response, Response> {
    let view = View { event: String::new(), claimant: String::new(), ..view_of(&sent) };
    let sent = if import.bad_lines.is_empty() { Sent::default() } else { sent };
    let outcome = Outcome { problem: None, import: Some(import), form: "import", sent };
    rendered(call, path, view, outcome).await
}

/// The view from which a form was sent.
fn view_of(sent: &Sent) -> View {
    let text = |name: &str| sent.text(name).to_owned();
    View {
        event: text("event"),
        claimant: text("claimant"),
        search: text("view-search"),
        from: text("view-from"),
        events: text("view-events"),
        ..View::default()
    }
}

/// Leads back to the page, which says what was done, and of whom units were set without activity.
fn lead_on(path: &EpochPath, form: &Form, sent: &Sent, unearned: Option<&str>) -> Response {
    // What was decided is done with; the lists stay where they were.
    let view = View { event: String::new(), claimant: String::new(), ..view_of(sent) };
    let query = view.query();
    let joint = if query.is_empty() { '?' } else { '&' };
    let unearned = unearned.map(|claimant| format!("unearned={}&", segment(claimant))).unwrap_or_default();
    Redirect::to(&format!("{}{query}{joint}{unearned}done={}", address(path), form.name)).into_response()
}

/// How an epoch stood when a page was made: what its forms send along. Finalizing leaves out what was decided after the
/// draft, so that its form stands only while nothing more was.
pub(super) fn stand(epoch: &EpochView, form: &str) -> String {
    let number = |revision: Option<u64>| revision.map_or("none".to_owned(), |revision| revision.to_string());
    let (draft, last) = (number(epoch.current_draft), number(epoch.final_revision));
    let amending = if epoch.amending { ", being amended" } else { "" };
    let later = if form == "finalize" {
        format!(", {} after the draft", counted(epoch.later_decisions, "decision"))
    } else {
        String::new()
    };
    format!("{}{amending}, draft {draft}, final {last}{later}", epoch.phase)
}

/// Whether the epoch still stands as it did when the page was made.
fn check_stand(epoch: &EpochView, form: &str, sent: &Sent) -> Result<(), Failure> {
    let (expected, got) = (stand(epoch, form), sent.text("stand"));
    if expected == got {
        return Ok(());
    }
    let got = if got.is_empty() { "none" } else { got };
    Err(outdated(format!(
        "epoch {}: expected a form made while it is {expected}; got one made while it was {got}",
        epoch.epoch
    )))
}

/// A form of a page that shows what is not so any more.
pub(super) fn outdated(detail: String) -> Failure {
    let remedy = "look at what the page shows now, and send the form again if it is still what you want";
    Problem::local("page_outdated", detail, remedy).with_status(StatusCode::CONFLICT).into()
}
