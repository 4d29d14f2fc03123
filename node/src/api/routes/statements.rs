//! Statements, their signatures, and proofs.

use axum::Json;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use utoipa_axum::routes;

use super::{Answer, Problems, Routes};
use crate::api::answers::{as_file, kept, named, text_or_json, typed, typed_pieces};
use crate::api::authority::Access;
use crate::api::documents::{OtherKeysView, ProofFile, SignaturesView, StatementView, VerificationView};
use crate::api::extract::{Asked, At, Call, Refused, Text};
use crate::api::parameters::{EpochPath, ProofOf, ProofPath, Statement};
use crate::api::pieces::{self, Writing};
use crate::service::Service;

pub(super) fn all() -> Routes {
    Routes::new()
        .with(Access::Anyone, routes!(statement))
        .with(Access::Anyone, routes!(statement_policy))
        .with(Access::Anyone, routes!(dossier))
        .with(Access::Anyone, routes!(signatures))
        .with(Access::Anyone, routes!(add_signatures))
        .with(Access::Anyone, routes!(verification))
        .with(Access::Anyone, routes!(proof))
        .with(Access::Anyone, routes!(other_keys))
}

/// The signed note of a draft or final statement as text, or a document about it where JSON is asked for.
#[utoipa::path(
    get,
    path = "/api/v1/scopes/{key}/epochs/{epoch}/statement",
    tag = "statements",
    params(EpochPath, Statement),
    responses(
        (
            status = 200,
            description = "The note, or the document",
            content((String = "text/plain"), (StatementView = "application/json"))
        ),
        Problems
    )
)]
async fn statement(
    call: Call,
    At(EpochPath { key, epoch }): At<EpochPath>,
    Asked(asked): Asked<Statement>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let json = accept.contains("application/json");
    if asked.preview.is_some() {
        let preview = call.run(move |service, _| service.preview(&key, epoch)).await?;
        return Ok(text_or_json(json, &preview, &preview.text));
    }
    let view = call.run(move |service, _| service.statement(&key, epoch, asked.revision)).await?;
    Ok(kept(text_or_json(json, &view, &view.note), view.is_final && asked.revision.is_some()))
}

/// The C2SP tlog-policy with which a stock tool checks the quorum of a statement.
#[utoipa::path(
    get,
    path = "/api/v1/scopes/{key}/epochs/{epoch}/statement/policy",
    tag = "statements",
    params(EpochPath, Statement),
    responses(
        (
            status = 200,
            description = "A policy",
            body = String,
            content_type = "text/plain"
        ),
        Problems
    )
)]
async fn statement_policy(
    call: Call,
    At(EpochPath { key, epoch }): At<EpochPath>,
    Asked(asked): Asked<Statement>,
) -> Result<Response, Refused> {
    let found = call.run(move |service, _| service.statement_policy(&key, epoch, asked.revision)).await?;
    Ok(typed("text/plain; charset=utf-8", found.into_bytes()))
}

/// All that recomputing an epoch needs, as NDJSON, in a file named by scope, epoch and revision.
#[utoipa::path(
    get,
    path = "/api/v1/scopes/{key}/epochs/{epoch}/dossier",
    tag = "statements",
    params(EpochPath, Statement),
    responses(
        (
            status = 200,
            description = "One record a line",
            body = String,
            content_type = "application/x-ndjson"
        ),
        Problems
    )
)]
async fn dossier(
    call: Call,
    At(EpochPath { key, epoch }): At<EpochPath>,
    Asked(asked): Asked<Statement>,
) -> Result<Response, Refused> {
    let service = call.app.service().clone();
    let begin = move |service: &Service| {
        let writing = service.dossier(&key, epoch, asked.revision)?;
        Ok((writing.file_name(), writing.next(service)?))
    };
    let (name, (first, rest)) = call.run(move |service, _| begin(service)).await?;
    Ok(as_file(typed_pieces("application/x-ndjson", pieces::body(&service, first, rest)), &name))
}

/// The signatures of an epoch's drafts, and which of them count.
#[utoipa::path(
    get,
    path = "/api/v1/scopes/{key}/epochs/{epoch}/signatures",
    tag = "statements",
    params(EpochPath),
    responses(
        (status = 200, description = "The signatures", body = SignaturesView),
        Problems
    )
)]
async fn signatures(call: Call, At(EpochPath { key, epoch }): At<EpochPath>) -> Answer<SignaturesView> {
    call.run(move |service, _| service.signatures(&key, epoch)).await.map(Json)
}

/// Adds approvals to the current draft; each proves itself, so no token is asked for.
#[utoipa::path(
    post,
    path = "/api/v1/scopes/{key}/epochs/{epoch}/signatures",
    tag = "statements",
    params(EpochPath),
    request_body(content = String, content_type = "text/plain"),
    responses(
        (status = 200, description = "The signatures", body = SignaturesView),
        Problems
    )
)]
async fn add_signatures(
    call: Call,
    At(EpochPath { key, epoch }): At<EpochPath>,
    Text(text): Text,
) -> Answer<SignaturesView> {
    call.run(move |service, _| service.add_signatures(&key, epoch, &text)).await.map(Json)
}

/// The node's own recomputation of an epoch, compared with the stored statement.
#[utoipa::path(
    get,
    path = "/api/v1/scopes/{key}/epochs/{epoch}/verification",
    tag = "statements",
    params(EpochPath, Statement),
    responses(
        (
            status = 200,
            description = "What the recomputation gave",
            body = VerificationView
        ),
        Problems
    )
)]
async fn verification(
    call: Call,
    At(EpochPath { key, epoch }): At<EpochPath>,
    Asked(asked): Asked<Statement>,
) -> Answer<VerificationView> {
    call.run(move |service, _| service.verification(&key, epoch, asked.revision)).await.map(Json)
}

/// Under which other keys a claimant's work counts by a final statement: the user whose account it was when the statement
/// was frozen, or the accounts that are or were a user's and are paid under their own keys.
#[utoipa::path(
    get,
    path = "/api/v1/scopes/{key}/epochs/{epoch}/other-keys/{claimant}",
    tag = "statements",
    params(ProofPath, Statement),
    responses(
        (status = 200, description = "The keys, which may be none", body = OtherKeysView),
        Problems
    )
)]
async fn other_keys(
    call: Call,
    At(ProofPath { key, epoch, claimant }): At<ProofPath>,
    Asked(asked): Asked<Statement>,
) -> Answer<OtherKeysView> {
    call.run(move |service, _| service.other_keys(&key, epoch, &claimant, asked.revision)).await.map(Json)
}

/// The file that proves what a claimant gets, or that they are not in the epoch.
#[utoipa::path(
    get,
    path = "/api/v1/scopes/{key}/epochs/{epoch}/proofs/{claimant}",
    tag = "statements",
    params(ProofPath, ProofOf),
    responses(
        (status = 200, description = "The proof file", body = ProofFile, content_type = "application/json"),
        Problems
    )
)]
async fn proof(
    call: Call,
    At(ProofPath { key, epoch, claimant }): At<ProofPath>,
    Asked(asked): Asked<ProofOf>,
) -> Result<Response, Refused> {
    let (revision, since) = (asked.revision, asked.since);
    let (file, name) = call.run_now(|service, _| service.proof(&key, epoch, &claimant, revision, since))?;
    Ok(kept(named(typed("application/json", file), &name), revision.is_some()))
}
