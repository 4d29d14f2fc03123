//! What people do about themselves: they become a person of the node, and bind and revoke accounts that are theirs.
//!
//! Whoever asks has shown that an account is theirs, by a signature over a text that says what it is for; which one
//! stands in the evidence. Nothing here reaches anybody else's account (rule `NO_AUTO_MERGE`).

use meed_audit::decision::{Action, Change};
use meed_audit::ids::{Identity, UserId};
use meed_audit::text::FreeText;

use crate::ledger::Ledger;
use crate::rules::identities::{
    Binding, Bound, Evidence, User, bind_in, bound_to_other, check_user, in_every_scope, not_bound,
    revoke_in, user_of, user_view, write,
};
use crate::rules::record::{By, LedgerResult, refuse};
use crate::rules::tables::{BINDINGS, USERS, UserRecord};
use crate::snapshot::Snapshot;
use crate::table::Reader;

impl Ledger {
    /// Makes a person of an account that never was anybody's, and binds it to them, in one transaction. An account that
    /// is somebody's already stays so, and gives them.
    ///
    /// # Errors
    /// `identity_bound_to_other` for an account whose binding was revoked: it returns to its user alone, by
    /// [`Ledger::bind_own`] from another of their accounts, or by the operator.
    pub fn found_user(
        &self,
        identity: Identity,
        user: UserId,
        name: Option<FreeText>,
        evidence: Evidence,
        by: By,
    ) -> LedgerResult<(User, Bound)> {
        self.run(move |tx| {
            if let Some(binding) = tx.get(BINDINGS, &identity)? {
                let Some(owner) = binding.user else {
                    let expected = "an account that never was anybody's".to_owned();
                    return refuse(bound_to_other(&identity, expected, binding.last));
                };
                return Ok((user_view(owner, check_user(tx, owner)?), Bound::Already));
            }
            let prepared = in_every_scope(tx, &Change::Bind(identity.clone(), user), &evidence, &by)?;
            let record = UserRecord { name, created_at: by.at, created_by: by.actor.clone() };
            tx.insert(USERS, &user, &record)?;
            write(tx, prepared, (identity, Action::Bind, user), (None, Some(user)), evidence, by)?;
            Ok((user_view(user, record), Bound::New))
        })
    }

    /// Binds another account of the user's whose account `holder` is.
    ///
    /// # Errors
    /// `identity_not_bound` where the holder is not the user's any more; `identity_bound_to_other`.
    pub fn bind_own(
        &self,
        holder: Identity,
        identity: Identity,
        user: UserId,
        evidence: Evidence,
        by: By,
    ) -> LedgerResult<Bound> {
        self.run(move |tx| {
            if user_of(tx, &holder)? != Some(user) {
                return refuse(not_bound(&holder, &format!("an account of user:{user}")));
            }
            bind_in(tx, identity, user, evidence, by)
        })
    }

    /// Ends the binding of an account of the user's whose account `holder` is; it may be the holder itself.
    ///
    /// # Errors
    /// `identity_not_bound` where the holder is nobody's, and for an account that is not the same user's, whether or not
    /// it is somebody else's.
    pub fn revoke_own(
        &self,
        holder: Identity,
        identity: Identity,
        evidence: Evidence,
        by: By,
    ) -> LedgerResult<UserId> {
        self.run(move |tx| {
            let Some(user) = user_of(tx, &holder)? else {
                return refuse(not_bound(&holder, "a bound identity"));
            };
            if user_of(tx, &identity)? != Some(user) {
                return refuse(not_bound(&identity, &format!("an account of user:{user}")));
            }
            revoke_in(tx, identity, user, evidence, by)?;
            Ok(user)
        })
    }
}

impl Snapshot {
    /// The person whose account this is, with all of their accounts; none where it is nobody's now.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn owner_of(&self, identity: &Identity) -> LedgerResult<Option<(User, Vec<Binding>)>> {
        let Some(user) = user_of(self, identity)? else { return Ok(None) };
        let own = self.bindings()?.into_iter().filter(|binding| binding.user == Some(user));
        Ok(Some((self.user(user)?, own.collect())))
    }
}
