//! Serving: commands on the machine go on, others write with tokens, hostile requests are answered, and the node ends
//! without losing what it acknowledged.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::support::{JSON, Node, PATIENCE, bearer, event_line, meed};

#[test]
fn commands_on_the_machine_go_through_the_node_that_runs() {
    let node = Node::start(&[]);
    node.ok(&["--actor", "Ana María", "pool", "--help"]);
    node.ok(&["epoch", "open", "--scope", "default", "--at", "2026-11-10T00:00:00Z"]);
    let (scope, epoch) = (["--scope", "default"], ["--epoch", "1"]);
    let mut add =
        vec!["--actor", "Ana María", "pool", "add", "--component", "base_issuance", "--amount", "100"];
    add.extend(["--evidence", "minutes of May"]);
    add.extend(scope.iter().chain(&epoch));
    node.ok(&add);
    // What the command did is seen over the port at once, with the name of who did it.
    let pool = node.get("/api/v1/scopes/default/epochs/1/pool", "");
    assert_eq!(pool.json()["total"], "100");
    let decisions = node.get("/api/v1/scopes/default/decisions", "").json();
    assert_eq!(decisions["items"][0]["actor"], "Ana María", "{decisions}");
    let sound = node.ok(&["fsck"]);
    assert!(sound.starts_with("sound"), "{sound}");
    let copy = node.folder.path().join("copy.redb");
    node.ok(&["backup", copy.to_str().expect("a path")]);
    assert!(copy.exists());
    // Without the node the same commands open the ledger themselves.
    let folder = node.stop();
    let (done, out, err) = meed(&folder.path().join("ledger"), &["epoch", "list", "--scope", "default"]);
    assert!(done && out.contains("open"), "{out}{err}");
    assert!(!folder.path().join("ledger/meed.sock").exists());
}

#[test]
fn one_folder_is_served_once() {
    let node = Node::start(&[]);
    let (done, _, err) = meed(&node.data(), &["serve", "--listen", "127.0.0.1:0"]);
    assert!(!done && err.contains("remedy:") && err.contains("use"), "{err}");
    assert_eq!(node.get("/healthz", "").status, 200);
}

#[test]
fn a_socket_that_a_killed_node_left_is_replaced() {
    let mut node = Node::start(&[]);
    node.process.kill().expect("killed");
    node.process.wait().expect("gone");
    assert!(node.data().join("meed.sock").exists());
    let folder = std::mem::replace(&mut node.folder, tempfile::tempdir().expect("folder"));
    let (done, _, err) = meed(&folder.path().join("ledger"), &["scope", "list"]);
    assert!(done, "{err}");
    let node = Node::serve(folder, &[]);
    assert!(node.ok(&["scope", "list"]).contains("default"));
}

#[test]
fn writing_from_afar_needs_a_token_that_holds() {
    let node = Node::start(&[]);
    let token = node.ok(&["token", "new", "ana", "--role", "operator"]);
    let body = r#"{"at":"2026-11-10T00:00:00Z"}"#;
    let path = "/api/v1/scopes/default/epochs";
    node.post(path, JSON, body).problem(401, "token_invalid");
    node.post(path, &format!("{JSON}{}", bearer("meed_00")), body).problem(401, "token_invalid");
    let importer = node.ok(&["token", "new", "robot", "--role", "importer"]);
    node.post(path, &format!("{JSON}{}", bearer(&importer)), body).problem(403, "role_forbids");
    let opened = node.post(path, &format!("{JSON}{}", bearer(&token)), body);
    assert_eq!((opened.status, &opened.json()["opened_by"]), (200, &Value::from("ana")), "{}", opened.text());
    let events = "/api/v1/scopes/default/events";
    let stored = node.post(events, &bearer(&importer), &event_line(1));
    assert_eq!(stored.json()["stored"], 1, "{}", stored.text());
    assert!(node.ok(&["token", "list"]).contains("robot"));
    node.ok(&["token", "revoke", "robot"]);
    node.post(events, &bearer(&importer), &event_line(2)).problem(401, "token_invalid");
    // The owner's routes are not on the port at all.
    node.post("/api/v1/fsck", &format!("{JSON}{}", bearer(&token)), "{}").problem(404, "no_route");
}

