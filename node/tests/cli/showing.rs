//! What `meed sign` shows an approver before it asks.

use crate::support::World;

const EPOCH: [&str; 4] = ["--scope", "default", "--epoch", "1"];

fn allocate(world: &World, units: &str, reason: &str) {
    let decide = ["allocate", "--claimant", "identity:github:1", "--units", units, "--reason", reason];
    world.run(&[&decide[..], &EPOCH[..]].concat()).ok();
}

#[test]
fn an_approver_sees_pool_decisions_and_bindings() {
    let world = World::with_events();
    let user = world.run(&["user", "add", "--name", "Bea"]).ok();
    let account = ["--provider", "github", "--external-id", "2", "--evidence", r#"{"by":"vote"}"#];
    world.run(&[&["bind", "--user", user.trim()][..], &account[..]].concat()).ok();
    let bonus = ["pool", "add", "--component", "bonus", "--amount", "500", "--evidence", "vote 12"];
    world.run(&[&bonus[..], &EPOCH[..]].concat()).ok();
    allocate(&world, "5000", "the first thought");
    allocate(&world, "2500", "the second thought");
    let exclude = ["curate", "--event", "github:pr:7:e1", "--exclude", "--reason", "imported by mistake"];
    world.run(&[&exclude[..], &EPOCH[..]].concat()).ok();
    world.epoch(&["close"]).ok();
    world.freeze("one.dossier");
    let ran = world.sign("one.dossier", "alice");
    let user = format!("user:{}\n      is identity:github:2", user.trim());
    for shown in [
        "scope      default ",
        "epoch      1 revision 0",
        "window     ",
        " base_issuance ",
        "vote 12",
        "the pool is 10500 credits in all",
        "2 decisions in force (1 decision superseded by later ones and left out):",
        "set final units of identity:github:1\n      from 5.000 units to 2.500 units",
        "by operator on ",
        ": the second thought\n      in place of 2.000 units that activity gives",
        "exclude github:pr:7:e1",
        "imported by mistake",
        &user,
    ] {
        assert!(ran.err.contains(shown), "{shown}: {}", ran.err);
    }
    assert!(!ran.err.contains("the first thought"), "superseded: {}", ran.err);
    ran.ok();
}

#[test]
fn an_amendment_is_compared_with_the_statement_that_it_supersedes() {
    let world = World::finalized();
    let second = ["--scope", "default", "--epoch", "2"];
    let at = crate::support::now().to_string();
    world.run(&["epoch", "open", "--scope", "default", "--at", &at]).ok();
    let line = world.event_line("later", 3).replace(&world.at.to_string(), &at);
    world.run_with(&["import", "--scope", "default", "-"], &[], &line).ok();
    let close = ["epoch", "close", "--early", "--reason", "the next one begins"];
    world.run(&[&close[..], &second[..]].concat()).ok();
    world.run(&[&["epoch", "freeze"][..], &second[..]].concat()).ok();
    world.run(&[&["dossier", "--out", "two.dossier"][..], &second[..]].concat()).ok();
    for name in ["alice", "bob"] {
        let line = world.sign("two.dossier", name).ok();
        world.run_with(&[&["signature", "add"][..], &second[..], &["-"]].concat(), &[], &line).ok();
    }
    world.run(&[&["epoch", "finalize"][..], &second[..]].concat()).ok();

    world.epoch(&["amend", "--reason", "a wrong share"]).ok();
    allocate(&world, "4000", "what was meant");
    world.freeze("again.dossier");
    let ran = world.sign("again.dossier", "alice");
    let title =
        "Difference from the statement that this one supersedes, ledger.example.org/default/epoch/1/0:";
    let (_, table) = ran.err.split_once(title).expect(title);
    let row = table.lines().find(|line| line.contains("identity:github:1")).expect("a row");
    assert!(row.contains("3334"), "before is what epoch 1 gave: {row}");
    assert!(!table.contains("10000"), "epoch 2 is another epoch: {table}");
    ran.ok();
}
