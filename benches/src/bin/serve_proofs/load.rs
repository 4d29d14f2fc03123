//! The load: `wrk` on loopback, for a fixed time, each request for another claimant.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use crate::Outcome;
use crate::processes::Server;

/// Open connections; a node takes 64 of one client.
pub(crate) const CONNECTIONS: usize = 32;
/// How long one round takes.
pub(crate) const SECONDS: u64 = 10;

/// Steps far through the claimants, so that no page that was just read helps. `done` says what came of it in one line.
const SCRIPT: &str = r#"
local at, count = 0, 1
init = function(args) count = tonumber(args[1]) end
request = function()
  at = (at + 514229) % count
  return "GET PATH" .. (at + 1) .. " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
end
done = function(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("result %.0f %.0f %.0f %.0f %.0f\n", summary.requests, summary.duration, failed,
    latency:percentile(50), latency:percentile(99)))
end
"#;
const PATH: &str = "/api/v1/scopes/default/epochs/1/proofs/identity:github:";

/// What is asked.
pub(crate) struct Load {
    claimants_count: u64,
    script: tempfile::NamedTempFile,
}

/// What one round gave; times in microseconds.
pub(crate) struct Result {
    requests_count: f64,
    took: f64,
    median: f64,
    p99: f64,
    /// Processor time that the server took for one request.
    pub(crate) work: f64,
}

impl Result {
    pub(crate) fn requests_a_second(&self) -> f64 {
        self.requests_count * 1e6 / self.took
    }

    pub(crate) fn median_ms(&self) -> f64 {
        self.median / 1e3
    }

    pub(crate) fn p99_ms(&self) -> f64 {
        self.p99 / 1e3
    }
}

impl Load {
    pub(crate) fn prepare(claimants_count: u64) -> Outcome<Self> {
        let mut script = tempfile::Builder::new().suffix(".lua").tempfile()?;
        script.write_all(SCRIPT.replace("PATH", PATH).as_bytes())?;
        Ok(Self { claimants_count, script })
    }

    /// Whether `wrk` runs here. Asked for its version, it says it and ends as if it had failed.
    pub(crate) fn is_there(&self) -> bool {
        Command::new("wrk").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    }

    /// Loads a server for so many seconds. Every answer must be one of success.
    pub(crate) fn run(&self, server: &Server, seconds: u64) -> Outcome<Result> {
        let url = format!("http://{}/", server.address());
        let before = server.processor_microseconds()?;
        let ran = Command::new("wrk")
            .args(["-t", "1", "-c", &CONNECTIONS.to_string(), "-d", &format!("{seconds}s"), "-s"])
            .arg(self.script.path())
            .args([&url, "--", &self.claimants_count.to_string()])
            .output()?;
        let text = String::from_utf8_lossy(&ran.stdout);
        let line =
            text.lines().find_map(|line| line.strip_prefix("result ")).ok_or_else(|| text.to_string())?;
        let numbers: Vec<f64> = line.split(' ').map(str::parse).collect::<std::result::Result<_, _>>()?;
        let [requests_count, took, failed, median, p99] = numbers[..] else { return Err(line.into()) };
        if failed > 0.0 || requests_count == 0.0 {
            return Err(format!("expected answers of success alone, got {text}").into());
        }
        let work = (server.processor_microseconds()? - before) / requests_count;
        Ok(Result { requests_count, took, median, p99, work })
    }
}

/// How many bytes the proof of one claimant has.
pub(crate) fn body_bytes(server: &Server, claimant: u64) -> Outcome<usize> {
    let mut stream = TcpStream::connect(server.address())?;
    write!(stream, "GET {PATH}{claimant} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or("no head")? + 4;
    if !answer.starts_with(b"HTTP/1.1 200 ") {
        return Err(String::from_utf8_lossy(&answer).into());
    }
    Ok(answer.len() - end)
}
