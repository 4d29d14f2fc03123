//! Handlers that read.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use meed_audit::RejectionCode;
use serde::{Deserialize, Serialize};

use super::App;
use super::documents::{
    ActivityItem, AllocationsView, ApproversView, ConflictView, DecisionView, DraftView, EpochView,
    IdentityView, NodeView, Page, PayoutItem, PoolView, ScopeView, SignaturesView, UserView,
    VerificationView,
};
use super::extract::{Asked, At, Refused};
use crate::failure::reject;
use crate::service::ExportKind;

/// Most items of one part of a list.
const PAGE_MAX: u64 = 100_000;
const PAGE_DEFAULT: u64 = 1_000;

type Answer<T> = Result<Json<T>, Refused>;
type Epoch = At<(String, u64)>;

/// Which part of a list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    from: Option<u64>,
    limit: Option<u64>,
    revision: Option<u64>,
}

impl Part {
    fn range(&self) -> (u64, u64) {
        (self.from.unwrap_or(0), self.limit.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX))
    }
}

/// Which statement.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Statement {
    revision: Option<u64>,
    preview: Option<String>,
}

/// Which proof.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProofOf {
    revision: Option<u64>,
    since: Option<u64>,
}

/// Which export.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportAs {
    format: String,
    revision: Option<u64>,
}

pub(crate) async fn node(State(app): State<App>) -> Answer<NodeView> {
    app.run(|service, _| service.node()).await.map(Json)
}

pub(crate) async fn scopes(State(app): State<App>) -> Answer<Vec<ScopeView>> {
    app.run(|service, _| service.scopes()).await.map(Json)
}

pub(crate) async fn scope(State(app): State<App>, At(key): At<String>) -> Answer<ScopeView> {
    app.run(move |service, _| service.scope(&key)).await.map(Json)
}

pub(crate) async fn approvers(State(app): State<App>, At(key): At<String>) -> Answer<ApproversView> {
    app.run(move |service, _| service.approvers(&key)).await.map(Json)
}

pub(crate) async fn trust(State(app): State<App>, At(key): At<String>) -> Result<Response, Refused> {
    let text = app.run(move |service, _| service.trust(&key)).await?;
    Ok(typed("application/toml", text.into_bytes()))
}

pub(crate) async fn conflicts(State(app): State<App>, At(key): At<String>) -> Answer<Vec<ConflictView>> {
    app.run(move |service, _| service.conflicts(&key)).await.map(Json)
}

pub(crate) async fn decisions(
    State(app): State<App>,
    At(key): At<String>,
    Asked(part): Asked<Part>,
) -> Answer<Page<DecisionView>> {
    let (from, limit) = part.range();
    app.run(move |service, _| service.decisions(&key, from, limit)).await.map(Json)
}

pub(crate) async fn epochs(State(app): State<App>, At(key): At<String>) -> Answer<Vec<EpochView>> {
    app.run(move |service, _| service.epochs(&key)).await.map(Json)
}

pub(crate) async fn epoch(State(app): State<App>, At((key, epoch)): Epoch) -> Answer<EpochView> {
    app.run(move |service, _| service.epoch(&key, epoch)).await.map(Json)
}

pub(crate) async fn drafts(State(app): State<App>, At((key, epoch)): Epoch) -> Answer<Vec<DraftView>> {
    app.run(move |service, _| service.drafts(&key, epoch)).await.map(Json)
}

pub(crate) async fn activity(
    State(app): State<App>,
    At((key, epoch)): Epoch,
    Asked(part): Asked<Part>,
) -> Answer<Page<ActivityItem>> {
    let (from, limit) = part.range();
    app.run(move |service, _| service.activity(&key, epoch, from, limit)).await.map(Json)
}

pub(crate) async fn allocations(
    State(app): State<App>,
    At((key, epoch)): Epoch,
    Asked(part): Asked<Part>,
) -> Answer<AllocationsView> {
    let range = part.range();
    app.run(move |service, _| service.allocations(&key, epoch, part.revision, range)).await.map(Json)
}

pub(crate) async fn pool(State(app): State<App>, At((key, epoch)): Epoch) -> Answer<PoolView> {
    app.run(move |service, _| service.pool(&key, epoch)).await.map(Json)
}

/// The note as text, or the document where JSON is asked for.
pub(crate) async fn statement(
    State(app): State<App>,
    At((key, epoch)): Epoch,
    Asked(asked): Asked<Statement>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let json = accept.contains("application/json");
    if asked.preview.is_some() {
        let preview = app.run(move |service, _| service.preview(&key, epoch)).await?;
        return Ok(text_or_json(json, &preview, &preview.text));
    }
    let view = app.run(move |service, _| service.statement(&key, epoch, asked.revision)).await?;
    Ok(text_or_json(json, &view, &view.note))
}

