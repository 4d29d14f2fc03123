//! `meed verify`: a proof file against a trust file, without ledger and network; and `meed verifier`, which does the same
//! in a browser.

use std::fmt::Write as _;

use meed_audit::RejectionCode;
use meed_audit::allocation::Allocation;
use meed_audit::proof::{PROOF_BYTES_MAX, Proof};
use meed_audit::statement::Statement;
use meed_audit::trust::{TRUST_BYTES_MAX, Trust};
use meed_audit::verify::{CheckedLink, Evidence, VerifyError, verify, verify_absence};
use serde::Serialize;

use crate::api::problems::Problem;
use crate::cli::args::{VerifierArgs, VerifyArgs};
use crate::cli::commands::approvals::write_file;
use crate::cli::console::Console;
use crate::failure::{Failure, NEWLINE_LOST};
use crate::files;
use crate::web;
use crate::words::{amount, counted, units};

/// What verifying a proof found, as `--json` prints it.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether every link holds.
    pub verified: bool,
    /// `payout` or `absence`.
    pub kind: &'static str,
    /// Every link that was checked, in order; the last one failed where `verified` is false.
    pub links: Vec<LinkReport>,
    /// SHA-256 of the trust file, in hex: what all of this rests on.
    pub trust_fingerprint: String,
    /// The allocation leaf of a verified payout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payout: Option<Allocation>,
    /// Who is verified not to be in the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent: Option<String>,
    /// The statement that was approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<StatementReport>,
    /// What no proof can say offline.
    pub cannot_say: Vec<&'static str>,
}

/// One link of the chain.
#[derive(Debug, Serialize)]
pub struct LinkReport {
    /// Its stable name.
    pub link: &'static str,
    /// Whether it holds.
    pub ok: bool,
    /// What it says, or why it fails.
    pub says: String,
}

/// The approved statement, shortly.
#[derive(Debug, Serialize)]
pub struct StatementReport {
    /// Its origin line.
    pub origin: String,
    /// The epoch.
    pub epoch: u64,
    /// The revision.
    pub revision: u64,
    /// First moment of the period.
    pub period_start: String,
    /// First moment after it.
    pub period_end: String,
    /// The unit's symbol and decimals.
    pub unit: String,
    /// SHA-256 of the text, in hex.
    pub text_hash: String,
    /// Who approved it.
    pub approved_by: Vec<String>,
    /// The log that holds it, where, and at which size that was shown.
    pub log: String,
    /// The index in the log.
    pub log_index: u64,
    /// The size of the log.
    pub log_size: u64,
}

/// What an offline check cannot know, in words.
const CANNOT_SAY: [&str; 3] = [
    "superseded: unknown (a later revision may exist)",
    "whether the activity behind it is true: that is what the approvers judged",
    "whether the money was sent",
];
const NO_WITNESSES: &str =
    "whether others see the same log: the trust file demands no witnesses, so a node could show them another";
const ABSENCE: &str =
    "that the leaves ascend, on which absence rests: that is checked by the approvers and by auditors";

const OTHER_TRUST: &str = "a trust file is never changed by hand: fetch it again with `meed trust`, and compare its fingerprint with \
                           others";
const OTHER_PROOF: &str =
    "this is not a proof as `meed proof` wrote it: fetch it again, and do not rely on this file";
const NOT_VERIFIED: &str = "do not rely on the proof: check by its fingerprint that the trust file is the right one, and fetch the proof \
                            again; if it still fails, show both files to an approver or auditor";

/// Runs `meed verify`.
///
/// # Errors
/// Where the proof does not verify, or a file cannot be read.
pub fn run(args: &VerifyArgs, console: Console) -> Result<(), Failure> {
    let proof = files::read_bounded(&args.proof, PROOF_BYTES_MAX)?;
    let trust = files::read_text(&args.trust, TRUST_BYTES_MAX)?;
    let (report, failure) = check(&proof, &trust)?;
    if let Some(claimant) = report.absent.as_ref().filter(|claimant| claimant.starts_with("identity:")) {
        console.notice(format!(
            "notice: {claimant} is an account, and an account that is bound to somebody earns under that user's key: \
             ask whoever made the proof whether it is, and for the proof of user:<uuid> if so"
        ));
    }
    console.answer(&report, || describe(&report))?;
    failure.map_or(Ok(()), Err)
}

/// Runs `meed verifier`.
///
/// # Errors
/// `exists`, or what the system says.
pub fn verifier(args: &VerifierArgs, console: Console) -> Result<(), Failure> {
    let html = web::verifier::standalone_html();
    match &args.out {
        Some(path) => write_file(path, html.as_bytes(), console),
        None if console.is_json() => console.answer(&serde_json::json!({ "html": html }), String::new),
        None => console.bytes(html.as_bytes()),
    }
}

