//! Proof files: what a contributor holds. Everything in them is verbatim text, and nothing in them is trusted.

use memchr::memmem;
use serde::{Deserialize, Serialize};

use crate::base64::{encoded_len, push_base64};
use crate::hash::{HASH_BYTES, Hash};
use crate::ids::Claimant;
use crate::json::refuse_json;
use crate::leaf::version_tag;
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::tlog_proof::{TlogProof, TlogProofError, check_place};

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

/// The bytes that the payout proofs of one statement share: all but the leaf, its index and its path. Of a statement
/// with many claimants a proof is put together from it in no more time than it takes to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayoutFrame {
    before: Vec<u8>,
    after: Vec<u8>,
}

impl PayoutFrame {
    /// What stands in a frame's place of a leaf: `x` in base64, and the index 0.
    const PLACE: &'static [u8] = br"eA==\nindex 0\n";
    /// What comes before it, where no text can have it: a quote inside of one is escaped.
    const BEFORE: &'static [u8] = br#""payout":"c2sp.org/tlog-proof@v1\nextra "#;

    /// The frame of the proofs with these approver sets, place in the log and signed statement.
    ///
    /// # Errors
    /// What is wrong with the note, as [`TlogProof::new`] says.
    pub fn new(approver_sets: &[String], log: &str, note: &str) -> Result<Self, TlogProofError> {
        let payout = TlogProof::new(Some(b"x".to_vec()), 0, Vec::new(), note.to_owned())?.to_text();
        let (approver_sets, log) = (approver_sets.to_vec(), log.to_owned());
        let proof = Proof::Payout(PayoutProof { approver_sets, format: PayoutProofV1, log, payout });
        let file = proof.to_file();
        let place = memmem::find(&file, Self::BEFORE);
        let parts = place.and_then(|place| {
            let (before, rest) = file.split_at_checked(place.checked_add(Self::BEFORE.len())?)?;
            Some((before, rest.strip_prefix(Self::PLACE)?))
        });
        let (before, after) = parts.ok_or(TlogProofError::NoCheckpoint)?;
        Ok(Self { before: before.to_vec(), after: after.to_vec() })
    }

    /// What is different for every other frame: the hash of all that its proofs share.
    pub fn digest(&self) -> Hash {
        Hash::of_parts([&self.before, &self.after])
    }

    /// The bytes of the proof file of a leaf, the same that [`Proof::to_file`] gives.
    ///
    /// # Errors
    /// A leaf, an index or a path that no tlog-proof has.
    pub fn file(&self, leaf: &[u8], index: u64, path: &[Hash]) -> Result<Vec<u8>, TlogProofError> {
        check_place(leaf, index, path)?;
        let line_bytes = encoded_len(HASH_BYTES).saturating_add(2);
        let own =
            encoded_len(leaf.len()).saturating_add(path.len().saturating_mul(line_bytes)).saturating_add(32);
        let mut file =
            Vec::with_capacity(self.before.len().saturating_add(self.after.len()).saturating_add(own));
        file.extend_from_slice(&self.before);
        push_base64(leaf, &mut file);
        file.extend_from_slice(format!("\\nindex {index}\\n").as_bytes());
        for hash in path {
            push_base64(hash.as_bytes(), &mut file);
            file.extend_from_slice(b"\\n");
        }
        file.extend_from_slice(&self.after);
        Ok(file)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What no text that was escaped rightly can end early: quotes, backslashes and lines of another frame.
    const NOTE: &str = "ledger.example.org/default/epoch/1/0\n\"payout\":\"c2sp.org/tlog-proof@v1\nextra eA==\nindex 0\n\\n\n";

    #[test]
    fn a_frame_gives_the_bytes_of_the_whole_proof() {
        let sets = ["c2sp.org/tlog-proof@v1\nextra eA==\nindex 0\n\nnote\n".to_owned()];
        for approver_sets in [&[] as &[String], &sets] {
            let frame = PayoutFrame::new(approver_sets, NOTE, NOTE).expect("a frame");
            for count in [0, 1, 20, 63] {
                let path: Vec<Hash> = (0..count).map(|number: u8| Hash::of(&[number])).collect();
                for (leaf, index) in [(&b"{}"[..], 0), (b"\x00\xff", 7), (&[9; 300], 1_000_000)] {
                    let payout = TlogProof::new(Some(leaf.to_vec()), index, path.clone(), NOTE.to_owned());
                    let proof = Proof::Payout(PayoutProof {
                        approver_sets: approver_sets.to_vec(),
                        format: PayoutProofV1,
                        log: NOTE.to_owned(),
                        payout: payout.expect("a tlog-proof").to_text(),
                    });
                    assert_eq!(frame.file(leaf, index, &path).expect("a file"), proof.to_file());
                }
            }
        }
    }

    #[test]
    fn a_frame_refuses_what_no_proof_may_hold() {
        let frame = PayoutFrame::new(&[], "log\n", "note\n").expect("a frame");
        let hash = Hash::of(b"x");
        assert!(frame.file(b"", 0, &[]).is_err() && frame.file(&[0; 70_000], 0, &[]).is_err());
        assert!(frame.file(b"x", u64::MAX, &[]).is_err() && frame.file(b"x", 0, &[hash; 64]).is_err());
        assert!(PayoutFrame::new(&[], "log\n", "no end of line").is_err());
    }
}
