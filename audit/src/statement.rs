//! The payout statement: a C2SP checkpoint of the epoch's allocation tree whose extension lines say in words what
//! is approved. Leaf 0 of that tree is those lines, so that the root alone binds them too.

use std::fmt;
use std::str::FromStr;

use meed_keys::NoteText;

use crate::amount::{Credits, parse_count};
use crate::checkpoint::{Checkpoint, parse_checkpoint};
use crate::hash::{Hash, leaf_hash};
use crate::ids::{EpochNumber, NodeId, Origin, Revision, ScopeId, ScopeKey, SetVersion};
use crate::policy::{ALGORITHM, Unit};
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::time::{Period, Timestamp};

/// The first extension line of every statement.
pub const STATEMENT_TITLE: &str = "meed payout statement v1";
const NONE: &str = "none";

/// A count of leaves and the root over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeHead {
    /// How many leaves.
    pub size: u64,
    /// RFC 6962 root.
    pub root: Hash,
}

/// Which approvers a statement needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApproversLine {
    /// k.
    pub threshold: u8,
    /// n.
    pub members: u8,
    /// Version of the scope's approver set.
    pub version: SetVersion,
    /// SHA-256 of the set's text.
    pub text_hash: Hash,
}

/// A payout statement. Writing it gives the one text that approvers sign; parsing accepts only that text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The node's origin.
    pub origin: Origin,
    /// The node.
    pub node: NodeId,
    /// The scope.
    pub scope: ScopeId,
    /// The scope's name.
    pub scope_key: ScopeKey,
    /// The epoch.
    pub epoch: EpochNumber,
    /// Which draft of it.
    pub revision: Revision,
    /// Root of the tree of leaf 0 and the allocations.
    pub root: Hash,
    /// The epoch's window.
    pub period: Period,
    /// The last moment at which an approval counts.
    pub sign_by: Timestamp,
    /// What is paid.
    pub unit: Unit,
    /// SHA-256 of the policy document.
    pub policy_hash: Hash,
    /// The origin line of the events log.
    pub events_log: String,
    /// The events log at close.
    pub events: TreeHead,
    /// The curated activity.
    pub activity: TreeHead,
    /// The pool's components.
    pub pool: TreeHead,
    /// The pool's sum.
    pub pool_total: Credits,
    /// The scope's decisions at freeze.
    pub decisions: TreeHead,
    /// How many claimants.
    pub allocations_count: u64,
    /// The earlier system's hash of units by claimant.
    pub allocation_set_hash: Hash,
    /// What is paid in all.
    pub distributed: Credits,
    /// What is left of the pool.
    pub undistributed: Credits,
    /// Who must approve.
    pub approvers: ApproversLine,
    /// SHA-256 of the text of the scope's last final statement.
    pub previous: Option<Hash>,
    /// SHA-256 of the text that this revision corrects.
    pub supersedes: Option<Hash>,
}

impl Statement {
    /// `<node origin>/<scope_key>/epoch/<number>/<revision>`: the first line, and the name of the node's key for it.
    pub fn origin_line(&self) -> String {
        format!("{}/{}/epoch/{}/{}", self.origin, self.scope_key, self.epoch, self.revision)
    }

    /// The extension lines, which leaf 0 repeats.
    pub fn lines(&self) -> Vec<String> {
        let hash_or_none = |hash: &Option<Hash>| hash.map_or_else(|| NONE.to_owned(), Hash::to_hex);
        let head = |head: &TreeHead| format!("{} {}", head.size, head.root.to_base64());
        let ApproversLine { threshold, members, version, text_hash } = self.approvers;
        vec![
            STATEMENT_TITLE.to_owned(),
            format!("Node: {}", self.node),
            format!("Scope: {} {}", self.scope, self.scope_key),
            format!("Epoch: {} revision {}", self.epoch, self.revision),
            format!("Period: {} {}", self.period.start, self.period.end),
            format!("Sign By: {}", self.sign_by),
            format!("Unit: {}", self.unit),
            format!("Policy: {ALGORITHM} {}", self.policy_hash.to_hex()),
            format!("Events Log: {} {}", self.events_log, head(&self.events)),
            format!("Activity: {}", head(&self.activity)),
            format!("Pool: {} {} {}", self.pool.size, self.pool_total, self.pool.root.to_base64()),
            format!("Decisions: {}", head(&self.decisions)),
            format!("Allocations: {} {}", self.allocations_count, self.allocation_set_hash.to_hex()),
            format!("Distributed: {}", self.distributed),
            format!("Undistributed: {}", self.undistributed),
            format!("Approvers: {threshold} of {members} version {version} {}", text_hash.to_hex()),
            format!("Previous: {}", hash_or_none(&self.previous)),
            format!("Supersedes: {}", hash_or_none(&self.supersedes)),
        ]
    }

