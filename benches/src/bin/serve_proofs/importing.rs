//! Events that come in over HTTP while proofs are read: one importer, batch after batch without a pause.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::Outcome;

/// Events of one request, which the node stores in one durable batch.
pub(crate) const BATCH_EVENTS: u64 = 1_000;

/// What was acknowledged.
pub(crate) struct Imported {
    pub(crate) events_count: u64,
    took: Duration,
    slowest: Duration,
}

impl Imported {
    pub(crate) fn events_a_second(&self) -> f64 {
        self.events_count as f64 / self.took.as_secs_f64()
    }

    pub(crate) fn slowest_ms(&self) -> f64 {
        self.slowest.as_secs_f64() * 1e3
    }
}

/// Imports until `work` is done.
pub(crate) fn during<T>(
    node: SocketAddr,
    token: &str,
    work: impl FnOnce() -> Outcome<T>,
) -> Outcome<(T, Imported)> {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let importer = scope.spawn(|| import_until(&done, node, token));
        let result = work();
        done.store(true, Ordering::SeqCst);
        let imported = importer.join().map_err(|_| "the importer panicked")??;
        Ok((result?, imported))
    })
}

fn import_until(done: &AtomicBool, node: SocketAddr, token: &str) -> Outcome<Imported> {
    let began = Instant::now();
    let mut imported = Imported { events_count: 0, took: Duration::ZERO, slowest: Duration::ZERO };
    while !done.load(Ordering::SeqCst) {
        let batch = batch(imported.events_count);
        let sent = Instant::now();
        post(node, token, &batch)?;
        imported.slowest = imported.slowest.max(sent.elapsed());
        imported.events_count += BATCH_EVENTS;
    }
    imported.took = began.elapsed();
    Ok(imported)
}

/// Events of the week after the ledger's own, as a collector writes them.
fn batch(first: u64) -> String {
    let mut text = String::new();
    for number in first..first + BATCH_EVENTS {
        let (person, payload) = (number % 100_000 + 1, number + 1);
        // Writing into a text cannot fail.
        let _ = writeln!(
            text,
            r#"{{"id":"chat:message:{number}","source":"chat","source_ref":"chat:1","event_type":"message","authors":[{{"provider":"github","id":"{person}"}}],"metadata":{{"title":"Message number {number} of the week"}},"payload_hash":"{payload:064x}","producer":"load","producer_version":"1","event_time":"2026-11-10T12:00:00Z","retrieved_at":"2026-11-10T12:00:00Z"}}"#
        );
    }
    text
}

fn post(node: SocketAddr, token: &str, body: &str) -> Outcome<()> {
    let mut stream = TcpStream::connect(node)?;
    write!(
        stream,
        "POST /api/v1/scopes/default/events HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\
         Authorization: Bearer {token}\r\nContent-Type: application/x-ndjson\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if !answer.starts_with("HTTP/1.1 200 ") || !answer.contains(&format!("\"stored\":{BATCH_EVENTS}")) {
        return Err(format!("expected {BATCH_EVENTS} events stored, got {answer}").into());
    }
    Ok(())
}
