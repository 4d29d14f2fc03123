//! Webhooks: what other places deliver by themselves.

use axum::Json;
use axum::http::HeaderMap;
use utoipa_axum::routes;

use super::{Answer, Problems, Routes};
use crate::api::authority::Access;
use crate::api::documents::DeliveryView;
use crate::api::extract::{Call, Signed};
use crate::service::Delivery;

pub(super) fn all() -> Routes {
    Routes::new().with(Access::Anyone, routes!(github))
}

/// Takes what GitHub delivers: the signature is its right. What a delivery tells whole is stored, the rest is collected.
///
/// A delivery counts once, by its id.
#[utoipa::path(
    post,
    path = "/api/v1/webhooks/github",
    tag = "activity",
    params(
        ("X-GitHub-Event" = String, Header, description = "The kind of event"),
        ("X-GitHub-Delivery" = String, Header, description = "The id of the delivery"),
        ("X-Hub-Signature-256" = String, Header, description = "`sha256=` and the HMAC of the body in hex"),
    ),
    request_body(content = Object, content_type = "application/json"),
    responses((status = 200, description = "What became of it", body = DeliveryView), Problems)
)]
async fn github(call: Call, headers: HeaderMap, Signed(body): Signed) -> Answer<DeliveryView> {
    let text =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let (id, event, signature) =
        (text("x-github-delivery"), text("x-github-event"), text("x-hub-signature-256"));
    call.run(move |service, _| {
        service.take_delivery(Delivery { id: &id, event: &event, signature: &signature, body: &body })
    })
    .await
    .map(Json)
}
