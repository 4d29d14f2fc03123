//! Drafts, signatures, final statements with their allocations, trees and proofs, and the statements log.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use meed_audit::approve::{approve, split_node_line};
use meed_audit::approvers::APPROVERS_TITLE;
use meed_audit::hash::Hash;
use meed_audit::ids::{Claimant, EpochNumber, Revision, ScopeId, SetVersion};
use meed_audit::proof::Proof;
use meed_audit::trust::Trust;
use meed_audit::verify::verify;
use meed_audit::{Rejection, RejectionCode};
use meed_keys::{Note, SigningWindow};

use super::{Check, FsckStep};
use crate::key::{All, KeyText};
use crate::log::LogKind;
use crate::meta::NodeRecord;
use crate::rules::allocations::{AllocationRows, all_allocations};
use crate::rules::approvers::set_text;
use crate::rules::drafts::stored_statement;
use crate::rules::input::Which;
use crate::rules::notes::{node_key, stored_note};
use crate::rules::record::{LedgerResult, sound};
use crate::rules::signatures::lines_of;
use crate::rules::tables::{
    ALLOCATIONS, APPROVER_SETS, CHAIN, ChainRecord, DRAFTS, DraftRecord, EPOCHS, EpochRecord, FINALS,
    FinalRecord, SIGNATURES,
};
use crate::table::Reader;

/// How many claimants of a statement are proved and verified: with the tree compared block by block, more would show
/// nothing new.
const PROOFS_MAX: usize = 64;

type Place = (ScopeId, EpochNumber, Revision);

