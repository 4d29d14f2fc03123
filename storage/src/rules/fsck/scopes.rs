//! Decisions and what they add up to; bindings; pools; approver sets; epochs.

use std::collections::BTreeMap;

use meed_audit::amount::Credits;
use meed_audit::approve::split_node_line;
use meed_audit::approvers::ApproverSetText;
use meed_audit::decision::{Action, Change, Decision, State};
use meed_audit::ids::{ComponentId, EpochNumber, Identity, ScopeId, UserId};

use super::Check;
use crate::key::All;
use crate::log::LogKind;
use crate::meta::NodeRecord;
use crate::rules::decided::stored_state;
use crate::rules::decisions::{decisions_size, decisions_until};
use crate::rules::identities::evidence_reason;
use crate::rules::notes::{node_key, stored_note};
use crate::rules::record::{BytesRecord, LedgerResult, sound};
use crate::rules::scopes::{current_policy, scope_name};
use crate::rules::tables::{
    APPROVER_SETS, BINDINGS, BindingRecord, DECISIONS, EPOCHS, EpochRecord, FINALS, IDENTITY_EVENTS, POOL,
    SCOPES, ScopeRecord,
};
use crate::table::Reader;

impl Check<'_> {
    /// Everything of a scope but its statements.
    pub(super) fn scope(&mut self, scope: ScopeId, record: &ScopeRecord) {
        self.attempt("NODE_SCOPED", |check| {
            let name = scope_name(check.snapshot, record)?;
            check.same("NODE_SCOPED", SCOPES.name(), &scope, name.id(), scope);
            check.same("NODE_SCOPED", SCOPES.name(), &scope, scope, current_policy(record)?.scope);
            Ok(())
        });
        self.attempt("DECISIONS_RECORDED", |check| check.decisions(scope, record));
        self.attempt("APPROVERS_PER_SCOPE", |check| check.approver_sets(scope, record));
        self.attempt("EPOCH_WINDOW_UNIQUE", |check| check.epochs(scope));
    }

    /// The decisions replayed give the stored state, pools, bindings and ends.
    fn decisions(&mut self, scope: ScopeId, record: &ScopeRecord) -> LedgerResult<()> {
        let size = decisions_size(self.snapshot, scope)?;
        let decisions = decisions_until(self.snapshot, scope, size)?;
        let rule = "DECISIONS_RECORDED";
        for (sequence, decision) in (0_u64..).zip(&decisions) {
            self.same(rule, DECISIONS.name(), &(scope, sequence), scope, decision.scope);
            let stored: Option<BytesRecord> = self.snapshot.get(DECISIONS, &(scope, sequence))?;
            let is_same = stored.is_some_and(|stored| stored == BytesRecord::of_leaf(decision));
            self.demand(rule, DECISIONS.name(), &(scope, sequence), is_same, "the leaf's one form");
        }
        let replayed = State::replay(&decisions)?;
        let stored = stored_state(self.snapshot, scope)?;
        self.same(rule, SCOPES.name(), &scope, replayed.has_ended(), record.ended);
        self.demand(
            rule,
            "curations, overrides, scope_bindings, claimant_changes, amendments",
            &scope,
            replayed == stored,
            "the replayed decisions",
        );
        self.pools(scope, &decisions)?;
        self.amendments(scope, record, &decisions)?;
        if record.ended {
            return Ok(());
        }
        let bound: BTreeMap<Identity, UserId> = self
            .snapshot
            .with_prefix(BINDINGS, &All)?
            .into_iter()
            .filter_map(|(identity, binding)| Some((identity, binding.user?)))
            .collect();
        let is_same = bound == *replayed.bindings();
        self.demand(
            "BINDINGS_ARE_EVIDENCED",
            BINDINGS.name(),
            &scope,
            is_same,
            "the bindings of the scope's decisions",
        );
        self.evidence(scope, &decisions)
    }

    /// Every component has its decision, and every decision its component.
    fn pools(&mut self, scope: ScopeId, decisions: &[Decision]) -> LedgerResult<()> {
        let mut decided: BTreeMap<(EpochNumber, ComponentId), Credits> = BTreeMap::new();
        for decision in decisions {
            if let (Change::Pool(component, amount), Some(epoch)) = (decision.change()?, decision.epoch) {
                decided.insert((epoch, component), amount);
            }
        }
        let mut stored = BTreeMap::new();
        for ((_, epoch, component), record) in self.snapshot.with_prefix(POOL, &scope)? {
            let leaf: meed_audit::pool::PoolComponent = record.leaf(POOL.name())?;
            let key = (scope, epoch, component.clone());
            self.same("POOL_IMMUTABLE", POOL.name(), &key, component.as_str(), leaf.component.as_str());
            stored.insert((epoch, component), leaf.amount);
        }
        self.demand(
            "POOL_REPRODUCIBLE",
            POOL.name(),
            &scope,
            decided == stored,
            "the components of the decisions",
        );
        Ok(())
    }

    /// As many amendments were begun as were finalized or given up, and the one that is under way. Without it nothing of
    /// what is final is offered for approval.
    fn amendments(
        &mut self,
        scope: ScopeId,
        record: &ScopeRecord,
        decisions: &[Decision],
    ) -> LedgerResult<()> {
        let rule = "CURATION_FREEZE_ON_FINALIZE";
        for ((_, epoch), stored) in self.snapshot.with_prefix(EPOCHS, &scope)? {
            let count = |action: Action| {
                decisions.iter().filter(|d| d.action == action && d.epoch == Some(epoch)).count()
            };
            let finals = self.snapshot.with_prefix(FINALS, &(scope, epoch))?.len();
            let is_under_way = record.amending == Some(epoch);
            let expected = finals.saturating_sub(1) + count(Action::Abandon) + usize::from(is_under_way);
            let key = (scope, epoch);
            self.same(rule, EPOCHS.name(), &key, expected, count(Action::Amend));
            let is_settled =
                stored.final_revision.is_none() || stored.current_draft.is_none() || is_under_way;
            self.demand(rule, EPOCHS.name(), &key, is_settled, "no draft of what is final");
        }
        Ok(())
    }

    /// The sets are one chain, each signed as its step demands, and each stands in the statements log.
    fn approver_sets(&mut self, scope: ScopeId, owner: &ScopeRecord) -> LedgerResult<()> {
        let key = node_key(&NodeRecord::read(self.snapshot)?)?;
        let name = scope_name(self.snapshot, owner)?;
        let (mut leaves, mut current): (Vec<_>, Option<ApproverSetText>) = (Vec::new(), None);
        let rule = "APPROVERS_PER_SCOPE";
        for ((_, version), record) in self.snapshot.with_prefix(APPROVER_SETS, &scope)? {
            let place = (scope, version);
            let note = stored_note(APPROVER_SETS.name(), &record.note)?;
            let text: ApproverSetText = sound(APPROVER_SETS.name(), note.text().as_str().parse())?;
            self.same(rule, APPROVER_SETS.name(), &place, version, text.version);
            self.same(rule, APPROVER_SETS.name(), &place, text.leaf_hash(), record.leaf_hash);
            match &current {
                Some(current) => current.check_successor(&leaves, &text, &note, &key)?,
                None => {
                    let (_, others) = split_node_line(&note, &text.origin_line(), &key)?;
                    let first = ApproverSetText::next(&name, &[], text.set.clone())?;
                    let is_first = first == text && others.is_empty();
                    self.demand(
                        rule,
                        APPROVER_SETS.name(),
                        &place,
                        is_first,
                        "version 1, signed by the node alone",
                    );
                }
            }
            let entry = self.snapshot.log_entry(LogKind::Statements, record.log_index)?;
            let is_logged = entry == record.note.as_bytes();
            self.demand(rule, APPROVER_SETS.name(), &place, is_logged, "the entry of the statements log");
            leaves.push(text.leaf_hash());
            current = Some(text);
        }
        Ok(())
    }

    /// Windows ascend without overlap, all but the last are closed, and what closing pinned was the log.
    fn epochs(&mut self, scope: ScopeId) -> LedgerResult<()> {
        let epochs = self.snapshot.with_prefix(EPOCHS, &scope)?;
        for (expected, ((_, number), record)) in (1..).zip(&epochs) {
            let key = (scope, *number);
            self.same("EPOCH_WINDOW_UNIQUE", EPOCHS.name(), &key, expected, number.get());
            if let Some(closed) = &record.closed {
                let root = self.snapshot.log_root(LogKind::Events, closed.log_size)?;
                self.same("EPOCH_BY_EVENT_TIME", EPOCHS.name(), &key, root, closed.log_root);
            }
            let is_whole = record.final_revision.is_none() || record.closed.is_some();
            self.demand("EPOCH_THREE_PHASE", EPOCHS.name(), &key, is_whole, "a final epoch to be closed");
        }
        for pair in epochs.windows(2) {
            if let [(_, a), ((_, number), b)] = pair {
                self.epoch_pair((scope, *number), a, b);
            }
        }
        Ok(())
    }

    fn epoch_pair(&mut self, key: (ScopeId, EpochNumber), a: &EpochRecord, b: &EpochRecord) {
        let (rule, table) = ("EPOCH_WINDOW_UNIQUE", EPOCHS.name());
        self.demand(rule, table, &key, a.end <= b.start, "a window after the one before");
        self.demand("ONE_OPEN_EPOCH", table, &key, a.closed.is_some(), "the epoch before to be closed");
        let is_final = |record: &EpochRecord| record.final_revision.is_some();
        self.demand(
            "STATEMENTS_IN_ORDER",
            table,
            &key,
            is_final(a) || !is_final(b),
            "the epoch before to be final",
        );
    }

    /// The decisions on each identity are its last events: who, when and with which evidence, word for word. A scope that
    /// was made later begins with the binding of then.
    fn evidence(&mut self, scope: ScopeId, decisions: &[Decision]) -> LedgerResult<()> {
        let mut decided: BTreeMap<Identity, Vec<(UserId, &Decision)>> = BTreeMap::new();
        for decision in decisions {
            let (identity, user) = match decision.change()? {
                Change::Bind(identity, user) | Change::Rebind(identity, user) => (identity, Some(user)),
                Change::Revoke(identity) => {
                    let last = decided.get(&identity).and_then(|made| made.last()).map(|(user, _)| *user);
                    (identity, last)
                }
                _ => continue,
            };
            let Some(user) = user else { continue };
            decided.entry(identity).or_default().push((user, decision));
        }
        for (identity, made) in decided {
            let events = self.snapshot.with_prefix(IDENTITY_EVENTS, &identity)?;
            let mut is_same = made.len() <= events.len();
            let last = events.iter().skip(events.len().saturating_sub(made.len()));
            for (place, ((user, decision), (_, event))) in made.iter().zip(last).enumerate() {
                let is_replayed =
                    place == 0 && decision.action == Action::Bind && event.action != Action::Revoke;
                is_same &= (event.action == decision.action || is_replayed)
                    && (event.user, &event.by, event.at) == (*user, &decision.actor, decision.at)
                    && evidence_reason(&event.salt, &event.evidence)? == decision.reason;
            }
            let rule = "BINDINGS_ARE_EVIDENCED";
            let key = (scope, identity);
            self.demand(
                rule,
                IDENTITY_EVENTS.name(),
                &key,
                is_same,
                "the identity's last events as decisions",
            );
        }
        Ok(())
    }

    /// The events of an identity follow from each other, and the last one is its binding, with its evidence.
    pub(super) fn identities(&mut self) -> LedgerResult<()> {
        let mut bindings: BTreeMap<Identity, BindingRecord> = BTreeMap::new();
        let mut next: BTreeMap<Identity, u64> = BTreeMap::new();
        let (rule, table) = ("IDENTITY_EVENTS_APPEND_ONLY", IDENTITY_EVENTS.name());
        for ((identity, sequence), event) in self.snapshot.with_prefix(IDENTITY_EVENTS, &All)? {
            let expected = next.entry(identity.clone()).or_default();
            let (wanted, key) = (*expected, (identity.clone(), sequence));
            *expected += 1;
            self.same(rule, table, &key, wanted, sequence);
            let binding = bindings.get(&identity);
            let (owner, last) = (binding.and_then(|b| b.user), binding.map(|b| b.last));
            let follows = match event.action {
                Action::Bind => {
                    owner.is_none() && event.before.is_none() && last.is_none_or(|last| last == event.user)
                }
                Action::Revoke => owner == Some(event.user) && event.before == owner,
                Action::Rebind => last.is_some() && event.before == last,
                _ => false,
            };
            self.demand(rule, table, &key, follows, "an event that follows from those before");
            let user = (event.action != Action::Revoke).then_some(event.user);
            let reason = evidence_reason(&event.salt, &event.evidence)?;
            bindings.insert(identity, BindingRecord { user, last: event.user, reason });
        }
        for (identity, binding) in self.snapshot.with_prefix(BINDINGS, &All)? {
            let is_last = bindings.remove(&identity) == Some(binding);
            self.demand(
                rule,
                BINDINGS.name(),
                &identity,
                is_last,
                "what its last event says, with its evidence",
            );
        }
        for identity in bindings.keys() {
            self.differ(rule, BINDINGS.name(), identity, "a binding", "none");
        }
        Ok(())
    }
}
