//! The description of the interface, made from the code that answers.

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use utoipa::PartialSchema;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder};

use super::App;
use super::problems::{LineProblem, Problem};

const ABOUT: &str = "\
The interface of a meed node. Reading is open to everybody. Writing needs a token whose role allows it \
(`Authorization: Bearer …`), except the signatures of approvers, which prove themselves. Whoever signs in with a key or a wallet \
gets a session, which is shown as a token is. Amounts and sums are decimal \
strings, times RFC 3339 in UTC. What is refused comes as a problem document (RFC 9457) with a stable `code` and a \
`remedy`; `/api/v1/problems` lists every one. Lists come in parts: \
`limit` says how long, and `from` takes the `next` of the part before as it is. `x-access` says of each route who may use it.";

/// What the description says before its routes.
pub(super) fn base() -> OpenApi {
    let mut components = Components::new();
    let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.add_security_scheme("token", SecurityScheme::Http(token));
    for (name, schema) in [("Problem", Problem::schema()), ("LineProblem", LineProblem::schema())] {
        components.schemas.insert(name.to_owned(), schema);
    }
    let license = LicenseBuilder::new().name("MIT OR Apache-2.0").build();
    let info = InfoBuilder::new()
        .title("meed")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(license));
    OpenApiBuilder::new().info(info.build()).components(Some(components)).build()
}

/// Where the description is read.
pub(super) fn routes(description: &OpenApi) -> Router<App> {
    // The description is data that was put together from the code: what it can hold can be written as JSON.
    let text = description.to_json().unwrap_or_default();
    // OpenAPI's registry of formats writes the widths of unsigned numbers without the hyphen that the crate puts there.
    let text = text.replace(r#""format":"u-int"#, r#""format":"uint"#);
    let answer = ([(header::CONTENT_TYPE, "application/json")], text);
    Router::new().route("/api/v1/openapi.json", get(async move || answer.clone().into_response()))
}
