//! A busy process is killed (SIGKILL) at random moments, again and again, on the same ledger file: everything that it
//! acknowledged is there each time.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use meed_audit::event::NewEvent;
use meed_audit::ids::{EpochNumber, EventId};
use meed_audit::merkle::verify_consistency;
use meed_keys::{Note, NoteText, VerifierKey};
use meed_storage::{
    By, Draft, EventBatch, EventReader, Ledger, LedgerResult, LogKind, LogState, Options, Phase, Snapshot,
    Which,
};

use crate::child::{Running, command, orders, say};
use crate::life::default;
use crate::support::world::{
    ALICE, LATER, WEEK_1, World, approver, by, event, event_id, set_of, terms, text, time, unbound,
};
use crate::support::{genesis, log_key, scratch, signing};

/// How often the process is killed.
const KILLS: u64 = 50;
/// The longest that a process lives after its first acknowledgement, in microseconds.
const LIFE_MICROS_MAX: u64 = 150_000;
/// One life in so many is counted from the start of the process: it may end while the ledger is being opened.
const SHORT_LIFE_EVERY: u64 = 5;
/// The longest short life, in microseconds.
const SHORT_LIFE_MICROS_MAX: u64 = 15_000;
/// After so many kills everything is checked, not only what the last process did.
const CHECK_ALL_EVERY: u64 = 10;
/// Threads that append, besides the one that finishes epochs.
const WRITERS: u64 = 6;
/// A child's test.
const CHILD: &str = "kill::a_busy_process_does_its_work";

/// Folding happens many times in every life.
fn options() -> Options {
    Options { fold_events: 60, ..signing() }
}

/// Appends until told to stop: one event, or a batch of them, then the acknowledgement.
fn append_on(ledger: &Ledger, life: u64, writer: u64, stop: &AtomicBool) {
    for batch in 0_u64.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let size = if batch.is_multiple_of(3) { 7 } else { 1 };
        let names: Vec<_> = (0..size).map(|number| format!("{life}-{writer}-{batch}-{number}")).collect();
        let events: Vec<NewEvent> = names.iter().map(|name| event(name, ALICE, WEEK_1)).collect();
        let salts: Vec<_> = (1..=7).map(|number| [number; 32]).collect();
        let batch = EventBatch::prepare(events, vec![default()], salts, time(LATER)).unwrap();
        assert_eq!(ledger.append(batch).unwrap().stored(), size);
        say(&format!("stored {}", names.join(" ")));
    }
}

/// Takes epochs from wherever the last process left them to their end, one after the other.
fn finish_epochs(ledger: &Ledger, stop: &AtomicBool, most: usize) {
    let mut finished = 0;
    while finished < most && !stop.load(Ordering::Relaxed) {
        if finish_further(ledger).unwrap() {
            finished += 1;
        }
    }
}

/// One command further, and whether it was a finalize.
fn finish_further(ledger: &Ledger) -> LedgerResult<bool> {
    let snapshot = ledger.snapshot()?;
    let Some(epoch) = snapshot.epochs(default())?.pop() else {
        return ledger.open_epoch(default(), time(WEEK_1), by(WEEK_1)).map(|_| false);
    };
    let number = epoch.number;
    // Every epoch lives in its own time.
    let now = By::new(text("operator"), epoch.period.end.max(time(LATER)));
    match epoch.phase {
        Phase::Open => ledger.close_epoch(default(), number, None, now).map(|_| false),
        Phase::Finalized => ledger.open_epoch(default(), epoch.period.end, now).map(|_| false),
        Phase::Review => match snapshot.draft(default(), number, Which::Draft) {
            Ok(draft) => finalize(ledger, &draft, now),
            Err(_) => ledger.freeze(default(), number, 14, now).map(|_| false),
        },
    }
}

fn finalize(ledger: &Ledger, draft: &Draft, now: By) -> LedgerResult<bool> {
    let number = draft.statement.epoch;
    let note = NoteText::new(draft.statement.to_string()).unwrap();
    for key in [1, 2] {
        let line = approver(key).cosign(&note, draft.at.as_seconds() + 60).unwrap();
        ledger.add_signature(default(), number, line, draft.at)?;
    }
    let last = ledger.finalize(default(), number, now)?;
    say(&format!("final {number} {}", last.text_hash));
    Ok(true)
}

fn make_ledger(path: &Path) -> Ledger {
    let ledger = Ledger::create(path, &genesis(), options()).unwrap();
    ledger.add_scope(terms("default"), by(WEEK_1)).unwrap();
    ledger.set_approvers(default(), set_of(2, &[approver(1), approver(2), approver(3)]), by(WEEK_1)).unwrap();
    ledger
}

/// Ends the writers when the epochs are finished, or their thread has panicked.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Lets a child die of any thread's panic, with other words than an acknowledgement's, rather than work on.
fn end_on_panic() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        print(panic);
        say("panicked");
        std::process::exit(1);
    }));
}

/// The child: as orders, its number and the ledger's path; it works until it is killed. Without orders it finishes two
/// epochs.
#[test]
fn a_busy_process_does_its_work() {
    let (_folder, scratch_path) = scratch();
    let (life, path, most) = match orders() {
        None => {
            drop(make_ledger(&scratch_path));
            (0, scratch_path, 2)
        }
        Some(orders) => {
            end_on_panic();
            let (life, path) = orders.split_once(' ').unwrap();
            (life.parse().unwrap(), PathBuf::from(path), usize::MAX)
        }
    };
    let ledger = Ledger::open(&path, options()).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|threads| {
        for writer in 0..WRITERS {
            let (ledger, stop) = (&ledger, &stop);
            threads.spawn(move || append_on(ledger, life, writer, stop));
        }
        let _stopping = StopOnDrop(&stop);
        finish_epochs(&ledger, &stop, most);
    });
    let snapshot = ledger.snapshot().unwrap();
    assert_eq!(snapshot.final_statements(default()).unwrap().len(), most);
    assert_eq!(snapshot.fsck(&mut drop).problems, []);
}

