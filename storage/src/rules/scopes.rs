//! Scopes: the payout domains of a node, with the terms that their next epoch pins.

use meed_audit::amount::Credits;
use meed_audit::approvers::ScopeName;
use meed_audit::decision::{Action, Change};
use meed_audit::hash::Hash;
use meed_audit::ids::{EpochNumber, ScopeId, ScopeKey, SetVersion};
use meed_audit::policy::{Policy, Unit, Unlinked, Weights};
use meed_audit::pool::{BASE_ISSUANCE, PoolComponent};
use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use meed_audit::window::WindowDays;
use meed_audit::{Checked, Rejection, RejectionCode};

use crate::error::StorageError;
use crate::key::All;
use crate::ledger::Ledger;
use crate::meta::NodeRecord;
use crate::rules::decisions::{self, Intent, Prepared};
use crate::rules::identities::evidence_reason;
use crate::rules::record::{By, BytesRecord, LedgerResult, refuse, sound};
use crate::rules::tables::{APPROVER_SETS, BINDINGS, IDENTITY_EVENTS, SCOPES, ScopeRecord};
use crate::snapshot::Snapshot;
use crate::table::{RawReader, Reader};
use crate::transaction::Transaction;

/// How the amount of [`BASE_ISSUANCE`] that a scope adds by itself is computed: it is fixed.
pub const BASE_ISSUANCE_ALGORITHM: &str = "fixed-v1";

/// What a scope is made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeTerms {
    /// The readable name, unique in the node.
    pub key: ScopeKey,
    /// What is paid; never changes.
    pub unit: Unit,
    /// What happens to identities that nobody has bound.
    pub unlinked: Unlinked,
    /// What events weigh.
    pub weights: Weights,
    /// Length of an epoch.
    pub window_days: WindowDays,
    /// The component `base_issuance` that opening an epoch adds; without it, a person adds it.
    pub base_issuance: Option<Credits>,
}

/// Changed terms, for later epochs only (rule `POLICY_PINNED`); what is none stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeChange {
    /// What happens to identities that nobody has bound.
    pub unlinked: Option<Unlinked>,
    /// What events weigh.
    pub weights: Option<Weights>,
    /// Length of an epoch.
    pub window_days: Option<WindowDays>,
    /// The component that opening an epoch adds; `Some(None)` adds none from now on.
    pub base_issuance: Option<Option<Credits>>,
}

/// A scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The id.
    pub id: ScopeId,
    /// The terms that the next epoch pins.
    pub terms: ScopeTerms,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: FreeText,
    /// Whether it was ended by a decision.
    pub ended: bool,
    /// The version of the approver set in force.
    pub approvers: Option<SetVersion>,
    /// The final epoch that is being amended.
    pub amending: Option<EpochNumber>,
}

impl Ledger {
    /// Makes a scope. The same terms again change nothing. Bindings of the node, and those that were revoked, become
    /// decisions of the scope, in the name of who made them.
    ///
    /// # Errors
    /// `scope_exists` with other terms; `pool_not_positive` or `number_too_large` for the base issuance.
    pub fn add_scope(&self, terms: ScopeTerms, by: By) -> LedgerResult<Scope> {
        self.run(move |tx| add_scope(tx, &terms, &by))
    }

    /// Changes the terms of later epochs; the unit never changes.
    ///
    /// # Errors
    /// `scope_not_found`, `scope_ended`, `nothing_to_change`, and those of the base issuance.
    pub fn configure_scope(&self, scope: ScopeId, change: ScopeChange) -> LedgerResult<Scope> {
        self.run(move |tx| configure_scope(tx, scope, &change))
    }

    /// Ends a scope for good by a recorded decision, where its approvers are lost (rule `APPROVERS_PER_SCOPE`).
    ///
    /// # Errors
    /// `scope_not_found`, `scope_ended`.
    pub fn end_scope(&self, scope: ScopeId, reason: FreeText, by: By) -> LedgerResult<Scope> {
        self.run(move |tx| {
            let mut record = scope_record(tx, scope)?;
            let intent = Intent { scope, epoch: None, reason: &reason, by: &by };
            let prepared = decisions::prepare(tx, &intent, Change::EndScope)?;
            prepared.write(tx)?;
            record.ended = true;
            tx.insert(SCOPES, &scope, &record)?;
            view(tx, scope, &record)
        })
    }
}

impl Snapshot {
    /// All scopes, sorted by key.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn scopes(&self) -> LedgerResult<Vec<Scope>> {
        let records = self.with_prefix(SCOPES, &All)?;
        let mut scopes: Vec<_> =
            records.iter().map(|(id, record)| view(self, *id, record)).collect::<Result<_, _>>()?;
        scopes.sort_by(|a, b| a.terms.key.cmp(&b.terms.key));
        Ok(scopes)
    }

    /// One scope.
    ///
    /// # Errors
    /// `scope_not_found`.
    pub fn scope(&self, scope: ScopeId) -> LedgerResult<Scope> {
        view(self, scope, &scope_record(self, scope)?)
    }

    /// The id of the scope with this key.
    ///
    /// # Errors
    /// `scope_not_found`.
    pub fn scope_id(&self, key: &ScopeKey) -> LedgerResult<ScopeId> {
        let id = ScopeId::derive(&self.node_id()?, key);
        match self.contains(SCOPES, &id)? {
            true => Ok(id),
            false => refuse(not_found("scope_key", key.as_str())),
        }
    }
}

fn not_found(subject: &str, got: &str) -> Rejection {
    Rejection::new(RejectionCode::ScopeNotFound, subject, "a scope of this node", got)
}

