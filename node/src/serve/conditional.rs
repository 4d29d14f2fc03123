//! Answers that did not change are not sent again (RFC 9110, section 13).

use std::future::Future;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;

use crate::api::answers::tag_of;

/// Asks again each time, and is told when nothing changed.
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

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
    let (mut parts, body) = response.into_parts();
    let (tag, body) = match parts.headers.get(header::ETAG) {
        Some(tag) => (tag.clone(), body),
        // It comes in pieces, because it is too long to be held: it is sent as it is made, without a tag.
        None if body.size_hint().exact().is_none() => return Response::from_parts(parts, body),
        None => {
            let Ok(bytes) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            };
            (tag_of(&bytes), Body::from(bytes))
        }
    };
    parts.headers.entry(header::CACHE_CONTROL).or_insert(REVALIDATE);
    let is_known = known.is_some_and(|known| matches(&known, &tag));
    parts.headers.insert(header::ETAG, tag);
    if is_known {
        return not_modified(&parts.headers);
    }
    Response::from_parts(parts, body)
}

fn matches(known: &HeaderValue, tag: &HeaderValue) -> bool {
    let known = known.to_str().unwrap_or_default();
    let opaque = tag.to_str().unwrap_or_default().trim_start_matches("W/");
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
        let tag = tag_of(b"answer");
        let weak = tag.to_str().expect("a text");
        let strong = weak.trim_start_matches("W/");
        for known in [weak.to_owned(), strong.to_owned(), "*".to_owned(), format!("\"other\", {weak}")] {
            assert!(matches(&HeaderValue::from_str(&known).expect("a value"), &tag), "{known}");
        }
        assert!(!matches(&HeaderValue::from_static("\"other\""), &tag));
        assert_ne!(tag, tag_of(b"another"));
    }
}
