//! Lists in parts: over HTTP and on the pages, whatever the size of a part, and nothing more than was asked for.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "helpers of tests may fail a test")]

use std::fmt::Write as _;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::{Method, Request, header};
use http_body_util::BodyExt;
use meed_audit::dossier::Dossier;
use meed_audit::text::FreeText;
use meed_keys::{KeyUse, NoteText, SigningKey};
use meed_node::api::{self, Face};
use meed_node::cli::commands::init;
use meed_node::config::{DataFolder, Settings};
use meed_node::service::Service;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt;

const EPOCH: &str = "/scopes/default/epochs/1";
/// Claimants of the first epoch: GitHub accounts 1 to 130.
const CLAIMANTS: u64 = 130;

/// A ledger with a final epoch of many claimants and one that is open, behind both faces.
struct Node {
    _folder: TempDir,
    runtime: Runtime,
    owner: Router,
    port: Router,
}

/// One event of each account, in the first week of January or in the second.
fn lines(accounts: std::ops::RangeInclusive<u64>, day: u32) -> String {
    accounts.fold(String::new(), |mut lines, account| {
        let _ = writeln!(
            lines,
            r#"{{"id":"chat:{day}:{account}","source":"chat","source_ref":"c","event_type":"message","authors":[{{"provider":"github","id":"{account}"}}],"metadata":{{}},"payload_hash":"{account:064x}","producer":"t","producer_version":"1","event_time":"2026-01-{day:02}T12:00:00Z","retrieved_at":"2026-01-20T12:00:00Z"}}"#
        );
        lines
    })
}

impl Node {
    fn new() -> Self {
        Self::with(CLAIMANTS)
    }

    /// A node whose first epoch has so many claimants.
    fn with(claimants: u64) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let data = DataFolder::at(folder.path().join("ledger"));
        init::create(&data, None, Some("ledger.example.org".parse().expect("origin"))).expect("ledger");
        let settings = Settings::parse("", &data.settings(), std::iter::empty()).expect("settings");
        let service = Service::open(&data, settings).expect("opened").0;
        let actor = FreeText::parse("actor", "tester").expect("actor");
        let node = Self {
            _folder: folder,
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime"),
            owner: api::router(service.clone(), Face::Local, actor.clone()),
            port: api::router(service, Face::Port, actor),
        };
        node.live(claimants);
        node
    }

    /// What happened in this ledger.
    fn live(&self, claimants: u64) {
        let scope = json!({
            "key": "default", "window_days": 7, "base_issuance": "1000000", "decimals": 2, "unit": "EUR",
            "weights": {"chat:message": 1000},
        });
        self.own(Method::POST, "/scopes", &scope.to_string());
        let key = SigningKey::from_seed("alice".parse().expect("name"), KeyUse::Approver, [7; 32]);
        let set = json!({"threshold": 1, "keys": [key.verifier_key().to_string()]});
        self.own(Method::POST, "/scopes/default/approvers", &set.to_string());
        self.own(Method::POST, "/scopes/default/epochs", r#"{"at":"2026-01-07T00:00:00Z"}"#);
        self.own(Method::POST, "/scopes/default/events", &lines(1..=claimants, 7));
        let reset = r#"{"event":"chat:7:5","weight":"50000","reason":"a long talk"}"#;
        self.own(Method::PATCH, &format!("{EPOCH}/curation"), reset);
        self.own(Method::POST, &format!("{EPOCH}/close"), "{}");
        let draft = self.own(Method::POST, &format!("{EPOCH}/drafts"), "{}");
        let text = draft["note"].as_str().and_then(|note| note.split("\n\n").next()).expect("a text");
        let seconds = meed_node::clock::now().expect("clock").as_seconds();
        let line = key.cosign(&NoteText::new(format!("{text}\n")).expect("text"), seconds).expect("signed");
        self.own(Method::POST, &format!("{EPOCH}/signatures"), &line.to_string());
        self.own(Method::POST, &format!("{EPOCH}/finalize"), "");
        self.own(Method::POST, "/scopes/default/epochs", r#"{"at":"2026-01-14T00:00:00Z"}"#);
        self.own(Method::POST, "/scopes/default/events", &lines(1..=70, 14));
        self.own(
            Method::POST,
            "/scopes/default/events",
            &lines(1..=70, 14).replace(":\"message\"", ":\"poll\""),
        );
        for number in 1..=5_u8 {
            let id = format!("00000000-0000-4000-8000-00000000000{number}");
            self.own(Method::POST, "/users", &json!({"id": id}).to_string());
            let bind =
                json!({"provider": "github", "external_id": number.to_string(), "user": id, "evidence": {}});
            self.own(Method::POST, "/identities/bind", &bind.to_string());
        }
    }

    fn ask(&self, router: &Router, method: Method, path: &str, body: &str) -> (u16, Vec<u8>) {
        let request = Request::builder().method(method).uri(path).header(header::ACCEPT, "application/json");
        let request = request.body(Body::from(body.to_owned())).expect("request");
        self.runtime.block_on(async {
            let response = router.clone().oneshot(request).await.expect("an answer");
            let status = response.status().as_u16();
            (status, response.into_body().collect().await.expect("body").to_bytes().to_vec())
        })
    }

    #[track_caller]
    fn own(&self, method: Method, path: &str, body: &str) -> Value {
        let (status, bytes) = self.ask(&self.owner, method, &format!("/api/v1{path}"), body);
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&bytes));
        serde_json::from_slice(&bytes).expect("JSON")
    }

    #[track_caller]
    fn get(&self, path: &str) -> Value {
        self.own(Method::GET, path, "")
    }

    #[track_caller]
    fn page(&self, path: &str) -> String {
        let (status, bytes) = self.ask(&self.port, Method::GET, path, "");
        let text = String::from_utf8(bytes).expect("UTF-8");
        assert_eq!(status, 200, "{path}: {text}");
        text
    }

    /// A whole list, read in parts of `limit`; how many parts there were.
    #[track_caller]
    fn parts(&self, path: &str, limit: usize) -> (Vec<Value>, usize) {
        let joint = if path.contains('?') { '&' } else { '?' };
        let (mut items, mut from, mut count) = (Vec::new(), String::new(), 0);
        loop {
            let part = self.get(&format!("{path}{joint}limit={limit}{from}"));
            let own = part["items"].as_array().expect("items");
            assert!(own.len() <= limit, "{path}: {}", own.len());
            items.extend(own.iter().cloned());
            count += 1;
            match part["next"].as_str() {
                Some(next) => from = format!("&from={}", next.replace(':', "%3A").replace('/', "%2F")),
                None => return (items, count),
            }
        }
    }
}

