//! A scope's approver sets: who may approve its statements, as a chain of signed texts.
//!
//! The text of each version is checkpoint-shaped: origin `<node origin>/<scope_key>/approvers`, size = version, root
//! over the leaves of all versions, and lines that name the members. Version 1 is signed by the node and pinned by
//! every trust file; each later one is cosigned by k of the version before and by each new member.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use meed_keys::{ApproverSet, Note, NoteText, PublicKey, SigningWindow};
use serde::{Deserialize, Serialize};

use crate::approve::{quorum_rejection, split_node_line};
use crate::checkpoint::parse_checkpoint;
use crate::hash::{Hash, leaf_hash};
use crate::ids::{NodeId, Origin, ScopeId, ScopeKey, SetVersion};
use crate::leaf::{Leaf, version_tag};
use crate::merkle;
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::statement::Lines;

/// The first extension line of every approver set.
pub const APPROVERS_TITLE: &str = "meed approver set v1";

/// One version of a scope's approver set. Writing it gives the one text that is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApproverSetText {
    /// The node's origin.
    pub origin: Origin,
    /// The node.
    pub node: NodeId,
    /// The scope.
    pub scope: ScopeId,
    /// The scope's name.
    pub scope_key: ScopeKey,
    /// The version, from 1; also the tree's size.
    pub version: SetVersion,
    /// Root over the leaves of versions 1 to this one.
    pub root: Hash,
    /// Who, and how many of them.
    pub set: ApproverSet,
}

/// The leaf `meed/approver-set/v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApproverSetLeaf {
    approvers: Vec<String>,
    node: NodeId,
    scope: ScopeId,
    threshold: String,
    v: ApproverSetV1,
    version: SetVersion,
}

version_tag! {
    /// The format of approver set leaves.
    ApproverSetV1, ApproverSetLeaf, "meed/approver-set/v1"
}

/// Where a scope lives: what all its texts name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeName {
    /// The node's origin.
    pub origin: Origin,
    /// The node.
    pub node: NodeId,
    /// The scope's name.
    pub key: ScopeKey,
}

impl ScopeName {
    /// The scope's id.
    pub fn id(&self) -> ScopeId {
        ScopeId::derive(&self.node, &self.key)
    }
}

impl ApproverSetText {
    /// The version after those whose leaf hashes are `earlier` (version 1 after none).
    ///
    /// # Errors
    /// None in practice: versions fit.
    pub fn next(name: &ScopeName, earlier: &[Hash], set: ApproverSet) -> Checked<Self> {
        let version = SetVersion::new(u64::try_from(earlier.len()).unwrap_or(u64::MAX).saturating_add(1))?;
        let mut text = Self {
            origin: name.origin.clone(),
            node: name.node,
            scope: name.id(),
            scope_key: name.key.clone(),
            version,
            root: leaf_hash(&[]),
            set,
        };
        let mut leaves = earlier.to_vec();
        leaves.push(text.leaf_hash());
        text.root = merkle::root(&leaves);
        Ok(text)
    }

    /// `<node origin>/<scope_key>/approvers`: the first line, and the name of the node's key for it.
    pub fn origin_line(&self) -> String {
        format!("{}/{}/approvers", self.origin, self.scope_key)
    }

    /// The canonical bytes of the version's leaf.
    pub fn leaf(&self) -> Vec<u8> {
        ApproverSetLeaf {
            approvers: self.set.approvers().iter().map(ToString::to_string).collect(),
            node: self.node,
            scope: self.scope,
            threshold: self.set.threshold().to_string(),
            v: ApproverSetV1,
            version: self.version,
        }
        .encode()
    }

    /// Hash of that leaf.
    pub fn leaf_hash(&self) -> Hash {
        leaf_hash(&self.leaf())
    }

    /// The text that is signed.
    ///
    /// # Errors
    /// `malformed` when it is not a note's text, which checked parts make impossible.
    pub fn note_text(&self) -> Checked<NoteText> {
        NoteText::new(self.to_string())
            .map_err(|error| Rejection::new(RejectionCode::Malformed, "approver set", "a note's text", error))
    }

    /// SHA-256 of the text, by which statements name the set.
    pub fn text_hash(&self) -> Hash {
        Hash::of(self.to_string().as_bytes())
    }

