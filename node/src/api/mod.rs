//! The HTTP face: routes, documents and problems, for the command line in process and for everybody else.
//!
//! Two routers: [`public`] has what anybody may do, reading and the signatures of approvers, which prove themselves;
//! [`operator`] has everything, and is never put on a port.

pub mod documents;
mod extract;
pub mod problems;
mod reads;
mod writes;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{get, patch, post};
use meed_audit::text::FreeText;

use crate::failure::Failure;
use crate::service::{IMPORT_BYTES_MAX, Service};
use extract::Refused;
use problems::{Problem, ProblemResponse};

/// Most bytes of a request that is no import.
const BODY_BYTES_MAX: usize = 1 << 20;

/// What handlers share.
#[derive(Clone)]
pub(crate) struct App {
    service: Arc<Service>,
    /// Who decides.
    actor: FreeText,
}

impl App {
    /// Runs blocking work off the router's thread.
    async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&Service, &FreeText) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Refused> {
        let joined = tokio::task::spawn_blocking(move || work(&self.service, &self.actor)).await;
        match joined {
            Ok(result) => result.map_err(Refused::from),
            Err(error) => Err(Failure::internal(format!("a request ended early: {error}")).into()),
        }
    }
}

/// Everything that the operator of a node may do, in the name of `actor`.
pub fn operator(service: Service, actor: FreeText) -> Router {
    let app = App { service: Arc::new(service), actor };
    let import = post(writes::import).layer(DefaultBodyLimit::max(IMPORT_BYTES_MAX));
    let api = reading()
        .merge(approving())
        .merge(deciding())
        .route("/scopes", get(reads::scopes).post(writes::add_scope))
        .route("/scopes/{key}", get(reads::scope).patch(writes::configure_scope))
        .route("/scopes/{key}/end", post(writes::end_scope))
        .route(
            "/scopes/{key}/approvers",
            get(reads::approvers).post(writes::set_approvers).delete(writes::withdraw_approvers),
        )
        .route("/scopes/{key}/events", import)
        .route("/scopes/{key}/collect", post(writes::collect))
        .route("/users", get(reads::users).post(writes::add_user))
        .route("/identities", get(reads::identities))
        .route("/identities/bind", post(writes::bind))
        .route("/identities/revoke", post(writes::revoke))
        .route("/identities/rebind", post(writes::rebind))
        .route("/erase", post(writes::erase))
        .route("/fsck", post(writes::fsck))
        .route("/backup", post(writes::backup))
        .route("/resume", post(writes::resume))
        .route("/compact", post(writes::compact));
    finish(api, app)
}

/// What anybody may do.
pub fn public(service: Service, actor: FreeText) -> Router {
    let app = App { service: Arc::new(service), actor };
    let api = reading()
        .merge(approving())
        .route("/scopes", get(reads::scopes))
        .route("/scopes/{key}", get(reads::scope))
        .route("/scopes/{key}/approvers", get(reads::approvers))
        .route("/scopes/{key}/epochs", get(reads::epochs))
        .route("/scopes/{key}/epochs/{epoch}/pool", get(reads::pool))
        .route("/scopes/{key}/epochs/{epoch}/allocations", get(reads::allocations))
        .route("/scopes/{key}/epochs/{epoch}/drafts", get(reads::drafts));
    finish(api, app)
}

fn finish(api: Router<App>, app: App) -> Router {
    Router::new()
        .nest("/api/v1", api)
        .route("/problems/{code}", get(reads::problem))
        .route("/healthz", get(reads::healthz))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(app)
}

/// Reads that both routers have at paths of their own.
fn reading() -> Router<App> {
    Router::new()
        .route("/node", get(reads::node))
        .route("/scopes/{key}/trust", get(reads::trust))
        .route("/scopes/{key}/conflicts", get(reads::conflicts))
        .route("/scopes/{key}/decisions", get(reads::decisions))
        .route("/scopes/{key}/epochs/{epoch}", get(reads::epoch))
        .route("/scopes/{key}/epochs/{epoch}/activity", get(reads::activity))
        .route("/scopes/{key}/epochs/{epoch}/statement", get(reads::statement))
        .route("/scopes/{key}/epochs/{epoch}/statement/policy", get(reads::statement_policy))
        .route("/scopes/{key}/epochs/{epoch}/dossier", get(reads::dossier))
        .route("/scopes/{key}/epochs/{epoch}/proofs/{claimant}", get(reads::proof))
        .route("/scopes/{key}/epochs/{epoch}/verification", get(reads::verification))
        .route("/scopes/{key}/epochs/{epoch}/export", get(reads::export))
        .route("/claimants/{claimant}/payouts", get(reads::payouts))
        .route("/logs/{log}/checkpoint", get(reads::checkpoint))
        .route("/logs/{log}/entries/{index}", get(reads::log_entry))
}

/// What approvers may do: the signature is the authority.
fn approving() -> Router<App> {
    Router::new()
        .route("/scopes/{key}/approvers/signatures", post(writes::add_approver_signatures))
        .route("/scopes/{key}/epochs/{epoch}/signatures", get(reads::signatures).post(writes::add_signatures))
}

/// What the operator decides in an epoch's life.
fn deciding() -> Router<App> {
    Router::new()
        .route("/scopes/{key}/epochs", get(reads::epochs).post(writes::open_epoch))
        .route("/scopes/{key}/epochs/{epoch}/curation", patch(writes::curate))
        .route("/scopes/{key}/epochs/{epoch}/allocations", get(reads::allocations).patch(writes::allocate))
        .route("/scopes/{key}/epochs/{epoch}/pool", get(reads::pool).post(writes::add_pool))
        .route("/scopes/{key}/epochs/{epoch}/close", post(writes::close_epoch))
        .route("/scopes/{key}/epochs/{epoch}/drafts", get(reads::drafts).post(writes::freeze))
        .route("/scopes/{key}/epochs/{epoch}/finalize", post(writes::finalize))
        .route("/scopes/{key}/epochs/{epoch}/amendments", post(writes::amend))
}

async fn no_route(uri: axum::http::Uri) -> ProblemResponse {
    let problem = Problem::local(
        "no_route",
        format!("expected a path of this node, got {}", uri.path()),
        "check the path: they begin with /api/v1",
    );
    ProblemResponse(Box::new(problem.with_status(StatusCode::NOT_FOUND)))
}

async fn no_method(method: axum::http::Method, uri: axum::http::Uri) -> ProblemResponse {
    let problem = Problem::local(
        "no_method",
        format!("expected a method that {} has, got {method}", uri.path()),
        "check the method, and whether this address takes writes",
    );
    ProblemResponse(Box::new(problem.with_status(StatusCode::METHOD_NOT_ALLOWED)))
}
