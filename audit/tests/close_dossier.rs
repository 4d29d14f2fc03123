//! Dossiers: written and read back, recomputed, and refused when anything in them is another.
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

mod rules_support;

use meed_audit::RejectionCode::{self, *};
use meed_audit::approvers::ApproverSetText;
use meed_audit::close::{ClosedEpoch, EpochInput, close};
use meed_audit::decision::{Change, Decision};
use meed_audit::dossier::{Dossier, LogGrowth, PreviousEpoch};
use meed_audit::hash::{EMPTY_ROOT, Hash};
use meed_audit::ids::Revision;
use meed_audit::leaf::Leaf;
use meed_audit::merkle::Tree;
use meed_audit::policy::Unlinked;
use meed_audit::pool::Pool;
use meed_audit::statement::Statement;
use meed_keys::{Note, NoteText};
use rules_support::*;

/// The text with the node's line under its own origin.
fn issued(text: &NoteText) -> String {
    let origin = text.as_str().lines().next().expect("a line");
    let line = log_key_as(origin).sign_note(text).expect("signs");
    Note::new(text.clone(), vec![line]).expect("note").to_string()
}

/// The text as the log holds it: with the node's line and two approvals an hour before `Sign By`.
fn approved(statement: &Statement) -> String {
    let text = statement.note_text().expect("text");
    let time_seconds = statement.sign_by.as_seconds() - 3_600;
    let issued = Note::parse(issued(&text)).expect("note");
    let sign = |note: Note, name_seed: (&str, u8)| {
        let line = approver(name_seed.0, name_seed.1).cosign(&text, time_seconds).expect("signs");
        note.with_signature(line).expect("note")
    };
    [("alice", 1), ("bob", 2)].into_iter().fold(issued, sign).to_string()
}

fn set_note(set: &ApproverSetText) -> String {
    issued(&set.note_text().expect("text"))
}

/// The decision on the pool of epoch 1.
fn first_pool() -> Decision {
    let (_, change) = pooled("base_issuance", 10_000);
    decide(&[(Some(1), change)]).remove(0)
}

fn events_tree(input: &EpochInput) -> Tree {
    Tree::build(input.events.iter().map(|entry| entry.event_hash))
}

/// The example of `SPEC.md` as a dossier: epoch 1, which has none of its events, pinned none of them.
fn dossier() -> Dossier {
    dossier_pinning(0)
}

/// The same, where the first `pinned` events had entered the log when epoch 1 closed.
fn dossier_pinning(pinned: u64) -> Dossier {
    let mut first = example_input();
    let tree = events_tree(&first);
    let size = usize::try_from(pinned).expect("small");
    let root = Tree::build(first.events.iter().take(size).map(|entry| entry.event_hash)).root();
    first.windows = vec![week(1, "2026-11-02T00:00:00Z", pinned)];
    first.events.clear();
    first.decisions = vec![first_pool()];
    (first.events_root, first.draft.previous) = (root, None);
    let before = close(&first).expect("closes");
    let mut input = example_input();
    input.decisions.insert(0, first_pool());
    input.windows[0].log_size = Some(pinned);
    input.draft.previous = Some(before.statement.text_hash());
    let statement = close(&input).expect("closes").statement;
    Dossier {
        note: issued(&statement.note_text().expect("text")),
        log_key: log_key_as(&input.events_log).verifier_key().clone(),
        approver_notes: vec![set_note(&input.approvers)],
        growth: vec![LogGrowth {
            from_size: pinned,
            from_root: root,
            to_size: 5,
            to_root: input.events_root,
            path: tree.consistency_path(pinned, 5).expect("sizes"),
        }],
        earlier: Vec::new(),
        previous: Some(final_statement(before)),
        superseded: None,
        input,
    }
}

/// An epoch that was approved and is final.
fn final_statement(closed: ClosedEpoch) -> PreviousEpoch {
    PreviousEpoch {
        note: approved(&closed.statement),
        statement: closed.statement,
        allocations: closed.allocations,
    }
}

/// What came before takes its place in the chain, and `closed` is the last statement now.
fn then(dossier: &mut Dossier, closed: ClosedEpoch) {
    let before = dossier.previous.replace(final_statement(closed));
    dossier.earlier.extend(before.map(|before| before.statement));
}

fn written(dossier: &Dossier) -> String {
    let mut bytes = Vec::new();
    dossier.write(&mut bytes).expect("writes");
    String::from_utf8(bytes).expect("text")
}

