//! What can go wrong between here and GitHub: each is named, tried again where that can help, and loses nothing.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use meed_node::clock::SystemClock;
use meed_node::sources::github::TokenPlace;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::model::*;
use super::paging::{expected, hashes, many};
use super::world::{World, at};

fn small() -> World {
    World::new(Model { pulls: vec![merged(1, ANA, &january(6, 1))], ..Model::default() })
}

fn errors(kind: &str, message: &str) -> Value {
    json!({"data": {"repository": null}, "errors": [{"type": kind, "message": message, "path": ["repository"]}]})
}

/// What each answer means, and whether it is tried again.
#[test]
fn each_refusal_says_what_happened_and_what_to_do() {
    let ok = || ResponseTemplate::new(200);
    let refuse = |status: u16, message: &str| {
        ResponseTemplate::new(status).set_body_json(json!({"message": message, "documentation_url": "x"}))
    };
    let cases = [
        (refuse(401, "Bad credentials"), false, "does not know the token", "has not expired"),
        (refuse(403, "Resource protected by organization SAML"), false, "SAML", "authorize it"),
        (refuse(404, "Not Found"), false, "expected a GraphQL API", "https://HOST/api/graphql"),
        (
            ResponseTemplate::new(301).insert_header("location", "http://x/"),
            false,
            "301",
            "check the address",
        ),
        (ResponseTemplate::new(500), true, "status 500", "try again later"),
        (ok().set_body_string("{\"data\":"), true, "unexpected form", "no proxy"),
        (ok().set_body_string("<html>hello"), true, "unexpected form", "no proxy"),
        (
            ok().set_body_json(json!({"data": {"repository": {"databaseId": "x"}}})),
            true,
            "unexpected form",
            "",
        ),
        (
            ok().set_body_json(json!({"data": {"repository": null}})),
            false,
            "no repository octo/repo",
            "check the name",
        ),
        (
            ok().set_body_json(errors("NOT_FOUND", "Could not resolve")),
            false,
            "no repository octo/repo",
            "private",
        ),
        (ok().set_body_json(errors("FORBIDDEN", "not accessible")), false, "does not allow", "pull requests"),
        (ok().set_body_json(errors("SOMETHING", "else\u{7}\u{202e}\n x")), true, "else x", ""),
    ];
    for (answer, passing, what, remedy) in cases {
        let world = small();
        world.github.fault(1, answer);
        let failure = world.refusal();
        let problem = &failure.problem;
        assert!(problem.detail.contains(what), "{what}: {}", problem.detail);
        assert!(problem.remedy.contains(remedy) && !problem.remedy.is_empty(), "{what}: {}", problem.remedy);
        assert_eq!((failure.is_passing(), problem.retry_at), (passing, None), "{what}");
        assert!(world.cursors().is_empty() && world.stored().is_empty(), "{what}");
        assert_eq!(world.collect().events.stored, 1, "{what}: the next time");
    }
}

/// Primary and secondary limits, as GitHub documents them, say when to come back; what was read before is kept.
#[test]
fn limits_name_the_time_when_they_end() {
    let now = at("2026-02-01T00:00:00Z");
    let spent = |template: ResponseTemplate| {
        let reset = (now.as_seconds() + 900).to_string();
        template
            .insert_header("x-ratelimit-remaining", "0")
            .insert_header("x-ratelimit-reset", reset.as_str())
    };
    let secondary =
        json!({"message": "You have exceeded a secondary rate limit. Please wait a few minutes."});
    let limited = errors("RATE_LIMITED", "API rate limit exceeded for user ID 1.");
    for (answer, seconds) in [
        (spent(ResponseTemplate::new(200).set_body_json(&limited)), 900),
        (spent(ResponseTemplate::new(403).set_body_json(json!({"message": "API rate limit exceeded"}))), 900),
        (ResponseTemplate::new(403).set_body_json(&secondary).insert_header("retry-after", "120"), 120),
        (ResponseTemplate::new(429).set_body_json(&secondary), 60),
        (ResponseTemplate::new(200).set_body_json(errors("X", "exceeded a secondary rate limit")), 60),
        (ResponseTemplate::new(403).insert_header("retry-after", "30"), 30),
    ] {
        let world = World::new(many());
        world.github.fault(3, answer);
        let failure = world.refusal();
        let waits_ms = failure.problem.retry_at.map(|until| until.as_ms() - now.as_ms());
        assert_eq!(waits_ms, Some(seconds * 1_000), "{}", failure.problem.detail);
        assert!(failure.is_passing() && failure.problem.detail.contains("no more requests before"));
        assert_eq!(world.github.count(), 3, "it is not asked again at once");
        assert!(!world.stored().is_empty(), "the page before is kept");
        world.collect();
        assert_eq!(hashes(&world), expected());
    }
}

