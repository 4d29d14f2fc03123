//! Tokens: what programs and people from afar show, so that the node knows what they may do.

use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /tokens`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// Whose it is: the actor in decisions.
    pub name: String,
    /// `operator`, `curator` or `importer`.
    pub role: String,
    /// The first moment at which it no longer holds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires: Option<String>,
}

/// A new token, the one time that it is shown.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SecretView {
    /// What goes after `Authorization: Bearer`.
    pub secret: String,
    /// What the node keeps of it.
    pub token: TokenView,
}

/// A token, without its secret.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TokenView {
    /// Whose it is.
    #[schema(value_type = String)]
    pub name: FreeText,
    /// What it allows.
    pub role: String,
    /// When it was made.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    /// Who made it.
    #[schema(value_type = String)]
    pub created_by: FreeText,
    /// The first moment at which it no longer holds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub expires_at: Option<Timestamp>,
    /// Whether that moment has come, by the node's clock.
    #[serde(default)]
    pub expired: bool,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub revoked_at: Option<Timestamp>,
}
