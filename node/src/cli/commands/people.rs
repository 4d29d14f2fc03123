//! `meed user`, `bind`, `revoke`, `rebind`.

use super::raw_json;
use crate::api::documents::{BindRequest, BoundView, RebindRequest, RevokeRequest, UserRequest, UserView};
use crate::cli::args::{BindArgs, RebindArgs, RevokeArgs, UserCommand};
use crate::cli::session::Session;
use crate::failure::Failure;

/// Runs `meed user …`.
///
/// # Errors
/// What the ledger refuses.
pub fn user(command: &UserCommand, session: &Session) -> Result<(), Failure> {
    match command {
        UserCommand::Add { name, id, rename } => {
            let request = UserRequest { id: id.clone(), name: name.clone(), rename: *rename };
            let user: UserView = session.client.post("/users", &request)?;
            session.console.answer(&user, || user.id.to_string())
        }
        UserCommand::List => {
            let users: Vec<UserView> = session.client.all("/users")?;
            session.console.answer(&users, || {
                let lines: String = users.iter().map(describe_user).collect();
                if lines.is_empty() { "none\n".to_owned() } else { lines }
            })
        }
    }
}

/// A user in lines that fit a terminal, whatever their accounts are.
fn describe_user(user: &UserView) -> String {
    let name = user.name.as_ref().map(|name| format!("  {name}")).unwrap_or_default();
    let accounts: String = user.identities.iter().map(|identity| format!("  {identity}\n")).collect();
    format!("{}{name}\n{accounts}", user.id)
}

/// Runs `meed bind`.
///
/// # Errors
/// What the ledger refuses.
pub fn bind(args: &BindArgs, session: &Session) -> Result<(), Failure> {
    let request = BindRequest {
        provider: args.identity.provider.clone(),
        external_id: args.identity.external_id.clone(),
        user: args.user.clone(),
        evidence: raw_json("evidence", &args.evidence)?,
    };
    show(&session.client.post("/identities/bind", &request)?, session)
}

/// Runs `meed revoke`.
///
/// # Errors
/// What the ledger refuses.
pub fn revoke(args: &RevokeArgs, session: &Session) -> Result<(), Failure> {
    let request = RevokeRequest {
        provider: args.identity.provider.clone(),
        external_id: args.identity.external_id.clone(),
        evidence: raw_json("evidence", &args.evidence)?,
    };
    show(&session.client.post("/identities/revoke", &request)?, session)
}

/// Runs `meed rebind`.
///
/// # Errors
/// What the ledger refuses.
pub fn rebind(args: &RebindArgs, session: &Session) -> Result<(), Failure> {
    let request = RebindRequest {
        provider: args.identity.provider.clone(),
        external_id: args.identity.external_id.clone(),
        from: args.from.clone(),
        user: args.user.clone(),
        evidence: raw_json("evidence", &args.evidence)?,
    };
    show(&session.client.post("/identities/rebind", &request)?, session)
}

fn show(bound: &BoundView, session: &Session) -> Result<(), Failure> {
    session.console.answer(bound, || {
        let owner = bound.user.map_or("nobody's".to_owned(), |user| format!("user:{user}'s"));
        let change = if bound.changed { "is now" } else { "was already" };
        format!("{} {change} {owner}", bound.identity)
    })
}