    /// Leaf 0 of the allocation tree: the extension lines, each with its newline.
    pub fn leaf_zero(&self) -> Vec<u8> {
        let mut bytes = self.lines().join("\n").into_bytes();
        bytes.push(b'\n');
        bytes
    }

    /// Hash of leaf 0.
    pub fn leaf_zero_hash(&self) -> Hash {
        leaf_hash(&self.leaf_zero())
    }

    /// Size of the allocation tree: leaf 0 and the allocations.
    pub fn tree_size(&self) -> u64 {
        self.allocations_count.saturating_add(1)
    }

    /// The text that is signed.
    ///
    /// # Errors
    /// `malformed` when it is not a checkpoint, which checked parts make impossible.
    pub fn note_text(&self) -> Checked<NoteText> {
        NoteText::new(self.to_string())
            .map_err(|error| Rejection::new(RejectionCode::Malformed, "statement", "a note's text", error))
    }

    /// SHA-256 of the text, by which later statements name it.
    pub fn text_hash(&self) -> Hash {
        Hash::of(self.to_string().as_bytes())
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin_line(), self.tree_size(), self.root.to_base64())?;
        self.lines().iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl FromStr for Statement {
    type Err = Rejection;

    /// Parses the text, and refuses it unless writing it again gives the same bytes.
    fn from_str(text: &str) -> Checked<Self> {
        let checkpoint = parse_checkpoint("statement", text)?;
        let statement = read_statement(&checkpoint)?;
        if statement.to_string() == text {
            return Ok(statement);
        }
        Err(Rejection::new(
            RejectionCode::NotCanonical,
            "statement",
            "the one form of its content",
            "another form",
        ))
    }
}

fn read_statement(checkpoint: &Checkpoint) -> Checked<Statement> {
    let mut lines = Lines::new(checkpoint.extension());
    lines.title(STATEMENT_TITLE)?;
    let node = lines.value("Node")?.parse()?;
    let [scope, scope_key] = lines.words("Scope")?;
    let [epoch, word, revision] = lines.words("Epoch")?;
    expect_words("Epoch", &[(word, "revision")])?;
    let [start, end] = lines.words("Period")?;
    let sign_by = lines.value("Sign By")?.parse()?;
    let unit = lines.value("Unit")?.parse()?;
    let [algorithm, policy_hash] = lines.words("Policy")?;
    expect_words("Policy", &[(algorithm, ALGORITHM)])?;
    let [events_log, events_size, events_root] = lines.words("Events Log")?;
    let [activity_size, activity_root] = lines.words("Activity")?;
    let [pool_size, pool_total, pool_root] = lines.words("Pool")?;
    let [decisions_size, decisions_root] = lines.words("Decisions")?;
    let [allocations_count, set_hash] = lines.words("Allocations")?;
    let distributed = lines.value("Distributed")?.parse()?;
    let undistributed = lines.value("Undistributed")?.parse()?;
    let [threshold, of, members, version_word, version, text_hash] = lines.words("Approvers")?;
    expect_words("Approvers", &[(of, "of"), (version_word, "version")])?;
    let previous = read_hash_or_none("Previous", lines.value("Previous")?)?;
    let supersedes = read_hash_or_none("Supersedes", lines.value("Supersedes")?)?;
    lines.end()?;
    let (epoch, revision): (EpochNumber, Revision) = (epoch.parse()?, revision.parse()?);
    let scope_key: ScopeKey = scope_key.parse()?;
    let origin = read_origin(checkpoint.origin(), &scope_key, epoch, revision)?;
    check_events_log(&origin, events_log)?;
    let scope: ScopeId = scope.parse()?;
    check_scope_id(scope, &node, &scope_key)?;
    let period = Period { start: start.parse()?, end: end.parse()? };
    if period.start >= period.end {
        let expected = format!("an end after {}", period.start);
        return Err(Rejection::new(RejectionCode::Mismatch, "Period", expected, period.end));
    }
    Ok(Statement {
        origin,
        node,
        scope,
        scope_key,
        epoch,
        revision,
        root: *checkpoint.root(),
        period,
        sign_by,
        unit,
        policy_hash: read_hex("Policy", policy_hash)?,
        events_log: events_log.to_owned(),
        events: read_head("Events Log", events_size, events_root)?,
        activity: read_head("Activity", activity_size, activity_root)?,
        pool: read_head("Pool", pool_size, pool_root)?,
        pool_total: pool_total.parse()?,
        decisions: read_head("Decisions", decisions_size, decisions_root)?,
        allocations_count: parse_count("Allocations", allocations_count)?,
        allocation_set_hash: read_hex("Allocations", set_hash)?,
        distributed,
        undistributed,
        approvers: ApproversLine {
            threshold: read_small("Approvers", threshold)?,
            members: read_small("Approvers", members)?,
            version: version.parse()?,
            text_hash: read_hex("Approvers", text_hash)?,
        },
        previous,
        supersedes,
    })
}

/// The node origin of an origin line that ends in this scope, epoch and revision.
fn read_origin(line: &str, scope_key: &ScopeKey, epoch: EpochNumber, revision: Revision) -> Checked<Origin> {
    let suffix = format!("/{scope_key}/epoch/{epoch}/{revision}");
    let origin = line.strip_suffix(&suffix).ok_or_else(|| {
        Rejection::new(
            RejectionCode::Mismatch,
            "statement origin",
            format!("a line ending in {suffix}"),
            line,
        )
    })?;
    origin.parse()
}

/// The scope id is the one of node and key.
fn check_scope_id(scope: ScopeId, node: &NodeId, key: &ScopeKey) -> Checked<()> {
    let expected = ScopeId::derive(node, key);
    if scope == expected {
        return Ok(());
    }
    Err(Rejection::new(RejectionCode::Mismatch, "Scope", format!("{expected} {key}"), scope))
}

/// The events log is one of the node's own: `<node origin>/events/<generation>`.
pub(crate) fn check_events_log(origin: &Origin, line: &str) -> Checked<()> {
    let prefix = format!("{origin}/events/");
    let generation = line.strip_prefix(&prefix).map(|number| parse_count("generation", number));
    if matches!(generation, Some(Ok(1..))) {
        return Ok(());
    }
    let expected = format!("{prefix}<generation from 1>");
    Err(Rejection::new(RejectionCode::Mismatch, "Events Log", expected, line))
}

/// The extension lines of a text, taken in their fixed order.
pub(crate) struct Lines<'a> {
    lines: std::slice::Iter<'a, String>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(lines: &'a [String]) -> Self {
        Self { lines: lines.iter() }
    }

    pub(crate) fn title(&mut self, title: &str) -> Checked<()> {
        let line = self.next(title)?;
        if line == title {
            return Ok(());
        }
        Err(Rejection::new(RejectionCode::Malformed, "first extension line", title, line))
    }

    pub(crate) fn value(&mut self, label: &str) -> Checked<&'a str> {
        let line = self.next(label)?;
        line.strip_prefix(label).and_then(|rest| rest.strip_prefix(": ")).ok_or_else(|| {
            Rejection::new(RejectionCode::Malformed, label, format!("a line beginning with {label}: "), line)
        })
    }

    pub(crate) fn words<const N: usize>(&mut self, label: &str) -> Checked<[&'a str; N]> {
        let value = self.value(label)?;
        let words: Vec<&str> = value.split(' ').collect();
        words
            .try_into()
            .map_err(|_| Rejection::new(RejectionCode::Malformed, label, format!("{N} words"), value))
    }

    pub(crate) fn rest(self) -> Vec<&'a str> {
        self.lines.map(String::as_str).collect()
    }

    pub(crate) fn end(mut self) -> Checked<()> {
        match self.lines.next() {
            None => Ok(()),
            Some(line) => {
                Err(Rejection::new(RejectionCode::Malformed, "extension lines", "no more lines", line))
            }
        }
    }

    fn next(&mut self, label: &str) -> Checked<&'a str> {
        self.lines.next().map(String::as_str).ok_or_else(|| {
            Rejection::new(RejectionCode::Malformed, label, format!("the line {label}"), "no more lines")
        })
    }
}

