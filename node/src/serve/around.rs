//! All that goes around a request on the port, as one layer: a router makes every request a copy of each layer and of all
//! that is within it, which for a layer a concern took longer than many an answer.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;

use super::compressed::compressed;
use super::conditional::tagged;
use super::metrics::Metrics;
use super::observe::Observed;
use super::rate::Limiter;
use crate::api::problems::{Problem, ProblemResponse};

/// What all requests share.
struct Around<L> {
    limiter: L,
    metrics: Arc<Metrics>,
}

/// A router for everybody: limited, and with answers that are sent once only where they do not change.
pub(super) fn limited(router: Router, limiter: Limiter, metrics: Arc<Metrics>) -> Router {
    router.layer(from_fn_with_state(Arc::new(Around { limiter, metrics }), answer_limited))
}

/// A router for who looks after the node, which answers however much is asked of the rest.
pub(super) fn unlimited(router: Router, metrics: Arc<Metrics>) -> Router {
    router.layer(from_fn_with_state(Arc::new(Around { limiter: (), metrics }), answer_unlimited))
}

async fn answer_limited(
    State(around): State<Arc<Around<Limiter>>>,
    request: Request,
    next: Next,
) -> Response {
    let observed = Observed::of(&request);
    let answer = compressed(request, next, |request, next| {
        let around = Arc::clone(&around);
        async move { tagged(request, |request| around.limiter.limit(request, next)).await }
    });
    observed.finish(&around.metrics, caught(answer).await)
}

async fn answer_unlimited(State(around): State<Arc<Around<()>>>, request: Request, next: Next) -> Response {
    let observed = Observed::of(&request);
    let answer = compressed(request, next, |request, next| next.run(request));
    observed.finish(&around.metrics, caught(answer).await)
}

/// A fault of the program ends one request and not the node.
async fn caught(answer: impl Future<Output = Response>) -> Response {
    // What a request shares with others is behind locks that look at what they guard, or in the ledger.
    AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(|_| {
        let problem = Problem::local(
            "internal",
            "expected an answer, got a fault of the program",
            "report this with the header X-Request-Id of the answer",
        );
        ProblemResponse(Box::new(problem)).into_response()
    })
}
