//! From an epoch's facts and decisions to its statement: the computation that the node, each approver and each
//! auditor runs, with the same bytes as result.

mod curated;
mod known_authors;
mod order;
mod room;
mod terms;

use std::collections::BTreeMap;

use crate::activity::{Activity, EpochEntry, EpochEvent, Weighed, curate};
use crate::allocation::{Allocation, allocate, allocation_set_hash, check_item_count};
use crate::amount::Credits;
use crate::approvers::{ApproverSetText, ScopeName};
use crate::decision::{Curation, Decision, EpochDecisions, State};
use crate::hash::Hash;
use crate::ids::Revision;
use crate::leaf::Leaf;
use crate::merkle::{self, TreeBuilder};
use crate::parallel::{Both, InTurn, leaf_hashes, root_with};
use crate::policy::Policy;
use crate::pool::Pool;
use crate::rejection::{Checked, Rejection, RejectionCode};
use crate::statement::{ApproversLine, Statement, TreeHead};
use crate::time::Timestamp;
use crate::window::{EpochWindow, assign};
use curated::CuratedParts;
use order::{Leaves, order_by_event};
use terms::{check_decided, check_overrides, check_terms};

pub use curated::Curated;

/// All that a statement is computed from.
#[derive(Clone, Debug)]
pub struct EpochInput {
    /// The scope.
    pub name: ScopeName,
    /// The policy that was pinned when the epoch opened.
    pub policy: Policy,
    /// The windows of the scope's epochs, from the first to this one, which is closed.
    pub windows: Vec<EpochWindow>,
    /// The origin line of the events log.
    pub events_log: String,
    /// Its root at the size that closing pinned.
    pub events_root: Hash,
    /// The epoch's events, in any order.
    pub events: Vec<EpochEvent>,
    /// The scope's decisions up to the freeze, from the first.
    pub decisions: Vec<Decision>,
    /// The pool.
    pub pool: Pool,
    /// The approver set in force at the freeze.
    pub approvers: ApproverSetText,
    /// What the freeze fixes.
    pub draft: DraftTerms,
}

/// What freezing a draft fixes beside the decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DraftTerms {
    /// Counts the epoch's drafts.
    pub revision: Revision,
    /// The last moment at which an approval counts.
    pub sign_by: Timestamp,
    /// SHA-256 of the text of the scope's last final statement.
    pub previous: Option<Hash>,
    /// SHA-256 of the text that this revision corrects.
    pub supersedes: Option<Hash>,
}

/// A closed epoch, computed: the statement and the leaves under it.
#[derive(Clone, Debug)]
pub struct ClosedEpoch {
    /// The statement.
    pub statement: Statement,
    /// The allocations, in the order of their leaves after leaf 0.
    pub allocations: Vec<Allocation>,
    /// Leaf hashes of the allocation tree, leaf 0 first.
    pub allocation_hashes: Vec<Hash>,
}

/// Computes an epoch. Pure: the same input gives the same bytes on every machine (rule `PAYOUT_DETERMINISTIC`).
///
/// # Errors
/// Names the part of the input that breaks a rule.
pub fn close(input: &EpochInput) -> Checked<ClosedEpoch> {
    let closing = Closing::new(input)?;
    let mut curated = Curated::default();
    input.events.iter().try_for_each(|event| closing.take(&event.entry(), &mut curated))?;
    closing.finish(curated)
}

/// As [`close`], and shows each event's activity leaf to `sink`, in the order of their tree.
///
/// # Errors
/// As [`close`].
pub fn close_with(input: &EpochInput, sink: &mut dyn FnMut(&Activity)) -> Checked<ClosedEpoch> {
    let mut ordered: Vec<&EpochEvent> = input.events.iter().collect();
    ordered.sort_unstable_by(|a, b| a.event.id.cmp(&b.event.id));
    let closing = Closing::new(input)?;
    let mut curated = Curated::default();
    for event in ordered {
        let entry = event.entry();
        sink(&closing.activity(&entry)?);
        closing.take(&entry, &mut curated)?;
    }
    closing.finish(curated)
}

