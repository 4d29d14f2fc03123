//! People and their accounts elsewhere.

use meed_audit::ids::UserId;
use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::is_false;

/// `POST /users`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserRequest {
    /// The id; a new one where none is given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    /// A name to show.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// Whether a person who is known gets the name.
    #[serde(skip_serializing_if = "is_false", default)]
    pub rename: bool,
}

/// A person.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct UserView {
    /// The id.
    #[schema(value_type = String)]
    pub id: UserId,
    /// A name to show.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub name: Option<FreeText>,
    /// When they were added.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    /// The accounts that are theirs.
    pub identities: Vec<String>,
}

/// `POST /identities/bind`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BindRequest {
    /// Where the account is.
    pub provider: String,
    /// The account's permanent id there.
    pub external_id: String,
    /// Whose it becomes.
    pub user: String,
    /// What shows it: a JSON object.
    #[schema(value_type = Object)]
    pub evidence: Box<RawValue>,
}

/// `POST /identities/revoke`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeRequest {
    /// Where the account is.
    pub provider: String,
    /// The account's permanent id there.
    pub external_id: String,
    /// What shows it: a JSON object.
    #[schema(value_type = Object)]
    pub evidence: Box<RawValue>,
}

/// `POST /identities/rebind`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RebindRequest {
    /// Where the account is.
    pub provider: String,
    /// The account's permanent id there.
    pub external_id: String,
    /// Whose it is or was.
    pub from: String,
    /// Whose it becomes.
    pub user: String,
    /// What shows it: a JSON object.
    #[schema(value_type = Object)]
    pub evidence: Box<RawValue>,
}

/// Whose an account is after a change.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct BoundView {
    /// The account.
    pub identity: String,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub user: Option<UserId>,
    /// Whether anything changed.
    pub changed: bool,
}

/// An account with its history; its evidence is for the operator.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct IdentityView {
    /// The account.
    pub identity: String,
    /// Whose it is now.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub user: Option<UserId>,
    /// Whose it is, or was before it was revoked.
    #[schema(value_type = String)]
    pub last_user: UserId,
}
