//! Scopes: adding, configuring, ending, reading.

use meed_audit::amount::Credits;
use meed_audit::policy::{Unit, Weights};
use meed_audit::text::FreeText;
use meed_audit::window::WindowDays;
use meed_storage::{Scope, ScopeChange, ScopeTerms, Snapshot};
use serde_json::value::RawValue;

use super::Service;
use crate::api::documents::{ReasonRequest, ScopeApproversView, ScopeChangeRequest, ScopeRequest, ScopeView};
use crate::failure::Failure;

impl Service {
    /// Adds a scope.
    ///
    /// # Errors
    /// The refusal of a term, `scope_exists`.
    pub fn add_scope(&self, request: &ScopeRequest, actor: &FreeText) -> Result<ScopeView, Failure> {
        let symbol = request.unit.as_deref().unwrap_or_else(|| default_symbol());
        let weights = request.weights.as_deref();
        let terms = ScopeTerms {
            key: request.key.parse()?,
            unit: Unit::new(symbol, request.decimals)?,
            unlinked: request.unlinked,
            weights: weights.map_or_else(|| Ok(Weights::defaults()?), parse_weights)?,
            window_days: WindowDays::new(request.window_days)?,
            base_issuance: request.base_issuance.as_deref().map(parse_base).transpose()?,
        };
        let scope = self.ledger.add_scope(terms, self.by(actor)?)?;
        view(&self.snapshot()?, &scope)
    }

    /// Changes the terms of later epochs.
    ///
    /// # Errors
    /// The refusal of a term, `scope_not_found`, `nothing_to_change`.
    pub fn configure_scope(&self, key: &str, request: &ScopeChangeRequest) -> Result<ScopeView, Failure> {
        let (_, scope) = Self::scope_id(&self.snapshot()?, key)?;
        let base_issuance = match (request.no_base_issuance, request.base_issuance.as_deref()) {
            (true, _) => Some(None),
            (false, Some(amount)) => Some(Some(parse_base(amount)?)),
            (false, None) => None,
        };
        let change = ScopeChange {
            unlinked: request.unlinked,
            weights: request.weights.as_deref().map(parse_weights).transpose()?,
            window_days: request.window_days.map(WindowDays::new).transpose()?,
            base_issuance,
        };
        let scope = self.ledger.configure_scope(scope, change)?;
        view(&self.snapshot()?, &scope)
    }

    /// Ends a scope for good.
    ///
    /// # Errors
    /// `scope_not_found`, `scope_ended`.
    pub fn end_scope(
        &self,
        key: &str,
        request: &ReasonRequest,
        actor: &FreeText,
    ) -> Result<ScopeView, Failure> {
        let (_, scope) = Self::scope_id(&self.snapshot()?, key)?;
        let reason = FreeText::parse("reason", &request.reason)?;
        let scope = self.ledger.end_scope(scope, reason, self.by(actor)?)?;
        view(&self.snapshot()?, &scope)
    }

    /// All scopes, by key.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn scopes(&self) -> Result<Vec<ScopeView>, Failure> {
        let snapshot = self.snapshot()?;
        snapshot.scopes()?.iter().map(|scope| view(&snapshot, scope)).collect()
    }

    /// One scope.
    ///
    /// # Errors
    /// `scope_not_found`.
    pub fn scope(&self, key: &str) -> Result<ScopeView, Failure> {
        let snapshot = self.snapshot()?;
        let (_, scope) = Self::scope_id(&snapshot, key)?;
        view(&snapshot, &snapshot.scope(scope)?)
    }
}

fn default_symbol() -> &'static str {
    "credits"
}

fn parse_weights(weights: &RawValue) -> Result<Weights, Failure> {
    Ok(Weights::parse(weights.get().as_bytes())?)
}

fn parse_base(amount: &str) -> Result<Credits, Failure> {
    Ok(Credits::parse_single("base_issuance", amount)?)
}

fn view(snapshot: &Snapshot, scope: &Scope) -> Result<ScopeView, Failure> {
    let terms = &scope.terms;
    let set = match scope.approvers {
        Some(_) => snapshot.approver_sets(scope.id)?.pop(),
        None => None,
    };
    let approvers = set.map(|set| ScopeApproversView {
        version: set.text.version.get(),
        threshold: set.text.set.threshold(),
        members: u64::try_from(set.text.set.len()).unwrap_or(u64::MAX),
        weak_majority: set.text.set.is_weak_majority(),
    });
    Ok(ScopeView {
        key: terms.key.clone(),
        id: scope.id,
        unit: terms.unit.symbol().to_owned(),
        decimals: terms.unit.decimals(),
        unlinked: terms.unlinked,
        window_days: terms.window_days.get(),
        base_issuance: terms.base_issuance,
        weights: terms.weights.iter().map(|(kind, units)| (kind.to_owned(), units)).collect(),
        created_at: scope.created_at,
        created_by: scope.created_by.clone(),
        ended: scope.ended,
        approvers,
        amending: scope.amending.map(|epoch| epoch.get()),
    })
}