/// An epoch that is being computed from events that come one by one: what a ledger does with more of them than memory
/// should hold. The `events` of its input are not looked at.
///
/// Nothing depends on the order of the events, nor on which [`Curated`] takes which of them.
#[derive(Debug)]
pub struct Closing<'a> {
    input: &'a EpochInput,
    window: &'a EpochWindow,
    state: State,
}

impl<'a> Closing<'a> {
    /// Checks everything but the events.
    ///
    /// # Errors
    /// As [`close`].
    pub fn new(input: &'a EpochInput) -> Checked<Self> {
        let window = check_terms(input)?;
        let state = State::replay(&input.decisions)?;
        let closing = Self { input, window, state };
        check_decided(input, window)?;
        check_overrides(input, window.number, &closing.state)?;
        Ok(closing)
    }

    /// Takes one event in.
    ///
    /// # Errors
    /// `mismatch` for an event of another scope or epoch.
    pub fn take(&self, entry: &EpochEntry<'_>, curated: &mut Curated) -> Checked<()> {
        let (late, curation) = self.check(entry)?;
        if curation.is_some() {
            curated.count_decided();
        }
        let weighed = Weighed::new(entry, &self.input.policy, curation);
        curated.take(entry, late, &weighed, (&self.input.policy, &self.state))
    }

    /// An event's activity leaf.
    fn activity(&self, entry: &EpochEntry<'_>) -> Checked<Activity> {
        let (late, curation) = self.check(entry)?;
        curate(entry, late, &self.input.policy, curation, &self.state)
    }

    /// Whether an event of this scope and epoch is late, and what was decided of it.
    fn check(&self, entry: &EpochEntry<'_>) -> Checked<(bool, Option<&Curation>)> {
        let scope = self.input.policy.scope;
        // A route is looked for only where the leaf does not name the scope: the index would be another one.
        if entry.routed == entry.scopes.binary_search(&scope).is_ok() {
            let expected = format!("an event that names scope {scope}, or one that a route gives it");
            let got = if entry.routed { "both" } else { "neither" };
            return Err(Rejection::new(RejectionCode::Mismatch, entry.id, expected, got));
        }
        let late = check_assignment(self.input, self.window, entry)?;
        Ok((late, self.decided().curation.get(entry.id)))
    }

    /// The closed epoch of all events.
    ///
    /// # Errors
    /// `duplicate_field` for an event that came twice, `input_incomplete` where a curated one did not come, `too_many`.
    pub fn finish(self, curated: Curated) -> Checked<ClosedEpoch> {
        self.finish_with(curated, &InTurn)
    }

    /// As [`Closing::finish`], with a say in how independent halves are done.
    ///
    /// # Errors
    /// As [`Closing::finish`].
    pub fn finish_with(self, curated: Curated, how: &impl Both) -> Checked<ClosedEpoch> {
        let decided = self.decided();
        let CuratedParts { leaves, earned, curated_count } = curated.into_parts()?;
        if curated_count != decided.curation.len() {
            let expected = format!("all {} curated events", decided.curation.len());
            return Err(Rejection::new(RejectionCode::InputIncomplete, "events", expected, curated_count));
        }
        let Self { input, window, .. } = self;
        let scope = input.name.id();
        let pool_total = input.pool.total();
        let revision = input.draft.revision;
        let (activity, allocations) = how.both(
            events_count(&leaves),
            || activity_head(&leaves, how),
            || allocate(scope, window.number, revision, pool_total, earned, &decided.overrides),
        );
        let (activity, allocations) = (activity?, allocations?);
        let heads = Heads { activity, decisions: tree_head(input.decisions.iter().map(Leaf::leaf_hash)) };
        write_statement(input, window, heads, allocations, how)
    }

    fn decided(&self) -> &EpochDecisions {
        static NONE: EpochDecisions =
            EpochDecisions { curation: BTreeMap::new(), overrides: BTreeMap::new() };
        self.state.epoch(self.window.number).unwrap_or(&NONE)
    }
}

