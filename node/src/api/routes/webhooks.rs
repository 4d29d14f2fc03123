//! Webhooks: what other places deliver by themselves.

use axum::Json;
use axum::http::HeaderMap;
use meed_audit::RejectionCode;
use utoipa_axum::routes;

use super::{Answer, Problems, Routes};
use crate::api::authority::Access;
use crate::api::documents::DeliveryView;
use crate::api::extract::{Call, Refused, Signed};
use crate::failure::reject;
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
    let (id, event) = (header(&headers, "X-GitHub-Delivery")?, header(&headers, "X-GitHub-Event")?);
    let signature = header(&headers, "X-Hub-Signature-256")?;
    call.run(move |service, _| {
        service.take_delivery(Delivery { id: &id, event: &event, signature: &signature, body: &body })
    })
    .await
    .map(Json)
}

/// A header that must be there; one that is no text is none of GitHub's, and is refused as an empty one.
fn header(headers: &HeaderMap, name: &str) -> Result<String, Refused> {
    let missing = || Refused::from(reject(RejectionCode::MissingField, name, "this header", "none"));
    Ok(headers.get(name).ok_or_else(missing)?.to_str().unwrap_or_default().to_owned())
}
