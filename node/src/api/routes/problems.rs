//! What the `type` of a problem document leads to.

use axum::Json;
use meed_audit::RejectionCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{Answer, Problems, Routes};
use crate::api::authority::Access;
use crate::api::extract::At;
use crate::api::parameters::ProblemPath;
use crate::api::problems::status_of;
use crate::failure::reject;

pub(super) fn all() -> Routes {
    Routes::new().with(Access::Anyone, routes!(problems)).with(Access::Anyone, routes!(problem))
}

/// A kind of refusal: its number, who must act, and what to do.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ProblemKind {
    /// The stable name.
    pub(crate) code: String,
    /// The stable number.
    pub(crate) number: u16,
    /// The HTTP status that it answers with.
    pub(crate) status: u16,
    /// Who must act: caller, operator, or those who wrote the program.
    pub(crate) who_acts: String,
    /// What to do.
    pub(crate) remedy: String,
}

impl ProblemKind {
    fn of(code: RejectionCode) -> Self {
        Self {
            code: code.name().to_owned(),
            number: code.number(),
            status: status_of(code).as_u16(),
            who_acts: code.actor().to_string(),
            remedy: code.remedy().to_owned(),
        }
    }
}

/// A kind of refusal, as a document.
pub(crate) fn problem_kind(code: RejectionCode) -> ProblemKind {
    ProblemKind::of(code)
}

/// Every kind of refusal, by number.
#[utoipa::path(
    get,
    path = "/problems",
    tag = "problems",
    responses((status = 200, description = "The table", body = Vec<ProblemKind>), Problems)
)]
async fn problems() -> Json<Vec<ProblemKind>> {
    Json(RejectionCode::ALL.iter().map(|code| ProblemKind::of(*code)).collect())
}

/// One kind of refusal.
#[utoipa::path(
    get,
    path = "/problems/{code}",
    tag = "problems",
    params(ProblemPath),
    responses((status = 200, description = "The kind", body = ProblemKind), Problems)
)]
async fn problem(At(ProblemPath { code }): At<ProblemPath>) -> Answer<ProblemKind> {
    let found = RejectionCode::ALL.iter().find(|known| known.name() == code);
    let known = found
        .ok_or_else(|| reject(RejectionCode::RecordNotFound, "problem", "the name of a refusal", &code))?;
    Ok(Json(ProblemKind::of(*known)))
}
