//! Statements: the note, the preview, the policy for stock tools, the dossier, the recomputation.

use meed_audit::statement::Statement;
use meed_audit::time::{MS_PER_DAY, Timestamp};
use meed_audit::tlog_policy::statement_policy;
use meed_keys::{Note, PublicKey};
use meed_storage::Which;

use super::{Place, Service, which};
use crate::api::documents::{PreviewView, StatementView, VerificationView};
use crate::failure::Failure;

impl Service {
    /// The statement that a request means, with its note.
    ///
    /// # Errors
    /// `draft_not_found`, `statement_not_found`.
    pub fn statement(&self, key: &str, epoch: u64, revision: Option<u64>) -> Result<StatementView, Failure> {
        let (snapshot, place) = self.place(key, epoch)?;
        let which = which(&snapshot, &place, revision)?;
        let note = snapshot.statement_note(place.scope, place.epoch, which)?;
        let parsed = Note::parse(&note).map_err(|error| Failure::internal(error.to_string()))?;
        let text = parsed.text().as_str().to_owned();
        let statement: Statement = text.parse()?;
        let last = snapshot.final_statement(place.scope, place.epoch, Which::Revision(statement.revision));
        Ok(StatementView {
            origin: statement.origin_line(),
            epoch: statement.epoch.get(),
            revision: statement.revision.get(),
            is_final: last.is_ok(),
            text_hash: statement.text_hash().to_hex(),
            text,
            note,
            pool_total: statement.pool_total,
            distributed: statement.distributed,
            undistributed: statement.undistributed,
            allocations: statement.allocations_count,
            sign_by: statement.sign_by,
        })
    }

    /// The text that a freeze would give today: its last day for signatures is counted from the beginning of the day, so
    /// that the text stays the same until something changes.
    ///
    /// # Errors
    /// What a freeze would refuse.
    pub fn preview(&self, key: &str, epoch: u64) -> Result<PreviewView, Failure> {
        let now = self.clock.now()?;
        let today = Timestamp::from_ms(now.as_ms() - now.as_ms().rem_euclid(MS_PER_DAY))?;
        let look = || {
            let (snapshot, Place { scope, epoch }) = self.place(key, epoch)?;
            let terms = snapshot.preview_terms(scope, epoch, today)?;
            Ok(((scope, epoch, terms), snapshot))
        };
        let (_, view) = self.kept.previews.get(look, |(scope, epoch, terms), snapshot| {
            let statement = snapshot.preview(*scope, *epoch, terms)?.statement;
            let text_hash = statement.text_hash().to_hex();
            Ok((PreviewView { text_hash, text: statement.to_string() }, 1))
        })?;
        Ok(PreviewView::clone(&view))
    }

    /// The C2SP tlog-policy with which a stock tool checks the statement's signatures.
    ///
    /// # Errors
    /// `draft_not_found`, `statement_not_found`.
    pub fn statement_policy(&self, key: &str, epoch: u64, revision: Option<u64>) -> Result<String, Failure> {
        let (snapshot, place) = self.place(key, epoch)?;
        let draft = snapshot.draft(place.scope, place.epoch, which(&snapshot, &place, revision)?)?;
        let sets = snapshot.approver_sets(place.scope)?;
        let set = sets.into_iter().find(|set| set.text.version == draft.approvers);
        let set = set.ok_or_else(|| Failure::internal("the draft's approver set is missing"))?;
        let log_key = PublicKey::from_bytes(&snapshot.log_key()?)
            .map_err(|error| Failure::internal(format!("the log's public key: {error}")))?;
        Ok(statement_policy(&draft.statement, &set.text, &log_key)?)
    }

    /// Computes a draft or final statement again and compares. What it is computed from never changes, so that it is done
    /// once in the life of a node; `meed fsck` does it always.
    ///
    /// # Errors
    /// `recomputation_differs`, `draft_not_found`, `statement_not_found`.
    pub fn verification(
        &self,
        key: &str,
        epoch: u64,
        revision: Option<u64>,
    ) -> Result<VerificationView, Failure> {
        let look = || {
            let (snapshot, place) = self.place(key, epoch)?;
            let which = which(&snapshot, &place, revision)?;
            let statement = snapshot.draft(place.scope, place.epoch, which)?.statement;
            let key = (place.scope, place.epoch, statement.revision);
            Ok((key, (snapshot, statement)))
        };
        let (_, view) =
            self.kept.verifications.get(look, |(scope, epoch, revision), (snapshot, stored)| {
                let computed = snapshot.verification(*scope, *epoch, Which::Revision(*revision))?.statement;
                let (stored, recomputed) = (stored.text_hash(), computed.text_hash());
                let equal = stored == recomputed;
                let (stored_hash, recomputed_hash) = (stored.to_hex(), recomputed.to_hex());
                Ok((VerificationView { equal, stored_hash, recomputed_hash }, 1))
            })?;
        Ok(VerificationView::clone(&view))
    }
}
