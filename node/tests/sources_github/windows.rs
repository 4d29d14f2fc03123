//! The source as a scope's schedule reads it: week by week, with what came late, and with limits waited out.

use std::sync::Arc;

use meed_audit::text::FreeText;
use meed_audit::time::Timestamp;
use meed_node::api::documents::ScopeRequest;
use meed_node::cli::commands::init;
use meed_node::clock::Clock;
use meed_node::config::{DataFolder, Settings};
use meed_node::service::{Service, Wanted};
use meed_node::workflow::{Engine, Progress, RetryPolicy};
use meed_storage::{Run, RunState, StepState};
use serde_json::json;
use tempfile::TempDir;
use wiremock::ResponseTemplate;

use super::model::*;
use super::server::{Github, TOKEN};
use super::world::{KEY, SetClock, World, at};

/// A node with a schedule whose one source is the server.
struct Node {
    _folder: TempDir,
    clock: Arc<SetClock>,
    engine: Engine,
    github: Github,
}

impl Node {
    fn new(model: Model) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::at(folder.path().join("data"));
        init::create(&data, None, Some("ledger.example.org".parse().unwrap())).expect("ledger");
        std::fs::write(folder.path().join("data").join("token"), TOKEN).unwrap();
        let github = Github::start(model);
        let text = format!(
            "[scopes.default]\n[[scopes.default.sources]]\nkind = \"github\"\nname = \"code\"\n\
             repository = \"octo/repo\"\nurl = \"{}\"\ntoken_file = \"token\"\n",
            github.url()
        );
        let settings = Settings::parse(&text, &data.settings(), std::iter::empty()).expect("settings");
        let clock = Arc::new(SetClock::at(at("2026-01-06T12:00:00Z")));
        let service = Service::open(&data, settings.clone()).expect("opened").0.with_clock(clock.clone());
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
        service.add_scope(&request, &actor).expect("scope");
        let engine = Engine::new(service, RetryPolicy { tries_max: 3, first_ms: 1_000, limit_ms: 60_000 });
        engine.reload(&settings).expect("reconciled");
        Self { _folder: folder, clock, engine, github }
    }

    /// Works until nothing is due, and says until when.
    fn work(&self) -> Option<Timestamp> {
        loop {
            match self.engine.step().expect("a step") {
                Progress::Worked(_) => {}
                Progress::Idle(until) => return until,
            }
        }
    }

    fn collect(&self) -> Run {
        let actor = FreeText::parse("actor", "olivia").unwrap();
        let (run, _) = self.engine.submit_collect(KEY, None, &actor).expect("asked for");
        self.work();
        self.engine.service().snapshot().unwrap().run(&run.id).unwrap()
    }

    fn events(&self, epoch: u64) -> usize {
        self.engine.service().activity(KEY, epoch, None, &Wanted::first(1_000)).expect("activity").items.len()
    }
}

fn step<'a>(run: &'a Run, name: &str) -> &'a meed_storage::RunStep {
    run.step(name).unwrap_or_else(|| panic!("{:?}", run.steps))
}

#[test]
fn a_schedule_collects_its_week_and_reports_what_is_there() {
    let node = Node::new(Model {
        pulls: vec![
            merged(1, ANA, "2026-01-01T00:00:00Z"),
            with_review(merged(2, ANA, &january(5, 1)), 7, BEN, "APPROVED", &january(6, 1)),
            {
                let mut bot = merged(3, ANA, &january(6, 2));
                bot["author"] = other_account("Bot", "helper", 9);
                bot
            },
        ],
        issues: vec![closed(4, ANA, BEN, &january(6, 3))],
        ..Model::default()
    });
    let run = node.collect();
    assert_eq!(run.state, RunState::Done, "{run:?}");
    assert_eq!(
        step(&run, "collect code").result,
        "3 of 3 events in the ledger: 3 stored, 0 there already; left out: 1 bot"
    );
    assert_eq!(node.events(1), 3, "the week's, and not what was before it");
    let again = node.collect();
    assert_eq!(
        step(&again, "collect code").result,
        "3 of 3 events in the ledger: 0 stored, 3 there already; left out: 1 bot"
    );
    let view = node.engine.service().run(&again.id.to_string(), None).expect("run");
    assert_eq!((view.sources[0].found, view.sources[0].stored), (3, 3));
}

/// Weakness 33: under-collection is told from a quiet week, and keeps the epoch open.
#[test]
fn what_is_missing_from_a_week_is_reported_and_keeps_its_epoch_open() {
    let node = Node::new(Model { pulls: vec![merged(1, ANA, &january(6, 1))], ..Model::default() });
    node.github.change(|model| model.hidden_merges = 1);
    let run = node.collect();
    assert_eq!(
        step(&run, "collect code").result,
        "1 of 2 events in the ledger: 1 stored, 0 there already; missing: 1 not handed on"
    );
}

/// A limit is waited out: the run waits until the time that GitHub names, says so, and then goes on where it stopped.
#[test]
fn a_limit_is_waited_out_in_sight() {
    let pulls = (1..=120).map(|number| merged(number, ANA, &january(6, 1))).collect();
    let node = Node::new(Model { pulls, ..Model::default() });
    let limited = json!({"message": "You have exceeded a secondary rate limit."});
    node.github
        .fault(3, ResponseTemplate::new(403).set_body_json(limited).insert_header("retry-after", "1800"));
    let run = node.collect();
    let until = at("2026-01-06T12:30:00Z");
    let waiting = step(&run, "collect code");
    assert_eq!((&waiting.state, waiting.tries), (&StepState::Waiting(until), 0), "it was no try");
    assert!(
        waiting.result.contains("no more requests before 2026-01-06T12:30:00.000Z"),
        "{}",
        waiting.result
    );
    assert_eq!(run.state, RunState::Waiting(until));
    assert_eq!(node.work(), Some(until), "nothing is done before");
    assert_eq!(node.github.count(), 3);
    node.clock.set(until);
    node.work();
    let run = node.engine.service().snapshot().unwrap().run(&run.id).unwrap();
    assert_eq!(run.state, RunState::Done);
    assert_eq!(node.events(1), 120);
}

/// The next week's pass takes what came late for the week before while that is open, from a place that is older than both.
#[test]
fn a_week_is_read_from_a_place_that_is_older_than_it() {
    let pulls = (1..=120).map(|number| merged(number, ANA, &january(6, 1))).collect();
    let node = Node::new(Model { pulls, ..Model::default() });
    node.collect();
    node.clock.set(at("2026-01-27T12:00:00Z"));
    node.github.change(|model| model.pulls.push(merged(200, BEN, &january(26, 1))));
    node.work();
    node.github.count();
    let run = node.collect();
    assert_eq!(run.state, RunState::Done, "{run:?}");
    let asked = &node.github.state.lock().unwrap().asked;
    let from: Vec<&str> = asked
        .iter()
        .filter(|question| question["query"].as_str().unwrap().contains("page:pullRequests("))
        .filter_map(|question| question["variables"]["after"].as_str())
        .collect();
    assert!(from.iter().any(|after| after.contains("2026-01-06")), "{from:?}");
    assert!(node.clock.now().is_ok());
}

/// Weakness 30: two places of a scope are read each once, each with cursors of its own.
#[test]
fn a_second_reading_of_the_same_place_moves_nothing_back() {
    let world = World::new(Model { pulls: vec![merged(1, ANA, &january(6, 1))], ..Model::default() });
    world.collect();
    let before = world.cursors();
    let week = Some(("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"));
    world.try_from(world.place(), week).expect("collected");
    assert_eq!(world.cursors(), before);
}
