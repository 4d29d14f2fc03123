//! People and their accounts elsewhere: bindings with their evidence, never merged by themselves.

use meed_audit::decision::{Action, Change};
use meed_audit::hash::Hash;
use meed_audit::ids::{Identity, UserId};
use meed_audit::json::Value;
use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use meed_audit::{Rejection, RejectionCode};

use crate::error::StorageError;
use crate::key::All;
use crate::ledger::Ledger;
use crate::rules::decisions::{self, Intent, Prepared};
use crate::rules::record::{By, LedgerResult, refuse};
use crate::rules::tables::{
    BINDINGS, BindingRecord, IDENTITY_EVENTS, IdentityEventRecord, SCOPES, USERS, UserRecord,
};
use crate::snapshot::Snapshot;
use crate::table::{RawReader, Reader};
use crate::transaction::Transaction;

/// Longest evidence, as canonical JSON, in bytes.
pub const EVIDENCE_BYTES_MAX: usize = 32_768;

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// How people call them.
    pub name: Option<FreeText>,
    /// When they were added.
    pub created_at: Timestamp,
    /// Who added them.
    pub created_by: FreeText,
}

/// Whose an identity is, or was last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The account.
    pub identity: Identity,
    /// Whose it is now; none where the binding was revoked.
    pub user: Option<UserId>,
    /// Whose it is, or was before the revocation.
    pub last_user: UserId,
}

/// What happened to an identity, with its evidence (rules `BINDINGS_ARE_EVIDENCED`, `IDENTITY_EVENTS_APPEND_ONLY`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityEvent {
    /// The account.
    pub identity: Identity,
    /// Counts its events from 0.
    pub sequence: u64,
    /// Bind, rebind or revoke.
    pub action: Action,
    /// Whose it became, or was until then.
    pub user: UserId,
    /// Whose it was before a rebind.
    pub before: Option<UserId>,
    /// Canonical JSON.
    pub evidence: String,
    /// Hides the evidence in the decision's hash.
    pub salt: [u8; 32],
    /// When.
    pub at: Timestamp,
    /// Who decided it.
    pub by: FreeText,
}

/// Evidence for a change of a binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    canonical: String,
    salt: [u8; 32],
}

impl Evidence {
    /// From a JSON object and 32 random bytes. Decisions hold only the hash of both, so that the evidence itself can
    /// stay private.
    ///
    /// # Errors
    /// The rejection of the JSON; `wrong_type` unless it is an object; `input_too_large`.
    pub fn parse(json: &[u8], salt: [u8; 32]) -> meed_audit::Checked<Self> {
        let value = Value::parse_edge(json).map_err(|rejection| rejection.within("evidence"))?;
        if !matches!(value, Value::Object(_)) {
            return Err(Rejection::new(RejectionCode::WrongType, "evidence", "an object", value.kind()));
        }
        let canonical = value.to_canonical();
        if canonical.len() > EVIDENCE_BYTES_MAX {
            let expected = format!("at most {EVIDENCE_BYTES_MAX} bytes");
            let got = format!("{} bytes", canonical.len());
            return Err(Rejection::new(RejectionCode::InputTooLarge, "evidence", expected, got));
        }
        Ok(Self { canonical, salt })
    }

    fn reason(&self) -> meed_audit::Checked<FreeText> {
        evidence_reason(&self.salt, &self.canonical)
    }
}

/// The reason that decisions give: `evidence sha256:<hex of salt and evidence>`.
pub(crate) fn evidence_reason(salt: &[u8; 32], evidence: &str) -> meed_audit::Checked<FreeText> {
    let hash = Hash::of(&[&salt[..], evidence.as_bytes()].concat());
    FreeText::parse("reason", &format!("evidence sha256:{hash}"))
}

/// Whether a binding is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// It is new.
    New,
    /// It was in force already; nothing changed.
    Already,
}

impl Ledger {
    /// Adds a person. The same again, or without a name, changes nothing.
    ///
    /// # Errors
    /// `record_exists` where the person is there under another name.
    pub fn add_user(&self, user: UserId, name: Option<FreeText>, by: By) -> LedgerResult<User> {
        self.run(move |tx| {
            if let Some(record) = tx.get(USERS, &user)? {
                if name.is_none() || record.name == name {
                    return Ok(user_view(user, record));
                }
                let called =
                    |name: Option<FreeText>| name.map_or_else(|| "no name".to_owned(), |n| n.to_string());
                let subject = format!("user:{user}");
                let expected = format!("the person as known, {}", called(record.name));
                return refuse(Rejection::new(RejectionCode::RecordExists, subject, expected, called(name)));
            }
            let record = UserRecord { name, created_at: by.at, created_by: by.actor };
            tx.insert(USERS, &user, &record)?;
            Ok(user_view(user, record))
        })
    }

