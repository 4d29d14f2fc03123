//! People and their accounts elsewhere.

use meed_audit::ids::{Identity, UserId};
use meed_audit::text::FreeText;
use meed_storage::{Binding, Bound, Evidence};

use super::Service;
use crate::api::documents::{
    BindRequest, BoundView, IdentityView, RebindRequest, RevokeRequest, UserRequest, UserView,
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
        let identities = identities_of(&self.snapshot()?.bindings()?, id);
        Ok(UserView { id, name: user.name, created_at: user.created_at, identities })
    }

    /// All people, with their accounts.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn users(&self) -> Result<Vec<UserView>, Failure> {
        let snapshot = self.snapshot()?;
        let bindings = snapshot.bindings()?;
        let view = |user: meed_storage::User| UserView {
            id: user.id,
            name: user.name,
            created_at: user.created_at,
            identities: identities_of(&bindings, user.id),
        };
        Ok(snapshot.users()?.into_iter().map(view).collect())
    }

    /// All accounts that are or were somebody's.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn identities(&self) -> Result<Vec<IdentityView>, Failure> {
        let view = |binding: Binding| IdentityView {
            identity: binding.identity.to_string(),
            user: binding.user,
            last_user: binding.last_user,
        };
        Ok(self.snapshot()?.bindings()?.into_iter().map(view).collect())
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
        self.ledger.rebind(identity.clone(), from, user, evidence, self.by(actor)?)?;
        Ok(BoundView { identity: identity.to_string(), user: Some(user), changed: true })
    }
}

fn parse_identity(provider: &str, external_id: &str) -> Result<Identity, Failure> {
    Ok(Identity::new(provider.parse()?, external_id)?)
}

fn identities_of(bindings: &[Binding], user: UserId) -> Vec<String> {
    let own = bindings.iter().filter(|binding| binding.user == Some(user));
    own.map(|binding| binding.identity.to_string()).collect()
}
