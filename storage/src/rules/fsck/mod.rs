//! Checking what the records of the rules mean: decisions are replayed, statements computed again, allocations, trees and
//! proofs compared with what is stored. Each difference names the rule, the record, what was expected and what is there.

mod scopes;
mod statements;

use std::fmt::Display;

use meed_audit::ids::{EpochNumber, ScopeId};

use crate::error::LedgerError;
use crate::fsck::FsckReport;
use crate::key::{All, Key};
use crate::rules::record::LedgerResult;
use crate::rules::tables::SCOPES;
use crate::snapshot::Snapshot;
use crate::table::Reader;

/// What a check is doing, for people who wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FsckStep {
    /// Records, logs and indexes.
    Engine,
    /// A scope's decisions, bindings, approver sets and epochs.
    Scope(ScopeId),
    /// An epoch's statements, computed again.
    Epoch(ScopeId, EpochNumber),
}

impl Snapshot {
    /// Checks the whole ledger: every record, both logs from their entries up, every index, and every rule. Nothing is
    /// changed, and checking goes on after each problem as far as it can.
    pub fn fsck(&self, progress: &mut dyn FnMut(FsckStep)) -> FsckReport {
        progress(FsckStep::Engine);
        let report = self.fsck_engine();
        let mut check = Check { snapshot: self, report, progress };
        check.attempt("IDENTITY_EVENTS_APPEND_ONLY", Check::identities);
        match self.with_prefix(SCOPES, &All) {
            Ok(scopes) => {
                for (scope, record) in scopes {
                    (check.progress)(FsckStep::Scope(scope));
                    check.scope(scope, &record);
                    check.statements(scope);
                }
            }
            Err(error) => check.report.note_error(error),
        }
        check.attempt("STATEMENT_BINDS_ALL", Check::allocation_places);
        check.attempt("STATEMENTS_IN_ORDER", Check::statements_log);
        check.report
    }
}

/// A check at work.
struct Check<'a> {
    snapshot: &'a Snapshot,
    report: FsckReport,
    progress: &'a mut dyn FnMut(FsckStep),
}

impl Check<'_> {
    /// Runs a part, and notes where it cannot go on.
    fn attempt(&mut self, rule: &str, part: impl FnOnce(&mut Self) -> LedgerResult<()>) {
        self.attempt_of(rule, "rules", &[], part);
    }

    /// As [`Check::attempt`], of a part that concerns one record, which is named.
    fn attempt_at(
        &mut self,
        rule: &str,
        table: &str,
        key: &impl Key,
        part: impl FnOnce(&mut Self) -> LedgerResult<()>,
    ) {
        self.attempt_of(rule, table, &key.to_bytes(), part);
    }

    fn attempt_of(
        &mut self,
        rule: &str,
        table: &str,
        key: &[u8],
        part: impl FnOnce(&mut Self) -> LedgerResult<()>,
    ) {
        match part(self) {
            Ok(()) => {}
            Err(LedgerError::Storage(error)) => self.report.note_error(error),
            Err(LedgerError::Rejected(rejection)) => {
                self.report.note(table, key, format!("{rule}: {rejection}"));
            }
        }
    }

    /// Notes a difference between what a rule demands and what is stored.
    fn differ(&mut self, rule: &str, table: &str, key: &impl Key, expected: impl Display, got: impl Display) {
        self.report.note(table, &key.to_bytes(), format!("{rule}: expected {expected}, got {got}"));
    }

    /// Notes a difference where the two are not equal.
    fn same<T: PartialEq + Display>(&mut self, rule: &str, table: &str, key: &impl Key, expected: T, got: T) {
        if expected != got {
            self.differ(rule, table, key, expected, got);
        }
    }

    /// Notes a difference where `holds` is false.
    fn demand(&mut self, rule: &str, table: &str, key: &impl Key, holds: bool, expected: &str) {
        if !holds {
            self.differ(rule, table, key, expected, "another");
        }
    }
}
