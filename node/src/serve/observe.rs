//! What is seen of every request: an id, a line in the log, a count; and the headers that keep browsers safe.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::response::Response;

use super::metrics::Metrics;
use crate::clock;

/// The header that names a request, in its answer and in the log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is taken over from a request, in bytes.
const REQUEST_ID_BYTES_MAX: usize = 64;

/// Nothing from any other host, no frames, no inline code.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// A request that is being answered.
pub(super) struct Observed {
    began: Instant,
    id: HeaderValue,
    method: Method,
    /// The pattern and not the path: a claimant's key must not become a label.
    route: Option<MatchedPath>,
}

impl Observed {
    /// What there is to see of a request before it is answered.
    pub(super) fn of(request: &Request) -> Self {
        Self {
            began: Instant::now(),
            id: id_of(request),
            method: request.method().clone(),
            route: request.extensions().get::<MatchedPath>().cloned(),
        }
    }

    /// Counts and logs the answer, and gives it the headers that all answers have.
    pub(super) fn finish(self, metrics: &Metrics, mut response: Response) -> Response {
        let Self { began, id, method, route } = self;
        let route = route.as_ref().map_or("other", MatchedPath::as_str);
        let (status, took) = (response.status(), began.elapsed());
        metrics.count(route, method.as_str(), status, took);
        tracing::debug!(
            request = id.to_str().unwrap_or_default(),
            %method,
            route,
            status = status.as_u16(),
            microseconds = took.as_micros(),
            "answered"
        );
        if status.is_server_error() {
            tracing::error!(request = id.to_str().unwrap_or_default(), %method, route, %status, "failed");
        }
        let headers = response.headers_mut();
        headers.insert(REQUEST_ID, id);
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        // A stricter one would make browsers hide the origin of our own forms, too.
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(CONTENT_SECURITY_POLICY);
        response
    }
}

/// The id that a proxy gave the request, where it is a plain one, else a new one.
fn id_of(request: &Request) -> HeaderValue {
    let given = request.headers().get(REQUEST_ID).filter(|value| {
        let bytes = value.as_bytes();
        (1..=REQUEST_ID_BYTES_MAX).contains(&bytes.len())
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
    });
    given.cloned().unwrap_or_else(|| {
        HeaderValue::from_str(&format!("{:016x}", new_id())).unwrap_or(HeaderValue::from_static("none"))
    })
}

/// An id that this program has not given before: counted from a random one, since to ask the system for randomness takes
/// longer than much of an answer, and scattered, so that two ids in a row do not look alike.
fn new_id() -> u64 {
    static NEXT: LazyLock<AtomicU64> =
        LazyLock::new(|| AtomicU64::new(u64::from_be_bytes(clock::random::<8>().unwrap_or_default())));
    // An odd factor takes no two numbers to the same one.
    NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15).swap_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_is_given_twice() {
        let ids: std::collections::BTreeSet<u64> = (0..10_000).map(|_| new_id()).collect();
        assert_eq!(ids.len(), 10_000);
    }
}
