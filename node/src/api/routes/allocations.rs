//! Who gets how much, and out of what.

use axum::Json;
use axum::response::Response;
use meed_audit::RejectionCode;
use utoipa_axum::routes;

use super::{Answer, Problems, Routes};
use crate::api::answers::{as_file, kept, typed_pieces};
use crate::api::authority::Access;
use crate::api::documents::{
    AllocatedView, AllocationLeaf, AllocationRequest, AllocationsView, Page, PayoutItem, PoolAddedView,
    PoolRequest, PoolView,
};
use crate::api::extract::{Asked, At, Call, Document, Refused};
use crate::api::parameters::{AllocationsPart, ClaimantPath, EpochPath, ExportAs, PayoutsPart};
use crate::api::pieces::{self, Writing};
use crate::failure::reject;
use crate::service::{ExportKind, Service};

pub(super) fn all() -> Routes {
    Routes::new()
        .with(Access::Anyone, routes!(allocations))
        .with(Access::Curate, routes!(allocate))
        .with(Access::Anyone, routes!(pool))
        .with(Access::Operate, routes!(add_pool))
        .with(Access::Anyone, routes!(export))
        .with(Access::Anyone, routes!(payouts))
}

/// The allocations of a final statement, of the draft that is offered, or those that a freeze would give now.
#[utoipa::path(
    get,
    path = "/api/v1/scopes/{key}/epochs/{epoch}/allocations",
    tag = "allocations",
    params(EpochPath, AllocationsPart),
    responses(
        (
            status = 200,
            description = "A part of the allocations",
            body = AllocationsView
        ),
        Problems
    )
)]
async fn allocations(
    call: Call,
    At(EpochPath { key, epoch }): At<EpochPath>,
    Asked(mut part): Asked<AllocationsPart>,
) -> Answer<AllocationsView> {
    let wanted = part.wanted()?;
    let work = call.run(move |service, _| {
        service.allocations(&key, epoch, part.revision, (part.prefix.as_str(), &wanted))
    });
    work.await.map(Json)
}

/// Sets the final units of a claimant, or takes that back.
#[utoipa::path(
    patch,
    path = "/api/v1/scopes/{key}/epochs/{epoch}/allocations",
    tag = "allocations",
    params(EpochPath),
    request_body = AllocationRequest,
    responses(
        (status = 200, description = "The decision, and whether the claimant has no activity", body = AllocatedView),
        Problems
    )
)]
async fn allocate(
    call: Call,
    At(EpochPath { key, epoch }): At<EpochPath>,
    Document(request): Document<AllocationRequest>,
) -> Answer<AllocatedView> {
    call.run(move |service, actor| service.allocate(&key, epoch, &request, actor)).await.map(Json)
}

/// The components of an epoch's pool.
#[utoipa::path(
    get,
    path = "/api/v1/scopes/{key}/epochs/{epoch}/pool",
    tag = "allocations",
    params(EpochPath),
    responses(
        (status = 200, description = "The pool", body = PoolView),
        Problems
    )
)]
async fn pool(call: Call, At(EpochPath { key, epoch }): At<EpochPath>) -> Answer<PoolView> {
    call.run(move |service, _| service.pool(&key, epoch)).await.map(Json)
}

/// Adds a component to an epoch's pool.
#[utoipa::path(
    post,
    path = "/api/v1/scopes/{key}/epochs/{epoch}/pool",
    tag = "allocations",
    params(EpochPath),
    request_body = PoolRequest,
    responses(
        (status = 200, description = "The pool after it", body = PoolAddedView),
        Problems
    )
)]
async fn add_pool(
    call: Call,
    At(EpochPath { key, epoch }): At<EpochPath>,
    Document(request): Document<PoolRequest>,
) -> Answer<PoolAddedView> {
    call.run(move |service, actor| service.add_pool(&key, epoch, &request, actor)).await.map(Json)
}

/// The allocations of a final statement for other programs, in a file named by scope, epoch and revision. CSV has the
/// columns `claimant`, `credits` (in the smallest unit), `final_units` and `proposed_units` (in milli-units), `events`,
/// `override_reason`, and then, as people say it, `amount` in the scope's unit, that `unit`, and `units`.
#[utoipa::path(
    get,
    path = "/api/v1/scopes/{key}/epochs/{epoch}/export",
    tag = "allocations",
    params(EpochPath, ExportAs),
    responses(
        (
            status = 200,
            description = "The allocations",
            content((String = "text/csv"), (Vec<AllocationLeaf> = "application/json"))
        ),
        Problems
    )
)]
async fn export(
    call: Call,
    At(EpochPath { key, epoch }): At<EpochPath>,
    Asked(asked): Asked<ExportAs>,
) -> Result<Response, Refused> {
    let (kind, media_type) = match asked.format.as_str() {
        "csv" => (ExportKind::Csv, "text/csv; charset=utf-8"),
        "json" => (ExportKind::Json, "application/json"),
        other => return Err(reject(RejectionCode::Malformed, "format", "csv or json", other).into()),
    };
    let service = call.app.service().clone();
    let begin = move |service: &Service| {
        let writing = service.export(&key, epoch, asked.revision, kind)?;
        Ok((writing.file_name(), writing.next(service)?))
    };
    let (name, (first, rest)) = call.run(move |service, _| begin(service)).await?;
    let answer = as_file(typed_pieces(media_type, pieces::body(&service, first, rest)), &name);
    Ok(kept(answer, asked.revision.is_some()))
}

/// What a claimant gets by the statements in force; with `superseded=true` also what the statements said that an
/// amendment has replaced. Each item names the address of its own proof file, which verifies as long as anybody keeps it.
#[utoipa::path(
    get,
    path = "/api/v1/claimants/{claimant}/payouts",
    tag = "allocations",
    params(ClaimantPath, PayoutsPart),
    responses(
        (status = 200, description = "A part of the payouts, which may be empty before the end", body = Page<PayoutItem>),
        Problems
    )
)]
async fn payouts(
    call: Call,
    At(ClaimantPath { claimant }): At<ClaimantPath>,
    Asked(mut part): Asked<PayoutsPart>,
) -> Answer<Page<PayoutItem>> {
    let (wanted, superseded) = (part.wanted()?, part.superseded);
    let work = call.run(move |service, _| match superseded {
        true => service.all_payouts_of(&claimant, &wanted),
        false => service.payouts_of(&claimant, &wanted),
    });
    work.await.map(Json)
}
