//! Real git repositories for the tests of sources, made commit by commit.

#![allow(dead_code, reason = "each test file that includes this uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where its tools fail"
)]

use std::convert::Infallible;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use meed_audit::event::{Event, NewEvent};
use meed_audit::hash::Hash;
use meed_audit::ids::NodeId;
use meed_audit::time::Timestamp;
use meed_node::sources::git::{BotList, CollectReport, GitRequest, collect};
use meed_node::sources::{CollectError, SourceError};
use tempfile::TempDir;

/// The node that collects.
pub(crate) const NODE: &str = "4ff8eac1-4eba-4ed0-931b-b1fe4f64713d";
/// 2026-03-04T12:00:00Z, in seconds.
pub(crate) const NOON: i64 = 1_772_625_600;

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse_edge("at", text).expect(text)
}

pub(crate) fn now() -> Timestamp {
    at("2026-04-01T00:00:00Z")
}

/// The external id of whoever reads `email`, computed here again.
pub(crate) fn person(email: &str) -> String {
    Hash::of(format!("meed/git-email/v1\n{NODE}\n{email}").as_bytes()).to_hex()
}

/// Runs git in `folder` without the account's configuration and returns what it prints.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    git_with_input(folder, arguments, b"")
}

pub(crate) fn git_with_input(folder: &Path, arguments: &[&str], input: &[u8]) -> String {
    let mut child = Command::new("git")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .args([
            "-c",
            "user.name=Somebody",
            "-c",
            "user.email=somebody@example.org",
            "-c",
            "protocol.file.allow=always",
        ])
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("git starts");
    child.stdin.take().expect("input").write_all(input).expect("git reads");
    let output = child.wait_with_output().expect("git ends");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8").trim_end().to_owned()
}

/// A repository in a folder that vanishes with it; `main` is what has been committed.
pub(crate) struct Repo {
    pub(crate) folder: TempDir,
    pub(crate) path: PathBuf,
    tree: String,
    seconds: i64,
}

impl Repo {
    pub(crate) fn new() -> Self {
        Self::with_format("sha1")
    }

    pub(crate) fn with_format(format: &str) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("repo");
        fs::create_dir(&path).expect("folder");
        git(&path, &["init", "-q", "-b", "main", &format!("--object-format={format}")]);
        let tree = git(&path, &["mktree"]);
        Self { folder, path, tree, seconds: NOON }
    }

    /// Makes `content` the mailmap of the commits that follow.
    pub(crate) fn mailmap(&mut self, content: &[u8]) {
        let blob = git_with_input(&self.path, &["hash-object", "-w", "--stdin"], content);
        self.tree =
            git_with_input(&self.path, &["mktree"], format!("100644 blob {blob}\t.mailmap\n").as_bytes());
    }

    /// Commits on top of `main`, one minute after the last commit; `who` is `Name <address>`.
    pub(crate) fn commit(&mut self, who: &str, message: &str) -> String {
        self.commit_bytes(who.as_bytes(), message.as_bytes())
    }

    pub(crate) fn commit_bytes(&mut self, who: &[u8], message: &[u8]) -> String {
        self.seconds += 60;
        let seconds = self.seconds.to_string();
        let parents: Vec<String> = self.tip().into_iter().collect();
        let id = self.object(
            &parents,
            &[who, b" 5 +0000"].concat(),
            &format!("C <c@x.org> {seconds} +0000"),
            message,
        );
        git(&self.path, &["update-ref", "refs/heads/main", &id]);
        id
    }

    /// Commits on top of `main` at a time of its own, written as it stands.
    pub(crate) fn commit_at(&mut self, seconds: &str) -> String {
        let parents: Vec<String> = self.tip().into_iter().collect();
        let id = self.object(
            &parents,
            b"A <a@x.org> 5 +0000",
            &format!("C <c@x.org> {seconds} +0000"),
            b"timed\n",
        );
        git(&self.path, &["update-ref", "refs/heads/main", &id]);
        id
    }

    /// Merges `others` into `main`.
    pub(crate) fn merge(&mut self, who: &str, others: &[&str], message: &str) -> String {
        self.seconds += 60;
        let mut parents: Vec<String> = self.tip().into_iter().collect();
        parents.extend(others.iter().map(|&other| other.to_owned()));
        let committer = format!("C <c@x.org> {} +0000", self.seconds);
        let id = self.object(&parents, format!("{who} 5 +0000").as_bytes(), &committer, message.as_bytes());
        git(&self.path, &["update-ref", "refs/heads/main", &id]);
        id
    }

    /// Writes a commit object byte by byte, as no well-behaved git would.
    pub(crate) fn object(
        &self,
        parents: &[String],
        author: &[u8],
        committer: &str,
        message: &[u8],
    ) -> String {
        let mut object = format!("tree {}\n", self.tree).into_bytes();
        for parent in parents {
            object.extend_from_slice(format!("parent {parent}\n").as_bytes());
        }
        object.extend_from_slice(
            &[b"author ", author, b"\ncommitter ", committer.as_bytes(), b"\n\n", message].concat(),
        );
        git_with_input(&self.path, &["hash-object", "-t", "commit", "-w", "--stdin", "--literally"], &object)
    }

    pub(crate) fn tip(&self) -> Option<String> {
        let refs = git(&self.path, &["for-each-ref", "--format=%(objectname)", "refs/heads/main"]);
        (!refs.is_empty()).then_some(refs)
    }

    pub(crate) fn request(&self) -> GitRequest {
        request(&self.path, "main")
    }

    pub(crate) fn collect(&self) -> Collected {
        collect_all(&self.request()).expect("collects")
    }
}