    /// Calls a person otherwise.
    ///
    /// # Errors
    /// `user_not_found`.
    pub fn rename_user(&self, user: UserId, name: FreeText) -> LedgerResult<User> {
        self.run(move |tx| {
            let record = UserRecord { name: Some(name), ..check_user(tx, user)? };
            tx.insert(USERS, &user, &record)?;
            Ok(user_view(user, record))
        })
    }

    /// Binds an identity to a user: an identity event, and a decision in every scope that goes on. A binding sets an
    /// unset user and never replaces one (rules `NO_AUTO_MERGE`, `IDENTITY_BEST_EFFORT`).
    ///
    /// # Errors
    /// `user_not_found`, `identity_bound_to_other`.
    pub fn bind(&self, identity: Identity, user: UserId, evidence: Evidence, by: By) -> LedgerResult<Bound> {
        self.run(move |tx| bind_in(tx, identity, user, evidence, by))
    }

    /// Ends an identity's binding. It can be bound again to the same user, or by [`Ledger::rebind`] to another.
    ///
    /// # Errors
    /// `identity_not_bound`.
    pub fn revoke(&self, identity: Identity, evidence: Evidence, by: By) -> LedgerResult<()> {
        self.run(move |tx| {
            let Some(user) = user_of(tx, &identity)? else {
                return refuse(not_bound(&identity, "a bound identity"));
            };
            revoke_in(tx, identity, user, evidence, by)
        })
    }

    /// Makes an identity a user's that is, or was last, the user `from`'s. Final statements never change by it.
    ///
    /// # Errors
    /// `user_not_found`, `identity_not_bound` where it never was anybody's, `mismatch` where it was not `from`'s,
    /// `nothing_to_change`.
    pub fn rebind(
        &self,
        identity: Identity,
        from: UserId,
        to: UserId,
        evidence: Evidence,
        by: By,
    ) -> LedgerResult<()> {
        self.run(move |tx| {
            check_user(tx, to)?;
            check_rebind(tx, &identity, from, to)?;
            let prepared = in_every_scope(tx, &Change::Rebind(identity.clone(), to), &evidence, &by)?;
            write(tx, prepared, (identity, Action::Rebind, to), (Some(from), Some(to)), evidence, by)
        })
    }
}

impl Snapshot {
    /// All people, by id.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn users(&self) -> LedgerResult<Vec<User>> {
        Ok(self.with_prefix(USERS, &All)?.into_iter().map(|(id, record)| user_view(id, record)).collect())
    }

    /// One person.
    ///
    /// # Errors
    /// `user_not_found`.
    pub fn user(&self, user: UserId) -> LedgerResult<User> {
        check_user(self, user).map(|record| user_view(user, record))
    }

    /// All identities that are or were bound, by identity.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn bindings(&self) -> LedgerResult<Vec<Binding>> {
        let records = self.with_prefix(BINDINGS, &All)?;
        Ok(records.into_iter().map(|(identity, record)| binding_view(identity, record)).collect())
    }

    /// Whose an identity is, or was last.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn binding(&self, identity: &Identity) -> LedgerResult<Option<Binding>> {
        let record = self.get(BINDINGS, identity)?;
        Ok(record.map(|record| binding_view(identity.clone(), record)))
    }

    /// What happened to an identity, from its first binding.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn identity_events(&self, identity: &Identity) -> LedgerResult<Vec<IdentityEvent>> {
        let view = |((identity, sequence), record): ((Identity, u64), IdentityEventRecord)| IdentityEvent {
            identity,
            sequence,
            action: record.action,
            user: record.user,
            before: record.before,
            evidence: record.evidence,
            salt: record.salt,
            at: record.at,
            by: record.by,
        };
        Ok(self.with_prefix(IDENTITY_EVENTS, identity)?.into_iter().map(view).collect())
    }
}

pub(crate) fn binding_view(identity: Identity, record: BindingRecord) -> Binding {
    Binding { identity, user: record.user, last_user: record.last }
}

pub(crate) fn user_view(id: UserId, record: UserRecord) -> User {
    User { id, name: record.name, created_at: record.created_at, created_by: record.created_by }
}

/// Whose an identity is now.
pub(super) fn user_of(reader: &impl RawReader, identity: &Identity) -> LedgerResult<Option<UserId>> {
    Ok(reader.get(BINDINGS, identity)?.and_then(|record| record.user))
}

