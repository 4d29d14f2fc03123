//! A node in a scratch folder, by a clock that is set, with sources that are files.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use meed_audit::ids::EpochNumber;
use meed_audit::text::FreeText;
use meed_audit::time::{MS_PER_DAY, Timestamp};
use meed_keys::{KeyFile, KeyUse, NoteText, SigningKey};
use meed_node::api::documents::{ApproversRequest, DraftView, EpochView, FreezeRequest, ScopeRequest};
use meed_node::cli::commands::init;
use meed_node::clock::Clock;
use meed_node::config::{DataFolder, Settings};
use meed_node::failure::Failure;
use meed_node::service::{Service, Wanted};
use meed_node::workflow::{Engine, Progress, RetryPolicy};
use meed_storage::{Ledger, Options, Run, RunState, Snapshot};
use tempfile::TempDir;

pub(crate) const HOUR_MS: i64 = 3_600_000;
/// The scope.
pub(crate) const KEY: &str = "default";

/// Monday of the first week, and hours after it.
pub(crate) fn hour(hours: i64) -> Timestamp {
    let monday = Timestamp::parse_edge("at", "2026-01-05T00:00:00Z").expect("time");
    monday.plus_ms(hours * HOUR_MS).expect("time")
}

/// Days after the first Monday.
pub(crate) fn day(days: i64) -> Timestamp {
    hour(days * MS_PER_DAY / HOUR_MS)
}

pub(crate) fn actor() -> FreeText {
    FreeText::parse("actor", "olivia").expect("actor")
}

/// A clock that stands where it is set, and can stop answering, as if the node had died there.
pub(crate) struct SetClock {
    state: Mutex<(Timestamp, Option<u32>)>,
}

impl SetClock {
    pub(crate) fn set(&self, now: Timestamp) {
        self.state.lock().expect("clock").0 = now;
    }

    /// Answers so often, and then never again until it is told otherwise.
    pub(crate) fn answers(&self, times: Option<u32>) {
        self.state.lock().expect("clock").1 = times;
    }

    pub(crate) fn time(&self) -> Timestamp {
        self.state.lock().expect("clock").0
    }
}

impl Clock for SetClock {
    fn now(&self) -> Result<Timestamp, Failure> {
        let mut state = self.state.lock().expect("clock");
        match &mut state.1 {
            Some(0) => Err(Failure::refused("clock", "the node died here", "start it again")),
            Some(left) => {
                *left -= 1;
                Ok(state.0)
            }
            None => Ok(state.0),
        }
    }
}

/// A node, running or not.
pub(crate) struct Node {
    folder: TempDir,
    pub(crate) clock: Arc<SetClock>,
    settings: String,
    engine: Option<Engine>,
}

impl Node {
    /// A ledger with a weekly scope that two approvers sign for, and the sources `code` (a file) and `chat` (a folder).
    pub(crate) fn new() -> Self {
        let node = Self::without_approvers();
        node.set_approvers();
        node
    }

