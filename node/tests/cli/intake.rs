//! Taking in events: imports with bad lines, duplicates, conflicts, and git twice.

use meed_audit::time::MS_PER_DAY;
use meed_node::sources::sample;

use crate::support::{World, now};

#[test]
fn every_bad_line_is_reported_and_nothing_is_stored() {
    let world = World::open();
    let good = world.event_line("good", 1);
    let lines = [
        good.clone(),
        "not json".to_owned(),
        good.replace("\"platform_user_id\":\"1\"", "\"platform_user_id\":\"01\""),
        String::new(),
        good.replace("github:repo:7", "evil\u{202e}txt"),
        good.replace("\"producer\":\"test\",", ""),
        format!("{}\"x\":1}}", good.trim_end_matches('}').to_owned() + ","),
        world.event_line("other", 2),
    ];
    world.write("events.ndjson", &lines.join("\n"));
    let ran = world.run(&["import", "--scope", "default", "events.ndjson"]);
    ran.refused(1, "5 of 7 lines are refused, and nothing was stored");
    for (line, field) in
        [(2, "malformed"), (3, "platform_user_id"), (5, "source_ref"), (6, "producer"), (7, "x")]
    {
        let start = format!("line {line}: ");
        let found = ran.err.lines().find(|text| text.starts_with(&start));
        assert!(
            found.is_some_and(|text| text.contains(field) && text.contains("expected")),
            "{line}: {}",
            ran.err
        );
    }
    let problem = world.run(&["import", "--scope", "default", "events.ndjson", "--json"]).problem(1);
    let reported = problem["lines"].as_array().expect("lines");
    assert_eq!(
        reported.iter().map(|line| line["line"].as_u64()).collect::<Vec<_>>(),
        [2, 3, 5, 6, 7].map(Some)
    );
    assert_eq!(world.json(&["epoch", "show", "--scope", "default", "--epoch", "1"])["events"], 0);

    let kept = world.run(&["import", "--scope", "default", "--keep-good", "events.ndjson"]);
    kept.refused(1, "expected good lines only, got 5 bad lines");
    assert!(kept.err.contains("line 3: "), "{}", kept.err);
    assert!(kept.out.starts_with("2 stored"), "{}", kept.out);
    assert_eq!(world.json(&["epoch", "show", "--scope", "default", "--epoch", "1"])["events"], 2);
}

#[test]
fn every_faulty_field_of_a_line_is_reported() {
    let world = World::open();
    let good = world.event_line("good", 1);
    let bad = good
        .replace("\"platform_user_id\":\"1\"", "\"platform_user_id\":\"01\"")
        .replace("\"producer\":\"test\",", "")
        .replace("pr_merged", "PR merged");
    world.write("events.ndjson", &format!("{good}\n{bad}\n"));
    let ran = world.run(&["import", "--scope", "default", "events.ndjson"]);
    ran.refused(1, "1 of 2 lines is refused, and nothing was stored");
    let said: Vec<&str> = ran.err.lines().filter(|line| line.starts_with("line 2: ")).collect();
    for field in ["platform_user_id", "producer: expected the field, got none", "event_type: expected "] {
        assert!(said.iter().any(|line| line.contains(field)), "{field}: {said:#?}");
    }
    assert_eq!(said.len(), 3, "{said:#?}");
    assert!(said.iter().all(|line| line.contains(": expected ") && line.contains(", got ")), "{said:#?}");
    let kept = world.run(&["import", "--scope", "default", "--keep-good", "events.ndjson"]);
    kept.refused(1, "got 1 bad line");
    assert_eq!(kept.out, "1 stored, 0 there already, 1 bad line left out\n");
}

/// The example line of a document: the first that is an event.
fn example_in(text: &str) -> &str {
    text.lines().map(str::trim).find(|line| line.starts_with("{\"id\":")).expect("an example line")
}

#[test]
fn the_example_line_of_the_documents_can_be_imported_as_it_stands() {
    let world = World::open();
    let help = world.run(&["import", "--help"]).ok();
    let example = example_in(&help);
    for text in [include_str!("../../../README.md"), include_str!("../../../docs/operating.md")] {
        assert_eq!(example_in(text), example);
    }
    let ran = world.run_with(&["import", "--scope", "default", "-"], &[], example);
    assert!(!ran.err.contains("nothing, since"), "it has a weight: {}", ran.err);
    assert_eq!(ran.ok(), "1 stored, 0 there already\n");
}

