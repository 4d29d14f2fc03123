//! A folder in which the program runs, and an epoch that is ready to be signed.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use meed_audit::time::{MS_PER_DAY, Timestamp};
use meed_audit::window::WindowDays;
use serde_json::Value;
use tempfile::TempDir;

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The answer, after a success.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// The problem document, after a refusal of a run with `--json`.
    #[track_caller]
    pub(crate) fn problem(&self, code: i32) -> Value {
        assert_eq!(self.code, code, "{self:?}");
        let last = self.err.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The two lines of a refusal.
    #[track_caller]
    pub(crate) fn refused(&self, code: i32, what: &str) {
        assert_eq!(self.code, code, "{self:?}");
        let lines: Vec<&str> = self.err.lines().collect();
        let [.., error, remedy] = lines.as_slice() else { panic!("two lines: {self:?}") };
        assert!(error.starts_with("error: ") && error.contains(what), "{what}: {self:?}");
        assert!(remedy.starts_with("  remedy: ") && remedy.len() > 15, "{self:?}");
    }
}

/// A folder with the program in it.
pub(crate) struct World {
    folder: TempDir,
    /// A moment in the last finished week.
    pub(crate) at: Timestamp,
}

/// The time of this machine; the program reads the same clock.
pub(crate) fn now() -> Timestamp {
    meed_node::clock::now().expect("clock")
}

