//! `meed statement`, `dossier`, `signature`.

use std::path::Path;

use serde::Serialize;

use super::read_input;
use super::scopes::show_approvers;
use crate::api::documents::{ApproversView, PreviewView, SignaturesView, StatementView};
use crate::cli::args::{DossierArgs, EpochArgs, SignatureCommand, StatementArgs};
use crate::cli::console::Console;
use crate::cli::session::{Session, epoch_path, revision_query, scope_path};
use crate::failure::Failure;
use crate::files::{self, Access};

/// Where a file went, for `--json`.
#[derive(Serialize)]
pub struct Written {
    /// The path.
    pub file: String,
    /// Its size, in bytes.
    pub bytes: usize,
}

/// Writes a file that a command was asked for, and answers with its path.
///
/// # Errors
/// `exists`, or what the system says.
pub fn write_file(path: &Path, bytes: &[u8], console: Console) -> Result<(), Failure> {
    files::write_new(path, bytes, Access::Umask)?;
    let written = Written { file: path.display().to_string(), bytes: bytes.len() };
    console.answer(&written, || written.file.clone())
}

/// Runs `meed statement`.
///
/// # Errors
/// What the ledger refuses.
pub fn statement(args: &StatementArgs, session: &Session) -> Result<(), Failure> {
    let client = &session.client;
    let query = revision_query(args.revision);
    if args.policy {
        let policy = client.bytes(&epoch_path(&args.epoch, &format!("/statement/policy{query}")))?;
        if session.console.is_json() {
            let policy = String::from_utf8_lossy(&policy).into_owned();
            return session.console.answer(&serde_json::json!({ "policy": policy }), String::new);
        }
        return session.console.bytes(&policy);
    }
    if args.preview {
        let path = epoch_path(&args.epoch, "/statement?preview=1");
        let view: PreviewView = session.waiting("computing", |client| client.get(&path))?;
        session.console.notice("notice: this is what a freeze would give now; nobody has signed it");
        return session.console.answer(&view, || view.text.clone());
    }
    let path = epoch_path(&args.epoch, &format!("/statement{query}"));
    if session.console.is_json() {
        return session.console.answer(&client.get::<StatementView>(&path)?, String::new);
    }
    session.console.bytes(&client.bytes(&path)?)
}

/// Runs `meed dossier`.
///
/// # Errors
/// What the ledger refuses; `exists`.
pub fn dossier(args: &DossierArgs, session: &Session) -> Result<(), Failure> {
    super::tell_of_amendment(&args.epoch, session)?;
    let path = epoch_path(&args.epoch, "/dossier");
    let bytes = session.waiting("gathering", |client| client.bytes(&path))?;
    write_file(&args.out, &bytes, session.console)
}

/// Runs `meed signature …`.
///
/// # Errors
/// What the ledger refuses.
pub fn signature(command: &SignatureCommand, session: &Session) -> Result<(), Failure> {
    match command {
        SignatureCommand::Add { scope, epoch: None, file, .. } => {
            let path = scope_path(&scope.scope, "/approvers/signatures");
            let view: ApproversView = session.client.post_bytes(&path, read_input(file)?.into_bytes())?;
            show_approvers(&view, session)
        }
        SignatureCommand::Add { scope, epoch: Some(epoch), file, .. } => {
            let epoch = EpochArgs { scope: scope.scope.clone(), epoch: *epoch };
            let path = epoch_path(&epoch, "/signatures");
            show(&session.client.post_bytes(&path, read_input(file)?.into_bytes())?, session)
        }
        SignatureCommand::List(epoch) => {
            show(&session.client.get(&epoch_path(epoch, "/signatures"))?, session)
        }
    }
}

fn show(view: &SignaturesView, session: &Session) -> Result<(), Failure> {
    session.console.answer(view, || {
        let mut text = match view.revision {
            Some(revision) => {
                format!("revision {revision}: {} of {} needed approvals\n", view.approvals, view.threshold)
            }
            None => "no draft yet\n".to_owned(),
        };
        for signature in &view.signatures {
            let state = match (signature.counts, signature.in_force) {
                (true, _) => "counts",
                (false, true) => "counts for the statement in force",
                (false, false) => "evidence only",
            };
            text.push_str(&format!("  revision {} {} ({state})\n", signature.revision, signature.name));
        }
        text
    })
}
