//! A crash at each point gives the same in the end as reading in one go.

use serde_json::json;
use wiremock::ResponseTemplate;

use super::paging::{expected, hashes, many};
use super::world::World;

/// Weakness 29: wherever the server stops answering, what was read is kept, and the rest comes next time.
#[test]
fn a_failure_at_each_question_costs_nothing_but_time() {
    let whole = {
        let world = World::new(many());
        world.collect();
        (world.contents(), world.github.count())
    };
    assert_eq!(whole.1, 7);
    for question in 1..=whole.1 {
        let mut world = World::new(many());
        // As often as a smaller page is tried.
        for number in question..question + 3 {
            world.github.fault(number, ResponseTemplate::new(502).set_body_string("<html>bad gateway"));
        }
        let failure = world.refusal();
        assert!(failure.is_passing(), "{question}: {failure:?}");
        let kept = hashes(&world);
        assert!(kept.iter().all(|(id, hash)| expected().get(id) == Some(hash)), "{question}");
        assert_eq!(kept.len() > 100, question > 3, "{question}: pages before are kept: {}", kept.len());
        let cursors = world.cursors();
        world.github.count();
        world.restart();
        let view = world.collect();
        assert_eq!(view.events.conflicts, 0, "{question}");
        assert_eq!(world.contents(), whole.0, "{question}");
        let later = world.cursors();
        assert!(cursors.iter().all(|(stream, order)| later[stream] >= *order), "{question}: cursors go on");
    }
}

/// The clock is read before a page is made of its answer and before it is stored, so that dying at each of its readings
/// is dying at each page's boundary and within each page.
#[test]
fn a_crash_at_each_page_boundary_equals_the_whole() {
    let mut died = 0;
    for readings in 0.. {
        let mut world = World::new(many());
        world.clock.dies_after(Some(readings));
        let ended = world.try_from(world.place(), None);
        world.restart();
        if ended.is_err() {
            died += 1;
            world.collect();
        }
        assert_eq!(hashes(&world), expected(), "after {readings} readings");
        if ended.is_ok() {
            break;
        }
    }
    assert!(died >= 10, "two readings for each of five pages: {died}");
}

/// An interrupted reading goes on at the page after the last one that was stored.
#[test]
fn an_interrupted_reading_goes_on_where_it_stopped() {
    let mut world = World::new(many());
    // The third page of pull requests, and of smaller ones.
    for number in 4..7 {
        world.github.fault(number, ResponseTemplate::new(500));
    }
    world.refusal();
    world.github.count();
    world.restart();
    world.collect();
    let asked = std::mem::take(&mut world.github.state.lock().unwrap().asked);
    let pages: Vec<bool> = asked
        .iter()
        .filter(|question| question["query"].as_str().unwrap().contains("page:pullRequests("))
        .map(|question| question["variables"]["after"].is_null())
        .collect();
    assert_eq!(pages, [false], "the last page alone");
    assert_eq!(hashes(&world), expected());
}

/// Weakness 29: a source that fails fails its part only, and moves no cursor of what it did not store.
#[test]
fn a_list_that_fails_moves_no_cursor_of_its_own() {
    let world = World::new(many());
    let unanswerable = json!({"errors": [{"message": "Something went wrong while executing your query."}]});
    // The first page of issues.
    for number in 5..8 {
        world.github.fault(number, ResponseTemplate::new(200).set_body_json(&unanswerable));
    }
    world.refusal();
    assert_eq!(world.cursors().keys().collect::<Vec<_>>(), ["pulls.merged.reviews"]);
    assert_eq!(world.stored().len(), 240);
}