#[test]
fn events_that_earn_nothing_or_come_too_late_say_so() {
    let world = World::open();
    let import = |lines: &str| world.run_with(&["import", "--scope", "default", "-", "--json"], &[], lines);
    let line = |id: &str| world.event_line(id, 1);
    let answer =
        |ran: &crate::support::Ran| -> serde_json::Value { serde_json::from_str(&ran.out).expect("JSON") };
    let usual = import(&line("usual"));
    assert_eq!((usual.err.as_str(), &answer(&usual)["unweighted"]), ("", &serde_json::json!([])));
    let odd = ["one", "two"].map(|id| line(id).replace("pr_merged", "pr_admired")).join("\n");
    let odd = import(&(odd + "\n" + &line("three").replace("pr_merged", "pr_seen")));
    let kinds = "github:pr_admired (2), github:pr_seen (1)";
    assert!(odd.err.contains("3 new events weigh nothing") && odd.err.contains(kinds), "{}", odd.err);
    assert_eq!(answer(&odd)["unweighted"][0], serde_json::json!({"kind": "github:pr_admired", "events": 2}));
    let before = world.at.plus_ms(-14 * MS_PER_DAY).expect("time").to_string();
    let old = import(&line("old").replace(&world.at.to_string(), &before));
    assert!(old.err.contains("1 new event happened before the scope's first epoch"), "{}", old.err);
    assert_eq!(answer(&old)["before_first"], 1);
    world.epoch(&["close"]).ok();
    let late = import(&line("late"));
    let said =
        "1 new event came too late for epoch 1, which takes no more: the next epoch that is opened takes it";
    assert!(late.err.contains(said), "{}", late.err);
    assert_eq!(answer(&late)["late"], serde_json::json!([{"missed": 1, "events": 1}]));
    world.run(&["epoch", "open", "--scope", "default", "--at", &now().to_string()]).ok();
    let later = import(&(line("later") + "\n" + &line("latest") + "\n" + &line("late")));
    assert!(
        later.err.contains("2 new events came too late for epoch 1, which takes no more: epoch 2 takes them")
    );
    assert_eq!(answer(&later)["late"], serde_json::json!([{"missed": 1, "taken_by": 2, "events": 2}]));
    let activity = world.json(&["activity", "--scope", "default", "--epoch", "2"]);
    assert_eq!(activity.as_array().map(Vec::len), Some(3), "as was said");
}

#[test]
fn the_same_again_is_no_error_and_another_content_is_kept_out_and_shown() {
    let world = World::with_events();
    let again = world.json(&["import", "--scope", "default", "events.ndjson"]);
    assert_eq!((again["stored"].as_u64(), again["duplicates"].as_u64()), (Some(0), Some(6)));
    let renamed = world.event_line("e1", 2).replace("person-2", "renamed");
    let ran = world.run_with(&["import", "--scope", "default", "-", "--json"], &[], &renamed);
    assert!(ran.ok().contains("\"duplicates\":1"), "a changed login is the same event");
    let other = world.event_line_with("e1", 2, "bb");
    let ran = world.run_with(&["import", "--scope", "default", "-", "--json"], &[], &other);
    assert!(ran.err.contains("kept out"), "{}", ran.err);
    assert!(ran.ok().contains("\"conflicts\":1"));
    let conflicts = world.json(&["conflicts", "--scope", "default"]);
    assert_eq!(conflicts[0]["event"], "github:pr:7:e1");
    assert_eq!(conflicts[0]["stored"]["payload_hash"], "aa".repeat(32));
    assert_eq!(conflicts[0]["came"]["payload_hash"], "bb".repeat(32));
    assert_eq!(conflicts[0]["not_kept"], 0);
    // It is seen by each scope that it concerns: a third content for another scope, by both.
    world.run(&["scope", "add", "other"]).ok();
    assert_eq!(world.json(&["conflicts", "--scope", "other"]), serde_json::json!([]));
    let third = world.event_line_with("e1", 2, "cc");
    world.run_with(&["import", "--scope", "other", "-"], &[], &third).ok();
    for scope in ["default", "other"] {
        let conflicts = world.json(&["conflicts", "--scope", scope]);
        assert_eq!(conflicts.as_array().map(Vec::len), Some(2), "{scope}");
    }
}

#[test]
fn a_file_of_several_parts_is_checked_whole_before_anything_is_stored() {
    let world = World::open();
    // Metadata makes the lines long: two parts, with few events.
    let filler = "x".repeat(30_000);
    let line = |number: usize| {
        world
            .event_line(&format!("n{number}"), 1)
            .replace("{\"id\"", &format!("{{\"metadata\":{{\"f\":\"{filler}\"}},\"id\""))
    };
    let mut lines: Vec<String> = (0..400).map(line).collect();
    lines.push("bad".to_owned());
    world.write("large.ndjson", &(lines.join("\n") + "\n"));
    let ran = world.run(&["import", "--scope", "default", "large.ndjson"]);
    ran.refused(1, "1 line is refused, and nothing was stored");
    assert!(ran.err.contains("line 401: "), "{}", ran.err);
    assert_eq!(world.json(&["epoch", "show", "--scope", "default", "--epoch", "1"])["events"], 0);
    let kept = world.run(&["import", "--scope", "default", "--keep-good", "large.ndjson", "--json"]);
    let problem = kept.problem(1);
    assert_eq!(
        (problem["code"].as_str(), problem["lines"][0]["line"].as_u64()),
        (Some("lines_left_out"), Some(401))
    );
    let kept: serde_json::Value = serde_json::from_str(&kept.out).expect("JSON");
    assert_eq!(kept["stored"], 400);
    assert_eq!(kept["bad_lines"][0]["line"], 401);
}

