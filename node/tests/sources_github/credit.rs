//! Who is credited for what.

use meed_audit::hash::Hash;
use meed_node::sources::github::{IssueCredit, Rules, Take};
use serde_json::json;

use super::model::*;
use super::world::World;

fn pulls(pulls: Vec<serde_json::Value>) -> Model {
    Model { pulls, ..Model::default() }
}

fn issues(issues: Vec<serde_json::Value>) -> Model {
    Model { issues, ..Model::default() }
}

#[test]
fn a_merged_pull_request_is_stored_under_the_number_of_its_repository() {
    let mut pull = merged(42, ANA, &january(6, 10));
    pull["labels"] = json!([{"name": "fix"}, {"name": "a@b.org"}]);
    let world = World::new(pulls(vec![pull]));
    let view = world.collect();
    assert_eq!((view.events.stored, view.missing), (1, 0));
    assert_eq!(view.source_ref, "github:repo:1103454131");
    let stored = &world.stored()["github:pr:1103454131:42"];
    assert_eq!(stored.kind, "pr_merged");
    assert_eq!(stored.source_ref, "github:repo:1103454131");
    assert_eq!(stored.authors, [("identity:github:11".to_owned(), 1_000_000)]);
    assert_eq!(stored.at, "2026-01-06T10:00:00.000Z");
    // Written here again: every field that can decide money, in canonical JSON.
    let hashed = r#"{"authors":["11"],"base":"main","event_time":"2026-01-06T10:00:00.000Z","event_type":"pr_merged","id":"github:pr:1103454131:42","v":"meed/github-payload/v1"}"#;
    assert_eq!(stored.payload_hash, Hash::of(hashed.as_bytes()).to_hex());
    let shown = json!({
        "artifact_url": "https://github.com/octo/repo/pull/42", "base": "main", "branch": "branch-42",
        "labels": ["[hidden]", "fix"], "names": ["ana"], "repository": "octo/repo", "title": "Pull 42",
    });
    assert_eq!(stored.metadata, shown);
}

/// Weakness 31: names of repositories change, by their case too, and numbers do not.
#[test]
fn a_renamed_repository_gives_the_same_events() {
    let world = World::taking_all(Model {
        pulls: vec![with_review(merged(1, ANA, &january(6, 1)), 7, BEN, "APPROVED", &january(6, 2))],
        issues: vec![with_comment(closed(2, ANA, BEN, &january(6, 3)), 9, CLEO, &january(6, 4))],
        ..Model::default()
    });
    assert_eq!(world.collect().events.stored, 4);
    let before = world.contents();
    world.github.state.lock().unwrap().name = Some("Octo-Org/Moved".to_owned());
    let mut place = world.place();
    place.repository = "Octo-Org/Moved".parse().unwrap();
    let view = world.try_from(place, None).expect("collected");
    assert_eq!((view.events.stored, view.events.duplicates, view.events.conflicts), (0, 4, 0));
    assert_eq!(world.contents(), before);
}

/// Weakness 32: people of trailers share, by rule.
#[test]
fn co_authors_of_trailers_share_a_merged_pull_request() {
    let pull = with_commit(merged(1, BEN, &january(6, 1)), &[Some(BEN), Some(ANA), None]);
    let pull = with_commit(pull, &[Some(ANA), Some(CLEO), Some(ANA)]);
    let bots = with_commit(
        {
            let mut pull = merged(2, ANA, &january(6, 2));
            pull["author"] = other_account("Bot", "helper", 99);
            pull
        },
        &[None, Some(CLEO)],
    );
    let model = pulls(vec![pull, bots]);
    let world = World::new(model.clone());
    let view = world.collect();
    assert_eq!(world.lines(), ["pr:1 pr_merged 11+22+33", "pr:2 pr_merged 33"]);
    let shares: Vec<u32> =
        world.stored()["github:pr:1103454131:1"].authors.iter().map(|(_, share)| *share).collect();
    assert_eq!(shares, [333_334, 333_333, 333_333]);
    let left_out: Vec<_> =
        view.skipped.iter().map(|skipped| (skipped.reason.as_str(), skipped.count)).collect();
    assert_eq!(left_out, [("bot", 1), ("coauthor_without_account", 1)]);
    let mut alone = World::new(model);
    alone.rules.coauthors = false;
    alone.collect();
    assert_eq!(alone.lines(), ["pr:1 pr_merged 22"]);
}

/// Weakness 32: the commits of a pull request have authors, who are not those of its trailers.
#[test]
fn whoever_wrote_a_commit_does_not_share_by_that() {
    let world = World::new(pulls(vec![with_commit(merged(1, BEN, &january(6, 1)), &[Some(ANA)])]));
    world.collect();
    assert_eq!(world.lines(), ["pr:1 pr_merged 22"]);
}

