//! Problem documents ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)): what HTTP answers and the command line
//! prints when something is refused.

use std::collections::BTreeMap;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use meed_audit::time::Timestamp;
use meed_audit::{Rejection, RejectionCode};
use meed_storage::{LedgerError, StorageError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::{self, Content, Ref, RefOr, ResponseBuilder};

use crate::failure::{Failure, with_sources};

/// The media type of problem documents.
pub const PROBLEM_TYPE: &str = "application/problem+json";

/// A problem document, with the members `remedy`, `code`, `number` and `lines` beside those of the RFC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A reference that identifies the kind: `/problems/<code>`.
    pub r#type: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened here: the subject, what was expected, what came.
    pub detail: String,
    /// What to do about it.
    pub remedy: String,
    /// The stable name.
    pub code: String,
    /// The stable number, for refusals by a rule.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub number: Option<u16>,
    /// What is wrong with each line, where a batch of lines was refused; a line may have several faults.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub lines: Vec<LineProblem>,
    /// How many more lines are bad whose faults are not told.
    #[serde(skip_serializing_if = "crate::api::documents::is_zero", default)]
    pub lines_more: u64,
    /// From when on the same may be tried again, where that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub retry_at: Option<Timestamp>,
}

/// What is wrong with one line of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LineProblem {
    /// The number of the line, from 1.
    pub line: u64,
    /// The stable name of the reason.
    pub code: String,
    /// Which field, what was expected there, and what came.
    pub detail: String,
}

impl LineProblem {
    /// How many lines these are of, and `more` whose faults are not told: one line may have several faults, which follow
    /// each other.
    pub fn lines_count(problems: &[Self], more: u64) -> u64 {
        let told = problems.chunk_by(|one, other| one.line == other.line).count();
        u64::try_from(told).unwrap_or(u64::MAX).saturating_add(more)
    }
}

impl Problem {
    /// A problem that is not a refusal by a numbered rule.
    pub fn local(code: &str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            r#type: type_of(code),
            title: title_of(code),
            status: StatusCode::INTERNAL_SERVER_ERROR.as_u16(),
            detail: detail.into(),
            remedy: remedy.into(),
            code: code.to_owned(),
            number: None,
            lines: Vec::new(),
            lines_more: 0,
            retry_at: None,
        }
    }

    /// The same problem with another HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status.as_u16();
        self
    }
}

/// The problems that any route may answer with, for its description.
pub(crate) struct Problems;

impl utoipa::IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<openapi::Response>> {
        let kinds = [
            (400, "The request is malformed: the problem names the field"),
            (401, "A token is needed, or this one does not hold"),
            (403, "The token's role does not allow this"),
            (404, "There is no such thing"),
            (405, "The path has no such method"),
            (408, "The request took too long"),
            (409, "The ledger's state does not allow this now"),
            (413, "The body is too large"),
            (415, "The body is of another media type"),
            (422, "What was sent is refused by a rule"),
            (429, "Too many requests: wait as long as Retry-After says"),
            (500, "The node or its program is at fault"),
            (503, "The node is too busy, or its writer has stopped"),
            (507, "The disk is full"),
        ];
        let content = || Content::new(Some(Ref::from_schema_name("Problem")));
        let response =
            |words: &str| ResponseBuilder::new().description(words).content(PROBLEM_TYPE, content()).build();
        // These come from below the router, which has not read the request by then: without a document.
        let without = [(414, "The address is too long"), (431, "The head of the request is too large")]
            .map(|(status, words)| (status, ResponseBuilder::new().description(words).build()));
        let with = kinds.map(|(status, words)| (status, response(words)));
        let all = with.into_iter().chain(without);
        all.map(|(status, response)| (status.to_string(), RefOr::T(response))).collect()
    }
}

fn type_of(code: &str) -> String {
    format!("/problems/{code}")
}

fn title_of(code: &str) -> String {
    code.replace('_', " ")
}

impl From<&Rejection> for Problem {
    fn from(rejection: &Rejection) -> Self {
        let code = rejection.code;
        Self {
            r#type: type_of(code.name()),
            title: title_of(code.name()),
            status: status_of(code).as_u16(),
            detail: rejection.to_string(),
            remedy: rejection.remedy().to_owned(),
            code: code.name().to_owned(),
            number: Some(code.number()),
            lines: Vec::new(),
            lines_more: 0,
            retry_at: None,
        }
    }
}

