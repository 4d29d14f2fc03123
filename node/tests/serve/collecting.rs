//! What came of a collection is said where its run is shown, in the words of an import; and what somebody elsewhere is
//! told who lacks a token.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::pages::sign_in;
use crate::review::{Desk, approvers};
use crate::support::{Node, PATIENCE, event_line};

/// A node that collects from a file with two events of now, one of which weighs nothing.
fn node() -> Node {
    let folder = Node::start(&[]).stop();
    let now = meed_node::clock::now().expect("clock").to_string();
    let line = |number: u32, kind: &str| {
        event_line(number).replace("2026-11-10T12:00:00Z", &now).replace("\"message\"", kind) + "\n"
    };
    let weighed = line(1, "\"pr_merged\"").replace("\"source\":\"chat\"", "\"source\":\"github\"");
    std::fs::write(folder.path().join("events.ndjson"), weighed + &line(2, "\"wave\"")).expect("written");
    let settings = folder.path().join("ledger").join("meed.toml");
    let before = std::fs::read_to_string(&settings).expect("settings");
    let source = "kind = \"file\"\nname = \"code\"\npath = \"../events.ndjson\"\n";
    let section = format!("[scopes.default]\ncollect = \"off\"\n[[scopes.default.sources]]\n{source}");
    std::fs::write(&settings, before + &section).expect("written");
    Node::serve(folder, &[])
}

#[test]
fn what_came_of_a_collection_stands_with_its_run() {
    let node = node();
    node.ok(&["schedule", "run", "--scope", "default"]);
    let runs: serde_json::Value = serde_json::from_str(&node.ok(&["run", "list", "--json"])).expect("JSON");
    let id = runs[0]["id"].as_str().expect("a run").to_owned();
    let cookie = sign_in(&node, &node.ok(&["token", "new", "ana", "--role", "operator"]));
    let (path, began) = (format!("/runs/{id}"), Instant::now());
    let page = loop {
        let page = node.get(&path, &cookie);
        if page.header("refresh").is_none() {
            break page.text();
        }
        assert!(began.elapsed() < PATIENCE, "{}", page.text());
        std::thread::sleep(Duration::from_millis(50));
    };
    let shown = node.ok(&["run", "show", &id]);
    let plain = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "2 of 2 events in the ledger: 2 stored, 0 there already",
        "1 new event weighs nothing, and so earns nothing, since the scope gives no weight to chat:wave (1)",
    ] {
        assert!(page.contains(said), "{said}: {page}");
        assert!(plain.contains(said), "{said}: {shown}");
    }
    let run: serde_json::Value =
        serde_json::from_str(&node.ok(&["run", "show", &id, "--json"])).expect("JSON");
    let steps = run["steps"].as_array().expect("steps");
    let pass = steps.iter().find(|step| step["name"] == "collect code").expect("the pass");
    assert_eq!((&pass["events"]["stored"], &pass["events"]["conflicts"]), (&2.into(), &0.into()));
    assert_eq!(pass["events"]["unweighted"][0]["kind"], "chat:wave");
}

/// The program elsewhere, without a token: what it says on both streams.
fn from_afar(node: &Node, arguments: &[&str]) -> (bool, String) {
    let ran = Command::new(env!("CARGO_BIN_EXE_meed"))
        .args(["--node", &format!("http://{}", node.address)])
        .args(arguments)
        .current_dir(node.folder.path())
        .env_clear()
        .output()
        .expect("the program runs");
    let said = [ran.stdout, ran.stderr].concat();
    (ran.status.success(), String::from_utf8(said).expect("UTF-8"))
}

#[test]
fn whoever_imports_from_afar_without_a_token_reads_how_to_get_one() {
    let node = Node::start(&[]);
    std::fs::write(node.folder.path().join("one.ndjson"), event_line(1)).expect("written");
    // Larger than what a node reads of a request that it refuses.
    let many: String = (1..=20_000).map(|number| event_line(number) + "\n").collect();
    std::fs::write(node.folder.path().join("many.ndjson"), many).expect("written");
    for file in ["one.ndjson", "many.ndjson"] {
        let (done, said) = from_afar(&node, &["import", "--scope", "default", file]);
        assert!(!done && said.contains("token_invalid") && said.contains("$MEED_TOKEN"), "{file}: {said}");
    }
}

#[test]
fn a_proof_of_absence_from_afar_points_to_the_user_too() {
    let desk = Desk::new("operator");
    desk.import(1..=1);
    desk.base_issuance();
    desk.does("close", &[]);
    desk.does("draft", &[]);
    for key in approvers().iter().take(2) {
        let (page, line) = (desk.page(crate::review::REVIEW), desk.signature(key));
        desk.follow(&desk.fill_with_file(&page, "signatures", &[("signatures", &line)], ""), "signatures");
    }
    desk.node.ok(&["epoch", "finalize", "--scope", "default", "--epoch", "1"]);
    let ask = |claimant: &str| {
        let proof =
            ["proof", "--scope", "default", "--epoch", "1", "--out", "x.json", "--claimant", claimant];
        let (done, said) = from_afar(&desk.node, &proof);
        assert!(done && said.contains("is not in this epoch"), "{said}");
        std::fs::remove_file(desk.node.folder.path().join("x.json")).expect("the proof");
        said
    };
    // Whose an account is stands in the decisions, which everybody may read: no token is needed.
    assert!(!ask("identity:github:99").contains("ask for --claimant"), "it is nobody's");
    let user = desk.node.ok(&["user", "add"]);
    let account = ["--provider", "github", "--external-id", "99", "--evidence", "{}"];
    desk.node.ok(&[&["bind", "--user", user.trim()][..], &account[..]].concat());
    let hint = format!("ask for --claimant user:{}", user.trim());
    assert!(ask("identity:github:99").contains(&hint));
    assert!(!ask("user:3f0c1a52-7c3e-4c8e-9a67-0f6a6f4b2d11").contains("ask for --claimant"));
}
