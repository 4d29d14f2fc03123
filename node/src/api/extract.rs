//! Taking requests apart, with refusals as problem documents.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use meed_audit::json::refuse_json;
use meed_audit::{Rejection, RejectionCode};
use serde::de::DeserializeOwned;

use super::problems::{Problem, ProblemResponse};
use crate::failure::Failure;

/// What a handler answers in place of its result.
pub(crate) struct Refused(Box<Problem>);

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self(failure.problem)
    }
}

impl From<Rejection> for Refused {
    fn from(rejection: Rejection) -> Self {
        Self(Box::new(Problem::from(&rejection)))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        ProblemResponse(self.0).into_response()
    }
}

/// The body as bytes.
pub(crate) struct Raw(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        Bytes::from_request(request, state).await.map(Self).map_err(|error| body_refusal(&error))
    }
}

fn body_refusal(error: &BytesRejection) -> Refused {
    let code = match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => RejectionCode::InputTooLarge,
        _ => RejectionCode::Malformed,
    };
    Rejection::new(code, "body", "a whole body within the limit of this route", error.body_text()).into()
}

/// The body as text.
pub(crate) struct Text(pub(crate) String);

impl<S: Send + Sync> FromRequest<S> for Text {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let Raw(bytes) = Raw::from_request(request, state).await?;
        String::from_utf8(bytes.to_vec())
            .map(Self)
            .map_err(|error| Rejection::new(RejectionCode::NotUtf8, "body", "UTF-8", error).into())
    }
}

/// The body as a JSON document; an empty body is an empty object.
pub(crate) struct Document<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Document<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let Raw(bytes) = Raw::from_request(request, state).await?;
        let bytes = if bytes.is_empty() { b"{}".as_slice() } else { &bytes };
        // Serde would take an array for the fields in their order.
        if bytes.trim_ascii_start().first() == Some(&b'[') {
            let expected = "the document of this route, a JSON object";
            return Err(Rejection::new(RejectionCode::WrongType, "body", expected, "an array").into());
        }
        serde_json::from_slice(bytes)
            .map(Self)
            .map_err(|error| refuse_json("body", "the document of this route, in JSON", &error, bytes).into())
    }
}

/// The parts of the path.
pub(crate) struct At<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for At<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(error) => {
                let expected = "numbers where numbers belong, in UTF-8";
                Err(Rejection::new(RejectionCode::Malformed, "path", expected, error.body_text()).into())
            }
        }
    }
}

/// The query.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refused> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(value)) => Ok(Self(value)),
            Err(error) => {
                let expected = "the parameters of this route";
                Err(Rejection::new(RejectionCode::Malformed, "query", expected, error.body_text()).into())
            }
        }
    }
}
