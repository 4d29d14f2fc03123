//! Signing in with a key or a wallet, and what people see and do about themselves.

use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::UserView;

/// `POST /sign-in/challenges` and `POST /me/challenges`: who is to sign, a key or a wallet.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChallengeRequest {
    /// An Ed25519 key: the line that `meed key new` prints, or the public key in hex.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<String>,
    /// The address of a wallet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
    /// The chain of the wallet's account (EIP-155).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub chain_id: Option<u64>,
}

/// What is to be signed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ChallengeView {
    /// The exact text: its last line has no newline.
    pub text: String,
    /// The first moment at which it no longer holds.
    #[schema(value_type = String)]
    pub expires_at: Timestamp,
}

/// `POST /sign-in` and `POST /me/identities`: a challenge that was signed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInRequest {
    /// The text of the challenge.
    pub text: String,
    /// The signature: base64 of an Ed25519 one, `0x` and 130 hex digits of a wallet's.
    pub signature: String,
}

/// A session, the one time that its secret is shown.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SessionView {
    /// What goes after `Authorization: Bearer`.
    pub secret: String,
    /// Who one is by it.
    pub me: MeView,
}

/// `GET /me`: who one is.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MeView {
    /// `contributor`, the role of a token, or the owner.
    pub standing: String,
    /// The name that decisions record.
    #[schema(value_type = String)]
    pub actor: FreeText,
    /// The first moment at which the session no longer holds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub expires_at: Option<Timestamp>,
    /// The account that one signed in with.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub identity: Option<String>,
    /// The key under which one earns from the next draft on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub claimant: Option<String>,
    /// The person that the account belongs to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user: Option<UserView>,
}

/// `POST /me/user`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinRequest {
    /// A name to show.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
}

/// A session that has ended.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SignedOutView {
    /// Whose it was.
    #[schema(value_type = String)]
    pub actor: FreeText,
}
