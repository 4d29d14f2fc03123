//! `meed proof`, `trust`, `export`.

use meed_audit::trust::Trust;

use super::approvals::write_file;
use crate::api::documents::{EpochView, OtherKeyView, OtherKeysView};
use crate::cli::args::{ExportArgs, ExportFormat, ProofArgs, TrustArgs};
use crate::cli::session::{Session, epoch_path, revision_query, scope_path};
use crate::client::segment;
use crate::failure::Failure;
use crate::words::amount;

/// Runs `meed proof`.
///
/// # Errors
/// What the ledger refuses; `exists`.
pub fn proof(args: &ProofArgs, session: &Session) -> Result<(), Failure> {
    let rest = format!("/proofs/{}{}", segment(&args.claimant), revision_query(args.revision));
    let bytes = session.client.bytes(&epoch_path(&args.epoch, &rest))?;
    if bytes.starts_with(br#"{"approver_sets":"#) && find(&bytes, b"meed/absence-proof/v1") {
        session.console.notice("notice: the claimant is not in this epoch; this file proves that");
        point_to_other_keys(args, session);
    }
    tell_of_revisions(args, session);
    match &args.out {
        Some(path) => write_file(path, &bytes, session.console),
        None => session.console.bytes(&bytes),
    }
}

/// Says under which other keys the work is paid, which whoever asks may not know. A notice only: the file is there, and
/// a node of an earlier version has no such answer.
fn point_to_other_keys(args: &ProofArgs, session: &Session) {
    let rest = format!("/other-keys/{}{}", segment(&args.claimant), revision_query(args.revision));
    let Ok(found) = session.client.get::<OtherKeysView>(&epoch_path(&args.epoch, &rest)) else { return };
    for other in &found.keys {
        session.console.notice(format!("notice: {}", sentence(&args.claimant, other, &found)));
    }
}

fn sentence(claimant: &str, other: &OtherKeyView, found: &OtherKeysView) -> String {
    let OtherKeyView { claimant: key, relation, credits } = other;
    let paid = credits.map(|credits| format!("{} {}", amount(credits.value(), found.decimals), found.unit));
    match (relation.as_str(), paid) {
        ("account", Some(paid)) => format!(
            "{key} is or was an account of {claimant} and got {paid} under its own key: ask for --claimant {key}"
        ),
        ("user", Some(paid)) => format!(
            "by this statement {claimant} is an account of {key}, under whose key it earns, and who got {paid}: ask for \
             --claimant {key}"
        ),
        ("user", None) => {
            format!("by this statement {claimant} is an account of {key}, who got nothing either")
        }
        _ => format!(
            "{claimant} became an account of {key} after this statement was frozen, and earns under that key from then on: \
             in later epochs ask for --claimant {key}"
        ),
    }
}

/// Says where the file is not of what is in force now, or may not be for long.
fn tell_of_revisions(args: &ProofArgs, session: &Session) {
    let Ok(epoch) = session.client.get::<EpochView>(&epoch_path(&args.epoch, "")) else { return };
    let Some(last) = epoch.final_revision else { return };
    if let Some(asked) = args.revision.filter(|asked| *asked < last) {
        session.console.notice(format!(
            "notice: revision {asked} was superseded: revision {last} is in force. Without --revision the proof is of \
             that one"
        ));
    } else if epoch.amending {
        session.console.notice(format!(
            "notice: epoch {} is being amended: revision {last} is in force until the amendment is final",
            epoch.epoch
        ));
    }
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
