//! Taking proofs apart, and saying where one is refused.

use std::fmt::Write as _;

use meed_audit::Rejection;
use meed_audit::RejectionCode;
use meed_audit::hash::Hash;
use meed_audit::leaf::Leaf;
use meed_audit::proof::{AbsenceProof, PayoutProof, Proof};
use meed_audit::tlog_proof::TlogProof;
use meed_audit::trust::Trust;
use meed_audit::verify::{Link, VerifyError};
pub(crate) use meed_audit::verify::{verify, verify_absence};

/// The parts of a tlog-proof, which take any value, also one that its parser refuses.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) extra: Option<Vec<u8>>,
    pub(crate) index: u64,
    pub(crate) path: Vec<Hash>,
    pub(crate) note: String,
}

impl Parts {
    pub(crate) fn of(text: &str) -> Self {
        let proof = TlogProof::parse(text).expect("a tlog-proof");
        Self {
            extra: proof.extra().map(<[u8]>::to_vec),
            index: proof.index(),
            path: proof.path().to_vec(),
            note: proof.note().to_owned(),
        }
    }

    pub(crate) fn write(&self) -> String {
        let extra = self.extra.clone().filter(|extra| !extra.is_empty());
        let sound =
            TlogProof::new(extra, 0, Vec::new(), self.note.clone()).expect("extra and note").to_string();
        let (head, note) = sound.split_once("index 0\n\n").expect("an index line");
        let mut text = format!("{head}index {}\n", self.index);
        self.path.iter().for_each(|hash| writeln!(text, "{}", hash.to_base64()).expect("writes"));
        text + "\n" + note
    }
}

/// The tlog-proof with its parts altered.
pub(crate) fn altered(text: &str, alter: impl FnOnce(&mut Parts)) -> String {
    let mut parts = Parts::of(text);
    alter(&mut parts);
    parts.write()
}

/// The leaf with its fields altered, as bytes.
pub(crate) fn altered_leaf<T: Leaf>(bytes: &[u8], alter: impl FnOnce(&mut T)) -> Vec<u8> {
    let mut leaf = T::decode(bytes).expect("a leaf");
    alter(&mut leaf);
    leaf.encode()
}

/// Asserts where and why a payout proof is refused.
#[track_caller]
pub(crate) fn refused(proof: &PayoutProof, trust: &Trust, link: Link, code: RejectionCode) {
    same(verify(proof, trust).map(|_| ()), link, code);
}

/// Asserts where and why an absence proof is refused.
#[track_caller]
pub(crate) fn absence_refused(proof: &AbsenceProof, trust: &Trust, link: Link, code: RejectionCode) {
    same(verify_absence(proof, trust).map(|_| ()), link, code);
}

#[track_caller]
fn same(result: Result<(), VerifyError>, link: Link, code: RejectionCode) {
    let error = result.expect_err("a refusal");
    assert_eq!((error.link, error.rejection.code), (link, code), "{error}");
    assert!(error.passed.iter().all(|passed| passed.link < link), "links are checked in order: {error:?}");
}

/// Asserts why something is refused.
#[track_caller]
pub(crate) fn refused_for<T>(result: Result<T, Rejection>, code: RejectionCode) {
    match result {
        Ok(_) => panic!("expected {code:?}, got an acceptance"),
        Err(rejection) => assert_eq!(rejection.code, code, "{rejection}"),
    }
}

/// Whether a proof file is read and verified; then what it says, without what nobody vouches for.
pub(crate) fn verdict(file: &[u8], trust: &Trust) -> Option<String> {
    match Proof::parse(file).ok()? {
        Proof::Payout(proof) => {
            let verified = verify(&proof, trust).ok()?;
            let statement = verified.evidence().approved().statement();
            Some(format!("{:?} of {statement}", verified.allocation()))
        }
        Proof::Absence(proof) => {
            let verified = verify_absence(&proof, trust).ok()?;
            let statement = verified.evidence().approved().statement();
            Some(format!("{} is not in {statement}", verified.claimant()))
        }
    }
}

/// Ways in which one byte is changed: three of its bits, two printable characters, left out, doubled, another one put
/// before it, and the end cut off. Which bits and characters follows from the position, so that neighbours differ.
pub(crate) fn mutations(file: &[u8], position: usize) -> Vec<Vec<u8>> {
    const PRINTABLE: &[u8; 12] = b" 0A\n1z\"9a+=#";
    let byte = file[position];
    let flips = [0, 3, 5].map(|step| byte ^ (1 << ((position + step) % 8)));
    let printable = [0, 5].map(|step| PRINTABLE[(position + step) % PRINTABLE.len()]);
    let spliced =
        |removed: usize, inserted: &[u8]| [&file[..position], inserted, &file[position + removed..]].concat();
    let mut mutants: Vec<Vec<u8>> =
        flips.into_iter().chain(printable).map(|other| spliced(1, &[other])).collect();
    mutants.push(spliced(1, b""));
    mutants.extend([byte, printable[0]].map(|inserted| spliced(0, &[inserted])));
    mutants.push(file[..position].to_vec());
    mutants.retain(|mutant| mutant != file);
    mutants
}