/// Weakness 32: what a review says, whose pull request it is of, and whether it is the first.
#[test]
fn reviews_of_different_worth_have_different_types() {
    let pull = pull(5, ANA, &january(6, 0));
    let pull = with_review(pull, 101, BEN, "COMMENTED", &january(6, 1));
    let pull = with_review(pull, 102, BEN, "APPROVED", &january(6, 2));
    let pull = with_review(pull, 103, CLEO, "CHANGES_REQUESTED", &january(6, 3));
    let pull = with_review(pull, 104, ANA, "COMMENTED", &january(6, 4));
    let pull = with_review(pull, 105, ("dan", 44), "APPROVED", &january(6, 5));
    let mut pull = with_review(pull, 106, ("eve", 55), "DISMISSED", &january(6, 6));
    pull["dismissals"] = json!([{"previousReviewState": "APPROVED", "review": {"fullDatabaseId": "106"}}]);
    // Not submitted yet: it has no time.
    let pending = json!({
        "fullDatabaseId": "107", "submittedAt": null, "state": "PENDING", "url": "x", "author": account(CLEO),
    });
    pull["reviews"].as_array_mut().unwrap().push(pending);
    let world = World::new(pulls(vec![pull]));
    world.collect();
    assert_eq!(
        world.lines(),
        [
            "review:5:101 review_commented 22",
            "review:5:102 review_repeated 22",
            "review:5:103 review_changes_requested 33",
            "review:5:104 review_self 11",
            "review:5:105 review_approved 44",
            "review:5:106 review_approved 55",
        ]
    );
}

/// A review that is dismissed after it was stored is the same event.
#[test]
fn a_dismissed_review_stays_what_it_was() {
    let world = World::new(pulls(vec![with_review(
        pull(5, ANA, &january(6, 0)),
        1,
        BEN,
        "APPROVED",
        &january(6, 1),
    )]));
    world.collect();
    let before = world.contents();
    world.github.change(|model| {
        model.pulls[0]["reviews"][0]["state"] = json!("DISMISSED");
        model.pulls[0]["dismissals"] =
            json!([{"previousReviewState": "APPROVED", "review": {"fullDatabaseId": "1"}}]);
        model.pulls[0]["updatedAt"] = json!(january(7, 0));
    });
    let view = world.collect();
    assert_eq!((view.events.duplicates, view.events.conflicts), (1, 0));
    assert_eq!(world.contents(), before);
}

/// Weakness 32: who is credited for a closed issue is a rule.
#[test]
fn a_closed_issue_is_credited_to_whom_the_rule_says() {
    let mut assigned = closed(1, ANA, BEN, &january(6, 1));
    assigned["assignees"] = json!([account(CLEO), account(BEN)]);
    let model = issues(vec![assigned, closed(2, ANA, CLEO, &january(6, 2))]);
    for (credit, expected) in [
        (IssueCredit::Closer, vec!["issue:1 issue_closed 22", "issue:2 issue_closed 33"]),
        (IssueCredit::Author, vec!["issue:1 issue_closed 11", "issue:2 issue_closed 11"]),
        (IssueCredit::Assignees, vec!["issue:1 issue_closed 22+33"]),
    ] {
        let mut world = World::new(model.clone());
        world.rules = Rules { issue_credit: credit, ..Rules::default() };
        let view = world.collect();
        assert_eq!(world.lines(), expected, "{credit:?}");
        let nobody = view.skipped.iter().any(|skipped| skipped.reason == "nobody_assigned");
        assert_eq!(nobody, credit == IssueCredit::Assignees);
    }
}

/// Weakness 32: an issue that is closed, opened again and closed by somebody else.
#[test]
fn every_closing_of_an_issue_is_a_fact_and_the_first_stays_what_it_was() {
    let world = World::new(issues(vec![
        closed(1, ANA, BEN, &january(6, 1)),
        with_closing(issue(2, ANA, &january(6, 0)), BEN, &january(6, 2), "NOT_PLANNED"),
        with_closing(issue(3, ANA, &january(6, 0)), BEN, &january(6, 3), "DUPLICATE"),
    ]));
    world.collect();
    let first = world.contents();
    world.github.change(|model| {
        let again = model.issues[0].clone();
        model.issues[0] = with_closing(again, CLEO, &january(8, 1), "COMPLETED");
    });
    let view = world.collect();
    assert_eq!((view.events.stored, view.events.conflicts, view.missing), (1, 0, 0));
    assert_eq!(
        world.lines(),
        [
            "issue:1 issue_closed 22",
            "issue:1:2 issue_closed_again 33",
            "issue:2 issue_closed_not_planned 22",
            "issue:3 issue_closed_duplicate 22",
        ]
    );
    assert!(first.iter().all(|(id, content)| world.contents().get(id) == Some(content)));
}

