//! Who may call what: one table, written by hand, against every route that the interface describes.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "helpers of tests may fail a test")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use http_body_util::BodyExt;
use meed_audit::text::FreeText;
use meed_audit::time::{MS_PER_DAY, Timestamp};
use meed_keys::{KeyUse, SigningKey};
use meed_node::api::{self, Face, documents::TokenRequest};
use meed_node::cli::commands::init;
use meed_node::clock::{Clock, now};
use meed_node::config::{DataFolder, Settings};
use meed_node::failure::Failure;
use meed_node::service::Service;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt;
use utoipa::openapi::OpenApi;

/// The columns of the table.
const CALLERS: [&str; 6] = ["anyone", "contributor", "importer", "curator", "operator", "owner"];

/// Every route, and a `y` for each of [`CALLERS`] who may use it.
const TABLE: [(&str, &str); ROUTE_COUNT] = [
    ("GET /node", "yyyyyy"),
    ("GET /problems", "yyyyyy"),
    ("GET /problems/{code}", "yyyyyy"),
    ("GET /logs/{log}/checkpoint", "yyyyyy"),
    ("GET /logs/{log}/entries/{index}", "yyyyyy"),
    ("GET /scopes", "yyyyyy"),
    ("POST /scopes", "----yy"),
    ("GET /scopes/{key}", "yyyyyy"),
    ("PATCH /scopes/{key}", "----yy"),
    ("POST /scopes/{key}/end", "----yy"),
    ("GET /scopes/{key}/trust", "yyyyyy"),
    ("GET /scopes/{key}/decisions", "yyyyyy"),
    ("GET /scopes/{key}/conflicts", "yyyyyy"),
    ("GET /scopes/{key}/approvers", "yyyyyy"),
    ("POST /scopes/{key}/approvers", "----yy"),
    ("DELETE /scopes/{key}/approvers", "----yy"),
    ("POST /scopes/{key}/approvers/signatures", "yyyyyy"),
    ("POST /scopes/{key}/events", "--y-yy"),
    ("POST /scopes/{key}/collect", "----yy"),
    ("GET /scopes/{key}/epochs", "yyyyyy"),
    ("POST /scopes/{key}/epochs", "----yy"),
    ("GET /scopes/{key}/epochs/{epoch}", "yyyyyy"),
    ("POST /scopes/{key}/epochs/{epoch}/close", "----yy"),
    ("GET /scopes/{key}/epochs/{epoch}/drafts", "yyyyyy"),
    ("POST /scopes/{key}/epochs/{epoch}/drafts", "----yy"),
    ("POST /scopes/{key}/epochs/{epoch}/finalize", "----yy"),
    ("POST /scopes/{key}/epochs/{epoch}/amendments", "----yy"),
    ("POST /scopes/{key}/epochs/{epoch}/amendments/abandon", "----yy"),
    ("GET /scopes/{key}/epochs/{epoch}/activity", "yyyyyy"),
    ("PATCH /scopes/{key}/epochs/{epoch}/curation", "---yyy"),
    ("GET /scopes/{key}/epochs/{epoch}/allocations", "yyyyyy"),
    ("PATCH /scopes/{key}/epochs/{epoch}/allocations", "---yyy"),
    ("GET /scopes/{key}/epochs/{epoch}/pool", "yyyyyy"),
    ("POST /scopes/{key}/epochs/{epoch}/pool", "----yy"),
    ("GET /scopes/{key}/epochs/{epoch}/export", "yyyyyy"),
    ("GET /scopes/{key}/epochs/{epoch}/statement", "yyyyyy"),
    ("GET /scopes/{key}/epochs/{epoch}/statement/policy", "yyyyyy"),
    ("GET /scopes/{key}/epochs/{epoch}/dossier", "yyyyyy"),
    ("GET /scopes/{key}/epochs/{epoch}/signatures", "yyyyyy"),
    ("POST /scopes/{key}/epochs/{epoch}/signatures", "yyyyyy"),
    ("GET /scopes/{key}/epochs/{epoch}/verification", "yyyyyy"),
    ("GET /scopes/{key}/epochs/{epoch}/proofs/{claimant}", "yyyyyy"),
    ("GET /scopes/{key}/epochs/{epoch}/other-keys/{claimant}", "yyyyyy"),
    ("GET /claimants/{claimant}/payouts", "yyyyyy"),
    ("GET /runs", "----yy"),
    ("GET /runs/{id}", "----yy"),
    ("GET /schedules", "----yy"),
    ("POST /scopes/{key}/schedule/run", "----yy"),
    ("POST /scopes/{key}/schedule/pause", "----yy"),
    ("POST /scopes/{key}/schedule/resume", "----yy"),
    ("POST /webhooks/github", "yyyyyy"),
    ("GET /users", "---yyy"),
    ("POST /users", "---yyy"),
    ("GET /identities", "---yyy"),
    ("POST /identities/bind", "---yyy"),
    ("POST /identities/revoke", "---yyy"),
    ("POST /identities/rebind", "----yy"),
    ("POST /erase", "-----y"),
    ("POST /fsck", "-----y"),
    ("POST /backup", "-----y"),
    ("POST /resume", "-----y"),
    ("POST /compact", "-----y"),
    ("GET /tokens", "-----y"),
    ("POST /tokens", "-----y"),
    ("DELETE /tokens/{name}", "-----y"),
    ("POST /sign-in/challenges", "yyyyyy"),
    ("POST /sign-in", "yyyyyy"),
    ("GET /me", "-yyyyy"),
    ("POST /me/user", "-y----"),
    ("POST /me/challenges", "-y----"),
    ("POST /me/identities", "-y----"),
    ("DELETE /me/identities/{identity}", "-y----"),
    // The last, since the sessions of those who ask are gone with it.
    ("DELETE /sign-in", "-yyyyy"),
];
const ROUTE_COUNT: usize = 73;

