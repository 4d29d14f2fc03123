//! A whole node in a scratch folder, with approvers and a way to say an epoch's life in a few lines.
//!
//! ```ignore
//! let world = World::new();
//! let scope = world.scope("default");
//! let epoch = world.open(scope, WEEK_1);
//! world.commit(scope, "a1", ALICE, WEEK_1);
//! world.close(scope, epoch);
//! let last = world.finish(scope, epoch);
//! ```
#![allow(unreachable_pub, reason = "each test file is a crate of its own")]
#![allow(clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking, its helpers too")]

use std::fmt::Write as _;
use std::path::PathBuf;

use meed_audit::activity::Activity;
use meed_audit::amount::{Credits, Units};
use meed_audit::event::NewEvent;
use meed_audit::hash::Hash;
use meed_audit::ids::{Claimant, EpochNumber, EventId, Identity, ScopeId, SetVersion, UserId};
use meed_audit::policy::{Unit, Unlinked, Weights};
use meed_audit::pool::PoolComponent;
use meed_audit::proof::Proof;
use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use meed_audit::trust::Trust;
use meed_audit::verify::{VerifiedPayout, verify, verify_absence};
use meed_audit::window::WindowDays;
use meed_audit::{Rejection, RejectionCode};
use meed_keys::{ApproverSet, KeyUse, NoteText, SignatureLine, SigningKey};
use meed_storage::{
    AppendOutcome, AppendReport, ApproverSetOutcome, By, Draft, EventBatch, EventReader, Evidence,
    FinalStatement, Ledger, LedgerError, LogKind, OpenTerms, ScopeTerms, Snapshot, Which,
};
use tempfile::TempDir;

use super::new_ledger;

/// Monday of a week, and the weeks after it.
pub const WEEK_1: &str = "2026-01-05T00:00:00Z";
/// The second week.
pub const WEEK_2: &str = "2026-01-12T00:00:00Z";
/// The third week.
pub const WEEK_3: &str = "2026-01-19T00:00:00Z";
/// The fourth week.
pub const WEEK_4: &str = "2026-01-26T00:00:00Z";
/// Long after all of them.
pub const LATER: &str = "2026-03-01T12:00:00Z";

/// GitHub accounts.
pub const ALICE: &str = "101";
/// Another.
pub const BOB: &str = "102";
/// Another.
pub const CAROL: &str = "103";

/// A node with its approvers.
pub struct World {
    /// Removed when the world goes.
    pub folder: TempDir,
    /// The ledger's file.
    pub path: PathBuf,
    /// The ledger.
    pub ledger: Ledger,
    /// The approvers' keys.
    pub approvers: Vec<SigningKey>,
}

/// A moment.
pub fn time(text: &str) -> Timestamp {
    Timestamp::parse_edge("time", text).unwrap()
}

/// Free text.
pub fn text(text: &str) -> FreeText {
    FreeText::parse("text", text).unwrap()
}

/// The operator, at a moment.
pub fn by(at: &str) -> By {
    By::new(text("operator"), time(at))
}

/// A GitHub account.
pub fn github(id: &str) -> Identity {
    format!("identity:github:{id}").parse().unwrap()
}

/// A claimant that nobody has bound.
pub fn unbound(id: &str) -> Claimant {
    Claimant::Identity(github(id))
}

/// The id of an event of [`event`].
pub fn event_id(name: &str) -> EventId {
    format!("github:pr:1:{name}").parse().unwrap()
}

/// A user of a number.
pub fn user(number: u8) -> UserId {
    UserId::from_random([number; 16])
}

/// Units.
pub fn units(value: u128) -> Units {
    Units::single(value).unwrap()
}

/// Credits.
pub fn credits(value: u128) -> Credits {
    Credits::single(value).unwrap()
}

/// An approver's key.
pub fn approver(number: u8) -> SigningKey {
    SigningKey::from_seed(format!("approver-{number}").parse().unwrap(), KeyUse::Approver, [number; 32])
}

/// k of the first n approvers.
pub fn set_of(threshold: u8, keys: &[SigningKey]) -> ApproverSet {
    ApproverSet::new(threshold, keys.iter().map(|key| key.verifier_key().clone()).collect()).unwrap()
}

/// An event of one author; `payload` tells contents apart.
pub fn event_with(name: &str, authors: &str, at: &str, payload: &str) -> NewEvent {
    let line = format!(
        r#"{{"id":"{}","source":"github","source_ref":"1","event_type":"pr_merged","authors":{authors},
        "payload_hash":"{}","producer":"test","producer_version":"1","event_time":"{at}",
        "retrieved_at":"2026-02-20T00:00:00Z","metadata":{{"title":"{name}"}}}}"#,
        event_id(name),
        Hash::of(payload.as_bytes()),
    );
    NewEvent::parse(line.as_bytes(), time(LATER)).unwrap()
}