fn expect_words(label: &str, pairs: &[(&str, &str)]) -> Checked<()> {
    match pairs.iter().find(|(got, expected)| got != expected) {
        None => Ok(()),
        Some((got, expected)) => Err(Rejection::new(RejectionCode::Malformed, label, *expected, got)),
    }
}

fn read_hash_or_none(label: &str, text: &str) -> Checked<Option<Hash>> {
    if text == NONE { Ok(None) } else { read_hex(label, text).map(Some) }
}

/// Parses a hash in hex, naming it in a refusal.
pub(crate) fn read_hex(label: &str, text: &str) -> Checked<Hash> {
    Hash::from_hex(text)
        .map_err(|error| Rejection::new(RejectionCode::Malformed, label, "64 lower-case hex digits", error))
}

fn read_head(label: &str, size: &str, root: &str) -> Checked<TreeHead> {
    let root = Hash::from_base64(root)
        .map_err(|error| Rejection::new(RejectionCode::Malformed, label, "the base64 of a hash", error))?;
    Ok(TreeHead { size: parse_count(label, size)?, root })
}

fn read_small(label: &str, text: &str) -> Checked<u8> {
    u8::try_from(parse_count(label, text)?)
        .map_err(|_| Rejection::new(RejectionCode::NumberTooLarge, label, "a number up to 15", text))
}
