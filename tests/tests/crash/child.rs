//! The other process: a test starts this very program again, as one test that finds its orders in the environment.
//!
//! Each child test does the same work without orders too, in a scratch folder of its own, so that what the parents
//! rely on is itself tested.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// Where a child finds its orders.
const ORDERS: &str = "MEED_CRASH_ORDERS";
/// What begins a child's lines, among those of the test harness.
const MARK: &str = "child: ";

/// The orders of this process, where it is a child.
pub(crate) fn orders() -> Option<String> {
    env::var(ORDERS).ok()
}

/// The command that starts this program again as the child test of this name.
pub(crate) fn command(program: Option<&Path>, test: &str, orders: &str) -> Command {
    let mut command = Command::new(program.map_or_else(|| env::current_exe().unwrap(), PathBuf::from));
    command.args(["--exact", test, "--nocapture", "--test-threads", "1"]).env(ORDERS, orders);
    command
}

/// A child at work, and its lines.
pub(crate) struct Running {
    pub(crate) process: Child,
    lines: BufReader<ChildStdout>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap());
        Self { process, lines }
    }

    /// The next line that the child said, or none at its end. A line that was cut by its death was not said.
    pub(crate) fn line(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).unwrap() == 0 || !line.ends_with('\n') {
                return None;
            }
            // The harness may have begun the line.
            if let Some((_, said)) = line.trim_end().split_once(MARK) {
                return Some(said.to_owned());
            }
        }
    }
}

/// Says a line to the parent, whole and at once.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{MARK}{line}\n").as_bytes()).and_then(|()| out.flush()).unwrap();
}
