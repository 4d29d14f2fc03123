//! The node itself and its logs; looking after its ledger.

use meed_audit::approve::node_verifier;
use meed_keys::PublicKey;
use meed_storage::{LogKind, Snapshot};

use super::Service;
use crate::api::documents::{CheckpointView, NodeView};
use crate::failure::{Failure, reject};
use meed_audit::RejectionCode;

impl Service {
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

    /// The bytes of a log's entry.
    ///
    /// # Errors
    /// `record_not_found`, `beyond_log`.
    pub fn log_entry(&self, log: &str, index: u64) -> Result<Vec<u8>, Failure> {
        Ok(self.snapshot()?.log_entry(log_kind(log)?, index)?)
    }
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