/// A page that GitHub cannot answer in time is asked for in smaller parts.
#[test]
fn a_page_that_is_too_much_is_read_in_smaller_ones() {
    let world = World::new(many());
    world.github.fault(2, ResponseTemplate::new(502));
    world.github.fault(3, ResponseTemplate::new(200).set_body_json(json!({
        "errors": [{"message": "Something went wrong while executing your query. This may be the result of a timeout"}]
    })));
    assert_eq!(world.collect().events.stored, 310);
    let sizes: Vec<u64> = world.github.state.lock().unwrap().asked[1..5]
        .iter()
        .map(|question| question["variables"]["first"].as_u64().unwrap())
        .collect();
    assert_eq!(sizes, [50, 10, 2, 50]);
}

#[test]
fn a_slow_answer_is_given_up_and_tried_again_by_whoever_collects() {
    let world = small();
    let mut place = world.place();
    place.timeout_seconds = 1;
    world.github.fault(1, ResponseTemplate::new(200).set_delay(Duration::from_secs(30)));
    let failure = world.try_from(place, None).expect_err("too slow");
    assert!(failure.is_passing() && failure.problem.detail.contains("did not answer"), "{failure:?}");
    assert_eq!(world.collect().events.stored, 1);
}

/// A server that says more than it sends, and nobody at the other end.
#[test]
fn a_cut_connection_is_a_failure_and_not_an_empty_repository() {
    let world = small();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let _ = connection.read(&mut [0; 4_096]);
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n";
        let _ = connection.write_all(format!("{head}{{\"data\":{{\"repository\":null").as_bytes());
    });
    let mut place = world.place();
    place.url = format!("http://{address}/graphql");
    for _ in 0..2 {
        let failure = world.try_from(place.clone(), None).expect_err("no answer");
        assert!(failure.is_passing() && failure.problem.detail.contains("did not answer"), "{failure:?}");
    }
    server.join().unwrap();
    assert!(world.stored().is_empty() && world.cursors().is_empty());
}

#[test]
fn a_list_that_goes_on_for_ever_at_the_same_place_is_refused() {
    let world = small();
    let page = json!({"data": {"repository": {"databaseId": NUMBER, "nameWithOwner": "octo/repo", "page": {
        "pageInfo": {"hasNextPage": true, "endCursor": "same"}, "nodes": []
    }}}});
    for number in 2..6 {
        world.github.fault(number, ResponseTemplate::new(200).set_body_json(&page));
    }
    let failure = world.refusal();
    assert!(failure.problem.detail.contains("next place"), "{}", failure.problem.detail);
    assert_eq!(world.github.count(), 3);
}

/// The token goes to the API alone, over an encrypted line or within this machine, and is shown nowhere.
#[test]
fn the_token_is_shown_nowhere_and_goes_nowhere_else() {
    let world = small();
    for url in
        ["http://github.example.org/graphql", "ftp://127.0.0.1/", "nonsense", "https://user:pw@h/graphql"]
    {
        let mut place = world.place();
        place.url = url.to_owned();
        let failure = world.try_from(place, None).expect_err(url);
        assert!(failure.problem.detail.contains("https address"), "{}", failure.problem.detail);
    }
    std::fs::write(world.token_path(), "ghs_another").unwrap();
    let failure = world.refusal();
    let shown = format!("{failure:?} {:?}", world.place());
    assert!(!shown.contains("ghs_") && shown.contains("does not know the token"), "{shown}");
    std::fs::remove_file(world.token_path()).unwrap();
    assert!(world.refusal().problem.detail.contains("no token"));
    let mut place = world.place();
    place.token = TokenPlace::Variable("MEED_TEST_NO_TOKEN".to_owned());
    assert!(world.try_from(place, None).expect_err("none").problem.detail.contains("MEED_TEST_NO_TOKEN"));
}

#[test]
fn looking_at_a_repository_says_what_is_there_and_stores_nothing() {
    let world = small();
    let found = world.place().look(&SystemClock).expect("there");
    assert_eq!(
        found,
        "the GitHub repository octo/repo (number 1103454131), 4990 points of its limit left until \
         2026-01-01T01:00:00.000Z"
    );
    world.github.fault(1, ResponseTemplate::new(401));
    assert!(world.place().look(&SystemClock).is_err());
    assert!(world.stored().is_empty());
}
