//! The node itself, and what its refusals mean.

use axum::Json;
use meed_audit::text::FreeText;
use utoipa_axum::routes;

use super::{Answer, Problems, Routes};
use crate::api::authority::Access;
use crate::api::documents::NodeView;
use crate::api::extract::Call;
use crate::service::Service;

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
    // Nobody is asked who they are on a route that is open to everybody: the face tells.
    let is_owner = call.app.is_local();
    let look = move |service: &Service, _: &FreeText| {
        let node = service.node()?;
        Ok(NodeView { listens_at: service.listens_at().filter(|_| is_owner), ..node })
    };
    call.run(look).await.map(Json)
}
