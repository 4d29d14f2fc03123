//! `meed proof`, `trust`, `export`.

use meed_audit::trust::Trust;

use super::all_if_allowed;
use super::approvals::write_file;
use crate::api::documents::IdentityView;
use crate::cli::args::{ExportArgs, ExportFormat, ProofArgs, TrustArgs};
use crate::cli::session::{Session, epoch_path, revision_query, scope_path};
use crate::client::segment;
use crate::failure::Failure;

/// Runs `meed proof`.
///
/// # Errors
/// What the ledger refuses; `exists`.
pub fn proof(args: &ProofArgs, session: &Session) -> Result<(), Failure> {
    let rest = format!("/proofs/{}{}", segment(&args.claimant), revision_query(args.revision));
    let bytes = session.client.bytes(&epoch_path(&args.epoch, &rest))?;
    if bytes.starts_with(br#"{"approver_sets":"#) && find(&bytes, b"meed/absence-proof/v1") {
        session.console.notice("notice: the claimant is not in this epoch; this file proves that");
        point_to_user(&args.claimant, session)?;
    }
    match &args.out {
        Some(path) => write_file(path, &bytes, session.console),
        None => session.console.bytes(&bytes),
    }
}

/// An account that is somebody's earns under the user's key, which whoever asks may not know, and which not everybody may
/// ask for.
fn point_to_user(claimant: &str, session: &Session) -> Result<(), Failure> {
    let Some(identities) = all_if_allowed::<IdentityView>("/identities", session)? else {
        if claimant.starts_with("identity:") {
            session.console.notice(
                "notice: an account that is somebody's earns under its user's key: ask for --claimant user:<uuid>; whoever \
                 bound the account knows it, and the node tells operators and curators with their token",
            );
        }
        return Ok(());
    };
    let bound = identities.iter().find(|identity| identity.identity == claimant);
    if let Some(user) = bound.and_then(|identity| identity.user) {
        session.console.notice(format!(
            "notice: {claimant} is an account of user:{user}, under whose key it earns: ask for --claimant user:{user}"
        ));
    }
    Ok(())
}

fn find(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// Runs `meed trust`.
///
/// # Errors
/// What the ledger refuses; `exists`.
pub fn trust(args: &TrustArgs, session: &Session) -> Result<(), Failure> {
    let bytes = session.client.bytes(&scope_path(&args.scope.scope, "/trust"))?;
    let text = String::from_utf8_lossy(&bytes);
    let fingerprint = Trust::parse(&text)?.fingerprint();
    session.console.notice(format!(
        "notice: fingerprint {fingerprint}: compare it with others before you rely on the file"
    ));
    match &args.out {
        Some(path) => write_file(path, &bytes, session.console),
        None if session.console.is_json() => {
            let value = serde_json::json!({ "trust": text, "fingerprint": fingerprint });
            session.console.answer(&value, String::new)
        }
        None => session.console.bytes(&bytes),
    }
}

/// Runs `meed export`.
///
/// # Errors
/// What the ledger refuses.
pub fn export(args: &ExportArgs, session: &Session) -> Result<(), Failure> {
    let format = match args.format {
        ExportFormat::Csv => "csv",
        ExportFormat::Json => "json",
    };
    let revision = args.revision.map(|revision| format!("&revision={revision}")).unwrap_or_default();
    let path = epoch_path(&args.epoch, &format!("/export?format={format}{revision}"));
    let bytes = session.client.bytes(&path)?;
    if session.console.is_json() && args.format == ExportFormat::Csv {
        let csv = String::from_utf8_lossy(&bytes);
        return session.console.answer(&serde_json::json!({ "csv": csv }), String::new);
    }
    session.console.bytes(&bytes)
}