#[test]
fn parts_of_any_size_are_the_list() {
    let node = Node::new();
    for (path, count) in [
        (format!("{EPOCH}/activity"), 130),
        (format!("{EPOCH}/allocations"), 130),
        ("/scopes/default/epochs/2/activity".to_owned(), 70),
        ("/scopes/default/epochs/2/allocations".to_owned(), 70),
        ("/scopes/default/epochs".to_owned(), 2),
        ("/scopes/default/decisions".to_owned(), 8),
        ("/scopes/default/decisions?epoch=1".to_owned(), 2),
        ("/scopes/default/conflicts".to_owned(), 70),
        ("/users".to_owned(), 5),
        ("/identities".to_owned(), 5),
        ("/claimants/identity:github:7/payouts".to_owned(), 1),
    ] {
        let (all, once) = node.parts(&path, 10_000);
        assert_eq!((all.len(), once), (count, 1), "{path}");
        for limit in [1, 2, 7, 64, 69, 70, 130] {
            let (items, parts) = node.parts(&path, limit);
            assert_eq!(items, all, "{path} by {limit}");
            assert!(parts <= count / limit + 2, "{path} by {limit}: {parts}");
        }
    }
}

#[test]
fn a_part_that_is_too_long_is_refused_and_the_limit_named() {
    let node = Node::new();
    for path in
        ["/users", "/scopes/default/epochs", &format!("{EPOCH}/activity"), &format!("{EPOCH}/allocations")]
    {
        for (limit, code) in [(0, "number_too_small"), (10_001, "number_too_large")] {
            let path = format!("/api/v1{path}?limit={limit}");
            let (status, bytes) = node.ask(&node.owner, Method::GET, &path, "");
            let problem: Value = serde_json::from_slice(&bytes).expect("a problem");
            assert_eq!((status, problem["code"].as_str()), (400, Some(code)), "{path}");
            let expected = format!("limit: expected 1 to 10000, got {limit}");
            assert!(
                problem["detail"].as_str().is_some_and(|detail| detail.ends_with(&expected)),
                "{problem}"
            );
        }
    }
    for path in [
        "/users?from=x",
        "/scopes/default/epochs?from=x",
        "/scopes/default/conflicts?from=1",
        "/runs?limit=0",
    ] {
        assert_eq!(node.ask(&node.owner, Method::GET, &format!("/api/v1{path}"), "").0, 400, "{path}");
    }
    for path in ["/scopes/default/decisions?revision=0", "/scopes/default/epochs?revision=0"] {
        let (status, bytes) = node.ask(&node.owner, Method::GET, &format!("/api/v1{path}"), "");
        let problem: Value = serde_json::from_slice(&bytes).expect("a problem");
        assert_eq!((status, problem["code"].as_str()), (400, Some("malformed")), "{path}");
    }
}

