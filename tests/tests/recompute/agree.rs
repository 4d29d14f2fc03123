//! The two implementations accept and refuse the same dossiers: hundreds of small changes of one, each judged by both.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use meed_audit::RejectionCode;
use meed_audit::approve::node_verifier;
use meed_audit::decision::Change;
use meed_audit::dossier::Dossier;
use meed_audit::ids::{Claimant, ScopeId};
use meed_keys::NoteText;
use meed_storage::Which;

use crate::python;
use crate::support::log_key;
use crate::support::world::{
    ALICE, BOB, CAROL, LATER, WEEK_1, WEEK_2, World, by, event_id, set_of, text, time, unbound, units, user,
};

/// One digit or letter in so many is changed.
const STEP: usize = 13;

/// Two epochs, the second a draft under a second approver set, with a late event and decisions of most kinds.
fn dossier() -> String {
    let world = World::new();
    let scope = world.scope("default");
    let first = world.open(scope, WEEK_1);
    world.bind(BOB, 2);
    for (name, author) in [("a1", ALICE), ("b1", BOB), ("c1", CAROL)] {
        world.commit(scope, name, author, WEEK_1);
    }
    world.complete(scope, first);
    replace_approvers(&world, scope);
    let second = world.open(scope, WEEK_2);
    for (name, author, at) in [("a2", ALICE, WEEK_2), ("b2", BOB, WEEK_2), ("c2", CAROL, WEEK_1)] {
        world.commit(scope, name, author, at);
    }
    let decide = |change| world.ledger.decide(scope, second, change, text("as agreed"), by(LATER)).unwrap();
    decide(Change::Weight(event_id("a2"), units(700)));
    decide(Change::Exclude(event_id("b2")));
    decide(Change::Override(unbound(ALICE), units(250)));
    decide(Change::Shares(
        event_id("c2"),
        BTreeMap::from([(unbound(CAROL), 400_000), (Claimant::User(user(2)), 600_000)]),
    ));
    world.close(scope, second);
    world.freeze(scope, second);
    let mut bytes = Vec::new();
    world.snapshot().dossier(scope, second, Which::Draft).unwrap().write(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// The fourth approver instead of the third.
fn replace_approvers(world: &World, scope: ScopeId) {
    let keys = [0, 1, 3].map(|place: usize| world.approvers.get(place).unwrap().clone());
    world.ledger.set_approvers(scope, set_of(2, &keys), by(LATER)).unwrap();
    let pending = world.snapshot().pending_approvers(scope).unwrap().unwrap();
    let note = NoteText::new(pending.text.to_string()).unwrap();
    let lines = keys.iter().map(|key| key.cosign(&note, time(LATER).as_seconds()).unwrap()).collect();
    world.ledger.add_approver_signatures(scope, lines, time(LATER)).unwrap();
}

/// The text of these lines, whose last one counts them.
fn whole(lines: &[&str]) -> String {
    let mut body = lines.split_last().unwrap().1.join("\n");
    let count = lines.len() - 1;
    body.push_str(&format!("\n{{\"kind\":\"end\",\"lines\":\"{count}\"}}\n"));
    body
}

/// Changed dossiers by what was changed: lines that go, come twice or change places; flags; single characters.
fn changes(original: &str) -> BTreeMap<String, String> {
    let lines: Vec<&str> = original.lines().collect();
    let mut found = BTreeMap::from([("0-unchanged".to_owned(), original.to_owned())]);
    let kind = |line: &str| line.split('"').nth(3).unwrap().to_owned();
    for place in 0..lines.len() - 1 {
        let name = format!("{place:02}-{}", kind(lines[place]));
        let mut without = lines.clone();
        without.remove(place);
        found.insert(format!("{name}-gone"), whole(&without));
        let mut twice = lines.clone();
        twice.insert(place, lines[place]);
        found.insert(format!("{name}-twice"), whole(&twice));
        let mut swapped = lines.clone();
        swapped.swap(place, place + 1);
        found.insert(format!("{name}-swapped"), swapped.join("\n") + "\n");
        let mut routed = lines.clone();
        let flipped = lines[place].replace("\"routed\":false", "\"routed\":true");
        routed[place] = &flipped;
        found.insert(format!("{name}-routed"), whole(&routed));
    }
    let other_name =
        format!("\"log_key\":\"{}\"", node_verifier("another/events/1", log_key().public_key()).unwrap());
    let log_key = lines[0].split_once("\"log_key\":").unwrap().1.split_once(',').unwrap().0;
    let renamed = original.replace(&format!("\"log_key\":{log_key}"), &other_name);
    found.insert("z-log-key-renamed".to_owned(), renamed);
    let of_previous = |line: &&&str| !kind(line).starts_with("previous");
    let quiet: Vec<&str> = lines.iter().filter(of_previous).copied().collect();
    found.insert("z-no-previous".to_owned(), whole(&quiet));
    for (place, old) in original.char_indices().filter(|(_, each)| each.is_ascii_alphanumeric()).step_by(STEP)
    {
        let new = if old == '7' { '8' } else { '7' };
        let mut changed = original.to_owned();
        changed.replace_range(place..=place, &new.to_string());
        found.insert(format!("byte-{place:06}-{old}-to-{new}"), changed);
    }
    found
}

fn rust_accepts(text: &str) -> bool {
    Dossier::read(&mut text.as_bytes()).and_then(|dossier| dossier.recompute()).is_ok()
}

/// The files that Python accepts.
fn python_accepts(folder: &Path) -> Option<BTreeMap<String, bool>> {
    let output = python(&["recompute.py".as_ref(), "--each".as_ref(), folder.as_os_str()])?;
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let verdict = |line: &str| {
        let (name, verdict) = line.split_once(".ndjson ").unwrap();
        (name.to_owned(), verdict == "accepted")
    };
    Some(said.lines().map(verdict).collect())
}

/// The events' indexes of a dossier, all made the first one's: which statement it gives does not matter then.
#[test]
fn two_events_at_one_place_of_the_log_are_refused_in_reading() {
    let original = dossier();
    let events: Vec<&str> = original.lines().filter(|line| line.starts_with("{\"kind\":\"event\"")).collect();
    let start = |line: &str| line.split_once(",\"leaf\"").unwrap().0.to_owned();
    let (first, second) = (start(events[0]), start(events[1]));
    let changed = original.replacen(&second, &first, 1);
    let rejection = Dossier::read(&mut changed.as_bytes()).unwrap_err();
    assert_eq!(rejection.code, RejectionCode::DuplicateField, "{rejection}");
    assert!(Dossier::read(&mut original.as_bytes()).is_ok());
}

#[test]
fn both_implementations_accept_and_refuse_the_same_dossiers() {
    let changes = changes(&dossier());
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in &changes {
        fs::write(folder.path().join(format!("{name}.ndjson")), text).unwrap();
    }
    let Some(by_python) = python_accepts(folder.path()) else { return };
    let by_rust: BTreeMap<String, bool> =
        changes.iter().map(|(name, text)| (name.clone(), rust_accepts(text))).collect();
    let apart: Vec<String> = by_rust
        .iter()
        .filter(|(name, accepts)| by_python.get(*name) != Some(*accepts))
        .map(|(name, accepts)| format!("{name}: Rust {accepts}, Python {:?}", by_python.get(name)))
        .collect();
    assert!(apart.is_empty(), "{} of {}:\n{}", apart.len(), changes.len(), apart.join("\n"));
    assert_eq!(by_rust.get("0-unchanged"), Some(&true));
    let refused = by_rust.values().filter(|accepts| !**accepts).count();
    assert!(refused > 400 && refused < changes.len(), "{refused} of {} refused", changes.len());
}