impl From<&StorageError> for Problem {
    fn from(error: &StorageError) -> Self {
        let code = match error {
            StorageError::AlreadyExists { .. } | StorageError::Unfinished { .. } => "exists",
            StorageError::NotFound { .. } => "ledger_not_found",
            StorageError::AlreadyOpen { .. } => "ledger_in_use",
            StorageError::NotALedger { .. } => "not_a_ledger",
            StorageError::NewerFormat { .. } => "newer_format",
            StorageError::OlderFormat { .. } => "older_format",
            StorageError::WrongLogKey { .. } => "wrong_log_key",
            StorageError::Corrupt { .. } => "corrupt",
            StorageError::DiskFull { .. } => "disk_full",
            StorageError::WriterStopped { .. } => "writer_stopped",
            StorageError::GroupUndone { .. } => "group_undone",
            StorageError::Unsigned { .. } => "unsigned",
            StorageError::NoLogKey => "no_log_key",
            _ => "storage",
        };
        let status = match error {
            StorageError::NotFound { .. } => StatusCode::NOT_FOUND,
            StorageError::AlreadyExists { .. }
            | StorageError::Unfinished { .. }
            | StorageError::AlreadyOpen { .. }
            | StorageError::NotALedger { .. }
            | StorageError::NewerFormat { .. }
            | StorageError::OlderFormat { .. }
            | StorageError::WrongLogKey { .. }
            | StorageError::Unsigned { .. } => StatusCode::CONFLICT,
            StorageError::DiskFull { .. } => StatusCode::INSUFFICIENT_STORAGE,
            StorageError::WriterStopped { .. }
            | StorageError::GroupUndone { .. }
            | StorageError::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::local(code, with_sources(error), error.remedy()).with_status(status)
    }
}

/// The HTTP status of a refusal.
pub fn status_of(code: RejectionCode) -> StatusCode {
    use RejectionCode as R;
    match code {
        R::InputTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        R::TokenInvalid => StatusCode::UNAUTHORIZED,
        R::RoleForbids | R::CrossOrigin => StatusCode::FORBIDDEN,
        R::KeyInUse | R::LedgerRestored | R::LedgerBehind | R::QuorumMissing | R::SignByPassed => {
            StatusCode::CONFLICT
        }
        R::SignedOther | R::DomainUnknown => StatusCode::CONFLICT,
        R::PoolNotPositive => StatusCode::BAD_REQUEST,
        R::ArithmeticOverflow => StatusCode::INTERNAL_SERVER_ERROR,
        _ => match code.number() {
            1..=32 => StatusCode::BAD_REQUEST,
            40..=48 => StatusCode::NOT_FOUND,
            50..=79 => StatusCode::CONFLICT,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        },
    }
}

/// What a handler answers in place of its result.
pub struct ProblemResponse(pub Box<Problem>);

impl IntoResponse for ProblemResponse {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, PROBLEM_TYPE)], body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Failure> for ProblemResponse {
    fn from(failure: Failure) -> Self {
        Self(failure.problem)
    }
}

impl From<Rejection> for ProblemResponse {
    fn from(rejection: Rejection) -> Self {
        Self(Box::new(Problem::from(&rejection)))
    }
}

impl From<LedgerError> for ProblemResponse {
    fn from(error: LedgerError) -> Self {
        Failure::from(error).into()
    }
}

impl From<StorageError> for ProblemResponse {
    fn from(error: StorageError) -> Self {
        Failure::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rejection_becomes_a_problem_with_its_number_and_an_error_status() {
        for code in RejectionCode::ALL {
            let problem = Problem::from(&Rejection::new(*code, "subject", "this", "that"));
            assert_eq!(problem.number, Some(code.number()));
            assert!((400..600).contains(&problem.status), "{problem:?}");
            assert!(problem.detail.contains("expected this, got that"));
            assert_eq!(problem.remedy, code.remedy());
        }
    }

    #[test]
    fn statuses_say_who_is_at_fault() {
        for (code, status) in [
            (RejectionCode::InputTooLarge, 413),
            (RejectionCode::MissingField, 400),
            (RejectionCode::TokenInvalid, 401),
            (RejectionCode::RoleForbids, 403),
            (RejectionCode::ScopeNotFound, 404),
            (RejectionCode::PoolConflict, 409),
            (RejectionCode::EpochFinalized, 409),
            (RejectionCode::WindowsSkipped, 409),
            (RejectionCode::RunActive, 409),
            (RejectionCode::SignatureInvalid, 422),
            (RejectionCode::ArithmeticOverflow, 500),
        ] {
            assert_eq!(status_of(code).as_u16(), status, "{}", code.name());
        }
    }
}
