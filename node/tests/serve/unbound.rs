//! A scope that pays people alone says who goes without because their account is nobody's.

use crate::pages::sign_in;
use crate::review::approvers;
use crate::support::{Node, event_line};

const EPOCH: &str = "/scopes/default/epochs/1";

/// A node whose scope pays users alone, with work by 23 accounts: two events of account 8, one of each other.
fn node() -> Node {
    let node = Node::start(&[]);
    node.ok(&["scope", "configure", "default", "--unlinked", "exclude", "--base-issuance", "10000"]);
    let keys = approvers().map(|key| key.verifier_key().to_string());
    let mut set = vec!["scope", "approvers", "default", "--threshold", "2"];
    set.extend(keys.iter().flat_map(|key| ["--key", key]));
    node.ok(&set);
    node.ok(&["epoch", "open", "--scope", "default", "--at", "2026-11-10T00:00:00Z"]);
    let line = |number: u32| {
        let account = number.max(8);
        event_line(number)
            .replace("\"id\":\"7\"", &format!("\"id\":\"{account}\""))
            .replace("chat:m:", "github:pr:7:")
            .replace("\"source\":\"chat\"", "\"source\":\"github\"")
            .replace("\"message\"", "\"pr_merged\"")
            .replace("\"metadata\":{}", &format!("\"metadata\":{{\"platform_login\":\"person-{account}\"}}"))
    };
    let file = node.folder.path().join("events.ndjson");
    std::fs::write(&file, (7..=30).map(|number| line(number) + "\n").collect::<String>()).expect("written");
    node.ok(&["import", "--scope", "default", file.to_str().expect("a path")]);
    node
}

fn bind(node: &Node, account: &str) {
    let user = node.ok(&["user", "add"]);
    let account = ["--provider", "github", "--external-id", account, "--evidence", r#"{"by":"vote"}"#];
    node.ok(&[["bind", "--user", user.trim()].as_slice(), &account].concat());
}

fn epoch(node: &Node, words: &[&str]) -> String {
    // Layout breaks lines anywhere between words.
    let said = node.ok(&[&["epoch"], words, &["--scope", "default", "--epoch", "1"]].concat());
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn who_goes_without_is_said_at_every_step() {
    let node = node();
    let remedy =
        "such as the first with `meed bind --provider github --external-id 8 --user UUID --evidence JSON`";
    let shown = epoch(&node, &["show"]);
    for said in [
        "23 accounts with work in this epoch are bound to nobody, and so 24.000 units go to nobody",
        "identity:github:8 person-8: 2.000 units of 2 events",
        "identity:github:10 person-10: 1.000 units of 1 event",
        "and 3 more accounts",
        remedy,
    ] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    let view = node.get(&format!("/api/v1{EPOCH}"), "").json();
    let unbound = &view["unbound"];
    assert_eq!((unbound["accounts"].as_u64(), unbound["units"].as_str()), (Some(23), Some("24000")));
    assert_eq!(unbound["largest"].as_array().map(Vec::len), Some(20));
    assert_eq!(unbound["largest"][0]["identity"], "identity:github:8");
    assert!(unbound["remedy"].as_str().is_some_and(|text| text.contains("before a draft is frozen")));
    assert!(node.get("/api/v1/scopes/default/epochs", "").json()["items"][0]["unbound"].is_null());
    let cookie = sign_in(&node, &node.ok(&["token", "new", "ana", "--role", "operator"]));
    for (path, cookie) in [(EPOCH.to_owned(), ""), (format!("{EPOCH}/review"), cookie.as_str())] {
        let page = node.get(&path, cookie).text();
        for said in ["Who goes without", "23 accounts with work", "person-8", "and 3 more accounts"] {
            assert!(page.contains(said), "{path}: {said}: {page}");
        }
    }

    bind(&node, "8");
    let closed = epoch(&node, &["close"]);
    assert!(closed.contains("22 accounts") && closed.contains("--external-id 10 --user"), "{closed}");
    let draft = epoch(&node, &["freeze"]);
    assert!(draft.contains("22 accounts") && draft.contains("freeze the next draft"), "{draft}");
    let allocated = node.get(&format!("/api/v1{EPOCH}/allocations"), "").json();
    assert_eq!(allocated["claimants"].as_u64(), Some(1), "who was bound is paid");
    (9..=29).for_each(|account| bind(&node, &account.to_string()));
    let shown = epoch(&node, &["show"]);
    assert!(shown.contains("1 account with work in this epoch is bound to nobody"), "{shown}");
    bind(&node, "30");
    assert!(!epoch(&node, &["show"]).contains("nobody"));
    assert!(!node.get(EPOCH, "").text().contains("Who goes without"));
    assert!(!epoch(&node, &["freeze"]).contains("nobody"));
}
