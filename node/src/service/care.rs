//! The node itself and its logs; looking after its ledger.

use meed_audit::RejectionCode;
use meed_audit::approve::node_verifier;
use meed_audit::text::FreeText;
use meed_keys::PublicKey;
use meed_storage::{Erased, LogKind, Phase, Run, RunState, Snapshot, WriterCounts};

use super::Service;
use crate::api::documents::{
    BackupRequest, BackupView, CheckpointView, CompactView, EraseRequest, ErasedView, FsckProblem, FsckView,
    NodeView, ResumeRequest,
};
use crate::failure::{Failure, reject};

/// How much a ledger holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Scopes.
    pub scopes: u64,
    /// Epochs that take events.
    pub epochs_open: u64,
    /// Epochs that are reviewed.
    pub epochs_in_review: u64,
    /// Epochs that are final.
    pub epochs_final: u64,
    /// Entries of the events log.
    pub events: u64,
    /// Entries of the statements log.
    pub statements: u64,
    /// Size of the file, in bytes.
    pub ledger_bytes: u64,
    /// Attempts of runs, since the ledger was made.
    pub runs: u64,
    /// Those that have not ended.
    pub runs_at_work: u64,
    /// Those of the newest 100 that failed.
    pub runs_failed: u64,
}

/// How far back failed runs are counted: what failed long ago and was never tried again is no alarm for ever.
const RUNS_LOOKED_AT: usize = 100;

fn count(runs: &[Run], counts: impl Fn(&&Run) -> bool) -> u64 {
    u64::try_from(runs.iter().filter(counts).count()).unwrap_or(u64::MAX)
}

