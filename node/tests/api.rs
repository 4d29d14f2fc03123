//! The router as others see it: what is refused, in which form, and what the public one does not have.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "helpers of tests may fail a test")]

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use meed_audit::text::FreeText;
use meed_node::api::{self, Face};
use meed_node::cli::commands::init;
use meed_node::config::{DataFolder, Settings};
use meed_node::service::Service;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

/// A new ledger behind both routers.
struct Node {
    _folder: TempDir,
    operator: Router,
    public: Router,
}

/// An answer: status, media type, body.
type Answer = (StatusCode, String, Vec<u8>);

impl Node {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let data = DataFolder::at(folder.path().join("ledger"));
        let origin = Some("ledger.example.org".parse().expect("origin"));
        init::create(&data, None, origin).expect("ledger");
        let none = std::iter::empty();
        let settings = Settings::parse("", &data.settings(), none).expect("settings");
        let (service, keyless) = Service::open(&data, settings).expect("opened");
        assert!(!keyless);
        let actor = FreeText::parse("actor", "tester").expect("actor");
        let service = Arc::new(service);
        Self {
            _folder: folder,
            operator: api::router((*service).clone(), Face::Local, actor.clone()),
            public: api::router((*service).clone(), Face::Port, actor),
        }
    }

    fn ask(router: &Router, method: Method, path: &str, accept: &str, body: Vec<u8>) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT, accept)
            .body(Body::from(body))
            .expect("request");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        runtime.block_on(async {
            let response = router.clone().oneshot(request).await.expect("an answer");
            let media_type =
                response.headers().get(header::CONTENT_TYPE).map(|value| value.to_str().expect("ASCII"));
            let (status, media_type) = (response.status(), media_type.unwrap_or_default().to_owned());
            (status, media_type, response.into_body().collect().await.expect("body").to_bytes().to_vec())
        })
    }

    fn send(&self, method: Method, path: &str, body: &str) -> Answer {
        Self::ask(
            &self.operator,
            method,
            &format!("/api/v1{path}"),
            "application/json",
            body.as_bytes().to_vec(),
        )
    }

    #[track_caller]
    fn ok(&self, method: Method, path: &str, body: &Value) -> Value {
        let (status, _, bytes) = self.send(method, path, &body.to_string());
        assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&bytes));
        serde_json::from_slice(&bytes).expect("JSON")
    }

    #[track_caller]
    fn refused(&self, method: Method, path: &str, body: &str, status: u16, code: &str) {
        check_problem(&self.send(method, path, body), status, code, path);
    }
}

#[track_caller]
fn check_problem((status, media_type, bytes): &Answer, expected: u16, code: &str, what: &str) {
    let text = String::from_utf8_lossy(bytes);
    assert_eq!(status.as_u16(), expected, "{what}: {text}");
    assert_eq!(media_type, "application/problem+json", "{what}");
    let problem: Value = serde_json::from_slice(bytes).expect("a document");
    assert_eq!(
        (problem["code"].as_str(), problem["status"].as_u64()),
        (Some(code), Some(expected.into())),
        "{what}"
    );
    assert_eq!(problem["type"], format!("/problems/{code}"), "{what}");
    for member in ["title", "detail", "remedy"] {
        assert!(problem[member].as_str().is_some_and(|text| text.len() > 2), "{what}: {member}");
    }
}

