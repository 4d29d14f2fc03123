//! The node itself, and what its refusals mean.

use axum::Json;
use utoipa_axum::routes;

use super::{Answer, Problems, Routes};
use crate::api::authority::Access;
use crate::api::documents::NodeView;
use crate::api::extract::Call;

pub(super) fn all() -> Routes {
    Routes::new().with(Access::Anyone, routes!(node))
}

/// The node: its id, origin, version, and both logs.
#[utoipa::path(
    get,
    path = "/api/v1/node",
    tag = "node",
    responses(
        (status = 200, description = "The node", body = NodeView),
        Problems
    )
)]
async fn node(call: Call) -> Answer<NodeView> {
    call.run(|service, _| service.node()).await.map(Json)
}