fn read(text: &[u8]) -> Result<Dossier, RejectionCode> {
    Dossier::read(&mut &*text).map_err(|rejection| rejection.code)
}

/// The text of the statement that a dossier's bytes recompute to.
fn recomputed(text: &[u8]) -> Result<String, RejectionCode> {
    let closed = read(text)?.recompute().map_err(|rejection| rejection.code)?;
    Ok(closed.statement.to_string())
}

#[test]
fn dossiers_are_read_as_they_were_written_and_recompute() {
    let text = written(&dossier());
    let again = read(text.as_bytes()).expect("reads");
    assert_eq!(written(&again), text);
    let statement = close(&dossier().input).expect("closes").statement.to_string();
    assert_eq!(recomputed(text.as_bytes()), Ok(statement));
}

#[test]
fn a_dossier_without_one_of_its_lines_is_refused() {
    let text = written(&dossier());
    let lines: Vec<&str> = text.lines().collect();
    for place in 0..lines.len() {
        let mut fewer = lines.clone();
        fewer.remove(place);
        assert!(read(format!("{}\n", fewer.join("\n")).as_bytes()).is_err(), "without {}", lines[place]);
        // Counted right, it is found out by what it computes.
        let count = format!("{{\"kind\":\"end\",\"lines\":\"{}\"}}", fewer.len() - 1);
        if place + 1 < lines.len() {
            *fewer.last_mut().expect("an end") = &count;
            let result = recomputed(format!("{}\n", fewer.join("\n")).as_bytes());
            assert!(result.is_err(), "without {}", lines[place]);
        }
    }
}

/// Every byte of a dossier changed: it is refused, or the same statement comes out.
#[test]
fn no_changed_byte_changes_the_statement() {
    let text = written(&dossier()).into_bytes();
    let statement = close(&dossier().input).expect("closes").statement.to_string();
    for place in 0..text.len() {
        let mut changed = text.clone();
        changed[place] ^= if changed[place].is_ascii_digit() { 1 } else { 0x20 };
        if let Ok(other) = recomputed(&changed) {
            assert_eq!(other, statement, "byte {place}");
        }
    }
}

#[test]
fn what_does_not_belong_to_the_statement_is_refused() {
    let refused = |change: fn(&mut Dossier)| {
        let mut changed = dossier();
        change(&mut changed);
        changed.recompute().map(|_| ()).map_err(|rejection| rejection.code)
    };
    assert_eq!(refused(|_| {}), Ok(()));
    assert_eq!(refused(|d| drop(d.input.decisions.remove(1))), Err(RecomputationDiffers));
    assert_eq!(refused(|d| drop(d.input.decisions.pop())), Err(Mismatch), "the pool's decision");
    assert_eq!(refused(|d| drop(d.input.events.remove(0))), Err(RecomputationDiffers));
    assert_eq!(refused(|d| d.input.pool = pool(10_001)), Err(Mismatch));
    assert_eq!(
        refused(|d| d.log_key = log_key_as("other").verifier_key().clone()),
        Ok(()),
        "the name says nothing"
    );
    assert_eq!(refused(|d| d.log_key = verifier("alice", 1)), Err(SignatureInvalid), "another's key");
    assert_eq!(refused(|d| d.approver_notes.clear()), Err(InputIncomplete));
    assert_eq!(refused(|d| d.approver_notes.push(d.approver_notes[0].clone())), Err(Mismatch));
    assert_eq!(refused(|d| d.growth.clear()), Err(ConsistencyInvalid), "growth left out");
    assert_eq!(refused(|d| d.growth[0].to_size = 4), Err(ConsistencyInvalid), "not to the pinned size");
    assert_eq!(refused(|d| d.growth[0].to_root = Hash::of(b"x")), Err(ConsistencyInvalid), "to another root");
    assert_eq!(refused(|d| d.growth[0].from_root = Hash::of(b"x")), Err(ConsistencyInvalid));
    assert_eq!(refused(|d| d.growth[0].path.push(EMPTY_ROOT)), Err(ConsistencyInvalid));
    assert_eq!(
        refused(|d| d.previous.as_mut().expect("one").statement.sign_by = at("2026-12-02T00:00:00Z")),
        Err(Mismatch)
    );
}