/// Weakness 32: what undoes other work can be weighed apart, and says what it undoes.
#[test]
fn a_revert_has_a_type_of_its_own() {
    let mut revert = merged(43, BEN, &january(6, 1));
    revert["headRefName"] = json!("revert-42-branch-42");
    let mut named_so = merged(44, BEN, &january(6, 2));
    named_so["headRefName"] = json!("revert-the-parser");
    named_so["title"] = json!("Revert \"Pull 42\"");
    let world = World::new(pulls(vec![revert, named_so]));
    world.collect();
    assert_eq!(world.lines(), ["pr:43 pr_revert_merged 22", "pr:44 pr_merged 22"]);
    assert_eq!(world.stored()["github:pr:1103454131:43"].metadata["reverts"], "42");
}

/// Weakness 32: apps, deleted accounts, organizations and placeholders earn nothing, and are counted.
#[test]
fn who_is_no_person_is_left_out_and_counted() {
    let by = |number: u64, author: serde_json::Value| {
        let mut pull = merged(number, ANA, &january(6, 1));
        pull["author"] = author;
        pull
    };
    let model = pulls(vec![
        by(1, other_account("Bot", "dependabot", 1)),
        by(2, other_account("User", "renovate[bot]", 2)),
        by(3, serde_json::Value::Null),
        by(4, other_account("User", "ghost", 10_137)),
        by(5, other_account("Organization", "octo", 3)),
        by(6, other_account("Mannequin", "old-ana", 4)),
        by(7, json!({"__typename": "EnterpriseUserAccount", "login": "ana_corp"})),
        merged(8, ANA, &january(6, 1)),
    ]);
    let world = World::new(model);
    let view = world.collect();
    assert_eq!(world.lines(), ["pr:8 pr_merged 11"]);
    let left_out: Vec<_> =
        view.skipped.iter().map(|skipped| (skipped.reason.as_str(), skipped.count)).collect();
    assert_eq!(
        left_out,
        [
            ("account_without_number", 1),
            ("bot", 2),
            ("deleted_account", 2),
            ("organization", 1),
            ("placeholder_account", 1)
        ]
    );
    assert_eq!(view.missing, 0, "what a rule leaves out is not missing");
}

#[test]
fn only_what_is_named_is_taken_and_what_is_named_later_is_read_from_the_beginning() {
    let model = Model {
        pulls: vec![with_comment(
            with_review(merged(1, ANA, &january(6, 1)), 7, BEN, "APPROVED", &january(6, 2)),
            8,
            CLEO,
            &january(6, 3),
        )],
        issues: vec![with_comment(closed(2, ANA, BEN, &january(6, 4)), 9, CLEO, &january(6, 5))],
        ..Model::default()
    };
    let mut world = World::new(model);
    for (take, stored) in [(Take::Comments, 2), (Take::Merged, 1), (Take::Reviews, 1), (Take::Issues, 1)] {
        world.rules.take = [take].into();
        assert_eq!(world.collect().events.stored, stored, "{take:?}");
    }
    world.rules.take = Take::ALL.into();
    let view = world.collect();
    assert_eq!((view.events.stored, view.events.duplicates), (0, 5));
    assert_eq!(
        world.lines(),
        [
            "comment:8 comment_created 33",
            "comment:9 comment_created 33",
            "issue:2 issue_closed 22",
            "pr:1 pr_merged 11",
            "review:1:7 review_approved 22",
        ]
    );
}

#[test]
fn hostile_words_are_made_harmless_and_hostile_lengths_cut() {
    let mut pull = merged(1, ("e\u{202e}vil\u{7}", 11), &january(6, 1));
    pull["title"] = json!("x ".repeat(100_000));
    pull["labels"] = json!((0..100).map(|_| json!({"name": "l".repeat(5_000)})).collect::<Vec<_>>());
    pull["headRefName"] = json!("a\nb\u{0}c");
    let world = World::new(pulls(vec![pull]));
    world.collect();
    let stored = &world.stored()["github:pr:1103454131:1"];
    assert_eq!(stored.metadata["names"], json!(["evil"]));
    assert_eq!(stored.metadata["branch"], "a bc");
    assert!(stored.metadata["title"].as_str().unwrap().len() <= 200);
}