#[test]
fn activity_is_that_of_the_revision_that_is_asked_for() {
    let node = Node::new();
    let weight_of = |query: &str| {
        let part = node.get(&format!("{EPOCH}/activity?limit=5{query}"));
        (part["items"][4]["event"].clone(), part["items"][4]["weight"].clone())
    };
    let event = json!("chat:7:5");
    assert_eq!(weight_of(""), (event.clone(), json!("50000")));
    node.own(Method::POST, &format!("{EPOCH}/amendments"), r#"{"reason":"it was short"}"#);
    let change = r#"{"event":"chat:7:5","weight":"2000","reason":"it was short"}"#;
    node.own(Method::PATCH, &format!("{EPOCH}/curation"), change);
    assert_eq!(weight_of(""), (event.clone(), json!("2000")), "what a freeze would take");
    assert_eq!(weight_of("&revision=0"), (event.clone(), json!("50000")), "what was final");
    node.own(Method::POST, &format!("{EPOCH}/drafts"), "{}");
    assert_eq!(weight_of("&revision=1"), (event, json!("2000")));
    // Accounts that were bound since earn for their person in what is to be, and as themselves in what was.
    let first = |query: &str| {
        node.get(&format!("{EPOCH}/activity?limit=1{query}"))["items"][0]["claimants"][0]["key"].clone()
    };
    assert_eq!(first("&revision=0"), json!("identity:github:1"));
    assert_eq!(first(""), json!("user:00000000-0000-4000-8000-000000000001"));
    let path = format!("/api/v1{EPOCH}/activity?revision=9");
    assert_eq!(node.ask(&node.owner, Method::GET, &path, "").0, 404);
}

#[test]
fn allocations_are_found_by_the_beginning_of_a_key() {
    let node = Node::new();
    for epoch in [EPOCH, "/scopes/default/epochs/2"] {
        for limit in [1, 3, 1_000] {
            let (found, _) = node.parts(&format!("{epoch}/allocations?prefix=identity:github:6"), limit);
            let names: Vec<_> =
                found.iter().map(|row| row["claimant"].as_str().expect("a claimant")).collect();
            assert_eq!(names.len(), 11, "6 and 60 to 69: {names:?}");
            assert!(names.iter().all(|name| name.starts_with("identity:github:6")), "{names:?}");
        }
        assert_eq!(node.parts(&format!("{epoch}/allocations?prefix=identity:wallet:"), 10).0.len(), 0);
    }
    let part = node.get(&format!("{EPOCH}/allocations?limit=1"));
    assert_eq!((&part["claimants"], &part["pool_total"]), (&json!(130), &json!("1000000")));
}

#[test]
fn what_was_decided_since_is_in_the_next_answer() {
    let node = Node::new();
    let path = "/scopes/default/epochs/2/allocations?prefix=identity:github:66";
    let units = || node.get(path)["items"][0]["final_units"].clone();
    assert_eq!((units(), units()), (json!("1000"), json!("1000")));
    let change = r#"{"claimant":"identity:github:66","units":"7000","reason":"on call"}"#;
    node.own(Method::PATCH, "/scopes/default/epochs/2/allocations", change);
    assert_eq!(units(), json!("7000"));
    node.own(Method::POST, "/scopes/default/events", &lines(66..=66, 15));
    let row = node.get(path)["items"][0].clone();
    assert_eq!((&row["proposed_units"], &row["events"]), (&json!("2000"), &json!("2")));
    assert_eq!(node.get("/scopes/default/epochs/2")["events"], json!(71));
}

#[test]
fn a_preview_stays_the_same_until_something_changes() {
    let node = Node::new();
    let preview = || node.get("/scopes/default/epochs/2/statement?preview=1");
    let first = preview();
    assert_eq!(first, preview());
    let change = r#"{"event":"chat:14:66","included":false,"reason":"twice"}"#;
    node.own(Method::PATCH, "/scopes/default/epochs/2/curation", change);
    assert_ne!(first, preview());
}

#[test]
fn pages_show_a_part_and_the_way_to_the_next() {
    let node = Node::new();
    let page = node.page(EPOCH);
    assert!(page.contains("100 of 130 claimants"), "{page}");
    assert!(page.contains("?from=identity%3Agithub%3A"), "the way to the next claimants");
    assert!(page.contains("?events="), "the way to the next events");
    assert_eq!(page.matches("/proofs/").count(), 100);
    assert!(page.contains("122 others"), "the picture is of all");
    let next = page.split("href=\"").find(|rest| rest.contains("from=identity")).expect("a link");
    let next = next.split('"').next().expect("its end").replace("&amp;", "&");
    let second = node.page(next.split('#').next().expect("its path"));
    assert_eq!(second.matches("/proofs/").count(), 30);
    assert!(second.contains("From the beginning"));
    let largest = node.page(&format!("{EPOCH}?sort=credits"));
    let first = largest.split("/proofs/").nth(1).expect("a row");
    assert!(first.starts_with("identity%3Agithub%3A5?"), "who got most comes first: {first:.60}");
    let found = node.page(&format!("{EPOCH}?search=12"));
    assert!(found.contains("11 of 130 claimants"), "12 and 120 to 129");
    let none = node.page(&format!("{EPOCH}?search=nobody"));
    assert!(none.contains("0 of 130 claimants"));
}

#[test]
fn a_claimants_payouts_are_shown_in_the_unit_of_the_scope() {
    let node = Node::new();
    let payout = node.get("/claimants/identity:github:5/payouts")["items"][0].clone();
    assert_eq!(
        (&payout["scope"], &payout["unit"], &payout["decimals"]),
        (&json!("default"), &json!("EUR"), &json!(2))
    );
    let credits: u64 =
        payout["allocation"]["credits"].as_str().and_then(|text| text.parse().ok()).expect("credits");
    let shown = format!("{}.{:02} EUR", credits / 100, credits % 100);
    let page = node.page("/claimants/identity:github:5");
    assert!(page.contains(&shown), "{shown} in {page}");
    assert!(page.contains("/proofs/identity%3Agithub%3A5?revision=0"));
}

#[test]
fn a_scope_shows_its_newest_epochs_first() {
    let node = Node::new();
    let page = node.page("/scopes/default");
    let (newer, older) =
        (page.find("/scopes/default/epochs/2\">2"), page.find("/scopes/default/epochs/1\">1"));
    assert!(newer.is_some() && newer < older, "{newer:?} {older:?}");
    let before = node.page("/scopes/default?before=2");
    assert!(!before.contains("/scopes/default/epochs/2\">2") && before.contains("From the beginning"));
    assert!(node.page("/").contains("/scopes/default/epochs/2"));
}

#[test]
fn what_is_too_long_to_be_held_comes_in_pieces_and_is_whole() {
    const MANY: u64 = 4_100;
    let node = Node::with(MANY);
    let read = |path: &str| {
        let request = Request::builder().uri(format!("/api/v1{path}")).body(Body::empty()).expect("request");
        node.runtime.block_on(async {
            let response = node.port.clone().oneshot(request).await.expect("an answer");
            assert_eq!(
                (response.status().as_u16(), response.body().size_hint().exact()),
                (200, None),
                "{path}"
            );
            let epoch = if path.contains("/epochs/2/") { 2 } else { 1 };
            let extension = ["csv", "json"].into_iter().find(|kind| path.ends_with(kind)).unwrap_or("ndjson");
            let name = response.headers().get("content-disposition").expect("a name");
            assert_eq!(name, &format!("attachment; filename=\"default-{epoch}-0.{extension}\""));
            response.into_body().collect().await.expect("a body").to_bytes().to_vec()
        })
    };
    let rows: Vec<Value> =
        serde_json::from_slice(&read(&format!("{EPOCH}/export?format=json"))).expect("JSON");
    assert_eq!(rows, node.parts(&format!("{EPOCH}/allocations"), 10_000).0);
    let table = String::from_utf8(read(&format!("{EPOCH}/export?format=csv"))).expect("UTF-8");
    assert_eq!((rows.len(), table.lines().count()), (4_100, 4_101));
    let dossier = |path: &str| Dossier::read(&mut read(path).as_slice()).expect("a dossier");
    let first = dossier(&format!("{EPOCH}/dossier"));
    assert_eq!((first.input.events.len(), first.previous.is_none()), (4_100, true));
    first.recompute().expect("the statement");
    let second = "/scopes/default/epochs/2";
    node.own(Method::POST, &format!("{second}/close"), "{}");
    node.own(Method::POST, &format!("{second}/drafts"), "{}");
    let second = dossier(&format!("{second}/dossier"));
    assert_eq!(second.previous.as_ref().map(|previous| previous.allocations.len()), Some(4_100));
    second.recompute().expect("the statement");
}
