//! Runs over HTTP: a node that serves answers before it has done them.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use meed_node::api::{self, Face};
use meed_node::workflow::{Engine, RetryPolicy};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::support::*;

/// An answer: its status, the address of the run, and its document.
fn ask(router: &axum::Router, method: Method, path: &str) -> (StatusCode, Option<String>, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from("{}"))
        .expect("request");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    runtime.block_on(async {
        let response = router.clone().oneshot(request).await.expect("an answer");
        let address = response.headers().get(header::LOCATION);
        let address = address.map(|address| address.to_str().expect("ASCII").to_owned());
        let status = response.status();
        let body = response.into_body().collect().await.expect("body").to_bytes();
        (status, address, serde_json::from_slice(&body).expect("JSON"))
    })
}

#[test]
fn a_request_is_answered_with_the_run_and_its_address_says_how_it_goes_on() {
    let node = Node::new();
    node.at(hour(1));
    node.at(day(8));
    node.sign(1);
    let engine = Arc::new(Engine::new(node.service().clone(), RetryPolicy::SERVING));
    let service = node.service().clone().with_engine(Arc::clone(&engine));
    let router = api::router(service, Face::Local, actor());
    let finalize = "/api/v1/scopes/default/epochs/1/finalize";
    let (status, address, run) = ask(&router, Method::POST, finalize);
    assert_eq!((status, &run["state"]), (StatusCode::ACCEPTED, &json!("running")));
    let address = address.expect("an address");
    assert_eq!(address, "/api/v1/runs/finalize-default-1");
    let (_, _, same) = ask(&router, Method::POST, finalize);
    assert_eq!(same["sequence"], run["sequence"], "the same run");
    assert_eq!(ask(&router, Method::GET, &address).2["steps"], json!([]));
    engine.step().expect("a step");
    assert_eq!(ask(&router, Method::GET, &address).2["steps"][0]["name"], "verify quorum");
    while matches!(engine.step().expect("a step"), meed_node::workflow::Progress::Worked(_)) {}
    let (status, _, run) = ask(&router, Method::GET, &address);
    assert_eq!((status, &run["state"], &run["output"]["epoch"]), (StatusCode::OK, &json!("done"), &json!(1)));

    let (status, address, _) = ask(&router, Method::POST, "/api/v1/scopes/default/collect");
    let address = address.expect("an address");
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(address, "/api/v1/runs/collect-default-2026-01-12-2026-01-19");
    while matches!(engine.step().expect("a step"), meed_node::workflow::Progress::Worked(_)) {}
    let (_, _, run) = ask(&router, Method::GET, &address);
    let sources: Vec<&Value> =
        run["sources"].as_array().expect("sources").iter().map(|source| &source["source"]).collect();
    assert_eq!(sources, ["code", "chat"]);
    let (_, _, page) = ask(&router, Method::GET, "/api/v1/runs?limit=1");
    assert_eq!((page["items"].as_array().map(Vec::len), page["next"].is_string()), (Some(1), true));
    let (status, _, schedule) = ask(&router, Method::POST, "/api/v1/scopes/default/schedule/pause");
    assert_eq!((status, &schedule["state"]), (StatusCode::OK, &json!("paused")));
    assert_eq!(ask(&router, Method::GET, "/api/v1/schedules").2[0]["paused_by"], "olivia");
    assert_eq!(ask(&router, Method::GET, "/api/v1/runs/nonsense").0, StatusCode::BAD_REQUEST);
    assert_eq!(ask(&router, Method::GET, "/api/v1/runs/close-default-9").0, StatusCode::NOT_FOUND);
}