pub(crate) async fn statement_policy(
    State(app): State<App>,
    At((key, epoch)): Epoch,
    Asked(asked): Asked<Statement>,
) -> Result<Response, Refused> {
    let text = app.run(move |service, _| service.statement_policy(&key, epoch, asked.revision)).await?;
    Ok(typed("text/plain; charset=utf-8", text.into_bytes()))
}

pub(crate) async fn dossier(
    State(app): State<App>,
    At((key, epoch)): Epoch,
    Asked(asked): Asked<Statement>,
) -> Result<Response, Refused> {
    let bytes = app.run(move |service, _| service.dossier(&key, epoch, asked.revision)).await?;
    Ok(typed("application/x-ndjson", bytes))
}

pub(crate) async fn signatures(State(app): State<App>, At((key, epoch)): Epoch) -> Answer<SignaturesView> {
    app.run(move |service, _| service.signatures(&key, epoch)).await.map(Json)
}

pub(crate) async fn verification(
    State(app): State<App>,
    At((key, epoch)): Epoch,
    Asked(asked): Asked<Statement>,
) -> Answer<VerificationView> {
    app.run(move |service, _| service.verification(&key, epoch, asked.revision)).await.map(Json)
}

pub(crate) async fn proof(
    State(app): State<App>,
    At((key, epoch, claimant)): At<(String, u64, String)>,
    Asked(asked): Asked<ProofOf>,
) -> Result<Response, Refused> {
    let work = app.run(move |service, _| service.proof(&key, epoch, &claimant, asked.revision, asked.since));
    Ok(typed("application/json", work.await?))
}

pub(crate) async fn export(
    State(app): State<App>,
    At((key, epoch)): Epoch,
    Asked(asked): Asked<ExportAs>,
) -> Result<Response, Refused> {
    let (kind, media_type) = match asked.format.as_str() {
        "csv" => (ExportKind::Csv, "text/csv; charset=utf-8"),
        "json" => (ExportKind::Json, "application/json"),
        other => return Err(reject(RejectionCode::Malformed, "format", "csv or json", other).into()),
    };
    let bytes = app.run(move |service, _| service.export(&key, epoch, asked.revision, kind)).await?;
    Ok(typed(media_type, bytes))
}

pub(crate) async fn payouts(State(app): State<App>, At(claimant): At<String>) -> Answer<Vec<PayoutItem>> {
    app.run(move |service, _| service.payouts_of(&claimant)).await.map(Json)
}

pub(crate) async fn users(State(app): State<App>) -> Answer<Vec<UserView>> {
    app.run(|service, _| service.users()).await.map(Json)
}

pub(crate) async fn identities(State(app): State<App>) -> Answer<Vec<IdentityView>> {
    app.run(|service, _| service.identities()).await.map(Json)
}

pub(crate) async fn checkpoint(State(app): State<App>, At(log): At<String>) -> Result<Response, Refused> {
    let text = app.run(move |service, _| service.checkpoint(&log)).await?;
    Ok(typed("text/plain; charset=utf-8", text.into_bytes()))
}

pub(crate) async fn log_entry(
    State(app): State<App>,
    At((log, index)): At<(String, u64)>,
) -> Result<Response, Refused> {
    let bytes = app.run(move |service, _| service.log_entry(&log, index)).await?;
    Ok(typed("application/octet-stream", bytes))
}

pub(crate) async fn healthz() -> Response {
    typed("text/plain; charset=utf-8", b"ok\n".to_vec())
}

/// What a problem's `type` leads to: its number, who must act, and what to do.
pub(crate) async fn problem(At(code): At<String>) -> Result<Response, Refused> {
    #[derive(Serialize)]
    struct ProblemKind {
        code: &'static str,
        number: u16,
        who_acts: String,
        remedy: &'static str,
    }
    let found = RejectionCode::ALL.iter().find(|known| known.name() == code);
    let known = found.ok_or_else(|| {
        Refused::from(reject(RejectionCode::RecordNotFound, "problem", "the name of a refusal", &code))
    })?;
    let kind = ProblemKind {
        code: known.name(),
        number: known.number(),
        who_acts: known.actor().to_string(),
        remedy: known.remedy(),
    };
    Ok((StatusCode::OK, Json(kind)).into_response())
}

fn typed(media_type: &'static str, bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, media_type)], bytes).into_response()
}

fn text_or_json(json: bool, value: &impl Serialize, text: &str) -> Response {
    if json {
        return typed("application/json", serde_json::to_vec(value).unwrap_or_default());
    }
    typed("text/plain; charset=utf-8", text.as_bytes().to_vec())
}
