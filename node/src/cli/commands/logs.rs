//! `meed log …`.

use crate::cli::args::LogCommand;
use crate::cli::session::Session;
use crate::failure::Failure;

/// Runs `meed log …`.
///
/// # Errors
/// What the ledger refuses.
pub fn run(command: &LogCommand, session: &Session) -> Result<(), Failure> {
    let bytes = match command {
        LogCommand::Checkpoint { log } => {
            session.client.bytes(&format!("/logs/{}/checkpoint", log.as_str()))?
        }
        LogCommand::Entry { log, index } => {
            session.client.bytes(&format!("/logs/{}/entries/{index}", log.as_str()))?
        }
    };
    if session.console.is_json() {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        return session.console.answer(&serde_json::json!({ "text": text }), String::new);
    }
    session.console.bytes(&bytes)
}
