//! One process of Node that answers questions about proofs: `tests/javascript/answer.mjs`.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

use base64ct::{Base64, Encoding};

/// The oldest Node whose WebCrypto has Ed25519.
const NODE_VERSION_MIN: u32 = 18;

/// The programs of this test.
pub(crate) fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("javascript")
}

/// Whether Node can be run here. Where it cannot, the test says that it skips, which in CI is a failure.
pub(crate) fn is_there() -> bool {
    let version = Command::new("node").arg("--version").output().ok().map(|output| output.stdout);
    let version = String::from_utf8(version.unwrap_or_default()).unwrap_or_default();
    let major = version.trim().strip_prefix('v').and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
    if major.is_some_and(|major| major >= NODE_VERSION_MIN) {
        return true;
    }
    let what = format!("expected node {NODE_VERSION_MIN} or newer, got {version:?}");
    assert!(std::env::var_os("MEED_CI").is_none(), "{what}");
    println!("SKIPPED: {what}");
    false
}

/// The process and what it was told. It ends when this test's end closes its input.
struct Node {
    _child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    trusts: HashMap<String, String>,
}

static NODE: LazyLock<Option<Mutex<Node>>> = LazyLock::new(|| is_there().then(|| Mutex::new(Node::start())));

impl Node {
    fn start() -> Self {
        let mut child = Command::new("node")
            .arg(programs().join("answer.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node");
        let input = child.stdin.take().expect("its input");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        Self { _child: child, input, output, trusts: HashMap::new() }
    }

    fn ask(&mut self, question: &str) -> String {
        self.input.write_all(format!("{question}\n").as_bytes()).expect("a process that reads");
        let mut answer = String::new();
        self.output.read_line(&mut answer).expect("a process that answers");
        assert!(answer.ends_with('\n'), "the process ended: {question:.200}");
        answer.trim_end().to_owned()
    }

    /// What it says of a trust file: `trust <number> …` or `refused <reason>`.
    fn trust(&mut self, text: &[u8]) -> String {
        self.ask(&format!("trust {}", encode(text)))
    }

    fn proof(&mut self, file: &[u8], trust: &str) -> String {
        let number = match self.trusts.get(trust) {
            Some(number) => number.clone(),
            None => {
                let answer = self.trust(trust.as_bytes());
                let number = answer.split(' ').nth(1).expect("a number").to_owned();
                assert!(answer.starts_with("trust "), "{answer}");
                self.trusts.insert(trust.to_owned(), number.clone());
                number
            }
        };
        self.ask(&format!("proof {number} {}", encode(file)))
    }
}

fn encode(bytes: &[u8]) -> String {
    if bytes.is_empty() { "=".to_owned() } else { Base64::encode_string(bytes) }
}

fn with<T>(ask: impl FnOnce(&mut Node) -> T) -> Option<T> {
    let mut node = NODE.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
    Some(ask(&mut node))
}

/// What JavaScript says of a trust file; nothing where there is no Node.
pub(crate) fn trust(text: &[u8]) -> Option<String> {
    with(|node| node.trust(text))
}

/// What JavaScript says of a proof file against the text of a trust file; nothing where there is no Node.
pub(crate) fn proof(file: &[u8], trust: &str) -> Option<String> {
    with(|node| node.proof(file, trust))
}

/// Whether JavaScript takes bytes for a public key; nothing where there is no Node.
pub(crate) fn key(bytes: &[u8]) -> Option<bool> {
    with(|node| node.ask(&format!("key {}", encode(bytes))) == "true")
}

/// Whether JavaScript accepts a signature of a message by a public key; nothing where there is no Node.
pub(crate) fn signature(key: &[u8], signature: &[u8], message: &[u8]) -> Option<bool> {
    let words = [key, signature, message].map(encode);
    with(|node| node.ask(&format!("signature {}", words.join(" "))) == "true")
}
