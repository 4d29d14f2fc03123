//! A scripted life of two scopes, and what `fsck` says of it, whole and tampered with.

use meed_audit::hash::Hash;
use meed_audit::ids::ScopeId;
use meed_audit::merkle;
use meed_audit::proof::Proof;
use meed_audit::statement::Statement;
use meed_audit::verify::{verify, verify_absence};
use meed_keys::Note;
use meed_storage::{Key, Ledger, LogKind, RawReader, Record, Snapshot, Table, Which};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeTuple};

use crate::support::life::live;
use crate::support::world::*;
use crate::support::{log_key, signing};

#[test]
fn a_life_holds_every_rule_also_after_reopening() {
    let life = live();
    let world = life.world;
    let report = world.snapshot().fsck(&mut |_| {});
    assert_eq!(report.problems, []);
    let before = world.snapshot().log_state(LogKind::Statements).unwrap();
    for scope in [life.one, life.two] {
        check_every_proof(&world, scope);
    }
    let World { folder, path, ledger, .. } = world;
    drop(ledger);
    let ledger = Ledger::open(&path, signing()).unwrap();
    let snapshot = ledger.snapshot().unwrap();
    assert_eq!(snapshot.fsck(&mut |_| {}).problems, []);
    assert_eq!(snapshot.log_state(LogKind::Statements).unwrap(), before);
    drop(folder);
}

fn check_every_proof(world: &World, scope: meed_audit::ids::ScopeId) {
    let snapshot = world.snapshot();
    let trust = world.trust(scope);
    for last in snapshot.final_statements(scope).unwrap() {
        let (epoch, which) = (last.statement.epoch, Which::Revision(last.statement.revision));
        let rows = snapshot.allocations(scope, epoch, which, None, usize::MAX).unwrap();
        assert_eq!(u64::try_from(rows.len()).unwrap(), last.statement.allocations_count);
        let leaves = rows.iter().map(meed_audit::leaf::Leaf::leaf_hash);
        let hashes: Vec<_> = std::iter::once(last.statement.leaf_zero_hash()).chain(leaves).collect();
        assert_eq!(merkle::root(&hashes), last.statement.root);
        let absent = [unbound("1"), unbound("9999999")];
        for claimant in rows.iter().map(|row| row.claimant.clone()).chain(absent) {
            match snapshot.proof(scope, epoch, which, &claimant, meed_audit::ids::SetVersion::FIRST).unwrap()
            {
                Proof::Payout(proof) => {
                    let verified = verify(&proof, &trust).unwrap();
                    assert_eq!(Some(verified.allocation()), rows.iter().find(|row| row.claimant == claimant));
                }
                Proof::Absence(proof) => {
                    verify_absence(&proof, &trust).unwrap();
                    assert!(rows.iter().all(|row| row.claimant != claimant));
                }
            }
        }
        let dossier = snapshot.dossier(scope, epoch, which).unwrap();
        assert_eq!(dossier.recompute().unwrap().statement, last.statement);
    }
}

/// A key or record as the bytes that it is, so that a test can write what no command would.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Raw(Vec<u8>);

impl Key for Raw {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn read(input: &mut &[u8]) -> Option<Self> {
        Some(Self(std::mem::take(input).to_vec()))
    }
}

impl Record for Raw {}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        self.0.iter().try_for_each(|byte| tuple.serialize_element(byte))?;
        tuple.end()
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("a raw record is only written"))
    }
}

/// The key and body of every record of a table.
pub(crate) fn records(snapshot: &Snapshot, table: &'static str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found = Vec::new();
    let all = (std::ops::Bound::Unbounded, std::ops::Bound::Unbounded);
    snapshot
        .raw_scan(table, all, false, &mut |key, sealed| {
            found.push((key.to_vec(), sealed[1..sealed.len() - 4].to_vec()));
            Ok(std::ops::ControlFlow::Continue(()))
        })
        .unwrap();
    found
}

/// Writes a record past every rule, checksum and all, or removes it.
pub(crate) fn put(ledger: &Ledger, table: &'static str, key: &[u8], body: Option<&[u8]>) {
    let (key, body) = (Raw(key.to_vec()), body.map(|body| Raw(body.to_vec())));
    ledger
        .run(move |tx| {
            let table = Table::<Raw, Raw>::new(table);
            match &body {
                Some(body) => tx.insert(table, &key, body)?,
                None => assert!(tx.remove(table, &key)?),
            }
            Ok(())
        })
        .unwrap();
}

/// Tables of the rules, and how many bytes from the start of a record some hash, text or other record binds: what
/// comes after it (who did it and when, where no text says so) is only under the record's checksum.
const BOUND: [(&str, usize); 16] = [
    ("decisions", usize::MAX),
    ("curations", usize::MAX),
    ("overrides", usize::MAX),
    ("scope_bindings", usize::MAX),
    ("claimant_changes", usize::MAX),
    ("amendments", usize::MAX),
    ("amended_curations", usize::MAX),
    ("amended_overrides", usize::MAX),
    ("bindings", usize::MAX),
    ("identity_events", usize::MAX),
    ("pool", usize::MAX),
    ("approver_sets", 300),
    ("drafts", 900),
    ("finals", 35),
    ("statement_chain", usize::MAX),
    ("allocations", usize::MAX),
];