impl World {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        let week = WindowDays::WEEK.window_at(now().plus_ms(-7 * MS_PER_DAY).expect("time")).expect("week");
        let at = week.start.plus_ms(MS_PER_DAY).expect("time");
        Self { folder: tempfile::tempdir().expect("folder"), at }
    }

    /// A ledger with three approvers, two of whom must sign, and an open epoch of the last finished week.
    pub(crate) fn open() -> Self {
        Self::open_at(Self::empty())
    }

    /// As [`World::open`], with an epoch of the week that runs, whose first moment `at` is.
    pub(crate) fn open_now() -> Self {
        let at = WindowDays::WEEK.window_at(now()).expect("week").start;
        Self::open_at(Self { at, ..Self::empty() })
    }

    fn open_at(world: Self) -> Self {
        world.run(&["init", "--origin", "ledger.example.org"]).ok();
        world.run(&["scope", "add", "default", "--base-issuance", "10000"]).ok();
        world.set_approvers(&["alice", "bob", "carol"], 2).ok();
        world.run(&["epoch", "open", "--scope", "default", "--at", &world.at.to_string()]).ok();
        world
    }

    /// As [`World::open`], with events of three people.
    pub(crate) fn with_events() -> Self {
        let world = Self::open();
        let lines: String =
            (1..=6).map(|number| world.event_line(&format!("e{number}"), 1 + number % 3) + "\n").collect();
        world.write("events.ndjson", &lines);
        world.run(&["import", "--scope", "default", "events.ndjson"]).ok();
        world
    }

    /// As [`World::with_events`], closed and frozen, its dossier in `name`.
    pub(crate) fn frozen(name: &str) -> Self {
        let world = Self::with_events();
        world.epoch(&["close"]).ok();
        world.freeze(name);
        world
    }

    /// Freezes epoch 1 and writes its dossier.
    #[track_caller]
    pub(crate) fn freeze(&self, dossier: &str) {
        self.epoch(&["freeze"]).ok();
        self.run(&["dossier", "--scope", "default", "--epoch", "1", "--out", dossier]).ok();
    }

    /// As [`World::freeze`], with the next revision although nothing has changed.
    #[track_caller]
    pub(crate) fn freeze_again(&self, dossier: &str) {
        self.epoch(&["freeze", "--again"]).ok();
        self.run(&["dossier", "--scope", "default", "--epoch", "1", "--out", dossier]).ok();
    }

    /// As [`World::frozen`], signed by two and final, with a proof and a trust file.
    pub(crate) fn finalized() -> Self {
        let world = Self::frozen("one.dossier");
        world.sign_and_finalize("one.dossier");
        world.run(&["trust", "--scope", "default", "--out", "trust.toml"]).ok();
        world.proof("identity:github:1", "one.payout.json").ok();
        world
    }

    /// Alice and Bob sign a dossier, and the epoch becomes final.
    #[track_caller]
    pub(crate) fn sign_and_finalize(&self, dossier: &str) {
        for name in ["alice", "bob"] {
            let line = self.sign(dossier, name).ok();
            self.write(&format!("{name}.sig"), &line);
            let file = format!("{name}.sig");
            self.run(&["signature", "add", "--scope", "default", "--epoch", "1", &file]).ok();
        }
        self.epoch(&["finalize"]).ok();
    }

    pub(crate) fn proof(&self, claimant: &str, file: &str) -> Ran {
        self.run(&["proof", "--scope", "default", "--epoch", "1", "--claimant", claimant, "--out", file])
    }

    pub(crate) fn sign(&self, dossier: &str, name: &str) -> Ran {
        self.run(&["sign", dossier, "--key", &format!("{name}.key"), "--yes"])
    }

    /// A signature line by Alice, of whatever is frozen.
    #[track_caller]
    pub(crate) fn sign_set(&self) -> String {
        self.epoch(&["close"]).ok();
        self.freeze("any.dossier");
        self.sign("any.dossier", "alice").ok()
    }

    /// `meed epoch <words> --scope default --epoch 1`.
    pub(crate) fn epoch(&self, words: &[&str]) -> Ran {
        let mut arguments = vec!["epoch"];
        arguments.extend(words);
        arguments.extend(["--scope", "default", "--epoch", "1"]);
        self.run(&arguments)
    }

    /// Makes keys that are not there yet, and sets or proposes them as approvers.
    pub(crate) fn set_approvers(&self, names: &[&str], threshold: u8) -> Ran {
        let threshold = threshold.to_string();
        let keys: Vec<String> = names.iter().map(|name| self.vkey(name)).collect();
        let mut arguments = vec!["scope", "approvers", "default", "--threshold", &threshold];
        for key in &keys {
            arguments.extend(["--key", key]);
        }
        self.run(&arguments)
    }

    /// The public key of an approver, whose plain key file is made where it is missing.
    pub(crate) fn vkey(&self, name: &str) -> String {
        let file = format!("{name}.key");
        if !self.path(&file).exists() {
            return self.run(&["key", "new", name, "--out", &file, "--no-passphrase"]).ok().trim().to_owned();
        }
        self.run(&["key", "show", &file]).ok().trim().to_owned()
    }

    /// An event by a GitHub account, in the week.
    pub(crate) fn event_line(&self, id: &str, account: u64) -> String {
        self.event_line_with(id, account, "aa")
    }

    /// As [`World::event_line`], with a payload hash that repeats two digits.
    pub(crate) fn event_line_with(&self, id: &str, account: u64, payload: &str) -> String {
        let payload_hash = payload.repeat(32);
        let at = self.at;
        format!(
            r#"{{"id":"github:pr:7:{id}","source":"github","source_ref":"github:repo:7","event_type":"pr_merged","platform_user_id":"{account}","platform_login":"person-{account}","payload_hash":"{payload_hash}","producer":"test","producer_version":"1","event_time":"{at}","retrieved_at":"{at}"}}"#
        )
    }

    /// All decisions of the scope.
    #[track_caller]
    pub(crate) fn decisions(&self) -> Vec<Value> {
        self.json(&["decisions", "--scope", "default"]).as_array().expect("decisions").clone()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("read")
    }

    /// Runs the program on the ledger `ledger` of this folder.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, &[], "")
    }

    /// As [`World::run`], where no file may become longer than some blocks of a shell's `ulimit -f`.
    pub(crate) fn run_with_file_limit(&self, blocks: u32, arguments: &[&str]) -> Ran {
        let mut command = isolated(Command::new("sh"), self.folder.path());
        let script = format!("ulimit -f {blocks} && exec \"$0\" \"$@\"");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_meed")]).args(arguments).env("MEED_DATA", "ledger");
        ended(command.spawn().expect("a shell runs"))
    }

    /// As [`World::run`], and reads the answer as JSON.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let mut all = arguments.to_vec();
        all.push("--json");
        let out = self.run(&all).ok();
        assert_eq!(out.lines().count(), 1, "one line of JSON: {out}");
        serde_json::from_str(&out).expect("JSON")
    }

    /// As [`World::run`], with more variables and an input.
    pub(crate) fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Ran {
        let mut command = program(self.folder.path());
        command.args(arguments).env("MEED_DATA", "ledger").envs(variables.iter().copied());
        let mut child = command.spawn().expect("meed runs");
        let mut stdin = child.stdin.take().expect("input");
        let written = stdin.write_all(input.as_bytes());
        drop(stdin);
        let ran = ended(child);
        written.expect("input");
        ran
    }
}

fn ended(child: Child) -> Ran {
    let output = child.wait_with_output().expect("meed ends");
    Ran {
        code: output.status.code().expect("an exit code"),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// The program in a folder, without the variables of whoever runs the tests.
pub(crate) fn program(folder: &Path) -> Command {
    isolated(Command::new(env!("CARGO_BIN_EXE_meed")), folder)
}

fn isolated(mut command: Command, folder: &Path) -> Command {
    for (name, _) in std::env::vars_os() {
        let is_ours = name.to_str().is_some_and(|name| name.starts_with("MEED_") || name == "NODE_ID");
        if is_ours {
            command.env_remove(name);
        }
    }
    // A folder above may be a repository; the tests do not stand in it.
    command.env("GIT_CEILING_DIRECTORIES", folder.parent().unwrap_or(folder));
    command.current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}
