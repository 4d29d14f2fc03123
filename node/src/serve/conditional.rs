//! Answers that did not change are not sent again (RFC 9110, section 13).

use std::future::Future;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use meed_audit::hash::Hash;

/// Asks again each time, and is told when nothing changed.
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");
/// Hex digits of a tag: enough that two answers of one address never share it by accident.
const TAG_DIGITS: usize = 32;

/// The answer, with a tag where it is one to a read, and without its body where the request knows that tag.
pub(super) async fn tagged<F>(request: Request, answer: impl FnOnce(Request) -> F) -> Response
where
    F: Future<Output = Response>,
{
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let response = answer(request).await;
    if !is_read || response.status() != StatusCode::OK {
        return response;
    }
    if response.body().size_hint().exact().is_none() {
        // It comes in pieces, because it is too long to be held: it is sent as it is made, without a tag.
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let tag = tag_of(&bytes);
    let headers = &mut parts.headers;
    headers.entry(header::CACHE_CONTROL).or_insert(REVALIDATE);
    if let Ok(value) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, value);
    }
    if known.is_some_and(|known| matches(&known, &tag)) {
        return not_modified(&parts.headers);
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// Weak, because the same answer is sent compressed and plain.
fn tag_of(bytes: &Bytes) -> String {
    let hex = Hash::of(bytes).to_hex();
    format!("W/\"{}\"", hex.get(..TAG_DIGITS).unwrap_or(&hex))
}

fn matches(known: &HeaderValue, tag: &str) -> bool {
    let known = known.to_str().unwrap_or_default();
    let opaque = tag.trim_start_matches("W/");
    known.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == opaque)
}

fn not_modified(headers: &HeaderMap) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    for name in [header::CACHE_CONTROL, header::ETAG, header::VARY] {
        if let Some(value) = headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_match_weakly_in_a_list() {
        let tag = tag_of(&Bytes::from_static(b"answer"));
        let strong = tag.trim_start_matches("W/");
        for known in [tag.clone(), strong.to_owned(), "*".to_owned(), format!("\"other\", {tag}")] {
            assert!(matches(&HeaderValue::from_str(&known).expect("a value"), &tag), "{known}");
        }
        assert!(!matches(&HeaderValue::from_static("\"other\""), &tag));
        assert_ne!(tag, tag_of(&Bytes::from_static(b"another")));
    }
}