/// What the killed processes acknowledged.
#[derive(Default)]
struct Acknowledged {
    events: BTreeSet<EventId>,
    finals: BTreeMap<EpochNumber, String>,
}

impl Acknowledged {
    fn note(&mut self, line: &str) {
        let mut words = line.split(' ');
        match words.next() {
            Some("stored") => self.events.extend(words.map(event_id)),
            Some("final") => {
                let (number, hash) = (words.next().unwrap(), words.next().unwrap());
                let number: u32 = number.parse().unwrap();
                self.finals.insert(crate::life::epoch(number), hash.to_owned());
            }
            other => panic!("expected an acknowledgement, got {other:?}: {line}"),
        }
    }

    fn check(&self, snapshot: &Snapshot, context: &str) {
        let lost: Vec<_> =
            self.events.iter().filter(|id| snapshot.event_index(id).unwrap().is_none()).collect();
        assert!(
            lost.is_empty(),
            "{context}: {} of {} events are lost: {lost:?}",
            lost.len(),
            self.events.len()
        );
        for (epoch, hash) in &self.finals {
            let found = snapshot.final_statement(default(), *epoch, Which::Final);
            let found = found.unwrap_or_else(|error| panic!("{context}: epoch {epoch}: {error}"));
            assert_eq!(found.text_hash.to_string(), *hash, "{context}: epoch {epoch}");
            snapshot.verification(default(), *epoch, Which::Final).unwrap();
        }
    }
}

/// Both logs as they were found after a kill.
#[derive(Default)]
struct Logs(BTreeMap<&'static str, LogState>);

impl Logs {
    /// Each log extends what it was, and its signed checkpoint says its size and root.
    fn check(&mut self, snapshot: &Snapshot, context: &str) {
        for log in LogKind::ALL {
            let state = snapshot.log_state(log).unwrap();
            if let Some(before) = self.0.get(log.name()).filter(|before| before.size > 0) {
                let path = snapshot.consistency_path(log, before.size, state.size).unwrap();
                verify_consistency(before.size, &before.root, state.size, &state.root, &path)
                    .unwrap_or_else(|error| panic!("{context}: {error}"));
            }
            let origin = snapshot.log_origin(log).unwrap();
            let key = VerifierKey::new(
                origin.parse().unwrap(),
                meed_keys::Algorithm::Ed25519,
                *log_key().public_key(),
            );
            let note = Note::parse(snapshot.checkpoint(log).unwrap()).unwrap();
            note.verify_all(&[key]).unwrap();
            let expected = format!("{origin}\n{}\n{}\n", state.size, state.root.to_base64());
            assert_eq!(note.text().as_str(), expected, "{context}");
            self.0.insert(log.name(), state);
        }
    }
}

/// SplitMix64: a number that looks random, the same for the same seed.
pub(crate) fn random(seed: u64, number: u64) -> u64 {
    let mut mixed = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Lets a process work on the ledger and kills it; gives the lines it said.
fn work_and_kill(life: u64, path: &Path, random: u64) -> Vec<String> {
    let mut running = Running::start(command(None, CHILD, &format!("{life} {}", path.display())));
    let mut lines = Vec::new();
    if life.is_multiple_of(SHORT_LIFE_EVERY) {
        std::thread::sleep(Duration::from_micros(random % SHORT_LIFE_MICROS_MAX));
    } else {
        lines.extend(running.line());
        assert!(!lines.is_empty(), "life {life} ended before it did anything");
        std::thread::sleep(Duration::from_micros(random % LIFE_MICROS_MAX));
    }
    running.process.kill().unwrap();
    let status = running.process.wait().unwrap();
    #[cfg(unix)]
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "life {life}: {status}");
    // What it said before it died is still in the pipe.
    while let Some(line) = running.line() {
        lines.push(line);
    }
    lines
}

#[test]
fn a_killed_process_loses_nothing_acknowledged() {
    let seed: u64 = env::var("MEED_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(2026);
    println!("MEED_SEED={seed}");
    let (folder, path) = scratch();
    drop(make_ledger(&path));
    let (mut all, mut logs) = (Acknowledged::default(), Logs::default());
    for life in 1..=KILLS {
        let context = format!("seed {seed}, life {life}");
        let mut last = Acknowledged::default();
        for line in work_and_kill(life, &path, random(seed, life)) {
            last.note(&line);
            all.note(&line);
        }
        let ledger = Ledger::open(&path, options()).unwrap_or_else(|error| panic!("{context}: {error}"));
        let snapshot = ledger.snapshot().unwrap();
        logs.check(&snapshot, &context);
        last.check(&snapshot, &context);
        if life.is_multiple_of(CHECK_ALL_EVERY) {
            all.check(&snapshot, &context);
            assert_eq!(snapshot.fsck(&mut drop).problems, [], "{context}");
        }
    }
    let ledger = Ledger::open(&path, options()).unwrap();
    let world = World { folder, path, ledger, approvers: Vec::new() };
    let last = *all.finals.keys().next_back().unwrap();
    world.verified(default(), last, &unbound(ALICE));
    let stored = world.snapshot().log_size(LogKind::Events).unwrap();
    println!(
        "{KILLS} kills: {} events acknowledged, {stored} stored; {} epochs",
        all.events.len(),
        all.finals.len()
    );
    assert!(
        all.events.len() > 500 && all.finals.len() > 3,
        "the killed processes did too little to show anything"
    );
}
