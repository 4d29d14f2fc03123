//! Answers that are sent compressed to those who take that.

use std::convert::Infallible;
use std::future::Future;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use tower::{ServiceExt, service_fn};
use tower_http::compression::Compression;

/// An answer that depends on what the request says it takes.
const BY_ENCODING: HeaderValue = HeaderValue::from_static("accept-encoding");

/// The answer, compressed where the request asks for it.
pub(super) async fn compressed<F>(request: Request, answer: impl Fn(Request) -> F) -> Response
where
    F: Future<Output = Response>,
{
    if !request.headers().contains_key(header::ACCEPT_ENCODING) {
        let mut response = answer(request).await;
        response.headers_mut().append(header::VARY, BY_ENCODING);
        return response;
    }
    let answer = &answer;
    let plain = service_fn(async move |request| Ok::<_, Infallible>(answer(request).await));
    match Compression::new(plain).oneshot(request).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}