impl Check<'_> {
    /// Every draft and final statement of a scope.
    pub(super) fn statements(&mut self, scope: ScopeId) {
        self.attempt("STATEMENTS_IN_ORDER", |check| check.chain(scope));
        let epochs = match self.snapshot.with_prefix(EPOCHS, &scope) {
            Ok(epochs) => epochs,
            Err(error) => return self.report.note_error(error),
        };
        for ((_, epoch), record) in epochs {
            (self.progress)(FsckStep::Epoch(scope, epoch));
            self.attempt("DRAFT_PINNED", |check| check.drafts(scope, epoch, &record));
            let finals = match self.snapshot.with_prefix(FINALS, &(scope, epoch)) {
                Ok(finals) => finals,
                Err(error) => return self.report.note_error(error),
            };
            let last = finals.last().map(|((_, _, revision), _)| *revision);
            self.demand(
                "EPOCH_FINALIZE_IDEMPOTENT",
                EPOCHS.name(),
                &(scope, epoch),
                last == record.final_revision,
                "the last final revision",
            );
            for ((_, _, revision), stored) in finals {
                let place = (scope, epoch, revision);
                self.attempt("STATEMENT_BINDS_ALL", |check| check.final_statement(place, &stored));
                self.attempt_at("PAYOUT_DETERMINISTIC", FINALS.name(), &place, |check| {
                    check.recompute(place)
                });
                self.attempt("STATEMENT_BINDS_ALL", |check| check.proofs(place));
            }
            if let Some(revision) = record.current_draft {
                let place = (scope, epoch, revision);
                self.attempt_at("DRAFT_PINNED", DRAFTS.name(), &place, |check| check.offered_draft(place));
            }
        }
    }

    /// Every revision has its draft, and every signature.
    fn drafts(&mut self, scope: ScopeId, epoch: EpochNumber, record: &EpochRecord) -> LedgerResult<()> {
        let drafts = self.snapshot.with_prefix(DRAFTS, &(scope, epoch))?;
        let kept: Vec<u64> = drafts.iter().map(|((_, _, revision), _)| revision.get()).collect();
        let frozen = record.next_revision.get();
        let is_whole = kept.iter().copied().eq(0..frozen);
        let key = (scope, epoch);
        self.demand("DRAFT_PINNED", DRAFTS.name(), &key, is_whole, "a draft for each revision");
        let is_known = record.current_draft.is_none_or(|current| current.get() + 1 == frozen);
        self.demand("DRAFT_PINNED", EPOCHS.name(), &key, is_known, "the last draft as the current one");
        for ((_, _, revision, name), _) in self.snapshot.with_prefix(SIGNATURES, &key)? {
            let key = (scope, epoch, revision, name);
            self.demand(
                "DRAFT_PINNED",
                SIGNATURES.name(),
                &key,
                revision.get() < frozen,
                "a signature of a draft",
            );
        }
        for ((_, _, revision), draft) in drafts {
            self.draft((scope, epoch, revision), &draft)?;
        }
        Ok(())
    }

    /// The node signed the draft, and each stored signature is valid.
    fn draft(&mut self, place: Place, draft: &DraftRecord) -> LedgerResult<()> {
        let (scope, epoch, revision) = place;
        let key = node_key(&NodeRecord::read(self.snapshot)?)?;
        let note = stored_note(DRAFTS.name(), &draft.note)?;
        let statement = stored_statement(&draft.note)?;
        let named = (statement.scope, statement.epoch, statement.revision);
        self.demand(
            "SIGNATURE_SCOPE_BOUND",
            DRAFTS.name(),
            &place,
            named == place,
            "a statement of this place",
        );
        let (_, others) = split_node_line(&note, &statement.origin_line(), &key)?;
        self.demand("DRAFT_PINNED", DRAFTS.name(), &place, others.is_empty(), "the node's line alone");
        let pinned = (draft.decisions_size, draft.approvers, draft.sign_by, draft.previous, draft.supersedes);
        let stated = (
            statement.decisions.size,
            statement.approvers.version,
            statement.sign_by,
            statement.previous,
            statement.supersedes,
        );
        self.demand(
            "DRAFT_PINNED",
            DRAFTS.name(),
            &place,
            pinned == stated,
            "the terms that the text states",
        );
        let set = set_text(self.snapshot, scope, draft.approvers)?;
        let text = statement.note_text()?;
        for line in lines_of(self.snapshot, scope, epoch, revision)? {
            let valid = set.set.check_approval(&text, &line, SigningWindow::ANY_TIME);
            self.demand(
                "ONE_TEXT_PER_ORIGIN",
                SIGNATURES.name(),
                &place,
                valid.is_ok(),
                "valid signatures of members",
            );
        }
        Ok(())
    }

    /// The entry of the log is the draft's text with the node's line and enough approvals, by key name.
    fn final_statement(&mut self, place: Place, stored: &FinalRecord) -> LedgerResult<()> {
        let (scope, epoch, revision) = place;
        let entry = self.snapshot.final_statement(scope, epoch, Which::Revision(revision))?;
        let draft = self.snapshot.draft(scope, epoch, Which::Revision(revision))?;
        self.demand(
            "DRAFT_PINNED",
            FINALS.name(),
            &place,
            entry.statement == draft.statement,
            "the frozen text",
        );
        self.same(
            "STATEMENT_BINDS_ALL",
            FINALS.name(),
            &place,
            entry.statement.text_hash(),
            stored.text_hash,
        );
        let key = node_key(&NodeRecord::read(self.snapshot)?)?;
        let note = stored_note(FINALS.name(), &entry.note)?;
        let (_, approvals) = split_node_line(&note, &entry.statement.origin_line(), &key)?;
        let approved =
            approve(&entry.statement, &set_text(self.snapshot, scope, draft.approvers)?, &approvals)?;
        self.demand(
            "APPROVERS_PER_SCOPE",
            FINALS.name(),
            &place,
            approved.signatures() == approvals,
            "approvals by key name",
        );
        let stated = entry.statement.approvers.version;
        self.same("APPROVERS_PINNED_AT_REVIEW", FINALS.name(), &place, stated, stored.approvers);
        Ok(())
    }

    /// Computing the draft that is offered gives its bytes again, as it must for every approver.
    fn offered_draft(&mut self, (scope, epoch, revision): Place) -> LedgerResult<()> {
        self.snapshot.verification(scope, epoch, Which::Revision(revision)).map(|_| ())
    }

    /// Computing the statement again gives its bytes, its allocations and every node of its tree.
    fn recompute(&mut self, place: Place) -> LedgerResult<()> {
        let (scope, epoch, revision) = place;
        let closed = self.snapshot.verification(scope, epoch, Which::Revision(revision))?;
        let expected = AllocationRows::build(&closed)?;
        let blocks = self.snapshot.with_prefix(ALLOCATIONS, &place)?;
        let blocks: Vec<_> = blocks.into_iter().map(|((_, _, _, start), block)| (start, block)).collect();
        if let Some((start, _)) = first_difference(expected.blocks(), &blocks) {
            let key = (scope, epoch, revision, start.clone());
            let is_paid_alike = all_allocations(self.snapshot, place).ok() == Some(closed.allocations);
            let (rule, wanted) = match is_paid_alike {
                true => ("STATEMENT_BINDS_ALL", "the computed nodes of the tree"),
                false => ("PAYOUT_DETERMINISTIC", "the computed allocations"),
            };
            self.differ(rule, ALLOCATIONS.name(), &key, wanted, "others or none");
        }
        Ok(())
    }

    /// Every block of allocations is one of a final statement.
    pub(super) fn allocation_places(&mut self) -> LedgerResult<()> {
        let mut places = BTreeSet::new();
        self.snapshot.for_each_with_prefix(ALLOCATIONS, &All, &mut |(scope, epoch, revision, _), _| {
            places.insert((scope, epoch, revision));
            Ok(ControlFlow::Continue(()))
        })?;
        for place in places {
            let is_final = self.snapshot.contains(FINALS, &place)?;
            self.demand("STATEMENT_BINDS_ALL", ALLOCATIONS.name(), &place, is_final, "a final statement");
        }
        Ok(())
    }

    /// Proofs made from the stored blocks hold against the scope's own trust file.
    fn proofs(&mut self, place: Place) -> LedgerResult<()> {
        let (scope, epoch, revision) = place;
        let trust = self.snapshot.trust(scope, None)?;
        let rows = all_allocations(self.snapshot, place)?;
        let step = rows.len().div_ceil(PROOFS_MAX).max(1);
        for row in rows.iter().step_by(step) {
            self.proof(place, &row.claimant, &trust)?;
        }
        if rows.is_empty() {
            let nobody: Claimant = sound("claimant", "identity:discord:1".parse())?;
            self.snapshot.proof(scope, epoch, Which::Revision(revision), &nobody, SetVersion::FIRST)?;
        }
        Ok(())
    }

    fn proof(&mut self, place: Place, claimant: &Claimant, trust: &Trust) -> LedgerResult<()> {
        let (scope, epoch, revision) = place;
        let which = Which::Revision(revision);
        let proof = self.snapshot.proof(scope, epoch, which, claimant, SetVersion::FIRST)?;
        let key = (scope, epoch, revision, KeyText::of_claimant(claimant));
        match proof {
            Proof::Payout(proof) => {
                if let Err(error) = verify(&proof, trust) {
                    self.differ("STATEMENT_BINDS_ALL", ALLOCATIONS.name(), &key, "a proof that holds", error);
                }
            }
            Proof::Absence(_) => {
                self.differ(
                    "STATEMENT_BINDS_ALL",
                    ALLOCATIONS.name(),
                    &key,
                    "a payout proof",
                    "an absence proof",
                );
            }
        }
        Ok(())
    }

    /// The final statements of a scope are one chain, in the order of the log.
    fn chain(&mut self, scope: ScopeId) -> LedgerResult<()> {
        let rule = "STATEMENTS_IN_ORDER";
        let mut previous: Option<(u64, Hash)> = None;
        let mut in_force: BTreeMap<EpochNumber, (Revision, Hash)> = BTreeMap::new();
        let mut count = 0_usize;
        for (expected, ((_, number), link)) in (0_u64..).zip(self.snapshot.with_prefix(CHAIN, &scope)?) {
            let key = (scope, number);
            count += 1;
            self.same(rule, CHAIN.name(), &key, expected, number);
            let ChainRecord { epoch, revision, text_hash } = link;
            let last = self.snapshot.final_statement(scope, epoch, Which::Revision(revision))?;
            let follows = last.statement.previous == previous.map(|(_, hash)| hash)
                && previous.is_none_or(|(index, _)| index < last.log_index)
                && last.text_hash == text_hash;
            self.demand(rule, CHAIN.name(), &key, follows, "the statement before as Previous");
            let superseded = in_force.insert(epoch, (revision, text_hash));
            let supersedes = last.statement.supersedes == superseded.map(|(_, hash)| hash)
                && superseded.is_none_or(|(earlier, _)| earlier < revision);
            let rule = "CURATION_FREEZE_ON_FINALIZE";
            self.demand(rule, CHAIN.name(), &key, supersedes, "the corrected statement as Supersedes");
            previous = Some((last.log_index, text_hash));
        }
        let finals = self.snapshot.with_prefix(FINALS, &scope)?.len();
        self.same(rule, FINALS.name(), &scope, finals, count);
        Ok(())
    }

    /// Every entry of the statements log is an approver set or a final statement of a scope, and no origin line stands
    /// for two texts.
    pub(super) fn statements_log(&mut self) -> LedgerResult<()> {
        let sets =
            self.snapshot.with_prefix(APPROVER_SETS, &All)?.into_iter().map(|(_, record)| record.log_index);
        let finals = self.snapshot.with_prefix(FINALS, &All)?.into_iter().map(|(_, record)| record.log_index);
        let known: BTreeSet<u64> = sets.chain(finals).collect();
        let size = self.snapshot.log_size(LogKind::Statements)?;
        let mut origins = BTreeSet::new();
        for index in 0..size {
            let entry = self.snapshot.log_entry(LogKind::Statements, index)?;
            let table = "statement_entries";
            self.demand(
                "STATEMENTS_IN_ORDER",
                table,
                &index,
                known.contains(&index),
                "an approver set or a final statement",
            );
            let note = Note::parse(&entry).map_err(|error| {
                Rejection::new(
                    RejectionCode::Malformed,
                    format!("statement entry {index}"),
                    "a signed note",
                    error,
                )
            })?;
            let mut lines = note.text().as_str().lines();
            let origin = lines.next().unwrap_or_default().to_owned();
            // Approver sets have one origin and many sizes.
            let size = if note.text().as_str().contains(APPROVERS_TITLE) { lines.next() } else { None };
            let is_new = origins.insert((origin, size.map(str::to_owned)));
            self.demand("ONE_TEXT_PER_ORIGIN", table, &index, is_new, "an origin without another text");
        }
        let beyond = known.range(size..).next();
        if let Some(index) = beyond {
            self.differ(
                "STATEMENTS_IN_ORDER",
                "statement_entries",
                index,
                format!("an index below {size}"),
                index,
            );
        }
        Ok(())
    }
}

/// The first element of either list that the other does not have at its place.
fn first_difference<'a, T: PartialEq>(expected: &'a [T], got: &'a [T]) -> Option<&'a T> {
    let place = expected.iter().zip(got).position(|(a, b)| a != b);
    match place {
        Some(place) => expected.get(place),
        None => expected.get(got.len()).or_else(|| got.get(expected.len())),
    }
}
