//! Deliveries by webhook, over the router of everybody's port.

use axum::body::Body;
use axum::http::Request;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::BodyExt;
use meed_audit::text::FreeText;
use meed_node::api::{self, Face};
use serde_json::{Value, json};
use sha2::Sha256;
use tower::ServiceExt;

use super::model::*;
use super::world::World;

const SECRET: &str = "a secret of more than sixteen bytes";

fn sign(secret: &str, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(body);
    let tag: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={tag}")
}

/// Delivers bytes with these headers; the status, and the document.
fn send(world: &World, id: &str, event: &str, signature: &str, body: &[u8]) -> (u16, Value) {
    let actor = FreeText::parse("actor", "tester").unwrap();
    let router = api::router(world.service().clone(), Face::Port, actor);
    let mut request = Request::post("/api/v1/webhooks/github").header("content-type", "application/json");
    for (name, value) in
        [("x-github-delivery", id), ("x-github-event", event), ("x-hub-signature-256", signature)]
    {
        if !value.is_empty() {
            request = request.header(name, value);
        }
    }
    let request = request.body(Body::from(body.to_vec())).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let response = router.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    })
}

#[track_caller]
fn deliver(world: &World, id: &str, event: &str, payload: &Value) -> Value {
    let body = payload.to_string();
    let (status, answer) = send(world, id, event, &sign(SECRET, body.as_bytes()), body.as_bytes());
    assert_eq!(status, 200, "{answer}");
    answer
}

/// A world whose settings have the secret, and the server as a source that takes everything for its authors alone.
fn world(model: Model) -> World {
    let mut world = World::taking_all(model);
    world.rules.coauthors = false;
    world.write("secret", SECRET);
    let settings = format!(
        "github_webhook_secret_file = \"{}\"\n[scopes.default]\ncollect = \"off\"\n\
         [[scopes.default.sources]]\nkind = \"github\"\nrepository = \"Octo/Repo\"\nurl = \"{}\"\ntoken_file = \"{}\"\n\
         take = [\"merged\", \"reviews\", \"issues\", \"comments\"]\ncoauthors = false\n",
        world.path("secret").display(),
        world.github.url(),
        world.token_path().display(),
    );
    world.configure(&settings);
    world
}

fn repository() -> Value {
    json!({"id": NUMBER, "full_name": "octo/repo", "private": false})
}

fn user((login, id): (&str, u64)) -> Value {
    json!({"id": id, "login": login, "type": "User", "site_admin": false})
}

/// The first pull request of a model, as a webhook tells it.
fn pull_payload(model: &Model) -> Value {
    let pull = &model.pulls[0];
    json!({
        "action": "closed", "number": pull["number"], "repository": repository(), "sender": user(BEN),
        "pull_request": {
            "number": pull["number"], "title": pull["title"], "html_url": pull["url"], "merged": true,
            "merged_at": pull["mergedAt"], "user": user(ANA), "labels": [{"name": "b"}, {"name": "a"}],
            "base": {"ref": "main", "sha": "x"}, "head": {"ref": "branch-1", "sha": "y"},
        },
    })
}

fn comment_payload(model: &Model) -> Value {
    let (pull, comment) = (&model.pulls[0], &model.pulls[0]["comments"][0]);
    json!({
        "action": "created", "repository": repository(), "sender": user(CLEO),
        "issue": {"number": pull["number"], "title": pull["title"], "pull_request": {"url": "x"}},
        "comment": {
            "id": 5, "html_url": comment["url"], "created_at": comment["createdAt"], "user": user(CLEO),
            "body": "never stored",
        },
    })
}

fn model() -> Model {
    let mut pull = with_comment(merged(1, ANA, &january(6, 1)), 5, CLEO, &january(6, 2));
    pull["labels"] = json!([{"name": "a"}, {"name": "b"}]);
    Model { pulls: vec![pull], ..Model::default() }
}

