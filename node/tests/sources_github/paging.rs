//! Every page of every list, in whatever order subjects change, and what is compared at the end.

use std::collections::BTreeMap;

use meed_audit::hash::Hash;
use serde_json::json;

use super::model::*;
use super::world::World;

/// A time in January, by its minute.
fn minute(number: u64) -> String {
    format!("2026-01-{:02}T{:02}:{:02}:00Z", 1 + number / 1_440, number / 60 % 24, number % 60)
}

/// More than two pages of merged pull requests, each with a review by somebody else, and of closed issues.
pub(crate) fn many() -> Model {
    let people = [ANA, BEN, CLEO];
    let pull = |number: u64| {
        let author = people[usize::try_from(number % 3).unwrap()];
        let reviewer = people[usize::try_from((number + 1) % 3).unwrap()];
        with_review(
            merged(number, author, &minute(number)),
            10_000 + number,
            reviewer,
            "APPROVED",
            &minute(number + 7),
        )
    };
    let issue =
        |number: u64| closed(number, ANA, people[usize::try_from(number % 3).unwrap()], &minute(number));
    Model {
        // Neither by number nor by time.
        pulls: (1..=120).map(|number| pull(number * 13 % 121)).collect(),
        issues: (1_001..=1_070).map(issue).collect(),
        ..Model::default()
    }
}

/// What [`many`] gives, by a program that shares no code with the source: ids with the hashes of payloads.
pub(crate) fn expected() -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut add = |id: String, kind: &str, author: u64, at: String, base: bool| {
        let at = at.replace('Z', ".000Z");
        let base = if base { "\"base\":\"main\"," } else { "" };
        let text = format!(
            r#"{{"authors":["{author}"],{base}"event_time":"{at}","event_type":"{kind}","id":"{id}","v":"meed/github-payload/v1"}}"#
        );
        all.insert(id, Hash::of(text.as_bytes()).to_hex());
    };
    for number in 1..=120_u64 {
        let people = [11, 22, 33];
        let author = people[usize::try_from(number % 3).unwrap()];
        let reviewer = people[usize::try_from((number + 1) % 3).unwrap()];
        add(format!("github:pr:{NUMBER}:{number}"), "pr_merged", author, minute(number), true);
        let review = format!("github:review:{NUMBER}:{number}:{}", 10_000 + number);
        add(review, "review_approved", reviewer, minute(number + 7), false);
    }
    for number in 1_001..=1_070_u64 {
        let closer = [11, 22, 33][usize::try_from(number % 3).unwrap()];
        add(format!("github:issue:{NUMBER}:{number}"), "issue_closed", closer, minute(number), false);
    }
    all
}

pub(crate) fn hashes(world: &World) -> BTreeMap<String, String> {
    world.stored().into_iter().map(|(id, stored)| (id, stored.payload_hash)).collect()
}

/// Weakness 29: nothing is dropped for being older than something that was read before it.
#[test]
fn all_pages_are_read_and_a_second_reading_stores_nothing() {
    let world = World::new(many());
    let view = world.collect();
    assert_eq!((view.events.stored, view.events.conflicts, view.missing), (310, 0, 0));
    assert_eq!(hashes(&world), expected());
    // The repository, three pages of fifty, two pages, and the totals.
    assert_eq!(world.github.count(), 1 + 3 + 2 + 1);
    let view = world.collect();
    assert_eq!((view.events.stored, view.events.duplicates, view.events.conflicts), (0, 310, 0));
}

/// Weakness 29: many subjects may change in the same second, on both sides of a page's end.
#[test]
fn equal_times_at_the_end_of_a_page_are_kept() {
    let at = january(6, 1);
    let world = World::new(Model {
        pulls: (1..=101).map(|number| merged(number, ANA, &at)).collect(),
        ..Model::default()
    });
    assert_eq!(world.collect().events.stored, 101);
    world.github.change(|model| model.pulls.push(merged(102, ANA, &at)));
    assert_eq!(world.collect().events.stored, 1, "one more of that same second");
}

/// Weakness 29: a review of a pull request that is not merged, then merged when the cursor is past the review.
#[test]
fn a_review_before_the_merge_and_the_merge_after_it_are_both_kept() {
    let world = World::new(Model {
        pulls: vec![
            with_review(pull(1, ANA, &january(6, 0)), 7, BEN, "APPROVED", &january(6, 1)),
            merged(2, ANA, &january(8, 0)),
        ],
        ..Model::default()
    });
    assert_eq!(world.collect().events.stored, 2);
    world.github.change(|model| {
        model.pulls[0]["mergedAt"] = json!(january(9, 0));
        model.pulls[0]["updatedAt"] = json!(january(9, 0));
    });
    let view = world.collect();
    assert_eq!((view.events.stored, view.events.duplicates), (1, 2));
    assert_eq!(world.lines(), ["pr:1 pr_merged 11", "pr:2 pr_merged 11", "review:1:7 review_approved 22"]);
}

