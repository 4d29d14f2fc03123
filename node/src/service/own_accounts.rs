//! What people do about themselves, after they have shown which account is theirs.

use meed_audit::ids::{Identity, Provider, UserId};
use meed_audit::sign_in::SignedText;
use meed_audit::text::FreeText;
use meed_audit::{Rejection, RejectionCode};
use meed_storage::{Bound, Evidence};
use serde::Serialize;

use super::Service;
use crate::api::documents::{BoundView, JoinRequest, UserView};
use crate::clock;
use crate::failure::Failure;
use crate::session::Person;

/// What is kept of a change that somebody made about themselves (rule `BINDINGS_ARE_EVIDENCED`).
#[derive(Serialize)]
struct OwnEvidence<'a> {
    /// What the account signed that was bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed: Option<&'a SignedText>,
    /// The account that asked, by what it signed to sign in.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked_by: Option<&'a SignedText>,
}

impl OwnEvidence<'_> {
    fn seal(&self) -> Result<Evidence, Failure> {
        let json = serde_json::to_vec(self).map_err(|error| Failure::internal(error.to_string()))?;
        Ok(Evidence::parse(&json, clock::random()?)?)
    }
}

/// What a person lost who signed in with an account that was revoked.
pub(crate) struct LostAccount {
    /// Whose it was last.
    pub(crate) user: UserId,
    /// How many accounts are still the user's.
    pub(crate) others_count: usize,
    /// Whether one of those can sign in: a key or a wallet.
    pub(crate) has_way_in: bool,
}

impl Service {
    /// Whose an account was that is nobody's now; none where it is somebody's, or never was.
    ///
    /// # Errors
    /// A failure of reading.
    pub(crate) fn lost_account(&self, identity: &Identity) -> Result<Option<LostAccount>, Failure> {
        let snapshot = self.snapshot()?;
        let Some(binding) = snapshot.binding(identity)?.filter(|binding| binding.user.is_none()) else {
            return Ok(None);
        };
        let user = binding.last_user;
        let others = snapshot.bindings()?.into_iter().filter(|other| other.user == Some(user));
        let providers: Vec<Provider> = others.map(|other| other.identity.provider()).collect();
        let signs = |provider: &Provider| matches!(provider, Provider::Ed25519 | Provider::Wallet);
        Ok(Some(LostAccount { user, others_count: providers.len(), has_way_in: providers.iter().any(signs) }))
    }

