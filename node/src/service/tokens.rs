//! Tokens: made from random bytes, shown once, kept as hashes.

use meed_audit::RejectionCode;
use meed_audit::hash::Hash;
use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use meed_storage::{Role, Token};

use super::Service;
use crate::api::documents::{SecretView, TokenRequest, TokenView};
use crate::clock;
use crate::failure::{Failure, reject};

/// What every token begins with, so that one that leaked can be found by searching for it.
const TOKEN_PREFIX: &str = "meed_";

impl Service {
    /// Makes a token. Its secret is in the answer and nowhere else.
    ///
    /// # Errors
    /// `record_exists` for a name that was used before; `malformed` for another role; `invalid_time`.
    pub fn add_token(&self, request: &TokenRequest, actor: &FreeText) -> Result<SecretView, Failure> {
        let name = FreeText::parse("name", &request.name)?;
        let role = Role::ALL.into_iter().find(|role| role.name() == request.role).ok_or_else(|| {
            let expected = "operator, curator or importer";
            reject(RejectionCode::Malformed, "role", expected, &request.role)
        })?;
        let now = self.now()?;
        let expires = request.expires.as_deref().map(|text| Timestamp::parse_edge("expires", text));
        let expires = expires.transpose()?;
        if let Some(end) = expires.filter(|end| *end <= now) {
            let refused = reject(RejectionCode::InvalidTime, "expires", "a time after now", end);
            return Err(
                refused.with_remedy("give a time that is still to come, or none for a token without end")
            );
        }
        let secret = format!("{TOKEN_PREFIX}{}", Hash::from_bytes(clock::random()?).to_hex());
        let hash = Hash::of(secret.as_bytes());
        self.ledger.add_token(name.clone(), role, hash, expires, self.by(actor)?)?;
        let token = self.snapshot()?.find_token(&hash, now)?;
        Ok(SecretView { secret, token: view(token, now) })
    }

    /// All tokens, by name, without their secrets.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn tokens(&self) -> Result<Vec<TokenView>, Failure> {
        let now = self.now()?;
        Ok(self.snapshot()?.tokens()?.into_iter().map(|token| view(token, now)).collect())
    }

    /// Revokes a token at once and for good.
    ///
    /// # Errors
    /// `record_not_found`.
    pub fn revoke_token(&self, name: &str) -> Result<TokenView, Failure> {
        let name = FreeText::parse("name", name)?;
        let now = self.now()?;
        Ok(view(self.ledger.revoke_token(name, now)?, now))
    }

    /// The token of this secret's hash, if it holds now.
    ///
    /// # Errors
    /// `token_invalid`, which does not say why.
    pub fn find_token(&self, hash: &Hash) -> Result<Token, Failure> {
        Ok(self.snapshot()?.find_token(hash, self.now()?)?)
    }
}

fn view(token: Token, now: Timestamp) -> TokenView {
    TokenView {
        expired: token.expires_at.is_some_and(|end| end <= now),
        name: token.name,
        role: token.role.name().to_owned(),
        created_at: token.created_at,
        created_by: token.created_by,
        expires_at: token.expires_at,
        revoked_at: token.revoked_at,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn a_token_expires_at_its_moment_and_its_list_says_so() {
        let (_folder, service, clock) = testing::service();
        let ask = |expires: &str| {
            let (name, role) = ("ana".to_owned(), "curator".to_owned());
            service
                .add_token(&TokenRequest { name, role, expires: Some(expires.to_owned()) }, &testing::actor())
        };
        let past = ask("2026-01-06T00:00:00Z").expect_err("refused").problem;
        assert!(past.code == "invalid_time" && past.remedy.contains("still to come"), "{past:?}");
        assert!(!ask("2026-01-07T00:00:00Z").expect("a token").token.expired);
        let is_expired = || service.tokens().expect("tokens")[0].expired;
        for (at, expired) in [("2026-01-06T23:59:59Z", false), ("2026-01-07T00:00:00Z", true)] {
            clock.set(at);
            assert_eq!(is_expired(), expired, "{at}");
        }
    }
}