fn may(rights: &str, caller: &str) -> bool {
    let column = CALLERS.iter().position(|known| *known == caller).expect("a column");
    rights.as_bytes()[column] == b'y'
}

/// A clock that stands where it is put.
struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> Result<Timestamp, Failure> {
        Ok(Timestamp::from_ms(self.0.load(Ordering::SeqCst))?)
    }
}

/// Who calls, in words, and what they show.
type Credential = (&'static str, Option<String>);

/// A ledger with a scope and an open epoch behind both faces, and tokens of all kinds.
struct Node {
    _folder: TempDir,
    runtime: Runtime,
    port: (Router, OpenApi),
    owner: (Router, OpenApi),
    /// Those whom no route takes for anybody.
    strangers: Vec<Credential>,
    /// Tokens and sessions that hold; each is named by its role.
    holders: Vec<Credential>,
}

impl Node {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let data = DataFolder::at(folder.path().join("ledger"));
        init::create(&data, None, Some("ledger.example.org".parse().expect("origin"))).expect("ledger");
        let settings = Settings::parse("", &data.settings(), std::iter::empty()).expect("settings");
        let began = now().expect("clock");
        let clock = Arc::new(SetClock(AtomicI64::new(began.as_ms())));
        let service = Service::open(&data, settings).expect("opened").0.with_clock(clock.clone());
        let actor = FreeText::parse("actor", "tester").expect("actor");
        let token = |name: &str, role: &str, expires: Option<Timestamp>| {
            let expires = expires.map(|time| time.to_string());
            let request = TokenRequest { name: name.to_owned(), role: role.to_owned(), expires };
            Some(format!("Bearer {}", service.add_token(&request, &actor).expect("token").secret))
        };
        let later = began.plus_ms(MS_PER_DAY).expect("time");
        let strangers = vec![
            ("no token", None),
            ("a bad token", Some(format!("Bearer meed_{}", "0".repeat(64)))),
            ("another scheme", Some("Basic bWVlZDptZWVk".to_owned())),
            ("an empty token", Some("Bearer ".to_owned())),
            ("a revoked token", token("revoked", "operator", None)),
            ("an expired token", token("expired", "operator", Some(later))),
        ];
        let holders = ["importer", "curator", "operator"].map(|role| (role, token(role, role, None)));
        service.revoke_token("revoked").expect("revoked");
        let mut node = Self {
            _folder: folder,
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime"),
            port: api::described(service.clone(), Face::Port, actor.clone()),
            owner: api::described(service, Face::Local, actor),
            strangers,
            holders: holders.into(),
        };
        let expired = node.session();
        // An expired token has expired from its moment on; a session does not last a day.
        clock.0.store(later.as_ms(), Ordering::SeqCst);
        node.strangers.push(("a session that has expired", Some(expired)));
        let (ended, lasting) = (node.session(), node.session());
        let out = node.ask(&node.port.0, "DELETE", "/sign-in", Some(&ended), "");
        assert_eq!(out.status, 200, "{}", String::from_utf8_lossy(&out.body));
        node.strangers.push(("a session that has ended", Some(ended)));
        node.holders.insert(0, ("contributor", Some(lasting)));
        let scope = r#"{"key":"default","window_days":7,"base_issuance":"10000"}"#;
        node.own("POST", "/scopes", scope);
        let open = format!(r#"{{"at":"{began}"}}"#);
        node.own("POST", "/scopes/default/epochs", &open);
        node
    }

    /// Signs in with a key.
    fn session(&self) -> String {
        let key = SigningKey::from_seed("ana".parse().expect("a name"), KeyUse::Approver, [1; 32]);
        let post = |path: &str, body: Value| -> Value {
            let answer = self.ask(&self.port.0, "POST", path, None, &body.to_string());
            assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
            serde_json::from_slice(&answer.body).expect("JSON")
        };
        let challenge = post("/sign-in/challenges", json!({ "key": key.verifier_key().to_string() }));
        let text = challenge["text"].as_str().expect("a text");
        let signature = key.sign_in(text).expect("signed").to_string();
        let session = post("/sign-in", json!({ "text": text, "signature": signature }));
        format!("Bearer {}", session["secret"].as_str().expect("a secret"))
    }

    fn ask(&self, router: &Router, method: &str, path: &str, token: Option<&str>, body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        request = request.header(header::HOST, "localhost");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, token);
        }
        let request = request.body(Body::from(body.to_owned())).expect("request");
        self.runtime.block_on(async {
            let response = router.clone().oneshot(request).await.expect("an answer");
            let status = response.status().as_u16();
            let challenge = response.headers().contains_key(header::WWW_AUTHENTICATE);
            let body = response.into_body().collect().await.expect("body").to_bytes().to_vec();
            Answer { status, challenge, body }
        })
    }

    #[track_caller]
    fn own(&self, method: &str, path: &str, body: &str) -> Vec<u8> {
        let answer = self.ask(&self.owner.0, method, path, None, body);
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        answer.body
    }

    /// Calls a route of the table on the port, with nothing in it that a person would want.
    fn call(&self, route: &str, token: Option<&str>) -> Answer {
        let (method, path) = concrete(route);
        self.ask(&self.port.0, method, &path, token, "{}")
    }

    /// All that the routes of the table may change.
    fn state(&self) -> Vec<Vec<u8>> {
        let paths = [
            "/node",
            "/scopes",
            "/scopes/default/epochs",
            "/scopes/default/approvers",
            "/scopes/default/decisions",
            "/scopes/default/epochs/1/pool",
            "/scopes/default/epochs/1/drafts",
            "/users",
            "/identities",
            "/tokens",
        ];
        paths.iter().map(|path| self.own("GET", path, "")).collect()
    }
}