/// The vector of GitHub's documentation.
#[test]
fn signatures_are_those_of_githubs_documentation() {
    assert_eq!(
        sign("It's a Secret to Everybody", b"Hello, World!"),
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    );
}

/// Weakness 6: whoever comes first, the delivery or the lists, id, hashes and metadata are the same.
#[test]
fn an_event_is_the_same_by_webhook_and_by_poll() {
    let polled = world(model());
    polled.collect();
    let delivered = world(model());
    assert_eq!(deliver(&delivered, "1", "pull_request", &pull_payload(&model()))["stored"], 1);
    assert_eq!(deliver(&delivered, "2", "issue_comment", &comment_payload(&model()))["stored"], 1);
    assert_eq!(delivered.stored(), polled.stored());
    assert!(!format!("{:?}", delivered.stored()).contains("never stored"));
    let view = delivered.collect();
    assert_eq!((view.events.stored, view.events.duplicates, view.events.conflicts), (0, 2, 0));
    let again = deliver(&polled, "3", "pull_request", &pull_payload(&model()));
    assert_eq!((&again["stored"], &again["duplicates"]), (&json!(0), &json!(1)));
}

/// What only the lists know is collected, once for all that is delivered in a short while.
#[test]
fn what_a_delivery_does_not_tell_whole_is_collected() {
    let pull = with_review(merged(1, ANA, &january(6, 1)), 7, BEN, "APPROVED", &january(6, 2));
    let world = world(Model { pulls: vec![pull], ..Model::default() });
    world.clock.set(super::world::at("2026-01-06T12:00:00Z"));
    let review = json!({
        "action": "submitted", "repository": repository(), "review": {"id": 7}, "pull_request": {
            "number": 1, "title": "x", "html_url": "x", "base": {"ref": "main"}, "head": {"ref": "b"},
        },
    });
    deliver(&world, "1", "pull_request_review", &review);
    assert_eq!(world.lines(), ["pr:1 pr_merged 11", "review:1:7 review_approved 22"]);
    let asked = world.github.count();
    assert!(asked > 0);
    deliver(&world, "2", "pull_request_review", &review);
    assert_eq!(world.github.count(), 0, "a short while later");
    world.clock.set(super::world::at("2026-01-06T12:05:00Z"));
    deliver(&world, "3", "issues", &json!({"action": "closed", "repository": repository()}));
    assert!(world.github.count() > 0);
}

/// Weakness 33: a forged delivery does nothing, and one that comes again does nothing more.
#[test]
fn forged_and_replayed_deliveries_do_nothing() {
    let world = world(model());
    let body = pull_payload(&model()).to_string();
    let good = sign(SECRET, body.as_bytes());
    let other = body.replace("Pull 1", "Pull 2");
    for (signature, body) in [
        (good.as_str(), other.as_str()),
        (&sign("another secret of sixteen", body.as_bytes()), &body),
        (&good.to_uppercase(), &body),
        (good.trim_start_matches("sha256="), &body),
        (&good[..good.len() - 2], &body),
        ("sha256=", &body),
        (&sign(SECRET, b""), &body),
        // What is not signed is not even read.
        ("sha256=00", "{not json"),
    ] {
        let (status, problem) = send(&world, "1", "pull_request", signature, body.as_bytes());
        assert_eq!((status, &problem["code"]), (422, &json!("signature_invalid")), "{signature}: {problem}");
        assert!(!problem.to_string().contains(SECRET));
    }
    assert!(world.stored().is_empty());
    assert_eq!(deliver(&world, "1", "pull_request", &pull_payload(&model()))["stored"], 1);
    let replayed = deliver(&world, "1", "issue_comment", &comment_payload(&model()));
    assert_eq!((&replayed["replayed"], &replayed["stored"]), (&json!(true), &json!(0)));
    assert_eq!(world.stored().len(), 1);
}

