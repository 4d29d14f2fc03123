//! What the tests of tampering lean on, with each verdict asked of both implementations: the same link fails for the
//! same reason.

use meed_audit::RejectionCode;
use meed_audit::proof::{AbsenceProof, PayoutProof, Proof};
use meed_audit::trust::Trust;
use meed_audit::verify::{self, Evidence, Link, VerifiedAbsence, VerifiedPayout, VerifyError};

use crate::node;

#[allow(dead_code, reason = "its verdicts by the Rust alone are replaced here")]
#[path = "../tamper/support.rs"]
mod tamper;

pub(crate) use tamper::{Parts, altered, altered_leaf, mutations};

/// What the Rust says of a proof file, in the words of `tests/javascript/answer.mjs`.
pub(crate) fn rust_verdict(file: &[u8], trust: &Trust) -> String {
    let found = match Proof::parse(file) {
        // The file's own form is part of the first link.
        Err(rejection) => return format!("{} {}", Link::Format, rejection.code.name()),
        Ok(Proof::Payout(proof)) => verify::verify(&proof, trust).map(|verified| {
            let leaf = verified.allocation();
            let reason = leaf.override_reason.as_ref().map(|reason| format!("{reason} ")).unwrap_or_default();
            let found = format!(
                "{} {} {} {} {} {reason}{} {} {} meed/allocation/v1",
                leaf.claimant,
                leaf.credits,
                leaf.epoch,
                leaf.events,
                leaf.final_units,
                leaf.proposed_units,
                leaf.revision,
                leaf.scope
            );
            describe("payout", verified.evidence(), &found)
        }),
        Ok(Proof::Absence(proof)) => verify::verify_absence(&proof, trust)
            .map(|verified| describe("absence", verified.evidence(), &verified.claimant().to_string())),
    };
    found.unwrap_or_else(|error| format!("{} {}", error.link, error.rejection.code.name()))
}

fn describe(kind: &str, evidence: &Evidence, found: &str) -> String {
    let approved = evidence.approved();
    let names: Vec<&str> =
        approved.quorum().approvals().iter().map(|approval| approval.name().as_str()).collect();
    format!(
        "verified {kind} {} {} {} {} {} {found}",
        approved.statement().text_hash().to_hex(),
        evidence.log_origin(),
        evidence.log_index(),
        evidence.log_size(),
        names.join(",")
    )
}

/// Reasons below this number say how a text is not in its form: which of them is named first is free (24.1).
const FIRST_REASON_BEYOND_FORM: u16 = 30;

/// A verdict in which all reasons about the form of a text are one.
fn without_form(verdict: &str) -> String {
    let is_form = |name: &str| {
        let code = RejectionCode::ALL.iter().find(|code| code.name() == name);
        code.expect("a reason of the closed table").number() < FIRST_REASON_BEYOND_FORM
    };
    match verdict.split_once(' ') {
        Some((link, reason)) if link != "verified" && is_form(reason) => format!("{link} form"),
        _ => verdict.to_owned(),
    }
}

/// Asserts that both implementations say the same of a proof file, and gives it in the words of the Rust.
#[track_caller]
pub(crate) fn agreed(file: &[u8], trust: &Trust) -> String {
    let by_rust = rust_verdict(file, trust);
    let text = trust.to_toml().expect("TOML");
    if let Some(by_javascript) = node::proof(file, &text) {
        let (left, right) = (without_form(&by_javascript), without_form(&by_rust));
        assert_eq!(left, right, "JavaScript on the left, Rust on the right");
    }
    by_rust
}

/// Asserts where and why both refuse a payout proof.
#[track_caller]
pub(crate) fn refused(proof: &PayoutProof, trust: &Trust, link: Link, code: RejectionCode) {
    let verdict = agreed(&Proof::Payout(proof.clone()).to_file(), trust);
    assert_eq!(verdict, format!("{link} {}", code.name()));
}

/// Asserts where and why both refuse an absence proof.
#[track_caller]
pub(crate) fn absence_refused(proof: &AbsenceProof, trust: &Trust, link: Link, code: RejectionCode) {
    let verdict = agreed(&Proof::Absence(proof.clone()).to_file(), trust);
    assert_eq!(verdict, format!("{link} {}", code.name()));
}

/// As `meed_audit::verify::verify`, after both implementations have said the same.
#[track_caller]
pub(crate) fn verify(proof: &PayoutProof, trust: &Trust) -> Result<VerifiedPayout, VerifyError> {
    agreed(&Proof::Payout(proof.clone()).to_file(), trust);
    verify::verify(proof, trust)
}

/// As `meed_audit::verify::verify_absence`, after both implementations have said the same.
#[track_caller]
pub(crate) fn verify_absence(proof: &AbsenceProof, trust: &Trust) -> Result<VerifiedAbsence, VerifyError> {
    agreed(&Proof::Absence(proof.clone()).to_file(), trust);
    verify::verify_absence(proof, trust)
}