#[test]
fn the_command_line_reaches_a_node_elsewhere() {
    let node = Node::start(&[]);
    let token = node.ok(&["token", "new", "ana", "--role", "operator"]);
    let elsewhere = tempfile::tempdir().expect("folder");
    let address = format!("http://{}", node.address);
    let from_afar = |token: &str, arguments: &[&str]| {
        let mut all = vec!["--node", address.as_str(), "--token", token];
        all.extend(arguments);
        meed(elsewhere.path(), &all)
    };
    let open = ["epoch", "open", "--scope", "default", "--at", "2026-11-10T00:00:00Z"];
    let (done, _, err) = from_afar("meed_00", &open);
    assert!(!done && err.contains("token"), "{err}");
    let (done, _, err) = from_afar(token.trim(), &open);
    assert!(done, "{err}");
    let (done, out, err) = from_afar(token.trim(), &["epoch", "list", "--scope", "default"]);
    assert!(done && out.contains("open"), "{out}{err}");
    let (done, _, err) = from_afar(token.trim(), &["collect", "--scope", "default", "--git", "/"]);
    assert!(!done && err.contains("only the owner") && err.contains("meed.toml"), "{err}");
    let (done, _, err) = from_afar(token.trim(), &["--actor", "bob", "scope", "list"]);
    assert!(!done && err.contains("--actor") && err.contains("remedy:"), "{err}");
    let (done, _, err) = meed(elsewhere.path(), &["--node", "http://127.0.0.1:1", "scope", "list"]);
    assert!(!done && err.contains("did not answer") && err.contains("remedy:"), "{err}");
}

#[test]
fn whoever_has_no_token_reads_from_afar_what_is_open_and_is_told_the_rest() {
    let (folder, _) = Node::demo();
    let node = Node::serve(folder, &[]);
    let elsewhere = tempfile::tempdir().expect("folder");
    let address = format!("http://{}", node.address);
    let epoch = ["--scope", "default", "--epoch", "1"];
    let from_afar =
        |arguments: &[&str]| meed(elsewhere.path(), &[&["--node", address.as_str()][..], arguments].concat());
    let (done, key, err) = from_afar(&["whoami", "--git-email", "ana@example.org"]);
    assert!(
        done && key.starts_with("identity:git:") && err.contains("that user's key earns instead"),
        "{err}"
    );
    let (done, activity, err) = from_afar(&[&["activity"][..], &epoch].concat());
    assert!(done && activity.contains("git:commit:"), "{err}");
    let absent = ["--claimant", key.trim(), "--out", "absent.payout.json"];
    let file = elsewhere.path().join(absent[3]).display().to_string();
    let (done, _, err) = from_afar(&[&["proof"][..], &epoch, &absent[..3], &[file.as_str()]].concat());
    assert!(done && err.contains("not in this epoch"), "{err}");
    let (done, _, err) = from_afar(&[&["epoch", "finalize"][..], &epoch].concat());
    assert!(!done && err.contains("no token") && err.contains("give a token as $MEED_TOKEN"), "{err}");
    let (done, _, err) = from_afar(&["fsck"]);
    assert!(!done && err.contains("on the node's own machine"), "{err}");
    // Whoever gave a token that is worth nothing is told so, and does not get less without a word.
    let (done, _, err) =
        from_afar(&["whoami", "--git-email", "ana@example.org", "--token", "meed_no_such_token"]);
    assert!(!done && err.contains("token"), "{err}");
}

