//! Lines of the earlier system beside what is collected here: each event is one, whichever comes first.

use meed_node::api::documents::ImportView;
use meed_node::failure::Failure;
use meed_node::sources::github::{IssueCredit, RepositoryNumbers};
use serde_json::{Value, json};

use super::model::*;
use super::world::{KEY, World};

/// A line as the earlier system's receipts are exported: an id that names the repository, and a hash over fewer fields.
fn line(id: &str, kind: &str, person: u64, at: &str, metadata: &Value) -> String {
    let line = json!({
        "id": id, "source": "github", "source_ref": "Octo/Repo", "event_type": kind,
        "platform_user_id": person.to_string(), "platform_login": "somebody", "payload_hash": "aa".repeat(32),
        "producer": "github", "producer_version": "0.3.0", "event_time": at, "retrieved_at": at,
        "metadata": metadata,
    });
    line.to_string() + "\n"
}

/// One of each kind that both systems have, by poll and by webhook of the earlier one.
fn lines() -> String {
    [
        line(
            "github:pr:Octo/Repo:1",
            "pr_merged",
            11,
            &january(6, 1),
            &json!({"baseBranch": "main", "title": "x"}),
        ),
        line(
            "github:pr:octo/repo:2",
            "pr_merged",
            22,
            &january(6, 2),
            &json!({"baseBranch": "main", "branch": "revert-1-b"}),
        ),
        line(
            "github:review:octo/repo:1:101",
            "review_submitted",
            22,
            &january(6, 3),
            &json!({"state": "APPROVED"}),
        ),
        line(
            "github:review:octo/repo:1:102",
            "review_submitted",
            33,
            &january(6, 4),
            &json!({"state": "changes_requested"}),
        ),
        line("github:issue:octo/repo:3", "issue_closed", 11, &january(6, 5), &json!({"title": "y"})),
        line("github:comment:octo/repo:104", "comment_created", 33, &january(6, 6), &json!({})),
    ]
    .concat()
}

fn model() -> Model {
    let mut revert = merged(2, BEN, &january(6, 2));
    revert["headRefName"] = json!("revert-1-b");
    let pull = with_review(merged(1, ANA, &january(6, 1)), 101, BEN, "APPROVED", &january(6, 3));
    let pull = with_review(pull, 102, CLEO, "CHANGES_REQUESTED", &january(6, 4));
    Model {
        pulls: vec![pull, revert],
        issues: vec![with_comment(closed(3, ANA, BEN, &january(6, 5)), 104, CLEO, &january(6, 6))],
        ..Model::default()
    }
}

fn world() -> World {
    let mut world = World::taking_all(model());
    world.rules.coauthors = false;
    world.rules.issue_credit = IssueCredit::Author;
    world
}

fn import(world: &World, lines: &str, numbers: &str) -> Result<ImportView, Failure> {
    let numbers: RepositoryNumbers = numbers.parse().expect("numbers");
    world.service().import(KEY, lines.as_bytes(), 1, (false, false), &numbers)
}

const NUMBERS: &str = "OCTO/repo=1103454131";

#[test]
fn what_was_collected_is_a_duplicate_when_it_is_imported() {
    let world = world();
    assert_eq!(world.collect().events.stored, 6);
    let before = world.contents();
    let view = import(&world, &lines(), NUMBERS).expect("imported").events;
    assert_eq!((view.stored, view.duplicates, view.conflicts), (0, 6, 0));
    assert_eq!(world.contents(), before);
}

#[test]
fn what_was_imported_is_a_duplicate_when_it_is_collected() {
    let world = world();
    let view = import(&world, &lines(), NUMBERS).expect("imported").events;
    assert_eq!((view.stored, view.conflicts), (6, 0));
    let stored = &world.stored()["github:pr:1103454131:1"];
    assert_eq!((stored.kind.as_str(), stored.source_ref.as_str()), ("pr_merged", "github:repo:1103454131"));
    assert_eq!(stored.metadata["earlier_id"], "github:pr:Octo/Repo:1");
    assert_eq!(world.stored()["github:pr:1103454131:2"].kind, "pr_revert_merged");
    let view = world.collect();
    assert_eq!((view.events.stored, view.events.duplicates, view.events.conflicts), (0, 6, 0));
}

/// What this system does not collect keeps its type and its hash.
#[test]
fn kinds_of_the_earlier_system_alone_keep_what_they_are() {
    let world = world();
    let lines = [
        line("github:pr:octo/repo:7:opened", "pr_opened", 11, &january(6, 1), &json!({})),
        line("github:push:octo/repo:abcdef", "push", 11, &january(6, 2), &json!({})),
        line("github:pr:octo/repo:8", "pr_merged", 11, &january(6, 3), &json!({})),
    ];
    assert_eq!(import(&world, &lines.concat(), NUMBERS).expect("imported").events.stored, 3);
    let stored = world.stored();
    assert_eq!(stored["github:pr:1103454131:7:opened"].payload_hash, "aa".repeat(32));
    assert_eq!(stored["github:push:1103454131:abcdef"].kind, "push");
    assert_eq!(stored["github:pr:1103454131:8"].payload_hash, "aa".repeat(32), "without its base branch");
}

/// Weakness 31: stored under a name, an event would be paid once more under its number.
#[test]
fn a_line_that_names_an_unknown_repository_is_refused_with_the_way_out() {
    let world = world();
    for numbers in ["", "octo/other=1103454131"] {
        let failure = import(&world, &lines(), numbers).expect_err("refused");
        assert_eq!(failure.problem.lines.len(), 6, "{numbers}");
        let detail = &failure.problem.lines[0].detail;
        assert!(detail.contains("--repository Octo/Repo=NUMBER"), "{detail}");
    }
    assert!(world.stored().is_empty());
    let other = line("github:pr:1103454131:9", "pr_merged", 11, &january(6, 1), &json!({}));
    assert_eq!(import(&world, &other, "").expect("imported").events.stored, 1, "a number needs nothing");
}
