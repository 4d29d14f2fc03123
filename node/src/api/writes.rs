//! Handlers that send a command to the ledger's writer and await its reply.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::App;
use super::documents::{
    AllocationRequest, AmendRequest, ApproversRequest, ApproversView, BackupRequest, BackupView, BindRequest,
    BoundView, CloseRequest, CollectRequest, CollectView, CompactView, CurationRequest, DecisionView,
    DraftView, EpochView, EraseRequest, ErasedView, FinalView, FreezeRequest, FsckView, ImportView, NodeView,
    OpenRequest, PoolAddedView, PoolRequest, ReasonRequest, RebindRequest, ResumeRequest, RevokeRequest,
    ScopeChangeRequest, ScopeRequest, ScopeView, SignaturesView, UserRequest, UserView,
};
use super::extract::{Asked, At, Document, Raw, Refused, Text};

type Answer<T> = Result<Json<T>, Refused>;
type Epoch = At<(String, u64)>;

/// How lines are taken in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Import {
    #[serde(default)]
    keep_good: bool,
    #[serde(default)]
    dry_run: bool,
    first_line: Option<u64>,
}

pub(crate) async fn add_scope(
    State(app): State<App>,
    Document(request): Document<ScopeRequest>,
) -> Answer<ScopeView> {
    app.run(move |service, actor| service.add_scope(&request, actor)).await.map(Json)
}

pub(crate) async fn configure_scope(
    State(app): State<App>,
    At(key): At<String>,
    Document(request): Document<ScopeChangeRequest>,
) -> Answer<ScopeView> {
    app.run(move |service, _| service.configure_scope(&key, &request)).await.map(Json)
}

pub(crate) async fn end_scope(
    State(app): State<App>,
    At(key): At<String>,
    Document(request): Document<ReasonRequest>,
) -> Answer<ScopeView> {
    app.run(move |service, actor| service.end_scope(&key, &request, actor)).await.map(Json)
}

pub(crate) async fn set_approvers(
    State(app): State<App>,
    At(key): At<String>,
    Document(request): Document<ApproversRequest>,
) -> Answer<ApproversView> {
    app.run(move |service, actor| service.set_approvers(&key, &request, actor)).await.map(Json)
}

pub(crate) async fn withdraw_approvers(State(app): State<App>, At(key): At<String>) -> Answer<ApproversView> {
    app.run(move |service, _| service.withdraw_approvers(&key)).await.map(Json)
}

pub(crate) async fn add_approver_signatures(
    State(app): State<App>,
    At(key): At<String>,
    Text(text): Text,
) -> Answer<ApproversView> {
    app.run(move |service, _| service.add_approver_signatures(&key, &text)).await.map(Json)
}

pub(crate) async fn import(
    State(app): State<App>,
    At(key): At<String>,
    Asked(import): Asked<Import>,
    Raw(bytes): Raw,
) -> Answer<ImportView> {
    let first_line = import.first_line.unwrap_or(1);
    let flags = (import.keep_good, import.dry_run);
    app.run(move |service, _| service.import(&key, &bytes, first_line, flags)).await.map(Json)
}

pub(crate) async fn collect(
    State(app): State<App>,
    At(key): At<String>,
    Document(request): Document<CollectRequest>,
) -> Answer<CollectView> {
    app.run(move |service, _| service.collect(&key, &request)).await.map(Json)
}

pub(crate) async fn open_epoch(
    State(app): State<App>,
    At(key): At<String>,
    Document(request): Document<OpenRequest>,
) -> Answer<EpochView> {
    app.run(move |service, actor| service.open_epoch(&key, &request, actor)).await.map(Json)
}

pub(crate) async fn curate(
    State(app): State<App>,
    At((key, epoch)): Epoch,
    Document(request): Document<CurationRequest>,
) -> Answer<DecisionView> {
    app.run(move |service, actor| service.curate(&key, epoch, &request, actor)).await.map(Json)
}