#[test]
fn of_very_many_bad_lines_the_first_are_told_and_all_are_counted() {
    let world = World::open();
    let text = format!("{}\n{}", world.event_line("good", 1), "{}\n".repeat(1_500));
    world.write("bad.ndjson", &text);
    let ran = world.run(&["import", "--scope", "default", "bad.ndjson"]);
    ran.refused(1, "1500 of 1501 lines are refused, and nothing was stored");
    assert!(ran.err.contains("line 1001: ") && !ran.err.contains("line 1002: "), "the first thousand");
    assert!(ran.err.contains("and 500 bad lines more, which are not listed"), "{}", ran.err);
    let kept = world.run(&["import", "--scope", "default", "--keep-good", "bad.ndjson"]);
    kept.refused(1, "expected good lines only, got 1500 bad lines");
    assert_eq!(kept.out, "1 stored, 0 there already, 1500 bad lines left out\n");
}

#[test]
fn a_line_that_no_request_could_hold_is_refused_by_its_number() {
    let world = World::open();
    let long = "x".repeat(30_000_000);
    let text = format!("{}\n{long}\n{}\n", world.event_line("a", 1), world.event_line("b", 2));
    world.write("long.ndjson", &text);
    let ran = world.run(&["import", "--scope", "default", "long.ndjson"]);
    ran.refused(1, "1 line is refused, and nothing was stored");
    let line = "line 2: input_too_large: expected at most 65536 bytes, got 30000000 bytes";
    assert!(ran.err.lines().any(|said| said == line), "{}", ran.err);
    let kept = world.run(&["import", "--scope", "default", "--keep-good", "long.ndjson"]);
    kept.refused(1, "1 bad line");
    assert_eq!(kept.out, "2 stored, 0 there already, 1 bad line left out\n");
}