impl Service {
    /// How much the ledger holds.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn counts(&self) -> Result<Counts, Failure> {
        let snapshot = self.snapshot()?;
        let mut counts = Counts {
            events: snapshot.log_size(LogKind::Events)?,
            statements: snapshot.log_size(LogKind::Statements)?,
            ledger_bytes: std::fs::metadata(&self.ledger_path).map_or(0, |file| file.len()),
            ..Counts::default()
        };
        for scope in snapshot.scopes()? {
            counts.scopes = counts.scopes.saturating_add(1);
            for epoch in snapshot.epochs(scope.id)? {
                let count = match epoch.phase {
                    Phase::Open => &mut counts.epochs_open,
                    Phase::Review => &mut counts.epochs_in_review,
                    Phase::Finalized => &mut counts.epochs_final,
                };
                *count = count.saturating_add(1);
            }
        }
        let newest = snapshot.runs(None, None, RUNS_LOOKED_AT)?;
        counts.runs = newest.first().map_or(0, |run| run.sequence.saturating_add(1));
        counts.runs_at_work = count(&snapshot.runs_at_work()?, |_| true);
        counts.runs_failed = count(&newest, |run| matches!(run.state, RunState::Failed(_)));
        Ok(counts)
    }

    /// What the writer has done since the ledger was opened.
    pub fn writer_counts(&self) -> WriterCounts {
        self.ledger.writer_counts()
    }

    /// Whether the writer takes commands, and the ledger can be read.
    ///
    /// # Errors
    /// Why not.
    pub fn check_ready(&self) -> Result<(), Failure> {
        self.ledger.check_writer()?;
        self.node().map(|_| ())
    }

    /// The node and its logs.
    ///
    /// # Errors
    /// A failure of reading.
    pub fn node(&self) -> Result<NodeView, Failure> {
        let snapshot = self.snapshot()?;
        let logs = LogKind::ALL.into_iter().map(|log| log_view(&snapshot, log)).collect::<Result<_, _>>()?;
        Ok(NodeView {
            node_id: snapshot.node_id()?,
            origin: snapshot.origin()?,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            created_at: snapshot.created_at()?,
            restored: snapshot.is_restored()?,
            listens_at: None,
            logs,
        })
    }

    /// The signed checkpoint of a log.
    ///
    /// # Errors
    /// `record_not_found` for another log, or where nothing was signed yet.
    pub fn checkpoint(&self, log: &str) -> Result<String, Failure> {
        Ok(self.snapshot()?.checkpoint(log_kind(log)?)?)
    }

    /// Checks every record, root, rule and proof of the ledger, and then the pages of its file.
    ///
    /// # Errors
    /// Where the check itself cannot be made; what it finds is its answer.
    pub fn fsck(&self) -> Result<FsckView, Failure> {
        let report = self.snapshot()?.fsck(&mut |_| {});
        let mut problem_count = report.problem_count;
        let view = |problem: meed_storage::Problem| FsckProblem {
            table: problem.table,
            key: problem.key,
            detail: problem.detail,
        };
        let mut problems: Vec<FsckProblem> = report.problems.into_iter().map(view).collect();
        if !self.ledger.check_pages()? {
            problem_count = problem_count.saturating_add(1);
            let detail = "expected every page to be allocated soundly, got others, which were repaired";
            problems.push(FsckProblem {
                table: "file".to_owned(),
                key: String::new(),
                detail: detail.to_owned(),
            });
        }
        Ok(FsckView {
            sound: problem_count == 0,
            records: report.records,
            events: report.events,
            statements: report.statements,
            problem_count,
            problems,
        })
    }

    /// Copies the ledger to a new file.
    ///
    /// # Errors
    /// `exists`, or a failure of reading or writing.
    pub fn backup(&self, request: &BackupRequest) -> Result<BackupView, Failure> {
        let report = self.ledger.backup(&request.path, &mut |_| {})?;
        let bytes = size_of(std::path::Path::new(&request.path))?;
        Ok(BackupView {
            path: request.path.clone(),
            bytes,
            records: report.records,
            events: report.events,
            statements: report.statements,
        })
    }

    /// Takes a restored ledger into use.
    ///
    /// # Errors
    /// `nothing_to_change`, `ledger_behind`.
    pub fn resume(&self, request: &ResumeRequest) -> Result<NodeView, Failure> {
        self.ledger.resume(request.events, request.statements)?;
        self.node()
    }

    /// Gives unused pages of the file back.
    ///
    /// # Errors
    /// Where somebody reads, or a failure of reading or writing.
    pub fn compact(&self) -> Result<CompactView, Failure> {
        let bytes_before = size_of(&self.ledger_path)?;
        // One round can make pages free for the next.
        while self.ledger.compact()? {}
        Ok(CompactView { bytes_before, bytes_after: size_of(&self.ledger_path)? })
    }

    /// Erases the metadata of an event.
    ///
    /// # Errors
    /// `event_not_found`, and refusals of the request's fields.
    pub fn erase(&self, request: &EraseRequest, actor: &FreeText) -> Result<ErasedView, Failure> {
        let reason = FreeText::parse("reason", &request.reason)?;
        let erased = self.ledger.erase_metadata(request.event.parse()?, reason, self.by(actor)?)?;
        Ok(ErasedView { event: request.event.clone(), erased_now: erased == Erased::Now })
    }

    /// The bytes of a log's entry.
    ///
    /// # Errors
    /// `record_not_found`, `beyond_log`.
    pub fn log_entry(&self, log: &str, index: u64) -> Result<Vec<u8>, Failure> {
        Ok(self.snapshot()?.log_entry(log_kind(log)?, index)?)
    }
}

fn size_of(path: &std::path::Path) -> Result<u64, Failure> {
    std::fs::metadata(path).map(|file| file.len()).map_err(|error| Failure::unreadable(path, &error))
}

fn log_kind(name: &str) -> Result<LogKind, Failure> {
    LogKind::ALL
        .into_iter()
        .find(|log| log.name() == name)
        .ok_or_else(|| reject(RejectionCode::RecordNotFound, "log", "events or statements", name))
}

fn log_view(snapshot: &Snapshot, log: LogKind) -> Result<CheckpointView, Failure> {
    let origin = snapshot.log_origin(log)?;
    let state = snapshot.log_state(log)?;
    let key = PublicKey::from_bytes(&snapshot.log_key()?)
        .map_err(|error| Failure::internal(format!("the log's public key: {error}")))?;
    let vkey = node_verifier(&origin, &key)?.to_string();
    let root = state.root.to_base64();
    Ok(CheckpointView { log: log.name().to_owned(), origin, vkey, size: state.size, root })
}
