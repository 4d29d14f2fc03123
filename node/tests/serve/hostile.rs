//! What people who mean no good send: too slowly, by strange paths, in two meanings at once, and all together.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::{JSON, Node, PATIENCE, bearer};

/// A connection on which this has been said.
fn say(node: &Node, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(node.address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    stream.write_all(text.as_bytes()).expect("sent");
    stream
}

/// All that comes until the node closes.
fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        // A node that closes while more could come says so in this way.
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        Err(error) => panic!("expected the node to close, got {error}"),
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn heads_that_never_end_hold_nobody_up_and_are_cut_off() {
    let node = Node::start(&[("MEED_HEAD_TIMEOUT_SECONDS", "1"), ("MEED_CONNECTIONS_PER_CLIENT_MAX", "8")]);
    let beginnings = ["", "G", "GET /api/v1/scopes HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: node\r\nX-Slow: "];
    for _ in 0..2 {
        // All the room that one client gets.
        let slow: Vec<_> = beginnings.iter().cycle().take(8).map(|text| say(&node, text)).collect();
        // Another client would be answered; this one has to wait until its own connections are cut off.
        for stream in slow {
            let answer = rest(stream);
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
        }
        assert_eq!(node.get("/readyz", "").text(), "ready\n");
    }
    // Silence between two requests is such a head as well.
    let mut kept = say(&node, "GET /healthz HTTP/1.1\r\nHost: node\r\n\r\n");
    let mut first = [0; 12];
    kept.read_exact(&mut first).expect("an answer");
    assert_eq!(&first, b"HTTP/1.1 200");
    let after = rest(kept);
    assert!(after.ends_with("ok\n"), "{after}");
}

#[test]
fn a_body_that_never_ends_is_refused_and_writes_nothing() {
    let node = Node::start(&[("MEED_REQUEST_TIMEOUT_SECONDS", "1")]);
    let token = node.ok(&["token", "new", "ana", "--role", "operator"]);
    let before = node.get("/api/v1/scopes", "").text();
    for (path, begun) in [
        ("/api/v1/scopes", r#"{"key":"other","window_days":7}"#.to_owned()),
        ("/api/v1/scopes/default/events", crate::support::event_line(1) + "\n"),
    ] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: node\r\nContent-Length: {}\r\n{}\r\n",
            begun.len() + 1,
            bearer(&token)
        );
        let answer = rest(say(&node, &format!("{head}{begun}")));
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains(r#""code":"timeout""#) && answer.contains("remedy"), "{answer}");
    }
    assert_eq!(node.get("/api/v1/scopes", "").text(), before);
    assert_eq!(node.get("/api/v1/node", "").json()["logs"][0]["size"], 0);
}

#[test]
fn strange_paths_lead_nowhere() {
    let node = Node::start(&[("MEED_REQUESTS_PER_SECOND", "0")]);
    let secret = std::fs::read_to_string(node.data().join("log.key")).expect("a key");
    let secret = secret.lines().last().expect("a line").to_owned();
    let names = ["log.key", "meed.toml", "ledger.redb", "etc/passwd"];
    let ways = [
        "../",
        "..%2f",
        "%2e%2e/",
        "%2e%2e%2f",
        "..%5c",
        "..;/",
        "%252e%252e%252f",
        "....//",
        "%c0%ae%c0%ae/",
    ];
    let places =
        ["/", "/verify/", "/style.css/", "/api/v1/", "/api/v1/scopes/", "/api/v1/problems/", "/problems/"];
    for place in places {
        for way in ways {
            for name in names {
                let path = format!("{place}{}{name}", way.repeat(4));
                let answer = node.get(&path, "");
                assert!((400..500).contains(&answer.status), "{path}: {} {}", answer.status, answer.text());
                assert!(!answer.text().contains(&secret), "{path}");
            }
        }
    }
    for path in
        ["/api/v1/scopes/%00", "/api/v1/scopes/default%0d%0aX-Evil:%201", "/api/v1/scopes/%ff", "/verify/%00"]
    {
        let answer = node.get(path, "");
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.text());
        assert!(answer.header("x-evil").is_none(), "{path}");
    }
    // A whole address names a path of this node, whatever host stands in it.
    let other = node.get("http://elsewhere.example/api/v1/nothing", "");
    other.problem(404, "no_route");
}