/// Whether a draft takes the decision of this key in.
fn is_stated(snapshot: &Snapshot, key: &[u8]) -> bool {
    let (scope, sequence) = <(ScopeId, u64)>::from_bytes(key).unwrap();
    let epochs = snapshot.epochs(scope).unwrap();
    let drafts = epochs.iter().flat_map(|epoch| snapshot.drafts(scope, epoch.number).unwrap());
    drafts.into_iter().any(|draft| sequence < draft.decisions_size)
}

#[test]
fn fsck_notices_every_changed_removed_and_added_record() {
    let life = live();
    let world = life.world;
    let sound = |ledger: &Ledger| ledger.snapshot().unwrap().fsck(&mut |_| {}).is_sound();
    assert!(sound(&world.ledger));
    for (table, bound) in BOUND {
        let mut stored = records(&world.snapshot(), table);
        if table == "decisions" {
            // Those after the last freeze stand in no statement yet.
            stored.retain(|(key, _)| is_stated(&world.snapshot(), key));
        }
        assert!(!stored.is_empty(), "{table}");
        let step = stored.len().div_ceil(6);
        for (number, (key, body)) in stored.iter().enumerate().step_by(step) {
            put(&world.ledger, table, key, None);
            assert!(!sound(&world.ledger), "{table}: record {number} is missing");
            let places = bound.min(body.len());
            let mut changed = body.clone();
            changed[(number * 131 + 7) % places] ^= 1;
            put(&world.ledger, table, key, Some(&changed));
            assert!(
                !sound(&world.ledger),
                "{table}: record {number} is changed at {}",
                (number * 131 + 7) % places
            );
            put(&world.ledger, table, key, Some(body));
        }
        let (key, body) = stored.last().unwrap();
        let mut other = key.clone();
        let place = other.len().saturating_sub(2);
        other[place] = other[place].wrapping_add(1);
        put(&world.ledger, table, &other, Some(body));
        assert!(!sound(&world.ledger), "{table}: a record is added");
        put(&world.ledger, table, &other, None);
    }
    assert!(sound(&world.ledger));
}

/// A draft that the node signed and that the ledger does not give: who is asked to sign it would refuse, so that `fsck`
/// names it first.
#[test]
fn fsck_computes_the_draft_that_is_offered_again() {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.commit(scope, "a1", ALICE, WEEK_1);
    world.close(scope, first);
    let draft = world.freeze(scope, first);
    assert_eq!(world.snapshot().fsck(&mut |_| {}).problems, []);
    let forged = Statement { allocation_set_hash: Hash::of(b"others"), ..draft.statement.clone() };
    let text = forged.note_text().unwrap();
    let node = log_key().renamed(forged.origin_line().parse().unwrap());
    let note = Note::new(text.clone(), vec![node.sign_note(&text).unwrap()]).unwrap().to_string();
    assert_eq!(note.len(), draft.note.len());
    let (key, body) = records(&world.snapshot(), "drafts").pop().unwrap();
    let place = body.windows(note.len()).position(|bytes| bytes == draft.note.as_bytes()).unwrap();
    let mut changed = body.clone();
    changed[place..place + note.len()].copy_from_slice(note.as_bytes());
    put(&world.ledger, "drafts", &key, Some(&changed));
    let found = world.snapshot().fsck(&mut |_| {}).problems;
    assert_eq!(found.len(), 1, "{found:?}");
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((found[0].table.as_str(), found[0].key.as_str()), ("drafts", hex.as_str()));
    assert!(found[0].detail.starts_with("DRAFT_PINNED"), "{}", found[0]);
    // So it is while a final epoch is being amended.
    put(&world.ledger, "drafts", &key, Some(&body));
    world.finish(scope, first);
    world.ledger.amend(scope, first, crate::support::world::text("why"), by(LATER)).unwrap();
    world.bind(ALICE, 1);
    world.freeze(scope, first);
    assert_eq!(world.snapshot().fsck(&mut |_| {}).problems, []);
}

/// No command changes an event, and whoever writes into the file instead is found out, checksum and all.
#[test]
fn activity_append_only() {
    let world = live().world;
    let sound = |ledger: &Ledger| ledger.snapshot().unwrap().fsck(&mut |_| {}).is_sound();
    let mut edits = 0;
    for table in ["event_entries", "event_private", "event_tail"] {
        for (key, body) in &records(&world.snapshot(), table) {
            for place in (11 % body.len()..body.len()).step_by(53) {
                let mut edited = body.clone();
                edited[place] ^= 1;
                put(&world.ledger, table, key, Some(&edited));
                assert!(!sound(&world.ledger), "{table} was edited at byte {place}");
                edits += 1;
            }
            put(&world.ledger, table, key, Some(body));
        }
    }
    assert!(edits > 10, "{edits}");
    assert!(sound(&world.ledger));
}
