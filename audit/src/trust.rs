//! The trust file: what a verifier believes before it sees any proof. Keys come from here and never from a proof.

use meed_keys::{KeyUse, VerifierKey};
use serde::{Deserialize, Serialize};

use crate::amount::parse_count;
use crate::approve::parse_key;
use crate::approvers::ApproverSetText;
use crate::hash::Hash;
use crate::ids::{NodeId, Origin, ScopeKey};
use crate::json::refuse_content;
use crate::merkle;
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::statement::read_hex;
use crate::tlog_policy::TlogPolicy;

/// The value of the field `format`.
pub const TRUST_FORMAT: &str = "meed/trust/v1";
/// Longest trust file, in bytes.
pub const TRUST_BYTES_MAX: usize = 262_144;

/// A key of the statements log, and up to which size it held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogKey {
    /// The verifier key, named by the log's origin line `<origin>/statements/<generation>`.
    pub key: VerifierKey,
    /// The largest size that it may have signed; none while it is in force.
    pub until_size: Option<u64>,
}

/// A checked trust file.
#[derive(Clone, Debug)]
pub struct Trust {
    node: NodeId,
    origin: Origin,
    scope: ScopeKey,
    approver_set: ApproverSetText,
    approver_set_leaves: Vec<Hash>,
    log_keys: Vec<LogKey>,
    policy_text: String,
    policy: TlogPolicy,
    fingerprint: Hash,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustFile {
    format: String,
    node: String,
    origin: String,
    scope: String,
    approver_set: String,
    earlier_approver_sets: Vec<String>,
    policy: String,
    log_key: Vec<LogKeyEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogKeyEntry {
    // Before the key, so that a file whose end was cut off has lost the key and not its limit alone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    until_size: Option<String>,
    vkey: String,
}

impl Trust {
    /// Makes a trust file from its parts: the approver set to start from with the leaf hashes of the versions before
    /// it, the log's keys, and the tlog-policy of witnesses.
    ///
    /// # Errors
    /// As [`Trust::parse`].
    pub fn new(
        approver_set: &ApproverSetText,
        earlier_leaves: &[Hash],
        log_keys: &[LogKey],
        policy: &str,
    ) -> Checked<Self> {
        let file = TrustFile {
            format: TRUST_FORMAT.to_owned(),
            node: approver_set.node.to_string(),
            origin: approver_set.origin.to_string(),
            scope: approver_set.scope_key.to_string(),
            approver_set: approver_set.to_string(),
            earlier_approver_sets: earlier_leaves.iter().map(|hash| hash.to_hex()).collect(),
            policy: policy.to_owned(),
            log_key: log_keys
                .iter()
                .map(|entry| LogKeyEntry {
                    until_size: entry.until_size.map(|size| size.to_string()),
                    vkey: entry.key.to_string(),
                })
                .collect(),
        };
        Self::parse(&write_file(&file)?)
    }

    /// Reads a trust file.
    ///
    /// # Errors
    /// Names the field that is malformed or contradicts another.
    pub fn parse(text: &str) -> Checked<Self> {
        if text.len() > TRUST_BYTES_MAX {
            let expected = format!("at most {TRUST_BYTES_MAX} bytes");
            let got = format!("{} bytes", text.len());
            return Err(Rejection::new(RejectionCode::InputTooLarge, "trust file", expected, got));
        }
        let file: TrustFile = toml::from_str(text).map_err(|error| Rejection {
            code: RejectionCode::Malformed,
            ..refuse_content("trust file", "the fields of a trust file", error.message())
        })?;
        if file.format != TRUST_FORMAT {
            return Err(Rejection::new(RejectionCode::Mismatch, "trust format", TRUST_FORMAT, file.format));
        }
        let policy = TlogPolicy::parse(&file.policy).map_err(|rejection| rejection.within("trust policy"))?;
        let trust = Self {
            node: file.node.parse()?,
            origin: file.origin.parse()?,
            scope: file.scope.parse()?,
            approver_set: file.approver_set.parse()?,
            approver_set_leaves: read_leaves(&file.earlier_approver_sets)?,
            log_keys: file.log_key.iter().map(read_log_key).collect::<Checked<_>>()?,
            policy_text: file.policy,
            policy,
            fingerprint: Hash::of(text.as_bytes()),
        };
        trust.check_set()?;
        trust.check_log_keys()?;
        trust.check_uses(&trust.approver_set)?;
        Ok(trust.with_own_leaf())
    }

    /// The text of the file. Reading it again gives an equal trust, whose fingerprint is that of this text.
    ///
    /// # Errors
    /// None in practice.
    pub fn to_toml(&self) -> Checked<String> {
        let earlier = self.approver_set_leaves.split_last().map_or(&[][..], |(_, earlier)| earlier);
        write_file(&TrustFile {
            format: TRUST_FORMAT.to_owned(),
            node: self.node.to_string(),
            origin: self.origin.to_string(),
            scope: self.scope.to_string(),
            approver_set: self.approver_set.to_string(),
            earlier_approver_sets: earlier.iter().map(|hash| hash.to_hex()).collect(),
            policy: self.policy_text.clone(),
            log_key: self
                .log_keys
                .iter()
                .map(|entry| LogKeyEntry {
                    until_size: entry.until_size.map(|size| size.to_string()),
                    vkey: entry.key.to_string(),
                })
                .collect(),
        })
    }

    /// The node.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// The node's origin.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The scope's name.
    pub fn scope(&self) -> &ScopeKey {
        &self.scope
    }

    /// The approver set to start from.
    pub fn approver_set(&self) -> &ApproverSetText {
        &self.approver_set
    }

    /// Leaf hashes of the approver sets up to the one to start from.
    pub fn approver_set_leaves(&self) -> &[Hash] {
        &self.approver_set_leaves
    }

    /// The keys of the statements log.
    pub fn log_keys(&self) -> &[LogKey] {
        &self.log_keys
    }

    /// The witnesses and their quorum.
    pub fn policy(&self) -> &TlogPolicy {
        &self.policy
    }

    /// SHA-256 of the file, for people to compare.
    pub fn fingerprint(&self) -> Hash {
        self.fingerprint
    }

    fn with_own_leaf(mut self) -> Self {
        self.approver_set_leaves.push(self.approver_set.leaf_hash());
        self
    }

    /// The set is the trusted scope's, and the tree of its versions has the root that its text states.
    fn check_set(&self) -> Checked<()> {
        let set = &self.approver_set;
        if set.node != self.node || set.origin != self.origin || set.scope_key != self.scope {
            let expected = format!("node {}, {}/{}/approvers", self.node, self.origin, self.scope);
            let got = format!("node {}, {}", set.node, set.origin_line());
            return Err(Rejection::new(RejectionCode::Mismatch, "trust approver_set", expected, got));
        }
        let mut leaves = self.approver_set_leaves.clone();
        leaves.push(set.leaf_hash());
        let root = merkle::root(&leaves);
        if u64::try_from(leaves.len()) != Ok(set.version.get()) || root != set.root {
            let expected = format!("version {} with root {}", leaves.len(), root.to_base64());
            let got = format!("version {} with root {}", set.version, set.root.to_base64());
            return Err(Rejection::new(RejectionCode::Mismatch, "trust approver_set", expected, got));
        }
        Ok(())
    }

    /// Every log key is named by a generation of the node's statements log, and the policy trusts no other.
    fn check_log_keys(&self) -> Checked<()> {
        let prefix = format!("{}/statements/", self.origin);
        for entry in &self.log_keys {
            let generation = entry.key.name().as_str().strip_prefix(&prefix);
            if !generation
                .is_some_and(|number| parse_count("generation", number).is_ok_and(|number| number > 0))
            {
                let expected = format!("a key named {prefix}<generation>");
                return Err(Rejection::new(
                    RejectionCode::Mismatch,
                    "trust log_key",
                    expected,
                    entry.key.name(),
                ));
            }
        }
        self.check_log_key_uses()?;
        match self.policy.logs().iter().find(|log| !self.log_keys.iter().any(|entry| entry.key == **log)) {
            None => Ok(()),
            Some(log) => {
                Err(Rejection::new(RejectionCode::Mismatch, "trust policy", "logs among log_key", log))
            }
        }
    }

    /// One key, one use, one limit: a log key stands once, and is no witness's, whose word would be the log's own.
    fn check_log_key_uses(&self) -> Checked<()> {
        let refuse = |expected: &str, key: &VerifierKey| {
            Rejection::new(RejectionCode::KeyInUse, "trust log_key", expected, key.name())
        };
        for (position, entry) in self.log_keys.iter().enumerate() {
            if self.log_keys.iter().take(position).any(|earlier| earlier.key == entry.key) {
                return Err(refuse("each log key once", &entry.key));
            }
            if let Some(witness) =
                self.policy.witnesses().find(|witness| witness.public_key() == entry.key.public_key())
            {
                return Err(refuse("a key that is no witness's", witness));
            }
        }
        Ok(())
    }

    /// One key, one use: an approver's key is neither the log's nor a witness's. Later approver sets are held to it
    /// as well when a proof shows them.
    pub(crate) fn check_uses(&self, set: &ApproverSetText) -> Checked<()> {
        let logs = self.log_keys.iter().map(|entry| &entry.key);
        let is_member = |key: &&VerifierKey| {
            set.set.approvers().iter().any(|member| member.public_key() == key.public_key())
        };
        match logs.chain(self.policy.witnesses()).find(is_member) {
            None => Ok(()),
            Some(key) => Err(Rejection::new(
                RejectionCode::KeyInUse,
                "approver set",
                "keys with one use each",
                key.name(),
            )),
        }
    }
}

fn write_file(file: &TrustFile) -> Checked<String> {
    toml::to_string(file)
        .map_err(|error| Rejection::new(RejectionCode::Malformed, "trust file", "writable TOML", error))
}

fn read_leaves(texts: &[String]) -> Checked<Vec<Hash>> {
    texts.iter().map(|text| read_hex("earlier_approver_sets", text)).collect()
}

fn read_log_key(entry: &LogKeyEntry) -> Checked<LogKey> {
    let key = parse_key("trust log_key", &entry.vkey, KeyUse::Log.algorithm())?;
    let until_size = entry.until_size.as_deref().map(|size| parse_count("until_size", size)).transpose()?;
    Ok(LogKey { key, until_size })
}
