//! What `meed doctor` finds, and the pages and scripts that help with the command line.

use std::fs;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{World, program};

/// The findings of a check, as programs read them.
fn found(world: &World, code: i32, check: &str) -> Vec<Value> {
    let ran = world.run(&["--json", "doctor"]);
    assert_eq!(ran.code, code, "{ran:?}");
    let findings: Vec<Value> = serde_json::from_str(&ran.out).expect("an array");
    findings.into_iter().filter(|finding| finding["check"] == check).collect()
}

/// The one finding of a check, which stands so.
#[track_caller]
fn stands(world: &World, code: i32, check: &str, standing: &str, what: &str) {
    let findings = found(world, code, check);
    let [finding] = findings.as_slice() else { panic!("one {check}: {findings:?}") };
    assert_eq!(finding["standing"], standing, "{finding}");
    assert!(finding["found"].as_str().is_some_and(|found| found.contains(what)), "{finding}");
    let remedy = finding["remedy"].as_str().unwrap_or_default();
    assert_eq!(remedy.is_empty(), standing == "well", "{finding}");
}

fn add_settings(world: &World, text: &str) {
    let settings = world.read("ledger/meed.toml") + text;
    world.write("ledger/meed.toml", &settings);
}

#[test]
fn a_sound_node_is_told_so() {
    let world = World::open();
    let out = world.run(&["doctor"]).ok();
    for check in
        ["folder", "disk", "log key file", "settings", "port", "ledger", "clock", "log key", "sources"]
    {
        assert!(out.contains(&format!("{check}: ")), "{check}: {out}");
    }
    assert!(!out.contains("failed "), "{out}");
    assert!(out.contains("ledger.example.org of node") && out.contains("no node serves it"), "{out}");
    world.run(&["--node", "http://127.0.0.1:1", "doctor"]).refused(2, "--node");
}

/// A scope without approvers cannot close an epoch, and one where half of them suffice can have two truths.
#[test]
fn each_scope_is_told_who_approves_it() {
    let world = World::empty();
    world.run(&["init"]).ok();
    world.run(&["scope", "add", "default"]).ok();
    let of = |scope: &str| {
        let findings = found(&world, 0, "approvers");
        let is_its =
            |finding: &&Value| finding["found"].as_str().is_some_and(|found| found.starts_with(scope));
        findings.iter().find(is_its).cloned().expect("a finding")
    };
    assert_eq!(
        (&of("default: none")["standing"], found(&world, 0, "approvers").len()),
        (&"warning".into(), 1)
    );
    world.set_approvers(&["alice", "bob"], 1).ok();
    let weak = of("default: 1 of 2");
    assert_eq!(weak["standing"], "warning");
    assert!(weak["found"].as_str().is_some_and(|found| found.contains("two disjoint groups")), "{weak}");
    assert!(weak["remedy"].as_str().is_some_and(|remedy| remedy.contains("more than half")), "{weak}");
    assert_eq!(world.json(&["scope", "show", "default"])["approvers"]["weak_majority"], true);

    let world = World::open();
    stands(&world, 0, "approvers", "well", "default: 2 of 3, version 1");
    assert_eq!(world.json(&["scope", "approvers", "default"])["in_force"]["weak_majority"], false);
}

#[test]
fn each_thing_that_is_wrong_is_found_and_hides_no_other() {
    World::empty().run(&["doctor"]).refused(1, "checks failed");

    let world = World::open();
    world.write("events.ndjson", "");
    add_settings(
        &world,
        "[scopes.default]\n[[scopes.default.sources]]\nkind = \"file\"\npath = \"../events.ndjson\"\n",
    );
    stands(&world, 0, "source", "well", "1 file that can be read");
    add_settings(&world, "[[scopes.default.sources]]\nkind = \"git\"\npath = \"../nowhere\"\n");
    let sources = found(&world, 1, "source");
    assert_eq!((&sources[0]["standing"], &sources[1]["standing"]), (&"well".into(), &"failed".into()));

    let world = World::open();
    let settings = world.read("ledger/meed.toml");
    world.write("ledger/meed.toml", &("listen = \"0.0.0.0:8080\"\n".to_owned() + &settings));
    stands(&world, 0, "port", "warning", "whoever is on the way");
    stands(&world, 0, "public_url", "warning", "nobody can sign in");
    let named = "listen = \"0.0.0.0:8080\"\npublic_url = \"https://ledger.example.org\"\n";
    world.write("ledger/meed.toml", &(named.to_owned() + &settings));
    stands(&world, 0, "public_url", "well", "https://ledger.example.org");
    world.write("ledger/meed.toml", &("proxies = [\"127.0.0.1\"]\n".to_owned() + &settings));
    stands(&world, 0, "public_url", "warning", "nobody can sign in");
    world.write("ledger/meed.toml", &("tls_key = \"none.pem\"\n".to_owned() + &settings));
    stands(&world, 1, "port", "failed", "expected both");
    stands(&world, 1, "ledger", "well", "ledger.example.org");
    world.write("ledger/meed.toml", "lisen = 1\n");
    stands(&world, 1, "settings", "failed", "lisen");
    stands(&world, 1, "log key file", "well", "owner");
}