pub(super) fn not_bound(identity: &Identity, expected: &str) -> Rejection {
    Rejection::new(RejectionCode::IdentityNotBound, identity.to_string(), expected, "one that is not")
}

/// Binds an identity that is nobody's, or that was this user's last.
pub(super) fn bind_in(
    tx: &mut Transaction,
    identity: Identity,
    user: UserId,
    evidence: Evidence,
    by: By,
) -> LedgerResult<Bound> {
    check_user(tx, user)?;
    match &tx.get(BINDINGS, &identity)? {
        Some(record) if record.user == Some(user) => return Ok(Bound::Already),
        Some(record) if record.last != user => {
            let expected = format!("an identity that is nobody's or user:{user}'s");
            return refuse(bound_to_other(&identity, expected, record.last));
        }
        _ => {}
    }
    let prepared = in_every_scope(tx, &Change::Bind(identity.clone(), user), &evidence, &by)?;
    write(tx, prepared, (identity, Action::Bind, user), (None, Some(user)), evidence, by)?;
    Ok(Bound::New)
}

pub(super) fn bound_to_other(identity: &Identity, expected: String, owner: UserId) -> Rejection {
    let got = format!("user:{owner}'s");
    Rejection::new(RejectionCode::IdentityBoundToOther, identity.to_string(), expected, got)
}

/// Ends the binding of an identity that is this user's.
pub(super) fn revoke_in(
    tx: &mut Transaction,
    identity: Identity,
    user: UserId,
    evidence: Evidence,
    by: By,
) -> LedgerResult<()> {
    let prepared = in_every_scope(tx, &Change::Revoke(identity.clone()), &evidence, &by)?;
    write(tx, prepared, (identity, Action::Revoke, user), (Some(user), None), evidence, by)
}

pub(crate) fn check_user(reader: &impl RawReader, user: UserId) -> LedgerResult<UserRecord> {
    reader.get(USERS, &user)?.ok_or_else(|| {
        Rejection::new(RejectionCode::UserNotFound, "user", "a user of this node", user).into()
    })
}

fn check_rebind(tx: &Transaction, identity: &Identity, from: UserId, to: UserId) -> LedgerResult<()> {
    let subject = identity.to_string();
    let Some(record) = tx.get(BINDINGS, identity)? else {
        let expected = "an identity that is or was bound";
        return refuse(Rejection::new(
            RejectionCode::IdentityNotBound,
            subject,
            expected,
            "one that never was",
        ));
    };
    if record.last != from {
        let (expected, got) = (format!("user:{}", record.last), format!("user:{from}"));
        return refuse(Rejection::new(RejectionCode::Mismatch, subject, expected, got));
    }
    if record.user == Some(to) {
        let got = format!("user:{to}");
        return refuse(Rejection::new(RejectionCode::NothingToChange, subject, "another user", got));
    }
    Ok(())
}

/// The change as a decision of every scope that goes on and that it changes.
pub(super) fn in_every_scope(
    tx: &Transaction,
    change: &Change,
    evidence: &Evidence,
    by: &By,
) -> LedgerResult<Vec<Prepared>> {
    let reason = evidence.reason()?;
    let mut prepared = Vec::new();
    for (scope, record) in tx.with_prefix(SCOPES, &All)? {
        if record.ended {
            continue;
        }
        let intent = Intent { scope, epoch: None, reason: &reason, by };
        prepared.push(decisions::prepare_in(tx, &intent, false, vec![change.clone()])?);
    }
    Ok(prepared)
}

pub(super) fn write(
    tx: &mut Transaction,
    prepared: Vec<Prepared>,
    (identity, action, user): (Identity, Action, UserId),
    (before, now): (Option<UserId>, Option<UserId>),
    evidence: Evidence,
    by: By,
) -> LedgerResult<()> {
    let reason = evidence.reason()?;
    let sequence = next_sequence(tx, &identity)?;
    tx.insert(BINDINGS, &identity, &BindingRecord { user: now, last: user, reason })?;
    let Evidence { canonical, salt } = evidence;
    let record =
        IdentityEventRecord { action, user, before, evidence: canonical, salt, at: by.at, by: by.actor };
    tx.insert(IDENTITY_EVENTS, &(identity, sequence), &record)?;
    for decision in prepared {
        decision.write(tx)?;
    }
    Ok(())
}

fn next_sequence(reader: &impl RawReader, identity: &Identity) -> Result<u64, StorageError> {
    Ok(reader.last_with_prefix(IDENTITY_EVENTS, identity)?.map_or(0, |((_, sequence), _)| sequence + 1))
}
