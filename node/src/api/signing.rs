//! Signing in with a key or a wallet, for the interface and the pages alike: the challenge, its answer, and what both
//! need of a request.

use std::sync::Arc;

use axum::http::HeaderMap;
use meed_audit::ids::UserId;
use meed_audit::sign_in::{Challenge, Purpose, Signer, read_key};
use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use meed_audit::{Checked, Rejection, RejectionCode};
use meed_keys::{VerifierKey, VerifierKeyError, WalletAddress};

use super::App;
use super::authority::{Caller, KnownBy, Standing};
use super::documents::{ChallengeRequest, MeView, SignInRequest};
use super::extract::Refused;
use crate::clock;
use crate::failure::{Failure, with_sources};
use crate::session::{Answered, Basis, Begun, Person, site_of};

/// What to do about a key with which nobody can sign in.
const KEY_REMEDY: &str =
    "give the line that `meed key show` prints of your key file, or the key's 64 hex digits";
/// What to do about a signature that is none of the challenge.
const SIGNATURE_REMEDY: &str = "sign the text exactly as it is shown, by `meed sign-in --text FILE --key KEYFILE` or \
    with the wallet that it names, and give the whole signature";

impl App {
    /// The time by the node's clock.
    pub(crate) fn now(&self) -> Result<Timestamp, Refused> {
        Ok(self.service().clock().now()?)
    }

    /// Makes a challenge for whom the request names.
    pub(crate) fn make_challenge(
        &self,
        request: &ChallengeRequest,
        purpose: Purpose,
        headers: &HeaderMap,
    ) -> Result<Challenge, Refused> {
        let signer = signer_of(request).map_err(|rejection| match rejection.code {
            RejectionCode::KeyInvalid => Failure::from(rejection).with_remedy(KEY_REMEDY),
            _ => rejection.into(),
        })?;
        let site = site_of(self.service().settings(), headers)?;
        let random = clock::random()?;
        Ok(self.sessions().challenge(site, purpose, signer, self.now()?, random)?)
    }

    /// Takes the answer to a challenge; it counts once.
    pub(crate) fn take_answer(
        &self,
        request: &SignInRequest,
        headers: &HeaderMap,
    ) -> Result<Answered, Refused> {
        let site = site_of(self.service().settings(), headers)?;
        let answered = self.sessions().answer(&request.text, &request.signature, &site, self.now()?);
        Ok(answered.map_err(|rejection| match rejection.code {
            RejectionCode::SignatureInvalid => Failure::from(rejection).with_remedy(SIGNATURE_REMEDY),
            _ => rejection.into(),
        })?)
    }

    /// Takes the answer to a challenge for signing in, and begins a session.
    pub(crate) fn sign_in(
        &self,
        request: &SignInRequest,
        headers: &HeaderMap,
    ) -> Result<(Begun, Caller), Refused> {
        let answered = self.take_answer(request, headers)?;
        let person = match answered.purpose {
            Purpose::SignIn => Arc::new(answered.person),
            Purpose::Bind(_) => return Err(other_purpose("sign in", "one for binding an account").into()),
        };
        let basis = Basis::Person(Arc::clone(&person));
        let begun = self.sessions().begin(basis, None, self.now()?, clock::random()?)?;
        let hash = meed_audit::hash::Hash::of(begun.secret.as_bytes());
        let session = Some(KnownBy { hash, expires_at: begun.expires_at });
        let actor = FreeText::parse("actor", &person.identity.to_string())?;
        Ok((begun, Caller { actor, standing: Standing::Contributor(person), session }))
    }

    /// Takes the answer to a challenge for binding an account, and gives whose it is to become.
    pub(crate) fn take_binding(
        &self,
        request: &SignInRequest,
        headers: &HeaderMap,
    ) -> Result<(UserId, Person), Refused> {
        let answered = self.take_answer(request, headers)?;
        match answered.purpose {
            Purpose::Bind(user) => Ok((user, answered.person)),
            Purpose::SignIn => Err(other_purpose("bind an account", "one for signing in").into()),
        }
    }

    /// Makes a challenge by which whoever it names becomes an account of the caller's user.
    pub(crate) async fn make_binding(
        &self,
        request: ChallengeRequest,
        person: &Arc<Person>,
        headers: &HeaderMap,
    ) -> Result<Challenge, Refused> {
        let holder = Arc::clone(person);
        let user = self.clone().run(move |service| service.user_of(&holder.identity)).await?;
        self.make_challenge(&request, Purpose::Bind(user), headers)
    }