#[test]
fn the_port_is_that_of_the_node_which_runs() {
    let world = World::open();
    stands(&world, 0, "port", "well", "http on 127.0.0.1:8080");
    assert!(found(&world, 0, "public_url").is_empty(), "on this machine alone there is no need");
    let mut command = program(&world.path(""));
    command.env("MEED_DATA", "ledger").args(["serve", "--listen", "127.0.0.1:0"]);
    let mut node = command.spawn().expect("meed runs");
    let mut line = String::new();
    let mut errors = BufReader::new(node.stderr.take().expect("errors"));
    errors.read_line(&mut line).expect("a line");
    let address = line.split("://").nth(1).and_then(|rest| rest.split('/').next()).expect("an address");
    let port = found(&world, 0, "port");
    let setting = found(&world, 0, "setting `listen`");
    let public = said_to_everybody(address);
    node.kill().expect("killed");
    node.wait().expect("ended");
    assert_eq!(port[0]["found"], format!("http on {address}, for this machine alone"));
    assert!(
        setting[0]["found"].as_str().is_some_and(|found| found.contains("meed.toml says 127.0.0.1:8080"))
    );
    assert!(!public.contains("listens_at"), "nobody else is told: {public}");
}

/// What the node says of itself to everybody.
fn said_to_everybody(address: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("connected");
    let request = "GET /api/v1/node HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.contains("\"node_id\""), "{answer}");
    answer
}

#[test]
fn the_log_key_must_be_there_and_the_ledgers_and_its_owners_alone() {
    let world = World::open();
    let path = world.path("ledger/log.key");
    world
        .run(&["key", "new", "ledger.example.org", "--for", "log", "--out", "other.key", "--no-passphrase"])
        .ok();
    let key = fs::read(&path).expect("read");
    fs::copy(world.path("other.key"), &path).expect("copied");
    stands(&world, 1, "ledger", "failed", "key");
    fs::write(&path, key).expect("written");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("changed");
        stands(&world, 1, "log key file", "failed", "other accounts");
        let folder = world.path("ledger");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).expect("changed");
        stands(&world, 1, "folder", "failed", "may write");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("changed");
    }
    fs::remove_file(&path).expect("removed");
    stands(&world, 1, "log key file", "failed", "only be read");
}

#[test]
fn every_command_has_its_manual_page() {
    let world = World::empty();
    let page = world.run(&["man"]).ok();
    assert!(page.starts_with(".ie") && page.contains(".TH meed 1"), "{page}");
    let said = world.run(&["man", "--out", "pages"]).ok();
    let names: Vec<String> = fs::read_dir(world.path("pages"))
        .expect("list")
        .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert!(said.starts_with(&format!("{} pages in ", names.len())), "{said}");
    assert!(names.len() > 50 && names.contains(&"meed-epoch-open.1".to_owned()), "{names:?}");
    let page = world.read("pages/meed-epoch-open.1");
    assert!(page.contains("--scope") || page.contains("\\-\\-scope"), "{page}");
    // Examples are lines, each by itself.
    let page = world.read("pages/meed-collect.1");
    let (_, examples) = page.split_once(".SH EXAMPLES\n.nf\n").expect("examples");
    let (examples, _) = examples.split_once("\n.fi").expect("their end");
    assert_eq!(examples.matches("meed collect").count(), examples.lines().count(), "{examples}");
    assert!(page.contains(".SH NOTES\n.nf\nReads the history"), "{page}");
}

#[test]
fn completions_are_scripts_that_a_shell_reads() {
    let world = World::empty();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = world.run(&["completions", shell]).ok();
        assert!(script.contains("finalize") && script.contains("meed"), "{shell}");
    }
    let script = world.run(&["completions", "bash"]).ok();
    let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().expect("bash");
    bash.stdin.take().expect("input").write_all(script.as_bytes()).expect("written");
    assert!(bash.wait().expect("it ends").success());
    world.run(&["completions", "basic"]).refused(2, "basic");
}