#[test]
fn activity_shows_who_gets_what_of_each_event() {
    assert_eq!(World::open().run(&["activity", "--scope", "default", "--epoch", "1"]).ok(), "none\n");
    let world = World::with_events();
    let user = world.run(&["user", "add", "--name", "Bea"]).ok();
    let account = ["--provider", "github", "--external-id", "2", "--evidence", r#"{"by":"vote"}"#];
    world.run(&[&["bind", "--user", user.trim()][..], &account[..]].concat()).ok();
    let share =
        ["curate", "--scope", "default", "--epoch", "1", "--event", "github:pr:7:e1", "--reason", "pair"];
    let among = ["--share", "identity:github:1=300000", &format!("user:{}=700000", user.trim())];
    world.run(&[&share[..], &among[..]].concat()).ok();
    let shown = world.run(&["activity", "--scope", "default", "--epoch", "1"]).ok();
    for line in [
        "      0.300 identity:github:1  person-1".to_owned(),
        format!("      0.700 user:{}  Bea", user.trim()),
    ] {
        assert!(shown.lines().any(|found| found == line), "{line}: {shown}");
    }
    assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
}

#[test]
fn a_contributor_finds_their_own_key_without_showing_their_address() {
    let world = World::finalized();
    let mail = "Alice@Example.org";
    let ask =
        |more: &[&str]| world.run_with(&[&["whoami", "--git-email", "-"], more].concat(), &[], mail).ok();
    let claimant = ask(&[]);
    let hash = claimant.trim().strip_prefix("identity:git:").expect("an account").to_owned();
    assert_eq!(hash.len(), 64);
    assert_eq!(ask(&["--trust", "trust.toml"]), claimant, "a trust file names the node too");
    let user = world.run(&["user", "add", "--name", "Alice"]).ok();
    let account = ["--provider", "git", "--external-id", &hash, "--evidence", r#"{"by":"vote"}"#];
    world.run(&[&["bind", "--user", user.trim()][..], &account[..]].concat()).ok();
    assert_eq!(ask(&[]), format!("user:{}\n", user.trim()));
    let absent = world.proof(claimant.trim(), "absent.payout.json");
    let hint = format!("ask for --claimant user:{}", user.trim());
    assert!(absent.err.contains(&hint), "{}", absent.err);
    let wrong = world.run(&["whoami", "--git-email", "alice at example"]);
    wrong.refused(2, "expected an e-mail address");
    assert!(!wrong.err.contains("alice at"), "{}", wrong.err);
}

#[test]
fn collecting_twice_stores_nothing_and_reports_no_conflict() {
    let world = World::open();
    let repository = world.path("repository");
    sample::generate(&repository, now()).expect("sample");
    let path = repository.to_str().expect("path");
    let first = world.json(&["collect", "--scope", "default", "--git", path]);
    assert!(first["stored"].as_u64().is_some_and(|stored| stored > 20), "{first}");
    let again = world.run(&["collect", "--scope", "default", "--git", path, "--json"]);
    let again: serde_json::Value = serde_json::from_str(&again.ok()).expect("JSON");
    assert_eq!((again["stored"].as_u64(), again["conflicts"].as_u64()), (Some(0), Some(0)));
    assert_eq!(again["duplicates"], first["stored"]);
    let activity = world.json(&["activity", "--scope", "default", "--epoch", "1"]);
    let all = activity.to_string();
    assert!(!all.contains('@'), "no address is shown anywhere");
    world.run(&["collect", "--scope", "default", "--git", "none"]).refused(2, "cannot enter the folder");
    world.run(&["collect", "--scope", "default"]).refused(2, "expected a git repository");
    let reversed = ["--since", "2026-01-02T00:00:00Z", "--until", "2026-01-01T00:00:00Z"];
    world
        .run(&[&["collect", "--scope", "default", "--git", path], &reversed[..]].concat())
        .refused(2, "period");
    world
        .run(&["collect", "--scope", "default", "--git", path, "--since", "soon"])
        .refused(2, "invalid_time");
}

#[test]
fn people_and_their_accounts() {
    let world = World::with_events();
    let user = world.run(&["user", "add", "--name", "Alice"]).ok();
    let user = user.trim();
    let other = world.run(&["user", "add"]).ok();
    let other = other.trim();
    let account = ["--provider", "github", "--external-id", "1", "--evidence", r#"{"seen":"profile"}"#];
    let bind = |user: &str| world.run(&[&["bind", "--user", user], &account[..]].concat());
    assert!(bind(user).ok().contains("is now"));
    assert!(bind(user).ok().contains("was already"));
    bind(other).refused(1, "identity_bound_to_other");
    bind("00000000-0000-4000-8000-000000000009").refused(1, "user_not_found");
    world.run(&[&["rebind", "--from", user, "--user", other], &account[..]].concat()).ok();
    let users = world.json(&["user", "list"]);
    let owner = users.as_array().expect("users").iter().find(|entry| entry["id"] == other).expect("user");
    assert_eq!(owner["identities"], serde_json::json!(["identity:github:1"]));
    world.run(&[&["revoke"], &account[..]].concat()).ok();
    world.run(&[&["revoke"], &account[..]].concat()).refused(1, "identity_not_bound");
    let bad = ["--provider", "github", "--external-id", "1", "--evidence", "seen"];
    world.run(&[&["revoke"], &bad[..]].concat()).refused(2, "expected JSON");
    let decisions = world.decisions();
    let actions: Vec<&str> = decisions.iter().filter_map(|decision| decision["action"].as_str()).collect();
    assert_eq!(actions, ["pool", "bind", "rebind", "revoke"]);
}

#[test]
fn the_first_window_leaves_no_earlier_event_behind() {
    let world = World::empty();
    world.run(&["init"]).ok();
    world.run(&["scope", "add", "default", "--base-issuance", "5"]).ok();
    world.write("one.ndjson", &world.event_line("one", 1));
    world.run(&["import", "--scope", "default", "one.ndjson"]).ok();
    let now = now().to_string();
    let open = ["epoch", "open", "--scope", "default", "--at"];
    let refused = world.run(&[&open[..], &[&now]].concat());
    refused.refused(1, "windows_skipped");
    let said = format!("which leaves out 1 and pays nobody for 1 event from {} on", world.at);
    assert!(refused.err.contains(&said), "{refused:?}");
    let remedy = refused.err.split('`').nth(1).expect("a command").to_owned();
    assert!(refused.err.contains("`--skip 1`"), "{refused:?}");
    let command: Vec<&str> = remedy.split(' ').skip(1).collect();
    assert!(world.run(&command).ok().contains("events   1\n"), "{remedy}");

    let other = ["epoch", "open", "--scope", "other", "--at", &now, "--skip"];
    world.run(&["scope", "add", "other", "--base-issuance", "5"]).ok();
    world.run(&["import", "--scope", "other", "one.ndjson"]).ok();
    world.run(&[&other[..], &["2"]].concat()).refused(1, "windows_skipped");
    assert!(world.run(&[&other[..], &["1"]].concat()).ok().contains("events   0\n"));
}