/// Verifies a proof file's bytes against a trust file's text: the report, and the failure where there is one.
///
/// # Errors
/// Where either is malformed, so that no link could be checked.
pub fn check(proof: &[u8], trust: &str) -> Result<(Report, Option<Failure>), Failure> {
    let trust = Trust::parse(trust).map_err(|rejection| Failure::from(rejection).with_remedy(OTHER_TRUST))?;
    let is_ended = proof.ends_with(b"\n");
    let proof = Proof::parse(proof).map_err(|rejection| {
        let is_cut = !is_ended && rejection.code == RejectionCode::NotCanonical;
        Failure::from(rejection).with_remedy(if is_cut { NEWLINE_LOST } else { OTHER_PROOF })
    })?;
    let outcome = match &proof {
        Proof::Payout(proof) => verify(proof, &trust).map(|verified| {
            let mut report = succeeded("payout", verified.evidence());
            report.payout = Some(verified.allocation().clone());
            report
        }),
        Proof::Absence(proof) => verify_absence(proof, &trust).map(|verified| {
            let mut report = succeeded("absence", verified.evidence());
            report.absent = Some(verified.claimant().to_string());
            report.cannot_say.push(ABSENCE);
            report
        }),
    };
    match outcome {
        Ok(mut report) => {
            if !trust.policy().wants_witnesses() {
                report.cannot_say.push(NO_WITNESSES);
            }
            Ok((report, None))
        }
        Err(error) => {
            let kind = if matches!(proof, Proof::Payout(_)) { "payout" } else { "absence" };
            Ok((failed(kind, &error, &trust), Some(not_verified(&error))))
        }
    }
}

fn succeeded(kind: &'static str, evidence: &Evidence) -> Report {
    Report {
        verified: true,
        kind,
        links: passed(evidence.links()),
        trust_fingerprint: evidence.trust_fingerprint().to_hex(),
        payout: None,
        absent: None,
        statement: Some(describe_statement(evidence)),
        cannot_say: CANNOT_SAY.to_vec(),
    }
}

fn describe_statement(evidence: &Evidence) -> StatementReport {
    let statement: &Statement = evidence.approved().statement();
    let approvals = evidence.approved().quorum().approvals();
    StatementReport {
        origin: statement.origin_line(),
        epoch: statement.epoch.get(),
        revision: statement.revision.get(),
        period_start: statement.period.start.to_string(),
        period_end: statement.period.end.to_string(),
        unit: statement.unit.to_string(),
        text_hash: statement.text_hash().to_hex(),
        approved_by: approvals.iter().map(|approval| approval.name().to_string()).collect(),
        log: evidence.log_origin().to_owned(),
        log_index: evidence.log_index(),
        log_size: evidence.log_size(),
    }
}

fn failed(kind: &'static str, error: &VerifyError, trust: &Trust) -> Report {
    let mut links = passed(&error.passed);
    links.push(LinkReport { link: error.link.name(), ok: false, says: error.rejection.to_string() });
    Report {
        verified: false,
        kind,
        links,
        trust_fingerprint: trust.fingerprint().to_hex(),
        payout: None,
        absent: None,
        statement: None,
        cannot_say: Vec::new(),
    }
}

fn passed(links: &[CheckedLink]) -> Vec<LinkReport> {
    links
        .iter()
        .map(|checked| LinkReport { link: checked.link.name(), ok: true, says: checked.says.clone() })
        .collect()
}

fn not_verified(error: &VerifyError) -> Failure {
    let mut problem = Problem::from(&error.rejection);
    problem.detail = error.to_string();
    Failure::from(problem).with_remedy(NOT_VERIFIED)
}

/// The report for people.
pub fn describe(report: &Report) -> String {
    let mut text = String::new();
    for link in &report.links {
        let state = if link.ok { "ok    " } else { "FAILED" };
        let _ = writeln!(text, "{state}  {:<14}  {}", link.link, link.says);
    }
    let _ = writeln!(text, "trust file      {}", report.trust_fingerprint);
    let Some(statement) = report.statement.as_ref().filter(|_| report.verified) else {
        text.push_str("not verified\n");
        return text;
    };
    let _ = writeln!(text, "statement       {}", statement.origin);
    let _ = writeln!(text, "epoch           {}, revision {}", statement.epoch, statement.revision);
    let _ = writeln!(text, "period          {} to {}", statement.period_start, statement.period_end);
    text.push_str("this cannot say, offline:\n");
    for note in &report.cannot_say {
        let _ = writeln!(text, "  - {note}");
    }
    match (&report.payout, &report.absent) {
        (Some(payout), _) => text.push_str(&describe_payout(payout, statement)),
        (None, Some(claimant)) => {
            let (epoch, revision) = (statement.epoch, statement.revision);
            let _ = writeln!(text, "claimant        {claimant}");
            let _ = writeln!(text, "verified: not in this epoch (epoch {epoch}, revision {revision})");
        }
        (None, None) => {}
    }
    text
}

fn describe_payout(payout: &Allocation, statement: &StatementReport) -> String {
    let (symbol, decimals) = statement.unit.rsplit_once(' ').unwrap_or((&statement.unit, "0"));
    let credits = amount(payout.credits.value(), decimals.parse().unwrap_or(0));
    let mut text = String::new();
    let _ = writeln!(text, "claimant        {}", payout.claimant);
    let events = counted(payout.events, "event");
    let _ = writeln!(text, "units           {} from {events}", units(payout.final_units.value()));
    if let Some(reason) = &payout.override_reason {
        let proposed = units(payout.proposed_units.value());
        let _ =
            writeln!(text, "decided         a person set these units, activity gives {proposed}: {reason}");
    }
    let _ = writeln!(text, "payout          {credits} {symbol}");
    text.push_str("verified\n");
    text
}
