//! Answers that are no documents, and how long answers may be kept.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// For what never changes.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Bytes of this media type.
pub(crate) fn typed(media_type: &'static str, bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, media_type)], bytes).into_response()
}

/// A body that comes in pieces, of this media type.
pub(crate) fn typed_pieces(media_type: &'static str, body: Body) -> Response {
    ([(header::CONTENT_TYPE, media_type)], body).into_response()
}

/// The same answer as a file to keep, under this name: letters, digits, hyphens and dots.
pub(crate) fn as_file(mut response: Response, name: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// A document or its text, as the request prefers.
pub(crate) fn text_or_json(json: bool, value: &impl Serialize, text: &str) -> Response {
    if json {
        return typed("application/json", serde_json::to_vec(value).unwrap_or_default());
    }
    typed("text/plain; charset=utf-8", text.as_bytes().to_vec())
}

/// The same answer, which may be kept forever where `is_final`.
pub(crate) fn kept(mut response: Response, is_final: bool) -> Response {
    if is_final {
        response.headers_mut().insert(header::CACHE_CONTROL, IMMUTABLE);
    }
    response
}
