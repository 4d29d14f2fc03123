//! A ledger that collects from the server, and what it holds then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use meed_audit::ids::ScopeId;
use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use meed_node::api::documents::{CollectRequest, CollectView, ScopeRequest};
use meed_node::cli::commands::init;
use meed_node::clock::Clock;
use meed_node::config::{DataFolder, Settings};
use meed_node::failure::Failure;
use meed_node::service::Service;
use meed_node::sources::github::{GithubPlace, Rules, Take, TokenPlace};
use meed_storage::{EventReader, LogKind, PrivateData, cursors_of};
use serde_json::Value;
use tempfile::TempDir;

use super::model::Model;
use super::server::{Github, TOKEN};

pub(crate) const KEY: &str = "default";

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse_edge("at", text).expect(text)
}

/// A clock that stands, and stops answering after some readings where a test says so, as if the node died there.
pub(crate) struct SetClock(Mutex<(Timestamp, Option<u32>)>);

impl SetClock {
    pub(crate) fn at(now: Timestamp) -> Self {
        Self(Mutex::new((now, None)))
    }

    pub(crate) fn set(&self, now: Timestamp) {
        self.0.lock().unwrap().0 = now;
    }

    pub(crate) fn dies_after(&self, readings: Option<u32>) {
        self.0.lock().unwrap().1 = readings;
    }
}

impl Clock for SetClock {
    fn now(&self) -> Result<Timestamp, Failure> {
        let mut state = self.0.lock().unwrap();
        match &mut state.1 {
            Some(0) => return Err(Failure::refused("clock", "the node died here", "start it again")),
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(state.0)
    }
}

/// An event as the ledger holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) kind: String,
    pub(crate) authors: Vec<(String, u32)>,
    pub(crate) at: String,
    /// What makes it the same as another.
    pub(crate) content: String,
    pub(crate) payload_hash: String,
    pub(crate) source_ref: String,
    pub(crate) metadata: Value,
}

pub(crate) struct World {
    folder: TempDir,
    pub(crate) clock: Arc<SetClock>,
    service: Option<Service>,
    settings: String,
    pub(crate) github: Github,
    pub(crate) rules: Rules,
}

impl World {
    pub(crate) fn new(model: Model) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::at(folder.path().join("data"));
        init::create(&data, None, Some("ledger.example.org".parse().unwrap())).expect("ledger");
        std::fs::write(folder.path().join("token"), TOKEN).unwrap();
        let clock = Arc::new(SetClock::at(at("2026-02-01T00:00:00Z")));
        let mut world = Self {
            folder,
            clock,
            service: None,
            settings: String::new(),
            github: Github::start(model),
            rules: Rules::default(),
        };
        world.restart();
        let request = ScopeRequest {
            key: KEY.to_owned(),
            unit: None,
            decimals: 0,
            unlinked: Default::default(),
            window_days: 7,
            base_issuance: Some("1000".to_owned()),
            weights: None,
        };
        let actor = FreeText::parse("actor", "olivia").unwrap();
        world.service().add_scope(&request, &actor).expect("scope");
        world
    }

    /// A world that takes everything.
    pub(crate) fn taking_all(model: Model) -> Self {
        let mut world = Self::new(model);
        world.rules.take = Take::ALL.into_iter().collect();
        world
    }

    /// Ends the process that has the ledger, and starts another.
    pub(crate) fn restart(&mut self) {
        self.service = None;
        self.clock.dies_after(None);
        let data = DataFolder::at(self.folder.path().join("data"));
        let settings =
            Settings::parse(&self.settings, &data.settings(), std::iter::empty()).expect("settings");
        let service = Service::open(&data, settings).expect("opened").0;
        self.service = Some(service.with_clock(self.clock.clone()));
    }

    /// Starts again with these settings.
    pub(crate) fn configure(&mut self, settings: &str) {
        self.settings = settings.to_owned();
        self.restart();
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn service(&self) -> &Service {
        self.service.as_ref().unwrap()
    }

    pub(crate) fn place(&self) -> GithubPlace {
        GithubPlace {
            url: self.github.url(),
            token: TokenPlace::File(self.folder.path().join("token")),
            rules: self.rules.clone(),
            timeout_seconds: 5,
            ..GithubPlace::new("octo/repo".parse().unwrap())
        }
    }

    pub(crate) fn try_from(
        &self,
        place: GithubPlace,
        span: Option<(&str, &str)>,
    ) -> Result<CollectView, Failure> {
        let request = CollectRequest {
            github: Some(Box::new(place)),
            since: span.map(|(since, _)| since.to_owned()),
            until: span.map(|(_, until)| until.to_owned()),
            ..CollectRequest::default()
        };
        self.service().collect(KEY, &request)
    }

    #[track_caller]
    pub(crate) fn collect(&self) -> CollectView {
        self.try_from(self.place(), None).expect("collected")
    }

    /// Why collecting fails.
    #[track_caller]
    pub(crate) fn refusal(&self) -> Failure {
        self.try_from(self.place(), None).expect_err("no collection")
    }

    /// All events of the ledger by id.
    pub(crate) fn stored(&self) -> BTreeMap<String, Stored> {
        let snapshot = self.service().snapshot().unwrap();
        let size = snapshot.log_size(LogKind::Events).unwrap();
        let indexes: Vec<u64> = (0..size).collect();
        let mut found = Vec::new();
        snapshot
            .for_each_event(&indexes, &mut |event| {
                found.push((event.index, event.event.clone()));
                Ok(())
            })
            .unwrap();
        let stored = found.into_iter().map(|(index, event)| {
            let Some(PrivateData::Kept { metadata, .. }) = snapshot.event_private(index).unwrap() else {
                panic!("metadata of {}", event.id)
            };
            let authors = event.authors.iter().map(|author| (author.identity.to_string(), author.share));
            let stored = Stored {
                kind: event.event_type.to_string(),
                authors: authors.collect(),
                at: event.event_time.to_string(),
                content: event.content_hash().to_hex(),
                payload_hash: event.payload_hash.to_hex(),
                source_ref: event.source_ref.clone(),
                metadata: serde_json::from_str(&metadata).unwrap(),
            };
            (event.id.to_string(), stored)
        });
        stored.collect()
    }

    /// The ids of the ledger's events with what makes each the same as another.
    pub(crate) fn contents(&self) -> BTreeMap<String, String> {
        self.stored().into_iter().map(|(id, stored)| (id, stored.content)).collect()
    }

    /// `<id without the number of the repository> <type>` of each event, and who shares it.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |(id, stored): (String, Stored)| {
            let id = id.replacen(&format!("{}:", super::model::NUMBER), "", 1);
            let people: Vec<String> =
                stored.authors.iter().map(|(identity, _)| identity.replace("identity:github:", "")).collect();
            format!("{} {} {}", id.replace("github:", ""), stored.kind, people.join("+"))
        };
        self.stored().into_iter().map(line).collect()
    }

    /// How far each stream was read, by the orders of its cursors.
    pub(crate) fn cursors(&self) -> BTreeMap<String, u64> {
        let snapshot = self.service().snapshot().unwrap();
        let scope: ScopeId = snapshot.scopes().unwrap()[0].id;
        let cursors = cursors_of(&snapshot, scope).unwrap();
        cursors.into_iter().map(|it| (it.key.stream.to_string(), it.cursor.order)).collect()
    }

    pub(crate) fn token_path(&self) -> std::path::PathBuf {
        self.folder.path().join("token")
    }
}
