//! The node's Merkle logs.

use axum::response::Response;
use utoipa_axum::routes;

use super::{Problems, Routes};
use crate::api::answers::typed;
use crate::api::authority::Access;
use crate::api::extract::{At, Call, Refused};
use crate::api::parameters::{LogEntryPath, LogPath};

pub(super) fn all() -> Routes {
    Routes::new().with(Access::Anyone, routes!(checkpoint)).with(Access::Anyone, routes!(log_entry))
}

/// The signed checkpoint of a log.
#[utoipa::path(
    get,
    path = "/api/v1/logs/{log}/checkpoint",
    tag = "logs",
    params(LogPath),
    responses(
        (
            status = 200,
            description = "A C2SP checkpoint",
            body = String,
            content_type = "text/plain"
        ),
        Problems
    )
)]
async fn checkpoint(call: Call, At(LogPath { log }): At<LogPath>) -> Result<Response, Refused> {
    let found = call.run(move |service, _| service.checkpoint(&log)).await?;
    Ok(typed("text/plain; charset=utf-8", found.into_bytes()))
}

/// An entry of a log, as it is hashed.
#[utoipa::path(
    get,
    path = "/api/v1/logs/{log}/entries/{index}",
    tag = "logs",
    params(LogEntryPath),
    responses(
        (
            status = 200,
            description = "The entry",
            body = String,
            content_type = "application/octet-stream"
        ),
        Problems
    )
)]
async fn log_entry(
    call: Call,
    At(LogEntryPath { log, index }): At<LogEntryPath>,
) -> Result<Response, Refused> {
    let found = call.run(move |service, _| service.log_entry(&log, index)).await?;
    Ok(typed("application/octet-stream", found))
}