    /// The person whose account this is, with all of their accounts.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn own_record(&self, identity: &Identity) -> Result<Option<UserView>, Failure> {
        let found = self.snapshot()?.owner_of(identity)?;
        Ok(found.map(|(user, accounts)| UserView {
            id: user.id,
            name: user.name,
            created_at: user.created_at,
            identities: accounts.iter().map(|account| account.identity.to_string()).collect(),
        }))
    }

    /// The user whose account this is.
    ///
    /// # Errors
    /// `identity_not_bound`.
    pub fn user_of(&self, identity: &Identity) -> Result<UserId, Failure> {
        let binding = self.snapshot()?.binding(identity)?;
        binding.and_then(|binding| binding.user).ok_or_else(|| {
            let expected = "an account of somebody's";
            let rejection =
                Rejection::new(RejectionCode::IdentityNotBound, identity.to_string(), expected, "nobody's");
            Failure::from(rejection)
                .with_remedy("become a person of this node first: `POST /me/user`, or /me")
        })
    }

    /// Makes a person of who signed in. Who is one already stays so, and is called by the name from now on that is given.
    ///
    /// # Errors
    /// `identity_bound_to_other` where the account was revoked; refusals of the name.
    pub fn join(
        &self,
        person: &Person,
        request: &JoinRequest,
        actor: &FreeText,
    ) -> Result<UserView, Failure> {
        let name = request.name.as_deref().map(|name| FreeText::parse("name", name)).transpose()?;
        let evidence = OwnEvidence { signed: Some(&person.signed), asked_by: None }.seal()?;
        let id = UserId::from_random(clock::random()?);
        let founded =
            self.ledger.found_user(person.identity.clone(), id, name.clone(), evidence, self.by(actor)?);
        let (user, bound) = founded.map_err(|error| lost_for_now(error.into()))?;
        if let (Bound::Already, Some(name)) = (bound, name.filter(|name| user.name.as_ref() != Some(name))) {
            self.ledger.rename_user(user.id, name)?;
        }
        let record = self.own_record(&person.identity)?;
        record.ok_or_else(|| Failure::internal("a person who was just made is not there"))
    }

    /// Binds another account to the user whose account the holder is.
    ///
    /// # Errors
    /// `identity_not_bound`, `identity_bound_to_other`.
    pub fn bind_own(
        &self,
        holder: &Person,
        other: &Person,
        user: UserId,
        actor: &FreeText,
    ) -> Result<BoundView, Failure> {
        let evidence = OwnEvidence { signed: Some(&other.signed), asked_by: Some(&holder.signed) }.seal()?;
        let by = self.by(actor)?;
        let bound = self.ledger.bind_own(holder.identity.clone(), other.identity.clone(), user, evidence, by);
        let bound = bound.map_err(|error| lost_for_now(error.into()))?;
        let identity = other.identity.to_string();
        Ok(BoundView { identity, user: Some(user), changed: bound == Bound::New })
    }

    /// Ends the binding of an account of the user whose account the holder is.
    ///
    /// # Errors
    /// `invalid_claimant` for what is no account; `identity_not_bound` for one that is not theirs.
    pub fn revoke_own(
        &self,
        holder: &Person,
        identity: &str,
        actor: &FreeText,
    ) -> Result<BoundView, Failure> {
        let identity: Identity = identity.parse()?;
        let evidence = OwnEvidence { signed: None, asked_by: Some(&holder.signed) }.seal()?;
        self.ledger.revoke_own(holder.identity.clone(), identity.clone(), evidence, self.by(actor)?)?;
        Ok(BoundView { identity: identity.to_string(), user: None, changed: true })
    }
}

/// What the person can do whose account is or was last another user's; the rest is for the operator.
fn lost_for_now(failure: Failure) -> Failure {
    if failure.problem.code != "identity_bound_to_other" {
        return failure;
    }
    failure.with_remedy(
        "if that user is you: sign in with another account that is theirs, and bind this one there; else ask the operator, \
         who can give it to you with `meed rebind`",
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    fn person(number: &str) -> Person {
        let identity = Identity::new(Provider::Github, number).expect("an identity");
        let (text, signature) = (format!("text {number}"), format!("signature {number}"));
        Person { identity, signed: SignedText { method: "ed25519", text, signature } }
    }

    #[test]
    fn bindings_are_evidenced_by_what_was_signed() {
        let (_folder, service, _clock) = testing::service();
        let actor = FreeText::parse("actor", "identity:github:1").expect("actor");
        let (one, two) = (person("1"), person("2"));
        let user = service.join(&one, &JoinRequest::default(), &actor).expect("a person").id;
        assert!(service.bind_own(&one, &two, user, &actor).expect("bound").changed);
        assert!(!service.bind_own(&one, &two, user, &actor).expect("bound").changed);
        service.revoke_own(&one, "identity:github:2", &actor).expect("revoked");
        let signed = |number: &str| {
            format!(r#"{{"method":"ed25519","signature":"signature {number}","text":"text {number}"}}"#)
        };
        let kept = |person: &Person| -> Vec<String> {
            let events = service.snapshot().expect("a snapshot").identity_events(&person.identity);
            events.expect("events").into_iter().map(|event| event.evidence).collect()
        };
        assert_eq!(kept(&one), [format!(r#"{{"signed":{}}}"#, signed("1"))]);
        let both = format!(r#"{{"asked_by":{},"signed":{}}}"#, signed("1"), signed("2"));
        assert_eq!(kept(&two), [both, format!(r#"{{"asked_by":{}}}"#, signed("1"))]);
    }
}