struct Answer {
    status: u16,
    challenge: bool,
    body: Vec<u8>,
}

impl Answer {
    fn code(&self) -> String {
        let problem: Value = serde_json::from_slice(&self.body).expect("a problem document");
        problem["code"].as_str().expect("its code").to_owned()
    }
}

/// A route's method, and its path with something in every place.
fn concrete(route: &str) -> (&str, String) {
    let (method, path) = route.split_once(' ').expect("a method and a path");
    let places = [
        ("{key}", "default"),
        ("{epoch}", "1"),
        ("{claimant}", "identity:github:1"),
        ("{log}", "events"),
        ("{index}", "0"),
        ("{code}", "scope_not_found"),
        ("{name}", "nobody"),
        ("{id}", "none"),
        ("{identity}", "identity:github:1"),
    ];
    let path = places.iter().fold(path.to_owned(), |path, (place, word)| path.replace(place, word));
    assert!(!path.contains('{'), "{path}: name something for this place");
    (method, path)
}

/// The routes that a description has, each with the least that it asks.
fn described(description: &OpenApi) -> BTreeSet<(String, String)> {
    let document = serde_json::to_value(description).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let mut found = BTreeSet::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("operations") {
            let access = operation["x-access"].as_str().expect("who may use it").to_owned();
            assert_eq!(operation["security"].is_array(), access != "anyone", "{method} {path}");
            let path = path.strip_prefix("/api/v1").expect("a path of the interface");
            found.insert((format!("{} {path}", method.to_uppercase()), access));
        }
    }
    found
}