pub(crate) fn request(path: &Path, reference: &str) -> GitRequest {
    GitRequest {
        path: path.to_owned(),
        reference: reference.to_owned(),
        since: None,
        until: None,
        node_id: NODE.parse::<NodeId>().expect("node"),
        bots: BotList::default(),
        now: now(),
    }
}

/// What a collection gave.
pub(crate) struct Collected {
    pub(crate) report: CollectReport,
    pub(crate) events: Vec<NewEvent>,
}

impl Collected {
    pub(crate) fn ids(&self) -> Vec<&str> {
        self.events.iter().map(|event| event.id().as_str()).collect()
    }

    pub(crate) fn content(&self) -> Vec<Hash> {
        self.events.iter().map(NewEvent::content_hash).collect()
    }

    /// The event of this id, with all its fields.
    pub(crate) fn event(&self, id: &str) -> Event {
        let event = self.events.iter().find(|event| event.id().as_str() == id).expect(id);
        event.clone().into_event([0; 32], Vec::new()).expect("event")
    }

    /// External ids of the authors of the event of this id.
    pub(crate) fn authors(&self, id: &str) -> Vec<String> {
        self.event(id).authors.iter().map(|author| author.identity.external_id().to_owned()).collect()
    }

    pub(crate) fn metadata(&self, id: &str) -> &str {
        self.events.iter().find(|event| event.id().as_str() == id).expect(id).metadata()
    }

    /// The names of the reasons for which something was left out, with counts.
    pub(crate) fn skipped(&self) -> Vec<(&'static str, u64)> {
        self.report.skipped.iter().map(|(reason, skipped)| (reason.name(), skipped.count)).collect()
    }
}

pub(crate) fn collect_all(request: &GitRequest) -> Result<Collected, SourceError> {
    let mut events = Vec::new();
    let mut sink = |batch: Vec<NewEvent>| -> Result<(), Infallible> {
        assert!(!batch.is_empty() && batch.len() <= 1_000, "a batch of {}", batch.len());
        events.extend(batch);
        Ok(())
    };
    match collect(request, &mut sink) {
        Ok(report) => Ok(Collected { report, events }),
        Err(CollectError::Source(error)) => Err(error),
        Err(CollectError::Sink(never)) => match never {},
    }
}

/// The people of these addresses, as an event lists them.
pub(crate) fn people(emails: &[&str]) -> Vec<String> {
    let mut ids: Vec<String> = emails.iter().map(|email| person(email)).collect();
    ids.sort();
    ids
}
