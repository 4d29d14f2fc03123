//! Proofs over HTTP out of an epoch of 1,000,000 allocations, beside a bare axum handler that answers as many bytes, on
//! this machine, in one run: `cargo run --release -p meed-benches --bin serve_proofs [CLAIMANTS]`.
//!
//! The node is the whole node, `meed serve` as it runs for people, with no limit on what one client may ask; it and the
//! handler are processes of their own, which `wrk` loads alternately, every request for another claimant. At last it
//! loads the node while events are imported. Where `wrk` is not installed the program says so and ends.

mod bare;
mod importing;
mod load;
mod processes;

use std::process::ExitCode;

use load::{Load, Result as LoadResult};
use meed_benches::meed_side;
use meed_node::key_command;
use processes::Server;

const CLAIMANTS_COUNT: u64 = 1_000_000;
const POOL: u128 = 10_000_000_000;
const ROUNDS: usize = 3;
/// The words by which the program starts itself as another process.
const AS_MEED: &str = "meed";
const AS_BARE: &str = "bare";

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    match arguments.nth(1).as_ref().and_then(|word| word.to_str()) {
        Some(AS_MEED) => meed_node::cli::run(std::env::args_os().skip(1)),
        Some(AS_BARE) => ended(bare::serve(arguments.next())),
        first => ended(compare(first)),
    }
}

fn ended(result: Outcome<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(claimants: Option<&str>) -> Outcome<()> {
    let claimants_count = claimants.map_or(Ok(CLAIMANTS_COUNT), str::parse)?;
    let load = Load::prepare(claimants_count)?;
    if !load.is_there() {
        println!("skipped: wrk is not installed (Debian: apt-get install wrk)");
        return Ok(());
    }
    eprintln!("building a ledger with {claimants_count} claimants");
    let folder = tempfile::tempdir()?;
    let ledger = meed_side::create_final_epoch(folder.path(), claimants_count, POOL)?;
    let events_before = meed_side::events_count(&ledger)?;
    drop(ledger);
    let log_key = meed_side::options().log_key.ok_or("no key")?;
    key_command::write(&log_key, None, &folder.path().join("log.key"))
        .map_err(|failure| failure.problem.detail)?;
    let token = processes::importer_token(folder.path())?;

    let node = Server::node(folder.path())?;
    let proof_bytes = load::body_bytes(&node, claimants_count.div_ceil(2))?;
    let bare = Server::bare(proof_bytes)?;
    let (mut of_bare, mut of_node) = (Vec::new(), Vec::new());
    // What the first requests find out, neither side is asked for.
    load.run(&bare, 1)?;
    load.run(&node, 5)?;
    for round in 1..=ROUNDS {
        eprintln!("round {round} of {ROUNDS}");
        of_bare.push(load.run(&bare, load::SECONDS)?);
        of_node.push(load.run(&node, load::SECONDS)?);
    }
    eprintln!("the same while events are imported");
    let (mixed, imported) = importing::during(node.address(), &token, || load.run(&node, load::SECONDS))?;
    let memory = node.memory()?;
    bare.stop()?;
    node.stop()?;
    check_stored(folder.path(), events_before + imported.events_count)?;

    println!(
        "{claimants_count} claimants, proofs of {proof_bytes} bytes, {ROUNDS} rounds of {} s, {} connections\n",
        load::SECONDS,
        load::CONNECTIONS
    );
    report(&median(of_bare), &median(of_node), &mixed);
    println!(
        "imported meanwhile: {:.0} events/s in batches of {}, the slowest in {:.0} ms",
        imported.events_a_second(),
        importing::BATCH_EVENTS,
        imported.slowest_ms()
    );
    println!("memory of the node: {} MiB, at most {} MiB", memory.now_bytes >> 20, memory.peak_bytes >> 20);
    Ok(())
}

fn report(bare: &LoadResult, node: &LoadResult, mixed: &LoadResult) {
    let lines =
        [("bare axum handler", bare), ("meed serve", node), ("meed serve while events are imported", mixed)];
    for (what, result) in lines {
        println!(
            "{what:<38} {:>9.0} requests/s   median {:>6.2} ms   p99 {:>6.2} ms   {:>5.1} us of a processor each",
            result.requests_a_second(),
            result.median_ms(),
            result.p99_ms(),
            result.work
        );
    }
    println!(
        "\nratio {:.2} (while events are imported {:.2})",
        node.requests_a_second() / bare.requests_a_second(),
        mixed.requests_a_second() / bare.requests_a_second()
    );
}

/// The round in the middle by its rate.
fn median(mut rounds: Vec<LoadResult>) -> LoadResult {
    rounds.sort_by(|one, other| one.requests_a_second().total_cmp(&other.requests_a_second()));
    rounds.swap_remove(rounds.len() / 2)
}

/// What was acknowledged must be there.
fn check_stored(folder: &std::path::Path, expected: u64) -> Outcome<()> {
    let ledger = meed_storage::Ledger::open(folder.join(meed_side::LEDGER_FILE), meed_side::options())?;
    let stored = meed_side::events_count(&ledger)?;
    if stored != expected {
        return Err(format!("expected {expected} events in the ledger, got {stored}").into());
    }
    Ok(())
}