/// The activity tree, in the order of event ids.
fn activity_head(leaves: &[Leaves], how: &impl Both) -> Checked<TreeHead> {
    let count = events_count(leaves);
    check_item_count("events", count)?;
    let ordered = order_by_event(leaves, how);
    if let Some(id) = ordered.twice {
        return Err(Rejection::new(RejectionCode::DuplicateField, id, "each event once", "it twice"));
    }
    let size = u64::try_from(count).unwrap_or(u64::MAX);
    Ok(TreeHead { size, root: root_with(&ordered.hashes, how) })
}

fn events_count(leaves: &[Leaves]) -> usize {
    leaves.iter().map(Leaves::len).sum()
}

/// Whether the event is late; refuses one that the rule `EPOCH_BY_EVENT_TIME` gives to another epoch.
fn check_assignment(input: &EpochInput, window: &EpochWindow, entry: &EpochEntry<'_>) -> Checked<bool> {
    match assign(&input.windows, entry.event_time, entry.index) {
        Some(assignment) if assignment.epoch == window.number => Ok(assignment.late),
        other => {
            let got = other
                .map_or_else(|| "one of no epoch yet".to_owned(), |a| format!("one of epoch {}", a.epoch));
            let expected = format!("an event of epoch {}", window.number);
            Err(Rejection::new(RejectionCode::Mismatch, entry.id, expected, got))
        }
    }
}

struct Heads {
    activity: TreeHead,
    decisions: TreeHead,
}

fn tree_head(hashes: impl Iterator<Item = Hash>) -> TreeHead {
    let mut tree = TreeBuilder::new();
    for hash in hashes {
        tree.push(hash, &mut |_, _, _| {});
    }
    TreeHead { size: tree.size(), root: tree.finish(&mut |_, _, _| {}) }
}

fn write_statement(
    input: &EpochInput,
    window: &EpochWindow,
    heads: Heads,
    allocations: Vec<Allocation>,
    how: &impl Both,
) -> Checked<ClosedEpoch> {
    let distributed =
        allocations.iter().try_fold(Credits::ZERO, |sum, allocation| sum.plus(allocation.credits))?;
    let set = &input.approvers;
    let (set_hash, row_hashes) = how.both(
        allocations.len(),
        || allocation_set_hash(allocations.iter().map(|a| (&a.claimant, a.final_units))),
        || leaf_hashes(&allocations, how),
    );
    let mut statement = Statement {
        origin: input.name.origin.clone(),
        node: input.name.node,
        scope: input.name.id(),
        scope_key: input.name.key.clone(),
        epoch: window.number,
        revision: input.draft.revision,
        root: merkle::root(&[]),
        period: window.period,
        sign_by: input.draft.sign_by,
        unit: input.policy.unit.clone(),
        policy_hash: input.policy.hash(),
        events_log: input.events_log.clone(),
        events: TreeHead { size: window.log_size.unwrap_or_default(), root: input.events_root },
        activity: heads.activity,
        pool: tree_head(input.pool.components().map(Leaf::leaf_hash)),
        pool_total: input.pool.total(),
        decisions: heads.decisions,
        allocations_count: u64::try_from(allocations.len()).unwrap_or(u64::MAX),
        allocation_set_hash: set_hash,
        distributed,
        undistributed: input.pool.total().minus(distributed)?,
        approvers: ApproversLine {
            threshold: set.set.threshold(),
            members: u8::try_from(set.set.len()).unwrap_or(u8::MAX),
            version: set.version,
            text_hash: set.text_hash(),
        },
        previous: input.draft.previous,
        supersedes: input.draft.supersedes,
    };
    let mut allocation_hashes = vec![statement.leaf_zero_hash()];
    allocation_hashes.extend(row_hashes);
    statement.root = root_with(&allocation_hashes, how);
    Ok(ClosedEpoch { statement, allocations, allocation_hashes })
}
