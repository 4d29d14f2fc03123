//! A statements log: its entries, its signed checkpoint, and proofs of inclusion in it.

use meed_audit::checkpoint::Checkpoint;
use meed_audit::hash::{Hash, leaf_hash};
use meed_audit::merkle::Tree;
use meed_audit::tlog_proof::TlogProof;
use meed_keys::{KeyName, KeyUse, Note, NoteText, SignatureLine, SigningKey};

/// The key of this name and use, whose seed is a hash of the name.
pub fn key(name: &str, key_use: KeyUse) -> SigningKey {
    SigningKey::from_seed(key_name(name), key_use, Hash::of(name.as_bytes()).to_bytes())
}

/// A key's name.
pub fn key_name(name: &str) -> KeyName {
    name.parse().expect("a key name")
}

/// A note's text.
pub fn note_text(text: &str) -> NoteText {
    text.parse().expect("a note's text")
}

/// A signed note of its parts.
pub fn note(text: &str, lines: Vec<SignatureLine>) -> String {
    Note::new(note_text(text), lines).expect("a note").to_string()
}

/// The text and the signature lines of a note.
pub fn split_note(text: &str) -> (String, Vec<SignatureLine>) {
    let (text, lines) = Note::parse(text).expect("a note").into_parts();
    (text.into_string(), lines)
}

/// The line of the log key under the name of an origin line.
pub fn node_line(node_key: &SigningKey, origin_line: &str, text: &str) -> SignatureLine {
    node_key.renamed(key_name(origin_line)).sign_note(&note_text(text)).expect("a log key signs notes")
}

/// A cosignature.
pub fn cosign(key: &SigningKey, text: &str, time_seconds: u64) -> SignatureLine {
    key.cosign(&note_text(text), time_seconds).expect("an approver or a witness cosigns")
}

/// A tlog-proof of its parts.
pub fn tlog_proof(extra: Option<Vec<u8>>, index: u64, path: Vec<Hash>, note: &str) -> TlogProof {
    TlogProof::new(extra, index, path, note.to_owned()).expect("a tlog-proof")
}

/// A log of signed notes with who signs its checkpoints.
#[derive(Clone, Debug)]
pub struct StatementsLog {
    /// The origin line.
    pub origin: String,
    /// The log key, whatever its name.
    pub log_key: SigningKey,
    /// The witnesses that cosign.
    pub cosigners: Vec<SigningKey>,
    /// When they do, in seconds since 1970.
    pub cosigned_at_seconds: u64,
    /// The entries.
    pub entries: Vec<Vec<u8>>,
}

impl StatementsLog {
    /// The tree over the entries.
    pub fn tree(&self) -> Tree {
        Tree::build(self.entries.iter().map(|entry| leaf_hash(entry)))
    }

    /// The text of the checkpoint over all entries.
    pub fn checkpoint_text(&self) -> String {
        let tree = self.tree();
        Checkpoint::new(self.origin.clone(), tree.size(), tree.root(), Vec::new())
            .expect("a checkpoint")
            .to_string()
    }

    /// A text signed as this log's checkpoints are: by the log, then by each witness.
    pub fn sign(&self, text: &str) -> String {
        let mut lines = vec![node_line(&self.log_key, &self.origin, text)];
        lines.extend(self.cosigners.iter().map(|key| cosign(key, text, self.cosigned_at_seconds)));
        note(text, lines)
    }

    /// The signed checkpoint over all entries.
    pub fn checkpoint(&self) -> String {
        self.sign(&self.checkpoint_text())
    }

    /// The proof that entry `index` is in the log.
    pub fn proof(&self, index: u64, extra: Option<Vec<u8>>) -> TlogProof {
        let path = self.tree().inclusion_path(index).expect("an index of the log");
        tlog_proof(extra, index, path, &self.checkpoint())
    }

    /// The index of an entry.
    pub fn index_of(&self, entry: &str) -> u64 {
        let position = self.entries.iter().position(|other| other == entry.as_bytes());
        u64::try_from(position.expect("an entry of the log")).expect("an index")
    }
}