    pub(crate) fn without_approvers() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let origin = Some("ledger.example.org".parse().expect("origin"));
        init::create(&DataFolder::at(folder.path().join("data")), None, origin).expect("ledger");
        fs::create_dir(folder.path().join("chat")).expect("folder");
        fs::write(folder.path().join("code.ndjson"), "").expect("file");
        let clock = Arc::new(SetClock { state: Mutex::new((day(0), None)) });
        let mut node = Self { folder, clock, settings: String::new(), engine: None };
        node.configure(&node.sections(""));
        let request = ScopeRequest {
            key: KEY.to_owned(),
            unit: None,
            decimals: 0,
            unlinked: Default::default(),
            window_days: 7,
            base_issuance: Some("1000".to_owned()),
            weights: None,
        };
        node.service().add_scope(&request, &actor()).expect("scope");
        node.reload();
        node
    }

    /// The usual section of the scope, with more keys.
    pub(crate) fn sections(&self, more: &str) -> String {
        let (code, chat) = (self.path("code.ndjson"), self.path("chat"));
        let source = |name: &str, path: PathBuf| {
            format!(
                "[[scopes.default.sources]]\nkind = \"file\"\nname = \"{name}\"\npath = \"{}\"\n",
                path.display()
            )
        };
        format!("[scopes.default]\n{more}{}{}", source("code", code), source("chat", chat))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Stops the node, if it runs, and starts it with these sections.
    pub(crate) fn configure(&mut self, sections: &str) {
        self.settings = sections.to_owned();
        self.restart();
    }

    pub(crate) fn read_settings(&self) -> Settings {
        let path = self.folder.path().join("data").join("meed.toml");
        Settings::parse(&self.settings, &path, std::iter::empty()).expect("settings")
    }

    /// Reads changed sections without stopping, as on `SIGHUP`.
    pub(crate) fn reload_with(&mut self, sections: &str) -> meed_node::workflow::Reload {
        self.settings = sections.to_owned();
        self.reload()
    }

    fn reload(&self) -> meed_node::workflow::Reload {
        self.engine().reload(&self.read_settings()).expect("reconciled")
    }

    /// Ends the node, wherever it stands, and starts another one on the same ledger.
    pub(crate) fn restart(&mut self) {
        self.engine = None;
        self.clock.answers(None);
        let data = DataFolder::at(self.folder.path().join("data"));
        let (service, keyless) = Service::open(&data, self.read_settings()).expect("opened");
        assert!(!keyless);
        let service = service.with_clock(self.clock.clone());
        let engine = Engine::new(service, RetryPolicy { tries_max: 3, first_ms: 1_000, limit_ms: 60_000 });
        engine.reload(&self.read_settings()).expect("reconciled");
        self.engine = Some(engine);
    }

    pub(crate) fn engine(&self) -> &Engine {
        self.engine.as_ref().expect("a node that runs")
    }

    pub(crate) fn service(&self) -> &Service {
        self.engine().service()
    }

    /// Works until nothing is due, and says what was done; fails where that never ends.
    pub(crate) fn work(&self) -> Vec<String> {
        let mut done = Vec::new();
        loop {
            match self.engine().step().expect("a step") {
                Progress::Worked(what) => done.push(what),
                Progress::Idle(until) => {
                    assert!(until.is_none_or(|until| until > self.clock.time()), "idle until the past");
                    return done;
                }
            }
            assert!(done.len() < 2_000, "it spins: {:?}", &done[done.len() - 5..]);
        }
    }

    /// Lets the time be `now`, and works.
    pub(crate) fn at(&self, now: Timestamp) -> Vec<String> {
        self.clock.set(now);
        self.work()
    }

    /// As the last node stopped: the ledger itself.
    pub(crate) fn stopped(mut self) -> (TempDir, Ledger) {
        self.engine = None;
        let options = Options::default();
        let ledger =
            Ledger::open(self.folder.path().join("data").join("ledger.redb"), options).expect("ledger");
        (self.folder, ledger)
    }

    /// Does something with the ledger while the node is stopped, and starts the node again.
    pub(crate) fn between(&mut self, action: impl FnOnce(&Ledger)) {
        self.engine = None;
        let data = DataFolder::at(self.folder.path().join("data"));
        let key = KeyFile::parse(fs::read(data.log_key()).expect("key file")).expect("key");
        let options = Options { log_key: Some(key.open(None).expect("plain")), ..Options::default() };
        action(&Ledger::open(data.ledger(), options).expect("ledger"));
        self.restart();
    }

    /// Writes a line of the file `code`.
    pub(crate) fn code(&self, name: &str, event_time: Timestamp) {
        self.line("code.ndjson", name, event_time);
    }

    /// Writes a line of a file.
    pub(crate) fn line(&self, file: &str, name: &str, event_time: Timestamp) {
        let path = self.path(file);
        let before = fs::read_to_string(&path).unwrap_or_default();
        fs::write(path, before + &event_line(name, event_time) + "\n").expect("written");
    }

    pub(crate) fn epochs(&self) -> Vec<EpochView> {
        self.service().epochs(KEY, &Wanted::first(1_000)).expect("epochs").items
    }

    /// `<phase> <events>` of each epoch.
    pub(crate) fn phases(&self) -> Vec<String> {
        self.epochs().iter().map(|epoch| format!("{} {}", epoch.phase, epoch.events)).collect()
    }

    /// The names of an epoch's events, late ones with an exclamation mark.
    pub(crate) fn events(&self, epoch: u64) -> Vec<String> {
        let page = self.service().activity(KEY, epoch, None, &Wanted::first(10_000)).expect("activity");
        let name = |id: &str| id.rsplit(':').next().unwrap_or_default().to_owned();
        let late = |late: bool| if late { "!" } else { "" };
        let mut items = page.items;
        items.sort_by(|one, other| one.activity.event.cmp(&other.activity.event));
        let events = items
            .iter()
            .map(|item| format!("{}{}", name(&item.activity.event.to_string()), late(item.activity.late)));
        events.collect()
    }

    pub(crate) fn keys() -> [SigningKey; 2] {
        [("alice", 1), ("bob", 2)].map(|(name, seed)| {
            SigningKey::from_seed(name.parse().expect("name"), KeyUse::Approver, [seed; 32])
        })
    }

    pub(crate) fn set_approvers(&self) {
        let keys = Self::keys().iter().map(|key| key.verifier_key().to_string()).collect();
        let request = ApproversRequest { threshold: 2, keys };
        self.service().set_approvers(KEY, &request, &actor()).expect("approvers");
    }

    /// Freezes an epoch and has both approvers sign.
    pub(crate) fn sign(&self, epoch: u64) {
        let draft = self.service().freeze(KEY, epoch, &FreezeRequest::default(), &actor()).expect("draft");
        for key in Self::keys() {
            self.sign_as(&key, epoch, &draft);
        }
    }

    pub(crate) fn sign_as(&self, key: &SigningKey, epoch: u64, draft: &DraftView) {
        let text = draft.note.split("\n\n").next().expect("a text").to_owned() + "\n";
        let text = NoteText::new(text).expect("a note's text");
        let line = key.cosign(&text, self.clock.time().as_seconds()).expect("signed");
        self.service().add_signatures(KEY, epoch, &line.to_string()).expect("a signature");
    }

    /// Every attempt of every run, the oldest first.
    pub(crate) fn runs(&self) -> Vec<Run> {
        let mut runs = runs_of(&self.service_snapshot());
        runs.reverse();
        runs
    }

    fn service_snapshot(&self) -> Snapshot {
        self.service().snapshot().expect("snapshot")
    }

    /// How often runs of each id ended well, and otherwise.
    pub(crate) fn ends(&self) -> BTreeMap<String, (u32, u32)> {
        let mut ends: BTreeMap<String, (u32, u32)> = BTreeMap::new();
        for run in self.runs() {
            let (done, failed) = ends.entry(run.id.to_string()).or_default();
            match run.state {
                RunState::Done => *done += 1,
                RunState::Failed(_) => *failed += 1,
                other => panic!("run {} has not ended: {other:?}", run.id),
            }
        }
        ends
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.service_snapshot()
    }
}

pub(crate) fn runs_of(snapshot: &Snapshot) -> Vec<Run> {
    snapshot.runs(None, None, 10_000).expect("runs")
}

pub(crate) fn epoch(number: u64) -> EpochNumber {
    EpochNumber::new(number).expect("number")
}

/// An event by a GitHub account.
pub(crate) fn event_line(name: &str, event_time: Timestamp) -> String {
    event_line_with(name, event_time, "aa")
}

/// As [`event_line`], with a payload hash that repeats two digits.
pub(crate) fn event_line_with(name: &str, event_time: Timestamp, payload: &str) -> String {
    let payload_hash = payload.repeat(32);
    format!(
        r#"{{"id":"github:pr:7:{name}","source":"github","source_ref":"github:repo:7","event_type":"pr_merged","platform_user_id":"7","platform_login":"person","payload_hash":"{payload_hash}","producer":"test","producer_version":"1","event_time":"{event_time}","retrieved_at":"{event_time}"}}"#
    )
}
