//! meed beside PostgreSQL 15 on the same events, on this machine, in one run: `cargo run --release -p meed-benches
//! --bin compare_postgres [EVENTS]`.
//!
//! It starts a private PostgreSQL in a scratch folder, runs both sides alternately three times, and prints medians and
//! ratios. Where PostgreSQL is not installed it says so and ends. Making the events is not counted on either side, and
//! both are durable: `synchronous_commit = on` there, a two-phase commit here.

mod cluster;
mod postgres_side;
mod report;

use std::time::{Duration, Instant};

use cluster::Cluster;
use meed_benches::meed_side;
use meed_benches::workload::{self, BATCH_EVENTS};
use report::Comparison;

const RUNS: usize = 3;
const WRITERS_COUNT: u64 = 32;
/// Events behind the last fold when the ledger is reopened: after the singly written ones, 43,400 of the 50,000 that
/// make the next fold.
const TAIL_EVENTS: u64 = 37_000;
const POOL: u128 = 10_000_000_000;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let events_count: u64 = std::env::args().nth(1).map_or(Ok(1_000_000), |text| text.parse())?;
    let Some(cluster) = Cluster::start().map_err(|error| error.to_string())? else {
        println!("skipped: PostgreSQL's server is not installed (Debian: apt-get install postgresql-15)");
        return Ok(());
    };
    let version = cluster.version().map_err(|error| error.to_string())?;
    println!(
        "{events_count} events of {} people, PostgreSQL {version}, {RUNS} runs each\n",
        workload::PEOPLE_COUNT
    );
    let mut rows = Rows::new();
    for run in 1..=RUNS {
        eprintln!("run {run} of {RUNS}");
        rows.run(&cluster, events_count)?;
    }
    report::print(&rows.comparisons);
    println!("\n{}", rows.sizes.join("\n"));
    Ok(())
}

struct Rows {
    comparisons: Vec<Comparison>,
    sizes: Vec<String>,
}

impl Rows {
    fn new() -> Self {
        let names = [
            "durable ingest, batches of 1,000, one caller and one connection",
            "the same, two callers and two connections",
            "the same events again, all duplicates",
            "32 writers of single events",
            "finalize the epoch",
        ];
        let comparison =
            |what: &&str| Comparison { what: (*what).to_owned(), meed: Vec::new(), postgres: Vec::new() };
        Self { comparisons: names.iter().map(comparison).collect(), sizes: Vec::new() }
    }

    fn add(&mut self, row: usize, meed: Duration, postgres: Duration) {
        if let Some(comparison) = self.comparisons.get_mut(row) {
            comparison.meed.push(meed);
            comparison.postgres.push(postgres);
        }
    }

    fn run(&mut self, cluster: &Cluster, events_count: u64) -> Outcome<()> {
        let folder = tempfile::tempdir()?;
        let ledger = meed_side::create(folder.path())?;
        meed_side::open_epoch(&ledger, POOL)?;
        let single_count = 32 * 200;

        let say = |what: &str, time: Duration| eprintln!("  {what}: {:.2} s", time.as_secs_f64());
        let meed_ingest = meed_side::ingest(&ledger, 0, events_count, 1, BATCH_EVENTS)?;
        let peak_bytes = peak_memory_bytes();
        let meed_two = ingest_by_two(events_count)?;
        say("meed ingest, one and two callers", meed_ingest);
        say("", meed_two);
        postgres_side::reset(cluster)?;
        let postgres_two = postgres_side::ingest(cluster, 0, events_count, 2, BATCH_EVENTS)?;
        postgres_side::reset(cluster)?;
        let postgres_one = postgres_side::ingest(cluster, 0, events_count, 1, BATCH_EVENTS)?;
        say("PostgreSQL ingest, one and two connections", postgres_one);
        say("", postgres_two);
        self.add(0, meed_ingest, postgres_one);
        self.add(1, meed_two, postgres_two);

        let meed_again = meed_side::ingest(&ledger, 0, events_count, 1, BATCH_EVENTS)?;
        let postgres_again = postgres_side::ingest(cluster, 0, events_count, 1, BATCH_EVENTS)?;
        say("again: meed", meed_again);
        say("again: PostgreSQL", postgres_again);
        self.add(2, meed_again, postgres_again);

        let last = events_count + single_count;
        let meed_singly = meed_side::ingest(&ledger, events_count, last, WRITERS_COUNT, 1)?;
        let postgres_singly = postgres_side::ingest(cluster, events_count, last, WRITERS_COUNT, 1)?;
        say("singly: meed", meed_singly);
        say("singly: PostgreSQL", postgres_singly);
        self.add(3, meed_singly, postgres_singly);

        let stored_there = postgres_side::events_count(cluster)?;
        let stored_here = meed_side::events_count(&ledger)?;
        if stored_here != stored_there || stored_here != last {
            return Err(format!("stored {stored_here} here, {stored_there} there, expected {last}").into());
        }
        meed_side::approve_epoch(&ledger)?;
        postgres_side::analyze(cluster)?;
        let meed_finalize = timed(|| meed_side::finalize(&ledger))?;
        let postgres_finalize = timed(|| postgres_side::finalize(cluster, POOL))?;
        say("finalize: meed", meed_finalize);
        say("finalize: PostgreSQL", postgres_finalize);
        self.add(4, meed_finalize, postgres_finalize);

        let (here, there) =
            (meed_side::disk_bytes(&ledger, folder.path())?, postgres_side::disk_bytes(cluster)?);
        // A tail that is nearly long enough to be folded.
        meed_side::ingest(&ledger, last, last + TAIL_EVENTS, 1, BATCH_EVENTS)?;
        let reopened = meed_side::reopen_after_crash(folder.path())?;
        // The process's peak counts the runs before as well, so that only the first run's says something of ingest.
        let peak =
            if self.sizes.is_empty() { format!("{} MiB", peak_bytes >> 20) } else { "as above".to_owned() };
        self.sizes.push(format!(
            "- peak memory of ingest {peak}; reopened in {:.3} s with a long tail; disk an event {} bytes here (compacted), {} there \
             (vacuumed): {:.2}x",
            reopened.as_secs_f64(),
            here / last,
            there / last,
            here as f64 / there as f64
        ));
        Ok(())
    }
}

/// Two callers at once, into a ledger of their own.
fn ingest_by_two(events_count: u64) -> Outcome<Duration> {
    let folder = tempfile::tempdir()?;
    let ledger = meed_side::create(folder.path())?;
    meed_side::open_epoch(&ledger, POOL)?;
    meed_side::ingest(&ledger, 0, events_count, 2, BATCH_EVENTS)
}

fn timed(work: impl FnOnce() -> Outcome<()>) -> Outcome<Duration> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed())
}

/// The most memory that this process ever held (`VmHWM` of Linux), in bytes.
fn peak_memory_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() << 10
}