#[test]
fn answers_that_did_not_change_are_not_sent_again() {
    let node = Node::start(&[]);
    let first = node.get("/api/v1/scopes", "");
    assert_eq!((first.status, first.header("cache-control")), (200, Some("no-cache")));
    let tag = first.header("etag").expect("a tag").to_owned();
    let again = node.get("/api/v1/scopes", &format!("If-None-Match: {tag}\r\n"));
    assert_eq!((again.status, again.body.len()), (304, 0));
    node.ok(&["scope", "add", "other"]);
    assert_eq!(node.get("/api/v1/scopes", &format!("If-None-Match: {tag}\r\n")).status, 200);
    // Whoever keeps answers for others is told what chose between two of them.
    for (path, chosen_by) in [("/api/v1/scopes", "accept-encoding"), ("/nowhere", "accept, accept-encoding")]
    {
        let answer = node.get(path, "");
        let vary: Vec<&str> = answer.headers("vary").collect();
        assert_eq!(vary.join(", "), chosen_by, "{path}");
    }
    let packed = node.get("/api/v1/openapi.json", "Accept-Encoding: gzip\r\n");
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert!(packed.header("x-request-id").is_some_and(|id| id.len() == 16));
}

#[test]
fn hostile_requests_get_a_problem_or_no_answer_and_never_a_fault() {
    let node = Node::start(&[]);
    let token = node.ok(&["token", "new", "ana", "--role", "operator"]);
    let headers = format!("{JSON}{}", bearer(&token));
    let scopes = "/api/v1/scopes";
    node.post(scopes, &bearer(&token), "{}").problem(400, "missing_field");
    node.post(scopes, &format!("Content-Type: text/html\r\n{}", bearer(&token)), "{}")
        .problem(415, "media_type");
    node.post(scopes, &headers, &format!("{{\"key\":\"{}\"}}", "a".repeat(1 << 20)))
        .problem(413, "input_too_large");
    for path in
        ["/../etc/passwd", "/api/v1/../../x", "/api/v1/scopes/%2e%2e%2f", "/verify/%2e%2e%2fCargo.toml"]
    {
        let answer = node.get(path, "Accept: application/json\r\n");
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.text());
    }
    node.get("/api/v1/scopes/default/epochs/1?colour=red", "").problem(404, "epoch_not_found");
    node.get("/api/v1/scopes/default/epochs/x", "").problem(400, "malformed");
    let long = node.get("/api/v1/scopes", &format!("X-Long: {}\r\n", "a".repeat(100_000)));
    assert!((400..500).contains(&long.status), "{}", long.head);
    let many = node.get("/api/v1/scopes", &"X-Many: 1\r\n".repeat(200));
    assert!((400..500).contains(&many.status), "{}", many.head);
    for garbage in [b"\0\0\0\0\r\n\r\n".as_slice(), b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00"] {
        let answer = node.send_bytes(garbage);
        assert!(answer.status == 0 || (400..500).contains(&answer.status), "{}", answer.head);
    }
    // A body that never ends must not keep anything else waiting.
    let mut slow = TcpStream::connect(node.address).expect("a connection");
    write!(slow, "POST {scopes} HTTP/1.1\r\nHost: node\r\n{headers}Content-Length: 1000\r\n\r\n{{")
        .expect("sent");
    assert_eq!(node.get("/readyz", "").text(), "ready\n");
    assert_eq!(node.get(scopes, "").json().as_array().map(Vec::len), Some(1));
    let metrics = node.get("/metrics", "").text();
    assert!(metrics.contains("meed_scopes 1") && metrics.contains("meed_writer_commits_total"), "{metrics}");
    assert!(metrics.contains("meed_runs 0") && metrics.contains("meed_runs_failed 0"), "{metrics}");
    assert!(!metrics.contains("status=\"500\""), "{metrics}");
}

#[test]
fn one_client_cannot_ask_without_end() {
    let node = Node::start(&[("MEED_REQUESTS_PER_SECOND", "1")]);
    let statuses: Vec<u16> = (0..8).map(|_| node.get("/api/v1/scopes", "").status).collect();
    assert_eq!(statuses.first(), Some(&200));
    assert!(statuses.contains(&429), "{statuses:?}");
    let refused = (0..8).map(|_| node.get("/api/v1/scopes", "")).find(|answer| answer.status == 429);
    let refused = refused.expect("a refusal");
    refused.problem(429, "too_many_requests");
    assert!(refused.header("retry-after").is_some_and(|text| text.parse::<u64>().is_ok()));
    // Whoever watches over the node is not held up.
    assert_eq!(node.get("/healthz", "").status, 200);
}