#[test]
fn every_bad_request_is_a_problem_that_names_its_kind() {
    let node = Node::new();
    let scopes = "/scopes";
    for (body, code) in [
        ("", "missing_field"),
        ("{", "malformed"),
        ("[]", "wrong_type"),
        (r#"{"key":7,"window_days":7}"#, "wrong_type"),
        (r#"{"key":"a"}"#, "missing_field"),
        (r#"{"key":"a","window_days":7,"colour":"red"}"#, "unknown_field"),
        (r#"{"key":"a","key":"b","window_days":7}"#, "duplicate_field"),
        (r#"{"key":"A","window_days":7}"#, "invalid_identifier"),
        (r#"{"key":"a","window_days":8}"#, "invalid_window_days"),
        (r#"{"key":"a","window_days":7,"base_issuance":"0"}"#, "pool_not_positive"),
        (r#"{"key":"a","window_days":7,"base_issuance":"1e3"}"#, "invalid_number"),
        (r#"{"key":"a","window_days":7,"weights":{"git:commit":1.5}}"#, "number_loses_precision"),
        (r#"{"key":"a","window_days":7,"weights":{"git:commit":1,"git:commit":2}}"#, "duplicate_field"),
        (r#"{"key":"a","window_days":7,"decimals":37}"#, "number_too_large"),
    ] {
        node.refused(Method::POST, scopes, body, 400, code);
    }
    node.refused(Method::GET, "/scopes/none", "", 404, "scope_not_found");
    node.refused(Method::GET, "/scopes/none/epochs/x", "", 400, "malformed");
    node.refused(Method::GET, "/scopes/none/epochs/0", "", 404, "scope_not_found");
    node.refused(Method::GET, "/scopes/none/decisions?from=x", "", 400, "malformed");
    node.refused(Method::GET, "/scopes/none/decisions?page=1", "", 400, "malformed");
    node.refused(Method::GET, "/logs/other/checkpoint", "", 404, "record_not_found");
    node.refused(Method::GET, "/logs/events/entries/9", "", 404, "beyond_log");
    node.refused(Method::GET, "/nowhere", "", 404, "no_route");
    node.refused(Method::DELETE, scopes, "", 405, "no_method");
    node.refused(Method::POST, scopes, &"x".repeat(2 << 20), 413, "input_too_large");
    let bytes = vec![0xff, 0xfe];
    let path = "/api/v1/scopes/none/epochs/1/signatures";
    let answer = Node::ask(&node.operator, Method::POST, path, "*/*", bytes);
    check_problem(&answer, 400, "not_utf8", path);
}

#[test]
fn amounts_are_decimal_strings_and_statements_come_as_text_or_json() {
    let node = Node::new();
    let scope = json!({"key": "default", "window_days": 7, "base_issuance": "79228162514264337593543950335"});
    let made = node.ok(Method::POST, "/scopes", &scope);
    assert_eq!(made["base_issuance"], "79228162514264337593543950335");
    let key = meed_keys::SigningKey::from_seed(
        "alice".parse().expect("name"),
        meed_keys::KeyUse::Approver,
        [7; 32],
    );
    let set = json!({"threshold": 1, "keys": [key.verifier_key().to_string()]});
    node.ok(Method::POST, "/scopes/default/approvers", &set);
    let at = json!({"at": "2026-01-07T00:00:00Z"});
    let epoch = node.ok(Method::POST, "/scopes/default/epochs", &at);
    assert_eq!(epoch["pool_total"], "79228162514264337593543950335");
    let epoch = "/scopes/default/epochs/1";
    node.refused(Method::GET, &format!("{epoch}/statement"), "", 404, "draft_not_found");
    node.ok(Method::POST, &format!("{epoch}/close"), &json!({}));
    node.refused(
        Method::PATCH,
        &format!("{epoch}/curation"),
        r#"{"event":"x","reason":"y"}"#,
        400,
        "missing_field",
    );
    let both = r#"{"event":"x","weight":"1","included":true,"reason":"y"}"#;
    node.refused(Method::PATCH, &format!("{epoch}/curation"), both, 400, "missing_field");
    let evil = "{\"event\":\"x\",\"weight\":\"1\",\"reason\":\"a\u{202e}b\"}";
    node.refused(Method::PATCH, &format!("{epoch}/curation"), evil, 400, "invalid_text");
    let draft = node.ok(Method::POST, &format!("{epoch}/drafts"), &json!({}));
    let path = format!("/api/v1{epoch}/statement");
    let (_, media_type, text) = Node::ask(&node.operator, Method::GET, &path, "*/*", Vec::new());
    assert_eq!(media_type, "text/plain; charset=utf-8");
    assert_eq!(Some(text.as_slice()), draft["note"].as_str().map(str::as_bytes));
    let view = node.ok(Method::GET, &format!("{epoch}/statement"), &json!({}));
    assert_eq!((view["note"].clone(), view["is_final"].clone()), (draft["note"].clone(), json!(false)));
    let found = node.ok(Method::GET, &format!("{epoch}/verification"), &json!({}));
    assert_eq!((&found["equal"], &found["stored_hash"]), (&json!(true), &draft["text_hash"]));
}

#[test]
fn the_public_router_reads_and_changes_nothing() {
    let node = Node::new();
    node.ok(Method::POST, "/scopes", &json!({"key": "default", "window_days": 7, "base_issuance": "5"}));
    node.ok(Method::POST, "/scopes/default/epochs", &json!({"at": "2026-01-07T00:00:00Z"}));
    let epoch = "/scopes/default/epochs/1";
    for path in
        ["/node", "/scopes", "/scopes/default", epoch, &format!("{epoch}/activity"), &format!("{epoch}/pool")]
    {
        let answer = Node::ask(&node.public, Method::GET, &format!("/api/v1{path}"), "*/*", Vec::new());
        assert_eq!(answer.0, StatusCode::OK, "{path}");
    }
    let writes: [(Method, String); 20] = [
        (Method::POST, "/scopes".to_owned()),
        (Method::PATCH, "/scopes/default".to_owned()),
        (Method::POST, "/scopes/default/end".to_owned()),
        (Method::POST, "/scopes/default/approvers".to_owned()),
        (Method::DELETE, "/scopes/default/approvers".to_owned()),
        (Method::POST, "/scopes/default/events".to_owned()),
        (Method::POST, "/scopes/default/collect".to_owned()),
        (Method::POST, "/scopes/default/epochs".to_owned()),
        (Method::PATCH, format!("{epoch}/curation")),
        (Method::PATCH, format!("{epoch}/allocations")),
        (Method::POST, format!("{epoch}/pool")),
        (Method::POST, format!("{epoch}/close")),
        (Method::POST, format!("{epoch}/drafts")),
        (Method::POST, format!("{epoch}/finalize")),
        (Method::POST, format!("{epoch}/amendments")),
        (Method::POST, "/users".to_owned()),
        (Method::POST, "/identities/bind".to_owned()),
        (Method::POST, "/erase".to_owned()),
        (Method::POST, "/backup".to_owned()),
        (Method::POST, "/compact".to_owned()),
    ];
    for (method, path) in writes {
        let answer =
            Node::ask(&node.public, method.clone(), &format!("/api/v1{path}"), "*/*", b"{}".to_vec());
        let owned = ["/erase", "/backup", "/compact"].contains(&path.as_str());
        let (status, code) = if owned { (404, "no_route") } else { (401, "token_invalid") };
        check_problem(&answer, status, code, &path);
    }
    for path in ["/users", "/identities"] {
        let answer = Node::ask(&node.public, Method::GET, &format!("/api/v1{path}"), "*/*", Vec::new());
        assert_eq!(answer.0, StatusCode::UNAUTHORIZED, "who people are is not for everybody: {path}");
    }
}

#[test]
fn a_problems_type_leads_to_its_remedy() {
    let node = Node::new();
    for code in meed_audit::RejectionCode::ALL {
        let path = format!("/problems/{}", code.name());
        let (status, _, bytes) = Node::ask(&node.public, Method::GET, &path, "*/*", Vec::new());
        assert_eq!(status, StatusCode::OK, "{path}");
        let kind: Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(
            (kind["number"].as_u64(), kind["remedy"].as_str()),
            (Some(code.number().into()), Some(code.remedy()))
        );
    }
    for known in meed_node::api::local_problems::ALL {
        let path = format!("/problems/{}", known.code);
        let (status, _, bytes) = Node::ask(&node.public, Method::GET, &path, "*/*", Vec::new());
        assert_eq!(status, StatusCode::OK, "{path}");
        let kind: Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!((&kind["number"], kind["meaning"].as_str()), (&Value::Null, Some(known.meaning)));
        let (_, media_type, page) = Node::ask(&node.public, Method::GET, &path, "text/html", Vec::new());
        assert_eq!(media_type, "text/html; charset=utf-8");
        assert!(String::from_utf8_lossy(&page).contains(known.remedy.split('`').next().expect("words")));
    }
    let (_, _, bytes) = Node::ask(&node.public, Method::GET, "/api/v1/problems", "*/*", Vec::new());
    let all: Value = serde_json::from_slice(&bytes).expect("JSON");
    let count = meed_audit::RejectionCode::ALL.len() + meed_node::api::local_problems::ALL.len();
    assert_eq!(all.as_array().map(Vec::len), Some(count));
    let (_, _, page) = Node::ask(&node.public, Method::GET, "/problems", "text/html", Vec::new());
    let page = String::from_utf8_lossy(&page).into_owned();
    assert!(page.contains("id=\"media_type\"") && page.contains("id=\"scope_not_found\""));
    let answer = Node::ask(&node.public, Method::GET, "/problems/none", "*/*", Vec::new());
    check_problem(&answer, 404, "record_not_found", "an unknown kind");
}

/// The routes that take a JSON document, with method and path, and whether they say that they need one.
fn documented_bodies(description: &Value) -> Vec<(Method, String, bool)> {
    let mut found = Vec::new();
    for (path, item) in description["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let body = &operation["requestBody"];
            if body["content"]["application/json"].is_object() {
                let method = method.to_uppercase().parse().expect("a method");
                let path = path.strip_prefix("/api/v1").expect("a path of the interface");
                let path = path.replace("{key}", "default").replace("{epoch}", "1");
                found.push((method, path, body["required"] == true));
            }
        }
    }
    found
}

#[test]
fn a_body_may_be_left_out_where_the_description_says_so_and_nowhere_else() {
    let node = Node::new();
    node.ok(Method::POST, "/scopes", &json!({"key": "default", "window_days": 7}));
    let (_, _, text) = node.send(Method::GET, "/openapi.json", "");
    let bodies = documented_bodies(&serde_json::from_slice(&text).expect("JSON"));
    assert!(bodies.len() > 15, "{bodies:?}");
    // What comes from GitHub is refused by its signature, before anybody looks at its body.
    for (method, path, required) in bodies.into_iter().filter(|(_, path, _)| path != "/webhooks/github") {
        let (status, _, bytes) = node.send(method, &path, "");
        let problem: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if problem["code"] == "role_forbids" {
            // What people do about themselves is not for the owner to do.
            continue;
        }
        let lacks = ["missing_field", "nothing_to_change"].map(Value::from).contains(&problem["code"]);
        assert_eq!(lacks, required, "{path}: {status} {problem}");
    }
}

#[test]
fn the_description_gives_numbers_their_real_width() {
    let node = Node::new();
    let (_, _, text) = node.send(Method::GET, "/openapi.json", "");
    let text = String::from_utf8(text).expect("UTF-8");
    assert!(text.contains(r#""format":"uint64""#));
    // What is never negative must not claim the width of a signed number: 2^63 is taken.
    assert!(!text.contains(r#""format":"int"#) && !text.contains("u-int"), "{text}");
}