/// Weakness 29: what one subject has many of is followed to its end.
#[test]
fn nested_pages_are_followed_to_their_end() {
    let mut big = merged(1, ANA, &january(6, 1));
    for number in 0..250_u64 {
        let person = ("p", 1_000 + number);
        big = with_review(big, 5_000 + number, person, "APPROVED", &january(7, 1));
        big = with_comment(big, 9_000 + number, person, &january(7, 2));
    }
    for number in 0..40_u64 {
        big = with_commit(big, &[Some(ANA), Some(("q", 2_000 + number))]);
    }
    let crowd: Vec<Option<(&str, u64)>> = (0..30).map(|number| Some(("r", 3_000 + number))).collect();
    big = with_commit(big, &crowd);
    big["labels"] = json!((0..60).map(|number| json!({"name": format!("l{number}")})).collect::<Vec<_>>());
    let mut old = closed(2, ANA, BEN, &january(6, 0));
    for hour in 1..=20 {
        old = with_closing(old, CLEO, &january(6, hour), "COMPLETED");
    }
    let world = World::taking_all(Model { pulls: vec![big], issues: vec![old], ..Model::default() });
    let view = world.collect();
    assert_eq!(view.events.stored, 1 + 250 + 250 + 21);
    let stored = &world.stored()["github:pr:1103454131:1"];
    assert_eq!(stored.authors.len(), 1 + 40 + 29, "who wrote a commit is the first of its authors");
    assert_eq!(stored.metadata["labels"].as_array().unwrap().len(), 60);
    assert_eq!(world.stored()["github:issue:1103454131:2:21"].kind, "issue_closed_again");
}

/// Weakness 29: the lists change while they are read.
#[test]
fn pages_that_change_while_they_are_read_lose_nothing() {
    let world = World::new(many());
    {
        let mut state = world.github.state.lock().unwrap();
        // After the first page: what it had changes again, and what the next page would have goes to the end.
        let touch = |from: usize, at: &'static str| {
            let change = move |model: &mut Model| {
                for pull in model.pulls.iter_mut().skip(from).step_by(3) {
                    pull["updatedAt"] = json!(at);
                }
                model.pulls.push(merged(500 + from as u64, ANA, at));
            };
            Box::new(change) as Box<dyn FnOnce(&mut Model) + Send>
        };
        state.changes.insert(3, touch(0, "2026-01-20T00:00:00Z"));
        state.changes.insert(4, touch(1, "2026-01-21T00:00:00Z"));
    }
    let view = world.collect();
    assert_eq!((view.events.conflicts, view.missing), (0, 0));
    let mut stored = hashes(&world);
    for number in [500, 501] {
        assert!(stored.remove(&format!("github:pr:{NUMBER}:{number}")).is_some(), "{number}");
    }
    assert_eq!(stored, expected());
}

/// Weakness 33: what GitHub counts and does not list is missing, and is said.
#[test]
fn what_the_search_counts_and_no_list_has_is_missing() {
    let world = World::new(many());
    world.github.change(|model| model.hidden_merges = 2);
    let view = world.collect();
    assert_eq!((view.events.stored, view.missing), (310, 2));
}

/// Weakness 29: an event that GitHub shows late, with a time before what was read.
#[test]
fn what_is_shown_late_is_found_when_its_week_is_read_again() {
    let world = World::new(many());
    let week = Some(("2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z"));
    world.github.change(|model| model.pulls.push(merged(300, BEN, &january(11, 0))));
    world.try_from(world.place(), week).expect("collected");
    assert_eq!(world.stored().len(), 1, "a week has what happened in it");
    world.github.change(|model| model.pulls.push(merged(301, BEN, &january(7, 0))));
    let view = world.try_from(world.place(), week).expect("collected");
    assert_eq!((view.events.stored, view.events.duplicates, view.missing), (1, 1, 0));
}

/// The place of before is of no use any more: reading begins again, and stores nothing twice.
#[test]
fn an_unknown_place_is_read_from_the_beginning() {
    let world = World::new(many());
    let week = Some(("2026-01-19T00:00:00Z", "2026-01-26T00:00:00Z"));
    let late = |model: &mut Model| {
        model.pulls.push(merged(300, BEN, &january(10, 0)));
        model.pulls.push(merged(301, BEN, &january(20, 0)));
    };
    world.github.change(late);
    world.try_from(world.place(), week).expect("collected");
    let read = world.github.count();
    world.try_from(world.place(), week).expect("collected");
    assert!(world.github.count() < read, "from the week before, not from the beginning");
    let error = json!({"errors": [{"type": "INVALID_CURSOR_ARGUMENTS", "message": "not a valid cursor"}]});
    world.github.fault(2, wiremock::ResponseTemplate::new(200).set_body_json(error));
    let view = world.try_from(world.place(), week).expect("collected");
    assert_eq!((view.events.stored, view.events.duplicates), (0, 1));
    // The repository, the refusal, three pages, issues from where they were known, and the totals.
    assert_eq!(world.github.count(), 1 + 1 + 3 + 1 + 1);
}

/// Weakness 30: each place has cursors of its own, under its own number.
#[test]
fn each_stream_has_its_own_cursor() {
    let world = World::new(many());
    world.collect();
    let cursors = world.cursors();
    assert_eq!(cursors.keys().collect::<Vec<_>>(), ["issues.issues", "pulls.merged.reviews"]);
    assert!(cursors["pulls.merged.reviews"] < cursors["issues.issues"], "{cursors:?}");
}