/// What `x-access` says of a row: the least of its callers, where it is not for everybody who is known.
fn least(rights: &str) -> String {
    if rights == "-yyyyy" {
        return "signed-in".to_owned();
    }
    CALLERS.into_iter().find(|caller| may(rights, caller)).expect("somebody").to_owned()
}

#[test]
fn the_table_has_exactly_the_routes_that_the_interface_describes() {
    let node = Node::new();
    let row = |(route, rights): &(&str, &str)| ((*route).to_owned(), least(rights));
    let all: BTreeSet<_> = TABLE.iter().map(row).collect();
    assert_eq!(all.len(), ROUTE_COUNT, "no route stands twice");
    check_same(&described(&node.owner.1), &all);
    let on_port: BTreeSet<_> = all.into_iter().filter(|(_, access)| access != "owner").collect();
    check_same(&described(&node.port.1), &on_port);
}

fn check_same(described: &BTreeSet<(String, String)>, table: &BTreeSet<(String, String)>) {
    let lacking: Vec<_> = described.difference(table).collect();
    let left: Vec<_> = table.difference(described).collect();
    assert!(
        lacking.is_empty() && left.is_empty(),
        "the table lacks {lacking:?}; the interface lacks {left:?}"
    );
}

#[test]
fn who_is_nobody_is_answered_401_and_changes_nothing() {
    let node = Node::new();
    let before = node.state();
    for (route, rights) in TABLE {
        for (who, token) in &node.strangers {
            let answer = node.call(route, token.as_deref());
            match least(rights).as_str() {
                "anyone" => assert!(![401, 403].contains(&answer.status), "{route}: {who}"),
                "owner" => assert!([404, 405].contains(&answer.status), "{route}: {who}"),
                _ => {
                    assert_eq!(answer.status, 401, "{route}: {who}");
                    assert_eq!(answer.code(), "token_invalid", "{route}: {who}");
                    assert!(answer.challenge, "{route}: {who}: WWW-Authenticate");
                }
            }
        }
    }
    assert_eq!(node.state(), before);
}

#[test]
fn a_role_may_what_the_table_says_and_changes_nothing_else() {
    let node = Node::new();
    let before = node.state();
    let refused = TABLE.iter().flat_map(|row| node.holders.iter().map(move |holder| (row, holder)));
    let (allowed, refused): (Vec<_>, Vec<_>) =
        refused.partition(|((_, rights), (role, _))| may(rights, role));
    for ((route, rights), (role, token)) in refused {
        let answer = node.call(route, token.as_deref());
        if least(rights) == "owner" {
            assert!([404, 405].contains(&answer.status), "{route}: {role}");
            continue;
        }
        assert_eq!(answer.status, 403, "{route}: {role}");
        assert_eq!(answer.code(), "role_forbids", "{route}: {role}");
    }
    assert_eq!(node.state(), before);
    for ((route, _), (role, token)) in allowed {
        let answer = node.call(route, token.as_deref());
        assert!(![401, 403].contains(&answer.status), "{route}: {role}: {}", answer.status);
    }
}

#[test]
fn the_owner_is_asked_for_no_token() {
    let node = Node::new();
    for (route, rights) in TABLE {
        let (method, path) = concrete(route);
        let answer = node.ask(&node.owner.0, method, &path, None, "{}");
        // What people do about themselves is not for the owner to do in their place.
        let refused = if may(rights, "owner") { &[401, 403, 405][..] } else { &[401, 405] };
        assert!(!refused.contains(&answer.status), "{route}: {}", answer.status);
        assert_eq!(answer.status == 403, !may(rights, "owner"), "{route}");
    }
}

#[test]
fn the_table_stands_in_security_md() {
    let mut table = format!("| route | {} |\n|---|", CALLERS.join(" | "));
    table.push_str(&"---|".repeat(CALLERS.len()));
    for (route, rights) in TABLE {
        let marks: Vec<&str> =
            CALLERS.iter().map(|caller| if may(rights, caller) { " yes |" } else { " |" }).collect();
        table.push_str(&format!("\n| `{route}` |{}", marks.concat()));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../SECURITY.md");
    let text = std::fs::read_to_string(path).expect("SECURITY.md");
    assert!(text.contains(&table), "SECURITY.md: expected this table:\n{table}");
}
