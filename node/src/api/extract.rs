//! Taking requests apart, with refusals as problem documents.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Form, FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use meed_audit::json::refuse_json;
use meed_audit::text::FreeText;
use meed_audit::{Rejection, RejectionCode};
use serde::de::DeserializeOwned;

use super::App;
use super::authority::Caller;
use super::problems::{Problem, ProblemResponse};
use crate::failure::Failure;
use crate::service::Service;

/// What a handler answers in place of its result.
pub(crate) struct Refused(Box<Problem>);

impl Refused {
    /// Whether it refuses for this reason.
    pub(crate) fn is(&self, code: RejectionCode) -> bool {
        self.0.number == Some(code.number())
    }

    /// The document that it answers with.
    pub(crate) fn into_problem(self) -> Box<Problem> {
        self.0
    }
}

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

/// The service, asked in the name of whoever called.
pub(crate) struct Call {
    /// What handlers share.
    pub(crate) app: App,
    /// Who asks.
    pub(crate) caller: Caller,
}

impl FromRequestParts<App> for Call {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        let app = app.clone();
        // Routes that ask for nothing have not looked at who calls.
        let caller = parts.extensions.get::<Caller>().cloned();
        Ok(Self { caller: caller.unwrap_or_else(|| app.stranger()), app })
    }
}

impl Call {
    /// Runs work that may wait for the disk or the writer, off the router's threads.
    pub(crate) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&Service, &FreeText) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Refused> {
        let Self { app, caller } = self;
        app.run(move |service| work(service, &caller.actor)).await
    }

    /// Runs a read of some microseconds where it stands: handing it to another thread would take longer.
    pub(crate) fn run_now<T>(
        self,
        work: impl FnOnce(&Service, &FreeText) -> Result<T, Failure>,
    ) -> Result<T, Refused> {
        Ok(work(self.app.service(), &self.caller.actor)?)
    }
}

/// Refuses a body that says it is something else. One that says nothing is taken for what the route wants.
fn check_media_type(headers: &HeaderMap, accepted: &[&str]) -> Result<(), Refused> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let text = value.to_str().unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim();
    if accepted.iter().any(|known| essence.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    let expected = accepted.join(" or ");
    let problem = Problem::local(
        "media_type",
        format!("content-type: expected {expected}, got {text:?}"),
        "send the header Content-Type that belongs to the body",
    );
    Err(Refused(Box::new(problem.with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE))))
}

pub(crate) async fn read_body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Refused> {
    Bytes::from_request(request, state).await.map_err(|error| body_refusal(&error))
}

fn body_refusal(error: &BytesRejection) -> Refused {
    let code = match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => RejectionCode::InputTooLarge,
        _ => RejectionCode::Malformed,
    };
    Rejection::new(code, "body", "a whole body within the limit of this route", error.body_text()).into()
}

/// The body as lines of JSON, not looked at yet.
pub(crate) struct Lines(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for Lines {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        const ACCEPTED: [&str; 4] =
            ["application/x-ndjson", "application/jsonl", "application/json", "text/plain"];
        check_media_type(request.headers(), &ACCEPTED)?;
        read_body(request, state).await.map(Self)
    }
}

/// The body as JSON that is signed as it came, not looked at yet.
pub(crate) struct Signed(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for Signed {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        check_media_type(request.headers(), &["application/json"])?;
        read_body(request, state).await.map(Self)
    }
}

/// The body as text.
pub(crate) struct Text(pub(crate) String);

impl<S: Send + Sync> FromRequest<S> for Text {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        check_media_type(request.headers(), &["text/plain", "application/octet-stream"])?;
        let bytes = read_body(request, state).await?;
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
        check_media_type(request.headers(), &["application/json"])?;
        let bytes = read_body(request, state).await?;
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

/// The fields of a form of a page.
pub(crate) struct Fields<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Fields<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        check_media_type(request.headers(), &["application/x-www-form-urlencoded"])?;
        match Form::<T>::from_request(request, state).await {
            Ok(Form(fields)) => Ok(Self(fields)),
            Err(error) => {
                let code = match error.status() {
                    StatusCode::PAYLOAD_TOO_LARGE => RejectionCode::InputTooLarge,
                    _ => RejectionCode::Malformed,
                };
                Err(Rejection::new(code, "form", "the fields of this form", error.body_text()).into())
            }
        }
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