#[test]
fn a_node_whose_connections_are_all_taken_ends_when_it_is_asked_to() {
    let mut node = Node::start(&[("MEED_CONNECTIONS_MAX", "1"), ("MEED_REQUESTS_PER_SECOND", "0")]);
    let mut stream = TcpStream::connect(node.address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    let mut buffer = [0_u8; 4_096];
    let mut ask = || {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: node\r\n\r\n").is_ok()
            && stream.read(&mut buffer).is_ok_and(|length| length > 0)
    };
    assert!(ask(), "the one connection is answered");
    node.terminate();
    // Whoever holds it goes on asking; without an end to that the node would never see that it is to stop.
    let answered = (0..200)
        .take_while(|_| {
            ask() && {
                std::thread::sleep(Duration::from_millis(50));
                true
            }
        })
        .count();
    assert!(answered < 200, "the node went on answering");
    assert!(node.process.wait().expect("it ends").success());
}

#[test]
fn what_was_acknowledged_is_there_after_the_end() {
    let node = Node::start(&[("MEED_REQUESTS_PER_SECOND", "0")]);
    let token = node.ok(&["token", "new", "robot", "--role", "importer"]);
    let acknowledged = std::thread::scope(|threads| {
        let writers: Vec<_> = (0..4_u32)
            .map(|writer| {
                let (node, token) = (&node, &token);
                threads.spawn(move || {
                    (0..50_u32)
                        .filter(|number| {
                            let line = event_line(writer * 1_000 + number);
                            let answer = node.post("/api/v1/scopes/default/events", &bearer(token), &line);
                            answer.status == 200 && answer.json()["stored"] == 1
                        })
                        .count()
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(300));
        node.terminate();
        writers.into_iter().map(|writer| writer.join().expect("a writer")).sum::<usize>()
    });
    let folder = node.stop_after_its_end();
    let node = Node::serve(folder, &[]);
    let logs = node.get("/api/v1/node", "").json();
    let stored = logs["logs"][0]["size"].as_u64().expect("a size");
    let acknowledged = u64::try_from(acknowledged).expect("a count");
    assert!(acknowledged > 0, "the end came before the first answer");
    // At most one request of each writer was done without its answer being read.
    assert!(stored >= acknowledged && stored <= acknowledged + 4, "{stored} of {acknowledged}");
    assert!(node.ok(&["fsck"]).starts_with("sound"));
}

/// The size of the statements log that a proof file names.
fn log_size(proof: &Value) -> u64 {
    let note = proof["log"].as_str().and_then(|text| text.split_once("\n\n")).expect("a checkpoint").1;
    note.lines().nth(1).and_then(|line| line.parse().ok()).expect("a size")
}

#[test]
fn a_proof_stands_in_the_log_as_it_is_now() {
    let (folder, demo) = Node::demo();
    let node = Node::serve(folder, &[]);
    let claimant = demo["allocations"][0]["claimant"].as_str().expect("a claimant");
    let path = format!("/api/v1/scopes/default/epochs/1/proofs/{claimant}");
    let before = node.get(&path, "").json();
    assert_eq!(node.get(&path, "").json(), before);
    let absent = node.get("/api/v1/scopes/default/epochs/1/proofs/identity:github:1", "").json();
    assert_eq!(absent["log"], before["log"], "what all proofs of a statement have in common");
    // Another scope's approvers are logged too, and with them every proof from now on names a longer log.
    node.ok(&["scope", "add", "other"]);
    let key = node.folder.path().join("ana.key");
    let key = node.ok(&["key", "new", "ana", "--no-passphrase", "--out", key.to_str().expect("UTF-8")]);
    node.ok(&["scope", "approvers", "other", "--threshold", "1", "--key", key.trim()]);
    let after = node.get(&path, "").json();
    assert_eq!(log_size(&after), log_size(&before) + 1);
    assert_eq!(after["payout"], before["payout"]);
}