/// A delivery is remembered for thirty days, and forgotten when another comes after them.
#[test]
fn deliveries_are_forgotten_after_their_time() {
    let world = world(model());
    let ping = json!({"zen": "Practicality beats purity."});
    let replayed = |id: &str| deliver(&world, id, "ping", &ping)["replayed"] == true;
    assert!(!replayed("old") && replayed("old"));
    world.clock.set(super::world::at("2026-03-03T00:00:00Z"));
    assert!(!replayed("later"));
    assert!(replayed("old"), "thirty days, to the last moment");
    world.clock.set(super::world::at("2026-03-03T00:00:00.001Z"));
    assert!(!replayed("last"));
    assert!(!replayed("old") && replayed("later"));
}

#[test]
fn what_is_signed_and_strange_is_refused_or_means_nothing() {
    let world = world(model());
    let signed = |id: &str, event: &str, body: &[u8]| send(&world, id, event, &sign(SECRET, body), body);
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for (body, status) in [
        (b"{not json".to_vec(), 400),
        (b"[]".to_vec(), 400),
        (b"\xff\xfe".to_vec(), 400),
        (deep.into_bytes(), 400),
        (br#"{"repository":{"id":"x","full_name":7}}"#.to_vec(), 400),
        (vec![b' '; (1 << 20) + 1], 413),
    ] {
        let (got, problem) = signed("1", "pull_request", &body);
        assert_eq!(got, status, "{problem}");
    }
    for (number, (event, payload)) in [
        ("ping", json!({"zen": "Keep it logically awesome.", "hook_id": 1})),
        ("pull_request", json!({"action": "closed"})),
        ("pull_request", json!({"action": "closed", "repository": {"id": 1, "full_name": "other/repo"}})),
        ("pull_request", json!({"action": "opened", "repository": repository()})),
        ("star", json!({"action": "created", "repository": repository()})),
        ("unheard_of", json!({"repository": {"id": 1, "full_name": "../../etc"}})),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = deliver(&world, &format!("d{number}"), event, &payload);
        assert_eq!((&answer["stored"], &answer["collecting"]), (&json!(0), &json!([])), "{event}");
    }
    let mut closed = pull_payload(&model());
    closed["pull_request"]["merged_at"] = Value::Null;
    assert_eq!(deliver(&world, "e", "pull_request", &closed)["stored"], 0, "closed without a merge");
    let mut bot = pull_payload(&model());
    bot["pull_request"]["user"] = json!({"id": 9, "login": "helper[bot]", "type": "Bot"});
    assert_eq!(deliver(&world, "f", "pull_request", &bot)["stored"], 0);
    assert!(world.stored().is_empty() && world.github.count() == 0);
    let body = pull_payload(&model()).to_string();
    for id in ["a b", &"x".repeat(101)] {
        let (status, problem) = signed(id, "pull_request", body.as_bytes());
        assert_eq!((status, &problem["code"]), (400, &json!("invalid_identifier")));
    }
}

#[test]
fn a_node_without_a_secret_takes_no_deliveries() {
    let world = World::new(model());
    let body = pull_payload(&model()).to_string();
    let (status, problem) =
        send(&world, "1", "pull_request", &sign(SECRET, body.as_bytes()), body.as_bytes());
    assert_eq!((status, &problem["code"]), (404, &json!("record_not_found")));
    assert!(problem["remedy"].as_str().unwrap().contains("github_webhook_secret_file"));
    // What is no delivery of GitHub's is told apart, with a secret and without.
    for world in [&world, &self::world(model())] {
        let (status, problem) = send(world, "1", "pull_request", "", body.as_bytes());
        assert_eq!((status, &problem["code"]), (400, &json!("missing_field")), "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("X-Hub-Signature-256"), "{problem}");
    }
    let mut short = World::new(model());
    short.write("secret", "short\n");
    short.configure(&format!("github_webhook_secret_file = \"{}\"\n", short.path("secret").display()));
    let (status, _) = send(&short, "1", "pull_request", &sign("short", body.as_bytes()), body.as_bytes());
    assert_eq!(status, 500);
    assert!(short.stored().is_empty());
}
