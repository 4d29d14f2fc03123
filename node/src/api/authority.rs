//! Who asks, and whether they may: one table of standings, applied to each route where it is declared.

use std::fmt;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use meed_audit::hash::Hash;
use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use meed_audit::{Checked, Rejection, RejectionCode};
use meed_storage::Role;

use super::App;
use super::extract::Refused;
use crate::session::Person;

/// The header in which the local command line says who decides, percent-encoded.
pub const ACTOR_HEADER: &str = "meed-actor";

/// What a route asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing: reading, and what proves itself.
    Anyone,
    /// To have shown who they are, whoever that is.
    SignIn,
    /// To be signed in with an account of one's own.
    Contribute,
    /// To bring in events.
    Import,
    /// To curate, to override, to see and change who is who.
    Curate,
    /// To run the node's epochs.
    Operate,
    /// To sit at the node's machine, as the owner of its folder.
    Own,
}

impl Access {
    /// All of them, from the least to the most.
    pub const ALL: [Self; 7] =
        [Self::Anyone, Self::SignIn, Self::Contribute, Self::Import, Self::Curate, Self::Operate, Self::Own];

    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::SignIn => "signed-in",
            Self::Contribute => "contributor",
            Self::Import => "importer",
            Self::Curate => "curator",
            Self::Operate => "operator",
            Self::Own => "owner",
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The name that decisions record.
    pub actor: FreeText,
    /// What they are.
    pub standing: Standing,
    /// The session by which they are known, where it is one.
    pub session: Option<KnownBy>,
}

/// A session by which somebody is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownBy {
    /// The SHA-256 of its secret.
    pub hash: Hash,
    /// The first moment at which it no longer holds.
    pub expires_at: Timestamp,
}

impl Caller {
    /// Whether they may use what asks for `access`.
    ///
    /// # Errors
    /// `token_invalid` where nobody is known to ask, `role_forbids` where somebody is who may not.
    pub fn check(&self, access: Access) -> Checked<()> {
        if self.standing.may(access) {
            return Ok(());
        }
        let expected = format!("the right of {access}");
        Err(match self.standing {
            Standing::Stranger => {
                Rejection::new(RejectionCode::TokenInvalid, "request", expected, "no token")
            }
            _ => Rejection::new(RejectionCode::RoleForbids, "request", expected, self.standing.name()),
        })
    }
}

/// What a caller is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody in particular.
    Stranger,
    /// Somebody who has shown that an account is theirs.
    Contributor(Arc<Person>),
    /// Whoever holds a token of this role.
    Token(Role),
    /// The owner of the data folder, at the node's own machine.
    Owner,
}

impl Standing {
    /// Whether a route that asks for `access` may be used.
    pub fn may(&self, access: Access) -> bool {
        match access {
            Access::Anyone => true,
            Access::SignIn => !matches!(self, Self::Stranger),
            Access::Contribute => matches!(self, Self::Contributor(_)),
            Access::Import => {
                matches!(self, Self::Owner | Self::Token(Role::Operator | Role::Importer))
            }
            Access::Curate => matches!(self, Self::Owner | Self::Token(Role::Operator | Role::Curator)),
            Access::Operate => matches!(self, Self::Owner | Self::Token(Role::Operator)),
            Access::Own => matches!(self, Self::Owner),
        }
    }

    /// The name, for people.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Stranger => "nobody in particular",
            Self::Contributor(_) => "contributor",
            Self::Token(role) => role.name(),
            Self::Owner => "the owner",
        }
    }
}

/// Lets a request through to its route, or refuses it. The caller goes along as an extension.
pub(super) async fn check(
    State((app, access)): State<(App, Access)>,
    request: Request,
    next: Next,
) -> Result<Response, Refused> {
    let (mut parts, body) = request.into_parts();
    let caller = identify(&app, &parts).await?;
    caller.check(access)?;
    parts.extensions.insert(caller);
    Ok(next.run(Request::from_parts(parts, body)).await)
}

/// Who sent a request, as its headers and the face that it came in by say.
async fn identify(app: &App, parts: &Parts) -> Result<Caller, Refused> {
    if app.is_local() {
        return Ok(Caller { actor: local_actor(app, parts)?, standing: Standing::Owner, session: None });
    }
    match bearer(parts) {
        None => Ok(app.stranger()),
        Some(secret) => app.caller_of(&secret?).await,
    }
}

/// The actor that the command line names, else that of the settings.
fn local_actor(app: &App, parts: &Parts) -> Result<FreeText, Refused> {
    let Some(value) = parts.headers.get(ACTOR_HEADER) else { return Ok(app.actor().clone()) };
    let text = value.to_str().unwrap_or_default();
    let decoded = crate::client::decode_segment(text);
    let expected = "a percent-encoded name";
    let name =
        decoded.ok_or_else(|| Rejection::new(RejectionCode::Malformed, ACTOR_HEADER, expected, text))?;
    Ok(FreeText::parse("actor", &name)?)
}

/// The secret of `Authorization: Bearer …`; none where the header is missing.
pub(super) fn bearer(parts: &Parts) -> Option<Result<String, Rejection>> {
    let value = parts.headers.get(header::AUTHORIZATION)?;
    let secret = value.to_str().ok().and_then(|text| text.split_once(' ')).and_then(|(scheme, secret)| {
        (scheme.eq_ignore_ascii_case("bearer") && !secret.trim().is_empty()).then(|| secret.trim().to_owned())
    });
    let expected = "`Bearer` and a token";
    Some(secret.ok_or_else(|| {
        Rejection::new(RejectionCode::TokenInvalid, "authorization", expected, "something else")
    }))
}

#[cfg(test)]
mod tests {
    use meed_audit::ids::{Identity, Provider};
    use meed_audit::sign_in::SignedText;

    use super::*;

    #[test]
    fn each_standing_has_its_rights() {
        let identity = Identity::new(Provider::Github, "7").expect("an identity");
        let signed = SignedText { method: "ed25519", text: String::new(), signature: String::new() };
        let contributor = Standing::Contributor(Arc::new(Person { identity, signed }));
        let table = [
            (Standing::Stranger, [true, false, false, false, false, false, false]),
            (contributor, [true, true, true, false, false, false, false]),
            (Standing::Token(Role::Importer), [true, true, false, true, false, false, false]),
            (Standing::Token(Role::Curator), [true, true, false, false, true, false, false]),
            (Standing::Token(Role::Operator), [true, true, false, true, true, true, false]),
            (Standing::Owner, [true, true, false, true, true, true, true]),
        ];
        for (standing, rights) in table {
            for (access, right) in Access::ALL.into_iter().zip(rights) {
                assert_eq!(standing.may(access), right, "{standing:?} {access}");
            }
        }
    }
}
