//! People and their accounts elsewhere.

use meed_audit::ids::{Identity, UserId};
use meed_audit::text::FreeText;
use meed_storage::{Bound, Evidence};

use super::parts::page;
use super::{Service, Wanted};
use crate::api::documents::{
    BindRequest, BoundView, IdentityView, Page, RebindRequest, RevokeRequest, UserRequest, UserView,
};
use crate::clock;
use crate::failure::Failure;

impl Service {
    /// Adds a person, or calls one who is known otherwise.
    ///
    /// # Errors
    /// `record_exists` for another name of a person who is known, `user_not_found`; refusals of the request's fields.
    pub fn add_user(&self, request: &UserRequest, actor: &FreeText) -> Result<UserView, Failure> {
        let id = match &request.id {
            Some(id) => id.parse()?,
            None => UserId::from_random(clock::random()?),
        };
        let name = request.name.as_deref().map(|name| FreeText::parse("name", name)).transpose()?;
        let user = match name {
            Some(name) if request.rename => self.ledger.rename_user(id, name)?,
            name => self.ledger.add_user(id, name, self.by(actor)?)?,
        };
        let accounts = self.snapshot()?.identities_of(&[id])?;
        let identities = accounts.values().flatten().map(ToString::to_string).collect();
        Ok(UserView { id, name: user.name, created_at: user.created_at, identities })
    }

    /// All people, with their accounts, by id.
    ///
    /// # Errors
    /// `malformed`, or a failure of reading.
    pub fn users(&self, wanted: &Wanted) -> Result<Page<UserView>, Failure> {
        let snapshot = self.snapshot()?;
        let part = snapshot.users_from(wanted.from(|text| text.parse().ok())?, wanted.limit())?;
        let ids: Vec<UserId> = part.items.iter().map(|user| user.id).collect();
        let accounts = snapshot.identities_of(&ids)?;
        page(
            part,
            |next| next.to_string(),
            |user| {
                let own = accounts.get(&user.id).into_iter().flatten();
                Ok(UserView {
                    id: user.id,
                    name: user.name,
                    created_at: user.created_at,
                    identities: own.map(ToString::to_string).collect(),
                })
            },
        )
    }

    /// All accounts that are or were somebody's, in the order of their names.
    ///
    /// # Errors
    /// `malformed`, or a failure of reading.
    pub fn identities(&self, wanted: &Wanted) -> Result<Page<IdentityView>, Failure> {
        let from = wanted.from(|text| text.parse().ok())?;
        let part = self.snapshot()?.bindings_from(from, wanted.limit())?;
        page(
            part,
            |next| next.to_string(),
            |binding| {
                Ok(IdentityView {
                    identity: binding.identity.to_string(),
                    user: binding.user,
                    last_user: binding.last_user,
                })
            },
        )
    }

    /// Binds an account to a user.
    ///
    /// # Errors
    /// `user_not_found`, `identity_bound_to_other`, and refusals of the request's fields.
    pub fn bind(&self, request: &BindRequest, actor: &FreeText) -> Result<BoundView, Failure> {
        let identity = parse_identity(&request.provider, &request.external_id)?;
        let user: UserId = request.user.parse()?;
        let evidence = Evidence::parse(request.evidence.get().as_bytes(), clock::random()?)?;
        let bound = self.ledger.bind(identity.clone(), user, evidence, self.by(actor)?)?;
        let changed = bound == Bound::New;
        Ok(BoundView { identity: identity.to_string(), user: Some(user), changed })
    }

    /// Ends the binding of an account.
    ///
    /// # Errors
    /// `identity_not_bound`, and refusals of the request's fields.
    pub fn revoke(&self, request: &RevokeRequest, actor: &FreeText) -> Result<BoundView, Failure> {
        let identity = parse_identity(&request.provider, &request.external_id)?;
        let evidence = Evidence::parse(request.evidence.get().as_bytes(), clock::random()?)?;
        self.ledger.revoke(identity.clone(), evidence, self.by(actor)?)?;
        Ok(BoundView { identity: identity.to_string(), user: None, changed: true })
    }

    /// Gives an account that is or was somebody's to another user.
    ///
    /// # Errors
    /// `user_not_found`, `identity_not_bound`, `mismatch`, and refusals of the request's fields.
    pub fn rebind(&self, request: &RebindRequest, actor: &FreeText) -> Result<BoundView, Failure> {
        let identity = parse_identity(&request.provider, &request.external_id)?;
        let (from, user): (UserId, UserId) = (request.from.parse()?, request.user.parse()?);
        let evidence = Evidence::parse(request.evidence.get().as_bytes(), clock::random()?)?;
        let moved = self.ledger.rebind(identity.clone(), from, user, evidence, self.by(actor)?);
        moved.map_err(|error| match Failure::from(error) {
            other if other.problem.code == "mismatch" => {
                other.with_remedy("name as the one before whose account it is or was last, as expected above")
            }
            failure => failure,
        })?;
        Ok(BoundView { identity: identity.to_string(), user: Some(user), changed: true })
    }
}

fn parse_identity(provider: &str, external_id: &str) -> Result<Identity, Failure> {
    Ok(Identity::new(provider.parse()?, external_id)?)
}