/// An amendment of epoch 1 after epoch 2: the statement before is epoch 2's, the one that it supersedes epoch 1's.
fn amendment() -> Dossier {
    let later = dossier();
    let last = close(&later.input).expect("closes");
    let first = later.previous.expect("epoch 1");
    let mut input = later.input;
    input.windows.truncate(1);
    (input.events, input.events_root) = (Vec::new(), EMPTY_ROOT);
    input.decisions.extend(decide(&[(Some(1), Change::Amend)]));
    input.draft.revision = Revision::FIRST.next();
    input.draft.previous = Some(last.statement.text_hash());
    input.draft.supersedes = Some(first.statement.text_hash());
    let statement = close(&input).expect("closes").statement;
    Dossier {
        note: issued(&statement.note_text().expect("text")),
        log_key: later.log_key,
        approver_notes: later.approver_notes,
        growth: Vec::new(),
        earlier: vec![first.statement.clone()],
        previous: Some(final_statement(last)),
        superseded: Some(first),
        input,
    }
}

#[test]
fn an_amendment_comes_with_the_statement_that_it_supersedes() {
    let amendment = amendment();
    let text = written(&amendment);
    assert!(text.contains(r#"{"kind":"superseded","#), "{text}");
    let again = read(text.as_bytes()).expect("reads");
    let epoch = again.superseded.as_ref().map(|before| before.statement.epoch.get());
    assert_eq!(epoch, Some(1));
    assert!(again.recompute().is_ok(), "{:?}", again.recompute().map(|_| ()));
    let refused = |change: &dyn Fn(&mut Dossier)| {
        let mut changed = amendment.clone();
        change(&mut changed);
        changed.recompute().map(|_| ()).map_err(|rejection| rejection.code)
    };
    assert_eq!(refused(&|d| d.superseded = None), Err(Mismatch), "left out");
    assert_eq!(refused(&|d| d.superseded.clone_from(&d.previous)), Err(Mismatch), "another");
    let unsigned = |d: &mut Dossier| {
        let before = d.superseded.as_mut().expect("one");
        before.note = issued(&before.statement.note_text().expect("text"));
    };
    assert_eq!(refused(&unsigned), Err(QuorumMissing), "never approved");
    let mut ordinary = dossier();
    ordinary.superseded.clone_from(&ordinary.previous);
    let code = ordinary.recompute().map(|_| ()).map_err(|rejection| rejection.code);
    assert_eq!(code, Err(Mismatch), "a draft that corrects nothing");
}

/// A log that was rewritten between two closes is found out, with every size and root right by itself.
#[test]
fn a_rewritten_log_does_not_grow() {
    let mut changed = dossier_pinning(2);
    let recompute = |dossier: &Dossier| dossier.recompute().map(|_| ()).map_err(|rejection| rejection.code);
    assert_eq!(recompute(&changed), Ok(()));
    let other = Tree::build(changed.input.events.iter().rev().take(2).map(|entry| entry.event_hash));
    changed.growth[0].from_root = other.root();
    assert_eq!(recompute(&changed), Err(ConsistencyInvalid));
}

/// An amendment of epoch 1 has no growth: its log is still that of the statement which it corrects.
#[test]
fn an_amendment_of_the_first_epoch_keeps_the_log_of_its_statement() {
    let mut rewritten = amendment();
    assert!(offered(rewritten.clone()).recompute().is_ok());
    rewritten.input.events_root = Hash::of(b"another log");
    let refused = offered(rewritten).recompute().expect_err("another log of the same size");
    assert_eq!((refused.code, refused.subject.as_str()), (ConsistencyInvalid, "events log"));
}

/// Who else signed the first set would have to be checked; the node alone makes it.
#[test]
fn the_first_approver_set_has_the_nodes_signature_alone() {
    let mut signed = dossier();
    let note = Note::parse(signed.approver_notes[0].clone()).expect("note");
    let line = approver("alice", 1).cosign(note.text(), 1).expect("signs");
    signed.approver_notes[0] = note.with_signature(line).expect("note").to_string();
    let refused = signed.recompute().expect_err("a signature that nobody asked for");
    assert_eq!((refused.code, refused.subject.as_str()), (SignerUnknown, "approver set"));
}

/// A correction of the example's epoch, of which everything but the exclusion stays.
fn correction() -> Dossier {
    let mut corrected = dossier();
    let before = close(&corrected.input).expect("closes");
    let hash = before.statement.text_hash();
    let input = &mut corrected.input;
    input.decisions.extend(decide(&[(Some(2), Change::Amend)]));
    input.draft.revision = input.draft.revision.next();
    (input.draft.previous, input.draft.supersedes) = (Some(hash), Some(hash));
    then(&mut corrected, before);
    offered(corrected)
}

/// The dossier with the draft that it recomputes to.
fn offered(mut dossier: Dossier) -> Dossier {
    let statement = close(&dossier.input).expect("closes").statement;
    dossier.note = issued(&statement.note_text().expect("text"));
    dossier
}

/// What a node could offer with every number computed right: it must still go on from the statement before.
#[test]
fn a_draft_goes_on_from_the_statement_before() {
    let refused = |change: fn(&mut Dossier)| {
        let mut changed = correction();
        change(&mut changed);
        offered(changed).recompute().map(|_| ()).map_err(|rejection| (rejection.code, rejection.subject))
    };
    let mismatch = |subject: &str| Err((Mismatch, subject.to_owned()));
    assert_eq!(refused(|_| {}), Ok(()));
    let again = |d: &mut Dossier| {
        (d.input.draft.supersedes, d.input.draft.revision) = (None, Revision::FIRST);
        d.input.decisions.pop();
    };
    assert_eq!(refused(again), mismatch("epoch"), "the same epoch once more, as if nothing were final");
    assert_eq!(refused(|d| d.input.draft.supersedes = Some(Hash::of(b"x"))), mismatch("superseded"));
    let other_pool = |d: &mut Dossier| {
        let mut part = component("base_issuance", 10_000);
        part.evidence_ref = Some(free("other evidence"));
        d.input.pool = Pool::from_components([part]).expect("pool");
    };
    assert_eq!(refused(other_pool), mismatch("amendment"));
    assert_eq!(refused(|d| d.input.policy.unlinked = Unlinked::Exclude), mismatch("amendment"));
    // The decision that began an earlier amendment does not begin another.
    let mut twice = correction();
    let before = close(&twice.input).expect("closes");
    let hash = before.statement.text_hash();
    then(&mut twice, before);
    (twice.input.draft.previous, twice.input.draft.supersedes) = (Some(hash), Some(hash));
    let lower = offered(twice.clone()).recompute().expect_err("the same revision again");
    assert_eq!((lower.code, lower.subject.as_str()), (Mismatch, "revision"));
    twice.input.draft.revision = twice.input.draft.revision.next();
    let unbegun = offered(twice.clone()).recompute().expect_err("nobody began it");
    assert_eq!((unbegun.code, unbegun.subject.as_str()), (Mismatch, "amendment"));
    twice.input.decisions.extend(decide(&[(Some(2), Change::Amend)]));
    assert!(offered(twice).recompute().is_ok());
}

/// Epoch 3 after epoch 2, without events of its own: its dossier tells of two earlier windows.
fn third() -> Dossier {
    let mut third = dossier();
    let last = close(&third.input).expect("closes");
    let size = third.input.windows[1].log_size.expect("pinned");
    third.growth.push(LogGrowth {
        from_size: size,
        from_root: third.input.events_root,
        to_size: size,
        to_root: third.input.events_root,
        path: Vec::new(),
    });
    third.input.windows.push(week(3, "2026-11-16T00:00:00Z", size));
    third.input.events.clear();
    third.input.draft.previous = Some(last.statement.text_hash());
    third.input.draft.sign_by = at("2026-12-08T09:00:00Z");
    third.input.decisions.extend(decide(&[(Some(3), pooled("base_issuance", 10_000).1)]));
    then(&mut third, last);
    offered(third)
}

/// Rule `EPOCH_BY_EVENT_TIME`: which events are late follows from the windows of all earlier epochs, so that none of
/// them may be told another way to a later approver, nor left to the node's word.
#[test]
fn the_windows_of_all_earlier_epochs_are_those_of_their_statements() {
    let refused = |change: &dyn Fn(&mut Dossier)| {
        let mut changed = third();
        change(&mut changed);
        offered(changed).recompute().map(|_| ()).map_err(|rejection| (rejection.code, rejection.subject))
    };
    let mismatch = |subject: &str| Err((Mismatch, subject.to_owned()));
    assert_eq!(refused(&|_| {}), Ok(()));
    let text = written(&third());
    assert_eq!(written(&read(text.as_bytes()).expect("reads")), text);
    assert!(text.contains(r#"{"kind":"earlier","text":""#), "{text}");
    // A window that begins weeks earlier would make events of before the scope late ones, and pay them.
    let wider = |d: &mut Dossier| d.input.windows[0] = week(1, "2026-10-26T00:00:00Z", 0);
    assert_eq!(refused(&wider), mismatch("window of epoch 1"));
    // A smaller pinned size would make what was paid already late, and pay it again.
    let smaller = |d: &mut Dossier| {
        d.input.windows[1].log_size = Some(0);
        (d.growth[0].to_size, d.growth[0].to_root) = (0, EMPTY_ROOT);
        (d.growth[1].from_size, d.growth[1].from_root) = (0, EMPTY_ROOT);
        d.growth.iter_mut().for_each(|growth| growth.path.clear());
    };
    assert_eq!(refused(&smaller), Err((ConsistencyInvalid, "events log".to_owned())));
    assert_eq!(refused(&|d| d.earlier.clear()), mismatch("earlier statements"));
    assert_eq!(refused(&|d| d.earlier.push(d.earlier[0].clone())), mismatch("earlier statement"));
    assert_eq!(
        refused(&|d| d.earlier[0].sign_by = at("2026-12-02T00:00:00Z")),
        mismatch("earlier statement")
    );
}

#[test]
fn a_draft_corrects_the_last_statement_of_its_epoch() {
    // Epoch 1 was corrected after epoch 2; whoever corrects it again corrects the correction.
    let mut again = amendment();
    let corrected = close(&again.input).expect("closes");
    let first = again.superseded.clone().expect("epoch 1");
    let hash = corrected.statement.text_hash();
    again.input.draft.revision = again.input.draft.revision.next();
    again.input.decisions.extend(decide(&[(Some(1), Change::Amend)]));
    (again.input.draft.previous, again.input.draft.supersedes) = (Some(hash), Some(hash));
    then(&mut again, corrected);
    again.superseded = None;
    assert!(offered(again.clone()).recompute().is_ok());
    again.input.draft.supersedes = Some(first.statement.text_hash());
    again.superseded = Some(first);
    let refused = offered(again).recompute().expect_err("an older statement");
    assert_eq!((refused.code, refused.subject.as_str()), (Mismatch, "supersedes"));
}

/// What is final is not taken back: a node could otherwise bring back what a correction had taken out.
#[test]
fn an_amendment_that_is_final_is_not_given_up() {
    let mut corrected = correction();
    let before = close(&corrected.input).expect("closes");
    let hash = before.statement.text_hash();
    then(&mut corrected, before);
    (corrected.input.draft.previous, corrected.input.draft.supersedes) = (Some(hash), Some(hash));
    corrected.input.draft.revision = corrected.input.draft.revision.next();
    let decided = |more: &[Change]| {
        let mut changed = corrected.clone();
        // What came before says which of these may be decided.
        let changes: Vec<_> =
            [Change::Amend].iter().chain(more).map(|change| (Some(2), change.clone())).collect();
        changed.input.decisions.extend(decide(&changes).into_iter().skip(1));
        offered(changed).recompute().map(|_| ()).map_err(|rejection| (rejection.code, rejection.subject))
    };
    let given_up = [Change::Amend, Change::Abandon, Change::Amend];
    assert_eq!(decided(&given_up), Ok(()), "begun after the statement, given up, begun again");
    let taken_back = [Change::Abandon, Change::Amend];
    assert_eq!(decided(&taken_back), Err((Mismatch, "amendment of epoch 2".to_owned())));
}

#[test]
fn dossiers_that_were_cut_off_or_padded_are_refused() {
    let text = written(&dossier());
    for length in 0..text.len() {
        assert!(read(&text.as_bytes()[..length]).is_err(), "cut to {length} bytes");
    }
    let end = text.lines().last().expect("an end").to_owned();
    for more in ["\n", &format!("{end}\n"), "{}\n", " "] {
        assert!(read(format!("{text}{more}").as_bytes()).is_err(), "with {more:?} after the end");
    }
    let header = text.lines().next().expect("a header");
    assert_eq!(
        read(text.replacen(header, &format!("{header}\n{header}"), 1).as_bytes()).err(),
        Some(InputIncomplete)
    );
    let long = format!("{{\"kind\":\"pool\",\"leaf\":\"{}\"}}\n", "x".repeat(600_000));
    assert_eq!(read(long.as_bytes()).err(), Some(InputTooLarge));
    assert_eq!(read(b"\xff\n").err(), Some(NotUtf8));
    let event = dossier().input.events[0].event.encode();
    let shown = String::from_utf8(event).expect("text").replace('"', "\\\"");
    assert!(text.contains(&shown), "leaves stand verbatim, as JSON strings");
}
