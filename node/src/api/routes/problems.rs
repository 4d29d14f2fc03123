//! What the `type` of a problem document leads to.

use axum::Json;
use meed_audit::RejectionCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{Answer, Problems, Routes};
use crate::api::authority::Access;
use crate::api::extract::At;
use crate::api::local_problems::{self, LocalProblem};
use crate::api::parameters::ProblemPath;
use crate::api::problems::status_of;
use crate::failure::{Failure, reject};

pub(super) fn all() -> Routes {
    Routes::new().with(Access::Anyone, routes!(problems)).with(Access::Anyone, routes!(problem))
}

/// A kind of problem: who must act, and what to do.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ProblemKind {
    /// The stable name.
    pub(crate) code: String,
    /// The stable number, of refusals by a rule of the ledger.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) number: Option<u16>,
    /// The HTTP status that it answers with.
    pub(crate) status: u16,
    /// Who must act: caller, operator, or those who wrote the program.
    pub(crate) who_acts: String,
    /// What it means, of those that are no refusals by a rule of the ledger.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) meaning: Option<String>,
    /// What to do.
    pub(crate) remedy: String,
}

impl From<RejectionCode> for ProblemKind {
    fn from(code: RejectionCode) -> Self {
        Self {
            code: code.name().to_owned(),
            number: Some(code.number()),
            status: status_of(code).as_u16(),
            who_acts: code.actor().to_string(),
            meaning: None,
            remedy: code.remedy().to_owned(),
        }
    }
}

impl From<&LocalProblem> for ProblemKind {
    fn from(problem: &LocalProblem) -> Self {
        Self {
            code: problem.code.to_owned(),
            number: None,
            status: problem.status.as_u16(),
            who_acts: problem.actor.to_string(),
            meaning: Some(problem.meaning.to_owned()),
            remedy: problem.remedy.to_owned(),
        }
    }
}

impl ProblemKind {
    /// Every kind: the refusals by rules in the order of their numbers, then the others.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let rules = RejectionCode::ALL.iter().map(|code| Self::from(*code));
        rules.chain(local_problems::ALL.iter().map(Self::from))
    }

    /// The kind of this name.
    ///
    /// # Errors
    /// `record_not_found`.
    pub(crate) fn find(code: &str) -> Result<Self, Failure> {
        let expected = "the name of a problem";
        let missing = || reject(RejectionCode::RecordNotFound, "problem", expected, code);
        Self::all().find(|kind| kind.code == code).ok_or_else(missing)
    }
}

/// Every kind of problem: refusals by number, then what else can be wrong.
#[utoipa::path(
    get,
    path = "/api/v1/problems",
    tag = "problems",
    responses((status = 200, description = "The table", body = Vec<ProblemKind>), Problems)
)]
async fn problems() -> Json<Vec<ProblemKind>> {
    Json(ProblemKind::all().collect())
}

/// One kind of problem.
#[utoipa::path(
    get,
    path = "/api/v1/problems/{code}",
    tag = "problems",
    params(ProblemPath),
    responses((status = 200, description = "The kind", body = ProblemKind), Problems)
)]
async fn problem(At(ProblemPath { code }): At<ProblemPath>) -> Answer<ProblemKind> {
    Ok(Json(ProblemKind::find(&code)?))
}
