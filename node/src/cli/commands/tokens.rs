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
        (None, Some(end)) if token.expired => format!("expired {end}"),
        (None, Some(end)) => format!("until {end}"),
        (None, None) => "until revoked".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use meed_audit::text::FreeText;
    use meed_audit::time::Timestamp;

    use super::*;

    #[test]
    fn a_token_that_has_expired_says_so() {
        let at =
            |day: &str| Timestamp::parse_edge("at", &format!("2026-11-{day}T00:00:00Z")).expect("a time");
        let name = FreeText::parse("name", "ana").expect("a name");
        let token = |expires_at, expired, revoked_at| TokenView {
            name: name.clone(),
            role: "curator".to_owned(),
            created_at: at("01"),
            created_by: name.clone(),
            expires_at,
            expired,
            revoked_at,
        };
        for (token, said) in [
            (token(None, false, None), "until revoked"),
            (token(Some(at("05")), false, None), "until 2026-11-05T00:00:00.000Z"),
            (token(Some(at("05")), true, None), "expired 2026-11-05T00:00:00.000Z"),
            (token(Some(at("05")), true, Some(at("04"))), "revoked 2026-11-04T00:00:00.000Z"),
        ] {
            assert_eq!(holds(&token), said);
        }
    }
}
