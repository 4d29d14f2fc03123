//! The HTTP face: routes, documents and problems, for the command line and for everybody else.
//!
//! One router with two faces. [`Face::Local`] is for the owner of the data folder, in this process or over the node's
//! Unix socket: it has every route and asks for no token. [`Face::Port`] is for everybody: it lacks the routes of the
//! owner, and each route that changes something asks who calls.

pub(crate) mod answers;
pub mod authority;
pub mod documents;
pub(crate) mod extract;
pub mod local_problems;
mod openapi;
pub mod parameters;
pub(crate) mod pieces;
pub mod problems;
mod routes;
pub(crate) mod signing;

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use meed_audit::hash::Hash;
use meed_audit::text::FreeText;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::failure::Failure;
use crate::service::Service;
use crate::session::{Basis, Sessions};
use crate::web;
use authority::{Caller, KnownBy, Standing};
use extract::Refused;
pub(crate) use routes::ProblemKind;

use problems::Problem;

/// Most bytes of a request that is no import.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Who a router is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// The owner of the data folder, at the node's own machine.
    Local,
    /// Everybody.
    Port,
}

/// What handlers share.
#[derive(Clone)]
pub(crate) struct App {
    shared: Arc<Shared>,
}

struct Shared {
    service: Service,
    face: Face,
    /// Who decides, where a request does not say.
    actor: FreeText,
    /// Who is signed in.
    sessions: Sessions,
    /// What this router says of itself.
    description: OnceLock<OpenApi>,
}

impl App {
    /// Runs blocking work off the router's threads.
    pub(crate) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&Service) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Refused> {
        let joined = tokio::task::spawn_blocking(move || work(&self.shared.service)).await;
        match joined {
            Ok(result) => result.map_err(Refused::from),
            Err(error) => Err(Failure::internal(format!("a request ended early: {error}")).into()),
        }
    }

    pub(crate) fn service(&self) -> &Service {
        &self.shared.service
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.shared.sessions
    }

    /// Somebody who has shown nothing.
    pub(crate) fn stranger(&self) -> Caller {
        Caller { actor: self.shared.actor.clone(), standing: Standing::Stranger, session: None }
    }

    fn actor(&self) -> &FreeText {
        &self.shared.actor
    }

    /// What the router says of itself.
    pub(crate) fn description(&self) -> OpenApi {
        self.shared.description.get().cloned().unwrap_or_default()
    }

    fn is_local(&self) -> bool {
        self.shared.face == Face::Local
    }

    /// Who holds this secret: that of a session, or a token.
    pub(crate) async fn caller_of(&self, secret: &str) -> Result<Caller, Refused> {
        let hash = Hash::of(secret.as_bytes());
        let now = self.service().clock().now()?;
        let Some(session) = self.sessions().find(&hash, now) else { return self.holder_of(hash).await };
        let caller = match session.basis {
            // A session is worth what its token is worth now.
            Basis::Token(token) => self.holder_of(token).await?,
            Basis::Person(person) => Caller {
                actor: FreeText::parse("actor", &person.identity.to_string())?,
                standing: Standing::Contributor(person),
                session: None,
            },
        };
        Ok(Caller { session: Some(KnownBy { hash, expires_at: session.expires_at }), ..caller })
    }

    /// Who holds the token of this hash.
    async fn holder_of(&self, token: Hash) -> Result<Caller, Refused> {
        let token = self.clone().run(move |service| service.find_token(&token)).await?;
        Ok(Caller { actor: token.name, standing: Standing::Token(token.role), session: None })
    }
}

/// The router of a face, over a service; decisions of the owner are recorded in the name of `actor`.
pub fn router(service: Service, face: Face, actor: FreeText) -> Router {
    described(service, face, actor).0
}

/// The router of a face, and its description.
pub fn described(service: Service, face: Face, actor: FreeText) -> (Router, OpenApi) {
    let app = App {
        shared: Arc::new(Shared {
            service,
            face,
            actor,
            sessions: Sessions::default(),
            description: OnceLock::new(),
        }),
    };
    let (api, description) =
        OpenApiRouter::with_openapi(openapi::base()).merge(routes::all().into_router(&app)).split_for_parts();
    // Set once, here: the description is complete only when every route has been added.
    let description = app.shared.description.get_or_init(|| description).clone();
    let pages = match face {
        Face::Port => web::pages().layer(DefaultBodyLimit::max(BODY_BYTES_MAX)),
        Face::Local => Router::new(),
    };
    let router = api
        .merge(pages)
        .merge(openapi::routes(&description))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .with_state(app);
    (router, description)
}

async fn no_route(headers: HeaderMap, uri: Uri) -> Response {
    let problem = Problem::local(
        "no_route",
        format!("expected a path of this node, got {}", uri.path()),
        "check the path: they begin with /api/v1",
    );
    web::problem_for(&headers, &uri, problem.with_status(StatusCode::NOT_FOUND))
}

async fn no_method(method: Method, headers: HeaderMap, uri: Uri) -> Response {
    let problem = Problem::local(
        "no_method",
        format!("expected a method that {} has, got {method}", uri.path()),
        "check the method, and whether this address takes writes",
    );
    web::problem_for(&headers, &uri, problem.with_status(StatusCode::METHOD_NOT_ALLOWED))
}
