//! Answers that are sent compressed to those who take that.

use std::convert::Infallible;
use std::future::Future;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;
use tower::{ServiceExt, service_fn};
use tower_http::compression::Compression;

/// An answer that depends on what the request says it takes.
const BY_ENCODING: HeaderValue = HeaderValue::from_static("accept-encoding");

/// The answer, compressed where the request asks for it.
pub(super) async fn compressed<F>(
    request: Request,
    next: Next,
    answer: impl Fn(Request, Next) -> F,
) -> Response
where
    F: Future<Output = Response>,
{
    if !request.headers().contains_key(header::ACCEPT_ENCODING) {
        let mut response = answer(request, next).await;
        response.headers_mut().append(header::VARY, BY_ENCODING);
        return response;
    }
    let plain = service_fn(|request| answer(request, next.clone()).map(Ok::<_, Infallible>));
    match Compression::new(plain).oneshot(request).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}
