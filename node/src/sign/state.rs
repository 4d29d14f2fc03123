//! What a key has signed and seen, kept beside the key file as `<key file>.signed.json`.
//!
//! It is what makes ONE_TEXT_PER_ORIGIN hold on the approver's own machine, and what the logs and the decisions of
//! a later dossier must extend. It holds no secret. Losing it loses that memory, so it belongs into the same copies
//! as the key file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use meed_audit::hash::Hash;
use meed_audit::json::refuse_json;
use meed_audit::{Rejection, RejectionCode};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::files::{self, Access};

/// Longest state file, in bytes.
const STATE_BYTES_MAX: usize = 64 << 20;
/// The value of the field `format`.
const FORMAT: &str = "meed/signed/v1";

/// What a key has signed and seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    format: String,
    /// The verifier key whose memory this is.
    key: String,
    /// By origin line (for approver sets: and size): SHA-256 of the one text that was signed for it.
    texts: BTreeMap<String, Hash>,
    /// By node, scope and epoch: the highest revision that was signed.
    revisions: BTreeMap<String, u64>,
    /// By node and scope: what was seen.
    scopes: BTreeMap<String, Seen>,
}

/// What was seen of a scope when a statement of it was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// The node's public log key, in hex.
    pub log_key: String,
    /// Every size of the events log that a signed statement pinned, with its root.
    pub events: BTreeMap<u64, Hash>,
    /// Leaves of the decision tree.
    pub decisions_size: u64,
    /// The root over them.
    pub decisions_root: Hash,
    /// The text of the approver set in force.
    pub approvers: String,
}

impl Signed {
    /// Where the memory of a key file is.
    pub fn path_of(key_file: &Path) -> PathBuf {
        let mut name = key_file.as_os_str().to_owned();
        name.push(".signed.json");
        PathBuf::from(name)
    }

    /// Reads the memory of `key`; an empty one where there is no file yet.
    ///
    /// # Errors
    /// Where the file is damaged or is another key's: signing without it could sign twice.
    pub fn read(path: &Path, key: &str) -> Result<Self, Failure> {
        let empty = || Self {
            format: FORMAT.to_owned(),
            key: key.to_owned(),
            texts: BTreeMap::new(),
            revisions: BTreeMap::new(),
            scopes: BTreeMap::new(),
        };
        if std::fs::symlink_metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
            return Ok(empty());
        }
        let bytes = files::read_bounded(path, STATE_BYTES_MAX)?;
        let damaged = |got: String| {
            let what = format!("expected what {key} has signed in {}, got {got}", path.display());
            let remedy =
                "restore the file from your copy: without it the key could sign two texts for one place";
            Failure::refused("signed_file", what, remedy)
        };
        let signed: Self = serde_json::from_slice(&bytes)
            .map_err(|error| damaged(refuse_json("", "", &error, &bytes).got))?;
        if signed.format != FORMAT {
            return Err(damaged(format!("format {}", signed.format)));
        }
        if signed.key != key {
            return Err(damaged(format!("that of {}", signed.key)));
        }
        Ok(signed)
    }

    /// Writes the memory; it is synced when this returns.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        let mut bytes =
            serde_json::to_vec_pretty(self).map_err(|error| Failure::internal(error.to_string()))?;
        bytes.push(b'\n');
        files::replace(path, &bytes, Access::Owner)
    }

    /// Refuses another text for an origin that has one (rule ONE_TEXT_PER_ORIGIN). True when it was signed before.
    ///
    /// # Errors
    /// `signed_other`.
    pub fn check_text(&self, origin: &str, text: &Hash) -> Result<bool, Failure> {
        match self.texts.get(origin) {
            None => Ok(false),
            Some(known) if known == text => Ok(true),
            Some(known) => {
                let expected = format!("the text that this key signed for it, {}", known.to_hex());
                let code = RejectionCode::SignedOther;
                Err(Rejection::new(code, origin, expected, format!("another, {}", text.to_hex())).into())
            }
        }
    }

    /// Refuses a lower revision than the key has signed for the epoch.
    ///
    /// # Errors
    /// `signed_other`.
    pub fn check_revision(&self, epoch: &str, revision: u64) -> Result<(), Failure> {
        match self.revisions.get(epoch) {
            Some(signed) if revision < *signed => {
                let expected = format!("revision {signed} or higher, which this key has signed");
                let code = RejectionCode::SignedOther;
                let refusal = Rejection::new(code, epoch, expected, format!("revision {revision}"));
                Err(Failure::from(refusal).with_remedy(format!(
                    "do not sign an older revision: this key has signed revision {signed} already; ask the operator \
                     whether another is offered by now, and for its dossier"
                )))
            }
            _ => Ok(()),
        }
    }

    /// What was seen of a scope.
    pub fn seen(&self, scope: &str) -> Option<&Seen> {
        self.scopes.get(scope)
    }

    /// Remembers a text for its origin.
    pub fn remember_text(&mut self, origin: String, text: Hash) {
        self.texts.insert(origin, text);
    }

    /// Remembers a revision of an epoch.
    pub fn remember_revision(&mut self, epoch: String, revision: u64) {
        let highest = self.revisions.entry(epoch).or_default();
        *highest = revision.max(*highest);
    }

    /// Remembers what was seen of a scope; sizes of the events log add up.
    pub fn remember_scope(&mut self, scope: String, mut seen: Seen) {
        if let Some(before) = self.scopes.remove(&scope) {
            for (size, root) in before.events {
                seen.events.entry(size).or_insert(root);
            }
        }
        self.scopes.insert(scope, seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "alice+00000000+key";

    #[test]
    fn a_memory_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().expect("folder");
        let path = Signed::path_of(&folder.path().join("alice.key"));
        assert!(path.ends_with("alice.key.signed.json"));
        let mut signed = Signed::read(&path, KEY).expect("empty");
        signed.remember_text("a/epoch/1/0".to_owned(), Hash::of(b"text"));
        signed.remember_revision("node/scope/1".to_owned(), 3);
        signed.remember_revision("node/scope/1".to_owned(), 2);
        signed.write(&path).expect("written");
        let again = Signed::read(&path, KEY).expect("read");
        assert_eq!(again, signed);
        assert!(again.check_text("a/epoch/1/0", &Hash::of(b"text")).expect("the same"));
        assert_eq!(
            again.check_text("a/epoch/1/0", &Hash::of(b"other")).expect_err("other").problem.code,
            "signed_other"
        );
        again.check_revision("node/scope/1", 3).expect("equal");
        assert_eq!(again.check_revision("node/scope/1", 2).expect_err("lower").problem.code, "signed_other");
    }

    #[test]
    fn a_damaged_memory_never_counts_as_an_empty_one() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("state");
        let good = Signed::read(&path, KEY).expect("empty");
        good.write(&path).expect("written");
        let text = std::fs::read_to_string(&path).expect("text");
        for bad in ["", "{}", "[]", &text.replace("signed/v1", "signed/v2"), &text[..text.len() - 4]] {
            std::fs::write(&path, bad).expect("written");
            assert_eq!(Signed::read(&path, KEY).expect_err(bad).problem.code, "signed_file");
        }
        std::fs::write(&path, &text).expect("written");
        assert_eq!(Signed::read(&path, "bob+1+key").expect_err("another's").problem.code, "signed_file");
    }
}
