//! Checks of whatever bytes come: what must hold for every input of a parser or verifier, not only for good ones.
//!
//! The fuzz targets in `tests/fuzz` feed them, and ordinary tests feed them their seeds and all that was ever found.
//! A check stops with a panic when a rule does not hold; refusing an input is never a failure.

mod blocks;
mod bytes;
mod decisions;
mod dossiers;
mod forgeries;
mod keys;
mod leaves;
mod merkle;
mod proofs;
mod sign_in;
mod texts;
mod values;

pub use bytes::Bytes;

/// A check with its name and the valid inputs that it starts from.
#[derive(Clone, Copy)]
pub struct Target {
    /// The name, that of its corpus too.
    pub name: &'static str,
    /// What it checks of an input.
    pub check: fn(&[u8]),
    /// Inputs that reach its depth.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All targets.
pub const TARGETS: [Target; 17] = [
    Target { name: "note", check: keys::note, seeds: keys::note_seeds },
    Target { name: "keys", check: keys::keys, seeds: keys::key_seeds },
    Target { name: "json", check: leaves::json, seeds: leaves::json_seeds },
    Target { name: "leaves", check: leaves::leaves, seeds: leaves::leaf_seeds },
    Target { name: "values", check: values::values, seeds: values::value_seeds },
    Target { name: "decisions", check: decisions::decisions, seeds: decisions::seeds },
    Target { name: "texts", check: texts::texts, seeds: texts::text_seeds },
    Target { name: "key_text", check: sign_in::key_text, seeds: sign_in::key_text_seeds },
    Target { name: "wallet_text", check: sign_in::wallet_text, seeds: sign_in::wallet_text_seeds },
    Target { name: "trust", check: texts::trust, seeds: texts::trust_seeds },
    Target { name: "proof", check: proofs::proof, seeds: proofs::seeds },
    Target { name: "forgeries", check: forgeries::forgeries, seeds: forgeries::seeds },
    Target { name: "dossier", check: dossiers::dossier, seeds: dossiers::seeds },
    Target { name: "edited_dossier", check: dossiers::edited, seeds: dossiers::edit_seeds },
    Target { name: "merkle", check: merkle::merkle, seeds: merkle::seeds },
    Target { name: "rows", check: blocks::rows, seeds: blocks::row_seeds },
    Target { name: "pairs", check: blocks::pairs, seeds: blocks::pair_seeds },
];

/// The target of a name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}
