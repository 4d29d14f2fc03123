//! Answers that are no documents, and how long answers may be kept.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use meed_audit::hash::Hash;
use serde::Serialize;

/// For what never changes.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Hex digits of a tag: enough that two answers of one address never share it by accident.
const TAG_DIGITS: usize = 32;

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
    by_preference(if json {
        typed("application/json", serde_json::to_vec(value).unwrap_or_default())
    } else {
        typed("text/plain; charset=utf-8", text.as_bytes().to_vec())
    })
}

/// The same answer, as one that the request's preference chose: whoever keeps answers for others must not mix them up.
pub(crate) fn by_preference(mut response: Response) -> Response {
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
    response
}

/// The same answer with a tag, made of bytes that stand for it and for no other answer of its address.
pub(crate) fn named(mut response: Response, name: &[u8]) -> Response {
    response.headers_mut().insert(header::ETAG, tag_of(name));
    response
}

/// The tag of bytes that tell an answer from all others of its address: the answer itself, or what it is made of. It is
/// weak, because the same answer is sent compressed and plain.
pub(crate) fn tag_of(bytes: &[u8]) -> HeaderValue {
    let hex = Hash::of(bytes).to_hex();
    let tag = ["W/\"", hex.get(..TAG_DIGITS).unwrap_or(&hex), "\""].concat();
    // Digits and quotes are a header's value.
    HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("W/\"\""))
}

/// The same answer, which may be kept forever where `is_final`.
pub(crate) fn kept(mut response: Response, is_final: bool) -> Response {
    if is_final {
        response.headers_mut().insert(header::CACHE_CONTROL, IMMUTABLE);
    }
    response
}