#[test]
fn a_request_that_means_two_things_is_refused() {
    let node = Node::start(&[]);
    let token = node.ok(&["token", "new", "ana", "--role", "operator"]);
    let body = r#"{"key":"other","window_days":7}"#;
    let send = |headers: &str, body: &str| {
        node.send(&format!(
            "POST /api/v1/scopes HTTP/1.1\r\nHost: node\r\nConnection: close\r\n{JSON}{}{headers}\r\n{body}",
            bearer(&token)
        ))
    };
    let hidden = "GET /hidden HTTP/1.1\r\nHost: node\r\n\r\n";
    for (headers, body) in [
        ("Content-Length: 5\r\nContent-Length: 6\r\n".to_owned(), body.to_owned()),
        ("Content-Length: -1\r\n".to_owned(), body.to_owned()),
        ("Content-Length: +31\r\n".to_owned(), body.to_owned()),
        ("Transfer-Encoding: identity\r\n".to_owned(), body.to_owned()),
        ("Transfer-Encoding: chunked\r\n".to_owned(), format!("zz\r\n{body}\r\n0\r\n\r\n")),
        ("Transfer-Encoding : chunked\r\n".to_owned(), format!("0\r\n\r\n{hidden}")),
        ("X-A: 1\r\n\tContent-Length: 31\r\n".to_owned(), body.to_owned()),
    ] {
        let answer = send(&headers, &body);
        assert!(answer.status == 0 || (400..500).contains(&answer.status), "{headers}: {}", answer.head);
    }
    // Where both lengths stand, the chunks count, and what follows them is no request of its own.
    let both = send("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", &format!("0\r\n\r\n{hidden}"));
    assert!((400..500).contains(&both.status), "{}", both.head);
    assert_eq!(both.head.matches("HTTP/1.1").count() + both.text().matches("HTTP/1.1").count(), 1);
    assert_eq!(node.get("/api/v1/scopes", "").json().as_array().map(Vec::len), Some(1));
}

#[test]
fn of_conflicting_writes_one_wins() {
    let node = Node::start(&[("MEED_REQUESTS_PER_SECOND", "0")]);
    let token = node.ok(&["token", "new", "ana", "--role", "operator"]);
    let headers = format!("{JSON}{}", bearer(&token));
    let race = |path: &str, body: &(dyn Fn(usize) -> String + Sync)| {
        let answers: Vec<_> = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..8)
                .map(|number| {
                    scope.spawn({
                        let (node, headers) = (&node, &headers);
                        move || node.post(path, headers, &body(number))
                    })
                })
                .collect();
            callers.into_iter().map(|caller| caller.join().expect("an answer")).collect()
        });
        let mut counts = BTreeMap::new();
        for answer in &answers {
            let code = if answer.status == 200 {
                "done".to_owned()
            } else {
                answer.json()["code"].as_str().expect("a code").to_owned()
            };
            *counts.entry((answer.status, code)).or_insert(0) += 1;
        }
        counts
            .into_iter()
            .map(|((status, code), count)| format!("{count} {status} {code}"))
            .collect::<Vec<_>>()
    };
    let scope =
        race("/api/v1/scopes", &|number| format!(r#"{{"key":"other","window_days":{}}}"#, 7 * (number + 1)));
    assert_eq!(scope, ["1 200 done", "7 409 scope_exists"]);
    // Each another week: the first one that comes leaves the others an epoch that is open, or weeks that have passed.
    let epoch = race("/api/v1/scopes/default/epochs", &|number| {
        format!(r#"{{"at":"2026-0{}-10T00:00:00Z"}}"#, number + 1)
    });
    assert!(
        epoch[0] == "1 200 done" && epoch[1..].iter().all(|answer| answer.contains(" 409 ")),
        "{epoch:?}"
    );
    let pool = race("/api/v1/scopes/default/epochs/1/pool", &|number| {
        format!(
            r#"{{"component":"base_issuance","amount":"{}","evidence":"minutes","algorithm":"manual-v1"}}"#,
            number + 1
        )
    });
    assert_eq!(pool, ["1 200 done", "7 409 pool_conflict"]);
    assert_eq!(
        node.get("/api/v1/scopes/default/epochs", "").json()["items"].as_array().map(Vec::len),
        Some(1)
    );
    assert!(node.ok(&["fsck"]).starts_with("sound"));
}
