//! A node that serves in a process of its own, and requests to it byte by byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_meed");
/// How long an answer may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A ledger in a folder, with the node that serves it.
pub(crate) struct Node {
    pub(crate) folder: TempDir,
    pub(crate) process: Child,
    pub(crate) address: SocketAddr,
    log: Mutex<Receiver<String>>,
}

/// An answer: status, head, body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.head.lines().filter_map(move |line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.json()["code"].as_str()), (status, Some(code)), "{}", self.text());
    }
}

pub(crate) fn meed(data: &Path, arguments: &[&str]) -> (bool, String, String) {
    let ran = Command::new(PROGRAM)
        .arg("--data")
        .arg(data)
        .args(arguments)
        .env_clear()
        .output()
        .expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (ran.status.success(), text(&ran.stdout), text(&ran.stderr))
}

impl Node {
    /// A new ledger with a scope, served with these settings.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let data = folder.path().join("ledger");
        for arguments in [["init", "--origin", "ledger.example.org"].as_slice(), &["scope", "add", "default"]]
        {
            let (done, _, err) = meed(&data, arguments);
            assert!(done, "{err}");
        }
        Self::serve(folder, settings)
    }

    /// The folder of a ledger as `meed demo` leaves it, and what that said.
    pub(crate) fn demo() -> (TempDir, Value) {
        let folder = tempfile::tempdir().expect("folder");
        let ran = Command::new(PROGRAM)
            .args(["demo", "--data", "ledger", "--json"])
            .current_dir(folder.path())
            .env_clear()
            .output()
            .expect("the program runs");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        (folder, serde_json::from_slice(&ran.stdout).expect("JSON"))
    }

    pub(crate) fn serve(folder: TempDir, settings: &[(&str, &str)]) -> Self {
        let mut process = Command::new(PROGRAM)
            .arg("--data")
            .arg(folder.path().join("ledger"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env_clear()
            .envs(settings.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let mut lines = BufReader::new(process.stderr.take().expect("its log"));
        // What it says before it serves is of its schedules.
        let mut first = String::new();
        while !first.contains("://") {
            first.clear();
            assert!(lines.read_line(&mut first).expect("a line") > 0, "it ended before it served");
        }
        let address = first
            .split_once("://")
            .and_then(|(_, rest)| rest.split('/').next())
            .and_then(|address| address.parse().ok())
            .unwrap_or_else(|| panic!("an address: {first}"));
        // Somebody has to read the rest, or the node would wait for it.
        let (sender, log) = mpsc::channel();
        std::thread::spawn(move || {
            lines.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { folder, process, address, log: Mutex::new(log) }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("ledger")
    }

    #[track_caller]
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let (done, out, err) = meed(&self.data(), arguments);
        assert!(done, "{arguments:?}: {err}");
        out
    }

    pub(crate) fn send(&self, request: &str) -> Answer {
        self.send_bytes(request.as_bytes())
    }

    /// Sends a request with `Connection: close` in it, and reads all that comes.
    pub(crate) fn send_bytes(&self, request: &[u8]) -> Answer {
        // A node that has ended answers nothing.
        let Ok(mut stream) = TcpStream::connect(self.address) else {
            return Answer { status: 0, head: String::new(), body: Vec::new() };
        };
        stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
        // The node may have answered and closed before it has read everything.
        let _ = stream.write_all(request);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|text| text.parse().ok()).unwrap_or(0);
        Answer { status, head, body: bytes[end..].to_vec() }
    }

    pub(crate) fn get(&self, path: &str, headers: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n{headers}\r\n"))
    }

    pub(crate) fn post(&self, path: &str, headers: &str, body: &str) -> Answer {
        let length = body.len();
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        ))
    }

    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends the node a signal: `TERM`, `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().expect("kill");
        assert!(sent.success());
    }

    /// Waits for a line of the log that has these words in it.
    #[track_caller]
    pub(crate) fn wait_for_line(&self, words: &str) {
        let log = self.log.lock().expect("a lock");
        loop {
            match log.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(words) => return,
                Ok(_) => {}
                Err(error) => panic!("expected a line with {words:?}, got {error}"),
            }
        }
    }

    /// Ends the node as an operator would, and gives its folder back.
    pub(crate) fn stop(mut self) -> TempDir {
        self.terminate();
        let status = self.process.wait().expect("it ends");
        assert!(status.success(), "{status}");
        std::mem::replace(&mut self.folder, tempfile::tempdir().expect("folder"))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Where a test failed, the node must not stay; where it has ended already, nothing happens.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) const JSON: &str = "Content-Type: application/json\r\n";

pub(crate) fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {}\r\n", token.trim())
}

pub(crate) fn event_line(number: u32) -> String {
    format!(
        r#"{{"id":"chat:m:{number}","source":"chat","source_ref":"chat:1","event_type":"message","authors":[{{"provider":"github","id":"7"}}],"metadata":{{}},"payload_hash":"{:064x}","producer":"test","producer_version":"1","event_time":"2026-11-10T12:00:00Z","retrieved_at":"2026-11-10T12:00:00Z"}}"#,
        number
    )
}

impl Node {
    /// The folder of a node that was asked to end.
    pub(crate) fn stop_after_its_end(mut self) -> TempDir {
        let status = self.process.wait().expect("it ends");
        assert!(status.success(), "{status}");
        std::mem::replace(&mut self.folder, tempfile::tempdir().expect("folder"))
    }
}
