//! What meed does with the events: the ledger as a library, durable after every batch.

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

use crate::workload::{WEEK_START_MS, event};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The week's end: now, for the bench.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_ms(WEEK_START_MS + 7 * 86_400_000).expect("a time of this century")
}

/// The bench's one scope.
pub(crate) fn scope() -> ScopeId {
    ScopeId::derive(&node(), &"default".parse().expect("a scope key"))
}

fn node() -> NodeId {
    "00000000-0000-4000-8000-000000000001".parse().expect("a node id")
}

/// The log's key: signing checkpoints is part of the work.
pub(crate) fn options() -> Options {
    let name = "bench.example".parse().expect("a key name");
    Options { log_key: Some(SigningKey::from_seed(name, KeyUse::Log, [7; 32])), ..Options::default() }
}

/// A new, empty ledger in `folder`.
pub(crate) fn create(folder: &Path) -> Outcome<Ledger> {
    let options = options();
    let log_key = *options.log_key.as_ref().ok_or("no key")?.public_key();
    let genesis = Genesis { node_id: node(), origin: "bench.example".parse()?, log_key, created_at: now() };
    Ok(Ledger::create(folder.join("ledger.redb"), &genesis, options)?)
}

/// Opens the ledger again, and how long that took.
pub(crate) fn reopen(folder: &Path) -> Outcome<(Ledger, Duration)> {
    let start = Instant::now();
    let ledger = Ledger::open(folder.join("ledger.redb"), options())?;
    Ok((ledger, start.elapsed()))
}

/// Appends events `first..last` from `writers` threads at once, `batch_events` in each durable batch, and gives the
/// time of the slowest writer. Making the events is not counted, preparing them for the log is.
pub(crate) fn ingest(
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
    let (mut next, mut spent) = (first, Duration::ZERO);
    while next < last {
        let end = (next + batch_events as u64).min(last);
        let events: Vec<NewEvent> = (next..end).map(event).collect();
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

/// Bytes of the ledger's file.
pub(crate) fn disk_bytes(folder: &Path) -> Outcome<u64> {
    Ok(std::fs::metadata(folder.join("ledger.redb"))?.len())
}

/// How many event leaves the ledger holds.
pub(crate) fn events_count(ledger: &Ledger) -> Outcome<u64> {
    Ok(ledger.snapshot()?.log_size(LogKind::Events)?)
}

/// The scope with its approvers and its one epoch, into which all events go.
pub(crate) fn open_epoch(ledger: &Ledger, pool: u128) -> Outcome<()> {
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
pub(crate) fn approve_epoch(ledger: &Ledger) -> Outcome<()> {
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
pub(crate) fn finalize(ledger: &Ledger) -> Outcome<()> {
    ledger.finalize(scope(), EpochNumber::FIRST, by()?)?;
    Ok(())
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