    /// Checks that `next` follows this version: the same scope, the next number, the tree extended by one leaf
    /// (`leaves` holds the leaf hashes up to this version), cosigned by k of this set and by each new member. Other
    /// signature lines than the members' and the node's are refused.
    ///
    /// # Errors
    /// Names what differs, or the signature that is missing or wrong.
    pub fn check_successor(
        &self,
        leaves: &[Hash],
        next: &Self,
        note: &Note,
        node_key: &PublicKey,
    ) -> Checked<()> {
        let name = ScopeName { origin: self.origin.clone(), node: self.node, key: self.scope_key.clone() };
        let expected = Self::next(&name, leaves, next.set.clone())?;
        if expected != *next || note.text().as_str() != next.to_string() {
            return Err(Rejection::new(
                RejectionCode::Mismatch,
                "approver set",
                format!(
                    "version {} of {} after the versions before",
                    expected.version,
                    expected.origin_line()
                ),
                format!("version {} of {} root {}", next.version, next.origin_line(), next.root.to_base64()),
            ));
        }
        self.check_change_signatures(next, note, node_key)
    }

    fn check_change_signatures(&self, next: &Self, note: &Note, node_key: &PublicKey) -> Checked<()> {
        let (_, approvals) = split_node_line(note, &next.origin_line(), node_key)?;
        let mut by_old = Vec::new();
        let mut seen = BTreeSet::new();
        let mut missing: Vec<_> =
            next.set.approvers().iter().filter(|key| !self.set.approvers().contains(key)).collect();
        for line in &approvals {
            let is_old = self.set.find_signer(line).is_some();
            let signer = if is_old { &self.set } else { &next.set };
            let approval = signer
                .check_approval(note.text(), line, SigningWindow::ANY_TIME)
                .map_err(|error| quorum_rejection("approver set", &error))?;
            if !seen.insert(*approval.public_key()) {
                return Err(Rejection::new(
                    RejectionCode::SignerTwice,
                    "approver set",
                    "one line a key",
                    line.name(),
                ));
            }
            if is_old {
                by_old.push(line.clone());
            }
            // Not by the key id in the line: ids are short enough to make another key of the same name and id, and
            // its signature is no consent of this one.
            missing.retain(|key| (key.name(), key.public_key()) != (approval.name(), approval.public_key()));
        }
        self.set
            .check_quorum(note.text(), &by_old, SigningWindow::ANY_TIME)
            .map_err(|error| quorum_rejection("approver set", &error))?;
        match missing.first() {
            None => Ok(()),
            Some(key) => Err(Rejection::new(
                RejectionCode::QuorumMissing,
                "approver set",
                format!("a cosignature of the new member {}", key.name()),
                "none",
            )),
        }
    }
}

impl fmt::Display for ApproverSetText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin_line(), self.version, self.root.to_base64())?;
        writeln!(f, "{APPROVERS_TITLE}")?;
        writeln!(f, "Node: {}", self.node)?;
        writeln!(f, "Scope: {} {}", self.scope, self.scope_key)?;
        self.set.to_lines().iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl FromStr for ApproverSetText {
    type Err = Rejection;

    /// Parses the text, and refuses it unless writing it again gives the same bytes.
    fn from_str(text: &str) -> Checked<Self> {
        let checkpoint = parse_checkpoint("approver set", text)?;
        let mut lines = Lines::new(checkpoint.extension());
        lines.title(APPROVERS_TITLE)?;
        let node = lines.value("Node")?.parse()?;
        let [scope, scope_key] = lines.words("Scope")?;
        let scope_key: ScopeKey = scope_key.parse()?;
        let set = ApproverSet::from_lines(&lines.rest()).map_err(|error| {
            Rejection::new(
                RejectionCode::ApproverSetInvalid,
                "approver set",
                "a threshold and its members",
                error,
            )
        })?;
        let suffix = format!("/{scope_key}/approvers");
        let origin = checkpoint.origin().strip_suffix(&suffix).ok_or_else(|| {
            let expected = format!("a line ending in {suffix}");
            Rejection::new(RejectionCode::Mismatch, "approver set origin", expected, checkpoint.origin())
        })?;
        let parsed = Self {
            origin: origin.parse()?,
            node,
            scope: scope.parse()?,
            scope_key,
            version: SetVersion::new(checkpoint.size())?,
            root: *checkpoint.root(),
            set,
        };
        if parsed.to_string() == text && parsed.scope == ScopeId::derive(&parsed.node, &parsed.scope_key) {
            return Ok(parsed);
        }
        Err(Rejection::new(
            RejectionCode::NotCanonical,
            "approver set",
            "the one form of its content",
            "another form",
        ))
    }
}