    /// What a caller may know of themselves.
    pub(crate) async fn describe(&self, caller: Caller) -> Result<MeView, Refused> {
        let Caller { actor, standing, session } = caller;
        let expires_at = session.map(|session| session.expires_at);
        let name = standing.name().to_owned();
        let Standing::Contributor(person) = standing else {
            return Ok(MeView {
                standing: name,
                actor,
                expires_at,
                identity: None,
                claimant: None,
                user: None,
            });
        };
        let identity = person.identity.to_string();
        let user = self.clone().run(move |service| service.own_record(&person.identity)).await?;
        let claimant = user.as_ref().map_or_else(|| identity.clone(), |user| format!("user:{}", user.id));
        Ok(MeView {
            standing: name,
            actor,
            expires_at,
            identity: Some(identity),
            claimant: Some(claimant),
            user,
        })
    }
}

impl Caller {
    /// The person behind the caller.
    ///
    /// # Errors
    /// `role_forbids` for everybody who has not signed in as one.
    pub(crate) fn person(&self) -> Checked<Arc<Person>> {
        match &self.standing {
            Standing::Contributor(person) => Ok(Arc::clone(person)),
            other => {
                let expected = "somebody who signed in with a key or a wallet";
                Err(Rejection::new(RejectionCode::RoleForbids, "request", expected, other.name()))
            }
        }
    }
}

fn other_purpose(expected: &str, got: &str) -> Rejection {
    let expected = format!("a challenge to {expected}");
    Rejection::new(RejectionCode::SignInMismatch, "purpose", expected, got)
}

/// Who is to sign: a key, or a wallet on a chain.
fn signer_of(request: &ChallengeRequest) -> Checked<Signer> {
    match (request.key.as_deref(), request.address.as_deref(), request.chain_id) {
        (Some(key), None, None) => Ok(Signer::Key(match key.contains('+') {
            false => read_key(key)?,
            true => *read_verifier_key(key)?.public_key(),
        })),
        (None, Some(address), Some(chain_id)) if chain_id > 0 => {
            let address = WalletAddress::parse_edge(address).map_err(|error| {
                let expected = "the address of a wallet";
                Rejection::of_error(RejectionCode::InvalidIdentifier, "address", expected, error)
            })?;
            Ok(Signer::Wallet(address, chain_id))
        }
        (None, Some(_), chain_id) => {
            let got = chain_id.map_or_else(|| "none".to_owned(), |id| id.to_string());
            Err(Rejection::new(
                RejectionCode::MissingField,
                "chain_id",
                "a number from 1 beside the address",
                got,
            ))
        }
        (None, None, _) => {
            let expected = "`key`, or `address` and `chain_id`";
            Err(Rejection::new(RejectionCode::MissingField, "body", expected, "neither"))
        }
        _ => {
            let expected = "either `key`, or `address` and `chain_id`";
            Err(Rejection::new(RejectionCode::Malformed, "body", expected, "both"))
        }
    }
}

fn read_verifier_key(text: &str) -> Checked<VerifierKey> {
    text.parse().map_err(|error: VerifierKeyError| {
        let expected = "a verifier key as `meed key new` prints it";
        Rejection::of_error(RejectionCode::KeyInvalid, "key", expected, with_sources(&error))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signer_is_a_key_or_a_wallet_on_a_chain() {
        let hex = "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c";
        let wallet = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        let ask = |key: Option<&str>, address: Option<&str>, chain_id| {
            let request = ChallengeRequest {
                key: key.map(str::to_owned),
                address: address.map(str::to_owned),
                chain_id,
            };
            signer_of(&request).map_err(|rejection| rejection.code)
        };
        assert!(matches!(ask(Some(hex), None, None), Ok(Signer::Key(_))));
        assert!(matches!(ask(None, Some(wallet), Some(10)), Ok(Signer::Wallet(_, 10))));
        assert!(matches!(ask(None, Some(&wallet.to_lowercase()), Some(1)), Ok(Signer::Wallet(..))));
        for (key, address, chain_id, code) in [
            (None, None, None, RejectionCode::MissingField),
            (None, None, Some(1), RejectionCode::MissingField),
            (Some(hex), Some(wallet), Some(1), RejectionCode::Malformed),
            (Some(hex), None, Some(1), RejectionCode::Malformed),
            (None, Some(wallet), None, RejectionCode::MissingField),
            (None, Some(wallet), Some(0), RejectionCode::MissingField),
            (
                None,
                Some("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"),
                Some(1),
                RejectionCode::InvalidIdentifier,
            ),
            (None, Some("0x00"), Some(1), RejectionCode::InvalidIdentifier),
            (Some("00"), None, None, RejectionCode::KeyInvalid),
            (Some("ana+00000000+AAAA"), None, None, RejectionCode::KeyInvalid),
        ] {
            assert_eq!(ask(key, address, chain_id), Err(code), "{key:?} {address:?} {chain_id:?}");
        }
    }
}
