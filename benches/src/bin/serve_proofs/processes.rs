//! The two servers, each this program again as a process of its own, so that memory and time are its own too.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::{AS_BARE, AS_MEED, Outcome};

/// A server that runs; it ends with this.
pub(crate) struct Server {
    process: Child,
    address: SocketAddr,
}

/// Memory that a process has in use, as Linux counts it.
pub(crate) struct Memory {
    pub(crate) now_bytes: u64,
    pub(crate) peak_bytes: u64,
}

impl Server {
    /// `meed serve` on a folder, with no limit on what one client asks.
    pub(crate) fn node(folder: &Path) -> Outcome<Self> {
        let mut command = meed(folder)?;
        command.args(["serve", "--listen", "127.0.0.1:0"]).env("MEED_REQUESTS_PER_SECOND", "0");
        Self::start(command)
    }

    /// The bare handler, with bodies of so many bytes.
    pub(crate) fn bare(bytes_count: usize) -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args([AS_BARE, &bytes_count.to_string()]);
        Self::start(command)
    }

    fn start(mut command: Command) -> Outcome<Self> {
        // As docs/meed.service and docs/Containerfile set it, so that memory is what an operator sees.
        let mut process = command.env("MALLOC_ARENA_MAX", "4").stderr(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(process.stderr.take().ok_or("no output")?).lines();
        let address = loop {
            let line = lines.next().ok_or("the server ended before it served")??;
            let place = line.strip_prefix("serving http://").and_then(|rest| rest.split('/').next());
            match place {
                Some(place) => break place.parse()?,
                None => eprintln!("{line}"),
            }
        };
        // The rest is read as well, so that the server never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { process, address })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn memory(&self) -> Outcome<Memory> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let bytes = |name: &str| -> Outcome<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such line")?;
            Ok(line.split_whitespace().next().ok_or("no number")?.parse::<u64>()? << 10)
        };
        Ok(Memory { now_bytes: bytes("VmRSS:")?, peak_bytes: bytes("VmHWM:")? })
    }

    /// The time that processors have worked for it, in Linux's ticks of ten milliseconds.
    pub(crate) fn processor_microseconds(&self) -> Outcome<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        let (_, fields) = stat.rsplit_once(')').ok_or("no name")?;
        let ticks: Vec<f64> =
            fields.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
        Ok(ticks.iter().sum::<f64>() * 10_000.0)
    }

    /// Ends the server as an operator would; one that takes no signals just ends.
    pub(crate) fn stop(mut self) -> Outcome<()> {
        Command::new("kill").arg(self.process.id().to_string()).status()?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already where all went well.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A token by which events may be imported.
pub(crate) fn importer_token(folder: &Path) -> Outcome<String> {
    let made = meed(folder)?.args(["token", "new", "load", "--role", "importer"]).output()?;
    if !made.status.success() {
        return Err(String::from_utf8_lossy(&made.stderr).into());
    }
    Ok(String::from_utf8(made.stdout)?.trim().to_owned())
}

fn meed(folder: &Path) -> Outcome<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(AS_MEED).arg("--data").arg(folder);
    Ok(command)
}
