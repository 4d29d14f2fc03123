//! Numbers for people say in which unit they are, with its decimals; those for programs stay integers.

use crate::support::World;

const EPOCH: [&str; 4] = ["--scope", "default", "--epoch", "1"];

/// A scope that pays in a unit with two decimals, with an event of each of two people.
fn world_in_euros() -> World {
    let world = World::empty();
    world.run(&["init", "--origin", "ledger.example.org"]).ok();
    let unit = ["--unit", "EUR", "--decimals", "2", "--base-issuance", "1000050"];
    world.run(&[&["scope", "add", "default"][..], &unit[..]].concat()).ok();
    world.set_approvers(&["alice", "bob"], 2).ok();
    world.run(&["epoch", "open", "--scope", "default", "--at", &world.at.to_string()]).ok();
    world.write("events.ndjson", &(world.event_line("e1", 1) + "\n" + &world.event_line("e2", 2)));
    world.run(&["import", "--scope", "default", "events.ndjson"]).ok();
    world
}

#[test]
fn a_component_of_the_pool_reads_in_the_unit_and_stays_an_integer_for_programs() {
    let world = world_in_euros();
    let shown = world.run(&["decisions", "--scope", "default"]).ok();
    assert!(shown.contains("from nothing set to 10000.50 EUR"), "{shown}");
    assert_eq!(world.decisions()[0]["after"], "1000050");
    let epochs = world.run(&["epoch", "list", "--scope", "default"]).ok();
    assert!(epochs.contains("10000.50 EUR"), "{epochs}");
    let halves = ["--share", "identity:github:1=500000", "identity:github:2=500000", "--reason", "a pair"];
    let event = ["curate", "--event", "github:pr:7:e1"];
    let decided = world.run(&[&event[..], &EPOCH[..], &halves[..]].concat()).ok();
    assert!(decided.contains("identity:github:1 50.0000 %, identity:github:2 50.0000 %"), "{decided}");
}

#[test]
fn an_export_as_csv_has_the_integers_and_what_people_say() {
    let world = world_in_euros();
    world.epoch(&["close"]).ok();
    world.freeze("one.dossier");
    world.sign_and_finalize("one.dossier");
    let csv = world.run(&[&["export", "--format", "csv"][..], &EPOCH[..]].concat()).ok();
    let rows: Vec<&str> = csv.lines().collect();
    let header = "claimant,credits,final_units,proposed_units,events,override_reason,amount,unit,units";
    assert_eq!(rows[0], header);
    assert_eq!(rows[1], "identity:github:1,500025,1000,1000,1,,5000.25,\"EUR\",1.000");
    assert_eq!(rows.len(), 3);
    let help = world.run(&["export", "--help"]).ok();
    for column in header.split(',') {
        assert!(help.contains(column), "the help says what {column} is: {help}");
    }
    let finalized = world.epoch(&["finalize"]).ok();
    assert!(finalized.contains("10000.50 EUR to 2 claimants; 0.00 EUR undistributed"), "{finalized}");
}
