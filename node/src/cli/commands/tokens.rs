//! `meed token`.

use crate::api::documents::{SecretView, TokenRequest, TokenView};
use crate::cli::args::TokenCommand;
use crate::cli::session::Session;
use crate::client::segment;
use crate::failure::Failure;
use crate::words::table;

/// Runs a command on tokens.
///
/// # Errors
/// What the ledger refuses.
pub fn run(command: &TokenCommand, session: &Session) -> Result<(), Failure> {
    let console = session.console;
    match command {
        TokenCommand::New(args) => {
            let role = args.role.name().to_owned();
            let request = TokenRequest { name: args.name.clone(), role, expires: args.expires.clone() };
            let made: SecretView = session.client.post("/tokens", &request)?;
            console.notice("notice: this is shown once; the node keeps only its hash");
            console.answer(&made, || made.secret.clone())
        }
        TokenCommand::List => {
            let tokens: Vec<TokenView> = session.client.get("/tokens")?;
            console.answer(&tokens, || {
                let rows = tokens.iter().map(|token| {
                    vec![
                        token.name.to_string(),
                        token.role.clone(),
                        token.created_by.to_string(),
                        holds(token),
                    ]
                });
                table(&["name", "role", "made by", "holds"], 4, rows)
            })
        }
        TokenCommand::Revoke(args) => {
            let token: TokenView = session.client.delete(&format!("/tokens/{}", segment(&args.name)))?;
            console.answer(&token, || format!("revoked the token of {}", token.name))
        }
    }
}

fn holds(token: &TokenView) -> String {
    match (token.revoked_at, token.expires_at) {
        (Some(at), _) => format!("revoked {at}"),
        (None, Some(end)) => format!("until {end}"),
        (None, None) => "until revoked".to_owned(),
    }
}
