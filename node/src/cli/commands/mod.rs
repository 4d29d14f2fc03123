//! One file for each group of commands: what it sends to the router, and how it shows the answer.

pub mod activity;
pub mod approvals;
pub mod care;
pub mod decisions;
pub mod epochs;
pub mod help;
pub mod import;
pub mod init;
pub mod logs;
pub mod people;
pub mod proofs;
pub mod restore;
pub mod runs;
pub mod scopes;
pub mod tokens;
pub mod whoami;

use std::path::Path;

use meed_audit::json::refuse_json;
use meed_audit::{Rejection, RejectionCode};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::api::documents::EpochView;
use crate::cli::args::EpochArgs;
use crate::cli::session::{Session, epoch_path};
use crate::failure::Failure;
use crate::files;
use crate::words::counted;

/// Longest text file that a command hands on, in bytes.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// A whole list that not everybody may see; none for whoever asks a node elsewhere without a token, or with one that may
/// not. A token that the node does not know, or no longer, is said to be so.
fn all_if_allowed<T: DeserializeOwned>(path: &str, session: &Session) -> Result<Option<Vec<T>>, Failure> {
    match session.client.all(path) {
        Ok(items) => Ok(Some(items)),
        Err(failure) if failure.problem.code == RejectionCode::RoleForbids.name() => Ok(None),
        Err(failure)
            if failure.problem.code == RejectionCode::TokenInvalid.name() && !session.client.has_token() =>
        {
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

/// The text of a file, or of standard input for `-`.
fn read_input(path: &Path) -> Result<String, Failure> {
    files::read_text_or_input(path, TEXT_BYTES_MAX)
}

/// Says so where an amendment of the epoch has no draft yet: what there is to sign and to finalize is the old text.
fn tell_of_amendment(epoch: &EpochArgs, session: &Session) -> Result<(), Failure> {
    let state: EpochView = session.client.get(&epoch_path(epoch, ""))?;
    if state.amending && state.current_draft.is_none() {
        session.console.notice(
            "notice: this is the final statement as it was: the amendment has no draft yet, and \
             `meed epoch freeze` makes it",
        );
    }
    Ok(())
}

/// Says so where the draft that is offered lacks decisions that were made after it: it is signed and becomes final
/// without them.
fn tell_of_draft(epoch: &EpochArgs, session: &Session) -> Result<(), Failure> {
    let state: EpochView = session.client.get(&epoch_path(epoch, ""))?;
    if let Some(revision) = state.current_draft
        && state.later_decisions > 0
    {
        let later = counted(state.later_decisions, "decision");
        session.console.notice(format!(
            "notice: revision {revision}, which is offered for signing, does not hold {later} made after it: \
             `meed epoch freeze` makes the next"
        ));
    }
    Ok(())
}

/// JSON that a person wrote, kept as it is: the ledger's own reader judges its numbers and repeated fields.
fn raw_json(what: &str, text: &str) -> Result<Box<RawValue>, Failure> {
    serde_json::from_str(text).map_err(|error| {
        let Rejection { subject, expected, got, .. } = refuse_json(what, "JSON", &error, text.as_bytes());
        Failure::usage(
            format!("{subject}: expected {expected}, got {got}"),
            "correct the JSON at the place that is named",
        )
    })
}

/// The JSON of a file.
fn raw_json_file(path: &Path) -> Result<Box<RawValue>, Failure> {
    raw_json(&path.display().to_string(), &files::read_text(path, TEXT_BYTES_MAX)?)
}