pub(crate) async fn allocate(
    State(app): State<App>,
    At((key, epoch)): Epoch,
    Document(request): Document<AllocationRequest>,
) -> Answer<DecisionView> {
    app.run(move |service, actor| service.allocate(&key, epoch, &request, actor)).await.map(Json)
}

pub(crate) async fn add_pool(
    State(app): State<App>,
    At((key, epoch)): Epoch,
    Document(request): Document<PoolRequest>,
) -> Answer<PoolAddedView> {
    app.run(move |service, actor| service.add_pool(&key, epoch, &request, actor)).await.map(Json)
}

pub(crate) async fn close_epoch(
    State(app): State<App>,
    At((key, epoch)): Epoch,
    Document(request): Document<CloseRequest>,
) -> Answer<EpochView> {
    app.run(move |service, actor| service.close_epoch(&key, epoch, &request, actor)).await.map(Json)
}

pub(crate) async fn freeze(
    State(app): State<App>,
    At((key, epoch)): Epoch,
    Document(request): Document<FreezeRequest>,
) -> Answer<DraftView> {
    app.run(move |service, actor| service.freeze(&key, epoch, &request, actor)).await.map(Json)
}

pub(crate) async fn add_signatures(
    State(app): State<App>,
    At((key, epoch)): Epoch,
    Text(text): Text,
) -> Answer<SignaturesView> {
    app.run(move |service, _| service.add_signatures(&key, epoch, &text)).await.map(Json)
}

pub(crate) async fn finalize(State(app): State<App>, At((key, epoch)): Epoch) -> Answer<FinalView> {
    app.run(move |service, actor| service.finalize(&key, epoch, actor)).await.map(Json)
}

pub(crate) async fn amend(
    State(app): State<App>,
    At((key, epoch)): Epoch,
    Document(request): Document<AmendRequest>,
) -> Answer<EpochView> {
    app.run(move |service, actor| service.amend(&key, epoch, &request, actor)).await.map(Json)
}

pub(crate) async fn add_user(
    State(app): State<App>,
    Document(request): Document<UserRequest>,
) -> Answer<UserView> {
    app.run(move |service, actor| service.add_user(&request, actor)).await.map(Json)
}

pub(crate) async fn bind(
    State(app): State<App>,
    Document(request): Document<BindRequest>,
) -> Answer<BoundView> {
    app.run(move |service, actor| service.bind(&request, actor)).await.map(Json)
}

pub(crate) async fn revoke(
    State(app): State<App>,
    Document(request): Document<RevokeRequest>,
) -> Answer<BoundView> {
    app.run(move |service, actor| service.revoke(&request, actor)).await.map(Json)
}

pub(crate) async fn rebind(
    State(app): State<App>,
    Document(request): Document<RebindRequest>,
) -> Answer<BoundView> {
    app.run(move |service, actor| service.rebind(&request, actor)).await.map(Json)
}

pub(crate) async fn erase(
    State(app): State<App>,
    Document(request): Document<EraseRequest>,
) -> Answer<ErasedView> {
    app.run(move |service, actor| service.erase(&request, actor)).await.map(Json)
}

pub(crate) async fn backup(
    State(app): State<App>,
    Document(request): Document<BackupRequest>,
) -> Answer<BackupView> {
    app.run(move |service, _| service.backup(&request)).await.map(Json)
}

pub(crate) async fn resume(
    State(app): State<App>,
    Document(request): Document<ResumeRequest>,
) -> Answer<NodeView> {
    app.run(move |service, _| service.resume(&request)).await.map(Json)
}

pub(crate) async fn compact(State(app): State<App>) -> Answer<CompactView> {
    app.run(|service, _| service.compact()).await.map(Json)
}

pub(crate) async fn fsck(State(app): State<App>) -> Answer<FsckView> {
    app.run(|service, _| service.fsck()).await.map(Json)
}