/// The record of a scope, or `scope_not_found`.
pub(crate) fn scope_record(reader: &impl RawReader, scope: ScopeId) -> LedgerResult<ScopeRecord> {
    reader.get(SCOPES, &scope)?.ok_or_else(|| not_found("scope", &scope.to_string()).into())
}

/// The record of a scope that goes on, or `scope_ended`.
pub(crate) fn living_scope(reader: &impl RawReader, scope: ScopeId) -> LedgerResult<ScopeRecord> {
    let record = scope_record(reader, scope)?;
    if record.ended {
        let subject = format!("scope {}", record.key);
        return refuse(Rejection::new(
            RejectionCode::ScopeEnded,
            subject,
            "a scope that goes on",
            "an ended one",
        ));
    }
    Ok(record)
}

/// Where a scope lives.
pub(crate) fn scope_name(reader: &impl RawReader, record: &ScopeRecord) -> Result<ScopeName, StorageError> {
    let node = NodeRecord::read(reader)?;
    Ok(ScopeName { origin: node.origin, node: node.node_id, key: record.key.clone() })
}

/// The policy that the next epoch pins.
pub(crate) fn current_policy(record: &ScopeRecord) -> Result<Policy, StorageError> {
    sound(SCOPES.name(), Policy::decode(&record.policy.0))
}

fn view(reader: &impl RawReader, id: ScopeId, record: &ScopeRecord) -> LedgerResult<Scope> {
    let Policy { unit, unlinked, window_days, weights, .. } = current_policy(record)?;
    let key = record.key.clone();
    Ok(Scope {
        id,
        terms: ScopeTerms { key, unit, unlinked, weights, window_days, base_issuance: record.base_issuance },
        created_at: record.created_at,
        created_by: record.created_by.clone(),
        ended: record.ended,
        approvers: reader.last_with_prefix(APPROVER_SETS, &id)?.map(|((_, version), _)| version),
        amending: record.amending,
    })
}

/// The component that opening an epoch adds.
pub(crate) fn base_component(amount: Credits) -> Checked<PoolComponent> {
    PoolComponent::new(BASE_ISSUANCE.parse()?, amount, BASE_ISSUANCE_ALGORITHM, Hash::of(b"{}"), None)
}

fn check_base(amount: Option<Credits>) -> Checked<()> {
    amount.map_or(Ok(()), |amount| base_component(amount).map(|_| ()))
}

fn add_scope(tx: &mut Transaction, terms: &ScopeTerms, by: &By) -> LedgerResult<Scope> {
    let id = ScopeId::derive(&tx.node_id(), &terms.key);
    check_base(terms.base_issuance)?;
    if let Some(record) = tx.get(SCOPES, &id)? {
        let existing = view(tx, id, &record)?;
        if existing.terms == *terms {
            return Ok(existing);
        }
        let subject = format!("scope {}", terms.key);
        return refuse(Rejection::new(
            RejectionCode::ScopeExists,
            subject,
            "the terms it was made with",
            "others",
        ));
    }
    let policy = Policy {
        scope: id,
        unit: terms.unit.clone(),
        unlinked: terms.unlinked,
        window_days: terms.window_days,
        weights: terms.weights.clone(),
    };
    let record = ScopeRecord {
        key: terms.key.clone(),
        policy: BytesRecord(policy.encode()),
        base_issuance: terms.base_issuance,
        created_at: by.at,
        created_by: by.actor.clone(),
        ended: false,
        amending: None,
    };
    let prepared = replayed_bindings(tx, id)?;
    tx.insert(SCOPES, &id, &record)?;
    prepared.write(tx)?;
    view(tx, id, &record)
}

/// What is known of each identity, as the first decisions of a new scope: whose it is or was last, and that its binding was
/// revoked, each by who decided it then, with its evidence. So a later `rebind` names both people in this scope too.
fn replayed_bindings(tx: &Transaction, scope: ScopeId) -> LedgerResult<Prepared> {
    let mut changes = Vec::new();
    for (identity, binding) in tx.with_prefix(BINDINGS, &All)? {
        let events = tx.with_prefix(IDENTITY_EVENTS, &identity)?;
        let needed = if binding.user.is_some() { 1 } else { 2 };
        let first = events.len().saturating_sub(needed);
        for (_, event) in events.into_iter().skip(first) {
            let change = match event.action {
                Action::Revoke => Change::Revoke(identity.clone()),
                _ => Change::Bind(identity.clone(), event.user),
            };
            let reason = evidence_reason(&event.salt, &event.evidence)?;
            changes.push((change, reason, By::new(event.by, event.at)));
        }
    }
    decisions::prepare_each(tx, (scope, None), false, changes)
}

fn configure_scope(tx: &mut Transaction, scope: ScopeId, change: &ScopeChange) -> LedgerResult<Scope> {
    let mut record = living_scope(tx, scope)?;
    let mut policy = current_policy(&record)?;
    policy.unlinked = change.unlinked.unwrap_or(policy.unlinked);
    policy.window_days = change.window_days.unwrap_or(policy.window_days);
    policy.weights = change.weights.clone().unwrap_or(policy.weights);
    let base_issuance = change.base_issuance.unwrap_or(record.base_issuance);
    check_base(base_issuance)?;
    let policy = BytesRecord(policy.encode());
    if policy == record.policy && base_issuance == record.base_issuance {
        let subject = format!("scope {}", record.key);
        return refuse(Rejection::new(RejectionCode::NothingToChange, subject, "other terms", "the same"));
    }
    record.policy = policy;
    record.base_issuance = base_issuance;
    tx.insert(SCOPES, &scope, &record)?;
    view(tx, scope, &record)
}

/// Whether an epoch of the scope is under amendment.
pub(crate) fn is_amending(record: &ScopeRecord, epoch: EpochNumber) -> bool {
    record.amending == Some(epoch)
}