/// An event of one author.
pub fn event(name: &str, author: &str, at: &str) -> NewEvent {
    event_with(name, &format!(r#"[{{"provider":"github","id":"{author}"}}]"#), at, name)
}

/// A pool component.
pub fn component(id: &str, amount: u128) -> PoolComponent {
    PoolComponent::new(id.parse().unwrap(), credits(amount), "v1", Hash::of(b"{}"), None).unwrap()
}

/// The terms of a scope that pays 10,000 an epoch.
pub fn terms(key: &str) -> ScopeTerms {
    ScopeTerms {
        key: key.parse().unwrap(),
        unit: Unit::default(),
        unlinked: Unlinked::Claim,
        weights: Weights::defaults().unwrap(),
        window_days: WindowDays::WEEK,
        base_issuance: Some(credits(10_000)),
    }
}

/// Evidence of a binding.
pub fn evidence(word: &str) -> Evidence {
    Evidence::parse(format!(r#"{{"word":"{word}"}}"#).as_bytes(), [9; 32]).unwrap()
}

/// The refusal that an answer is.
pub fn refusal<T: std::fmt::Debug>(answer: Result<T, LedgerError>) -> Rejection {
    match answer {
        Err(LedgerError::Rejected(rejection)) => rejection,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// The code of the refusal that an answer is.
pub fn code<T: std::fmt::Debug>(answer: Result<T, LedgerError>) -> RejectionCode {
    refusal(answer).code
}

impl World {
    /// A node without scopes, with five approvers' keys at hand.
    pub fn new() -> Self {
        let (folder, path, ledger) = new_ledger();
        Self { folder, path, ledger, approvers: (1..=5).map(approver).collect() }
    }

    /// A ledger whose first epoch is closed with one event and frozen, and which its first approver has signed.
    pub fn signed_once() -> (Self, ScopeId, EpochNumber, Draft) {
        let world = Self::new();
        let scope = world.scope("default");
        let first = world.open(scope, WEEK_1);
        world.commit(scope, "a1", ALICE, WEEK_1);
        world.close(scope, first);
        let draft = world.freeze(scope, first);
        world.approve(scope, first, &draft, &[0]);
        (world, scope, first, draft)
    }

    /// What is durable now.
    pub fn snapshot(&self) -> Snapshot {
        self.ledger.snapshot().unwrap()
    }

    /// What a refused command leaves as it was: both logs, and all that the ledger says of its scopes, as one text.
    pub fn facts(&self) -> String {
        let snapshot = self.snapshot();
        let logs = LogKind::ALL.map(|log| snapshot.log_state(log).unwrap());
        let scopes = snapshot.scopes().unwrap();
        let mut facts = format!(
            "{logs:?} {scopes:?} {:?} {:?}",
            snapshot.bindings().unwrap(),
            snapshot.conflicts().unwrap()
        );
        for scope in scopes {
            let decisions = snapshot.decisions(scope.id, 0, u64::MAX).unwrap();
            let sets = snapshot.approver_sets(scope.id).unwrap();
            let pending = snapshot.pending_approvers(scope.id).unwrap();
            let _ = write!(facts, "\n{decisions:?} {sets:?} {pending:?}");
            for epoch in snapshot.epochs(scope.id).unwrap() {
                let (pool, drafts) = (
                    snapshot.pool(scope.id, epoch.number).unwrap(),
                    snapshot.drafts(scope.id, epoch.number).unwrap(),
                );
                let signatures = snapshot.signatures(scope.id, epoch.number).unwrap();
                let _ = write!(facts, "\n{epoch:?} {pool:?} {drafts:?} {signatures:?}");
            }
        }
        facts
    }

    /// A scope that pays 10,000 an epoch and whose approvers are the first three, two of whom must sign.
    pub fn scope(&self, key: &str) -> ScopeId {
        let scope = self.bare_scope(key);
        let set = set_of(2, &self.approvers[..3]);
        let outcome = self.ledger.set_approvers(scope, set, by(WEEK_1)).unwrap();
        assert!(matches!(outcome, ApproverSetOutcome::InForce(_)));
        scope
    }

    /// A scope that pays 10,000 an epoch and has no approvers.
    pub fn bare_scope(&self, key: &str) -> ScopeId {
        self.ledger.add_scope(terms(key), by(WEEK_1)).unwrap().id
    }

    /// Opens the week that holds a moment.
    pub fn open(&self, scope: ScopeId, at: &str) -> EpochNumber {
        self.ledger.open_epoch(scope, time(at), by(at)).unwrap().number
    }

    /// Opens an epoch and leaves out this many windows before it.
    pub fn open_after(&self, scope: ScopeId, at: &str, skipped: u64) -> EpochNumber {
        let terms = OpenTerms { skipped, ahead: false };
        self.ledger.open_epoch_on(scope, time(at), terms, by(at)).unwrap().number
    }

    /// Appends events.
    pub fn append(&self, scopes: &[ScopeId], events: Vec<NewEvent>) -> AppendReport {
        let salts: Vec<_> = (0..=u8::MAX).cycle().map(|number| [number; 32]).take(events.len()).collect();
        let batch = EventBatch::prepare(events, scopes.to_vec(), salts, time(LATER)).unwrap();
        self.ledger.append(batch).unwrap()
    }

    /// Appends one merged pull request; it weighs 1,000.
    pub fn commit(&self, scope: ScopeId, name: &str, author: &str, at: &str) -> AppendOutcome {
        self.append(&[scope], vec![event(name, author, at)]).outcomes[0].clone()
    }

    /// Closes an epoch long after its window.
    pub fn close(&self, scope: ScopeId, epoch: EpochNumber) {
        self.ledger.close_epoch(scope, epoch, None, by(LATER)).unwrap();
    }

    /// Freezes a draft.
    pub fn freeze(&self, scope: ScopeId, epoch: EpochNumber) -> Draft {
        self.ledger.freeze(scope, epoch, 14, by(LATER)).unwrap()
    }

    /// An approver's signature of a draft, an hour after it was frozen.
    pub fn sign(&self, draft: &Draft, approver: usize) -> SignatureLine {
        let text = NoteText::new(draft.statement.to_string()).unwrap();
        self.approvers[approver].cosign(&text, draft.at.as_seconds() + 3_600).unwrap()
    }

    /// Adds the signatures of these approvers.
    pub fn approve(&self, scope: ScopeId, epoch: EpochNumber, draft: &Draft, approvers: &[usize]) {
        for number in approvers {
            let line = self.sign(draft, *number);
            self.ledger.add_signature(scope, epoch, line, draft.at).unwrap();
        }
    }

    /// Finalizes the current draft.
    pub fn finalize(&self, scope: ScopeId, epoch: EpochNumber) -> FinalStatement {
        self.ledger.finalize(scope, epoch, by(LATER)).unwrap()
    }

    /// Freezes, has the first two approvers sign, and finalizes.
    pub fn finish(&self, scope: ScopeId, epoch: EpochNumber) -> FinalStatement {
        let draft = self.freeze(scope, epoch);
        self.approve(scope, epoch, &draft, &[0, 1]);
        self.finalize(scope, epoch)
    }

    /// Closes and finishes an epoch.
    pub fn complete(&self, scope: ScopeId, epoch: EpochNumber) -> FinalStatement {
        self.close(scope, epoch);
        self.finish(scope, epoch)
    }

    /// Adds a user and binds a GitHub account to it.
    pub fn bind(&self, account: &str, number: u8) {
        self.ledger.add_user(user(number), None, by(WEEK_1)).unwrap();
        self.ledger.bind(github(account), user(number), evidence(account), by(WEEK_1)).unwrap();
    }

    /// What each event of an epoch gives by the decisions of now, in the order of the log.
    pub fn activity(&self, scope: ScopeId, epoch: EpochNumber) -> Vec<Activity> {
        let snapshot = self.snapshot();
        let entries = snapshot.epoch_entries(scope, epoch).unwrap();
        let state = snapshot.state_at(scope, snapshot.decisions_size(scope).unwrap()).unwrap();
        let curated = snapshot.curated(scope, epoch, &entries, &state).unwrap();
        curated.into_iter().map(|curated| curated.activity).collect()
    }

    /// The trust file of a scope.
    pub fn trust(&self, scope: ScopeId) -> Trust {
        self.snapshot().trust(scope, None).unwrap()
    }

    /// The proof file of a claimant in the statement in force, through its bytes, which are the same within a frame.
    pub fn proof(&self, scope: ScopeId, epoch: EpochNumber, claimant: &Claimant) -> Proof {
        let snapshot = self.snapshot();
        let file = snapshot.proof(scope, epoch, Which::Final, claimant, SetVersion::FIRST).unwrap().to_file();
        let frame = snapshot.proof_frame(scope, epoch, Which::Final, SetVersion::FIRST).unwrap();
        assert_eq!(snapshot.proof_file(&frame, claimant).unwrap(), file, "{claimant}");
        Proof::parse(&file).unwrap()
    }

    /// Verifies the payout of a claimant by the rulebook alone.
    pub fn verified(&self, scope: ScopeId, epoch: EpochNumber, claimant: &Claimant) -> VerifiedPayout {
        match self.proof(scope, epoch, claimant) {
            Proof::Payout(proof) => verify(&proof, &self.trust(scope)).unwrap(),
            Proof::Absence(_) => panic!("expected a payout of {claimant}, got its absence"),
        }
    }

    /// Verifies by the rulebook alone that a claimant is not in the statement in force.
    pub fn verify_absent(&self, scope: ScopeId, epoch: EpochNumber, claimant: &Claimant) {
        match self.proof(scope, epoch, claimant) {
            Proof::Payout(_) => panic!("expected the absence of {claimant}, got a payout"),
            Proof::Absence(proof) => {
                verify_absence(&proof, &self.trust(scope)).unwrap();
            }
        }
    }
}
