//! What meed does with the events: the ledger as a library, durable after every batch.

use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use meed_audit::amount::Credits;
use meed_audit::event::NewEvent;
use meed_audit::ids::{EpochNumber, NodeId, ScopeId};
use meed_audit::policy::{Unit, Unlinked, Weights};
use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use meed_audit::window::WindowDays;
use meed_keys::{ApproverSet, KeyUse, SigningKey};
use meed_storage::{By, EventBatch, Genesis, Ledger, LogKind, Options, ScopeTerms};

use crate::workload::{BATCH_EVENTS, WEEK_START_MS, event, event_of_own_person};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The ledger's file in its folder.
pub const LEDGER_FILE: &str = "ledger.redb";

/// The week's end: now, for the bench.
pub fn now() -> Timestamp {
    Timestamp::from_ms(WEEK_START_MS + 7 * 86_400_000).expect("a time of this century")
}

/// The bench's one scope.
pub fn scope() -> ScopeId {
    ScopeId::derive(&node(), &"default".parse().expect("a scope key"))
}

fn node() -> NodeId {
    "00000000-0000-4000-8000-000000000001".parse().expect("a node id")
}

/// The log's key: signing checkpoints is part of the work.
pub fn options() -> Options {
    let name = "bench.example".parse().expect("a key name");
    Options { log_key: Some(SigningKey::from_seed(name, KeyUse::Log, [7; 32])), ..Options::default() }
}

/// A new, empty ledger in `folder`.
pub fn create(folder: &Path) -> Outcome<Ledger> {
    let options = options();
    let log_key = *options.log_key.as_ref().ok_or("no key")?.public_key();
    let genesis = Genesis { node_id: node(), origin: "bench.example".parse()?, log_key, created_at: now() };
    Ok(Ledger::create(folder.join(LEDGER_FILE), &genesis, options)?)
}

/// How long it takes to open what a crash would leave: the file as it is now, while the ledger is at work.
pub fn reopen_after_crash(folder: &Path) -> Outcome<Duration> {
    let copy = folder.join("crashed.redb");
    std::fs::copy(folder.join(LEDGER_FILE), &copy)?;
    let start = Instant::now();
    let ledger = Ledger::open(&copy, options())?;
    let spent = start.elapsed();
    drop(ledger);
    std::fs::remove_file(copy)?;
    Ok(spent)
}

/// Appends events `first..last` from `writers` threads at once, `batch_events` in each durable batch, and gives the
/// time of the slowest writer. Making the events is not counted, preparing them for the log is.
pub fn ingest(
    ledger: &Ledger,
    first: u64,
    last: u64,
    writers: u64,
    batch_events: usize,
) -> Outcome<Duration> {
    let share = (last - first).div_ceil(writers);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..writers)
            .map(|writer| {
                let start = first + writer * share;
                scope.spawn(move || append_range(ledger, start, (start + share).min(last), batch_events))
            })
            .collect();
        let mut times = workers.into_iter().map(|worker| worker.join().map_err(|_| "a writer panicked")?);
        times.try_fold(Duration::ZERO, |slowest, time| Ok(slowest.max(time?)))
    })
}

fn append_range(ledger: &Ledger, first: u64, last: u64, batch_events: usize) -> Outcome<Duration> {
    append_made(ledger, first..last, batch_events, &event)
}

/// Appends the events that `make` makes of these numbers, and gives the time that appending took.
pub fn append_made(
    ledger: &Ledger,
    numbers: Range<u64>,
    batch_events: usize,
    make: &dyn Fn(u64) -> NewEvent,
) -> Outcome<Duration> {
    let (mut next, mut spent) = (numbers.start, Duration::ZERO);
    while next < numbers.end {
        let end = (next + batch_events as u64).min(numbers.end);
        let events: Vec<NewEvent> = (next..end).map(make).collect();
        let salts = (next..end).map(|number| {
            let mut salt = [0; 32];
            salt[..8].copy_from_slice(&number.to_be_bytes());
            salt
        });
        let start = Instant::now();
        ledger.append(EventBatch::prepare(events, vec![scope()], salts, now())?)?;
        spent += start.elapsed();
        next = end;
    }
    Ok(spent)
}

/// Bytes of the ledger's file, with the free pages given back as `meed compact` does.
pub fn disk_bytes(ledger: &Ledger, folder: &Path) -> Outcome<u64> {
    ledger.compact()?;
    Ok(std::fs::metadata(folder.join(LEDGER_FILE))?.len())
}

/// How many event leaves the ledger holds.
pub fn events_count(ledger: &Ledger) -> Outcome<u64> {
    Ok(ledger.snapshot()?.log_size(LogKind::Events)?)
}

/// The scope with its approvers and its one epoch, into which all events go.
pub fn open_epoch(ledger: &Ledger, pool: u128) -> Outcome<()> {
    let weights = br#"{"github:issue_closed":300,"github:pr_merged":1000,"github:review_submitted":500}"#;
    let terms = ScopeTerms {
        key: "default".parse()?,
        unit: Unit::default(),
        unlinked: Unlinked::Claim,
        weights: Weights::parse(weights)?,
        window_days: WindowDays::WEEK,
        base_issuance: Some(Credits::single(pool)?),
    };
    ledger.add_scope(terms, by()?)?;
    let members = approvers()?.iter().map(|key| key.verifier_key().clone()).collect();
    ledger.set_approvers(scope(), ApproverSet::new(2, members)?, by()?)?;
    ledger.open_epoch(scope(), Timestamp::from_ms(WEEK_START_MS)?, by()?)?;
    Ok(())
}

/// Closes the epoch, freezes its draft and has two of three approvers sign it.
pub fn approve_epoch(ledger: &Ledger) -> Outcome<()> {
    ledger.close_epoch(scope(), EpochNumber::FIRST, None, by()?)?;
    let draft = ledger.freeze(scope(), EpochNumber::FIRST, 14, by()?)?;
    let text = draft.statement.note_text()?;
    for key in approvers()?.iter().take(2) {
        let line = key.cosign(&text, now().as_seconds() + 1)?;
        ledger.add_signature(scope(), EpochNumber::FIRST, line, now())?;
    }
    Ok(())
}

/// Finalizes: recomputes the epoch, compares, and stores statement, allocations and their tree.
pub fn finalize(ledger: &Ledger) -> Outcome<()> {
    ledger.finalize(scope(), EpochNumber::FIRST, by()?)?;
    Ok(())
}

/// A new ledger in `folder` with one final epoch, in which so many people did one thing each.
pub fn create_final_epoch(folder: &Path, claimants_count: u64, pool: u128) -> Outcome<Ledger> {
    let ledger = create(folder)?;
    open_epoch(&ledger, pool)?;
    append_made(&ledger, 0..claimants_count, BATCH_EVENTS, &event_of_own_person)?;
    approve_epoch(&ledger)?;
    finalize(&ledger)?;
    Ok(ledger)
}

fn approvers() -> Outcome<Vec<SigningKey>> {
    (1..=3_u8)
        .map(|number| {
            Ok(SigningKey::from_seed(format!("approver-{number}").parse()?, KeyUse::Approver, [number; 32]))
        })
        .collect()
}

fn by() -> Outcome<By> {
    Ok(By::new(FreeText::parse("actor", "bench")?, now()))
}
