//! Proof files: what a contributor holds. Everything in them is verbatim text, and nothing in them is trusted.

use serde::{Deserialize, Serialize};

use crate::ids::Claimant;
use crate::json::refuse_json;
use crate::leaf::version_tag;
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::tlog_proof::TlogProof;

/// Longest proof file, in bytes.
pub const PROOF_BYTES_MAX: usize = 4_194_304;
/// Most approver sets in one proof.
pub const APPROVER_SETS_MAX: usize = 256;

/// A payout proof, `*.payout.json`: canonical JSON and a newline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayoutProof {
    /// tlog-proofs of the approver sets after the one that a trust file pins, each with the signed note as extra.
    pub approver_sets: Vec<String>,
    /// `meed/payout-proof/v1`.
    pub format: PayoutProofV1,
    /// tlog-proof of the signed statement in the statements log, without extra.
    pub log: String,
    /// tlog-proof of the allocation leaf (its extra) under the signed statement: by itself a `.tlog-proof` file.
    pub payout: String,
}

version_tag! {
    /// The format of payout proofs.
    PayoutProofV1, PayoutProof, "meed/payout-proof/v1"
}

/// An absence proof: the neighbours between which the claimant would stand. Canonical JSON and a newline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AbsenceProof {
    /// As in a payout proof.
    pub approver_sets: Vec<String>,
    /// Who is not in the epoch.
    pub claimant: Claimant,
    /// `meed/absence-proof/v1`.
    pub format: AbsenceProofV1,
    /// tlog-proof of the leaf before: the next smaller claimant, or leaf 0 when nobody is in the epoch.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub left: Option<String>,
    /// As in a payout proof.
    pub log: String,
    /// tlog-proof of the leaf after: the next larger claimant.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub right: Option<String>,
}

version_tag! {
    /// The format of absence proofs.
    AbsenceProofV1, AbsenceProof, "meed/absence-proof/v1"
}

/// Either kind of proof file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Says what was paid.
    Payout(PayoutProof),
    /// Says that a claimant is not in the epoch.
    Absence(AbsenceProof),
}

impl Proof {
    /// Reads a proof file: the exact bytes that [`Proof::to_file`] writes.
    ///
    /// # Errors
    /// `input_too_large`, `not_utf8`, `malformed`, `not_canonical`.
    pub fn parse(bytes: &[u8]) -> Checked<Self> {
        if bytes.len() > PROOF_BYTES_MAX {
            let expected = format!("at most {PROOF_BYTES_MAX} bytes");
            let got = format!("{} bytes", bytes.len());
            return Err(Rejection::new(RejectionCode::InputTooLarge, "proof", expected, got));
        }
        let body = bytes.strip_suffix(b"\n").ok_or_else(|| {
            Rejection::new(
                RejectionCode::NotCanonical,
                "proof",
                "a newline at the end of the file",
                "none: an editor or a copy took it away, or the file is not whole",
            )
        })?;
        match read_format(body)?.as_str() {
            "meed/payout-proof/v1" => decode(body).map(Self::Payout),
            "meed/absence-proof/v1" => decode(body).map(Self::Absence),
            other => {
                let expected = "meed/payout-proof/v1 or meed/absence-proof/v1";
                Err(Rejection::new(RejectionCode::Mismatch, "proof format", expected, other))
            }
        }
    }

    /// The bytes of the file.
    pub fn to_file(&self) -> Vec<u8> {
        use crate::leaf::Leaf;
        let mut bytes = match self {
            Self::Payout(proof) => proof.encode(),
            Self::Absence(proof) => proof.encode(),
        };
        bytes.push(b'\n');
        bytes
    }
}

#[derive(Deserialize)]
struct FormatOnly {
    format: String,
}

fn read_format(body: &[u8]) -> Checked<String> {
    std::str::from_utf8(body)
        .map_err(|error| Rejection::new(RejectionCode::NotUtf8, "proof", "UTF-8", error))
        .and_then(|text| {
            serde_json::from_str::<FormatOnly>(text).map_err(|error| Rejection {
                code: RejectionCode::Malformed,
                ..refuse_json("proof", "a JSON object with the field format", &error, body)
            })
        })
        .map(|head| head.format)
}

fn decode<T: crate::leaf::Leaf>(body: &[u8]) -> Checked<T> {
    T::decode(body).map_err(|rejection| rejection.within("proof"))
}

/// Parses one of a proof's tlog-proofs, naming it in a refusal.
///
/// # Errors
/// `malformed`.
pub(crate) fn parse_tlog_proof(what: &str, text: &str) -> Checked<TlogProof> {
    TlogProof::parse(text)
        .map_err(|error| Rejection::new(RejectionCode::Malformed, what, "a C2SP tlog-proof", error))
}
